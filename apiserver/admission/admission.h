/*
 * Admission: plugins that may change a write, and then plugins that may refuse it.
 *
 *	TRY(admission_mutate(admission, &attributes));   after defaulting
 *	… strategy, validation …
 *	TRY(admission_validate(admission, &attributes)); before the store
 *
 * A plugin is one file that exports one record; plugins.c lists them in the order of the original.
 * --enable-admission-plugins and --disable-admission-plugins add to and take from the set that is on by default;
 * --admission-control-config-file holds what some of them are told (config.h).
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
/* The operations that a plugin looks at. */
enum {
	ON_CREATE = 1 << ADMISSION_CREATE,
	ON_UPDATE = 1 << ADMISSION_UPDATE,
	ON_DELETE = 1 << ADMISSION_DELETE,
	ON_CONNECT = 1 << ADMISSION_CONNECT,
	ON_ALL = ON_CREATE | ON_UPDATE | ON_DELETE | ON_CONNECT,
};

struct admission;
struct request;

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
	struct request *request;		/* of whom warnings are told; may be NULL */
};

struct admission_context {
	struct objects *objects;
	struct authz *authz;
	const struct clock *clock;
	void *own; /* the plugin's own, made by its start */
};

/* What a plugin starts with. */
struct admission_start {
	struct arena *arena; /* lives as long as the plugin */
	const struct admission_options *options;
	const char *config; /* what the configuration says to it, NULL: nothing */
	size_t config_size;
};

struct admission_plugin {
	const char *name;
	bool on_by_default;
	unsigned operations; /* ON_CREATE and so on */
	/* Either may be NULL. A returned status refuses the request; use admission_forbidden(). */
	struct status *(*mutate)(const struct admission_context *context, const struct admission_attributes *a);
	struct status *(*validate)(const struct admission_context *context, const struct admission_attributes *a);
	/* For plugins with something of their own; each may be NULL. Start fills context->own, before the cache is
	 * started; ready says whether what it was told makes sense. */
	struct status *(*start)(struct admission_context *context, const struct admission_start *start);
	struct status *(*ready)(const struct admission_context *context);
	void (*stop)(void *own);
	void (*write_metrics)(const void *own, struct strbuf *out);
};

struct admission_options {
	struct flag_list enable;
	struct flag_list disable;
	struct flag_list all; /* --admission-control, of old: these and no others */
	char *config_file;
	int64_t not_ready_seconds, unreachable_seconds; /* for DefaultTolerationSeconds */
};
/* The flags that fill them (a table that ends with {NULL}). Allocated once, lives for ever. */
struct flag *admission_flags(struct admission_options *options);
/* Whether the names are those of plugins, and each is said to be on or off. */
struct status *admission_check(const struct admission_options *options) MUST_USE;

/* Error: what the configuration file says is wrong. */
struct status *admission_new(const struct admission_options *options, const struct admission_context *context,
	struct admission **ret) MUST_USE;
void admission_free(struct admission *admission);

struct status *admission_mutate(struct admission *admission, const struct admission_attributes *a) MUST_USE;
struct status *admission_validate(struct admission *admission, const struct admission_attributes *a) MUST_USE;

/* How long plugins took, as metrics. */
void admission_write_metrics(const struct admission *admission, struct strbuf *out);

/* 403 as the original words it: RESOURCE "NAME" is forbidden: … */
struct status *admission_forbidden(const struct admission_attributes *a, const char *format, ...) MUST_USE PRINTF(2, 3);
/* Adds a warning to the answer. */
void admission_warn(const struct admission_attributes *a, const char *format, ...) PRINTF(2, 3);
/* What the original's client says of a name that it cannot ask for; NULL: it can. */
const char *admission_bad_name(const struct admission_attributes *a, const char *name);

#endif
