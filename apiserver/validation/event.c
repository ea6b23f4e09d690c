#include "apiserver/validation/event.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

enum { MAX_WORD = 128, MAX_NOTE = 1024 };
#define ZERO_TIME_S (-62135596800LL) /* the year 1, Go's zero time */

static bool has_time(const MetaV1MicroTime *t)
{
	return t && (t->seconds != ZERO_TIME_S || t->nanos);
}

static void check_word(struct field_errors *errors, const char *name, const char *value,
	const char *also(struct arena *, const char *))
{
	const struct field_path *path = FIELD(NULL, name);
	if (!*value)
		field_required(errors, path, "");
	if (also)
		validate_text(errors, path, value, also(errors->arena, value));
	else if (strlen(value) > MAX_WORD)
		field_invalid(
			errors, path, "", arena_printf(errors->arena, "can have at most %d characters", MAX_WORD));
}

/* An event of the present form names who reports and what was done. */
static void check_report(struct field_errors *errors, const CoreV1Event *event, bool core)
{
	check_word(errors, core ? "reportingComponent" : "reportingController",
		str_or_empty(event->reporting_component), check_qualified_name);
	check_word(errors, "reportingInstance", str_or_empty(event->reporting_instance), NULL);
	check_word(errors, "action", str_or_empty(event->action), NULL);
	check_word(errors, "reason", str_or_empty(event->reason), NULL);
	if (strlen(str_or_empty(event->message)) > MAX_NOTE)
		field_invalid(errors, FIELD(NULL, "message"), "",
			arena_printf(errors->arena, "can have at most %d characters", MAX_NOTE));
}

void validate_event(struct field_errors *errors, const CoreV1Event *event, bool core)
{
	const char *involved = event->involved_object ? str_or_empty(event->involved_object->namespace) : "";
	const char *namespace = object_namespace(event);
	bool timed = has_time(event->event_time), cluster = str_eq(namespace, "default");
	/* About the cluster: in default; in kube-system too, for an event of the present form. */
	bool fits = *involved ? timed || str_eq(namespace, involved)
			      : cluster || (timed ? str_eq(namespace, "kube-system") : !*namespace);
	if (!fits)
		field_invalid(errors, FIELD(FIELD(NULL, "involvedObject"), "namespace"), involved,
			"does not match event.namespace");
	if (timed)
		check_report(errors, event, core);
	validate_text(errors, FIELD(NULL, "namespace"), namespace, check_dns_subdomain(errors->arena, namespace));
}

static void check_series(struct field_errors *errors, const CoreV1EventSeries *series)
{
	if (!series)
		return;
	if (series->count < 2)
		field_invalid(errors, FIELD(NULL, "series.count"), "", "should be at least 2");
	if (!has_time(series->last_observed_time))
		field_required(errors, FIELD(NULL, "series.lastObservedTime"), "");
}

static void must_be_unset(struct field_errors *errors, const char *name, bool set)
{
	if (set)
		field_invalid(errors, FIELD(NULL, name), "", "needs to be unset");
}

void validate_event_v1(struct field_errors *errors, const CoreV1Event *event)
{
	static const char *const types[] = {"Normal", "Warning", NULL};
	const CoreV1EventSource *source = event->source;
	check_series(errors, event->series);
	if (!has_time(event->event_time))
		field_required(errors, FIELD(NULL, "eventTime"), "");
	if (!str_in(str_or_empty(event->type), types))
		field_invalid(errors, FIELD(NULL, "type"), "",
			arena_printf(errors->arena, "has invalid value: %s", str_or_empty(event->type)));
	must_be_unset(errors, "firstTimestamp", !time_is_zero(event->first_timestamp));
	must_be_unset(errors, "lastTimestamp", !time_is_zero(event->last_timestamp));
	must_be_unset(errors, "count", event->count != 0);
	must_be_unset(errors, "source", source && (!str_empty(source->component) || !str_empty(source->host)));
}

#define IMMUTABLE "field is immutable"

static void same_text(struct field_errors *errors, const char *name, const char *now, const char *was)
{
	if (!str_eq(now, was))
		field_invalid(errors, FIELD(NULL, name), now, IMMUTABLE);
}

static void same_struct(struct field_errors *errors, const char *name, const void *now, const void *was,
	const struct schema_type *by_value)
{
	if (by_value) {
		now = now ? now : by_value->zero;
		was = was ? was : by_value->zero;
	}
	if (!api_equal(now, was))
		field_invalid_internal(errors, FIELD(NULL, name), now, IMMUTABLE);
}

/* Clients that cut a time at its microseconds have not changed it. */
static bool same_micros(const MetaV1MicroTime *a, const MetaV1MicroTime *b)
{
	return a && b && a->seconds == b->seconds && a->nanos / 1000 == b->nanos / 1000;
}

void validate_event_v1_update(struct field_errors *errors, const CoreV1Event *event, const CoreV1Event *old)
{
	if (!api_equal(event->series, old->series))
		check_series(errors, event->series);
	same_struct(
		errors, "involvedObject", event->involved_object, old->involved_object, &CoreV1ObjectReference_schema);
	same_text(errors, "reason", event->reason, old->reason);
	same_text(errors, "message", event->message, old->message);
	same_struct(errors, "source", event->source, old->source, &CoreV1EventSource_schema);
	same_struct(errors, "firstTimestamp", event->first_timestamp, old->first_timestamp, NULL);
	same_struct(errors, "lastTimestamp", event->last_timestamp, old->last_timestamp, NULL);
	if (event->count != old->count)
		field_invalid_int(errors, FIELD(NULL, "count"), event->count, IMMUTABLE);
	same_text(errors, "reason", event->reason, old->reason);
	same_text(errors, "type", event->type, old->type);
	if (!same_micros(event->event_time, old->event_time))
		same_struct(errors, "eventTime", event->event_time, old->event_time, NULL);
	same_text(errors, "action", event->action, old->action);
	same_struct(errors, "related", event->related, old->related, NULL);
	same_text(errors, "reportingController", event->reporting_component, old->reporting_component);
	same_text(errors, "reportingInstance", event->reporting_instance, old->reporting_instance);
}
