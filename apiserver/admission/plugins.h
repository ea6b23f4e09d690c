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
extern const struct admission_plugin owner_references_plugin;
extern const struct admission_plugin external_ips_plugin;
extern const struct admission_plugin anti_affinity_plugin;
extern const struct admission_plugin namespace_exists_plugin;

/* In the order of the original; ends with NULL. */
extern const struct admission_plugin *const admission_plugins[];
/* Names that are known and do nothing here: some are on in the original, and their absence is never an error. */
extern const char *const admission_other_names[];

/* What PodSecurity has judged. */
struct pod_security_figures *pod_security_figures_new(void);
void pod_security_figures_write(const struct pod_security_figures *figures, struct strbuf *out);

/* The priority classes that pods without one may get: kept as they change. Before the cache is started. */
struct default_priorities *default_priorities_new(struct objects *objects);
void default_priorities_free(struct default_priorities *classes);

/* Whether the write is of that resource, or of that subresource of it. */
bool admission_is(
	const struct admission_attributes *a, const char *group, const char *resource, const char *subresource);
/* The namespace that the write is in, even if it was made a moment ago. */
struct status *admission_namespace(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1Namespace **ret_namespace) MUST_USE;

#endif
