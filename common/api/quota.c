#include "api/quota.h"
#include "api/meta.h"
#include "api/qos.h"
#include "base/str.h"

const struct quota_amount *quota_find(const struct quota_list *list, const char *name)
{
	const size_t at = nameset_find(&list->names, name);
	return at < list->n_items ? &list->items[at] : NULL;
}

static struct quota_amount *slot(struct arena *arena, struct quota_list *list, const char *name)
{
	struct quota_amount *found = (struct quota_amount *)quota_find(list, name);
	if (found)
		return found;
	const struct quota_amount new = {.name = arena_strdup(arena, name)};
	list->names.arena = arena;
	nameset_add(&list->names, new.name);
	ARENA_PUSH(arena, list->items, list->n_items) = new;
	return &list->items[list->n_items - 1];
}

void quota_add(struct arena *arena, struct quota_list *list, const char *name, const struct quantity *amount)
{
	struct quota_amount *to = slot(arena, list, name);
	if (quantity_is_zero(&to->amount))
		to->amount.format = amount->format;
	quantity_add(&to->amount, amount);
}

static void raise_to(struct arena *arena, struct quota_list *list, const char *name, const struct quantity *amount)
{
	struct quota_amount *to = slot(arena, list, name);
	if (quantity_compare(&to->amount, amount) < 0)
		to->amount = *amount;
}

struct quota_list quota_from_map(struct arena *arena, MapQuantityEntry *const *entries, size_t n)
{
	struct quota_list list = {0};
	for (size_t i = 0; i < n; i++) {
		struct quantity q = quantity_of(entries[i]->value);
		slot(arena, &list, entries[i]->key)->amount = q;
	}
	return list;
}

void quota_to_map(struct arena *arena, const struct quota_list *list, MapQuantityEntry ***ret_entries, size_t *ret_n)
{
	*ret_entries = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < list->n_items; i++) {
		MapQuantityEntry *entry = API_NEW(arena, MapQuantityEntry);
		entry->key = arena_strdup(arena, list->items[i].name);
		entry->value = quantity_new(arena, &list->items[i].amount);
		ARENA_PUSH(arena, *ret_entries, *ret_n) = entry;
	}
}

char *quota_text(struct arena *arena, const struct quota_list *list)
{
	char **parts = ARENA_ARRAY(arena, char *, list->n_items + 1);
	for (size_t i = 0; i < list->n_items; i++)
		parts[i] = arena_printf(
			arena, "%s=%s", list->items[i].name, quantity_format(arena, &list->items[i].amount));
	qsort(parts, list->n_items, sizeof(*parts), str_cmp_qsort);
	return str_join(arena, parts, list->n_items, ",");
}

static void add_one(struct arena *arena, struct quota_list *list, const char *name, int64_t n)
{
	struct quantity q = quantity_from_int(n, QUANTITY_DECIMAL_SI);
	quota_add(arena, list, name, &q);
}

/* Pods */

/* What is summed: what containers ask for, and with a status also what they were given and have. */
struct pod_sum {
	const CoreV1PodSpec *spec;
	const CoreV1PodStatus *status; /* or NULL */
	bool limits;
	bool infeasible; /* what is asked for now cannot be had here */
};

static const CoreV1ContainerStatus *status_of(const CoreV1PodStatus *status, const char *name)
{
	for (size_t i = 0; status && i < status->n_init_container_statuses; i++)
		if (str_eq(status->init_container_statuses[i]->name, name))
			return status->init_container_statuses[i];
	for (size_t i = 0; status && i < status->n_container_statuses; i++)
		if (str_eq(status->container_statuses[i]->name, name))
			return status->container_statuses[i];
	return NULL;
}

static void raise_all(struct arena *arena, struct quota_list *list, MapQuantityEntry *const *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct quantity q = quantity_of(entries[i]->value);
		raise_to(arena, list, entries[i]->key, &q);
	}
}

static void raise_part(struct arena *arena, struct quota_list *list, const CoreV1ResourceRequirements *r, bool limits)
{
	if (r)
		raise_all(arena, list, limits ? r->limits : r->requests, limits ? r->n_limits : r->n_requests);
}

/* The most of what it asks for, has and was given. Init containers that end are not resized. */
static struct quota_list container_part(
	struct arena *arena, const struct pod_sum *sum, const CoreV1Container *c, bool stays)
{
	struct quota_list part = {0};
	const CoreV1ContainerStatus *status = stays ? status_of(sum->status, c->name) : NULL;
	const bool has = status && status->resources;
	if (!has || !sum->infeasible)
		raise_part(arena, &part, c->resources, sum->limits);
	if (has)
		raise_part(arena, &part, status->resources, sum->limits);
	if (has && !sum->limits)
		raise_all(arena, &part, status->allocated_resources, status->n_allocated_resources);
	return part;
}

static void add_all(struct arena *arena, struct quota_list *list, const struct quota_list *more)
{
	for (size_t i = 0; i < more->n_items; i++)
		quota_add(arena, list, more->items[i].name, &more->items[i].amount);
}

/* Init containers run one after the other, beside the restartable ones that were started before them. What a step
 * does not name is as it was at the last step that did. */
static void add_init(struct arena *arena, struct quota_list *list, const struct pod_sum *sum)
{
	const CoreV1PodSpec *spec = sum->spec;
	struct quota_list sidecars = {0}, peak = {0};
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		const bool stays = str_eq(c->restart_policy, "Always");
		struct quota_list step = container_part(arena, sum, c, stays);
		if (stays) {
			add_all(arena, list, &step);
			add_all(arena, &sidecars, &step);
		}
		for (size_t k = 0; k < step.n_items; k++) {
			const char *name = step.items[k].name;
			const struct quota_amount *beside = quota_find(&sidecars, name);
			if (beside && !stays)
				quota_add(arena, &step, name, &beside->amount);
			raise_to(arena, &peak, name, stays ? &beside->amount : &step.items[k].amount);
		}
	}
	for (size_t i = 0; i < peak.n_items; i++)
		raise_to(arena, list, peak.items[i].name, &peak.items[i].amount);
}

static void sum_pod(struct arena *arena, const struct pod_sum *sum, struct quota_list *ret_list)
{
	const CoreV1PodSpec *spec = sum->spec;
	const bool limits = sum->limits;
	*ret_list = (struct quota_list){0};
	for (size_t i = 0; i < spec->n_containers; i++) {
		const struct quota_list part = container_part(arena, sum, spec->containers[i], true);
		add_all(arena, ret_list, &part);
	}
	add_init(arena, ret_list, sum);
	const CoreV1ResourceRequirements *own = spec->resources;
	for (size_t i = 0; own && i < (limits ? own->n_limits : own->n_requests); i++) {
		const MapQuantityEntry *e = limits ? own->limits[i] : own->requests[i];
		slot(arena, ret_list, e->key)->amount = quantity_of(e->value);
	}
	for (size_t i = 0; i < spec->n_overhead; i++) {
		struct quantity q = quantity_of(spec->overhead[i]->value);
		const struct quota_amount *limit = limits ? quota_find(ret_list, spec->overhead[i]->key) : NULL;
		if (!limits || (limit && !quantity_is_zero(&limit->amount)))
			quota_add(arena, ret_list, spec->overhead[i]->key, &q);
	}
}

void pod_requests(struct arena *arena, const CoreV1PodSpec *spec, struct quota_list *ret_requests)
{
	sum_pod(arena, &(const struct pod_sum){.spec = spec}, ret_requests);
}

void pod_limits(struct arena *arena, const CoreV1PodSpec *spec, struct quota_list *ret_limits)
{
	sum_pod(arena, &(const struct pod_sum){.spec = spec, .limits = true}, ret_limits);
}

static bool is_compute(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", NULL};
	return str_in(name, names);
}

static bool is_extended(const char *name)
{
	return strchr(name, '/') && !strstr(name, "kubernetes.io/") && !str_starts_with(name, "requests.");
}

static bool counts(const CoreV1Pod *pod, int64_t now_s)
{
	const char *phase = pod->status ? str_or_empty(pod->status->phase) : "";
	const MetaV1ObjectMeta *meta = pod->metadata;
	if (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded"))
		return false;
	return !meta_is_deleting(meta) || !meta->has_deletion_grace_period_seconds ||
	       now_s <= meta->deletion_timestamp->seconds + meta->deletion_grace_period_seconds;
}

/* A resize that no room can be made for. */
static bool is_infeasible(const CoreV1PodStatus *status)
{
	for (size_t i = 0; status && i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "PodResizePending"))
			return str_eq(status->conditions[i]->reason, "Infeasible");
	return false;
}

static void use_pod(struct arena *arena, const CoreV1Pod *pod, int64_t now_s, struct quota_list *usage)
{
	struct quota_list requests, limits;
	if (!pod->spec || !counts(pod, now_s))
		return;
	add_one(arena, usage, "pods", 1);
	struct pod_sum sum = {.spec = pod->spec, .status = pod->status, .infeasible = is_infeasible(pod->status)};
	sum_pod(arena, &sum, &requests);
	sum.limits = true;
	sum_pod(arena, &sum, &limits);
	for (size_t i = 0; i < requests.n_items; i++) {
		const char *name = requests.items[i].name;
		bool huge = str_starts_with(name, "hugepages-");
		if (is_compute(name) || huge)
			quota_add(arena, usage, name, &requests.items[i].amount);
		if (is_compute(name) || huge || is_extended(name))
			quota_add(arena, usage, arena_printf(arena, "requests.%s", name), &requests.items[i].amount);
	}
	for (size_t i = 0; i < limits.n_items; i++)
		if (is_compute(limits.items[i].name))
			quota_add(arena, usage, arena_printf(arena, "limits.%s", limits.items[i].name),
				&limits.items[i].amount);
}

/* Services and claims */

static void use_service(struct arena *arena, const CoreV1Service *service, struct quota_list *usage)
{
	const CoreV1ServiceSpec *spec = service->spec;
	int64_t ports = 0;
	bool balanced = spec && str_eq(spec->type, "LoadBalancer");
	if (spec && str_eq(spec->type, "NodePort"))
		ports = (int64_t)spec->n_ports;
	if (balanced && spec->has_allocate_load_balancer_node_ports && !spec->allocate_load_balancer_node_ports)
		for (size_t i = 0; i < spec->n_ports; i++)
			ports += spec->ports[i]->node_port != 0;
	else if (balanced)
		ports = (int64_t)spec->n_ports;
	add_one(arena, usage, "services", 1);
	add_one(arena, usage, "services.nodeports", ports);
	add_one(arena, usage, "services.loadbalancers", balanced);
}

#define STORAGE_CLASS ".storageclass.storage.k8s.io/"

/* Whole bytes. */
static struct quantity whole(const ResourceQuantity *q)
{
	struct quantity exact = quantity_of(q), rounded = quantity_from_int(quantity_value(&exact), exact.format);
	return quantity_compare(&exact, &rounded) ? rounded : exact;
}

static void use_claim(struct arena *arena, const CoreV1PersistentVolumeClaim *claim, struct quota_list *usage)
{
	const CoreV1PersistentVolumeClaimSpec *spec = claim->spec;
	const char *class = meta_annotation(claim->metadata, "volume.beta.kubernetes.io/storage-class");
	if (!class && spec)
		class = spec->storage_class_name;
	add_one(arena, usage, "persistentvolumeclaims", 1);
	if (!str_empty(class))
		add_one(arena, usage, arena_printf(arena, "%s" STORAGE_CLASS "persistentvolumeclaims", class), 1);
	const ResourceQuantity *size = spec && spec->resources ? quantity_map_get(spec->resources->requests,
									 spec->resources->n_requests, "storage")
							       : NULL;
	if (!size)
		return;
	struct quantity q = whole(size);
	const CoreV1PersistentVolumeClaimStatus *status = claim->status;
	const ResourceQuantity *given =
		status ? quantity_map_get(status->allocated_resources, status->n_allocated_resources, "storage") : NULL;
	const struct quantity allocated = given ? whole(given) : q;
	if (quantity_compare(&allocated, &q) > 0)
		q = allocated;
	quota_add(arena, usage, "requests.storage", &q);
	if (!str_empty(class))
		quota_add(arena, usage, arena_printf(arena, "%s" STORAGE_CLASS "requests.storage", class), &q);
}

/* Claims of devices */

#define DEVICE_CLASS ".deviceclass.resource.k8s.io/devices"
/* As many as a claim can be given at all. */
#define MOST_DEVICES 32

static struct quantity devices(const char *mode, int64_t count)
{
	const int64_t n = str_eq(mode, "ExactCount") ? count : str_eq(mode, "All") ? MOST_DEVICES : 0;
	return quantity_from_int(n, QUANTITY_DECIMAL_SI);
}

/* Of alternatives, for each class the one that takes most of it. */
static void use_alternatives(struct arena *arena, const ResourceV1DeviceRequest *r, struct quota_list *usage)
{
	struct quota_list most = {0};
	for (size_t i = 0; i < r->n_first_available; i++) {
		const ResourceV1DeviceSubRequest *one = r->first_available[i];
		const struct quantity q = devices(one->allocation_mode, one->count);
		if (quantity_sign(&q) > 0)
			raise_to(arena, &most, arena_printf(arena, "%s" DEVICE_CLASS, one->device_class_name), &q);
	}
	add_all(arena, usage, &most);
}

static void use_devices(struct arena *arena, const ResourceV1ResourceClaim *claim, struct quota_list *usage)
{
	const ResourceV1DeviceClaim *spec = claim->spec ? claim->spec->devices : NULL;
	for (size_t i = 0; spec && i < spec->n_requests; i++) {
		const ResourceV1DeviceRequest *r = spec->requests[i];
		if (r->n_first_available) {
			use_alternatives(arena, r, usage);
		} else if (r->exactly) {
			const struct quantity q = devices(r->exactly->allocation_mode, r->exactly->count);
			quota_add(arena, usage, arena_printf(arena, "%s" DEVICE_CLASS, r->exactly->device_class_name),
				&q);
		}
	}
}

/* "count/pods", "count/deployments.apps" */
static char *count_name(struct arena *arena, const struct schema_type *type)
{
	return arena_printf(arena, "count/%s%s%s", type->resource->plural, *type->group ? "." : "", type->group);
}

static bool has_plain_name(const struct schema_type *type)
{
	static const char *const names[] = {"configmaps", "secrets", "resourcequotas", "replicationcontrollers", NULL};
	return !*type->group && str_in(type->resource->plural, names);
}

void quota_usage(struct arena *arena, const ProtobufCMessage *object, int64_t now_s, struct quota_list *ret_usage)
{
	const struct schema_type *type = schema_of(object);
	*ret_usage = (struct quota_list){0};
	if (!type->resource)
		return;
	add_one(arena, ret_usage, count_name(arena, type), 1);
	if (has_plain_name(type))
		add_one(arena, ret_usage, type->resource->plural, 1);
	if (API_IS(object, CoreV1Pod))
		use_pod(arena, (const CoreV1Pod *)object, now_s, ret_usage);
	else if (API_IS(object, CoreV1Service))
		use_service(arena, (const CoreV1Service *)object, ret_usage);
	else if (API_IS(object, CoreV1PersistentVolumeClaim))
		use_claim(arena, (const CoreV1PersistentVolumeClaim *)object, ret_usage);
	else if (API_IS(object, ResourceV1ResourceClaim))
		use_devices(arena, (const ResourceV1ResourceClaim *)object, ret_usage);
}

static bool is_of_pods(const char *resource)
{
	static const char requests[] = "requests.", limits[] = "limits.";
	const bool asked = str_starts_with(resource, requests);
	const char *plain = asked ? resource + sizeof(requests) - 1 : resource;
	if (str_starts_with(resource, limits))
		return is_compute(resource + sizeof(limits) - 1);
	return str_eq(resource, "pods") || is_compute(plain) || str_starts_with(plain, "hugepages-") ||
	       (asked && strchr(resource, '/') && !strstr(resource, "kubernetes.io/"));
}

bool quota_concerns(const struct schema_type *type, const char *resource)
{
	static const char *const services[] = {"services", "services.nodeports", "services.loadbalancers", NULL};
	CLEANUP(arena_freep) struct arena *scratch = arena_new_sized(256);
	if (!type->resource)
		return false;
	if (str_eq(resource, count_name(scratch, type)))
		return true;
	if (type == &CoreV1Pod_schema)
		return is_of_pods(resource);
	if (type == &CoreV1Service_schema)
		return str_in(resource, services);
	if (type == &CoreV1PersistentVolumeClaim_schema)
		return str_eq(resource, "requests.storage") || str_eq(resource, "persistentvolumeclaims") ||
		       str_ends_with(resource, STORAGE_CLASS "requests.storage") ||
		       str_ends_with(resource, STORAGE_CLASS "persistentvolumeclaims");
	if (type == &ResourceV1ResourceClaim_schema)
		return str_ends_with(resource, DEVICE_CLASS);
	return has_plain_name(type) && str_eq(resource, type->resource->plural);
}

/* Scopes */

static bool reaches_other_namespaces(CoreV1PodAffinityTerm *const *required, size_t n_required,
	CoreV1WeightedPodAffinityTerm *const *preferred, size_t n_preferred)
{
	for (size_t i = 0; i < n_required; i++)
		if (required[i]->n_namespaces || required[i]->namespace_selector)
			return true;
	for (size_t i = 0; i < n_preferred; i++) {
		const CoreV1PodAffinityTerm *t = preferred[i]->pod_affinity_term;
		if (t && (t->n_namespaces || t->namespace_selector))
			return true;
	}
	return false;
}

static bool is_cross_namespace(const CoreV1PodSpec *spec)
{
	const CoreV1PodAffinity *a = spec->affinity ? spec->affinity->pod_affinity : NULL;
	const CoreV1PodAntiAffinity *b = spec->affinity ? spec->affinity->pod_anti_affinity : NULL;
	return (a && reaches_other_namespaces(a->required_during_scheduling_ignored_during_execution,
			     a->n_required_during_scheduling_ignored_during_execution,
			     a->preferred_during_scheduling_ignored_during_execution,
			     a->n_preferred_during_scheduling_ignored_during_execution)) ||
	       (b && reaches_other_namespaces(b->required_during_scheduling_ignored_during_execution,
			     b->n_required_during_scheduling_ignored_during_execution,
			     b->preferred_during_scheduling_ignored_during_execution,
			     b->n_preferred_during_scheduling_ignored_during_execution));
}

/* One that names things: by any name, or none. */
static bool names_match(const CoreV1ScopedResourceSelectorRequirement *r, const char *const *names, size_t n)
{
	bool in = false, out = !n;
	for (size_t i = 0; i < n; i++) {
		const bool is_named = str_in_n(names[i], r->values, r->n_values);
		in |= is_named;
		out |= !is_named;
	}
	if (str_eq(r->operator, "In"))
		return in;
	if (str_eq(r->operator, "NotIn"))
		return out;
	return str_eq(r->operator, "DoesNotExist") ? !n : n > 0;
}

static bool pod_in_scope(const CoreV1PodSpec *spec, const CoreV1ScopedResourceSelectorRequirement *r)
{
	const char *scope = r->scope_name, *class = spec->priority_class_name;
	const bool terminating = spec->has_active_deadline_seconds && spec->active_deadline_seconds >= 0;
	const bool best_effort = !strcmp(pod_qos_class(spec), "BestEffort");
	if (str_eq(scope, "Terminating"))
		return terminating;
	if (str_eq(scope, "NotTerminating"))
		return !terminating;
	if (str_eq(scope, "BestEffort"))
		return best_effort;
	if (str_eq(scope, "NotBestEffort"))
		return !best_effort;
	if (str_eq(scope, "CrossNamespacePodAffinity"))
		return is_cross_namespace(spec);
	return str_eq(scope, "PriorityClass") && names_match(r, &class, !str_empty(class));
}

/* Its attributes' classes: the one it asks for, the one it has, and the one it is about to have. */
static bool claim_in_scope(const CoreV1PersistentVolumeClaim *claim, const CoreV1ScopedResourceSelectorRequirement *r)
{
	const CoreV1PersistentVolumeClaimStatus *status = claim->status;
	const CoreV1ModifyVolumeStatus *change = status ? status->modify_volume_status : NULL;
	const char *all[] = {claim->spec ? claim->spec->volume_attributes_class_name : NULL,
		status ? status->current_volume_attributes_class_name : NULL,
		change ? change->target_volume_attributes_class_name : NULL};
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!str_empty(all[i]))
			all[n++] = all[i];
	return str_eq(r->scope_name, "VolumeAttributesClass") && names_match(r, all, n);
}

bool quota_scope_matches(const CoreV1ScopedResourceSelectorRequirement *scope, const ProtobufCMessage *object)
{
	if (API_IS(object, CoreV1PersistentVolumeClaim))
		return claim_in_scope((const CoreV1PersistentVolumeClaim *)object, scope);
	const CoreV1PodSpec *pod = API_IS(object, CoreV1Pod) ? ((const CoreV1Pod *)object)->spec : NULL;
	return pod && pod_in_scope(pod, scope);
}

bool quota_matches(const CoreV1ResourceQuota *quota, const ProtobufCMessage *object)
{
	const CoreV1ResourceQuotaSpec *spec = quota->spec;
	const CoreV1ScopeSelector *selector = spec ? spec->scope_selector : NULL;
	for (size_t i = 0; spec && i < spec->n_scopes; i++) {
		const CoreV1ScopedResourceSelectorRequirement exists = {
			.scope_name = spec->scopes[i], .operator=(char *) "Exists"};
		if (!quota_scope_matches(&exists, object))
			return false;
	}
	for (size_t i = 0; selector && i < selector->n_match_expressions; i++)
		if (!quota_scope_matches(selector->match_expressions[i], object))
			return false;
	return true;
}
