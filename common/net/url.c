#include "net/url.h"

#include <ctype.h>
#include <inttypes.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '~';
}

static void escape(struct strbuf *out, const char *s, const char *keep)
{
	for (s = str_or_empty(s); *s; s++) {
		if (is_unreserved(*s) || strchr(keep, *s))
			strbuf_addc(out, *s);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

void url_escape(struct strbuf *out, const char *s)
{
	escape(out, s, "");
}

void url_escape_path(struct strbuf *out, const char *s)
{
	escape(out, s, "/:@$&+,;=");
}

bool url_unescape(struct arena *arena, const char *s, size_t len, bool plus, char **ret)
{
	char *out = arena_alloc(arena, len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%') {
			int high = len - i > 2 ? hex_value(s[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(s[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			int byte = high << 4 | low;
			out[n++] = (char)(byte ? byte : 1);
			i += 2;
		} else {
			out[n++] = plus && s[i] == '+' ? ' ' : s[i];
		}
	}
	out[n] = '\0';
	*ret = out;
	return true;
}

void query_add(struct strbuf *out, const char *key, const char *value)
{
	if (!value)
		return;
	if (out->len)
		strbuf_addc(out, '&');
	url_escape(out, key);
	strbuf_addc(out, '=');
	url_escape(out, value);
}

void query_add_int(struct strbuf *out, const char *key, int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, value);
	query_add(out, key, text);
}

void query_add_bool(struct strbuf *out, const char *key, bool value)
{
	query_add(out, key, value ? "true" : "false");
}

void query_parse(struct arena *arena, const char *query, struct query_param **ret_params, size_t *ret_n)
{
	struct query_param *params = NULL;
	size_t n = 0;
	for (const char *p = str_or_empty(query); *p;) {
		size_t len = strcspn(p, "&");
		const char *equal = memchr(p, '=', len);
		size_t key_len = equal ? (size_t)(equal - p) : len;
		struct query_param param = {0};
		bool ok = len && !memchr(p, ';', len) && url_unescape(arena, p, key_len, true, &param.key);
		if (ok && equal)
			ok = url_unescape(arena, equal + 1, len - key_len - 1, true, &param.value);
		else if (ok)
			param.value = arena_strdup(arena, "");
		if (ok)
			ARENA_PUSH(arena, params, n) = param;
		p += len;
		if (*p)
			p++;
	}
	*ret_params = params;
	*ret_n = n;
}

const char *query_get(const struct query_param *params, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(params[i].key, key))
			return params[i].value;
	return NULL;
}

uint16_t url_port(const struct url *url)
{
	if (url->port)
		return url->port;
	return str_eq(url->scheme, "https") || str_eq(url->scheme, "wss") ? 443 : 80;
}

char *url_host_port(struct arena *arena, const char *host, uint16_t port)
{
	return arena_printf(arena, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static struct status *parse_authority(struct arena *arena, const char *text, const char *s, size_t len, struct url *ret)
{
	const char *at = memrchr(s, '@', len);
	ret->user = arena_strndup(arena, s, at ? (size_t)(at - s) : 0);
	if (at) {
		len -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	const char *port = NULL;
	if (len && *s == '[') {
		const char *close = memchr(s, ']', len);
		if (!close || (close + 1 < s + len && close[1] != ':'))
			return status_bad_request("parse \"%s\": missing ']' in host", text);
		ret->host = arena_strndup(arena, s + 1, (size_t)(close - s - 1));
		port = close + 1 < s + len ? close + 2 : NULL;
	} else {
		const char *colon = memrchr(s, ':', len);
		ret->host = arena_strndup(arena, s, colon ? (size_t)(colon - s) : len);
		port = colon ? colon + 1 : NULL;
	}
	if (ret->host[strcspn(ret->host, " \t\r\n\"<>\\^`{|}")])
		return status_bad_request("parse \"%s\": invalid character in host name", text);
	if (port && port < s + len) {
		uint64_t number;
		char *port_text = arena_strndup(arena, port, (size_t)(s + len - port));
		if (!str_to_uint64(port_text, UINT16_MAX, &number))
			return status_bad_request("parse \"%s\": invalid port \":%s\" after host", text, port_text);
		ret->port = (uint16_t)number;
	}
	return NULL;
}

struct status *url_parse(struct arena *arena, const char *text, struct url *ret)
{
	struct url url = {"", "", "", 0, "", "", ""};
	const char *s = str_or_empty(text);
	const char *separator = strstr(s, "://");
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return status_bad_request("parse: invalid control character in URL");
	if (separator && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
				 (size_t)(separator - s)) {
		url.scheme = str_lower(arena, arena_strndup(arena, s, (size_t)(separator - s)));
		s = separator + 3;
	}
	size_t authority = strcspn(s, "/?#");
	TRY(parse_authority(arena, text, s, authority, &url));
	s += authority;
	size_t path = strcspn(s, "?#");
	url.path = arena_strndup(arena, s, path);
	s += path;
	if (*s == '?') {
		size_t query = strcspn(++s, "#");
		url.query = arena_strndup(arena, s, query);
		s += query;
	}
	if (*s == '#')
		url.fragment = arena_strdup(arena, s + 1);
	*ret = url;
	return NULL;
}
