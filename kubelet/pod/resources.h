/*
 * Requests, limits and the quality of service that follows from them; and what cgroups and OOM scores follow from that.
 * Rules: pkg/apis/core/v1/helper/qos, pkg/kubelet/qos, pkg/kubelet/cm of the original.
 */
#ifndef KUBELET_POD_RESOURCES_H
#define KUBELET_POD_RESOURCES_H

#include "kubelet/pod/pod.h"

#define CPU_MIN_SHARES 2
#define CPU_MAX_SHARES 262144
#define CPU_MIN_QUOTA_US 1000
#define CPU_MIN_LIMIT_MILLI 10 /* what the least quota is at the usual period */
#define OOM_SCORE_GUARANTEED (-997)
#define OOM_SCORE_BEST_EFFORT 1000

enum pod_qos { QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT };

/* The amount of a resource in a list: thousandths for CPU (milli), whole units otherwise; false if it is not listed. */
bool resource_milli(MapQuantityEntry *const *list, size_t n, const char *name, int64_t *ret);
bool resource_value(MapQuantityEntry *const *list, size_t n, const char *name, int64_t *ret);

/* What of a container can be resized while it runs; 0: not given. */
struct resizable {
	int64_t cpu_request, cpu_limit; /* thousandths */
	int64_t memory_request, memory_limit;
};
/* Where to ask what the runtime was told last; the answer lives in the arena, NULL if it is not known. of NULL: never.
 */
struct actuated_resources {
	CoreV1ResourceRequirements *(*of)(void *data, struct arena *arena, const char *uid, const char *container);
	void *data;
};
/* NULL is none of any. */
struct resizable resizable_of(const CoreV1ResourceRequirements *r);
bool resizable_equal(const struct resizable *a, const struct resizable *b);
CoreV1ResourceRequirements *resizable_message(struct arena *arena, const struct resizable *r);

enum pod_qos pod_qos(const struct pod *pod);
const char *pod_qos_name(enum pod_qos qos);

int64_t cpu_shares_of_milli(int64_t milli);
/* Of a limit in thousandths and a period in microseconds; 0: no quota. */
int64_t cpu_quota_of_milli(int64_t milli, int64_t period_us);

/* Of the pod as a whole: what it says of itself, else its containers', the maximum of init containers considered;
 * overhead added. */
int64_t pod_request_cpu_milli(const struct pod *pod);
int64_t pod_request_memory(const struct pod *pod);
int64_t pod_request_value(const struct pod *pod, const char *resource);
/* The same of limits; *ret_all: the pod, or every container, has one. */
int64_t pod_limit_cpu_milli(const struct pod *pod, bool *ret_all);
int64_t pod_limit_memory(const struct pod *pod, bool *ret_all);
/* False if nobody names the resource. */
bool pod_limit_value(const struct pod *pod, const char *resource, int64_t *ret);
/* A container's own limit, or the pod's where it has none. */
int64_t container_limit_cpu_milli(const struct pod *pod, const CoreV1Container *c);
int64_t container_limit_memory(const struct pod *pod, const CoreV1Container *c);

int64_t container_oom_score(const struct pod *pod, const CoreV1Container *c, int64_t memory_capacity);

#endif
