#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/network/service.h"
#include "base/str.h"

static void check_endpoints(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_endpoints(errors, (const CoreV1Endpoints *)object, NULL);
}

static void check_endpoints_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_endpoints(errors, (const CoreV1Endpoints *)object, (const CoreV1Endpoints *)old);
}

#define MANAGED_BY "endpoints.kubernetes.io/managed-by"

static void warn_of(
	struct request *request, const struct field_path *path, CoreV1EndpointAddress *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		address_warn(request, FIELD(FIELD_INDEX(path, i), "ip"), list[i]->ip);
}

/* The controller's own addresses are right. */
static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1Endpoints *endpoints = (const CoreV1Endpoints *)object;
	if (str_eq(meta_label(endpoints->metadata, MANAGED_BY), "endpoint-controller"))
		return;
	for (size_t i = 0; i < endpoints->n_subsets; i++) {
		const CoreV1EndpointSubset *s = endpoints->subsets[i];
		const struct field_path *path = FIELD_INDEX(FIELD(NULL, "subsets"), i);
		warn_of(request, FIELD(path, "addresses"), s->addresses, s->n_addresses);
		warn_of(request, FIELD(path, "notReadyAddresses"), s->not_ready_addresses, s->n_not_ready_addresses);
	}
}

const struct strategy endpoints_strategy = {
	.group = "",
	.resource = "endpoints",
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	.validate_create = check_endpoints,
	.validate_update = check_endpoints_update,
	.warn = warn,
	.allow_create_on_update = true,
};
