/* Any JSON as a server's OpenAPI document, or one put together of few words, in which schemas lead to each other: it is
 * shown, or refused, and either ends. */
#include <stdio.h>
#include <stdlib.h>
#include "kubectl/verbs/explain.h"
#include "test/fuzz/object.h"

static const char *const names[] = {"A", "B", "C"};

static void schema(struct strbuf *out, struct fuzz_bytes *b, int depth);

static void schemas(struct strbuf *out, struct fuzz_bytes *b, int depth, char end)
{
	size_t n = fuzz_below(b, 4);

	for (size_t i = 0; i < n; i++) {
		strbuf_adds(out, i ? "," : "");
		if (end == '}')
			strbuf_printf(out, "\"%zu\":", i);
		schema(out, b, depth + 1);
	}
	strbuf_addc(out, end);
}

static void schema(struct strbuf *out, struct fuzz_bytes *b, int depth)
{
	size_t n = depth > 6 ? 0 : fuzz_below(b, 4);

	strbuf_adds(out, "{\"x\":1");
	for (size_t i = 0; i < n; i++) {
		switch (fuzz_below(b, 9)) {
		case 0:
			strbuf_adds(out, ",\"items\":");
			schema(out, b, depth + 1);
			break;
		case 1:
			strbuf_adds(out, ",\"additionalProperties\":");
			schema(out, b, depth + 1);
			break;
		case 2:
			strbuf_adds(out, ",\"properties\":{");
			schemas(out, b, depth, '}');
			break;
		case 3:
			strbuf_adds(out, ",\"allOf\":[");
			schemas(out, b, depth, ']');
			break;
		case 4:
			strbuf_printf(out, ",\"type\":\"%s\"", fuzz_text(b, NULL));
			break;
		case 5:
			strbuf_printf(out, ",\"description\":\"%s %s\"", fuzz_text(b, NULL), fuzz_text(b, NULL));
			break;
		case 6:
			strbuf_printf(out, ",\"enum\":[\"%s\",1,null],\"required\":[\"0\",2]", fuzz_text(b, NULL));
			break;
		default:
			strbuf_printf(out, ",\"$ref\":\"#/components/schemas/%s\"", FUZZ_PICK(b, names));
		}
	}
	strbuf_addc(out, '}');
}

static const char *document(struct arena *arena, struct fuzz_bytes *b)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	strbuf_adds(&out, "{\"components\":{\"schemas\":{\"R\":{\"x-kubernetes-group-version-kind\":[{\"group\":\"g\","
			  "\"version\":\"v\",\"kind\":\"K\"}],\"allOf\":[");
	schema(&out, b, 0);
	strbuf_adds(&out, "]}");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		strbuf_printf(&out, ",\"%s\":", names[i]);
		schema(&out, b, 0);
	}
	strbuf_adds(&out, "}}}");
	return arena_strdup(arena, out.buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct api_resource resource = {
		.rest = {"g", "v", "things", true}, .kind = "K", .singular = "thing"};
	static char *path[] = {(char *)"0", (char *)"1"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	uint8_t flags = fuzz_byte(&bytes);
	cJSON *tree = NULL;
	char *written = NULL;
	size_t n = 0;

	if (size > 4096)
		return 0;
	const char *text = flags & 1 ? document(arena, &bytes)
				     : arena_strndup(arena, (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
	struct status *s = tree_parse(arena, text, strlen(text), NULL, &tree);
	FILE *out = open_memstream(&written, &n);
	if (!s)
		s = explain_document(arena, tree, &resource, path, flags >> 2 & 1, flags & 2, out);
	fclose(out);
	assert(s || n);
	status_free(s);
	free(written);
	return 0;
}
