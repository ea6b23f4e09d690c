/*
 * An object of any kind as kubectl shows it: described, as a row of a table in every form, sorted among others, and
 * printed in every format. There is no server, so events and what else is asked for is not there.
 */
#include <stdlib.h>
#include "api/print/print.h"
#include "kubectl/describe/describe.h"
#include "kubectl/printer.h"
#include "kubectl/table.h"
#include "test/fuzz/object.h"

/* A connection for all, and cancelled: every request fails at once. */
static struct kubectl alone(struct arena *arena)
{
	static const struct client_config config = {.host = "http://127.0.0.1:1"};
	static struct client *client;
	static struct discovery *discovery;

	if (!client) {
		fuzz_ok("client", client_new(&config, clock_system(), &client));
		fuzz_ok("discovery", discovery_new(client, NULL, &discovery));
		client_cancel(client);
	}
	return (struct kubectl){.arena = arena,
		.client = client,
		.discovery = discovery,
		.namespace = (char *)"d",
		.has_config = true,
		.config = config};
}

static void described(struct kubectl *k, const struct schema_type *type, cJSON *object)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const struct schema_resource *resource = type->resource;
	const struct api_resource mapping = {
		.rest = {type->group, type->version, resource ? resource->plural : "things",
			resource ? resource->namespaced : false},
		.kind = type->kind,
		.singular = "thing"};
	const struct info info = {
		.mapping = &mapping, .namespace = obj_namespace(object), .name = obj_name(object), .object = object};
	struct status *s = describe_object(k, &info, true, &out);

	/* What cannot be had from the server may be the reason, and nothing else. */
	if (!s && !out.len)
		FUZZ_FAIL("nothing is said of %s", tree_to_string(k->arena, object, 0));
	status_free(s);
}

/* A row of the server's table, as `kubectl get` with its flags. */
static void tabled(struct kubectl *k, void *msg, uint8_t flags)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char *labels[] = {(char *)"app", (char *)"example.com/x"};
	const struct table_options options = {.wide = flags & 1,
		.no_headers = flags & 2,
		.with_namespace = flags & 4,
		.show_labels = flags & 8,
		.kind = flags & 16 ? "thing.example.com" : NULL,
		.label_columns = {labels, flags & 32 ? ARRAY_SIZE(labels) : 0},
		.event = flags & 64 ? "ADDED" : NULL};
	struct table_printer printer = {.arena = k->arena};
	struct tabwriter w;
	const struct print_table_options whole = {.now = 1700000000, .include = "Object", .with_headers = true};
	cJSON *table = tree_from_typed(k->arena, print_table(k->arena, msg, &whole));

	tabwriter_init(&w, k->arena, 6, 3, flags & 128, stdout);
	assert(is_table(table));
	table_print(&printer, table, &options, &w);
	table_print(&printer, table, &options, &w);
	tabwriter_layout(&w, &out);
	strbuf_done(&w.text);
}

static void printed(struct kubectl *k, const cJSON *object, const char *format)
{
	const struct print_options options = {.output = (char *)(uintptr_t)format, .columns = true};
	struct printer *printer = NULL;
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);
	struct status *s = printer_new(k, &options, "created", &printer);

	if (!s)
		s = printer_print(printer, object, out);
	fclose(out);
	if (!s && !size && !obj_is_list(object))
		FUZZ_FAIL("%s prints nothing of %s", format, tree_to_string(k->arena, object, 0));
	status_free(s);
	free(written);
}

static void sorted(struct kubectl *k, const cJSON *a, const cJSON *b, const char *field)
{
	cJSON *list = tree_new_array(k->arena);

	for (size_t i = 0; i < 6; i++)
		tree_append(list, tree_copy(k->arena, i % 2 ? a : b));
	struct status *s = sort_objects(k->arena, list, field, "");
	assert(tree_size(list) == 6);
	status_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = {"json", "yaml", "name", "jsonpath={.metadata.name}{\"\\n\"}",
		"custom-columns=A:.spec,B:.x", "go-template={{.metadata}}x", "jsonpath-as-json={..name}"};
	static const char *const fields[] = {"{.metadata.name}", "{.metadata.creationTimestamp}", ".spec.replicas",
		"{.status}", "{.spec.resources.requests.storage}"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	struct kubectl k = alone(arena);
	uint8_t flags = fuzz_byte(&bytes);
	const char *format = FUZZ_PICK(&bytes, formats), *field = FUZZ_PICK(&bytes, fields);
	const struct schema_type *type = fuzz_kind(&bytes);
	void *msg = fuzz_typed(arena, &bytes, type), *other = fuzz_typed(arena, &bytes, type);
	cJSON *object = tree_from_typed(arena, msg);

	described(&k, type, object);
	tabled(&k, msg, flags);
	printed(&k, object, format);
	sorted(&k, object, tree_from_typed(arena, other), field);
	return 0;
}
