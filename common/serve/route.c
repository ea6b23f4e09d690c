#include "base/str.h"
#include "serve/internal.h"

/* Whether path fits pattern; captures are appended. */
static bool match(struct http_request *request, const char *pattern, const char *path)
{
	struct query_param *captures = NULL;
	size_t n = 0;
	for (;;) {
		if (*pattern == '{') {
			size_t name_len = strcspn(pattern, "}") - 1;
			bool rest = name_len > 3 && !memcmp(pattern + name_len - 2, "...", 3);
			size_t len = rest ? strlen(path) : strcspn(path, "/");
			if (!len && !rest)
				return false;
			ARENA_PUSH(request->arena, captures, n) = (struct query_param){
				.key = arena_strndup(request->arena, pattern + 1, rest ? name_len - 3 : name_len),
				.value = arena_strndup(request->arena, path, len),
			};
			pattern += name_len + 2;
			path += len;
		} else if (!*pattern) {
			if (*path)
				return false;
			break;
		} else if (*pattern == '/' && !pattern[1] && *path == '/') {
			break; /* a prefix */
		} else if (*pattern != *path) {
			return false;
		} else {
			pattern++;
			path++;
		}
	}
	request->captures = captures;
	request->n_captures = n;
	return true;
}

http_handler *http_route_find(const struct http_route *routes, struct http_request *request, bool *ret_method_mismatch)
{
	*ret_method_mismatch = false;
	for (const struct http_route *r = routes; r && r->method; r++) {
		if (!match(request, r->pattern, request->path))
			continue;
		if (str_eq(r->method, "*") || str_eq(r->method, request->method) ||
			(str_eq(r->method, "GET") && str_eq(request->method, "HEAD")))
			return r->handler;
		*ret_method_mismatch = true;
	}
	return NULL;
}

const char *http_capture(const struct http_request *request, const char *name)
{
	return query_get(request->captures, request->n_captures, name);
}

const char *http_query(const struct http_request *request, const char *key)
{
	return query_get(request->query, request->n_query, key);
}

bool http_query_bool(const struct http_request *request, const char *key)
{
	bool value;
	const char *text = http_query(request, key);
	return text && str_to_bool(text, &value) && value;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return http_header_get(request->headers, request->n_headers, name);
}
