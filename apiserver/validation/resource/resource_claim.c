/*
 * Claims of devices and templates of claims; what the scheduler and drivers write into a claim's status.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/policy.h"
#include "apiserver/validation/resource/resource_kinds.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/str.h"

enum {
	MAX_RESULTS = 32,
	MAX_CONSUMERS = 256,
	MAX_CONDITIONS = 8,
	MAX_IPS = 16,
	MAX_INTERFACE_NAME = 256,
	MAX_HARDWARE_ADDRESS = 128
};
#define IMMUTABLE "field is immutable"
/* The original shows a device's identity by fields that have no text. */
#define DEVICE_JSON "{\"Driver\":{},\"Pool\":{},\"Device\":{},\"ShareID\":{}}"

/* Claims and templates */

static void check_spec(struct field_errors *errors, const struct field_path *path,
	const ResourceV1ResourceClaimSpec *spec, bool stored)
{
	if (spec)
		validate_device_claim(errors, FIELD(path, "devices"), spec->devices, stored);
}

void validate_resource_claim(struct field_errors *errors, const ResourceV1ResourceClaim *claim)
{
	check_spec(errors, FIELD(NULL, "spec"), claim->spec, false);
}

void validate_resource_claim_update(
	struct field_errors *errors, const ResourceV1ResourceClaim *claim, const ResourceV1ResourceClaim *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	check_spec(errors, path, claim->spec, false);
	if (!api_equal(claim->spec, old->spec))
		field_invalid_internal(errors, path, claim->spec, IMMUTABLE);
	check_spec(errors, path, claim->spec, true);
}

static void check_template(struct field_errors *errors, const struct field_path *path,
	const ResourceV1ResourceClaimTemplateSpec *spec, bool stored)
{
	validate_template_meta(errors, path, spec->metadata);
	check_spec(errors, FIELD(path, "spec"), spec->spec, stored);
}

void validate_resource_claim_template(struct field_errors *errors, const ResourceV1ResourceClaimTemplate *template)
{
	check_template(errors, FIELD(NULL, "spec"), template->spec, false);
}

void validate_resource_claim_template_update(struct field_errors *errors,
	const ResourceV1ResourceClaimTemplate *template, const ResourceV1ResourceClaimTemplate *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (!api_equal(template->spec, old->spec))
		field_invalid_internal(errors, path, template->spec, IMMUTABLE);
	check_template(errors, path, template->spec, true);
}

/* The allocation */

static bool is_hex(const char *s, size_t len)
{
	return strspn(s, "0123456789abcdefABCDEF") >= len;
}

/* What is wrong with a UUID, in any of the four forms that it may be written in. */
static const char *check_uuid(struct arena *arena, const char *text)
{
	static const char bad[] = "invalid UUID format";
	size_t len = strlen(text);
	if (len == 32)
		return is_hex(text, 32) ? NULL : bad;
	if (len == 45) {
		char *prefix = arena_strndup(arena, text, 9);
		if (!str_eq_nocase(prefix, "urn:uuid:"))
			return arena_printf(arena, "invalid urn prefix: %s", field_quote(arena, prefix));
		text += 9;
	} else if (len == 38) {
		if (text[0] != '{' || text[37] != '}')
			return "invalid bracketed UUID format";
		text++;
	} else if (len != 36) {
		return arena_printf(arena, "invalid UUID length: %zu", len);
	}
	bool good = is_hex(text, 8) && is_hex(text + 24, 12);
	for (int i = 8; i < 24; i += 5)
		good &= text[i] == '-' && is_hex(text + i + 1, i < 23 ? 4 : 12);
	return good ? NULL : bad;
}

static void check_uid(struct field_errors *errors, const struct field_path *path, const char *uid)
{
	const char *problem = check_uuid(errors->arena, uid);
	if (problem)
		field_invalid(errors, path, uid, arena_printf(errors->arena, "error validating uid: %s", problem));
	else if (strlen(uid) != 36 || strcmp(uid, str_lower(errors->arena, uid)) != 0)
		field_invalid(errors, path, uid,
			"uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with "
			"lowercase hexadecimal characters");
}

static void check_result(struct field_errors *errors, const struct field_path *path,
	const ResourceV1DeviceRequestAllocationResult *r, const struct strmap *names)
{
	validate_request_ref(errors, FIELD(path, "request"), r->request, names);
	validate_csi_driver_name(errors, FIELD(path, "driver"), r->driver);
	validate_pool_name(errors, FIELD(path, "pool"), r->pool);
	validate_device_name(errors, FIELD(path, "device"), r->device);
	if (r->share_id)
		check_uid(errors, FIELD(path, "shareID"), r->share_id);
}

static void check_allocated_config(struct field_errors *errors, const struct field_path *path,
	const ResourceV1DeviceAllocationConfiguration *c, const struct strmap *names)
{
	static const char *const sources[] = {"FromClaim", "FromClass", NULL};
	validate_one_of(errors, FIELD(path, "source"), c->source, sources);
	validate_request_refs(errors, FIELD(path, "requests"), c->requests, c->n_requests, names);
	validate_device_configuration(errors, path, c->device_configuration, false);
}

static void check_allocation(struct field_errors *errors, const struct field_path *path,
	const ResourceV1AllocationResult *allocation, const struct strmap *names)
{
	const ResourceV1DeviceAllocationResult *devices = allocation->devices;
	const struct field_path *results = FIELD(FIELD(path, "devices"), "results");
	const struct field_path *config = FIELD(FIELD(path, "devices"), "config");
	for (size_t i = 0; devices && i < devices->n_results; i++)
		check_result(errors, FIELD_INDEX(results, i), devices->results[i], names);
	if (devices && devices->n_results > MAX_RESULTS)
		field_too_many(errors, results, devices->n_results, MAX_RESULTS);
	for (size_t i = 0; devices && i < devices->n_config; i++)
		check_allocated_config(errors, FIELD_INDEX(config, i), devices->config[i], names);
	/* Those of the classes and those of the claim. */
	if (devices && devices->n_config > 2 * DEVICE_CONFIG_MAX)
		field_too_many(errors, config, devices->n_config, 2 * DEVICE_CONFIG_MAX);
	if (allocation->node_selector)
		validate_node_selector(errors, FIELD(path, "nodeSelector"), allocation->node_selector);
}

/* Consumers */

static void check_consumers(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceClaimStatus *status)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < status->n_reserved_for; i++) {
		const ResourceV1ResourceClaimConsumerReference *c = status->reserved_for[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (str_empty(c->resource))
			field_required(errors, FIELD(at, "resource"), "");
		if (str_empty(c->name))
			field_required(errors, FIELD(at, "name"), "");
		if (str_empty(c->uid))
			field_required(errors, FIELD(at, "uid"), "");
	}
	if (status->n_reserved_for > MAX_CONSUMERS)
		field_too_many(errors, path, status->n_reserved_for, MAX_CONSUMERS);
	for (size_t i = 0; i < status->n_reserved_for; i++)
		if (name_seen(seen, status->reserved_for[i]->uid))
			field_duplicate(
				errors, FIELD(FIELD_INDEX(path, i), "uid"), str_or_empty(status->reserved_for[i]->uid));
}

static bool was_consumer(
	const ResourceV1ResourceClaimStatus *old, const ResourceV1ResourceClaimConsumerReference *consumer)
{
	for (size_t i = 0; old && i < old->n_reserved_for; i++)
		if (api_equal(old->reserved_for[i], consumer))
			return true;
	return false;
}

/* Only what is allocated can be reserved, and no more of a claim that is on its way out. */
static void check_reservation(struct field_errors *errors, const struct field_path *path,
	const ResourceV1ResourceClaim *claim, const ResourceV1ResourceClaimStatus *old)
{
	const ResourceV1ResourceClaimStatus *status = claim->status;
	bool deleted = claim->metadata && claim->metadata->deletion_timestamp, added = false;
	if (!status->n_reserved_for)
		return;
	if (!status->allocation) {
		field_forbidden(errors, path, "may not be specified when `allocated` is not set");
		return;
	}
	for (size_t i = 0; deleted && !added && i < status->n_reserved_for && i <= MAX_CONSUMERS; i++)
		added = !was_consumer(old, status->reserved_for[i]);
	if (added)
		field_forbidden(errors, path,
			"new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set");
}

/* Devices */

static const char *check_interface_address(struct arena *arena, const char *text)
{
	struct cidr c;
	if (!cidr_read(text, &c))
		return "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
	int bits = ip_is_v4(&c.ip) && c.bits > 32 ? c.bits - 96 : c.bits;
	const char *canonical = arena_printf(arena, "%s/%d", ip_print(arena, &c.ip), bits);
	return strcmp(canonical, text) ? arena_printf(arena, "must be in canonical form (\"%s\")", canonical) : NULL;
}

static void check_network(
	struct field_errors *errors, const struct field_path *path, const ResourceV1NetworkDeviceData *data)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	const struct field_path *ips = FIELD(path, "ips");
	if (strlen(str_or_empty(data->interface_name)) > MAX_INTERFACE_NAME)
		field_too_long(errors, FIELD(path, "interfaceName"), MAX_INTERFACE_NAME);
	if (strlen(str_or_empty(data->hardware_address)) > MAX_HARDWARE_ADDRESS)
		field_too_long(errors, FIELD(path, "hardwareAddress"), MAX_HARDWARE_ADDRESS);
	for (size_t i = 0; i < data->n_ips; i++) {
		const char *text = str_or_empty(data->ips[i]), *problem = check_interface_address(errors->arena, text);
		if (problem)
			field_invalid(errors, FIELD_INDEX(ips, i), text, problem);
	}
	if (data->n_ips > MAX_IPS)
		field_too_many(errors, ips, data->n_ips, MAX_IPS);
	for (size_t i = 0; i < data->n_ips; i++)
		if (name_seen(seen, data->ips[i]))
			field_duplicate(errors, FIELD_INDEX(ips, i), str_or_empty(data->ips[i]));
}

/* By what a device is told from others, as one text: none of the parts has such a character. */
static char *device_key(
	struct arena *arena, const char *driver, const char *pool, const char *device, const char *share)
{
	return arena_printf(arena, "%s\n%s\n%s\n%s", str_or_empty(driver), str_or_empty(pool), str_or_empty(device),
		str_or_empty(share));
}

static void check_device(struct field_errors *errors, const struct field_path *path,
	const ResourceV1AllocatedDeviceStatus *d, const struct strmap *allocated)
{
	validate_csi_driver_name(errors, FIELD(path, "driver"), d->driver);
	validate_pool_name(errors, FIELD(path, "pool"), d->pool);
	validate_device_name(errors, FIELD(path, "device"), d->device);
	if (d->share_id)
		check_uid(errors, FIELD(path, "shareID"), d->share_id);
	if (!strmap_has(allocated, device_key(errors->arena, d->driver, d->pool, d->device, d->share_id)))
		field_invalid_json(errors, path, DEVICE_JSON, "must be an allocated device in the claim");
	if (d->n_conditions > MAX_CONDITIONS)
		field_too_many(errors, FIELD(path, "conditions"), d->n_conditions, MAX_CONDITIONS);
	validate_conditions(errors, FIELD(path, "conditions"), d->conditions, d->n_conditions);
	if (d->data && d->data->raw.len)
		validate_raw_object(errors, FIELD(path, "data"), d->data, false);
	if (d->network_data)
		check_network(errors, FIELD(path, "networkData"), d->network_data);
}

static void check_devices(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceClaimStatus *status)
{
	CLEANUP(strmap_freep) struct strmap *allocated = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	const ResourceV1DeviceAllocationResult *results = status->allocation ? status->allocation->devices : NULL;
	for (size_t i = 0; results && i < results->n_results; i++) {
		const ResourceV1DeviceRequestAllocationResult *r = results->results[i];
		strmap_put(allocated, device_key(errors->arena, r->driver, r->pool, r->device, r->share_id), allocated);
	}
	for (size_t i = 0; i < status->n_devices; i++)
		check_device(errors, FIELD_INDEX(path, i), status->devices[i], allocated);
	for (size_t i = 0; i < status->n_devices; i++) {
		const ResourceV1AllocatedDeviceStatus *d = status->devices[i];
		if (name_seen(seen, device_key(errors->arena, d->driver, d->pool, d->device, d->share_id)))
			field_duplicate_json(errors, FIELD(FIELD_INDEX(path, i), "deviceID"), DEVICE_JSON, "");
	}
}

void validate_resource_claim_status(
	struct field_errors *errors, const ResourceV1ResourceClaim *claim, const ResourceV1ResourceClaim *old)
{
	const ResourceV1ResourceClaimStatus *status = claim->status, *was = old->status;
	const struct field_path *path = FIELD(NULL, "status"), *allocation = FIELD(path, "allocation");
	const ResourceV1DeviceClaim *requests = claim->spec ? claim->spec->devices : NULL;
	if (!status)
		return;
	CLEANUP(strmap_freep) struct strmap *names = device_request_names(errors->arena, requests);
	check_consumers(errors, FIELD(path, "reservedFor"), status);
	check_devices(errors, FIELD(path, "devices"), status);
	check_reservation(errors, FIELD(path, "reservedFor"), claim, was);
	if (!status->allocation)
		return;
	if (!was || !was->allocation)
		check_allocation(errors, allocation, status->allocation, names);
	else if (!api_equal(status->allocation, was->allocation))
		field_invalid_internal(errors, allocation, status->allocation, IMMUTABLE);
}
