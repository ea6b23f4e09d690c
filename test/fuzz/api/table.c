/* An object of any kind, defaulted or not, as a row of a Table, alone and in a list, and what it uses of a quota:
 * as many cells as columns; defaulting twice changes nothing. */
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/print/print.h"
#include "api/meta.h"
#include "api/quota.h"
#include "test/fuzz/object.h"

static void as_row(struct arena *arena, void *msg)
{
	const struct schema_column *columns;
	struct print_cell *cells;

	assert(print_cells(arena, msg, 1700000000, &cells) == print_columns(schema_of(msg), &columns));
	MetaV1Table *table = print_table(arena, msg,
		&(struct print_table_options){.now = 1700000000, .include = "Object", .with_headers = true});
	assert(json_to_string(arena, table, 0));
	for (size_t i = 0; i < table->n_rows; i++)
		assert(table->rows[i]->n_cells == table->n_column_definitions);
}

static void as_kept_row(struct arena *arena, void *msg)
{
	CLEANUP(strbuf_done) struct strbuf kept = STRBUF_INIT;
	if (schema_item_of(schema_of(msg)))
		return;
	struct print_row *row = print_row_new(msg);
	const struct print_table_options bare = {.now = 1700000000, .include = "None"};
	const char *made = json_to_string(arena, print_table(arena, msg, &bare)->rows[0], 0);

	print_row_add(&kept, row, 1700000000);
	assert(str_starts_with(made, kept.buf));
	free(row);
}

static void in_list(struct arena *arena, void *msg)
{
	const struct schema_type *list = schema_list_of(schema_of(msg));

	if (!list)
		return;
	void *all = api_new(arena, list);
	list_append(arena, all, msg);
	list_append(arena, all, api_copy_msg(arena, msg));
	as_row(arena, all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	const struct schema_type *type = fuzz_kind(&bytes);
	void *msg = fuzz_typed(arena, &bytes, type);
	struct quota_list usage = {0};

	as_row(arena, msg);
	as_kept_row(arena, msg);
	quota_usage(arena, msg, 1700000000, &usage);
	if (API_IS((ProtobufCMessage *)msg, CoreV1Pod))
		print_pod_status(arena, msg);
	api_set_defaults(arena, msg);
	char *once = json_to_string(arena, msg, 0);
	api_set_defaults(arena, msg);
	fuzz_same_text("defaulted twice", once, json_to_string(arena, msg, 0));
	as_row(arena, msg);
	in_list(arena, msg);
	return 0;
}
