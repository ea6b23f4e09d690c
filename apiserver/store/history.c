/* Objects as they were at a revision that the cache no longer remembers: etcd does, until it is compacted. */
#include "apiserver/store/cache_private.h"
#include "apiserver/store/value.h"
#include "base/mem.h"
#include "base/str.h"

struct reading {
	const struct table *table;
	struct snapshot *snapshot;
	size_t cap;
	struct status *status;
};

static void add(void *data, const struct etcd_kv *kv)
{
	struct reading *r = data;
	struct snapshot *s = r->snapshot;
	if (r->status || !str_starts_with(kv->key, r->table->prefix))
		return;
	mem_grow(&s->items, &r->cap, s->n_items + 1, sizeof(*s->items));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *object;
	r->status = table_decode(r->table, arena, kv, &s->items[s->n_items], &object);
	if (!r->status) {
		s->n_items++;
		return;
	}
	CLEANUP_STATUS struct status *why = r->status;
	r->status = value_unlistable(kv->key, why);
}

struct status *table_list_stored(
	const struct table *table, const char *prefix, int64_t revision, struct snapshot *ret_snapshot)
{
	CLEANUP_FREE char *keys = mem_printf("%s%s", table->prefix, prefix);
	struct snapshot snapshot = {.revision = revision};
	struct reading reading = {.table = table, .snapshot = &snapshot};
	struct status *s = etcd_each(table->cache->etcd, keys, &revision, add, &reading);
	if (!s)
		s = reading.status;
	else
		status_free(reading.status);
	if (s) {
		snapshot_done(&snapshot);
		return s;
	}
	*ret_snapshot = snapshot;
	return NULL;
}
