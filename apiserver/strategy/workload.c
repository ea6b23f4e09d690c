#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/apps/workload.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

/* The kinds that run pods from a template: they differ in their checks only. */
static bool is_plain(const struct request *request)
{
	return !generic_is_status(request);
}

CHECKED_STATUS(
	deployment, AppsV1Deployment, validate_deployment, validate_deployment_update, validate_deployment_status)
CHECKED_STATUS(
	replica_set, AppsV1ReplicaSet, validate_replica_set, validate_replica_set_update, validate_replica_set_status)
CHECKED_STATUS(daemon_set, AppsV1DaemonSet, validate_daemon_set, validate_daemon_set_update, validate_daemon_set_status)
CHECKED_STATUS(stateful_set, AppsV1StatefulSet, validate_stateful_set, validate_stateful_set_update,
	validate_stateful_set_status)
CHECKED_STATUS(controller, CoreV1ReplicationController, validate_replication_controller,
	validate_replication_controller_update, validate_replication_controller_status)
CHECKED(revision, AppsV1ControllerRevision, validate_revision, validate_revision_update)

/* Pods that are going are not counted by default: the count is kept only where there is one already. */
#define DROP_TERMINATING(T)                                                         \
	do {                                                                        \
		T *now_ = (T *)object;                                              \
		const T *was_ = (const T *)before;                                  \
		if (generic_is_status(request) && now_->status &&                   \
			(!was_->status || !was_->status->has_terminating_replicas)) \
			now_->status->has_terminating_replicas = false;             \
	} while (0)

/* The number of a text as Go reads one, or what Go says it is instead. */
static struct status *read_number(struct request *request, const char *text, int64_t *ret_number)
{
	const char *digits = text + (*text == '-' || *text == '+');
	bool form = *digits && !digits[strspn(digits, "0123456789")];
	if (form && str_to_int64(text, INT64_MIN, INT64_MAX, ret_number))
		return NULL;
	return status_new(STATUS_UNKNOWN, "strconv.ParseInt: parsing %s: %s", field_quote(request->arena, text),
		form ? "value out of range" : "invalid syntax");
}

#define ROLLBACK_TO "deprecated.deployment.rollback.to"

static void set_rollback(struct request *request, ProtobufCMessage *object, const char *text)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	if (!str_empty(text))
		meta_set_annotation(
			request->arena, object_meta_ensure(request->arena, object), ROLLBACK_TO, (char *)text);
	else if (meta_annotation(meta, ROLLBACK_TO))
		meta_remove_annotation(meta, ROLLBACK_TO);
}

/* The revision to go back to was a field of the spec once, and is one inside the original. */
static struct status *convert_deployment(struct request *request, ProtobufCMessage *object)
{
	const char *text = meta_annotation(object_meta(object), ROLLBACK_TO);
	int64_t revision = 0;
	if (str_empty(text)) {
		set_rollback(request, object, NULL);
		return NULL;
	}
	struct status *bad = read_number(request, text, &revision);
	if (!bad)
		set_rollback(request, object, arena_printf(request->arena, "%lld", (long long)revision));
	return bad ? status_wrap(bad, "failed to parse annotation[" ROLLBACK_TO "]=%s as int64", text) : NULL;
}

static void prepare_update_deployment(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	generic_next_generation(request, object, before);
	DROP_TERMINATING(AppsV1Deployment);
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	const MetaV1ObjectMeta *was = object_meta(before);
	/* Annotations go to the replica sets, and count as what is wanted. */
	if (generic_is_status(request)) {
		meta->labels = was->labels;
		meta->n_labels = was->n_labels;
		set_rollback(request, object, meta_annotation(was, ROLLBACK_TO));
	} else if (!map_equal(meta->annotations, meta->n_annotations, was->annotations, was->n_annotations)) {
		meta->generation = was->generation + 1;
	}
}

static void prepare_update_replica_set(
	struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	generic_next_generation(request, object, before);
	DROP_TERMINATING(AppsV1ReplicaSet);
}

/* More than one pod away at a time is not served by default: kept only where it is there already. */
static void drop_max_unavailable(ProtobufCMessage *object, const ProtobufCMessage *before)
{
	AppsV1StatefulSetSpec *spec = ((AppsV1StatefulSet *)object)->spec;
	const AppsV1StatefulSetSpec *was = before ? ((const AppsV1StatefulSet *)before)->spec : NULL;
	const AppsV1RollingUpdateStatefulSetStrategy *old =
		was && was->update_strategy ? was->update_strategy->rolling_update : NULL;
	if (spec && spec->update_strategy && spec->update_strategy->rolling_update && !(old && old->max_unavailable))
		spec->update_strategy->rolling_update->max_unavailable = NULL;
}

static void prepare_create_stateful_set(struct request *request, ProtobufCMessage *object)
{
	generic_prepare_create(request, object);
	drop_max_unavailable(object, NULL);
}

static void prepare_update_stateful_set(
	struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	if (is_plain(request))
		drop_max_unavailable(object, before);
	generic_next_generation(request, object, before);
}

/* --- warnings: of the template when it is new, or when anything that is wanted has changed --- */

static bool is_wanted_anew(const struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	return is_plain(request) && (!old || object_meta(object)->generation != object_meta(old)->generation);
}

#define WARN_OF_TEMPLATE(name, T)                                                                              \
	static void name(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old) \
	{                                                                                                      \
		const T *o = (const T *)object;                                                                \
		generic_warn_of_name(request, object, old);                                                    \
		if (is_wanted_anew(request, object, old) && o->spec)                                           \
			pod_template_warn(request, FIELD(FIELD(NULL, "spec"), "template"), o->spec->template); \
	}

WARN_OF_TEMPLATE(warn_deployment, AppsV1Deployment)
WARN_OF_TEMPLATE(warn_replica_set, AppsV1ReplicaSet)

/* What is told of a changed controller is, in the original, about the template that it had. */
static void warn_controller(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1ReplicationController *rc = (const CoreV1ReplicationController *)(old ? old : object);
	generic_warn_of_name(request, object, old);
	if (is_wanted_anew(request, object, old) && rc->spec)
		pod_template_warn(request, FIELD(FIELD(NULL, "spec"), "template"), rc->spec->template);
}

static void warn_daemon_set(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const AppsV1DaemonSetSpec *spec = ((const AppsV1DaemonSet *)object)->spec;
	const AppsV1DaemonSetSpec *was = old ? ((const AppsV1DaemonSet *)old)->spec : NULL;
	if (is_plain(request) && spec && !(was && api_equal(spec->template, was->template)))
		pod_template_warn(request, FIELD(FIELD(NULL, "spec"), "template"), spec->template);
}

static void warn_stateful_set(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const AppsV1StatefulSetSpec *spec = ((const AppsV1StatefulSet *)object)->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!is_plain(request) || !spec)
		return;
	if (is_wanted_anew(request, object, old))
		pod_template_warn(request, FIELD(path, "template"), spec->template);
	for (size_t i = 0; i < spec->n_volume_claim_templates; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "volumeClaimTemplates"), i);
		/* The original's paths differ. */
		claim_warn(request, old ? FIELD(at, "Spec") : at, spec->volume_claim_templates[i]->spec);
	}
	if (spec->has_revision_history_limit && spec->revision_history_limit < 0)
		request_warn(request, "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
				      "a value >= 0 is recommended");
}

#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

static void set_template_generation(struct request *request, ProtobufCMessage *object, int64_t generation)
{
	meta_set_annotation(request->arena, object_meta_ensure(request->arena, object), TEMPLATE_GENERATION,
		arena_printf(request->arena, "%lld", (long long)generation));
}

static struct status *convert_daemon_set(struct request *request, ProtobufCMessage *object)
{
	const char *text = meta_annotation(object_meta(object), TEMPLATE_GENERATION);
	int64_t generation;
	if (!text)
		return NULL;
	TRY(read_number(request, text, &generation));
	set_template_generation(request, object, generation);
	return NULL;
}

/* How often the template has changed, as an annotation: the number of the former API, which controllers still read. A
 * rolling update has both of its numbers. */
static void complete_daemon_set(struct request *request, ProtobufCMessage *object)
{
	if (!meta_annotation(object_meta(object), TEMPLATE_GENERATION))
		set_template_generation(request, object, 0);
	const AppsV1DaemonSetSpec *spec = ((AppsV1DaemonSet *)object)->spec;
	AppsV1RollingUpdateDaemonSet *rolling =
		spec && spec->update_strategy ? spec->update_strategy->rolling_update : NULL;
	if (rolling) {
		ENSURE(request->arena, rolling->max_unavailable, IntstrIntOrString);
		ENSURE(request->arena, rolling->max_surge, IntstrIntOrString);
	}
}

/* The number that the annotation tells; who cannot be read counts as 0. */
static int64_t template_generation(const ProtobufCMessage *object)
{
	const char *text = meta_annotation(object_meta(object), TEMPLATE_GENERATION);
	int64_t generation;
	return text && str_to_int64(text, INT64_MIN, INT64_MAX, &generation) ? generation : 0;
}

/* A new one may be given any number above 0. */
static void prepare_create_daemon_set(struct request *request, ProtobufCMessage *object)
{
	int64_t generation = template_generation(object);
	generic_prepare_create(request, object);
	set_template_generation(request, object, generation < 1 ? 1 : generation);
}

static void prepare_update_daemon_set(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	const AppsV1DaemonSetSpec *spec = ((AppsV1DaemonSet *)object)->spec,
				  *old = ((const AppsV1DaemonSet *)before)->spec;
	int64_t generation = template_generation(before);
	generic_next_generation(request, object, before);
	bool changed = is_plain(request) && spec && old && !api_equal(spec->template, old->template);
	set_template_generation(request, object, (int64_t)((uint64_t)generation + changed));
}

static const struct subresource_handler scale[] = {
	{.name = "scale", .get = scale_get, .put = scale_put},
};

const struct strategy deployment_strategy = {
	.group = "apps",
	.resource = "deployments",
	.convert = convert_deployment,
	.prepare_create = generic_prepare_create,
	.validate_create = deployment_create,
	.prepare_update = prepare_update_deployment,
	.warn = warn_deployment,
	.validate_update = deployment_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy replica_set_strategy = {
	.group = "apps",
	.resource = "replicasets",
	.prepare_create = generic_prepare_create,
	.validate_create = replica_set_create,
	.prepare_update = prepare_update_replica_set,
	.warn = warn_replica_set,
	.validate_update = replica_set_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy daemon_set_strategy = {
	.group = "apps",
	.resource = "daemonsets",
	.convert = convert_daemon_set,
	.complete = complete_daemon_set,
	.prepare_create = prepare_create_daemon_set,
	.validate_create = daemon_set_create,
	.prepare_update = prepare_update_daemon_set,
	.warn = warn_daemon_set,
	.validate_update = daemon_set_update,
};

const struct strategy stateful_set_strategy = {
	.group = "apps",
	.resource = "statefulsets",
	.check_name = name_is_dns_label,
	.prepare_create = prepare_create_stateful_set,
	.validate_create = stateful_set_create,
	.prepare_update = prepare_update_stateful_set,
	.warn = warn_stateful_set,
	.validate_update = stateful_set_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy replication_controller_strategy = {
	.group = "",
	.resource = "replicationcontrollers",
	.update_checks = {CHECK_META, CHECK_META_CHANGE, CHECK_CHANGE},
	.prepare_create = generic_prepare_create,
	.validate_create = controller_create,
	.prepare_update = generic_next_generation,
	.warn = warn_controller,
	.validate_update = controller_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
	.orphan_by_default = true,
};

const struct strategy revision_strategy = {
	.group = "apps",
	.resource = "controllerrevisions",
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	CHECKS(revision),
};

static void check_template(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CoreV1PodTemplateSpec *template = ((const CoreV1PodTemplate *)object)->template;
	validate_pod_template(errors, FIELD(NULL, "template"), template ? template : CoreV1PodTemplateSpec_schema.zero);
}

static void check_template_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	check_template(request, object, errors);
}

static void warn_pod_template(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (is_wanted_anew(request, object, old))
		pod_template_warn(request, FIELD(NULL, "template"), ((const CoreV1PodTemplate *)object)->template);
}

const struct strategy pod_template_strategy = {
	.group = "",
	.resource = "podtemplates",
	GENERATION_ONLY,
	.validate_create = check_template,
	.validate_update = check_template_update,
	.warn = warn_pod_template,
};
