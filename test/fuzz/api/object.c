/* An object of any kind through every form: JSON, YAML, protobuf and the tree give the same object back. Its fields are
 * told alike by both ways of telling them. */
#include "api/copy.h"
#include "api/field_walk.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "api/yaml.h"
#include "test/fuzz/object.h"

static void same(struct arena *arena, const char *what, const void *msg, const void *again)
{
	if (!api_equal(msg, again))
		FUZZ_FAIL("%s changes the object:\n%s\n%s", what, json_to_string(arena, msg, 0),
			json_to_string(arena, again, 0));
}

static void by_json(struct arena *arena, const void *msg, unsigned flags)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	const char *text = json_to_string(arena, msg, flags);
	void *again = NULL;

	fuzz_ok(text, json_decode(arena, schema_of(msg), text, strlen(text), &options, &again));
	if (strict.n_errors)
		FUZZ_FAIL("%s: %s", text, strict.errors[0]);
	same(arena, "JSON", msg, again);
	fuzz_same_text("JSON written twice", text, json_to_string(arena, again, flags));
}

static void by_protobuf(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf first = STRBUF_INIT, second = STRBUF_INIT, bare = STRBUF_INIT;
	void *again = NULL;

	protobuf_encode(&first, msg);
	fuzz_ok("protobuf", protobuf_decode(arena, NULL, first.buf, first.len, &again));
	same(arena, "protobuf", msg, again);
	protobuf_encode(&second, again);
	assert(first.len == second.len && !memcmp(first.buf, second.buf, first.len));
	protobuf_pack(&bare, msg);
	fuzz_ok("bare protobuf", protobuf_unpack(arena, schema_of(msg), bare.buf, bare.len, &again));
	same(arena, "bare protobuf", msg, again);
}

/* The tree that the text is, the tree that the object is, and the tree that its YAML is. */
static void by_tree(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf yaml = STRBUF_INIT;
	const char *text = json_to_string(arena, msg, 0);
	cJSON *parsed = NULL, *made = tree_from_typed(arena, msg), *read = NULL;
	void *again = NULL;

	fuzz_ok(text, tree_parse(arena, text, strlen(text), NULL, &parsed));
	if (!tree_equal(parsed, made))
		FUZZ_FAIL("tree: %s\n%s", text, tree_to_string(arena, made, 0));
	fuzz_ok(text, tree_to_typed(arena, made, schema_of(msg), NULL, &again));
	same(arena, "tree", msg, again);
	yaml_encode(&yaml, msg);
	fuzz_ok(yaml.buf, yaml_parse(arena, yaml.buf, yaml.len, NULL, &read));
	if (!tree_equal(parsed, read))
		FUZZ_FAIL("YAML: %s\n%s\n%s", text, yaml.buf, tree_to_string(arena, read, 0));
	fuzz_ok(yaml.buf, yaml_decode(arena, NULL, yaml.buf, yaml.len, NULL, &again));
	same(arena, "YAML", msg, again);
}

/* What is new in it, printed at once and by way of the set. */
static void by_fields(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT, of_set = STRBUF_INIT;
	const struct field_place root = field_place_of_type(schema_of(msg));

	field_print_new(&text, arena, msg, NULL, NULL);
	fieldset_print(&of_set,
		field_compare(arena, &root, field_value_of(schema_of(msg)->zero), field_value_of(msg)).changed);
	fuzz_same_text("the fields that are new", of_set.buf, text.buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	const void *msg = fuzz_typed(arena, &bytes, fuzz_kind(&bytes));

	same(arena, "a copy", msg, api_copy_msg(arena, msg));
	assert(api_hash_fnv32a(msg) == api_hash_fnv32a(api_copy_msg(arena, msg)));
	by_json(arena, msg, 0);
	by_json(arena, msg, JSON_PRETTY | JSON_NEWLINE);
	by_protobuf(arena, msg);
	by_tree(arena, msg);
	by_fields(arena, msg);
	return 0;
}
