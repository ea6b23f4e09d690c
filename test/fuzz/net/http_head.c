/* Any bytes as an HTTP head, a URL and a query. */
#include "test/fuzz/target.h"
#include "net/http1.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct http_head head = {0};
	struct url url;
	struct query_param *params;
	size_t used = 0, n;
	if (size > FUZZ_MAX_SIZE)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct status *error = http_head_parse(arena, text, size, &head, &used);
	if (!error && used) {
		assert(used <= size && (head.code || head.method));
		for (size_t i = 0; i < head.n_headers; i++)
			http_header_has_token(head.headers, head.n_headers, head.headers[i].name, "upgrade");
	}
	status_free(error);
	status_free(url_parse(arena, text, &url));
	query_parse(arena, text, &params, &n);
	for (size_t i = 0; i < n; i++)
		assert(params[i].key && params[i].value);
	return 0;
}
