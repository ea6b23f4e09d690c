/*
 * Admission: plugins that may change a write, and then plugins that may refuse it.
 *
 *	TRY(admission_mutate(admission, &attributes));   after defaulting
 *	… strategy, validation …
 *	TRY(admission_validate(admission, &attributes)); before the store
 *
 * A plugin is one file that exports one record; plugins.c lists them in the order of the original.
 *--enable-admission-plugins and
 * --disable-admission-plugins add to and take from the set that is on by default.
 * Threads: on workers; plugins may read the cache and write through objects.
 */
#ifndef APISERVER_ADMISSION_ADMISSION_H
#define APISERVER_ADMISSION_ADMISSION_H

#include <stdbool.h>
#include "api/types.h"
#include "apiserver/authn/user.h"
#include "apiserver/authz/authz.h"
#include "apiserver/registry/objects.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/str.h"

enum admission_operation { ADMISSION_CREATE, ADMISSION_UPDATE, ADMISSION_DELETE, ADMISSION_CONNECT };

struct admission;

struct admission_attributes {
	struct arena *arena; /* of the request; what a plugin adds to the object goes here */
	const struct user *user;
	enum admission_operation operation;
	const char *group;
	const char *version;
	const char *resource;
	const char *subresource; /* "" for the object itself */
	const char *kind;
	const char *namespace;
	const char *name;		 /* "" for a create with generateName */
	ProtobufCMessage *object;	 /* NULL for a delete; may be NULL for untyped objects */
	const ProtobufCMessage *old;	 /* of an update or a delete */
	const ProtobufCMessage *options; /* DeleteOptions and so on; may be NULL */
	bool dry_run;
	const CoreV1Namespace **namespace_seen; /* what one plugin has read, for the next ones; may be NULL */
};

struct pod_security_figures;
struct default_priorities;

struct admission_context {
	struct objects *objects;
	struct authz *authz;
	const struct clock *clock;
	/* Made with the admission. */
	struct pod_security_figures *pod_security;
	struct default_priorities *default_priorities;
};

struct admission_plugin {
	const char *name;
	bool on_by_default;
	/* Either may be NULL. A returned status refuses the request; use admission_forbidden(). */
	struct status *(*mutate)(const struct admission_context *context, const struct admission_attributes *a);
	struct status *(*validate)(const struct admission_context *context, const struct admission_attributes *a);
	/* Whether it looks at deletes and connects too. */
	bool handles_delete;
	bool handles_connect;
};

struct admission_options {
	struct flag_list enable;
	struct flag_list disable;
};
/* The flags that fill them (a table that ends with {NULL}). Allocated once, lives for ever. */
struct flag *admission_flags(struct admission_options *options);

/* Error: a plugin nobody knows. */
struct status *admission_new(const struct admission_options *options, const struct admission_context *context,
	struct admission **ret) MUST_USE;
void admission_free(struct admission *admission);

struct status *admission_mutate(struct admission *admission, const struct admission_attributes *a) MUST_USE;
struct status *admission_validate(struct admission *admission, const struct admission_attributes *a) MUST_USE;

/* How long plugins took, as metrics. */
void admission_write_metrics(const struct admission *admission, struct strbuf *out);

/* 403 as the original words it: RESOURCE "NAME" is forbidden: … */
struct status *admission_forbidden(const struct admission_attributes *a, const char *format, ...) MUST_USE PRINTF(2, 3);
/* What the original's client says of a name that it cannot ask for; NULL: it can. */
const char *admission_bad_name(const struct admission_attributes *a, const char *name);

#endif
