/*
 * Who manages which field: metadata.managedFields, kept for objects that somebody applies. An object that nobody has
 * applied yet has none; the first apply finds everything that is there owned by "before-first-apply".
 */
#ifndef APISERVER_MANAGED_H
#define APISERVER_MANAGED_H

#include "api/tree.h"
#include "apiserver/request.h"

/* An update of an object that is managed: what the writer changed becomes his. */
void managed_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old);

/*
 * The object that an apply makes out of what is there (NULL: nothing). Conflict lists whose fields it would take,
 * unless forced.
 */
struct status *managed_apply(struct request *request, const ProtobufCMessage *live, cJSON *config, bool force,
	ProtobufCMessage **ret_object) MUST_USE;

#endif
