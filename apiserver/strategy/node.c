#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/node.h"

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_node(errors, (const CoreV1Node *)object);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_node_update(errors, (const CoreV1Node *)object, (const CoreV1Node *)old);
}

/* A kubelet registers with a full status, so a create keeps it. */
const struct strategy node_strategy = {
	.group = "",
	.resource = "nodes",
	.validate_create = validate_create,
	.prepare_update = generic_keep_status,
	.validate_update = validate_update,
};
