/*
 * Values of etcd, whoever wrote them and however broken they are, through the cache: what can be read is kept under
 * etcd's key, in order, and can be sent in every form; what a watcher is told adds up to what is there; and what was
 * there is remembered.
 */
#include <zlib.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "apiserver/store/cache_private.h"
#include "base/map.h"
#include "base/mem.h"
#include "test/fuzz/object.h"

enum { MAX_CHANGES = 16 };

/* --- values --- */

static void add_raw(struct strbuf *out, struct fuzz_bytes *b)
{
	for (size_t n = fuzz_byte(b); n; n--)
		strbuf_addc(out, (char)fuzz_byte(b));
}

/* An object of the kind or of another, as this release or some other might have written it. */
static void add_object(struct strbuf *out, struct fuzz_bytes *b, struct arena *arena, const struct schema_type *type)
{
	static const char *const versions[] = {"v1", "v1beta1", "apps/v1", "example.com/v9", ""};
	const uint8_t how = fuzz_byte(b);
	if (how % 8 == 0)
		type = fuzz_kind(b);
	if (how & 0x40) {
		const char *text = fuzz_object(arena, b, type);
		strbuf_printf(out, "{\"apiVersion\":\"%s\",\"kind\":\"%s\"%s%s", FUZZ_PICK(b, versions), type->kind,
			*text == '{' && text[1] != '}' ? "," : "", *text == '{' ? text + 1 : "}");
	} else if (how & 0x20) {
		protobuf_encode_as(out, fuzz_typed(arena, b, type), FUZZ_PICK(b, versions), type->kind);
	} else {
		protobuf_encode(out, fuzz_typed(arena, b, type));
	}
}

static void break_it(struct strbuf *value, struct fuzz_bytes *b)
{
	const uint8_t how = fuzz_byte(b);
	if (!value->len || how < 0xa0)
		return;
	const size_t at = fuzz_below(b, value->len < 65536 ? value->len : 65536);
	if (how < 0xd0)
		value->buf[at] = (char)fuzz_byte(b);
	else
		value->len = at;
}

/* --- what is kept --- */

static void check_deflated(struct entry *entry, enum entry_form form, struct deflater *deflater)
{
	size_t size;
	const char *plain = entry_form_bytes(entry, form, &size);
	const struct deflated *d = entry_deflated(entry, form, deflater);
	assert(d && d->plain_size == size);
	CLEANUP_FREE char *back = mem_alloc(size + 1);
	z_stream z = {.next_in = (Bytef *)(uintptr_t)d->data,
		.avail_in = (uInt)d->size,
		.next_out = (Bytef *)back,
		.avail_out = (uInt)size + 1};
	assert(inflateInit2(&z, -15) == Z_OK);
	int r = inflate(&z, Z_SYNC_FLUSH);
	assert((r == Z_OK || r == Z_BUF_ERROR) && z.total_out == size && !memcmp(back, plain, size));
	inflateEnd(&z);
}

static void check_entry(struct arena *arena, struct entry *entry, struct deflater *deflater)
{
	const struct schema_type *type = entry->resource->type;
	ProtobufCMessage *object = entry_decode(entry, arena), *again, *last;
	const struct piece *json = entry_json(entry);
	struct json_options options = JSON_LENIENT;
	cJSON *metadata;
	CLEANUP_FREE char *version = mem_printf("%lld", (long long)entry->revision);
	fuzz_same_text("the version", object_resource_version(object), version);
	fuzz_same_text("the name", str_or_empty(object_name(object)), entry->name);
	fuzz_ok("the JSON", json_decode(arena, type, json->data, json->size, &options, &again));
	/* Bytes that are no UTF-8 have become signs that are, and stay so. */
	CLEANUP(strbuf_done) struct strbuf rewritten = STRBUF_INIT;
	json_encode(&rewritten, again, JSON_NO_TYPE);
	fuzz_ok("the same again", json_decode(arena, type, rewritten.buf, rewritten.len, &options, &last));
	if (!api_equal(again, last))
		FUZZ_FAIL("the JSON, and what is made of it again:\n%.*s\n%s", (int)json->size, json->data,
			rewritten.buf);
	assert(json->metadata_size);
	fuzz_ok("its metadata",
		tree_parse(arena, json->data + json->metadata_from, json->metadata_size, NULL, &metadata));
	assert(cJSON_IsObject(metadata));
	for (size_t i = 0; i < entry->n_labels; i++)
		assert(entry->labels[i]->key && entry->labels[i]->value);
	assert(entry_row(entry));
	check_deflated(entry, ENTRY_JSON, deflater);
	check_deflated(entry, ENTRY_PROTOBUF, deflater);
	assert(entry_footprint(entry) > entry->size);
}

/* "key@revision" of each. */
static char *text_of(struct arena *arena, const struct snapshot *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, "");
	for (size_t i = 0; i < s->n_items; i++) {
		assert(!i || strcmp(s->items[i - 1]->key, s->items[i]->key) < 0);
		strbuf_printf(&out, "%s@%lld ", s->items[i]->key, (long long)s->items[i]->revision);
	}
	return arena_strdup(arena, out.buf);
}

static char *list_text(struct arena *arena, struct table *t)
{
	struct snapshot s;
	table_list(t, "", NULL, &s);
	char *text = text_of(arena, &s);
	snapshot_done(&s);
	return text;
}

/* What has become unreadable stays where it was, for nothing may count as gone, but is not handed out: it is told of.
 */
static void check_get(struct arena *arena, struct table *t, struct entry *entry)
{
	const char *key = entry->key, *slash = t->resource->namespaced ? strchr(key, '/') : NULL;
	const char *namespace = slash ? arena_strndup(arena, key, (size_t)(slash - key)) : "";
	const char *name = slash ? slash + 1 : key;
	const bool readable = !t->unreadable || !strmap_has(t->unreadable, key);
	struct entry *found = table_get(t, namespace, name);
	assert(found == (readable ? entry : NULL));
	entry_unref(found);
	struct status *of_list = table_check_prefix(t, "");
	assert(!of_list == !t->unreadable);
	status_free(of_list);
	/* The API asks for nothing of a namespaced kind without a namespace. */
	if (t->resource->namespaced && !slash)
		return;
	struct status *of_key = table_check_key(t, namespace, name);
	assert(!of_key == readable);
	status_free(of_key);
}

static void check_table(struct arena *arena, struct table *t)
{
	CLEANUP(deflater_freep) struct deflater *deflater = deflater_new();
	struct snapshot s;
	table_list(t, "", NULL, &s);
	text_of(arena, &s);
	assert(s.n_items == table_count(t));
	for (size_t i = 0; i < s.n_items; i++) {
		check_get(arena, t, s.items[i]);
		check_entry(arena, s.items[i], deflater);
	}
	snapshot_done(&s);
}

/* --- what a watcher is told --- */

struct follower {
	struct watcher *watcher;
	bool loses;		  /* something became unreadable */
	struct strmap *revisions; /* of the keys that are there, as text */
};

static void notify(void *data)
{
}

static void follow(struct follower *f, struct table *t)
{
	const struct watcher_options options = {.prefix = "", .notify = notify};
	struct snapshot s;
	f->revisions = strmap_new(free);
	fuzz_ok("a watch", watcher_new(t, -1, &options, &s, &f->watcher));
	for (size_t i = 0; i < s.n_items; i++)
		strmap_put(f->revisions, s.items[i]->key, mem_printf("%lld", (long long)s.items[i]->revision));
	snapshot_done(&s);
}

/* Whoever watches what becomes unreadable is lost, and goes on from where it was. */
static void lose(struct follower *f, struct table *t)
{
	const struct watcher_options options = {.prefix = "", .notify = notify};
	enum event_type type;
	struct entry *entry;
	int64_t told;
	bool lost;
	assert(!watcher_next(f->watcher, &type, &entry, &told, &lost) && lost);
	watcher_free(f->watcher);
	fuzz_ok("a watch", watcher_new(t, told, &options, NULL, &f->watcher));
}

static void catch_up(struct follower *f, struct table *t, struct arena *arena)
{
	enum event_type type;
	struct entry *entry;
	int64_t revision, last = 0;
	bool lost;
	if (f->loses)
		lose(f, t);
	while (watcher_next(f->watcher, &type, &entry, &revision, &lost)) {
		const bool there = strmap_has(f->revisions, entry->key);
		CLEANUP_FREE char *version = mem_printf("%lld", (long long)entry->revision);
		assert(!lost && there == (type != EVENT_ADDED) && revision > last && entry->revision == revision);
		fuzz_same_text("the version of an event", object_resource_version(entry_decode(entry, arena)), version);
		if (type == EVENT_DELETED)
			strmap_remove(f->revisions, entry->key);
		else
			strmap_put(f->revisions, entry->key, mem_strdup(version));
		last = revision;
		entry_unref(entry);
	}
	assert(!lost && watcher_waits(f->watcher));
}

static char *follower_text(struct follower *f, struct arena *arena)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t n;
	CLEANUP_FREE const char **keys = strmap_sorted_keys(f->revisions, &n);
	strbuf_adds(&out, "");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s@%s ", keys[i], (const char *)strmap_get(f->revisions, keys[i]));
	return arena_strdup(arena, out.buf);
}

/* --- a run --- */

/* Whether it made a value that cannot be read. */
static bool change(struct cache *cache, struct table *t, struct fuzz_bytes *b, int64_t revision)
{
	static const char *const rests[] = {"d/a", "d/b", "d/c", "a", "b", "d", "", "d/a/b", "e/a", "d-e/a"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	const char *key = arena_printf(arena, "%s%s", t->prefix, FUZZ_PICK(b, rests));
	const uint8_t what = fuzz_byte(b);
	if (what % 8 == 0) {
		cache_apply(cache, key, NULL, 0, revision);
	} else {
		if (what % 8 == 1)
			add_raw(&value, b);
		else
			add_object(&value, b, arena, t->resource->type);
		break_it(&value, b);
		/* As it comes from etcd: nothing after the last byte. */
		CLEANUP_FREE char *exact = mem_dup(value.buf ? value.buf : "", value.len);
		cache_apply(cache, key, exact, value.len, revision);
	}
	cache_advance(cache, revision);
	return t->unreadable && strmap_has(t->unreadable, key + t->prefix_len);
}

static void check_then(struct arena *arena, struct table *t, char *const *then, int64_t first, int64_t last)
{
	for (int64_t revision = first; revision <= last; revision++) {
		struct snapshot s;
		assert(table_list_at(t, "", NULL, revision, &s));
		fuzz_same_text("as it was", text_of(arena, &s), then[revision]);
		snapshot_done(&s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes b = {data, data + size};
	char *then[MAX_CHANGES + 1];
	struct follower follower = {0};
	if (size > FUZZ_MAX_SIZE)
		return 0;
	struct cache *cache = cache_new(NULL, "/registry", clock_system());
	struct table *t = &cache->tables[fuzz_below(&b, cache->n_tables)];
	/* What is there at the start has happened before anybody may ask. */
	const int64_t n_first = fuzz_byte(&b) % 4;
	int64_t revision = 0;
	while (revision < n_first)
		change(cache, t, &b, ++revision);
	cache_mark_synced(cache, revision);
	then[revision] = list_text(arena, t);
	follow(&follower, t);
	while (revision < MAX_CHANGES && b.at < b.end) {
		follower.loses |= change(cache, t, &b, ++revision);
		then[revision] = list_text(arena, t);
	}
	check_table(arena, t);
	catch_up(&follower, t, arena);
	fuzz_same_text("what was told, and what there is", follower_text(&follower, arena), then[revision]);
	check_then(arena, t, then, n_first, revision);
	watcher_free(follower.watcher);
	strmap_free(follower.revisions);
	cache_free(cache);
	return 0;
}
