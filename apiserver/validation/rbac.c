#include "apiserver/validation/rbac.h"
#include "api/selector.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

#define GROUP "rbac.authorization.k8s.io"

static void check_rule(
	struct field_errors *errors, const struct field_path *path, const RbacV1PolicyRule *r, bool namespaced)
{
	if (!r->n_verbs)
		field_required(errors, FIELD(path, "verbs"), "verbs must contain at least one value");
	if (r->n_non_resource_urls) {
		const struct field_path *at = FIELD(path, "nonResourceURLs");
		char *list = arena_printf(errors->arena, "[\"%s\"]",
			str_join(errors->arena, r->non_resource_urls, r->n_non_resource_urls, "\",\""));
		if (namespaced)
			field_invalid_json(errors, at, list, "namespaced rules cannot apply to non-resource URLs");
		if (r->n_api_groups || r->n_resources || r->n_resource_names)
			field_invalid_json(
				errors, at, list, "rules cannot apply to both regular resources and non-resource URLs");
		return;
	}
	if (!r->n_api_groups)
		field_required(errors, FIELD(path, "apiGroups"), "resource rules must supply at least one api group");
	if (!r->n_resources)
		field_required(errors, FIELD(path, "resources"), "resource rules must supply at least one resource");
}

void validate_rules(struct field_errors *errors, RbacV1PolicyRule *const *rules, size_t n, bool namespaced)
{
	for (size_t i = 0; i < n; i++)
		check_rule(errors, FIELD_INDEX(FIELD(NULL, "rules"), i), rules[i], namespaced);
}

void validate_cluster_role(struct field_errors *errors, const RbacV1ClusterRole *role)
{
	validate_rules(errors, role->rules, role->n_rules, false);
	const RbacV1AggregationRule *a = role->aggregation_rule;
	const struct field_path *path = FIELD(FIELD(NULL, "aggregationRule"), "clusterRoleSelectors");
	if (a && !a->n_cluster_role_selectors)
		field_required(errors, path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
	for (size_t i = 0; a && i < a->n_cluster_role_selectors; i++) {
		struct label_selector *selector = NULL;
		validate_label_selector(errors, FIELD_INDEX(path, i), a->cluster_role_selectors[i]);
		struct status *s = label_selector_from_api(errors->arena, a->cluster_role_selectors[i], &selector);
		if (s)
			field_invalid_json(errors, FIELD_INDEX(path, i), "null", "invalid label selector.");
		status_drop(s, "told as a field error");
	}
}

/* Of a plain text, which is quoted; one of a type of its own would be told as JSON. */
static void unsupported(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported)
{
	field_unsupported_json(errors, path, field_quote(errors->arena, str_or_empty(value)), supported);
}

static void check_subject(
	struct field_errors *errors, const struct field_path *path, const RbacV1Subject *s, bool namespaced)
{
	static const char *const kinds[] = {"ServiceAccount", "User", "Group", NULL};
	static const char *const no_group[] = {"", NULL};
	static const char *const rbac_group[] = {GROUP, NULL};
	if (str_empty(s->name))
		field_required(errors, FIELD(path, "name"), "");
	if (str_eq(s->kind, "ServiceAccount")) {
		if (!str_empty(s->name))
			validate_text(
				errors, FIELD(path, "name"), s->name, check_dns_subdomain(errors->arena, s->name));
		if (!str_empty(s->api_group))
			unsupported(errors, FIELD(path, "apiGroup"), s->api_group, no_group);
		if (!namespaced && str_empty(s->namespace))
			field_required(errors, FIELD(path, "namespace"), "");
	} else if (str_eq(s->kind, "User") || str_eq(s->kind, "Group")) {
		if (!str_eq(s->api_group, GROUP))
			unsupported(errors, FIELD(path, "apiGroup"), s->api_group, rbac_group);
	} else {
		unsupported(errors, FIELD(path, "kind"), s->kind, kinds);
	}
}

void validate_binding(struct field_errors *errors, RbacV1Subject *const *subjects, size_t n, const RbacV1RoleRef *ref,
	bool namespaced)
{
	static const char *const group[] = {GROUP, NULL};
	static const char *const both[] = {"Role", "ClusterRole", NULL};
	static const char *const cluster[] = {"ClusterRole", NULL};
	const struct field_path *path = FIELD(NULL, "roleRef");
	if (!ref || !str_eq(ref->api_group, GROUP))
		unsupported(errors, FIELD(path, "apiGroup"), ref ? ref->api_group : "", group);
	if (!ref || !str_in(str_or_empty(ref->kind), namespaced ? both : cluster))
		unsupported(errors, FIELD(path, "kind"), ref ? ref->kind : "", namespaced ? both : cluster);
	if (!ref || str_empty(ref->name))
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(
			errors, FIELD(path, "name"), ref->name, name_is_path_segment(errors->arena, ref->name, false));
	for (size_t i = 0; i < n; i++)
		check_subject(errors, FIELD_INDEX(FIELD(NULL, "subjects"), i), subjects[i], namespaced);
}
