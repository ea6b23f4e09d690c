/*
 * IP addresses and ranges in texts. Most fields are older than the rule that there is one way to write an address: they
 * take leading zeros, addresses within their range, and IPv4 written as IPv6 (the loose form), and warn. New fields
 * take the canonical form only (the strict form).
 */
#ifndef APISERVER_VALIDATION_IP_H
#define APISERVER_VALIDATION_IP_H

#include <stdbool.h>
#include <stdint.h>
#include "apiserver/validation/field.h"

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
/* Whether an address is within a range of its own family. */
bool cidr_holds(const struct cidr *cidr, const struct ip *ip);

/* What is wrong with a text, or NULL. */
const char *check_ip_strict(struct arena *arena, const char *text);
const char *check_cidr(struct arena *arena, const char *text);
const char *check_cidr_strict(struct arena *arena, const char *text);
/* An address that a Service may not send to: unspecified, loopback, link-local. One or more problems, or NULL. */
const char *check_endpoint_ip(struct arena *arena, const char *text);

/* What is unwise about the form of a valid text, prefixed with its path, each given to say(). */
typedef void ip_warning_fn(void *data, const char *text);
void ip_warn(struct arena *arena, const struct field_path *path, const char *text, ip_warning_fn *say, void *data);
void cidr_warn(struct arena *arena, const struct field_path *path, const char *text, ip_warning_fn *say, void *data);

#endif
