/*
 * resource.k8s.io. Features that are off by default take their fields with them, except from an object that uses one of
 * them already.
 */
#include "apiserver/validation/resource/resource_kinds.h"
#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

#define GROUP "resource.k8s.io"
#define ADMIN_LABEL "resource.kubernetes.io/admin-access"

/* Capacity that claims share */

static bool asks_for_shares(const ResourceV1DeviceClaim *claim)
{
	for (size_t i = 0; claim && i < claim->n_constraints; i++)
		if (claim->constraints[i]->distinct_attribute)
			return true;
	for (size_t i = 0; claim && i < claim->n_requests; i++) {
		const ResourceV1DeviceRequest *r = claim->requests[i];
		if (r->exactly && r->exactly->capacity)
			return true;
		for (size_t k = 0; k < r->n_first_available; k++)
			if (r->first_available[k]->capacity)
				return true;
	}
	return false;
}

/* A constraint of distinctAttribute stays, though it is of the same feature: the original forgets it. */
static void drop_shares(ResourceV1DeviceClaim *claim)
{
	for (size_t i = 0; claim && i < claim->n_requests; i++) {
		ResourceV1DeviceRequest *r = claim->requests[i];
		if (r->exactly)
			r->exactly->capacity = NULL;
		for (size_t k = 0; k < r->n_first_available; k++)
			r->first_available[k]->capacity = NULL;
	}
}

static const ResourceV1DeviceAllocationResult *results_of(const ResourceV1ResourceClaimStatus *status)
{
	return status && status->allocation ? status->allocation->devices : NULL;
}

static bool has_shares(const ResourceV1ResourceClaimStatus *status)
{
	const ResourceV1DeviceAllocationResult *results = results_of(status);
	for (size_t i = 0; results && i < results->n_results; i++)
		if (results->results[i]->share_id || results->results[i]->n_consumed_capacity)
			return true;
	for (size_t i = 0; status && i < status->n_devices; i++)
		if (status->devices[i]->share_id)
			return true;
	return false;
}

static void drop_status_shares(ResourceV1ResourceClaimStatus *status)
{
	const ResourceV1DeviceAllocationResult *results = results_of(status);
	for (size_t i = 0; results && i < results->n_results; i++) {
		results->results[i]->share_id = NULL;
		results->results[i]->n_consumed_capacity = 0;
	}
	for (size_t i = 0; status && i < status->n_devices; i++)
		status->devices[i]->share_id = NULL;
}

/* Conditions that a binding waits for */

static bool has_bindings(const ResourceV1ResourceClaimStatus *status)
{
	const ResourceV1DeviceAllocationResult *results = results_of(status);
	if (status && status->allocation && status->allocation->allocation_timestamp)
		return true;
	for (size_t i = 0; results && i < results->n_results; i++)
		if (results->results[i]->n_binding_conditions || results->results[i]->n_binding_failure_conditions)
			return true;
	return false;
}

static void drop_bindings(ResourceV1ResourceClaimStatus *status)
{
	const ResourceV1DeviceAllocationResult *results = results_of(status);
	if (status && status->allocation)
		status->allocation->allocation_timestamp = NULL;
	for (size_t i = 0; results && i < results->n_results; i++) {
		results->results[i]->n_binding_conditions = 0;
		results->results[i]->n_binding_failure_conditions = 0;
	}
}

/* Devices for administration: only where the namespace allows it. It is asked for anew, as in the original: a label set
 * just now counts. */

static void check_admin(struct request *request, const struct field_path *path, struct field_errors *errors)
{
	const ProtobufCMessage *namespace;
	struct status *s = objects_get_live(
		request->objects, request->arena, &CoreV1Namespace_schema, "", request->namespace, &namespace);
	if (s) {
		field_internal(errors, path,
			arena_printf(
				request->arena, "could not retrieve namespace to verify admin access: %s", s->message));
		status_free(s);
	} else if (!str_eq(meta_label(object_meta(namespace), ADMIN_LABEL), "true")) {
		field_forbidden(errors, path,
			"admin access to devices requires the `" ADMIN_LABEL
			": true` label on the containing namespace");
	}
}

static void check_requests_admin(
	struct request *request, const ResourceV1ResourceClaimSpec *spec, struct field_errors *errors)
{
	const ResourceV1DeviceClaim *claim = spec ? spec->devices : NULL;
	const struct field_path *path = FIELD(FIELD(FIELD(NULL, "spec"), "devices"), "requests");
	for (size_t i = 0; claim && i < claim->n_requests; i++) {
		const ResourceV1ExactDeviceRequest *r = claim->requests[i]->exactly;
		if (!r || !r->has_admin_access || !r->admin_access)
			continue;
		check_admin(request, FIELD(FIELD_INDEX(path, i), "adminAccess"), errors);
		return;
	}
}

/* The first result that is for administration; one more than there are: none. */
static size_t admin_result(const ResourceV1ResourceClaimStatus *status)
{
	const ResourceV1DeviceAllocationResult *results = results_of(status);
	for (size_t i = 0; results && i < results->n_results; i++)
		if (results->results[i]->has_admin_access && results->results[i]->admin_access)
			return i;
	return SIZE_MAX;
}

static void check_results_admin(struct request *request, const ResourceV1ResourceClaim *claim,
	const ResourceV1ResourceClaim *old, struct field_errors *errors)
{
	size_t i = admin_result(claim->status);
	const struct field_path *devices = FIELD(FIELD(FIELD(NULL, "status"), "allocation"), "devices");
	if (i != SIZE_MAX && admin_result(old->status) == SIZE_MAX)
		check_admin(request, FIELD(FIELD_INDEX(FIELD(devices, "results"), i), "adminAccess"), errors);
}

/* ResourceClaim */

static void prepare_create_claim(struct request *request, ProtobufCMessage *object)
{
	const ResourceV1ResourceClaim *claim = (const ResourceV1ResourceClaim *)object;
	generic_reset_status(request, object);
	if (claim->spec)
		drop_shares(claim->spec->devices);
}

static bool is_result(const ResourceV1DeviceAllocationResult *results, const ResourceV1AllocatedDeviceStatus *device)
{
	for (size_t i = 0; results && i < results->n_results; i++) {
		const ResourceV1DeviceRequestAllocationResult *r = results->results[i];
		if (str_eq(r->driver, device->driver) && str_eq(r->pool, device->pool) &&
			str_eq(r->device, device->device) &&
			str_eq(str_or_empty(r->share_id), str_or_empty(device->share_id)))
			return true;
	}
	return false;
}

/* What drivers said of a device goes with its allocation. */
static void drop_freed_devices(ResourceV1ResourceClaimStatus *status, const ResourceV1ResourceClaimStatus *old)
{
	size_t n = 0;
	for (size_t i = 0; status && i < status->n_devices; i++) {
		ResourceV1AllocatedDeviceStatus *d = status->devices[i];
		if (!is_result(results_of(old), d) || is_result(results_of(status), d))
			status->devices[n++] = d;
	}
	if (status)
		status->n_devices = n;
}

static void prepare_update_claim(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	ResourceV1ResourceClaim *claim = (ResourceV1ResourceClaim *)object;
	const ResourceV1ResourceClaim *old = (const ResourceV1ResourceClaim *)before;
	bool status = generic_is_status(request);
	bool shares = asks_for_shares(old->spec ? old->spec->devices : NULL) || has_shares(old->status);
	if (generic_is_status(request))
		generic_keep_meta(object, before);
	/* The other half is the stored object's, which has nothing to drop. */
	if (!status && claim->spec && !shares)
		drop_shares(claim->spec->devices);
	if (!status)
		return;
	drop_freed_devices(claim->status, old->status);
	if (!has_bindings(old->status))
		drop_bindings(claim->status);
	if (!shares)
		drop_status_shares(claim->status);
}

static void check_claim(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const ResourceV1ResourceClaim *claim = (const ResourceV1ResourceClaim *)object;
	check_requests_admin(request, claim->spec, errors);
	validate_resource_claim(errors, claim);
}

static void check_claim_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	const ResourceV1ResourceClaim *claim = (const ResourceV1ResourceClaim *)object;
	const ResourceV1ResourceClaim *old = (const ResourceV1ResourceClaim *)before;
	if (!generic_is_status(request)) {
		validate_resource_claim_update(errors, claim, old);
		return;
	}
	check_results_admin(request, claim, old, errors);
	validate_resource_claim_status(errors, claim, old);
}

const struct strategy resource_claim_strategy = {.group = GROUP,
	.resource = "resourceclaims",
	.update_checks = {CHECK_META, CHECK_META_CHANGE, CHECK_CHANGE},
	.prepare_create = prepare_create_claim,
	.validate_create = check_claim,
	.prepare_update = prepare_update_claim,
	.validate_update = check_claim_update};

/* ResourceClaimTemplate */

static ResourceV1DeviceClaim *template_claim(const ProtobufCMessage *object)
{
	const ResourceV1ResourceClaimTemplateSpec *spec = ((const ResourceV1ResourceClaimTemplate *)object)->spec;
	return spec && spec->spec ? spec->spec->devices : NULL;
}

static void prepare_create_template(struct request *request, ProtobufCMessage *object)
{
	drop_shares(template_claim(object));
}

static void prepare_update_template(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!asks_for_shares(template_claim(old)))
		drop_shares(template_claim(object));
}

static void check_template(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const ResourceV1ResourceClaimTemplate *template = (const ResourceV1ResourceClaimTemplate *)object;
	/* What is in a template does not change: who may have it was asked when it came. */
	if (str_eq(request->verb, "create"))
		check_requests_admin(request, template->spec->spec, errors);
	validate_resource_claim_template(errors, template);
}

static void check_template_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	validate_resource_claim_template_update(
		errors, (const ResourceV1ResourceClaimTemplate *)object, (const ResourceV1ResourceClaimTemplate *)old);
}

const struct strategy resource_claim_template_strategy = {.group = GROUP,
	.resource = "resourceclaimtemplates",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	.prepare_create = prepare_create_template,
	.validate_create = check_template,
	.prepare_update = prepare_update_template,
	.validate_update = check_template_update};

/* DeviceClass */

static void prepare_create_class(struct request *request, ProtobufCMessage *object)
{
	generic_first_generation(request, object);
	((ResourceV1DeviceClass *)object)->spec->extended_resource_name = NULL;
}

static void prepare_update_class(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!((const ResourceV1DeviceClass *)old)->spec->extended_resource_name)
		((ResourceV1DeviceClass *)object)->spec->extended_resource_name = NULL;
	generic_next_generation(request, object, old);
}

CHECKED(class, ResourceV1DeviceClass, validate_device_class, validate_device_class_update)

const struct strategy device_class_strategy = {.group = GROUP,
	.resource = "deviceclasses",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	.prepare_create = prepare_create_class,
	.prepare_update = prepare_update_class,
	CHECKS(class)};

/* ResourceSlice */

static void drop_slice_features(ResourceV1ResourceSliceSpec *spec)
{
	spec->n_shared_counters = 0;
	spec->has_per_device_node_selection = spec->per_device_node_selection = false;
	for (size_t i = 0; i < spec->n_devices; i++) {
		ResourceV1Device *d = spec->devices[i];
		d->n_taints = d->n_consumes_counters = 0;
		d->n_binding_conditions = d->n_binding_failure_conditions = 0;
		d->node_name = NULL;
		d->node_selector = NULL;
		d->has_all_nodes = d->all_nodes = false;
		d->has_binds_to_node = d->binds_to_node = false;
		d->has_allow_multiple_allocations = d->allow_multiple_allocations = false;
		for (size_t k = 0; k < d->n_capacity; k++)
			if (d->capacity[k]->value)
				d->capacity[k]->value->request_policy = NULL;
	}
}

static void prepare_create_slice(struct request *request, ProtobufCMessage *object)
{
	generic_first_generation(request, object);
	drop_slice_features(((ResourceV1ResourceSlice *)object)->spec);
}

/* No stored slice has any of them, so that what comes with an update goes; the generation counts it all the same. */
static void prepare_update_slice(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	generic_next_generation(request, object, old);
	drop_slice_features(((ResourceV1ResourceSlice *)object)->spec);
}

CHECKED(slice, ResourceV1ResourceSlice, validate_resource_slice, validate_resource_slice_update)

const struct strategy resource_slice_strategy = {.group = GROUP,
	.resource = "resourceslices",
	.prepare_create = prepare_create_slice,
	.prepare_update = prepare_update_slice,
	CHECKS(slice)};
