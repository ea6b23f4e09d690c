#include "base/ip.h"
#include <arpa/inet.h>
#include <string.h>
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

bool cidr_has_host_bits(const struct cidr *c)
{
	struct ip base = c->ip;
	mask(&base, offset_bits(c));
	return memcmp(base.bytes, c->ip.bytes, sizeof(base.bytes)) != 0;
}
