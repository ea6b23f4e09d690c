/*
 * The flow schemas and priority levels that every cluster begins with, kept as the original keeps them: what is missing
 * is created; the mandatory ones are as they are here, whatever somebody made of them; the suggested ones are a user's
 * as soon as he changes them, or says so in the annotation. What bears the annotation and is in neither table is of an
 * older release, and goes. (k8s.io/kubernetes/pkg/registry/flowcontrol/ensurer)
 */
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

#define AUTOUPDATE "apf.kubernetes.io/autoupdate-spec"
#define PRODUCER "api-priority-and-fairness-config-producer-v1"
#define CONSUMER "api-priority-and-fairness-config-consumer-v1"
#define EXEMPT "exempt"

static const struct level {
	const char *name;
	bool mandatory;
	int32_t shares, lendable_percent;
	int32_t queues, hand_size, queue_length; /* 0: who finds no room is refused */
} levels[] = {
	{"system", false, 30, 33, 64, 6, 50},
	{"node-high", false, 40, 25, 64, 6, 50},
	{"leader-election", false, 10, 0, 16, 4, 50},
	{"workload-high", false, 40, 50, 128, 6, 50},
	{"workload-low", false, 100, 90, 128, 6, 50},
	{"global-default", false, 20, 50, 128, 6, 50},
	{"catch-all", true, 5, 0},
	{EXEMPT, true, 0, 0},
};

/* Of resources, or, where there are paths, of those. */
struct rule {
	const char *verbs, *groups, *resources;
	bool cluster; /* those without a namespace too */
	const char *paths;
};

#define EVERY_RESOURCE                    \
	{                                 \
		"*", "*", "*", true, NULL \
	}
#define EVERY_PATH                          \
	{                                   \
		"*", NULL, NULL, false, "*" \
	}
#define EVERYBODY "Group:/system:unauthenticated,Group:/system:authenticated"
#define CONTROLLERS "User:/system:kube-controller-manager"
#define SCHEDULER "User:/system:kube-scheduler"
#define SYSTEM_ACCOUNTS "ServiceAccount:kube-system/*"

static const struct flow {
	const char *name;
	bool mandatory;
	const char *level;
	int32_t precedence;
	const char *method;   /* what tells flows apart; NULL: nothing */
	const char *subjects; /* KIND:NAMESPACE/NAME */
	struct rule rules[2];
} flows[] = {
	{"system-nodes", false, "system", 500, "ByUser", "Group:/system:nodes", {EVERY_RESOURCE, EVERY_PATH}},
	{"system-node-high", false, "node-high", 400, "ByUser", "Group:/system:nodes",
		{{"*", "", "nodes,nodes/status", true, NULL}, {"*", "coordination.k8s.io", "leases", false, NULL}}},
	{"probes", false, EXEMPT, 2, NULL, EVERYBODY, {{"get", NULL, NULL, false, "/healthz,/readyz,/livez"}}},
	{"system-leader-election", false, "leader-election", 100, "ByUser",
		CONTROLLERS "," SCHEDULER "," SYSTEM_ACCOUNTS,
		{{"get,create,update", "coordination.k8s.io", "leases", false, NULL}}},
	{"kube-controller-manager", false, "workload-high", 800, "ByNamespace", CONTROLLERS,
		{EVERY_RESOURCE, EVERY_PATH}},
	{"kube-scheduler", false, "workload-high", 800, "ByNamespace", SCHEDULER, {EVERY_RESOURCE, EVERY_PATH}},
	{"kube-system-service-accounts", false, "workload-high", 900, "ByNamespace", SYSTEM_ACCOUNTS,
		{EVERY_RESOURCE, EVERY_PATH}},
	{"service-accounts", false, "workload-low", 9000, "ByUser", "Group:/system:serviceaccounts",
		{EVERY_RESOURCE, EVERY_PATH}},
	{"global-default", false, "global-default", 9900, "ByUser", EVERYBODY, {EVERY_RESOURCE, EVERY_PATH}},
	{EXEMPT, true, EXEMPT, 1, NULL, "Group:/system:masters", {EVERY_RESOURCE, EVERY_PATH}},
	{"catch-all", true, "catch-all", 10000, "ByUser", EVERYBODY, {EVERY_RESOURCE, EVERY_PATH}},
};

/* --- the tables as objects --- */

static void set_meta(struct arena *arena, void *object, const char *name)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, object);
	meta->name = arena_strdup(arena, name);
	meta_set_annotation(arena, meta, AUTOUPDATE, "true");
}

static FlowcontrolV1PriorityLevelConfigurationSpec *level_spec(struct arena *arena, const struct level *row)
{
	FlowcontrolV1PriorityLevelConfigurationSpec *spec = API_NEW(arena, FlowcontrolV1PriorityLevelConfigurationSpec);
	if (str_eq(row->name, EXEMPT)) {
		spec->type = (char *)"Exempt";
		spec->exempt = API_NEW(arena, FlowcontrolV1ExemptPriorityLevelConfiguration);
		return spec;
	}
	FlowcontrolV1LimitedPriorityLevelConfiguration *limited =
		API_NEW(arena, FlowcontrolV1LimitedPriorityLevelConfiguration);
	FlowcontrolV1LimitResponse *response = API_NEW(arena, FlowcontrolV1LimitResponse);
	spec->type = (char *)"Limited";
	spec->limited = limited;
	limited->has_nominal_concurrency_shares = limited->has_lendable_percent = true;
	limited->nominal_concurrency_shares = row->shares;
	limited->lendable_percent = row->lendable_percent;
	limited->limit_response = response;
	response->type = (char *)(row->queues ? "Queue" : "Reject");
	if (!row->queues)
		return spec;
	response->queuing = API_NEW(arena, FlowcontrolV1QueuingConfiguration);
	response->queuing->queues = row->queues;
	response->queuing->hand_size = row->hand_size;
	response->queuing->queue_length_limit = row->queue_length;
	return spec;
}

static void *level_object(struct arena *arena, const struct level *row)
{
	FlowcontrolV1PriorityLevelConfiguration *level = API_NEW(arena, FlowcontrolV1PriorityLevelConfiguration);
	set_meta(arena, level, row->name);
	level->spec = level_spec(arena, row);
	return level;
}

static FlowcontrolV1Subject *subject_of(struct arena *arena, const char *text)
{
	FlowcontrolV1Subject *subject = API_NEW(arena, FlowcontrolV1Subject);
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	char *name = arena_strdup(arena, slash + 1);
	subject->kind = arena_strndup(arena, text, (size_t)(colon - text));
	if (str_eq(subject->kind, "User")) {
		subject->user = API_NEW(arena, FlowcontrolV1UserSubject);
		subject->user->name = name;
	} else if (str_eq(subject->kind, "Group")) {
		subject->group = API_NEW(arena, FlowcontrolV1GroupSubject);
		subject->group->name = name;
	} else {
		subject->service_account = API_NEW(arena, FlowcontrolV1ServiceAccountSubject);
		subject->service_account->name = name;
		subject->service_account->namespace = arena_strndup(arena, colon + 1, (size_t)(slash - colon - 1));
	}
	return subject;
}

static void add_rule(struct arena *arena, FlowcontrolV1PolicyRulesWithSubjects *rules, const struct rule *row)
{
	if (row->paths) {
		FlowcontrolV1NonResourcePolicyRule *rule = API_NEW(arena, FlowcontrolV1NonResourcePolicyRule);
		boot_words(arena, row->verbs, &rule->verbs, &rule->n_verbs);
		boot_words(arena, row->paths, &rule->non_resource_urls, &rule->n_non_resource_urls);
		ARENA_PUSH(arena, rules->non_resource_rules, rules->n_non_resource_rules) = rule;
	} else if (row->verbs) {
		FlowcontrolV1ResourcePolicyRule *rule = API_NEW(arena, FlowcontrolV1ResourcePolicyRule);
		boot_words(arena, row->verbs, &rule->verbs, &rule->n_verbs);
		boot_words(arena, row->groups, &rule->api_groups, &rule->n_api_groups);
		boot_words(arena, row->resources, &rule->resources, &rule->n_resources);
		boot_words(arena, "*", &rule->namespaces, &rule->n_namespaces);
		rule->cluster_scope = row->cluster;
		ARENA_PUSH(arena, rules->resource_rules, rules->n_resource_rules) = rule;
	}
}

static void *flow_object(struct arena *arena, const struct flow *row)
{
	FlowcontrolV1FlowSchema *schema = API_NEW(arena, FlowcontrolV1FlowSchema);
	FlowcontrolV1FlowSchemaSpec *spec = schema->spec = API_NEW(arena, FlowcontrolV1FlowSchemaSpec);
	FlowcontrolV1PolicyRulesWithSubjects *rules = API_NEW(arena, FlowcontrolV1PolicyRulesWithSubjects);
	char **subjects = NULL;
	size_t n_subjects = 0;
	set_meta(arena, schema, row->name);
	spec->matching_precedence = row->precedence;
	spec->priority_level_configuration = API_NEW(arena, FlowcontrolV1PriorityLevelConfigurationReference);
	spec->priority_level_configuration->name = arena_strdup(arena, row->level);
	if (row->method) {
		spec->distinguisher_method = API_NEW(arena, FlowcontrolV1FlowDistinguisherMethod);
		spec->distinguisher_method->type = arena_strdup(arena, row->method);
	}
	boot_words(arena, row->subjects, &subjects, &n_subjects);
	for (size_t i = 0; i < n_subjects; i++)
		ARENA_PUSH(arena, rules->subjects, rules->n_subjects) = subject_of(arena, subjects[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->rules); i++)
		add_rule(arena, rules, &row->rules[i]);
	ARENA_PUSH(arena, spec->rules, spec->n_rules) = rules;
	return schema;
}

/* --- keeping them --- */

/* Whether the annotation says yes or no, as Go reads a bool. */
static bool autoupdate_of(const ProtobufCMessage *object, bool *ret_value)
{
	return str_to_bool(meta_annotation(object_meta(object), AUTOUPDATE), ret_value);
}

struct wanted {
	void *object; /* defaulted */
	bool mandatory;
};

/* Makes the object what it has to be; returns whether anything was otherwise. */
static bool revise(struct arena *arena, const struct wanted *wanted, ProtobufCMessage *object)
{
	bool said = false, has_said = autoupdate_of(object, &said), changed = false;
	bool keeps = wanted->mandatory || (has_said ? said : object_meta(object)->generation == 1);
	ProtobufCMessage **spec = (ProtobufCMessage **)object_child_p(object, "spec");
	ProtobufCMessage *target = api_copy_msg(arena, *object_child_p(wanted->object, "spec"));
	/* How much the exempt level lends is its user's to say. */
	if (schema_of(object) == &FlowcontrolV1PriorityLevelConfiguration_schema &&
		str_eq(object_name(object), EXEMPT)) {
		FlowcontrolV1ExemptPriorityLevelConfiguration *is =
			((FlowcontrolV1PriorityLevelConfiguration *)object)->spec->exempt;
		if (is)
			((FlowcontrolV1PriorityLevelConfigurationSpec *)target)->exempt = is;
	}
	if (keeps && !api_equal(*spec, target)) {
		*spec = target;
		changed = true;
	}
	if (!has_said || said != keeps) {
		meta_set_annotation(arena, object_meta_ensure(arena, object), AUTOUPDATE, keeps ? "true" : "false");
		changed = true;
	}
	return changed;
}

static struct status *modify(void *data, struct arena *arena, ProtobufCMessage *object)
{
	revise(arena, data, object);
	return NULL;
}

static struct status *keep(const struct boot_options *options, struct arena *arena, void *object, bool mandatory)
{
	struct wanted wanted = {object, mandatory};
	const ProtobufCMessage *present;
	const char *name = object_name(object);
	api_set_defaults(arena, object);
	struct status *s = objects_get(options->objects, arena, schema_of(object), "", name, &present);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_free(s);
		s = objects_create_as(options->objects, arena, PRODUCER, object);
		if (!status_is(s, STATUS_ALREADY_EXISTS))
			return s;
		status_free(s);
		return NULL;
	}
	if (s || !revise(arena, &wanted, api_copy_msg(arena, present)))
		return s;
	return objects_modify_as(options->objects, arena, PRODUCER, schema_of(object), "", name, modify, &wanted);
}

static bool is_in_table(const struct schema_type *type, const char *name)
{
	bool is_flow = type == &FlowcontrolV1FlowSchema_schema;
	for (size_t i = 0; is_flow && i < ARRAY_SIZE(flows); i++)
		if (str_eq(flows[i].name, name))
			return true;
	for (size_t i = 0; !is_flow && i < ARRAY_SIZE(levels); i++)
		if (str_eq(levels[i].name, name))
			return true;
	return false;
}

static struct status *remove_old(
	const struct boot_options *options, struct arena *arena, const struct schema_type *type)
{
	struct object_list list;
	TRY(objects_list(options->objects, arena, type, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const char *name = object_name(list.items[i]);
		bool kept_here = false;
		if (is_in_table(type, name) || !autoupdate_of(list.items[i], &kept_here) || !kept_here)
			continue;
		struct status *s = objects_delete(options->objects, arena, type, "", name);
		if (!status_is(s, STATUS_NOT_FOUND))
			TRY(s);
		else
			status_free(s);
	}
	return NULL;
}

struct status *boot_flow_control(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (int mandatory = 0; mandatory <= 1; mandatory++) {
		for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
			if (levels[i].mandatory == mandatory)
				TRY(status_wrap(keep(options, arena, level_object(arena, &levels[i]), mandatory),
					"priority level %s", levels[i].name));
		for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
			if (flows[i].mandatory == mandatory)
				TRY(status_wrap(keep(options, arena, flow_object(arena, &flows[i]), mandatory),
					"flow schema %s", flows[i].name));
	}
	TRY(remove_old(options, arena, &FlowcontrolV1FlowSchema_schema));
	TRY(remove_old(options, arena, &FlowcontrolV1PriorityLevelConfiguration_schema));
	return boot_flow_conditions(options);
}

/* --- what a flow schema refers to --- */

/* The condition that the schema should have; NULL: it has it. */
static FlowcontrolV1FlowSchemaCondition *new_condition(
	struct arena *arena, const FlowcontrolV1FlowSchema *schema, bool found)
{
	FlowcontrolV1FlowSchemaCondition *wanted = API_NEW(arena, FlowcontrolV1FlowSchemaCondition);
	wanted->type = (char *)"Dangling";
	wanted->status = (char *)(found ? "False" : "True");
	wanted->reason = (char *)(found ? "Found" : "NotFound");
	wanted->message =
		arena_printf(arena, "This FlowSchema references the PriorityLevelConfiguration object named \"%s\" %s",
			schema->spec->priority_level_configuration->name,
			found ? "and it exists" : "but there is no such object");
	const FlowcontrolV1FlowSchemaCondition *has = schema->status ? CONDITION(schema->status, "Dangling") : NULL;
	if (has && str_eq(has->status, wanted->status) && str_eq(has->reason, wanted->reason) &&
		str_eq(has->message, wanted->message))
		return NULL;
	wanted->last_transition_time = time_now(arena);
	return wanted;
}

static struct status *tell_condition(
	const struct boot_options *options, struct arena *arena, const FlowcontrolV1FlowSchema *schema)
{
	const ProtobufCMessage *level;
	const char *name = schema->spec->priority_level_configuration->name;
	struct status *s =
		objects_get(options->objects, arena, &FlowcontrolV1PriorityLevelConfiguration_schema, "", name, &level);
	bool found = !s;
	if (s && !status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	FlowcontrolV1FlowSchemaCondition *condition = new_condition(arena, schema, found);
	if (!condition)
		return NULL;
	FlowcontrolV1FlowSchema *config = API_NEW(arena, FlowcontrolV1FlowSchema);
	object_meta_ensure(arena, config)->name = arena_strdup(arena, object_name(schema));
	config->status = API_NEW(arena, FlowcontrolV1FlowSchemaStatus);
	ARENA_PUSH(arena, config->status->conditions, config->status->n_conditions) = condition;
	s = objects_apply(options->objects, arena, CONSUMER, &config->base, "status");
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	return NULL;
}

struct status *boot_flow_conditions(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct object_list list;
	TRY(objects_list(options->objects, arena, &FlowcontrolV1FlowSchema_schema, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++)
		TRY(status_wrap(tell_condition(options, arena, (const FlowcontrolV1FlowSchema *)list.items[i]),
			"flow schema %s", object_name(list.items[i])));
	return NULL;
}
