#include "apiserver/validation/ip.h"
#include <arpa/inet.h>
#include "apiserver/validation/meta.h"
#include "base/str.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool parse_dotted(const char *text, struct ip *ip)
{
	memcpy(ip->bytes, v4_prefix, sizeof(v4_prefix));
	for (int i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;
		if (i && *text++ != '.')
			return false;
		ip->leading_zero |= text[0] == '0' && text[1] >= '0' && text[1] <= '9';
		for (; *text >= '0' && *text <= '9'; text++, digits++) {
			value = value * 10 + (unsigned)(*text - '0');
			if (value > 255)
				return false;
		}
		if (!digits)
			return false;
		ip->bytes[12 + i] = (uint8_t)value;
	}
	ip->dotted = true;
	return !*text;
}

bool ip_read(const char *text, struct ip *ret_ip)
{
	struct ip ip = {.dotted = false};
	if (strchr(str_or_empty(text), ':') ? inet_pton(AF_INET6, text, ip.bytes) != 1
					    : !parse_dotted(str_or_empty(text), &ip))
		return false;
	*ret_ip = ip;
	return true;
}

bool cidr_read(const char *text, struct cidr *ret_cidr)
{
	struct cidr c = {.bits = 0};
	const char *slash = strchr(str_or_empty(text), '/');
	char address[64];
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = 0;
	const char *digits = slash + 1;
	if (!ip_read(address, &c.ip) || !*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 8)
		return false;
	for (const char *p = digits; *p; p++)
		c.bits = c.bits * 10 + (*p - '0');
	c.leading_zero = c.ip.leading_zero || (digits[0] == '0' && digits[1]);
	if (c.bits > (c.ip.dotted ? 32 : 128))
		return false;
	*ret_cidr = c;
	return true;
}

bool ip_is_v4(const struct ip *ip)
{
	return !memcmp(ip->bytes, v4_prefix, sizeof(v4_prefix));
}

/* The longest run of zero groups, at least two of them: what "::" stands for. */
static int zero_run(const uint8_t *bytes, int *ret_start)
{
	int best = 1;
	*ret_start = -1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && !bytes[2 * (i + n)] && !bytes[2 * (i + n) + 1])
			n++;
		if (n > best) {
			best = n;
			*ret_start = i;
		}
	}
	return *ret_start < 0 ? 0 : best;
}

char *ip_print(struct arena *arena, const struct ip *ip)
{
	const uint8_t *b = ip->bytes;
	if (ip_is_v4(ip))
		return arena_printf(arena, "%d.%d.%d.%d", b[12], b[13], b[14], b[15]);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	int start, run = zero_run(b, &start);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			strbuf_adds(&out, "::");
			i += run - 1;
			continue;
		}
		strbuf_printf(&out, "%s%x", i && out.buf[out.len - 1] != ':' ? ":" : "", b[2 * i] << 8 | b[2 * i + 1]);
	}
	return arena_strdup(arena, out.buf);
}

static int offset_bits(const struct cidr *c)
{
	return c->ip.dotted ? 96 + c->bits : c->bits;
}

static void mask(struct ip *ip, int bits)
{
	for (int i = bits; i < 128; i++)
		ip->bytes[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
}

char *cidr_print(struct arena *arena, const struct cidr *c)
{
	struct ip base = c->ip;
	mask(&base, offset_bits(c));
	return arena_printf(arena, "%s/%d", ip_print(arena, &base), c->bits);
}

bool cidr_holds(const struct cidr *c, const struct ip *ip)
{
	struct ip base = c->ip, other = *ip;
	if (ip_is_v4(&c->ip) != ip_is_v4(ip))
		return false;
	mask(&base, offset_bits(c));
	mask(&other, offset_bits(c));
	return !memcmp(base.bytes, other.bytes, sizeof(base.bytes));
}

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

/* Whether bits behind the prefix are set. */
static bool has_host_bits(const struct cidr *c)
{
	struct ip base = c->ip;
	mask(&base, offset_bits(c));
	return memcmp(base.bytes, c->ip.bytes, sizeof(base.bytes)) != 0;
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
	if (has_host_bits(&c))
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
	bool ambiguous = has_host_bits(&c), odd = c.leading_zero || (ip_is_v4(&c.ip) && !c.ip.dotted);
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
