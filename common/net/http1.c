#include "net/http1.h"

#include <ctype.h>
#include <strings.h>
#include "base/mem.h"
#include "base/str.h"

enum { MAX_HEADERS = 256, MAX_BODY_BYTES = 1 << 20 };

const char *http_header_get(const struct http_header *headers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(headers[i].name, name))
			return headers[i].value;
	return NULL;
}

static bool has_token(const char *list, const char *token)
{
	size_t token_len = strlen(token);
	while (*list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, ",");
		size_t word = len;
		while (word && (list[word - 1] == ' ' || list[word - 1] == '\t'))
			word--;
		if (word == token_len && !strncasecmp(list, token, word))
			return true;
		list += len;
	}
	return false;
}

bool http_header_has_token(const struct http_header *headers, size_t n, const char *name, const char *token)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(headers[i].name, name) && has_token(headers[i].value, token))
			return true;
	return false;
}

/* "HTTP/1.1 101 Switching Protocols" or "GET /x HTTP/1.1". */
static struct status *parse_first_line(struct arena *arena, const char *line, size_t len, struct http_head *ret)
{
	char *text = arena_strndup(arena, line, len);
	char *space = strchr(text, ' ');
	if (!space)
		return status_bad_request("malformed HTTP first line");
	*space = '\0';
	char *rest = space + 1;
	if (str_starts_with(text, "HTTP/1.")) {
		int64_t code;
		char *end = strchr(rest, ' ');
		if (end)
			*end = '\0';
		if (!str_to_int64(rest, 100, 999, &code))
			return status_bad_request("malformed HTTP status code");
		ret->code = (int)code;
		ret->reason = end ? end + 1 : rest + strlen(rest);
		return NULL;
	}
	char *version = strrchr(rest, ' ');
	if (!version || !str_starts_with(version + 1, "HTTP/1."))
		return status_bad_request("malformed HTTP request line");
	*version = '\0';
	ret->method = text;
	ret->target = rest;
	return NULL;
}

static struct status *parse_header(struct arena *arena, const char *line, size_t len, struct http_head *ret)
{
	const char *colon = memchr(line, ':', len);
	if (!colon || colon == line || memchr(line, ' ', (size_t)(colon - line)) || memchr(line, '\0', len))
		return status_bad_request("malformed HTTP header line");
	if (ret->n_headers >= MAX_HEADERS)
		return status_bad_request("too many HTTP headers");
	const char *value = colon + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	ARENA_PUSH(arena, ret->headers, ret->n_headers) = (struct http_header){
		.name = arena_strndup(arena, line, (size_t)(colon - line)),
		.value = arena_strndup(arena, value, (size_t)(end - value)),
	};
	return NULL;
}

struct status *http_head_parse(
	struct arena *arena, const char *data, size_t size, struct http_head *ret, size_t *ret_used)
{
	*ret_used = 0;
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	if (!end) {
		if (size > HTTP1_MAX_HEAD_BYTES)
			return status_bad_request("HTTP head is longer than %d bytes", HTTP1_MAX_HEAD_BYTES);
		return NULL;
	}
	struct http_head head = {0};
	const char *line = data;
	for (bool first = true; line <= end; first = false) {
		const char *stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t len = (size_t)(stop - line);
		if (first)
			TRY(parse_first_line(arena, line, len, &head));
		else
			TRY(parse_header(arena, line, len, &head));
		line = stop + 2;
	}
	*ret = head;
	*ret_used = (size_t)(end + 4 - data);
	return NULL;
}

/* A header that a caller took from elsewhere must not smuggle in a line of its own. */
static struct status *write_request(struct strbuf *out, const char *method, const char *target, const char *host,
	const struct http_header *headers, size_t n_headers)
{
	strbuf_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host);
	for (size_t i = 0; i < n_headers; i++) {
		if (headers[i].value[strcspn(headers[i].value, "\r\n")] ||
			headers[i].name[strcspn(headers[i].name, "\r\n:")])
			return status_bad_request("header %s: line break in its value", headers[i].name);
		strbuf_printf(out, "%s: %s\r\n", headers[i].name, headers[i].value);
	}
	strbuf_adds(out, "\r\n");
	return NULL;
}

static struct status *read_head(
	struct stream *s, struct arena *arena, struct strbuf *in, int timeout_ms, struct http_head *ret)
{
	for (;;) {
		char buf[4096];
		size_t n, used;
		TRY(stream_read_some(s, buf, sizeof(buf), timeout_ms, &n));
		if (!n)
			return status_new(STATUS_UNAVAILABLE, "unexpected EOF");
		strbuf_add(in, buf, n);
		TRY(http_head_parse(arena, in->buf, in->len, ret, &used));
		if (!used)
			continue;
		strbuf_consume(in, used);
		if (ret->code == 100) {
			*ret = (struct http_head){0};
			TRY(http_head_parse(arena, in->buf, in->len, ret, &used));
			if (!used)
				continue;
			strbuf_consume(in, used);
		}
		return NULL;
	}
}

/* Joins the chunks of a chunked body that is wholly in `raw`; a malformed one ends it. */
static void unchunk(const struct strbuf *raw, struct strbuf *out)
{
	const char *p = raw->buf, *end = raw->buf + raw->len;
	while (p < end) {
		char *after;
		unsigned long size = strtoul(p, &after, 16);
		const char *line = after == p ? NULL : memmem(after, (size_t)(end - after), "\r\n", 2);
		if (!line || !size || size > (size_t)(end - line - 2))
			return;
		strbuf_add(out, line + 2, size);
		p = line + 2 + size + 2;
	}
}

/* Reads what the head promises, or up to the end of the connection: refusals only, so time and size are bounded. */
static void read_refusal(struct stream *s, const struct http_head *head, struct strbuf *in, int timeout_ms)
{
	const char *length = http_header_get(head->headers, head->n_headers, "Content-Length");
	bool chunked = http_header_has_token(head->headers, head->n_headers, "Transfer-Encoding", "chunked");
	uint64_t wanted = MAX_BODY_BYTES;
	if (length)
		str_to_uint64(length, MAX_BODY_BYTES, &wanted);
	while (in->len < wanted && !(chunked && str_ends_with(in->buf, "0\r\n\r\n"))) {
		char buf[4096];
		size_t n = 0;
		struct status *error = stream_read_some(s, buf, sizeof(buf), timeout_ms, &n);
		status_drop(error, "what came of the body is all that can be told");
		if (!n)
			break;
		strbuf_add(in, buf, n);
	}
	if (in->len > wanted)
		strbuf_truncate(in, wanted);
	if (chunked) {
		struct strbuf joined = STRBUF_INIT;
		unchunk(in, &joined);
		strbuf_done(in);
		*in = joined;
	}
}

struct status *http_upgrade(struct stream *s, struct arena *arena, const char *method, const char *target,
	const char *host, const struct http_header *headers, size_t n_headers, int timeout_ms,
	struct http_head *ret_head, char **ret_body, size_t *ret_body_size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf in = STRBUF_INIT;
	struct http_head head = {0};
	TRY(write_request(&out, method, target, host, headers, n_headers));
	TRY(stream_write_all(s, out.buf, out.len, timeout_ms));
	TRY(read_head(s, arena, &in, timeout_ms, &head));
	*ret_head = head;
	*ret_body = arena_strdup(arena, "");
	*ret_body_size = 0;
	if (head.code == 101) {
		stream_unread(s, in.buf, in.len);
		return NULL;
	}
	read_refusal(s, &head, &in, timeout_ms);
	*ret_body = arena_strndup(arena, in.buf, in.len);
	*ret_body_size = in.len;
	return NULL;
}
