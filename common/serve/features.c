/*
 * The feature gates of the release and how they stand by default, as kubernetes_feature_enabled tells them. No flag
 * changes what these programs do: what is said is said of the release.
 */
#include "serve/features.h"
#include <stdbool.h>
#include "serve/metrics.h"

static const char *const stable[] = {"APIServerTracing", "AnonymousAuthConfigurableEndpoints", "AnyVolumeDataSource",
	"AuthorizeNodeWithSelectors", "AuthorizeWithSelectors", "BtreeWatchCache", "CPUManagerPolicyOptions",
	"CRDValidationRatcheting", "CSIMigrationPortworx", "ComponentSLIs", "ConsistentListFromCache",
	"CronJobsScheduledAnnotation", "CustomResourceFieldSelectors", "DisableAllocatorDualWrite",
	"DynamicResourceAllocation", "ExecProbeTimeout", "HonorPVReclaimPolicy", "JobBackoffLimitPerIndex",
	"JobPodReplacementPolicy", "JobSuccessPolicy", "KubeletCgroupDriverFromCRI", "KubeletTracing",
	"LoadBalancerIPMode", "LogarithmicScaleDown", "MatchLabelKeysInPodAffinity", "MemoryManager",
	"MultiCIDRServiceAllocator", "NFTablesProxyMode", "NodeInclusionPolicyInPodTopologySpread", "NodeSwap",
	"OrderedNamespaceDeletion", "PodIndexLabel", "PodLifecycleSleepAction", "PodLifecycleSleepActionAllowZero",
	"PodSchedulingReadiness", "ProbeHostPodSecurityStandards", "RecoverVolumeExpansionFailure",
	"RecursiveReadOnlyMounts", "RelaxedDNSSearchValidation", "RelaxedEnvironmentVariableValidation",
	"ResilientWatchCacheInitialization", "RetryGenerateName", "SchedulerQueueingHints",
	"SeparateTaintEvictionController", "ServiceAccountTokenJTI", "ServiceAccountTokenNodeBinding",
	"ServiceAccountTokenNodeBindingValidation", "ServiceAccountTokenPodNodeInfo", "ServiceTrafficDistribution",
	"SidecarContainers", "SizeMemoryBackedVolumes", "StatefulSetAutoDeletePVC", "StreamingCollectionEncodingToJSON",
	"StreamingCollectionEncodingToProtobuf", "StrictCostEnforcementForVAP", "StrictCostEnforcementForWebhooks",
	"StructuredAuthenticationConfiguration", "StructuredAuthorizationConfiguration", "TopologyAwareHints",
	"TopologyManagerPolicyOptions", "VolumeAttributesClass", "WinDSR", "WinOverlay", NULL};
static const char *const alpha_off[] = {"APIServingWithRoutine", "AllAlpha", "AllowUnsafeMalformedObjectDeletion",
	"CBORServingAndStorage", "CPUManagerPolicyAlphaOptions", "CSIVolumeHealth",
	"ClearingNominatedNodeNameAfterBinding", "ClientsAllowCBOR", "ClientsPreferCBOR",
	"CloudControllerManagerWebhook", "ComponentFlagz", "ComponentStatusz", "ContainerRestartRules",
	"ContainerStopSignals", "CrossNamespaceVolumeDataSource", "CustomCPUCFSQuotaPeriod", "DRAConsumableCapacity",
	"DRADeviceBindingConditions", "DRADeviceTaints", "DRAExtendedResource", "DRAPartitionableDevices",
	"DeploymentReplicaSetTerminatingReplicas", "EnvFiles", "EventedPLEG", "HPAConfigurableTolerance",
	"HPAScaleToZero", "HostnameOverride", "InPlacePodVerticalScalingExclusiveCPUs",
	"InPlacePodVerticalScalingExclusiveMemory", "InTreePluginPortworxUnregister", "InformerResourceVersion",
	"KubeletCrashLoopBackOffMax", "KubeletEnsureSecretPulledImages", "KubeletInUserNamespace",
	"LoggingAlphaOptions", "MaxUnavailableStatefulSet", "MemoryQoS", "NominatedNodeNameForExpectation",
	"PodAndContainerStatsFromCRI", "PodCertificateRequest", "PodLogsQuerySplitStreams",
	"PodTopologyLabelsAdmission", "QOSReserved", "ReduceDefaultCrashLoopBackOffDecay",
	"RelaxedServiceNameValidation", "ResourceHealthStatus", "RuntimeClassInImageCriApi", "StorageCapacityScoring",
	"StorageVersionAPI", "StorageVersionMigrator", "StrictIPCIDRValidation", "TopologyManagerPolicyAlphaOptions",
	"UnknownVersionInteroperabilityProxy", "UserNamespacesPodSecurityStandards", "WindowsCPUAndMemoryAffinity",
	NULL};
static const char *const beta_off[] = {"AllBeta", "ClusterTrustBundle", "ClusterTrustBundleProjection",
	"ConcurrentWatchObjectDecode", "CoordinatedLeaderElection", "DeclarativeValidationTakeover", "ImageVolume",
	"LocalStorageCapacityIsolationFSQuotaMonitoring", "MutableCSINodeAllocatableCount", "MutatingAdmissionPolicy",
	"NodeLogQuery", "SELinuxMount", "SchedulerAsyncAPICalls", "WatchCacheInitializationPostStartHook",
	"WatchListClient", NULL};
static const char *const beta_on[] = {"APIResponseCompression", "APIServerIdentity", "AllowParsingUserUIDFromCertAuth",
	"CPUManagerPolicyBetaOptions", "ContainerCheckpoint", "ContextualLogging", "DRAAdminAccess",
	"DRAPrioritizedList", "DRAResourceClaimDeviceStatus", "DRASchedulerFilterTimeout", "DeclarativeValidation",
	"DetectCacheInconsistency", "DisableCPUQuotaWithExclusiveCPUs", "ExternalServiceAccountTokenSigner",
	"GracefulNodeShutdown", "GracefulNodeShutdownBasedOnPodPriority", "ImageMaximumGCAge", "InOrderInformers",
	"InPlacePodVerticalScaling", "JobManagedBy", "KubeletFineGrainedAuthz", "KubeletPSI",
	"KubeletPodResourcesDynamicResources", "KubeletPodResourcesGet", "KubeletSeparateDiskGC",
	"KubeletServiceAccountTokenForCredentialProviders", "ListFromCacheSnapshot", "LoggingBetaOptions",
	"MatchLabelKeysInPodTopologySpread", "MatchLabelKeysInPodTopologySpreadSelectorMerge", "OpenAPIEnums",
	"PodDeletionCost", "PodLevelResources", "PodObservedGenerationTracking", "PodReadyToStartContainersCondition",
	"PortForwardWebsockets", "PreferSameTrafficDistribution", "PreventStaticPodAPIReferences", "ProcMountType",
	"ReloadKubeletServerCertificateFile", "RemoteRequestHeaderUID", "RotateKubeletServerCertificate",
	"SELinuxChangePolicy", "SELinuxMountReadWriteOncePod", "SchedulerAsyncPreemption", "SchedulerPopFromBackoffQ",
	"ServiceAccountNodeAudienceRestriction", "SizeBasedListCostEstimate", "StatefulSetSemanticRevisionComparison",
	"StorageVersionHash", "StructuredAuthenticationConfigurationEgressSelector", "SupplementalGroupsPolicy",
	"SystemdWatchdog", "TokenRequestServiceAccountUIDValidation", "TopologyManagerPolicyBetaOptions",
	"TranslateStreamCloseWebsocketRequests", "UnauthenticatedHTTP2DOSMitigation", "UserNamespacesSupport",
	"WatchList", "WindowsGracefulNodeShutdown", NULL};
static const char *const deprecated_off[] = {"AllowDNSOnlyNodeCSR", "AllowInsecureKubeletCertificateSigningRequests",
	"AllowOverwriteTerminationGracePeriodSeconds", "AllowServiceLBStatusOnNonLB", "GitRepoVolumeDriver",
	"InPlacePodVerticalScalingAllocatedStatus", "KMSv1", "KubeletRegistrationGetOnExistsOnly",
	"SeparateCacheWatchRPC", "WatchFromStorageWithoutResourceVersion", "WindowsHostNetwork", NULL};
static const char *const deprecated_on[] = {"AggregatedDiscoveryRemoveBetaType", "DisableNodeKubeProxyVersion",
	"KubeletPodResourcesListUseActivePods", "StorageNamespaceIndex", NULL};

static const struct {
	const char *stage;
	const char *const *names;
	bool on;
} groups[] = {
	{"", stable, true},
	{"ALPHA", alpha_off, false},
	{"BETA", beta_off, false},
	{"BETA", beta_on, true},
	{"DEPRECATED", deprecated_off, false},
	{"DEPRECATED", deprecated_on, true},
};

void features_write(struct strbuf *out)
{
	static const char name[] = "kubernetes_feature_enabled";
	metrics_write_head(out, name, "gauge", "Features of the release by their stage, and whether they are on.");
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const char *const *feature = groups[g].names; *feature; feature++) {
			CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
			metrics_add_label(&labels, "name", *feature);
			metrics_add_label(&labels, "stage", groups[g].stage);
			metrics_write_sample(out, name, labels.buf, groups[g].on);
		}
}
