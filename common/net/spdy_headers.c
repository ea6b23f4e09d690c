/*
 * Header blocks of SPDY/3: pairs of names and values, compressed with zlib and the dictionary of the protocol
 * (SPDY protocol draft 3.1, section 2.6.10.1).
 */
#include "net/spdy_headers.h"

#include "base/mem.h"
#include "base/str.h"

enum { WINDOW_BITS = 11, MEMORY_LEVEL = 1, MAX_PAIRS = 256 };

#define WORD(len, text) "\0\0\0" len text

static const char dictionary[] =
	/* clang-format off */
	WORD("\x07", "options")
	WORD("\x04", "head")
	WORD("\x04", "post")
	WORD("\x03", "put")
	WORD("\x06", "delete")
	WORD("\x05", "trace")
	WORD("\x06", "accept")
	WORD("\x0e", "accept-charset")
	WORD("\x0f", "accept-encoding")
	WORD("\x0f", "accept-language")
	WORD("\x0d", "accept-ranges")
	WORD("\x03", "age")
	WORD("\x05", "allow")
	WORD("\x0d", "authorization")
	WORD("\x0d", "cache-control")
	WORD("\x0a", "connection")
	WORD("\x0c", "content-base")
	WORD("\x10", "content-encoding")
	WORD("\x10", "content-language")
	WORD("\x0e", "content-length")
	WORD("\x10", "content-location")
	WORD("\x0b", "content-md5")
	WORD("\x0d", "content-range")
	WORD("\x0c", "content-type")
	WORD("\x04", "date")
	WORD("\x04", "etag")
	WORD("\x06", "expect")
	WORD("\x07", "expires")
	WORD("\x04", "from")
	WORD("\x04", "host")
	WORD("\x08", "if-match")
	WORD("\x11", "if-modified-since")
	WORD("\x0d", "if-none-match")
	WORD("\x08", "if-range")
	WORD("\x13", "if-unmodified-since")
	WORD("\x0d", "last-modified")
	WORD("\x08", "location")
	WORD("\x0c", "max-forwards")
	WORD("\x06", "pragma")
	WORD("\x12", "proxy-authenticate")
	WORD("\x13", "proxy-authorization")
	WORD("\x05", "range")
	WORD("\x07", "referer")
	WORD("\x0b", "retry-after")
	WORD("\x06", "server")
	WORD("\x02", "te")
	WORD("\x07", "trailer")
	WORD("\x11", "transfer-encoding")
	WORD("\x07", "upgrade")
	WORD("\x0a", "user-agent")
	WORD("\x04", "vary")
	WORD("\x03", "via")
	WORD("\x07", "warning")
	WORD("\x10", "www-authenticate")
	WORD("\x06", "method")
	WORD("\x03", "get")
	WORD("\x06", "status")
	WORD("\x06", "200 OK")
	WORD("\x07", "version")
	WORD("\x08", "HTTP/1.1")
	WORD("\x03", "url")
	WORD("\x06", "public")
	WORD("\x0a", "set-cookie")
	WORD("\x0a", "keep-alive")
	WORD("\x06", "origin")
	"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
	"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Una"
	"uthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service"
	" UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, "
	"Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,applicat"
	"ion/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf"
	"-8charset=iso-8859-1,utf-,*,enq=0.";
/* clang-format on */
_Static_assert(sizeof(dictionary) - 1 == 1423, "the protocol fixes every byte of the dictionary");

void spdy_headers_init(struct spdy_headers *h)
{
	*h = (struct spdy_headers){0};
	if (deflateInit2(&h->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
			Z_OK ||
		deflateSetDictionary(&h->out, (const Bytef *)dictionary, sizeof(dictionary) - 1) != Z_OK ||
		inflateInit(&h->in) != Z_OK)
		abort();
}

void spdy_headers_done(struct spdy_headers *h)
{
	deflateEnd(&h->out);
	inflateEnd(&h->in);
}

static void add_u32(struct strbuf *out, uint32_t value)
{
	char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
	strbuf_add(out, bytes, 4);
}

static void add_text(struct strbuf *out, const char *text, bool lower)
{
	size_t len = strlen(text);
	add_u32(out, (uint32_t)len);
	for (size_t i = 0; i < len; i++)
		strbuf_addc(out, lower && text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i]);
}

void spdy_headers_write(struct spdy_headers *h, const struct http_header *headers, size_t n, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf plain = STRBUF_INIT;
	add_u32(&plain, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		add_text(&plain, headers[i].name, true);
		add_text(&plain, headers[i].value, false);
	}
	h->out.next_in = (Bytef *)plain.buf;
	h->out.avail_in = (uInt)plain.len;
	do {
		Bytef buf[1024];
		h->out.next_out = buf;
		h->out.avail_out = sizeof(buf);
		deflate(&h->out, Z_SYNC_FLUSH);
		strbuf_add(out, buf, sizeof(buf) - h->out.avail_out);
	} while (!h->out.avail_out);
}

static struct status *inflate_block(struct spdy_headers *h, const void *data, size_t size, struct strbuf *plain)
{
	h->in.next_in = (Bytef *)data;
	h->in.avail_in = (uInt)size;
	for (;;) {
		Bytef buf[2048];
		h->in.next_out = buf;
		h->in.avail_out = sizeof(buf);
		int r = inflate(&h->in, Z_SYNC_FLUSH);
		if (r == Z_NEED_DICT &&
			inflateSetDictionary(&h->in, (const Bytef *)dictionary, sizeof(dictionary) - 1) == Z_OK)
			continue;
		if (r != Z_OK && r != Z_BUF_ERROR)
			return status_bad_request("spdy: malformed header block");
		size_t n = sizeof(buf) - h->in.avail_out;
		if (plain->len + n > SPDY_MAX_HEADER_BYTES)
			return status_bad_request("spdy: header block too large");
		strbuf_add(plain, buf, n);
		if (!h->in.avail_in && h->in.avail_out)
			return NULL;
		if (r == Z_BUF_ERROR && !n)
			return status_bad_request("spdy: malformed header block");
	}
}

static bool take_u32(const uint8_t **p, const uint8_t *end, uint32_t *ret)
{
	if (end - *p < 4)
		return false;
	*ret = (uint32_t)(*p)[0] << 24 | (uint32_t)(*p)[1] << 16 | (uint32_t)(*p)[2] << 8 | (*p)[3];
	*p += 4;
	return true;
}

static bool take_text(struct arena *arena, const uint8_t **p, const uint8_t *end, char **ret)
{
	uint32_t len;
	if (!take_u32(p, end, &len) || len > (size_t)(end - *p))
		return false;
	/* Several values stand with NUL between them: they are joined as HTTP joins them. */
	*ret = arena_strndup(arena, (const char *)*p, len);
	for (uint32_t i = 0; i < len; i++)
		if (!(*ret)[i])
			(*ret)[i] = ',';
	*p += len;
	return true;
}

struct status *spdy_headers_read(struct spdy_headers *h, struct arena *arena, const void *data, size_t size,
	struct http_header **ret_headers, size_t *ret_n)
{
	CLEANUP(strbuf_done) struct strbuf plain = STRBUF_INIT;
	TRY(inflate_block(h, data, size, &plain));
	const uint8_t *p = (const uint8_t *)plain.buf, *end = p + plain.len;
	uint32_t n;
	if (!take_u32(&p, end, &n) || n > MAX_PAIRS)
		return status_bad_request("spdy: malformed header block");
	struct http_header *headers = ARENA_ARRAY(arena, struct http_header, n + 1);
	for (uint32_t i = 0; i < n; i++)
		if (!take_text(arena, &p, end, &headers[i].name) || !take_text(arena, &p, end, &headers[i].value))
			return status_bad_request("spdy: malformed header block");
	*ret_headers = headers;
	*ret_n = n;
	return NULL;
}
