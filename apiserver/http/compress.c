/*
 * Answers in gzip. A list is joined from deflated pieces that the entries keep: a deflate stream may be a row of such
 * pieces, each ended on a whole byte, and the checksum of the whole follows from those of the parts. So nothing that
 * was sent once is compressed again.
 */
#include <endian.h>
#include <zlib.h>
#include "apiserver/http/server_private.h"

#define LEAST_BYTES (128u << 10) /* below that it is not worth the time, as in the original */
#define STORED_MOST 128		 /* what is so short is not worth deflating */
#define ROWS_BYTES (64u << 10)	 /* so much of a Table is deflated at a time */

static bool wanted(struct exchange_private *x)
{
	const char *accept = exchange_header(&x->pub, "Accept-Encoding");
	return x->kind == REPLY_GATHER && x->gather->size >= LEAST_BYTES && accept && strstr(accept, "gzip");
}

/* What is being joined. */
struct zipping {
	struct gather *out;
	struct deflater *deflater;
	uint32_t crc, size; /* of the plain bytes */
	struct strbuf scratch;
};

static void put_le(struct gather *out, uint32_t value)
{
	const uint32_t bytes = htole32(value);
	gather_copy(out, &bytes, sizeof(bytes));
}

static bool add_plain(struct zipping *z, const char *data, size_t size)
{
	bool done = true;
	z->crc = deflate_crc(z->crc, data, size);
	z->size += (uint32_t)size;
	strbuf_reset(&z->scratch);
	if (size <= STORED_MOST)
		gather_add_stored(&z->scratch, data, size);
	else
		done = deflate_piece(z->deflater, data, size, &z->scratch);
	gather_copy(z->out, z->scratch.buf, z->scratch.len);
	return done;
}

static bool add_items(struct zipping *z, const struct part *part)
{
	CLEANUP(strbuf_done) struct strbuf head = STRBUF_INIT;
	struct part deflated = *part;
	size_t size = 0;
	deflated.kind = PART_DEFLATED_ITEMS;
	for (size_t i = 0; i < part->n; i++) {
		const struct deflated *piece = entry_deflated(part->entries[i], part->form, z->deflater);
		if (!piece)
			return false;
		gather_item(part, i, &head);
		z->crc = deflate_crc(z->crc, head.buf, head.len);
		z->crc = (uint32_t)crc32_combine(z->crc, piece->crc, (z_off_t)piece->plain_size);
		z->size += (uint32_t)(head.len + piece->plain_size);
		size += gather_item(&deflated, i, &head).iov_len + head.len;
	}
	gather_add(z->out, &deflated, size);
	return true;
}

/* Rows tell ages, so what they are deflated to is of no use to others. */
static bool add_rows(struct zipping *z, const struct part *part)
{
	CLEANUP(strbuf_done) struct strbuf head = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf rows = STRBUF_INIT;
	bool done = true;
	for (size_t i = 0; done && i < part->n; i++) {
		const struct iovec metadata = gather_item(part, i, &head);
		strbuf_add(&rows, head.buf, head.len);
		strbuf_add(&rows, metadata.iov_base, metadata.iov_len);
		if (rows.len < ROWS_BYTES && i + 1 < part->n)
			continue;
		done = add_plain(z, rows.buf, rows.len);
		strbuf_reset(&rows);
	}
	return done;
}

static bool add_part(struct zipping *z, const struct part *part)
{
	switch (part->kind) {
	case PART_ITEMS:
		return add_items(z, part);
	case PART_ROWS:
		return add_rows(z, part);
	case PART_BYTES:
		return add_plain(z, part->data, part->size);
	case PART_DEFLATED_ITEMS:
		break;
	}
	return false;
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
	CLEANUP(deflater_freep) struct deflater *deflater = deflater_new();
	struct zipping z = {.out = gather_new(), .deflater = deflater, .scratch = STRBUF_INIT};
	bool done = true;
	gather_copy(z.out, head, sizeof(head) - 1);
	for (size_t i = 0; done && i < from->n_parts; i++)
		done = add_part(&z, &from->parts[i]);
	strbuf_done(&z.scratch);
	gather_copy(z.out, last_block, sizeof(last_block));
	put_le(z.out, z.crc);
	put_le(z.out, z.size);
	if (done) {
		pass_on_held(from, z.out);
		return z.out;
	}
	gather_free(z.out);
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
