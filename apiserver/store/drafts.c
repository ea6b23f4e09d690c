#include "apiserver/store/drafts.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"

#define PLACES 512 /* a power of two */
#define MOST_BYTES (4u << 20)
#define KEEP_MS 5000

struct draft {
	struct entry *entry; /* without a resource version; NULL: the place is free */
	int64_t at_ms;
};

struct drafts {
	const struct clock *clock;
	pthread_mutex_t lock; /* guards what follows */
	size_t bytes;
	struct draft places[PLACES];
};

struct drafts *drafts_new(const struct clock *clock)
{
	struct drafts *d = mem_zalloc(sizeof(*d));
	d->clock = clock;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void drafts_free(struct drafts *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < PLACES; i++)
		entry_unref(d->places[i].entry);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static struct draft *place_of(struct drafts *d, const char *key)
{
	return &d->places[hash_keyed(key, strlen(key)) & (PLACES - 1)];
}

/* The object's bytes within a value; false when it is no envelope. */
static bool find_raw(const void *value, size_t size, const uint8_t **ret_raw, size_t *ret_size)
{
	const uint8_t *p = value, *end = p + size;
	struct protobuf_field f;
	bool found = false;
	if (!protobuf_has_magic(value, size))
		return false;
	for (p += PROTOBUF_MAGIC_SIZE; p < end;) {
		if (!protobuf_read_field(&p, end, &f))
			return false;
		if (f.number != 2 || f.type != 2)
			continue;
		*ret_raw = f.data;
		*ret_size = f.size;
		found = true;
	}
	return found;
}

/* Takes what a place holds; the lock is held. */
static struct entry *empty(struct drafts *d, struct draft *place)
{
	if (place->entry)
		d->bytes -= place->entry->size;
	return STEAL(place->entry);
}

void drafts_put(
	struct drafts *d, const struct schema_resource *resource, const void *object, const void *value, size_t size)
{
	const uint8_t *raw;
	size_t raw_size;
	if (!find_raw(value, size, &raw, &raw_size) || raw_size > MOST_BYTES)
		return;
	CLEANUP(strbuf_done) struct strbuf key = STRBUF_INIT;
	if (resource->namespaced) {
		strbuf_adds(&key, object_namespace(object));
		strbuf_addc(&key, '/');
	}
	strbuf_adds(&key, object_name(object));
	struct entry *entry = entry_draft(resource, key.buf, object, raw, raw_size);
	struct draft *place = place_of(d, entry->key);
	const int64_t now_ms = clock_mono_ms(d->clock);
	pthread_mutex_lock(&d->lock);
	struct entry *unwanted = empty(d, place);
	if (d->bytes + raw_size <= MOST_BYTES) {
		*place = (struct draft){entry, now_ms};
		d->bytes += raw_size;
		entry = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	entry_unref(unwanted);
	entry_unref(entry);
}

static bool is_of(const struct entry *draft, const struct schema_resource *resource, const char *key,
	const uint8_t *raw, size_t raw_size)
{
	return draft && draft->resource == resource && draft->size == raw_size && !strcmp(draft->key, key) &&
	       !memcmp(draft->bytes, raw, raw_size);
}

/* Builds for tests decode the value all the same: both have to agree. */
static void check(const struct entry *entry, const void *value, size_t size)
{
#ifdef KUBEC_FAIL_POINTS
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(entry_unrefp) struct entry *decoded = NULL;
	ProtobufCMessage *object;
	struct status *status =
		entry_from_value(arena, entry->resource, entry->key, entry->revision, value, size, &decoded, &object);
	assert(!status && str_eq(entry->key, decoded->key) && str_eq(entry->namespace, decoded->namespace) &&
		str_eq(entry->name, decoded->name) && entry->n_labels == decoded->n_labels);
	for (size_t i = 0; i < entry->n_labels; i++)
		assert(str_eq(entry->labels[i]->key, decoded->labels[i]->key) &&
			str_eq(entry->labels[i]->value, decoded->labels[i]->value));
	for (size_t i = 0; entry->resource->selectable[i]; i++)
		assert(str_eq(entry->fields[i], decoded->fields[i]));
	assert(entry->size == decoded->size && !memcmp(entry->bytes, decoded->bytes, entry->size));
#endif
}

struct entry *drafts_take(struct drafts *d, const struct schema_resource *resource, const char *key, const void *value,
	size_t size, int64_t revision)
{
	const uint8_t *raw;
	size_t raw_size;
	if (!find_raw(value, size, &raw, &raw_size))
		return NULL;
	struct draft *place = place_of(d, key);
	struct entry *draft = NULL;
	pthread_mutex_lock(&d->lock);
	if (is_of(place->entry, resource, key, raw, raw_size))
		draft = empty(d, place);
	pthread_mutex_unlock(&d->lock);
	if (!draft)
		return NULL;
	struct entry *entry = entry_finish(draft, revision);
	check(entry, value, size);
	return entry;
}

void drafts_age(struct drafts *d)
{
	const int64_t oldest_ms = clock_mono_ms(d->clock) - KEEP_MS;
	for (size_t i = 0; i < PLACES; i++) {
		struct entry *old = NULL;
		pthread_mutex_lock(&d->lock);
		if (d->places[i].entry && d->places[i].at_ms < oldest_ms)
			old = empty(d, &d->places[i]);
		pthread_mutex_unlock(&d->lock);
		entry_unref(old);
	}
}
