#include "api/intstr.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

/* a must not be above b, for each resource that both have. */
static void check_order(struct field_errors *errors, const struct field_path *path, MapQuantityEntry *const *a,
	size_t n_a, const char *name_a, MapQuantityEntry *const *b, size_t n_b, const char *name_b)
{
	for (size_t i = 0; i < n_a; i++) {
		const ResourceQuantity *other = quantity_map_get(b, n_b, a[i]->key);
		struct quantity x = quantity_of(a[i]->value), y = quantity_of(other);
		if (!other || quantity_compare(&x, &y) <= 0)
			continue;
		char *text = quantity_format(errors->arena, &x), *most = quantity_format(errors->arena, &y);
		field_invalid(errors, FIELD_KEY(path, a[i]->key), text,
			arena_printf(
				errors->arena, "%s value %s is greater than %s value %s", name_a, text, name_b, most));
	}
}

void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range)
{
	const CoreV1LimitRangeSpec *spec = range->spec;
	for (size_t i = 0; spec && i < spec->n_limits; i++) {
		const CoreV1LimitRangeItem *item = spec->limits[i];
		const struct field_path *at = FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "limits"), i);
		for (size_t k = 0; k < i; k++)
			if (str_eq(spec->limits[k]->type, item->type)) {
				field_duplicate(errors, FIELD(at, "type"), item->type);
				break;
			}
		if (str_eq(item->type, "Pod") && item->n_default)
			field_forbidden(errors, FIELD(at, "default"), "may not be specified when `type` is 'Pod'");
		if (str_eq(item->type, "Pod") && item->n_default_request)
			field_forbidden(
				errors, FIELD(at, "defaultRequest"), "may not be specified when `type` is 'Pod'");
		check_order(errors, FIELD(at, "min"), item->min, item->n_min, "min", item->max, item->n_max, "max");
		check_order(errors, FIELD(at, "defaultRequest"), item->default_request, item->n_default_request,
			"default request", item->max, item->n_max, "max");
		check_order(errors, FIELD(at, "defaultRequest"), item->default_request, item->n_default_request,
			"default request", item->default_, item->n_default, "default limit");
		check_order(errors, FIELD(at, "default"), item->default_, item->n_default, "default", item->max,
			item->n_max, "max");
		check_order(errors, FIELD(at, "default"), item->min, item->n_min, "min", item->default_,
			item->n_default, "default");
	}
}

static bool is_quota_resource(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
		"requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
		"limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, names) || strchr(name, '/') || str_starts_with(name, "hugepages-") ||
	       str_starts_with(name, "requests.hugepages-");
}

static bool is_count(const char *name)
{
	static const char *const names[] = {"pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, names) || str_starts_with(name, "count/");
}

static void check_scopes(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceQuotaSpec *spec)
{
	static const char *const known[] = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
		"PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass", NULL};
	char *list =
		arena_printf(errors->arena, "[\"%s\"]", str_join(errors->arena, spec->scopes, spec->n_scopes, "\",\""));
	for (size_t i = 0; i < spec->n_scopes; i++)
		if (!str_in(spec->scopes[i], known))
			field_invalid_json(errors, path, list, "unsupported scope");
	bool both = str_in_n("BestEffort", spec->scopes, spec->n_scopes) &&
		    str_in_n("NotBestEffort", spec->scopes, spec->n_scopes);
	both |= str_in_n("Terminating", spec->scopes, spec->n_scopes) &&
		str_in_n("NotTerminating", spec->scopes, spec->n_scopes);
	if (both)
		field_invalid_json(errors, path, list, "conflicting scopes");
}

void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaSpec *spec = quota->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	for (size_t i = 0; spec && i < spec->n_hard; i++) {
		const char *name = spec->hard[i]->key;
		const struct field_path *at = FIELD_KEY(FIELD(path, "hard"), name);
		struct quantity q = quantity_of(spec->hard[i]->value);
		if (!is_quota_resource(name)) {
			field_invalid(errors, at, name, "must be a standard resource type or fully qualified");
			field_invalid(errors, at, name, "must be a standard resource for quota");
		}
		if (quantity_sign(&q) < 0)
			field_invalid(
				errors, at, quantity_format(errors->arena, &q), "must be greater than or equal to 0");
		else if (is_count(name) && q.nanos % 1000000000)
			field_invalid(errors, at, quantity_format(errors->arena, &q), "must be an integer");
	}
	if (spec && spec->n_scopes)
		check_scopes(errors, FIELD(path, "scopes"), spec);
}
