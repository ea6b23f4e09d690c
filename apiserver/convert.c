/*
 * The few objects that are served in another version than they are stored: events (core and events.k8s.io) and
 * autoscalers (autoscaling v1 and v2).
 */
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/registry_private.h"

static ProtobufCMessage *event_from_core(struct arena *arena, const CoreV1Event *from)
{
	EventsV1Event *to = API_NEW(arena, EventsV1Event);
	to->metadata = from->metadata;
	to->event_time = from->event_time;
	to->reporting_controller = from->reporting_component;
	to->reporting_instance = from->reporting_instance;
	to->action = from->action;
	to->reason = from->reason;
	to->regarding = from->involved_object;
	to->related = from->related;
	to->note = from->message;
	to->type = from->type;
	to->deprecated_source = from->source;
	to->deprecated_first_timestamp = from->first_timestamp;
	to->deprecated_last_timestamp = from->last_timestamp;
	to->deprecated_count = from->count;
	if (from->series) {
		to->series = API_NEW(arena, EventsV1EventSeries);
		to->series->count = from->series->count;
		to->series->last_observed_time = from->series->last_observed_time;
	}
	return &to->base;
}

static ProtobufCMessage *event_to_core(struct arena *arena, const EventsV1Event *from)
{
	CoreV1Event *to = API_NEW(arena, CoreV1Event);
	to->metadata = from->metadata;
	to->event_time = from->event_time;
	to->reporting_component = from->reporting_controller;
	to->reporting_instance = from->reporting_instance;
	to->action = from->action;
	to->reason = from->reason;
	to->involved_object = from->regarding;
	to->related = from->related;
	to->message = from->note;
	to->type = from->type;
	to->source = from->deprecated_source;
	to->first_timestamp = from->deprecated_first_timestamp;
	to->last_timestamp = from->deprecated_last_timestamp;
	to->count = from->deprecated_count;
	if (from->series) {
		to->series = API_NEW(arena, CoreV1EventSeries);
		to->series->count = from->series->count;
		to->series->last_observed_time = from->series->last_observed_time;
	}
	return &to->base;
}

static AutoscalingV2MetricSpec *cpu_metric(struct arena *arena, int32_t utilization)
{
	AutoscalingV2MetricSpec *metric = API_NEW(arena, AutoscalingV2MetricSpec);
	metric->type = arena_strdup(arena, "Resource");
	metric->resource = API_NEW(arena, AutoscalingV2ResourceMetricSource);
	metric->resource->name = arena_strdup(arena, "cpu");
	metric->resource->target = API_NEW(arena, AutoscalingV2MetricTarget);
	metric->resource->target->type = arena_strdup(arena, "Utilization");
	metric->resource->target->has_average_utilization = true;
	metric->resource->target->average_utilization = utilization;
	return metric;
}

static bool is_cpu_utilization(const AutoscalingV2MetricSpec *m)
{
	return str_eq(m->type, "Resource") && m->resource && str_eq(m->resource->name, "cpu") && m->resource->target &&
	       m->resource->target->has_average_utilization;
}

static ProtobufCMessage *scaler_to_v2(struct arena *arena, const AutoscalingV1HorizontalPodAutoscaler *from)
{
	AutoscalingV2HorizontalPodAutoscaler *to = API_NEW(arena, AutoscalingV2HorizontalPodAutoscaler);
	to->metadata = from->metadata;
	if (from->spec) {
		to->spec = API_NEW(arena, AutoscalingV2HorizontalPodAutoscalerSpec);
		to->spec->has_min_replicas = from->spec->has_min_replicas;
		to->spec->min_replicas = from->spec->min_replicas;
		to->spec->max_replicas = from->spec->max_replicas;
		to->spec->scale_target_ref = API_NEW(arena, AutoscalingV2CrossVersionObjectReference);
		if (from->spec->scale_target_ref) {
			to->spec->scale_target_ref->kind = from->spec->scale_target_ref->kind;
			to->spec->scale_target_ref->name = from->spec->scale_target_ref->name;
			to->spec->scale_target_ref->api_version = from->spec->scale_target_ref->api_version;
		}
		if (from->spec->has_target_cpu_utilization_percentage)
			ARENA_PUSH(arena, to->spec->metrics, to->spec->n_metrics) =
				cpu_metric(arena, from->spec->target_cpu_utilization_percentage);
	}
	if (from->status) {
		to->status = API_NEW(arena, AutoscalingV2HorizontalPodAutoscalerStatus);
		to->status->has_observed_generation = from->status->has_observed_generation;
		to->status->observed_generation = from->status->observed_generation;
		to->status->last_scale_time = from->status->last_scale_time;
		to->status->current_replicas = from->status->current_replicas;
		to->status->desired_replicas = from->status->desired_replicas;
	}
	return &to->base;
}

static ProtobufCMessage *scaler_from_v2(struct arena *arena, const AutoscalingV2HorizontalPodAutoscaler *from)
{
	AutoscalingV1HorizontalPodAutoscaler *to = API_NEW(arena, AutoscalingV1HorizontalPodAutoscaler);
	to->metadata = from->metadata;
	if (from->spec) {
		to->spec = API_NEW(arena, AutoscalingV1HorizontalPodAutoscalerSpec);
		to->spec->has_min_replicas = from->spec->has_min_replicas;
		to->spec->min_replicas = from->spec->min_replicas;
		to->spec->max_replicas = from->spec->max_replicas;
		to->spec->scale_target_ref = API_NEW(arena, AutoscalingV1CrossVersionObjectReference);
		if (from->spec->scale_target_ref) {
			to->spec->scale_target_ref->kind = from->spec->scale_target_ref->kind;
			to->spec->scale_target_ref->name = from->spec->scale_target_ref->name;
			to->spec->scale_target_ref->api_version = from->spec->scale_target_ref->api_version;
		}
		for (size_t i = 0; i < from->spec->n_metrics; i++)
			if (is_cpu_utilization(from->spec->metrics[i])) {
				to->spec->has_target_cpu_utilization_percentage = true;
				to->spec->target_cpu_utilization_percentage =
					from->spec->metrics[i]->resource->target->average_utilization;
			}
	}
	if (from->status) {
		to->status = API_NEW(arena, AutoscalingV1HorizontalPodAutoscalerStatus);
		to->status->has_observed_generation = from->status->has_observed_generation;
		to->status->observed_generation = from->status->observed_generation;
		to->status->last_scale_time = from->status->last_scale_time;
		to->status->current_replicas = from->status->current_replicas;
		to->status->desired_replicas = from->status->desired_replicas;
	}
	return &to->base;
}

struct status *convert_object(
	struct arena *arena, const struct schema_type *to, const ProtobufCMessage *from, ProtobufCMessage **ret_object)
{
	if (schema_of(from) == to)
		*ret_object = (ProtobufCMessage *)(uintptr_t)from;
	else if (to == &EventsV1Event_schema && API_IS(from, CoreV1Event))
		*ret_object = event_from_core(arena, (const CoreV1Event *)from);
	else if (to == &CoreV1Event_schema && API_IS(from, EventsV1Event))
		*ret_object = event_to_core(arena, (const EventsV1Event *)from);
	else if (to == &AutoscalingV2HorizontalPodAutoscaler_schema &&
		 API_IS(from, AutoscalingV1HorizontalPodAutoscaler))
		*ret_object = scaler_to_v2(arena, (const AutoscalingV1HorizontalPodAutoscaler *)from);
	else if (to == &AutoscalingV1HorizontalPodAutoscaler_schema &&
		 API_IS(from, AutoscalingV2HorizontalPodAutoscaler))
		*ret_object = scaler_from_v2(arena, (const AutoscalingV2HorizontalPodAutoscaler *)from);
	else
		return status_internal("%s cannot be converted to %s", schema_of(from)->name, to->name);
	return NULL;
}
