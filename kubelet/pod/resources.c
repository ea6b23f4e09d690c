#include "kubelet/pod/resources.h"

#include "api/meta.h"
#include "api/qos.h"
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

struct resizable resizable_of(const CoreV1ResourceRequirements *r)
{
	struct resizable amounts = {0};
	if (!r)
		return amounts;
	resource_milli(r->requests, r->n_requests, "cpu", &amounts.cpu_request);
	resource_milli(r->limits, r->n_limits, "cpu", &amounts.cpu_limit);
	resource_value(r->requests, r->n_requests, "memory", &amounts.memory_request);
	resource_value(r->limits, r->n_limits, "memory", &amounts.memory_limit);
	return amounts;
}

bool resizable_equal(const struct resizable *a, const struct resizable *b)
{
	return a->cpu_request == b->cpu_request && a->cpu_limit == b->cpu_limit &&
	       a->memory_request == b->memory_request && a->memory_limit == b->memory_limit;
}

CoreV1ResourceRequirements *resizable_message(struct arena *arena, const struct resizable *r)
{
	CoreV1ResourceRequirements *m = API_NEW(arena, CoreV1ResourceRequirements);
	struct quantity cpu_request = quantity_from_milli(r->cpu_request, QUANTITY_DECIMAL_SI);
	struct quantity cpu_limit = quantity_from_milli(r->cpu_limit, QUANTITY_DECIMAL_SI);
	struct quantity memory_request = quantity_from_int(r->memory_request, QUANTITY_BINARY_SI);
	struct quantity memory_limit = quantity_from_int(r->memory_limit, QUANTITY_BINARY_SI);
	quantity_map_set(arena, &m->requests, &m->n_requests, "cpu", quantity_format(arena, &cpu_request));
	quantity_map_set(arena, &m->requests, &m->n_requests, "memory", quantity_format(arena, &memory_request));
	quantity_map_set(arena, &m->limits, &m->n_limits, "cpu", quantity_format(arena, &cpu_limit));
	quantity_map_set(arena, &m->limits, &m->n_limits, "memory", quantity_format(arena, &memory_limit));
	return m;
}

enum pod_qos pod_qos(const struct pod *pod)
{
	const char *class = pod_qos_class(pod_spec(pod));
	for (int qos = QOS_GUARANTEED; qos < QOS_BEST_EFFORT; qos++)
		if (str_eq(class, pod_qos_name((enum pod_qos)qos)))
			return (enum pod_qos)qos;
	return QOS_BEST_EFFORT;
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

/* What the pod as a whole is given, which for these resources wins over its containers. */
static bool pod_level(const struct pod *pod, const char *name, bool milli, bool limits, int64_t *ret)
{
	const CoreV1ResourceRequirements *r = pod_spec(pod)->resources;
	if (!r || !(str_eq(name, "cpu") || str_eq(name, "memory") || str_starts_with(name, "hugepages-")))
		return false;
	return limits ? (milli ? resource_milli : resource_value)(r->limits, r->n_limits, name, ret)
		      : (milli ? resource_milli : resource_value)(r->requests, r->n_requests, name, ret);
}

typedef int64_t amount_of(const CoreV1Container *c, const char *name, bool milli);

/*
 * Ordinary containers and sidecars run together; an init container runs with the sidecars started before it. The pod
 * needs the most that is needed at any time. *ret_all: there is always some.
 */
static int64_t containers_sum(const struct pod *pod, const char *name, bool milli, amount_of *of, bool *ret_all)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	int64_t together = 0, sidecars = 0, init_peak = 0;
	*ret_all = true;
	for (size_t i = 0; i < spec->n_containers; i++) {
		int64_t v = of(spec->containers[i], name, milli);
		together += v;
		*ret_all &= v != 0;
	}
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		int64_t v = of(spec->init_containers[i], name, milli);
		if (container_restartable_init(spec->init_containers[i])) {
			together += v;
			sidecars += v;
			v = sidecars;
		} else {
			v += sidecars;
		}
		*ret_all &= v != 0;
		if (v > init_peak)
			init_peak = v;
	}
	return together > init_peak ? together : init_peak;
}

static int64_t pod_sum(const struct pod *pod, const char *name, bool milli, bool limits, bool *ret_all)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	int64_t overhead, whole;
	int64_t sum = containers_sum(pod, name, milli, limits ? limit : request, ret_all);
	if (pod_level(pod, name, milli, limits, &whole)) {
		sum = whole;
		*ret_all |= whole != 0;
	}
	(milli ? resource_milli : resource_value)(spec->overhead, spec->n_overhead, name, &overhead);
	return limits && !sum ? 0 : sum + overhead;
}

int64_t pod_request_cpu_milli(const struct pod *pod)
{
	bool all;
	return pod_sum(pod, "cpu", true, false, &all);
}

int64_t pod_request_memory(const struct pod *pod)
{
	return pod_request_value(pod, "memory");
}

int64_t pod_request_value(const struct pod *pod, const char *resource)
{
	bool all;
	return pod_sum(pod, resource, false, false, &all);
}

int64_t pod_limit_cpu_milli(const struct pod *pod, bool *ret_all)
{
	return pod_sum(pod, "cpu", true, true, ret_all);
}

int64_t pod_limit_memory(const struct pod *pod, bool *ret_all)
{
	return pod_sum(pod, "memory", false, true, ret_all);
}

static bool names_limit(const CoreV1Container *c, const char *resource)
{
	int64_t v;
	return c->resources && resource_value(c->resources->limits, c->resources->n_limits, resource, &v);
}

bool pod_limit_value(const struct pod *pod, const char *resource, int64_t *ret)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	bool all, any = pod_level(pod, resource, false, true, ret);
	for (size_t i = 0; i < spec->n_containers; i++)
		any |= names_limit(spec->containers[i], resource);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		any |= names_limit(spec->init_containers[i], resource);
	*ret = pod_sum(pod, resource, false, true, &all);
	return any;
}

static int64_t container_limit(const struct pod *pod, const CoreV1Container *c, const char *name, bool milli)
{
	int64_t v = limit(c, name, milli);
	if (!v)
		pod_level(pod, name, milli, true, &v);
	return v;
}

int64_t container_limit_cpu_milli(const struct pod *pod, const CoreV1Container *c)
{
	return container_limit(pod, c, "cpu", true);
}

int64_t container_limit_memory(const struct pod *pod, const CoreV1Container *c)
{
	return container_limit(pod, c, "memory", false);
}

static bool node_critical(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	return spec->has_priority && spec->priority >= 2000001000;
}

/* A container's share of the memory that the pod asks for beyond what its containers do. */
static int64_t unassigned_memory(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	int64_t whole;
	bool all;
	if (!pod_level(pod, "memory", false, false, &whole) || !whole)
		return 0;
	return (whole - containers_sum(pod, "memory", false, request, &all)) /
	       (int64_t)(spec->n_containers + spec->n_init_containers);
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
	int64_t share = unassigned_memory(pod);
	int64_t adjust = 1000 - 1000 * (request(c, "memory", false) + share) / memory_capacity;
	if (pod_has_init_container(pod, c->name) && container_restartable_init(c)) {
		int64_t least = INT64_MAX;
		const CoreV1PodSpec *spec = pod_spec(pod);
		for (size_t i = 0; i < spec->n_containers; i++) {
			int64_t v = request(spec->containers[i], "memory", false);
			least = v < least ? v : least;
		}
		int64_t regular = 1000 - 1000 * ((least == INT64_MAX ? 0 : least) + share) / memory_capacity;
		adjust = adjust < regular ? adjust : regular;
	}
	if (adjust < 1000 + OOM_SCORE_GUARANTEED)
		return 1000 + OOM_SCORE_GUARANTEED;
	return adjust == OOM_SCORE_BEST_EFFORT ? adjust - 1 : adjust;
}
