/* Rows of autoscalers: each metric as current/target. */
#include <inttypes.h>
#include "api/print/internal.h"

#define MAX_METRICS 2

static const char *text_of(const ResourceQuantity *q)
{
	return q ? str_or(q->string, "0") : "<unknown>";
}

/* Utilisation in percent, or an average value. */
static char *resource_metric(struct printer *p, const char *name, const AutoscalingV2MetricTarget *target,
	const AutoscalingV2MetricValueStatus *current)
{
	char *now = arena_strdup(p->arena, "<unknown>"), *wanted = arena_strdup(p->arena, "<auto>");

	if (target && target->average_value)
		return arena_printf(p->arena, "%s: %s/%s", name, current ? text_of(current->average_value) : now,
			text_of(target->average_value));
	if (current && current->has_average_utilization)
		now = arena_printf(p->arena, "%" PRId32 "%%", current->average_utilization);
	if (target && target->has_average_utilization)
		wanted = arena_printf(p->arena, "%" PRId32 "%%", target->average_utilization);
	return arena_printf(p->arena, "%s: %s/%s", name, now, wanted);
}

/* A plain value, or an average over the pods. */
static char *value_metric(
	struct printer *p, const AutoscalingV2MetricTarget *target, const AutoscalingV2MetricValueStatus *current)
{
	if (target && target->average_value)
		return arena_printf(p->arena, "%s/%s (avg)", current ? text_of(current->average_value) : "<unknown>",
			text_of(target->average_value));
	return arena_printf(p->arena, "%s/%s", current ? text_of(current->value) : "<unknown>",
		target ? text_of(target->value) : "<unknown>");
}

static char *metric_text(
	struct printer *p, const AutoscalingV2MetricSpec *spec, const AutoscalingV2MetricStatus *status)
{
	if (str_eq(spec->type, "Resource") && spec->resource)
		return resource_metric(p, spec->resource->name, spec->resource->target,
			status && status->resource ? status->resource->current : NULL);
	if (str_eq(spec->type, "ContainerResource") && spec->container_resource)
		return resource_metric(p, spec->container_resource->name, spec->container_resource->target,
			status && status->container_resource ? status->container_resource->current : NULL);
	if (str_eq(spec->type, "Object") && spec->object)
		return value_metric(p, spec->object->target, status && status->object ? status->object->current : NULL);
	if (str_eq(spec->type, "External") && spec->external)
		return value_metric(
			p, spec->external->target, status && status->external ? status->external->current : NULL);
	if (str_eq(spec->type, "Pods") && spec->pods) {
		const AutoscalingV2MetricValueStatus *current = status && status->pods ? status->pods->current : NULL;
		const AutoscalingV2MetricTarget *target = spec->pods->target;
		return arena_printf(p->arena, "%s/%s", current ? text_of(current->average_value) : "<unknown>",
			target ? text_of(target->average_value) : "<unknown>");
	}
	return arena_strdup(p->arena, "<unknown type>");
}

static void cell_metrics(struct printer *p, const AutoscalingV2HorizontalPodAutoscalerSpec *spec,
	const AutoscalingV2HorizontalPodAutoscalerStatus *status)
{
	char **texts = NULL;
	size_t n = 0, n_metrics = spec->n_metrics;

	for (size_t i = 0; i < n_metrics && i < MAX_METRICS; i++)
		ARENA_PUSH(p->arena, texts, n) = metric_text(
			p, spec->metrics[i], i < status->n_current_metrics ? status->current_metrics[i] : NULL);
	if (n_metrics > MAX_METRICS)
		cell_printf(p, "%s + %zu more...", join(p, texts, n, ", "), n_metrics - MAX_METRICS);
	else
		cell_or_none(p, join(p, texts, n, ", "));
}

static void cell_reference(struct printer *p, const char *kind, const char *name)
{
	cell_printf(p, "%s/%s", str_or_empty(kind), str_or_empty(name));
}

static void cell_minimum(struct printer *p, bool has, int32_t minimum)
{
	if (has)
		cell_printf(p, "%" PRId32, minimum);
	else
		cell_text(p, "<unset>");
}

static void print_autoscaler(struct printer *p, const void *msg)
{
	const AutoscalingV2HorizontalPodAutoscaler *hpa = msg;
	const AutoscalingV2HorizontalPodAutoscalerSpec *spec =
		hpa->spec ? hpa->spec : AutoscalingV2HorizontalPodAutoscalerSpec_schema.zero;
	const AutoscalingV2HorizontalPodAutoscalerStatus *status =
		hpa->status ? hpa->status : AutoscalingV2HorizontalPodAutoscalerStatus_schema.zero;

	cell_name(p, msg);
	cell_reference(p, spec->scale_target_ref ? spec->scale_target_ref->kind : "",
		spec->scale_target_ref ? spec->scale_target_ref->name : "");
	cell_metrics(p, spec, status);
	cell_minimum(p, spec->has_min_replicas, spec->min_replicas);
	cell_number(p, spec->max_replicas);
	cell_number(p, status->current_replicas);
	cell_age(p, msg);
}

/* The first version knows only CPU utilisation. */
static void print_old_autoscaler(struct printer *p, const void *msg)
{
	const AutoscalingV1HorizontalPodAutoscaler *hpa = msg;
	const AutoscalingV1HorizontalPodAutoscalerSpec *spec =
		hpa->spec ? hpa->spec : AutoscalingV1HorizontalPodAutoscalerSpec_schema.zero;
	const AutoscalingV1HorizontalPodAutoscalerStatus *status =
		hpa->status ? hpa->status : AutoscalingV1HorizontalPodAutoscalerStatus_schema.zero;

	cell_name(p, msg);
	cell_reference(p, spec->scale_target_ref ? spec->scale_target_ref->kind : "",
		spec->scale_target_ref ? spec->scale_target_ref->name : "");
	if (!spec->has_target_cpu_utilization_percentage)
		cell_text(p, "<none>");
	else if (status->has_current_cpu_utilization_percentage)
		cell_printf(p, "cpu: %" PRId32 "%%/%" PRId32 "%%", status->current_cpu_utilization_percentage,
			spec->target_cpu_utilization_percentage);
	else
		cell_printf(p, "cpu: <unknown>/%" PRId32 "%%", spec->target_cpu_utilization_percentage);
	cell_minimum(p, spec->has_min_replicas, spec->min_replicas);
	cell_number(p, spec->max_replicas);
	cell_number(p, status->current_replicas);
	cell_age(p, msg);
}

static void print_scale(struct printer *p, const void *msg)
{
	const AutoscalingV1Scale *scale = msg;

	cell_name(p, msg);
	cell_number(p, scale->spec ? scale->spec->replicas : 0);
	cell_number(p, scale->status ? scale->status->replicas : 0);
	cell_age(p, msg);
}

const struct kind_printer print_autoscaling_kinds[] = {
	{&AutoscalingV1Scale_schema, print_scale},
	{&AutoscalingV2HorizontalPodAutoscaler_schema, print_autoscaler},
	{&AutoscalingV1HorizontalPodAutoscaler_schema, print_old_autoscaler},
	{0},
};
