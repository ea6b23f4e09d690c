/*
 * Deflates bytes so that other pieces can stand before and behind, as fast as the original's level 1 or faster.
 *
 *	CLEANUP(deflater_freep) struct deflater *d = deflater_new();
 *	deflate_piece(d, data, size, &out);
 *
 * Threads: a deflater is with one thread.
 */
#ifndef APISERVER_STORE_DEFLATE_H
#define APISERVER_STORE_DEFLATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "base/str.h"

struct deflater;

struct deflater *deflater_new(void);
void deflater_free(struct deflater *d);
DEFINE_CLEANUP(struct deflater *, deflater_free)
/* Appends to out; false, with nothing appended, when it cannot be done. */
bool deflate_piece(struct deflater *d, const char *data, size_t size, struct strbuf *out);
/* The checksum of gzip, of bytes after those that it was computed of. */
uint32_t deflate_crc(uint32_t crc, const char *data, size_t size);

#endif
