/*
 * How containers and sandboxes are labelled, annotated, named and logged, so that any kubelet finds them again after a
 * restart. The label names, the hash and the paths are those of the original (pkg/kubelet/kuberuntime/labels.go,
 * legacy.go, helpers.go).
 */
#ifndef KUBELET_RUNTIME_NAMES_H
#define KUBELET_RUNTIME_NAMES_H

#include <stdint.h>
#include "api/types.h"
#include "base/arena.h"
#include "kubelet/pod/pod.h"

#define LABEL_POD_NAME "io.kubernetes.pod.name"
#define LABEL_POD_NAMESPACE "io.kubernetes.pod.namespace"
#define LABEL_POD_UID "io.kubernetes.pod.uid"
#define LABEL_CONTAINER_NAME "io.kubernetes.container.name"
#define ANNOTATION_HASH "io.kubernetes.container.hash"
#define ANNOTATION_RESTART_COUNT "io.kubernetes.container.restartCount"
#define ANNOTATION_TERMINATION_PATH "io.kubernetes.container.terminationMessagePath"
#define ANNOTATION_TERMINATION_POLICY "io.kubernetes.container.terminationMessagePolicy"
#define ANNOTATION_PRE_STOP "io.kubernetes.container.preStopHandler"
#define ANNOTATION_PORTS "io.kubernetes.container.ports"
#define ANNOTATION_DELETION_GRACE "io.kubernetes.pod.deletionGracePeriod"
#define ANNOTATION_TERMINATION_GRACE "io.kubernetes.pod.terminationGracePeriod"

struct name_value {
	char *name;
	char *value;
};
struct name_values {
	struct name_value *items;
	size_t n_items;
};
void name_values_add(struct arena *arena, struct name_values *list, const char *name, const char *value);
/* NULL if absent. */
const char *name_values_get(const struct name_values *list, const char *name);
/* Puts or replaces. */
void name_values_set(struct arena *arena, struct name_values *list, const char *name, const char *value);

/* What changes this hash makes the kubelet restart the container: its name and image. */
uint64_t container_hash(const CoreV1Container *c);
struct name_values sandbox_labels(struct arena *arena, const struct pod *pod);
struct name_values container_labels(struct arena *arena, const struct pod *pod, const CoreV1Container *c);
struct name_values container_annotations(
	struct arena *arena, const struct pod *pod, const CoreV1Container *c, int32_t restart_count);

/* DIR/NAMESPACE_NAME_UID */
char *pod_logs_dir(struct arena *arena, const char *logs_dir, const char *namespace, const char *name, const char *uid);
/* The container's part under it, and the file's name below that: CONTAINER/0.log */
char *container_log_path(struct arena *arena, const char *container, int32_t restart_count);
/* One more than the highest restart count that a log file in the directory is named for; 0 if there is none. */
int32_t restart_count_from_logs(const char *dir);
/* /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, within the bounds of a file name. */
char *legacy_log_link(
	struct arena *arena, const char *container_id, const char *container, const char *pod, const char *namespace);

#endif
