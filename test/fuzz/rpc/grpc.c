/*
 * A peer that answers with any frames of HTTP/2, or with what is none: each request ends, success means that the peer
 * said so, and where the bytes are cut makes no difference. The input says which frames come, whole or broken, and when
 * a request is begun or given up in between.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/private.h"
#include "test/fuzz/target.h"

enum { MAX_EXCHANGES = 4, MAX_MESSAGE = 300, MAX_FRAMES = 64 };

/* What the peer sends until something happens on our side. */
struct phase {
	struct strbuf bytes;
	enum event { BEGIN_CALL, BEGIN_STREAM, GIVE_UP, NOTHING } then;
	size_t which;
};

struct script {
	struct phase phases[MAX_FRAMES + 1];
	size_t n_phases;
};

/* The peer as a stream: what is left of the phase, in pieces. */
struct line {
	const char *at, *end;
	const uint8_t *cuts;
	size_t n_cuts, n_reads;
	bool closed;
};

/* --- frames --- */

static void add_frame(struct strbuf *out, uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t size)
{
	const char head[] = {(char)(size >> 16), (char)(size >> 8), (char)size, (char)type, (char)flags,
		(char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};
	strbuf_add(out, head, sizeof(head));
	strbuf_add(out, payload, size);
}

/* A string of HPACK, as it is. */
static void add_string(struct strbuf *out, const char *text)
{
	const size_t size = strlen(text);
	strbuf_addc(out, (char)(size < 127 ? size : 127));
	if (size >= 127) {
		size_t left = size - 127;
		for (; left >= 128; left >>= 7)
			strbuf_addc(out, (char)(left % 128 + 128));
		strbuf_addc(out, (char)left);
	}
	strbuf_adds(out, text);
}

static void add_header(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addc(out, 0); /* a literal that is not indexed, with a new name */
	add_string(out, name);
	add_string(out, value);
}

static void add_any_header(struct strbuf *out, struct fuzz_bytes *b)
{
	static const char *const names[] = {":status", "content-type", "grpc-status", "grpc-message", "grpc-encoding",
		"content-length", "Upper", "x"};
	static const char *const values[] = {"200", "application/grpc", "0", "application/grpc+proto", "5", "14", "16",
		"404", "503", "100", "text/html", "", "-1", "4294967296", "0x0", "a%20b%4", "%", "%00%ff", "gzip", "7"};
	const char *name = FUZZ_PICK(b, names);
	size_t which = fuzz_below(b, ARRAY_SIZE(values) + 2);
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	if (which < ARRAY_SIZE(values)) {
		strbuf_adds(&value, values[which]);
	} else if (which == ARRAY_SIZE(values)) {
		for (size_t n = fuzz_below(b, 20000); n; n--)
			strbuf_addc(&value, "%41a"[n % 4]);
	} else {
		for (size_t n = fuzz_byte(b) % 16u; n; n--)
			strbuf_addc(&value, (char)fuzz_byte(b));
	}
	strbuf_addc(&value, '\0');
	add_header(out, name, value.buf);
}

static void add_any_headers(struct strbuf *out, struct fuzz_bytes *b, uint8_t flags, uint32_t id)
{
	CLEANUP(strbuf_done) struct strbuf block = STRBUF_INIT;
	for (size_t n = fuzz_byte(b) % 5u; n; n--)
		add_any_header(&block, b);
	add_frame(out, NGHTTP2_HEADERS, flags, id, block.buf, block.len);
}

/* A message's prefix, mostly right, and bytes. */
static void add_message(struct strbuf *out, struct fuzz_bytes *b)
{
	static const uint32_t lies[] = {0, 1, 255, 65536, MAX_MESSAGE, MAX_MESSAGE + 1, 0x7fffffff, 0xffffffff};
	size_t size = fuzz_byte(b);
	uint8_t which = fuzz_byte(b);
	uint32_t told = which < 64 ? lies[which % ARRAY_SIZE(lies)] : (uint32_t)size;
	const char prefix[] = {
		(char)(which == 64), (char)(told >> 24), (char)(told >> 16), (char)(told >> 8), (char)told};
	strbuf_add(out, prefix, sizeof(prefix));
	for (; size; size--)
		strbuf_addc(out, (char)fuzz_byte(b));
}

static void add_data(struct strbuf *out, struct fuzz_bytes *b, uint8_t flags, uint32_t id)
{
	CLEANUP(strbuf_done) struct strbuf payload = STRBUF_INIT;
	for (size_t n = fuzz_byte(b) % 4u; n; n--)
		add_message(&payload, b);
	/* Messages do not end where frames do. */
	size_t cut = payload.len ? fuzz_below(b, payload.len + 1) : 0;
	if (fuzz_byte(b) % 2)
		cut = payload.len;
	add_frame(out, NGHTTP2_DATA, cut < payload.len ? 0 : flags, id, payload.buf, cut);
	if (cut < payload.len)
		add_frame(out, NGHTTP2_DATA, flags, id, payload.buf + cut, payload.len - cut);
}

/* As a right server answers. */
static void add_answer(struct strbuf *out, struct fuzz_bytes *b, uint32_t id)
{
	CLEANUP(strbuf_done) struct strbuf block = STRBUF_INIT;
	add_header(&block, ":status", "200");
	add_header(&block, "content-type", "application/grpc");
	add_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, block.buf, block.len);
	add_data(out, b, 0, id);
	strbuf_reset(&block);
	add_header(&block, "grpc-status", fuzz_byte(b) % 4 ? "0" : "5");
	add_header(&block, "grpc-message", "said");
	add_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id, block.buf, block.len);
}

static void add_raw(struct strbuf *out, struct fuzz_bytes *b, size_t n)
{
	for (; n; n--)
		strbuf_addc(out, (char)fuzz_byte(b));
}

static void add_any_frame(struct strbuf *out, struct fuzz_bytes *b)
{
	static const uint8_t common_flags[] = {
		NGHTTP2_FLAG_END_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 0};
	CLEANUP(strbuf_done) struct strbuf payload = STRBUF_INIT;
	const uint8_t what = fuzz_byte(b);
	const uint32_t id = fuzz_byte(b) % 8u * 2 + 1;
	switch (what % 6) {
	case 0:
		add_answer(out, b, id);
		break;
	case 1:
	case 2:
		add_any_headers(out, b, FUZZ_PICK(b, common_flags), id);
		break;
	case 3:
		add_data(out, b, fuzz_byte(b) % 4 ? 0 : NGHTTP2_FLAG_END_STREAM, id);
		break;
	case 4: /* of any type, with any payload; control frames are short and of stream 0 */
		add_raw(&payload, b, FUZZ_PICK(b, ((const size_t[]){4, 8, 0, 5, 6, 12, 40})));
		add_frame(out, fuzz_byte(b) % 11u, fuzz_byte(b), fuzz_byte(b) % 2 ? id : 0, payload.buf, payload.len);
		break;
	default:
		add_raw(out, b, fuzz_byte(b) % 32u);
	}
}

static void script_init(struct script *script, struct fuzz_bytes *b)
{
	struct phase *phase = script->phases;
	for (size_t i = 0; i < ARRAY_SIZE(script->phases); i++)
		strbuf_init(&script->phases[i].bytes);
	add_frame(&phase->bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	phase->then = BEGIN_CALL;
	for (size_t i = 0; i < MAX_FRAMES && b->at < b->end; i++) {
		uint8_t what = fuzz_byte(b);
		if (i && what % 4) {
			add_any_frame(&phase->bytes, b);
			continue;
		}
		phase++;
		phase->then = (enum event)(what / 4 % 4);
		phase->which = what / 16 % MAX_EXCHANGES;
	}
	script->n_phases = (size_t)(phase - script->phases) + 1;
}

static void script_done(struct script *script)
{
	for (size_t i = 0; i < script->n_phases; i++)
		strbuf_done(&script->phases[i].bytes);
}

/* --- the peer --- */

static ssize_t line_read(void *data, void *buf, size_t size, short *ret_wants)
{
	struct line *line = data;
	size_t left = (size_t)(line->end - line->at), n = left < size ? left : size;
	*ret_wants = POLLIN;
	if (!n && !line->closed) {
		errno = EAGAIN;
		return -1;
	}
	if (line->n_cuts) {
		size_t most = 1 + line->cuts[line->n_reads++ % line->n_cuts] % 32u;
		n = n < most ? n : most;
	}
	memcpy(buf, line->at, n);
	line->at += n;
	return (ssize_t)n;
}

static ssize_t line_write(void *data, const void *bytes, size_t size, short *ret_wants)
{
	return (ssize_t)size;
}

static size_t line_pending(const void *data)
{
	return 0;
}

static void line_nothing(void *data)
{
}

static const struct stream_ops line_ops = {line_read, line_write, line_pending, line_nothing, line_nothing};

/* --- a run --- */

struct run {
	struct rpc_conn *conn;
	struct rpc_exchange exchanges[MAX_EXCHANGES];
	size_t n_exchanges;
	size_t n_messages[MAX_EXCHANGES];
	struct strbuf seen; /* how it went */
};

static void begin(struct run *r, bool single)
{
	static const uint8_t request[] = {0, 0, 0, 0, 2, 1, 2};
	if (r->n_exchanges == MAX_EXCHANGES)
		return;
	struct rpc_exchange *x = &r->exchanges[r->n_exchanges++];
	rpc_exchange_init(x);
	const struct rpc_request what = {.path = "/a.B/C",
		.timeout_ms = single ? 1000 : 0,
		.out = request,
		.size = single ? sizeof(request) : 0,
		.ends = single,
		.single = single};
	if (rpc_exchange_begin(x, r->conn, &what))
		return;
	strbuf_adds(&r->seen, "cannot begin\n");
	r->n_exchanges--;
	rpc_exchange_done(x);
}

static void act(struct run *r, const struct phase *phase)
{
	if (phase->then == BEGIN_CALL || phase->then == BEGIN_STREAM)
		begin(r, phase->then == BEGIN_CALL);
	else if (phase->then == GIVE_UP && phase->which < r->n_exchanges)
		rpc_exchange_cancel(&r->exchanges[phase->which], RPC_CANCELLED, "given up");
}

/* Takes in what has come; then what there is to say is sent, and the end noticed. */
static void take_in(struct run *r)
{
	const int64_t now = clock_mono_ms(clock_system());
	rpc_conn_lock(r->conn);
	rpc_conn_look(r->conn);
	if (!r->conn->broken)
		rpc_conn_drive(r->conn, now);
	rpc_conn_unlock(r->conn);
	for (size_t i = 0; i < r->n_exchanges; i++) {
		struct rpc_exchange *x = &r->exchanges[i];
		if (x->single) /* whose answer stays with it until the end */
			continue;
		for (struct rpc_message *m; (m = rpc_exchange_take(x)); r->n_messages[i]++) {
			assert(m->size <= MAX_MESSAGE);
			strbuf_printf(&r->seen, "%zu: ", i);
			strbuf_add(&r->seen, m->data, m->size);
			strbuf_addc(&r->seen, '\n');
			free(m);
		}
	}
}

static void conclude(struct run *r, size_t i)
{
	struct rpc_exchange *x = &r->exchanges[i];
	assert(rpc_exchange_wait(x, false, 0)); /* it is over */
	if (!x->code)
		assert(x->told_code == 0 && x->http_status == 200 && x->is_grpc && !x->n_prefix);
	assert(!x->single || !x->first || !x->first->next);
	/* What the library says of a connection that is no good depends on how often it was called. */
	strbuf_printf(&r->seen, "%zu: code %d \"%s\"", i, x->code, x->code == RPC_UNAVAILABLE ? "" : x->text);
	if (x->first) {
		assert(x->first->size <= MAX_MESSAGE);
		strbuf_add(&r->seen, x->first->data, x->first->size);
	}
	strbuf_addc(&r->seen, '\n');
	rpc_exchange_done(x);
}

static struct status *connect(struct line *line, int fd, struct rpc_conn **ret_conn)
{
	/* As over TLS, where all that has come is read before anything is said. */
	const struct rpc_conn_options options = {.authority = "a", .tls = true, .max_message_bytes = MAX_MESSAGE};
	return rpc_conn_new(stream_from_ops(fd, &line_ops, line), &options, -1, ret_conn);
}

static void read_phase(struct line *line, const struct phase *phase)
{
	line->at = phase->bytes.buf;
	line->end = line->at + phase->bytes.len;
}

static struct strbuf run(const struct script *script, const uint8_t *cuts, size_t n_cuts)
{
	struct line line = {.cuts = cuts, .n_cuts = n_cuts};
	struct run r = {.seen = STRBUF_INIT};
	CLEANUP_FD int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	read_phase(&line, &script->phases[0]);
	fuzz_ok("the settings", connect(&line, fd, &r.conn));
	act(&r, &script->phases[0]);
	for (size_t i = 1; i < script->n_phases; i++) {
		read_phase(&line, &script->phases[i]);
		take_in(&r);
		act(&r, &script->phases[i]);
	}
	line.closed = true;
	take_in(&r);
	assert(r.conn->broken && !rpc_conn_is_open(r.conn));
	for (size_t i = 0; i < r.n_exchanges; i++)
		conclude(&r, i);
	rpc_conn_unref(r.conn);
	return r.seen;
}

static void compare_runs(const struct script *script, const uint8_t *cuts, size_t n_cuts)
{
	CLEANUP(strbuf_done) struct strbuf whole = run(script, NULL, 0);
	CLEANUP(strbuf_done) struct strbuf pieces = run(script, cuts, n_cuts);
	if (whole.len != pieces.len || (whole.len && memcmp(whole.buf, pieces.buf, whole.len)))
		FUZZ_FAIL("in one piece:\n%.*s\nin pieces:\n%.*s", (int)whole.len, whole.buf, (int)pieces.len,
			pieces.buf);
}

/* The first bytes are anything, and then the peer is gone. */
static void run_broken(struct fuzz_bytes *b)
{
	CLEANUP(strbuf_done) struct strbuf bytes = STRBUF_INIT;
	CLEANUP(rpc_conn_unrefp) struct rpc_conn *conn = NULL;
	CLEANUP_FD int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	while (b->at < b->end)
		add_any_frame(&bytes, b);
	struct line line = {.at = bytes.buf, .end = bytes.buf + bytes.len, .closed = true};
	CLEANUP_STATUS struct status *failed = connect(&line, fd, &conn);
	assert(failed && !conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t one_by_one[] = {0};
	struct fuzz_bytes b = {data, data + size};
	struct script script = {0};
	if (size > FUZZ_MAX_SIZE)
		return 0;
	const uint8_t first = fuzz_byte(&b);
	if (first >= 0xf0) {
		run_broken(&b);
		return 0;
	}
	const size_t n_cuts = first % 8u < size ? first % 8u : 0;
	for (size_t i = 0; i < n_cuts; i++)
		fuzz_byte(&b);
	script_init(&script, &b);
	compare_runs(&script, n_cuts ? data + 1 : one_by_one, n_cuts ? n_cuts : 1);
	script_done(&script);
	return 0;
}
