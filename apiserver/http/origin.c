#include "apiserver/http/origin.h"
#include <string.h>
#include "base/mem.h"
#include "base/regex.h"
#include "base/str.h"

struct origins {
	struct arena *arena;
	const char *transport; /* NULL: nothing is said of it */
	struct regex **allowed;
	size_t n_allowed;
};

static struct status *check_directive(const char *directive)
{
	const char *equals = strchr(directive, '=');
	if (!directive[strspn(directive, " \t\n\v\f\r")])
		return status_bad_request("empty value in strict-transport-security-directives");
	if (str_eq(directive, "includeSubDomains") || str_eq(directive, "preload") ||
		(equals && str_starts_with(directive, "max-age=") && !strchr(equals + 1, '=')))
		return NULL;
	return status_bad_request("--strict-transport-security-directives invalid, allowed values: max-age=expireTime, "
				  "includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for "
				  "more information");
}

/* A pattern has to say where the host begins and where it ends: others could take a name that has it in the middle. */
static struct status *add_pattern(struct origins *o, const char *pattern)
{
	const char *problem = NULL;
	if (str_empty(pattern))
		return status_bad_request("empty value in --cors-allowed-origins");
	struct regex *re = regex_new(o->arena, pattern, strlen(pattern), &problem);
	if (re && ((!strchr(pattern, '^') && !strstr(pattern, "//")) || !strpbrk(pattern, "$:")))
		problem = "regular expression does not pin to start/end of host in the origin header";
	if (problem)
		return status_bad_request("--cors-allowed-origins has an invalid regular expression: %s", problem);
	ARENA_PUSH(o->arena, o->allowed, o->n_allowed) = re;
	return NULL;
}

static struct status *fill(struct origins *o, const struct flag_list *transport, const struct flag_list *allowed)
{
	for (size_t i = 0; i < transport->n_items; i++)
		TRY(check_directive(transport->items[i]));
	for (size_t i = 0; i < allowed->n_items; i++)
		TRY(add_pattern(o, allowed->items[i]));
	if (transport->n_items)
		o->transport = str_join(o->arena, transport->items, transport->n_items, "; ");
	return NULL;
}

struct status *origins_new(
	const struct flag_list *transport, const struct flag_list *allowed, struct origins **ret_origins)
{
	*ret_origins = NULL;
	if (!transport->n_items && !allowed->n_items)
		return NULL;
	struct arena *arena = arena_new();
	struct origins *o = ARENA_NEW(arena, struct origins);
	o->arena = arena;
	struct status *wrong = fill(o, transport, allowed);
	if (wrong) {
		arena_free(arena);
		return wrong;
	}
	*ret_origins = o;
	return NULL;
}

static bool is_allowed(const struct origins *o, const char *origin)
{
	size_t start, end;
	for (size_t i = 0; i < o->n_allowed; i++)
		if (regex_find(o->allowed[i], origin, strlen(origin), 0, &start, &end))
			return true;
	return false;
}

bool origins_tell(const struct origins *o, struct exchange *exchange)
{
	if (!o)
		return false;
	if (o->transport)
		reply_header(exchange, "Strict-Transport-Security", o->transport);
	const char *origin = exchange_header(exchange, "Origin");
	if (str_empty(origin) || !is_allowed(o, origin))
		return false;
	reply_header(exchange, "Access-Control-Allow-Origin", origin);
	reply_header(exchange, "Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE, PATCH");
	reply_header(exchange, "Access-Control-Allow-Headers",
		"Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, "
		"If-Modified-Since");
	reply_header(exchange, "Access-Control-Expose-Headers", "Date");
	reply_header(exchange, "Access-Control-Allow-Credentials", "true");
	if (!str_eq(exchange->method, "OPTIONS"))
		return false;
	reply_bytes(exchange, 204, NULL, "", 0);
	return true;
}
