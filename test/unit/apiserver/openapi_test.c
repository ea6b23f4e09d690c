/* Documents and their protobuf form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/json.h"
#include "apiserver/openapi/document.h"
#include "base/encode.h"

static void documents_are_valid_json(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t n;
	char **names = document_names(arena, NULL, &n);
	assert_string_equal(names[0], ".well-known/openid-configuration");
	for (size_t i = 0; i <= n; i++) {
		CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
		CLEANUP(strbuf_done) struct strbuf compact = STRBUF_INIT;
		CLEANUP(strbuf_done) struct strbuf protobuf = STRBUF_INIT;
		enum openapi_version version = i < n ? OPENAPI_V3 : OPENAPI_V2;
		document_write(arena, NULL, version, i < n ? names[i] : NULL, &text);
		assert_true(json_add_compact(&compact, text.buf, text.len, false));
		assert_string_equal(compact.buf, text.buf);
		document_to_protobuf(version, &text, &protobuf);
		assert_true(protobuf.len > 0);
	}
}

/* The bytes are those of gnostic's own reader. */
static void json_becomes_protobuf(void **state)
{
	static const struct {
		enum openapi_version version;
		const char *json, *hex;
	} cases[] = {
		{OPENAPI_V2,
			"{\"swagger\":\"2.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{\"/"
			"a\":{\"get\":{\""
			"parameters\":[{\"name\":\"b\",\"in\":\"body\",\"schema\":{\"$ref\":\"#/"
			"d\"}},{\"in\":\"query\","
			"\"name\":\"q\",\"type\":\"string\",\"uniqueItems\":true},{\"required\":true,\"in\":\"path\","
			"\"na"
			"me\":\"p\",\"type\":\"string\"},{\"$ref\":\"#/parameters/"
			"x\"}],\"responses\":{\"200\":{\"descrip"
			"tion\":\"OK\",\"schema\":{\"type\":\"string\"}}}}}}}",
			"0a03322e3012060a0174120131428f01128c010a022f6112850112820142140a120a101201621a04626f64792a050a"
			"03"
			"232f64421b0a1912171a15120571756572792201713206737472696e67a0010142190a171215221308011204706174"
			"68"
			"2201702a06737472696e67421212100a0e232f706172616d65746572732f784a1e0a1c0a0332303012150a130a024f"
			"4b"
			"120d0a0bb201080a06737472696e67"},
		{OPENAPI_V2,
			"{\"swagger\":\"2.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{},"
			"\"definitions\":{"
			"\"A\":{\"required\":[\"b\"],\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"array\","
			"\"item"
			"s\":{\"type\":\"string\"}},\"m\":{\"additionalProperties\":{\"type\":\"string\"},\"type\":"
			"\"obje"
			"ct\"}}}}}",
			"0a03322e3012060a017412013142004a5c0a5a0a014112559a010162b201080a066f626a656374ca01430a1f0a0162"
			"12"
			"1ab201070a056172726179ba010d0a0bb201080a06737472696e670a200a016d121baa010d0a0bb201080a06737472"
			"69"
			"6e67b201080a066f626a656374"},
		{OPENAPI_V3,
			"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{},"
			"\"components\":"
			"{\"schemas\":{\"A\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\","
			"\"default\""
			":0},\"c\":{\"allOf\":[{\"$ref\":\"#/c\"}],\"default\":{}}}},\"B\":{\"$ref\":\"#/x\"}}}}",
			"0a05332e302e3012060a017432013122002a5a0a580a480a014112430a41ca01066f626a656374fa01350a1d0a0162"
			"12"
			"180a16ca0107696e74656765728a02090900000000000000000a140a0163120f0a0dd2010712050a03232f638a0200"
			"0a"
			"0c0a0142120712050a03232f78"},
		{OPENAPI_V3,
			"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{},"
			"\"components\":"
			"{\"schemas\":{\"A\":{\"maxItems\":3,\"additionalProperties\":true,\"default\":\"d\",\"x-a\":1}"
			"}}"
			"}",
			"0a05332e302e3012060a017432013122002a270a250a230a0141121e0a1c90010382020210018a02031a0164a2020b"
			"0a"
			"03782d6112041202310a"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		strbuf_adds(&json, cases[i].json);
		document_to_protobuf(cases[i].version, &json, &out);
		assert_string_equal(hex_encode(arena, out.buf, out.len), cases[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_valid_json),
		cmocka_unit_test(json_becomes_protobuf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
