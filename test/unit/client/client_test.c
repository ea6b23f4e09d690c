/* The REST client against a scripted server: errors, retries, credentials, paging, watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/meta.h"
#include "test/unit/client/server.h"

struct script {
	pthread_mutex_t lock;
	int n;
	const char *method, *target, *content_type; /* of the last request; copies in the arena */
	char *authorization, *impersonate;
	struct arena *arena;
	/* answers, in order; the last one repeats */
	struct {
		int code; /* 0: the connection is cut */
		const char *extra, *body;
	} answers[6];
	int n_answers;
};

static bool handle(struct test_request *r, void *data)
{
	struct script *s = data;
	pthread_mutex_lock(&s->lock);
	int n = s->n < s->n_answers ? s->n : s->n_answers - 1;
	s->n++;
	s->method = arena_strdup(s->arena, r->head.method);
	s->target = arena_strdup(s->arena, r->head.target);
	s->content_type = arena_strdup(s->arena, http_header_get(r->head.headers, r->head.n_headers, "Content-Type"));
	s->authorization = arena_strdup(s->arena, http_header_get(r->head.headers, r->head.n_headers, "Authorization"));
	s->impersonate =
		arena_strdup(s->arena, http_header_get(r->head.headers, r->head.n_headers, "Impersonate-User"));
	pthread_mutex_unlock(&s->lock);
	return s->answers[n].code && test_respond(r, s->answers[n].code, s->answers[n].extra, s->answers[n].body);
}

struct world {
	struct script script;
	struct test_server server;
	struct client *client;
	struct arena *arena;
};

static void world_init(struct world *w)
{
	pthread_mutex_init(&w->script.lock, NULL);
	w->arena = arena_new();
	w->script.arena = arena_new(); /* the server's threads' */
	while (w->script.n_answers < 6 && (w->script.answers[w->script.n_answers].body))
		w->script.n_answers++;
	test_server_start(&w->server, handle, &w->script);
	w->client = test_client(&w->server);
}

static void world_done(struct world *w)
{
	client_free(w->client);
	test_server_stop(&w->server);
	arena_free(w->arena);
	arena_free(w->script.arena);
}

#define CONFIG_MAP                                                                                        \
	"{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"," \
	"\"resourceVersion\":\"7\"}}"

static void calls_go_where_they_belong(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{200, NULL, CONFIG_MAP}}};
	world_init(&w);
	CoreV1ConfigMap *map;
	assert_null(client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map));
	assert_string_equal(map->metadata->resource_version, "7");
	assert_string_equal(w.script.target, "/api/v1/namespaces/n/configmaps/a");
	assert_string_equal(w.script.authorization, "Bearer secret");
	assert_null(client_create(w.client, w.arena, map, NULL));
	assert_string_equal(w.script.method, "POST");
	assert_string_equal(w.script.target, "/api/v1/namespaces/n/configmaps");
	assert_null(client_update_status(w.client, w.arena, map, NULL));
	assert_string_equal(w.script.method, "PUT");
	assert_string_equal(w.script.target, "/api/v1/namespaces/n/configmaps/a/status");
	assert_null(client_patch(w.client, w.arena, &AppsV1Deployment_schema, "n", "d", "scale", CLIENT_PATCH_MERGE,
		"{}", 2, NULL, NULL));
	assert_string_equal(w.script.method, "PATCH");
	assert_string_equal(w.script.target, "/apis/apps/v1/namespaces/n/deployments/d/scale");
	assert_string_equal(w.script.content_type, "application/merge-patch+json");
	assert_null(client_delete(w.client, w.arena, &CoreV1Node_schema, NULL, "n1", NULL));
	assert_string_equal(w.script.method, "DELETE");
	assert_string_equal(w.script.target, "/api/v1/nodes/n1");
	world_done(&w);
}

static void bad_names_never_leave(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{200, NULL, CONFIG_MAP}}};
	world_init(&w);
	static const char *const names[] = {"", "..", ".", "a/b", "a%2fb"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct status *error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", names[i], NULL);
		assert_true(status_is(error, STATUS_BAD_REQUEST));
		status_free(error);
	}
	struct status *error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "", "a", NULL);
	assert_true(status_is(error, STATUS_BAD_REQUEST));
	status_free(error);
	assert_int_equal(w.script.n, 0);
	world_done(&w);
}

static void errors_are_the_servers_own(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *body;
		enum status_reason reason;
		const char *message;
	} cases[] = {
		{404,
			"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"configmaps "
			"\\\"a\\\" not found\","
			"\"reason\":\"NotFound\",\"details\":{\"name\":\"a\",\"kind\":\"configmaps\"},\"code\":404}",
			STATUS_NOT_FOUND, "configmaps \"a\" not found"},
		{404, "404 page not found", STATUS_NOT_FOUND, "the server could not find the requested resource"},
		{401, "", STATUS_UNAUTHORIZED, "the server has asked for the client to provide credentials"},
		{500, "boom", STATUS_INTERNAL,
			"an error on the server (\"boom\") has prevented the request from succeeding"},
		{503, "", STATUS_UNAVAILABLE, "the server is currently unable to handle the request"},
		{418, "teapot", STATUS_UNKNOWN,
			"the server responded with the status code 418 but did not return more information"},
		{200, "{", STATUS_BAD_REQUEST, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = {.script.answers = {{cases[i].code, NULL, cases[i].body}}};
		world_init(&w);
		CoreV1ConfigMap *map;
		struct status *error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map);
		assert_non_null(error);
		assert_int_equal(error->reason, cases[i].reason);
		if (cases[i].message)
			assert_string_equal(error->message, cases[i].message);
		status_free(error);
		world_done(&w);
	}
}

static void nothing_is_written_after_a_leaders_term(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{200, NULL, CONFIG_MAP}}};
	world_init(&w);
	char host[64];
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", w.server.port);
	atomic_llong end_ms = clock_mono_ms(clock_system()) + 3600000;
	const struct client_config config = {.host = host, .qps = -1, .json = true, .writes_end_ms = &end_ms};
	struct client *leader;
	assert_null(client_new(&config, clock_system(), &leader));
	CoreV1ConfigMap *map;
	assert_null(client_get(leader, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map));
	assert_null(client_update(leader, w.arena, map, NULL));
	assert_int_equal(w.script.n, 2);

	atomic_store(&end_ms, clock_mono_ms(clock_system()));
	struct status *over = client_update(leader, w.arena, map, NULL);
	assert_true(status_is(over, STATUS_UNAVAILABLE));
	assert_string_equal(over->message, "the leader's term is over");
	status_free(over);
	assert_int_equal(w.script.n, 2);
	assert_null(client_get(leader, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map));
	assert_int_equal(w.script.n, 3);
	client_free(leader);
	world_done(&w);
}

static void retry_after_is_honoured(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{429, "Retry-After: 0\r\n", "{}"}, {503, "Retry-After: 0\r\n", "{}"},
				  {200, NULL, CONFIG_MAP}}};
	world_init(&w);
	CoreV1ConfigMap *map = API_NEW(w.arena, CoreV1ConfigMap);
	MetaV1ObjectMeta *meta = object_meta_ensure(w.arena, map);
	meta->namespace = "n";
	assert_null(client_create(w.client, w.arena, map, &map));
	assert_int_equal(w.script.n, 3);
	world_done(&w);
}

static void lost_replies_are_sent_again_only_when_safe(void **state)
{
	(void)state;
	struct world get = {.script.answers = {{0, NULL, ""}, {200, NULL, CONFIG_MAP}}};
	world_init(&get);
	CoreV1ConfigMap *map;
	assert_null(client_get(get.client, get.arena, &CoreV1ConfigMap_schema, "n", "a", &map));
	assert_int_equal(get.script.n, 2);
	struct world post = {.script.answers = {{0, NULL, ""}, {200, NULL, CONFIG_MAP}}};
	world_init(&post);
	struct status *error = client_create(post.client, post.arena, map, NULL);
	assert_true(status_is(error, STATUS_UNAVAILABLE));
	assert_int_equal(post.script.n, 1);
	status_free(error);
	world_done(&get);
	world_done(&post);
}

static void nobody_listens(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{200, NULL, "{}"}}};
	world_init(&w);
	test_server_stop(&w.server);
	struct status *error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", NULL);
	assert_true(status_is(error, STATUS_UNAVAILABLE));
	assert_non_null(strstr(error->message, "connect: connection refused"));
	status_free(error);
	client_cancel(w.client);
	error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", NULL);
	assert_string_equal(error->message, "client is shutting down");
	status_free(error);
	client_free(w.client);
	arena_free(w.arena);
	arena_free(w.script.arena);
}

static struct status *next_token(void *data, char **ret_token, int64_t *ret_expires_s)
{
	int *n = data;
	*ret_token = mem_printf("token-%d", ++*n);
	*ret_expires_s = 0;
	return NULL;
}

static void a_rejected_token_is_renewed_once(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{401, NULL, "{}"}, {200, NULL, CONFIG_MAP}, {401, NULL, "{}"}}};
	world_init(&w);
	client_free(w.client);
	int n_tokens = 0;
	char host[64];
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", w.server.port);
	struct client_config config = {
		.host = host, .json = true, .token_source = next_token, .token_data = &n_tokens, .as_user = "jane"};
	assert_null(client_new(&config, clock_system(), &w.client));
	CoreV1ConfigMap *map;
	assert_null(client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map));
	assert_string_equal(w.script.authorization, "Bearer token-2");
	assert_string_equal(w.script.impersonate, "jane");
	struct status *error = client_get(w.client, w.arena, &CoreV1ConfigMap_schema, "n", "a", &map);
	assert_true(status_is(error, STATUS_UNAUTHORIZED));
	assert_int_equal(n_tokens, 3);
	status_free(error);
	world_done(&w);
}

#define PAGE(continue_, item)                                                                                     \
	"{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\",\"continue\":" \
	"\"" continue_ "\"},\"items\":[{\"metadata\":{\"name\":\"" item "\"}}]}"

static void pages_are_followed(void **state)
{
	(void)state;
	struct world w = {.script.answers = {{200, NULL, PAGE("x/y", "a")}, {200, NULL, PAGE("", "b")}}};
	world_init(&w);
	struct client_list list;
	assert_null(client_list(w.client, w.arena, &CoreV1ConfigMap_schema, NULL, NULL, &list));
	assert_int_equal(list.n_items, 2);
	assert_string_equal(object_name(list.items[1]), "b");
	assert_string_equal(w.script.target, "/api/v1/configmaps?limit=500&continue=x%2Fy");
	world_done(&w);
}

static bool on_event(void *data, const struct watch_event *event)
{
	struct strbuf *heard = data;
	strbuf_printf(heard, "%d:%s ", event->type, event->msg ? object_name(event->msg) : event->error->message);
	return event->type != WATCH_DELETED;
}

static void watches_tell_until_told_to_stop(void **state)
{
	(void)state;
	struct world w = {
		.script.answers = {{200, NULL,
			" {\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a{\\\"\"}}}\n"
			"{\"object\":{\"metadata\":{\"name\":\"b\"}},\"type\":\"MODIFIED\"}"
			"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"m\","
			"\"code\":410}}\n"
			"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"d\"}}}\n{\"type\":\"ADDED\""}}};
	world_init(&w);
	CLEANUP(strbuf_done) struct strbuf heard = STRBUF_INIT;
	assert_null(client_watch(w.client, client_resource_of(w.client, &CoreV1ConfigMap_schema),
		&CoreV1ConfigMap_schema, "n", NULL, on_event, &heard));
	assert_string_equal(heard.buf, "0:a{\" 1:b 4:m 2:d ");
	assert_string_equal(w.script.target, "/api/v1/namespaces/n/configmaps?watch=true");
	world_done(&w);
}

static void hosts_are_checked(void **state)
{
	(void)state;
	static const char *const bad[] = {"ftp://x", "https://", "https://h:x", "https://h/?q", "https://h#f"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct client_config config = {.host = bad[i]};
		struct client *client;
		struct status *error = client_new(&config, clock_system(), &client);
		if (!error)
			print_error("no error for %s\n", bad[i]);
		assert_true(status_is(error, STATUS_BAD_REQUEST));
		status_free(error);
	}
	struct client_config config = {.host = "https://h", .ca_data = "nonsense", .ca_size = 8};
	struct client *client;
	struct status *error = client_new(&config, clock_system(), &client);
	assert_non_null(error);
	status_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_go_where_they_belong),
		cmocka_unit_test(bad_names_never_leave),
		cmocka_unit_test(errors_are_the_servers_own),
		cmocka_unit_test(retry_after_is_honoured),
		cmocka_unit_test(nothing_is_written_after_a_leaders_term),
		cmocka_unit_test(lost_replies_are_sent_again_only_when_safe),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_rejected_token_is_renewed_once),
		cmocka_unit_test(pages_are_followed),
		cmocka_unit_test(watches_tell_until_told_to_stop),
		cmocka_unit_test(hosts_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
