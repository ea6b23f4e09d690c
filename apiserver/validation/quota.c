/*
 * ResourceQuota: what may be counted, and for which pods or claims.
 */
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/resources.h"
#include "base/nameset.h"
#include "base/str.h"

#define HUGE_PAGES "hugepages-"

static bool is_quota_resource(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
		"requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
		"limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, names) || str_starts_with(name, HUGE_PAGES) ||
	       str_starts_with(name, "requests." HUGE_PAGES);
}

static void check_resources(
	struct field_errors *errors, const struct field_path *path, MapQuantityEntry *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = list[i]->key;
		const struct field_path *at = FIELD_KEY(path, name);
		(void)check_resource_name(errors, at, name);
		if (!strchr(name, '/') && !is_quota_resource(name))
			field_invalid_json(
				errors, at, field_json(errors->arena, name), "must be a standard resource for quota");
		check_resource_value(errors, at, name, list[i]->value);
	}
}

static bool is_scope(const char *scope)
{
	static const char *const known[] = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
		"PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass", NULL};
	return scope && str_in(scope, known);
}

/* Whether a scope can tell the things that a resource counts. */
static bool scope_fits(const char *scope, const char *resource)
{
	static const char *const of_pods[] = {
		"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", NULL};
	if (str_eq(scope, "BestEffort"))
		return str_eq(resource, "pods");
	if (str_eq(scope, "VolumeAttributesClass"))
		return str_eq(resource, "persistentvolumeclaims") || str_eq(resource, "requests.storage");
	return !is_scope(scope) || str_in(resource, of_pods);
}

/* One error for each resource that the scope does not fit. */
static void check_fit(struct field_errors *errors, const struct field_path *path, const CoreV1ResourceQuotaSpec *spec,
	const char *scope, const char *shown)
{
	for (size_t i = 0; i < spec->n_hard; i++)
		if (is_quota_resource(spec->hard[i]->key) && !scope_fits(scope, spec->hard[i]->key))
			field_invalid_json(errors, path, shown, "unsupported scope applied to resource");
}

/* Each scope and its opposite, the errors showing the whole list. */
static void check_opposites(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceQuotaSpec *spec, char *const *scopes, size_t n)
{
	const char *list = strings_json(errors->arena, spec->scopes, spec->n_scopes);
	if (str_in_n("BestEffort", scopes, n) && str_in_n("NotBestEffort", scopes, n))
		field_invalid_json(errors, path, list, "conflicting scopes");
	if (str_in_n("Terminating", scopes, n) && str_in_n("NotTerminating", scopes, n))
		field_invalid_json(errors, path, list, "conflicting scopes");
}

static void check_scopes(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceQuotaSpec *spec)
{
	const char *list = strings_json(errors->arena, spec->scopes, spec->n_scopes);
	for (size_t i = 0; i < spec->n_scopes; i++) {
		if (!is_scope(spec->scopes[i]))
			field_invalid_json(errors, path, list, "unsupported scope");
		check_fit(errors, path, spec, spec->scopes[i], list);
	}
	check_opposites(errors, path, spec, spec->scopes, spec->n_scopes);
}

static void check_operator(
	struct field_errors *errors, const struct field_path *path, const CoreV1ScopedResourceSelectorRequirement *term)
{
	static const char *const alone[] = {
		"BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity", NULL};
	const char *operator= str_or(term->operator, "");
	if (str_in(str_or(term->scope_name, ""), alone) && strcmp(operator, "Exists") != 0)
		field_invalid(errors, FIELD(path, "operator"), operator,
			"must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
			"ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
			"ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
	if (str_eq(operator, "In") || str_eq(operator, "NotIn")) {
		if (!term->n_values)
			field_required(errors, FIELD(path, "values"),
				"must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
	} else if (str_eq(operator, "Exists") || str_eq(operator, "DoesNotExist")) {
		if (term->n_values)
			field_invalid_json(errors, FIELD(path, "values"),
				strings_json(errors->arena, term->values, term->n_values),
				"must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
	} else {
		field_invalid_json(errors, FIELD(path, "operator"), field_json(errors->arena, operator),
			"not a valid selector operator");
	}
}

static void check_selector(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceQuotaSpec *spec)
{
	const CoreV1ScopeSelector *selector = spec->scope_selector;
	if (!selector)
		return;
	const char *shown = internal_json(errors->arena, selector);
	char **names = arena_alloc(errors->arena, (selector->n_match_expressions + 1) * sizeof *names);
	for (size_t i = 0; i < selector->n_match_expressions; i++) {
		const CoreV1ScopedResourceSelectorRequirement *term = selector->match_expressions[i];
		names[i] = arena_strdup(errors->arena, str_or(term->scope_name, ""));
		if (!is_scope(names[i]))
			field_invalid_json(errors, FIELD(path, "scopeName"), field_json(errors->arena, names[i]),
				"unsupported scope");
		check_fit(errors, path, spec, names[i], shown);
		check_operator(errors, path, term);
	}
	check_opposites(errors, path, spec, names, selector->n_match_expressions);
}

void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaSpec *spec = quota->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec)
		return;
	check_resources(errors, FIELD(path, "hard"), spec->hard, spec->n_hard);
	check_scopes(errors, FIELD(path, "scopes"), spec);
	check_selector(errors, FIELD(FIELD(path, "scopeSelector"), "matchExpressions"), spec);
}

/* Whether all of a are in b. */
static bool scopes_within(struct arena *arena, const CoreV1ResourceQuotaSpec *a, const CoreV1ResourceQuotaSpec *b)
{
	struct nameset scopes = {.arena = arena};
	for (size_t i = 0; b && i < b->n_scopes; i++)
		nameset_add(&scopes, b->scopes[i]);
	for (size_t i = 0; a && i < a->n_scopes; i++)
		if (!nameset_has(&scopes, a->scopes[i]))
			return false;
	return true;
}

void validate_resource_quota_update(
	struct field_errors *errors, const CoreV1ResourceQuota *quota, const CoreV1ResourceQuota *old)
{
	const CoreV1ResourceQuotaSpec *spec = quota->spec;
	validate_resource_quota(errors, quota);
	if (!scopes_within(errors->arena, spec, old->spec) || !scopes_within(errors->arena, old->spec, spec))
		field_invalid_json(errors, FIELD(FIELD(NULL, "spec"), "scopes"),
			spec ? strings_json(errors->arena, spec->scopes, spec->n_scopes) : "null",
			"field is immutable");
}

void validate_resource_quota_status(
	struct field_errors *errors, const CoreV1ResourceQuota *quota, const CoreV1ResourceQuota *old)
{
	const CoreV1ResourceQuotaStatus *status = quota->status;
	const struct field_path *path = FIELD(NULL, "status");
	(void)old;
	if (!status)
		return;
	check_resources(errors, FIELD(path, "hard"), status->hard, status->n_hard);
	check_resources(errors, FIELD(path, "used"), status->used, status->n_used);
}
