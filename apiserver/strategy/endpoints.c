#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/network/service.h"
#include "base/str.h"

static void check_endpoints(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_endpoints(errors, (const CoreV1Endpoints *)object);
}

static void check_endpoints_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_endpoints(errors, (const CoreV1Endpoints *)object);
}

const struct strategy endpoints_strategy = {
	.group = "",
	.resource = "endpoints",
	.validate_create = check_endpoints,
	.validate_update = check_endpoints_update,
	.allow_create_on_update = true,
};
