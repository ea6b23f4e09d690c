/* Any text as an URL, escaped and unescaped, and as a query: what is escaped is unescaped to the same. */
#include "net/url.h"
#include "test/fuzz/target.h"

static void as_query(struct arena *arena, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct query_param *params, *again;
	size_t n, n_again;

	query_parse(arena, text, &params, &n);
	for (size_t i = 0; i < n; i++)
		query_add(&out, params[i].key, params[i].value);
	query_parse(arena, out.buf, &again, &n_again);
	/* A pair with an empty key and value is written as "=", which is one. */
	assert(n == n_again);
	for (size_t i = 0; i < n; i++) {
		fuzz_same_text("key", params[i].key, again[i].key);
		fuzz_same_text("value", params[i].value, again[i].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT, path = STRBUF_INIT;
	struct url url = {0};
	char *back;

	if (size > 4096)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct status *s = url_parse(arena, text, &url);
	if (!s) {
		assert(url.scheme && url.user && url.host && url.path && url.query);
		url_port(&url);
		url_host_port(arena, url.host, url.port);
	}
	status_free(s);
	url_escape(&out, text);
	assert(url_unescape(arena, out.buf, out.len, true, &back));
	fuzz_same_text("escaped", text, back);
	url_escape_path(&path, text);
	assert(url_unescape(arena, path.buf, path.len, false, &back));
	fuzz_same_text("escaped path", text, back);
	url_unescape(arena, text, strlen(text), false, &back);
	as_query(arena, text);
	return 0;
}
