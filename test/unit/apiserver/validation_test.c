/* Manifests that are refused, and the words of the refusal; and changes that are allowed or not. */
#include "api/defaults/defaults.h"
#include "apiserver/strategy/strategy.h"
#include "apiserver/validation/event.h"
#include "apiserver/validation/meta.h"
#include "world.h"

struct manifest {
	const char *json;
	const char *message; /* "" is good */
};

#define POD(spec) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"d\",\"name\":\"p\"},\"spec\":{" spec "}}"
#define C "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]"
#define SVC(spec)                                                                                                 \
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"namespace\":\"d\",\"name\":\"s\"},\"spec\":" \
	"{" spec "}}"
#define DEPLOY(spec)              \
	"{\"apiVersion\":\"apps/" \
	"v1\",\"kind\":\"Deployment\",\"metadata\":{\"namespace\":\"d\",\"name\":\"x\"},\"spec\":{" spec "}}"
#define TEMPLATE "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{" C "}}"

static const struct manifest manifests[] = {
	{POD(C), ""},
	{POD(""), "Pod \"p\" is invalid: spec.containers: Required value"},
	{POD("\"containers\":[{\"image\":\"i\"}]"), "Pod \"p\" is invalid: spec.containers[0].name: Required value"},
	{POD("\"containers\":[{\"name\":\"c\"}]"), "Pod \"p\" is invalid: spec.containers[0].image: Required value"},
	{POD("\"containers\":[{}]"), "Pod \"p\" is invalid: [spec.containers[0].name: Required value, "
				     "spec.containers[0].image: Required value]"},
	{POD("\"containers\":[{\"name\":\"a.b\",\"image\":\"i\"}]"),
		"Pod \"p\" is invalid: spec.containers[0].name: Invalid value: \"a.b\": must not contain dots"},
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"c\",\"image\":\"i\"}]"),
		"Pod \"p\" is invalid: spec.containers[1].name: Duplicate value: \"c\""},
	{POD(C ",\"restartPolicy\":\"Often\""),
		"Pod \"p\" is invalid: spec.restartPolicy: Unsupported value: \"Often\": supported "
		"values: \"Always\", \"OnFailure\", \"Never\""},
	{POD(C ",\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/a\"},\"secret\":{\"secretName\":\"x\"}}]"),
		"Pod \"p\" is invalid: spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"},
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"volumeMounts\":[{\"name\":\"x\",\"mountPath\":\"/"
	     "x\"}]}]"),
		"Pod \"p\" is invalid: spec.containers[0].volumeMounts[0].name: Not found: \"x\""},
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"containerPort\":70000}]}]"),
		"Pod \"p\" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be "
		"between 1 and 65535, "
		"inclusive"},
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"limits\":{\"cpu\":\"1\"},\"requests\":{"
	     "\"cpu\":\"2\"}}}]"),
		"Pod \"p\" is invalid: spec.containers[0].resources.requests: Invalid value: \"2\": must be less than "
		"or equal to cpu limit "
		"of 1"},
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"livenessProbe\":{}}]"),
		"Pod \"p\" is invalid: spec.containers[0].livenessProbe: Required value: must specify a handler type"},
	{POD(C ",\"tolerations\":[{\"key\":\"a\",\"operator\":\"Exists\",\"value\":\"b\"}]"),
		"Pod \"p\" is invalid: spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when "
		"`operator` is 'Exists'"},
	{SVC("\"ports\":[{\"port\":80}]"), ""},
	{SVC(""), "Service \"s\" is invalid: spec.ports: Required value"},
	{SVC("\"clusterIP\":\"None\""), ""},
	{SVC("\"type\":\"Odd\",\"ports\":[{\"port\":80}]"),
		"Service \"s\" is invalid: spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", "
		"\"ExternalName\", "
		"\"LoadBalancer\", \"NodePort\""},
	{SVC("\"ports\":[{\"port\":80,\"nodePort\":30000}]"), "Service \"s\" is invalid: spec.ports[0].nodePort: "
							      "Forbidden: may not be used when `type` is 'ClusterIP'"},
	{DEPLOY("\"selector\":{\"matchLabels\":{\"a\":\"b\"}}," TEMPLATE), ""},
	{DEPLOY(TEMPLATE), "Deployment.apps \"x\" is invalid: [spec.selector: Required value, "
			   "spec.template.metadata.labels: Invalid "
			   "value: {\"a\":\"b\"}: `selector` does not match template `labels`]"},
	{DEPLOY("\"replicas\":-1,\"selector\":{\"matchLabels\":{\"a\":\"b\"}}," TEMPLATE),
		"Deployment.apps \"x\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to "
		"0"},
	{DEPLOY("\"strategy\":{\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":\"0%\"}},\"selector\":{"
		"\"matchLabels\":{\"a\":\"b\"}}," TEMPLATE),
		"Deployment.apps \"x\" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": "
		"may not be 0 when "
		"`maxSurge` is 0"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":\"d\",\"name\":\"c\"},\"data\":{\"."
	 ".\":\"x\"}}",
		"ConfigMap \"c\" is invalid: data[..]: Invalid value: \"..\": must not be '..'"},
};

static struct request *request_for(struct arena *arena, const ProtobufCMessage *object, const char *subresource)
{
	struct request *r = ARENA_NEW(arena, struct request);
	r->arena = arena;
	r->schema = schema_of(object)->resource;
	r->group = schema_of(object)->group;
	r->resource = r->schema->plural;
	r->subresource = subresource;
	r->namespace = "d";
	r->clock = clock_system();
	r->user = user_new(arena, "ann", "");
	r->strategy = strategy_find(r->group, r->resource);
	return r;
}

/* What the core of the registry does around a strategy, without the store. */
static struct status *create(struct arena *arena, ProtobufCMessage *object)
{
	struct request *r = request_for(arena, object, "");
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	api_set_defaults(arena, object);
	if (r->strategy->prepare_create)
		r->strategy->prepare_create(r, object);
	validate_object_meta(&errors, FIELD(NULL, "metadata"), object_meta(object), true, r->strategy->check_name);
	if (r->strategy->validate_create)
		r->strategy->validate_create(r, object, &errors);
	return field_errors_status(&errors, r->group, object_kind(object), object_name(object));
}

static struct status *update(
	struct arena *arena, const char *subresource, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	struct request *r = request_for(arena, object, subresource);
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	api_set_defaults(arena, object);
	if (r->strategy->prepare_update)
		r->strategy->prepare_update(r, object, old);
	if (r->strategy->validate_update)
		r->strategy->validate_update(r, object, old, &errors);
	return field_errors_status(&errors, r->group, object_kind(object), object_name(object));
}

static void test_manifests(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(manifests); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP_STATUS struct status *s = create(arena, world_object(arena, manifests[i].json));
		if (!str_eq(s ? s->message : "", manifests[i].message))
			fail_msg(
				"%s\n got: %s\nwant: %s", manifests[i].json, s ? s->message : "", manifests[i].message);
		if (s)
			assert_int_equal(s->code, 422);
	}
}

static const struct {
	const char *before, *after, *message;
} changes[] = {
	{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]"),
		POD("\"containers\":[{\"name\":\"c\",\"image\":\"j\"}]"), ""},
	{POD(C), POD(C ",\"activeDeadlineSeconds\":5"), ""},
	{POD(C ",\"activeDeadlineSeconds\":5"), POD(C ",\"activeDeadlineSeconds\":6"),
		"Pod \"p\" is invalid: spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to "
		"previous value"},
	{POD(C), POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"i\"}]"),
		"Pod \"p\" is invalid: spec.containers: Forbidden: pod updates may not add or remove containers"},
	{POD(C ",\"tolerations\":[{\"key\":\"a\"}]"), POD(C),
		"Pod \"p\" is invalid: spec.tolerations: Forbidden: existing toleration can not be modified except its "
		"tolerationSeconds"},
	{DEPLOY("\"selector\":{\"matchLabels\":{\"a\":\"b\"}}," TEMPLATE),
		DEPLOY("\"selector\":{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}," TEMPLATE),
		"Deployment.apps \"x\" is invalid: spec.selector: Invalid value: "
		"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":"
		"\"Exists\"}]}: field is immutable"},
	{"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"immutable\":true,\"data\":{\"a\":"
	 "\"YQ==\"}}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"immutable\":true,\"data\":{"
		"\"a\":\"Yg==\"}}",
		"Secret \"s\" is invalid: data: Forbidden: field is immutable when `immutable` is set"},
	{SVC("\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"ports\":[{\"port\":80}]"),
		SVC("\"clusterIP\":\"10.0.0.2\",\"clusterIPs\":[\"10.0.0.2\"],\"ports\":[{\"port\":80}]"),
		"Service \"s\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"},
	{SVC("\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"ports\":[{\"port\":80}]"),
		SVC("\"ports\":[{\"port\":80}]"), ""},
};

static void test_changes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		ProtobufCMessage *old = world_object(arena, changes[i].before),
				 *now = world_object(arena, changes[i].after);
		status_free(create(arena, old));
		CLEANUP_STATUS struct status *s = update(arena, "", now, old);
		if (!str_eq(s ? s->message : "", changes[i].message))
			fail_msg("%s\n got: %s\nwant: %s", changes[i].after, s ? s->message : "", changes[i].message);
	}
}

static void test_quality(void **state)
{
#define R(text) POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{" text "}}]")
	static const struct {
		const char *json, *class;
	} cases[] = {
		{R(""), "BestEffort"},
		{R("\"requests\":{\"cpu\":\"1\"}"), "Burstable"},
		{R("\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}"), "Guaranteed"},
		{R("\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"1000m\",\"memory\":"
		   "\"1024Mi\"}"),
			"Guaranteed"},
		{R("\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"1\",\"memory\":\"1Mi\"}"),
			"Burstable"},
		{R("\"limits\":{\"cpu\":\"1\"}"), "Burstable"},
		{R("\"requests\":{\"cpu\":\"0\"}"), "BestEffort"},
		{R("\"limits\":{\"example.com/x\":\"1\"}"), "BestEffort"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *pod = world_object(arena, cases[i].json);
		assert_null(create(arena, &pod->base));
		if (!str_eq(pod->status->qos_class, cases[i].class))
			fail_msg("%s\n got: %s\nwant: %s", cases[i].json, pod->status->qos_class, cases[i].class);
	}
}

static void test_deletion(void **state)
{
	static const struct {
		const char *spec, *phase;
		int64_t asked, given;
	} cases[] = {
		{"\"nodeName\":\"n\",", "Running", -1, 30},
		{"\"nodeName\":\"n\",", "Running", 5, 5},
		{"\"nodeName\":\"n\",", "Running", 0, 0},
		{"\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":7,", "Running", -1, 7},
		{"\"nodeName\":\"n\",", "Failed", -1, 0},
		{"\"nodeName\":\"n\",", "Succeeded", 9, 0},
		{"", "Pending", -1, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *pod = world_object(arena,
			arena_printf(arena,
				"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{%s" C
				"},\"status\":{"
				"\"phase\":\"%s\"}}",
				cases[i].spec, cases[i].phase));
		api_set_defaults(arena, &pod->base);
		MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
		options->has_grace_period_seconds = cases[i].asked >= 0;
		options->grace_period_seconds = cases[i].asked;
		struct request *r = request_for(arena, &pod->base, "");
		assert_true(r->strategy->graceful(r, &pod->base, options));
		if (options->grace_period_seconds != cases[i].given)
			fail_msg("case %zu: %lld instead of %lld", i, (long long)options->grace_period_seconds,
				(long long)cases[i].given);
	}
}

static void test_names(void **state)
{
	static const struct {
		name_check_fn *check;
		const char *name;
		bool prefix, good;
	} cases[] = {
		{name_is_dns_subdomain, "a.b-c.d", false, true},
		{name_is_dns_subdomain, "a..b", false, false},
		{name_is_dns_subdomain, "-a", false, false},
		{name_is_dns_subdomain, "a-", false, false},
		{name_is_dns_subdomain, "a-", true, true},
		{name_is_dns_subdomain, "A", false, false},
		{name_is_dns_label, "a.b", false, false},
		{name_is_dns_label, "123", false, true},
		{name_is_dns_1035_label, "123", false, false},
		{name_is_dns_1035_label, "a1", false, true},
		{name_is_path_segment, "system:node", false, true},
		{name_is_path_segment, "a/b", false, false},
		{name_is_path_segment, "..", false, false},
		{name_is_path_segment, "a%b", false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *problem = cases[i].check(arena, cases[i].name, cases[i].prefix);
		if (!problem != cases[i].good)
			fail_msg("%s: %s", cases[i].name, problem);
	}
}

/* Only protobuf has what is less than a microsecond. */
static void test_event_times(void **state)
{
	static const struct {
		int32_t now, was;
		size_t n_errors;
	} cases[] = {{1000, 1000, 0}, {1000, 1999, 0}, {1999, 2000, 1}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct field_errors errors = FIELD_ERRORS_INIT(arena);
		CoreV1Event *events[2];
		for (int k = 0; k < 2; k++) {
			events[k] = API_NEW(arena, CoreV1Event);
			events[k]->event_time = API_NEW(arena, MetaV1MicroTime);
			events[k]->event_time->nanos = k ? cases[i].was : cases[i].now;
		}
		validate_event_v1_update(&errors, events[0], events[1]);
		assert_int_equal(errors.n_items, cases[i].n_errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifests), cmocka_unit_test(test_changes),
		cmocka_unit_test(test_quality), cmocka_unit_test(test_deletion), cmocka_unit_test(test_names),
		cmocka_unit_test(test_event_times)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
