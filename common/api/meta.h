/*
 * Metadata: what all objects have in common, reached through the schema.
 *
 *	MetaV1ObjectMeta *meta = object_meta(pod);
 *	if (str_eq(meta_label(meta, "app"), "web")) ...
 *	meta_set_annotation(arena, meta, "deployment.kubernetes.io/revision", "2");
 */
#ifndef API_META_H
#define API_META_H

#include <stdbool.h>
#include <stdint.h>
#include "api/types.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"

/* The metadata of an object; NULL if it has none (unset, or a type without). */
MetaV1ObjectMeta *object_meta(const void *msg);
/* The same, made when absent. */
MetaV1ObjectMeta *object_meta_ensure(struct arena *arena, void *msg);
/* The ListMeta of a list; NULL if it has none. */
MetaV1ListMeta *object_list_meta(const void *msg);
/* "" when unset. */
const char *object_name(const void *msg);
const char *object_namespace(const void *msg);
const char *object_uid(const void *msg);
const char *object_resource_version(const void *msg);
/* "namespace/name", or "name" for what has no namespace. */
char *object_key(struct arena *arena, const void *msg);
const char *object_kind(const void *msg);
const char *object_api_version(const void *msg);

/* A message field by its proto name ("spec"), NULL if unset; the address of the pointer through _p, NULL if there is no
 * such field. */
void *object_child(const void *msg, const char *name);
void **object_child_p(void *msg, const char *name);
/* Makes it when absent. */
void *object_child_ensure(struct arena *arena, void *msg, const char *name);
#define ENSURE(arena, pointer, T) ((pointer) ? (pointer) : ((pointer) = API_NEW((arena), T)))

/* Items of a list object as an array of messages. */
size_t list_items(const void *list, void ***ret_items);
void list_append(struct arena *arena, void *list, void *item);

/* Maps of strings: any MapStringEntry array. */
const char *map_get(MapStringEntry *const *entries, size_t n, const char *key); /* NULL when absent */
bool map_has(MapStringEntry *const *entries, size_t n, const char *key);
void map_set(struct arena *arena, MapStringEntry ***entries, size_t *n, const char *key, const char *value);
bool map_remove(MapStringEntry **entries, size_t *n, const char *key);
bool map_equal(MapStringEntry *const *a, size_t n_a, MapStringEntry *const *b, size_t n_b);
/* Whether every entry of the subset is in the map. */
bool map_contains(MapStringEntry *const *entries, size_t n, MapStringEntry *const *subset, size_t n_subset);
void map_copy(struct arena *arena, MapStringEntry *const *from, size_t n_from, MapStringEntry ***ret_to, size_t *ret_n);
/* The key of an entry of any map: all of them begin alike. */
static inline const char *map_key(const void *entry)
{
	return str_or_empty(((const MapStringEntry *)entry)->key);
}
/* The entries of any map by key, as Go prints them: the array itself when they stand so already. */
void *const *map_sorted(struct arena *arena, void *const *entries, size_t n);
/* The entry of a key among entries that are sorted so, or NULL: where each of many keys is looked for among many. */
void *map_search(void *const *sorted, size_t n, const char *key);
#define MAP_SORTED(arena, entries, n) map_sorted((arena), (void *const *)(entries), (n))
/* A map of texts in which each of many keys is looked for. */
struct map_index {
	void *const *sorted;
	size_t n;
};
struct map_index map_index_of(struct arena *arena, MapStringEntry *const *entries, size_t n);
const char *map_index_get(const struct map_index *map, const char *key); /* NULL when absent */
/* The same where the keys come in the order of the map, mostly: *at is where the last one was, 0 at first. */
const char *map_get_near(MapStringEntry *const *entries, size_t n, const char *key, size_t *at);
#define MAP_GET(object, field, key) map_get((object)->field, (object)->n_##field, (key))

/* Quantities by name (resource lists): NULL when absent. */
ResourceQuantity *quantity_map_get(MapQuantityEntry *const *entries, size_t n, const char *key);
void quantity_map_set(struct arena *arena, MapQuantityEntry ***entries, size_t *n, const char *key, const char *value);

const char *meta_label(const MetaV1ObjectMeta *meta, const char *key);	    /* NULL when absent; meta may be NULL */
const char *meta_annotation(const MetaV1ObjectMeta *meta, const char *key); /* NULL when absent; meta may be NULL */
void meta_set_label(struct arena *arena, MetaV1ObjectMeta *meta, const char *key, const char *value);
void meta_set_annotation(struct arena *arena, MetaV1ObjectMeta *meta, const char *key, const char *value);
bool meta_remove_label(MetaV1ObjectMeta *meta, const char *key);
bool meta_remove_annotation(MetaV1ObjectMeta *meta, const char *key);
bool meta_has_finalizer(const MetaV1ObjectMeta *meta, const char *finalizer);
void meta_add_finalizer(struct arena *arena, MetaV1ObjectMeta *meta, const char *finalizer);
bool meta_remove_finalizer(MetaV1ObjectMeta *meta, const char *finalizer);
static inline bool meta_is_deleting(const MetaV1ObjectMeta *meta)
{
	return meta && meta->deletion_timestamp;
}

/* The owner with controller: true, NULL if none. */
MetaV1OwnerReference *meta_controller_of(const MetaV1ObjectMeta *meta);
/* An owner reference to an object; that of an owner who is there already takes its place. */
MetaV1OwnerReference *meta_new_owner_ref(struct arena *arena, const void *owner);
void meta_add_owner_ref(struct arena *arena, MetaV1ObjectMeta *meta, MetaV1OwnerReference *ref);
/* A reference for events and targetRef. */
CoreV1ObjectReference *object_reference(struct arena *arena, const void *msg);

/* Times. Metadata times have whole seconds. */
MetaV1Time *time_new(struct arena *arena, int64_t seconds);
MetaV1Time *time_now(struct arena *arena);
MetaV1MicroTime *micro_time_now(struct arena *arena);
bool time_is_zero(const MetaV1Time *t);
int time_compare(const MetaV1Time *a, const MetaV1Time *b); /* NULL is before all */
/* RFC 3339: 2006-01-02T15:04:05Z. */
char *time_format(struct arena *arena, int64_t seconds);
char *micro_time_format(struct arena *arena, int64_t seconds, int32_t nanos);
/* RFC 3339 with any offset and fraction. */
bool time_parse(const char *s, size_t size, int64_t *ret_seconds, int32_t *ret_nanos);
/* What is wrong with a text as a time of the API, in Go's words; NULL: nothing. micro: with six digits of a second. */
char *time_parse_error(struct arena *arena, const char *s, size_t size, bool micro);
/* As kubectl prints ages: 5s, 3m20s, 2d3h. */
char *duration_human(struct arena *arena, int64_t seconds);

/* The Status object of an error (NULL: Success), and back. */
MetaV1Status *status_to_api(struct arena *arena, const struct status *s);
struct status *status_from_api(const MetaV1Status *s) MUST_USE;

/* Conditions of any kind: elements with type, status, reason, message, last_transition_time, reached by the schema. */
void *condition_find(void *const *conditions, size_t n, const char *type);
#define CONDITION(object, name)                             \
	((__typeof__(*(object)->conditions))condition_find( \
		(void *const *)(object)->conditions, (object)->n_conditions, (name)))
/* Whether that condition is there with that status ("True"). */
bool condition_is(void *const *conditions, size_t n, const char *type, const char *status);

#endif
