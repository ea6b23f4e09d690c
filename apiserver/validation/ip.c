#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

const char *check_ip(struct arena *arena, const char *text)
{
	struct ip ip;
	return ip_read(text, &ip) ? NULL : "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

const char *check_ip_strict(struct arena *arena, const char *text)
{
	struct ip ip;
	if (!ip_read(text, &ip))
		return check_ip(arena, text);
	if (ip.leading_zero)
		return "must not have leading 0s";
	if (ip_is_v4(&ip) && !ip.dotted)
		return "must not be an IPv4-mapped IPv6 address";
	const char *canonical = ip_print(arena, &ip);
	return strcmp(canonical, text) ? arena_printf(arena, "must be in canonical form (\"%s\")", canonical) : NULL;
}

const char *check_cidr(struct arena *arena, const char *text)
{
	struct cidr c;
	return cidr_read(text, &c) ? NULL : "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
}

const char *check_cidr_strict(struct arena *arena, const char *text)
{
	struct cidr c;
	if (!cidr_read(text, &c))
		return check_cidr(arena, text);
	if (c.leading_zero)
		return "must not have leading 0s in IP or prefix length";
	if (ip_is_v4(&c.ip) && !c.ip.dotted)
		return "must not have an IPv4-mapped IPv6 address";
	if (cidr_has_host_bits(&c))
		return "must not have bits set beyond the prefix length";
	const char *canonical = cidr_print(arena, &c);
	return strcmp(canonical, text) ? arena_printf(arena, "must be in canonical form (\"%s\")", canonical) : NULL;
}

const char *check_endpoint_ip(struct arena *arena, const char *text)
{
	struct ip ip;
	static const uint8_t zero[16];
	if (!ip_read(text, &ip))
		return "must be a valid IP address";
	const uint8_t *b = ip.bytes;
	bool v4 = ip_is_v4(&ip);
	if (v4 ? !memcmp(b + 12, zero, 4) : !memcmp(b, zero, 16))
		return arena_printf(arena, "may not be unspecified (%s)", text);
	if (v4 ? b[12] == 127 : !memcmp(b, zero, 15) && b[15] == 1)
		return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
	if (v4 ? b[12] == 169 && b[13] == 254 : b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
	if (v4 ? b[12] == 224 && !b[13] && !b[14] : b[0] == 0xff && (b[1] & 0x0f) == 0x02)
		return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
	return NULL;
}

void ip_warn(struct arena *arena, const struct field_path *path, const char *text, ip_warning_fn *say, void *data)
{
	struct ip ip;
	if (!ip_read(text, &ip))
		return;
	char *where = field_path_string(arena, path), *canonical = ip_print(arena, &ip);
	if (ip.leading_zero || (ip_is_v4(&ip) && !ip.dotted))
		say(data, arena_printf(arena,
				  "%s: non-standard IP address \"%s\" will be considered invalid in a future "
				  "Kubernetes release: use \"%s\"",
				  where, text, canonical));
	else if (!ip.dotted && strcmp(canonical, text))
		say(data, arena_printf(arena, "%s: IPv6 address \"%s\" should be in RFC 5952 canonical format (\"%s\")",
				  where, text, canonical));
}

void cidr_warn(struct arena *arena, const struct field_path *path, const char *text, ip_warning_fn *say, void *data)
{
	struct cidr c;
	if (!cidr_read(text, &c))
		return;
	char *where = field_path_string(arena, path), *canonical = cidr_print(arena, &c);
	bool ambiguous = cidr_has_host_bits(&c), odd = c.leading_zero || (ip_is_v4(&c.ip) && !c.ip.dotted);
	if (ambiguous)
		say(data, arena_printf(arena,
				  "%s: CIDR value \"%s\" is ambiguous in this context (should be \"%s\" or \"%s/%d\"?)",
				  where, text, canonical, ip_print(arena, &c.ip), c.ip.dotted ? 32 : 128));
	if (odd)
		say(data, arena_printf(arena,
				  "%s: non-standard CIDR value \"%s\" will be considered invalid in a future "
				  "Kubernetes release: use \"%s\"",
				  where, text, canonical));
	if (!ambiguous && !odd && !c.ip.dotted && strcmp(canonical, text))
		say(data, arena_printf(arena,
				  "%s: IPv6 CIDR value \"%s\" should be in RFC 5952 canonical format (\"%s\")", where,
				  text, canonical));
}
