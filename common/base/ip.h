/*
 * IP addresses and ranges in texts, in the loose form: leading zeros, addresses within their range, and IPv4 written as
 * IPv6 are taken.
 *
 *	struct cidr range;
 *	struct ip ip;
 *	if (cidr_read("10.96.0.0/12", &range) && ip_read("10.96.0.10", &ip) && cidr_holds(&range, &ip)) …
 *
 * Plain values: they own nothing.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

struct ip {
	uint8_t bytes[16]; /* an IPv4 address as ::ffff:a.b.c.d */
	bool dotted;	   /* was written as IPv4 */
	bool leading_zero;
};
struct cidr {
	struct ip ip;
	int bits;	   /* of 32 or 128 */
	bool leading_zero; /* anywhere */
};

/* The loose form; false for what is none. */
bool ip_read(const char *text, struct ip *ret_ip);
bool cidr_read(const char *text, struct cidr *ret_cidr);
/* Whether it is IPv4, however it was written. */
bool ip_is_v4(const struct ip *ip);
/* As Go prints it. */
char *ip_print(struct arena *arena, const struct ip *ip);
/* The range: without the bits behind the prefix. */
char *cidr_print(struct arena *arena, const struct cidr *cidr);
/* Whether bits behind the prefix are set. */
bool cidr_has_host_bits(const struct cidr *cidr);
/* Whether an address is within a range of its own family. */
bool cidr_holds(const struct cidr *cidr, const struct ip *ip);

#endif
