/*
 * Checks of resource.k8s.io: claims of devices and their templates, classes of devices, and the slices in which drivers
 * offer them.
 *
 * What a feature guards that is off by default (taints, shared counters, bindings, shares of capacity, extended
 * resources) never comes so far: it was dropped.
 */
#ifndef APISERVER_VALIDATION_RESOURCE_KINDS_H
#define APISERVER_VALIDATION_RESOURCE_KINDS_H

#include "api/types.h"
#include "apiserver/validation/field.h"
#include "base/map.h"

void validate_resource_claim(struct field_errors *errors, const ResourceV1ResourceClaim *claim);
void validate_resource_claim_update(
	struct field_errors *errors, const ResourceV1ResourceClaim *claim, const ResourceV1ResourceClaim *old);
void validate_resource_claim_status(
	struct field_errors *errors, const ResourceV1ResourceClaim *claim, const ResourceV1ResourceClaim *old);
void validate_resource_claim_template(struct field_errors *errors, const ResourceV1ResourceClaimTemplate *template);
void validate_resource_claim_template_update(struct field_errors *errors,
	const ResourceV1ResourceClaimTemplate *template, const ResourceV1ResourceClaimTemplate *old);
void validate_device_class(struct field_errors *errors, const ResourceV1DeviceClass *class);
void validate_device_class_update(
	struct field_errors *errors, const ResourceV1DeviceClass *class, const ResourceV1DeviceClass *old);
void validate_resource_slice(struct field_errors *errors, const ResourceV1ResourceSlice *slice);
void validate_resource_slice_update(
	struct field_errors *errors, const ResourceV1ResourceSlice *slice, const ResourceV1ResourceSlice *old);

/* Parts that the kinds share. Stored: it was so before, and rules that came later are not applied to it. */

enum { DEVICE_CONFIG_MAX = 32, DEVICE_REQUESTS_MAX = 32, DEVICE_DATA_MAX_BYTES = 10 * 1024 };

void validate_device_name(struct field_errors *errors, const struct field_path *path, const char *name);
void validate_pool_name(struct field_errors *errors, const struct field_path *path, const char *name);
/* The name of an attribute or a capacity: an identifier, behind a domain and a slash where it is not its driver's. */
void validate_attribute_name(struct field_errors *errors, const struct field_path *path, const char *name);
void validate_device_selectors(struct field_errors *errors, const struct field_path *path,
	ResourceV1DeviceSelector *const *selectors, size_t n, bool stored);
void validate_device_configuration(struct field_errors *errors, const struct field_path *path,
	const ResourceV1DeviceConfiguration *config, bool stored);
/* An object of any form; NULL is none. */
void validate_raw_object(
	struct field_errors *errors, const struct field_path *path, const RuntimeRawExtension *raw, bool stored);

/* The names by which requests of a claim may be called: "request", and "request/subrequest" of its alternatives. The
 * caller frees the map. */
struct strmap *device_request_names(struct arena *arena, const ResourceV1DeviceClaim *claim);
/* That a name is one of them; that names are, are not too many, and none is there twice. */
void validate_request_ref(
	struct field_errors *errors, const struct field_path *path, const char *name, const struct strmap *names);
void validate_request_refs(struct field_errors *errors, const struct field_path *path, char *const *refs, size_t n,
	const struct strmap *names);
void validate_device_claim(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceClaim *claim, bool stored);

/* Whether a name has come up before; it counts from now on. */
bool name_seen(struct strmap *seen, const char *name);

#endif
