/* The HTTP server over real sockets: routes, bodies, streams, upgrades, clients that go away, TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "base/str.h"
#include "client/client.h"
#include "net/http1.h"
#include "pki/pki.h"
#include "serve/health.h"
#include "serve/http.h"
#include "serve/metrics.h"

static void hello(struct http_request *r)
{
	http_respondf(r, 200, "%s %s %s %s", r->method, str_or(http_capture(r, "name"), "-"),
		str_or(http_query(r, "q"), "-"), r->user ? r->user->name : "-");
}

static void echo(struct http_request *r)
{
	http_respond(r, 201, "application/octet-stream", r->body, r->body_size);
}

static void nothing(struct http_request *r)
{
	(void)r;
}

static void big_stream(struct http_request *r)
{
	char piece[10000];
	memset(piece, 'x', sizeof(piece));
	http_begin(r, 200, NULL);
	for (int i = 0; i < 300; i++)
		if (!http_write(r, piece, sizeof(piece)))
			return;
}

/* A quiet stream: ends when the client has gone. */
static void follow(struct http_request *r)
{
	atomic_int *gone = r->data;
	http_begin(r, 200, NULL);
	http_write(r, "first\n", 6);
	while (!http_client_gone(r)) {
		struct timespec ts = {.tv_nsec = 5 * 1000000};
		nanosleep(&ts, NULL);
	}
	atomic_fetch_add(gone, 1);
}

static void upgrade(struct http_request *r)
{
	struct stream *s;
	struct status *error = http_upgrade_request(r, "echo", NULL, 0, &s);
	if (error) {
		status_free(error);
		return;
	}
	char buf[4096];
	for (;;) {
		size_t n = 0;
		status_drop(stream_read_some(s, buf, sizeof(buf), 5000, &n), "the test sees the end");
		if (!n)
			break;
		status_drop(stream_write_all(s, buf, n, 5000), "the test sees the end");
	}
	stream_free(s);
}

enum { FLOOD_BYTES = 8 << 20 };

/* Sends much and ends at once: nothing of it may be lost. */
static void flood(struct http_request *r)
{
	struct stream *s;
	struct status *error = http_upgrade_request(r, "flood", NULL, 0, &s);
	assert_null(error);
	static char block[65536];
	for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof(block))
		assert_null(stream_write_all(s, block, sizeof(block), 20000));
	stream_shutdown_write(s);
	stream_free(s);
}

static void slow(struct http_request *r)
{
	struct timespec ts = {.tv_nsec = 200 * 1000000};
	nanosleep(&ts, NULL);
	http_respondf(r, 200, "late");
}

static const struct http_route routes[] = {
	{"GET", "/hello/{name}", hello},
	{"GET", "/rest/{name...}", hello},
	{"POST", "/echo", echo},
	{"GET", "/nothing", nothing},
	{"GET", "/stream", big_stream},
	{"GET", "/follow", follow},
	{"*", "/upgrade", upgrade},
	{"*", "/flood", flood},
	{"GET", "/slow", slow},
	{"GET", "/under/", hello},
	{NULL, NULL, NULL},
};

struct world {
	struct http_server *server;
	struct client *client;
	struct arena *arena;
	atomic_int gone;
};

static struct status *authorize(struct http_request *r, struct http_user *ret_user)
{
	if (str_eq(http_request_header(r, "Authorization"), "Bearer bad"))
		return status_new(STATUS_FORBIDDEN, "no");
	ret_user->name = r->peer_cert_size ? "cert" : "anybody";
	return NULL;
}

/* A self-signed pair for 127.0.0.1. */
static void make_pair(struct arena *arena, char **ret_cert, char **ret_key)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	char *addresses[] = {"127.0.0.1"};
	int64_t now = clock_wall_s(clock_system());
	struct pki_subject subject = {.common_name = "test",
		.ip_addresses = addresses,
		.n_ip_addresses = 1,
		.usages = PKI_SERVER_AUTH | PKI_CLIENT_AUTH | PKI_DIGITAL_SIGNATURE};
	assert_null(pki_key_generate(PKI_ECDSA_P256, &key));
	assert_null(pki_cert_self_signed(key, &subject, now - 60, now + 3600, &cert));
	*ret_cert = pki_cert_pem(arena, cert);
	*ret_key = pki_key_pem(arena, key);
}

static void world_init(struct world *w, bool tls)
{
	*w = (struct world){.arena = arena_new()};
	struct http_server_config config = {.address = "127.0.0.1",
		.routes = routes,
		.data = &w->gone,
		.authorize = authorize,
		.max_body_bytes = 100000,
		.max_workers = 3,
		.max_queued = 3,
		.ask_client_cert = tls};
	struct client_config client_config = {.qps = -1};
	if (tls) {
		char *cert, *key;
		make_pair(w->arena, &cert, &key);
		config.cert_pem = client_config.ca_data = client_config.cert_data = cert;
		config.key_pem = client_config.key_data = key;
		client_config.ca_size = client_config.cert_size = strlen(cert);
		client_config.key_size = strlen(key);
	}
	assert_null(http_server_new(&config, &w->server));
	client_config.host =
		arena_printf(w->arena, "%s://127.0.0.1:%u", tls ? "https" : "http", http_server_port(w->server));
	assert_null(client_new(&client_config, clock_system(), &w->client));
}

static void world_done(struct world *w)
{
	client_free(w->client);
	http_server_free(w->server);
	arena_free(w->arena);
}

static struct client_response get(struct world *w, const char *path)
{
	struct client_request request = {.path = path};
	struct client_response response = {0};
	status_drop(client_do(w->client, w->arena, &request, &response), "the code says it");
	return response;
}

static void routes_captures_and_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int code;
		const char *body;
	} cases[] = {
		{"/hello/jane?q=a%20b", 200, "GET jane a b anybody"},
		{"/hello/a%2Fb", 404, "404 page not found\n"},
		{"/hello/", 404, "404 page not found\n"},
		{"/rest/a/b/c?q=1&q=2", 200, "GET a/b/c 1 anybody"},
		{"/rest/", 200, "GET - - anybody"},
		{"/under/x/y", 200, "GET - - anybody"},
		{"/echo", 405, "Method Not Allowed\n"},
		{"/hello/%zz", 400, "malformed path\n"},
		{"/nothing", 500, "no answer\n"},
	};
	struct world w;
	world_init(&w, false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client_response r = get(&w, cases[i].path);
		assert_int_equal(r.code, cases[i].code);
		assert_string_equal(r.body, cases[i].body);
	}
	struct http_header header = {"Authorization", "Bearer bad"};
	struct client_request request = {.path = "/hello/x", .headers = &header, .n_headers = 1};
	struct status *error = client_do(w.client, w.arena, &request, NULL);
	assert_true(status_is(error, STATUS_FORBIDDEN));
	assert_string_equal(error->message, "no");
	status_free(error);
	world_done(&w);
}

static void bodies_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, false);
	static const size_t sizes[] = {0, 1, 50000, 100000, 100001, 3000000};
	char *body = calloc(1, 3000000);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct client_request request = {
			.method = "POST", .path = "/echo", .body = body, .body_size = sizes[i]};
		struct client_response response = {0};
		status_drop(client_do(w.client, w.arena, &request, &response), "the code says it");
		assert_int_equal(response.code, sizes[i] <= 100000 ? 201 : 413);
		if (response.code == 201)
			assert_int_equal(response.body_size, sizes[i]);
	}
	free(body);
	world_done(&w);
}

static void streams_are_whole_and_end_when_the_client_goes(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct world w;
		world_init(&w, tls);
		assert_int_equal(get(&w, "/stream").body_size, 3000000);
		struct client_request request = {.path = "/follow", .timeout_ms = 100};
		struct status *error = client_do(w.client, w.arena, &request, NULL);
		assert_true(status_is(error, STATUS_TIMEOUT));
		status_free(error);
		for (int i = 0; i < 1000 && !atomic_load(&w.gone); i++) {
			struct timespec ts = {.tv_nsec = 5 * 1000000};
			nanosleep(&ts, NULL);
		}
		assert_int_equal(atomic_load(&w.gone), 1);
		world_done(&w);
	}
}

static void upgrades_carry_bytes_both_ways(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct world w;
		world_init(&w, tls);
		struct tls_context *context = NULL;
		struct tls_config config = {.insecure = true};
		if (tls)
			assert_null(tls_context_new(&config, TLS_CLIENT, &context));
		struct stream *s;
		assert_null(stream_dial("127.0.0.1", http_server_port(w.server), context, 5000, &s));
		struct http_header headers[] = {{"Connection", "Upgrade"}, {"Upgrade", "echo"}};
		struct http_head head;
		char *body;
		size_t size;
		assert_null(http_upgrade(s, w.arena, "POST", "/upgrade", "x", headers, 2, 5000, &head, &body, &size));
		assert_int_equal(head.code, 101);
		assert_string_equal(http_header_get(head.headers, head.n_headers, "Upgrade"), "echo");
		char *sent = calloc(1, 500000), *got = calloc(1, 500000);
		memset(sent, 'y', 500000);
		for (size_t at = 0; at < 500000; at += 50000) {
			assert_null(stream_write_all(s, sent + at, 50000, 5000));
			assert_null(stream_read_exact(s, got + at, 50000, 5000));
		}
		assert_memory_equal(sent, got, 500000);
		free(sent);
		free(got);
		stream_free(s);
		tls_context_unref(context);
		world_done(&w);
	}
}

struct many {
	struct world *w;
	atomic_int ok, refused;
};

static void upgrades_lose_nothing_at_their_end(void **state)
{
	for (int tls = 0; tls < 2; tls++) {
		struct world w;
		world_init(&w, tls);
		struct tls_context *context = NULL;
		struct tls_config config = {.insecure = true};
		if (tls)
			assert_null(tls_context_new(&config, TLS_CLIENT, &context));
		struct stream *s;
		assert_null(stream_dial("127.0.0.1", http_server_port(w.server), context, 5000, &s));
		struct http_header headers[] = {{"Connection", "Upgrade"}, {"Upgrade", "flood"}};
		struct http_head head;
		char *body, block[65536];
		size_t size, got = 0;
		assert_null(http_upgrade(s, w.arena, "POST", "/flood", "x", headers, 2, 5000, &head, &body, &size));
		assert_int_equal(head.code, 101);
		do {
			assert_null(stream_read_some(s, block, sizeof(block), 20000, &size));
			got += size;
		} while (size);
		assert_int_equal(got, FLOOD_BYTES);
		stream_free(s);
		if (context)
			tls_context_unref(context);
		world_done(&w);
	}
}

static void *ask_slow(void *data)
{
	struct many *m = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_request request = {.path = "/slow"};
	struct client_response response = {0};
	status_drop(client_do(m->w->client, arena, &request, &response), "the code says it");
	atomic_fetch_add(response.code == 200 ? &m->ok : &m->refused, 1);
	return NULL;
}

static void too_many_requests_are_refused(void **state)
{
	(void)state;
	struct world w;
	struct many m = {.w = &w};
	pthread_t threads[12];
	world_init(&w, false);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, ask_slow, &m);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&m.ok) + atomic_load(&m.refused), 12);
	assert_true(atomic_load(&m.ok) >= 3);
	assert_true(atomic_load(&m.refused) >= 1);
	world_done(&w);
}

static void tls_shows_the_clients_certificate(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, true);
	assert_string_equal(get(&w, "/hello/x").body, "GET x - cert");
	world_done(&w);
}

static void addresses_in_use_are_named(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, false);
	struct http_server_config config = {
		.address = "127.0.0.1", .port = http_server_port(w.server), .routes = routes};
	struct http_server *second;
	struct status *error = http_server_new(&config, &second);
	assert_non_null(error);
	assert_non_null(strstr(error->message, arena_printf(w.arena, "127.0.0.1:%u", config.port)));
	status_free(error);
	config = (struct http_server_config){.address = "nonsense", .routes = routes};
	error = http_server_new(&config, &second);
	assert_true(status_is(error, STATUS_BAD_REQUEST));
	status_free(error);
	config = (struct http_server_config){.address = "127.0.0.1", .routes = routes, .cert_pem = "x", .key_pem = "y"};
	error = http_server_new(&config, &second);
	assert_non_null(error);
	status_free(error);
	world_done(&w);
}

static struct status *sick(void *data)
{
	return *(bool *)data ? status_internal("secret reason") : NULL;
}

static void healthz(struct http_request *r)
{
	health_respond(r->data, r, HEALTH_BOTH);
}

static void health_speaks_as_the_original(void **state)
{
	(void)state;
	static const struct http_route health_routes[] = {
		{"GET", "/healthz", healthz}, {"GET", "/healthz/", healthz}, {NULL, NULL, NULL}};
	bool is_sick = false;
	struct health *h = health_new();
	health_add(h, "log", HEALTH_BOTH, sick, &is_sick);
	struct world w = {.arena = arena_new()};
	struct http_server_config config = {.address = "127.0.0.1", .routes = health_routes, .data = h};
	assert_null(http_server_new(&config, &w.server));
	struct client_config client_config = {
		.host = arena_printf(w.arena, "http://127.0.0.1:%u", http_server_port(w.server)), .qps = -1};
	assert_null(client_new(&client_config, clock_system(), &w.client));
	assert_string_equal(get(&w, "/healthz").body, "ok");
	assert_string_equal(get(&w, "/healthz?verbose").body, "[+]ping ok\n[+]log ok\nhealthz check passed\n");
	assert_string_equal(get(&w, "/healthz/log").body, "ok");
	assert_int_equal(get(&w, "/healthz/none").code, 404);
	is_sick = true;
	struct client_response r = get(&w, "/healthz");
	assert_int_equal(r.code, 500);
	assert_string_equal(r.body, "[+]ping ok\n[-]log failed: reason withheld\nhealthz check failed\n");
	assert_int_equal(get(&w, "/healthz?exclude=log").code, 200);
	assert_int_equal(get(&w, "/healthz/log").code, 500);
	world_done(&w);
	health_free(h);
}

static void metrics_are_text(void **state)
{
	(void)state;
	static const char *const labels[] = {"queue", NULL};
	static const double buckets[] = {0.1, 1, 10};
	struct metrics *m = metrics_new();
	struct metric *counter = metrics_counter(m, "adds_total", "Adds.", labels);
	metric_add(counter, 1, "a\"b\\c\n");
	metric_add(counter, 2.5, "x");
	metric_add(counter, 2.5, "x");
	assert_ptr_equal(metrics_counter(m, "adds_total", "Adds.", labels), counter);
	struct metric *gauge = metrics_gauge(m, "depth", "Depth.", NULL);
	metric_set(gauge, 1e9);
	metric_set(gauge, -3);
	struct metric *histogram = metrics_histogram(m, "seconds", "Seconds.", NULL, buckets, 3);
	metric_observe(histogram, 0.1);
	metric_observe(histogram, 5);
	metric_observe(histogram, 50);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	metrics_write(m, &out);
	static const char wanted[] =
		"# HELP adds_total Adds.\n# TYPE adds_total counter\n"
		"adds_total{queue=\"a\\\"b\\\\c\\n\"} 1\nadds_total{queue=\"x\"} 5\n"
		"# HELP depth Depth.\n# TYPE depth gauge\ndepth -3\n"
		"# HELP seconds Seconds.\n# TYPE seconds histogram\n"
		"seconds_bucket{le=\"0.1\"} 1\nseconds_bucket{le=\"1\"} 1\nseconds_bucket{le=\"10\"} 2\n"
		"seconds_bucket{le=\"+Inf\"} 3\nseconds_sum 55.1\nseconds_count 3\n";
	assert_memory_equal(out.buf, wanted, sizeof(wanted) - 1);
	assert_non_null(strstr(out.buf, "\nprocess_resident_memory_bytes "));
	metric_remove(counter, "x");
	metric_add(NULL, 1);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_captures_and_refusals),
		cmocka_unit_test(bodies_are_bounded),
		cmocka_unit_test(streams_are_whole_and_end_when_the_client_goes),
		cmocka_unit_test(upgrades_carry_bytes_both_ways),
		cmocka_unit_test(upgrades_lose_nothing_at_their_end),
		cmocka_unit_test(too_many_requests_are_refused),
		cmocka_unit_test(tls_shows_the_clients_certificate),
		cmocka_unit_test(addresses_in_use_are_named),
		cmocka_unit_test(health_speaks_as_the_original),
		cmocka_unit_test(metrics_are_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
