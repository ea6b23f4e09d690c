/* Where a list goes on: tokens as the original makes them, and what others make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "apiserver/http/continue.h"
#include "base/encode.h"
#include "base/str.h"

static void tokens_are_the_originals(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	uint8_t *text;
	size_t size;
	const char *token = continue_make(arena, 212, "default/", "default/m1");
	assert_true(base64url_decode(arena, token, strlen(token), &text, &size));
	static const char wanted[] = "{\"v\":\"meta.k8s.io/v1\",\"rv\":212,\"start\":\"/m1\\u0000\"}";
	assert_string_equal(arena_strndup(arena, (const char *)text, size), wanted);
	struct continue_position position;
	assert_null(continue_read(arena, token, "default/", &position));
	const char *now = continue_make_now(arena, "default/", &position);
	assert_true(base64url_decode(arena, now, strlen(now), &text, &size));
	assert_non_null(strstr(arena_strndup(arena, (const char *)text, size), "\"rv\":-1,\"start\":\"/m1\\u0000\""));
}

#define GOOD "\"v\":\"meta.k8s.io/v1\",\"rv\":5,"

static void lists_go_on_where_they_are_told_and_nowhere_else(void **state)
{
	static const struct {
		const char *json;
		const char *problem; /* what the refusal ends with; NULL: */
		const char *key;
		bool after;
	} cases[] = {
		{"{" GOOD "\"start\":\"/m1\\u0000\"}", NULL, "default/m1", true},
		{"{" GOOD "\"start\":\"m1\\u0000\"}", NULL, "default/m1", true},
		{"{" GOOD "\"start\":\"m1\"}", NULL, "default/m1", false},
		{"{" GOOD "\"start\":\"/\"}", NULL, "default/", false},
		{"{" GOOD "\"start\":\"\\u0000\"}", NULL, "default/", true},
		{"{" GOOD "\"start\":\"..\\u0000\"}", NULL, "default/..", true},
		{"{" GOOD "\"start\":\"a\\\\u0000\"}", NULL, "default/a\\u0000", false},
		{"{\"V\":\"meta.k8s.io/v1\",\"RV\":5,\"Start\":\"m1\",\"x\":[{}]}", NULL, "default/m1", false},
		{"{" GOOD "\"start\":\"m1\",\"start\":\"m2\"}", NULL, "default/m2", false},
		{"{" GOOD "\"start\":\"..\"}", "continue key is not valid: .."},
		{"{" GOOD "\"start\":\"../kube-system/a\"}", "not valid: ../kube-system/a"},
		{"{" GOOD "\"start\":\"a/../../b\"}", "not valid: a/../../b"},
		{"{" GOOD "\"start\":\"a/.\"}", "not valid: a/."},
		{"{" GOOD "\"start\":\"//a\"}", "not valid: //a"},
		{"{" GOOD "\"start\":\"a/\"}", "not valid: a/"},
		{"{" GOOD "\"start\":\"\"}", "encoded start key empty (version meta.k8s.io/v1)"},
		{"{" GOOD "\"start\":null}", "encoded start key empty (version meta.k8s.io/v1)"},
		{"{" GOOD "\"start\":5}",
			"json: cannot unmarshal number into Go struct field continueToken.start of type string"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":0,\"start\":\"a\"}",
			"incorrect encoded start resourceVersion (version meta.k8s.io/v1)"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":1.5,\"start\":\"a\"}",
			"json: cannot unmarshal number 1.5 into Go struct field continueToken.rv of type int64"},
		{"{\"v\":\"meta.k8s.io/v2\",\"rv\":5,\"start\":\"a\"}",
			"server does not recognize this encoded version meta.k8s.io/v2"},
		{"null", "server does not recognize this encoded version "},
		{"[]", "json: cannot unmarshal array into Go value of type storage.continueToken"},
		{"{}x", "invalid character 'x' after top-level value"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct continue_position position;
		const char *token = base64url_encode(arena, cases[i].json, strlen(cases[i].json));
		CLEANUP_STATUS struct status *status = continue_read(arena, token, "default/", &position);
		if (cases[i].problem) {
			assert_non_null(status);
			if (status->code != 400 || !str_ends_with(status->message, cases[i].problem))
				fail_msg("%s: %s", cases[i].json, status->message);
			continue;
		}
		if (status)
			fail_msg("%s: %s", cases[i].json, status->message);
		assert_string_equal(position.key, cases[i].key);
		assert_int_equal(position.after, cases[i].after);
	}
}

static void what_was_told_is_past(void **state)
{
	const struct continue_position none = {0}, at = {.key = "b"}, after = {.key = "b", .after = true};
	assert_false(continue_is_past(&none, "a"));
	assert_true(continue_is_past(&at, "a"));
	assert_false(continue_is_past(&at, "b"));
	assert_true(continue_is_past(&after, "b"));
	assert_false(continue_is_past(&after, "b0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_the_originals),
		cmocka_unit_test(lists_go_on_where_they_are_told_and_nowhere_else),
		cmocka_unit_test(what_was_told_is_past),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
