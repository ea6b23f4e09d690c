/* Kinds of a few fields each. */
#include "kubectl/verbs/create/kinds.h"

struct simple_options {
	struct generator_options common;
	char *hard, *scopes, *selector, *min_available, *max_unavailable, *description, *preemption;
	int64_t value;
	bool global_default;
};
#define S(...) OPT(struct simple_options, __VA_ARGS__)

static const struct option plain_flags[] = {
	OPT_GROUP(struct simple_options, common, generator_flags),
	OPT_END,
};

static struct status *namespace_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	*ret_object = obj_new(k->arena, "v1", "Namespace", name);
	obj_object(k->arena, *ret_object, "spec");
	obj_object(k->arena, *ret_object, "status");
	return NULL;
}
GENERATOR_RUN(namespace)

static struct status *serviceaccount_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	*ret_object = obj_new(k->arena, "v1", "ServiceAccount", name);
	return NULL;
}
GENERATOR_RUN(serviceaccount)

static const struct option quota_flags[] = {
	OPT_GROUP(struct simple_options, common, generator_flags),
	S(hard, 0, "hard", FLAG_STRING, "", "Limits as resource=quantity, joined by commas"),
	S(scopes, 0, "scopes", FLAG_STRING, "", "Scopes joined by commas"),
	OPT_END,
};

static struct status *quota_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct simple_options *o = call->options;
	struct arena *arena = k->arena;
	char **parts, *key, *value;
	*ret_object = obj_new(arena, "v1", "ResourceQuota", name);
	obj_object(arena, *ret_object, "spec");
	size_t n = str_split(arena, o->hard, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(arena, parts[i], &key, &value))
			return user_error("Invalid argument syntax %s, expected <resource>=<value>", parts[i]);
		tree_set_string(arena, obj_object(arena, *ret_object, "spec.hard"), key, value);
	}
	n = str_split(arena, o->scopes, ',', &parts);
	if (n)
		append_strings(arena, obj_array(arena, *ret_object, "spec.scopes"), parts, n);
	obj_object(arena, *ret_object, "status");
	return NULL;
}
GENERATOR_RUN(quota)

static const struct option poddisruptionbudget_flags[] = {
	OPT_GROUP(struct simple_options, common, generator_flags),
	S(selector, 0, "selector", FLAG_STRING, "", "Labels of the pods: key=value, joined by commas"),
	S(min_available, 0, "min-available", FLAG_STRING, "", "How many must stay, a number or percentage"),
	S(max_unavailable, 0, "max-unavailable", FLAG_STRING, "", "How many may go, a number or percentage"),
	OPT_END,
};

static void set_int_or_string(struct arena *arena, cJSON *object, const char *path, const char *text)
{
	int64_t number;
	if (str_to_int64(text, INT32_MIN, INT32_MAX, &number))
		obj_set_int(arena, object, path, number);
	else
		obj_set_string(arena, object, path, text);
}

static struct status *poddisruptionbudget_build(
	struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct simple_options *o = call->options;
	struct arena *arena = k->arena;
	char **parts, *key, *value;
	cJSON *pdb = obj_new(arena, "policy/v1", "PodDisruptionBudget", name);
	*ret_object = pdb;
	TRY(require_flag(call, "selector"));
	if (str_empty(o->min_available) && str_empty(o->max_unavailable))
		return user_error("one of min-available or max-unavailable must be specified");
	if (!str_empty(o->min_available) && !str_empty(o->max_unavailable))
		return user_error("min-available and max-unavailable cannot be both specified");
	if (!str_empty(o->min_available))
		set_int_or_string(arena, pdb, "spec.minAvailable", o->min_available);
	else
		set_int_or_string(arena, pdb, "spec.maxUnavailable", o->max_unavailable);
	size_t n = str_split(arena, o->selector, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(arena, parts[i], &key, &value))
			return user_error("selector %s is not of the form key=value", parts[i]);
		tree_set_string(arena, obj_object(arena, pdb, "spec.selector.matchLabels"), key, value);
	}
	static const char *const counts[] = {
		"status.currentHealthy", "status.desiredHealthy", "status.disruptionsAllowed", "status.expectedPods"};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		obj_set_int(arena, pdb, counts[i], 0);
	return NULL;
}
GENERATOR_RUN(poddisruptionbudget)

static const struct option priorityclass_flags[] = {
	OPT_GROUP(struct simple_options, common, generator_flags),
	S(value, 0, "value", FLAG_INT, "0", "Priority"),
	S(global_default, 0, "global-default", FLAG_BOOL, "false", "Priority of pods that name no class"),
	S(description, 0, "description", FLAG_STRING, "", "When to use the class"),
	S(preemption, 0, "preemption-policy", FLAG_STRING, "PreemptLowerPriority", "PreemptLowerPriority or Never"),
	OPT_END,
};

static struct status *priorityclass_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct simple_options *o = call->options;
	cJSON *pc = obj_new(k->arena, "scheduling.k8s.io/v1", "PriorityClass", name);
	TRY(require_flag(call, "value"));
	obj_set_int(k->arena, pc, "value", o->value);
	if (o->global_default)
		obj_set_bool(k->arena, pc, "globalDefault", true);
	if (!str_empty(o->description))
		tree_set_string(k->arena, pc, "description", o->description);
	tree_set_string(k->arena, pc, "preemptionPolicy", o->preemption);
	*ret_object = pc;
	return NULL;
}
GENERATOR_RUN(priorityclass)

static const char *const namespace_aliases[] = {"ns", NULL}, *const serviceaccount_aliases[] = {"sa", NULL},
			 *const quota_aliases[] = {"resourcequota", NULL},
			 *const poddisruptionbudget_aliases[] = {"pdb", NULL},
			 *const priorityclass_aliases[] = {"pc", NULL};
#define COMMAND(verb, table, usage_, summary_)                         \
	const struct command create_##verb##_command = {.name = #verb, \
		.aliases = verb##_aliases,                             \
		.usage = (usage_),                                     \
		.summary = (summary_),                                 \
		.flags = table,                                        \
		.options_size = sizeof(struct simple_options),         \
		.run = verb##_run}
COMMAND(namespace, plain_flags, "NAME [--dry-run=server|client|none]", "Create a namespace with the given name");
COMMAND(serviceaccount, plain_flags, "NAME [--dry-run=server|client|none]", "Create a service account");
COMMAND(quota, quota_flags, "NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2]", "Create a quota");
COMMAND(poddisruptionbudget, poddisruptionbudget_flags, "NAME --selector=SELECTOR --min-available=N",
	"Create a pod disruption budget");
COMMAND(priorityclass, priorityclass_flags, "NAME --value=VALUE", "Create a priority class");
