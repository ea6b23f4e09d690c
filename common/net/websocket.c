#include "net/websocket.h"

#include <openssl/evp.h>
#include <strings.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	MAX_CONTROL_BYTES = 125,
	MAX_FRAME_HEAD = 14,
	CODE_PROTOCOL_ERROR = 1002,
	CODE_NO_STATUS = 1005,
	CODE_TOO_BIG = 1009,
};

struct websocket {
	enum websocket_side side;
	struct websocket_events events;
	void *data;
	struct strbuf in;      /* a frame not complete yet */
	struct strbuf message; /* fragments so far */
	int fragment_opcode;   /* 0: none open */
	bool close_sent, close_received, failed;
};

struct websocket *websocket_new(enum websocket_side side, const struct websocket_events *events, void *data)
{
	struct websocket *ws = mem_zalloc(sizeof(*ws));
	*ws = (struct websocket){.side = side, .events = *events, .data = data};
	strbuf_init(&ws->in);
	strbuf_init(&ws->message);
	return ws;
}

void websocket_free(struct websocket *ws)
{
	if (!ws)
		return;
	strbuf_done(&ws->in);
	strbuf_done(&ws->message);
	free(ws);
}

bool websocket_is_closed(const struct websocket *ws)
{
	return ws->close_sent && ws->close_received;
}

static void mask(char *bytes, size_t size, const uint8_t key[4])
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)((uint8_t)bytes[i] ^ key[i & 3]);
}

/* One unfragmented frame made of two parts, so that a channel's number needs no copy of its own. */
static void send_frame(
	struct websocket *ws, int opcode, const void *first, size_t first_size, const void *data, size_t size)
{
	uint64_t total = (uint64_t)first_size + size;
	uint8_t mask_bit = ws->side == WEBSOCKET_CLIENT ? 0x80 : 0;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_grow(&out, MAX_FRAME_HEAD + total);
	strbuf_addc(&out, (char)(0x80 | opcode));
	if (total < 126) {
		strbuf_addc(&out, (char)(mask_bit | total));
	} else if (total <= UINT16_MAX) {
		strbuf_addc(&out, (char)(mask_bit | 126));
		strbuf_addc(&out, (char)(total >> 8));
		strbuf_addc(&out, (char)total);
	} else {
		strbuf_addc(&out, (char)(mask_bit | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			strbuf_addc(&out, (char)(total >> shift));
	}
	uint8_t key[4];
	if (mask_bit) {
		random_bytes(key, sizeof(key));
		strbuf_add(&out, key, sizeof(key));
	}
	size_t body = out.len;
	strbuf_add(&out, first, first_size);
	strbuf_add(&out, data, size);
	if (mask_bit)
		mask(out.buf + body, total, key);
	ws->events.output(ws->data, out.buf, out.len);
}

void websocket_send(struct websocket *ws, enum websocket_opcode opcode, const void *data, size_t size)
{
	if (!ws->close_sent)
		send_frame(ws, opcode, "", 0, data ? data : "", size);
}

void websocket_send_channel(struct websocket *ws, uint8_t channel, const void *data, size_t size)
{
	if (!ws->close_sent)
		send_frame(ws, WEBSOCKET_BINARY, &channel, 1, data ? data : "", size);
}

void websocket_close(struct websocket *ws, unsigned code, const char *reason)
{
	if (ws->close_sent)
		return;
	uint8_t body[MAX_CONTROL_BYTES] = {(uint8_t)(code >> 8), (uint8_t)code};
	size_t len = strlen(str_or_empty(reason));
	if (len > sizeof(body) - 2)
		len = sizeof(body) - 2;
	memcpy(body + 2, str_or_empty(reason), len);
	send_frame(ws, WEBSOCKET_CLOSE, "", 0, body, code == CODE_NO_STATUS ? 0 : len + 2);
	ws->close_sent = true;
}

static struct status *violation(struct websocket *ws, unsigned code, const char *what)
{
	ws->failed = true;
	websocket_close(ws, code, what);
	return status_bad_request("websocket: %s", what);
}

static struct status *on_close(struct websocket *ws, const uint8_t *body, size_t size)
{
	if (size == 1)
		return violation(ws, CODE_PROTOCOL_ERROR, "close frame with one byte");
	unsigned code = size ? (unsigned)body[0] << 8 | body[1] : CODE_NO_STATUS;
	if (size && (code < 1000 || code == 1004 || code == 1005 || code == 1006 || code >= 5000))
		return violation(ws, CODE_PROTOCOL_ERROR, "invalid close code");
	char reason[MAX_CONTROL_BYTES] = "";
	if (size > 2)
		memcpy(reason, body + 2, size - 2);
	ws->close_received = true;
	websocket_close(ws, code, "");
	ws->events.closed(ws->data, code, reason);
	return NULL;
}

static struct status *on_control(struct websocket *ws, int opcode, const char *body, size_t size)
{
	switch (opcode) {
	case WEBSOCKET_CLOSE:
		return on_close(ws, (const uint8_t *)body, size);
	case WEBSOCKET_PING:
		websocket_send(ws, WEBSOCKET_PONG, body, size);
		return NULL;
	case WEBSOCKET_PONG:
		if (ws->events.pong)
			ws->events.pong(ws->data, body, size);
		return NULL;
	default:
		return violation(ws, CODE_PROTOCOL_ERROR, "unknown control opcode");
	}
}

static struct status *on_data(struct websocket *ws, int opcode, bool final, const char *body, size_t size)
{
	if (opcode > WEBSOCKET_BINARY)
		return violation(ws, CODE_PROTOCOL_ERROR, "unknown opcode");
	if (!opcode && !ws->fragment_opcode)
		return violation(ws, CODE_PROTOCOL_ERROR, "continuation of nothing");
	if (opcode && ws->fragment_opcode)
		return violation(ws, CODE_PROTOCOL_ERROR, "new message within a fragmented one");
	if (opcode && final) {
		ws->events.message(ws->data, opcode, body, size);
		return NULL;
	}
	if (opcode)
		ws->fragment_opcode = opcode;
	if (ws->message.len + size > WEBSOCKET_MAX_MESSAGE_BYTES)
		return violation(ws, CODE_TOO_BIG, "message too big");
	strbuf_add(&ws->message, body, size);
	if (!final)
		return NULL;
	struct strbuf whole = ws->message;
	int whole_opcode = ws->fragment_opcode;
	strbuf_init(&ws->message);
	ws->fragment_opcode = 0;
	ws->events.message(ws->data, whole_opcode, whole.buf, whole.len);
	strbuf_done(&whole);
	return NULL;
}

struct frame {
	int opcode;
	bool final, masked;
	size_t head_size;
	uint64_t size;
	uint8_t key[4];
};

/* Reads a frame's head; head_size 0 if it is not complete. */
static struct status *parse_head(struct websocket *ws, const uint8_t *p, size_t size, struct frame *ret)
{
	struct frame f = {0};
	*ret = f;
	if (size < 2)
		return NULL;
	f.final = p[0] & 0x80;
	f.opcode = p[0] & 0x0f;
	f.masked = p[1] & 0x80;
	f.size = p[1] & 0x7f;
	size_t need = 2;
	if (p[0] & 0x70)
		return violation(ws, CODE_PROTOCOL_ERROR, "reserved bits set");
	if (f.masked != (ws->side == WEBSOCKET_SERVER))
		return violation(ws, CODE_PROTOCOL_ERROR, f.masked ? "masked frame from a server" : "unmasked frame");
	if (f.opcode >= 8 && (!f.final || f.size > MAX_CONTROL_BYTES))
		return violation(ws, CODE_PROTOCOL_ERROR, "fragmented or long control frame");
	size_t extra = f.size == 126 ? 2 : f.size == 127 ? 8 : 0;
	if (size < need + extra + (f.masked ? 4 : 0))
		return NULL;
	if (extra) {
		f.size = 0;
		for (size_t i = 0; i < extra; i++)
			f.size = f.size << 8 | p[2 + i];
	}
	if (f.size > WEBSOCKET_MAX_MESSAGE_BYTES)
		return violation(ws, CODE_TOO_BIG, "message too big");
	need += extra;
	if (f.masked) {
		memcpy(f.key, p + need, 4);
		need += 4;
	}
	f.head_size = need;
	*ret = f;
	return NULL;
}

static struct status *dispatch(struct websocket *ws, const struct frame *f, char *body)
{
	if (f->masked)
		mask(body, f->size, f->key);
	if (f->opcode >= 8)
		return on_control(ws, f->opcode, body, f->size);
	return on_data(ws, f->opcode, f->final, body, f->size);
}

struct status *websocket_feed(struct websocket *ws, const void *bytes, size_t size)
{
	if (ws->failed || ws->close_received)
		return NULL;
	strbuf_add(&ws->in, bytes, size);
	size_t used = 0;
	struct status *error = NULL;
	while (!error && !ws->close_received) {
		struct frame f;
		error = parse_head(ws, (const uint8_t *)ws->in.buf + used, ws->in.len - used, &f);
		if (error || !f.head_size || ws->in.len - used < f.head_size + f.size)
			break;
		char *body = ws->in.buf + used + f.head_size;
		used += f.head_size + f.size;
		error = dispatch(ws, &f, body);
	}
	strbuf_consume(&ws->in, used);
	return error;
}

/* base64(sha1(key + GUID)), RFC 6455 section 4.2.2. */
static char *accept_value(struct arena *arena, const char *key)
{
	char *text = arena_printf(arena, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
	return base64_encode(arena, digest, size);
}

static void push(struct arena *arena, struct http_header **headers, size_t *n, const char *name, const char *value)
{
	ARENA_PUSH(arena, *headers, *n) =
		(struct http_header){.name = arena_strdup(arena, name), .value = arena_strdup(arena, value)};
}

void websocket_client_headers(struct arena *arena, const char *const *protocols, struct http_header **headers,
	size_t *n_headers, char **ret_key)
{
	uint8_t nonce[16];
	random_bytes(nonce, sizeof(nonce));
	*ret_key = base64_encode(arena, nonce, sizeof(nonce));
	push(arena, headers, n_headers, "Connection", "Upgrade");
	push(arena, headers, n_headers, "Upgrade", "websocket");
	push(arena, headers, n_headers, "Sec-WebSocket-Key", *ret_key);
	push(arena, headers, n_headers, "Sec-WebSocket-Version", "13");
	const char *list = NULL;
	for (; protocols && *protocols; protocols++)
		list = list ? arena_printf(arena, "%s, %s", list, *protocols) : *protocols;
	if (list)
		push(arena, headers, n_headers, "Sec-WebSocket-Protocol", list);
}

struct status *websocket_client_check(
	const struct http_head *head, const char *key, struct arena *arena, char **ret_protocol)
{
	if (head->code != 101 || !http_header_has_token(head->headers, head->n_headers, "Upgrade", "websocket") ||
		!http_header_has_token(head->headers, head->n_headers, "Connection", "upgrade"))
		return status_bad_request("websocket: bad handshake");
	if (!str_eq(http_header_get(head->headers, head->n_headers, "Sec-WebSocket-Accept"), accept_value(arena, key)))
		return status_bad_request("websocket: bad handshake: wrong Sec-WebSocket-Accept");
	*ret_protocol = arena_strdup(
		arena, str_or_empty(http_header_get(head->headers, head->n_headers, "Sec-WebSocket-Protocol")));
	return NULL;
}

bool websocket_is_request(const struct http_header *headers, size_t n)
{
	return http_header_has_token(headers, n, "Connection", "upgrade") &&
	       http_header_has_token(headers, n, "Upgrade", "websocket");
}

/* The client's first protocol that is among ours; NULL if none is; *ret_offered: whether it offered any. */
static const char *choose_protocol(struct arena *arena, const struct http_header *request, size_t n_request,
	const char *const *protocols, bool *ret_offered)
{
	*ret_offered = false;
	for (size_t i = 0; i < n_request; i++) {
		if (strcasecmp(request[i].name, "Sec-WebSocket-Protocol"))
			continue;
		char **parts;
		size_t n = str_split(arena, request[i].value, ',', &parts);
		for (size_t j = 0; j < n; j++) {
			const char *offered = str_trim(arena, parts[j]);
			*ret_offered = *ret_offered || *offered;
			if (*offered && str_in(offered, protocols))
				return offered;
		}
	}
	return NULL;
}

struct status *websocket_server_accept(struct arena *arena, const struct http_header *request, size_t n_request,
	const char *const *protocols, struct http_header **headers, size_t *n_headers, char **ret_protocol)
{
	const char *key = http_header_get(request, n_request, "Sec-WebSocket-Key");
	uint8_t *nonce;
	size_t nonce_size;
	if (!websocket_is_request(request, n_request))
		return status_bad_request("websocket: not a websocket request");
	if (!str_eq(http_header_get(request, n_request, "Sec-WebSocket-Version"), "13"))
		return status_bad_request("websocket: unsupported version");
	if (str_empty(key) || !base64_decode(arena, key, strlen(key), &nonce, &nonce_size) || nonce_size != 16)
		return status_bad_request("websocket: bad Sec-WebSocket-Key");
	bool offered = false;
	const char *chosen = protocols ? choose_protocol(arena, request, n_request, protocols, &offered) : NULL;
	if (protocols && offered && !chosen)
		return status_bad_request("websocket: no protocol in common");
	push(arena, headers, n_headers, "Sec-WebSocket-Accept", accept_value(arena, key));
	if (chosen)
		push(arena, headers, n_headers, "Sec-WebSocket-Protocol", chosen);
	*ret_protocol = arena_strdup(arena, str_or_empty(chosen));
	return NULL;
}
