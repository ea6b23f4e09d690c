#include "kubectl/verbs/create/kinds.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"
#define RBAC_VERSION RBAC_GROUP "/v1"

struct rbac_options {
	struct generator_options common;
	struct flag_list verbs, resources, names, urls, users, groups, accounts, aggregation;
	char *role, *cluster_role;
};

#define R(...) OPT(struct rbac_options, __VA_ARGS__)
#define RULE_FLAGS                                                                     \
	R(verbs, 0, "verb", FLAG_STRINGS, "", "Verbs that are allowed"),               \
		R(resources, 0, "resource", FLAG_STRINGS, "",                          \
			"Resources they are allowed on (name, name.group, name/sub)"), \
		R(names, 0, "resource-name", FLAG_STRING_ARRAY, "", "Only objects of this name")
#define SUBJECT_FLAGS                                                          \
	R(users, 0, "user", FLAG_STRING_ARRAY, "", "User to bind"),            \
		R(groups, 0, "group", FLAG_STRING_ARRAY, "", "Group to bind"), \
		R(accounts, 0, "serviceaccount", FLAG_STRING_ARRAY, "", "Service account to bind: namespace:name")

static const struct option role_flags[] = {
	OPT_GROUP(struct rbac_options, common, generator_flags),
	RULE_FLAGS,
	OPT_END,
};
static const struct option clusterrole_flags[] = {
	OPT_GROUP(struct rbac_options, common, generator_flags),
	RULE_FLAGS,
	R(urls, 0, "non-resource-url", FLAG_STRINGS, "", "Paths that are allowed"),
	R(aggregation, 0, "aggregation-rule", FLAG_MAP, "", "Labels of the cluster roles to join"),
	OPT_END,
};
static const struct option rolebinding_flags[] = {
	OPT_GROUP(struct rbac_options, common, generator_flags),
	R(role, 0, "role", FLAG_STRING, "", "Role to bind to"),
	R(cluster_role, 0, "clusterrole", FLAG_STRING, "", "Cluster role to bind to"),
	SUBJECT_FLAGS,
	OPT_END,
};
static const struct option clusterrolebinding_flags[] = {
	OPT_GROUP(struct rbac_options, common, generator_flags),
	R(cluster_role, 0, "clusterrole", FLAG_STRING, "", "Cluster role to bind to"),
	SUBJECT_FLAGS,
	OPT_END,
};

static void append_unique(struct arena *arena, cJSON *array, const char *text)
{
	TREE_FOREACH (item, array)
		if (str_eq(tree_string(item), text))
			return;
	tree_append(array, tree_new_string(arena, text));
}

/* The rule for a group, made with the verbs and names if it is not there yet. */
static cJSON *rule_for(struct arena *arena, cJSON *role, const struct rbac_options *o, const char *group)
{
	cJSON *rules = obj_array(arena, role, "rules");
	TREE_FOREACH (rule, rules)
		if (str_eq(obj_string(rule, "apiGroups.0"), group))
			return rule;
	cJSON *rule = tree_new_object(arena);
	for (size_t i = 0; i < o->verbs.n_items; i++)
		append_unique(arena, obj_array(arena, rule, "verbs"), o->verbs.items[i]);
	tree_append(obj_array(arena, rule, "apiGroups"), tree_new_string(arena, group));
	obj_array(arena, rule, "resources");
	for (size_t i = 0; i < o->names.n_items; i++)
		append_unique(arena, obj_array(arena, rule, "resourceNames"), o->names.items[i]);
	tree_append(rules, rule);
	return rule;
}

/* Verbs that are asked for on few resources only, some of which exist for authorization alone and no server lists them.
 */
static const struct special_verb {
	const char *verb, *group, *plural;
} special_verbs[] = {
	{"use", "policy", "podsecuritypolicies"},
	{"use", "extensions", "podsecuritypolicies"},
	{"bind", "rbac.authorization.k8s.io", "roles"},
	{"bind", "rbac.authorization.k8s.io", "clusterroles"},
	{"escalate", "rbac.authorization.k8s.io", "roles"},
	{"escalate", "rbac.authorization.k8s.io", "clusterroles"},
	{"impersonate", "", "users"},
	{"impersonate", "", "serviceaccounts"},
	{"impersonate", "", "groups"},
	{"impersonate", "authentication.k8s.io", "userextras"},
};

/* Whether the verbs can be used on the resource; ret_special is set when one of them makes a resource that no server
 * lists good. */
static struct status *check_special(
	const struct flag_list *verbs, const char *group, const char *plural, bool *ret_special)
{
	for (size_t i = 0; i < verbs->n_items; i++) {
		bool special = false, match = false;
		for (size_t j = 0; j < ARRAY_SIZE(special_verbs); j++) {
			const struct special_verb *v = &special_verbs[j];
			if (!str_eq(v->verb, verbs->items[i]))
				continue;
			special = true;
			match |= str_eq(v->group, group) && str_eq(v->plural, plural);
		}
		if (special && !match)
			return user_error("can not perform '%s' on '%s' in group '%s'", verbs->items[i], plural, group);
		*ret_special |= match;
	}
	return NULL;
}

static struct status *find_resource(
	struct kubectl *k, const struct rbac_options *o, char *text, const char **ret_group, const char **ret_plural)
{
	const struct api_resource *mapping = NULL;
	bool special = false;
	CLEANUP_STATUS struct status *unknown = mapping_find(k, text, &mapping);
	if (unknown) {
		char *dot = strchr(text, '.');
		if (dot)
			*dot = 0;
		*ret_group = dot ? dot + 1 : "";
		*ret_plural = text;
	} else {
		*ret_group = mapping->rest.group;
		*ret_plural = mapping->rest.plural;
	}
	TRY(check_special(&o->verbs, *ret_group, *ret_plural, &special));
	if (!unknown || special)
		return NULL;
	struct status *s = unknown;
	unknown = NULL;
	return status_is_servers(s) ? s : status_with_code(s, SEVERAL_CODE); /* shown without "error: " in front */
}

static struct status *add_resource(struct kubectl *k, const struct rbac_options *o, cJSON *role, const char *text)
{
	char *copy = arena_strdup(k->arena, text), *slash = strchr(copy, '/');
	const char *group = "*", *plural = copy;
	if (slash)
		*slash = 0;
	if (!str_eq(copy, "*"))
		TRY(find_resource(k, o, copy, &group, &plural));
	cJSON *rule = rule_for(k->arena, role, o, group);
	append_unique(k->arena, tree_get(rule, "resources"),
		slash ? arena_printf(k->arena, "%s/%s", plural, slash + 1) : plural);
	return NULL;
}

static void warn_of_verbs(const struct flag_list *verbs, bool on_resources)
{
	static const char *const standard[] = {"*", "get", "delete", "list", "create", "update", "patch", "watch",
		"proxy", "deletecollection", "use", "bind", "escalate", "impersonate"};
	for (size_t i = 0; i < verbs->n_items && on_resources; i++) {
		bool known = false;
		for (size_t j = 0; j < ARRAY_SIZE(standard) && !known; j++)
			known = str_eq(standard[j], verbs->items[i]);
		if (!known)
			fprintf(stderr, "Warning: '%s' is not a standard resource verb\n", verbs->items[i]);
	}
}

static struct status *build_role(
	struct kubectl *k, struct call *call, const char *kind, const char *name, cJSON **ret_object)
{
	struct rbac_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *role = obj_new(arena, RBAC_VERSION, kind, name);
	*ret_object = role;
	if (o->aggregation.n_items) {
		cJSON *selector = tree_new_object(arena), *labels = obj_object(arena, selector, "matchLabels");
		for (size_t i = 0; i < o->aggregation.n_items; i++) {
			char *key, *value;
			if (split_pair(arena, o->aggregation.items[i], &key, &value))
				tree_set_string(arena, labels, key, value);
		}
		tree_append(obj_array(arena, role, "aggregationRule.clusterRoleSelectors"), selector);
		obj_set(arena, role, "rules", tree_new_null(arena));
		return NULL;
	}
	if (!o->verbs.n_items)
		return user_error("at least one verb must be specified");
	warn_of_verbs(&o->verbs, o->resources.n_items > 0);
	if (!o->resources.n_items && !o->urls.n_items)
		return user_error(str_eq(kind, "Role") ? "at least one resource must be specified"
						       : "one of resource or nonResourceURL must be specified");
	for (size_t i = 0; i < o->resources.n_items; i++)
		TRY(add_resource(k, o, role, o->resources.items[i]));
	if (o->urls.n_items) {
		cJSON *rule = tree_new_object(arena);
		append_strings(arena, obj_array(arena, rule, "verbs"), o->verbs.items, o->verbs.n_items);
		append_strings(arena, obj_array(arena, rule, "nonResourceURLs"), o->urls.items, o->urls.n_items);
		tree_append(obj_array(arena, role, "rules"), rule);
	}
	return NULL;
}

static void add_subjects(struct arena *arena, cJSON *binding, const char *kind, const struct flag_list *names)
{
	for (size_t i = 0; i < names->n_items; i++) {
		cJSON *subject = tree_new_object(arena);
		tree_set_string(arena, subject, "kind", kind);
		tree_set_string(arena, subject, "apiGroup", RBAC_GROUP);
		tree_set_string(arena, subject, "name", names->items[i]);
		tree_append(obj_array(arena, binding, "subjects"), subject);
	}
}

static struct status *build_binding(
	struct kubectl *k, struct call *call, const char *kind, const char *name, cJSON **ret_object)
{
	struct rbac_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *binding = obj_new(arena, RBAC_VERSION, kind, name);
	bool is_role = !str_empty(o->role);
	obj_set_string(arena, binding, "roleRef.apiGroup", RBAC_GROUP);
	obj_set_string(arena, binding, "roleRef.kind", is_role ? "Role" : "ClusterRole");
	obj_set_string(arena, binding, "roleRef.name", is_role ? o->role : o->cluster_role);
	add_subjects(arena, binding, "User", &o->users);
	add_subjects(arena, binding, "Group", &o->groups);
	for (size_t i = 0; i < o->accounts.n_items; i++) {
		const char *text = o->accounts.items[i], *colon = strchr(text, ':');
		if (!colon || colon == text || !colon[1] || strchr(colon + 1, ':'))
			return user_error("serviceaccount must be <namespace>:<name>");
		cJSON *subject = tree_new_object(arena);
		tree_set_string(arena, subject, "kind", "ServiceAccount");
		tree_set_string(arena, subject, "name", colon + 1);
		tree_set_string(arena, subject, "namespace", arena_strndup(arena, text, (size_t)(colon - text)));
		tree_append(obj_array(arena, binding, "subjects"), subject);
	}
	*ret_object = binding;
	return NULL;
}

static struct status *role_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	return build_role(k, call, "Role", name, ret_object);
}
GENERATOR_RUN(role)

static struct status *clusterrole_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	return build_role(k, call, "ClusterRole", name, ret_object);
}
GENERATOR_RUN(clusterrole)

static struct status *rolebinding_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct rbac_options *o = call->options;
	if (str_empty(o->role) == str_empty(o->cluster_role))
		return user_error("exactly one of clusterrole or role must be specified");
	return build_binding(k, call, "RoleBinding", name, ret_object);
}
GENERATOR_RUN(rolebinding)

static struct status *clusterrolebinding_build(
	struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	TRY(require_flag(call, "clusterrole"));
	return build_binding(k, call, "ClusterRoleBinding", name, ret_object);
}
GENERATOR_RUN(clusterrolebinding)

#define COMMAND(verb, usage_, summary_)                                \
	const struct command create_##verb##_command = {.name = #verb, \
		.usage = (usage_),                                     \
		.summary = (summary_),                                 \
		.flags = verb##_flags,                                 \
		.options_size = sizeof(struct rbac_options),           \
		.run = verb##_run}
COMMAND(role, "NAME --verb=verb --resource=resource.group/subresource", "Create a role with a single rule");
COMMAND(clusterrole, "NAME --verb=verb --resource=resource.group", "Create a cluster role");
COMMAND(rolebinding, "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname]",
	"Create a binding of a role or cluster role in one namespace");
COMMAND(clusterrolebinding, "NAME --clusterrole=NAME [--user=username] [--group=groupname]",
	"Create a binding of a cluster role");
