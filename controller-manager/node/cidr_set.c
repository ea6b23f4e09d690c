#include "controller-manager/node/cidr_set.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"

enum { MAX_RANGES = 1 << 16 };

struct net {
	uint8_t address[16];
	int bits; /* 32 or 128 */
	int prefix;
};

struct cidr_set {
	struct net net;
	int range_prefix;
	size_t n_ranges;
	size_t next;
	uint8_t *taken;
};

static bool parse(const char *cidr, struct net *net)
{
	char text[64];
	const char *slash = strchr(str_or_empty(cidr), '/');
	int64_t prefix;
	if (!slash || (size_t)(slash - cidr) >= sizeof(text))
		return false;
	memcpy(text, cidr, (size_t)(slash - cidr));
	text[slash - cidr] = '\0';
	memset(net, 0, sizeof(*net));
	net->bits = strchr(text, ':') ? 128 : 32;
	if (inet_pton(net->bits == 128 ? AF_INET6 : AF_INET, text, net->address) != 1 ||
		!str_to_int64(slash + 1, 0, net->bits, &prefix))
		return false;
	net->prefix = (int)prefix;
	for (int i = net->prefix; i < net->bits; i++)
		net->address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return true;
}

struct status *cidr_set_new(const char *cidr, int prefix, struct cidr_set **ret_set)
{
	struct net net;
	if (!parse(cidr, &net))
		return status_bad_request("\"%s\" is no network", str_or_empty(cidr));
	if (prefix < net.prefix || prefix > net.bits)
		return status_bad_request("ranges of /%d do not fit into %s", prefix, cidr);
	if (prefix - net.prefix > 16)
		return status_bad_request("%s has more than %d ranges of /%d", cidr, MAX_RANGES, prefix);
	struct cidr_set *set = mem_zalloc(sizeof(*set));
	set->net = net;
	set->range_prefix = prefix;
	set->n_ranges = (size_t)1 << (prefix - net.prefix);
	set->taken = mem_zalloc(set->n_ranges);
	*ret_set = set;
	return NULL;
}

void cidr_set_free(struct cidr_set *set)
{
	free(set->taken);
	free(set);
}

static char *range_text(const struct cidr_set *set, struct arena *arena, size_t index)
{
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN];
	memcpy(address, set->net.address, sizeof(address));
	for (int bit = set->range_prefix - 1; index; bit--, index >>= 1)
		if (index & 1)
			address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	inet_ntop(set->net.bits == 128 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	return arena_printf(arena, "%s/%d", text, set->range_prefix);
}

char *cidr_set_take(struct cidr_set *set, struct arena *arena)
{
	for (size_t i = 0; i < set->n_ranges; i++) {
		size_t index = (set->next + i) % set->n_ranges;
		if (set->taken[index])
			continue;
		set->taken[index] = 1;
		set->next = (index + 1) % set->n_ranges;
		return range_text(set, arena, index);
	}
	return NULL;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static bool mark(struct cidr_set *set, const char *cidr, uint8_t value)
{
	struct net net;
	if (!parse(cidr, &net) || net.bits != set->net.bits)
		return false;
	int common = net.prefix < set->net.prefix ? net.prefix : set->net.prefix;
	if (!same_prefix(net.address, set->net.address, common))
		return false;
	size_t first = 0, n = set->n_ranges;
	if (net.prefix > set->net.prefix) {
		int end = net.prefix < set->range_prefix ? net.prefix : set->range_prefix;
		for (int bit = set->net.prefix; bit < set->range_prefix; bit++)
			first = first << 1 | (bit < end && net.address[bit / 8] & (0x80 >> bit % 8) ? 1 : 0);
		n = (size_t)1 << (set->range_prefix - end);
	}
	memset(set->taken + first, value, n);
	return true;
}

bool cidr_set_occupy(struct cidr_set *set, const char *cidr)
{
	return mark(set, cidr, 1);
}

bool cidr_set_release(struct cidr_set *set, const char *cidr)
{
	return mark(set, cidr, 0);
}
