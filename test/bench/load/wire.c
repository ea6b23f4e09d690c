#include "test/bench/load/wire.h"
#include <openssl/ssl.h>
#include "base/mem.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "net/url.h"

#define TIMEOUT_MS 120000
#define MAX_LINE 4096

struct wire {
	struct stream *stream;
	char *buffer;	 /* of WIRE_BUFFER bytes */
	size_t from, to; /* what is read and not yet consumed */
	struct strbuf out, kept;
	/* of the body on its way */
	bool chunked, ended;
	size_t left; /* of the chunk, or of the body */
	char line[32];
	size_t line_size; /* of a chunk's head */
};

struct status *target_init(struct target *target, struct arena *arena, const char *kubeconfig)
{
	struct client_config config;
	struct url url;
	TRY(kubeconfig_load_file(arena, kubeconfig, NULL, &config));
	TRY(url_parse(arena, config.host, &url));
	const struct tls_config tls = {.ca_file = config.ca_file,
		.ca_data = config.ca_data,
		.ca_size = config.ca_size,
		.cert_file = config.cert_file,
		.cert_data = config.cert_data,
		.cert_size = config.cert_size,
		.key_file = config.key_file,
		.key_data = config.key_data,
		.key_size = config.key_size,
		.server_name = config.tls_server_name,
		.insecure = config.insecure};
	target->host = url.host;
	target->port = url.port;
	return tls_context_new(&tls, TLS_CLIENT, &target->tls);
}

struct status *wire_dial(const struct target *target, struct wire **ret_wire)
{
	struct stream *stream;
	TRY(stream_dial(target->host, target->port, target->tls, 60000, &stream));
	/* A record's head and what is in it in one call: it is the server that is to be measured. */
	if (stream_ssl(stream))
		SSL_set_read_ahead(stream_ssl(stream), 1);
	struct wire *wire = mem_zalloc(sizeof *wire);
	wire->stream = stream;
	wire->buffer = mem_alloc(WIRE_BUFFER);
	strbuf_init(&wire->out);
	strbuf_init(&wire->kept);
	*ret_wire = wire;
	return NULL;
}

void wire_free(struct wire *wire)
{
	stream_free(wire->stream);
	strbuf_done(&wire->out);
	strbuf_done(&wire->kept);
	free(wire->buffer);
	free(wire);
}

struct stream *wire_stream(struct wire *wire)
{
	return wire->stream;
}

struct status *wire_send(struct wire *wire, const struct target *target, const char *method, const char *path,
	const char *headers, const void *body, size_t size)
{
	strbuf_reset(&wire->out);
	strbuf_printf(&wire->out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench-load\r\n%s", method, path,
		target->host, str_or_empty(headers));
	if (size || !str_eq(method, "GET"))
		strbuf_printf(&wire->out, "Content-Length: %zu\r\n", size);
	strbuf_adds(&wire->out, "\r\n");
	strbuf_add(&wire->out, body, size);
	return stream_write_all(wire->stream, wire->out.buf, wire->out.len, TIMEOUT_MS);
}

static struct status *fill(struct wire *wire)
{
	size_t n;
	if (wire->from == wire->to)
		wire->from = wire->to = 0;
	TRY(stream_read_some(wire->stream, wire->buffer + wire->to, WIRE_BUFFER - wire->to, TIMEOUT_MS, &n));
	if (!n)
		return status_new(STATUS_UNAVAILABLE, "the server closed the connection");
	wire->to += n;
	return NULL;
}

/* A line without its end, of the bytes read; it stays valid until more are read. */
static struct status *read_line(struct wire *wire, char **ret_line)
{
	for (;;) {
		char *begin = wire->buffer + wire->from, *end = memchr(begin, '\n', wire->to - wire->from);
		if (end) {
			wire->from = (size_t)(end + 1 - wire->buffer);
			*end = '\0';
			if (end > begin && end[-1] == '\r')
				end[-1] = '\0';
			*ret_line = begin;
			return NULL;
		}
		if (wire->to - wire->from > MAX_LINE)
			return status_internal("a line of the answer's head is too long");
		memmove(wire->buffer, begin, wire->to - wire->from);
		wire->to -= wire->from;
		wire->from = 0;
		TRY(fill(wire));
	}
}

struct status *wire_receive_head(struct wire *wire, int *ret_code)
{
	char *line;
	TRY(read_line(wire, &line));
	if (sscanf(line, "HTTP/1.1 %d", ret_code) != 1)
		return status_internal("no HTTP answer: %.60s", line);
	wire->chunked = wire->ended = false;
	wire->left = wire->line_size = 0;
	for (;;) {
		TRY(read_line(wire, &line));
		if (!*line)
			break;
		if (!strncasecmp(line, "content-length:", 15))
			wire->left = strtoull(line + 15, NULL, 10);
		else if (!strncasecmp(line, "transfer-encoding: chunked", 26))
			wire->chunked = true;
	}
	wire->ended = !wire->chunked && !wire->left;
	return NULL;
}

/* The head of a chunk, a byte at a time; the empty line after the chunk before is part of it. */
static void chunk_head(struct wire *wire, char c)
{
	if (c != '\n') {
		if (wire->line_size < sizeof(wire->line) - 1)
			wire->line[wire->line_size++] = c;
		return;
	}
	wire->line[wire->line_size] = '\0';
	bool blank = !wire->line_size || wire->line[0] == '\r';
	wire->line_size = 0;
	if (wire->ended || blank)
		return;
	wire->left = strtoull(wire->line, NULL, 16);
	wire->ended = !wire->left;
}

/* Consumes what is buffered of the body. */
static size_t take(struct wire *wire, void (*fn)(void *data, const char *bytes, size_t size), void *data)
{
	size_t taken = 0;
	while (wire->from < wire->to && !wire->ended) {
		if (!wire->left) {
			chunk_head(wire, wire->buffer[wire->from++]);
			continue;
		}
		size_t n = wire->to - wire->from < wire->left ? wire->to - wire->from : wire->left;
		if (fn)
			fn(data, wire->buffer + wire->from, n);
		wire->from += n;
		wire->left -= n;
		taken += n;
		wire->ended = !wire->left && !wire->chunked;
	}
	return taken;
}

static void keep_bytes(void *data, const char *bytes, size_t size)
{
	strbuf_add(data, bytes, size);
}

struct status *wire_receive(struct wire *wire, bool keep, struct answer *ret)
{
	*ret = (struct answer){0};
	TRY(wire_receive_head(wire, &ret->code));
	strbuf_reset(&wire->kept);
	keep = keep || ret->code >= 300;
	for (;;) {
		ret->size += take(wire, keep ? keep_bytes : NULL, &wire->kept);
		if (wire->ended)
			break;
		TRY(fill(wire));
	}
	/* The empty line after the last chunk. */
	char *line;
	if (wire->chunked)
		TRY(read_line(wire, &line));
	ret->body = wire->kept.buf;
	return NULL;
}

struct status *wire_ask(struct wire *wire, const struct target *target, const char *method, const char *path,
	const char *headers, const void *body, size_t size, bool keep, struct answer *ret)
{
	TRY(wire_send(wire, target, method, path, headers, body, size));
	TRY(wire_receive(wire, keep, ret));
	if (ret->code >= 300)
		return status_internal("%s %s: %d: %.300s", method, path, ret->code, ret->body);
	return NULL;
}

static bool poll_into(struct wire *wire, void (*fn)(void *data, const char *bytes, size_t size), void *data)
{
	SSL *ssl = stream_ssl(wire->stream);
	for (bool more = true; more && !wire->ended;) {
		short wants;
		wire->from = wire->to = 0;
		ssize_t n = stream_try_read(wire->stream, wire->buffer, WIRE_BUFFER, &wants);
		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN;
		wire->to = (size_t)n;
		take(wire, fn, data);
		/* What is still in the socket is told of again. */
		more = ssl && SSL_has_pending(ssl);
	}
	return !wire->ended;
}

bool wire_poll(struct wire *wire, char *buffer, void (*fn)(void *data, const char *bytes, size_t size), void *data)
{
	take(wire, fn, data);
	char *own = wire->buffer;
	wire->buffer = buffer;
	bool goes_on = poll_into(wire, fn, data);
	wire->buffer = own;
	wire->from = wire->to = 0;
	return goes_on;
}
