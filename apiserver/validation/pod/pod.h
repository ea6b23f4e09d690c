/*
 * Checks of pods and of the pod templates of other kinds.
 */
#ifndef APISERVER_VALIDATION_POD_H
#define APISERVER_VALIDATION_POD_H

#include "api/types.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"

void validate_pod_create(struct field_errors *errors, const CoreV1Pod *pod);
void validate_pod_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_status_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_ephemeral_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);
void validate_pod_resize(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);

void validate_pod_template(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodTemplateSpec *template);
/* meta: of a real pod, NULL for a template. */
void validate_pod_spec(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta);
void validate_tolerations(
	struct field_errors *errors, const struct field_path *path, CoreV1Toleration *const *tolerations, size_t n);
void validate_node_selector(
	struct field_errors *errors, const struct field_path *path, const CoreV1NodeSelector *selector);

/* The volumes of a pod with which nothing is wrong: those that containers may name. */
struct pod_volumes {
	const CoreV1Volume **items;
	size_t n_items;
	struct nameset names; /* of the items, in their order */
};
const CoreV1Volume *pod_volume(const struct pod_volumes *volumes, const char *name);

/* The resource claims of a pod that its containers may name, and what is told of any other name. */
struct pod_claims {
	struct nameset names;
	const char *why;
};
struct pod_claims pod_claims_of(struct arena *arena, const CoreV1PodSpec *spec);

/* Parts of a pod spec. */
void validate_volumes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta, struct pod_volumes *ret_good);
void validate_containers(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const struct pod_volumes *volumes, const struct pod_claims *claims);
void validate_affinity(struct field_errors *errors, const struct field_path *path, const CoreV1Affinity *affinity);
/* Keys of the pod's labels that are added to a selector. */
struct label_keys {
	char *const *match;
	size_t n_match;
	char *const *mismatch;
	size_t n_mismatch;
};
void validate_label_keys(struct field_errors *errors, const struct field_path *path, const struct label_keys *keys,
	const MetaV1LabelSelector *selector);
void validate_spread(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_env(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c);
void validate_mounts(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const struct pod_volumes *volumes);
/* pod: the resources of the whole pod, of which fewer may be set. */
void validate_resources(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceRequirements *resources, const struct pod_claims *claims, bool pod);
void validate_pod_resources(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_overhead(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
/* The number of a user or a group. */
void validate_user_or_group(struct field_errors *errors, const struct field_path *path, int64_t id);
void validate_security(struct field_errors *errors, const struct field_path *path,
	const CoreV1SecurityContext *security, bool host_users);
void validate_pod_security(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_windows_options(
	struct field_errors *errors, const struct field_path *path, const CoreV1WindowsSecurityContextOptions *options);
void validate_host_processes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
/* What the pod's operating system cannot have. */
void validate_os(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec);
void validate_pod_annotations(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec);
/* Profiles that are named in annotations and in fields are the same. */
void validate_profiles_match(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec);
/* All that is checked of a pod whenever it is written. */
void validate_pod_whole(struct field_errors *errors, const CoreV1Pod *pod);
void validate_pod_annotation_updates(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old);

enum probe_use { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP };
void validate_probe(
	struct field_errors *errors, const struct field_path *path, const CoreV1Probe *probe, enum probe_use use);
void validate_lifecycle(struct field_errors *errors, const struct field_path *path, const CoreV1Lifecycle *lifecycle,
	const CoreV1PodSpec *spec);
void validate_field_ref(struct field_errors *errors, const struct field_path *path,
	const CoreV1ObjectFieldSelector *ref, const char *const *allowed);
void validate_resource_ref(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceFieldSelector *ref, bool of_volume);

/* All containers of a spec, the ephemeral ones too, each with its path. */
struct pod_container {
	const CoreV1Container *container; /* of an ephemeral one, its common part under this type */
	const char *list;		  /* initContainers, containers, ephemeralContainers */
	size_t index;
};
size_t pod_containers(struct arena *arena, const CoreV1PodSpec *spec, struct pod_container **ret_all);
#define POD_CONTAINER_PATH(path, c) FIELD_INDEX(FIELD(path, (c)->list), (c)->index)

/* A field that must hold one of a list: missing is Required, any other Unsupported. */
void validate_one_of(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported);
void validate_not_negative(struct field_errors *errors, const struct field_path *path, int64_t value);
/* Invalid with the problem, if there is one. */
void validate_text(struct field_errors *errors, const struct field_path *path, const char *value, const char *problem);
/* An address of a field that is older than strict checks of addresses: leading zeros are let through. */
void validate_legacy_ip(struct field_errors *errors, const struct field_path *path, const char *value);
bool is_legacy_ip(const char *value);

#endif
