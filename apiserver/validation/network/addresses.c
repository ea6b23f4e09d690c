#include "api/copy.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/network/networking.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

#define IMMUTABLE "field is immutable"

static void check_segment(struct field_errors *errors, const struct field_path *path, const char *value)
{
	validate_text(errors, path, value, name_is_path_segment(errors->arena, value, false));
}

void validate_ip_address(struct field_errors *errors, const NetworkingV1IPAddress *address)
{
	const NetworkingV1ParentReference *parent = address->spec->parent_ref;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "parentRef");
	if (!parent) {
		field_required(errors, path, "");
		return;
	}
	if (!str_empty(parent->group))
		validate_text(
			errors, FIELD(path, "group"), parent->group, check_dns_subdomain(errors->arena, parent->group));
	if (str_empty(parent->resource))
		field_required(errors, FIELD(path, "resource"), "");
	else
		check_segment(errors, FIELD(path, "resource"), parent->resource);
	if (str_empty(parent->name))
		field_required(errors, FIELD(path, "name"), "");
	else
		check_segment(errors, FIELD(path, "name"), parent->name);
	if (!str_empty(parent->namespace))
		check_segment(errors, FIELD(path, "namespace"), parent->namespace);
}

void validate_ip_address_update(
	struct field_errors *errors, const NetworkingV1IPAddress *address, const NetworkingV1IPAddress *old)
{
	if (!api_equal(address->spec->parent_ref, old->spec ? old->spec->parent_ref : NULL))
		field_invalid_internal(
			errors, FIELD(FIELD(NULL, "spec"), "parentRef"), address->spec->parent_ref, IMMUTABLE);
}

static void check_ranges(struct field_errors *errors, const NetworkingV1ServiceCIDRSpec *spec)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "cidrs");
	struct cidr a, b;
	if (!spec->n_cidrs) {
		field_required(errors, path, "at least one CIDR required");
		return;
	}
	if (spec->n_cidrs > 2) {
		field_invalid_internal(errors, path, spec, "may only hold up to 2 values");
		return;
	}
	for (size_t i = 0; i < spec->n_cidrs; i++)
		validate_text(
			errors, FIELD_INDEX(path, i), spec->cidrs[i], check_cidr_strict(errors->arena, spec->cidrs[i]));
	if (spec->n_cidrs == 2 && cidr_read(spec->cidrs[0], &a) && cidr_read(spec->cidrs[1], &b) &&
		ip_is_v4(&a.ip) == ip_is_v4(&b.ip))
		field_invalid_json(errors, path, strings_json(errors->arena, spec->cidrs, spec->n_cidrs),
			"may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64");
}

void validate_service_cidr(struct field_errors *errors, const NetworkingV1ServiceCIDR *range)
{
	check_ranges(errors, range->spec);
}

/* A range of a second family may be added; nothing else changes. */
void validate_service_cidr_update(
	struct field_errors *errors, const NetworkingV1ServiceCIDR *range, const NetworkingV1ServiceCIDR *old)
{
	const NetworkingV1ServiceCIDRSpec *now = range->spec, *was = old->spec;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "cidrs");
	size_t n = was ? was->n_cidrs : 0;
	bool grows = n == 1 && now->n_cidrs == 2;
	if (n != now->n_cidrs && !grows) {
		field_invalid_json(errors, path, strings_json(errors->arena, now->cidrs, now->n_cidrs), IMMUTABLE);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!str_eq(now->cidrs[i], was->cidrs[i]))
			field_invalid(errors, FIELD_INDEX(path, i), now->cidrs[i], IMMUTABLE);
	if (grows)
		check_ranges(errors, now);
}
