/*
 * The feature gates of the release and how they stand by default, as kubernetes_feature_enabled tells them. No flag
 * changes what these programs do: what is said is said of the release.
 */
#include "serve/features.h"
#include <stdbool.h>
#include "base/log.h"
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

/* What is stable cannot be set otherwise, but for these; of the rest everything can, but for those. */
static const char *const free_stable[] = {"DisableAllocatorDualWrite", "DynamicResourceAllocation", "ExecProbeTimeout",
	"TopologyManagerPolicyOptions", "VolumeAttributesClass", NULL};
static const char *const fixed_others[] = {
	"AllowServiceLBStatusOnNonLB", "WatchFromStorageWithoutResourceVersion", NULL};

static const struct group {
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

static const struct group *group_of(const char *feature)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		if (str_in(feature, groups[g].names))
			return &groups[g];
	return NULL;
}

static bool is_fixed(const struct group *group, const char *feature)
{
	return *group->stage ? str_in(feature, fixed_others) : !str_in(feature, free_stable);
}

static const char *word(bool on)
{
	return on ? "true" : "false";
}

/* What is wrong with setting a feature; NULL: nothing. */
static const char *judge(struct arena *arena, const char *feature, bool on)
{
	const struct group *group = group_of(feature);
	if (!group)
		return arena_printf(arena, "unrecognized feature gate: %s", feature);
	if (group->on == on)
		return NULL;
	if (is_fixed(group, feature))
		return arena_printf(arena, "cannot set feature gate %s to %s, feature is locked to %s", feature,
			word(on), word(group->on));
	log_warn("--feature-gates: %s=%s has no effect", feature, word(on));
	return NULL;
}

/* "kube:Name=true"; the component may be left out. */
static struct status *read_gate(struct arena *arena, const char *text, const char **ret_feature, bool *ret_on)
{
	const char *colon = strchr(text, ':');
	const char *component = colon ? str_trim(arena, arena_strndup(arena, text, (size_t)(colon - text))) : "";
	char *name = str_trim(arena, colon ? colon + 1 : text), *equals = strchr(name, '=');
	if (*component && !str_eq(component, "kube"))
		return status_bad_request("component not registered: %s", component);
	if (!equals)
		return status_bad_request("missing bool value for %s", name);
	*equals = 0;
	const char *value = str_trim(arena, equals + 1);
	*ret_feature = str_trim(arena, name);
	if (!str_to_bool(value, ret_on))
		return status_bad_request(
			"invalid value of %s=%s, err: strconv.ParseBool: parsing \"%s\": invalid syntax", *ret_feature,
			value, value);
	return NULL;
}

struct status *features_check(const struct flag_list *gates)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **wrong = NULL;
	size_t n_wrong = 0;
	for (size_t i = 0; i < gates->n_items; i++) {
		const char *feature = "";
		bool on = false;
		if (!*gates->items[i])
			continue;
		TRY(read_gate(arena, gates->items[i], &feature, &on));
		const char *what = judge(arena, feature, on);
		if (what)
			ARENA_PUSH(arena, wrong, n_wrong) = arena_strdup(arena, what);
	}
	const char *all = str_join(arena, wrong, n_wrong, ", ");
	return n_wrong ? status_bad_request(n_wrong > 1 ? "[%s]" : "%s", all) : NULL;
}
