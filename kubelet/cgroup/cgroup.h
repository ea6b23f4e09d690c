/*
 * Control groups of pods with the cgroupfs driver: ROOT/kubepods/{burstable,besteffort}/podUID, version 1 and 2.
 *
 * The file trees are parameters, so that tests run over a directory of their own.
 * Threads: any; one lock.
 */
#ifndef KUBELET_CGROUP_CGROUP_H
#define KUBELET_CGROUP_CGROUP_H

#include "base/status.h"
#include "kubelet/pod/pod.h"
#include "kubelet/pod/resources.h"

struct cgroups;

struct cgroups_config {
	const char *mount;   /* NULL: /sys/fs/cgroup */
	const char *root;    /* the parent of kubepods: "/" or "/mine" */
	bool enabled;	     /* cgroupsPerQOS; otherwise pods live directly in root */
	bool cpu_quota;	     /* enforce CPU limits */
	int64_t period_us;   /* of the quota */
	int64_t pids_limit;  /* of a pod; <= 0: none */
	bool systemd_driver; /* names slices, and leaves making them to the runtime */
};

struct status *cgroups_new(const struct cgroups_config *config, struct cgroups **ret) MUST_USE;
void cgroups_free(struct cgroups *c);
DEFINE_CLEANUP(struct cgroups *, cgroups_free)
bool cgroups_v2(const struct cgroups *c);
/* Makes kubepods and its two tiers; the CPU and memory that pods may use together (0: no limit). */
struct status *cgroups_start(struct cgroups *c, int64_t cpu_milli, int64_t memory_bytes) MUST_USE;
/* What the runtime is told as the parent of a pod's containers. */
char *cgroups_pod_parent(struct arena *arena, const struct cgroups *c, const struct pod *pod);
bool cgroups_pod_exists(struct cgroups *c, const struct pod *pod);
struct status *cgroups_pod_create(struct cgroups *c, const struct pod *pod) MUST_USE;

/* What a pod as a whole may use. */
struct cgroup_amounts {
	int64_t cpu_shares;
	int64_t cpu_quota; /* microseconds a period; CGROUP_UNLIMITED */
	int64_t memory;	   /* bytes; CGROUP_UNLIMITED */
};
#define CGROUP_UNLIMITED INT64_MAX
/* Whether the kubelet makes the groups itself, and so can change them; otherwise the runtime does. */
bool cgroups_managed(const struct cgroups *c);
/* What the pod's group has. */
struct status *cgroups_pod_read(struct cgroups *c, const struct pod *pod, struct cgroup_amounts *ret) MUST_USE;
/* What it ought to have. What the pod does not limit is left as in current. */
struct cgroup_amounts cgroups_pod_wanted(
	const struct cgroups *c, const struct pod *pod, const struct cgroup_amounts *current);
/* Sets one of them; a limit of CGROUP_UNLIMITED is left alone. */
struct status *cgroups_pod_set_shares(struct cgroups *c, const struct pod *pod, int64_t shares) MUST_USE;
struct status *cgroups_pod_set_quota(struct cgroups *c, const struct pod *pod, int64_t quota) MUST_USE;
struct status *cgroups_pod_set_memory(struct cgroups *c, const struct pod *pod, int64_t bytes) MUST_USE;
/* Bytes of memory in use by the pod, what the kernel could take back included. */
struct status *cgroups_pod_memory_usage(struct cgroups *c, const struct pod *pod, int64_t *ret) MUST_USE;

/* How many processes run in it. */
int64_t cgroups_pod_processes(struct cgroups *c, const struct pod *pod);

/* Kills what still runs in a pod's group, then removes it; wherever among the tiers it is. */
struct status *cgroups_pod_destroy(struct cgroups *c, const char *uid) MUST_USE;
/* The uids of the pods that have a group. */
struct status *cgroups_pod_uids(struct cgroups *c, struct arena *arena, char ***ret_uids, size_t *ret_n) MUST_USE;
/* The share of the burstable tier: the requests of the pods in it. */
struct status *cgroups_update_tiers(struct cgroups *c, int64_t burstable_cpu_milli) MUST_USE;

/* The processes that a cgroup.procs names. What cannot be killed from here (0: of another namespace; 1) is left out. */
size_t cgroup_pids(struct arena *arena, const char *text, pid_t **ret_pids);

/* Weight of version 2 (1..10000) out of shares of version 1 (2..262144). */
int64_t cgroup_weight_of_shares(int64_t shares);

#endif
