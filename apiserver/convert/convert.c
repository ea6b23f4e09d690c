#include "apiserver/convert/convert.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/convert/autoscaler.h"

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

bool convertible(const struct schema_type *to, const struct schema_type *from)
{
	static const struct schema_type *const pairs[][2] = {{&EventsV1Event_schema, &CoreV1Event_schema},
		{&AutoscalingV1HorizontalPodAutoscaler_schema, &AutoscalingV2HorizontalPodAutoscaler_schema}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if ((to == pairs[i][0] && from == pairs[i][1]) || (to == pairs[i][1] && from == pairs[i][0]))
			return true;
	return to == from;
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
		*ret_object = autoscaler_to_v2(arena, (const AutoscalingV1HorizontalPodAutoscaler *)from);
	else if (to == &AutoscalingV1HorizontalPodAutoscaler_schema &&
		 API_IS(from, AutoscalingV2HorizontalPodAutoscaler))
		*ret_object = autoscaler_from_v2(arena, (const AutoscalingV2HorizontalPodAutoscaler *)from);
	else
		return status_internal("%s cannot be converted to %s", schema_of(from)->name, to->name);
	return NULL;
}
