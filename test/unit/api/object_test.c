/* Objects as a whole: the protobuf envelope, copies, equality, metadata, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/quantity.h"

static const char pod_text[] =
	"{\"metadata\":{\"name\":\"web\",\"namespace\":\"default\",\"uid\":\"u-1\",\"resourceVersion\":\"7\","
	"\"labels\":{\"a\":\"1\",\"b\":\"2\"},"
	"\"ownerReferences\":[{\"apiVersion\":\"apps/"
	"v1\",\"kind\":\"ReplicaSet\",\"name\":\"rs\",\"uid\":\"u-0\",\"controller\":true}]},"
	"\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],\"containers\":[{\"name\":\"c\",\"image\":\"nginx\","
	"\"resources\":{\"limits\":{\"cpu\":\"1\","
	"\"memory\":\"1Gi\"}},"
	"\"livenessProbe\":{\"httpGet\":{\"port\":\"http\"},\"periodSeconds\":5}}],"
	"\"terminationGracePeriodSeconds\":0},\"status\":{\"startTime\":\"2024-02-29T12:00:00Z\"}}";

static CoreV1Pod *new_pod(struct arena *arena)
{
	CoreV1Pod *pod = NULL;

	assert_null(json_decode(arena, &CoreV1Pod_schema, pod_text, strlen(pod_text), NULL, &pod));
	return pod;
}

static void protobuf_carries_everything(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CoreV1Pod *pod = new_pod(arena), *back = NULL;
	char *api_version, *kind;

	protobuf_encode(&out, pod);
	assert_true(protobuf_has_magic(out.buf, out.len));
	assert_null(protobuf_envelope(arena, out.buf, out.len, &api_version, &kind, NULL, NULL));
	assert_string_equal(api_version, "v1");
	assert_string_equal(kind, "Pod");
	assert_null(protobuf_decode(arena, NULL, out.buf, out.len, &back));
	assert_ptr_equal(schema_of(back), &CoreV1Pod_schema);
	assert_string_equal(json_to_string(arena, back, JSON_NO_TYPE), pod_text);
	assert_true(back->spec->has_termination_grace_period_seconds);
}

/* A claim of the class "" wants no class; one without a class wants the default. */
static void an_optional_text_that_is_empty_is_kept(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	static const char text[] =
		"{\"metadata\":{},\"spec\":{\"resources\":{},\"storageClassName\":\"\"},\"status\":{}}";
	CoreV1PersistentVolumeClaim *claim, *back = NULL;

	assert_null(json_decode(arena, &CoreV1PersistentVolumeClaim_schema, text, strlen(text), NULL, &claim));
	assert_string_equal(json_to_string(arena, claim, JSON_NO_TYPE), text);
	assert_string_equal(json_to_string(arena, api_copy_msg(arena, claim), JSON_NO_TYPE), text);
	protobuf_encode(&out, claim);
	assert_null(protobuf_decode(arena, NULL, out.buf, out.len, &back));
	assert_string_equal(json_to_string(arena, back, JSON_NO_TYPE), text);
}

/* An event of the original's clients carries times that it does not set as empty messages. */
static void a_zero_time_on_the_wire_is_absent(void **state)
{
	static const unsigned char event[] = {
		0x52, 0, 0x32, 0, 0x3a, 2, 0x08, 5}; /* eventTime, firstTimestamp, lastTimestamp: 5 s */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Event *back;
	assert_null(protobuf_unpack(arena, &CoreV1Event_schema, event, sizeof(event), &back));
	assert_null(back->event_time);
	assert_null(back->first_timestamp);
	assert_int_equal(back->last_timestamp->seconds, 5);
}

/* Whoever writes may choose the order, take a list up again, and say what we do not know. */
static void fields_of_the_wire_come_in_any_order(void **state)
{
	static const unsigned char bytes[] = {0x22, 1, 'a',		/* args */
		0x12, 2, 'i', 'm',					/* image */
		0xc2, 0x3e, 3, 'n', 'e', 'w',				/* field 1000 */
		0x1a, 1, 'c', 0x1a, 0, 0x1a, 2, 'd', 'd',		/* command */
		0x80, 0x01, 1,						/* stdin */
		0x1a, 1, 'e',						/* command again */
		0xf8, 0xff, 0xff, 0xff, 0x0f, 7,			/* the highest field there can be */
		0x32, 6, 0x18, 0xbb, 0x03, 0x0a, 1, 'p', 0x0a, 1, 'n'}; /* ports; name */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Container *c;
	assert_null(protobuf_unpack(arena, &CoreV1Container_schema, bytes, sizeof(bytes), &c));
	assert_string_equal(c->name, "n");
	assert_string_equal(c->image, "im");
	assert_true(c->stdin);
	assert_int_equal(c->n_args, 1);
	assert_string_equal(c->args[0], "a");
	static const char *const command[] = {"c", "", "dd", "e"};
	assert_int_equal(c->n_command, 4);
	for (size_t i = 0; i < c->n_command; i++)
		assert_string_equal(c->command[i], command[i]);
	assert_int_equal(c->n_ports, 1);
	assert_int_equal(c->ports[0]->container_port, 443);
	assert_string_equal(c->ports[0]->name, "p");
	/* A list has room up to the next power of two, and grows beyond it. */
	for (size_t i = 0; i < 5; i++)
		ARENA_PUSH(arena, c->command, c->n_command) = (char *)"more";
	assert_string_equal(c->command[3], "e");
	assert_string_equal(c->command[8], "more");
}

static void tags_that_cannot_be_are_refused(void **state)
{
	static const struct {
		unsigned char bytes[9];
		size_t size;
	} cases[] = {{{0x0a, 1, 'n', 0}, 4}, {{0x0a, 1, 'n', 0x06}, 4},
		{{0x0a, 1, 'n', 0xff, 0xff, 0xff, 0xff, 0x0f, 1}, 9}, {{0xff, 0xff, 0xff, 0xff, 0x0f, 1}, 6},
		{{0xf8, 0xff, 0xff, 0xff, 0x0f, 7, 0xff, 0xff, 0xff}, 9}, {{0x08, 1}, 2}, {{0x82, 0x01, 1, 1}, 4}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Container *c;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_STATUS struct status *status =
			protobuf_unpack(arena, &CoreV1Container_schema, cases[i].bytes, cases[i].size, &c);
		if (!status)
			fail_msg("case %zu is taken for a container", i);
	}
}

static void add_data(struct strbuf *out, const char *key, const char *value)
{
	const size_t k = strlen(key), v = strlen(value);
	strbuf_printf(out, "%c%c%c%c%s%c%c%s", 2 << 3 | 2, (int)(k + v + 4), 1 << 3 | 2, (int)k, key, 2 << 3 | 2,
		(int)v, value);
}

/* As Go reads them into its maps: a config map's data, written by hand. */
static void of_a_map_entry_that_is_repeated_the_last_counts(void **state)
{
	static const struct {
		const char *written, *read;
		bool apart;
	} cases[] = {
		{"a=1 b=2 c=3", "a=1 b=2 c=3"},
		{"c=3 a=1 b=2", "c=3 a=1 b=2"},
		{"a=1 a=2", "a=2"},
		{"a=1 b=2 a=3 c=4", "b=2 a=3 c=4"},
		{"a=1 b=2 a=3 c=4", "b=2 a=3 c=4", .apart = true},
		{"b=1 a=2 b=3 b=4 a=5 c=6 a=7", "b=4 c=6 a=7"},
		{"a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 k=a l=b m=c n=d o=e p=f a=x q=g",
			"b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 k=a l=b m=c n=d o=e p=f a=x q=g"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf wire = STRBUF_INIT, read = STRBUF_INIT;
		CoreV1ConfigMap *map;
		for (const char *p = cases[i].written; *p; p += p[3] ? 4 : 3) {
			const char key[] = {p[0], 0}, value[] = {p[2], 0};
			add_data(&wire, key, value);
			if (cases[i].apart) /* "immutable" between them */
				strbuf_add(&wire, "\x20\x01", 2);
		}
		assert_null(protobuf_unpack(arena, &CoreV1ConfigMap_schema, wire.buf, wire.len, &map));
		for (size_t k = 0; k < map->n_data; k++)
			strbuf_printf(&read, "%s%s=%s", k ? " " : "", map->data[k]->key, map->data[k]->value);
		assert_string_equal(read.buf, cases[i].read);
	}
}

static void a_quantity_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool good;
	} cases[] = {{"\x0a\x03"
		      "10m",
			     5, true},
		{"\x0a\x03"
		 "abc",
			5},
		{"\x0a\x02"
		 "10\x0a\x01"
		 "x",
			7},
		{"", 0, true}, {"\x0a\x00", 2, true}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		ResourceQuantity *q;
		CLEANUP_STATUS struct status *s =
			protobuf_unpack(arena, &ResourceQuantity_schema, cases[i].bytes, cases[i].size, &q);
		assert_int_equal(!s, cases[i].good);
		if (s)
			assert_non_null(strstr(s->message, QUANTITY_ERROR));
	}
}

static void broken_protobuf_is_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CoreV1Pod *back;

	protobuf_encode(&out, new_pod(arena));
	for (size_t size = 0; size < out.len; size++) {
		CLEANUP_STATUS struct status *status = protobuf_decode(arena, &CoreV1Pod_schema, out.buf, size, &back);
		if (size < 40)
			continue; /* a cut may fall between two fields of the envelope, which is a whole message again
				   */
		if (!status && size < out.len - 4)
			fail_msg("the first %zu of %zu bytes are taken for a pod", size, out.len);
	}
	/* A schema within a schema, and so on: bounded. */
	CLEANUP(strbuf_done) struct strbuf deep = STRBUF_INIT;
	for (int i = 0; i < 300; i++) {
		CLEANUP(strbuf_done) struct strbuf outer = STRBUF_INIT;
		strbuf_add(&outer, "\xd2\x01", 2); /* field 26, not */
		for (size_t n = deep.len; n || !outer.buf[2]; n >>= 7) {
			strbuf_addc(&outer, (char)(n >= 0x80 ? (n & 0x7f) | 0x80 : n));
			if (n < 0x80)
				break;
		}
		strbuf_add(&outer, deep.buf, deep.len);
		strbuf_reset(&deep);
		strbuf_add(&deep, outer.buf, outer.len);
	}
	ApiextensionsV1JSONSchemaProps *schema;
	struct status *status =
		protobuf_unpack(arena, &ApiextensionsV1JSONSchemaProps_schema, deep.buf, deep.len, &schema);
	assert_non_null(status);
	status_free(status);
}

static void copies_are_equal_and_apart(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct arena *first = arena_new();
	CoreV1Pod *pod = new_pod(first), *copy = api_copy(arena, pod);

	assert_true(api_equal(pod, copy));
	assert_int_equal(api_hash_fnv32a(pod), api_hash_fnv32a(copy));
	copy->spec->containers[0]->image[0] = 'm';
	assert_false(api_equal(pod, copy));
	arena_free(first);
	assert_string_equal(copy->spec->containers[0]->image, "mginx");
	assert_string_equal(copy->metadata->labels[1]->value, "2");
}

static void copied_lists_can_grow(void **state)
{
	for (size_t n = 0; n < 20; n++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1PodSpec *spec = API_NEW(arena, CoreV1PodSpec), *copy;
		for (size_t i = 0; i < n; i++)
			ARENA_PUSH(arena, spec->image_pull_secrets, spec->n_image_pull_secrets) =
				API_NEW(arena, CoreV1LocalObjectReference);
		copy = api_copy(arena, spec);
		char *after = arena_strdup(arena, "what stands behind the copy");
		ARENA_PUSH(arena, copy->image_pull_secrets, copy->n_image_pull_secrets) =
			API_NEW(arena, CoreV1LocalObjectReference);
		assert_string_equal(after, "what stands behind the copy");
		assert_true(protobuf_c_message_check(&copy->base));
		assert_int_equal(copy->n_image_pull_secrets, n + 1);
		assert_int_equal(spec->n_image_pull_secrets, n);
	}
}

static void equality_is_semantic(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"{}", "{\"metadata\":{},\"spec\":{\"containers\":[]},\"status\":{}}", true},
		{"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}",
			"{\"metadata\":{\"labels\":{\"b\":\"2\",\"a\":\"1\"}}}", true},
		{"{\"spec\":{\"priority\":0}}", "{}", false},
		{"{\"spec\":{\"overhead\":{\"cpu\":\"1\"}}}", "{\"spec\":{\"overhead\":{\"cpu\":\"1000m\"}}}", true},
		{"{\"spec\":{\"securityContext\":{}}}", "{}", false},
		{"{\"spec\":{\"volumes\":[{\"name\":\"v\"}]}}",
			"{\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}}", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *a, *b;
		assert_null(json_decode(arena, &CoreV1Pod_schema, cases[i].a, strlen(cases[i].a), NULL, &a));
		assert_null(json_decode(arena, &CoreV1Pod_schema, cases[i].b, strlen(cases[i].b), NULL, &b));
		if (api_equal(a, b) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

static void a_zero_time_is_no_time(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1ObjectMeta *a = API_NEW(arena, MetaV1ObjectMeta), *b = API_NEW(arena, MetaV1ObjectMeta);

	a->creation_timestamp = time_new(arena, 0);
	assert_true(api_equal(a, b) && api_equal(b, a));
	assert_int_equal(api_hash_fnv32a(a), api_hash_fnv32a(b));
	assert_string_equal(json_to_string(arena, a, 0), "{}");
	b->creation_timestamp = time_new(arena, 1);
	assert_false(api_equal(a, b));
}

static void metadata_is_reached_through_any_object(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod = new_pod(arena);
	MetaV1ObjectMeta *meta = object_meta(pod);

	assert_string_equal(object_key(arena, pod), "default/web");
	assert_string_equal(meta_label(meta, "b"), "2");
	assert_null(meta_label(meta, "c"));
	assert_true(meta_remove_label(meta, "a"));
	assert_int_equal(meta->n_labels, 1);
	meta_add_finalizer(arena, meta, "f");
	meta_add_finalizer(arena, meta, "f");
	assert_int_equal(meta->n_finalizers, 1);
	assert_true(meta_remove_finalizer(meta, "f"));
	assert_string_equal(meta_controller_of(meta)->name, "rs");
	assert_ptr_equal(object_child(pod, "spec"), pod->spec);
	assert_null(object_meta(pod->spec));
	assert_string_equal(object_api_version(pod), "v1");
	CoreV1PodList *list = API_NEW(arena, CoreV1PodList);
	void **items;
	list_append(arena, list, pod);
	assert_int_equal(list_items(list, &items), 1);
	assert_ptr_equal(items[0], pod);
	assert_ptr_equal(schema_list_of(&CoreV1Pod_schema), &CoreV1PodList_schema);
	assert_ptr_equal(schema_item_of(&CoreV1PodList_schema), &CoreV1Pod_schema);
}

static void times_are_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: bad */
		int32_t nanos;
	} cases[] = {{"1970-01-01T00:00:00Z", 0, 0}, {"2024-02-29T12:00:00Z", 1709208000, 0},
		{"2024-02-29T12:00:00.5+01:00", 1709204400, 500000000}, {"2023-02-29T12:00:00Z", -1, 0},
		{"2024-01-01", -1, 0}, {"2024-01-01T24:00:00Z", -1, 0}, {"2024-01-01T00:00:00", -1, 0},
		{"2024-01-01T00:00:00Zx", -1, 0}, {"0001-01-01T00:00:00Z", -62135596800, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		int64_t seconds = -1;
		int32_t nanos = 0;
		bool good = time_parse(cases[i].text, strlen(cases[i].text), &seconds, &nanos);
		assert_int_equal(good, cases[i].seconds != -1);
		assert_int_equal(seconds, cases[i].seconds);
		if (good && !nanos)
			assert_string_equal(time_format(arena, seconds), cases[i].text);
		assert_int_equal(nanos, cases[i].nanos);
	}
}

static void ages_are_short(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{-5, "<invalid>"}, {0, "0s"}, {119, "119s"}, {120, "2m"}, {200, "3m20s"}, {600, "10m"},
		{10799, "179m"}, {10800, "3h"}, {12000, "3h20m"}, {28800, "8h"}, {172800, "2d"}, {180000, "2d2h"},
		{691200, "8d"}, {63072000, "2y"}, {64000000, "2y10d"}, {252288000, "8y"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		assert_string_equal(duration_human(arena, cases[i].seconds), cases[i].text);
	}
}

static void a_status_goes_both_ways(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct status *s = status_details(status_new(STATUS_NOT_FOUND, "pods \"web\" not found"), NULL, "pods", "web");

	status_add_cause(s, "FieldValueInvalid", "spec.x", "no");
	assert_string_equal(json_to_string(arena, status_to_api(arena, s), 0),
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"pods "
		"\\\"web\\\" not found\","
		"\"reason\":\"NotFound\",\"details\":{\"name\":\"web\",\"kind\":\"pods\",\"causes\":[{\"reason\":"
		"\"FieldValueInvalid\","
		"\"message\":\"no\",\"field\":\"spec.x\"}]},\"code\":404}");
	struct status *back = status_from_api(status_to_api(arena, s));
	assert_int_equal(back->reason, STATUS_NOT_FOUND);
	assert_string_equal(back->message, s->message);
	assert_int_equal(back->n_causes, 1);
	status_free(s);
	status_free(back);
	assert_null(status_from_api(status_to_api(arena, NULL)));
}

/* What is wrong with a message is told as Go's generated code tells it. */
static void broken_messages(void **state)
{
	static const struct {
		const struct schema_type *type;
		const char *bytes;
		size_t size;
		const char *problem;
	} cases[] = {
		{&AppsV1DeploymentSpec_schema, "\x0a\x01x", 3, "proto: wrong wireType = 2 for field Replicas"},
		{&CoreV1PodStatus_schema, "\x30\x01", 2, "proto: wrong wireType = 0 for field PodIP"},
		{&CoreV1Pod_schema, "\x0a\x05", 2, "unexpected EOF"},
		{&CoreV1Pod_schema, "\x0a", 1, "unexpected EOF"},
		{&CoreV1Pod_schema, "\x00\x01", 2, "proto: Pod: illegal tag 0 (wire type 0)"},
		{&CoreV1Pod_schema, "\x0c", 1, "proto: Pod: wiretype end group for non-group"},
		{&CoreV1Pod_schema, "\xa7\x06", 2, "proto: illegal wireType 7"},
		{&CoreV1Pod_schema, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "proto: integer overflow"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		void *back;
		CLEANUP_STATUS struct status *s =
			protobuf_unpack(arena, cases[i].type, cases[i].bytes, cases[i].size, &back);
		if (!s)
			fail_msg("case %zu is taken", i);
		assert_string_equal(s->message, cases[i].problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_messages),
		cmocka_unit_test(protobuf_carries_everything),
		cmocka_unit_test(an_optional_text_that_is_empty_is_kept),
		cmocka_unit_test(a_zero_time_on_the_wire_is_absent),
		cmocka_unit_test(fields_of_the_wire_come_in_any_order),
		cmocka_unit_test(tags_that_cannot_be_are_refused),
		cmocka_unit_test(of_a_map_entry_that_is_repeated_the_last_counts),
		cmocka_unit_test(a_quantity_that_is_none_is_refused),
		cmocka_unit_test(broken_protobuf_is_refused),
		cmocka_unit_test(copies_are_equal_and_apart),
		cmocka_unit_test(copied_lists_can_grow),
		cmocka_unit_test(equality_is_semantic),
		cmocka_unit_test(a_zero_time_is_no_time),
		cmocka_unit_test(metadata_is_reached_through_any_object),
		cmocka_unit_test(times_are_rfc_3339),
		cmocka_unit_test(ages_are_short),
		cmocka_unit_test(a_status_goes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
