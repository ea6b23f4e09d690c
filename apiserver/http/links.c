#include "apiserver/http/links.h"
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>
#include "base/mem.h"

#define MAX_TAG_BYTES 65536 /* a longer tag passes as it is */
#define GZIP_WINDOW (15 + 16)

/* --- one address --- */

struct url_parts {
	size_t path; /* where it begins */
	size_t path_size;
	const char *host; /* after the user, when one is named */
	size_t host_size;
};

static void url_split(const char *url, struct url_parts *ret)
{
	const char *p = url;
	*ret = (struct url_parts){0};
	while (isalnum((unsigned char)*p) || *p == '+' || *p == '-' || *p == '.')
		p++;
	p = *p == ':' && isalpha((unsigned char)*url) ? p + 1 : url;
	if (p[0] == '/' && p[1] == '/') {
		const char *end = p + 2 + strcspn(p + 2, "/?#");
		ret->host = p + 2;
		for (const char *at = ret->host; at < end; at++)
			if (*at == '@')
				ret->host = at + 1;
		ret->host_size = (size_t)(end - ret->host);
		p = end;
	}
	ret->path = (size_t)(p - url);
	ret->path_size = strcspn(p, "?#");
}

static bool same(const char *text, size_t size, const char *other)
{
	return strlen(other) == size && strncmp(text, other, size) == 0;
}

/* A path without empty segments, "." and "..", with the slash at its end that it had. */
static void add_clean(struct strbuf *out, const char *path, size_t size)
{
	size_t root = out->len, i = 0;
	while (i < size) {
		size_t n = 0;
		while (i < size && path[i] == '/')
			i++;
		while (i + n < size && path[i + n] != '/')
			n++;
		const char *segment = path + i;
		i += n;
		if (!n || same(segment, n, "."))
			continue;
		if (!same(segment, n, "..")) {
			strbuf_addc(out, '/');
			strbuf_add(out, segment, n);
			continue;
		}
		while (out->len > root && out->buf[out->len - 1] != '/')
			strbuf_truncate(out, out->len - 1);
		if (out->len > root)
			strbuf_truncate(out, out->len - 1);
	}
	if (size && path[size - 1] == '/')
		strbuf_addc(out, '/');
}

static void rewrite(
	struct strbuf *out, const char *prefix, const char *backend_host, const char *client_host, const char *url)
{
	struct url_parts parts;
	url_split(url, &parts);
	const char *path = url + parts.path;
	bool clients = parts.host_size && same(parts.host, parts.host_size, client_host);
	bool elsewhere = parts.host_size && !clients && !same(parts.host, parts.host_size, backend_host);
	if (elsewhere || *path != '/') {
		strbuf_adds(out, url);
		return;
	}
	if (clients)
		strbuf_add(out, url, parts.path);
	if (strncmp(path, prefix, strlen(prefix)) == 0) {
		strbuf_adds(out, path);
		return;
	}
	strbuf_adds(out, prefix);
	add_clean(out, path, parts.path_size);
	strbuf_adds(out, path + parts.path_size);
}

char *links_rewrite(
	struct arena *arena, const char *prefix, const char *backend_host, const char *client_host, const char *url)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	rewrite(&out, prefix, backend_host, client_host, url);
	return arena_strdup(arena, str_or_empty(out.buf));
}

/* --- a page --- */

struct links {
	char *prefix, *backend_host, *client_host;
	struct strbuf open; /* what came and is not complete yet */
	const char *until;  /* inside a comment or an element of plain text: what ends it */
	z_stream *inflate;  /* compressed pages */
};

struct links *links_new(const char *prefix, const char *backend_host, const char *client_host, bool gzip)
{
	struct links *l = mem_zalloc(sizeof(*l));
	l->prefix = mem_strdup(prefix);
	l->backend_host = mem_strdup(backend_host);
	l->client_host = mem_strdup(client_host);
	strbuf_init(&l->open);
	if (gzip) {
		l->inflate = mem_zalloc(sizeof(*l->inflate));
		int ready = inflateInit2(l->inflate, GZIP_WINDOW);
		assert(ready == Z_OK);
	}
	return l;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	if (l->inflate)
		inflateEnd(l->inflate);
	free(l->inflate);
	free(l->prefix);
	free(l->backend_host);
	free(l->client_host);
	strbuf_done(&l->open);
	free(l);
}

/* The attributes that hold addresses, as HTML defines them. */
static const struct {
	const char *tag;
	const char *attributes[4];
} address_attributes[] = {{"a", {"href"}}, {"applet", {"codebase"}}, {"area", {"href"}}, {"audio", {"src"}},
	{"base", {"href"}}, {"blockquote", {"cite"}}, {"body", {"background"}}, {"button", {"formaction"}},
	{"command", {"icon"}}, {"del", {"cite"}}, {"embed", {"src"}}, {"form", {"action"}},
	{"frame", {"longdesc", "src"}}, {"head", {"profile"}}, {"html", {"manifest"}}, {"iframe", {"longdesc", "src"}},
	{"img", {"longdesc", "src", "usemap"}}, {"input", {"src", "usemap", "formaction"}}, {"ins", {"cite"}},
	{"link", {"href"}}, {"object", {"classid", "codebase", "data", "usemap"}}, {"q", {"cite"}}, {"script", {"src"}},
	{"source", {"src"}}, {"video", {"poster", "src"}}};

/* Elements whose content is text, however much it looks like tags. */
static const char *const text_elements[] = {
	"</iframe", "</noembed", "</noframes", "</noscript", "</script", "</style", "</textarea", "</title", "</xmp"};

static bool named(const char *text, size_t size, const char *name)
{
	return strlen(name) == size && strncasecmp(text, name, size) == 0;
}

static const char *const *attributes_of(const char *tag, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(address_attributes); i++)
		if (named(tag, size, address_attributes[i].tag))
			return address_attributes[i].attributes;
	return NULL;
}

static bool holds_address(const char *const *attributes, const char *name, size_t size)
{
	for (size_t i = 0; attributes && i < 4 && attributes[i]; i++)
		if (named(name, size, attributes[i]))
			return true;
	return false;
}

static void add_value(struct links *l, const char *value, size_t size, bool address, struct strbuf *out)
{
	CLEANUP_FREE char *url = NULL;
	if (!address || memchr(value, '\0', size)) {
		strbuf_add(out, value, size);
		return;
	}
	url = mem_strndup(value, size);
	rewrite(out, l->prefix, l->backend_host, l->client_host, url);
}

/* A tag from '<' to '>', complete. */
static void add_tag(struct links *l, const char *tag, size_t size, struct strbuf *out)
{
	const char *p = tag + 1, *end = tag + size, *done = tag, *name = p;
	while (p < end && !isspace((unsigned char)*p) && *p != '/' && *p != '>')
		p++;
	const char *const *attributes = attributes_of(name, (size_t)(p - name));
	while (attributes && p < end) {
		while (p < end && (isspace((unsigned char)*p) || *p == '/' || *p == '>'))
			p++;
		const char *attribute = p;
		while (p < end && !isspace((unsigned char)*p) && *p != '=' && *p != '/' && *p != '>')
			p++;
		size_t attribute_size = (size_t)(p - attribute);
		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end || *p != '=')
			continue;
		for (p++; p < end && isspace((unsigned char)*p);)
			p++;
		char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : 0;
		const char *value = p;
		while (p < end && (quote ? *p != quote : !isspace((unsigned char)*p) && *p != '>'))
			p++;
		strbuf_add(out, done, (size_t)(value - done));
		add_value(l, value, (size_t)(p - value), holds_address(attributes, attribute, attribute_size), out);
		done = p;
		p += quote && p < end;
	}
	strbuf_add(out, done, (size_t)(end - done));
}

/* The size of the tag that begins here, 0 when its end is not there yet. A '>' in quotes does not end it. */
static size_t tag_size(const char *tag, size_t size)
{
	char quote = 0;
	for (size_t i = 1; i < size; i++)
		if (quote)
			quote = tag[i] == quote ? 0 : quote;
		else if (tag[i] == '>')
			return i + 1;
		else if ((tag[i] == '"' || tag[i] == '\'') && (tag[i - 1] == '=' || isspace((unsigned char)tag[i - 1])))
			quote = tag[i];
	return 0;
}

/* Passes text up to what ends it; while that has not come, all but what could be its beginning. */
static size_t pass_text(struct links *l, const char *text, size_t size, struct strbuf *out)
{
	size_t n = strlen(l->until);
	for (size_t i = 0; i + n <= size; i++)
		if (strncasecmp(text + i, l->until, n) == 0) {
			l->until = NULL;
			strbuf_add(out, text, i + n);
			return i + n;
		}
	size_t sure = size < n ? 0 : size - n + 1;
	strbuf_add(out, text, sure);
	return sure;
}

static size_t pass_tag(struct links *l, const char *tag, size_t size, struct strbuf *out)
{
	size_t n = tag_size(tag, size);
	if (!n) {
		if (size < MAX_TAG_BYTES)
			return 0;
		strbuf_add(out, tag, size);
		return size;
	}
	add_tag(l, tag, n, out);
	for (size_t i = 0; i < ARRAY_SIZE(text_elements); i++) {
		size_t name = strlen(text_elements[i]) - 2;
		if (n > name + 1 && strncasecmp(tag + 1, text_elements[i] + 2, name) == 0 &&
			!isalnum((unsigned char)tag[name + 1]) && tag[n - 2] != '/')
			l->until = text_elements[i];
	}
	return n;
}

/* Passes one piece of the page; 0 when more of it must come first. */
static size_t pass(struct links *l, const char *text, size_t size, struct strbuf *out)
{
	if (l->until)
		return pass_text(l, text, size, out);
	if (*text != '<') {
		const char *tag = memchr(text, '<', size);
		size_t n = tag ? (size_t)(tag - text) : size;
		strbuf_add(out, text, n);
		return n;
	}
	if (size < 4)
		return 0;
	if (strncmp(text, "<!--", 4) == 0)
		l->until = "-->";
	else if (isalpha((unsigned char)text[1]))
		return pass_tag(l, text, size, out);
	strbuf_add(out, text, 1);
	return 1;
}

static void feed(struct links *l, const char *data, size_t size, struct strbuf *out)
{
	size_t at = 0, n;
	strbuf_add(&l->open, data, size);
	while (at < l->open.len && (n = pass(l, l->open.buf + at, l->open.len - at, out)) > 0)
		at += n;
	strbuf_consume(&l->open, at);
}

bool links_feed(struct links *l, const void *data, size_t size, struct strbuf *out)
{
	int result = Z_OK;
	if (!l->inflate) {
		feed(l, data, size, out);
		return true;
	}
	l->inflate->next_in = (Bytef *)(uintptr_t)data;
	l->inflate->avail_in = (uInt)size;
	do {
		char block[16384];
		l->inflate->next_out = (Bytef *)block;
		l->inflate->avail_out = sizeof(block);
		result = inflate(l->inflate, Z_NO_FLUSH);
		feed(l, block, sizeof(block) - l->inflate->avail_out, out);
	} while (result == Z_OK && (l->inflate->avail_in || !l->inflate->avail_out));
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

void links_end(struct links *l, struct strbuf *out)
{
	strbuf_add(out, l->open.buf, l->open.len);
	strbuf_reset(&l->open);
}
