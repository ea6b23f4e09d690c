/*
 * Pod lifecycle events by relisting: once a second the runtime's list is compared with what is known; of each pod that
 * changed the full status is read into a cache, and its worker is kicked. What the kubelet itself starts or ends it
 * looks at at once, as it would if the runtime told of it (CRI's container events, which containerd 1.6 does not send).
 *
 * Threads: one relists; the questions may be asked from any.
 */
#ifndef KUBELET_POD_PLEG_H
#define KUBELET_POD_PLEG_H

#include "kubelet/kubelet.h"
#include "kubelet/runtime/query.h"

struct pleg;

struct pleg *pleg_new(struct kubelet *k);
void pleg_start(struct pleg *pleg);
/* Stops and waits for the thread. */
void pleg_free(struct pleg *pleg);
/*
 * The status of a pod, at least as new as newer_than (monotonic ms; 0: any): waits for a relist if the cache is older.
 * The caller owns the reference. Error: the runtime's last one.
 */
struct status *pleg_pod_status(
	struct pleg *pleg, const char *uid, int64_t newer_than, struct pod_status **ret) MUST_USE;
/* Reads one pod now, and kicks its worker if other things run than were known to: for who has just changed what runs of
 * it, and need not wait for the list. */
void pleg_look(struct pleg *pleg, const char *uid, const char *name, const char *namespace);
/* Unhealthy when no relist has ended for three minutes. */
struct status *pleg_healthy(struct pleg *pleg) MUST_USE;
/* A copy of the last list, in the arena. */
void pleg_runtime_pods(struct pleg *pleg, struct arena *arena, struct runtime_pods *ret);

#endif
