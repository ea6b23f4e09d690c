/*
 * URLs: parsing, escaping, query strings.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct url {
	char *scheme;  /* lower case; "" if the text had none */
	char *user;    /* "user" or "user:password", "" if none; still escaped */
	char *host;    /* no brackets around IPv6; "" if none */
	uint16_t port; /* 0: none given */
	char *path;    /* still escaped; "" if none */
	char *query;   /* what follows '?', without it; "" if none */
	char *fragment;
};

/* Absolute URLs ("https://h:1/p?q") and bare "host", "host:port". Error: STATUS_BAD_REQUEST. */
struct status *url_parse(struct arena *arena, const char *text, struct url *ret) MUST_USE;
/* The port given, or 443/80 by the scheme (https, wss / http, ws). */
uint16_t url_port(const struct url *url);
/* "host:port" with brackets around IPv6. */
char *url_host_port(struct arena *arena, const char *host, uint16_t port);

/* Appends s with everything but unreserved characters escaped; path keeps '/'. */
void url_escape(struct strbuf *out, const char *s);
void url_escape_path(struct strbuf *out, const char *s);
/* Undoes %XX (and '+' as space if plus). False on a malformed escape. Result is NUL-terminated in the arena. %00
 * becomes \x01: a text that ended there would mean something else (a name become a collection), and neither is ever
 * valid. */
bool url_unescape(struct arena *arena, const char *s, size_t len, bool plus, char **ret);

/* Appends "key=value" escaped, with '&' in front if out is not empty. NULL value: nothing is added. */
void query_add(struct strbuf *out, const char *key, const char *value);
void query_add_int(struct strbuf *out, const char *key, int64_t value);
void query_add_bool(struct strbuf *out, const char *key, bool value);

struct query_param {
	char *key;
	char *value;
};
/* Splits a query string in its order; malformed parts are skipped, as Go's ParseQuery does on a best effort. */
void query_parse(struct arena *arena, const char *query, struct query_param **ret_params, size_t *ret_n);
/* The first value of a key, NULL if absent. */
const char *query_get(const struct query_param *params, size_t n, const char *key);

#endif
