#ifndef APISERVER_REGISTRY_PRIVATE_H
#define APISERVER_REGISTRY_PRIVATE_H

#include "apiserver/convert/convert.h"
#include "apiserver/admission/admission.h"
#include "apiserver/figures.h"
#include "apiserver/registry/registry.h"
#include "apiserver/store/cache.h"
#include "apiserver/store/lease.h"
#include "apiserver/strategy/strategy.h"
#include "base/str.h"

struct registry {
	struct objects objects; /* first */
	struct etcd *etcd;
	struct cache *cache;
	struct figures *etcd_figures; /* calls by resource and verb */
	const struct clock *clock;
	struct admission *admission;
	const struct strategy_context *context;
	struct lease *lease; /* of objects with a time to live */
	int64_t watch_seconds;
};

/* What kinds do by default, where their strategy does not say. */
struct traits {
	bool generation;      /* metadata.generation counts changes of what is wanted */
	bool strict;	      /* an empty list that takes the place of none is such a change too */
	bool returns_deleted; /* a delete answers with the object */
	bool needs_version;   /* a PUT must have a resourceVersion */
	bool create_on_put;
};
struct traits traits_of(const struct request *request);
bool delete_returns_object(const char *resource);

/* Counts a call to etcd that began then and has just ended; returns its status, of what is too large as it is answered.
 * A key that is not as expected is no failure. */
struct status *etcd_called(
	struct request *request, enum figure_verb verb, int64_t begin_ns, struct status *status) MUST_USE;
/* Whether the write failed because the object was too large, and is to be tried again without managed fields, which
 * may be what is large of it (endpoints/handlers, isTooLargeError). It takes the status then. */
bool request_is_shortened(struct request *request, struct status *status);

/* Where a request's objects are stored; NULL for what is virtual. */
struct table *request_table(const struct request *request);
/* What the keys of a list or watch begin with: "namespace/", or "". */
const char *request_prefix(const struct request *request);
struct status *request_conflict(const struct request *request, const char *name, const char *format, ...) MUST_USE
	PRINTF(3, 4);
/* "pods", "deployments.apps" */
const char *request_qualified(const struct request *request);

/* An object as stored: decoded into the arena, with its revision. */
struct stored {
	ProtobufCMessage *object; /* NULL: there is none */
	ProtobufCMessage *own;	  /* what a write begins with: the object, or what it was converted from */
	int64_t revision;
	bool live;		       /* read from etcd, not from the cache */
	struct encryption_value value; /* what etcd has, for comparison; only when live */
};
/* A kind of several versions may be written in the one that is stored: from the request's, and back in it. */
struct status *to_written(struct request *request, ProtobufCMessage **object) MUST_USE;
struct status *to_asked(struct request *request, ProtobufCMessage **object) MUST_USE;
/* From the cache, or from etcd when live is asked for. Objects are of the request's type. */
struct status *stored_read(struct request *request, const char *name, bool live, struct stored *ret_stored) MUST_USE;
/* What etcd has under that name. */
struct status *stored_ask(struct request *request, const char *name, struct etcd_kv *ret_kv) MUST_USE;
struct status *stored_from_kv(struct request *request, const struct etcd_kv *kv, struct stored *ret_stored) MUST_USE;

/*
 * A write is judged by what is stored, and made only if that is still what is stored; when somebody was faster, all of
 * it comes again. The first attempt takes what memory has, and refuses nothing by that: it may be a moment behind.
 *
 *	struct attempt a = {0};
 *	while (attempt_again(&a)) {
 *		TRY(attempt_read(request, &a));
 *		struct status *verdict = judge(request, &a.stored, &object);
 *		if (attempt_is_stale(&a, verdict))
 *			continue;
 *		TRY(verdict);
 *		TRY(commit_change(request, &a, object));
 *		if (!a.lost)
 *			return NULL;
 *	}
 */
struct attempt {
	struct stored stored; /* what it is judged by; after a commit its revision is the new one */
	bool lost;	      /* somebody was faster: nothing was written */
	/* The attempts' own. */
	struct etcd_kv now; /* what he left */
	bool stale;
	int n;
};
bool attempt_again(const struct attempt *a);
struct status *attempt_read(struct request *request, struct attempt *a) MUST_USE;
/* Whether a verdict, which is dropped then, is not the last word: it was found by what memory has. */
bool attempt_is_stale(struct attempt *a, struct status *verdict);

/* The calls to etcd that a write ends with; what is written gets the revision of that. A dry run ends without. */
struct status *commit_new(struct request *request, ProtobufCMessage *object) MUST_USE;
/* Nothing is written when nothing changes. */
struct status *commit_change(struct request *request, struct attempt *a, ProtobufCMessage *object) MUST_USE;
/* *ret_revision: that of the removal. */
struct status *commit_removal(struct request *request, struct attempt *a, int64_t *ret_revision) MUST_USE;
/* A write whose answer was lost may have happened: what it took stays taken, and a repair finds out. */
static inline bool outcome_is_unknown(const struct status *status)
{
	return status_is(status, STATUS_TIMEOUT) || status_is(status, STATUS_UNAVAILABLE);
}
void set_revision(struct request *request, ProtobufCMessage *object, int64_t revision);

/* Gives an object the spec that every object of its kind has, so that checks need not ask: an absent one says nothing.
 */
void ensure_spec(struct arena *arena, ProtobufCMessage *object);

/* Waits until memory is as new as a version, or as etcd is now (-1). */
struct status *request_catch_up(struct request *request, int64_t version) MUST_USE;

/* The metadata in the eyes of the kind's own checks. */
void validate_object_meta_of(struct request *request, struct field_errors *errors, const ProtobufCMessage *object);
/* The rule for names of finalizers that most groups have beside the one for all. */
void validate_finalizers_of(struct request *request, struct field_errors *errors, const MetaV1ObjectMeta *meta);

/* Makes lists and maps that are there but empty absent, as they are when the object is read back: those that JSON would
 * show. */
void forget_empty(ProtobufCMessage *object);

/* Admission of a write. */
struct status *admit(struct request *request, enum admission_operation operation, ProtobufCMessage *object,
	const ProtobufCMessage *old, const ProtobufCMessage *options, bool validate) MUST_USE;
/* Lets an object that is going do so after another grace period, as if it had been asked for at first: not in the past,
 * and who is to end it gets a second at least where any was asked for. */
void registry_shorten_grace(struct arena *arena, MetaV1ObjectMeta *meta, int64_t grace, int64_t now_s);
/* Whether the last reason for an object to stay is gone. */
bool may_be_removed(const struct request *request, const ProtobufCMessage *object);

extern const struct objects_ops registry_ops;

#endif
