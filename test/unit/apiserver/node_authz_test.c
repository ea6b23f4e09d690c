/* What a node reaches: the pods bound to it, and what they refer to; nothing else. */
#include "apiserver/authz/authz.h"
#include "world.h"

static const char pod[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"web\",\"uid\":\"u\"},"
	"\"spec\":{"
	"\"nodeName\":\"n1\",\"serviceAccountName\":\"bot\",\"imagePullSecrets\":[{\"name\":\"pull\"}],\"volumes\":[{"
	"\"name\":\"a\","
	"\"secret\":{\"secretName\":\"vol\"}},{\"name\":\"b\",\"configMap\":{\"name\":\"cm\"}},{\"name\":\"c\","
	"\"persistentVolumeClaim\":{\"claimName\":\"data\"}},{\"name\":\"d\",\"projected\":{\"sources\":[{\"secret\":{"
	"\"name\":\"proj\"}"
	"},{\"configMap\":{\"name\":\"kube-root-ca.crt\"}}]}}],\"containers\":[{\"name\":\"x\",\"image\":\"y\",\"env\":"
	"[{\"name\":\"A\","
	"\"valueFrom\":{\"secretKeyRef\":{\"name\":\"env\",\"key\":\"k\"}}}],\"envFrom\":[{\"configMapRef\":{\"name\":"
	"\"from\"}}]}]}}";
static const char volume[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolume\",\"metadata\":{\"name\":\"pv1\"},"
	"\"spec\":{\"csi\":{\"driver\":\"d\",\"controllerPublishSecretRef\":{\"namespace\":\"dev\","
	"\"name\":\"hidden\"},\"nodeStageSecretRef\":{\"namespace\":\"dev\",\"name\":\"stage\"}},"
	"\"claimRef\":{\"namespace\":"
	"\"dev\",\"name\":\"data\"}}}";
static const char slice[] = "{\"apiVersion\":\"resource.k8s.io/v1\",\"kind\":\"ResourceSlice\",\"metadata\":{\"name\":"
			    "\"s1\"},\"spec\":{\"driver\":\"d\",\"nodeName\":\"n1\"}}";
static const char device_pod[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"gpu\",\"uid\":\"g\"},"
	"\"spec\":{\"nodeName\":\"n1\",\"resourceClaims\":[{\"name\":\"a\",\"resourceClaimName\":\"given\"},{\"name\":"
	"\"b\","
	"\"resourceClaimTemplateName\":\"t\"}]},\"status\":{\"resourceClaimStatuses\":[{\"name\":\"b\","
	"\"resourceClaimName\":\"made\"}]}}";

struct question {
	const char *node, *verb, *group, *resource, *subresource, *namespace, *name, *fields;
	bool allowed;
};

static const struct question questions[] = {
	{"n1", "get", "", "secrets", "", "dev", "vol", "", true},
	{"n1", "watch", "", "secrets", "", "dev", "env", "", true},
	{"n1", "get", "", "secrets", "", "dev", "pull", "", true},
	{"n1", "get", "", "secrets", "", "dev", "proj", "", true},
	{"n1", "get", "", "secrets", "", "dev", "other", "", false},
	{"n1", "get", "", "secrets", "", "prod", "vol", "", false},
	{"n1", "list", "", "secrets", "", "dev", "", "", false},
	{"n1", "update", "", "secrets", "", "dev", "vol", "", false},
	{"n2", "get", "", "secrets", "", "dev", "vol", "", false},
	{"n1", "get", "", "configmaps", "", "dev", "cm", "", true},
	{"n1", "get", "", "configmaps", "", "dev", "from", "", true},
	{"n1", "get", "", "configmaps", "", "dev", "vol", "", false},
	{"n1", "get", "", "persistentvolumeclaims", "", "dev", "data", "", true},
	{"n1", "get", "", "persistentvolumes", "", "", "pv1", "", true},
	{"n2", "get", "", "persistentvolumes", "", "", "pv1", "", false},
	{"n1", "create", "", "serviceaccounts", "token", "dev", "bot", "", true},
	{"n2", "create", "", "serviceaccounts", "token", "dev", "bot", "", false},
	{"n1", "create", "", "serviceaccounts", "token", "dev", "default", "", false},
	{"n1", "get", "", "pods", "", "dev", "web", "", true},
	{"n2", "get", "", "pods", "", "dev", "web", "", false},
	{"n1", "list", "", "pods", "", "", "", "spec.nodeName=n1", true},
	{"n1", "list", "", "pods", "", "", "", "spec.nodeName=n2", false},
	{"n1", "list", "", "pods", "", "", "", "", false},
	{"n1", "patch", "", "pods", "status", "dev", "web", "", true},
	{"n1", "patch", "", "pods", "", "dev", "web", "", false},
	{"n1", "create", "", "pods", "eviction", "dev", "web", "", true},
	{"n1", "get", "", "nodes", "", "", "n1", "", true},
	{"n1", "get", "", "nodes", "", "", "n2", "", false},
	{"n1", "list", "", "nodes", "", "", "", "", false},
	{"n1", "patch", "", "nodes", "status", "", "n1", "", true},
	{"n1", "delete", "", "nodes", "", "", "n1", "", false},
	{"n1", "update", "coordination.k8s.io", "leases", "", "kube-node-lease", "n1", "", true},
	{"n1", "create", "coordination.k8s.io", "leases", "", "kube-node-lease", "", "", true},
	{"n1", "update", "coordination.k8s.io", "leases", "", "kube-node-lease", "n2", "", false},
	{"n1", "update", "coordination.k8s.io", "leases", "", "kube-system", "n1", "", false},
	{"n1", "get", "storage.k8s.io", "csinodes", "", "", "n1", "", true},
	{"n1", "get", "storage.k8s.io", "csinodes", "", "", "n2", "", false},
	{"n1", "get", "", "secrets", "", "dev", "stage", "", true},
	{"n2", "get", "", "secrets", "", "dev", "stage", "", false},
	{"n1", "get", "", "secrets", "", "dev", "hidden", "", false},
	{"n1", "list", "", "pods", "", "", "", "status.phase=x\\,spec.nodeName=n1", false},
	{"n1", "get", "resource.k8s.io", "resourceclaims", "", "dev", "given", "", true},
	{"n1", "get", "resource.k8s.io", "resourceclaims", "", "dev", "made", "", true},
	{"n1", "get", "resource.k8s.io", "resourceclaims", "", "dev", "other", "", false},
	{"n2", "get", "resource.k8s.io", "resourceclaims", "", "dev", "given", "", false},
	{"n1", "delete", "resource.k8s.io", "resourceslices", "", "", "s1", "", true},
	{"n2", "delete", "resource.k8s.io", "resourceslices", "", "", "s1", "", false},
	{"n1", "create", "resource.k8s.io", "resourceslices", "", "", "", "", true},
	{"n1", "list", "resource.k8s.io", "resourceslices", "", "", "", "spec.nodeName=n1", true},
	{"n1", "deletecollection", "resource.k8s.io", "resourceslices", "", "", "", "", false},
	{"n1", "list", "", "services", "", "", "", "", true},
	{"n1", "create", "", "events", "", "dev", "", "", true},
	{"n1", "create", "apps", "deployments", "", "dev", "", "", false},
};

static bool ask(struct authz *authz, struct arena *arena, const struct question *q, const char **ret_reason)
{
	struct user *user = user_new(arena, arena_printf(arena, "system:node:%s", q->node), "");
	user_add_group(arena, user, GROUP_NODES);
	const struct authz_attributes a = {.user = user,
		.verb = q->verb,
		.resource_request = true,
		.group = q->group,
		.resource = q->resource,
		.subresource = q->subresource,
		.namespace = q->namespace,
		.name = q->name,
		.field_selector = q->fields};
	return authz_authorize(authz, arena, &a, ret_reason) == AUTHZ_ALLOW;
}

static void test_questions(void **state)
{
	struct world *w = world_new();
	char *modes[] = {"Node"};
	const struct authz_options options = {.modes = {modes, 1}};
	struct authz *authz;
	const char *reason;
	assert_null(authz_new(&options, &w->objects, &authz));
	world_put(w, pod);
	world_put(w, volume);
	world_put(w, slice);
	world_put(w, device_pod);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (ask(authz, w->arena, &questions[i], &reason) != questions[i].allowed)
			fail_msg("case %zu: %s %s %s %s: %s", i, questions[i].node, questions[i].verb,
				questions[i].resource, questions[i].name, reason);
	/* A status update changes nothing; with the pod go its rights. */
	world_put(w, pod);
	assert_true(ask(authz, w->arena, &questions[0], &reason));
	world_drop(w, &CoreV1Pod_schema, "dev", "web");
	assert_false(ask(authz, w->arena, &questions[0], &reason));
	assert_string_equal(reason, "no relationship found between node 'n1' and this object");
	authz_free(authz);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_questions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
