/*
 * Running pods: from a spec and what there is, to sandboxes and containers.
 *
 * runtime_sync_pod() does everything that pod_actions_compute() asks for; runtime_kill_pod() ends it. Both block and
 * run on the pod's own worker thread. What went wrong with a container is told in the result, in the words that the
 * container's waiting state shows.
 */
#ifndef KUBELET_RUNTIME_RUNTIME_H
#define KUBELET_RUNTIME_RUNTIME_H

#include "kubelet/kubelet.h"
#include "kubelet/runtime/actions.h"
#include "kubelet/runtime/names.h"
#include "kubelet/runtime/types.h"

/* What happened to one container in a sync: reason NULL means that it started. */
struct sync_result {
	const char *container; /* NULL: the pod as a whole */
	const char *reason;    /* CrashLoopBackOff, ErrImagePull, CreateContainerConfigError, … */
	const char *message;
};
struct sync_results {
	struct sync_result *items;
	size_t n_items;
	bool changed;		  /* something of the pod was started or ended */
	bool resized;		  /* the runtime was told other amounts for a running container */
	const char *resize_error; /* why it was not; NULL: all is well */
};

/* The results and the error that sums them up live in the arena and with the caller. */
struct status *runtime_sync_pod(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct pod_status *status, struct sync_results *ret) MUST_USE;

/* Ends all running containers at the same time, then the sandboxes. grace_override NULL: the pod's own. */
struct status *runtime_kill_pod(struct kubelet *k, const struct pod *pod, const struct pod_status *status,
	const int64_t *grace_override) MUST_USE;
/* The same for a pod of which only the runtime knows. */
struct status *runtime_kill_runtime_pod(
	struct kubelet *k, const struct pod_status *status, const int64_t *grace_override) MUST_USE;
struct status *runtime_kill_container(struct kubelet *k, const struct pod *pod, const struct container_status *status,
	const char *message, enum kill_reason reason, const int64_t *grace_override) MUST_USE;

/* --- parts of the above, each in its file --- */

/* sandbox.c */
struct status *sandbox_config(struct kubelet *k, struct arena *arena, const struct pod *pod, uint32_t attempt,
	CriPodSandboxConfig **ret) MUST_USE;
/* hostname.c: the pod's host name and, with a subdomain, its domain ("" without). */
struct status *pod_hostname(
	struct kubelet *k, struct arena *arena, const struct pod *pod, char **ret_name, char **ret_domain) MUST_USE;

/* container.c */
struct container_start {
	const CoreV1Container *container;
	const char *target_id; /* of an ephemeral container that shares another's processes; NULL */
	const char *sandbox_id;
	CriPodSandboxConfig *sandbox;
	const char *const *pod_ips;
	size_t n_pod_ips;
};
/* NULL reason on success. Strings live in the arena. */
struct sync_result container_start(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct pod_status *status, const struct container_start *start);

/* mounts.c */
struct status *container_mounts(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const struct name_values *env, const char *const *pod_ips, size_t n_pod_ips, CriMount ***ret_mounts,
	size_t *ret_n) MUST_USE;

/* security.c; image_user: what the image runs as, a uid or (uid absent) a name, "" for root */
struct status *container_security(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, bool has_image_uid, int64_t image_uid, const char *image_user,
	CriLinuxContainerSecurityContext **ret) MUST_USE;
CriNamespaceOption *pod_namespaces(struct arena *arena, const struct pod *pod);
CriLinuxContainerResources *container_resources(
	struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c);

/* dns.c */
CriDNSConfig *pod_dns(struct kubelet *k, struct arena *arena, const struct pod *pod);

/* hosts.c: what /etc/hosts of a pod holds */
char *hosts_file_text(struct arena *arena, const CoreV1PodSpec *spec, const char *const *ips, size_t n_ips,
	const char *hostname, const char *domain, const char *node_hosts);

/* hook.c: postStart and preStop. timeout_ms bounds it, and the end of the worker's step (pod_workers_cancel). The
 * message says what went wrong. */
struct status *hook_run(struct kubelet *k, const struct pod *pod, const CoreV1Container *c, const char *container_id,
	const CoreV1LifecycleHandler *handler, int64_t timeout_ms) MUST_USE;

#endif
