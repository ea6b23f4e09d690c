#include "net/spdy.h"

#include "base/mem.h"
#include "base/str.h"
#include "net/spdy_headers.h"

enum {
	FRAME_HEAD = 8,
	VERSION = 3,
	FLAG_FIN = 1,
	MAX_DATA_BYTES = 32 * 1024, /* of one data frame of ours */
};

enum frame_type {
	SYN_STREAM = 1,
	SYN_REPLY = 2,
	RST_STREAM = 3,
	SETTINGS = 4,
	PING = 6,
	GOAWAY = 7,
	HEADERS = 8,
	WINDOW_UPDATE = 9
};
enum reset_code { PROTOCOL_ERROR = 1, INVALID_STREAM = 2, REFUSED_STREAM = 3, CANCEL = 5 };

struct spdy_stream {
	struct spdy *session;
	struct arena *arena; /* of the headers */
	uint32_t id;
	struct http_header *headers;
	size_t n_headers;
	bool local_ended, remote_ended;
	void *user;
};

struct spdy {
	enum spdy_side side;
	struct spdy_events events;
	void *data;
	struct spdy_headers codec;
	struct spdy_stream **streams;
	size_t n_streams, cap_streams;
	uint32_t next_id, last_peer_id, next_ping;
	struct strbuf in; /* a frame's head, or a whole control frame */
	/* of the data frame in progress */
	uint32_t data_id, data_left;
	bool in_data, data_fin, failed, going_away;
};

struct spdy *spdy_new(enum spdy_side side, const struct spdy_events *events, void *data)
{
	struct spdy *s = mem_zalloc(sizeof(*s));
	*s = (struct spdy){.side = side,
		.events = *events,
		.data = data,
		.next_id = side == SPDY_CLIENT ? 1 : 2,
		.next_ping = side == SPDY_CLIENT ? 1 : 2};
	strbuf_init(&s->in);
	spdy_headers_init(&s->codec);
	return s;
}

static void spdy_stream_free(struct spdy_stream *st)
{
	arena_free(st->arena);
	free(st);
}

void spdy_free(struct spdy *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_streams; i++)
		spdy_stream_free(s->streams[i]);
	free(s->streams);
	spdy_headers_done(&s->codec);
	strbuf_done(&s->in);
	free(s);
}

size_t spdy_n_streams(const struct spdy *s)
{
	return s->n_streams;
}

/* --- frames out --- */

static void add_u32(struct strbuf *out, uint32_t value)
{
	char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
	strbuf_add(out, bytes, 4);
}

static void send_control(struct spdy *s, enum frame_type type, unsigned flags, const void *payload, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_u32(&out, 0x80000000u | VERSION << 16 | type);
	add_u32(&out, flags << 24 | (uint32_t)size);
	strbuf_add(&out, payload, size);
	s->events.output(s->data, out.buf, out.len);
}

static void send_words(struct spdy *s, enum frame_type type, uint32_t first, uint32_t second, bool two)
{
	CLEANUP(strbuf_done) struct strbuf payload = STRBUF_INIT;
	add_u32(&payload, first);
	if (two)
		add_u32(&payload, second);
	send_control(s, type, 0, payload.buf, payload.len);
}

static void send_data(struct spdy_stream *st, unsigned flags, const void *data, size_t size)
{
	struct spdy *s = st->session;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_u32(&out, st->id);
	add_u32(&out, flags << 24 | (uint32_t)size);
	strbuf_add(&out, data, size);
	s->events.output(s->data, out.buf, out.len);
}

void spdy_ping(struct spdy *s)
{
	send_words(s, PING, s->next_ping, 0, false);
	s->next_ping += 2;
}

void spdy_goaway(struct spdy *s)
{
	if (s->going_away)
		return;
	s->going_away = true;
	send_words(s, GOAWAY, s->last_peer_id, 0, true);
}

/* --- streams --- */

static struct spdy_stream *find(struct spdy *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_streams; i++)
		if (s->streams[i]->id == id)
			return s->streams[i];
	return NULL;
}

static struct spdy_stream *spdy_stream_new(struct spdy *s, uint32_t id)
{
	struct spdy_stream *st = mem_zalloc(sizeof(*st));
	*st = (struct spdy_stream){.session = s, .arena = arena_new_sized(256), .id = id};
	mem_grow(&s->streams, &s->cap_streams, s->n_streams + 1, sizeof(*s->streams));
	s->streams[s->n_streams++] = st;
	return st;
}

/* Takes it out of the session. */
static void unlink_stream(struct spdy_stream *st)
{
	struct spdy *s = st->session;
	for (size_t i = 0; i < s->n_streams; i++) {
		if (s->streams[i] != st)
			continue;
		memmove(s->streams + i, s->streams + i + 1, (--s->n_streams - i) * sizeof(*s->streams));
		return;
	}
}

static void close_stream(struct spdy_stream *st, bool reset)
{
	struct spdy *s = st->session;
	unlink_stream(st);
	s->events.stream_closed(s->data, st, reset);
	spdy_stream_free(st);
}

static void maybe_close(struct spdy_stream *st)
{
	if (st->local_ended && st->remote_ended)
		close_stream(st, false);
}

struct spdy_stream *spdy_open(struct spdy *s, const struct http_header *headers, size_t n_headers, bool end)
{
	CLEANUP(strbuf_done) struct strbuf payload = STRBUF_INIT;
	struct spdy_stream *st = spdy_stream_new(s, s->next_id);
	s->next_id += 2;
	st->local_ended = end;
	add_u32(&payload, st->id);
	add_u32(&payload, 0);
	strbuf_add(&payload, "\0\0", 2); /* priority and slot */
	spdy_headers_write(&s->codec, headers, n_headers, &payload);
	send_control(s, SYN_STREAM, end ? FLAG_FIN : 0, payload.buf, payload.len);
	return st;
}

void spdy_reply(struct spdy_stream *st, const struct http_header *headers, size_t n_headers, bool end)
{
	CLEANUP(strbuf_done) struct strbuf payload = STRBUF_INIT;
	add_u32(&payload, st->id);
	spdy_headers_write(&st->session->codec, headers, n_headers, &payload);
	send_control(st->session, SYN_REPLY, end ? FLAG_FIN : 0, payload.buf, payload.len);
	st->local_ended = end;
	maybe_close(st);
}

void spdy_write(struct spdy_stream *st, const void *data, size_t size)
{
	if (st->local_ended)
		return;
	for (size_t done = 0; done < size;) {
		size_t n = size - done < MAX_DATA_BYTES ? size - done : MAX_DATA_BYTES;
		send_data(st, 0, (const char *)data + done, n);
		done += n;
	}
}

void spdy_end(struct spdy_stream *st)
{
	if (st->local_ended)
		return;
	st->local_ended = true;
	send_data(st, FLAG_FIN, "", 0);
	maybe_close(st);
}

void spdy_reset(struct spdy_stream *st)
{
	send_words(st->session, RST_STREAM, st->id, CANCEL, true);
	unlink_stream(st);
	spdy_stream_free(st);
}

uint32_t spdy_stream_id(const struct spdy_stream *st)
{
	return st->id;
}

const char *spdy_stream_header(const struct spdy_stream *st, const char *name)
{
	return http_header_get(st->headers, st->n_headers, name);
}

void spdy_stream_set_user(struct spdy_stream *st, void *user)
{
	st->user = user;
}

void *spdy_stream_user(const struct spdy_stream *st)
{
	return st->user;
}

/* --- frames in --- */

static uint32_t get_u32(const void *data)
{
	const uint8_t *p = data;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct status *violation(struct spdy *s, const char *what)
{
	s->failed = true;
	send_words(s, GOAWAY, s->last_peer_id, PROTOCOL_ERROR, true);
	return status_bad_request("spdy: %s", what);
}

static bool is_peers(const struct spdy *s, uint32_t id)
{
	return (id & 1) == (s->side == SPDY_SERVER);
}

static struct status *on_syn_stream(struct spdy *s, unsigned flags, const char *p, size_t size)
{
	if (size < 10)
		return violation(s, "short SYN_STREAM");
	uint32_t id = get_u32(p) & 0x7fffffff;
	if (!id || !is_peers(s, id) || id <= s->last_peer_id)
		return violation(s, "stream id out of order");
	s->last_peer_id = id;
	struct spdy_stream *st = spdy_stream_new(s, id);
	/* Even a stream that is refused must go through the decompressor. */
	struct status *error = spdy_headers_read(&s->codec, st->arena, p + 10, size - 10, &st->headers, &st->n_headers);
	if (error || s->n_streams > SPDY_MAX_STREAMS || !s->events.stream_opened || s->going_away) {
		unlink_stream(st);
		spdy_stream_free(st);
		if (!error)
			send_words(s, RST_STREAM, id, REFUSED_STREAM, true);
		s->failed = error != NULL;
		return error;
	}
	s->events.stream_opened(s->data, st);
	st = find(s, id);
	if (st && flags & FLAG_FIN) {
		st->remote_ended = true;
		s->events.stream_data(s->data, st, "", 0, true);
		st = find(s, id);
		if (st)
			maybe_close(st);
	}
	return NULL;
}

static struct status *on_headers(struct spdy *s, enum frame_type type, unsigned flags, const char *p, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct http_header *headers;
	size_t n;
	if (size < 4)
		return violation(s, "short SYN_REPLY or HEADERS");
	uint32_t id = get_u32(p) & 0x7fffffff;
	struct status *error = spdy_headers_read(&s->codec, arena, p + 4, size - 4, &headers, &n);
	if (error) {
		s->failed = true;
		return error;
	}
	struct spdy_stream *st = find(s, id);
	if (st && type == SYN_REPLY && s->events.stream_replied) {
		s->events.stream_replied(s->data, st);
		st = find(s, id);
	}
	if (st && flags & FLAG_FIN && !st->remote_ended) {
		st->remote_ended = true;
		s->events.stream_data(s->data, st, "", 0, true);
		st = find(s, id);
		if (st)
			maybe_close(st);
	}
	return NULL;
}

static struct status *on_control(struct spdy *s, enum frame_type type, unsigned flags, const char *p, size_t size)
{
	struct spdy_stream *st;
	switch (type) {
	case SYN_STREAM:
		return on_syn_stream(s, flags, p, size);
	case SYN_REPLY:
	case HEADERS:
		return on_headers(s, type, flags, p, size);
	case RST_STREAM:
		if (size < 8)
			return violation(s, "short RST_STREAM");
		st = find(s, get_u32(p) & 0x7fffffff);
		if (st)
			close_stream(st, true);
		return NULL;
	case PING:
		if (size < 4)
			return violation(s, "short PING");
		if (is_peers(s, get_u32(p)))
			send_control(s, PING, 0, p, 4);
		return NULL;
	case GOAWAY:
		if (s->events.goaway)
			s->events.goaway(s->data);
		return NULL;
	case SETTINGS:
	case WINDOW_UPDATE:
	default:
		return NULL; /* what is not understood is passed over, as the protocol wants it */
	}
}

/* Hands on a part of the data frame in progress. */
static void on_data(struct spdy *s, const void *data, size_t size)
{
	struct spdy_stream *st = find(s, s->data_id);
	s->data_left -= (uint32_t)size;
	bool last = !s->data_left;
	bool fin = last && s->data_fin;
	if (last)
		s->in_data = false;
	if (!st || st->remote_ended || (!size && !fin))
		return;
	st->remote_ended = fin;
	s->events.stream_data(s->data, st, data, size, fin);
	st = find(s, s->data_id);
	if (st && fin)
		maybe_close(st);
}

/* Begins the frame whose head is complete. *ret_used: bytes of the input buffer done with; 0: more are needed. */
static struct status *on_frame(struct spdy *s, size_t start, size_t *ret_used)
{
	const char *p = s->in.buf + start;
	size_t have = s->in.len - start;
	*ret_used = 0;
	if (have < FRAME_HEAD)
		return NULL;
	uint32_t first = get_u32(p), second = get_u32(p + 4);
	uint32_t size = second & 0xffffff;
	unsigned flags = second >> 24;
	if (!(first & 0x80000000u)) {
		s->in_data = true;
		s->data_id = first;
		s->data_left = size;
		s->data_fin = flags & FLAG_FIN;
		*ret_used = FRAME_HEAD;
		if (!size)
			on_data(s, "", 0);
		return NULL;
	}
	if ((first >> 16 & 0x7fff) != VERSION)
		return violation(s, "unsupported version");
	if (size > SPDY_MAX_CONTROL_BYTES)
		return violation(s, "control frame too large");
	if (have < FRAME_HEAD + size)
		return NULL;
	*ret_used = FRAME_HEAD + size;
	return on_control(s, (enum frame_type)(first & 0xffff), flags, p + FRAME_HEAD, size);
}

struct status *spdy_feed(struct spdy *s, const void *bytes, size_t size)
{
	if (s->failed)
		return NULL;
	strbuf_add(&s->in, bytes, size);
	size_t start = 0;
	struct status *error = NULL;
	while (!error && start < s->in.len) {
		size_t used;
		if (s->in_data) {
			size_t have = s->in.len - start;
			used = have < s->data_left ? have : s->data_left;
			on_data(s, s->in.buf + start, used);
		} else {
			error = on_frame(s, start, &used);
			if (!used)
				break;
		}
		start += used;
	}
	strbuf_consume(&s->in, start);
	return error;
}
