#include "api/copy.h"
#include "apiserver/validation/extension/expression.h"
#include "apiserver/validation/extension/extension.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"
#include "cel/eval.h"

#define FORM "; desired format: https://host[/path]"
enum { MAX_CONDITIONS = 64, MAX_TIMEOUT_S = 30 };

bool is_blank(const char *text)
{
	const char *t = str_or_empty(text);
	return !t[strspn(t, " \t\r\n\v\f")];
}

/* The parts of a URL that are looked at. */
struct url_parts {
	char *scheme, *user, *host, *query, *fragment;
};

static struct url_parts split_url(struct arena *arena, const char *url)
{
	struct url_parts u = {arena_strdup(arena, ""), NULL, arena_strdup(arena, ""), arena_strdup(arena, ""),
		arena_strdup(arena, "")};
	char *rest = arena_strdup(arena, url), *mark = strchr(rest, '#');
	if (mark) {
		*mark = 0;
		u.fragment = mark + 1;
	}
	mark = strchr(rest, '?');
	if (mark) {
		*mark = 0;
		u.query = mark + 1;
	}
	size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	if (n && rest[n] == ':') {
		u.scheme = str_lower(arena, arena_strndup(arena, rest, n));
		rest += n + 1;
	}
	if (!str_starts_with(rest, "//"))
		return u;
	u.host = arena_strndup(arena, rest + 2, strcspn(rest + 2, "/"));
	mark = strrchr(u.host, '@');
	if (mark) {
		*mark = 0;
		u.user = u.host;
		u.host = mark + 1;
	}
	return u;
}

/* Why a text is no URL, not even one relative to another; NULL when it is. */
static const char *parse_problem(struct arena *arena, const char *text)
{
	const char *url = arena_strndup(arena, text, strcspn(text, "#"));
	const char *problem = *url ? cel_url_problem(arena, url) : NULL;
	if (!problem || !str_ends_with(problem, ": invalid URI for request"))
		return problem;
	/* A path: whose beginning is not to be taken for a scheme. */
	size_t head = strcspn(url, "/?");
	problem = memchr(url, ':', head) ? "first path segment in URL cannot contain colon"
					 : cel_escape_problem(arena, arena_strndup(arena, url, strcspn(url, "?")));
	return problem ? arena_printf(arena, "parse %s: %s", field_quote(arena, url), problem) : NULL;
}

void validate_webhook_url(struct field_errors *errors, const struct field_path *path, const char *url)
{
	const char *problem = parse_problem(errors->arena, url);
	if (problem) {
		field_required(errors, path, arena_printf(errors->arena, "url must be a valid URL: %s" FORM, problem));
		return;
	}
	struct url_parts u = split_url(errors->arena, url);
	if (strcmp(u.scheme, "https"))
		field_invalid(errors, path, u.scheme, "'https' is the only allowed URL scheme" FORM);
	if (!*u.host)
		field_invalid(errors, path, "", "host must be specified" FORM);
	if (u.user)
		field_invalid(errors, path, u.user, "user information is not permitted in the URL");
	if (*u.fragment)
		field_invalid(errors, path, u.fragment, "fragments are not permitted in the URL");
	if (*u.query)
		field_invalid(errors, path, u.query, "query parameters are not permitted in the URL");
}

static void check_segments(struct field_errors *errors, const struct field_path *path, const char *url_path)
{
	char **steps, *bare = arena_strdup(errors->arena, *url_path ? url_path + 1 : url_path);
	size_t len = strlen(bare), n;
	if (len && bare[len - 1] == '/')
		bare[len - 1] = 0;
	if (!*bare)
		field_invalid(errors, path, url_path, "segment[0] may not be empty");
	n = str_split(errors->arena, bare, '/', &steps);
	for (size_t i = 0; i < n; i++) {
		const char *problem = *steps[i] ? check_dns_subdomain(errors->arena, steps[i]) : "may not be empty";
		if (!*steps[i])
			field_invalid(errors, path, url_path,
				arena_printf(errors->arena, "segment[%zu] may not be empty", i));
		else if (problem)
			field_invalid(
				errors, path, url_path, arena_printf(errors->arena, "segment[%zu]: %s", i, problem));
	}
}

void validate_webhook_service(struct field_errors *errors, const struct field_path *path, const char *namespace,
	const char *name, const char *url_path, int32_t port)
{
	const char *problem = check_port_number(port);
	const struct field_path *at = FIELD(path, "path");
	if (str_empty(name))
		field_required(errors, FIELD(path, "name"), "");
	if (str_empty(namespace))
		field_required(errors, FIELD(path, "namespace"), "");
	if (problem)
		field_invalid_int(errors, FIELD(path, "port"), port,
			arena_printf(errors->arena, "port is not valid: %s", problem));
	if (str_empty(url_path) || str_eq(url_path, "/"))
		return;
	if (str_eq(url_path, "//")) {
		field_invalid(errors, at, url_path, "segment[0] may not be empty");
		return;
	}
	if (*url_path != '/')
		field_invalid(errors, at, url_path, "must start with a '/'");
	check_segments(errors, at, url_path);
}

static void check_alone(struct field_errors *errors, const struct field_path *path, char *const *list, size_t n,
	const char *wildcard, const char *detail)
{
	if (n > 1 && str_in_n(wildcard, list, n))
		field_invalid_json(errors, path, strings_json(errors->arena, list, n), detail);
}

static void check_resource(
	struct field_errors *errors, const struct field_path *path, const char *text, const struct nameset *before)
{
	struct arena *arena = errors->arena;
	const char *slash = strchr(text, '/');
	if (!slash)
		return;
	char *resource = arena_strndup(arena, text, (size_t)(slash - text));
	if (nameset_has(before, arena_printf(arena, "%s/*", resource)))
		field_invalid(errors, path, text,
			arena_printf(arena, "if '%s/*' is present, must not specify %s", resource, text));
	if (nameset_has(before, arena_printf(arena, "*/%s", slash + 1)))
		field_invalid(errors, path, text,
			arena_printf(arena, "if '*/%s' is present, must not specify %s", slash + 1, text));
}

static void check_resources(struct field_errors *errors, const struct field_path *path, char *const *list, size_t n)
{
	bool plain = false;
	struct nameset seen = {.arena = errors->arena};
	if (!n)
		field_required(errors, path, "");
	for (size_t i = 0; i < n; i++) {
		if (!*list[i])
			field_required(errors, FIELD_INDEX(path, i), "");
		else if (!strchr(list[i], '/'))
			plain = strcmp(list[i], "*") != 0;
		check_resource(errors, FIELD_INDEX(path, i), list[i], &seen);
		nameset_add(&seen, list[i]);
	}
	check_alone(errors, path, list, n, "*/*", "if '*/*' is present, must not specify other resources");
	if (plain && str_in_n("*", list, n))
		field_invalid_json(errors, path, strings_json(errors->arena, list, n),
			"if '*' is present, must not specify other resources without subresources");
}

static void check_rule(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1Rule *rule)
{
	static const char *const scopes[] = {"*", "Cluster", "Namespaced", NULL};
	const AdmissionregistrationV1Rule *r = rule ? rule : AdmissionregistrationV1Rule_schema.zero;
	const struct field_path *groups = FIELD(path, "apiGroups"), *versions = FIELD(path, "apiVersions");
	if (!r->n_api_groups)
		field_required(errors, groups, "");
	check_alone(errors, groups, r->api_groups, r->n_api_groups, "*",
		"if '*' is present, must not specify other API groups");
	if (!r->n_api_versions)
		field_required(errors, versions, "");
	check_alone(errors, versions, r->api_versions, r->n_api_versions, "*",
		"if '*' is present, must not specify other API versions");
	for (size_t i = 0; i < r->n_api_versions; i++)
		if (!*r->api_versions[i])
			field_required(errors, FIELD_INDEX(versions, i), "");
	check_resources(errors, FIELD(path, "resources"), r->resources, r->n_resources);
	if (r->scope && !str_in(r->scope, scopes))
		field_unsupported(errors, FIELD(path, "scope"), r->scope, scopes);
}

void validate_operations(struct field_errors *errors, const struct field_path *path,
	const AdmissionregistrationV1RuleWithOperations *rule)
{
	static const char *const known[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL};
	const AdmissionregistrationV1RuleWithOperations *r =
		rule ? rule : AdmissionregistrationV1RuleWithOperations_schema.zero;
	const struct field_path *at = FIELD(path, "operations");
	if (!r->n_operations)
		field_required(errors, at, "");
	check_alone(errors, at, r->operations, r->n_operations, "*",
		"if '*' is present, must not specify other operations");
	for (size_t i = 0; i < r->n_operations; i++)
		if (!str_in(r->operations[i], known))
			field_unsupported(errors, FIELD_INDEX(at, i), r->operations[i], known);
	check_rule(errors, path, r->rule);
}

static void check_condition(struct field_errors *errors, const struct field_path *path, const char *expression,
	bool params, const struct strmap *stored)
{
	static const struct cel_type *const types[] = {&cel_bool, NULL};
	const char *text = str_trim(errors->arena, str_or_empty(expression));
	if (!*text) {
		field_required(errors, path, "");
		return;
	}
	unsigned parts = ADMISSION_AUTHORIZER | (params ? (unsigned)ADMISSION_PARAMS : 0) |
			 (stored && strmap_has(stored, text) ? (unsigned)ADMISSION_STORED : 0);
	validate_admission_expression(errors, path, cel_env_admission(errors->arena, parts, NULL), text, text, types);
}

void validate_match_conditions(struct field_errors *errors, const struct field_path *path,
	AdmissionregistrationV1MatchCondition *const *conditions, size_t n, bool params, const struct strmap *stored)
{
	if (n > MAX_CONDITIONS)
		field_too_many(errors, path, n, MAX_CONDITIONS);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		bool again = !nameset_add(&seen, conditions[i]->name);
		check_condition(errors, FIELD(at, "expression"), conditions[i]->expression, params, stored);
		if (str_empty(conditions[i]->name)) {
			field_required(errors, name, "");
			continue;
		}
		validate_text(
			errors, name, conditions[i]->name, check_qualified_name(errors->arena, conditions[i]->name));
		if (again)
			field_duplicate(errors, name, conditions[i]->name);
	}
}

/* What validating and mutating webhooks have in common. */
struct webhook {
	const char *name, *failure_policy, *match_policy, *side_effects, *reinvocation_policy;
	const AdmissionregistrationV1WebhookClientConfig *client;
	AdmissionregistrationV1RuleWithOperations *const *rules;
	size_t n_rules;
	const MetaV1LabelSelector *namespace_selector, *object_selector;
	bool has_timeout;
	int32_t timeout;
	char *const *versions;
	size_t n_versions;
	AdmissionregistrationV1MatchCondition *const *conditions;
	size_t n_conditions;
};

#define WEBHOOK(h)                                                                                           \
	{                                                                                                    \
		.name = (h)->name, .failure_policy = (h)->failure_policy, .match_policy = (h)->match_policy, \
		.side_effects = (h)->side_effects, .client = (h)->client_config, .rules = (h)->rules,        \
		.n_rules = (h)->n_rules, .namespace_selector = (h)->namespace_selector,                      \
		.object_selector = (h)->object_selector, .has_timeout = (h)->has_timeout_seconds,            \
		.timeout = (h)->timeout_seconds, .versions = (h)->admission_review_versions,                 \
		.n_versions = (h)->n_admission_review_versions, .conditions = (h)->match_conditions,         \
		.n_conditions = (h)->n_match_conditions                                                      \
	}

/* All webhooks of a configuration, of either sort. */
struct webhooks {
	struct webhook *items;
	size_t n_items;
};

static struct webhooks of_validating(
	struct arena *arena, const AdmissionregistrationV1ValidatingWebhookConfiguration *config)
{
	struct webhooks all = {ARENA_ARRAY(arena, struct webhook, config->n_webhooks), config->n_webhooks};
	for (size_t i = 0; i < config->n_webhooks; i++)
		all.items[i] = (struct webhook)WEBHOOK(config->webhooks[i]);
	return all;
}

static struct webhooks of_mutating(
	struct arena *arena, const AdmissionregistrationV1MutatingWebhookConfiguration *config)
{
	struct webhooks all = {ARENA_ARRAY(arena, struct webhook, config->n_webhooks), config->n_webhooks};
	for (size_t i = 0; i < config->n_webhooks; i++) {
		all.items[i] = (struct webhook)WEBHOOK(config->webhooks[i]);
		all.items[i].reinvocation_policy = config->webhooks[i]->reinvocation_policy;
	}
	return all;
}

/* What is asked of a change only if the object had it right before. */
struct rules {
	bool no_side_effects, known_version, unique_names, conditions;
	struct strmap *stored; /* expressions of conditions that were there; NULL: none */
};

static const char *const harmless[] = {"None", "NoneOnDryRun", NULL};
static const char *const review_versions[] = {"v1", "v1beta1", NULL};

static void check_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	const char *problem = check_dns_subdomain(errors->arena, str_or_empty(name));
	const char *dot = strchr(str_or_empty(name), '.');
	if (str_empty(name))
		field_required(errors, path, "");
	else if (problem)
		field_invalid(errors, path, name, problem);
	else if (!dot || !strchr(dot + 1, '.'))
		field_invalid(errors, path, name, "should be a domain with at least three segments separated by dots");
}

static void check_choice(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *choices)
{
	if (value && !str_in(value, choices))
		field_unsupported(errors, path, value, choices);
}

static void check_side_effects(struct field_errors *errors, const struct field_path *path, const char *value, bool none)
{
	static const char *const all[] = {"None", "NoneOnDryRun", "Some", "Unknown", NULL};
	if (!value)
		field_required(errors, path,
			none ? "must specify one of None, NoneOnDryRun"
			     : "must specify one of None, NoneOnDryRun, Some, Unknown");
	check_choice(errors, path, value, none ? harmless : all);
}

static void check_client(struct field_errors *errors, const struct field_path *path,
	const AdmissionregistrationV1WebhookClientConfig *client)
{
	const AdmissionregistrationV1ServiceReference *s = client ? client->service : NULL;
	const char *url = client ? client->url : NULL;
	if (!url == !s)
		field_required(errors, path, "exactly one of url or service is required");
	else if (url)
		validate_webhook_url(errors, FIELD(path, "url"), url);
	else /* Name and namespace change places, as they do in the original. */
		validate_webhook_service(errors, FIELD(path, "service"), s->name, s->namespace, s->path, s->port);
}

static void check_webhook(struct field_errors *errors, const struct field_path *path, const struct webhook *hook,
	const struct rules *rules)
{
	static const char *const failures[] = {"Fail", "Ignore", NULL};
	static const char *const matches[] = {"Equivalent", "Exact", NULL};
	static const char *const again[] = {"IfNeeded", "Never", NULL};
	check_name(errors, FIELD(path, "name"), hook->name);
	for (size_t i = 0; i < hook->n_rules; i++)
		validate_operations(errors, FIELD_INDEX(FIELD(path, "rules"), i), hook->rules[i]);
	check_choice(errors, FIELD(path, "failurePolicy"), hook->failure_policy, failures);
	check_choice(errors, FIELD(path, "matchPolicy"), hook->match_policy, matches);
	check_side_effects(errors, FIELD(path, "sideEffects"), hook->side_effects, rules->no_side_effects);
	if (hook->has_timeout && (hook->timeout > MAX_TIMEOUT_S || hook->timeout < 1))
		field_invalid_int(errors, FIELD(path, "timeoutSeconds"), hook->timeout,
			"the timeout value must be between 1 and 30 seconds");
	validate_label_selector(errors, FIELD(path, "namespaceSelector"), hook->namespace_selector);
	validate_label_selector(errors, FIELD(path, "objectSelector"), hook->object_selector);
	check_choice(errors, FIELD(path, "reinvocationPolicy"), hook->reinvocation_policy, again);
	check_client(errors, FIELD(path, "clientConfig"), hook->client);
	if (rules->conditions)
		validate_match_conditions(errors, FIELD(path, "matchConditions"), hook->conditions, hook->n_conditions,
			false, rules->stored);
}

static bool has_known_version(const struct webhook *hook)
{
	for (size_t i = 0; i < hook->n_versions; i++)
		if (str_in(hook->versions[i], review_versions))
			return true;
	return false;
}

static void check_versions(struct field_errors *errors, const struct field_path *path, const struct webhook *hook,
	const struct rules *rules)
{
	if (!hook->n_versions) {
		field_required(errors, path, "must specify one of v1, v1beta1");
		return;
	}
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < hook->n_versions; i++) {
		const char *version = hook->versions[i];
		if (!nameset_add(&seen, version))
			field_invalid(errors, FIELD_INDEX(path, i), version, "duplicate version");
		else
			validate_text(
				errors, FIELD_INDEX(path, i), version, check_dns_1035_label(errors->arena, version));
	}
	if (rules->known_version && !has_known_version(hook))
		field_invalid_json(errors, path, strings_json(errors->arena, hook->versions, hook->n_versions),
			"must include at least one of v1, v1beta1");
}

static void check_all(struct field_errors *errors, const struct webhooks *all, const struct rules *rules)
{
	const struct field_path *path = FIELD(NULL, "webhooks");
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < all->n_items; i++) {
		const struct webhook *hook = &all->items[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		check_webhook(errors, at, hook, rules);
		check_versions(errors, FIELD(at, "admissionReviewVersions"), hook, rules);
		const bool repeated = !nameset_add(&seen, hook->name);
		if (rules->unique_names && !str_empty(hook->name) && repeated)
			field_duplicate(errors, FIELD(at, "name"), hook->name);
	}
}

static bool same_conditions(const struct webhook *a, const struct webhook *b)
{
	bool same = a->n_conditions == b->n_conditions;
	for (size_t i = 0; same && i < a->n_conditions; i++)
		same = api_equal(a->conditions[i], b->conditions[i]);
	return same;
}

static void check_change(struct field_errors *errors, const struct webhooks *all, const struct webhooks *old)
{
	CLEANUP(strmap_freep) struct strmap *stored = strmap_new(NULL);
	struct nameset seen = {.arena = errors->arena};
	struct rules rules = {true, true, true, all->n_items != old->n_items, stored};
	for (size_t i = 0; i < old->n_items; i++) {
		const struct webhook *was = &old->items[i];
		for (size_t k = 0; k < was->n_conditions; k++)
			strmap_put(stored, str_or_empty(was->conditions[k]->expression), stored);
		rules.no_side_effects &= str_in(str_or_empty(was->side_effects), harmless);
		rules.known_version &= !was->n_versions || has_known_version(was);
		rules.unique_names &= nameset_add(&seen, was->name);
		if (!rules.conditions)
			rules.conditions = !same_conditions(&all->items[i], was);
	}
	check_all(errors, all, &rules);
}

void validate_validating_webhooks(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingWebhookConfiguration *config)
{
	struct webhooks all = of_validating(errors->arena, config);
	check_all(errors, &all, &(struct rules){true, true, true, true, NULL});
}

void validate_validating_webhooks_update(struct field_errors *errors,
	const AdmissionregistrationV1ValidatingWebhookConfiguration *config,
	const AdmissionregistrationV1ValidatingWebhookConfiguration *old)
{
	struct webhooks all = of_validating(errors->arena, config), before = of_validating(errors->arena, old);
	check_change(errors, &all, &before);
}

void validate_mutating_webhooks(
	struct field_errors *errors, const AdmissionregistrationV1MutatingWebhookConfiguration *config)
{
	struct webhooks all = of_mutating(errors->arena, config);
	check_all(errors, &all, &(struct rules){true, true, true, true, NULL});
}

void validate_mutating_webhooks_update(struct field_errors *errors,
	const AdmissionregistrationV1MutatingWebhookConfiguration *config,
	const AdmissionregistrationV1MutatingWebhookConfiguration *old)
{
	struct webhooks all = of_mutating(errors->arena, config), before = of_mutating(errors->arena, old);
	check_change(errors, &all, &before);
}
