/* Updates of definitions: what the stored one breaks is not asked, all else is. And the formats of texts. */
#include "apiserver/validation/extension/crd.h"
#include "apiserver/validation/extension/text_format.h"
#include "base/str.h"
#include "world.h"

#define PEM_OF_NOTHING "Tm90aGluZw=="

/* A definition with these fields of its spec and these of its version, in single quotes. */
static ApiextensionsV1CustomResourceDefinition *definition(
	struct arena *arena, const char *spec, const char *version, bool established)
{
	char *json = arena_printf(arena,
		"{'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', "
		"'metadata': {'name': 'foos.g.example.com'}, 'spec': {%s'group': 'g.example.com', "
		"'scope': 'Cluster', 'names': {'plural': 'foos', 'singular': 'foo', 'kind': 'Foo', "
		"'listKind': 'FooList'}, 'versions': [{'name': 'v1', 'served': true, 'storage': true%s}]}, "
		"'status': {'storedVersions': ['v1']%s}}",
		spec, version, established ? ", 'conditions': [{'type': 'Established', 'status': 'True'}]" : "");
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return world_object(arena, json);
}

static char *fields_of(struct arena *arena, const struct field_errors *errors)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < errors->n_items; i++)
		strbuf_printf(&out, "%s%s", i ? " " : "", errors->items[i].field);
	return arena_strdup(arena, out.buf ? out.buf : "");
}

#define SCHEMA(more) ", 'schema': {'openAPIV3Schema': {'type': 'object', 'properties': {'a': {" more "}}}}"
#define A "spec.validation.openAPIV3Schema.properties[a]"
#define KEPT "'preserveUnknownFields': true, "
#define WEBHOOK(bundle, version)                                                                         \
	"'conversion': {'strategy': 'Webhook', 'webhook': {'clientConfig': {'url': 'https://a.b'" bundle \
	"}, 'conversionReviewVersions': ['" version "']}}, "
#define BUNDLE ", 'caBundle': '" PEM_OF_NOTHING "'"
#define MAP(key)                                                                                            \
	"'type': 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], 'items': {" \
	"'type': 'object', 'properties': {'k': {'type': 'string'" key "}}}"
#define SLOW(n)                                                                                             \
	"'type': 'array', 'items': {'type': 'string'}, 'x-kubernetes-validations': [{'rule': 'self.all(x, " \
	"self.all(y, x == y))" n "'}]"

static const struct {
	const char *old_spec, *old, *spec, *new, *fields;
	bool established;
} updates[] = {
	/* A schema that is none, or no structure. */
	{KEPT, "", KEPT, "", "", false},
	{KEPT, "", "", "", "spec.versions[0].schema.openAPIV3Schema", false},
	{KEPT, SCHEMA("'type': 'string'"), KEPT, "", "spec.versions[0].schema.openAPIV3Schema", false},
	{KEPT, SCHEMA("'minLength': 1"), KEPT, SCHEMA("'minLength': 2"), "", false},
	{KEPT, SCHEMA("'minLength': 1"), "", SCHEMA("'minLength': 2"), A ".type", false},
	{KEPT, SCHEMA("'minLength': 1"), KEPT, SCHEMA("'x-kubernetes-int-or-string': true, 'pattern': '('"),
		A ".pattern", false},
	/* Types, items and keys. */
	{KEPT, SCHEMA("'type': 'text'"), KEPT, SCHEMA("'type': 'word'"), "", false},
	{KEPT, SCHEMA("'type': 'string'"), KEPT, SCHEMA("'type': 'word'"), A ".type", false},
	{"", SCHEMA(MAP("")), "", SCHEMA(MAP(", 'maxLength': 3")), "", false},
	{"", SCHEMA(MAP(", 'default': 'x'")), "", SCHEMA(MAP("")), A ".items.properties[k].default", false},
	{"", SCHEMA("'type': 'array', 'x-kubernetes-list-type': 'set', 'items': {'type': 'object'}"), "",
		SCHEMA("'type': 'array', 'x-kubernetes-list-type': 'set', 'items': {'type': 'object', 'nullable': "
		       "true}"),
		A ".items.nullable", false},
	/* What a rule costs, and what it may use. */
	{"", SCHEMA(SLOW("")), "", SCHEMA(SLOW("")),
		A ".x-kubernetes-validations[0].rule spec.validation.openAPIV3Schema", false},
	{"", SCHEMA(SLOW("")), "", SCHEMA(SLOW(" && true")),
		A ".x-kubernetes-validations[0].rule " A
		  ".x-kubernetes-validations[0].rule spec.validation.openAPIV3Schema",
		false},
	{"",
		SCHEMA("'type': 'array', 'maxItems': 2, 'items': {'type': 'integer'}, 'x-kubernetes-validations': "
		       "[{'rule': '[[1], [2]].flatten() == self'}]"),
		"",
		SCHEMA("'type': 'array', 'maxItems': 3, 'items': {'type': 'integer'}, 'x-kubernetes-validations': "
		       "[{'rule': '[[1], [2]].flatten() == self'}]"),
		"", false},
	{"", SCHEMA("'type': 'array', 'items': {'type': 'integer'}"), "",
		SCHEMA("'type': 'array', 'maxItems': 3, 'items': {'type': 'integer'}, 'x-kubernetes-validations': "
		       "[{'rule': '[[1], [2]].flatten() == self'}]"),
		A ".x-kubernetes-validations[0].rule", false},
	/* Conversion: certificates are looked at once objects may have to be converted. */
	{WEBHOOK("", "v0"), SCHEMA("'type': 'string'"), WEBHOOK("", "v2"), SCHEMA("'type': 'string'"), "", false},
	{WEBHOOK("", "v1"), SCHEMA("'type': 'string'"), WEBHOOK("", "v2"), SCHEMA("'type': 'string'"),
		"spec.conversion.conversionReviewVersions", false},
	{WEBHOOK("", "v1"), SCHEMA("'type': 'string'"), WEBHOOK(BUNDLE, "v1"), SCHEMA("'type': 'string'"), "", false},
	{WEBHOOK("", "v1"), SCHEMA("'type': 'string'"), WEBHOOK(BUNDLE, "v1"), SCHEMA("'type': 'string'"),
		"spec.conversion.webhookClientConfig.caBundle", true},
	{WEBHOOK(BUNDLE, "v1"), SCHEMA("'type': 'string'"), WEBHOOK(BUNDLE, "v1"), SCHEMA("'type': 'integer'"), "",
		true},
};

static void test_updates(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		bool established = updates[i].established;
		struct field_errors errors = FIELD_ERRORS_INIT(arena);
		validate_crd_update(&errors, definition(arena, updates[i].spec, updates[i].new, established),
			definition(arena, updates[i].old_spec, updates[i].old, established));
		const char *got = fields_of(arena, &errors);
		if (strcmp(got, updates[i].fields) != 0)
			fail_msg("update %zu\n got: %s%s%s\nwant: %s", i, got, errors.n_items ? ": " : "",
				errors.n_items ? errors.items[0].body : "", updates[i].fields);
	}
}

/* What a rule is about is named the same wherever the rule is, and what is in it after it. */
static void test_names(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	validate_crd(&errors, definition(arena, "",
				      SCHEMA("'type': 'array', 'maxItems': 1, 'x-kubernetes-validations': [{'rule': "
					     "'self[0] == 1'}], 'items': {'type': 'object', "
					     "'properties': {'b': {'type': 'integer'}}, 'x-kubernetes-validations': "
					     "[{'rule': 'self == 1'}]}"),
				      false));
	assert_int_equal(errors.n_items, 2);
	assert_non_null(strstr(errors.items[0].body, "applied to '(selfType, int)'"));
	assert_non_null(strstr(errors.items[1].body, "applied to '(selfType.@idx, int)'"));
}

static const struct {
	const char *format, *text;
	bool good;
} texts[] = {
	{"email", "a@b", true},
	{"email", " a.b@c.d (of c)", true},
	{"email", "a..b@c", false},
	{"email", ".a@b", false},
	{"email", "a@b.", false},
	{"email", "\xc3\xa4@\xc3\xb6", true},
	{"email", "\"a b\"@c", true},
	{"email", "\"\"@c", false},
	{"email", "\"a\\\"@c", false},
	{"email", "A B <c@d>", true},
	{"email", "A (of c) B <c@d>", true},
	{"email", "A (of c <c@d>", false},
	{"email", "A, B <c@d>", false},
	{"email", "A <c@d> x", false},
	{"email", "A c@d", false},
	{"email", "<c@d", false},
	{"email", "all: a@b;", true},
	{"email", "all: a@b, c@d;", false},
	{"email", "all:;", false},
	{"email", "a@[10.0.0.1]", true},
	{"email", "a@[::1]", true},
	{"email", "a@[10.0.0]", false},
	{"email", "a@[10.0.0.01]", false},
	{"email", "=?utf-8?q?a=20b?= <c@d>", true},
	{"email", "=?utf-8?q?a=2?= <c@d>", true},
	{"email", "=?koi8-r?b?YQ==?= <c@d>", false},
	{"email", "A =?koi8-r?b?YQ==?= <c@d>", true},
	{"email", "c@d (=?koi8-r?q?a?=)", false},
	{"duration", "1h30m", true},
	{"duration", "2 weeks and 1 day", true},
	{"duration", "3 Minutes", true},
	{"duration", "5 \xc2\xb5s", true},
	{"duration", "12", false},
	{"duration", "5 parsecs", false},
	{"duration", "99999999999999999999 weeks", false},
	{"uri", "//a b", true},
	{"uri", "x://a b", false},
};

static void test_formats(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		if (text_has_format(arena, texts[i].format, texts[i].text) != texts[i].good)
			fail_msg("%s: \"%s\" is %sexpected to be one", texts[i].format, texts[i].text,
				texts[i].good ? "" : "not ");
	}
	int64_t ns;
	assert_true(text_duration("1 hour, 2 min", &ns));
	assert_int_equal(ns, INT64_C(3720000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_updates), cmocka_unit_test(test_names), cmocka_unit_test(test_formats)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
