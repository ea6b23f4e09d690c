#include "apiserver/validation/event.h"
#include "api/meta.h"
#include "apiserver/registry/private.h"
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

static void check(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_event(errors, (const CoreV1Event *)object, true);
}

static void check_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	check(request, object, errors);
}

const struct strategy event_strategy = {
	.group = "",
	.resource = "events",
	.metadata_last = true,
	.owns_nothing = true,
	.update_checks = {CHECK_CHANGE},
	.validate_create = check,
	.validate_update = check_update,
	.ttl_seconds = ttl_seconds,
	.allow_create_on_update = true,
};

static const CoreV1Event *as_core(struct request *request, const ProtobufCMessage *object)
{
	ProtobufCMessage *event = NULL;
	struct status *s = convert_object(request->arena, &CoreV1Event_schema, object, &event);
	status_drop(s, "there is a conversion");
	return (const CoreV1Event *)event;
}

/* Here the metadata stands between what is asked of every event and what is asked of those of this group. */
static void check_v1(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CoreV1Event *event = as_core(request, object);
	validate_event(errors, event, false);
	validate_object_meta_of(request, errors, object);
	validate_event_v1(errors, event);
}

static void check_v1_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const CoreV1Event *event = as_core(request, object);
	validate_event(errors, event, false);
	validate_object_meta_update(errors, FIELD(NULL, "metadata"), object_meta(object), object_meta(old));
	validate_finalizers_of(request, errors, object_meta(object));
	validate_event_v1_update(errors, event, as_core(request, old));
}

const struct strategy event_v1_strategy = {
	.group = "events.k8s.io",
	.resource = "events",
	.named_group = "",
	.metadata_last = true,
	.owns_nothing = true,
	.update_checks = {CHECK_CHANGE},
	.validate_create = check_v1,
	.validate_update = check_v1_update,
	.ttl_seconds = ttl_seconds,
	.allow_create_on_update = true,
};
