#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/types.h"

static const struct schema_type *const pod = &CoreV1Pod_schema;

/* What strict decoding says and what is written back; or the error, for which out begins with "error ". */
static const struct {
	const char *in, *strict, *out;
} pods[] = {
	{"{}", "", "{\"metadata\":{},\"spec\":{\"containers\":null},\"status\":{}}"},
	{"null", "", "{\"metadata\":{},\"spec\":{\"containers\":null},\"status\":{}}"},
	{"{\"spec\":{\"foo\":1,\"containers\":[{\"name\":\"a\",\"bar\":{\"x\":1}}]},\"q\":1}",
		"unknown field \"spec.foo\";unknown field \"spec.containers[0].bar\";unknown field \"q\"", NULL},
	{"{\"metadata\":{\"name\":\"a\",\"name\":\"b\",\"labels\":{\"a\":\"1\",\"a\":\"2\"}}}",
		"duplicate field \"metadata.name\";duplicate field \"metadata.labels.a\"", NULL},
	{"{\"Spec\":{}}", "unknown field \"Spec\"", NULL},
	{"{\"spec\":{\"containers\":[],\"nodeSelector\":{}}}", "",
		"{\"metadata\":{},\"spec\":{\"containers\":[]},\"status\":{}}"},
	{"{\"spec\":{\"containers\":[null]}}", "",
		"{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"\",\"resources\":{}}]},\"status\":{}}"},
	{"{\"metadata\":{\"labels\":{\"z\":\"1\",\"a\":\"<&>\"}}}", "",
		"{\"metadata\":{\"labels\":{\"a\":\"\\u003c\\u0026\\u003e\",\"z\":\"1\"}},\"spec\":{\"containers\":"
		"null},\"status\":{}}"},
	{"{\"metadata\":{\"name\":\"\\ud83d\\ude00\\ud83d\\u2028\"}}", "",
		"{\"metadata\":{\"name\":\"\xf0\x9f\x98\x80\xef\xbf\xbd\\u2028\"},\"spec\":{\"containers\":null},"
		"\"status\":{}}"},
	{"{\"metadata\":{\"name\":\"a\xff\"}}", "",
		"{\"metadata\":{\"name\":\"a\xef\xbf\xbd\"},\"spec\":{\"containers\":null},\"status\":{}}"},
	{"{\"spec\":{\"activeDeadlineSeconds\":9007199254740993,\"priority\":-2147483648,\"hostNetwork\":false}}", "",
		"{\"metadata\":{},\"spec\":{\"containers\":null,\"activeDeadlineSeconds\":9007199254740993,"
		"\"priority\":-2147483648},\"status\":{}}"},
	{"{\"metadata\":{\"creationTimestamp\":\"2020-01-01T01:00:00.5+01:00\",\"deletionTimestamp\":null}}", "",
		"{\"metadata\":{\"creationTimestamp\":\"2020-01-01T00:00:00Z\"},\"spec\":{\"containers\":null},"
		"\"status\":{}}"},
	{"{\"metadata\":{\"managedFields\":[{\"fieldsV1\":{\"f:a\" : { }}}]}}", "",
		"{\"metadata\":{\"managedFields\":[{\"fieldsV1\":{\"f:a\":{}}}]},\"spec\":{\"containers\":null},"
		"\"status\":{}}"},
	{"{\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{\"sizeLimit\":\"1024Mi\"}}]}}", "",
		"{\"metadata\":{},\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{\"sizeLimit\":\"1Gi\"}}],"
		"\"containers\":null},\"status\":{}}"},
	{"{\"spec\":{\"containers\":[{\"name\":1}]}}", "",
		"error json: cannot unmarshal number into Go struct field Container.spec.containers.name of type "
		"string"},
	{"{\"spec\":{\"containers\":{}}}", "",
		"error json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
		"[]v1.Container"},
	{"{\"spec\":{\"priority\":3000000000}}", "",
		"error json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type "
		"int32"},
	{"{\"spec\":{\"terminationGracePeriodSeconds\":1.5}}", "",
		"error json: cannot unmarshal number 1.5 into Go struct field "
		"PodSpec.spec.terminationGracePeriodSeconds of type int64"},
	{"{\"metadata\":{\"labels\":{\"a\":1}}}", "",
		"error json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"},
	{"{\"kind\":1}", "", "error json: cannot unmarshal number into Go struct field Pod.kind of type string"},
	{"[]", "", "error json: cannot unmarshal array into Go value of type v1.Pod"},
	{"{\"metadata\":{\"name\":\"\\u0000\"}}", "",
		"error a string holds a NUL character, which is not supported (at byte 20)"},
	{"{\"a\":1}x", "", "error invalid character 'x' after top-level value (at byte 7)"},
	{"{\"a\":1", "", "error unexpected end of JSON input (at byte 6)"},
	{"", "", "error unexpected end of JSON input (at byte 0)"},
	{"{\"a\":01}", "", "error invalid character '1' after object key:value pair (at byte 6)"},
	{"{\"a\":nul}", "", "error invalid character '}' in literal null (expecting 'l') (at byte 5)"},
};

static void pods_are_read_and_written_as_go_does(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct json_strict strict = {0};
		struct json_options options = {.strict = &strict};
		CoreV1Pod *msg = NULL;
		CLEANUP_STATUS struct status *s =
			json_decode(arena, pod, pods[i].in, strlen(pods[i].in), &options, &msg);
		const char *want = pods[i].out;
		if (s) {
			assert_string_equal(arena_printf(arena, "error %s", s->message), str_or_empty(want));
			assert_int_equal(s->reason, STATUS_BAD_REQUEST);
			continue;
		}
		assert_string_equal(
			strict.n_errors ? str_join(arena, strict.errors, strict.n_errors, ";") : "", pods[i].strict);
		if (want)
			assert_string_equal(json_to_string(arena, msg, JSON_NO_TYPE), want);
	}
}

static void roots_carry_kind_and_version_first(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	AppsV1Deployment *d = API_NEW(arena, AppsV1Deployment);
	CoreV1PodList *list = API_NEW(arena, CoreV1PodList);

	assert_string_equal(json_to_string(arena, d, JSON_NEWLINE),
		"{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
		"v1\",\"metadata\":{},\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},"
		"\"spec\":{\"containers\":null}},\"strategy\":{}},\"status\":{}}\n");
	assert_string_equal(json_to_string(arena, list, 0),
		"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[]}");
	assert_string_equal(json_to_string(arena, API_NEW(arena, MetaV1Status), 0),
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{}}");
	assert_string_equal(json_to_string(arena, list, JSON_PRETTY | JSON_INDENT2),
		"{\n  \"kind\": \"PodList\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n  \"items\": []\n}");
}

static void any_kind_is_found_by_its_own_words(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char lease[] = "{\"spec\":{},\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\"}";
	static const char strange[] = "{\"kind\":\"Foo\",\"apiVersion\":\"bar/v1\"}",
			  unnamed[] = "{\"apiVersion\":\"v1\"}";
	void *msg = NULL;

	assert_null(json_decode_any(arena, lease, strlen(lease), NULL, &msg));
	assert_ptr_equal(schema_of(msg), &CoordinationV1Lease_schema);
	struct status *s = json_decode_any(arena, strange, strlen(strange), NULL, &msg);
	assert_string_equal(s->message, "no kind \"Foo\" is registered for version \"bar/v1\"");
	status_free(s);
	s = json_decode_any(arena, unnamed, strlen(unnamed), NULL, &msg);
	assert_string_equal(s->message, "Object 'Kind' is missing");
	status_free(s);
}

static char *nested(struct arena *arena, size_t depth)
{
	char *text = arena_alloc(arena, depth * 2 + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[depth * 2] = '\0';
	return text;
}

static void depth_and_size_are_bounded(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct json_options small = {.max_size = 10};
	CoreV1Pod *msg;

	for (size_t depth = 400; depth <= 100000; depth *= 10) {
		char *text = arena_printf(arena, "{\"unknown\":%s}", nested(arena, depth));
		CLEANUP_STATUS struct status *s = json_decode(arena, pod, text, strlen(text), NULL, &msg);
		if (depth == 400)
			assert_null(s);
		else
			assert_non_null(strstr(s->message, "exceeded max depth"));
	}
	struct status *s = json_decode(arena, pod, "{\"metadata\":{}}", 15, &small, &msg);
	assert_int_equal(s->reason, STATUS_TOO_LARGE);
	status_free(s);
}

/* What is special is seen wherever it stands among what is not. */
static void strings_are_escaped_at_every_place(void **state)
{
	static const struct {
		const char *text, *html, *plain;
	} cases[] = {{"\"", "\\\"", "\\\""}, {"\\", "\\\\", "\\\\"}, {"\n", "\\n", "\\n"},
		{"\x01", "\\u0001", "\\u0001"}, {"<", "\\u003c", "<"}, {">", "\\u003e", ">"}, {"&", "\\u0026", "&"},
		{"\x7f", "\x7f", "\x7f"}, {"\xc3\xa9", "\xc3\xa9", "\xc3\xa9"}, {"\xff", "\\ufffd", "\\ufffd"},
		{" ", " ", " "}, {"!", "!", "!"}};
	static const char around[] = "abcdefghijklmnopqrstuvwxyz";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int before = 0; before < 20; before++)
			for (int after = 0; after < 20; after += 3) {
				CLEANUP(arena_freep) struct arena *arena = arena_new();
				CLEANUP(strbuf_done) struct strbuf html = STRBUF_INIT, plain = STRBUF_INIT;
				const char *text =
					arena_printf(arena, "%.*s%s%.*s", before, around, cases[i].text, after, around);
				struct json_reader r;
				const char *back;
				size_t size;
				json_add_string(&html, text, strlen(text), true);
				json_add_string(&plain, text, strlen(text), false);
				assert_string_equal(html.buf, arena_printf(arena, "\"%.*s%s%.*s\"", before, around,
								      cases[i].html, after, around));
				assert_string_equal(plain.buf, arena_printf(arena, "\"%.*s%s%.*s\"", before, around,
								       cases[i].plain, after, around));
				json_reader_init(&r, arena, html.buf, html.len, 10);
				assert_true(json_read_string(&r, &back, &size) && json_at_end(&r));
				if (*cases[i].text != '\xff')
					assert_string_equal(arena_strndup(arena, back, size), text);
			}
}

static void text_is_compacted_or_refused(void **state)
{
	static const struct {
		const char *text, *compact;
	} cases[] = {{"{}", "{}"}, {" { } ", "{}"}, {"{\"f:a\":{}}", "{\"f:a\":{}}"}, {"{\"f:a\": {}}", "{\"f:a\":{}}"},
		{"{\"f:a\":{\".\":{},\"k:{\\\"a\\\":1}\":{}},\"f:b\":{}}",
			"{\"f:a\":{\".\":{},\"k:{\\\"a\\\":1}\":{}},\"f:b\":{}}"},
		{"{\"a b\":[1, \"c d\"]}", "{\"a b\":[1,\"c d\"]}"}, {"{\"a\\u0020\":{}}", "{\"a\\u0020\":{}}"},
		{"\"a\\\" b\"", "\"a\\\" b\""}, {"", NULL}, {"{", NULL}, {"{}}", NULL}, {"{\"a\":{}", NULL},
		{"{\"a\":{},}", NULL}, {"{,}", NULL}, {"{\"a\"}", NULL}, {"{\"a\":}", NULL}, {"{\"a:{}}", NULL},
		{"{\"a\\x\":{}}", NULL}, {"{\"a\":{}}{}", NULL}, {"{\"a\":{}\"b\":{}}", NULL}, {"{\"a\\", NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		bool good = json_add_compact(&out, cases[i].text, strlen(cases[i].text), false);
		if (good != (cases[i].compact != NULL))
			fail_msg("%s: %staken", cases[i].text, good ? "" : "not ");
		if (good)
			assert_string_equal(out.buf, cases[i].compact);
	}
}

static void what_scripts_trip_over_is_escaped_in_json_that_is_kept(void **state)
{
	static const char text[] = "{ \"<a>\" : [ \"&\\\"<\", \"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\" ] }",
			  kept[] = "{\"\\u003ca\\u003e\":[\"\\u0026\\\"\\u003c\",\"\\u2028\\u2029\xe2\x80\xaa\"]}";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	assert_true(json_add_compact(&out, text, strlen(text), true));
	assert_string_equal(out.buf, kept);
	RuntimeRawExtension *raw;
	assert_null(json_decode(arena, &RuntimeRawExtension_schema, text, strlen(text), NULL, &raw));
	assert_string_equal(arena_strndup(arena, (const char *)raw->raw.data, raw->raw.len), kept);
}

static MetaV1ManagedFieldsEntry *entry_with(struct arena *arena, const char *fields)
{
	MetaV1ManagedFieldsEntry *e = API_NEW(arena, MetaV1ManagedFieldsEntry);
	e->fields_v1 = API_NEW(arena, MetaV1FieldsV1);
	e->fields_v1->raw.data = (uint8_t *)arena_strdup(arena, fields);
	e->fields_v1->raw.len = strlen(fields);
	return e;
}

static void only_the_message_that_was_printed_here_is_not_read_again(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	MetaV1ObjectMeta *meta = API_NEW(arena, MetaV1ObjectMeta);
	ARENA_PUSH(arena, meta->managed_fields, meta->n_managed_fields) = entry_with(arena, "{\"f:a\":{}}");
	ARENA_PUSH(arena, meta->managed_fields, meta->n_managed_fields) = entry_with(arena, "{ \"f:<\" : {} }");
	ARENA_PUSH(arena, meta->managed_fields, meta->n_managed_fields) = entry_with(arena, "}, no JSON");
	json_encode_printed(&out, meta, NULL, NULL, 0, meta->managed_fields[0]->fields_v1);
	assert_string_equal(out.buf,
		"{\"managedFields\":[{\"fieldsV1\":{\"f:a\":{}}},{\"fieldsV1\":{\"f:\\u003c\":{}}},"
		"{\"fieldsV1\":null}]}");
}

static void doubles_are_written_as_go_does(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {{0, "0"}, {1, "1"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1e20, "100000000000000000000"},
		{93333333393333338112.0, "93333333393333340000"}, {1e21, "1e+21"}, {1e-6, "0.000001"}, {1e-7, "1e-7"},
		{123456.789, "123456.789"}, {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
		{100000, "100000"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		json_add_double(&out, cases[i].value);
		assert_string_equal(out.buf, cases[i].text);
	}
}

static void other_forms_are_read_and_written(void **state)
{
	static const struct {
		const struct schema_type *type;
		const char *in, *out;
	} cases[] = {
		{&CoreV1Event_schema, "{\"eventTime\":\"2020-01-01T00:00:00.123456Z\",\"firstTimestamp\":null}",
			"{\"metadata\":{},\"involvedObject\":{},\"source\":{},\"firstTimestamp\":null,"
			"\"lastTimestamp\":null,"
			"\"eventTime\":\"2020-01-01T00:00:00.123456Z\",\"reportingComponent\":\"\","
			"\"reportingInstance\":\"\"}"},
		{&CoreV1ConfigMap_schema,
			"{\"data\":{},\"binaryData\":{\"a\":\"aGk=\",\"b\":\"\"},\"immutable\":false}",
			"{\"metadata\":{},\"immutable\":false,\"binaryData\":{\"a\":\"aGk=\",\"b\":\"\"}}"},
		{&AppsV1RollingUpdateDeployment_schema, "{\"maxSurge\":\"25%\",\"maxUnavailable\":0}",
			"{\"maxUnavailable\":0,\"maxSurge\":\"25%\"}"},
		{&KubeletV1beta1KubeletAuthentication_schema, "{\"webhook\":{\"cacheTTL\":\"1m30s\"}}",
			"{\"x509\":{},\"webhook\":{\"cacheTTL\":\"1m30s\"},\"anonymous\":{}}"},
		{&ApiextensionsV1JSONSchemaProps_schema,
			"{\"default\":{\"a\":[1, "
			"2]},\"additionalProperties\":false,\"items\":{\"type\":\"string\"},\"enum\":[1,null]}",
			"{\"default\":{\"a\":[1,2]},\"enum\":[1,null],\"items\":{\"type\":\"string\"},"
			"\"additionalProperties\":false}"},
		{&AuthenticationV1UserInfo_schema, "{\"extra\":{\"a\":[\"b\"],\"c\":null}}",
			"{\"extra\":{\"a\":[\"b\"],\"c\":null}}"},
		{&RbacV1ClusterRole_schema, "{\"rules\":[{\"verbs\":[]}]}",
			"{\"metadata\":{},\"rules\":[{\"verbs\":[]}]}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		void *msg = NULL;
		CLEANUP_STATUS struct status *s =
			json_decode(arena, cases[i].type, cases[i].in, strlen(cases[i].in), NULL, &msg);
		assert_string_equal(s ? s->message : "", "");
		assert_string_equal(json_to_string(arena, msg, JSON_NO_TYPE), cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_are_read_and_written_as_go_does),
		cmocka_unit_test(roots_carry_kind_and_version_first),
		cmocka_unit_test(any_kind_is_found_by_its_own_words),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(strings_are_escaped_at_every_place),
		cmocka_unit_test(text_is_compacted_or_refused),
		cmocka_unit_test(what_scripts_trip_over_is_escaped_in_json_that_is_kept),
		cmocka_unit_test(only_the_message_that_was_printed_here_is_not_read_again),
		cmocka_unit_test(doubles_are_written_as_go_does),
		cmocka_unit_test(other_forms_are_read_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
