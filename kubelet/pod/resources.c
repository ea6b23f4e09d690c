#include "kubelet/pod/resources.h"

#include "api/quantity.h"
#include "base/str.h"

static const ResourceQuantity *find(MapQuantityEntry *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->key, name))
			return list[i]->value;
	return NULL;
}

bool resource_milli(MapQuantityEntry *const *list, size_t n, const char *name, int64_t *ret)
{
	const ResourceQuantity *q = find(list, n, name);
	*ret = q ? quantity_msg_milli(q) : 0;
	return q != NULL;
}

bool resource_value(MapQuantityEntry *const *list, size_t n, const char *name, int64_t *ret)
{
	const ResourceQuantity *q = find(list, n, name);
	*ret = q ? quantity_msg_value(q) : 0;
	return q != NULL;
}

static int64_t request(const CoreV1Container *c, const char *name, bool milli)
{
	int64_t v = 0;
	if (c->resources)
		(milli ? resource_milli : resource_value)(c->resources->requests, c->resources->n_requests, name, &v);
	return v;
}

static int64_t limit(const CoreV1Container *c, const char *name, bool milli)
{
	int64_t v = 0;
	if (c->resources)
		(milli ? resource_milli : resource_value)(c->resources->limits, c->resources->n_limits, name, &v);
	return v;
}

struct qos_sums {
	int64_t cpu_requests, memory_requests, cpu_limits, memory_limits;
	bool guaranteed; /* each container has limits for both */
};

static void add_qos(struct qos_sums *sums, const CoreV1Container *c)
{
	sums->cpu_requests += request(c, "cpu", true);
	sums->memory_requests += request(c, "memory", false);
	sums->cpu_limits += limit(c, "cpu", true);
	sums->memory_limits += limit(c, "memory", false);
	if (!limit(c, "cpu", true) || !limit(c, "memory", false))
		sums->guaranteed = false;
}

enum pod_qos pod_qos(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	struct qos_sums s = {.guaranteed = true};
	for (size_t i = 0; i < spec->n_containers; i++)
		add_qos(&s, spec->containers[i]);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		add_qos(&s, spec->init_containers[i]);
	if (!s.cpu_requests && !s.memory_requests && !s.cpu_limits && !s.memory_limits)
		return QOS_BEST_EFFORT;
	if (s.guaranteed && s.cpu_requests == s.cpu_limits && s.memory_requests == s.memory_limits)
		return QOS_GUARANTEED;
	return QOS_BURSTABLE;
}

const char *pod_qos_name(enum pod_qos qos)
{
	static const char *const names[] = {"Guaranteed", "Burstable", "BestEffort"};
	return names[qos];
}

int64_t cpu_shares_of_milli(int64_t milli)
{
	int64_t shares = milli * 1024 / 1000;
	if (shares < CPU_MIN_SHARES)
		return CPU_MIN_SHARES;
	return shares > CPU_MAX_SHARES ? CPU_MAX_SHARES : shares;
}

int64_t cpu_quota_of_milli(int64_t milli, int64_t period_us)
{
	if (!milli)
		return 0;
	int64_t quota = milli * period_us / 1000;
	return quota < CPU_MIN_QUOTA_US ? CPU_MIN_QUOTA_US : quota;
}

/*
 * Ordinary containers and sidecars run together; an init container runs with the sidecars started before it. The pod
 * needs the most that is needed at any time.
 */
static int64_t pod_sum(
	const struct pod *pod, const char *name, bool milli, int64_t (*of)(const CoreV1Container *, const char *, bool))
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	int64_t together = 0, sidecars = 0, init_peak = 0;
	for (size_t i = 0; i < spec->n_containers; i++)
		together += of(spec->containers[i], name, milli);
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		int64_t v = of(spec->init_containers[i], name, milli);
		if (container_restartable_init(spec->init_containers[i])) {
			together += v;
			sidecars += v;
			v = sidecars;
		} else {
			v += sidecars;
		}
		if (v > init_peak)
			init_peak = v;
	}
	int64_t sum = together > init_peak ? together : init_peak, overhead;
	(milli ? resource_milli : resource_value)(spec->overhead, spec->n_overhead, name, &overhead);
	return sum + overhead;
}

int64_t pod_request_cpu_milli(const struct pod *pod)
{
	return pod_sum(pod, "cpu", true, request);
}

int64_t pod_request_memory(const struct pod *pod)
{
	return pod_request_value(pod, "memory");
}

int64_t pod_request_value(const struct pod *pod, const char *resource)
{
	return pod_sum(pod, resource, false, request);
}

static bool all_limited(const struct pod *pod, const char *name, bool milli)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++)
		if (!limit(spec->containers[i], name, milli))
			return false;
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (!limit(spec->init_containers[i], name, milli))
			return false;
	return true;
}

int64_t pod_limit_cpu_milli(const struct pod *pod, bool *ret_all)
{
	*ret_all = all_limited(pod, "cpu", true);
	return pod_sum(pod, "cpu", true, limit);
}

int64_t pod_limit_memory(const struct pod *pod, bool *ret_all)
{
	*ret_all = all_limited(pod, "memory", false);
	return pod_sum(pod, "memory", false, limit);
}

static bool node_critical(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	return spec->has_priority && spec->priority >= 2000001000;
}

int64_t container_oom_score(const struct pod *pod, const CoreV1Container *c, int64_t memory_capacity)
{
	if (node_critical(pod))
		return OOM_SCORE_GUARANTEED;
	enum pod_qos qos = pod_qos(pod);
	if (qos == QOS_GUARANTEED)
		return OOM_SCORE_GUARANTEED;
	if (qos == QOS_BEST_EFFORT || memory_capacity <= 0)
		return OOM_SCORE_BEST_EFFORT;
	int64_t adjust = 1000 - 1000 * request(c, "memory", false) / memory_capacity;
	if (pod_has_init_container(pod, c->name) && container_restartable_init(c)) {
		int64_t least = INT64_MAX;
		const CoreV1PodSpec *spec = pod_spec(pod);
		for (size_t i = 0; i < spec->n_containers; i++) {
			int64_t v = request(spec->containers[i], "memory", false);
			least = v < least ? v : least;
		}
		int64_t regular = 1000 - 1000 * (least == INT64_MAX ? 0 : least) / memory_capacity;
		adjust = adjust < regular ? adjust : regular;
	}
	if (adjust < 1000 + OOM_SCORE_GUARANTEED)
		return 1000 + OOM_SCORE_GUARANTEED;
	return adjust == OOM_SCORE_BEST_EFFORT ? adjust - 1 : adjust;
}
