#include "apiserver/authz/rules.h"
#include "base/nameset.h"
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

static bool covers_resource(const RbacV1PolicyRule *owner, const char *resource)
{
	const char *slash = strchr(resource, '/');
	bool found = has_or_all(owner->resources, owner->n_resources, resource);
	for (size_t i = 0; !found && slash && i < owner->n_resources; i++)
		found = owner->resources[i][0] == '*' && !strcmp(owner->resources[i] + 1, slash);
	return found;
}

/* Whether a rule of the owner's grants all that another does: alone, not together with others. */
static bool covers(const RbacV1PolicyRule *owner, const RbacV1PolicyRule *rule)
{
	bool all = rule->n_resource_names ? true : !owner->n_resource_names;
	for (size_t i = 0; all && i < rule->n_verbs; i++)
		all = has_or_all(owner->verbs, owner->n_verbs, rule->verbs[i]);
	for (size_t i = 0; all && i < rule->n_api_groups; i++)
		all = has_or_all(owner->api_groups, owner->n_api_groups, rule->api_groups[i]);
	for (size_t i = 0; all && i < rule->n_resources; i++)
		all = covers_resource(owner, rule->resources[i]);
	for (size_t i = 0; all && i < rule->n_non_resource_urls; i++)
		all = urls_match(owner, rule->non_resource_urls[i]);
	for (size_t i = 0; all && owner->n_resource_names && i < rule->n_resource_names; i++)
		all = str_in_n(rule->resource_names[i], owner->resource_names, owner->n_resource_names);
	return all;
}

static bool covered(const struct rule_list *owner, const RbacV1PolicyRule *rule)
{
	for (size_t i = 0; i < owner->n_items; i++)
		if (covers(owner->items[i], rule))
			return true;
	return false;
}

/* Single rights that are not held; those on one thing are one rule. */
struct missing {
	struct arena *arena;
	const struct rule_list *owner;
	struct nameset things;
	struct rule_list of_things, urls;
};

static void look_at_url(struct missing *m, char *verb, char *url)
{
	RbacV1PolicyRule one = *(const RbacV1PolicyRule *)RbacV1PolicyRule_schema.zero;
	one.verbs = &verb;
	one.non_resource_urls = &url;
	one.n_verbs = one.n_non_resource_urls = 1;
	if (covered(m->owner, &one))
		return;
	RbacV1PolicyRule *rule = API_NEW(m->arena, RbacV1PolicyRule);
	ARENA_PUSH(m->arena, rule->verbs, rule->n_verbs) = verb;
	ARENA_PUSH(m->arena, rule->non_resource_urls, rule->n_non_resource_urls) = url;
	ARENA_PUSH(m->arena, m->urls.items, m->urls.n_items) = rule;
}

static void look_at_thing(struct missing *m, char *verb, char *group, char *resource, char *name)
{
	RbacV1PolicyRule one = *(const RbacV1PolicyRule *)RbacV1PolicyRule_schema.zero;
	one.verbs = &verb;
	one.api_groups = &group;
	one.resources = &resource;
	one.resource_names = &name;
	one.n_verbs = one.n_api_groups = one.n_resources = 1;
	one.n_resource_names = name != NULL;
	if (covered(m->owner, &one))
		return;
	const char *parts[] = {group, resource, name};
	char *thing = nameset_join(m->arena, parts, name ? 3 : 2);
	if (!nameset_has(&m->things, thing)) {
		RbacV1PolicyRule *rule = API_NEW(m->arena, RbacV1PolicyRule);
		ARENA_PUSH(m->arena, rule->api_groups, rule->n_api_groups) = group;
		ARENA_PUSH(m->arena, rule->resources, rule->n_resources) = resource;
		if (name)
			ARENA_PUSH(m->arena, rule->resource_names, rule->n_resource_names) = name;
		nameset_add(&m->things, thing);
		ARENA_PUSH(m->arena, m->of_things.items, m->of_things.n_items) = rule;
	}
	RbacV1PolicyRule *rule = m->of_things.items[nameset_find(&m->things, thing)];
	ARENA_PUSH(m->arena, rule->verbs, rule->n_verbs) = verb;
}

static void split(struct missing *m, const RbacV1PolicyRule *rule)
{
	for (size_t v = 0; v < rule->n_verbs; v++) {
		char *verb = rule->verbs[v];
		for (size_t u = 0; u < rule->n_non_resource_urls; u++)
			look_at_url(m, verb, rule->non_resource_urls[u]);
		for (size_t g = 0; g < rule->n_api_groups; g++)
			for (size_t r = 0; r < rule->n_resources; r++) {
				if (!rule->n_resource_names)
					look_at_thing(m, verb, rule->api_groups[g], rule->resources[r], NULL);
				for (size_t n = 0; n < rule->n_resource_names; n++)
					look_at_thing(m, verb, rule->api_groups[g], rule->resources[r],
						rule->resource_names[n]);
			}
	}
}

/* Into how many single rights a rule is split. The lists are of one request: the product of four is no more than a
 * double holds well enough. */
static double n_rights(const RbacV1PolicyRule *rule)
{
	const double n_names = rule->n_resource_names ? (double)rule->n_resource_names : 1;
	return (double)rule->n_verbs *
	       ((double)rule->n_non_resource_urls + (double)rule->n_api_groups * (double)rule->n_resources * n_names);
}

bool rules_missing(struct arena *arena, const struct rule_list *owner, const struct rule_list *wanted,
	struct rule_list *ret_missing)
{
	struct missing m = {.arena = arena, .owner = owner, .things = {.arena = arena}};
	double n = 0;
	for (size_t i = 0; i < wanted->n_items; i++) {
		if (covered(owner, wanted->items[i]))
			continue;
		n += n_rights(wanted->items[i]);
		if (n > MOST_RIGHTS)
			return false;
		split(&m, wanted->items[i]);
	}
	*ret_missing = m.urls;
	for (size_t i = 0; i < m.of_things.n_items; i++)
		ARENA_PUSH(arena, ret_missing->items, ret_missing->n_items) = m.of_things.items[i];
	return true;
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

void problem_add(struct problem_list *problems, const char *text)
{
	struct arena *arena = problems->seen.arena;
	if (nameset_add(&problems->seen, text))
		ARENA_PUSH(arena, problems->items, problems->n_items) = arena_strdup(arena, text);
}

char *problems_text(struct arena *arena, const struct problem_list *problems)
{
	char *all = str_join(arena, problems->items, problems->n_items, ", ");
	return problems->n_items > 1 ? arena_printf(arena, "[%s]", all) : all;
}
