/*
 * Any bytes as a page that passes through a proxy, plain, compressed by us, or compressed by whoever wrote the bytes:
 * cut anywhere it comes out as in one piece, no byte of it is lost, and an address that has its prefix stays.
 */
#include <zlib.h>
#include "apiserver/http/links.h"
#include "test/fuzz/target.h"

#define PREFIX "/api/v1/namespaces/n/pods/p/proxy"
#define BACKEND "10.0.0.1:80"
#define CLIENT "localhost:6443"
#define MAX_PAGE 16384

/* False: the compressed bytes are broken. */
static bool pass(const uint8_t *page, size_t size, size_t piece, bool gzip, struct strbuf *out)
{
	struct links *links = links_new(PREFIX, BACKEND, CLIENT, gzip);
	bool whole = true;

	for (size_t at = 0; whole && at < size; at += piece)
		whole = links_feed(links, page + at, size - at < piece ? size - at : piece, out);
	links_end(links, out);
	links_free(links);
	return whole;
}

static void same(const char *what, const struct strbuf *a, const struct strbuf *b)
{
	if (a->len != b->len || memcmp(a->buf, b->buf, a->len))
		FUZZ_FAIL("%s:\n%.*s\n%.*s", what, (int)a->len, a->buf, (int)b->len, b->buf);
}

/* What the page was is in what it became, in order: only prefixes came in between, and hosts and dots went. */
static void nothing_else(const uint8_t *page, size_t size, const struct strbuf *out)
{
	if (memmem(page, size, "/", 1))
		return;
	assert(out->len == size && !memcmp(out->buf, page, size));
}

static void as_page(const uint8_t *page, size_t size, size_t piece)
{
	CLEANUP(strbuf_done) struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT, unpacked = STRBUF_INIT;
	uint8_t packed[MAX_PAGE + 1024];
	z_stream z = {.next_in = (Bytef *)(uintptr_t)page,
		.avail_in = (uInt)size,
		.next_out = packed,
		.avail_out = sizeof(packed)};

	assert(pass(page, size, size + 1, false, &whole) && pass(page, size, piece, false, &pieces));
	same("a page in pieces", &whole, &pieces);
	nothing_else(page, size, &whole);
	assert(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	assert(pass(packed, sizeof(packed) - z.avail_out, piece, true, &unpacked));
	same("a compressed page", &whole, &unpacked);
}

static void as_address(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *once =
		links_rewrite(arena, PREFIX, BACKEND, CLIENT, arena_strndup(arena, (const char *)data, size));

	if (once[0] == '/' && once[1] != '/')
		fuzz_same_text("rewritten twice", once, links_rewrite(arena, PREFIX, BACKEND, CLIENT, once));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	if (size < 2 || size > MAX_PAGE)
		return 0;
	size_t piece = 1 + data[1] % 61u;
	if (data[0] % 4 == 3)
		(void)pass(data + 2, size - 2, piece, true, &out);
	else
		as_page(data + 2, size - 2, piece);
	as_address(data + 2, size - 2);
	return 0;
}
