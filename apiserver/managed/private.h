/* What the files about managed fields share. */
#ifndef APISERVER_MANAGED_PRIVATE_H
#define APISERVER_MANAGED_PRIVATE_H

#include "api/managers.h"
#include "apiserver/managed/managed.h"

/* What a write compares: an object before and after, as asked for in the request's version, or as another one. */
struct managed_versions {
	struct managers_versions versions; /* first */
	struct request *request;
	const struct schema_type *type;
	const ProtobufCMessage *before, *after;
	const struct fieldset *reset;
};
void managed_versions_init(struct managed_versions *v, struct request *request, const struct schema_type *type,
	const ProtobufCMessage *before, const ProtobufCMessage *after);
struct managers_call managed_call(const struct managed_versions *v, bool applies);
/* The entries of an object; what cannot be read is as if nobody managed anything. */
struct managers managed_read(struct request *request, const ProtobufCMessage *object);
void managed_write(struct request *request, const struct managers *managers, ProtobufCMessage *object);

/* The scale subresource has entries of its own only while a request lasts: they are made out of those of the object
 * that is scaled, and put back into them. */
bool managed_has_view(const struct request *request);
struct status *managed_view_of(
	struct request *request, const ProtobufCMessage *object, ProtobufCMessage **ret_view) MUST_USE;
struct managers managed_to_view(struct request *request, const struct managers *parent);
struct managers managed_to_parent(struct request *request, const struct managers *parent, const struct managers *view);

/* Takes out of the conflicts what kubectl's annotation of the object allows it to take over; false: there is none. */
bool managed_allowed_by_annotation(struct request *request, const struct schema_type *type, const cJSON *live,
	struct manager_conflicts *conflicts);
/* After an apply by kubectl the annotation, where there is one, says what was applied. */
void managed_renew_annotation(struct request *request, const cJSON *config, ProtobufCMessage *object);

#endif
