/* Entries with another resource version, and those that are ready before etcd tells of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/store/drafts.h"
#include "base/str.h"

/* A pod whose metadata has so many bytes of annotation, and fields on both sides of the version's. */
static CoreV1Pod *pod_of(struct arena *arena, const char *name, size_t annotation)
{
	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, pod);
	char *text = arena_zalloc(arena, annotation + 1);
	memset(text, 'x', annotation);
	meta->name = arena_strdup(arena, name);
	meta->namespace = arena_strdup(arena, "a");
	meta_set_label(arena, meta, "app", "web");
	meta_set_label(arena, meta, "tier", "");
	if (annotation)
		meta_set_annotation(arena, meta, "text", text);
	pod->spec = API_NEW(arena, CoreV1PodSpec);
	pod->spec->node_name = arena_strdup(arena, "node-1");
	return pod;
}

static void assert_same(const struct entry *entry, const struct entry *other)
{
	assert_string_equal(entry->key, other->key);
	assert_string_equal(entry->namespace, other->namespace);
	assert_string_equal(entry->name, other->name);
	assert_int_equal(entry->revision, other->revision);
	assert_int_equal(entry->n_labels, other->n_labels);
	for (size_t i = 0; i < entry->n_labels; i++) {
		assert_string_equal(entry->labels[i]->key, other->labels[i]->key);
		assert_string_equal(entry->labels[i]->value, other->labels[i]->value);
	}
	assert_string_equal(entry_field(entry, "spec.nodeName"), entry_field(other, "spec.nodeName"));
	assert_int_equal(entry->size, other->size);
	assert_memory_equal(entry->bytes, other->bytes, entry->size);
}

static struct entry *entry_with(struct arena *arena, CoreV1Pod *pod, const char *version, int64_t revision)
{
	object_meta(pod)->resource_version = arena_strdup(arena, version);
	return entry_new(CoreV1Pod_schema.resource, "a/x", revision, pod);
}

/* Of all lengths beside which the number before the metadata takes one byte more. */
static void another_version_is_what_encoding_anew_gives(void **state)
{
	static const int64_t revisions[] = {1, 99, 100, 12345678901234};
	for (size_t i = 0; i < 2 * 300; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *pod = pod_of(arena, "x", i / 2 < 150 ? i / 2 : i / 2 + 16130);
		if (i % 2)
			object_meta(pod)->uid = arena_strdup(arena, "0-1-2");
		for (size_t k = 0; k < ARRAY_SIZE(revisions); k++) {
			static const char *const before[] = {"", "7", "4711", "999999999999999"};
			CLEANUP(entry_unrefp) struct entry *old = entry_with(arena, pod, before[k], 7);
			CLEANUP(entry_unrefp) struct entry *spliced = entry_at_revision(old, revisions[k]);
			char text[24];
			snprintf(text, sizeof(text), "%lld", (long long)revisions[k]);
			CLEANUP(entry_unrefp) struct entry *encoded = entry_with(arena, pod, text, revisions[k]);
			assert_same(spliced, encoded);
			CLEANUP(entry_unrefp)
			struct entry *finished = entry_finish(
				entry_draft(old->resource, old->key, pod, old->bytes, old->size), revisions[k]);
			assert_same(finished, encoded);
		}
	}
}

struct written {
	struct arena *arena;
	CoreV1Pod *pod;
	struct strbuf value;
};

static struct written write_pod_of(struct arena *arena, const char *name, size_t annotation, const char *uid)
{
	struct written w = {arena, pod_of(arena, name, annotation), STRBUF_INIT};
	object_meta(w.pod)->uid = arena_strdup(arena, uid);
	api_set_defaults(arena, &w.pod->base);
	protobuf_encode(&w.value, w.pod);
	return w;
}

static struct written write_pod(struct arena *arena, const char *name, size_t annotation)
{
	return write_pod_of(arena, name, annotation, "");
}

static void put(struct drafts *drafts, const struct written *w)
{
	drafts_put(drafts, CoreV1Pod_schema.resource, w->pod, w->value.buf, w->value.len);
}

static struct entry *take(struct drafts *drafts, const struct written *w, const char *key, int64_t revision)
{
	return drafts_take(drafts, CoreV1Pod_schema.resource, key, w->value.buf, w->value.len, revision);
}

static void a_draft_is_taken_once_and_only_for_its_bytes(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct drafts *drafts = drafts_new(clock_system());
	struct written one = write_pod(arena, "x", 10), other = write_pod(arena, "x", 11);
	assert_null(take(drafts, &one, "a/x", 5));
	put(drafts, &one);
	assert_null(take(drafts, &other, "a/x", 5));
	assert_null(take(drafts, &one, "a/y", 5));
	assert_null(drafts_take(drafts, CoreV1Node_schema.resource, "a/x", one.value.buf, one.value.len, 5));
	assert_null(drafts_take(drafts, CoreV1Pod_schema.resource, "a/x", "{}", 2, 5));
	CLEANUP(entry_unrefp) struct entry *entry = take(drafts, &one, "a/x", 5);
	CLEANUP(entry_unrefp) struct entry *decoded = NULL;
	ProtobufCMessage *object;
	assert_null(entry_from_value(
		arena, CoreV1Pod_schema.resource, "a/x", 5, one.value.buf, one.value.len, &decoded, &object));
	assert_same(entry, decoded);
	assert_null(take(drafts, &one, "a/x", 6));
	/* As many bytes are not the same bytes. */
	struct written first = write_pod_of(arena, "x", 10, "1"), second = write_pod_of(arena, "x", 10, "2");
	assert_int_equal(first.value.len, second.value.len);
	put(drafts, &first);
	assert_null(take(drafts, &second, "a/x", 6));
	strbuf_done(&first.value);
	strbuf_done(&second.value);
	/* The later write of a key is the one that is remembered. */
	put(drafts, &one);
	put(drafts, &other);
	assert_null(take(drafts, &one, "a/x", 7));
	CLEANUP(entry_unrefp) struct entry *later = take(drafts, &other, "a/x", 8);
	assert_non_null(later);
	strbuf_done(&one.value);
	strbuf_done(&other.value);
	drafts_free(drafts);
}

static void drafts_are_dropped_when_old_and_when_they_are_too_many(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct drafts *drafts = drafts_new(clock);
	struct written w = write_pod(arena, "x", 10);
	put(drafts, &w);
	clock_fake_advance(clock, 60000);
	drafts_age(drafts);
	assert_null(take(drafts, &w, "a/x", 5));
	put(drafts, &w);
	drafts_age(drafts);
	CLEANUP(entry_unrefp) struct entry *young = take(drafts, &w, "a/x", 5);
	assert_non_null(young);
	strbuf_done(&w.value);
	size_t n_kept = 0;
	for (int i = 0; i < 20; i++) {
		struct written big = write_pod(arena, arena_printf(arena, "big-%d", i), 1 << 20);
		put(drafts, &big);
		strbuf_done(&big.value);
	}
	for (int i = 0; i < 20; i++) {
		struct written big = write_pod(arena, arena_printf(arena, "big-%d", i), 1 << 20);
		struct entry *entry = take(drafts, &big, arena_printf(arena, "a/big-%d", i), 5);
		n_kept += entry != NULL;
		entry_unref(entry);
		strbuf_done(&big.value);
	}
	assert_in_range(n_kept, 1, 4);
	drafts_free(drafts);
	clock_fake_free(clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_version_is_what_encoding_anew_gives),
		cmocka_unit_test(a_draft_is_taken_once_and_only_for_its_bytes),
		cmocka_unit_test(drafts_are_dropped_when_old_and_when_they_are_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
