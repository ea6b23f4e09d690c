#include <stdlib.h>
#include "api/copy.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/store.h"

/* The object, its key and its message share one block of exactly the size they need. */
struct object *object_new(const void *msg)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new_sized(16384);
	api_copy_msg(scratch, msg);
	size_t used = arena_used_bytes(scratch);
	const char *namespace = object_namespace(msg), *name = object_name(msg);
	size_t key_size = strlen(namespace) + strlen(name) + 2;
	struct arena *arena = arena_new_sized(used + sizeof(struct object) + key_size + 32);
	struct object *object = ARENA_NEW(arena, struct object);
	char *key = arena_alloc(arena, key_size);
	snprintf(key, key_size, "%s%s%s", namespace, *namespace ? "/" : "", name);
	object->arena = arena;
	object->key = key;
	object->msg = api_copy_msg(arena, msg);
	object->resource_version = object_resource_version(object->msg);
	atomic_init(&object->refs, 1);
	return object;
}

struct object *object_ref(const struct object *object)
{
	struct object *o = (struct object *)object;
	atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

void object_unref(struct object *object)
{
	if (object && atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) == 1)
		arena_free(object->arena);
}

void object_key_split(struct arena *arena, const char *key, char **ret_namespace, char **ret_name)
{
	const char *slash = strchr(key, '/');
	*ret_namespace = arena_strndup(arena, key, slash ? (size_t)(slash - key) : 0);
	*ret_name = arena_strdup(arena, slash ? slash + 1 : key);
}
