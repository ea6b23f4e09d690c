#include <math.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "apiserver/validation/extension/extension.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_PRECEDENCE = 10000, MAX_QUEUES = 10 * 1000 * 1000, MAX_HASH_BITS = 60 };
#define PRESERVE_ZERO "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
#define EVERYTHING                                                                                                 \
	"\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"clusterScope\":true," \
	"\"namespaces\":[\"*\"]}],\"nonResourceRules\":[{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]"

/* What these two schemas and levels say is fixed: the server relies on them. */
static const struct {
	const char *name, *schema, *level;
} mandatory[] = {
	{"exempt",
		"{\"priorityLevelConfiguration\":{\"name\":\"exempt\"},\"matchingPrecedence\":1,\"rules\":["
		"{\"subjects\":[{\"kind\":\"Group\",\"group\":{\"name\":\"system:masters\"}}]," EVERYTHING "}]}",
		"{\"type\":\"Exempt\",\"exempt\":{\"nominalConcurrencyShares\":0,\"lendablePercent\":0}}"},
	{"catch-all",
		"{\"priorityLevelConfiguration\":{\"name\":\"catch-all\"},\"matchingPrecedence\":10000,"
		"\"distinguisherMethod\":{\"type\":\"ByUser\"},\"rules\":[{\"subjects\":["
		"{\"kind\":\"Group\",\"group\":{\"name\":\"system:unauthenticated\"}},"
		"{\"kind\":\"Group\",\"group\":{\"name\":\"system:authenticated\"}}]," EVERYTHING "}]}",
		"{\"type\":\"Limited\",\"limited\":{\"nominalConcurrencyShares\":5,\"limitResponse\":{\"type\":"
		"\"Reject\"},\"lendablePercent\":0}}"},
};

static void *fixed_spec(struct arena *arena, const char *name, const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++) {
		const char *text =
			type == &FlowcontrolV1FlowSchemaSpec_schema ? mandatory[i].schema : mandatory[i].level;
		const struct json_options options = JSON_LENIENT;
		void *spec = NULL;
		if (!str_eq(mandatory[i].name, name))
			continue;
		struct status *s = json_decode(arena, type, text, strlen(text), &options, &spec);
		status_drop(s, "the text is constant");
		return spec;
	}
	return NULL;
}

static void check_wildcard(
	struct field_errors *errors, const struct field_path *path, char *const *list, size_t n, const char *what)
{
	if (n > 1 && str_in_n("*", list, n))
		field_invalid_json(errors, path, strings_json(errors->arena, list, n),
			arena_printf(errors->arena, "if '*' is present, must not specify other %s", what));
}

static void check_verbs(struct field_errors *errors, const struct field_path *path, char *const *verbs, size_t n)
{
	static const char *const known[] = {
		"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch", NULL};
	bool all_known = true;
	for (size_t i = 0; i < n; i++)
		all_known &= str_in(verbs[i], known);
	if (!n)
		field_required(errors, path, "verbs must contain at least one value");
	else if (str_in_n("*", verbs, n))
		check_wildcard(errors, path, verbs, n, "verbs");
	else if (!all_known)
		field_unsupported_json(errors, path, strings_json(errors->arena, verbs, n), known);
}

static void check_resource_rule(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1ResourcePolicyRule *r)
{
	const struct field_path *namespaces = FIELD(path, "namespaces");
	check_verbs(errors, FIELD(path, "verbs"), r->verbs, r->n_verbs);
	if (!r->n_api_groups)
		field_required(errors, FIELD(path, "apiGroups"), "resource rules must supply at least one api group");
	check_wildcard(errors, FIELD(path, "apiGroups"), r->api_groups, r->n_api_groups, "api groups");
	if (!r->n_resources)
		field_required(errors, FIELD(path, "resources"), "resource rules must supply at least one resource");
	check_wildcard(errors, FIELD(path, "resources"), r->resources, r->n_resources, "resources");
	if (!r->n_namespaces && !r->cluster_scope)
		field_required(errors, namespaces,
			"resource rules that are not cluster scoped must supply at least one namespace");
	check_wildcard(errors, namespaces, r->namespaces, r->n_namespaces, "namespaces");
	bool all = str_in_n("*", r->namespaces, r->n_namespaces);
	for (size_t i = 0; i < r->n_namespaces && !all; i++) {
		char **problems;
		const size_t n =
			field_problems(errors->arena, check_dns_label(errors->arena, r->namespaces[i]), &problems);
		for (size_t k = 0; k < n; k++)
			field_invalid(errors, FIELD_INDEX(namespaces, i), r->namespaces[i],
				arena_printf(errors->arena,
					"each member of this list must be '*' or a DNS-1123 label; %s", problems[k]));
	}
}

static const char *check_url_path(const char *path)
{
	size_t len = strlen(path);
	const char *star = strchr(path, '*');
	if (!len)
		return "must not be empty";
	if (!strcmp(path, "/"))
		return NULL;
	if (*path != '/')
		return "must start with slash";
	if (strchr(path, ' '))
		return "must not contain white-space";
	if (strstr(path, "//"))
		return "must not contain double slash";
	if (star && (star[1] || star[-1] != '/'))
		return "wildcard can only do suffix matching";
	return NULL;
}

static void check_url_rule(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1NonResourcePolicyRule *r)
{
	const struct field_path *urls = FIELD(path, "nonResourceURLs");
	check_verbs(errors, FIELD(path, "verbs"), r->verbs, r->n_verbs);
	if (!r->n_non_resource_urls)
		field_required(errors, urls, "nonResourceURLs must contain at least one value");
	check_wildcard(errors, urls, r->non_resource_urls, r->n_non_resource_urls, "non-resource URLs");
	bool all = str_in_n("*", r->non_resource_urls, r->n_non_resource_urls);
	for (size_t i = 0; i < r->n_non_resource_urls && !all; i++)
		validate_text(
			errors, FIELD_INDEX(urls, i), r->non_resource_urls[i], check_url_path(r->non_resource_urls[i]));
}

static void check_account(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1ServiceAccountSubject *a)
{
	if (!a) {
		field_required(errors, path, "serviceAccount is required when subject kind is 'ServiceAccount'");
		return;
	}
	if (str_empty(a->name))
		field_required(errors, FIELD(path, "name"), "");
	else if (strcmp(a->name, "*"))
		validate_text(errors, FIELD(path, "name"), a->name, check_dns_subdomain(errors->arena, a->name));
	if (str_empty(a->namespace))
		field_required(errors, FIELD(path, "namespace"), "must specify namespace for service account");
	else
		validate_text(
			errors, FIELD(path, "namespace"), a->namespace, check_dns_label(errors->arena, a->namespace));
}

static void check_named(
	struct field_errors *errors, const struct field_path *path, const char *what, bool set, const char *name)
{
	char *kind = arena_strdup(errors->arena, what);
	kind[0] = (char)(kind[0] - 'a' + 'A');
	if (!set)
		field_required(errors, FIELD(path, what),
			arena_printf(errors->arena, "%s is required when subject kind is '%s'", what, kind));
	else if (str_empty(name))
		field_required(errors, FIELD(FIELD(path, what), "name"), "");
}

static void check_subject(struct field_errors *errors, const struct field_path *path, const FlowcontrolV1Subject *s)
{
	static const char *const kinds[] = {"Group", "ServiceAccount", "User", NULL};
	bool account = str_eq(s->kind, "ServiceAccount"), user = str_eq(s->kind, "User"),
	     group = str_eq(s->kind, "Group");
	if (!account && !user && !group) {
		field_unsupported(errors, FIELD(path, "kind"), s->kind, kinds);
		return;
	}
	if (account)
		check_account(errors, FIELD(path, "serviceAccount"), s->service_account);
	if (user)
		check_named(errors, path, "user", s->user, s->user ? s->user->name : NULL);
	if (group)
		check_named(errors, path, "group", s->group, s->group ? s->group->name : NULL);
	if (!account && s->service_account)
		field_forbidden(errors, FIELD(path, "serviceAccount"),
			"serviceAccount is forbidden when subject kind is not 'ServiceAccount'");
	if (!user && s->user)
		field_forbidden(errors, FIELD(path, "user"), "user is forbidden when subject kind is not 'User'");
	if (!group && s->group)
		field_forbidden(errors, FIELD(path, "group"), "group is forbidden when subject kind is not 'Group'");
}

static void check_rules(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1PolicyRulesWithSubjects *r)
{
	for (size_t i = 0; i < r->n_subjects; i++)
		check_subject(errors, FIELD_INDEX(FIELD(path, "subjects"), i), r->subjects[i]);
	if (!r->n_subjects)
		field_required(errors, FIELD(path, "subjects"), "subjects must contain at least one value");
	if (!r->n_resource_rules && !r->n_non_resource_rules)
		field_required(errors, path, "at least one of resourceRules and nonResourceRules has to be non-empty");
	for (size_t i = 0; i < r->n_resource_rules; i++)
		check_resource_rule(errors, FIELD_INDEX(FIELD(path, "resourceRules"), i), r->resource_rules[i]);
	for (size_t i = 0; i < r->n_non_resource_rules; i++)
		check_url_rule(errors, FIELD_INDEX(FIELD(path, "nonResourceRules"), i), r->non_resource_rules[i]);
}

static void check_precedence(
	struct field_errors *errors, const struct field_path *path, int32_t value, const char *name)
{
	if (value <= 0)
		field_invalid_int(errors, path, value, "must be a positive value");
	if (value > MAX_PRECEDENCE)
		field_invalid_int(errors, path, value,
			arena_printf(errors->arena, "must not be greater than %d", MAX_PRECEDENCE));
	if (value == 1 && strcmp(name, "exempt"))
		field_invalid_int(errors, path, value, "only the schema named 'exempt' may have matchingPrecedence 1");
}

/* Each type of condition is named, and stands once. */
static void check_condition_types(struct field_errors *errors, const char *const *types, size_t n)
{
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "conditions");
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD(FIELD_INDEX(path, i), "type");
		if (!nameset_add(&seen, types[i]))
			field_duplicate(errors, at, types[i]);
		if (str_empty(types[i]))
			field_required(errors, at, "");
	}
}

void validate_flow_schema(struct field_errors *errors, const FlowcontrolV1FlowSchema *schema)
{
	static const char *const methods[] = {"ByNamespace", "ByUser", NULL};
	const FlowcontrolV1FlowSchemaSpec *spec = schema->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	const struct field_path *level = FIELD(FIELD(path, "priorityLevelConfiguration"), "name");
	const char *name = object_name(schema);
	const char *to = spec->priority_level_configuration ? spec->priority_level_configuration->name : NULL;
	check_precedence(errors, FIELD(path, "matchingPrecedence"), spec->matching_precedence, name);
	if (spec->distinguisher_method && !str_in(str_or_empty(spec->distinguisher_method->type), methods))
		field_unsupported_json(errors, FIELD(FIELD(path, "distinguisherMethod"), "type"),
			internal_json(errors->arena, spec->distinguisher_method), methods);
	if (str_empty(to))
		field_required(errors, level, "must reference a priority level");
	else
		validate_text(errors, level, to, check_dns_subdomain(errors->arena, to));
	for (size_t i = 0; i < spec->n_rules; i++)
		check_rules(errors, FIELD_INDEX(FIELD(path, "rules"), i), spec->rules[i]);
	const void *fixed = fixed_spec(errors->arena, name, &FlowcontrolV1FlowSchemaSpec_schema);
	if (fixed && !api_equal(fixed, spec))
		field_invalid_internal(errors, path, spec,
			arena_printf(errors->arena, "spec of '%s' must equal the fixed value", name));
	validate_flow_schema_status(errors, schema);
}

void validate_flow_schema_status(struct field_errors *errors, const FlowcontrolV1FlowSchema *schema)
{
	const FlowcontrolV1FlowSchemaStatus *status = schema->status;
	size_t n = status ? status->n_conditions : 0;
	const char **types = arena_alloc(errors->arena, n * sizeof(*types));
	for (size_t i = 0; i < n; i++)
		types[i] = status->conditions[i]->type;
	check_condition_types(errors, types, n);
}

static void check_queues(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1QueuingConfiguration *q)
{
	const struct field_path *queues = FIELD(path, "queues"), *hand = FIELD(path, "handSize");
	static const char positive[] = "must be positive";
	if (q->queue_length_limit <= 0)
		field_invalid_int(errors, FIELD(path, "queueLengthLimit"), q->queue_length_limit, positive);
	if (q->queues <= 0)
		field_invalid_int(errors, queues, q->queues, positive);
	else if (q->queues > MAX_QUEUES)
		field_invalid_int(errors, queues, q->queues,
			arena_printf(errors->arena, "must not be greater than %d", MAX_QUEUES));
	if (q->hand_size <= 0)
		field_invalid_int(errors, hand, q->hand_size, positive);
	else if (q->hand_size > q->queues)
		field_invalid_int(errors, hand, q->hand_size,
			arena_printf(errors->arena, "should not be greater than queues (%d)", q->queues));
	else if (ceil(log2(q->queues) * q->hand_size) > MAX_HASH_BITS)
		field_invalid_int(errors, hand, q->hand_size,
			arena_printf(errors->arena,
				"required entropy bits of deckSize %d and handSize %d should not be greater than %d",
				q->queues, q->hand_size, MAX_HASH_BITS));
}

static void check_response(
	struct field_errors *errors, const struct field_path *path, const FlowcontrolV1LimitResponse *r)
{
	static const char *const types[] = {"Queue", "Reject", NULL};
	const FlowcontrolV1QueuingConfiguration *queuing = r ? r->queuing : NULL;
	const char *type = r ? str_or_empty(r->type) : "";
	const struct field_path *at = FIELD(path, "queuing");
	if (!str_in(type, types))
		field_unsupported(errors, FIELD(path, "type"), type, types);
	else if (str_eq(type, "Reject") && queuing)
		field_forbidden(errors, at, "must be nil if limited.limitResponse.type is not Limited");
	else if (str_eq(type, "Queue") && !queuing)
		field_required(errors, at, "must not be empty if limited.limitResponse.type is Limited");
	else if (queuing)
		check_queues(errors, at, queuing);
}

static void check_shares(struct field_errors *errors, const struct field_path *path, int32_t shares, int32_t lendable)
{
	if (shares < 0)
		field_invalid_int(
			errors, FIELD(path, "nominalConcurrencyShares"), shares, "must be a non-negative integer");
	if (lendable < 0 || lendable > 100)
		field_invalid_int(
			errors, FIELD(path, "lendablePercent"), lendable, "must be between 0 and 100, inclusive");
}

static void check_limited(struct field_errors *errors, const struct field_path *path,
	const FlowcontrolV1LimitedPriorityLevelConfiguration *l)
{
	check_shares(errors, path, l->nominal_concurrency_shares, 0);
	check_response(errors, FIELD(path, "limitResponse"), l->limit_response);
	check_shares(errors, path, 0, l->lendable_percent);
	if (l->has_borrowing_limit_percent && l->borrowing_limit_percent < 0)
		field_invalid_int(errors, FIELD(path, "borrowingLimitPercent"), l->borrowing_limit_percent,
			"if specified, must be a non-negative integer");
}

static void check_type(struct field_errors *errors, const struct field_path *path,
	const FlowcontrolV1PriorityLevelConfigurationSpec *spec, const char *name)
{
	static const char *const types[] = {"Exempt", "Limited", NULL};
	bool exempt = str_eq(spec->type, "Exempt");
	const struct field_path *limited = FIELD(path, "limited");
	if (exempt != str_eq(name, "exempt"))
		field_invalid(
			errors, FIELD(path, "type"), spec->type, "must be 'Exempt' if and only if `name` is 'exempt'");
	if (!str_in(str_or_empty(spec->type), types)) {
		field_unsupported(errors, FIELD(path, "type"), spec->type, types);
	} else if (exempt) {
		if (spec->limited)
			field_forbidden(errors, limited, "must be nil if the type is not Limited");
		if (spec->exempt)
			check_shares(errors, FIELD(path, "exempt"), spec->exempt->nominal_concurrency_shares,
				spec->exempt->lendable_percent);
	} else {
		if (spec->exempt)
			field_forbidden(errors, FIELD(path, "exempt"), "must be nil if the type is Limited");
		if (spec->limited)
			check_limited(errors, limited, spec->limited);
		else
			field_required(errors, limited, "must not be empty when type is Limited");
	}
}

/* How much the exempt level has may change; nothing else of the two fixed ones. */
static void check_fixed(struct field_errors *errors, const struct field_path *path,
	const FlowcontrolV1PriorityLevelConfigurationSpec *spec, const char *name)
{
	FlowcontrolV1PriorityLevelConfigurationSpec *fixed =
		fixed_spec(errors->arena, name, &FlowcontrolV1PriorityLevelConfigurationSpec_schema);
	bool exempt = str_eq(name, "exempt");
	if (!fixed)
		return;
	if (exempt)
		fixed->exempt = spec->exempt;
	if (!api_equal(fixed, spec))
		field_invalid_internal(errors, path, spec,
			arena_printf(errors->arena,
				exempt ? "spec of '%s' except the 'spec.exempt' field must equal the fixed value"
				       : "spec of '%s' must equal the fixed value",
				name));
}

void validate_priority_level(struct field_errors *errors, const FlowcontrolV1PriorityLevelConfiguration *level)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (meta_annotation(level->metadata, PRESERVE_ZERO))
		field_forbidden(errors, FIELD(FIELD(NULL, "metadata"), "annotations"),
			"annotation '" PRESERVE_ZERO "' is forbidden");
	check_type(errors, path, level->spec, object_name(level));
	check_fixed(errors, path, level->spec, object_name(level));
	validate_priority_level_status(errors, level);
}

void validate_priority_level_status(struct field_errors *errors, const FlowcontrolV1PriorityLevelConfiguration *level)
{
	const FlowcontrolV1PriorityLevelConfigurationStatus *status = level->status;
	size_t n = status ? status->n_conditions : 0;
	const char **types = arena_alloc(errors->arena, n * sizeof(*types));
	for (size_t i = 0; i < n; i++)
		types[i] = status->conditions[i]->type;
	check_condition_types(errors, types, n);
}
