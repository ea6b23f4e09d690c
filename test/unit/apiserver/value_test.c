/* What etcd holds, as others wrote it. */
#include "apiserver/store/value.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "world.h"

static char *read_as_json(struct arena *arena, const struct schema_type *type, const char *value)
{
	struct strbuf out = STRBUF_INIT;
	ProtobufCMessage *object;
	struct status *s = value_decode(arena, type, value, strlen(value), &object);
	if (s)
		fail_msg("%s: %s", value, s->message);
	json_encode(&out, object, 0);
	char *text = arena_strdup(arena, out.buf);
	strbuf_done(&out);
	return text;
}

static void older_definitions(void **state)
{
	static const struct {
		const char *stored, *spec;
	} cases[] = {
		/* what all versions share; the columns' paths have another name */
		{"{\"kind\":\"CustomResourceDefinition\",\"apiVersion\":\"apiextensions.k8s.io/v1beta1\",\"spec\":{"
		 "\"group\":\"g\",\"version\":\"v1\",\"names\":{\"plural\":\"foos\",\"singular\":\"foo\",\"kind\":"
		 "\"Foo\","
		 "\"listKind\":\"FooList\"},\"scope\":\"Namespaced\",\"validation\":{\"openAPIV3Schema\":{\"type\":"
		 "\"object\"}},\"subresources\":{\"status\":{}},\"additionalPrinterColumns\":[{\"name\":\"A\",\"type\":"
		 "\"string\",\"JSONPath\":\".a\"}],\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true},"
		 "{\"name\":\"v2\",\"served\":true,\"storage\":false}],\"conversion\":{\"strategy\":\"Webhook\","
		 "\"webhookClientConfig\":{\"url\":\"https://u\"},\"conversionReviewVersions\":[\"v1\"]},"
		 "\"preserveUnknownFields\":false}}",
			"\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":{"
			"\"openAPIV3Schema\":"
			"{\"type\":\"object\"}},\"subresources\":{\"status\":{}},\"additionalPrinterColumns\":[{"
			"\"name\":"
			"\"A\",\"type\":\"string\",\"jsonPath\":\".a\"}]},{\"name\":\"v2\",\"served\":true,\"storage\":"
			"false,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}},\"subresources\":{\"status\":{}},"
			"\"additionalPrinterColumns\":[{\"name\":\"A\",\"type\":\"string\",\"jsonPath\":\".a\"}]}],"
			"\"conversion\":{\"strategy\":\"Webhook\",\"webhook\":{\"clientConfig\":{\"url\":\"https://"
			"u\"},"
			"\"conversionReviewVersions\":[\"v1\"]}}}"},
		/* one version, unnamed among versions; unknown fields are kept unless it says otherwise */
		{"{\"kind\":\"CustomResourceDefinition\",\"apiVersion\":\"apiextensions.k8s.io/v1beta1\",\"spec\":{"
		 "\"group\":\"g\",\"version\":\"v1\",\"names\":{\"plural\":\"foos\",\"kind\":\"Foo\"},\"scope\":"
		 "\"Cluster\"}}",
			"\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true}],\"conversion\":{"
			"\"strategy\":"
			"\"None\"},\"preserveUnknownFields\":true}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *json = read_as_json(arena, &ApiextensionsV1CustomResourceDefinition_schema, cases[i].stored);
		if (!strstr(json, cases[i].spec))
			fail_msg("case %zu\nexpected: …%s\ngot: %s", i, cases[i].spec, json);
	}
}

static void defaults_of_later_releases(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *json = read_as_json(arena, &CoreV1PersistentVolumeClaim_schema,
		"{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"}}");
	assert_non_null(strstr(json, "\"volumeMode\":\"Filesystem\""));
	assert_non_null(strstr(json, "\"status\":{\"phase\":\"Pending\"}"));
	json = read_as_json(arena, &CoreV1PersistentVolumeClaim_schema,
		"{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},"
		"\"spec\":{\"dataSource\":{\"kind\":\"PersistentVolumeClaim\",\"name\":\"d\"}}}");
	assert_non_null(strstr(
		json, "\"dataSourceRef\":{\"apiGroup\":null,\"kind\":\"PersistentVolumeClaim\",\"name\":\"d\"}"));
}

static void services_of_before_there_were_families(void **state)
{
	static const struct {
		const char *spec, *told;
	} cases[] = {
		{"\"clusterIP\":\"10.0.0.1\",\"selector\":{\"a\":\"b\"}",
			"\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"type\":\"ClusterIP\","
			"\"sessionAffinity\":\"None\",\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\""},
		{"\"clusterIP\":\"fd00::1\",\"clusterIPs\":[\"fd00::1\",\"10.0.0.1\"]",
			"\"ipFamilies\":[\"IPv6\",\"IPv4\"],\"ipFamilyPolicy\":\"RequireDualStack\""},
		{"\"clusterIP\":\"None\",\"selector\":{\"a\":\"b\"}",
			"\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\""},
		{"\"clusterIP\":\"None\"",
			"\"ipFamilies\":[\"IPv4\",\"IPv6\"],\"ipFamilyPolicy\":\"RequireDualStack\""},
		{"\"type\":\"ExternalName\",\"externalName\":\"x\",\"internalTrafficPolicy\":\"Cluster\"",
			"\"sessionAffinity\":\"None\",\"externalName\":\"x\"}"},
		{"\"type\":\"LoadBalancer\"",
			"\"sessionAffinity\":\"None\",\"externalTrafficPolicy\":\"Cluster\","
			"\"allocateLoadBalancerNodePorts\":true,\"internalTrafficPolicy\":\"Cluster\"}"},
		{"\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"ipFamilies\":[\"IPv6\"],"
		 "\"ipFamilyPolicy\":\"PreferDualStack\"",
			"\"ipFamilies\":[\"IPv6\"],\"ipFamilyPolicy\":\"PreferDualStack\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *json = read_as_json(arena, &CoreV1Service_schema,
			arena_printf(
				arena, "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"spec\":{%s}}", cases[i].spec));
		if (!strstr(json, cases[i].told))
			fail_msg("case %zu\nexpected: …%s\ngot: %s", i, cases[i].told, json);
	}
}

/* The release before knows these kinds in the version before alone. */
static void versions_that_are_stored(void **state)
{
	static const struct {
		const struct schema_type *type;
		const char *version;
	} cases[] = {
		{&ResourceV1ResourceClaim_schema, "resource.k8s.io/v1beta2"},
		{&ResourceV1DeviceClass_schema, "resource.k8s.io/v1beta2"},
		{&StorageV1VolumeAttributesClass_schema, "storage.k8s.io/v1beta1"},
		{&StorageV1StorageClass_schema, "storage.k8s.io/v1"},
		{&CoreV1Pod_schema, "v1"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		ProtobufCMessage *back;
		char *version, *kind;
		value_encode(&out, api_new(arena, cases[i].type));
		assert_null(protobuf_envelope(arena, out.buf, out.len, &version, &kind, NULL, NULL));
		assert_string_equal(version, cases[i].version);
		assert_string_equal(kind, cases[i].type->kind);
		assert_null(value_decode(arena, cases[i].type, out.buf, out.len, &back));
		assert_ptr_equal(schema_of(back), cases[i].type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_definitions),
		cmocka_unit_test(defaults_of_later_releases),
		cmocka_unit_test(services_of_before_there_were_families),
		cmocka_unit_test(versions_that_are_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
