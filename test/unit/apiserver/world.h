/*
 * Objects in a table, for what reads them through struct objects: made from JSON, changed by put and drop, with the
 * same events that the registry sends.
 */
#ifndef TEST_UNIT_APISERVER_WORLD_H
#define TEST_UNIT_APISERVER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/registry/objects.h"
#include "base/str.h"

enum { WORLD_MAX = 64 };

struct world {
	struct objects objects; /* first */
	struct arena *arena;
	ProtobufCMessage *items[WORLD_MAX];
	size_t n_items;
	struct {
		const struct schema_type *type;
		object_wanted_fn *wanted;
		object_event_fn *fn;
		void *data;
	} subscribers[WORLD_MAX];
	size_t n_subscribers;
};

static inline size_t world_find(
	struct world *w, const struct schema_type *type, const char *namespace, const char *name)
{
	for (size_t i = 0; i < w->n_items; i++)
		if (schema_of(w->items[i]) == type && str_eq(object_namespace(w->items[i]), namespace) &&
			str_eq(object_name(w->items[i]), name))
			return i;
	return WORLD_MAX;
}

static inline struct status *world_get(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	struct world *w = (struct world *)o;
	size_t i = world_find(w, type, namespace, name);
	if (i == WORLD_MAX)
		return status_new(STATUS_NOT_FOUND, "%s \"%s\" not found",
			type->resource ? type->resource->plural : type->name, name);
	*ret_object = w->items[i];
	return NULL;
}

static inline struct status *world_list(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, struct object_list *ret_list)
{
	struct world *w = (struct world *)o;
	*ret_list = (struct object_list){0};
	for (size_t i = 0; i < w->n_items; i++)
		if (schema_of(w->items[i]) == type && (!namespace || str_eq(object_namespace(w->items[i]), namespace)))
			ARENA_PUSH(arena, ret_list->items, ret_list->n_items) = w->items[i];
	return NULL;
}

static inline void world_subscribe(
	struct objects *o, const struct schema_type *type, object_wanted_fn *wanted, object_event_fn *fn, void *data)
{
	struct world *w = (struct world *)o;
	w->subscribers[w->n_subscribers].type = type;
	w->subscribers[w->n_subscribers].wanted = wanted;
	w->subscribers[w->n_subscribers].fn = fn;
	w->subscribers[w->n_subscribers++].data = data;
}

static const struct objects_ops world_ops = {
	.get = world_get,
	.get_live = world_get,
	.list = world_list,
	.subscribe = world_subscribe,
};

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	w->objects.ops = &world_ops;
	w->arena = arena_new();
	return w;
}

static inline void world_free(struct world *w)
{
	arena_free(w->arena);
	free(w);
}

/* Of what is told at the moment. */
struct world_told {
	struct arena *arena;
	const ProtobufCMessage *object;
};

static inline const char *world_field(const void *data, const char *path)
{
	const struct world_told *told = data;
	return str_or_empty(field_value(told->arena, told->object, path));
}

static inline void world_tell(struct world *w, enum object_event event, const ProtobufCMessage *object)
{
	const char *namespace = object_namespace(object), *name = object_name(object);
	const struct world_told told = {w->arena, object};
	const struct object_brief brief = {
		str_empty(namespace) ? name : arena_printf(w->arena, "%s/%s", namespace, name), &told, world_field};
	for (size_t i = 0; i < w->n_subscribers; i++)
		if (w->subscribers[i].type == schema_of(object) &&
			(!w->subscribers[i].wanted || w->subscribers[i].wanted(w->subscribers[i].data, &brief)))
			w->subscribers[i].fn(w->subscribers[i].data, event, object);
}

static inline void *world_object(struct arena *arena, const char *json)
{
	const struct json_options options = JSON_LENIENT;
	ProtobufCMessage *object = NULL;
	struct status *s = json_decode_any(arena, json, strlen(json), &options, &object);
	if (s)
		fail_msg("%s: %s", json, s->message);
	return object;
}

/* Adds or replaces. */
static inline void *world_put(struct world *w, const char *json)
{
	ProtobufCMessage *object = world_object(w->arena, json);
	size_t i = world_find(w, schema_of(object), object_namespace(object), object_name(object));
	w->items[i == WORLD_MAX ? w->n_items++ : i] = object;
	world_tell(w, i == WORLD_MAX ? OBJECT_ADDED : OBJECT_MODIFIED, object);
	return object;
}

static inline void world_drop(struct world *w, const struct schema_type *type, const char *namespace, const char *name)
{
	size_t i = world_find(w, type, namespace, name);
	assert_true(i < WORLD_MAX);
	ProtobufCMessage *object = w->items[i];
	w->items[i] = w->items[--w->n_items];
	world_tell(w, OBJECT_DELETED, object);
}

#endif
