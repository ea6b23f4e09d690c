#include "apiserver/store/former.h"
#include "api/meta.h"
#include "base/str.h"

/* --- budgets: of policy/v1beta1, an empty selector selects nothing --- */

#define BUDGET_LABEL "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"

/* The one requirement that is meant to have nothing that meets it. */
static bool selects_nothing(const MetaV1LabelSelector *selector)
{
	if (selector->n_match_labels || selector->n_match_expressions != 1)
		return false;
	const MetaV1LabelSelectorRequirement *only = selector->match_expressions[0];
	return str_eq(only->key, BUDGET_LABEL) && str_eq(only->operator, "Exists") && !only->n_values;
}

static void strip(MetaV1LabelSelector *selector)
{
	size_t n = 0;
	for (size_t i = 0; i < selector->n_match_expressions; i++)
		if (!str_eq(selector->match_expressions[i]->key, BUDGET_LABEL))
			selector->match_expressions[n++] = selector->match_expressions[i];
	selector->n_match_expressions = n;
}

void former_settle_budget(PolicyV1PodDisruptionBudget *budget)
{
	MetaV1LabelSelector *selector = budget->spec ? budget->spec->selector : NULL;
	if (selector && !selects_nothing(selector))
		strip(selector);
}

static void settle_old_budget(struct arena *arena, ProtobufCMessage *object)
{
	PolicyV1PodDisruptionBudgetSpec *spec = ((PolicyV1PodDisruptionBudget *)object)->spec;
	MetaV1LabelSelector *selector = spec ? spec->selector : NULL;
	if (!selector)
		return;
	if (selector->n_match_labels || selector->n_match_expressions) {
		strip(selector);
		return;
	}
	MetaV1LabelSelectorRequirement *never = API_NEW(arena, MetaV1LabelSelectorRequirement);
	never->key = (char *)BUDGET_LABEL;
	never->operator=(char *) "Exists";
	ARENA_PUSH(arena, selector->match_expressions, selector->n_match_expressions) = never;
}

/* --- priority levels: before v1, no shares were 30, but where an annotation says that none are meant --- */

static void settle_old_level(struct arena *arena, ProtobufCMessage *object)
{
	FlowcontrolV1PriorityLevelConfiguration *level = (FlowcontrolV1PriorityLevelConfiguration *)object;
	FlowcontrolV1LimitedPriorityLevelConfiguration *limited = level->spec ? level->spec->limited : NULL;
	const bool none =
		meta_remove_annotation(level->metadata, "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares");
	if (limited && !limited->nominal_concurrency_shares) {
		limited->has_nominal_concurrency_shares = true;
		limited->nominal_concurrency_shares = none ? 0 : 30;
	}
}

/* --- subjects of roles: v1alpha1 named a version, not a group, and had a word for everybody --- */

#define RBAC_GROUP "rbac.authorization.k8s.io"

static void settle_old_subject(struct arena *arena, RbacV1Subject *subject)
{
	const bool user = str_eq(subject->kind, "User");
	const char *slash = strchr(subject->api_group, '/');
	if (user || str_eq(subject->kind, "Group"))
		subject->api_group = (char *)RBAC_GROUP;
	else
		subject->api_group =
			slash && !str_eq(subject->kind, "ServiceAccount")
				? arena_strndup(arena, subject->api_group, (size_t)(slash - subject->api_group))
				: (char *)"";
	if (user && str_eq(subject->name, "*")) {
		subject->kind = (char *)"Group";
		subject->name = (char *)"system:authenticated";
	}
}

static void settle_old_binding(struct arena *arena, ProtobufCMessage *object)
{
	RbacV1RoleBinding *binding = (RbacV1RoleBinding *)object;
	for (size_t i = 0; i < binding->n_subjects; i++)
		settle_old_subject(arena, binding->subjects[i]);
}

static void settle_old_cluster_binding(struct arena *arena, ProtobufCMessage *object)
{
	RbacV1ClusterRoleBinding *binding = (RbacV1ClusterRoleBinding *)object;
	for (size_t i = 0; i < binding->n_subjects; i++)
		settle_old_subject(arena, binding->subjects[i]);
}

static const struct former {
	const struct schema_type *type;
	const char *versions[4];
	void (*settle)(struct arena *arena, ProtobufCMessage *object);
} formers[] = {
	{&PolicyV1PodDisruptionBudget_schema, {"policy/v1beta1"}, settle_old_budget},
	{&FlowcontrolV1PriorityLevelConfiguration_schema,
		{"flowcontrol.apiserver.k8s.io/v1beta1", "flowcontrol.apiserver.k8s.io/v1beta2",
			"flowcontrol.apiserver.k8s.io/v1beta3"},
		settle_old_level},
	{&RbacV1RoleBinding_schema, {RBAC_GROUP "/v1alpha1"}, settle_old_binding},
	{&RbacV1ClusterRoleBinding_schema, {RBAC_GROUP "/v1alpha1"}, settle_old_cluster_binding},
};

static const struct former *former_of(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(formers); i++)
		if (formers[i].type == type)
			return &formers[i];
	return NULL;
}

bool former_has_versions(const struct schema_type *type)
{
	return former_of(type) != NULL;
}

void former_settle(struct arena *arena, const char *api_version, ProtobufCMessage *object)
{
	const struct former *former = former_of(schema_of(object));
	if (former && str_in(api_version, former->versions))
		former->settle(arena, object);
}
