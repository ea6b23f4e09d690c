/*
 * The registry: every resource of the schema, read from the cache and written to etcd, through the resource's strategy.
 * In-process users (authenticator, RBAC, admission plugins, controllers of the server) use it as struct objects
 * (apiserver/registry/objects.h); the HTTP side uses the functions here.
 *
 *	TRY(registry_new(&options, &registry));
 *	objects_subscribe(registry_objects(registry), &RbacV1Role_schema, on_role, rbac);
 *	TRY(registry_start(registry));
 *
 * Threads: reads from any thread, from memory. Writes block: workers only.
 */
#ifndef APISERVER_REGISTRY_H
#define APISERVER_REGISTRY_H

#include "api/types.h"
#include "apiserver/registry/objects.h"
#include "apiserver/registry/request.h"
#include "base/clock.h"
#include "base/str.h"

struct registry;
struct etcd;
struct cache;
struct encryption;
struct admission;

struct registry_options {
	struct etcd *etcd;
	const char *prefix;	       /* "/registry" */
	struct encryption *encryption; /* of values in etcd; NULL: none */
	const struct clock *clock;
	int64_t lease_reuse_seconds; /* see store/lease.h */
	int64_t watch_seconds;	     /* for which a watch lasts at least, and at most twice as long */
};

struct registry *registry_new(const struct registry_options *options);
/* Admission comes after the registry, which it reads from. NULL: none. */
void registry_set_admission(struct registry *registry, struct admission *admission);
/* What strategies share; every request gets it. Borrowed. */
struct strategy_context;
void registry_set_strategy_context(struct registry *registry, const struct strategy_context *context);
/* Starts filling the cache; returns at once. */
struct status *registry_start(struct registry *registry) MUST_USE;
/* That of objects with a time to live. */
struct lease *registry_lease(struct registry *registry);
/* What is counted of calls to etcd. */
void registry_write_metrics(struct registry *registry, struct strbuf *out);
struct objects *registry_objects(struct registry *registry);
struct cache *registry_cache(struct registry *registry);
/* Waits until the cache has been filled once, or the time is over. */
bool registry_wait_synced(struct registry *registry, int64_t timeout_ms);

/* The answers of the original that say nothing but the code: details are there and empty. */
struct status *status_not_allowed(void) MUST_USE;
struct status *status_unknown_path(void) MUST_USE;
/* `pods "web" not found`, with details. */
struct status *request_not_found(const struct request *request, const char *name) MUST_USE;
/* Another object that the request needs, as etcd has it. The original tells of one that is missing as of one of what
 * was asked for. */
struct status *request_needs(struct request *request, const struct schema_type *type, const char *namespace,
	const char *name, const ProtobufCMessage **ret_object) MUST_USE;
/* The name in a body that is put, which has to be there and the request's. */
struct status *request_check_name(const struct request *request, const char *name) MUST_USE;
/* The namespace that a body names, "" for none, has to be the request's. */
struct status *request_check_namespace(const struct request *request, const char *namespace) MUST_USE;

/* The object of that name has another uid. The original tells of its store, which a dry run only pretends to have. */
struct status *request_uid_conflict(const struct request *request, const char *asked, const char *found) MUST_USE;

/* Leaves each owner reference once, and warns of those that came again: of what is sent, and, after admission, of what
 * it or a patch has added (endpoints/handlers, dedupOwnerReferencesAndAddWarning). */
void request_drop_repeated_owners(struct request *request, ProtobufCMessage *object, bool admitted);

/* A request of the server itself, as system:apiserver, for calls of the functions below. */
struct request *registry_own_request(struct registry *registry, struct arena *arena,
	const struct schema_resource *resource, const char *verb, const char *subresource, const char *namespace,
	const char *name);

/* The verbs behind the HTTP ones. Objects in and out are of the request's schema type and live in its arena. */
struct status *registry_get(struct request *request, ProtobufCMessage **ret_object) MUST_USE;
struct status *registry_create(
	struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object) MUST_USE;

/* How the new object is made out of the stored one; old is NULL when there is none (create on update). Called again
 * after a conflict. */
typedef struct status *registry_transform_fn(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object);
struct registry_update {
	registry_transform_fn *transform;
	void *data;
	bool retry_conflicts; /* the transform can be repeated (patches); otherwise its own resourceVersion decides */
	bool create_if_missing;
	const char *uid; /* precondition, or NULL */
};
struct status *registry_update(struct request *request, const struct registry_update *update,
	ProtobufCMessage **ret_object, bool *ret_created) MUST_USE;
/* Admission of what is created below an object (an eviction, a token, a binding). */
struct status *registry_admit_part(struct request *request, ProtobufCMessage *part) MUST_USE;
/* What is to be said of a deletion, of one or of many, before it is done. */
void registry_delete_warn(struct request *request, const MetaV1DeleteOptions *options);
/* *ret_object: the object as it now is; *ret_gone says whether it is deleted at once. */
struct status *registry_delete(struct request *request, const MetaV1DeleteOptions *options,
	ProtobufCMessage **ret_object, bool *ret_gone) MUST_USE;

#endif
