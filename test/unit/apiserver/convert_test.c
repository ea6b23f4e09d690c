/* Kinds of two versions: what one cannot say survives the way through it. */
#include "api/copy.h"
#include "api/json.h"
#include "apiserver/registry/private.h"
#include "world.h"

/* v1 says the cpu alone, and gives it back as the last. */
static const char scaler_v2[] = "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":"
				"{\"name\":\"kk-hpa\",\"namespace\":\"default\"},\"spec\":{\"scaleTargetRef\":{\"apiVe"
				"rsion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"d\"},\"minReplicas\":2,\"maxRe"
				"plicas\":10,\"metrics\":[{\"type\":\"Resource\",\"resource\":{\"name\":\"memory\",\"t"
				"arget\":{\"type\":\"AverageValue\",\"averageValue\":\"1Gi\"}}},{\"type\":\"Pods\",\"p"
				"ods\":{\"metric\":{\"name\":\"rps\",\"selector\":{\"matchLabels\":{\"a\":\"b\"}}},\"t"
				"arget\":{\"type\":\"AverageValue\",\"averageValue\":\"100\"}}},{\"type\":\"Object\",\""
				"object\":{\"describedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\""
				"s\"},\"metric\":{\"name\":\"hits\"},\"target\":{\"type\":\"Value\",\"value\":\"10\"}}"
				"},{\"type\":\"External\",\"external\":{\"metric\":{\"name\":\"q\",\"selector\":{\"mat"
				"chExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"v\"]}]}},\"target\""
				":{\"type\":\"AverageValue\",\"averageValue\":\"30\"}}},{\"type\":\"ContainerResource\""
				",\"containerResource\":{\"name\":\"cpu\",\"container\":\"c\",\"target\":{\"type\":\"U"
				"tilization\",\"averageUtilization\":60}}},{\"type\":\"Resource\",\"resource\":{\"name"
				"\":\"cpu\",\"target\":{\"type\":\"Utilization\",\"averageUtilization\":50}}}],\"behav"
				"ior\":{\"scaleUp\":{\"stabilizationWindowSeconds\":10,\"selectPolicy\":\"Max\",\"poli"
				"cies\":[{\"type\":\"Pods\",\"value\":4,\"periodSeconds\":60},{\"type\":\"Percent\",\""
				"value\":10,\"periodSeconds\":60}]},\"scaleDown\":{\"stabilizationWindowSeconds\":100,"
				"\"selectPolicy\":\"Disabled\",\"policies\":[{\"type\":\"Pods\",\"value\":4,\"periodSe"
				"conds\":60}]}}},\"status\":{\"observedGeneration\":3,\"lastScaleTime\":\"2024-01-01T0"
				"0:00:00Z\",\"currentReplicas\":3,\"desiredReplicas\":4,\"currentMetrics\":[{\"type\":"
				"\"Pods\",\"pods\":{\"metric\":{\"name\":\"rps\"},\"current\":{\"averageValue\":\"1\"}"
				"}},{\"type\":\"Object\",\"object\":{\"describedObject\":{\"apiVersion\":\"v1\",\"kind"
				"\":\"Service\",\"name\":\"s\"},\"metric\":{\"name\":\"hits\"},\"current\":{\"value\":"
				"\"1\"}}},{\"type\":\"External\",\"external\":{\"metric\":{\"name\":\"q\"},\"current\""
				":{\"averageValue\":\"1\",\"value\":\"2\"}}},{\"type\":\"ContainerResource\",\"contain"
				"erResource\":{\"name\":\"cpu\",\"container\":\"c\",\"current\":{\"averageUtilization\""
				":1,\"averageValue\":\"1\"}}},{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\""
				"current\":{\"averageUtilization\":40,\"averageValue\":\"100m\"}}}],\"conditions\":[{\""
				"type\":\"AbleToScale\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"m\",\"lastT"
				"ransitionTime\":\"2024-01-01T00:00:00Z\"}]}}";

static const char scaler_v1[] = "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":"
				"{\"name\":\"kk-hpa1\",\"namespace\":\"default\"},\"spec\":{\"scaleTargetRef\":{\"apiV"
				"ersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"d\"},\"minReplicas\":2,\"maxR"
				"eplicas\":10,\"targetCPUUtilizationPercentage\":60},\"status\":{\"observedGeneration\""
				":3,\"lastScaleTime\":\"2024-01-01T00:00:00Z\",\"currentReplicas\":3,\"desiredReplicas"
				"\":4}}";

static const char event_v1[] = "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\","
			       "\"namespace\":\"d\"},\"eventTime\":\"2024-01-01T00:00:00.000001Z\",\"series\":{\"coun"
			       "t\":3,\"lastObservedTime\":\"2024-01-01T00:00:01.000000Z\"},\"reportingController\":\""
			       "c\",\"reportingInstance\":\"i\",\"action\":\"a\",\"reason\":\"r\",\"regarding\":{\"ki"
			       "nd\":\"Pod\",\"namespace\":\"d\",\"name\":\"p\"},\"related\":{\"kind\":\"Node\",\"nam"
			       "e\":\"n\"},\"note\":\"n\",\"type\":\"Normal\",\"deprecatedSource\":{\"component\":\"x"
			       "\",\"host\":\"h\"},\"deprecatedFirstTimestamp\":\"2024-01-01T00:00:00Z\",\"deprecated"
			       "LastTimestamp\":\"2024-01-01T00:00:02Z\",\"deprecatedCount\":4}";

static const char event_core[] = "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\",\"namespace\":"
				 "\"d\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"d\",\"name\":\"p\",\"fiel"
				 "dPath\":\"f\"},\"reason\":\"r\",\"message\":\"m\",\"source\":{\"component\":\"x\",\"h"
				 "ost\":\"h\"},\"firstTimestamp\":\"2024-01-01T00:00:00Z\",\"lastTimestamp\":\"2024-01-"
				 "01T00:00:02Z\",\"count\":4,\"type\":\"Warning\",\"eventTime\":\"2024-01-01T00:00:00.0"
				 "00001Z\",\"series\":{\"count\":3,\"lastObservedTime\":\"2024-01-01T00:00:01.000000Z\""
				 "},\"action\":\"a\",\"related\":{\"kind\":\"Node\",\"name\":\"n\"},\"reportingComponen"
				 "t\":\"c\",\"reportingInstance\":\"i\"}";

static void *read_object(struct arena *arena, const struct schema_type *type, const char *json)
{
	struct json_options options = {0};
	void *object = NULL;
	assert_null(json_decode(arena, type, json, strlen(json), &options, &object));
	return object;
}

/* There and back is the same object, in words and in value. */
static void goes_both_ways(const char *json, const struct schema_type *type, const struct schema_type *other)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *there = NULL, *back = NULL;
	ProtobufCMessage *object = read_object(arena, type, json);
	char *before = json_to_string(arena, object, 0);
	assert_true(convertible(type, other));
	assert_null(convert_object(arena, other, object, &there));
	assert_ptr_equal(schema_of(there), other);
	assert_null(convert_object(arena, type, there, &back));
	assert_string_equal(json_to_string(arena, back, 0), before);
	assert_true(api_equal(back, object));
	/* The one that was converted is as it was. */
	assert_string_equal(json_to_string(arena, object, 0), before);
}

static void scalers(void **state)
{
	goes_both_ways(
		scaler_v2, &AutoscalingV2HorizontalPodAutoscaler_schema, &AutoscalingV1HorizontalPodAutoscaler_schema);
	goes_both_ways(
		scaler_v1, &AutoscalingV1HorizontalPodAutoscaler_schema, &AutoscalingV2HorizontalPodAutoscaler_schema);
}

static void events(void **state)
{
	goes_both_ways(event_v1, &EventsV1Event_schema, &CoreV1Event_schema);
	goes_both_ways(event_core, &CoreV1Event_schema, &EventsV1Event_schema);
}

static void strangers(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *there = NULL;
	ProtobufCMessage *event = read_object(arena, &CoreV1Event_schema, event_core);
	assert_false(convertible(&CoreV1Event_schema, &CoreV1Pod_schema));
	struct status *error = convert_object(arena, &CoreV1Pod_schema, event, &there);
	assert_non_null(error);
	assert_true(status_is(error, STATUS_INTERNAL));
	status_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalers), cmocka_unit_test(events), cmocka_unit_test(strangers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
