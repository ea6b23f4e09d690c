#include "api/copy.h"
#include "api/meta.h"
#include "api/quota.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"
#include "base/str.h"

/*
 * A write that would use more than a quota of its namespace allows is refused; one that fits is charged at once, so
 * that two writes cannot both take what is left. The controller corrects the sums when objects go.
 */

static const struct config_form form = {.type = &ApiserverV1ResourceQuotaConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "ResourceQuotaConfiguration"},
		{"resourcequota.admission.k8s.io/v1beta1", "Configuration"},
		{"resourcequota.admission.k8s.io/v1alpha1", "Configuration"}}};

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	struct field_errors errors = FIELD_ERRORS_INIT(start->arena);
	ApiserverV1ResourceQuotaConfiguration *config = API_NEW(start->arena, ApiserverV1ResourceQuotaConfiguration);
	if (start->config)
		TRY(config_decode(start->arena, start->config, start->config_size, &form, &config));
	for (size_t i = 0; i < config->n_limited_resources; i++)
		if (str_empty(config->limited_resources[i]->resource))
			field_required(&errors, FIELD(FIELD_INDEX(FIELD(NULL, "limitedResources"), i), "resource"), "");
	context->own = config;
	return config_errors(&errors);
}

/* One quota that concerns the write, and what it would be charged. */
struct charge {
	const struct admission_attributes *a;
	const CoreV1ResourceQuota *quota;
	struct quota_list delta;
};

static bool is_terminating(const ProtobufCMessage *pod)
{
	const CoreV1ScopedResourceSelectorRequirement terminating = {.scope_name = (char *)"Terminating"};
	return quota_scope_matches(&terminating, pod);
}

/* What a change can use more of, or of another quota. */
static bool is_change_counted(const struct admission_attributes *a)
{
	if (admission_is(a, "", "pods", ""))
		return a->old && is_terminating(a->old) != is_terminating(a->object);
	return admission_is(a, "", "pods", "resize") || admission_is(a, "", "services", "") ||
	       admission_is(a, "", "persistentvolumeclaims", "") ||
	       admission_is(a, "", "persistentvolumeclaims", "status") ||
	       admission_is(a, "resource.k8s.io", "resourceclaims", "");
}

static bool is_counted(const struct admission_attributes *a)
{
	/* Events are many, and gone after an hour. */
	if (!a->object || str_empty(a->namespace) || str_eq(a->resource, "events"))
		return false;
	if (a->operation == ADMISSION_UPDATE)
		return is_change_counted(a);
	return a->operation == ADMISSION_CREATE && str_empty(a->subresource) && schema_of(a->object)->resource;
}

static bool has(MapQuantityEntry *const *entries, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(entries[i]->key, name))
			return true;
	return false;
}

static const char *const required[] = {
	"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", NULL};

/* Containers that do not say how much of a resource under quota they take. */
static char *silent_containers(struct arena *arena, const CoreV1PodSpec *spec, const char *resource)
{
	char **names = NULL;
	size_t n = 0;
	bool limit = str_starts_with(resource, "limits.");
	const char *dot = strchr(resource, '.'), *plain = dot ? dot + 1 : resource;
	for (size_t i = 0; i < spec->n_containers + spec->n_init_containers; i++) {
		const CoreV1Container *c =
			i < spec->n_containers ? spec->containers[i] : spec->init_containers[i - spec->n_containers];
		const CoreV1ResourceRequirements *r = c->resources;
		bool says = r && (limit ? has(r->limits, r->n_limits, plain) : has(r->requests, r->n_requests, plain));
		if (!says)
			ARENA_PUSH(arena, names, n) = c->name;
	}
	if (n)
		qsort(names, n, sizeof(*names), str_cmp_qsort);
	return n ? str_join(arena, names, n, ",") : NULL;
}

static struct status *check_constraints(const struct admission_attributes *a, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaStatus *status = quota->status;
	const CoreV1PodSpec *spec = API_IS(a->object, CoreV1Pod) ? ((const CoreV1Pod *)a->object)->spec : NULL;
	CLEANUP(strbuf_done) struct strbuf missing = STRBUF_INIT;
	if (!spec || (spec->resources && (spec->resources->n_requests || spec->resources->n_limits)))
		return NULL;
	static const char *const sorted[] = {
		"cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"};
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		if (!str_in(sorted[i], required) || !has(status->hard, status->n_hard, sorted[i]))
			continue;
		char *names = silent_containers(a->arena, spec, sorted[i]);
		if (names)
			strbuf_printf(&missing, "%s%s for: %s", missing.len ? "; " : "", sorted[i], names);
	}
	if (!missing.len)
		return NULL;
	return admission_forbidden(a, "failed quota: %s: must specify %s", object_name(quota), missing.buf);
}

static bool concerns(const struct admission_attributes *a, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaStatus *status = quota->status;
	for (size_t i = 0; i < status->n_hard; i++)
		if (quota_concerns(schema_of(a->object), status->hard[i]->key))
			return true;
	return false;
}

/* The controller has looked at every resource of the quota that this kind can use. */
static struct status *check_known(const struct admission_attributes *a, const CoreV1ResourceQuota *quota)
{
	const CoreV1ResourceQuotaStatus *status = quota->status;
	void *const *used = MAP_SORTED(a->arena, status->used, status->n_used);
	char **names = NULL;
	size_t n = 0;
	bool known = true;
	for (size_t i = 0; i < status->n_hard; i++) {
		if (!quota_concerns(schema_of(a->object), status->hard[i]->key))
			continue;
		ARENA_PUSH(a->arena, names, n) = status->hard[i]->key;
		known &= map_search(used, status->n_used, status->hard[i]->key) != NULL;
	}
	if (known)
		return NULL;
	qsort(names, n, sizeof(*names), str_cmp_qsort);
	return admission_forbidden(a, "status unknown for quota: %s, resources: %s", object_name(quota),
		str_join(a->arena, names, n, ","));
}

/* What the write adds: all of a new object, of a changed one what it has more than before. */
static void measure(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1ResourceQuota *quota, struct quota_list *ret_delta)
{
	struct quota_list now, before = {0};
	int64_t now_s = clock_wall_s(context->clock);
	quota_usage(a->arena, a->object, now_s, &now);
	if (a->operation == ADMISSION_UPDATE && a->old && quota_matches(quota, a->old))
		quota_usage(a->arena, a->old, now_s, &before);
	*ret_delta = (struct quota_list){0};
	for (size_t i = 0; i < now.n_items; i++) {
		struct quantity more = now.items[i].amount;
		const struct quota_amount *was = quota_find(&before, now.items[i].name);
		if (was)
			quantity_sub(&more, &was->amount);
		if (quantity_sign(&more) > 0)
			quota_add(a->arena, ret_delta, now.items[i].name, &more);
	}
}

/* Adds the delta to the status, or refuses when a limit would be passed. */
static struct status *charge(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const struct charge *c = data;
	CoreV1ResourceQuotaStatus *status =
		ENSURE(arena, ((CoreV1ResourceQuota *)object)->status, CoreV1ResourceQuotaStatus);
	struct quota_list hard = quota_from_map(arena, status->hard, status->n_hard);
	struct quota_list used = quota_from_map(arena, status->used, status->n_used);
	struct quota_list asked = {0}, had = {0}, limit = {0};
	for (size_t i = 0; i < c->delta.n_items; i++) {
		const struct quota_amount *more = &c->delta.items[i], *most = quota_find(&hard, more->name);
		if (!most)
			continue;
		struct quantity none = {.format = QUANTITY_DECIMAL_SI};
		const struct quota_amount *was = quota_find(&used, more->name);
		struct quantity before = was ? was->amount : none;
		quota_add(arena, &used, more->name, &more->amount);
		/* What a status tells has happened. */
		if (str_eq(c->a->subresource, "status") ||
			quantity_compare(&quota_find(&used, more->name)->amount, &most->amount) <= 0)
			continue;
		quota_add(arena, &asked, more->name, &more->amount);
		quota_add(arena, &had, more->name, &before);
		quota_add(arena, &limit, more->name, &most->amount);
	}
	if (asked.n_items)
		return admission_forbidden(c->a, "exceeded quota: %s, requested: %s, used: %s, limited: %s",
			object_name(object), quota_text(arena, &asked), quota_text(arena, &had),
			quota_text(arena, &limit));
	quota_to_map(arena, &used, &status->used, &status->n_used);
	return NULL;
}

static struct status *check_quota(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1ResourceQuota *quota, struct charge *ret_charge)
{
	*ret_charge = (struct charge){.a = a, .quota = quota};
	TRY(check_constraints(a, quota));
	TRY(check_known(a, quota));
	measure(context, a, quota, &ret_charge->delta);
	return NULL;
}

static bool touches(const struct charge *c)
{
	const CoreV1ResourceQuotaStatus *status = c->quota->status;
	for (size_t i = 0; i < status->n_hard; i++)
		if (quota_find(&c->delta, status->hard[i]->key))
			return true;
	return false;
}

/* --- what may be used only under a quota --- */

/* What the write would use beyond what it used. */
static void measure_all(
	const struct admission_context *context, const struct admission_attributes *a, struct quota_list *ret_more)
{
	static const CoreV1ResourceQuota any;
	measure(context, a, &any, ret_more);
}

static bool is_limited(
	const ApiserverV1LimitedResource *limited, const struct admission_attributes *a, const char *resource)
{
	if (!str_eq(limited->api_group, a->group) || !str_eq(limited->resource, a->resource))
		return false;
	for (size_t i = 0; i < limited->n_match_contains; i++)
		if (strstr(resource, limited->match_contains[i]))
			return true;
	return false;
}

static bool is_covered(const struct quota_list *covered, const struct admission_attributes *a, const char *resource)
{
	return quota_find(covered, resource) && quota_concerns(schema_of(a->object), resource);
}

/* Resources that the configuration lets nobody use where no quota counts them. */
static struct status *check_limited(const struct admission_context *context, const struct admission_attributes *a,
	const struct quota_list *covered, const struct quota_list *more)
{
	const ApiserverV1ResourceQuotaConfiguration *config = context->own;
	struct nameset names = {.arena = a->arena};
	struct quota_list usage;
	char **uncovered = NULL;
	size_t n = 0;
	quota_usage(a->arena, a->object, clock_wall_s(context->clock), &usage);
	for (size_t i = 0; i < config->n_limited_resources; i++)
		for (size_t k = 0; k < usage.n_items; k++) {
			const char *name = usage.items[k].name;
			if (quantity_sign(&usage.items[k].amount) > 0 &&
				is_limited(config->limited_resources[i], a, name) && !is_covered(covered, a, name) &&
				nameset_add(&names, name))
				ARENA_PUSH(a->arena, uncovered, n) = arena_strdup(a->arena, name);
		}
	if (!n || !more->n_items)
		return NULL;
	qsort(uncovered, n, sizeof(*uncovered), str_cmp_qsort);
	return admission_forbidden(a, "insufficient quota to consume: %s", str_join(a->arena, uncovered, n, ","));
}

/* Whether one of the namespace's quotas has the scope, and the pod is in it. */
static bool is_scope_covered(const struct object_list *quotas, const ProtobufCMessage *object, const char *scope)
{
	for (size_t i = 0; i < quotas->n_items; i++) {
		const CoreV1ResourceQuotaSpec *spec = ((const CoreV1ResourceQuota *)quotas->items[i])->spec;
		const CoreV1ScopeSelector *selector = spec ? spec->scope_selector : NULL;
		const CoreV1ScopedResourceSelectorRequirement exists = {
			.scope_name = (char *)(uintptr_t)scope, .operator=(char *) "Exists"};
		if (spec && str_in_n(scope, spec->scopes, spec->n_scopes) && quota_scope_matches(&exists, object))
			return true;
		for (size_t k = 0; selector && k < selector->n_match_expressions; k++)
			if (str_eq(selector->match_expressions[k]->scope_name, scope) &&
				quota_scope_matches(selector->match_expressions[k], object))
				return true;
	}
	return false;
}

/* The same for pods in some scopes. */
static struct status *check_limited_scopes(const struct admission_context *context,
	const struct admission_attributes *a, const struct object_list *quotas, const struct quota_list *more)
{
	const ApiserverV1ResourceQuotaConfiguration *config = context->own;
	CLEANUP(strbuf_done) struct strbuf uncovered = STRBUF_INIT;
	for (size_t i = 0; i < config->n_limited_resources; i++)
		for (size_t k = 0; k < config->limited_resources[i]->n_match_scopes; k++) {
			const CoreV1ScopedResourceSelectorRequirement *r =
				config->limited_resources[i]->match_scopes[k];
			if (quota_scope_matches(r, a->object) && !is_scope_covered(quotas, a->object, r->scope_name))
				strbuf_printf(&uncovered, "%s{%s %s [%s]}", uncovered.len ? " " : "", r->scope_name,
					str_or_empty(r->operator), str_join(a->arena, r->values, r->n_values, " "));
		}
	if (!uncovered.len || !more->n_items)
		return NULL;
	return status_new(STATUS_UNKNOWN, "insufficient quota to match these scopes: [%s]", uncovered.buf);
}

/* What the quotas that concern the write count. */
static struct quota_list counted_by(const struct admission_attributes *a, const struct object_list *quotas)
{
	struct quota_list covered = {0};
	for (size_t i = 0; i < quotas->n_items; i++) {
		const CoreV1ResourceQuota *quota = (const CoreV1ResourceQuota *)quotas->items[i];
		if (!quota->status || !quota_matches(quota, a->object))
			continue;
		const struct quantity none = {.format = QUANTITY_DECIMAL_SI};
		for (size_t k = 0; k < quota->status->n_hard; k++)
			quota_add(a->arena, &covered, quota->status->hard[k]->key, &none);
	}
	return covered;
}

static struct status *check_uncovered(
	const struct admission_context *context, const struct admission_attributes *a, const struct object_list *quotas)
{
	const ApiserverV1ResourceQuotaConfiguration *config = context->own;
	struct quota_list more;
	if (!config->n_limited_resources)
		return NULL;
	const struct quota_list covered = counted_by(a, quotas);
	measure_all(context, a, &more);
	TRY(check_limited(context, a, &covered, &more));
	return check_limited_scopes(context, a, quotas, &more);
}

/* --- the plugin --- */

/* All quotas are asked before one is charged. */
static struct status *check_charges(const struct admission_attributes *a, struct charge *charges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(charge(&charges[i], a->arena, api_copy_msg(a->arena, charges[i].quota)));
	return NULL;
}

static struct status *charge_one(
	const struct admission_context *context, const struct admission_attributes *a, struct charge *c)
{
	struct status *s = objects_modify(context->objects, a->arena, &CoreV1ResourceQuota_schema, "status",
		a->namespace, object_name(c->quota), charge, c, NULL);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_drop(s, "a quota that was deleted limits nothing");
	return NULL;
}

static struct status *check_negative(const struct admission_context *context, const struct admission_attributes *a)
{
	struct quota_list usage;
	char **names = NULL;
	size_t n = 0;
	quota_usage(a->arena, a->object, clock_wall_s(context->clock), &usage);
	for (size_t i = 0; i < usage.n_items; i++)
		if (quantity_sign(&usage.items[i].amount) < 0)
			ARENA_PUSH(a->arena, names, n) = (char *)(uintptr_t)usage.items[i].name;
	if (!n)
		return NULL;
	qsort(names, n, sizeof(*names), str_cmp_qsort);
	return admission_forbidden(a, "quota usage is negative for resource(s): %s", str_join(a->arena, names, n, ","));
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	struct object_list list;
	if (!is_counted(a))
		return NULL;
	TRY(objects_list(context->objects, a->arena, &CoreV1ResourceQuota_schema, a->namespace, &list));
	struct charge *charges = ARENA_ARRAY(a->arena, struct charge, list.n_items + 1);
	size_t n = 0;
	for (size_t i = 0; i < list.n_items; i++) {
		const CoreV1ResourceQuota *quota = (const CoreV1ResourceQuota *)list.items[i];
		if (!quota->status || !quota_matches(quota, a->object) || !concerns(a, quota))
			continue;
		TRY(check_quota(context, a, quota, &charges[n]));
		n += touches(&charges[n]);
	}
	if (list.n_items)
		TRY(check_negative(context, a));
	TRY(check_uncovered(context, a, &list));
	TRY(check_charges(a, charges, n));
	for (size_t i = 0; i < n && !a->dry_run; i++)
		TRY(charge_one(context, a, &charges[i]));
	return NULL;
}

const struct admission_plugin resource_quota_plugin = {
	.name = "ResourceQuota",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
	.start = start,
};
