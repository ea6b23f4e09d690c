/*
 * Probes: liveness, readiness and startup, each with a schedule of its own.
 *
 * prober_add_pod() starts what the pod's containers ask for; results are kept by container id and asked for when a
 * pod's actions and its status are computed. A result that changes makes the pod sync at once.
 *
 * Threads: one keeps the schedule, a bounded pool runs the probes; all functions may be called from any thread.
 */
#ifndef KUBELET_PROBE_PROBE_H
#define KUBELET_PROBE_PROBE_H

#include "base/map.h"
#include "kubelet/kubelet.h"
#include "kubelet/runtime/actions.h"

struct prober;

enum probe_type { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP, PROBE_N_TYPES };

struct prober *prober_new(struct kubelet *k);
/* Stops the schedule and waits for probes that run. */
void prober_free(struct prober *p);
void prober_add_pod(struct prober *p, const struct pod *pod);
void prober_remove_pod(struct prober *p, const char *uid);
/* A pod that is ending is asked no more whether it lives. */
void prober_stop_liveness(struct prober *p, const char *uid);
/* Fills in `started` and `ready` of every container status. */
void prober_fill_status(struct prober *p, const struct pod *pod, CoreV1PodStatus *status);
/* Removes the probes of pods that are not in the set. */
void prober_keep_only(struct prober *p, const struct strmap *uids);
struct probe_results prober_results(struct prober *p);

/* --- probe/run.c: one attempt --- */

enum probe_outcome { PROBE_OUTCOME_SUCCESS, PROBE_OUTCOME_FAILURE, PROBE_OUTCOME_WARNING, PROBE_OUTCOME_UNKNOWN };

/* Runs once. *ret_output (arena): what it said. Error: it could not be run at all. */
struct status *probe_run(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const CoreV1Probe *probe, const char *container_id, const char *pod_ip, enum probe_outcome *ret_outcome,
	char **ret_output) MUST_USE;

/* --- probe/http.c: what probes and hooks share --- */

struct http_get {
	const char *host;
	uint16_t port;
	const char *path;
	bool tls; /* unverified */
	CoreV1HTTPHeader *const *headers;
	size_t n_headers;
	const char *user_agent;
	int64_t timeout_ms;
};
/* GET, following redirects on the same host. *ret_body: at most 10 KiB. Error: no answer. */
struct status *http_get(
	struct arena *arena, const struct http_get *get, int *ret_code, char **ret_body, bool *ret_elsewhere) MUST_USE;
/* A port by number or by the name that the container gives it. */
struct status *container_port(const CoreV1Container *c, const IntstrIntOrString *port, uint16_t *ret) MUST_USE;

#endif
