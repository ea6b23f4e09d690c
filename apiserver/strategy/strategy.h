/*
 * What a resource does unlike the rest. The store serves every resource of the schema; a strategy adds to that.
 *
 *	const struct strategy pod_strategy = {
 *		.group = "", .resource = "pods",
 *		.prepare_create = prepare_create, .validate_create = validate_create, …
 *	};
 *
 * The way of a create: decode, api defaults, admission_mutate, metadata filled in (name, uid, creationTimestamp,
 *generation), prepare_create, validate_create, admission_validate, begin_create, etcd; rollback_create when etcd
 *refuses. Of an update (and a patch, and a write of a subresource that is a part of the object): the stored object is
 *read, the new one decoded or patched, defaults, admission_mutate, system metadata carried over, prepare_update,
 *validate_update, admission_validate, begin_update, etcd; rollback_update and all of it again after a conflict;
 *finish_update after success. request->subresource tells "" from status, scale, finalize, approval and so on.
 *
 * Threads: on workers; any number at once. Every member may be NULL.
 */
#ifndef APISERVER_STRATEGY_H
#define APISERVER_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>
#include "api/types.h"
#include "apiserver/registry/request.h"
#include "apiserver/validation/field.h"
#include "apiserver/validation/meta.h"
#include "base/status.h"

/* A subresource with behaviour of its own. The plain ones (status, finalize, approval, resize, ephemeralcontainers: the
 * kind is the resource's own) need no handler. */
struct subresource_handler {
	const char *name;
	/* POST. body is of the schema's kind for the subresource, defaulted; NULL if the request had none. */
	struct status *(*create)(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object);
	/* GET, and PUT/PATCH through one modify (scale). object is the parent as stored; get makes the subresource out
	 * of it, put writes the subresource back into it (then it is stored as an update with request->subresource
	 * set). */
	struct status *(*get)(struct request *request, const ProtobufCMessage *object, ProtobufCMessage **ret_view);
	struct status *(*put)(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *view);
};

enum update_check {
	CHECKS_END,
	CHECK_META,	   /* the metadata, as of a new object */
	CHECK_NEW,	   /* validate_create */
	CHECK_META_CHANGE, /* what of the metadata may not change */
	CHECK_CHANGE,	   /* validate_update */
	CHECK_NOTHING,
};
#define MAX_UPDATE_CHECKS 6

struct strategy {
	const char *group;
	const char *resource;

	/* The form of names; NULL: a DNS subdomain. */
	name_check_fn *check_name;
	/* A generateName is the name: nothing by chance is put behind it. */
	bool names_as_told;
	/* Instead of that, where the name follows from what else the object says. */
	const char *(*check_own_name)(
		struct arena *arena, const ProtobufCMessage *object, const char *name, bool prefix);
	/* The kind's own check of a new object comes before that of its metadata, which is made if that is content: a
	 * name is any that fits in a path. */
	bool metadata_last;
	/* What the kind's own check of an update goes through, in its order, behind what every update is asked; that of
	 * its status. Not told: CHECK_META_CHANGE, CHECK_CHANGE. */
	enum update_check update_checks[MAX_UPDATE_CHECKS + 1], status_checks[MAX_UPDATE_CHECKS + 1];
	/* The group that an invalid object's error names, where it is not the resource's own; NULL: it is. */
	const char *named_group;

	/* What the original's conversion to its internal form finds no reading for, in its words, and what comes back
	 * of that conversion in another form than it was sent in. Of everything that was sent, patched or applied, with
	 * its defaults. */
	struct status *(*convert)(struct request *request, ProtobufCMessage *object);
	/* Of several versions: all below see the object in the one that is stored, whatever it was sent in. */
	bool written_as_stored;
	/* What an object that was sent has beside what it says, before anybody looks at it: fields of a former version
	 * that the original's conversion makes anew. Who sends the object owns them. */
	void (*complete)(struct request *request, ProtobufCMessage *object);
	void (*prepare_create)(struct request *request, ProtobufCMessage *object);
	void (*validate_create)(struct request *request, const ProtobufCMessage *object, struct field_errors *errors);
	/* Allocations (addresses, ports): after validation, before etcd. */
	struct status *(*begin_create)(struct request *request, ProtobufCMessage *object);
	/* After a write that certainly did not happen. */
	void (*rollback_create)(struct request *request, const ProtobufCMessage *object);

	/* A write of the object is one of its status too. */
	bool writes_status;
	/* The status is old already; of a write of the status, all but that and the metadata is. */
	void (*prepare_update)(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);
	void (*validate_update)(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
		struct field_errors *errors);
	/* Says with request_warn what is valid but unwise; of an object that has passed its checks. old is NULL for a
	 * create. */
	void (*warn)(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old);
	struct status *(*begin_update)(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);
	void (*rollback_update)(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old);
	void (*finish_update)(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old);

	/*
	 * Whether the user may write that at all, beside what the access to the kind allows: before any check of what
	 * it says, and of the version it was made for. before is NULL for a create.
	 */
	struct status *(*check_grant)(
		struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before);

	/*
	 * Graceful deletion: whether the object stays until its grace period is over (then
	 * options->grace_period_seconds is set, or defaulted here). False: deleted at once. NULL: false. Nobody asks
	 * of what is being deleted already.
	 */
	bool (*graceful)(struct request *request, const ProtobufCMessage *object, MetaV1DeleteOptions *options);
	/* Whether what has the request's name may be deleted at all, before anything else. */
	struct status *(*check_delete)(struct request *request);
	/* The kind's own deletion looks at preconditions, and tells of them in its own words. */
	bool tells_preconditions;
	/* All that a deletion of this one object does while it is not marked: it marks it in the kind's own way and
	 * gives it a finalizer. One of many does not know of it. */
	void (*mark_first)(struct request *request, ProtobufCMessage *object);
	/* Changes an object that a delete only marks (a namespace goes into Terminating). Called on the copy that is
	 * stored. */
	void (*mark_deleted)(struct request *request, ProtobufCMessage *object);
	/* An object that is marked goes only when this says so too, beside having no finalizers (namespaces:
	 * spec.finalizers). */
	bool (*may_go)(const ProtobufCMessage *object);
	void (*after_delete)(struct request *request, const ProtobufCMessage *object);

	/* Whether owned objects are deleted in the background or orphaned when the request does not say: NULL =
	 * background. */
	bool orphan_by_default;
	/* Who says of such an object's first deletion that dependents are not to be orphaned waits for them. */
	bool waits_for_dependents;
	/* Nothing is ever owned by such an object: deletions do not ask what becomes of it. */
	bool owns_nothing;
	/* What to say of it to who did not say what to do with them; NULL: nothing. */
	const char *orphan_warning;
	/* PUT of an object that is not there creates it. */
	bool allow_create_on_update;
	/* PUT without a resourceVersion is refused. (The original's AllowUnconditionalUpdate, inverted.) */
	bool no_unconditional_update;
	/* Seconds until etcd forgets the object; 0: never. */
	int64_t (*ttl_seconds)(struct request *request, const ProtobufCMessage *object);

	/* Nothing is stored: the create's answer is made here (tokenreviews, subjectaccessreviews). Runs after
	 * validate_create. */
	struct status *(*create_virtual)(
		struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object);
	/* Nothing is stored: what list and get answer (componentstatuses). */
	struct status *(*list_virtual)(struct request *request, ProtobufCMessage ***ret_objects, size_t *ret_n);

	/* The order of the rows of a table, of pointers to objects as qsort() has them; NULL: that of names. */
	int (*compare_rows)(const void *a, const void *b);

	const struct subresource_handler *subresources;
	size_t n_subresources;
};

/* All of them, NULL-terminated (apiserver/strategy/table.c). */
extern const struct strategy *const strategy_table[];
/* That of a resource; the plain one for a resource without. */
const struct strategy *strategy_find(const char *group, const char *resource);
const struct subresource_handler *strategy_subresource(const struct strategy *strategy, const char *name);

#endif
