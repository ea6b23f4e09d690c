/*
 * What authentication, authorization, admission and the strategies need of the store: reading objects from memory, and
 * writing through the same path as a client's request. The registry offers itself in this form; tests offer a table.
 *
 *	ProtobufCMessage *secret;
 *	TRY(objects_get(objects, arena, &CoreV1Secret_schema, "kube-system", "bootstrap-token-abcdef", &secret));
 *
 * Ownership: what get and list hand out is constant and lives as long as the arena. What create, update and delete are
 *given stays the caller's. Threads: get and list answer from the cache and never block; the others may block and belong
 *on a worker.
 */
#ifndef APISERVER_OBJECTS_H
#define APISERVER_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include "api/schema.h"
#include "base/arena.h"
#include "base/status.h"

struct object_list {
	const ProtobufCMessage **items;
	size_t n_items;
};

enum object_event { OBJECT_ADDED, OBJECT_MODIFIED, OBJECT_DELETED };

/* Called in the order of revisions, one call at a time; object is the last state when deleted. */
typedef void object_event_fn(void *data, enum object_event event, const ProtobufCMessage *object);
/* What is known of an object that is not decoded: field gives the value of a selectable path, "" for any other. */
struct object_brief {
	const char *key; /* "namespace/name", or "name" */
	const void *data;
	const char *(*field)(const void *data, const char *path);
};
/* Whether an event of that object is of interest. */
typedef bool object_wanted_fn(void *data, const struct object_brief *brief);
/* Changes the object in place; called again with the newer object after a conflict. A status ends the update. */
typedef struct status *object_modify_fn(void *data, struct arena *arena, ProtobufCMessage *object);

struct objects;

struct objects_ops {
	struct status *(*get)(struct objects *o, struct arena *arena, const struct schema_type *type,
		const char *namespace, const char *name, const ProtobufCMessage **ret_object);
	struct status *(*get_live)(struct objects *o, struct arena *arena, const struct schema_type *type,
		const char *namespace, const char *name, const ProtobufCMessage **ret_object);
	struct status *(*list)(struct objects *o, struct arena *arena, const struct schema_type *type,
		const char *namespace, struct object_list *ret_list);
	struct status *(*create)(struct objects *o, struct arena *arena, const ProtobufCMessage *object,
		const char *manager, ProtobufCMessage **ret_object);
	struct status *(*modify)(struct objects *o, struct arena *arena, const struct schema_type *type,
		const char *subresource, const char *namespace, const char *name, object_modify_fn *modify, void *data,
		const char *manager, ProtobufCMessage **ret_object);
	struct status *(*apply)(struct objects *o, struct arena *arena, const ProtobufCMessage *config,
		const char *subresource, const char *manager);
	struct status *(*delete)(struct objects *o, struct arena *arena, const struct schema_type *type,
		const char *namespace, const char *name, const char *uid);
	struct status *(*fresh)(struct objects *o);
	void (*subscribe)(struct objects *o, const struct schema_type *type, object_wanted_fn *wanted,
		object_event_fn *fn, void *data);
	bool (*synced)(struct objects *o);
};

/* The first member of whatever implements it. */
struct objects {
	const struct objects_ops *ops;
};

/* From the cache. NotFound names the resource and the object. Namespace is "" for what has none. */
static inline MUST_USE struct status *objects_get(struct objects *o, struct arena *arena,
	const struct schema_type *type, const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	return o->ops->get(o, arena, type, namespace, name, ret_object);
}
/* From etcd. */
static inline MUST_USE struct status *objects_get_live(struct objects *o, struct arena *arena,
	const struct schema_type *type, const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	return o->ops->get_live(o, arena, type, namespace, name, ret_object);
}
/* From the cache; namespace NULL means all. */
static inline MUST_USE struct status *objects_list(struct objects *o, struct arena *arena,
	const struct schema_type *type, const char *namespace, struct object_list *ret_list)
{
	return o->ops->list(o, arena, type, namespace, ret_list);
}
/* Defaulted, admitted and validated like a request of the server itself (system:apiserver). ret_object may be NULL. */
static inline MUST_USE struct status *objects_create(
	struct objects *o, struct arena *arena, const ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	return o->ops->create(o, arena, object, NULL, ret_object);
}
/* Read, change, compare and swap, again on conflict. Subresource is "" or "status". ret_object may be NULL. */
static inline MUST_USE struct status *objects_modify(struct objects *o, struct arena *arena,
	const struct schema_type *type, const char *subresource, const char *namespace, const char *name,
	object_modify_fn *modify, void *data, ProtobufCMessage **ret_object)
{
	return o->ops->modify(o, arena, type, subresource, namespace, name, modify, data, NULL, ret_object);
}
/* Both under a name of their own in managedFields; the server's is kube-apiserver. */
static inline MUST_USE struct status *objects_create_as(
	struct objects *o, struct arena *arena, const char *manager, const ProtobufCMessage *object)
{
	return o->ops->create(o, arena, object, manager, NULL);
}
static inline MUST_USE struct status *objects_modify_as(struct objects *o, struct arena *arena, const char *manager,
	const struct schema_type *type, const char *namespace, const char *name, object_modify_fn *modify, void *data)
{
	return o->ops->modify(o, arena, type, "", namespace, name, modify, data, manager, NULL);
}
/* A server-side apply, forced, of what the configuration says, to an object that is there. */
static inline MUST_USE struct status *objects_apply(struct objects *o, struct arena *arena, const char *manager,
	const ProtobufCMessage *config, const char *subresource)
{
	return o->ops->apply(o, arena, config, subresource, manager);
}
static inline MUST_USE struct status *objects_delete(
	struct objects *o, struct arena *arena, const struct schema_type *type, const char *namespace, const char *name)
{
	return o->ops->delete (o, arena, type, namespace, name, NULL);
}
/* Only if it still is the object of that uid: Conflict when another has its name by now. */
static inline MUST_USE struct status *objects_delete_exact(struct objects *o, struct arena *arena,
	const struct schema_type *type, const char *namespace, const char *name, const char *uid)
{
	return o->ops->delete (o, arena, type, namespace, name, uid);
}
/* Waits until what is read from the cache is as new as what etcd has now. */
static inline MUST_USE struct status *objects_fresh(struct objects *o)
{
	return o->ops->fresh(o);
}
/* Calls fn for every object there is and for every later change. Subscribe before the cache is started. */
static inline void objects_subscribe(struct objects *o, const struct schema_type *type, object_event_fn *fn, void *data)
{
	o->ops->subscribe(o, type, NULL, fn, data);
}
/* The same for those that are wanted. */
static inline void objects_subscribe_some(
	struct objects *o, const struct schema_type *type, object_wanted_fn *wanted, object_event_fn *fn, void *data)
{
	o->ops->subscribe(o, type, wanted, fn, data);
}
/* Whether the cache has been filled once. */
static inline bool objects_synced(struct objects *o)
{
	return o->ops->synced(o);
}

#endif
