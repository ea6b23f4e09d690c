#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

enum { DEFAULT_TTL_S = 3600 };

static int64_t ttl_seconds(struct request *request, const ProtobufCMessage *object)
{
	return request->context && request->context->event_ttl_seconds ? request->context->event_ttl_seconds
								       : DEFAULT_TTL_S;
}

/* An event is about an object of its own namespace; one about the cluster belongs to default or kube-system. */
static void validate(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CoreV1Event *event = (const CoreV1Event *)object;
	const char *involved = event->involved_object ? str_or_empty(event->involved_object->namespace) : "";
	const char *namespace = object_namespace(event);
	const struct field_path *path = FIELD(FIELD(NULL, "involvedObject"), "namespace");
	if (!*involved) {
		if (!str_eq(namespace, "default") && !str_eq(namespace, "kube-system"))
			field_invalid(errors, path, involved, "does not match event.namespace");
	} else if (!str_eq(namespace, involved)) {
		field_invalid(errors, path, involved, "does not match event.namespace");
	}
	if (strlen(str_or_empty(event->message)) > 1024 && event->event_time)
		field_invalid(errors, FIELD(NULL, "note"), "", "can have at most 1024 characters");
}

const struct strategy event_strategy = {
	.group = "",
	.resource = "events",
	.validate_create = validate,
	.ttl_seconds = ttl_seconds,
	.allow_create_on_update = true,
};

static void validate_v1(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const EventsV1Event *event = (const EventsV1Event *)object;
	if (!event->event_time || !event->event_time->seconds)
		field_required(errors, FIELD(NULL, "eventTime"), "");
	if (str_empty(event->reporting_controller))
		field_required(errors, FIELD(NULL, "reportingController"), "");
	if (str_empty(event->reporting_instance))
		field_required(errors, FIELD(NULL, "reportingInstance"), "");
	if (str_empty(event->action))
		field_required(errors, FIELD(NULL, "action"), "");
	if (str_empty(event->reason))
		field_required(errors, FIELD(NULL, "reason"), "");
	if (strlen(str_or_empty(event->note)) > 1024)
		field_invalid(errors, FIELD(NULL, "message"), "", "can have at most 1024 characters");
}

const struct strategy event_v1_strategy = {
	.group = "events.k8s.io",
	.resource = "events",
	.validate_create = validate_v1,
	.ttl_seconds = ttl_seconds,
	.allow_create_on_update = true,
};
