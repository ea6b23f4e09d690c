#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/service.h"
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

static void check_slice(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_endpoint_slice(errors, (const DiscoveryV1EndpointSlice *)object);
}

static void check_slice_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	const DiscoveryV1EndpointSlice *slice = (const DiscoveryV1EndpointSlice *)object;
	const DiscoveryV1EndpointSlice *old = (const DiscoveryV1EndpointSlice *)before;
	validate_endpoint_slice(errors, slice);
	if (!str_eq(slice->address_type, old->address_type))
		field_invalid(errors, FIELD(NULL, "addressType"), slice->address_type, "field is immutable");
}

const struct strategy endpoint_slice_strategy = {
	.group = "discovery.k8s.io",
	.resource = "endpointslices",
	.prepare_create = generic_first_generation,
	.validate_create = check_slice,
	.prepare_update = generic_next_generation,
	.validate_update = check_slice_update,
};

static void check_lease(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CoordinationV1LeaseSpec *spec = ((const CoordinationV1Lease *)object)->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (spec && spec->has_lease_duration_seconds && spec->lease_duration_seconds <= 0)
		field_invalid_int(errors, FIELD(path, "leaseDurationSeconds"), spec->lease_duration_seconds,
			"must be greater than 0");
	if (spec && spec->has_lease_transitions && spec->lease_transitions < 0)
		field_invalid_int(errors, FIELD(path, "leaseTransitions"), spec->lease_transitions,
			"must be greater than or equal to 0");
}

static void check_lease_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	check_lease(request, object, errors);
}

const struct strategy lease_strategy = {
	.group = "coordination.k8s.io",
	.resource = "leases",
	.validate_create = check_lease,
	.validate_update = check_lease_update,
	.allow_create_on_update = true,
};
