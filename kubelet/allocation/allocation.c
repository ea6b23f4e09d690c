#include "kubelet/allocation/allocation.h"

#include <pthread.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/admit/admit.h"
#include "kubelet/allocation/state.h"
#include "kubelet/config/config.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/resources.h"
#include "kubelet/pod/workers.h"

struct allocation {
	struct kubelet *k;
	pthread_mutex_t lock; /* of decisions; guards pending */
	char **pending;	      /* uids */
	size_t n_pending;
	struct resource_state *allotted; /* each has a lock of its own */
	struct resource_state *actuated;
	struct resize_conditions *conditions;
};

static struct status *open_state(struct kubelet *k, const char *name, struct resource_state **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return resource_state_new(arena_printf(arena, "%s/%s", k->settings->root_dir, name), ret);
}

struct status *allocation_new(struct kubelet *k, struct allocation **ret)
{
	CLEANUP(resource_state_freep) struct resource_state *allotted = NULL;
	CLEANUP(resource_state_freep) struct resource_state *actuated = NULL;
	TRY(open_state(k, "allocated_pods_state", &allotted));
	TRY(open_state(k, "actuated_pods_state", &actuated));
	struct allocation *a = mem_zalloc(sizeof(*a));
	a->k = k;
	pthread_mutex_init(&a->lock, NULL);
	a->allotted = STEAL(allotted);
	a->actuated = STEAL(actuated);
	a->conditions = resize_conditions_new(k->clock);
	*ret = a;
	return NULL;
}

static void pending_clear(struct allocation *a)
{
	for (size_t i = 0; i < a->n_pending; i++)
		free(a->pending[i]);
	free(a->pending);
	a->pending = NULL;
	a->n_pending = 0;
}

void allocation_free(struct allocation *a)
{
	pending_clear(a);
	resource_state_free(a->allotted);
	resource_state_free(a->actuated);
	resize_conditions_free(a->conditions);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

struct resize_conditions *allocation_conditions(struct allocation *a)
{
	return a->conditions;
}

/* --- the pod as it was given --- */

static bool resources_equal(const CoreV1ResourceRequirements *a, const CoreV1ResourceRequirements *b)
{
	if (!a || !b)
		return api_is_empty(a ? a : b);
	return api_equal(a, b);
}

/* The container's resources as given, if these are not those of the spec; else NULL. */
static CoreV1ResourceRequirements *given(
	struct allocation *a, struct arena *arena, const struct pod *pod, const CoreV1Container *c)
{
	CoreV1ResourceRequirements *r = resource_state_get(a->allotted, arena, pod->uid, c->name);
	return r && !resources_equal(r, c->resources) ? r : NULL;
}

static const CoreV1Container *nth_container(const CoreV1PodSpec *spec, size_t i)
{
	return i < spec->n_containers ? spec->containers[i] : spec->init_containers[i - spec->n_containers];
}

bool allocation_differs(struct allocation *a, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers + spec->n_init_containers; i++)
		if (given(a, arena, pod, nth_container(spec, i)))
			return true;
	return false;
}

struct pod *allocation_apply(struct allocation *a, const struct pod *pod)
{
	if (!allocation_differs(a, pod))
		return pod_ref(pod);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *api = api_copy_msg(arena, pod->api);
	for (size_t i = 0; i < api->spec->n_containers + api->spec->n_init_containers; i++) {
		CoreV1Container *c = (CoreV1Container *)nth_container(api->spec, i);
		CoreV1ResourceRequirements *r = given(a, arena, pod, c);
		if (r)
			c->resources = r;
	}
	return pod_new(api);
}

static void raise_to(struct arena *arena, CoreV1ResourceRequirements *r, const struct resizable *told)
{
	struct resizable has = resizable_of(r);
	struct quantity cpu = quantity_from_milli(told->cpu_request, QUANTITY_DECIMAL_SI);
	struct quantity memory = quantity_from_int(told->memory_request, QUANTITY_BINARY_SI);
	if (told->cpu_request > has.cpu_request)
		quantity_map_set(arena, &r->requests, &r->n_requests, "cpu", quantity_format(arena, &cpu));
	if (told->memory_request > has.memory_request)
		quantity_map_set(arena, &r->requests, &r->n_requests, "memory", quantity_format(arena, &memory));
}

struct pod *allocation_held(struct allocation *a, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *allotted = allocation_apply(a, pod);
	if (!resize_in_progress(a->conditions, pod->uid))
		return STEAL(allotted);
	CoreV1Pod *api = api_copy_msg(arena, allotted->api);
	for (size_t i = 0; i < api->spec->n_containers + api->spec->n_init_containers; i++) {
		CoreV1Container *c = (CoreV1Container *)nth_container(api->spec, i);
		CoreV1ResourceRequirements *told = resource_state_get(a->actuated, arena, pod->uid, c->name);
		struct resizable amounts = resizable_of(told);
		if (!c->resources)
			c->resources = API_NEW(arena, CoreV1ResourceRequirements);
		raise_to(arena, c->resources, &amounts);
	}
	return pod_new(api);
}

/* --- admission --- */

bool allocation_known(struct allocation *a, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1PodSpec *spec = pod_spec(pod);
	return spec->n_containers && resource_state_get(a->allotted, arena, pod->uid, spec->containers[0]->name);
}

bool allocation_admit(
	struct allocation *a, struct arena *arena, const struct pod *pod, char ***ret_victims, size_t *ret_n)
{
	struct admit_decision decision;
	*ret_n = 0;
	if (pod_deleting(pod) || pod_terminal(pod))
		return true;
	pthread_mutex_lock(&a->lock);
	/* One that ran before a restart of the kubelet has what it was given then. */
	CLEANUP(pod_unrefp) struct pod *allotted = allocation_apply(a, pod);
	bool fits = admit_fits(a->k, arena, allotted, &decision);
	if (fits)
		log_status(resource_state_set_pod(a->allotted, allotted), "pod %s: resources", pod->ref);
	pthread_mutex_unlock(&a->lock);
	if (!fits)
		admit_reject(a->k, pod, decision.reason, decision.message);
	*ret_victims = decision.victims;
	*ret_n = decision.n_victims;
	return fits;
}

/* --- resizing --- */

/* A resize that this node could never grant, however empty; else NULL. */
static char *beyond_node(struct allocation *a, struct arena *arena, const struct pod *pod)
{
	int64_t cpu = node_unreserved(a->k->node, "cpu", true), memory = node_unreserved(a->k->node, "memory", false);
	int64_t cpu_wanted = pod_request_cpu_milli(pod), memory_wanted = pod_request_memory(pod);
	if (memory_wanted > memory)
		return arena_printf(arena, "Node didn't have enough capacity: memory, requested: %lld, capacity: %lld",
			(long long)memory_wanted, (long long)memory);
	if (cpu_wanted > cpu)
		return arena_printf(arena, "Node didn't have enough capacity: cpu, requested: %lld, capacity: %lld",
			(long long)cpu_wanted, (long long)cpu);
	return NULL;
}

/* Grants what the pod wants, or says in its conditions why not. Returns whether it was granted. Lock held. */
static bool try_resize(struct allocation *a, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	int64_t generation = pod->api->metadata->generation;
	struct admit_decision decision;
	if (!allocation_differs(a, pod)) {
		resize_pending_clear(a->conditions, pod->uid);
		return false;
	}
	const char *message =
		pod->is_static ? "In-place resize of static-pods is not supported" : beyond_node(a, arena, pod);
	if (message) {
		resize_pending_set(a->conditions, pod->uid, RESIZE_INFEASIBLE, message, generation);
		return false;
	}
	if (!admit_fits(a->k, arena, pod, &decision)) {
		resize_pending_set(a->conditions, pod->uid, RESIZE_DEFERRED, decision.message, generation);
		return false;
	}
	struct status *error = resource_state_set_pod(a->allotted, pod);
	if (error) {
		log_status(error, "pod %s: resize", pod->ref);
		return false;
	}
	resize_pending_clear(a->conditions, pod->uid);
	/* What an earlier resize said is over. */
	resize_progress_clear(a->conditions, pod->uid);
	resize_progress_set(a->conditions, pod->uid, NULL, NULL, generation);
	return true;
}

static bool conditions_equal(CoreV1PodCondition *const *a, size_t n_a, CoreV1PodCondition *const *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!str_eq(a[i]->type, b[i]->type) || !str_eq(a[i]->reason, b[i]->reason) ||
			!str_eq(a[i]->message, b[i]->message) || a[i]->observed_generation != b[i]->observed_generation)
			return false;
	return n_a == n_b;
}

/* Returns whether it must be looked at again. Lock held. */
static bool retry_one(struct allocation *a, const char *uid)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_manager_get(a->k->pods, uid);
	if (!pod)
		return false;
	size_t n_before, n_after;
	CoreV1PodCondition **before = resize_conditions_get(a->conditions, arena, uid, &n_before);
	bool granted = try_resize(a, pod);
	CoreV1PodCondition **after = resize_conditions_get(a->conditions, arena, uid, &n_after);
	if (granted || !conditions_equal(before, n_before, after, n_after))
		pod_workers_update(a->k->workers, &(struct pod_update){.type = POD_UPDATE_SYNC, .pod = pod});
	/* Neither granted nor refused: put off, or it could not be written down. */
	return !granted && allocation_differs(a, pod) &&
	       !str_eq(resize_pending_reason(a->conditions, uid), RESIZE_INFEASIBLE);
}

static int64_t priority_of(const struct pod *pod)
{
	return pod_spec(pod)->has_priority ? pod_spec(pod)->priority : 0;
}

int pending_resize_order(const void *a, const void *b)
{
	const struct pending_resize *x = a, *y = b;
	if (x->increases != y->increases)
		return x->increases ? 1 : -1;
	int64_t px = priority_of(x->pod), py = priority_of(y->pod);
	if (px != py)
		return px > py ? -1 : 1;
	bool gx = pod_qos(x->pod) == QOS_GUARANTEED, gy = pod_qos(y->pod) == QOS_GUARANTEED;
	if (gx != gy)
		return gx ? -1 : 1;
	/* One that was never looked at comes last. */
	int64_t sx = x->since_s ? x->since_s : INT64_MAX, sy = y->since_s ? y->since_s : INT64_MAX;
	return (sx > sy) - (sx < sy);
}

static bool increases(struct allocation *a, const struct pod *pod)
{
	CLEANUP(pod_unrefp) struct pod *has = allocation_apply(a, pod);
	return pod_request_cpu_milli(pod) > pod_request_cpu_milli(has) ||
	       pod_request_memory(pod) > pod_request_memory(has);
}

/* Lock held. Those whose pods are gone are dropped. */
static void sort_pending(struct allocation *a)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct pending_resize *list = ARENA_ARRAY(arena, struct pending_resize, a->n_pending + 1);
	size_t n = 0;
	for (size_t i = 0; i < a->n_pending; i++) {
		struct pod *pod = pod_manager_get(a->k->pods, a->pending[i]);
		if (!pod)
			continue;
		list[n++] =
			(struct pending_resize){pod, increases(a, pod), resize_pending_since(a->conditions, pod->uid)};
	}
	if (n)
		qsort(list, n, sizeof(list[0]), pending_resize_order);
	pending_clear(a);
	a->pending = mem_calloc(n + 1, sizeof(a->pending[0]));
	for (size_t i = 0; i < n; i++) {
		a->pending[a->n_pending++] = mem_strdup(list[i].pod->uid);
		pod_unref((struct pod *)list[i].pod);
	}
}

static void push_pending(struct allocation *a, const char *uid)
{
	if (str_in_n(uid, a->pending, a->n_pending))
		return;
	a->pending = mem_realloc(a->pending, (a->n_pending + 1) * sizeof(a->pending[0]));
	a->pending[a->n_pending++] = mem_strdup(uid);
}

/* Lock held. Nothing is granted before all pods are known: some may already have what seems free. */
static void retry_all(struct allocation *a)
{
	if (!a->n_pending || !config_all_sources_seen(a->k->config))
		return;
	sort_pending(a);
	size_t n_left = 0;
	for (size_t i = 0; i < a->n_pending; i++) {
		if (retry_one(a, a->pending[i]))
			a->pending[n_left++] = a->pending[i];
		else
			free(a->pending[i]);
	}
	a->n_pending = n_left;
}

void allocation_retry(struct allocation *a)
{
	pthread_mutex_lock(&a->lock);
	retry_all(a);
	pthread_mutex_unlock(&a->lock);
}

void allocation_resize(struct allocation *a, const struct pod *pod)
{
	if (!allocation_differs(a, pod)) {
		resize_pending_clear(a->conditions, pod->uid);
		return;
	}
	pthread_mutex_lock(&a->lock);
	push_pending(a, pod->uid);
	retry_all(a);
	pthread_mutex_unlock(&a->lock);
}

void allocation_remove(struct allocation *a, const char *uid)
{
	resource_state_remove(a->allotted, uid);
	resource_state_remove(a->actuated, uid);
}

void allocation_keep_only(struct allocation *a, const struct strmap *uids)
{
	resource_state_keep_only(a->allotted, uids);
	resource_state_keep_only(a->actuated, uids);
	resize_conditions_keep_only(a->conditions, uids);
}

/* --- what the runtime was told --- */

static CoreV1ResourceRequirements *actuated_of(void *data, struct arena *arena, const char *uid, const char *container)
{
	const struct allocation *a = data;
	return resource_state_get(a->actuated, arena, uid, container);
}

struct actuated_resources allocation_actuated(struct allocation *a)
{
	return (struct actuated_resources){actuated_of, a};
}

struct status *allocation_set_actuated(
	struct allocation *a, const char *uid, const char *container, const CoreV1ResourceRequirements *resources)
{
	return resource_state_set(a->actuated, uid, container, resources);
}

static bool same_amounts(const CoreV1ResourceRequirements *a, const CoreV1ResourceRequirements *b)
{
	struct resizable x = resizable_of(a), y = resizable_of(b);
	return resizable_equal(&x, &y);
}

static bool can_resize(const struct pod *pod, size_t i)
{
	return i < pod_spec(pod)->n_containers || container_restartable_init(nth_container(pod_spec(pod), i));
}

bool pod_resize_wanted(const struct pod *before, const struct pod *after)
{
	const CoreV1PodSpec *spec = pod_spec(after);
	for (size_t i = 0; i < spec->n_containers + spec->n_init_containers; i++) {
		const CoreV1Container *c = nth_container(spec, i), *old = pod_container(before, c->name);
		if (can_resize(after, i) && old && !same_amounts(c->resources, old->resources))
			return true;
	}
	return false;
}

/* Whether a running container has been given what the runtime was not yet told. */
static bool in_progress(
	struct allocation *a, struct arena *arena, const struct pod *pod, const struct pod_status *status)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; !pod->is_static && i < spec->n_containers + spec->n_init_containers; i++) {
		const CoreV1Container *c = nth_container(spec, i);
		const struct container_status *s = pod_status_find(status, c->name);
		if (can_resize(pod, i) && s && s->state == CONTAINER_RUNNING &&
			!same_amounts(c->resources, resource_state_get(a->actuated, arena, pod->uid, c->name)))
			return true;
	}
	return false;
}

static void add_summary(struct strbuf *out, const char *key, CoreV1Container *const *containers, size_t n)
{
	if (!n)
		return;
	strbuf_printf(out, "%s\"%s\":[", out->len > 1 ? "," : "", key);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(out, i ? ",{\"name\":" : "{\"name\":");
		json_add_string(out, containers[i]->name, strlen(containers[i]->name), true);
		strbuf_adds(out, ",\"resources\":");
		if (containers[i]->resources)
			json_encode(out, containers[i]->resources, 0);
		else
			strbuf_adds(out, "{}");
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void allocation_check_progress(struct allocation *a, const struct pod *pod, const struct pod_status *status)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1PodSpec *spec = pod_spec(pod);
	if (in_progress(a, arena, pod, status)) {
		resize_progress_set(a->conditions, pod->uid, NULL, NULL, pod->api->metadata->generation);
		return;
	}
	if (!resize_progress_clear(a->conditions, pod->uid))
		return;
	CLEANUP(strbuf_done) struct strbuf summary = STRBUF_INIT;
	strbuf_addc(&summary, '{');
	add_summary(&summary, "initContainers", spec->init_containers, spec->n_init_containers);
	add_summary(&summary, "containers", spec->containers, spec->n_containers);
	strbuf_addc(&summary, '}');
	kubelet_pod_event(a->k, pod, NULL, EVENT_NORMAL, "ResizeCompleted", "Pod resize completed: %s", summary.buf);
	/* It may have shrunk. */
	allocation_retry(a);
}

void allocation_failed(struct allocation *a, const struct pod *pod, const char *message)
{
	resize_progress_set(a->conditions, pod->uid, RESIZE_ERROR, message, pod->api->metadata->generation);
}
