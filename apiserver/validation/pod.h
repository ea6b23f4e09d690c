/*
 * Checks of pods and of the pod templates of other kinds.
 */
#ifndef APISERVER_VALIDATION_POD_H
#define APISERVER_VALIDATION_POD_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_pod_create(struct field_errors *errors, const CoreV1Pod *pod);
void validate_pod_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_status_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_ephemeral_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_resize(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);

void validate_pod_template(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodTemplateSpec *template);
void validate_pod_spec(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta);
void validate_tolerations(
	struct field_errors *errors, const struct field_path *path, CoreV1Toleration *const *tolerations, size_t n);
void validate_node_selector(
	struct field_errors *errors, const struct field_path *path, const CoreV1NodeSelector *selector);

/* Parts of a pod spec. */
void validate_volumes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_containers(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_affinity(struct field_errors *errors, const struct field_path *path, const CoreV1Affinity *affinity);
void validate_resources(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceRequirements *resources);
void validate_security(struct field_errors *errors, const struct field_path *path,
	const CoreV1SecurityContext *security, bool host_users);
void validate_pod_security(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_probe(
	struct field_errors *errors, const struct field_path *path, const CoreV1Probe *probe, bool liveness);
void validate_lifecycle(struct field_errors *errors, const struct field_path *path, const CoreV1Lifecycle *lifecycle);
/* A field that must hold one of a list: missing is Required, any other Unsupported. */
void validate_one_of(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported);
void validate_not_negative(struct field_errors *errors, const struct field_path *path, int64_t value);
/* Invalid with the problem, if there is one. */
void validate_text(struct field_errors *errors, const struct field_path *path, const char *value, const char *problem);

#endif
