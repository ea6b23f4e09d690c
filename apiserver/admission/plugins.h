/*
 * The admission plugins: one record a file.
 */
#ifndef APISERVER_ADMISSION_PLUGINS_H
#define APISERVER_ADMISSION_PLUGINS_H

#include "apiserver/admission/admission.h"

extern const struct admission_plugin namespace_lifecycle_plugin;
extern const struct admission_plugin limit_ranger_plugin;
extern const struct admission_plugin service_account_plugin;
extern const struct admission_plugin taint_nodes_plugin;
extern const struct admission_plugin priority_plugin;
extern const struct admission_plugin default_toleration_plugin;
extern const struct admission_plugin runtime_class_plugin;
extern const struct admission_plugin certificate_approval_plugin;
extern const struct admission_plugin certificate_signing_plugin;
extern const struct admission_plugin certificate_subject_plugin;
extern const struct admission_plugin default_storage_class_plugin;
extern const struct admission_plugin default_ingress_class_plugin;
extern const struct admission_plugin storage_protection_plugin;
extern const struct admission_plugin claim_resize_plugin;
extern const struct admission_plugin node_restriction_plugin;
extern const struct admission_plugin resource_quota_plugin;
extern const struct admission_plugin pod_security_plugin;
extern const struct admission_plugin always_admit_plugin;
extern const struct admission_plugin always_deny_plugin;
extern const struct admission_plugin always_pull_images_plugin;

extern const struct admission_plugin deny_external_ips_plugin;
extern const struct admission_plugin event_rate_limit_plugin;
extern const struct admission_plugin extended_resource_toleration_plugin;
extern const struct admission_plugin hard_anti_affinity_plugin;
extern const struct admission_plugin image_policy_plugin;
extern const struct admission_plugin namespace_auto_provision_plugin;
extern const struct admission_plugin namespace_exists_plugin;
extern const struct admission_plugin owner_permission_plugin;
extern const struct admission_plugin pod_node_selector_plugin;
extern const struct admission_plugin pod_toleration_restriction_plugin;
extern const struct admission_plugin mutating_webhook_plugin;
extern const struct admission_plugin validating_webhook_plugin;
extern const struct admission_plugin mutating_policy_plugin;
extern const struct admission_plugin validating_policy_plugin;
extern const struct admission_plugin trust_bundle_attest_plugin;
extern const struct admission_plugin pod_topology_labels_plugin;

/* In the order of the original; ends with NULL. */
extern const struct admission_plugin *const admission_plugins[];

/* Whether the write is of that resource, or of that subresource of it. */
bool admission_is(
	const struct admission_attributes *a, const char *group, const char *resource, const char *subresource);
/* The spec of the pod that is written, NULL: it is of something else, or of a part of a pod. */
CoreV1PodSpec *admission_pod_spec(const struct admission_attributes *a);
/* An object that the write needs, even if it was made a moment ago. */
struct status *admission_get(const struct admission_context *context, const struct admission_attributes *a,
	const struct schema_type *type, const char *namespace, const char *name,
	const ProtobufCMessage **ret_object) MUST_USE;
/* The namespace that the write is in, even if it was made a moment ago. */
struct status *admission_namespace(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1Namespace **ret_namespace) MUST_USE;

#endif
