#include "api/defaults/table.h"

static AutoscalingV2HPAScalingPolicy *policy(struct arena *arena, const char *type, int32_t value, int32_t period)
{
	AutoscalingV2HPAScalingPolicy *p = API_NEW(arena, AutoscalingV2HPAScalingPolicy);
	p->type = (char *)type;
	p->value = value;
	p->period_seconds = period;
	return p;
}

static void set_rules(struct arena *arena, AutoscalingV2HPAScalingRules **rules, bool up)
{
	if (!*rules)
		*rules = API_NEW(arena, AutoscalingV2HPAScalingRules);
	AutoscalingV2HPAScalingRules *r = *rules;
	if (up)
		DEFAULT_SCALAR(r, stabilization_window_seconds, 0);
	DEFAULT_OPTIONAL_STRING(r, select_policy, "Max");
	/* An empty list is no absent one. */
	if (r->policies)
		return;
	if (up)
		ARENA_PUSH(arena, r->policies, r->n_policies) = policy(arena, "Pods", 4, 15);
	ARENA_PUSH(arena, r->policies, r->n_policies) = policy(arena, "Percent", 100, 15);
}

static void set_autoscaler(struct arena *arena, void *msg)
{
	AutoscalingV2HorizontalPodAutoscaler *hpa = msg;
	DEFAULT_MESSAGE(arena, hpa, spec, AutoscalingV2HorizontalPodAutoscalerSpec);
	DEFAULT_SCALAR(hpa->spec, min_replicas, 1);
	if (!hpa->spec->n_metrics) {
		AutoscalingV2MetricSpec *metric = API_NEW(arena, AutoscalingV2MetricSpec);
		metric->type = (char *)"Resource";
		metric->resource = API_NEW(arena, AutoscalingV2ResourceMetricSource);
		metric->resource->name = (char *)"cpu";
		metric->resource->target = API_NEW(arena, AutoscalingV2MetricTarget);
		metric->resource->target->type = (char *)"Utilization";
		DEFAULT_SCALAR(metric->resource->target, average_utilization, 80);
		ARENA_PUSH(arena, hpa->spec->metrics, hpa->spec->n_metrics) = metric;
	}
	if (hpa->spec->behavior) {
		set_rules(arena, &hpa->spec->behavior->scale_up, true);
		set_rules(arena, &hpa->spec->behavior->scale_down, false);
	}
}

static void set_autoscaler_v1(struct arena *arena, void *msg)
{
	AutoscalingV1HorizontalPodAutoscaler *hpa = msg;
	DEFAULT_MESSAGE(arena, hpa, spec, AutoscalingV1HorizontalPodAutoscalerSpec);
	DEFAULT_SCALAR(hpa->spec, min_replicas, 1);
}

static void set_priority_class(struct arena *arena, void *msg)
{
	SchedulingV1PriorityClass *class = msg;
	DEFAULT_OPTIONAL_STRING(class, preemption_policy, "PreemptLowerPriority");
}

const struct defaulter defaults_autoscaling[] = {
	{&AutoscalingV2HorizontalPodAutoscaler_schema, set_autoscaler},
	{&AutoscalingV1HorizontalPodAutoscaler_schema, set_autoscaler_v1},
	{&SchedulingV1PriorityClass_schema, set_priority_class},
	{NULL, NULL},
};
