#include "api/meta.h"

#include <stdlib.h>
#include <string.h>
#include "api/internal.h"

static const struct schema_field *metadata_field(const struct schema_type *type)
{
	/* Metadata is the first field wherever there is one. */
	const struct schema_field *field = type->n_fields ? &type->fields[0] : NULL;

	return field && !strcmp(field->name, "metadata") ? field : NULL;
}

static void **metadata_p(const void *msg, const struct schema_type *wanted)
{
	const struct schema_field *field = msg ? metadata_field(schema_of(msg)) : NULL;

	return field && field->type == wanted ? field_at(msg, field) : NULL;
}

MetaV1ObjectMeta *object_meta(const void *msg)
{
	void **at = metadata_p(msg, &MetaV1ObjectMeta_schema);

	return at ? *at : NULL;
}

MetaV1ObjectMeta *object_meta_ensure(struct arena *arena, void *msg)
{
	void **at = metadata_p(msg, &MetaV1ObjectMeta_schema);

	if (at && !*at)
		*at = API_NEW(arena, MetaV1ObjectMeta);
	return at ? *at : NULL;
}

MetaV1ListMeta *object_list_meta(const void *msg)
{
	void **at = metadata_p(msg, &MetaV1ListMeta_schema);

	return at ? *at : NULL;
}

const char *object_name(const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);

	return meta ? str_or_empty(meta->name) : "";
}

const char *object_namespace(const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);

	return meta ? str_or_empty(meta->namespace) : "";
}

const char *object_uid(const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);

	return meta ? str_or_empty(meta->uid) : "";
}

const char *object_resource_version(const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);
	const MetaV1ListMeta *list = meta ? NULL : object_list_meta(msg);

	return meta ? str_or_empty(meta->resource_version) : list ? str_or_empty(list->resource_version) : "";
}

char *object_key(struct arena *arena, const void *msg)
{
	const char *namespace = object_namespace(msg), *name = object_name(msg);

	return *namespace ? arena_printf(arena, "%s/%s", namespace, name) : arena_strdup(arena, name);
}

const char *object_kind(const void *msg)
{
	return schema_of(msg)->kind;
}

const char *object_api_version(const void *msg)
{
	return str_or_empty(schema_of(msg)->api_version);
}

void **object_child_p(void *msg, const char *name)
{
	const struct schema_field *field = msg ? schema_field_by_name(schema_of(msg), name) : NULL;

	return field && field->kind == SCHEMA_MESSAGE && field->shape == SCHEMA_SINGLE ? field_at(msg, field) : NULL;
}

void *object_child(const void *msg, const char *name)
{
	void **at = object_child_p((void *)(uintptr_t)msg, name);

	return at ? *at : NULL;
}

void *object_child_ensure(struct arena *arena, void *msg, const char *name)
{
	void **at = object_child_p(msg, name);

	if (at && !*at)
		*at = api_new(arena, schema_field_by_name(schema_of(msg), name)->type);
	return at ? *at : NULL;
}

static const struct schema_field *items_field(const void *list)
{
	const struct schema_field *field = schema_field_by_name(schema_of(list), "items");

	return field && field->shape == SCHEMA_LIST && field->kind == SCHEMA_MESSAGE ? field : NULL;
}

size_t list_items(const void *list, void ***ret_items)
{
	const struct schema_field *field = items_field(list);

	*ret_items = field ? *(void ***)field_at(list, field) : NULL;
	return field ? *field_count(list, field) : 0;
}

void list_append(struct arena *arena, void *list, void *item)
{
	const struct schema_field *field = items_field(list);

	if (field)
		*(void **)arena_push(arena, field_at(list, field), field_count(list, field), sizeof(void *)) = item;
}

static MapStringEntry *map_find(MapStringEntry *const *entries, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(entries[i]->key, key))
			return entries[i];
	return NULL;
}

const char *map_get(MapStringEntry *const *entries, size_t n, const char *key)
{
	const MapStringEntry *entry = map_find(entries, n, key);

	return entry ? str_or_empty(entry->value) : NULL;
}

bool map_has(MapStringEntry *const *entries, size_t n, const char *key)
{
	return map_find(entries, n, key);
}

void map_set(struct arena *arena, MapStringEntry ***entries, size_t *n, const char *key, const char *value)
{
	MapStringEntry *entry = map_find(*entries, *n, key);

	if (!entry) {
		entry = API_NEW(arena, MapStringEntry);
		entry->key = arena_strdup(arena, str_or_empty(key));
		ARENA_PUSH(arena, *entries, *n) = entry;
	}
	entry->value = arena_strdup(arena, str_or_empty(value));
}

bool map_remove(MapStringEntry **entries, size_t *n, const char *key)
{
	for (size_t i = 0; i < *n; i++) {
		if (!str_eq(entries[i]->key, key))
			continue;
		memmove(entries + i, entries + i + 1, (*n - i - 1) * sizeof(*entries));
		(*n)--;
		return true;
	}
	return false;
}

const char *map_get_near(MapStringEntry *const *entries, size_t n, const char *key, size_t *at)
{
	for (size_t left = n; left; left--, ++*at)
		if (str_eq(entries[*at % n]->key, key))
			return str_or_empty(entries[*at % n]->value);
	return NULL;
}

bool map_contains(MapStringEntry *const *entries, size_t n, MapStringEntry *const *subset, size_t n_subset)
{
	size_t at = 0;
	for (size_t i = 0; i < n_subset; i++) {
		const char *value = map_get_near(entries, n, subset[i]->key, &at);
		if (!value || !str_eq(value, subset[i]->value))
			return false;
	}
	return true;
}

bool map_equal(MapStringEntry *const *a, size_t n_a, MapStringEntry *const *b, size_t n_b)
{
	return n_a == n_b && map_contains(a, n_a, b, n_b);
}

void map_copy(struct arena *arena, MapStringEntry *const *from, size_t n_from, MapStringEntry ***ret_to, size_t *ret_n)
{
	*ret_n = 0;
	*ret_to = NULL;
	for (size_t i = 0; i < n_from; i++) {
		MapStringEntry *entry = API_NEW(arena, MapStringEntry);
		entry->key = arena_strdup(arena, str_or_empty(from[i]->key));
		entry->value = arena_strdup(arena, str_or_empty(from[i]->value));
		ARENA_PUSH(arena, *ret_to, *ret_n) = entry;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(map_key(*(void *const *)a), map_key(*(void *const *)b));
}

void *const *map_sorted(struct arena *arena, void *const *entries, size_t n)
{
	size_t i = 1;

	while (i < n && strcmp(map_key(entries[i - 1]), map_key(entries[i])) <= 0)
		i++;
	if (i >= n)
		return entries;
	void **copy = arena_dup(arena, entries, n * sizeof(*entries));
	qsort(copy, n, sizeof(*copy), compare_keys);
	return copy;
}

void *map_search(void *const *sorted, size_t n, const char *key)
{
	const MapStringEntry wanted = {.key = (char *)(uintptr_t)str_or_empty(key)};
	const void *const at = &wanted;
	void *const *found = n ? bsearch(&at, sorted, n, sizeof(*sorted), compare_keys) : NULL;
	return found ? *found : NULL;
}

struct map_index map_index_of(struct arena *arena, MapStringEntry *const *entries, size_t n)
{
	return (struct map_index){MAP_SORTED(arena, entries, n), n};
}

const char *map_index_get(const struct map_index *map, const char *key)
{
	const MapStringEntry *entry = map_search(map->sorted, map->n, key);
	return entry ? str_or_empty(entry->value) : NULL;
}

ResourceQuantity *quantity_map_get(MapQuantityEntry *const *entries, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(entries[i]->key, key))
			return entries[i]->value;
	return NULL;
}

void quantity_map_set(struct arena *arena, MapQuantityEntry ***entries, size_t *n, const char *key, const char *value)
{
	MapQuantityEntry *entry = NULL;

	for (size_t i = 0; i < *n && !entry; i++)
		if (str_eq((*entries)[i]->key, key))
			entry = (*entries)[i];
	if (!entry) {
		entry = API_NEW(arena, MapQuantityEntry);
		entry->key = arena_strdup(arena, str_or_empty(key));
		ARENA_PUSH(arena, *entries, *n) = entry;
	}
	char *canonical = quantity_canonical(arena, str_or_empty(value), strlen(str_or_empty(value)));
	entry->value = API_NEW(arena, ResourceQuantity);
	entry->value->string = canonical ? canonical : arena_strdup(arena, str_or_empty(value));
}

const char *meta_label(const MetaV1ObjectMeta *meta, const char *key)
{
	return meta ? map_get(meta->labels, meta->n_labels, key) : NULL;
}

const char *meta_annotation(const MetaV1ObjectMeta *meta, const char *key)
{
	return meta ? map_get(meta->annotations, meta->n_annotations, key) : NULL;
}

void meta_set_label(struct arena *arena, MetaV1ObjectMeta *meta, const char *key, const char *value)
{
	map_set(arena, &meta->labels, &meta->n_labels, key, value);
}

void meta_set_annotation(struct arena *arena, MetaV1ObjectMeta *meta, const char *key, const char *value)
{
	map_set(arena, &meta->annotations, &meta->n_annotations, key, value);
}

bool meta_remove_label(MetaV1ObjectMeta *meta, const char *key)
{
	return map_remove(meta->labels, &meta->n_labels, key);
}

bool meta_remove_annotation(MetaV1ObjectMeta *meta, const char *key)
{
	return map_remove(meta->annotations, &meta->n_annotations, key);
}

bool meta_has_finalizer(const MetaV1ObjectMeta *meta, const char *finalizer)
{
	return meta && str_in_n(finalizer, meta->finalizers, meta->n_finalizers);
}

void meta_add_finalizer(struct arena *arena, MetaV1ObjectMeta *meta, const char *finalizer)
{
	if (!meta_has_finalizer(meta, finalizer))
		ARENA_PUSH(arena, meta->finalizers, meta->n_finalizers) = arena_strdup(arena, finalizer);
}

bool meta_remove_finalizer(MetaV1ObjectMeta *meta, const char *finalizer)
{
	size_t kept = 0, n = meta ? meta->n_finalizers : 0;

	for (size_t i = 0; i < n; i++)
		if (!str_eq(meta->finalizers[i], finalizer))
			meta->finalizers[kept++] = meta->finalizers[i];
	if (meta)
		meta->n_finalizers = kept;
	return kept < n;
}

MetaV1OwnerReference *meta_controller_of(const MetaV1ObjectMeta *meta)
{
	for (size_t i = 0; meta && i < meta->n_owner_references; i++)
		if (meta->owner_references[i]->has_controller && meta->owner_references[i]->controller)
			return meta->owner_references[i];
	return NULL;
}

MetaV1OwnerReference *meta_new_owner_ref(struct arena *arena, const void *owner)
{
	MetaV1OwnerReference *ref = API_NEW(arena, MetaV1OwnerReference);

	ref->api_version = arena_strdup(arena, object_api_version(owner));
	ref->kind = arena_strdup(arena, object_kind(owner));
	ref->name = arena_strdup(arena, object_name(owner));
	ref->uid = arena_strdup(arena, object_uid(owner));
	return ref;
}

void meta_add_owner_ref(struct arena *arena, MetaV1ObjectMeta *meta, MetaV1OwnerReference *ref)
{
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		if (str_eq(meta->owner_references[i]->uid, ref->uid)) {
			meta->owner_references[i] = ref;
			return;
		}
	}
	ARENA_PUSH(arena, meta->owner_references, meta->n_owner_references) = ref;
}

CoreV1ObjectReference *object_reference(struct arena *arena, const void *msg)
{
	CoreV1ObjectReference *ref = API_NEW(arena, CoreV1ObjectReference);

	ref->api_version = arena_strdup(arena, object_api_version(msg));
	ref->kind = arena_strdup(arena, object_kind(msg));
	ref->namespace = arena_strdup(arena, object_namespace(msg));
	ref->name = arena_strdup(arena, object_name(msg));
	ref->uid = arena_strdup(arena, object_uid(msg));
	ref->resource_version = arena_strdup(arena, object_resource_version(msg));
	return ref;
}

static MetaV1StatusDetails *status_details_to_api(struct arena *arena, const struct status *s)
{
	MetaV1StatusDetails *details = API_NEW(arena, MetaV1StatusDetails);

	details->name = arena_strdup(arena, str_or_empty(s->name));
	details->group = arena_strdup(arena, str_or_empty(s->group));
	details->kind = arena_strdup(arena, str_or_empty(s->kind));
	details->uid = arena_strdup(arena, str_or_empty(s->uid));
	details->retry_after_seconds = s->retry_after_seconds;
	for (size_t i = 0; i < s->n_causes; i++) {
		MetaV1StatusCause *cause = API_NEW(arena, MetaV1StatusCause);
		cause->reason = arena_strdup(arena, str_or_empty(s->causes[i].reason));
		cause->field = arena_strdup(arena, str_or_empty(s->causes[i].field));
		cause->message = arena_strdup(arena, str_or_empty(s->causes[i].message));
		ARENA_PUSH(arena, details->causes, details->n_causes) = cause;
	}
	return details;
}

MetaV1Status *status_to_api(struct arena *arena, const struct status *s)
{
	MetaV1Status *api = API_NEW(arena, MetaV1Status);

	if (!s) {
		api->status = arena_strdup(arena, "Success");
		return api;
	}
	api->status = arena_strdup(arena, "Failure");
	api->message = arena_strdup(arena, str_or_empty(s->message));
	api->reason = arena_strdup(arena, str_or_empty(status_reason_name(s->reason)));
	api->code = s->code;
	if (s->continue_token) {
		api->metadata = API_NEW(arena, MetaV1ListMeta);
		api->metadata->continue_ = arena_strdup(arena, s->continue_token);
	}
	if (s->n_causes || s->name || s->group || s->kind || s->uid || s->retry_after_seconds)
		api->details = status_details_to_api(arena, s);
	return api;
}

struct status *status_from_api(const MetaV1Status *api)
{
	if (!api || str_eq(api->status, "Success"))
		return NULL;
	struct status *s = status_new(status_reason_from(api->reason, api->code), "%s", str_or_empty(api->message));
	if (api->code)
		s = status_with_code(s, api->code);
	if (api->metadata && !str_empty(api->metadata->continue_))
		s = status_continue(s, api->metadata->continue_);
	const MetaV1StatusDetails *details = api->details;
	if (!details)
		return s;
	s = status_details(s, details->group, details->kind, details->name);
	s->retry_after_seconds = details->retry_after_seconds;
	for (size_t i = 0; i < details->n_causes; i++)
		status_add_cause(s, details->causes[i]->reason, details->causes[i]->field, "%s",
			str_or_empty(details->causes[i]->message));
	return s;
}

static const char *string_field(const void *msg, const char *name)
{
	const struct schema_field *field = schema_field_by_name(schema_of(msg), name);

	return field && field->kind == SCHEMA_STRING && field->shape == SCHEMA_SINGLE
		       ? str_or_empty(*(char **)field_at(msg, field))
		       : "";
}

void *condition_find(void *const *conditions, size_t n, const char *type)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(string_field(conditions[i], "type"), type))
			return conditions[i];
	return NULL;
}

bool condition_is(void *const *conditions, size_t n, const char *type, const char *status)
{
	const void *condition = condition_find(conditions, n, type);

	return condition && str_eq(string_field(condition, "status"), status);
}
