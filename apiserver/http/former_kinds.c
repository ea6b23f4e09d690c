/*
 * Kinds of versions that are not served, which the original can still read: a body of one is of a wrong version, not of
 * a kind that nobody knows. (The register.go of k8s.io/api, and those of definitions and API services.)
 */
#include "apiserver/http/former_kinds.h"
#include <string.h>
#include "base/str.h"

/* A plus: its list is a kind too. */
static const struct former {
	const char *api_version, *kinds;
} formers[] = {
	{"admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy+ MutatingAdmissionPolicyBinding+ "
						  "ValidatingAdmissionPolicy+ ValidatingAdmissionPolicyBinding+"},
	{"admissionregistration.k8s.io/v1beta1",
		"MutatingAdmissionPolicy+ MutatingAdmissionPolicyBinding+ MutatingWebhookConfiguration+ "
		"ValidatingAdmissionPolicy+ ValidatingAdmissionPolicyBinding+ ValidatingWebhookConfiguration+"},
	{"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition+"},
	{"apiregistration.k8s.io/v1beta1", "APIService+"},
	{"apps/v1beta1", "ControllerRevision+ Deployment+ DeploymentRollback Scale StatefulSet+"},
	{"apps/v1beta2", "ControllerRevision+ DaemonSet+ Deployment+ ReplicaSet+ Scale StatefulSet+"},
	{"authentication.k8s.io/v1alpha1", "SelfSubjectReview"},
	{"authentication.k8s.io/v1beta1", "SelfSubjectReview TokenReview"},
	{"authorization.k8s.io/v1beta1",
		"LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"},
	{"autoscaling/v2beta1", "HorizontalPodAutoscaler+"},
	{"autoscaling/v2beta2", "HorizontalPodAutoscaler+"},
	{"batch/v1beta1", "CronJob+"},
	{"certificates.k8s.io/v1alpha1", "ClusterTrustBundle+ PodCertificateRequest+"},
	{"certificates.k8s.io/v1beta1", "CertificateSigningRequest+ ClusterTrustBundle+"},
	{"coordination.k8s.io/v1alpha2", "LeaseCandidate+"},
	{"coordination.k8s.io/v1beta1", "Lease+ LeaseCandidate+"},
	{"discovery.k8s.io/v1beta1", "EndpointSlice+"},
	{"events.k8s.io/v1beta1", "Event+"},
	{"extensions/v1beta1", "DaemonSet+ Deployment+ DeploymentRollback Ingress+ NetworkPolicy+ ReplicaSet+ Scale"},
	{"flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema+ PriorityLevelConfiguration+"},
	{"flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema+ PriorityLevelConfiguration+"},
	{"flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema+ PriorityLevelConfiguration+"},
	{"internal.apiserver.k8s.io/v1alpha1", "StorageVersion+"},
	{"networking.k8s.io/v1beta1", "IPAddress+ Ingress+ IngressClass+ ServiceCIDR+"},
	{"node.k8s.io/v1alpha1", "RuntimeClass+"},
	{"node.k8s.io/v1beta1", "RuntimeClass+"},
	{"policy/v1beta1", "Eviction PodDisruptionBudget+"},
	{"rbac.authorization.k8s.io/v1alpha1", "ClusterRole+ ClusterRoleBinding+ Role+ RoleBinding+"},
	{"rbac.authorization.k8s.io/v1beta1", "ClusterRole+ ClusterRoleBinding+ Role+ RoleBinding+"},
	{"resource.k8s.io/v1alpha3", "DeviceTaintRule+"},
	{"resource.k8s.io/v1beta1", "DeviceClass+ ResourceClaim+ ResourceClaimTemplate+ ResourceSlice+"},
	{"resource.k8s.io/v1beta2", "DeviceClass+ ResourceClaim+ ResourceClaimTemplate+ ResourceSlice+"},
	{"scheduling.k8s.io/v1alpha1", "PriorityClass+"},
	{"scheduling.k8s.io/v1beta1", "PriorityClass+"},
	{"storage.k8s.io/v1alpha1", "CSIStorageCapacity+ VolumeAttachment+ VolumeAttributesClass+"},
	{"storage.k8s.io/v1beta1",
		"CSIDriver+ CSINode+ CSIStorageCapacity+ StorageClass+ VolumeAttachment+ VolumeAttributesClass+"},
	{"storagemigration.k8s.io/v1alpha1", "StorageVersionMigration+"},
};

static bool names_kind(const char *kinds, const char *kind)
{
	for (const char *p = kinds; *p;) {
		const size_t length = strcspn(p, " "), n = length - (p[length - 1] == '+');
		if (!strncmp(kind, p, n) && (!kind[n] || (n < length && str_eq(kind + n, "List"))))
			return true;
		p += length + (p[length] == ' ');
	}
	return false;
}

bool kind_is_former(const char *api_version, const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(formers); i++)
		if (str_eq(formers[i].api_version, api_version))
			return names_kind(formers[i].kinds, kind);
	return false;
}

bool former_version_known(const char *group, const char *version)
{
	const size_t size = strlen(group);
	for (size_t i = 0; i < ARRAY_SIZE(formers); i++) {
		const char *name = formers[i].api_version;
		if (!strncmp(name, group, size) && name[size] == '/' && (!version || str_eq(name + size + 1, version)))
			return true;
	}
	return false;
}
