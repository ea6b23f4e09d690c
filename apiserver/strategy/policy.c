#include "apiserver/validation/policy.h"
#include "api/meta.h"
#include "apiserver/store/former.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

CHECKED(runtime_class, NodeV1RuntimeClass, validate_runtime_class, validate_runtime_class_update)
CHECKED(priority_class, SchedulingV1PriorityClass, validate_priority_class, validate_priority_class_update)

static void budget_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_disruption_budget(errors, (const PolicyV1PodDisruptionBudget *)object);
}

static void budget_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	if (generic_is_status(request))
		validate_disruption_budget_status(errors, (const PolicyV1PodDisruptionBudget *)object);
	else
		validate_disruption_budget(errors, (const PolicyV1PodDisruptionBudget *)object);
}

static struct status *convert_budget(struct request *request, ProtobufCMessage *object)
{
	former_settle_budget((PolicyV1PodDisruptionBudget *)object);
	return NULL;
}

static void warn_runtime_class(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const NodeV1Scheduling *where = ((const NodeV1RuntimeClass *)object)->scheduling;
	for (size_t i = 0; where && i < where->n_node_selector; i++) {
		const char *advice = deprecated_node_label(where->node_selector[i]->key);
		if (advice)
			request_warn(request, "scheduling.nodeSelector: %s", advice);
	}
}

const struct strategy budget_strategy = {.group = "policy",
	.resource = "poddisruptionbudgets",
	.update_checks = {CHECK_CHANGE},
	.status_checks = {CHECK_CHANGE},
	.metadata_last = true,
	.convert = convert_budget,
	SPEC_AND_STATUS,
	CHECKS(budget)};
const struct strategy runtime_class_strategy = {.group = "node.k8s.io",
	.resource = "runtimeclasses",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	CHECKS(runtime_class),
	.warn = warn_runtime_class};

/* scheduling/priorityclass/storage: those that the server itself makes. */
static struct status *keep_system_classes(struct request *request)
{
	static const char *const names[] = {"system-cluster-critical", "system-node-critical", NULL};
	if (!str_eq(request->verb, "delete") || !str_in(request->name, names))
		return NULL;
	struct status *s = status_new(STATUS_FORBIDDEN,
		"priorityclasses.scheduling.k8s.io \"%s\" is forbidden: this is a system priority class and cannot be "
		"deleted",
		request->name);
	return status_details(s, request->group, request->resource, request->name);
}

const struct strategy priority_class_strategy = {.group = "scheduling.k8s.io",
	.resource = "priorityclasses",
	.prepare_create = generic_first_generation,
	.check_delete = keep_system_classes,
	CHECKS(priority_class)};
