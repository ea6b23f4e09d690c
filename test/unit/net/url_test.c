/* URLs, escapes, query strings and HTTP heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"
#include "net/http1.h"
#include "net/url.h"

static void urls_come_apart(void **state)
{
	(void)state;
	static const struct {
		const char *text, *scheme, *host;
		uint16_t port, effective;
		const char *path, *query;
	} cases[] = {
		{"https://10.0.0.1:6443", "https", "10.0.0.1", 6443, 6443, "", ""},
		{"HTTPS://k8s.example/prefix/a?b=c#d", "https", "k8s.example", 0, 443, "/prefix/a", "b=c"},
		{"http://[::1]:8080/x", "http", "::1", 8080, 8080, "/x", ""},
		{"http://[fe80::1]", "http", "fe80::1", 0, 80, "", ""},
		{"localhost:8080", "", "localhost", 8080, 8080, "", ""},
		{"https://user:pw@host/", "https", "host", 0, 443, "/", ""},
		{"", "", "", 0, 80, "", ""},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct url url;
		assert_null(url_parse(arena, cases[i].text, &url));
		assert_string_equal(url.scheme, cases[i].scheme);
		assert_string_equal(url.host, cases[i].host);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url_port(&url), cases[i].effective);
		assert_string_equal(url.path, cases[i].path);
		assert_string_equal(url.query, cases[i].query);
	}
}

static void bad_urls_are_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {"https://host:port", "https://host:70000", "https://[::1", "https://[::1]x",
		"https://a b/", "https://a\nb"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct url url;
		struct status *error = url_parse(arena, cases[i], &url);
		if (!error)
			print_error("no error for %s\n", cases[i]);
		assert_true(status_is(error, STATUS_BAD_REQUEST));
		status_free(error);
	}
}

static void queries_are_written_and_read(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	query_add(&query, "labelSelector", "a in (b,c),d!=e");
	query_add(&query, "absent", NULL);
	query_add_int(&query, "limit", 500);
	query_add(&query, "empty", "");
	assert_string_equal(query.buf, "labelSelector=a%20in%20%28b%2Cc%29%2Cd%21%3De&limit=500&empty=");
	struct query_param *params;
	size_t n;
	query_parse(arena, query.buf, &params, &n);
	assert_int_equal(n, 3);
	assert_string_equal(query_get(params, n, "labelSelector"), "a in (b,c),d!=e");
	assert_string_equal(query_get(params, n, "empty"), "");
	assert_null(query_get(params, n, "absent"));
	query_parse(arena, "a=1+2&b=%zz&&c&a=3&d=%4", &params, &n);
	assert_int_equal(n, 3);
	assert_string_equal(query_get(params, n, "a"), "1 2");
	assert_string_equal(query_get(params, n, "c"), "");
}

static void heads_are_parsed(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char text[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX:  y \r\n\r\nrest";
	struct http_head head;
	size_t used;
	assert_null(http_head_parse(arena, text, sizeof(text) - 1, &head, &used));
	assert_int_equal(used, sizeof(text) - 1 - 4);
	assert_int_equal(head.code, 101);
	assert_string_equal(head.reason, "Switching Protocols");
	assert_string_equal(http_header_get(head.headers, head.n_headers, "x"), "y");
	assert_null(http_head_parse(arena, text, 20, &head, &used));
	assert_int_equal(used, 0);
	static const char *const bad[] = {"HTTP/1.1 abc\r\n\r\n", "nonsense\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "GET /\r\n\r\n", "\r\n\r\n"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct status *error = http_head_parse(arena, bad[i], strlen(bad[i]), &head, &used);
		if (!error)
			print_error("no error for %s\n", bad[i]);
		assert_non_null(error);
		status_free(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_come_apart),
		cmocka_unit_test(bad_urls_are_refused),
		cmocka_unit_test(queries_are_written_and_read),
		cmocka_unit_test(heads_are_parsed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
