/* Addresses, ranges of them, and URLs, in the strict form of Go's net/netip and net/url. */
#include <ctype.h>
#include "base/encode.h"
#include "base/ip.h"
#include "base/str.h"
#include "cel/eval.h"

static const char *text_of(struct cel_call *call, size_t i)
{
	return arena_strndup(call->arena, call->args[i].text.data, call->args[i].text.size);
}

/* Why a text is no IPv4 address. */
static const char *v4_problem(const char *text)
{
	int n = 0;
	for (const char *p = text;; p++) {
		size_t digits = strspn(p, "0123456789");
		if (!digits)
			return *p && *p != '.' ? "unexpected character" : "IPv4 field must have at least one digit";
		if (digits > 1 && *p == '0')
			return "IPv4 field has octet with leading zero";
		if (digits > 3 || strtol(p, NULL, 10) > 255)
			return "IPv4 field has value >255";
		p += digits;
		if (*p && *p != '.')
			return "unexpected character";
		if (++n > 4 || (n == 4 && *p))
			return "IPv4 address too long";
		if (!*p)
			return n < 4 ? "IPv4 address too short" : NULL;
	}
}

const char *cel_address_problem(const char *text, struct ip *ret)
{
	size_t plain = strcspn(text, ".:%");
	const char *problem = text[plain] == '.' ? v4_problem(text) : text[plain] == ':' ? NULL : "unable to parse IP";
	if (!problem && (!ip_read(text, ret) || ret->leading_zero))
		problem = "unable to parse IP";
	return problem;
}

static const char *ip_problem(struct arena *arena, const char *text, struct ip *ret)
{
	const char *shown = cel_quoted(arena, text), *zone = strchr(text, '%');
	if (zone && strchr(text, ':'))
		return arena_printf(arena, "IP address %s with zone value is not allowed", shown);
	const char *problem = cel_address_problem(text, ret);
	if (problem)
		return arena_printf(arena, "IP Address %s parse error during conversion from string: ParseAddr(%s): %s",
			shown, shown, problem);
	if (!ret->dotted && ip_is_v4(ret))
		return arena_printf(arena, "IPv4-mapped IPv6 address %s is not allowed", shown);
	return NULL;
}

#define PARSE_ERROR "network address parse error during conversion from string: "

static const char *cidr_problem(struct arena *arena, const char *text, struct cidr *ret)
{
	const char *shown = cel_quoted(arena, text), *slash = strrchr(text, '/');
	const char *bits = slash ? slash + 1 : "";
	if (!slash)
		return arena_printf(arena, PARSE_ERROR "netip.ParsePrefix(%s): no '/'", shown);
	const char *address = arena_strndup(arena, text, (size_t)(slash - text));
	const char *problem = cel_address_problem(address, &ret->ip);
	if (problem)
		return arena_printf(arena, PARSE_ERROR "netip.ParsePrefix(%s): ParseAddr(%s): %s", shown,
			cel_quoted(arena, address), problem);
	if (!*bits || bits[strspn(bits, "0123456789")] || strlen(bits) > 3 || (*bits == '0' && bits[1]))
		return arena_printf(arena, PARSE_ERROR "netip.ParsePrefix(%s): bad bits after slash: %s", shown,
			cel_quoted(arena, bits));
	ret->bits = (int)strtol(bits, NULL, 10);
	if (ret->bits > (ret->ip.dotted ? 32 : 128))
		return arena_printf(arena, PARSE_ERROR "netip.ParsePrefix(%s): prefix length out of range", shown);
	if (!ret->ip.dotted && ip_is_v4(&ret->ip))
		return arena_printf(arena, "IPv4-mapped IPv6 address %s is not allowed", shown);
	return NULL;
}

static struct cel_value with_text(
	struct cel_call *call, const struct cel_type *type, const void *data, size_t size, const char *text)
{
	struct cel_opaque *o = ARENA_NEW(call->arena, struct cel_opaque);
	o->type = type;
	o->data = arena_dup(call->arena, data, size);
	o->value = cel_text_of(text);
	return (struct cel_value){.kind = type->kind, .opaque = o};
}

static struct cel_value ip_value(struct cel_call *call, const struct ip *ip)
{
	return with_text(call, &cel_ip, ip, sizeof(*ip), ip_print(call->arena, ip));
}

static struct cel_value cidr_value(struct cel_call *call, const struct cidr *cidr)
{
	return with_text(call, &cel_cidr, cidr, sizeof(*cidr),
		arena_printf(call->arena, "%s/%d", ip_print(call->arena, &cidr->ip), cidr->bits));
}

static struct cel_value to_ip(struct cel_call *call)
{
	struct ip ip = {.dotted = false};
	const char *problem = ip_problem(call->arena, text_of(call, 0), &ip);
	return problem ? cel_error(call->arena, "%s", problem) : ip_value(call, &ip);
}

static struct cel_value is_ip(struct cel_call *call)
{
	struct ip ip = {.dotted = false};
	return CEL_BOOL_VALUE(!ip_problem(call->arena, text_of(call, 0), &ip));
}

static struct cel_value is_canonical(struct cel_call *call)
{
	struct ip ip = {.dotted = false};
	const char *text = text_of(call, 0), *problem = ip_problem(call->arena, text, &ip);
	return problem ? cel_error(call->arena, "%s", problem)
		       : CEL_BOOL_VALUE(!strcmp(ip_print(call->arena, &ip), text));
}

static const struct ip *ip_arg(struct cel_call *call, size_t i)
{
	return call->args[i].opaque->data;
}

static const struct cidr *cidr_arg(struct cel_call *call)
{
	return call->args[0].opaque->data;
}

static struct cel_value opaque_text(struct cel_call *call)
{
	return call->args[0].opaque->value;
}

static struct cel_value family(struct cel_call *call)
{
	return CEL_INT_VALUE(ip_arg(call, 0)->dotted ? 4 : 6);
}

static bool within(struct cel_call *call, const char *v4, const char *v6)
{
	struct cidr cidr;
	const struct ip *ip = ip_arg(call, 0);
	return cidr_read(ip->dotted ? v4 : v6, &cidr) && cidr_holds(&cidr, ip);
}

static struct cel_value is_unspecified(struct cel_call *call)
{
	return CEL_BOOL_VALUE(within(call, "0.0.0.0/32", "::/128"));
}

static struct cel_value is_loopback(struct cel_call *call)
{
	return CEL_BOOL_VALUE(within(call, "127.0.0.0/8", "::1/128"));
}

static bool is_local_multicast(struct cel_call *call)
{
	return ip_arg(call, 0)->dotted ? within(call, "224.0.0.0/24", "::/0")
				       : ip_arg(call, 0)->bytes[0] == 0xff && (ip_arg(call, 0)->bytes[1] & 0x0f) == 2;
}

static struct cel_value is_link_multicast(struct cel_call *call)
{
	return CEL_BOOL_VALUE(is_local_multicast(call));
}

static struct cel_value is_link_unicast(struct cel_call *call)
{
	return CEL_BOOL_VALUE(within(call, "169.254.0.0/16", "fe80::/10"));
}

static struct cel_value is_global_unicast(struct cel_call *call)
{
	bool not = within(call, "255.255.255.255/32", "::/128") || within(call, "0.0.0.0/32", "::1/128") ||
		   within(call, "127.0.0.0/8", "::1/128") || within(call, "224.0.0.0/4", "ff00::/8") ||
		   within(call, "169.254.0.0/16", "fe80::/10");
	return CEL_BOOL_VALUE(!not );
}

static struct cel_value to_cidr(struct cel_call *call)
{
	struct cidr cidr = {.bits = 0};
	const char *problem = cidr_problem(call->arena, text_of(call, 0), &cidr);
	return problem ? cel_error(call->arena, PARSE_ERROR "%s", problem) : cidr_value(call, &cidr);
}

static struct cel_value is_cidr(struct cel_call *call)
{
	struct cidr cidr = {.bits = 0};
	return CEL_BOOL_VALUE(!cidr_problem(call->arena, text_of(call, 0), &cidr));
}

static struct cel_value contains_ip(struct cel_call *call)
{
	struct ip ip = {.dotted = false};
	if (call->args[1].kind != CEL_STRING)
		return CEL_BOOL_VALUE(cidr_holds(cidr_arg(call), ip_arg(call, 1)));
	if (ip_problem(call->arena, text_of(call, 1), &ip))
		return cel_error(call->arena, "no such overload");
	return CEL_BOOL_VALUE(cidr_holds(cidr_arg(call), &ip));
}

static struct cel_value contains_cidr(struct cel_call *call)
{
	struct cidr read = {.bits = 0};
	const struct cidr *inner = &read;
	if (call->args[1].kind != CEL_STRING)
		inner = call->args[1].opaque->data;
	else if (cidr_problem(call->arena, text_of(call, 1), &read))
		return cel_error(call->arena, "no such overload");
	return CEL_BOOL_VALUE(cidr_arg(call)->bits <= inner->bits && cidr_holds(cidr_arg(call), &inner->ip));
}

static struct cel_value cidr_address(struct cel_call *call)
{
	return ip_value(call, &cidr_arg(call)->ip);
}

static struct cel_value prefix_length(struct cel_call *call)
{
	return CEL_INT_VALUE(cidr_arg(call)->bits);
}

static struct cel_value masked(struct cel_call *call)
{
	struct cidr cidr = *cidr_arg(call);
	int first = cidr.ip.dotted ? 96 : 0;
	for (int bit = first + cidr.bits; bit < 128; bit++)
		cidr.ip.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return cidr_value(call, &cidr);
}

/* URLs */

struct url {
	const char *scheme, *host, *path, *query;
};

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

const char *cel_escape_problem(struct arena *arena, const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p == '%' && (hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0))
			return arena_printf(arena, "invalid URL escape %s",
				cel_quoted(arena, arena_strndup(arena, p, strnlen(p, 3))));
	return NULL;
}

/* The parts of a URL that begins with a scheme or a slash; NULL, or why it is none. */
static const char *url_problem(struct arena *arena, const char *text, struct url *ret)
{
	char *rest = arena_strdup(arena, text), *mark;
	size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	*ret = (struct url){"", "", "", ""};
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "net/url: invalid control character in URL";
	if (!*text)
		return "empty url";
	if (!strcmp(text, "*")) {
		ret->path = "*";
		return NULL;
	}
	if (*rest == ':')
		return "missing protocol scheme";
	if (n && rest[n] == ':' && isalpha((unsigned char)*rest)) {
		ret->scheme = str_lower(arena, arena_strndup(arena, rest, n));
		rest += n + 1;
	} else if (n && rest[n] == ':') {
		return "first path segment in URL cannot contain colon";
	}
	mark = strchr(rest, '?');
	if (mark) {
		*mark = 0;
		ret->query = mark + 1;
	}
	if (*rest != '/')
		return *ret->scheme ? NULL : "invalid URI for request";
	if (*ret->scheme && str_starts_with(rest, "//")) {
		size_t size = strcspn(rest + 2, "/");
		const char *problem = cel_authority_problem(arena, arena_strndup(arena, rest + 2, size), &ret->host);
		rest += 2 + size;
		if (problem)
			return problem;
	}
	ret->path = rest;
	return cel_escape_problem(arena, rest);
}

const char *cel_url_problem(struct arena *arena, const char *text)
{
	struct url url;
	const char *problem = url_problem(arena, text, &url);
	return problem ? arena_printf(arena, "parse %s: %s", cel_quoted(arena, text), problem) : NULL;
}

static struct cel_value to_url(struct cel_call *call)
{
	struct url url;
	const char *text = text_of(call, 0), *problem = cel_url_problem(call->arena, text);
	if (problem)
		return cel_error(call->arena, "URL parse error during conversion from string: %s", problem);
	/* What follows a # is no part of the path or the query. */
	url_problem(call->arena, arena_strndup(call->arena, text, strcspn(text, "#")), &url);
	return with_text(call, &cel_url, &url, sizeof(url), text);
}

static struct cel_value is_url(struct cel_call *call)
{
	return CEL_BOOL_VALUE(!cel_url_problem(call->arena, text_of(call, 0)));
}

static const struct url *url_arg(struct cel_call *call)
{
	return call->args[0].opaque->data;
}

static struct cel_value scheme(struct cel_call *call)
{
	return cel_text_of(url_arg(call)->scheme);
}

static struct cel_value host(struct cel_call *call)
{
	return cel_text_of(url_arg(call)->host);
}

static struct cel_value hostname(struct cel_call *call)
{
	const char *text = url_arg(call)->host, *end = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
	text += *text == '[';
	return cel_text_of(end ? arena_strndup(call->arena, text, (size_t)(end - text)) : text);
}

static struct cel_value port(struct cel_call *call)
{
	const char *text = url_arg(call)->host, *end = *text == '[' ? strchr(text, ']') : text;
	const char *colon = strrchr(end, ':');
	return cel_text_of(colon ? colon + 1 : "");
}

static struct cel_value escaped_path(struct cel_call *call)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const char *p = url_arg(call)->path; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("-_.~!$&'()*+,;=:@/%[]", *p))
			strbuf_addc(&out, *p);
		else
			strbuf_printf(&out, "%%%02X", (unsigned char)*p);
	return cel_text_of(arena_strdup(call->arena, out.buf));
}

/* Undoes %XX and the plus; NULL if it is malformed. */
static char *unescape(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_strndup(arena, text, size), *to = copy;
	for (const char *p = copy; *p; p++)
		if (*p == '%' && (hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)) {
			return NULL;
		} else if (*p == '%') {
			*to++ = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		} else {
			*to++ = *p;
			if (*p == '+')
				to[-1] = ' ';
		}
	*to = 0;
	return copy;
}

static struct cel_value query(struct cel_call *call)
{
	struct cel_entry *entries = NULL;
	size_t n = 0;
	for (const char *p = url_arg(call)->query; *p;) {
		size_t size = strcspn(p, "&"), key_size = strcspn(p, "=&");
		char *key = unescape(call->arena, p, key_size);
		bool value_there = key_size < size;
		char *value = unescape(call->arena, p + key_size + value_there, size - key_size - value_there);
		bool good = size && key && value && !memchr(p, ';', size);
		p += size + (p[size] == '&');
		if (!good)
			continue;
		size_t i = 0;
		while (i < n && strcmp(entries[i].key.text.data, key))
			i++;
		if (i == n) {
			struct cel_value list = cel_list_of(call->arena, NULL, 0);
			ARENA_PUSH(call->arena, entries, n) = (struct cel_entry){cel_text_of(key), list};
		}
		struct cel_list *list = (struct cel_list *)entries[i].value.list;
		struct cel_value *items = list->n_items ? list->items : NULL;
		ARENA_PUSH(call->arena, items, list->n_items) = cel_text_of(value);
		list->items = items;
	}
	return cel_map_of(call->arena, entries, n);
}

static const struct cel_overload addresses_rows[] = {
	{"ip", "string_to_ip", "(string) -> IP", to_ip},
	{"family", "ip_family", "IP.() -> int", family},
	{"ip.isCanonical", "ip_is_canonical", "(string) -> bool", is_canonical},
	{"isUnspecified", "ip_is_unspecified", "IP.() -> bool", is_unspecified},
	{"isLoopback", "ip_is_loopback", "IP.() -> bool", is_loopback},
	{"isLinkLocalMulticast", "ip_is_link_local_multicast", "IP.() -> bool", is_link_multicast},
	{"isLinkLocalUnicast", "ip_is_link_local_unicast", "IP.() -> bool", is_link_unicast},
	{"isGlobalUnicast", "ip_is_global_unicast", "IP.() -> bool", is_global_unicast},
	{"isIP", "is_ip", "(string) -> bool", is_ip},
	{"string", "ip_to_string", "(IP) -> string", opaque_text},
	{"cidr", "string_to_cidr", "(string) -> CIDR", to_cidr},
	{"containsIP", "cidr_contains_ip_string", "CIDR.(string) -> bool", contains_ip},
	{"containsIP", "cidr_contains_ip_ip", "CIDR.(IP) -> bool", contains_ip},
	{"containsCIDR", "cidr_contains_cidr_string", "CIDR.(string) -> bool", contains_cidr},
	{"containsCIDR", "cidr_contains_cidr", "CIDR.(CIDR) -> bool", contains_cidr},
	{"ip", "cidr_ip", "CIDR.() -> IP", cidr_address},
	{"prefixLength", "cidr_prefix_length", "CIDR.() -> int", prefix_length},
	{"masked", "cidr_masked", "CIDR.() -> CIDR", masked},
	{"isCIDR", "is_cidr", "(string) -> bool", is_cidr},
	{"string", "cidr_to_string", "(CIDR) -> string", opaque_text},
	{"url", "string_to_url", "(string) -> URL", to_url},
	{"getScheme", "url_get_scheme", "URL.() -> string", scheme},
	{"getHost", "url_get_host", "URL.() -> string", host},
	{"getHostname", "url_get_hostname", "URL.() -> string", hostname},
	{"getPort", "url_get_port", "URL.() -> string", port},
	{"getEscapedPath", "url_get_escaped_path", "URL.() -> string", escaped_path},
	{"getQuery", "url_get_query", "URL.() -> map(string, list(string))", query},
	{"isURL", "is_url_string", "(string) -> bool", is_url},
};
const struct cel_library cel_addresses = {addresses_rows, ARRAY_SIZE(addresses_rows), 0};
