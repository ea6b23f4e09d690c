#include <stdlib.h>
#include "api/json.h"
#include "apiserver/authz/internal.h"
#include "apiserver/config_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * The mode ABAC: a file with a policy a line, each of which allows its subject something
 * (kubernetes/pkg/auth/authorizer/abac and pkg/apis/abac).
 */

#define ANY "*"
#define OLD_VERSION "abac.authorization.kubernetes.io/v0"

struct abac {
	struct arena *arena;
	AbacV1beta1PolicySpec **policies;
	size_t n_policies;
};

static const struct config_form form = {
	.type = &AbacV1beta1Policy_schema, .names = {{"abac.authorization.kubernetes.io/v1beta1", "Policy"}}};

static bool is_any(const char *text)
{
	return str_eq(text, ANY);
}

/* Whoever he is, he has shown who he is. */
static void settle_subject(AbacV1beta1PolicySpec *p)
{
	if (!is_any(p->user) && !is_any(p->group))
		return;
	p->group = GROUP_AUTHENTICATED;
	p->user = "";
}

/* What the older form leaves out stands for everything. */
static void settle_old(AbacV1beta1PolicySpec *p)
{
	const bool everywhere = str_empty(p->namespace), everything = str_empty(p->resource);
	if (str_empty(p->user) && str_empty(p->group))
		p->group = GROUP_AUTHENTICATED;
	p->api_group = ANY;
	p->non_resource_path = everywhere && everything ? ANY : "";
	if (everywhere)
		p->namespace = ANY;
	if (everything)
		p->resource = ANY;
}

static struct status *read_policy(
	struct arena *arena, const char *line, AbacV1beta1PolicySpec **ret_policy, bool *ret_unversioned)
{
	const struct json_options lenient = {.no_place = true};
	char *version, *kind;
	AbacV1beta1Policy *policy;
	TRY(json_peek_type(arena, line, strlen(line), &version, &kind));
	*ret_unversioned = str_empty(version) || str_empty(kind);
	if (*ret_unversioned || str_eq(version, OLD_VERSION)) {
		TRY(json_decode(arena, &AbacV1beta1PolicySpec_schema, line, strlen(line), &lenient, ret_policy));
		settle_old(*ret_policy);
	} else {
		TRY(config_decode(arena, line, strlen(line), &form, &policy));
		*ret_policy = policy->spec ? policy->spec : API_NEW(arena, AbacV1beta1PolicySpec);
	}
	settle_subject(*ret_policy);
	return NULL;
}

static struct status *read_file(struct abac *abac, const char *path)
{
	const char *text;
	char **lines;
	size_t size, n_unversioned = 0;
	TRY(config_file_read(abac->arena, path, &text, &size));
	const size_t n = str_split(abac->arena, text, '\n', &lines);
	for (size_t i = 0; i < n; i++) {
		const char *line = str_trim(abac->arena, lines[i]);
		AbacV1beta1PolicySpec *policy;
		bool unversioned = false;
		if (!*line || *line == '#')
			continue;
		TRY(status_wrap(read_policy(abac->arena, line, &policy, &unversioned),
			"error reading policy file %s, line %zu: %s", path, i + 1, lines[i]));
		n_unversioned += unversioned;
		ARENA_PUSH(abac->arena, abac->policies, abac->n_policies) = policy;
	}
	if (n_unversioned)
		log_warn("policy file %s contains unversioned rules", path);
	return NULL;
}

struct status *abac_new(const char *path, struct abac **ret_abac)
{
	struct abac *abac = mem_zalloc(sizeof(*abac));
	abac->arena = arena_new();
	struct status *status = read_file(abac, path);
	if (status) {
		abac_free(abac);
		return status;
	}
	*ret_abac = abac;
	return NULL;
}

void abac_free(struct abac *abac)
{
	if (!abac)
		return;
	arena_free(abac->arena);
	free(abac);
}

static bool is_of(const AbacV1beta1PolicySpec *p, const struct user *user)
{
	if (!str_empty(p->user) && !str_eq(p->user, user->name))
		return false;
	if (!str_empty(p->group) && !user_in_group(user, p->group))
		return false;
	return !str_empty(p->user) || !str_empty(p->group);
}

static bool matches(const char *wanted, const char *asked)
{
	return is_any(wanted) || str_eq(str_or_empty(wanted), str_or_empty(asked));
}

static bool path_matches(const char *wanted, const char *path)
{
	size_t n = strlen(str_or_empty(wanted));
	if (matches(wanted, path))
		return true;
	if (!n || wanted[n - 1] != '*')
		return false;
	while (n && wanted[n - 1] == '*')
		n--;
	return !strncmp(path, wanted, n);
}

static bool allows(const AbacV1beta1PolicySpec *p, const struct authz_attributes *a)
{
	static const char *const reads[] = {"get", "list", "watch", NULL};
	if (!is_of(p, a->user) || (p->readonly && !str_in(a->verb, reads)))
		return false;
	if (!a->resource_request)
		return path_matches(p->non_resource_path, str_or_empty(a->path));
	return matches(p->namespace, a->namespace) && matches(p->resource, a->resource) &&
	       matches(p->api_group, a->group);
}

enum authz_decision abac_authorize(const struct abac *abac, const struct authz_attributes *a, const char **ret_reason)
{
	for (size_t i = 0; i < abac->n_policies; i++)
		if (allows(abac->policies[i], a))
			return AUTHZ_ALLOW;
	*ret_reason = "No policy matched.";
	return AUTHZ_NO_OPINION;
}

static RbacV1PolicyRule *rule_of(struct arena *arena, const AbacV1beta1PolicySpec *p)
{
	static char *const all[] = {ANY}, *const reads[] = {"get", "list", "watch"};
	RbacV1PolicyRule *rule = API_NEW(arena, RbacV1PolicyRule);
	rule->verbs = (char **)(uintptr_t)(p->readonly ? reads : all);
	rule->n_verbs = p->readonly ? ARRAY_SIZE(reads) : ARRAY_SIZE(all);
	return rule;
}

static char **one(struct arena *arena, const char *text)
{
	char **list = ARENA_ARRAY(arena, char *, 1);
	*list = arena_strdup(arena, str_or_empty(text));
	return list;
}

void abac_rules_for(const struct abac *abac, struct arena *arena, const struct user *user, const char *namespace,
	struct rule_list *rules)
{
	for (size_t i = 0; i < abac->n_policies; i++) {
		const AbacV1beta1PolicySpec *p = abac->policies[i];
		if (!is_of(p, user) || !matches(p->namespace, namespace))
			continue;
		if (!str_empty(p->resource)) {
			RbacV1PolicyRule *rule = ARENA_PUSH(arena, rules->items, rules->n_items) = rule_of(arena, p);
			rule->n_api_groups = rule->n_resources = 1;
			rule->api_groups = one(arena, p->api_group);
			rule->resources = one(arena, p->resource);
		}
		if (!str_empty(p->non_resource_path)) {
			RbacV1PolicyRule *rule = ARENA_PUSH(arena, rules->items, rules->n_items) = rule_of(arena, p);
			rule->n_non_resource_urls = 1;
			rule->non_resource_urls = one(arena, p->non_resource_path);
		}
	}
}
