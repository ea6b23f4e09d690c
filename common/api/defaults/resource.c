#include "api/defaults/table.h"

static void set_request(struct arena *arena, void *msg)
{
	ResourceV1ExactDeviceRequest *request = msg;
	DEFAULT_STRING(request, allocation_mode, "ExactCount");
	if (str_eq(request->allocation_mode, "ExactCount"))
		DEFAULT_NUMBER(request, count, 1);
}

static void set_alternative(struct arena *arena, void *msg)
{
	ResourceV1DeviceSubRequest *request = msg;
	DEFAULT_STRING(request, allocation_mode, "ExactCount");
	if (str_eq(request->allocation_mode, "ExactCount"))
		DEFAULT_NUMBER(request, count, 1);
}

static void set_toleration(struct arena *arena, void *msg)
{
	ResourceV1DeviceToleration *toleration = msg;
	DEFAULT_STRING(toleration, operator, "Equal");
}

const struct defaulter defaults_resource[] = {
	{&ResourceV1ExactDeviceRequest_schema, set_request},
	{&ResourceV1DeviceSubRequest_schema, set_alternative},
	{&ResourceV1DeviceToleration_schema, set_toleration},
	{NULL, NULL},
};
