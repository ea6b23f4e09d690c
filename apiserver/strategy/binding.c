#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

struct assignment {
	const CoreV1Binding *binding;
	const struct clock *clock;
	bool dry_run;
};

static struct status *refuse(const CoreV1Pod *pod, const char *text)
{
	return status_details(status_new(STATUS_CONFLICT, "Operation cannot be fulfilled on pods/binding \"%s\": %s",
				      object_name(pod), text),
		"", "pods/binding", object_name(pod));
}

/* The original tells how it looked. */
static struct status *refuse_other(
	const CoreV1Pod *pod, const char *what, const char *wanted, const char *found, bool dry_run)
{
	return status_details(
		status_new(STATUS_CONFLICT,
			"Operation cannot be fulfilled on pods \"%s\": StorageError: invalid object, Code: "
			"4, Key: %s/pods/%s/%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: %s "
			"in precondition: %s, %s in object meta: %s",
			object_name(pod), dry_run ? "" : "/registry", object_namespace(pod), object_name(pod), what,
			wanted, what, found),
		"", "pods", object_name(pod));
}

static struct status *check_preconditions(const struct assignment *a, const CoreV1Pod *pod)
{
	const char *uid = object_uid(a->binding), *version = object_resource_version(a->binding);
	if (!str_empty(uid) && !str_eq(uid, object_uid(pod)))
		return refuse_other(pod, "UID", uid, object_uid(pod), a->dry_run);
	if (!str_empty(version) && !str_eq(version, object_resource_version(pod)))
		return refuse_other(pod, "ResourceVersion", version, object_resource_version(pod), a->dry_run);
	return NULL;
}

static void mark_scheduled(struct arena *arena, CoreV1Pod *pod, int64_t now_s)
{
	CoreV1PodStatus *status = ENSURE(arena, pod->status, CoreV1PodStatus);
	CoreV1PodCondition *condition = NULL;
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "PodScheduled"))
			condition = status->conditions[i];
	if (!condition) {
		condition = API_NEW(arena, CoreV1PodCondition);
		condition->type = (char *)"PodScheduled";
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = condition;
	}
	if (!str_eq(condition->status, "True"))
		condition->last_transition_time = time_new(arena, now_s);
	condition->status = (char *)"True";
	condition->reason = (char *)"";
	condition->message = (char *)"";
	status->nominated_node_name = (char *)"";
}

static struct status *assign(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const struct assignment *a = data;
	const CoreV1Binding *b = a->binding;
	CoreV1Pod *pod = (CoreV1Pod *)object;
	const MetaV1ObjectMeta *meta = b->metadata;
	(void)ENSURE(arena, pod->spec, CoreV1PodSpec);
	TRY(check_preconditions(a, pod));
	if (meta_is_deleting(pod->metadata))
		return refuse(pod,
			arena_printf(arena, "pod %s is being deleted, cannot be assigned to a host", object_name(pod)));
	if (!str_empty(pod->spec->node_name))
		return refuse(pod, arena_printf(arena, "pod %s is already assigned to node \"%s\"", object_name(pod),
					   pod->spec->node_name));
	if (pod->spec->n_scheduling_gates)
		return refuse(pod, arena_printf(arena, "pod %s has non-empty .spec.schedulingGates", object_name(pod)));
	pod->spec->node_name = arena_strdup(arena, b->target->name);
	for (size_t i = 0; meta && i < meta->n_annotations; i++)
		meta_set_annotation(arena, pod->metadata, meta->annotations[i]->key, meta->annotations[i]->value);
	mark_scheduled(arena, pod, clock_wall_s(a->clock));
	return NULL;
}

/* What is wrong is told in a sentence, not as causes. */
static struct status *check(struct request *request, const CoreV1Binding *binding)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	const CoreV1ObjectReference *target = binding->target;
	static const char *const kinds[] = {"Node", "<empty>", NULL};
	if (target && !str_empty(target->kind) && !str_eq(target->kind, "Node"))
		field_unsupported(&errors, FIELD(FIELD(NULL, "target"), "kind"), target->kind, kinds);
	if (!target || str_empty(target->name))
		field_required(&errors, FIELD(FIELD(NULL, "target"), "name"), "");
	char **texts = NULL;
	size_t n = 0;
	for (size_t i = 0; i < errors.n_items; i++)
		ARENA_PUSH(request->arena, texts, n) =
			arena_printf(request->arena, "%s: %s", errors.items[i].field, errors.items[i].body);
	if (n <= 1)
		return n ? status_new(STATUS_UNKNOWN, "%s", texts[0]) : NULL;
	return status_new(STATUS_UNKNOWN, "[%s]", str_join(request->arena, texts, n, ", "));
}

static struct status *bind(
	struct request *request, const CoreV1Binding *binding, const char *name, ProtobufCMessage **ret_object)
{
	TRY(check(request, binding));
	if (str_empty(name))
		return status_bad_request("Name parameter required.");
	TRY(check_name_parameter(request->arena, name));
	struct assignment assignment = {binding, request->clock, request->dry_run};
	if (request->dry_run) {
		const ProtobufCMessage *pod;
		TRY(objects_get_live(
			request->objects, request->arena, &CoreV1Pod_schema, request->namespace, name, &pod));
		TRY(assign(&assignment, request->arena, (ProtobufCMessage *)api_copy_msg(request->arena, pod)));
	} else {
		TRY(objects_modify(request->objects, request->arena, &CoreV1Pod_schema, "binding", request->namespace,
			name, assign, &assignment, NULL));
	}
	MetaV1Status *status = API_NEW(request->arena, MetaV1Status);
	status->status = (char *)"Success";
	status->code = 201;
	*ret_object = &status->base;
	return NULL;
}

struct status *pod_bind(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object)
{
	if (!API_IS(body, CoreV1Binding))
		return status_bad_request("not a Binding object");
	const char *named = object_name(body);
	if (!str_eq(named, request->name))
		return status_bad_request("name in URL does not match name in Binding object");
	return bind(request, (const CoreV1Binding *)body, request->name, ret_object);
}

/* POST bindings: the older form, where the pod's name stands in the object. */
static struct status *create_binding(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	return bind(request, (const CoreV1Binding *)object, object_name(object), ret_object);
}

const struct strategy binding_strategy = {
	.group = "",
	.resource = "bindings",
	.create_virtual = create_binding,
};
