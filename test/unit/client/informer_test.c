/* Informers against a scripted server: listing, watching, resuming, expiring, handlers, indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "api/meta.h"
#include "client/informer.h"
#include "test/unit/client/server.h"

/* The script: what lists answer, and what each watch sends before it ends or stays open. */
struct script {
	pthread_mutex_t lock;
	int n_lists, n_watches;
	const char *lists[4];
	const char *watches[6][4]; /* chunks; a watch whose first chunk is NULL is left open */
	bool stay_open[6];
	char versions[8][32]; /* what lists and watches asked for, in order */
	int n_versions;
	atomic_bool end; /* closes open watches */
};

#define ITEM(name, version, label)                                                         \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\",\"uid\":\"u-" name \
	"\",\"resourceVersion\":\"" version "\",\"labels\":{\"app\":\"" label              \
	"\"},\"managedFields\":[{\"manager\":\"x\"}]}}"
#define LIST(version, items)                                                                             \
	"{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" version \
	"\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define GONE                                                                                                          \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Expired\",\"message\":\"too " \
	"old\",\"code\":410}"

static void note_version(struct script *s, const char *target)
{
	const char *at = strstr(target, "resourceVersion=");
	if (s->n_versions == 8)
		return;
	snprintf(s->versions[s->n_versions], 32, "%.*s", at ? (int)strcspn(at + 16, "& ") : 1, at ? at + 16 : "-");
	s->n_versions++;
}

static bool handle(struct test_request *r, void *data)
{
	struct script *s = data;
	pthread_mutex_lock(&s->lock);
	note_version(s, r->head.target);
	bool watch = strstr(r->head.target, "watch=true") != NULL;
	int n = watch ? s->n_watches++ : s->n_lists++;
	pthread_mutex_unlock(&s->lock);
	assert_non_null(strstr(r->head.target, "/api/v1/configmaps"));
	if (!watch)
		return n < 4 && s->lists[n] ? test_respond(r, 200, NULL, s->lists[n])
					    : test_respond(r, 500, NULL, "{}");
	if (!test_stream(r))
		return false;
	for (int i = 0; n < 6 && i < 4 && s->watches[n][i]; i++)
		if (!test_chunk(r, s->watches[n][i]))
			return false;
	while ((n >= 6 || s->stay_open[n]) && !atomic_load(&r->server->stopping) && !atomic_load(&s->end)) {
		struct timespec ts = {.tv_nsec = 5 * 1000000};
		nanosleep(&ts, NULL);
	}
	return test_write(r, "0\r\n\r\n", 5);
}

/* What the handlers heard, as one line. */
struct heard {
	pthread_mutex_t lock;
	struct strbuf text;
};

static void hear(struct heard *h, const char *what, const struct object *o, const char *suffix)
{
	pthread_mutex_lock(&h->lock);
	strbuf_printf(&h->text, "%s %s@%s%s;", what, o ? o->key : "", o ? o->resource_version : "", suffix);
	pthread_mutex_unlock(&h->lock);
}

static void added(void *data, const struct object *o, bool initial)
{
	hear(data, "add", o, initial ? "!" : "");
}

static void updated(void *data, const struct object *old, const struct object *o)
{
	char suffix[32];
	snprintf(suffix, sizeof(suffix), "<%s", old->resource_version);
	hear(data, "update", o, suffix);
}

static void deleted(void *data, const struct object *o, bool final_unknown)
{
	hear(data, "delete", o, final_unknown ? "?" : "");
}

static void synced(void *data)
{
	hear(data, "synced", NULL, "");
}

static const struct informer_handler handler = {added, updated, deleted, synced};

static void heard_init(struct heard *h)
{
	pthread_mutex_init(&h->lock, NULL);
	strbuf_init(&h->text);
}

/* Waits until the handlers have heard exactly this. */
static void expect_heard(struct heard *h, const char *wanted)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&h->lock);
		bool ok = str_eq(h->text.buf, wanted);
		pthread_mutex_unlock(&h->lock);
		if (ok)
			return;
		struct timespec ts = {.tv_nsec = 5 * 1000000};
		nanosleep(&ts, NULL);
	}
	assert_string_equal(h->text.buf, wanted);
}

struct world {
	struct test_server server;
	struct client *client;
	struct informers *informers;
	struct informer *maps;
	struct heard heard;
};

static void by_label(const void *msg, void (*emit)(void *ctx, const char *value), void *ctx)
{
	const char *app = meta_label(object_meta(msg), "app");
	if (app)
		emit(ctx, app);
}

static void world_init(struct world *w, struct script *s)
{
	pthread_mutex_init(&s->lock, NULL);
	test_server_start(&w->server, handle, s);
	w->client = test_client(&w->server);
	w->informers = informers_new(w->client);
	w->maps = informers_get(w->informers, &(struct informer_spec){.type = &CoreV1ConfigMap_schema});
	informer_add_index(w->maps, "app", by_label);
	heard_init(&w->heard);
	informer_add_handler(w->maps, &handler, &w->heard);
	assert_null(informers_start(w->informers));
}

static void world_done(struct world *w)
{
	informers_free(w->informers);
	client_free(w->client);
	test_server_stop(&w->server);
	strbuf_done(&w->heard.text);
}

static void a_listing_and_events_fill_the_store(void **state)
{
	(void)state;
	struct script s = {.lists = {LIST("10", ITEM("a", "5", "x") "," ITEM("b", "6", "y"))},
		.watches = {{EVENT("ADDED", ITEM("c", "11", "x")) EVENT("MODIFIED", ITEM("a", "12", "y")),
			EVENT("DELETED", ITEM("b", "13", "y")), "{\"type\":\"BOOKM",
			"ARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"20\"}}}"}},
		.stay_open = {true}};
	struct world w;
	world_init(&w, &s);
	assert_true(informers_wait_synced(w.informers, NULL, 10000));
	expect_heard(&w.heard, "add default/a@5!;add default/b@6!;synced @;add default/c@11;update "
			       "default/a@12<5;delete default/b@13;");
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1ConfigMap *a = informer_get(w.maps, arena, "default", "a");
	assert_string_equal(object_resource_version(a), "12");
	assert_int_equal(a->metadata->n_managed_fields, 0);
	assert_null(informer_get(w.maps, arena, "default", "b"));
	size_t n;
	informer_list_index(w.maps, arena, "app", "y", &n);
	assert_int_equal(n, 1);
	informer_list_index(w.maps, arena, "app", "x", &n);
	assert_int_equal(n, 1);
	informer_list(w.maps, arena, "default", &n);
	assert_int_equal(n, 2);
	informer_list(w.maps, arena, "other", &n);
	assert_int_equal(n, 0);
	for (int i = 0; i < 1000 && !str_eq(informer_resource_version(w.maps, arena), "20"); i++) {
		struct timespec ts = {.tv_nsec = 5 * 1000000};
		nanosleep(&ts, NULL);
	}
	assert_string_equal(informer_resource_version(w.maps, arena), "20");
	world_done(&w);
	/* What the arena holds outlives the informer. */
	assert_string_equal(a->metadata->name, "a");
}

static void a_watch_resumes_from_its_last_version(void **state)
{
	(void)state;
	struct script s = {.lists = {LIST("10", ITEM("a", "5", "x"))},
		.watches = {{EVENT("MODIFIED", ITEM("a", "12", "x"))}, {EVENT("MODIFIED", ITEM("a", "15", "x"))}},
		.stay_open = {false, true}};
	struct world w;
	world_init(&w, &s);
	expect_heard(&w.heard, "add default/a@5!;synced @;update default/a@12<5;update default/a@15<12;");
	assert_int_equal(s.n_lists, 1);
	assert_string_equal(s.versions[0], "0");
	assert_string_equal(s.versions[1], "10");
	assert_string_equal(s.versions[2], "12");
	world_done(&w);
}

static void an_expired_version_is_listed_again(void **state)
{
	(void)state;
	struct script s = {.lists = {LIST("10", ITEM("a", "5", "x") "," ITEM("b", "6", "x") "," ITEM("c", "7", "x")),
				   LIST("30", ITEM("b", "6", "x") "," ITEM("c", "25", "x") "," ITEM("d", "26", "x"))},
		.watches = {{EVENT("ERROR", GONE)}, {NULL}},
		.stay_open = {false, true}};
	struct world w;
	world_init(&w, &s);
	/* The unchanged one is not told again; what vanished is told as last known. */
	expect_heard(&w.heard, "add default/a@5!;add default/b@6!;add default/c@7!;synced @;update default/c@25<7;add "
			       "default/d@26;delete default/a@5?;");
	assert_int_equal(s.n_lists, 2);
	assert_string_equal(s.versions[2], "10"); /* at least as new as what was known */
	world_done(&w);
}

static void late_handlers_hear_everything(void **state)
{
	(void)state;
	struct script s = {.lists = {LIST("10", ITEM("a", "5", "x"))}, .stay_open = {true}};
	struct world w;
	world_init(&w, &s);
	assert_true(informers_wait_synced(w.informers, NULL, 10000));
	struct heard late;
	heard_init(&late);
	informer_add_handler(w.maps, &handler, &late);
	expect_heard(&late, "add default/a@5!;synced @;");
	informer_remove_handler(w.maps, &handler, &late);
	/* Equal specs share one informer; a stopped one is gone. */
	assert_ptr_equal(informers_get(w.informers, &(struct informer_spec){.type = &CoreV1ConfigMap_schema}), w.maps);
	informer_stop(w.maps);
	world_done(&w);
	strbuf_done(&late.text);
}

static void a_failing_server_is_asked_again(void **state)
{
	(void)state;
	struct script s = {.lists = {NULL, LIST("10", ITEM("a", "5", "x"))}, .stay_open = {true}};
	struct world w;
	world_init(&w, &s);
	assert_false(informers_wait_synced(w.informers, NULL, 50));
	assert_true(informers_wait_synced(w.informers, NULL, 10000));
	expect_heard(&w.heard, "add default/a@5!;synced @;");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_and_events_fill_the_store),
		cmocka_unit_test(a_watch_resumes_from_its_last_version),
		cmocka_unit_test(an_expired_version_is_listed_again),
		cmocka_unit_test(late_handlers_hear_everything),
		cmocka_unit_test(a_failing_server_is_asked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
