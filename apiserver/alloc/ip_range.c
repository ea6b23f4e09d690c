#include "apiserver/alloc/ip_range.h"
#include <string.h>
#include "base/encode.h"
#include "base/ip.h"
#include "base/str.h"

enum { MIN_BAND = 16, MAX_BAND = 256, BAND_STEP = 16, MAX_IPV6_HOST_BITS = 64 };

/* IPv4 addresses lie in the last four bytes. */
static ip_number number_of(const struct ip *ip, bool is_ipv6)
{
	ip_number n = 0;
	for (size_t i = is_ipv6 ? 0 : 12; i < sizeof(ip->bytes); i++)
		n = n << 8 | ip->bytes[i];
	return n;
}

bool ip_number_read(const char *text, bool *ret_is_ipv6, ip_number *ret_ip)
{
	struct ip ip;
	if (!ip_read(text, &ip))
		return false;
	*ret_is_ipv6 = !ip_is_v4(&ip);
	*ret_ip = number_of(&ip, *ret_is_ipv6);
	return true;
}

char *ip_number_print(struct arena *arena, bool is_ipv6, ip_number number)
{
	struct ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
	for (size_t i = sizeof(ip.bytes), first = is_ipv6 ? 0 : 12; i-- > first; number >>= 8)
		ip.bytes[i] = (uint8_t)number;
	return ip_print(arena, &ip);
}

static uint64_t band_of(uint64_t size)
{
	if (size <= MIN_BAND)
		return 0;
	uint64_t band = size / BAND_STEP;
	return band < MIN_BAND ? MIN_BAND : band > MAX_BAND ? MAX_BAND : band;
}

struct status *ip_range_parse(const char *cidr, struct ip_range *ret_range)
{
	struct ip_range r = {0};
	struct cidr parsed;
	if (!cidr_read(cidr, &parsed))
		return status_bad_request("invalid CIDR address: %s", str_or_empty(cidr));
	r.is_ipv6 = !parsed.ip.dotted;
	r.bits = (unsigned)parsed.bits;
	ip_number ip = number_of(&parsed.ip, r.is_ipv6);
	unsigned host_bits = (r.is_ipv6 ? 128u : 32u) - r.bits;
	if (host_bits < 2)
		return status_bad_request("the service cluster IP range must be at least 4 IP addresses: %s", cidr);
	if (host_bits > MAX_IPV6_HOST_BITS)
		return status_bad_request("shortest allowed prefix length for service CIDR is 64, got %u", r.bits);
	ip_number mask = ((ip_number)1 << host_bits) - 1;
	r.network = ip & ~mask;
	r.first = r.network + 1;
	r.last = (r.network | mask) - !r.is_ipv6;
	r.n_addresses = (uint64_t)(r.last - r.first + 1);
	r.band = band_of(host_bits > 16 ? UINT64_C(1) << 16 : UINT64_C(1) << host_bits);
	*ret_range = r;
	return NULL;
}

char *ip_range_text(struct arena *arena, const struct ip_range *range)
{
	return arena_printf(arena, "%s/%u", ip_number_print(arena, range->is_ipv6, range->network), range->bits);
}

const char *ip_range_family(const struct ip_range *range)
{
	return range->is_ipv6 ? "IPv6" : "IPv4";
}

bool ip_range_covers(const struct ip_range *range, bool is_ipv6, ip_number ip)
{
	unsigned host_bits = (range->is_ipv6 ? 128u : 32u) - range->bits;
	return is_ipv6 == range->is_ipv6 && ip >> host_bits == range->network >> host_bits;
}

static uint64_t random_of(uint64_t n)
{
	uint64_t value;
	if (n <= UINT32_MAX)
		return n ? random_below((uint32_t)n) : 0;
	random_bytes(&value, sizeof(value));
	return value % n;
}

struct ip_walk ip_walk(const struct ip_range *range)
{
	return (struct ip_walk){.range = range, .start = random_of(range->n_addresses - range->band)};
}

bool ip_walk_next(struct ip_walk *walk, ip_number *ret_ip)
{
	const struct ip_range *r = walk->range;
	if (!walk->in_band && walk->n_done == r->n_addresses - r->band) {
		walk->in_band = true;
		walk->n_done = 0;
		walk->start = random_of(r->band);
	}
	uint64_t size = walk->in_band ? r->band : r->n_addresses - r->band;
	if (walk->n_done == size)
		return false;
	uint64_t offset = (uint64_t)(((ip_number)walk->start + walk->n_done++) % size);
	*ret_ip = r->first + (walk->in_band ? 0 : r->band) + offset;
	return true;
}
