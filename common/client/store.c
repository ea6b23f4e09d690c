#include "client/store.h"

#include <stdlib.h>
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"

static void bucket_free(void *p)
{
	struct bucket *b = p;
	free(b->items);
	free(b);
}

void store_init(struct store *s)
{
	*s = (struct store){.objects = strmap_new(NULL)};
	pthread_rwlock_init(&s->lock, NULL);
	store_add_index(s, "namespace", NULL);
}

void store_done(struct store *s)
{
	for (size_t i = 0; i < s->n_indexes; i++) {
		free(s->indexes[i].name);
		strmap_free(s->indexes[i].buckets);
	}
	free(s->indexes);
	STRMAP_FOREACH (s->objects, it)
		object_unref(it.value);
	strmap_free(s->objects);
	pthread_rwlock_destroy(&s->lock);
}

/* --- indexes; the lock is held for writing --- */

struct emit {
	struct index *index;
	struct object *object;
	bool add;
};

static void bucket_add(struct index *index, const char *value, struct object *object)
{
	struct bucket *b = strmap_get(index->buckets, value);
	if (!b) {
		b = mem_zalloc(sizeof(*b));
		strmap_put(index->buckets, value, b);
	}
	for (size_t i = 0; i < b->n_items; i++)
		if (b->items[i] == object)
			return;
	mem_grow(&b->items, &b->cap_items, b->n_items + 1, sizeof(*b->items));
	b->items[b->n_items++] = object;
}

static void bucket_remove(struct index *index, const char *value, const struct object *object)
{
	struct bucket *b = strmap_get(index->buckets, value);
	for (size_t i = 0; b && i < b->n_items; i++) {
		if (b->items[i] != object)
			continue;
		b->items[i] = b->items[--b->n_items];
		break;
	}
	if (b && !b->n_items)
		strmap_remove(index->buckets, value);
}

static void emit(void *ctx, const char *value)
{
	struct emit *e = ctx;
	if (e->add)
		bucket_add(e->index, value, e->object);
	else
		bucket_remove(e->index, value, e->object);
}

static void index_object(struct index *index, struct object *object, bool add)
{
	struct emit e = {index, object, add};
	if (index->fn)
		index->fn(object->msg, emit, &e);
	else
		emit(&e, object_namespace(object->msg));
}

static void index_all(struct store *s, struct object *object, bool add)
{
	for (size_t i = 0; i < s->n_indexes; i++)
		index_object(&s->indexes[i], object, add);
}

void store_add_index(struct store *s, const char *name, informer_index_fn *fn)
{
	pthread_rwlock_wrlock(&s->lock);
	bool known = false;
	for (size_t i = 0; i < s->n_indexes; i++)
		known = known || str_eq(s->indexes[i].name, name);
	if (!known) {
		mem_grow(&s->indexes, &s->cap_indexes, s->n_indexes + 1, sizeof(*s->indexes));
		struct index *index = &s->indexes[s->n_indexes++];
		*index = (struct index){mem_strdup(name), fn, strmap_new(bucket_free)};
		STRMAP_FOREACH (s->objects, it)
			index_object(index, it.value, true);
	}
	pthread_rwlock_unlock(&s->lock);
}

struct object *store_put(struct store *s, struct object *object)
{
	pthread_rwlock_wrlock(&s->lock);
	struct object *old = strmap_get(s->objects, object->key);
	if (old)
		index_all(s, old, false);
	strmap_put(s->objects, object->key, object);
	index_all(s, object, true);
	pthread_rwlock_unlock(&s->lock);
	return old;
}

struct object *store_remove(struct store *s, const char *key)
{
	pthread_rwlock_wrlock(&s->lock);
	struct object *old = strmap_steal(s->objects, key);
	if (old)
		index_all(s, old, false);
	pthread_rwlock_unlock(&s->lock);
	return old;
}
