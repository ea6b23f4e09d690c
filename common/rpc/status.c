#include <stdio.h>
#include "rpc/private.h"

#define DETAILS_GROUP "grpc.io"

static const struct {
	enum rpc_code code;
	enum status_reason reason;
} reasons[] = {
	{RPC_CANCELLED, STATUS_TIMEOUT},
	{RPC_INVALID_ARGUMENT, STATUS_BAD_REQUEST},
	{RPC_DEADLINE_EXCEEDED, STATUS_TIMEOUT},
	{RPC_NOT_FOUND, STATUS_NOT_FOUND},
	{RPC_ALREADY_EXISTS, STATUS_ALREADY_EXISTS},
	{RPC_PERMISSION_DENIED, STATUS_FORBIDDEN},
	{RPC_UNAUTHENTICATED, STATUS_UNAUTHORIZED},
	{RPC_RESOURCE_EXHAUSTED, STATUS_TOO_MANY_REQUESTS},
	{RPC_FAILED_PRECONDITION, STATUS_CONFLICT},
	{RPC_ABORTED, STATUS_CONFLICT},
	{RPC_OUT_OF_RANGE, STATUS_EXPIRED},
	{RPC_UNIMPLEMENTED, STATUS_METHOD_NOT_ALLOWED},
	{RPC_UNAVAILABLE, STATUS_UNAVAILABLE},
};

struct status *rpc_status(int code, const char *message)
{
	enum status_reason reason = STATUS_INTERNAL;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if ((int)reasons[i].code == code)
			reason = reasons[i].reason;
	char number[16];
	snprintf(number, sizeof(number), "%d", code);
	return status_details(status_new(reason, "%s", message), DETAILS_GROUP, NULL, number);
}

int rpc_status_code(const struct status *status)
{
	int64_t code = RPC_UNKNOWN;
	if (!status)
		return RPC_OK;
	if (str_eq(status->group, DETAILS_GROUP) && str_to_int64(status->name, 0, 16, &code))
		return (int)code;
	return RPC_UNKNOWN;
}
