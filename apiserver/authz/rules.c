#include "apiserver/authz/rules.h"
#include "base/str.h"

static bool has_or_all(char *const *list, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], "*") || !strcmp(list[i], value))
			return true;
	return false;
}

/* "pods", "pods/log", "*", or a star before the slash for that subresource of anything. */
static bool resource_matches(const RbacV1PolicyRule *rule, const char *resource, const char *subresource)
{
	size_t len = strlen(resource);
	for (size_t i = 0; i < rule->n_resources; i++) {
		const char *r = rule->resources[i];
		if (!strcmp(r, "*"))
			return true;
		if (str_empty(subresource)
				? !strcmp(r, resource)
				: !strncmp(r, resource, len) && r[len] == '/' && !strcmp(r + len + 1, subresource))
			return true;
		if (!str_empty(subresource) && r[0] == '*' && r[1] == '/' && !strcmp(r + 2, subresource))
			return true;
	}
	return false;
}

static bool url_matches(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);
	if (!strcmp(pattern, "*") || !strcmp(pattern, path))
		return true;
	if (!len || pattern[len - 1] != '*')
		return false;
	while (len && pattern[len - 1] == '*')
		len--;
	return !strncmp(path, pattern, len);
}

static bool urls_match(const RbacV1PolicyRule *rule, const char *path)
{
	for (size_t i = 0; i < rule->n_non_resource_urls; i++)
		if (url_matches(rule->non_resource_urls[i], path))
			return true;
	return false;
}

bool rule_allows(const RbacV1PolicyRule *rule, const struct authz_attributes *a)
{
	if (!has_or_all(rule->verbs, rule->n_verbs, str_or_empty(a->verb)))
		return false;
	if (!a->resource_request)
		return urls_match(rule, str_or_empty(a->path));
	return has_or_all(rule->api_groups, rule->n_api_groups, str_or_empty(a->group)) &&
	       resource_matches(rule, str_or_empty(a->resource), a->subresource) &&
	       (!rule->n_resource_names ||
		       str_in_n(str_or_empty(a->name), rule->resource_names, rule->n_resource_names));
}

/* Whether one of the owner's rules grants a single right: one verb, one group and resource (and name), or one URL. */
static bool covers_one(const RbacV1PolicyRule *owner, const RbacV1PolicyRule *one)
{
	if (!has_or_all(owner->verbs, owner->n_verbs, one->verbs[0]))
		return false;
	if (one->n_non_resource_urls)
		return urls_match(owner, one->non_resource_urls[0]);
	const char *resource = one->resources[0], *slash = strchr(resource, '/');
	bool found = has_or_all(owner->resources, owner->n_resources, resource);
	for (size_t i = 0; !found && slash && i < owner->n_resources; i++)
		found = owner->resources[i][0] == '*' && !strcmp(owner->resources[i] + 1, slash);
	if (!found || !has_or_all(owner->api_groups, owner->n_api_groups, one->api_groups[0]))
		return false;
	if (!owner->n_resource_names)
		return true;
	return one->n_resource_names &&
	       str_in_n(one->resource_names[0], owner->resource_names, owner->n_resource_names);
}

static RbacV1PolicyRule *single(struct arena *arena, char *verb, char *group, char *resource, char *name, char *url)
{
	RbacV1PolicyRule *rule = API_NEW(arena, RbacV1PolicyRule);
	ARENA_PUSH(arena, rule->verbs, rule->n_verbs) = verb;
	if (url) {
		ARENA_PUSH(arena, rule->non_resource_urls, rule->n_non_resource_urls) = url;
		return rule;
	}
	ARENA_PUSH(arena, rule->api_groups, rule->n_api_groups) = group;
	ARENA_PUSH(arena, rule->resources, rule->n_resources) = resource;
	if (name)
		ARENA_PUSH(arena, rule->resource_names, rule->n_resource_names) = name;
	return rule;
}

static void add_missing(
	struct arena *arena, const struct rule_list *owner, RbacV1PolicyRule *one, struct rule_list *missing)
{
	for (size_t i = 0; i < owner->n_items; i++)
		if (covers_one(owner->items[i], one))
			return;
	ARENA_PUSH(arena, missing->items, missing->n_items) = one;
}

static void split(
	struct arena *arena, const struct rule_list *owner, const RbacV1PolicyRule *rule, struct rule_list *missing)
{
	for (size_t v = 0; v < rule->n_verbs; v++) {
		char *verb = rule->verbs[v];
		for (size_t u = 0; u < rule->n_non_resource_urls; u++)
			add_missing(arena, owner, single(arena, verb, NULL, NULL, NULL, rule->non_resource_urls[u]),
				missing);
		for (size_t g = 0; g < rule->n_api_groups; g++)
			for (size_t r = 0; r < rule->n_resources; r++) {
				char *group = rule->api_groups[g], *resource = rule->resources[r];
				if (!rule->n_resource_names)
					add_missing(arena, owner, single(arena, verb, group, resource, NULL, NULL),
						missing);
				for (size_t n = 0; n < rule->n_resource_names; n++)
					add_missing(arena, owner,
						single(arena, verb, group, resource, rule->resource_names[n], NULL),
						missing);
			}
	}
}

static bool same_target(const RbacV1PolicyRule *a, const RbacV1PolicyRule *b)
{
	if (a->n_non_resource_urls || b->n_non_resource_urls)
		return a->n_non_resource_urls && b->n_non_resource_urls &&
		       !strcmp(a->non_resource_urls[0], b->non_resource_urls[0]);
	const char *name_a = a->n_resource_names ? a->resource_names[0] : NULL;
	const char *name_b = b->n_resource_names ? b->resource_names[0] : NULL;
	return !strcmp(a->api_groups[0], b->api_groups[0]) && !strcmp(a->resources[0], b->resources[0]) &&
	       str_eq(name_a, name_b);
}

/* Rights on one thing become one rule again. */
static void join(struct arena *arena, const struct rule_list *parts, struct rule_list *ret)
{
	for (size_t i = 0; i < parts->n_items; i++) {
		RbacV1PolicyRule *into = NULL;
		for (size_t k = 0; k < ret->n_items && !into; k++)
			if (same_target(ret->items[k], parts->items[i]))
				into = ret->items[k];
		if (!into)
			ARENA_PUSH(arena, ret->items, ret->n_items) = parts->items[i];
		else if (!str_in_n(parts->items[i]->verbs[0], into->verbs, into->n_verbs))
			ARENA_PUSH(arena, into->verbs, into->n_verbs) = parts->items[i]->verbs[0];
	}
}

void rules_missing(struct arena *arena, const struct rule_list *owner, const struct rule_list *wanted,
	struct rule_list *ret_missing)
{
	struct rule_list parts = {0};
	for (size_t i = 0; i < wanted->n_items; i++)
		split(arena, owner, wanted->items[i], &parts);
	*ret_missing = (struct rule_list){0};
	join(arena, &parts, ret_missing);
}

static void add_list(struct strbuf *out, const char *name, char *const *list, size_t n)
{
	if (!n)
		return;
	strbuf_printf(out, "%s%s:[", out->len > 1 ? ", " : "", name);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s\"%s\"", i ? " " : "", list[i]);
	strbuf_addc(out, ']');
}

char *rule_text(struct arena *arena, const RbacV1PolicyRule *rule)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '{');
	add_list(&out, "APIGroups", rule->api_groups, rule->n_api_groups);
	add_list(&out, "Resources", rule->resources, rule->n_resources);
	add_list(&out, "NonResourceURLs", rule->non_resource_urls, rule->n_non_resource_urls);
	add_list(&out, "ResourceNames", rule->resource_names, rule->n_resource_names);
	add_list(&out, "Verbs", rule->verbs, rule->n_verbs);
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static void split_list(struct arena *arena, const char *text, char ***list, size_t *n)
{
	if (!text)
		return;
	*n = str_split(arena, text, ',', list);
	if (!*n) /* "" alone is the core group */
		ARENA_PUSH(arena, *list, *n) = arena_strdup(arena, "");
}

void rules_of_policy(struct arena *arena, const struct policy_role *role, struct rule_list *ret_rules)
{
	*ret_rules = (struct rule_list){0};
	for (const struct policy_rule *r = role->rules; r->verbs; r++) {
		RbacV1PolicyRule *rule = API_NEW(arena, RbacV1PolicyRule);
		split_list(arena, r->verbs, &rule->verbs, &rule->n_verbs);
		split_list(arena, r->groups, &rule->api_groups, &rule->n_api_groups);
		split_list(arena, r->resources, &rule->resources, &rule->n_resources);
		split_list(arena, r->names, &rule->resource_names, &rule->n_resource_names);
		split_list(arena, r->urls, &rule->non_resource_urls, &rule->n_non_resource_urls);
		ARENA_PUSH(arena, ret_rules->items, ret_rules->n_items) = rule;
	}
}
