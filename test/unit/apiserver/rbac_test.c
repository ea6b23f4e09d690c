/* Who may do what by roles and bindings, and who may hand rights on. */
#include "apiserver/authz/authz.h"
#include "world.h"

#define RBAC "\"apiVersion\":\"rbac.authorization.k8s.io/v1\","
#define REF(kind, name) \
	"\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"" kind "\",\"name\":\"" name "\"}"
#define USER(name) "\"subjects\":[{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"" name "\"}]"

static const char *const policy[] = {
	"{" RBAC "\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"view\"},\"rules\":[{\"apiGroups\":[\"\"],"
	"\"resources\":[\"pods\","
	"\"*/log\"],\"verbs\":[\"get\",\"list\"]},{\"nonResourceURLs\":[\"/metrics/*\",\"/x\"],\"verbs\":[\"get\"]}]}",
	"{" RBAC
	"\"kind\":\"Role\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"one\"},\"rules\":[{\"apiGroups\":[\"apps\"],"
	"\"resources\":[\"deployments\"],\"resourceNames\":[\"web\"],\"verbs\":[\"*\"]}]}",
	"{" RBAC "\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"all\"},\"rules\":[{\"apiGroups\":[\"*\"],"
	"\"resources\":[\"*\"],"
	"\"verbs\":[\"*\"]}]}",
	"{" RBAC "\"kind\":\"ClusterRoleBinding\",\"metadata\":{\"name\":\"views\"}," REF("ClusterRole",
		"view") ",\"subjects\":[{"
			"\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"viewers\"}]}",
	"{" RBAC "\"kind\":\"RoleBinding\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"ones\"}," REF(
		"Role", "one") "," USER("ann") "}",
	"{" RBAC "\"kind\":\"RoleBinding\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"alls\"}," REF(
		"ClusterRole", "all") ",\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"bot\"},{\"kind\":"
				      "\"ServiceAccount\",\"namespace\":\"ops\",\"name\":"
				      "\"robot\"}]}",
	"{" RBAC "\"kind\":\"RoleBinding\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"lost\"}," REF(
		"Role", "gone") "," USER("eve") "}",
};

struct question {
	const char *user, *group, *verb, *api_group, *resource, *subresource, *namespace, *name, *path;
	bool allowed;
};

static const struct question questions[] = {
	{"joe", "viewers", "get", "", "pods", "", "dev", "x", NULL, true},
	{"joe", "viewers", "list", "", "pods", "", "", "", NULL, true},
	{"joe", "viewers", "delete", "", "pods", "", "dev", "x", NULL, false},
	{"joe", "viewers", "get", "", "pods", "log", "dev", "x", NULL, true},
	{"joe", "viewers", "get", "", "nodes", "log", "", "x", NULL, true},
	{"joe", "viewers", "get", "", "pods", "exec", "dev", "x", NULL, false},
	{"joe", "viewers", "get", "apps", "pods", "", "dev", "x", NULL, false},
	{"joe", "others", "get", "", "pods", "", "dev", "x", NULL, false},
	{"joe", "viewers", "get", NULL, NULL, NULL, NULL, NULL, "/metrics/slis", true},
	{"joe", "viewers", "get", NULL, NULL, NULL, NULL, NULL, "/metrics", false},
	{"joe", "viewers", "get", NULL, NULL, NULL, NULL, NULL, "/x", true},
	{"joe", "viewers", "post", NULL, NULL, NULL, NULL, NULL, "/x", false},
	{"joe", "", "get", NULL, NULL, NULL, NULL, NULL, "/healthz", false},
	{"ann", "", "patch", "apps", "deployments", "", "dev", "web", NULL, true},
	{"ann", "", "patch", "apps", "deployments", "", "dev", "api", NULL, false},
	{"ann", "", "create", "apps", "deployments", "", "dev", "", NULL, false},
	{"ann", "", "patch", "apps", "deployments", "", "prod", "web", NULL, false},
	{"ann", "", "patch", "apps", "deployments", "scale", "dev", "web", NULL, false},
	{"system:serviceaccount:dev:bot", "", "delete", "", "secrets", "", "dev", "x", NULL, true},
	{"system:serviceaccount:dev:bot", "", "delete", "", "secrets", "", "", "x", NULL, false},
	{"system:serviceaccount:ops:robot", "", "get", "x.io", "anything", "status", "dev", "x", NULL, true},
	{"system:serviceaccount:dev:robot", "", "get", "", "pods", "", "dev", "x", NULL, false},
	{"eve", "", "get", "", "pods", "", "dev", "x", NULL, false},
	{"root", "system:masters", "delete", "", "nodes", "", "", "x", NULL, true},
};

static char *mode_names[] = {"RBAC"};

static struct authz *start(struct world *w)
{
	const struct authz_options options = {.modes = {mode_names, 1}};
	struct authz *authz;
	assert_null(authz_new(&options, &w->objects, &authz));
	for (size_t i = 0; i < ARRAY_SIZE(policy); i++)
		world_put(w, policy[i]);
	return authz;
}

static void test_questions(void **state)
{
	struct world *w = world_new();
	struct authz *authz = start(w);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const struct question *q = &questions[i];
		struct user *user = user_new(w->arena, q->user, "");
		if (*q->group)
			user_add_group(w->arena, user, q->group);
		const struct authz_attributes a = {.user = user,
			.verb = q->verb,
			.resource_request = !q->path,
			.group = q->api_group,
			.resource = q->resource,
			.subresource = q->subresource,
			.namespace = q->namespace,
			.name = q->name,
			.path = q->path};
		const char *reason;
		if ((authz_authorize(authz, w->arena, &a, &reason) == AUTHZ_ALLOW) != q->allowed)
			fail_msg("case %zu: %s %s %s/%s: %s", i, q->user, q->verb, str_or_empty(q->resource),
				str_or_empty(q->name), reason);
	}
	authz_free(authz);
	world_free(w);
}

static void test_changes_and_words(void **state)
{
	struct world *w = world_new();
	struct authz *authz = start(w);
	struct user *user = user_new(w->arena, "eve", "");
	const struct authz_attributes a = {.user = user,
		.verb = "list",
		.resource_request = true,
		.group = "",
		.resource = "pods",
		.subresource = "",
		.namespace = "dev",
		.name = ""};
	const char *reason;
	assert_int_equal(authz_authorize(authz, w->arena, &a, &reason), AUTHZ_NO_OPINION);
	assert_string_equal(reason, "RBAC: role.rbac.authorization.k8s.io \"gone\" not found");
	struct status *s = authz_forbidden(&a, "");
	assert_string_equal(s->message, "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group "
					"\"\" in the namespace \"dev\"");
	assert_int_equal(s->code, 403);
	status_free(s);
	/* The role appears, and the binding that waited for it works. */
	world_put(w, "{" RBAC "\"kind\":\"Role\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"gone\"},\"rules\":[{"
		     "\"apiGroups\":[\"\"],"
		     "\"resources\":[\"pods\"],\"verbs\":[\"list\"]}]}");
	assert_int_equal(authz_authorize(authz, w->arena, &a, &reason), AUTHZ_ALLOW);
	assert_string_equal(reason, "RBAC: allowed by RoleBinding \"lost/dev\" of Role \"gone\" to User \"eve\"");
	world_drop(w, &RbacV1RoleBinding_schema, "dev", "lost");
	assert_int_equal(authz_authorize(authz, w->arena, &a, &reason), AUTHZ_NO_OPINION);
	authz_free(authz);
	world_free(w);
}

static void test_escalation(void **state)
{
	struct world *w = world_new();
	struct authz *authz = start(w);
	struct user *ann = user_new(w->arena, "ann", "");
	RbacV1Role *wanted = world_object(w->arena,
		"{" RBAC
		"\"kind\":\"Role\",\"metadata\":{\"name\":\"x\"},\"rules\":[{\"apiGroups\":[\"apps\"],\"resources\":["
		"\"deployments\"],\"resourceNames\":[\"web\",\"api\"],\"verbs\":[\"get\",\"list\"]}]}");
	struct status *s = authz_check_escalation(authz, w->arena, ann, "dev", wanted->rules, wanted->n_rules);
	assert_non_null(s);
	assert_string_equal(s->message,
		"user \"ann\" (groups=[]) is attempting to grant RBAC permissions not currently held:\n"
		"{APIGroups:[\"apps\"], Resources:[\"deployments\"], ResourceNames:[\"api\"], Verbs:[\"get\" "
		"\"list\"]}");
	status_free(s);
	wanted->rules[0]->n_resource_names = 1;
	assert_null(authz_check_escalation(authz, w->arena, ann, "dev", wanted->rules, wanted->n_rules));
	assert_non_null(s = authz_check_escalation(authz, w->arena, ann, "prod", wanted->rules, wanted->n_rules));
	status_free(s);
	/* Paths stand for themselves, and what is said twice is told once. */
	wanted = world_object(w->arena, "{" RBAC "\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"x\"},\"rules\":[{"
					"\"nonResourceURLs\":[\"/x\"],\"verbs\":["
					"\"get\",\"put\",\"get\"]}]}");
	assert_non_null(s = authz_check_escalation(authz, w->arena, ann, "", wanted->rules, wanted->n_rules));
	assert_string_equal(s->message,
		"user \"ann\" (groups=[]) is attempting to grant RBAC permissions not currently held:\n"
		"{NonResourceURLs:[\"/x\"], Verbs:[\"get\"]}\n{NonResourceURLs:[\"/x\"], Verbs:[\"put\"]}");
	status_free(s);
	authz_free(authz);
	world_free(w);
}

static void test_unknown_mode(void **state)
{
	struct world *w = world_new();
	char *bad[] = {"RBAC", "Magic"};
	const struct authz_options options = {.modes = {bad, 2}};
	struct authz *authz;
	struct status *s = authz_new(&options, &w->objects, &authz);
	assert_non_null(s);
	assert_string_equal(s->message, "authorization-mode \"Magic\" is not a valid mode");
	status_free(s);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_changes_and_words),
		cmocka_unit_test(test_escalation),
		cmocka_unit_test(test_unknown_mode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
