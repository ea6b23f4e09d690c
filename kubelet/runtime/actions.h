/*
 * What has to be done so that the runtime's state of a pod becomes the wanted one: a pure function of the spec, the
 * status and the probe results (the original's computePodActions).
 */
#ifndef KUBELET_RUNTIME_ACTIONS_H
#define KUBELET_RUNTIME_ACTIONS_H

#include "kubelet/pod/resources.h"
#include "kubelet/runtime/types.h"

enum probe_result { PROBE_NONE, PROBE_SUCCESS, PROBE_FAILURE, PROBE_UNKNOWN };
enum kill_reason { KILL_UNKNOWN, KILL_STARTUP_PROBE, KILL_LIVENESS_PROBE, KILL_POST_START_FAILED };

/* The last liveness or startup result of a container; PROBE_NONE if there is none yet. */
struct probe_results {
	enum probe_result (*liveness)(void *data, const char *container_id);
	enum probe_result (*startup)(void *data, const char *container_id);
	void *data;
};

struct container_kill {
	const struct container_status *status;
	const CoreV1Container *container;
	const char *message;
	enum kill_reason reason;
};

/* A running container to be given other amounts. */
struct container_update {
	const CoreV1Container *container;
	const char *id;
	struct resizable wanted;
	struct resizable *current; /* shared by the updates of one container */
};
enum resize_kind { RESIZE_MEMORY, RESIZE_CPU, N_RESIZE_KINDS };

struct pod_actions {
	bool kill_pod;
	bool create_sandbox;
	uint32_t attempt;
	const char *sandbox_id; /* the one there is, or the one to replace; "" if none */
	size_t *init_to_start;	/* indexes into the spec's lists */
	size_t n_init_to_start;
	size_t *to_start;
	size_t n_to_start;
	size_t *ephemeral_to_start;
	size_t n_ephemeral_to_start;
	struct container_kill *to_kill;
	size_t n_to_kill;
	/* Of each kind, those that shrink before those that grow. */
	struct container_update *to_update[N_RESIZE_KINDS];
	size_t n_to_update[N_RESIZE_KINDS];
	bool update_pod; /* a container that is started anew for its resize changes what the pod as a whole has */
};

/* The answer lives in the arena and points into pod and status. */
void pod_actions_compute(struct arena *arena, const struct pod *pod, const struct pod_status *status,
	const struct probe_results *results, const struct actuated_resources *actuated, struct pod_actions *ret);
/* Whether the pod needs a new sandbox, the attempt number it would get, and the id of the present one ("" to leave it).
 */
bool pod_sandbox_changed(
	const struct pod *pod, const struct pod_status *status, uint32_t *ret_attempt, const char **ret_id);
/* By restart policy and the newest status of the container; never once the pod is being deleted. */
bool container_should_restart(const struct pod *pod, const CoreV1Container *c, const struct pod_status *status);

#endif
