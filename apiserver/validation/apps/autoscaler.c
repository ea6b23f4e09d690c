#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/policy.h"
#include "base/str.h"

enum { MAX_WINDOW_S = 3600, MAX_PERIOD_S = 1800 };

/* What is asked of a reference's apiVersion. */
enum version_rule { VERSION_WITH_GROUP, VERSION_ANY_GROUP, VERSION_ANYTHING };

static const char *check_version(struct arena *arena, const char *version, enum version_rule rule)
{
	const char *slash = strchr(version, '/');
	if (rule == VERSION_ANYTHING)
		return NULL;
	if (slash && strchr(slash + 1, '/'))
		return arena_printf(arena, "unexpected GroupVersion string: %s", version);
	if (rule == VERSION_WITH_GROUP && (!slash || slash == version))
		return "apiVersion must specify API group";
	return NULL;
}

static void check_segment(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *absent)
{
	if (str_empty(value))
		field_required(errors, path, absent);
	else
		validate_text(errors, path, value, name_is_path_segment(errors->arena, value, false));
}

static void check_reference(struct field_errors *errors, const struct field_path *path,
	const AutoscalingV2CrossVersionObjectReference *ref, enum version_rule rule)
{
	const char *version = ref ? str_or_empty(ref->api_version) : "";
	const char *problem = check_version(errors->arena, version, rule);
	check_segment(errors, FIELD(path, "kind"), ref ? ref->kind : NULL, "");
	check_segment(errors, FIELD(path, "name"), ref ? ref->name : NULL, "");
	if (problem)
		field_invalid(errors, FIELD(path, "apiVersion"), version, problem);
}

static void check_positive(struct field_errors *errors, const struct field_path *path, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	if (value && quantity_sign(&q) <= 0)
		field_invalid(errors, path, quantity_format(errors->arena, &q), "must be positive");
}

static const AutoscalingV2MetricTarget *check_target(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2MetricTarget *target)
{
	static const char *const types[] = {"Utilization", "Value", "AverageValue", NULL};
	const AutoscalingV2MetricTarget *t = target ? target : AutoscalingV2MetricTarget_schema.zero;
	if (str_empty(t->type))
		field_required(errors, FIELD(path, "type"), "must specify a metric target type");
	if (!str_in(str_or_empty(t->type), types))
		field_invalid_typed(errors, FIELD(path, "type"), str_or_empty(t->type),
			"must be either Utilization, Value, or AverageValue");
	check_positive(errors, FIELD(path, "value"), t->value);
	check_positive(errors, FIELD(path, "averageValue"), t->average_value);
	if (t->has_average_utilization && t->average_utilization < 1)
		field_invalid_int(
			errors, FIELD(path, "averageUtilization"), t->average_utilization, "must be greater than 0");
	return t;
}

static void check_metric_name(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2MetricIdentifier *metric)
{
	check_segment(errors, FIELD(FIELD(path, "metric"), "name"), metric ? metric->name : NULL,
		"must specify a metric name");
}

static void check_object(struct field_errors *errors, const struct field_path *path,
	const AutoscalingV2ObjectMetricSource *s, enum version_rule rule)
{
	const struct field_path *target = FIELD(path, "target");
	check_reference(errors, FIELD(path, "describedObject"), s->described_object, rule);
	check_metric_name(errors, path, s->metric);
	const AutoscalingV2MetricTarget *t = check_target(errors, target, s->target);
	if (!t->value && !t->average_value)
		field_required(errors, FIELD(target, "averageValue"), "must set either a target value or averageValue");
}

static void check_external(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2ExternalMetricSource *s)
{
	const struct field_path *target = FIELD(path, "target");
	check_metric_name(errors, path, s->metric);
	const AutoscalingV2MetricTarget *t = check_target(errors, target, s->target);
	if (!t->value && !t->average_value)
		field_required(errors, FIELD(target, "averageValue"),
			"must set either a target value for metric or a per-pod target");
	if (t->value && t->average_value)
		field_forbidden(errors, FIELD(target, "value"),
			"may not set both a target value for metric and a per-pod target");
}

static void check_pods(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2PodsMetricSource *s)
{
	const struct field_path *target = FIELD(path, "target");
	check_metric_name(errors, path, s->metric);
	if (!check_target(errors, target, s->target)->average_value)
		field_required(errors, FIELD(target, "averageValue"), "must specify a positive target averageValue");
}

static void check_resource_target(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2MetricTarget *target)
{
	const AutoscalingV2MetricTarget *t = check_target(errors, path, target);
	if (!t->has_average_utilization && !t->average_value)
		field_required(errors, FIELD(path, "averageUtilization"),
			"must set either a target raw value or a target utilization");
	if (t->has_average_utilization && t->average_value)
		field_forbidden(errors, FIELD(path, "averageValue"),
			"may not set both a target raw value and a target utilization");
}

/* The name of a resource that containers have. */
static void check_resource_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const containers[] = {"cpu", "memory", "ephemeral-storage", NULL};
	static const char *const others[] = {"requests.cpu", "requests.memory", "requests.ephemeral-storage",
		"limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services",
		"replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "storage",
		"services.nodeports", "services.loadbalancers", "requests.storage", NULL};
	const char *problem = check_qualified_name(errors->arena, name);
	validate_text(errors, path, name, problem);
	const char *slash = strchr(name, '/');
	if (slash && problem && !strstr(name, "kubernetes.io/"))
		field_invalid(errors, path, name, "doesn't follow extended resource name standard");
	if (strchr(name, '/') || str_in(name, containers) || str_starts_with(name, "hugepages-"))
		return;
	if (!problem && !str_in(name, others))
		field_invalid(errors, path, name, "must be a standard resource type or fully qualified");
	field_invalid_typed(errors, path, name, "must be a standard resource for containers");
}

static void check_container_resource(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2ContainerResourceMetricSource *s)
{
	if (str_empty(s->name))
		field_required(errors, FIELD(path, "name"), "must specify a resource name");
	else
		check_resource_name(errors, FIELD(path, "name"), s->name);
	if (str_empty(s->container))
		field_required(errors, FIELD(path, "container"), "must specify a container");
	else
		validate_text(
			errors, FIELD(path, "container"), s->container, check_dns_label(errors->arena, s->container));
	check_resource_target(errors, FIELD(path, "target"), s->target);
}

static void check_resource(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2ResourceMetricSource *s)
{
	if (str_empty(s->name))
		field_required(errors, FIELD(path, "name"), "must specify a resource name");
	check_resource_target(errors, FIELD(path, "target"), s->target);
}

/* What a metric of a type must fill in; only the first source found is looked into. */
static void check_sources(struct field_errors *errors, const struct field_path *path, const AutoscalingV2MetricSpec *m,
	enum version_rule rule)
{
	if (m->object)
		check_object(errors, FIELD(path, "object"), m->object, rule);
	else if (m->external)
		check_external(errors, FIELD(path, "external"), m->external);
	else if (m->pods)
		check_pods(errors, FIELD(path, "pods"), m->pods);
	else if (m->resource)
		check_resource(errors, FIELD(path, "resource"), m->resource);
	else if (m->container_resource)
		check_container_resource(errors, FIELD(path, "containerResource"), m->container_resource);
}

static void check_metric(struct field_errors *errors, const struct field_path *path, const AutoscalingV2MetricSpec *m,
	enum version_rule rule)
{
	static const char *const types[] = {"ContainerResource", "External", "Object", "Pods", "Resource", NULL};
	const struct {
		const char *type, *field;
		const void *source;
	} sources[] = {{"Object", "object", m->object}, {"Pods", "pods", m->pods},
		{"Resource", "resource", m->resource}, {"External", "external", m->external},
		{"ContainerResource", "containerResource", m->container_resource}};
	bool known = str_in(str_or_empty(m->type), types);
	size_t n = 0;
	if (str_empty(m->type))
		field_required(errors, FIELD(path, "type"), "must specify a metric source type");
	if (!known)
		field_unsupported(errors, FIELD(path, "type"), m->type, types);
	check_sources(errors, path, m, rule);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		n += sources[i].source != NULL;
		if (str_eq(sources[i].type, m->type) && !sources[i].source)
			field_required(errors, FIELD(path, sources[i].field),
				"must populate information for the given metric source");
	}
	if (!known)
		field_unsupported(errors, FIELD(path, "type"), m->type, types);
	for (size_t i = 0; n != 1 && i < ARRAY_SIZE(sources); i++)
		if (sources[i].source && !str_eq(sources[i].type, m->type))
			field_forbidden(
				errors, FIELD(path, sources[i].field), "must populate the given metric source only");
}

static void check_policy(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2HPAScalingPolicy *p)
{
	static const char *const types[] = {"Percent", "Pods", NULL};
	if (!str_in(str_or_empty(p->type), types))
		field_unsupported(errors, FIELD(path, "type"), p->type, types);
	if (p->value <= 0)
		field_invalid_int(errors, FIELD(path, "value"), p->value, "must be greater than zero");
	if (p->period_seconds <= 0)
		field_invalid_int(errors, FIELD(path, "periodSeconds"), p->period_seconds, "must be greater than zero");
	if (p->period_seconds > MAX_PERIOD_S)
		field_invalid_int(errors, FIELD(path, "periodSeconds"), p->period_seconds,
			arena_printf(errors->arena, "must be less than or equal to %d", MAX_PERIOD_S));
}

static void check_rules(
	struct field_errors *errors, const struct field_path *path, const AutoscalingV2HPAScalingRules *r)
{
	static const char *const selects[] = {"Disabled", "Max", "Min", NULL};
	const struct field_path *window = FIELD(path, "stabilizationWindowSeconds");
	struct quantity tolerance = quantity_of(r ? r->tolerance : NULL);
	if (!r)
		return;
	if (r->has_stabilization_window_seconds && r->stabilization_window_seconds < 0)
		field_invalid_int(
			errors, window, r->stabilization_window_seconds, "must be greater than or equal to zero");
	if (r->has_stabilization_window_seconds && r->stabilization_window_seconds > MAX_WINDOW_S)
		field_invalid_int(errors, window, r->stabilization_window_seconds,
			arena_printf(errors->arena, "must be less than or equal to %d", MAX_WINDOW_S));
	if (r->select_policy && !str_in(r->select_policy, selects))
		field_unsupported(errors, FIELD(path, "selectPolicy"), r->select_policy, selects);
	if (!r->n_policies)
		field_required(errors, FIELD(path, "policies"), "must specify at least one Policy");
	for (size_t i = 0; i < r->n_policies; i++)
		check_policy(errors, FIELD_INDEX(FIELD(path, "policies"), i), r->policies[i]);
	if (r->tolerance && quantity_sign(&tolerance) < 0)
		field_invalid(errors, FIELD(path, "tolerance"), quantity_format(errors->arena, &tolerance),
			"must be greater than or equal to 0");
}

struct autoscaler_rules {
	int32_t least;
	enum version_rule target, objects;
};

static void check_spec(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscalerSpec *spec,
	const struct autoscaler_rules *rules)
{
	const struct field_path *path = FIELD(NULL, "spec"), *metrics = FIELD(path, "metrics");
	bool from_outside = false;
	if (spec->has_min_replicas && spec->min_replicas < rules->least)
		field_invalid_int(errors, FIELD(path, "minReplicas"), spec->min_replicas,
			arena_printf(errors->arena, "must be greater than or equal to %d", rules->least));
	if (spec->max_replicas < 1)
		field_invalid_int(errors, FIELD(path, "maxReplicas"), spec->max_replicas, "must be greater than 0");
	if (spec->has_min_replicas && spec->max_replicas < spec->min_replicas)
		field_invalid_int(errors, FIELD(path, "maxReplicas"), spec->max_replicas,
			"must be greater than or equal to `minReplicas`");
	check_reference(errors, FIELD(path, "scaleTargetRef"), spec->scale_target_ref, rules->target);
	for (size_t i = 0; i < spec->n_metrics; i++) {
		check_metric(errors, FIELD_INDEX(metrics, i), spec->metrics[i], rules->objects);
		from_outside |= str_eq(spec->metrics[i]->type, "Object") || str_eq(spec->metrics[i]->type, "External");
	}
	if (spec->has_min_replicas && !spec->min_replicas && !from_outside)
		field_forbidden(errors, metrics,
			"must specify at least one Object or External metric to support scaling to zero replicas");
	if (!spec->behavior)
		return;
	check_rules(errors, FIELD(FIELD(path, "behavior"), "scaleUp"), spec->behavior->scale_up);
	check_rules(errors, FIELD(FIELD(path, "behavior"), "scaleDown"), spec->behavior->scale_down);
}

static enum version_rule target_rule(const AutoscalingV2HorizontalPodAutoscalerSpec *spec)
{
	return spec->scale_target_ref && str_eq(spec->scale_target_ref->kind, "ReplicationController")
		       ? VERSION_ANY_GROUP
		       : VERSION_WITH_GROUP;
}

void validate_autoscaler(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa)
{
	struct autoscaler_rules rules = {1, target_rule(hpa->spec), VERSION_ANY_GROUP};
	check_spec(errors, hpa->spec, &rules);
}

/* What was let in once stays: no replicas at all, a version of a target that is the same still. */
void validate_autoscaler_update(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa,
	const AutoscalingV2HorizontalPodAutoscaler *old)
{
	struct autoscaler_rules rules = {1, target_rule(hpa->spec), VERSION_ANY_GROUP};
	const AutoscalingV2HorizontalPodAutoscalerSpec *was = old->spec;
	const AutoscalingV2CrossVersionObjectReference *now_ref = hpa->spec->scale_target_ref,
						       *was_ref = was ? was->scale_target_ref : NULL;
	if (was && was->has_min_replicas && !was->min_replicas)
		rules.least = 0;
	if (now_ref && was_ref && str_eq(now_ref->api_version, was_ref->api_version) &&
		str_eq(now_ref->kind, was_ref->kind))
		rules.target = VERSION_ANYTHING;
	for (size_t i = 0; was && i < was->n_metrics; i++) {
		const AutoscalingV2MetricSpec *m = was->metrics[i];
		if (str_eq(m->type, "Object") && m->object && m->object->described_object &&
			check_version(errors->arena, str_or_empty(m->object->described_object->api_version),
				VERSION_ANY_GROUP))
			rules.objects = VERSION_ANYTHING;
	}
	check_spec(errors, hpa->spec, &rules);
}

void validate_autoscaler_status(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa)
{
	const struct field_path *path = FIELD(NULL, "status");
	if (!hpa->status)
		return;
	validate_not_negative(errors, FIELD(path, "currentReplicas"), hpa->status->current_replicas);
	validate_not_negative(errors, FIELD(path, "desiredReplicas"), hpa->status->desired_replicas);
}
