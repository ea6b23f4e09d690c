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

static bool add_plain(struct gather *out, const char *data, size_t size, struct deflater *deflater, uint32_t *crc)
{
	*crc = deflate_crc(*crc, data, size);
	if (size <= STORED_MOST) {
		add_stored(out, data, size);
		return true;
	}
	struct strbuf piece = STRBUF_INIT;
	bool done = deflate_piece(deflater, data, size, &piece);
	size_t deflated_size = piece.len;
	char *deflated = strbuf_steal(&piece);
	arena_defer(out->arena, free, deflated);
	if (done)
		gather_borrow(out, deflated, deflated_size, NULL);
	return done;
}

static bool add_entries(struct gather *out, const struct part *part, struct deflater *deflater, uint32_t *crc)
{
	char head[ITEM_HEAD_BYTES];
	for (size_t i = 0; i < part->n; i++) {
		const struct deflated *piece = entry_deflated(part->entries[i], part->form, deflater);
		const size_t size = gather_item_head(part, i, head);
		if (!piece)
			return false;
		if (size)
			add_plain(out, head, size, deflater, crc);
		*crc = (uint32_t)crc32_combine(*crc, piece->crc, (z_off_t)piece->plain_size);
		gather_borrow(out, piece->data, piece->size, NULL);
	}
	return true;
}

static bool add_part(struct gather *out, const struct part *part, struct deflater *deflater, uint32_t *crc)
{
	return part->entries ? add_entries(out, part, deflater, crc)
			     : add_plain(out, part->data, part->size, deflater, crc);
}

/* What was held by the one is held by the other. */
static void pass_on_held(struct gather *from, struct gather *to)
{
	gather_hold(to, STEAL(from->held), from->n_held);
	from->n_held = from->cap_held = 0;
}

static struct gather *gzip(struct gather *from)
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
	if (done) {
		pass_on_held(from, out);
		return out;
	}
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
