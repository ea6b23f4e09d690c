/* The cache: what is there, what was there, and what each watcher is told. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/store/cache_private.h"
#include "base/str.h"
#include "test/unit/apiserver/pods.h"

static struct cache *new_cache(void)
{
	struct cache *cache = cache_new(NULL, "/registry", clock_system());
	cache_mark_synced(cache, 10);
	return cache;
}

static char *keys(struct arena *arena, const struct snapshot *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < s->n_items; i++)
		strbuf_printf(&out, "%s%s@%lld", i ? " " : "", s->items[i]->key, (long long)s->items[i]->revision);
	return arena_strdup(arena, out.buf);
}

static void lists_are_in_order_and_bounded_by_prefix(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	struct snapshot s;
	put(cache, "b", "x", "web", 11);
	put(cache, "a", "z", "web", 12);
	put(cache, "a", "y", "db", 13);
	put(cache, "a-b", "q", "db", 14);
	table_list(pods, "", NULL, &s);
	assert_string_equal(keys(arena, &s), "a-b/q@14 a/y@13 a/z@12 b/x@11");
	snapshot_done(&s);
	table_list(pods, "a/", NULL, &s);
	assert_string_equal(keys(arena, &s), "a/y@13 a/z@12");
	snapshot_done(&s);
	cache_free(cache);
}

static void the_past_is_known_within_the_window(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	struct snapshot s;
	put(cache, "a", "one", "web", 11);
	put(cache, "a", "two", "web", 12);
	drop(cache, "a", "one", 13);
	put(cache, "a", "two", "db", 14);
	put(cache, "a", "six", "db", 15);
	static const struct {
		int64_t revision;
		const char *expected; /* NULL: not known */
	} cases[] = {{9, NULL}, {10, ""}, {11, "a/one@11"}, {12, "a/one@11 a/two@12"}, {13, "a/two@12"},
		{14, "a/two@14"}, {15, "a/six@15 a/two@14"}, {16, NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool known = table_list_at(pods, "", NULL, cases[i].revision, &s);
		assert_int_equal(known, cases[i].expected != NULL);
		if (!known)
			continue;
		assert_string_equal(keys(arena, &s), cases[i].expected);
		snapshot_done(&s);
	}
	cache_free(cache);
}

/* What a list through a selector holds: all that match, and of the others next to none. */
static void lists_through_selectors_hold_what_matches(void **state)
{
	enum { OBJECTS = 500, APPS = 25, MOST_OTHERS = OBJECTS / 10 };
	static const struct {
		const char *selector;
		size_t n_matching;
		bool narrow; /* others are left out */
	} cases[] = {{"app=a7", 19, true}, {"app in (a7)", 19, true}, {"app in (a7,a8)", 39, false},
		{"app!=a7", 480, false}, {"app", 499, false}, {"!app", 0, false}, {"app=a7,app=a8", 0, true},
		{"app=none", 0, true}, {"app=changed", 1, true}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	for (int64_t i = 0; i < OBJECTS; i++)
		put(cache, "a", arena_printf(arena, "p%03lld", (long long)(i * 7 % OBJECTS)),
			arena_printf(arena, "a%lld", (long long)(i * 7 % APPS)), 11 + i);
	drop(cache, "a", "p107", 1000); /* of a7; p000 of a0 */
	put(cache, "a", "p000", "changed", 1001);
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct label_selector *selector;
		struct snapshot s;
		size_t n = 0;
		assert_null(label_selector_parse(arena, cases[c].selector, &selector));
		table_list(pods, "a/", selector, &s);
		for (size_t i = 0; i < s.n_items; i++)
			n += entry_matches(s.items[i], selector, NULL);
		assert_int_equal(n, cases[c].n_matching);
		if (cases[c].narrow)
			assert_in_range(s.n_items, n, n + MOST_OTHERS);
		assert_string_equal(s.items[s.n_items - 1]->key, "a/p499");
		snapshot_done(&s);
	}
	struct label_selector *selector;
	struct snapshot s;
	assert_null(label_selector_parse(arena, "app=a7", &selector));
	assert_true(table_list_at(pods, "a/", selector, 999, &s));
	size_t n = 0;
	for (size_t i = 0; i < s.n_items; i++)
		n += entry_matches(s.items[i], selector, NULL);
	assert_int_equal(n, 20);
	snapshot_done(&s);
	/* The last of then, which another has come behind. */
	put(cache, "a", "p999", "changed", 1002);
	for (int64_t revision = 1001; revision <= 1002; revision++) {
		assert_true(table_list_at(pods, "a/", selector, revision, &s));
		assert_string_equal(s.items[s.n_items - 1]->key, revision == 1001 ? "a/p499" : "a/p999");
		snapshot_done(&s);
	}
	cache_free(cache);
}

/* Everything that the watcher is told now. */
static void watchers_see_what_their_selectors_let_through(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	struct label_selector *web;
	struct field_selector *node;
	assert_null(label_selector_parse(arena, "app=web", &web));
	assert_null(field_selector_parse(arena, "spec.nodeName=web", &node));
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	const struct watcher_options one = {.prefix = "a/", .labels = web, .notify = nothing};
	const struct watcher_options on_node = {.prefix = "", .fields = node, .notify = nothing};
	struct watcher *w_all, *w_web, *w_node;
	assert_null(watcher_new(pods, 10, &all, NULL, &w_all));
	assert_null(watcher_new(pods, 10, &one, NULL, &w_web));
	assert_null(watcher_new(pods, -1, &on_node, NULL, &w_node));
	put(cache, "a", "x", "web", 11);
	put(cache, "b", "x", "web", 12);
	put(cache, "a", "x", "db", 13);
	put(cache, "a", "x", "web", 14);
	drop(cache, "a", "x", 15);
	drop(cache, "a", "never", 16);
	assert_string_equal(drain(arena, w_all), "+a/x@11 +b/x@12 ~a/x@13 ~a/x@14 -a/x@15");
	assert_string_equal(drain(arena, w_web), "+a/x@11 -a/x@13 +a/x@14 -a/x@15");
	assert_string_equal(drain(arena, w_node), "+a/x@11 +b/x@12 -a/x@13 +a/x@14 -a/x@15");
	assert_string_equal(drain(arena, w_all), "");
	watcher_free(w_all);
	watcher_free(w_web);
	watcher_free(w_node);
	cache_free(cache);
}

static void a_watch_from_before_the_window_is_told_so(void **state)
{
	struct cache *cache = new_cache();
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	struct watcher *w;
	struct status *status = watcher_new(cache_table(cache, "", "pods"), 9, &all, NULL, &w);
	assert_true(status_is(status, STATUS_EXPIRED));
	assert_string_equal(status->message, "too old resource version: 9 (10)");
	status_free(status);
	cache_free(cache);
}

/* What a storm of large objects has superseded is known for some seconds, and then as far as it is small beside the
 * rest; watches begin wherever the window says. */
static void old_events_are_forgotten_by_their_size(void **state)
{
	enum { EVENTS = 300, BYTES = 100000, YOUNG_MS = 5000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	struct table *pods = cache_table(cache, "", "pods");
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	char *large = arena_alloc(arena, BYTES + 1);
	memset(large, 'x', BYTES);
	large[BYTES] = 0;
	cache_mark_synced(cache, 10);
	for (int64_t i = 1; i <= EVENTS; i++)
		put(cache, "a", "one", large, 10 + i);
	clock_fake_advance(clock, YOUNG_MS - 1);
	assert_int_equal(cache_tick(cache), 0);
	struct watcher *w;
	assert_null(watcher_new(pods, 10, &all, NULL, &w));
	watcher_free(w);
	clock_fake_advance(clock, 1);
	/* The label and the field: an entry holds each value as a string and in its bytes. */
	assert_in_range(cache_tick(cache), EVENTS / 2 * BYTES, EVENTS * 4 * BYTES);
	assert_int_equal(cache_tick(cache), 0);
	struct status *status = watcher_new(pods, 10, &all, NULL, &w);
	assert_true(status_is(status, STATUS_EXPIRED));
	status_free(status);
	/* A hundred are known whatever their size. */
	assert_null(watcher_new(pods, 10 + EVENTS - 100, &all, NULL, &w));
	enum event_type type;
	int64_t revision;
	bool lost;
	struct entry *entry;
	for (int i = 0; i < 100; i++) {
		assert_true(watcher_next(w, &type, &entry, &revision, &lost));
		entry_unref(entry);
	}
	assert_int_equal(revision, 10 + EVENTS);
	assert_false(watcher_next(w, &type, &entry, &revision, &lost));
	assert_false(lost);
	watcher_free(w);
	cache_free(cache);
	clock_fake_free(clock);
}

/* After so long, what was then is known from that revision on. */
struct forgotten {
	int64_t advance_ms, first_known;
};

static void assert_known_from(struct cache *cache, struct clock *clock, const struct forgotten *wanted)
{
	struct table *pods = cache_table(cache, "", "pods");
	struct snapshot s;
	clock_fake_advance(clock, wanted->advance_ms);
	cache_tick(cache);
	assert_false(table_list_at(pods, "", NULL, wanted->first_known - 1, &s));
	assert_true(table_list_at(pods, "", NULL, wanted->first_known, &s));
	snapshot_done(&s);
}

/* All events are known while they are young, if they are small; later the last hundred, although no other event came.
 */
static void old_events_are_forgotten_by_the_clock(void **state)
{
	enum { EVENTS = 150, LEAST = 100, KEEP_MS = 75000 };
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	struct table *pods = cache_table(cache, "", "pods");
	cache_mark_synced(cache, 10);
	for (int64_t i = 1; i <= EVENTS; i++)
		put(cache, "a", "one", "web", 10 + i);
	static const struct forgotten cases[] = {
		{0, 10}, {KEEP_MS - 1, 10}, {1, 10 + EVENTS - LEAST}, {KEEP_MS, 10 + EVENTS - LEAST}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_known_from(cache, clock, &cases[i]);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	CLEANUP(watcher_freep) struct watcher *w = NULL;
	put(cache, "a", "one", "web", 11 + EVENTS);
	assert_null(watcher_new(pods, 9 + EVENTS, &all, NULL, &w));
	assert_string_equal(drain(arena, w), "~a/one@160 ~a/one@161");
	watcher_free(STEAL(w));
	cache_free(cache);
	clock_fake_free(clock);
}

/* When a storm has been over for a while, less of it is remembered. */
static void a_quiet_table_remembers_less(void **state)
{
	enum { EVENTS = 150, BYTES = 3000, LEAST = 100, QUIET_MS = 10000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	char *text = arena_alloc(arena, BYTES + 1);
	memset(text, 'x', BYTES);
	text[BYTES] = 0;
	cache_mark_synced(cache, 10);
	for (int64_t i = 1; i <= EVENTS; i++)
		put(cache, "a", "one", text, 10 + i);
	/* What the first of the last hundred has superseded is gone, too. */
	static const struct forgotten cases[] = {{QUIET_MS - 1, 10}, {1, 11 + EVENTS - LEAST}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_known_from(cache, clock, &cases[i]);
	cache_free(cache);
	clock_fake_free(clock);
}

/* What modifications have superseded is not kept where it makes no difference to who comes back: he is told the same by
 * every selector. Lists of then ask etcd. */
static void what_was_superseded_is_not_kept_for_long(void **state)
{
	enum { PODS = 100, BYTES = 3000, QUIET_MS = 10000, UNLIKE = 50 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	struct table *pods = cache_table(cache, "", "pods");
	struct snapshot s;
	char *app = arena_alloc(arena, BYTES + 1);
	memset(app, 'x', BYTES);
	app[BYTES] = 0;
	for (int64_t i = 0; i < PODS; i++)
		put(cache, "a", arena_printf(arena, "p%03lld", (long long)i), app, 1 + i);
	cache_mark_synced(cache, PODS);
	for (int64_t i = 0; i < PODS; i++)
		put(cache, "a", arena_printf(arena, "p%03lld", (long long)i), i == UNLIKE ? "web" : app, PODS + 1 + i);
	assert_true(pods->ring_bytes > PODS * BYTES);
	assert_true(table_list_at(pods, "", NULL, PODS + UNLIKE, &s));
	snapshot_done(&s);
	clock_fake_advance(clock, QUIET_MS);
	cache_tick(cache);
	assert_in_range(pods->ring_bytes, 0, PODS * BYTES / 4);
	assert_false(table_list_at(pods, "", NULL, PODS, &s));
	assert_true(table_list_at(pods, "", NULL, 2 * PODS, &s));
	snapshot_done(&s);
	struct label_selector *labels;
	assert_null(label_selector_parse(arena, "app!=web", &labels));
	const struct watcher_options other = {.prefix = "", .labels = labels, .notify = nothing};
	CLEANUP(watcher_freep) struct watcher *w = NULL;
	assert_null(watcher_new(pods, PODS + UNLIKE - 1, &other, NULL, &w));
	char *told = drain(arena, w);
	assert_true(str_starts_with(told, "~a/p049@150 -a/p050@151 ~a/p051@152 "));
	watcher_free(STEAL(w));
	cache_free(cache);
	clock_fake_free(clock);
}

/* Less than what is worth it in a storm is laid anew when nothing has happened for a while. */
static void a_quiet_table_is_laid_anew_for_less(void **state)
{
	enum { PODS = 100, BYTES = 1000, TIDY_MS = 5000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	char *app = arena_alloc(arena, BYTES + 1);
	memset(app, 'x', BYTES);
	app[BYTES] = 0;
	cache_mark_synced(cache, 10);
	clock_fake_advance(clock, TIDY_MS / 2);
	for (int64_t i = 0; i < PODS; i++)
		put(cache, "a", arena_printf(arena, "p%lld", (long long)i), app, 11 + i);
	clock_fake_advance(clock, TIDY_MS / 2);
	assert_int_equal(cache_tick(cache), 0);
	clock_fake_advance(clock, TIDY_MS);
	assert_true(cache_tick(cache) > PODS * BYTES);
	clock_fake_advance(clock, TIDY_MS);
	assert_int_equal(cache_tick(cache), 0);
	cache_free(cache);
	clock_fake_free(clock);
}

/* What many changes have scattered is laid anew: the same objects elsewhere, for lists and for watchers alike. What is
 * kept as JSON stays where it is. */
static void changed_objects_are_laid_anew(void **state)
{
	enum { PODS = 300, BYTES = 1000, WITH_JSON = 7, TIDY_MS = 5000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	struct table *pods = cache_table(cache, "", "pods");
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	struct snapshot before, after, wanted;
	struct watcher *w;
	char name[16], *app = arena_alloc(arena, BYTES + 1);
	memset(app, 'x', BYTES);
	app[BYTES] = 0;
	cache_mark_synced(cache, 10);
	for (int64_t i = 0; i < PODS; i++) {
		snprintf(name, sizeof(name), "p%03lld", (long long)i);
		put(cache, "a", name, app, 11 + i);
	}
	table_list(pods, "", NULL, &before);
	entry_json(before.items[WITH_JSON]);
	clock_fake_advance(clock, TIDY_MS);
	assert_true(cache_tick(cache) > 0);
	table_list(pods, "", NULL, &after);
	assert_int_equal(after.n_items, PODS);
	for (size_t i = 0; i < PODS; i++) {
		struct entry *old = before.items[i], *new = after.items[i];
		assert_int_equal(old == new, i == WITH_JSON);
		assert_string_equal(new->key, old->key);
		assert_string_equal(new->namespace, "a");
		assert_string_equal(new->name, old->name);
		assert_int_equal(new->revision, old->revision);
		assert_int_equal(new->size, old->size);
		assert_memory_equal(new->bytes, old->bytes, old->size);
	}
	snapshot_done(&before);
	struct label_selector *labels;
	struct field_selector *fields;
	assert_null(label_selector_parse(arena, "app,app!=web", &labels));
	assert_null(field_selector_parse(arena, arena_printf(arena, "spec.nodeName=%s", app), &fields));
	for (size_t i = 0; i < PODS; i++)
		assert_true(entry_matches(after.items[i], labels, fields));
	/* Events and what was then are as they were. */
	assert_true(table_list_at(pods, "", NULL, 10 + PODS / 2, &wanted));
	assert_int_equal(wanted.n_items, PODS / 2);
	snapshot_done(&wanted);
	assert_null(watcher_new(pods, 10, &all, NULL, &w));
	enum event_type type;
	int64_t revision;
	bool lost;
	struct entry *entry;
	for (size_t i = 0; i < PODS; i++) {
		assert_true(watcher_next(w, &type, &entry, &revision, &lost));
		assert_int_equal(type, EVENT_ADDED);
		assert_string_equal(entry->key, after.items[i]->key);
		entry_unref(entry);
	}
	watcher_free(w);
	/* Nothing has changed since, and then most have gone. */
	clock_fake_advance(clock, TIDY_MS);
	assert_int_equal(cache_tick(cache), 0);
	struct entry *last = after.items[PODS - 1];
	for (int64_t i = 0; i < PODS - 1; i++) {
		snprintf(name, sizeof(name), "p%03lld", (long long)i);
		drop(cache, "a", name, 11 + PODS + i);
	}
	clock_fake_advance(clock, 80000);
	cache_tick(cache);
	entry = table_get(pods, "a", last->name);
	assert_non_null(entry);
	assert_memory_equal(entry->bytes, last->bytes, last->size);
	entry_unref(entry);
	snapshot_done(&after);
	cache_free(cache);
	clock_fake_free(clock);
}

static void a_deleted_object_carries_the_revision_of_its_end(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	struct watcher *w;
	enum event_type type;
	struct entry *entry;
	int64_t revision;
	bool lost;
	put(cache, "a", "x", "web", 11);
	assert_null(watcher_new(pods, 11, &all, NULL, &w));
	drop(cache, "a", "x", 12);
	assert_true(watcher_next(w, &type, &entry, &revision, &lost));
	assert_int_equal(type, EVENT_DELETED);
	assert_string_equal(object_resource_version(entry_decode(entry, arena)), "12");
	assert_non_null(strstr(entry_json(entry)->data, "\"resourceVersion\":\"12\""));
	entry_unref(entry);
	assert_null(table_get(pods, "a", "x"));
	watcher_free(w);
	cache_free(cache);
}

static bool is_whole(struct table *pods, const char *prefix)
{
	CLEANUP_STATUS struct status *s = table_check_prefix(pods, prefix);
	assert_true(!s ||
		    (status_is(s, STATUS_INTERNAL) && strstr(s->message, "/registry/pods/a/b in etcd cannot be read")));
	return !s;
}

static bool is_there(struct table *pods)
{
	struct entry *entry = table_get(pods, "a", "b");
	CLEANUP_STATUS struct status *s = table_check_key(pods, "a", "b");
	assert_true(!s || !entry);
	entry_unref(entry);
	return entry;
}

static void what_cannot_be_read_is_neither_there_nor_gone(void **state)
{
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	put(cache, "a", "a", "web", 11);
	cache_apply(cache, "/registry/pods/a/b", "k8s\0garbage", 11, 12);
	assert_false(is_whole(pods, "") || is_whole(pods, "a/"));
	assert_true(is_whole(pods, "b/"));
	assert_false(is_there(pods));
	assert_null(table_check_key(pods, "a", "a"));
	put(cache, "a", "b", "web", 13);
	assert_true(is_whole(pods, "") && is_there(pods));
	/* Nobody is told that what there was is gone. */
	cache_apply(cache, "/registry/pods/a/b", "[", 1, 14);
	assert_int_equal(table_count(pods), 2);
	assert_false(is_whole(pods, "") || is_there(pods));
	drop(cache, "a", "b", 15);
	assert_int_equal(table_count(pods), 1);
	assert_true(is_whole(pods, "") && !is_there(pods));
	cache_free(cache);
}

static void count_call(void *data)
{
	++*(int *)data;
}

static void who_watches_what_becomes_unreadable_is_lost(void **state)
{
	int calls = 0;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	const struct watcher_options all = {.prefix = "", .notify = count_call, .data = &calls},
				     beside = {.prefix = "b/", .notify = count_call, .data = &calls};
	struct watcher *w, *other, *again;
	put(cache, "a", "a", "web", 11);
	assert_null(watcher_new(pods, 11, &all, NULL, &w));
	assert_null(watcher_new(pods, 11, &beside, NULL, &other));
	assert_string_equal(drain(arena, w), "");
	assert_string_equal(drain(arena, other), "");
	cache_apply(cache, "/registry/pods/a/a", "[", 1, 12);
	table_notify(pods, -1);
	assert_int_equal(calls, 1);
	assert_string_equal(drain(arena, w), "lost");
	assert_string_equal(drain(arena, other), "");
	CLEANUP_STATUS struct status *s = table_check_ready(pods, "a/");
	assert_true(status_is(s, STATUS_TOO_MANY_REQUESTS) && s->retry_after_seconds == 1);
	assert_null(table_check_ready(pods, "b/"));
	/* Mended, it has changed. */
	put(cache, "a", "a", "web", 13);
	assert_null(watcher_new(pods, 11, &all, NULL, &again));
	assert_string_equal(drain(arena, again), "~a/a@13");
	watcher_free(again);
	watcher_free(other);
	watcher_free(w);
	cache_free(cache);
}

static void foreign_and_broken_values_do_no_harm(void **state)
{
	struct cache *cache = new_cache();
	cache_apply(cache, "/other/key", "x", 1, 11);
	cache_apply(cache, "/registry/unknown/key", "x", 1, 12);
	cache_apply(cache, "/registry/pods/a/b", "\x6b\x38\x73\x00garbage", 11, 13);
	cache_apply(cache, "/registry/pods/a/c", "{\"kind\":", 8, 14);
	assert_int_equal(table_count(cache_table(cache, "", "pods")), 0);
	const char json[] =
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"d\",\"namespace\":\"a\"}}";
	cache_apply(cache, "/registry/pods/a/d", json, sizeof(json) - 1, 15);
	assert_int_equal(table_count(cache_table(cache, "", "pods")), 1);
	cache_free(cache);
}

/* Somebody has copied an object by hand: it is found under etcd's key, and what stands beside it is found as before. */
static void an_object_whose_name_is_not_its_keys_hides_no_other(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	struct table *pods = cache_table(cache, "", "pods");
	struct snapshot s;
	const char json[] =
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"z\",\"namespace\":\"a\"}}";
	put(cache, "a", "c", "web", 11);
	cache_apply(cache, "/registry/pods/a/b", json, sizeof(json) - 1, 12);
	put(cache, "a", "a", "web", 13);
	table_list(pods, "a/", NULL, &s);
	assert_string_equal(keys(arena, &s), "a/a@13 a/b@12 a/c@11");
	assert_string_equal(s.items[1]->name, "z");
	snapshot_done(&s);
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct entry *entry = table_get(pods, "a", names[i]);
		assert_non_null(entry);
		entry_unref(entry);
		drop(cache, "a", names[i], 14 + (int64_t)i);
	}
	assert_int_equal(table_count(pods), 0);
	cache_free(cache);
}

static void keys_are_where_the_original_keeps_them(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cache *cache = new_cache();
	static const struct {
		const char *group, *resource, *namespace, *key;
	} cases[] = {
		{"", "pods", "a", "/registry/pods/a/x"},
		{"", "nodes", "", "/registry/minions/x"},
		{"", "services", "a", "/registry/services/specs/a/x"},
		{"", "endpoints", "a", "/registry/services/endpoints/a/x"},
		{"", "replicationcontrollers", "a", "/registry/controllers/a/x"},
		{"", "events", "a", "/registry/events/a/x"},
		{"events.k8s.io", "events", "a", "/registry/events/a/x"},
		{"", "namespaces", "", "/registry/namespaces/x"},
		{"apps", "deployments", "a", "/registry/deployments/a/x"},
		{"coordination.k8s.io", "leases", "a", "/registry/leases/a/x"},
		{"networking.k8s.io", "ingresses", "a", "/registry/ingress/a/x"},
		{"rbac.authorization.k8s.io", "clusterroles", "", "/registry/clusterroles/x"},
		{"discovery.k8s.io", "endpointslices", "a", "/registry/endpointslices/a/x"},
		{"autoscaling", "horizontalpodautoscalers", "a", "/registry/horizontalpodautoscalers/a/x"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct table *t = cache_table(cache, cases[i].group, cases[i].resource);
		assert_non_null(t);
		assert_string_equal(table_key(t, arena, cases[i].namespace, "x"), cases[i].key);
	}
	assert_null(cache_table(cache, "authentication.k8s.io", "tokenreviews"));
	cache_free(cache);
}

struct race {
	struct cache *cache;
	struct clock *clock;
	struct table *pods;
	atomic_bool stop;
};

static void count_down(void *data, struct status *status)
{
	assert_null(status);
	sem_post(data);
}

static void who_does_not_wait_is_told_once(void **state)
{
	enum { ASKERS = 200 };
	sem_t told;
	struct cache *cache = new_cache();
	sem_init(&told, 0, 0);
	for (int i = 0; i < ASKERS; i++)
		cache_fresh_later(cache, count_down, &told);
	for (int i = 0; i < ASKERS; i++)
		sem_wait(&told);
	cache_free(cache);
	assert_int_equal(sem_trywait(&told), -1);
	sem_destroy(&told);
}

static void *read_all_the_time(void *data)
{
	struct race *race = data;
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct watcher *w;
	assert_null(watcher_new(race->pods, -1, &all, NULL, &w));
	while (!atomic_load(&race->stop)) {
		struct snapshot s;
		table_list(race->pods, "", NULL, &s);
		for (size_t i = 0; i < s.n_items; i++)
			assert_true(entry_json(s.items[i])->size > 0);
		snapshot_done(&s);
		drain(arena, w);
		arena_reset(arena);
	}
	watcher_free(w);
	return NULL;
}

/* Events are forgotten and objects laid anew beside it all. */
static void *tick_all_the_time(void *data)
{
	struct race *race = data;
	while (!atomic_load(&race->stop)) {
		clock_fake_advance(race->clock, 1000);
		cache_tick(race->cache);
	}
	return NULL;
}

static void readers_and_the_writer_do_not_meet(void **state)
{
	struct race race = {.clock = clock_fake_new(0)};
	race.cache = cache_new(NULL, "/registry", race.clock);
	cache_mark_synced(race.cache, 10);
	race.pods = cache_table(race.cache, "", "pods");
	pthread_t readers[3], ticker;
	char app[700];
	memset(app, 'x', sizeof(app) - 1);
	app[sizeof(app) - 1] = 0;
	pthread_create(&ticker, NULL, tick_all_the_time, &race);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		pthread_create(&readers[i], NULL, read_all_the_time, &race);
	char name[16];
	for (int64_t i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "p%lld", (long long)(i % 20));
		if (i % 7 == 6)
			drop(race.cache, "a", name, 11 + i);
		else
			put(race.cache, "a", name, app, 11 + i);
	}
	atomic_store(&race.stop, true);
	pthread_join(ticker, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		pthread_join(readers[i], NULL);
	cache_free(race.cache);
	clock_fake_free(race.clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_in_order_and_bounded_by_prefix),
		cmocka_unit_test(lists_through_selectors_hold_what_matches),
		cmocka_unit_test(the_past_is_known_within_the_window),
		cmocka_unit_test(watchers_see_what_their_selectors_let_through),
		cmocka_unit_test(a_watch_from_before_the_window_is_told_so),
		cmocka_unit_test(old_events_are_forgotten_by_their_size),
		cmocka_unit_test(old_events_are_forgotten_by_the_clock),
		cmocka_unit_test(a_quiet_table_remembers_less),
		cmocka_unit_test(what_was_superseded_is_not_kept_for_long),
		cmocka_unit_test(a_quiet_table_is_laid_anew_for_less),
		cmocka_unit_test(changed_objects_are_laid_anew),
		cmocka_unit_test(a_deleted_object_carries_the_revision_of_its_end),
		cmocka_unit_test(what_cannot_be_read_is_neither_there_nor_gone),
		cmocka_unit_test(who_watches_what_becomes_unreadable_is_lost),
		cmocka_unit_test(foreign_and_broken_values_do_no_harm),
		cmocka_unit_test(an_object_whose_name_is_not_its_keys_hides_no_other),
		cmocka_unit_test(keys_are_where_the_original_keeps_them),
		cmocka_unit_test(who_does_not_wait_is_told_once),
		cmocka_unit_test(readers_and_the_writer_do_not_meet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
