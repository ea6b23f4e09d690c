/* What the window of events has lost, told again out of etcd's history. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "apiserver/store/past.h"
#include "base/mem.h"
#include "test/unit/apiserver/pods.h"

enum { BEGIN = 10 };
#define GARBAGE "["

/* What happened, a revision each from BEGIN + 1. */
struct change {
	const char *name;
	const char *app; /* NULL: deleted; GARBAGE: cannot be read */
};

static const struct change story[] = {{"a", "web"}, {"b", "db"}, {"a", "db"}, {"b", NULL}, {"c", "web"}, {"b", "web"},
	{"a", NULL}, {"c", "db"}, {"d", "web"}};
enum { END = BEGIN + ARRAY_SIZE(story) };

static void happen(struct cache *cache, const struct change *c, int64_t revision)
{
	if (!c->app)
		drop(cache, "n", c->name, revision);
	else if (str_eq(c->app, GARBAGE))
		cache_apply(cache, "/registry/pods/n/a", GARBAGE, 1, revision);
	else
		put(cache, "n", c->name, c->app, revision);
}

/* A server that was started after so many changes, and has seen the rest. */
static struct cache *started_after(const struct change *changes, size_t n, size_t n_first)
{
	struct cache *cache = cache_new(NULL, "/registry", clock_system());
	for (size_t i = 0; i < n; i++) {
		if (i == n_first)
			cache_mark_synced(cache, BEGIN + (int64_t)i);
		happen(cache, &changes[i], BEGIN + 1 + (int64_t)i);
	}
	if (n == n_first)
		cache_mark_synced(cache, BEGIN + (int64_t)n);
	return cache;
}

static struct table *pods_of(struct cache *cache)
{
	return cache_table(cache, "", "pods");
}

static struct etcd_kv kv_of(struct arena *arena, const struct change *changes, size_t i)
{
	const struct change *c = &changes[i];
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	struct etcd_kv kv = {.key = arena_printf(arena, "/registry/pods/n/%s", c->name),
		.found = c->app,
		.mod_revision = BEGIN + 1 + (int64_t)i};
	kv.create_revision = kv.mod_revision;
	for (size_t j = i; j-- > 0;) {
		if (!str_eq(changes[j].name, c->name))
			continue;
		if (!changes[j].app)
			break;
		kv.create_revision = BEGIN + 1 + (int64_t)j;
	}
	if (str_eq(c->app, GARBAGE))
		strbuf_adds(&value, GARBAGE);
	else if (c->app)
		pod_value(&value, "n", c->name, c->app);
	kv.size = value.len;
	kv.value = arena_dup(arena, value.buf ? value.buf : "", value.len);
	return kv;
}

/* As etcd tells of a change. */
static void add(struct past *past, const struct change *changes, size_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct etcd_event event = {.deleted = !changes[i].app, .kv = kv_of(arena, changes, i)};
	for (size_t j = i; j-- > 0;) {
		if (!str_eq(changes[j].name, changes[i].name))
			continue;
		event.before = kv_of(arena, changes, j);
		break;
	}
	past_add(past, &event);
}

static void add_all(struct past *past, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(past, changes, i);
}

/* What a watcher from a revision is told: NULL when that is too old. */
static char *told_from(struct arena *arena, struct table *t, int64_t revision, const char *selector)
{
	struct watcher_options options = {.prefix = "n/", .notify = nothing};
	struct label_selector *labels;
	struct watcher *w;
	assert_null(label_selector_parse(arena, selector, &labels));
	options.labels = labels;
	CLEANUP_STATUS struct status *status = watcher_new(t, revision, &options, NULL, &w);
	assert_true(!status || status_is(status, STATUS_EXPIRED));
	if (status)
		return NULL;
	char *told = drain(arena, w);
	watcher_free(w);
	return told;
}

static void what_was_told_before_a_restart_is_told_after_it(void **state)
{
	static const char *const selectors[] = {"", "app=web", "app!=web"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cache_freep) struct cache *witness = started_after(story, ARRAY_SIZE(story), 0);
	assert_string_equal(told_from(arena, pods_of(witness), BEGIN, ""),
		"+n/a@11 +n/b@12 ~n/a@13 -n/b@14 +n/c@15 +n/b@16 -n/a@17 ~n/c@18 +n/d@19");
	for (int64_t from = BEGIN; from < END; from++) {
		CLEANUP(cache_freep) struct cache *cache = started_after(story, ARRAY_SIZE(story), ARRAY_SIZE(story));
		struct table *pods = pods_of(cache);
		assert_null(told_from(arena, pods, from, ""));
		struct past *past = past_new(pods, from);
		add_all(past, story, ARRAY_SIZE(story));
		assert_false(past_is_bounded(pods));
		assert_false(past_join(past, END - 1, false));
		assert_true(past_join(past, END, false));
		past_free(past);
		for (size_t i = 0; i < ARRAY_SIZE(selectors); i++)
			assert_string_equal(told_from(arena, pods, from, selectors[i]),
				told_from(arena, pods_of(witness), from, selectors[i]));
		assert_null(told_from(arena, pods, from - 1, ""));
	}
}

static void what_happens_meanwhile_is_told_once(void **state)
{
	enum { FIRST = 5 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cache_freep) struct cache *witness = started_after(story, ARRAY_SIZE(story), 0);
	for (int alone = 0; alone < 2; alone++) {
		CLEANUP(cache_freep) struct cache *cache = started_after(story, ARRAY_SIZE(story), FIRST);
		struct table *pods = pods_of(cache);
		struct past *past = past_new(pods, BEGIN);
		add_all(past, story, FIRST);
		assert_true(past_is_bounded(pods));
		/* Of a table alone the next event tells that nothing has come in between. */
		if (alone) {
			assert_false(past_join(past, BEGIN + FIRST, true));
			add(past, story, FIRST);
			add(past, story, FIRST + 1);
		}
		assert_true(past_join(past, BEGIN + FIRST + alone, alone));
		past_free(past);
		assert_string_equal(told_from(arena, pods, BEGIN, ""), told_from(arena, pods_of(witness), BEGIN, ""));
	}
}

/* A value that cannot be read has not happened; where it hides what there was before, what came up to its end cannot be
 * told. */
static void what_cannot_be_read_is_not_told(void **state)
{
	static const struct {
		struct change changes[4];
		int64_t asked, known; /* from here on */
		const char *told;
	} cases[] = {
		{{{"a", "web"}, {"a", GARBAGE}, {"a", "db"}, {"b", "web"}}, 10, 10, "+n/a@11 ~n/a@13 +n/b@14"},
		{{{"a", "web"}, {"a", GARBAGE}, {"a", "db"}, {"b", "web"}}, 11, 13, "+n/b@14"},
		{{{"a", "web"}, {"a", GARBAGE}, {"a", NULL}, {"b", "web"}}, 10, 10, "+n/a@11 -n/a@13 +n/b@14"},
		{{{"a", "web"}, {"a", GARBAGE}, {"a", NULL}, {"b", "web"}}, 11, 13, "+n/b@14"},
		{{{"b", "web"}, {"a", GARBAGE}, {"a", "web"}, {"a", "db"}}, 10, 13, "~n/a@14"},
		{{{"b", "web"}, {"a", "web"}, {"b", "db"}, {"a", GARBAGE}}, 10, 10, "+n/b@11 +n/a@12 ~n/b@13"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(cache_freep) struct cache *cache = started_after(cases[i].changes, 4, 4);
		struct table *pods = pods_of(cache);
		struct past *past = past_new(pods, cases[i].asked);
		for (int64_t n = cases[i].asked - BEGIN; n < 4; n++)
			add(past, cases[i].changes, (size_t)n);
		assert_int_equal(past->from, cases[i].known);
		assert_true(past_join(past, BEGIN + 4, false));
		past_free(past);
		assert_null(told_from(arena, pods, cases[i].known - 1, ""));
		assert_string_equal(told_from(arena, pods, cases[i].known, ""), cases[i].told);
	}
}

/* etcd has compacted what an event replaced. */
static void what_replaced_something_forgotten_is_not_told(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cache_freep) struct cache *cache = started_after(story, 3, 3);
	struct past *past = past_new(pods_of(cache), BEGIN + 1);
	add(past, story, 1);
	assert_int_equal(past->n_events, 1);
	const struct etcd_event event = {.kv = kv_of(arena, story, 2)};
	past_add(past, &event);
	assert_int_equal(past->from, BEGIN + 3);
	assert_int_equal(past->n_events, 0);
	past_free(past);
}

static void of_too_much_the_newer_half_is_told(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cache_freep) struct cache *cache = started_after(story, ARRAY_SIZE(story), ARRAY_SIZE(story));
	struct table *pods = pods_of(cache);
	struct past *past = past_new(pods, BEGIN);
	add_all(past, story, ARRAY_SIZE(story));
	const size_t bytes = past->bytes;
	assert_true(bytes > 0);
	past_halve(past);
	assert_int_equal(past->from, BEGIN + 5);
	assert_in_range(past->bytes, 1, bytes / 2);
	assert_true(past_join(past, END, false));
	assert_null(told_from(arena, pods, BEGIN + 4, ""));
	assert_string_equal(told_from(arena, pods, BEGIN + 5, ""), "+n/b@16 -n/a@17 ~n/c@18 +n/d@19");
	while (past->n_events)
		past_halve(past);
	assert_int_equal(past->from, END);
	assert_int_equal(past->bytes, 0);
	past_free(past);
}

/* Who has fallen behind goes on from where he says, not from where he happens to stand once other events lie there. */
static void who_has_fallen_behind_stays_behind(void **state)
{
	enum { EVENTS = 150, LEAST = 100, KEEP_MS = 75000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(NULL, "/registry", clock);
	struct table *pods = pods_of(cache);
	struct change changes[EVENTS];
	struct watcher *behind, *within;
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	cache_mark_synced(cache, BEGIN);
	for (size_t i = 0; i < EVENTS; i++) {
		changes[i] = (struct change){"a", i % 2 ? "web" : "db"};
		happen(cache, &changes[i], BEGIN + 1 + (int64_t)i);
	}
	const int64_t end = BEGIN + EVENTS;
	assert_null(watcher_new(pods, BEGIN, &all, NULL, &behind));
	assert_null(watcher_new(pods, end - 2, &all, NULL, &within));
	clock_fake_advance(clock, KEEP_MS);
	cache_tick(cache);
	assert_null(told_from(arena, pods, end - LEAST - 1, ""));
	const size_t ring_bytes = pods->ring_bytes;
	struct past *past = past_new(pods, BEGIN);
	add_all(past, changes, EVENTS);
	assert_true(past_join(past, end, false));
	past_free(past);
	assert_string_equal(drain(arena, behind), "lost");
	assert_string_equal(drain(arena, within), "~n/a@159 ~n/a@160");
	assert_true(str_starts_with(told_from(arena, pods, BEGIN, ""), "+n/a@11 ~n/a@12 ~n/a@13 "));
	assert_true(cache->recalled_bytes > 0 && pods->ring_bytes == ring_bytes + cache->recalled_bytes);
	/* They age as others do. */
	clock_fake_advance(clock, KEEP_MS);
	cache_tick(cache);
	assert_null(told_from(arena, pods, end - LEAST - 1, ""));
	assert_int_equal(cache->recalled_bytes, 0);
	assert_int_equal(pods->ring_bytes, ring_bytes);
	watcher_free(behind);
	watcher_free(within);
	cache_free(cache);
	clock_fake_free(clock);
}

/* So many that the ring cannot hold them: the newer are laid before it. */
static void more_than_the_ring_has_room_for_is_not_told(void **state)
{
	enum { TOO_MANY = 5 };
	struct cache *cache = cache_new(NULL, "/registry", clock_system());
	struct table *pods = pods_of(cache);
	put(cache, "n", "a", "web", 1);
	const size_t n = ring_room(pods) + TOO_MANY;
	cache_mark_synced(cache, (int64_t)n + 1);
	struct past *past = past_new(pods, 1);
	past->events = mem_calloc(n, sizeof(*past->events));
	for (size_t i = 0; i < n; i++) {
		struct event *event = past->events[i] = event_new(&past->source);
		event->type = EVENT_MODIFIED;
		event->revision = 2 + (int64_t)i;
		event->object = entry_ref(pods->items[0]);
		event->before = entry_ref(pods->items[0]);
	}
	past->n_events = n;
	assert_true(past_join(past, (int64_t)n + 1, false));
	past_free(past);
	assert_int_equal(ring_room(pods), 0);
	const struct watcher_options all = {.prefix = "", .notify = nothing};
	enum event_type type;
	struct entry *entry;
	int64_t revision;
	bool lost;
	struct watcher *w;
	struct status *status = watcher_new(pods, TOO_MANY, &all, NULL, &w);
	assert_true(status_is(status, STATUS_EXPIRED));
	status_free(status);
	assert_null(watcher_new(pods, TOO_MANY + 1, &all, NULL, &w));
	assert_true(watcher_next(w, &type, &entry, &revision, &lost));
	assert_int_equal(revision, TOO_MANY + 2);
	entry_unref(entry);
	watcher_free(w);
	cache_free(cache);
}

static void count(void *data)
{
	atomic_fetch_add((atomic_int *)data, 1);
}

/* An etcd that takes connections and says nothing. */
static struct etcd *silent_etcd(struct arena *arena, int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(*ret_fd, 8), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &size), 0);
	char *endpoint = arena_printf(arena, "http://127.0.0.1:%d", ntohs(address.sin_port));
	struct etcd *etcd;
	assert_null(etcd_new(&(struct etcd_options){.endpoints = &endpoint, .n_endpoints = 1}, &etcd));
	return etcd;
}

static void who_waits_too_long_is_told_so_once(void **state)
{
	enum { DEADLINE_MS = 2000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	atomic_int told = 0;
	int fd;
	struct etcd *etcd = silent_etcd(arena, &fd);
	struct clock *clock = clock_fake_new(0);
	struct cache *cache = cache_new(etcd, "/registry", clock);
	struct status *status;
	struct recall *recall;
	cache_mark_synced(cache, BEGIN);
	const int64_t deadline_ms = clock_mono_ms(clock) + DEADLINE_MS;
	assert_null(recall_new(pods_of(cache), BEGIN - 1, deadline_ms, count, &told, &recall));
	clock_fake_advance(clock, DEADLINE_MS - 1);
	cache_tick(cache);
	assert_int_equal(told, 0);
	clock_fake_advance(clock, 1);
	cache_tick(cache);
	cache_tick(cache);
	assert_int_equal(told, 1);
	assert_false(recall_done(recall, &status));
	recall_free(recall);
	cache_free(cache);
	etcd_free(etcd);
	clock_fake_free(clock);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_told_before_a_restart_is_told_after_it),
		cmocka_unit_test(what_happens_meanwhile_is_told_once),
		cmocka_unit_test(what_cannot_be_read_is_not_told),
		cmocka_unit_test(what_replaced_something_forgotten_is_not_told),
		cmocka_unit_test(of_too_much_the_newer_half_is_told),
		cmocka_unit_test(who_has_fallen_behind_stays_behind),
		cmocka_unit_test(more_than_the_ring_has_room_for_is_not_told),
		cmocka_unit_test(who_waits_too_long_is_told_so_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
