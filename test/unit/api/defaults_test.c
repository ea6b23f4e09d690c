/* What defaulting fills in; and that a second time changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "api/defaults/defaults.h"
#include "api/json.h"
#include "base/cleanup.h"

#define HEAD(version, kind) "{\"kind\":\"" kind "\",\"apiVersion\":\"" version "\",\"metadata\":{}"
/* What a container, a template's pod spec and a pod have that says nothing. */
#define CONTAINER \
	"\"resources\":{},\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\","
#define SPEC                                                                                                \
	"\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\"," \
	"\"securityContext\":{},"                                                                           \
	"\"schedulerName\":\"default-scheduler\""

static const struct {
	const char *in, *out;
} cases[] = {
	{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":"
	 "\"b\",\"image\":"
	 "\"r:5000/x:1\"},{\"name\":\"c\",\"image\":\"x@sha256:0\"},{\"name\":\"d\",\"image\":\"r:5000/x\"}]}}",
		HEAD("v1", "Pod") ",\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\"," CONTAINER
				  "\"imagePullPolicy\":\"Always\"},{"
				  "\"name\":\"b\",\"image\":\"r:5000/x:1\"," CONTAINER
				  "\"imagePullPolicy\":\"IfNotPresent\"},{\"name\":\"c\","
				  "\"image\":\"x@sha256:0\"," CONTAINER
				  "\"imagePullPolicy\":\"IfNotPresent\"},{\"name\":\"d\",\"image\":"
				  "\"r:5000/x\"," CONTAINER "\"imagePullPolicy\":\"Always\"}]," SPEC
				  ",\"enableServiceLinks\":true},\"status\":{}}"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{\"ports\":[{\"port\":80},{\"port\":81,\"targetPort\":"
	 "\"web\"}]}}",
		HEAD("v1", "Service") ",\"spec\":{\"ports\":[{\"protocol\":\"TCP\",\"port\":80,\"targetPort\":80},{"
				      "\"protocol\":\"TCP\","
				      "\"port\":81,\"targetPort\":\"web\"}],\"type\":\"ClusterIP\",\"sessionAffinity\":"
				      "\"None\","
				      "\"internalTrafficPolicy\":\"Cluster\"},\"status\":{\"loadBalancer\":{}}}"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{\"type\":\"NodePort\",\"sessionAffinity\":\"ClientIP\"}"
	 "}",
		HEAD("v1", "Service") ",\"spec\":{\"type\":\"NodePort\",\"sessionAffinity\":\"ClientIP\","
				      "\"externalTrafficPolicy\":\"Cluster\","
				      "\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":10800}},"
				      "\"internalTrafficPolicy\":\"Cluster\"},"
				      "\"status\":{\"loadBalancer\":{}}}"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":\"eA==\"},\"stringData\":{\"a\":\"b\",\"c\":\"d\"}"
	 "}",
		HEAD("v1", "Secret") ",\"data\":{\"a\":\"Yg==\",\"c\":\"ZA==\"},\"type\":\"Opaque\"}"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"x\"}}",
		"{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"labels\":{\"kubernetes."
		"io/metadata.name\":\"x\"}},"
		"\"spec\":{},\"status\":{\"phase\":\"Active\"}}"},
	{"{\"apiVersion\":\"discovery.k8s.io/"
	 "v1\",\"kind\":\"EndpointSlice\",\"addressType\":\"IPv4\",\"ports\":[{\"port\":1}]}",
		HEAD("discovery.k8s.io/v1", "EndpointSlice") ",\"addressType\":\"IPv4\",\"endpoints\":null,\"ports\":[{"
							     "\"name\":\"\",\"protocol\":"
							     "\"TCP\",\"port\":1}]}"},
	{"{\"apiVersion\":\"rbac.authorization.k8s.io/"
	 "v1\",\"kind\":\"RoleBinding\",\"roleRef\":{\"kind\":\"Role\",\"name\":\"r\"},"
	 "\"subjects\":[{\"kind\":\"User\",\"name\":\"u\"},{\"kind\":\"ServiceAccount\",\"name\":\"s\"}]}",
		HEAD("rbac.authorization.k8s.io/v1",
			"RoleBinding") ",\"subjects\":[{\"kind\":\"User\",\"apiGroup\":"
				       "\"rbac.authorization.k8s.io\",\"name\":\"u\"},{\"kind\":\"ServiceAccount\","
				       "\"name\":\"s\"}],\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\","
				       "\"kind\":\"Role\",\"name\":\"r\"}}"},
	{"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"selector\":{},\"template\":{}}}",
		HEAD("apps/v1",
			"Deployment") ",\"spec\":{\"replicas\":1,\"selector\":{},\"template\":{\"metadata\":{},"
				      "\"spec\":{\"containers\":null," SPEC
				      "}},\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{"
				      "\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}},"
				      "\"revisionHistoryLimit\":10,\"progressDeadlineSeconds\":600},\"status\":{}}"},
};

static char *with_defaults(struct arena *arena, const char *json)
{
	const struct json_options options = JSON_LENIENT;
	ProtobufCMessage *object = NULL;
	assert_null(json_decode_any(arena, json, strlen(json), &options, &object));
	api_set_defaults(arena, object);
	return json_to_string(arena, object, 0);
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *once = with_defaults(arena, cases[i].in);
		assert_string_equal(once, cases[i].out);
		assert_string_equal(with_defaults(arena, once), once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
