#include <zlib.h>
#include "apiserver/http/server_private.h"
#include "base/mem.h"

#define LEAST_BYTES (128u << 10) /* below that it is not worth the time, as in the original */
#define BLOCK_BYTES 65536
#define GZIP_WINDOW (15 + 16)

static bool wanted(struct exchange_private *x)
{
	const char *accept = exchange_header(&x->pub, "Accept-Encoding");
	if (x->kind != REPLY_GATHER || x->gather->size < LEAST_BYTES || !accept || !strstr(accept, "gzip"))
		return false;
	/* On the same machine the bytes travel faster than they shrink. */
	return !str_starts_with(x->pub.client_address, "127.") && strcmp(x->pub.client_address, "::1") != 0;
}

static bool deflate_gather(z_stream *z, struct gather *from, struct strbuf *out)
{
	CLEANUP_FREE char *block = mem_alloc(BLOCK_BYTES);
	int result = Z_OK;
	while (result == Z_OK) {
		size_t n = gather_read(from, block, BLOCK_BYTES);
		z->next_in = (Bytef *)block;
		z->avail_in = (uInt)n;
		do {
			strbuf_grow(out, BLOCK_BYTES);
			z->next_out = (Bytef *)out->buf + out->len;
			z->avail_out = BLOCK_BYTES;
			result = deflate(z, n ? Z_NO_FLUSH : Z_FINISH);
			out->len += BLOCK_BYTES - z->avail_out;
		} while (result == Z_OK && !z->avail_out);
		if (result == Z_BUF_ERROR)
			result = Z_OK;
	}
	return result == Z_STREAM_END;
}

void reply_compress(struct exchange *exchange)
{
	struct exchange_private *x = private_of(exchange);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	z_stream z = {0};
	if (!wanted(x) || deflateInit2(&z, 1, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	bool done = deflate_gather(&z, x->gather, &out);
	deflateEnd(&z);
	x->gather->part = x->gather->offset = 0;
	if (!done)
		return;
	gather_free(x->gather);
	x->gather = gather_new();
	size_t size = out.len;
	char *data = strbuf_steal(&out);
	arena_defer(x->gather->arena, free, data);
	gather_borrow(x->gather, data, size, NULL);
	reply_header(exchange, "Content-Encoding", "gzip");
	reply_header(exchange, "Vary", "Accept-Encoding");
}
