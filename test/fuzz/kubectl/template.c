/* Any text, as it is or put together of the language's words, as a Go template and as custom columns over a document:
 * refused, or it prints something. */
#include "kubectl/printer.h"
#include "test/fuzz/target.h"

static const char document[] =
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\",\"labels\":{\"a/"
	"b\":\"c\",\"x\":\"y\"}},"
	"\"n\":3,\"big\":9007199254740993,\"spec\":{\"containers\":[{\"name\":\"one\",\"state\":{\"running\":{}}},"
	"{\"name\":\"two\",\"ports\":[80,null,1.5]}]},\"data\":{\"k\":\"dmFsdWU=\"},\"empty\":[],\"no\":null,\"yes\":"
	"true}";

/* Words of the language by number, so that more than one text in a thousand means something. */
static const char *in_words(struct arena *arena, const uint8_t *data, size_t size)
{
	static const char *const words[] = {"{{", "}}", "{{-", "-}}", "{{end}}", "{{else}}", "{{else if ", "{{if ",
		"{{with ", "{{range ", "{{range $k, $v := ", "{{$x := ", "{{$x = ", "{{/* a */}}", " ", "|", "(", ")",
		".", "$", "$x", "$k", "$v", ".kind", ".n", ".big", ".spec.containers", ".metadata.labels",
		".metadata.name", ".ports", ".name", ".state", ".data.k", ".empty", ".no", ".yes", ".nope", "\"a\"",
		"\"\\\"", "`b`", "'c'", "0", "1", "-1", "9223372036854775807", "1.5", "true", "nil", "index ", "len ",
		"eq ", "ne ", "lt ", "le ", "gt ", "ge ", "and ", "or ", "not ", "print ", "printf ", "println ",
		"\"%s %v %d %q %5.2f %%\" ", "exists ", "base64decode ", "\n", "text", ":", ",", "NAME:.metadata.name",
		"A:.spec.containers[*].name", "[0]", "[*]", "['x']", "..", "[?(@.name==\"one\")]"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < size; i++)
		strbuf_adds(&out, words[data[i] % ARRAY_SIZE(words)]);
	return arena_strdup(arena, out.buf);
}

static void as_template(struct arena *arena, const char *text, const cJSON *tree)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct template *template = NULL;
	struct status *s = template_parse(arena, text, &template);

	if (!s)
		s = template_print(arena, template, tree, strlen(text) & 1, &out);
	status_free(s);
}

static void as_columns(struct arena *arena, const char *text, const cJSON *tree)
{
	struct kubectl k = {.arena = arena};
	struct print_options options = {.output = arena_printf(arena, "custom-columns=%s", text), .columns = true};
	struct printer *printer = NULL;
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);
	struct status *s = printer_new(&k, &options, NULL, &printer);

	if (!s)
		s = printer_print(printer, tree, out);
	status_free(s);
	fclose(out);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *tree = NULL;
	int64_t seconds = 0, ns = 0;

	if (size > 1024)
		return 0;
	const char *text = size && *data >= 0x80 ? in_words(arena, data + 1, size - 1)
						 : arena_strndup(arena, (const char *)data, size);
	fuzz_ok("document", tree_parse(arena, document, strlen(document), NULL, &tree));
	as_template(arena, text, tree);
	as_columns(arena, text, tree);
	if (rfc3339_parse(text, &seconds, &ns))
		rfc3339_format(arena, seconds);
	return 0;
}
