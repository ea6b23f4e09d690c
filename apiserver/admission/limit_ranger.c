#include "api/meta.h"
#include "api/quantity.h"
#include "api/quota.h"
#include "apiserver/admission/plugins.h"
#include "base/nameset.h"
#include "base/str.h"

#define ANNOTATION "kubernetes.io/limit-ranger"

/* What is wrong, in the order found; told all at once, of very much only the beginning. */
struct faults {
	char **texts;
	size_t n_texts, n_bytes;
	size_t n_added; /* amounts, by default */
};

/* A pod that is given more defaults than that has no room in etcd: nobody waits for them all. */
#define MAX_ADDED 1000000
#define MAX_FAULT_BYTES (16u << 20)

static bool is_full(const struct faults *faults)
{
	return faults->n_bytes > MAX_FAULT_BYTES || faults->n_added > MAX_ADDED;
}

/* Adds what is missing; names of what was added, sorted. */
static char *add_missing(struct arena *arena, MapQuantityEntry ***to, size_t *n_to, MapQuantityEntry *const *from,
	size_t n_from, struct faults *faults)
{
	void *const *there = MAP_SORTED(arena, *to, *n_to);
	const size_t n_there = *n_to;
	char **added = NULL;
	size_t n = 0;
	for (size_t i = 0; i < n_from; i++) {
		if (map_search(there, n_there, from[i]->key))
			continue;
		struct quantity q = quantity_of(from[i]->value);
		MapQuantityEntry *entry = API_NEW(arena, MapQuantityEntry);
		entry->key = from[i]->key;
		entry->value = API_NEW(arena, ResourceQuantity);
		entry->value->string = quantity_format(arena, &q);
		ARENA_PUSH(arena, *to, *n_to) = entry;
		ARENA_PUSH(arena, added, n) = from[i]->key;
	}
	faults->n_added += n;
	if (n)
		qsort(added, n, sizeof(*added), str_cmp_qsort);
	return n ? str_join(arena, added, n, ", ") : NULL;
}

/* What was set is told in an annotation. */
static void apply_defaults(struct arena *arena, const CoreV1LimitRangeItem *item, CoreV1Container **containers,
	size_t n, const char *noun, struct strbuf *told, struct faults *faults)
{
	for (size_t i = 0; i < n && !is_full(faults); i++) {
		CoreV1ResourceRequirements *r = ENSURE(arena, containers[i]->resources, CoreV1ResourceRequirements);
		char *requests = add_missing(
			arena, &r->requests, &r->n_requests, item->default_request, item->n_default_request, faults);
		char *limits = add_missing(arena, &r->limits, &r->n_limits, item->default_, item->n_default, faults);
		if (requests)
			strbuf_printf(told, "%s%s request for %s %s", told->len ? "; " : "", requests, noun,
				containers[i]->name);
		if (limits)
			strbuf_printf(
				told, "%s%s limit for %s %s", told->len ? "; " : "", limits, noun, containers[i]->name);
	}
}

static void fault(struct arena *arena, struct faults *faults, const char *format, ...) PRINTF(3, 4);

static void fault(struct arena *arena, struct faults *faults, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	ARENA_PUSH(arena, faults->texts, faults->n_texts) = text;
	faults->n_bytes += strlen(text);
	va_end(args);
}

static struct status *refuse(const struct admission_attributes *a, const struct faults *faults)
{
	struct nameset told = {.arena = a->arena};
	char **texts = NULL;
	size_t n = 0;
	if (faults->n_added > MAX_ADDED)
		return admission_forbidden(a, "the defaults of its namespace would make it too large");
	if (!faults->n_texts)
		return NULL;
	/* Containers with the same fault are told of it once. */
	for (size_t i = 0; i < faults->n_texts; i++)
		if (nameset_add(&told, faults->texts[i]))
			ARENA_PUSH(a->arena, texts, n) = faults->texts[i];
	return admission_forbidden(a, "%s%s%s", n > 1 ? "[" : "", str_join(a->arena, texts, n, ", "), n > 1 ? "]" : "");
}

static struct status *each_item(const struct admission_context *context, const struct admission_attributes *a,
	void (*fn)(const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec,
		struct faults *faults))
{
	const bool made = admission_is(a, "", "pods", "") && a->operation == ADMISSION_CREATE;
	const bool resized = admission_is(a, "", "pods", "resize") && a->operation == ADMISSION_UPDATE;
	if (!(made || resized) || !API_IS(a->object, CoreV1Pod) || !((CoreV1Pod *)a->object)->spec)
		return NULL;
	struct object_list list;
	TRY(objects_list(context->objects, a->arena, &CoreV1LimitRange_schema, a->namespace, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const CoreV1LimitRangeSpec *spec = ((const CoreV1LimitRange *)list.items[i])->spec;
		struct faults faults = {0};
		for (size_t k = 0; spec && k < spec->n_limits; k++)
			fn(a, spec->limits[k], ((CoreV1Pod *)a->object)->spec, &faults);
		TRY(refuse(a, &faults));
	}
	return NULL;
}

static void set_defaults(const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec,
	struct faults *faults)
{
	if (!str_eq(item->type, "Container"))
		return;
	CLEANUP(strbuf_done) struct strbuf told = STRBUF_INIT;
	apply_defaults(a->arena, item, spec->containers, spec->n_containers, "container", &told, faults);
	apply_defaults(a->arena, item, spec->init_containers, spec->n_init_containers, "init container", &told, faults);
	if (told.len)
		meta_set_annotation(a->arena, object_meta_ensure(a->arena, a->object), ANNOTATION,
			arena_printf(a->arena, "LimitRanger plugin set: %s", told.buf));
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	return each_item(context, a, set_defaults);
}

/* What one container, or the pod in sum, asks for and may use: amounts sorted by name. */
struct usage {
	void *const *requests, *const *limits;
	size_t n_requests, n_limits;
};

static const ResourceQuantity *amount(void *const *sorted, size_t n, const char *name)
{
	const MapQuantityEntry *entry = map_search(sorted, n, name);
	return entry ? entry->value : NULL;
}

static void check_min(const struct admission_attributes *a, const char *type, const MapQuantityEntry *min,
	const struct usage *u, struct faults *faults)
{
	struct quantity bound = quantity_of(min->value);
	const ResourceQuantity *request = amount(u->requests, u->n_requests, min->key);
	const ResourceQuantity *limit = amount(u->limits, u->n_limits, min->key);
	struct quantity r = quantity_of(request), l = quantity_of(limit);
	char *text = quantity_format(a->arena, &bound);
	if (!request)
		fault(a->arena, faults, "minimum %s usage per %s is %s.  No request is specified", min->key, type,
			text);
	else if (quantity_compare(&r, &bound) < 0)
		fault(a->arena, faults, "minimum %s usage per %s is %s, but request is %s", min->key, type, text,
			quantity_format(a->arena, &r));
	else if (limit && quantity_compare(&l, &bound) < 0)
		fault(a->arena, faults, "minimum %s usage per %s is %s, but limit is %s", min->key, type, text,
			quantity_format(a->arena, &l));
}

static void check_max(const struct admission_attributes *a, const char *type, const MapQuantityEntry *max,
	const struct usage *u, struct faults *faults)
{
	struct quantity bound = quantity_of(max->value);
	const ResourceQuantity *request = amount(u->requests, u->n_requests, max->key);
	const ResourceQuantity *limit = amount(u->limits, u->n_limits, max->key);
	struct quantity r = quantity_of(request), l = quantity_of(limit);
	char *text = quantity_format(a->arena, &bound);
	if (!limit)
		fault(a->arena, faults, "maximum %s usage per %s is %s.  No limit is specified", max->key, type, text);
	else if (quantity_compare(&l, &bound) > 0)
		fault(a->arena, faults, "maximum %s usage per %s is %s, but limit is %s", max->key, type, text,
			quantity_format(a->arena, &l));
	else if (request && quantity_compare(&r, &bound) > 0)
		fault(a->arena, faults, "maximum %s usage per %s is %s, but request is %s", max->key, type, text,
			quantity_format(a->arena, &r));
}

/* How far a limit may be above its request. */
static void check_ratio(const struct admission_attributes *a, const char *type, const MapQuantityEntry *ratio,
	const struct usage *u, struct faults *faults)
{
	struct quantity bound = quantity_of(ratio->value);
	struct quantity r = quantity_of(amount(u->requests, u->n_requests, ratio->key));
	struct quantity l = quantity_of(amount(u->limits, u->n_limits, ratio->key));
	char *text = quantity_format(a->arena, &bound);
	if (!r.nanos || !l.nanos)
		fault(a->arena, faults, "%s max limit to request ratio per %s is %s, but no %s is specified or %s is 0",
			ratio->key, type, text, r.nanos ? "limit" : "request", r.nanos ? "limit" : "request");
	else if ((double)l.nanos / (double)r.nanos > (double)bound.nanos / 1e9)
		fault(a->arena, faults, "%s max limit to request ratio per %s is %s, but provided ratio is %f",
			ratio->key, type, text, (double)l.nanos / (double)r.nanos);
}

static void check_usage(const struct admission_attributes *a, const CoreV1LimitRangeItem *item, const struct usage *u,
	struct faults *faults)
{
	for (size_t i = 0; i < item->n_min && !is_full(faults); i++)
		check_min(a, item->type, item->min[i], u, faults);
	for (size_t i = 0; i < item->n_max && !is_full(faults); i++)
		check_max(a, item->type, item->max[i], u, faults);
	for (size_t i = 0; i < item->n_max_limit_request_ratio && !is_full(faults); i++)
		check_ratio(a, item->type, item->max_limit_request_ratio[i], u, faults);
}

static struct usage usage_of(struct arena *arena, const CoreV1Container *c)
{
	const CoreV1ResourceRequirements *r = c->resources;
	return r ? (struct usage){MAP_SORTED(arena, r->requests, r->n_requests),
			   MAP_SORTED(arena, r->limits, r->n_limits), r->n_requests, r->n_limits}
		 : (struct usage){0};
}

/* What is said for the pod as a whole stands for the sum of its containers. */
static void replace_shared(
	struct arena *arena, MapQuantityEntry ***to, size_t *n_to, MapQuantityEntry *const *own, size_t n_own)
{
	static const char *const shared[] = {"cpu", "memory"};
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		const ResourceQuantity *q = quantity_map_get(own, n_own, shared[i]);
		if (q)
			quantity_map_set(arena, to, n_to, shared[i], q->string);
	}
}

static struct usage usage_of_pod(struct arena *arena, const CoreV1PodSpec *spec)
{
	const CoreV1ResourceRequirements *own = spec->resources;
	struct quota_list requests, limits;
	MapQuantityEntry **requested, **limited;
	size_t n_requested, n_limited;
	CoreV1PodSpec bare = *spec;
	bare.resources = NULL;
	bare.n_overhead = 0;
	pod_requests(arena, &bare, &requests);
	pod_limits(arena, &bare, &limits);
	quota_to_map(arena, &requests, &requested, &n_requested);
	quota_to_map(arena, &limits, &limited, &n_limited);
	if (own) {
		replace_shared(arena, &requested, &n_requested, own->requests, own->n_requests);
		replace_shared(arena, &limited, &n_limited, own->limits, own->n_limits);
	}
	return (struct usage){MAP_SORTED(arena, requested, n_requested), MAP_SORTED(arena, limited, n_limited),
		n_requested, n_limited};
}

static void check_item(const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec,
	struct faults *faults)
{
	bool each = str_eq(item->type, "Container");
	for (size_t i = 0; each && i < spec->n_containers; i++) {
		struct usage u = usage_of(a->arena, spec->containers[i]);
		check_usage(a, item, &u, faults);
	}
	for (size_t i = 0; each && i < spec->n_init_containers; i++) {
		struct usage u = usage_of(a->arena, spec->init_containers[i]);
		check_usage(a, item, &u, faults);
	}
	if (str_eq(item->type, "Pod")) {
		struct usage u = usage_of_pod(a->arena, spec);
		check_usage(a, item, &u, faults);
	}
}

/* A claim asks for storage between the bounds. */
static void check_claim(const struct admission_attributes *a, const CoreV1LimitRangeItem *item,
	const CoreV1PersistentVolumeClaimSpec *spec, struct faults *faults)
{
	const ResourceQuantity *size =
		spec->resources ? quantity_map_get(spec->resources->requests, spec->resources->n_requests, "storage")
				: NULL;
	const ResourceQuantity *min = quantity_map_get(item->min, item->n_min, "storage");
	const ResourceQuantity *max = quantity_map_get(item->max, item->n_max, "storage");
	struct quantity q = quantity_of(size), low = quantity_of(min), high = quantity_of(max);
	if (min && quantity_compare(&q, &low) < 0)
		fault(a->arena, faults, "minimum storage usage per PersistentVolumeClaim is %s, but request is %s",
			quantity_format(a->arena, &low), quantity_format(a->arena, &q));
	if (max && quantity_compare(&q, &high) > 0)
		fault(a->arena, faults, "maximum storage usage per PersistentVolumeClaim is %s, but request is %s",
			quantity_format(a->arena, &high), quantity_format(a->arena, &q));
}

static struct status *validate_claim(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1PersistentVolumeClaimSpec *spec = ((const CoreV1PersistentVolumeClaim *)a->object)->spec;
	struct object_list list;
	TRY(objects_list(context->objects, a->arena, &CoreV1LimitRange_schema, a->namespace, &list));
	for (size_t i = 0; spec && i < list.n_items; i++) {
		const CoreV1LimitRangeSpec *limits = ((const CoreV1LimitRange *)list.items[i])->spec;
		struct faults faults = {0};
		for (size_t k = 0; limits && k < limits->n_limits; k++)
			if (str_eq(limits->limits[k]->type, "PersistentVolumeClaim"))
				check_claim(a, limits->limits[k], spec, &faults);
		TRY(refuse(a, &faults));
	}
	return NULL;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (admission_is(a, "", "persistentvolumeclaims", "") && API_IS(a->object, CoreV1PersistentVolumeClaim))
		return validate_claim(context, a);
	return each_item(context, a, check_item);
}

const struct admission_plugin limit_ranger_plugin = {
	.name = "LimitRanger",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
	.validate = validate,
};
