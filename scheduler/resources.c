#include "scheduler/resources.h"
#include "api/quantity.h"
#include "base/nameset.h"
#include "base/str.h"

struct intern *resource_names_new(void)
{
	struct intern *names = intern_new();
	intern(names, "cpu");
	intern(names, "memory");
	intern(names, "ephemeral-storage");
	intern(names, "pods");
	return names;
}

static struct resource_amount *find(const struct resource_list *list, uint32_t id)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (list->items[i].id == id)
			return &list->items[i];
	}
	return NULL;
}

int64_t resource_get(const struct resource_list *list, uint32_t id)
{
	const struct resource_amount *amount = find(list, id);
	return amount ? amount->value : 0;
}

bool resource_has(const struct resource_list *list, uint32_t id)
{
	return find(list, id) != NULL;
}

int64_t resource_amount_of(uint32_t id, const ResourceQuantity *quantity)
{
	if (!quantity)
		return 0;
	return id == RES_CPU ? quantity_msg_milli(quantity) : quantity_msg_value(quantity);
}

bool resource_is_extended(const char *name)
{
	const char *slash = strchr(name, '/');
	if (!slash || str_starts_with(name, "requests."))
		return false;
	size_t len = (size_t)(slash - name);
	static const char native[] = "kubernetes.io";
	size_t n = sizeof native - 1;
	return !(len >= n && !memcmp(slash - n, native, n) && (len == n || slash[-(long)n - 1] == '.'));
}

static struct resource_amount *slot(struct arena *arena, struct resource_list *list, uint32_t id)
{
	struct resource_amount *amount = find(list, id);
	if (amount)
		return amount;
	ARENA_PUSH(arena, list->items, list->n_items) = (struct resource_amount){.id = id};
	return &list->items[list->n_items - 1];
}

static int64_t saturating_add(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void add_list(struct arena *arena, struct resource_list *to, const struct resource_list *from)
{
	for (size_t i = 0; i < from->n_items; i++) {
		struct resource_amount *amount = slot(arena, to, from->items[i].id);
		amount->value = saturating_add(amount->value, from->items[i].value);
	}
}

static void max_list(struct arena *arena, struct resource_list *to, const struct resource_list *from)
{
	for (size_t i = 0; i < from->n_items; i++) {
		struct resource_amount *amount = slot(arena, to, from->items[i].id);
		if (from->items[i].value > amount->value)
			amount->value = from->items[i].value;
	}
}

static struct resource_list from_map(struct arena *arena, struct intern *names, MapQuantityEntry *const *map, size_t n)
{
	struct resource_list list = {.items = n ? ARENA_ARRAY(arena, struct resource_amount, n) : NULL, .n_items = n};
	for (size_t i = 0; i < n; i++) {
		list.items[i].id = intern(names, map[i]->key);
		list.items[i].value = resource_amount_of(list.items[i].id, map[i]->value);
	}
	return list;
}

static struct resource_list requests_of(struct arena *arena, struct intern *names, const CoreV1ResourceRequirements *r)
{
	return r ? from_map(arena, names, r->requests, r->n_requests) : (struct resource_list){NULL, 0};
}

/* What the pod's containers are said to hold, found by their names; of several of a name the first. */
struct holdings {
	struct nameset names;
	const CoreV1ContainerStatus **statuses; /* as the names were added */
	size_t n_statuses;
};

static void add_statuses(struct holdings *h, CoreV1ContainerStatus *const *statuses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		nameset_add(&h->names, statuses[i]->name);
		ARENA_PUSH(h->names.arena, h->statuses, h->n_statuses) = statuses[i];
	}
}

static struct holdings holdings_of(struct arena *arena, const CoreV1Pod *pod, unsigned flags)
{
	struct holdings h = {.names = {.arena = arena}};
	if (!(flags & POD_REQUESTS_USE_STATUS) || !pod->status)
		return h;
	add_statuses(&h, pod->status->container_statuses, pod->status->n_container_statuses);
	add_statuses(&h, pod->status->init_container_statuses, pod->status->n_init_container_statuses);
	return h;
}

static const CoreV1ContainerStatus *status_of(const struct holdings *h, const char *container)
{
	const size_t at = h->n_statuses ? nameset_find(&h->names, container) : SIZE_MAX;
	return at == SIZE_MAX ? NULL : h->statuses[at];
}

static bool resize_infeasible(const CoreV1Pod *pod)
{
	for (size_t i = 0; pod->status && i < pod->status->n_conditions; i++) {
		if (str_eq(pod->status->conditions[i]->type, "PodResizePending"))
			return str_eq(pod->status->conditions[i]->reason, "Infeasible");
	}
	return false;
}

/* While a resize is under way a container holds the larger of what it has and what it wants. */
static struct resource_list container_requests(struct arena *arena, struct intern *names, const CoreV1Pod *pod,
	const CoreV1Container *c, const struct holdings *held_by)
{
	struct resource_list list = requests_of(arena, names, c->resources);
	const CoreV1ContainerStatus *status = held_by ? status_of(held_by, c->name) : NULL;
	if (status && status->resources) {
		struct resource_list held = requests_of(arena, names, status->resources);
		struct resource_list allocated =
			from_map(arena, names, status->allocated_resources, status->n_allocated_resources);
		if (resize_infeasible(pod))
			list = (struct resource_list){NULL, 0};
		max_list(arena, &list, &held);
		max_list(arena, &list, &allocated);
	}
	return list;
}

static bool restartable(const CoreV1Container *c)
{
	return str_eq(c->restart_policy, "Always");
}

static bool pod_level(const char *name)
{
	return str_eq(name, "cpu") || str_eq(name, "memory") || str_starts_with(name, "hugepages-");
}

static void fill_defaults(struct arena *arena, const CoreV1Pod *pod, struct resource_list *list)
{
	const CoreV1ResourceRequirements *whole = pod->spec->resources;
	bool cpu = true, memory = true;
	for (size_t i = 0; whole && i < whole->n_requests; i++) {
		cpu &= !str_eq(whole->requests[i]->key, "cpu");
		memory &= !str_eq(whole->requests[i]->key, "memory");
	}
	if (cpu && !resource_has(list, RES_CPU))
		slot(arena, list, RES_CPU)->value = RES_DEFAULT_MILLI_CPU;
	if (memory && !resource_has(list, RES_MEMORY))
		slot(arena, list, RES_MEMORY)->value = RES_DEFAULT_MEMORY;
}

/* They run one after the other, beside the restartable ones that were started before them. What a step does not name is
 * as it was at the last step that did. */
static void add_init_containers(struct arena *arena, struct intern *names, const CoreV1Pod *pod, unsigned flags,
	const struct holdings *held_by, struct resource_list *sum)
{
	struct resource_list sidecars = {NULL, 0}, peak = {NULL, 0};
	for (size_t i = 0; i < pod->spec->n_init_containers; i++) {
		const CoreV1Container *c = pod->spec->init_containers[i];
		bool stays = restartable(c);
		struct resource_list list = container_requests(arena, names, pod, c, stays ? held_by : NULL);
		if (flags & POD_REQUESTS_NON_ZERO)
			fill_defaults(arena, pod, &list);
		if (stays) {
			add_list(arena, sum, &list);
			add_list(arena, &sidecars, &list);
		}
		for (size_t k = 0; k < list.n_items; k++) {
			const int64_t beside = resource_get(&sidecars, list.items[k].id);
			list.items[k].value = stays ? beside : saturating_add(list.items[k].value, beside);
		}
		max_list(arena, &peak, &list);
	}
	max_list(arena, sum, &peak);
}

struct resource_list pod_requests(struct arena *arena, struct intern *names, const CoreV1Pod *pod, unsigned flags)
{
	struct resource_list sum = {NULL, 0};
	if (!pod->spec)
		return sum;
	const struct holdings held_by = holdings_of(arena, pod, flags);
	for (size_t i = 0; i < pod->spec->n_containers; i++) {
		struct resource_list list = container_requests(arena, names, pod, pod->spec->containers[i], &held_by);
		if (flags & POD_REQUESTS_NON_ZERO)
			fill_defaults(arena, pod, &list);
		add_list(arena, &sum, &list);
	}
	add_init_containers(arena, names, pod, flags, &held_by, &sum);
	struct resource_list whole = requests_of(arena, names, pod->spec->resources);
	for (size_t i = 0; i < whole.n_items; i++) {
		if (pod_level(intern_string(names, whole.items[i].id)))
			slot(arena, &sum, whole.items[i].id)->value = whole.items[i].value;
	}
	struct resource_list overhead = from_map(arena, names, pod->spec->overhead, pod->spec->n_overhead);
	add_list(arena, &sum, &overhead);
	return sum;
}
