#include "controller-manager/endpoints/slices.h"

#include "base/str.h"
#include "controller-manager/endpoints/service_pods.h"
#include "controller-manager/support/pods.h"

/* --- endpoints --- */

static char *ports_key(struct arena *arena, DiscoveryV1EndpointPort *const *ports, size_t n)
{
	char **parts = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		parts[i] = arena_printf(arena, "%s/%s/%d/%s", str_or_empty(ports[i]->name),
			str_or_empty(ports[i]->protocol), ports[i]->has_port ? ports[i]->port : -1,
			str_or_empty(ports[i]->app_protocol));
	qsort(parts, n, sizeof(*parts), str_cmp_qsort);
	return str_join(arena, parts, n, ",");
}

static struct port_group *group_for(struct slice_plan *plan, DiscoveryV1EndpointPort **ports, size_t n_ports)
{
	char *key = ports_key(plan->arena, ports, n_ports);
	for (size_t i = 0; i < plan->n_groups; i++)
		if (str_eq(plan->groups[i]->key, key))
			return plan->groups[i];
	struct port_group *group = ARENA_NEW(plan->arena, struct port_group);
	group->key = key;
	group->ports = ports;
	group->n_ports = n_ports;
	ARENA_PUSH(plan->arena, plan->groups, plan->n_groups) = group;
	return group;
}

static struct port_group *group_of_pod(struct slice_plan *plan, const CoreV1Pod *pod)
{
	const CoreV1ServiceSpec *spec = plan->service->spec;
	DiscoveryV1EndpointPort **ports = NULL;
	size_t n = 0;
	for (size_t i = 0; i < spec->n_ports; i++) {
		int32_t number;
		if (!service_port_on_pod(pod, spec->ports[i], &number))
			continue;
		DiscoveryV1EndpointPort *port = API_NEW(plan->arena, DiscoveryV1EndpointPort);
		port->name = arena_strdup(plan->arena, str_or_empty(spec->ports[i]->name));
		port->protocol = arena_strdup(plan->arena, str_or(spec->ports[i]->protocol, "TCP"));
		port->has_port = true;
		port->port = number;
		port->app_protocol = spec->ports[i]->app_protocol;
		ARENA_PUSH(plan->arena, ports, n) = port;
	}
	return group_for(plan, ports, n);
}

/* The client's own zone or node first, where the Service asks for it. */
static void add_hints(struct slice_plan *plan, DiscoveryV1Endpoint *e)
{
	const char *wish = plan->service->spec->traffic_distribution;
	const MetaV1ObjectMeta *meta = plan->service->metadata;
	if (str_empty(wish) || !e->conditions->ready || ANNOTATION_GET(meta, "service.kubernetes.io/topology-mode") ||
		ANNOTATION_GET(meta, "service.kubernetes.io/topology-aware-hints"))
		return;
	bool by_node = str_eq(wish, "PreferSameNode");
	if (!by_node && !str_eq(wish, "PreferClose") && !str_eq(wish, "PreferSameZone"))
		return;
	DiscoveryV1EndpointHints *hints = API_NEW(plan->arena, DiscoveryV1EndpointHints);
	if (e->zone) {
		DiscoveryV1ForZone *zone = API_NEW(plan->arena, DiscoveryV1ForZone);
		zone->name = e->zone;
		ARENA_PUSH(plan->arena, hints->for_zones, hints->n_for_zones) = zone;
	}
	if (by_node && e->node_name) {
		DiscoveryV1ForNode *node = API_NEW(plan->arena, DiscoveryV1ForNode);
		node->name = e->node_name;
		ARENA_PUSH(plan->arena, hints->for_nodes, hints->n_for_nodes) = node;
	}
	if (hints->n_for_zones || hints->n_for_nodes)
		e->hints = hints;
}

static DiscoveryV1Endpoint *make_endpoint(struct slice_plan *plan, const CoreV1Pod *pod, const CoreV1Node *node)
{
	struct arena *arena = plan->arena;
	bool serving = pod_is_ready(pod), terminating = pod->metadata->deletion_timestamp != NULL;
	DiscoveryV1Endpoint *e = API_NEW(arena, DiscoveryV1Endpoint);
	e->conditions = API_NEW(arena, DiscoveryV1EndpointConditions);
	e->conditions->has_ready = e->conditions->has_serving = e->conditions->has_terminating = true;
	e->conditions->ready = plan->service->spec->publish_not_ready_addresses || (serving && !terminating);
	e->conditions->serving = serving;
	e->conditions->terminating = terminating;
	bool v6 = str_eq(plan->address_type, "IPv6");
	for (size_t i = 0; i < pod->status->n_pod_ips; i++)
		if ((strchr(pod->status->pod_ips[i]->ip, ':') != NULL) == v6)
			ARENA_PUSH(arena, e->addresses, e->n_addresses) =
				arena_strdup(arena, pod->status->pod_ips[i]->ip);
	e->target_ref = API_NEW(arena, CoreV1ObjectReference);
	e->target_ref->kind = arena_strdup(arena, "Pod");
	e->target_ref->namespace = arena_strdup(arena, pod->metadata->namespace);
	e->target_ref->name = arena_strdup(arena, pod->metadata->name);
	e->target_ref->uid = arena_strdup(arena, pod->metadata->uid);
	if (!str_empty(pod->spec->node_name))
		e->node_name = arena_strdup(arena, pod->spec->node_name);
	const char *zone = node ? LABEL_GET(node->metadata, "topology.kubernetes.io/zone") : NULL;
	if (!str_empty(zone))
		e->zone = arena_strdup(arena, zone);
	if (pod_shows_hostname(pod, plan->service))
		e->hostname = arena_strdup(arena, pod->spec->hostname);
	add_hints(plan, e);
	return e;
}

void slice_plan_add(struct slice_plan *plan, const CoreV1Pod *pod, const CoreV1Node *node)
{
	struct port_group *group = group_of_pod(plan, pod);
	DiscoveryV1Endpoint *e = make_endpoint(plan, pod, node);
	if (!e->n_addresses)
		return;
	ARENA_PUSH(plan->arena, group->endpoints, group->n_endpoints) = e;
	group->n_left++;
}

/* --- slices --- */

bool slice_owned_by(const DiscoveryV1EndpointSlice *slice, const CoreV1Service *service)
{
	const MetaV1ObjectMeta *meta = slice->metadata;
	for (size_t i = 0; i < meta->n_owner_references; i++)
		if (str_eq(meta->owner_references[i]->uid, service->metadata->uid) &&
			str_eq(meta->owner_references[i]->kind, "Service"))
			return true;
	return false;
}

static bool is_own_label(const char *key)
{
	return str_eq(key, SERVICE_NAME_LABEL) || str_eq(key, MANAGED_BY_LABEL) || str_eq(key, HEADLESS_LABEL);
}

/* The Service's labels and our own; true if the slice's were others. */
static bool set_labels(struct slice_plan *plan, MetaV1ObjectMeta *meta)
{
	const MetaV1ObjectMeta *service = plan->service->metadata;
	MapStringEntry **labels = NULL;
	size_t n = 0;
	for (size_t i = 0; i < service->n_labels; i++)
		if (!is_own_label(service->labels[i]->key))
			map_set(plan->arena, &labels, &n, service->labels[i]->key, service->labels[i]->value);
	if (!service_has_ip(plan->service))
		map_set(plan->arena, &labels, &n, HEADLESS_LABEL, "");
	map_set(plan->arena, &labels, &n, SERVICE_NAME_LABEL, service->name);
	map_set(plan->arena, &labels, &n, MANAGED_BY_LABEL, SLICE_MANAGER);
	bool changed = !map_equal(labels, n, meta->labels, meta->n_labels);
	meta->labels = labels;
	meta->n_labels = n;
	return changed;
}

static DiscoveryV1EndpointSlice *new_slice(struct slice_plan *plan, const struct port_group *group)
{
	struct arena *arena = plan->arena;
	DiscoveryV1EndpointSlice *slice = API_NEW(arena, DiscoveryV1EndpointSlice);
	slice->metadata = API_NEW(arena, MetaV1ObjectMeta);
	slice->metadata->namespace = arena_strdup(arena, plan->service->metadata->namespace);
	slice->metadata->generate_name = arena_printf(arena, "%s-", plan->service->metadata->name);
	ARENA_PUSH(arena, slice->metadata->owner_references, slice->metadata->n_owner_references) =
		controller_ref_to(arena, plan->service);
	set_labels(plan, slice->metadata);
	slice->address_type = arena_strdup(arena, plan->address_type);
	if (group) {
		slice->ports = group->ports;
		slice->n_ports = group->n_ports;
	}
	return slice;
}

static bool same_endpoint(const DiscoveryV1Endpoint *a, const DiscoveryV1Endpoint *b)
{
	if (a->n_addresses != b->n_addresses || !str_eq(a->hostname, b->hostname) ||
		!str_eq(a->target_ref ? a->target_ref->name : "", b->target_ref ? b->target_ref->name : ""))
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (!str_in_n(a->addresses[i], b->addresses, b->n_addresses))
			return false;
	return true;
}

static DiscoveryV1Endpoint *take_wanted(struct port_group *group, const DiscoveryV1Endpoint *present)
{
	for (size_t i = 0; i < group->n_endpoints; i++) {
		DiscoveryV1Endpoint *e = group->endpoints[i];
		if (!e || !same_endpoint(e, present))
			continue;
		group->endpoints[i] = NULL;
		group->n_left--;
		return e;
	}
	return NULL;
}

static DiscoveryV1Endpoint *take_any(struct port_group *group)
{
	for (size_t i = 0; i < group->n_endpoints; i++)
		if (group->endpoints[i]) {
			DiscoveryV1Endpoint *e = group->endpoints[i];
			group->endpoints[i] = NULL;
			group->n_left--;
			return e;
		}
	return NULL;
}

static void fill(struct slice_plan *plan, struct port_group *group, DiscoveryV1EndpointSlice *slice)
{
	while (group->n_left && slice->n_endpoints < plan->max_endpoints)
		ARENA_PUSH(plan->arena, slice->endpoints, slice->n_endpoints) = take_any(group);
}

static void push(struct slice_plan *plan, struct slice_list *list, DiscoveryV1EndpointSlice *slice)
{
	ARENA_PUSH(plan->arena, list->items, list->n_items) = slice;
}

/* What an existing slice keeps: into update, remove or unchanged. */
static void keep_wanted(struct slice_plan *plan, struct port_group *group, const DiscoveryV1EndpointSlice *present,
	struct slice_list *update, struct slice_list *unchanged)
{
	DiscoveryV1EndpointSlice *slice = object_copy(plan->arena, present);
	DiscoveryV1Endpoint **kept = NULL;
	size_t n_kept = 0;
	bool changed = false;
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		DiscoveryV1Endpoint *wanted = take_wanted(group, slice->endpoints[i]);
		if (!wanted) {
			changed = true;
			continue;
		}
		changed |= !api_equal(wanted, slice->endpoints[i]);
		ARENA_PUSH(plan->arena, kept, n_kept) = wanted;
	}
	if (changed && !n_kept) {
		push(plan, &plan->remove, slice);
		return;
	}
	bool relabelled = set_labels(plan, slice->metadata);
	slice->endpoints = kept;
	slice->n_endpoints = n_kept;
	push(plan, changed || relabelled ? update : unchanged, slice);
}

static int by_endpoints(const void *x, const void *y)
{
	size_t a = (*(DiscoveryV1EndpointSlice *const *)x)->n_endpoints;
	size_t b = (*(DiscoveryV1EndpointSlice *const *)y)->n_endpoints;
	return a == b ? 0 : a > b ? -1 : 1;
}

/* The unchanged slice that would be fullest after taking what is left; NULL if none has the room. */
static DiscoveryV1EndpointSlice *best_fit(struct slice_plan *plan, size_t n_left, struct slice_list *unchanged)
{
	size_t best = SIZE_MAX, room_left = plan->max_endpoints;
	if (n_left >= plan->max_endpoints)
		return NULL;
	for (size_t i = 0; i < unchanged->n_items; i++) {
		size_t total = unchanged->items[i]->n_endpoints + n_left;
		if (total <= plan->max_endpoints && plan->max_endpoints - total < room_left) {
			room_left = plan->max_endpoints - total;
			best = i;
		}
	}
	if (best == SIZE_MAX)
		return NULL;
	DiscoveryV1EndpointSlice *slice = unchanged->items[best];
	unchanged->items[best] = unchanged->items[--unchanged->n_items];
	return slice;
}

static void pack_group(struct slice_plan *plan, struct port_group *group,
	const DiscoveryV1EndpointSlice *const *existing, size_t n_existing)
{
	struct slice_list update = {0}, unchanged = {0};
	for (size_t i = 0; i < n_existing; i++)
		if (slice_owned_by(existing[i], plan->service) &&
			str_eq(ports_key(plan->arena, existing[i]->ports, existing[i]->n_ports), group->key))
			keep_wanted(plan, group, existing[i], &update, &unchanged);
	/* Those that are written anyhow take the rest first, the fullest before the others. */
	if (update.n_items)
		qsort(update.items, update.n_items, sizeof(*update.items), by_endpoints);
	for (size_t i = 0; i < update.n_items; i++)
		fill(plan, group, update.items[i]);
	while (group->n_left) {
		DiscoveryV1EndpointSlice *slice = best_fit(plan, group->n_left, &unchanged);
		if (slice)
			push(plan, &update, slice);
		else
			push(plan, &plan->create, slice = new_slice(plan, group));
		fill(plan, group, slice);
	}
	for (size_t i = 0; i < update.n_items; i++)
		push(plan, &plan->update, update.items[i]);
}

static bool group_is_wanted(const struct slice_plan *plan, const char *key)
{
	for (size_t i = 0; i < plan->n_groups; i++)
		if (str_eq(plan->groups[i]->key, key))
			return true;
	return false;
}

/* A Service without endpoints has one empty slice, which says that they are known to be none. */
static void plan_placeholder(struct slice_plan *plan, size_t n_existing)
{
	if (plan->remove.n_items != n_existing || plan->create.n_items)
		return;
	DiscoveryV1EndpointSlice *empty = new_slice(plan, NULL);
	const DiscoveryV1EndpointSlice *present = n_existing == 1 ? plan->remove.items[0] : NULL;
	if (present && !present->n_endpoints && !present->n_ports && slice_owned_by(present, plan->service) &&
		map_equal(present->metadata->labels, present->metadata->n_labels, empty->metadata->labels,
			empty->metadata->n_labels))
		plan->remove.n_items = 0;
	else
		push(plan, &plan->create, empty);
}

/* A slice to be deleted and one to be created are one update. */
static void reuse_removed(struct slice_plan *plan)
{
	for (size_t i = 0; i < plan->remove.n_items && plan->create.n_items;) {
		DiscoveryV1EndpointSlice *old = plan->remove.items[i];
		if (!slice_owned_by(old, plan->service)) {
			i++;
			continue;
		}
		DiscoveryV1EndpointSlice *slice = plan->create.items[--plan->create.n_items];
		slice->metadata->name = old->metadata->name;
		slice->metadata->generate_name = old->metadata->generate_name;
		push(plan, &plan->update, slice);
		plan->remove.items[i] = plan->remove.items[--plan->remove.n_items];
	}
}

void slice_plan_pack(struct slice_plan *plan, const DiscoveryV1EndpointSlice *const *existing, size_t n_existing)
{
	for (size_t i = 0; i < plan->n_groups; i++)
		pack_group(plan, plan->groups[i], existing, n_existing);
	for (size_t i = 0; i < n_existing; i++)
		if (!slice_owned_by(existing[i], plan->service) ||
			!group_is_wanted(plan, ports_key(plan->arena, existing[i]->ports, existing[i]->n_ports)))
			push(plan, &plan->remove, object_copy(plan->arena, existing[i]));
	plan_placeholder(plan, n_existing);
	reuse_removed(plan);
}
