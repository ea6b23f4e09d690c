/*
 * Slices of what a driver offers: devices, with attributes and capacities, of a pool, for a node or for several.
 */
#include <ctype.h>
#include "api/copy.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/resource/resource_kinds.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/str.h"

enum { MAX_DEVICES = 128, MAX_FACTS = 32, MAX_VALUE = 64, MAX_KEY = 63 + 1 + 32 };

#define IMMUTABLE "field is immutable"
#define ONE_PLACE "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"

/* Versions (semver.org 2.0.0) */

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* A number without leading zeros; NULL: there is none. */
static const char *skip_number(const char *s)
{
	size_t n = digits(s);
	return !n || (n > 1 && *s == '0') ? NULL : s + n;
}

/* Identifiers between dots; numbers among them have no leading zeros, if strict. */
static const char *skip_identifiers(const char *s, bool strict)
{
	for (;;) {
		size_t n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		if (!n || (strict && digits(s) == n && !skip_number(s)))
			return NULL;
		s += n;
		if (*s != '.')
			return s;
		s++;
	}
}

static bool is_version(const char *s)
{
	for (int i = 0; i < 3; i++) {
		s = skip_number(s);
		if (!s || (i < 2 && *s++ != '.'))
			return false;
	}
	if (*s == '-')
		s = skip_identifiers(s + 1, true);
	if (s && *s == '+')
		s = skip_identifiers(s + 1, false);
	return s && !*s;
}

/* Devices */

/* A key as a path shows it: the middle of a long one is left out. */
static const char *short_key(struct arena *arena, const char *key)
{
	size_t len = strlen(key), keep = MAX_KEY - strlen("...");
	if (len <= MAX_KEY)
		return key;
	return arena_printf(arena, "%.*s...%s", (int)((keep + 1) / 2), key, key + len - keep / 2);
}

static const char *optional_text(struct arena *arena, const char *text)
{
	return text ? field_quote(arena, text) : "null";
}

static char *attribute_json(struct arena *arena, const ResourceV1DeviceAttribute *a)
{
	return arena_printf(arena, "{\"IntValue\":%s,\"BoolValue\":%s,\"StringValue\":%s,\"VersionValue\":%s}",
		a->has_int ? arena_printf(arena, "%lld", (long long)a->int_) : "null",
		!a->has_bool ? "null"
		: a->bool_   ? "true"
			     : "false",
		optional_text(arena, a->string), optional_text(arena, a->version));
}

static void check_attribute(
	struct field_errors *errors, const struct field_path *path, const ResourceV1DeviceAttribute *a)
{
	int n = !!a->has_int + !!a->has_bool + !!a->string + !!a->version;
	if (a->string && strlen(a->string) > MAX_VALUE)
		field_too_long(errors, FIELD(path, "string"), MAX_VALUE);
	if (a->version && !is_version(a->version))
		field_invalid(errors, FIELD(path, "version"), a->version,
			"must be a string compatible with semver.org spec 2.0.0");
	if (a->version && strlen(a->version) > MAX_VALUE)
		field_too_long(errors, FIELD(path, "version"), MAX_VALUE);
	if (!n)
		field_required(errors, path, "exactly one value must be specified");
	else if (n > 1)
		field_invalid_json(
			errors, path, attribute_json(errors->arena, a), "exactly one value must be specified");
}

static void check_device(struct field_errors *errors, const struct field_path *path, const ResourceV1Device *d)
{
	const struct field_path *attributes = FIELD(path, "attributes"), *capacity = FIELD(path, "capacity");
	validate_device_name(errors, FIELD(path, "name"), d->name);
	if (d->n_attributes + d->n_capacity > MAX_FACTS)
		field_invalid_int(errors, path, (int64_t)(d->n_attributes + d->n_capacity),
			"the total number of attributes and capacities must not exceed 32");
	for (size_t i = 0; i < d->n_attributes; i++) {
		const char *key = str_or_empty(d->attributes[i]->key);
		const struct field_path *at = FIELD_KEY(attributes, short_key(errors->arena, key));
		validate_attribute_name(errors, at, key);
		check_attribute(errors, at,
			d->attributes[i]->value ? d->attributes[i]->value
						: API_NEW(errors->arena, ResourceV1DeviceAttribute));
	}
	for (size_t i = 0; i < d->n_capacity; i++) {
		const char *key = str_or_empty(d->capacity[i]->key);
		validate_attribute_name(errors, FIELD_KEY(capacity, short_key(errors->arena, key)), key);
	}
}

static void check_devices(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceSliceSpec *spec)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < spec->n_devices; i++)
		check_device(errors, FIELD_INDEX(path, i), spec->devices[i]);
	if (spec->n_devices > MAX_DEVICES)
		field_too_many(errors, path, spec->n_devices, MAX_DEVICES);
	for (size_t i = 0; i < spec->n_devices; i++)
		if (name_seen(seen, spec->devices[i]->name))
			field_duplicate(
				errors, FIELD(FIELD_INDEX(path, i), "name"), str_or_empty(spec->devices[i]->name));
}

/* Slices */

static void check_pool(struct field_errors *errors, const struct field_path *path, const ResourceV1ResourcePool *pool)
{
	validate_pool_name(errors, FIELD(path, "name"), pool->name);
	if (pool->resource_slice_count <= 0)
		field_invalid_int(errors, FIELD(path, "resourceSliceCount"), pool->resource_slice_count,
			"must be greater than zero");
	if (pool->generation < 0)
		field_invalid_int(
			errors, FIELD(path, "generation"), pool->generation, "must be greater than or equal to zero");
}

static void check_place(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceSliceSpec *spec)
{
	const CoreV1NodeSelector *selector = spec->node_selector;
	const struct field_path *terms = FIELD(FIELD(path, "nodeSelector"), "nodeSelectorTerms");
	bool named = !str_empty(spec->node_name), all = spec->has_all_nodes && spec->all_nodes;
	if (named)
		validate_text(errors, FIELD(path, "nodeName"), spec->node_name,
			check_dns_subdomain(errors->arena, spec->node_name));
	else if (spec->node_name)
		field_invalid(errors, FIELD(path, "nodeName"), "", "must be either unset or set to a non-empty string");
	if (selector) {
		validate_node_selector(errors, FIELD(path, "nodeSelector"), selector);
		if (selector->n_node_selector_terms != 1)
			field_invalid_json(errors, terms,
				internal_json_list(
					errors->arena, selector->node_selector_terms, selector->n_node_selector_terms),
				"must have exactly one node selector term");
	}
	if (spec->has_all_nodes && !spec->all_nodes)
		field_invalid_bool(errors, FIELD(path, "allNodes"), false, "must be either unset or set to true");
	if (!named && !selector && !all)
		field_required(errors, path, ONE_PLACE);
	else if (named + !!selector + all > 1)
		field_invalid(errors, path,
			arena_printf(errors->arena, "{%s%s%s%s%s}", named ? "`nodeName`" : "",
				named && selector ? ", " : "", selector ? "`nodeSelector`" : "", all ? ", " : "",
				all ? "`allNodes`" : ""),
			ONE_PLACE ", but multiple fields are set");
}

static void check_head(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceSliceSpec *spec)
{
	const ResourceV1ResourcePool *pool = spec->pool ? spec->pool : API_NEW(errors->arena, ResourceV1ResourcePool);
	validate_csi_driver_name(errors, FIELD(path, "driver"), spec->driver);
	check_pool(errors, FIELD(path, "pool"), pool);
}

static void check_tail(
	struct field_errors *errors, const struct field_path *path, const ResourceV1ResourceSliceSpec *spec)
{
	check_place(errors, path, spec);
	check_devices(errors, FIELD(path, "devices"), spec);
}

void validate_resource_slice(struct field_errors *errors, const ResourceV1ResourceSlice *slice)
{
	const struct field_path *path = FIELD(NULL, "spec");
	check_head(errors, path, slice->spec);
	check_tail(errors, path, slice->spec);
}

/* Whose devices they are, and of which node, stays. */
void validate_resource_slice_update(
	struct field_errors *errors, const ResourceV1ResourceSlice *slice, const ResourceV1ResourceSlice *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const ResourceV1ResourceSliceSpec *spec = slice->spec, *was = old->spec;
	const char *pool = spec->pool ? str_or_empty(spec->pool->name) : "";
	const char *node = spec->node_name;
	check_head(errors, path, spec);
	if (!str_eq(pool, was->pool ? str_or_empty(was->pool->name) : ""))
		field_invalid(errors, FIELD(FIELD(path, "pool"), "name"), pool, IMMUTABLE);
	if (!str_eq(str_or_empty(spec->driver), str_or_empty(was->driver)))
		field_invalid(errors, FIELD(path, "driver"), str_or_empty(spec->driver), IMMUTABLE);
	if (!node != !was->node_name || !str_eq(str_or_empty(node), str_or_empty(was->node_name)))
		field_invalid_typed(errors, FIELD(path, "nodeName"), node, IMMUTABLE);
	check_tail(errors, path, spec);
}
