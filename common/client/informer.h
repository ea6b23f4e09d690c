/*
 * Informers: a local, always current copy of a set of objects, with handlers that hear of every change.
 *
 *	struct informers *informers = informers_new(client);
 *	struct informer *pods = informers_get(informers, &(struct informer_spec){.type = &CoreV1Pod_schema});
 *	informer_add_handler(pods, &(struct informer_handler){.added = pod_added, .updated = …, .deleted = …},
 *controller); TRY(informers_start(informers)); informers_wait_synced(informers, stop_or_NULL, 60000); … const CoreV1Pod
 **pod = informer_get(pods, arena, "default", "web-0");      // NULL: there is none
 *
 * Objects: reference counted and immutable; never change one, api_copy() it first. What informer_get() and
 *informer_list() return stays valid as long as the arena they were given lives (the arena holds the references). In a
 *handler, an object is valid during the call; keep it longer with object_ref()/object_unref().
 *
 * managedFields are left out of what is stored (a PUT without them keeps the server's).
 *
 * Threads: all informers of one factory share one thread, which speaks to the server and calls handlers one after
 *another, in the order of the server's events, after the store has moved. Handlers must not block (enqueue a key and
 *return). All other functions may be called from any thread. The store moves only between two reads.
 *
 * A handler added to a running informer first hears `added` for every object there is.
 * After a broken watch the informer resumes from its last version; when that has expired it lists again and the
 *handlers hear of the differences; deletions missed are told with the last known state and final_unknown set.
 */
#ifndef CLIENT_INFORMER_H
#define CLIENT_INFORMER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "client/client.h"

struct informers;
struct informer;

/* A shared object. msg is the typed message; it knows its schema (schema_of). */
struct object {
	const void *msg;
	const char *key; /* "namespace/name", or "name" for cluster-scoped kinds */
	/* private */
	struct arena *arena;
	const char *resource_version;
	atomic_uint refs;
	unsigned flags;
};

struct object *object_ref(const struct object *object);
void object_unref(struct object *object);
DEFINE_CLEANUP(struct object *, object_unref)

struct informer_spec {
	const struct schema_type *type;
	/* NULL: the type's own. Otherwise this resource, decoded as type (e.g. MetaV1PartialObjectMetadata). Copied. */
	const struct client_resource *resource;
	const char *namespace; /* NULL: all */
	const char *label_selector;
	const char *field_selector;
	/* Drops what is not needed from a fresh object before it is stored and shared (memory). May be NULL. */
	void (*trim)(void *msg);
};

struct informer_handler {
	/* initial: part of the first listing, or replayed to a handler added late. */
	void (*added)(void *data, const struct object *object, bool initial);
	/* A replaced object (another uid) arrives as an update too, as in the original; an unchanged one of a new
	 * listing does not. */
	void (*updated)(void *data, const struct object *old_object, const struct object *new_object);
	void (*deleted)(void *data, const struct object *object, bool final_unknown);
	/* All of the first listing has been told. May be NULL; so may each of the others. */
	void (*synced)(void *data);
};

struct informers *informers_new(struct client *client);
/* Stops and joins the thread, frees everything. References held by arenas and object_ref() stay valid. */
void informers_free(struct informers *informers);
DEFINE_CLEANUP(struct informers *, informers_free)
/* The informer for a spec; equal specs share one. May be called before and after start; a late one needs
 * informers_start() again. */
struct informer *informers_get(struct informers *informers, const struct informer_spec *spec);
/* Starts all that is not running yet. Returns at once. */
struct status *informers_start(struct informers *informers) MUST_USE;
/* Ends one informer and frees it: for kinds that went away. Not from its own handler. */
void informer_stop(struct informer *informer);
/* Waits until every started informer has its first listing and its handlers have heard it. False: timeout (< 0: none)
 * or *stop became true. */
bool informers_wait_synced(struct informers *informers, const atomic_bool *stop, int timeout_ms);
/* Waits until one more is synced, or for that long. */
void informers_wait_change(struct informers *informers, int ms);
bool informer_has_synced(struct informer *informer);
/* The version up to which the store is known to be current (events and bookmarks); "" before the first listing. */
char *informer_resource_version(struct informer *informer, struct arena *arena);

void informer_add_handler(struct informer *informer, const struct informer_handler *handler, void *data);
/* Returns when no call of it is running and none will come. Not from a handler. */
void informer_remove_handler(struct informer *informer, const struct informer_handler *handler, void *data);

/*
 * An index: named function that gives the values under which an object is found. emit(ctx, value) for each.
 * Add before start. "namespace" exists always.
 */
typedef void informer_index_fn(const void *msg, void (*emit)(void *ctx, const char *value), void *ctx);
void informer_add_index(struct informer *informer, const char *name, informer_index_fn *fn);

/* The message, held by the arena; NULL if absent. namespace NULL or "" for cluster-scoped kinds. */
const void *informer_get(struct informer *informer, struct arena *arena, const char *namespace, const char *name);
const void *informer_get_key(struct informer *informer, struct arena *arena, const char *key);
/* A reference that the caller owns; NULL if absent. */
struct object *informer_ref(struct informer *informer, const char *key);
/* All of a namespace (NULL or "": all), in no particular order. The array and the references live in the arena. */
const void *const *informer_list(struct informer *informer, struct arena *arena, const char *namespace, size_t *ret_n);
/* Those under a value of an index. */
const void *const *informer_list_index(
	struct informer *informer, struct arena *arena, const char *index, const char *value, size_t *ret_n);
size_t informer_count(struct informer *informer);
/* Calls fn for each object under the store's lock: quick and without calls back into the informer. False stops. */
void informer_foreach(struct informer *informer, bool (*fn)(void *data, const struct object *object), void *data);

/* Splits a key; *ret_namespace is "" for a plain name. */
void object_key_split(struct arena *arena, const char *key, char **ret_namespace, char **ret_name);

#endif
