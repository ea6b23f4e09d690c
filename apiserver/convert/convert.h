/*
 * The few objects that are served in another version than they are stored, or were stored in another: events (core and
 * events.k8s.io) and autoscalers (autoscaling v1 and v2). Both ways, without loss.
 */
#ifndef APISERVER_CONVERT_CONVERT_H
#define APISERVER_CONVERT_CONVERT_H

#include "api/types.h"
#include "base/status.h"

/* What comes of it shares parts with the object that it is made of; of the same type it is that object. */
struct status *convert_object(struct arena *arena, const struct schema_type *to, const ProtobufCMessage *from,
	ProtobufCMessage **ret_object) MUST_USE;
/* Whether there is such a conversion at all. */
bool convertible(const struct schema_type *to, const struct schema_type *from);

#endif
