/*
 * IP addresses and ranges in texts. Most fields are older than the rule that there is one way to write an address: they
 * take leading zeros, addresses within their range, and IPv4 written as IPv6 (the loose form), and warn. New fields
 * take the canonical form only (the strict form).
 */
#ifndef APISERVER_VALIDATION_IP_H
#define APISERVER_VALIDATION_IP_H

#include "apiserver/validation/field.h"
#include "base/ip.h"

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
