/*
 * Answers in gzip. A list is joined from deflated pieces that the entries keep: a deflate stream may be a row of such
 * pieces, each ended on a whole byte, and the checksum of the whole follows from those of the parts. So nothing that
 * was sent once is compressed again.
 */
#include <zlib.h>
#include "apiserver/http/server_private.h"

#define LEAST_BYTES (128u << 10) /* below that it is not worth the time, as in the original */
#define STORED_MOST 128		 /* what is so short is not worth deflating */

static bool wanted(struct exchange_private *x)
{
	const char *accept = exchange_header(&x->pub, "Accept-Encoding");
	return x->kind == REPLY_GATHER && x->gather->size >= LEAST_BYTES && accept && strstr(accept, "gzip");
}

static void put_le(struct gather *out, uint32_t value, size_t n)
{
	char bytes[4];
	for (size_t i = 0; i < n; i++, value >>= 8)
		bytes[i] = (char)value;
	gather_copy(out, bytes, n);
}

/* A block of deflate that holds its bytes as they are. */
static void add_stored(struct gather *out, const char *data, size_t size)
{
	gather_copy(out, "\0", 1);
	put_le(out, (uint32_t)size, 2);
	put_le(out, ~(uint32_t)size, 2);
	gather_copy(out, data, size);
}

static bool add_plain(struct gather *out, const struct part *part, struct deflater *deflater, uint32_t *crc)
{
	*crc = deflate_crc(*crc, part->data, part->size);
	if (part->size <= STORED_MOST) {
		add_stored(out, part->data, part->size);
		return true;
	}
	struct strbuf piece = STRBUF_INIT;
	bool done = deflate_piece(deflater, part->data, part->size, &piece);
	size_t size = piece.len;
	char *data = strbuf_steal(&piece);
	arena_defer(out->arena, free, data);
	if (done)
		gather_borrow(out, data, size, NULL);
	return done;
}

static bool add_part(struct gather *out, const struct part *part, struct deflater *deflater, uint32_t *crc)
{
	if (!part->whole)
		return add_plain(out, part, deflater, crc);
	const struct deflated *piece = entry_deflated(part->whole, part->form, deflater);
	if (!piece)
		return false;
	*crc = (uint32_t)crc32_combine(*crc, piece->crc, (z_off_t)piece->plain_size);
	gather_borrow(out, piece->data, piece->size, part->whole);
	return true;
}

static struct gather *gzip(const struct gather *from)
{
	static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\x04\xff", last_block[] = "\x03";
	struct gather *out = gather_new();
	CLEANUP(deflater_freep) struct deflater *deflater = deflater_new();
	uint32_t crc = 0;
	bool done = true;
	gather_copy(out, head, sizeof(head) - 1);
	for (size_t i = 0; done && i < from->n_parts; i++)
		done = add_part(out, &from->parts[i], deflater, &crc);
	gather_copy(out, last_block, sizeof(last_block));
	put_le(out, crc, 4);
	put_le(out, (uint32_t)from->size, 4);
	if (done)
		return out;
	gather_free(out);
	return NULL;
}

void reply_compress(struct exchange *exchange)
{
	struct exchange_private *x = private_of(exchange);
	struct gather *zipped = wanted(x) ? gzip(x->gather) : NULL;
	if (!zipped)
		return;
	gather_free(x->gather);
	x->gather = zipped;
	reply_header(exchange, "Content-Encoding", "gzip");
	reply_header(exchange, "Vary", "Accept-Encoding");
}
