/*
 * Who manages which field: metadata.managedFields, kept by every write of every object (docs/decisions/0009). The
 * algorithms are common/api's (api/managers.h); here is what the server adds: the manager's name, the versions an
 * object is served in, what each resource sets back, kubectl's annotation, and the scale subresource.
 *
 * Threads: on workers, within a request. Everything lives in its arena.
 */
#ifndef APISERVER_MANAGED_H
#define APISERVER_MANAGED_H

#include "api/fieldset.h"
#include "api/tree.h"
#include "apiserver/registry/request.h"

/* A new object, as decoded and defaulted, before admission. */
void managed_create(struct request *request, ProtobufCMessage *object);
/* What a patch of a view (scale) sees of the object's entries: those of the view, in its words. */
void managed_show_in_view(struct request *request, const ProtobufCMessage *object, ProtobufCMessage *view);
/* An update by whatever but an apply, before admission: what the writer changed becomes his. The object may bring
 * entries of its own; an empty list, or one empty entry, ends the tracking. */
void managed_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);
/* The same object without its entries, sharing all else: an update that brings none means those that are there, so that
 * patches need not read and write them. */
const ProtobufCMessage *managed_without(struct arena *arena, const ProtobufCMessage *object);
/* When nothing but the times of entries differs from the old object, they are as they were: nothing is written then. */
void managed_keep_times(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);

/*
 * The object that an apply makes out of what is there (NULL: nothing). Conflict lists whose fields it would take,
 * unless forced. Of a subresource with a view (scale) live and configuration are the whole object and the view's.
 */
struct status *managed_apply(struct request *request, const ProtobufCMessage *live, const cJSON *config, bool force,
	ProtobufCMessage **ret_object) MUST_USE;

/* What writes through a resource or subresource never own, because the server sets it back (apiserver/managed/reset.c).
 */
const struct fieldset *managed_reset_fields(struct request *request);

#endif
