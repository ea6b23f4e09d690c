/* What objects count for a quota, and which quotas count them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "api/json.h"
#include "api/quota.h"
#include "base/cleanup.h"

enum { NOW = 1800000000 };

static void *object(struct arena *arena, const char *json)
{
	const struct json_options options = JSON_LENIENT;
	ProtobufCMessage *msg = NULL;
	assert_null(json_decode_any(arena, json, strlen(json), &options, &msg));
	return msg;
}

#define POD(rest) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"," rest "}"
#define ASKS(text) "{\"name\":\"c\",\"resources\":{" text "}}"

#define GIVEN                                                                                                         \
	"\"containerStatuses\":[{\"name\":\"c\",\"allocatedResources\":{\"cpu\":\"3\"},\"resources\":{\"requests\":{" \
	"\"cpu\":\"2\"},\"limits\":{\"cpu\":\"4\"}}}]"
#define INFEASIBLE "\"conditions\":[{\"type\":\"PodResizePending\",\"status\":\"True\",\"reason\":\"Infeasible\"}]"
#define CLAIM(requests)                      \
	"{\"apiVersion\":\"resource.k8s.io/" \
	"v1\",\"kind\":\"ResourceClaim\",\"spec\":{\"devices\":{\"requests\":[" requests "]}}}"

static const struct {
	const char *json, *usage;
} cases[] = {
	{POD("\"spec\":{\"containers\":[{\"name\":\"c\"}]}"), "count/pods=1,pods=1"},
	{POD("\"spec\":{\"containers\":[" ASKS("\"requests\":{\"cpu\":\"100m\"},\"limits\":{\"cpu\":\"1\"}") "," ASKS(
		 "\"requests\":{\"cpu\":\"200m\",\"memory\":\"1Gi\"}") "]}"),
		"count/pods=1,cpu=300m,limits.cpu=1,memory=1Gi,pods=1,requests.cpu=300m,requests.memory=1Gi"},
	/* The largest init step counts when it is more than all containers; a sidecar counts with both. */
	{POD("\"spec\":{\"initContainers\":[" ASKS("\"requests\":{\"cpu\":\"2\"}") "],\"containers\":[" ASKS(
		 "\"requests\":{\"cpu\":\"1\"}") "]}"),
		"count/pods=1,cpu=2,pods=1,requests.cpu=2"},
	{POD("\"spec\":{\"initContainers\":[{\"name\":\"s\",\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{"
	     "\"cpu\":\"1\"}}}"
	     "," ASKS("\"requests\":{\"cpu\":\"2\"}") "],\"containers\":[" ASKS("\"requests\":{\"cpu\":\"1\"}") "]}"),
		"count/pods=1,cpu=3,pods=1,requests.cpu=3"},
	/* What a sidecar takes is there in all later steps, also in those that do not name it. */
	{POD("\"spec\":{\"initContainers\":[" ASKS(
		 "\"requests\":{\"cpu\":\"3\",\"x.io/a\":\"4\"}") ",{\"name\":\"s\","
								  "\"restartPolicy\":\"Always\","
								  "\"resources\":{\"requests\":{\"cpu\":"
								  "\"1\",\"x.io/b\":\"1\"}}}," ASKS(
									  "\"requests\":{\"x.io/"
									  "a\":\"1\"}") "],"
											"\"containers\":"
											"[" ASKS("\"requ"
												 "ests\""
												 ":{"
												 "\"cpu"
												 "\":"
												 "\"1\""
												 "}") "]"
												      "}"),
		"count/pods=1,cpu=3,pods=1,requests.cpu=3,requests.x.io/a=4,requests.x.io/b=1"},
	{POD("\"spec\":{\"overhead\":{\"cpu\":\"1\"},\"containers\":[" ASKS(
		 "\"requests\":{\"example.com/x\":\"2\",\"cpu\":\"1\"}") "]}"),
		"count/pods=1,cpu=2,pods=1,requests.cpu=2,requests.example.com/x=2"},
	{POD("\"spec\":{\"containers\":[" ASKS(
		 "\"requests\":{\"cpu\":\"1\"}") "]},\"status\":{\"phase\":\"Succeeded\"}"),
		"count/pods=1"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"port\":1},{"
	 "\"port\":2}]}}",
		"count/services=1,services.loadbalancers=0,services.nodeports=2,services=1"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"spec\":{\"storageClassName\":\"fast\","
	 "\"resources\":{\"requests\":{"
	 "\"storage\":\"5Gi\"}}}}",
		"count/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,"
		"fast.storageclass.storage.k8s.io/requests.storage=5Gi,persistentvolumeclaims=1,requests.storage=5Gi"},
	/* What was given counts when it is more, in whole bytes. */
	{"{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"spec\":{\"resources\":{\"requests\":{"
	 "\"storage\":\"1500m\"}}},\"status\":{\"allocatedResources\":{\"storage\":\"2500m\"}}}",
		"count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=3"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"spec\":{\"resources\":{\"requests\":{"
	 "\"storage\":\"5Gi\"}}},\"status\":{\"allocatedResources\":{\"storage\":\"2Gi\"}}}",
		"count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=5Gi"},
	/* Containers that are resized: the most of what they ask for, have and were given, unless it cannot be had. */
	{POD("\"spec\":{\"containers\":[" ASKS(
		 "\"requests\":{\"cpu\":\"1\"},\"limits\":{\"cpu\":\"5\"}") "]},\"status\":{" GIVEN "}"),
		"count/pods=1,cpu=3,limits.cpu=5,pods=1,requests.cpu=3"},
	{POD("\"spec\":{\"containers\":[" ASKS(
		 "\"requests\":{\"cpu\":\"9\"},\"limits\":{\"cpu\":\"9\"}") "]},\"status\":{" INFEASIBLE "," GIVEN "}"),
		"count/pods=1,cpu=3,limits.cpu=4,pods=1,requests.cpu=3"},
	{POD("\"spec\":{\"initContainers\":[" ASKS("\"requests\":{\"cpu\":\"1\"}") "]},\"status\":{" GIVEN "}"),
		"count/pods=1,cpu=1,pods=1,requests.cpu=1"},
	{POD("\"spec\":{\"overhead\":{\"cpu\":\"1\"},\"containers\":[" ASKS("\"limits\":{\"cpu\":\"0\"}") "]}"),
		"count/pods=1,cpu=1,limits.cpu=0,pods=1,requests.cpu=1"},
	{CLAIM("{\"name\":\"a\",\"exactly\":{\"deviceClassName\":\"x\",\"allocationMode\":\"ExactCount\",\"count\":2}},"
	       "{\"name\":\"b\",\"exactly\":{\"deviceClassName\":\"x\",\"allocationMode\":\"All\"}}"),
		"count/resourceclaims.resource.k8s.io=1,x.deviceclass.resource.k8s.io/devices=34"},
	{CLAIM("{\"name\":\"a\",\"firstAvailable\":[{\"name\":\"1\",\"deviceClassName\":\"x\",\"allocationMode\":"
	       "\"ExactCount\",\"count\":2},{\"name\":\"2\",\"deviceClassName\":\"x\",\"allocationMode\":"
	       "\"ExactCount\","
	       "\"count\":3},{\"name\":\"3\",\"deviceClassName\":\"y\",\"allocationMode\":\"ExactCount\",\"count\":1}]"
	       "}"),
		"count/resourceclaims.resource.k8s.io=1,x.deviceclass.resource.k8s.io/devices=3,"
		"y.deviceclass.resource.k8s.io/devices=1"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}", "configmaps=1,count/configmaps=1"},
	{"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}", "count/deployments.apps=1"},
};

static void test_usage(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct quota_list usage;
		quota_usage(arena, object(arena, cases[i].json), NOW, &usage);
		assert_string_equal(quota_text(arena, &usage), cases[i].usage);
	}
}

#define OF_CLASS(op, values)                                                                                   \
	"\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":\"VolumeAttributesClass\",\"operator\":\"" op \
	"\",\"values\":[" values "]}]}"
#define VOLUME(rest) "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\"," rest "}"

static const struct {
	const char *scopes, *pod;
	bool matches;
} scoped[] = {
	{"", POD("\"spec\":{}"), true},
	{"\"scopes\":[\"Terminating\"]", POD("\"spec\":{\"activeDeadlineSeconds\":5}"), true},
	{"\"scopes\":[\"Terminating\"]", POD("\"spec\":{}"), false},
	{"\"scopes\":[\"NotTerminating\",\"BestEffort\"]", POD("\"spec\":{}"), true},
	{"\"scopes\":[\"BestEffort\"]", POD("\"spec\":{\"containers\":[" ASKS("\"requests\":{\"cpu\":\"1\"}") "]}"),
		false},
	{"\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":\"PriorityClass\",\"operator\":\"In\",\"values\":["
	 "\"a\"]}]}",
		POD("\"spec\":{\"priorityClassName\":\"a\"}"), true},
	{"\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":\"PriorityClass\",\"operator\":\"In\",\"values\":["
	 "\"a\"]}]}",
		POD("\"spec\":{\"priorityClassName\":\"b\"}"), false},
	{"\"scopes\":[\"BestEffort\"]", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}", false},
	{OF_CLASS("In", "\"gold\""), VOLUME("\"spec\":{\"volumeAttributesClassName\":\"gold\"}"), true},
	{OF_CLASS("In", "\"gold\""), VOLUME("\"spec\":{\"volumeAttributesClassName\":\"tin\"}"), false},
	{OF_CLASS("In", "\"gold\""),
		VOLUME("\"spec\":{\"volumeAttributesClassName\":\"tin\"},\"status\":{"
		       "\"currentVolumeAttributesClassName\":"
		       "\"gold\"}"),
		true},
	{OF_CLASS("NotIn", "\"gold\""), VOLUME("\"spec\":{}"), true},
	{OF_CLASS("Exists", ""),
		VOLUME("\"spec\":{},\"status\":{\"modifyVolumeStatus\":{\"targetVolumeAttributesClassName\":\"a\"}}"),
		true},
	{OF_CLASS("DoesNotExist", ""), VOLUME("\"spec\":{}"), true},
	{OF_CLASS("Exists", ""), POD("\"spec\":{}"), false},
};

static void test_scopes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(scoped); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const CoreV1ResourceQuota *quota = object(
			arena, arena_printf(arena, "{\"apiVersion\":\"v1\",\"kind\":\"ResourceQuota\",\"spec\":{%s}}",
				       scoped[i].scopes));
		if (quota_matches(quota, object(arena, scoped[i].pod)) != scoped[i].matches)
			fail_msg("%s and %s", scoped[i].scopes, scoped[i].pod);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_usage), cmocka_unit_test(test_scopes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
