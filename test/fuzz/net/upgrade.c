/*
 * Any bytes as the answer to a request for an upgrade, coming in pieces: a switch leaves the stream at the first byte
 * of the new protocol; a refusal gives a body that is no longer than what came.
 */
#include "net/http1.h"
#include "test/fuzz/target.h"

struct peer {
	const uint8_t *at, *end;
	size_t piece;
};

static ssize_t peer_read(void *data, void *buf, size_t size, short *ret_wants)
{
	struct peer *p = data;
	size_t n = (size_t)(p->end - p->at);

	n = n < size ? n : size;
	n = n < p->piece ? n : p->piece;
	memcpy(buf, p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static ssize_t peer_write(void *data, const void *bytes, size_t size, short *ret_wants)
{
	return (ssize_t)size;
}

static size_t peer_pending(const void *data)
{
	const struct peer *p = data;

	return (size_t)(p->end - p->at);
}

static void peer_end(void *data)
{
}

/* All that is left to read is the end of what the peer sent. */
static void left(struct stream *s, const uint8_t *data, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf rest = STRBUF_INIT;
	char buf[512];
	size_t n = 1;

	while (n) {
		fuzz_ok("read", stream_read_some(s, buf, sizeof(buf), 0, &n));
		strbuf_add(&rest, buf, n);
	}
	assert(rest.len < size && (!rest.len || !memcmp(rest.buf, data + size - rest.len, rest.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_ops ops = {peer_read, peer_write, peer_pending, peer_end, peer_end};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct http_head head = {0};
	char *body = NULL;
	size_t body_size = 0;

	if (size < 2 || size > FUZZ_MAX_SIZE)
		return 0;
	struct peer peer = {data + 1, data + size, 1 + data[0] * 3u};
	CLEANUP(stream_freep) struct stream *s = stream_from_ops(-1, &ops, &peer);
	struct status *error = http_upgrade(s, arena, "GET", "/x", "h", NULL, 0, 1000, &head, &body, &body_size);
	if (!error && head.code == 101)
		left(s, data + 1, size - 1);
	else if (!error)
		assert(body && body_size < size && !body[body_size]);
	status_free(error);
	return 0;
}
