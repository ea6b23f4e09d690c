#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/node.h"
#include "base/str.h"

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_node(errors, (const CoreV1Node *)object);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_node_update(errors, (const CoreV1Node *)object, (const CoreV1Node *)old);
}

/* podCIDR is the first of podCIDRs under its old name; where they differ, the old name counts. */
static void align_ranges(struct arena *arena, CoreV1Node *node)
{
	CoreV1NodeSpec *spec = node->spec;
	if (!spec)
		return;
	if (!str_empty(spec->pod_cidr) && (!spec->n_pod_cidrs || !str_eq(spec->pod_cidr, spec->pod_cidrs[0]))) {
		spec->pod_cidrs = NULL;
		spec->n_pod_cidrs = 0;
		ARENA_PUSH(arena, spec->pod_cidrs, spec->n_pod_cidrs) = spec->pod_cidr;
	}
	if (spec->n_pod_cidrs)
		spec->pod_cidr = spec->pod_cidrs[0];
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	align_ranges(request->arena, (CoreV1Node *)object);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	generic_keep_status(request, object, old);
	align_ranges(request->arena, (CoreV1Node *)object);
}

/* A kubelet registers with a full status, so a create keeps it. */
const struct strategy node_strategy = {
	.group = "",
	.resource = "nodes",
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.meta_again = META_ALL_AGAIN,
	.validate_update = validate_update,
};
