/* Addresses and CIDRs: parsed strictly, written canonically, since what comes out goes into rule text. */
#include <arpa/inet.h>
#include "base/str.h"
#include "kube-proxy/model.h"

enum family ip_family(const char *ip)
{
	return strchr(str_or_empty(ip), ':') ? FAMILY_IPV6 : FAMILY_IPV4;
}

static int address_family(enum family family)
{
	return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

const char *ip_canonical(struct arena *arena, enum family family, const char *ip)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];
	if (str_empty(ip) || inet_pton(address_family(family), ip, bytes) != 1)
		return NULL;
	return arena_strdup(arena, inet_ntop(address_family(family), bytes, text, sizeof text));
}

static bool parse_cidr(enum family family, const char *cidr, unsigned char bytes[static 16], unsigned *ret_bits)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(str_or_empty(cidr), '/');
	int64_t bits;
	if (!slash || (size_t)(slash - cidr) >= sizeof ip ||
		!str_to_int64(slash + 1, 0, family == FAMILY_IPV4 ? 32 : 128, &bits))
		return false;
	memcpy(ip, cidr, (size_t)(slash - cidr));
	ip[slash - cidr] = '\0';
	memset(bytes, 0, 16);
	*ret_bits = (unsigned)bits;
	return inet_pton(address_family(family), ip, bytes) == 1;
}

static void mask(unsigned char *bytes, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
		if (keep < 8)
			bytes[i] &= (unsigned char)(0xff00 >> keep);
	}
}

const char *cidr_canonical(struct arena *arena, enum family family, const char *cidr)
{
	unsigned char bytes[16];
	unsigned bits;
	char text[INET6_ADDRSTRLEN];
	if (!parse_cidr(family, cidr, bytes, &bits))
		return NULL;
	mask(bytes, bits);
	return arena_printf(arena, "%s/%u", inet_ntop(address_family(family), bytes, text, sizeof text), bits);
}

bool cidr_contains(const char *cidr, const char *ip)
{
	enum family family = ip_family(cidr);
	unsigned char net[16], host[16] = {0};
	unsigned bits;
	if (str_empty(ip) || ip_family(ip) != family || !parse_cidr(family, cidr, net, &bits) ||
		inet_pton(address_family(family), ip, host) != 1)
		return false;
	mask(net, bits);
	mask(host, bits);
	return !memcmp(net, host, 16);
}

char *ip_port(struct arena *arena, const char *ip, int32_t port)
{
	return arena_printf(arena, ip_family(ip) == FAMILY_IPV4 ? "%s:%d" : "[%s]:%d", ip, port);
}
