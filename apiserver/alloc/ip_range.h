/*
 * A range of addresses that Services get theirs from, and its arithmetic. Addresses are numbers of 128 bits; those of
 * IPv4 use the lower 32.
 *
 *	struct ip_range range;
 *	TRY(ip_range_parse("10.96.0.0/12", &range));
 *	for (struct ip_walk walk = ip_walk(&range); ip_walk_next(&walk, &ip);)
 *		… every address that may be given out, once, in a random order of parts …
 *
 * Plain values: they own nothing.
 */
#ifndef APISERVER_ALLOC_IP_RANGE_H
#define APISERVER_ALLOC_IP_RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

typedef unsigned __int128 ip_number;

struct ip_range {
	bool is_ipv6;
	unsigned bits;	   /* of the prefix */
	ip_number network; /* the address that the prefix stands for */
	ip_number first,
		last; /* what may be given out: without the network's own, and for IPv4 without the broadcast address */
	uint64_t n_addresses; /* from first to last */
	/* So many at the beginning are given out at random only when the rest is full: they are for Services that name
	 * their address (the original's calculateRangeOffset). */
	uint64_t band;
};

/* "10.96.0.0/12", "fd00::/108". BadRequest for what is none, is too small, or is wider than an IPv6 /64. */
struct status *ip_range_parse(const char *cidr, struct ip_range *ret_range) MUST_USE;
/* As parsed, with the network's address: "10.96.0.0/12". */
char *ip_range_text(struct arena *arena, const struct ip_range *range);
/* "IPv4" or "IPv6". */
const char *ip_range_family(const struct ip_range *range);
/* Whether the prefix covers the address. */
bool ip_range_covers(const struct ip_range *range, bool is_ipv6, ip_number ip);

/* False when the text is no address. */
bool ip_number_read(const char *text, bool *ret_is_ipv6, ip_number *ret_ip);
/* The canonical text, which names the IPAddress object. */
char *ip_number_print(struct arena *arena, bool is_ipv6, ip_number ip);

/* First from a random place above the band and around, then so within the band. */
struct ip_walk {
	const struct ip_range *range;
	bool in_band;
	uint64_t start, n_done;
};
struct ip_walk ip_walk(const struct ip_range *range);
bool ip_walk_next(struct ip_walk *walk, ip_number *ret_ip);

#endif
