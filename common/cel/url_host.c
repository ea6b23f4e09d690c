/* Hosts of URLs, as Go's net/url takes them: any text beyond ASCII, and of ASCII what a host may hold. */
#include <ctype.h>
#include <stdlib.h>
#include "base/ip.h"
#include "base/str.h"
#include "cel/eval.h"

/* What a text is unescaped as: of a host only what is beyond ASCII may be escaped, of a zone what a host may hold. */
enum part { HOST, ZONE, USER };

static bool of_host(unsigned char c)
{
	return c >= 0x80 || isalnum(c) || (c && strchr("!\"$&'()*+,-.:;<=>[]_~", c));
}

static bool of_user(unsigned char c)
{
	return isalnum(c) || (c && strchr("-._:~!$&'()*+,;=%@", c));
}

/* The byte of %XX, -1: it is none. */
static int escaped(const char *p)
{
	if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
		return -1;
	return (int)strtol((char[]){p[1], p[2], 0}, NULL, 16);
}

static bool may_escape(enum part part, int c)
{
	if (part == USER || c == '%')
		return c >= 0;
	return part == HOST ? c >= 0x80 : c == ' ' || (c >= 0 && of_host((unsigned char)c));
}

/* Adds the text without its escapes; or why it cannot be. */
static const char *unescape(struct arena *arena, enum part part, const char *text, struct strbuf *out)
{
	for (const char *p = text; *p; p++) {
		const int c = *p == '%' ? escaped(p) : 0;
		if (*p == '%' && !may_escape(part, c))
			return arena_printf(arena, "invalid URL escape %s",
				cel_quoted(arena, arena_strndup(arena, p, strnlen(p, 3))));
		if (*p != '%' && part != USER && !of_host((unsigned char)*p))
			return arena_printf(arena, "invalid character %s in host name",
				cel_quoted(arena, arena_strndup(arena, p, 1)));
		strbuf_addc(out, *p == '%' ? (char)c : *p);
		p += *p == '%' ? 2 : 0;
	}
	return NULL;
}

/* ":80", or nothing. */
static const char *port_problem(struct arena *arena, const char *port)
{
	bool good = !*port || (*port == ':' && !port[1 + strspn(port + 1, "0123456789")]);
	return good ? NULL : arena_printf(arena, "invalid port %s after host", cel_quoted(arena, port));
}

/* An address of IPv6 between brackets, perhaps with a zone behind %25. */
static const char *literal_problem(struct arena *arena, const char *text, struct strbuf *out)
{
	const char *close = strrchr(text, ']'), *problem = NULL;
	struct ip ip;
	if (!close)
		return "missing ']' in host";
	problem = port_problem(arena, close + 1);
	char *address = arena_strndup(arena, text + 1, (size_t)(close - text - 1)), *zone = strstr(address, "%25");
	const size_t begin = out->len + 1;
	strbuf_addc(out, '[');
	if (!problem)
		problem = unescape(
			arena, HOST, zone ? arena_strndup(arena, address, (size_t)(zone - address)) : address, out);
	const char *plain = arena_strndup(arena, out->buf + begin, out->len - begin);
	if (!problem && zone)
		problem = unescape(arena, ZONE, zone, out);
	if (problem)
		return problem;
	const char *whole = arena_strndup(arena, out->buf + begin, out->len - begin);
	problem = zone && !strchr(plain, ':') ? "zone specified with IPv4 address" : cel_address_problem(plain, &ip);
	if (problem)
		return arena_printf(arena, "invalid host: ParseAddr(%s): %s", cel_quoted(arena, whole), problem);
	strbuf_adds(out, close);
	return ip.dotted ? "invalid IP-literal" : NULL;
}

static const char *host_problem(struct arena *arena, const char *text, struct strbuf *out)
{
	const char *bracket = strrchr(text, '['), *colon = strrchr(text, ':');
	if (bracket)
		return bracket > text ? "invalid IP-literal" : literal_problem(arena, text, out);
	const char *problem = port_problem(arena, colon ? colon : "");
	return problem ? problem : unescape(arena, HOST, text, out);
}

static const char *user_problem(struct arena *arena, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const char *p = text; *p; p++)
		if (!of_user((unsigned char)*p))
			return "net/url: invalid userinfo";
	return unescape(arena, USER, text, &out);
}

const char *cel_authority_problem(struct arena *arena, const char *text, const char **ret_host)
{
	CLEANUP(strbuf_done) struct strbuf host = STRBUF_INIT;
	const char *at = strrchr(text, '@');
	const char *problem = host_problem(arena, at ? at + 1 : text, &host);
	if (!problem && at)
		problem = user_problem(arena, arena_strndup(arena, text, (size_t)(at - text)));
	*ret_host = arena_strndup(arena, host.buf, host.len);
	return problem;
}
