#include "api/intstr.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

static void check_int_or_percent(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *v)
{
	int32_t percent;
	if (!v)
		return;
	if (!intstr_is_string(v))
		validate_not_negative(errors, path, v->int_val);
	else if (!intstr_percent(v, &percent))
		field_invalid(errors, path, v->str_val,
			"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
			"'93%', regex used for "
			"validation is '[0-9]+%')");
	else if (percent > 100)
		field_invalid(errors, path, v->str_val, "must not be greater than 100%");
}

static char *intstr_json(struct arena *arena, const IntstrIntOrString *v)
{
	return intstr_is_string(v) ? field_quote(arena, v->str_val) : arena_printf(arena, "%d", v->int_val);
}

void validate_disruption_budget(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget)
{
	const PolicyV1PodDisruptionBudgetSpec *spec = budget->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec)
		return;
	if (spec->min_available && spec->max_unavailable)
		field_invalid_json(errors, path,
			arena_printf(errors->arena,
				"{\"MinAvailable\":%s,\"Selector\":%s,\"MaxUnavailable\":%s,"
				"\"UnhealthyPodEvictionPolicy\":null}",
				intstr_json(errors->arena, spec->min_available),
				spec->selector ? json_to_string(errors->arena, spec->selector, 0) : "null",
				intstr_json(errors->arena, spec->max_unavailable)),
			"minAvailable and maxUnavailable cannot be both set");
	check_int_or_percent(errors, FIELD(path, "minAvailable"), spec->min_available);
	check_int_or_percent(errors, FIELD(path, "maxUnavailable"), spec->max_unavailable);
	validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
}

void validate_autoscaler(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa)
{
	const AutoscalingV2HorizontalPodAutoscalerSpec *spec = hpa->spec;
	const struct field_path *path = FIELD(NULL, "spec"), *target = FIELD(path, "scaleTargetRef");
	const AutoscalingV2CrossVersionObjectReference *ref = spec->scale_target_ref;
	if (spec->has_min_replicas && spec->min_replicas < 1)
		field_invalid_int(
			errors, FIELD(path, "minReplicas"), spec->min_replicas, "must be greater than or equal to 1");
	if (spec->max_replicas < 1)
		field_invalid_int(errors, FIELD(path, "maxReplicas"), spec->max_replicas, "must be greater than 0");
	if (spec->has_min_replicas && spec->max_replicas < spec->min_replicas)
		field_invalid_int(errors, FIELD(path, "maxReplicas"), spec->max_replicas,
			"must be greater than or equal to `minReplicas`");
	if (!ref || str_empty(ref->kind))
		field_required(errors, FIELD(target, "kind"), "");
	if (!ref || str_empty(ref->name))
		field_required(errors, FIELD(target, "name"), "");
	if (!ref || str_empty(ref->api_version))
		field_invalid(errors, FIELD(target, "apiVersion"), "", "apiVersion must specify API group");
}

void validate_runtime_class(struct field_errors *errors, const NodeV1RuntimeClass *class)
{
	const char *handler = str_or_empty(class->handler);
	validate_text(errors, FIELD(NULL, "handler"), handler, check_dns_label(errors->arena, handler));
	const NodeV1Scheduling *where = class->scheduling;
	if (!where)
		return;
	const struct field_path *path = FIELD(NULL, "scheduling");
	validate_labels(errors, FIELD(path, "nodeSelector"), where->node_selector, where->n_node_selector);
	validate_tolerations(errors, FIELD(path, "tolerations"), where->tolerations, where->n_tolerations);
}

void validate_runtime_class_update(
	struct field_errors *errors, const NodeV1RuntimeClass *class, const NodeV1RuntimeClass *old)
{
	if (!str_eq(class->handler, old->handler))
		field_invalid(errors, FIELD(NULL, "handler"), class->handler, "field is immutable");
	validate_runtime_class(errors, class);
}

static bool is_system_class(const SchedulingV1PriorityClass *class)
{
	const char *name = object_name(class);
	return (str_eq(name, "system-node-critical") && class->value == 2000001000) ||
	       (str_eq(name, "system-cluster-critical") && class->value == 2000000000);
}

void validate_priority_class(struct field_errors *errors, const SchedulingV1PriorityClass *class)
{
	static const char *const policies[] = {"PreemptLowerPriority", "Never", NULL};
	const char *name = object_name(class);
	if (str_starts_with(name, "system-")) {
		if (!is_system_class(class))
			field_forbidden(errors, FIELD(FIELD(NULL, "metadata"), "name"),
				arena_printf(errors->arena,
					"priority class names with 'system-' prefix are reserved for system use only. "
					"error: %s is not a known "
					"system priority class",
					name));
	} else if (class->value > 1000000000) {
		field_forbidden(
			errors, FIELD(NULL, "value"), "maximum allowed value of a user defined priority is 1000000000");
	}
	if (class->preemption_policy && !str_in(class->preemption_policy, policies))
		field_unsupported(errors, FIELD(NULL, "preemptionPolicy"), class->preemption_policy, policies);
}

void validate_priority_class_update(
	struct field_errors *errors, const SchedulingV1PriorityClass *class, const SchedulingV1PriorityClass *old)
{
	if (class->value != old->value)
		field_forbidden(errors, FIELD(NULL, "value"), "may not be changed in an update.");
	if (!str_eq(class->preemption_policy, old->preemption_policy))
		field_invalid(errors, FIELD(NULL, "preemptionPolicy"), class->preemption_policy, "field is immutable");
}

/* a must not be above b, for each resource that both have. */
static void check_order(struct field_errors *errors, const struct field_path *path, MapQuantityEntry *const *a,
	size_t n_a, const char *name_a, MapQuantityEntry *const *b, size_t n_b, const char *name_b)
{
	for (size_t i = 0; i < n_a; i++) {
		const ResourceQuantity *other = quantity_map_get(b, n_b, a[i]->key);
		struct quantity x = quantity_of(a[i]->value), y = quantity_of(other);
		if (!other || quantity_compare(&x, &y) <= 0)
			continue;
		char *text = quantity_format(errors->arena, &x), *most = quantity_format(errors->arena, &y);
		field_invalid(errors, FIELD_KEY(path, a[i]->key), text,
			arena_printf(
				errors->arena, "%s value %s is greater than %s value %s", name_a, text, name_b, most));
	}
}

void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range)
{
	const CoreV1LimitRangeSpec *spec = range->spec;
	for (size_t i = 0; spec && i < spec->n_limits; i++) {
		const CoreV1LimitRangeItem *item = spec->limits[i];
		const struct field_path *at = FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "limits"), i);
		for (size_t k = 0; k < i; k++)
			if (str_eq(spec->limits[k]->type, item->type)) {
				field_duplicate(errors, FIELD(at, "type"), item->type);
				break;
			}
		if (str_eq(item->type, "Pod") && item->n_default)
			field_forbidden(errors, FIELD(at, "default"), "may not be specified when `type` is 'Pod'");
		if (str_eq(item->type, "Pod") && item->n_default_request)
			field_forbidden(
				errors, FIELD(at, "defaultRequest"), "may not be specified when `type` is 'Pod'");
		check_order(errors, FIELD(at, "min"), item->min, item->n_min, "min", item->max, item->n_max, "max");
		check_order(errors, FIELD(at, "defaultRequest"), item->default_request, item->n_default_request,
			"default request", item->max, item->n_max, "max");
		check_order(errors, FIELD(at, "defaultRequest"), item->default_request, item->n_default_request,
			"default request", item->default_, item->n_default, "default limit");
		check_order(errors, FIELD(at, "default"), item->default_, item->n_default, "default", item->max,
			item->n_max, "max");
		check_order(errors, FIELD(at, "default"), item->min, item->n_min, "min", item->default_,
			item->n_default, "default");
	}
}

static bool is_quota_resource(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
		"requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
		"limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, names) || strchr(name, '/') || str_starts_with(name, "hugepages-") ||
	       str_starts_with(name, "requests.hugepages-");
}

static bool is_count(const char *name)
{
	static const char *const names[] = {"pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, names) || str_starts_with(name, "count/");
}

static void check_scopes(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceQuotaSpec *spec)
{
	static const char *const known[] = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
		"PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass", NULL};
	char *list =
		arena_printf(errors->arena, "[\"%s\"]", str_join(errors->arena, spec->scopes, spec->n_scopes, "\",\""));
	for (size_t i = 0; i < spec->n_scopes; i++)
		if (!str_in(spec->scopes[i], known))
			field_invalid_json(errors, path, list, "unsupported scope");
	bool both = str_in_n("BestEffort", spec->scopes, spec->n_scopes) &&
		    str_in_n("NotBestEffort", spec->scopes, spec->n_scopes);
	both |= str_in_n("Terminating", spec->scopes, spec->n_scopes) &&
		str_in_n("NotTerminating", spec->scopes, spec->n_scopes);
	if (both)
		field_invalid_json(errors, path, list, "conflicting scopes");
}

void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaSpec *spec = quota->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	for (size_t i = 0; spec && i < spec->n_hard; i++) {
		const char *name = spec->hard[i]->key;
		const struct field_path *at = FIELD_KEY(FIELD(path, "hard"), name);
		struct quantity q = quantity_of(spec->hard[i]->value);
		if (!is_quota_resource(name)) {
			field_invalid(errors, at, name, "must be a standard resource type or fully qualified");
			field_invalid(errors, at, name, "must be a standard resource for quota");
		}
		if (quantity_sign(&q) < 0)
			field_invalid(
				errors, at, quantity_format(errors->arena, &q), "must be greater than or equal to 0");
		else if (is_count(name) && q.nanos % 1000000000)
			field_invalid(errors, at, quantity_format(errors->arena, &q), "must be an integer");
	}
	if (spec && spec->n_scopes)
		check_scopes(errors, FIELD(path, "scopes"), spec);
}
