/*
 * A request on its way through the server: what was asked, by whom, and what the steps need of their surroundings.
 *
 * Ownership: everything it points to lives in its arena, or longer.
 * Threads: one at a time; it wanders from the listener's thread to a worker and back.
 */
#ifndef APISERVER_REQUEST_H
#define APISERVER_REQUEST_H

#include <stdbool.h>
#include "api/types.h"
#include "apiserver/authn/user.h"
#include "apiserver/registry/objects.h"
#include "base/arena.h"
#include "base/clock.h"

struct figure;
struct registry;
struct strategy;
struct strategy_context;

struct request {
	struct arena *arena;
	struct registry *registry;
	struct objects *objects;		/* the registry, as the parts beside the store see it */
	const struct strategy_context *context; /* what strategies share (apiserver/strategy/context.h) */
	const struct clock *clock;
	const struct user *user;
	const char *client_address;

	/* What is asked. Strings are never NULL. */
	const char *method; /* HTTP */
	const char *path;   /* unescaped */
	const char *verb; /* get list watch create update patch delete deletecollection connect; for a path the method,
			     lower case */
	bool is_resource;
	bool in_namespace; /* the path names one, which may be empty */
	bool by_prefix;	   /* the path begins with the verb (watch, proxy): authorization does not look at selectors */
	const char *group;
	const char *version;
	const char *resource;
	const char *subresource;
	const char *namespace;
	const char *name;
	const struct schema_resource *schema; /* NULL when the path is for no resource that we serve */
	const struct strategy *strategy;      /* never NULL for a resource */

	/* Whether the cache has been made fresh for this request already, or failed to. */
	bool asked_fresh;
	int64_t asked_ns;
	struct status *fresh; /* the request's until it is taken */

	/* Options of writes. */
	bool dry_run;
	const char *field_manager;
	const char *field_validation;	      /* Ignore, Warn, Strict */
	bool applies;			      /* a server-side apply: managedFields come with the object */
	bool updates_nothing;		      /* an update or apply that creates what it has not found */
	bool too_large;			      /* etcd did not take what was written, for its size */
	bool unmanaged;			      /* what is written has no managedFields */
	const MetaV1FieldsV1 *printed_fields; /* of those, what was printed for this request */

	/* Of a list out of memory, for the metrics. */
	struct {
		bool done, consistent; /* consistent: as new as etcd */
		size_t looked_at, told;
	} listed;
	bool counted;	       /* it may be made, which the metrics tell of */
	struct figure *figure; /* of a request that lasts (apiserver/figures.h), or NULL */

	/* Warning headers for the answer. */
	char **warnings;
	size_t n_warnings;
	size_t n_warnings_counted, n_warned_runes; /* the runes of the first ones */
	size_t n_warning_looks;
	const CoreV1Namespace *namespace_seen; /* by admission */
};

/* Adds a Warning header to the answer, once for each text. Where all would be longer than WARNINGS_MAX_RUNES, each is
 * cut to WARNING_MAX_RUNES and the last ones are left out. */
void request_warn(struct request *request, const char *format, ...) PRINTF(2, 3);
#define WARNINGS_MAX_RUNES 4096
#define WARNING_MAX_RUNES 256
/*
 * Whether to look on for what to warn of: not when all that will be sent has been said, and not after very many looks.
 * It is asked before each look by who compares each with each, so that a long list does not hold a thread.
 */
bool request_may_warn(struct request *request);
/* The runes of a text that is cut so. */
size_t warning_runes(const char *text);

#endif
