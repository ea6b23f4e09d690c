#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/ip.h"
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

/* Configuration by way of the API server is gone: kept only where it is there already. */
static void drop_config(CoreV1Node *node, const CoreV1Node *old)
{
	if (node->spec && !(old && old->spec && old->spec->config_source))
		node->spec->config_source = NULL;
	if (node->status && !(old && old->status && old->status->config))
		node->status->config = NULL;
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	align_ranges(request->arena, (CoreV1Node *)object);
	drop_config((CoreV1Node *)object, NULL);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	align_ranges(request->arena, (CoreV1Node *)object);
	drop_config((CoreV1Node *)object, (const CoreV1Node *)old);
}

static void say(void *request, const char *text)
{
	request_warn(request, "%s", text);
}

static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1NodeSpec *spec = ((const CoreV1Node *)object)->spec;
	if (generic_is_status(request) || !spec)
		return;
	if (spec->config_source)
		request_warn(request, "spec.configSource: the feature is removed");
	if (!str_empty(spec->external_id))
		request_warn(request, "spec.externalID: this field is deprecated, and is unused by Kubernetes");
	for (size_t i = 0; i < spec->n_pod_cidrs; i++)
		cidr_warn(request->arena, FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "podCIDRs"), i), spec->pod_cidrs[i],
			say, request);
}

/* Whoever names one of the two has named both. */
static void complete(struct request *request, ProtobufCMessage *object)
{
	align_ranges(request->arena, (CoreV1Node *)object);
}

/* A kubelet registers with a full status, so a create keeps it. */
const struct strategy node_strategy = {
	.group = "",
	.resource = "nodes",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	.complete = complete,
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
	.warn = warn,
};
