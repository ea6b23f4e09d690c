#include "api/go_text.h"
#include "api/selector.h"
#include "apiserver/authz/internal.h"
#include "apiserver/validation/reviews.h"
#include "base/str.h"

/* What is said of a selector of which nothing, or not all, could be read. */
static const char *ignored(struct arena *arena, const char *name, bool partially)
{
	return arena_printf(
		arena, "spec.resourceAttributes.%s %signored due to parse error", name, partially ? "partially " : "");
}

/* One requirement as text: only a single value that is there, or is not, can be asked for. */
static const char *field_text(struct arena *arena, const MetaV1FieldSelectorRequirement *r)
{
	const char *operator= str_eq(r->operator, "In") ? "=" : str_eq(r->operator, "NotIn") ? "!=" : NULL;
	return operator&& r->n_values == 1 ? arena_printf(arena, "%s%s%s", r->key, operator, r->values[0]) : NULL;
}

/* The selector as text; *ret_problem is what could not be read of it, NULL for nothing. */
static const char *fields_text(
	struct arena *arena, const AuthorizationV1FieldSelectorAttributes *fields, const char **ret_problem)
{
	char **good = NULL;
	size_t n = 0;
	struct field_selector *parsed;
	if (!fields->n_requirements) {
		struct status *bad = field_selector_parse(arena, str_or_empty(fields->raw_selector), &parsed);
		*ret_problem = bad ? ignored(arena, "fieldSelector", false) : NULL;
		const char *text = bad ? NULL : fields->raw_selector;
		status_drop(bad, "told in the answer");
		return text;
	}
	for (size_t i = 0; i < fields->n_requirements; i++) {
		const char *text = field_text(arena, fields->requirements[i]);
		if (text)
			ARENA_PUSH(arena, good, n) = (char *)(uintptr_t)text;
	}
	*ret_problem = n < fields->n_requirements ? ignored(arena, "fieldSelector", n > 0) : NULL;
	return str_join(arena, good, n, ",");
}

static const char *labels_problem(struct arena *arena, const AuthorizationV1LabelSelectorAttributes *labels)
{
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
	size_t n = 0;
	struct label_selector *parsed;
	for (size_t i = 0; i < labels->n_requirements; i++)
		n += str_in(str_or_empty(labels->requirements[i]->operator), operators);
	if (labels->n_requirements)
		return n < labels->n_requirements ? ignored(arena, "labelSelector", n > 0) : NULL;
	struct status *bad = label_selector_parse(arena, str_or_empty(labels->raw_selector), &parsed);
	const char *problem = bad ? ignored(arena, "labelSelector", false) : NULL;
	status_drop(bad, "told in the answer");
	return problem;
}

static char *take_selectors(
	struct arena *arena, const AuthorizationV1ResourceAttributes *resource, struct authz_attributes *a)
{
	const char *fields = NULL, *labels = NULL;
	if (resource && resource->field_selector)
		a->field_selector = fields_text(arena, resource->field_selector, &fields);
	if (resource && resource->label_selector)
		labels = labels_problem(arena, resource->label_selector);
	return arena_printf(arena, "%s%s%s", str_or_empty(fields), fields && labels ? "; " : "", str_or_empty(labels));
}

/* What a review asks, as attributes: a resource or a path. */
static void attributes_of(const AuthorizationV1ResourceAttributes *resource,
	const AuthorizationV1NonResourceAttributes *path, struct authz_attributes *a)
{
	if (resource) {
		a->resource_request = true;
		a->verb = str_or_empty(resource->verb);
		a->group = str_or_empty(resource->group);
		a->version = str_or_empty(resource->version);
		a->resource = str_or_empty(resource->resource);
		a->subresource = str_or_empty(resource->subresource);
		a->namespace = str_or_empty(resource->namespace);
		a->name = str_or_empty(resource->name);
	} else if (path) {
		a->verb = str_or_empty(path->verb);
		a->path = str_or_empty(path->path);
	}
}

static AuthorizationV1SubjectAccessReviewStatus *answer(struct authz *authz, struct arena *arena,
	const AuthorizationV1ResourceAttributes *resource, struct authz_attributes *a)
{
	char *problem = take_selectors(arena, resource, a);
	AuthorizationV1SubjectAccessReviewStatus *status = API_NEW(arena, AuthorizationV1SubjectAccessReviewStatus);
	const char *reason;
	enum authz_decision decision = authz_authorize(authz, arena, a, &reason);
	status->allowed = decision == AUTHZ_ALLOW;
	status->denied = decision == AUTHZ_DENY;
	status->reason = arena_strdup(arena, reason);
	status->evaluation_error = problem;
	return status;
}

struct status *authz_review_self(struct authz *authz, struct arena *arena, const struct user *user,
	AuthorizationV1SelfSubjectAccessReview *review)
{
	const AuthorizationV1SelfSubjectAccessReviewSpec *spec = review->spec;
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	validate_self_review(&errors, review);
	TRY(field_errors_status(&errors, "authorization.k8s.io", "", ""));
	struct authz_attributes a = {.user = user};
	attributes_of(spec->resource_attributes, spec->non_resource_attributes, &a);
	review->status = answer(authz, arena, spec->resource_attributes, &a);
	return NULL;
}

static struct user *subject_of(struct arena *arena, const AuthorizationV1SubjectAccessReviewSpec *spec)
{
	struct user *user = user_new(arena, spec->user, spec->uid);
	user->groups = spec->groups;
	user->n_groups = spec->n_groups;
	for (size_t i = 0; i < spec->n_extra; i++)
		if (spec->extra[i]->value && spec->extra[i]->value->n_items)
			ARENA_PUSH(arena, user->extra, user->n_extra) = (struct user_extra){
				spec->extra[i]->key, spec->extra[i]->value->items, spec->extra[i]->value->n_items};
	return user;
}

static AuthorizationV1SubjectAccessReviewStatus *answer_spec(
	struct authz *authz, struct arena *arena, const AuthorizationV1SubjectAccessReviewSpec *spec)
{
	struct authz_attributes a = {.user = subject_of(arena, spec)};
	attributes_of(spec->resource_attributes, spec->non_resource_attributes, &a);
	return answer(authz, arena, spec->resource_attributes, &a);
}

struct status *authz_review_subject(
	struct authz *authz, struct arena *arena, AuthorizationV1SubjectAccessReview *review)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	validate_subject_review(&errors, review);
	TRY(field_errors_status(&errors, "authorization.k8s.io", "", ""));
	review->status = answer_spec(authz, arena, review->spec);
	return NULL;
}

struct status *authz_review_local(struct authz *authz, struct arena *arena, const char *namespace,
	AuthorizationV1LocalSubjectAccessReview *review)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	validate_local_review(&errors, review);
	TRY(field_errors_status(&errors, "authorization.k8s.io", "", ""));
	if (!review->metadata || !str_eq(review->metadata->namespace, namespace))
		return status_bad_request("spec.resourceAttributes.namespace must match namespace: %s", namespace);
	review->status = answer_spec(authz, arena, review->spec);
	return NULL;
}

static void add_rule(struct arena *arena, AuthorizationV1SubjectRulesReviewStatus *status, const RbacV1PolicyRule *rule)
{
	if (rule->n_resources) {
		AuthorizationV1ResourceRule *r = API_NEW(arena, AuthorizationV1ResourceRule);
		r->verbs = rule->verbs;
		r->n_verbs = rule->n_verbs;
		r->api_groups = rule->api_groups;
		r->n_api_groups = rule->n_api_groups;
		r->resources = rule->resources;
		r->n_resources = rule->n_resources;
		r->resource_names = rule->resource_names;
		r->n_resource_names = rule->n_resource_names;
		ARENA_PUSH(arena, status->resource_rules, status->n_resource_rules) = r;
	}
	if (rule->n_non_resource_urls) {
		AuthorizationV1NonResourceRule *r = API_NEW(arena, AuthorizationV1NonResourceRule);
		r->verbs = rule->verbs;
		r->n_verbs = rule->n_verbs;
		r->non_resource_urls = rule->non_resource_urls;
		r->n_non_resource_urls = rule->n_non_resource_urls;
		ARENA_PUSH(arena, status->non_resource_rules, status->n_non_resource_rules) = r;
	}
}

static RbacV1PolicyRule *rule_of_everything(struct arena *arena)
{
	static char *const all[] = {"*"};
	RbacV1PolicyRule *rule = API_NEW(arena, RbacV1PolicyRule);
	rule->verbs = rule->api_groups = rule->resources = rule->non_resource_urls = (char **)(uintptr_t)all;
	rule->n_verbs = rule->n_api_groups = rule->n_resources = rule->n_non_resource_urls = ARRAY_SIZE(all);
	return rule;
}

/* Of one authorizer; false: it has more than can be told. */
static bool add_rules_of(struct authz *authz, enum authz_mode mode, const struct user *user, const char *namespace,
	struct rule_list *rules, struct problem_list *problems)
{
	struct arena *arena = problems->seen.arena;
	if (mode == AUTHZ_MODE_RBAC)
		rbac_rules_for(authz->rbac, arena, user, namespace, false, rules, problems);
	else if (mode == AUTHZ_MODE_ABAC)
		abac_rules_for(authz->abac, arena, user, namespace, rules);
	else if (mode == AUTHZ_MODE_ALWAYS_ALLOW)
		ARENA_PUSH(arena, rules->items, rules->n_items) = rule_of_everything(arena);
	/* What a node may do is decided by a graph, which has no list of rules. */
	if (mode != AUTHZ_MODE_NODE || !user_node_name(user))
		return true;
	problem_add(problems, "node authorizer does not support user rule resolution");
	return false;
}

struct status *authz_review_rules(struct authz *authz, struct arena *arena, const struct user *user,
	AuthorizationV1SelfSubjectRulesReview *review)
{
	if (!review->spec || str_empty(review->spec->namespace))
		return status_bad_request("no namespace on request");
	struct rule_list rules = {0};
	struct problem_list problems = {.seen = {.arena = arena}};
	review->status = API_NEW(arena, AuthorizationV1SubjectRulesReviewStatus);
	for (size_t i = 0; i < authz->n_modes; i++)
		review->status->incomplete |=
			!add_rules_of(authz, authz->modes[i], user, review->spec->namespace, &rules, &problems);
	for (size_t i = 0; i < rules.n_items; i++)
		add_rule(arena, review->status, rules.items[i]);
	review->status->evaluation_error = problems_text(arena, &problems);
	return NULL;
}

struct status *authz_role_rules(struct authz *authz, struct arena *arena, const char *namespace,
	const RbacV1RoleRef *ref, RbacV1PolicyRule ***ret_rules, size_t *ret_n_rules)
{
	struct rule_list rules;
	TRY(rbac_role_rules(authz->rbac, arena, namespace, ref, &rules));
	*ret_rules = rules.items;
	*ret_n_rules = rules.n_items;
	return NULL;
}

/* Each once, in order. */
static char *missing_text(struct arena *arena, const struct rule_list *missing)
{
	char **lines = ARENA_ARRAY(arena, char *, missing->n_items);
	size_t n = 0;
	for (size_t i = 0; i < missing->n_items; i++)
		lines[i] = rule_text(arena, missing->items[i]);
	qsort(lines, missing->n_items, sizeof(*lines), str_cmp_qsort);
	for (size_t i = 0; i < missing->n_items; i++)
		if (!n || strcmp(lines[n - 1], lines[i]))
			lines[n++] = lines[i];
	return str_join(arena, lines, n, "\n");
}

struct status *authz_check_escalation(struct authz *authz, struct arena *arena, const struct user *user,
	const char *namespace, RbacV1PolicyRule *const *rules, size_t n_rules)
{
	struct rule_list owner = {0}, wanted = {(RbacV1PolicyRule **)rules, n_rules}, missing;
	struct problem_list problems = {.seen = {.arena = arena}};
	rbac_rules_for(authz->rbac, arena, user, namespace, true, &owner, &problems);
	const char *text;
	if (!rules_missing(arena, &owner, &wanted, &missing))
		text = arena_printf(
			arena, "more than %d single rights, which are too many to be compared", MOST_RIGHTS);
	else if (!missing.n_items)
		return NULL;
	else
		text = missing_text(arena, &missing);
	char **groups = arena_calloc(arena, user->n_groups + 1, sizeof(*groups));
	for (size_t i = 0; i < user->n_groups; i++)
		groups[i] = go_quote(arena, user->groups[i]);
	return status_new(STATUS_FORBIDDEN,
		"user %s (groups=[%s]) is attempting to grant RBAC permissions not currently held:\n%s%s%s%s",
		go_quote(arena, user->name), str_join(arena, groups, user->n_groups, " "), text,
		problems.n_items ? "; resolution errors: [" : "", problems_text(arena, &problems),
		problems.n_items ? "]" : "");
}
