#include "apiserver/store/deflate.h"
#include "base/mem.h"

/* A piece has no bytes before it, and after it none of it is referred to. */
#if __has_include(<isa-l/igzip_lib.h>)
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#define LEVEL 1

struct deflater {
	struct isal_zstream stream;
	uint8_t scratch[ISAL_DEF_LVL1_DEFAULT];
};

struct deflater *deflater_new(void)
{
	return mem_alloc(sizeof(struct deflater));
}

void deflater_free(struct deflater *d)
{
	free(d);
}

bool deflate_piece(struct deflater *d, const char *data, size_t size, struct strbuf *out)
{
	/* What does not get smaller is stored, in blocks of less than 64 KiB with five bytes each, and a flush. */
	const size_t room = size + size / 16384 * 5 + 64;
	if (size > UINT32_MAX / 2)
		return false;
	strbuf_grow(out, room);
	isal_deflate_stateless_init(&d->stream);
	d->stream.level = LEVEL;
	d->stream.level_buf = d->scratch;
	d->stream.level_buf_size = sizeof(d->scratch);
	d->stream.flush = FULL_FLUSH;
	d->stream.end_of_stream = 0;
	d->stream.next_in = (uint8_t *)(uintptr_t)data;
	d->stream.avail_in = (uint32_t)size;
	d->stream.next_out = (uint8_t *)out->buf + out->len;
	d->stream.avail_out = (uint32_t)room;
	if (isal_deflate_stateless(&d->stream) != COMP_OK || d->stream.avail_in)
		return false;
	out->len += d->stream.total_out;
	return true;
}

uint32_t deflate_crc(uint32_t crc, const char *data, size_t size)
{
	return crc32_gzip_refl(crc, (const unsigned char *)data, size);
}

#else
#include <zlib.h>

enum { RAW = -15, MEMORY = 8, LEVEL = 1 };

struct deflater {
	z_stream stream;
	bool ready;
};

struct deflater *deflater_new(void)
{
	struct deflater *d = mem_zalloc(sizeof(*d));
	d->ready = deflateInit2(&d->stream, LEVEL, Z_DEFLATED, RAW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
	return d;
}

void deflater_free(struct deflater *d)
{
	if (d && d->ready)
		deflateEnd(&d->stream);
	free(d);
}

bool deflate_piece(struct deflater *d, const char *data, size_t size, struct strbuf *out)
{
	if (size > UINT32_MAX / 2 || !d->ready || deflateReset(&d->stream) != Z_OK)
		return false;
	/* What a flush adds is beyond the bound that zlib tells. */
	const size_t room = deflateBound(&d->stream, (uLong)size) + 16;
	strbuf_grow(out, room);
	d->stream.next_in = (Bytef *)(uintptr_t)data;
	d->stream.avail_in = (uInt)size;
	d->stream.next_out = (Bytef *)out->buf + out->len;
	d->stream.avail_out = (uInt)room;
	if (deflate(&d->stream, Z_SYNC_FLUSH) != Z_OK || d->stream.avail_in || !d->stream.avail_out)
		return false;
	out->len += room - d->stream.avail_out;
	return true;
}

uint32_t deflate_crc(uint32_t crc, const char *data, size_t size)
{
	return (uint32_t)crc32_z(crc, (const Bytef *)data, size);
}
#endif
