/* The compressed header blocks of a SPDY session: one zlib state for each direction. Private to the library. */
#ifndef NET_SPDY_HEADERS_H
#define NET_SPDY_HEADERS_H

#include <zlib.h>
#include "base/str.h"
#include "net/spdy.h"

struct spdy_headers {
	z_stream out, in;
};

void spdy_headers_init(struct spdy_headers *h);
void spdy_headers_done(struct spdy_headers *h);
void spdy_headers_write(struct spdy_headers *h, const struct http_header *headers, size_t n, struct strbuf *out);
struct status *spdy_headers_read(struct spdy_headers *h, struct arena *arena, const void *data, size_t size,
	struct http_header **ret_headers, size_t *ret_n) MUST_USE;

#endif
