/* What Go calls the types of fields that it gives names to and JSON does not; messages about a value of a wrong type
 * name them. Sorted by struct and field. */
#include "api/go_names.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "api/internal.h"
#include "base/str.h"

static const struct go_name {
	const char *field, *name;
} go_names[] = {
	{"APIResource.verbs", "v1.Verbs"},
	{"APIResourceDiscovery.scope", "v2.ResourceScope"},
	{"APIServiceCondition.status", "v1.ConditionStatus"},
	{"APIServiceCondition.type", "v1.APIServiceConditionType"},
	{"APIVersionDiscovery.freshness", "v2.DiscoveryFreshness"},
	{"AdmissionRequest.operation", "v1.Operation"},
	{"AdmissionRequest.uid", "types.UID"},
	{"AdmissionResponse.patchType", "v1.PatchType"},
	{"AdmissionResponse.uid", "types.UID"},
	{"AppArmorProfile.type", "v1.AppArmorProfileType"},
	{"AttachedVolume.name", "v1.UniqueVolumeName"},
	{"AzureDiskVolumeSource.cachingMode", "v1.AzureDataDiskCachingMode"},
	{"AzureDiskVolumeSource.kind", "v1.AzureDataDiskKind"},
	{"BoundObjectReference.uid", "types.UID"},
	{"CSIDriverSpec.fsGroupPolicy", "v1.FSGroupPolicy"},
	{"CSIDriverSpec.volumeLifecycleModes", "[]v1.VolumeLifecycleMode"},
	{"Capabilities.add", "[]v1.Capability"},
	{"Capabilities.drop", "[]v1.Capability"},
	{"CapacityRequirements.requests", "map[v1.QualifiedName]resource.Quantity"},
	{"CertificateSigningRequestCondition.status", "v1.ConditionStatus"},
	{"CertificateSigningRequestCondition.type", "v1.RequestConditionType"},
	{"CertificateSigningRequestSpec.usages", "[]v1.KeyUsage"},
	{"ComponentCondition.status", "v1.ConditionStatus"},
	{"ComponentCondition.type", "v1.ComponentConditionType"},
	{"Condition.status", "v1.ConditionStatus"},
	{"ConfigMapNodeConfigSource.uid", "types.UID"},
	{"Container.imagePullPolicy", "v1.PullPolicy"},
	{"Container.restartPolicy", "v1.ContainerRestartPolicy"},
	{"Container.terminationMessagePolicy", "v1.TerminationMessagePolicy"},
	{"ContainerMetrics.usage", "v1.ResourceList"},
	{"ContainerPort.protocol", "v1.Protocol"},
	{"ContainerResizePolicy.resourceName", "v1.ResourceName"},
	{"ContainerResizePolicy.restartPolicy", "v1.ResourceResizeRestartPolicy"},
	{"ContainerResourceMetricSource.name", "v1.ResourceName"},
	{"ContainerResourceMetricStatus.name", "v1.ResourceName"},
	{"ContainerRestartRule.action", "v1.ContainerRestartRuleAction"},
	{"ContainerRestartRuleOnExitCodes.operator", "v1.ContainerRestartRuleOnExitCodesOperator"},
	{"ContainerStatus.allocatedResources", "v1.ResourceList"},
	{"ContainerStatus.stopSignal", "v1.Signal"},
	{"ConversionRequest.uid", "types.UID"},
	{"ConversionResponse.uid", "types.UID"},
	{"CronJobSpec.concurrencyPolicy", "v1.ConcurrencyPolicy"},
	{"CustomResourceConversion.strategy", "v1.ConversionStrategyType"},
	{"CustomResourceDefinitionCondition.status", "v1.ConditionStatus"},
	{"CustomResourceDefinitionCondition.type", "v1.CustomResourceDefinitionConditionType"},
	{"CustomResourceDefinitionSpec.scope", "v1.ResourceScope"},
	{"DaemonSetCondition.status", "v1.ConditionStatus"},
	{"DaemonSetCondition.type", "v1.DaemonSetConditionType"},
	{"DaemonSetUpdateStrategy.type", "v1.DaemonSetUpdateStrategyType"},
	{"DeleteOptions.propagationPolicy", "v1.DeletionPropagation"},
	{"DeploymentCondition.status", "v1.ConditionStatus"},
	{"DeploymentCondition.type", "v1.DeploymentConditionType"},
	{"DeploymentStrategy.type", "v1.DeploymentStrategyType"},
	{"Device.attributes", "map[v1.QualifiedName]v1.DeviceAttribute"},
	{"Device.capacity", "map[v1.QualifiedName]v1.DeviceCapacity"},
	{"DeviceAllocationConfiguration.source", "v1.AllocationConfigSource"},
	{"DeviceConstraint.distinctAttribute", "v1.FullyQualifiedName"},
	{"DeviceConstraint.matchAttribute", "v1.FullyQualifiedName"},
	{"DeviceRequestAllocationResult.consumedCapacity", "map[v1.QualifiedName]resource.Quantity"},
	{"DeviceRequestAllocationResult.shareID", "types.UID"},
	{"DeviceSubRequest.allocationMode", "v1.DeviceAllocationMode"},
	{"DeviceTaint.effect", "v1.DeviceTaintEffect"},
	{"DeviceToleration.effect", "v1.DeviceTaintEffect"},
	{"DeviceToleration.operator", "v1.DeviceTolerationOperator"},
	{"EmptyDirVolumeSource.medium", "v1.StorageMedium"},
	{"EndpointPort.protocol", "v1.Protocol"},
	{"EndpointSlice.addressType", "v1.AddressType"},
	{"EphemeralContainer.imagePullPolicy", "v1.PullPolicy"},
	{"EphemeralContainer.restartPolicy", "v1.ContainerRestartPolicy"},
	{"EphemeralContainer.terminationMessagePolicy", "v1.TerminationMessagePolicy"},
	{"EphemeralContainerCommon.imagePullPolicy", "v1.PullPolicy"},
	{"EphemeralContainerCommon.restartPolicy", "v1.ContainerRestartPolicy"},
	{"EphemeralContainerCommon.terminationMessagePolicy", "v1.TerminationMessagePolicy"},
	{"ExactDeviceRequest.allocationMode", "v1.DeviceAllocationMode"},
	{"ExecConfig.interactiveMode", "v1.ExecInteractiveMode"},
	{"FieldSelectorRequirement.operator", "v1.FieldSelectorOperator"},
	{"FlowDistinguisherMethod.type", "v1.FlowDistinguisherMethodType"},
	{"FlowSchemaCondition.status", "v1.ConditionStatus"},
	{"FlowSchemaCondition.type", "v1.FlowSchemaConditionType"},
	{"HPAScalingPolicy.type", "v2.HPAScalingPolicyType"},
	{"HPAScalingRules.selectPolicy", "v2.ScalingPolicySelect"},
	{"HTTPGetAction.scheme", "v1.URIScheme"},
	{"HTTPIngressPath.pathType", "v1.PathType"},
	{"HorizontalPodAutoscalerCondition.status", "v1.ConditionStatus"},
	{"HorizontalPodAutoscalerCondition.type", "v2.HorizontalPodAutoscalerConditionType"},
	{"HostPathVolumeSource.type", "v1.HostPathType"},
	{"ImageVolumeSource.pullPolicy", "v1.PullPolicy"},
	{"IngressPortStatus.protocol", "v1.Protocol"},
	{"JSONSchemaProps.$schema", "v1.JSONSchemaURL"},
	{"JSONSchemaProps.definitions", "v1.JSONSchemaDefinitions"},
	{"JSONSchemaProps.dependencies", "v1.JSONSchemaDependencies"},
	{"JSONSchemaProps.x-kubernetes-validations", "v1.ValidationRules"},
	{"JobCondition.status", "v1.ConditionStatus"},
	{"JobCondition.type", "v1.JobConditionType"},
	{"JobSpec.completionMode", "v1.CompletionMode"},
	{"JobSpec.podReplacementPolicy", "v1.PodReplacementPolicy"},
	{"KubeProxyConfiguration.detectLocalMode", "v1alpha1.LocalMode"},
	{"KubeProxyConfiguration.mode", "v1alpha1.ProxyMode"},
	{"LabelSelectorRequirement.operator", "v1.LabelSelectorOperator"},
	{"LeaseSpec.strategy", "v1.CoordinatedLeaseStrategy"},
	{"Lifecycle.stopSignal", "v1.Signal"},
	{"LimitRangeItem.default", "v1.ResourceList"},
	{"LimitRangeItem.defaultRequest", "v1.ResourceList"},
	{"LimitRangeItem.max", "v1.ResourceList"},
	{"LimitRangeItem.maxLimitRequestRatio", "v1.ResourceList"},
	{"LimitRangeItem.min", "v1.ResourceList"},
	{"LimitRangeItem.type", "v1.LimitType"},
	{"LimitResponse.type", "v1.LimitResponseType"},
	{"ListOptions.resourceVersionMatch", "v1.ResourceVersionMatch"},
	{"LoadBalancerIngress.ipMode", "v1.LoadBalancerIPMode"},
	{"ManagedFieldsEntry.operation", "v1.ManagedFieldsOperationType"},
	{"MatchResources.matchPolicy", "v1.MatchPolicyType"},
	{"MetricSpec.type", "v2.MetricSourceType"},
	{"MetricStatus.type", "v2.MetricSourceType"},
	{"MetricTarget.type", "v2.MetricTargetType"},
	{"ModifyVolumeStatus.status", "v1.PersistentVolumeClaimModifyVolumeStatus"},
	{"MutatingWebhook.failurePolicy", "v1.FailurePolicyType"},
	{"MutatingWebhook.matchPolicy", "v1.MatchPolicyType"},
	{"MutatingWebhook.reinvocationPolicy", "v1.ReinvocationPolicyType"},
	{"MutatingWebhook.sideEffects", "v1.SideEffectClass"},
	{"NamedRuleWithOperations.operations", "[]v1.OperationType"},
	{"NamedRuleWithOperations.scope", "v1.ScopeType"},
	{"NamespaceCondition.status", "v1.ConditionStatus"},
	{"NamespaceCondition.type", "v1.NamespaceConditionType"},
	{"NamespaceSpec.finalizers", "[]v1.FinalizerName"},
	{"NamespaceStatus.phase", "v1.NamespacePhase"},
	{"NetworkPolicyPort.protocol", "v1.Protocol"},
	{"NetworkPolicySpec.policyTypes", "[]v1.PolicyType"},
	{"NodeAddress.type", "v1.NodeAddressType"},
	{"NodeCondition.status", "v1.ConditionStatus"},
	{"NodeCondition.type", "v1.NodeConditionType"},
	{"NodeMetrics.usage", "v1.ResourceList"},
	{"NodeSelectorRequirement.operator", "v1.NodeSelectorOperator"},
	{"NodeStatus.allocatable", "v1.ResourceList"},
	{"NodeStatus.capacity", "v1.ResourceList"},
	{"NodeStatus.phase", "v1.NodePhase"},
	{"NodeStatus.volumesInUse", "[]v1.UniqueVolumeName"},
	{"ObjectMeta.uid", "types.UID"},
	{"ObjectReference.uid", "types.UID"},
	{"Overhead.podFixed", "v1.ResourceList"},
	{"OwnerReference.uid", "types.UID"},
	{"ParamRef.parameterNotFoundAction", "v1.ParameterNotFoundActionType"},
	{"PersistentVolumeClaimCondition.status", "v1.ConditionStatus"},
	{"PersistentVolumeClaimCondition.type", "v1.PersistentVolumeClaimConditionType"},
	{"PersistentVolumeClaimSpec.accessModes", "[]v1.PersistentVolumeAccessMode"},
	{"PersistentVolumeClaimSpec.volumeMode", "v1.PersistentVolumeMode"},
	{"PersistentVolumeClaimStatus.accessModes", "[]v1.PersistentVolumeAccessMode"},
	{"PersistentVolumeClaimStatus.allocatedResourceStatuses", "map[v1.ResourceName]v1.ClaimResourceStatus"},
	{"PersistentVolumeClaimStatus.allocatedResources", "v1.ResourceList"},
	{"PersistentVolumeClaimStatus.capacity", "v1.ResourceList"},
	{"PersistentVolumeClaimStatus.phase", "v1.PersistentVolumeClaimPhase"},
	{"PersistentVolumeSpec.accessModes", "[]v1.PersistentVolumeAccessMode"},
	{"PersistentVolumeSpec.capacity", "v1.ResourceList"},
	{"PersistentVolumeSpec.persistentVolumeReclaimPolicy", "v1.PersistentVolumeReclaimPolicy"},
	{"PersistentVolumeSpec.volumeMode", "v1.PersistentVolumeMode"},
	{"PersistentVolumeStatus.phase", "v1.PersistentVolumePhase"},
	{"PodCondition.status", "v1.ConditionStatus"},
	{"PodCondition.type", "v1.PodConditionType"},
	{"PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy", "v1.UnhealthyPodEvictionPolicyType"},
	{"PodFailurePolicyOnExitCodesRequirement.operator", "v1.PodFailurePolicyOnExitCodesOperator"},
	{"PodFailurePolicyOnPodConditionsPattern.status", "v1.ConditionStatus"},
	{"PodFailurePolicyOnPodConditionsPattern.type", "v1.PodConditionType"},
	{"PodFailurePolicyRule.action", "v1.PodFailurePolicyAction"},
	{"PodOS.name", "v1.OSName"},
	{"PodReadinessGate.conditionType", "v1.PodConditionType"},
	{"PodSecurityContext.fsGroupChangePolicy", "v1.PodFSGroupChangePolicy"},
	{"PodSecurityContext.seLinuxChangePolicy", "v1.PodSELinuxChangePolicy"},
	{"PodSecurityContext.supplementalGroupsPolicy", "v1.SupplementalGroupsPolicy"},
	{"PodSpec.dnsPolicy", "v1.DNSPolicy"},
	{"PodSpec.overhead", "v1.ResourceList"},
	{"PodSpec.preemptionPolicy", "v1.PreemptionPolicy"},
	{"PodSpec.restartPolicy", "v1.RestartPolicy"},
	{"PodStatus.phase", "v1.PodPhase"},
	{"PodStatus.qosClass", "v1.PodQOSClass"},
	{"PodStatus.resize", "v1.PodResizeStatus"},
	{"PodTopologySpreadArgs.defaultingType", "v1.PodTopologySpreadConstraintsDefaulting"},
	{"PortStatus.protocol", "v1.Protocol"},
	{"Preconditions.uid", "types.UID"},
	{"PriorityClass.preemptionPolicy", "v1.PreemptionPolicy"},
	{"PriorityLevelConfigurationCondition.status", "v1.ConditionStatus"},
	{"PriorityLevelConfigurationCondition.type", "v1.PriorityLevelConfigurationConditionType"},
	{"PriorityLevelConfigurationSpec.type", "v1.PriorityLevelEnablement"},
	{"ReplicaSetCondition.status", "v1.ConditionStatus"},
	{"ReplicaSetCondition.type", "v1.ReplicaSetConditionType"},
	{"ReplicationControllerCondition.status", "v1.ConditionStatus"},
	{"ReplicationControllerCondition.type", "v1.ReplicationControllerConditionType"},
	{"ResourceClaimConsumerReference.uid", "types.UID"},
	{"ResourceHealth.health", "v1.ResourceHealthStatus"},
	{"ResourceHealth.resourceID", "v1.ResourceID"},
	{"ResourceMetricSource.name", "v1.ResourceName"},
	{"ResourceMetricStatus.name", "v1.ResourceName"},
	{"ResourceQuotaSpec.hard", "v1.ResourceList"},
	{"ResourceQuotaSpec.scopes", "[]v1.ResourceQuotaScope"},
	{"ResourceQuotaStatus.hard", "v1.ResourceList"},
	{"ResourceQuotaStatus.used", "v1.ResourceList"},
	{"ResourceRequirements.limits", "v1.ResourceList"},
	{"ResourceRequirements.requests", "v1.ResourceList"},
	{"ResourceStatus.name", "v1.ResourceName"},
	{"Rule.scope", "v1.ScopeType"},
	{"RuleWithOperations.operations", "[]v1.OperationType"},
	{"RuleWithOperations.scope", "v1.ScopeType"},
	{"ScopedResourceSelectorRequirement.operator", "v1.ScopeSelectorOperator"},
	{"ScopedResourceSelectorRequirement.scopeName", "v1.ResourceQuotaScope"},
	{"ScoringStrategy.type", "v1.ScoringStrategyType"},
	{"SeccompProfile.type", "v1.SeccompProfileType"},
	{"Secret.type", "v1.SecretType"},
	{"SecurityContext.procMount", "v1.ProcMountType"},
	{"ServicePort.protocol", "v1.Protocol"},
	{"ServiceSpec.externalTrafficPolicy", "v1.ServiceExternalTrafficPolicy"},
	{"ServiceSpec.internalTrafficPolicy", "v1.ServiceInternalTrafficPolicy"},
	{"ServiceSpec.ipFamilies", "[]v1.IPFamily"},
	{"ServiceSpec.ipFamilyPolicy", "v1.IPFamilyPolicy"},
	{"ServiceSpec.sessionAffinity", "v1.ServiceAffinity"},
	{"ServiceSpec.type", "v1.ServiceType"},
	{"StatefulSetCondition.status", "v1.ConditionStatus"},
	{"StatefulSetCondition.type", "v1.StatefulSetConditionType"},
	{"StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted", "v1.PersistentVolumeClaimRetentionPolicyType"},
	{"StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled", "v1.PersistentVolumeClaimRetentionPolicyType"},
	{"StatefulSetSpec.podManagementPolicy", "v1.PodManagementPolicyType"},
	{"StatefulSetUpdateStrategy.type", "v1.StatefulSetUpdateStrategyType"},
	{"Status.reason", "v1.StatusReason"},
	{"StatusCause.reason", "v1.CauseType"},
	{"StatusDetails.uid", "types.UID"},
	{"StorageClass.reclaimPolicy", "v1.PersistentVolumeReclaimPolicy"},
	{"StorageClass.volumeBindingMode", "v1.VolumeBindingMode"},
	{"Subject.kind", "v1.SubjectKind"}, /* of flow schemas */
	{"TableRowCondition.status", "v1.ConditionStatus"},
	{"TableRowCondition.type", "v1.RowConditionType"},
	{"Taint.effect", "v1.TaintEffect"},
	{"Toleration.effect", "v1.TaintEffect"},
	{"Toleration.operator", "v1.TolerationOperator"},
	{"TopologySpreadConstraint.nodeAffinityPolicy", "v1.NodeInclusionPolicy"},
	{"TopologySpreadConstraint.nodeTaintsPolicy", "v1.NodeInclusionPolicy"},
	{"TopologySpreadConstraint.whenUnsatisfiable", "v1.UnsatisfiableConstraintAction"},
	{"UncountedTerminatedPods.failed", "[]types.UID"},
	{"UncountedTerminatedPods.succeeded", "[]types.UID"},
	{"ValidatingAdmissionPolicyBindingSpec.validationActions", "[]v1.ValidationAction"},
	{"ValidatingAdmissionPolicySpec.failurePolicy", "v1.FailurePolicyType"},
	{"ValidatingWebhook.failurePolicy", "v1.FailurePolicyType"},
	{"ValidatingWebhook.matchPolicy", "v1.MatchPolicyType"},
	{"ValidatingWebhook.sideEffects", "v1.SideEffectClass"},
	{"Validation.reason", "v1.StatusReason"},
	{"ValidationRule.reason", "v1.FieldValueErrorReason"},
	{"VolumeMount.mountPropagation", "v1.MountPropagationMode"},
	{"VolumeMount.recursiveReadOnly", "v1.RecursiveReadOnlyMode"},
	{"VolumeMountStatus.recursiveReadOnly", "v1.RecursiveReadOnlyMode"},
	{"VolumeResourceRequirements.limits", "v1.ResourceList"},
	{"VolumeResourceRequirements.requests", "v1.ResourceList"},
};

static int compare(const void *key, const void *entry)
{
	return strcmp(key, ((const struct go_name *)entry)->field);
}

const char *go_type_name(struct arena *arena, const struct schema_type *owner, const char *field, bool element)
{
	const char *key = arena_printf(arena, "%s.%s", owner->kind, field);
	if (!strcmp(key, "Subject.kind") && strcmp(owner->group, "flowcontrol.apiserver.k8s.io"))
		return NULL;
	const struct go_name *found = bsearch(key, go_names, ARRAY_SIZE(go_names), sizeof(*go_names), compare);
	if (!found || !element)
		return found ? found->name : NULL;
	const char *behind = strchr(found->name, ']');
	return behind ? behind + 1 : NULL;
}

/* Words that Go writes in capitals when a name begins with them. */
static const char *const capitals[] = {"api", "aws", "ca", "cidr", "cpu", "csi", "dns", "fc", "fs", "gce", "grpc",
	"http", "id", "ip", "iscsi", "json", "nfs", "os", "pid", "rbd", "se", "tcp", "ttl", "tty", "uid", "url", NULL};

static const struct {
	const char *json, *go;
} irregular[] = {
	{"cidrs", "CIDRs"},
	{"cel", "CEL"},
	{"gcePersistentDisk", "GCEPersistentDisk"},
	{"awsElasticBlockStore", "AWSElasticBlockStore"},
	{"rbd", "RBD"},
	{"cephfs", "CephFS"},
	{"storageos", "StorageOS"},
	{"pdName", "PDName"},
	{"iqn", "IQN"},
	{"wwids", "WWIDs"},
	{"seLinuxOptions", "SELinuxOptions"},
	{"seLinuxChangePolicy", "SELinuxChangePolicy"},
	{"fsType", "FSType"},
	{"fsGroup", "FSGroup"},
	{"fsGroupChangePolicy", "FSGroupChangePolicy"},
	{"tty", "TTY"},
	{"dnsPolicy", "DNSPolicy"},
	{"dnsConfig", "DNSConfig"},
	{"os", "OS"},
	{"httpGet", "HTTPGet"},
	{"tcpSocket", "TCPSocket"},
	{"grpc", "GRPC"},
	{"httpHeaders", "HTTPHeaders"},
	{"gmsaCredentialSpecName", "GMSACredentialSpecName"},
	{"gmsaCredentialSpec", "GMSACredentialSpec"},
	{"$schema", "Schema"},
	{"$ref", "Ref"},
	{"openAPIV3Schema", "OpenAPIV3Schema"},
	{"jSonSchemas", "JSONSchemas"},
	{"x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"},
	{"x-kubernetes-embedded-resource", "XEmbeddedResource"},
	{"x-kubernetes-int-or-string", "XIntOrString"},
	{"x-kubernetes-list-map-keys", "XListMapKeys"},
	{"x-kubernetes-list-type", "XListType"},
	{"x-kubernetes-map-type", "XMapType"},
	{"x-kubernetes-validations", "XValidations"},
	{"chapAuthDiscovery", "DiscoveryCHAPAuth"},
	{"chapAuthSession", "SessionCHAPAuth"},
	{"gid", "GID"},
	{"ips", "IPs"},
	{"lastState", "LastTerminationState"},
	{"qosClass", "QOSClass"},
	{"reportingComponent", "ReportingController"},
	{"sslEnabled", "SSLEnabled"},
	{"tls", "TLS"},
};

void go_add_field_name(struct strbuf *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(irregular); i++)
		if (!strcmp(irregular[i].json, name)) {
			strbuf_adds(out, irregular[i].go);
			return;
		}
	char word[16];
	size_t n = 0;
	while (n < sizeof(word) - 1 && islower((unsigned char)name[n])) {
		word[n] = name[n];
		n++;
	}
	word[n] = 0;
	bool upper = (!name[n] || isupper((unsigned char)name[n])) && str_in(word, capitals);
	for (size_t i = 0; name[i]; i++)
		strbuf_addc(out, (upper && i < n) || !i ? (char)toupper((unsigned char)name[i]) : name[i]);
}

void go_add_double(struct strbuf *out, double value)
{
	enum { PLAIN_DIGITS = 6 };
	if (!isfinite(value)) {
		strbuf_adds(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		char text[32];
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (strtod(text, NULL) != value && digits < 17)
			continue;
		long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
		int decimals = digits - 1 > exponent ? (int)(digits - 1 - exponent) : 0;
		if (exponent < -4 || exponent >= PLAIN_DIGITS)
			strbuf_adds(out, text);
		else
			strbuf_printf(out, "%.*f", decimals, value);
		return;
	}
}

const char *go_package_of(struct arena *arena, const struct schema_type *type)
{
	/* Events of both groups are one type. */
	if (str_empty(type->group) || str_eq(type->group, "events.k8s.io"))
		return "core";
	return arena_strndup(arena, type->group, strcspn(type->group, "."));
}
