/*
 * What a claim asks for: requests, each for devices of a class or for the first of several that can be had, constraints
 * between them, and configuration.
 */
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/resource/resource_kinds.h"
#include "base/str.h"

enum { MAX_CONSTRAINTS = 32, MAX_ALTERNATIVES = 8 };

#define BAD_REF "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
#define ONE_FORM "exactly one of `exactly` or `firstAvailable` is required"

/* References to requests */

struct strmap *device_request_names(struct arena *arena, const ResourceV1DeviceClaim *claim)
{
	struct strmap *names = strmap_new(NULL);
	for (size_t i = 0; claim && i < claim->n_requests; i++) {
		const ResourceV1DeviceRequest *r = claim->requests[i];
		const char *name = str_or_empty(r->name);
		if (strchr(name, '/'))
			continue;
		strmap_put(names, name, names);
		for (size_t k = 0; k < r->n_first_available; k++)
			strmap_put(names, arena_printf(arena, "%s/%s", name, str_or_empty(r->first_available[k]->name)),
				names);
	}
	return names;
}

void validate_request_ref(
	struct field_errors *errors, const struct field_path *path, const char *name, const struct strmap *names)
{
	const char *text = str_or_empty(name), *slash = strchr(text, '/');
	if (slash && strchr(slash + 1, '/')) {
		field_invalid(errors, path, text, BAD_REF);
		return;
	}
	validate_device_name(errors, path, slash ? arena_strndup(errors->arena, text, (size_t)(slash - text)) : text);
	if (slash)
		validate_device_name(errors, path, slash + 1);
	if (!strmap_has(names, text))
		field_invalid(errors, path, text, BAD_REF);
}

void validate_request_refs(struct field_errors *errors, const struct field_path *path, char *const *refs, size_t n,
	const struct strmap *names)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < n; i++)
		validate_request_ref(errors, FIELD_INDEX(path, i), refs[i], names);
	if (n > DEVICE_REQUESTS_MAX)
		field_too_many(errors, path, n, DEVICE_REQUESTS_MAX);
	for (size_t i = 0; i < n; i++)
		if (name_seen(seen, refs[i]))
			field_duplicate(errors, FIELD_INDEX(path, i), str_or_empty(refs[i]));
}

/* Requests */

static void check_toleration(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceToleration *t)
{
	static const char *const operators[] = {"Equal", "Exists", NULL};
	static const char *const effects[] = {"NoExecute", "NoSchedule", NULL};
	const char *value = str_or_empty(t->value);
	if (!str_empty(t->key))
		validate_text(errors, FIELD(path, "key"), t->key, check_qualified_name(errors->arena, t->key));
	validate_one_of(errors, FIELD(path, "operator"), t->operator, operators);
	if (str_eq(t->operator, "Exists") && *value)
		field_invalid(errors, FIELD(path, "value"), value, "must be empty for operator `Exists`");
	else if (str_eq(t->operator, "Equal"))
		validate_text(errors, FIELD(path, "value"), value, check_label_value(errors->arena, value));
	if (!str_empty(t->effect) && !str_in(t->effect, effects))
		field_unsupported(errors, FIELD(path, "effect"), t->effect, effects);
}

static void check_amount(struct field_errors *errors, const struct field_path *path, const char *mode, int64_t count)
{
	static const char *const modes[] = {"All", "ExactCount", NULL};
	if (!str_in(str_or_empty(mode), modes))
		field_unsupported(errors, FIELD(path, "allocationMode"), str_or_empty(mode), modes);
	else if (str_eq(mode, "All") && count)
		field_invalid_int(
			errors, FIELD(path, "count"), count, "must not be specified when allocationMode is 'All'");
	else if (str_eq(mode, "ExactCount") && count <= 0)
		field_invalid_int(errors, FIELD(path, "count"), count, "must be greater than zero");
}

static void check_exact(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ExactDeviceRequest *r, bool stored)
{
	const char *class = str_or_empty(r->device_class_name);
	if (!*class)
		field_required(errors, FIELD(path, "deviceClassName"), "");
	else
		validate_text(errors, FIELD(path, "deviceClassName"), class, check_dns_subdomain(errors->arena, class));
	validate_device_selectors(errors, FIELD(path, "selectors"), r->selectors, r->n_selectors, stored);
	check_amount(errors, path, r->allocation_mode, r->count);
	for (size_t i = 0; i < r->n_tolerations; i++)
		check_toleration(errors, FIELD_INDEX(FIELD(path, "tolerations"), i), r->tolerations[i]);
}

static void check_alternatives(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceRequest *r, bool stored)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < r->n_first_available; i++) {
		const ResourceV1DeviceSubRequest *sub = r->first_available[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		/* A request under a name. */
		ResourceV1ExactDeviceRequest *request = API_NEW(errors->arena, ResourceV1ExactDeviceRequest);
		request->device_class_name = sub->device_class_name;
		request->n_selectors = sub->n_selectors;
		request->selectors = sub->selectors;
		request->allocation_mode = sub->allocation_mode;
		request->count = sub->count;
		request->n_tolerations = sub->n_tolerations;
		request->tolerations = sub->tolerations;
		validate_device_name(errors, FIELD(at, "name"), sub->name);
		check_exact(errors, at, request, stored);
	}
	if (r->n_first_available > MAX_ALTERNATIVES)
		field_too_many(errors, path, r->n_first_available, MAX_ALTERNATIVES);
	for (size_t i = 0; i < r->n_first_available; i++)
		if (name_seen(seen, r->first_available[i]->name))
			field_duplicate(
				errors, FIELD(FIELD_INDEX(path, i), "name"), str_or_empty(r->first_available[i]->name));
}

static void check_requests(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceClaim *claim, bool stored)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < claim->n_requests; i++) {
		const ResourceV1DeviceRequest *r = claim->requests[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_device_name(errors, FIELD(at, "name"), r->name);
		check_alternatives(errors, FIELD(at, "firstAvailable"), r, stored);
		if (r->exactly)
			check_exact(errors, FIELD(at, "exactly"), r->exactly, stored);
		if (!r->exactly && !r->n_first_available)
			field_required(errors, at, ONE_FORM);
		else if (r->exactly && r->n_first_available)
			field_invalid_json(errors, at, "null", ONE_FORM ", but multiple fields are set");
	}
	if (claim->n_requests > DEVICE_REQUESTS_MAX)
		field_too_many(errors, path, claim->n_requests, DEVICE_REQUESTS_MAX);
	for (size_t i = 0; i < claim->n_requests; i++)
		if (name_seen(seen, claim->requests[i]->name))
			field_duplicate(
				errors, FIELD(FIELD_INDEX(path, i), "name"), str_or_empty(claim->requests[i]->name));
}

/* Constraints and configuration */

static void check_full_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	validate_attribute_name(errors, path, name);
	if (*name && !strchr(name, '/'))
		field_invalid_typed(errors, path, name, "must include a domain");
}

static void check_constraints(struct field_errors *errors, const struct field_path *path,
	const ResourceV1DeviceClaim *claim, const struct strmap *names)
{
	for (size_t i = 0; i < claim->n_constraints; i++) {
		const ResourceV1DeviceConstraint *c = claim->constraints[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_request_refs(errors, FIELD(at, "requests"), c->requests, c->n_requests, names);
		if (c->match_attribute)
			check_full_name(errors, FIELD(at, "matchAttribute"), c->match_attribute);
		else if (c->distinct_attribute)
			check_full_name(errors, FIELD(at, "distinctAttribute"), c->distinct_attribute);
		else
			field_required(errors, FIELD(at, "matchAttribute"), "");
	}
	if (claim->n_constraints > MAX_CONSTRAINTS)
		field_too_many(errors, path, claim->n_constraints, MAX_CONSTRAINTS);
}

static void check_config(struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceClaim *claim,
	const struct strmap *names, bool stored)
{
	for (size_t i = 0; i < claim->n_config; i++) {
		const ResourceV1DeviceClaimConfiguration *c = claim->config[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_request_refs(errors, FIELD(at, "requests"), c->requests, c->n_requests, names);
		validate_device_configuration(errors, at, c->device_configuration, stored);
	}
	if (claim->n_config > DEVICE_CONFIG_MAX)
		field_too_many(errors, path, claim->n_config, DEVICE_CONFIG_MAX);
}

void validate_device_claim(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceClaim *claim, bool stored)
{
	if (!claim)
		return;
	CLEANUP(strmap_freep) struct strmap *names = device_request_names(errors->arena, claim);
	check_requests(errors, FIELD(path, "requests"), claim, stored);
	check_constraints(errors, FIELD(path, "constraints"), claim, names);
	check_config(errors, FIELD(path, "config"), claim, names, stored);
}
