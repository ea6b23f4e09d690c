/* Reading an informer's store: references are taken under its lock and held by the reader's arena. */
#include "client/informer_internal.h"

static void release(void *data)
{
	object_unref(data);
}

struct object *informer_ref(struct informer *informer, const char *key)
{
	struct store *s = &informer->store;
	pthread_rwlock_rdlock(&s->lock);
	struct object *object = strmap_get(s->objects, key);
	if (object)
		object_ref(object);
	pthread_rwlock_unlock(&s->lock);
	return object;
}

const void *informer_get_key(struct informer *informer, struct arena *arena, const char *key)
{
	struct object *object = informer_ref(informer, key);
	if (!object)
		return NULL;
	arena_defer(arena, release, object);
	return object->msg;
}

const void *informer_get(struct informer *informer, struct arena *arena, const char *namespace, const char *name)
{
	if (str_empty(namespace))
		return informer_get_key(informer, arena, str_or_empty(name));
	return informer_get_key(informer, arena, arena_printf(arena, "%s/%s", namespace, str_or_empty(name)));
}

/* References that an arena holds. */
struct held {
	size_t n;
	struct object **objects;
	const void **msgs;
};

static void release_held(void *data)
{
	struct held *held = data;
	for (size_t i = 0; i < held->n; i++)
		object_unref(held->objects[i]);
}

static struct held *held_new(struct arena *arena, size_t n)
{
	struct held *held = ARENA_NEW(arena, struct held);
	held->objects = arena_alloc(arena, (n + 1) * sizeof(*held->objects));
	held->msgs = arena_alloc(arena, (n + 1) * sizeof(*held->msgs));
	arena_defer(arena, release_held, held);
	return held;
}

static void hold(struct held *held, struct object *object)
{
	held->objects[held->n] = object_ref(object);
	held->msgs[held->n++] = object->msg;
}

const void *const *informer_list_index(
	struct informer *informer, struct arena *arena, const char *index, const char *value, size_t *ret_n)
{
	struct store *s = &informer->store;
	struct bucket *b = NULL;
	pthread_rwlock_rdlock(&s->lock);
	for (size_t i = 0; i < s->n_indexes; i++)
		if (str_eq(s->indexes[i].name, index))
			b = strmap_get(s->indexes[i].buckets, str_or_empty(value));
	struct held *held = held_new(arena, b ? b->n_items : 0);
	for (size_t i = 0; b && i < b->n_items; i++)
		hold(held, b->items[i]);
	pthread_rwlock_unlock(&s->lock);
	*ret_n = held->n;
	return held->msgs;
}

const void *const *informer_list(struct informer *informer, struct arena *arena, const char *namespace, size_t *ret_n)
{
	struct store *s = &informer->store;
	if (!str_empty(namespace))
		return informer_list_index(informer, arena, "namespace", namespace, ret_n);
	pthread_rwlock_rdlock(&s->lock);
	struct held *held = held_new(arena, strmap_count(s->objects));
	STRMAP_FOREACH (s->objects, it)
		hold(held, it.value);
	pthread_rwlock_unlock(&s->lock);
	*ret_n = held->n;
	return held->msgs;
}

size_t informer_count(struct informer *informer)
{
	pthread_rwlock_rdlock(&informer->store.lock);
	size_t n = strmap_count(informer->store.objects);
	pthread_rwlock_unlock(&informer->store.lock);
	return n;
}

void informer_foreach(struct informer *informer, bool (*fn)(void *data, const struct object *object), void *data)
{
	pthread_rwlock_rdlock(&informer->store.lock);
	STRMAP_FOREACH (informer->store.objects, it)
		if (!fn(data, it.value))
			break;
	pthread_rwlock_unlock(&informer->store.lock);
}
