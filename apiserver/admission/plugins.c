#include "apiserver/admission/plugins.h"

const struct admission_plugin *const admission_plugins[] = {
	&always_admit_plugin,
	&namespace_lifecycle_plugin,
	&namespace_exists_plugin,
	&anti_affinity_plugin,
	&limit_ranger_plugin,
	&service_account_plugin,
	&node_restriction_plugin,
	&taint_nodes_plugin,
	&always_pull_images_plugin,
	&pod_security_plugin,
	&priority_plugin,
	&default_toleration_plugin,
	&runtime_class_plugin,
	&certificate_approval_plugin,
	&certificate_signing_plugin,
	&certificate_subject_plugin,
	&default_storage_class_plugin,
	&storage_protection_plugin,
	&owner_references_plugin,
	&claim_resize_plugin,
	&default_ingress_class_plugin,
	&external_ips_plugin,
	&resource_quota_plugin,
	&always_deny_plugin,
	NULL,
};

const char *const admission_other_names[] = {"NamespaceAutoProvision", "PodNodeSelector", "PodTolerationRestriction",
	"ExtendedResourceToleration", "EventRateLimit", "ImagePolicyWebhook", "ClusterTrustBundleAttest",
	"PodTopologyLabels", "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy",
	"ValidatingAdmissionWebhook", NULL};
