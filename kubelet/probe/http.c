#include <inttypes.h>
#include "base/io.h"
#include "base/str.h"
#include "kubelet/probe/probe.h"
#include "net/http1.h"
#include "net/stream.h"
#include "net/tls.h"

#define MAX_HEAD HTTP1_MAX_HEAD_BYTES
#define MAX_BODY 10240
#define MAX_REDIRECTS 10

struct status *container_port(const CoreV1Container *c, const IntstrIntOrString *port, uint16_t *ret)
{
	int64_t number = 0;
	if (port && port->type == 0) {
		number = port->int_val;
	} else if (port) {
		bool found = false;
		for (size_t i = 0; i < c->n_ports && !found; i++)
			if (str_eq(c->ports[i]->name, port->str_val)) {
				number = c->ports[i]->container_port;
				found = true;
			}
		if (!found && !str_to_int64(port->str_val, 1, 65535, &number))
			return status_bad_request(
				"couldn't find port: \"%s\" in container: %s", port->str_val, c->name);
	}
	if (number <= 0 || number > 65535)
		return status_bad_request("invalid port number: %" PRId64, number);
	*ret = (uint16_t)number;
	return NULL;
}

struct exchange {
	struct strbuf in;
	struct http_head head;
	size_t head_size;
};

static int left_ms(const struct clock *clock, int64_t deadline)
{
	int64_t left = deadline - clock_mono_ms(clock);
	return left > 1 ? (int)left : 1;
}

static bool is_host_header(const struct http_get *get, const char **ret_host)
{
	for (size_t i = 0; i < get->n_headers; i++)
		if (str_eq_nocase(get->headers[i]->name, "Host")) {
			*ret_host = get->headers[i]->value;
			return true;
		}
	return false;
}

static void write_request(struct strbuf *out, const struct http_get *get, const char *path)
{
	const char *host = get->host;
	strbuf_printf(out, "GET %s%s HTTP/1.1\r\n", path[0] == '/' ? "" : "/", path);
	if (is_host_header(get, &host))
		strbuf_printf(out, "Host: %s\r\n", host);
	else
		strbuf_printf(out, strchr(host, ':') ? "Host: [%s]:%u\r\n" : "Host: %s:%u\r\n", host, get->port);
	bool agent = false, accept = false;
	for (size_t i = 0; i < get->n_headers; i++) {
		const char *name = get->headers[i]->name;
		if (str_eq_nocase(name, "Host"))
			continue;
		agent |= str_eq_nocase(name, "User-Agent");
		accept |= str_eq_nocase(name, "Accept");
		/* An empty value takes the header out. */
		if (!str_empty(get->headers[i]->value))
			strbuf_printf(out, "%s: %s\r\n", name, get->headers[i]->value);
	}
	if (!agent)
		strbuf_printf(out, "User-Agent: %s\r\n", get->user_agent);
	if (!accept)
		strbuf_adds(out, "Accept: */*\r\n");
	strbuf_adds(out, "Connection: close\r\n\r\n");
}

static struct status *read_more(struct stream *s, int64_t deadline, struct exchange *x, size_t *ret_n)
{
	char block[4096];
	TRY(stream_read_some(s, block, sizeof(block), left_ms(clock_system(), deadline), ret_n));
	strbuf_add(&x->in, block, *ret_n);
	return NULL;
}

/* What comes before the answer (100 Continue, 103 Early Hints) is passed over. */
static struct status *read_head(struct arena *arena, struct stream *s, int64_t deadline, struct exchange *x)
{
	for (;;) {
		size_t n, used = 0;
		TRY(read_more(s, deadline, x, &n));
		if (!n)
			return status_new(STATUS_UNAVAILABLE, "EOF");
		do {
			TRY(http_head_parse(
				arena, x->in.buf + x->head_size, x->in.len - x->head_size, &x->head, &used));
			x->head_size += used;
			if (used && x->head.method)
				return status_bad_request("malformed HTTP response");
			if (used && (x->head.code >= 200 || x->head.code == 101))
				return NULL;
		} while (used);
		if (x->in.len > MAX_HEAD)
			return status_new(STATUS_TOO_LARGE, "response head of more than %d bytes", MAX_HEAD);
	}
}

static struct status *read_answer(struct arena *arena, struct stream *s, int64_t deadline, struct exchange *x)
{
	TRY(read_head(arena, s, deadline, x));
	const char *length = http_header_get(x->head.headers, x->head.n_headers, "Content-Length");
	uint64_t want = MAX_BODY;
	if (length && !str_to_uint64(length, UINT64_MAX, &want))
		return status_bad_request("bad Content-Length \"%.64s\"", length);
	if (x->head.code == 204 || x->head.code == 304)
		want = 0;
	want = want < MAX_BODY ? want : MAX_BODY;
	while (x->in.len - x->head_size < want) {
		size_t n;
		TRY(read_more(s, deadline, x, &n));
		if (!n && length)
			return status_new(STATUS_UNAVAILABLE, "unexpected EOF");
		if (!n)
			break;
	}
	return NULL;
}

static struct status *exchange(
	struct arena *arena, const struct http_get *get, const char *path, int64_t deadline, struct exchange *x)
{
	struct tls_context *tls = NULL;
	struct tls_config config = {.insecure = true};
	if (get->tls)
		TRY(tls_context_new(&config, TLS_CLIENT, &tls));
	struct stream *s = NULL;
	struct status *error = stream_dial(get->host, get->port, tls, left_ms(clock_system(), deadline), &s);
	if (tls)
		tls_context_unref(tls);
	if (error)
		return error;
	CLEANUP(strbuf_done) struct strbuf request = STRBUF_INIT;
	write_request(&request, get, path);
	error = stream_write_all(s, request.buf, request.len, left_ms(clock_system(), deadline));
	if (!error)
		error = read_answer(arena, s, deadline, x);
	stream_free(s);
	return error;
}

/* Where a redirect leads: a path on the same host, or NULL for another host. */
static char *same_host_path(struct arena *arena, const struct http_get *get, const char *location)
{
	if (location[0] == '/' && location[1] != '/')
		return arena_strdup(arena, location);
	const char *rest = strstr(location, "://");
	if (!rest)
		return arena_printf(arena, "/%s", location);
	rest += 3;
	size_t len = strcspn(rest, "/");
	char *authority = arena_strndup(arena, rest, len);
	const char *host = get->host;
	is_host_header(get, &host);
	char *own = arena_printf(arena, "%s:%u", host, get->port);
	if (!str_eq_nocase(authority, own) && !str_eq_nocase(authority, host))
		return NULL;
	return arena_strdup(arena, rest[len] ? rest + len : "/");
}

struct status *http_get(
	struct arena *arena, const struct http_get *get, int *ret_code, char **ret_body, bool *ret_elsewhere)
{
	int64_t deadline = clock_mono_ms(clock_system()) + get->timeout_ms;
	const char *path = str_or(get->path, "/");
	*ret_elsewhere = false;
	for (int i = 0; i <= MAX_REDIRECTS; i++) {
		struct exchange x = {.in = STRBUF_INIT};
		struct status *error = exchange(arena, get, path, deadline, &x);
		if (error) {
			strbuf_done(&x.in);
			return error;
		}
		size_t size = x.in.len - x.head_size;
		*ret_code = x.head.code;
		*ret_body = arena_strndup(arena, x.in.buf + x.head_size, size > MAX_BODY ? MAX_BODY : size);
		strbuf_done(&x.in);
		const char *location = http_header_get(x.head.headers, x.head.n_headers, "Location");
		if (x.head.code < 301 || x.head.code > 308 || x.head.code == 304 || str_empty(location))
			return NULL;
		path = same_host_path(arena, get, location);
		if (!path) {
			*ret_elsewhere = true;
			return NULL;
		}
	}
	return status_internal("stopped after %d redirects", MAX_REDIRECTS);
}
