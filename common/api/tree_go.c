/* Trees as Go prints its maps and slices, for messages that hold such text. */
#include <stdlib.h>
#include "api/go_names.h"
#include "api/tree.h"

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static void print_members(struct strbuf *out, const cJSON *v, bool sharp)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	size_t n = tree_size(v), i = 0;
	const cJSON **members = ARENA_ARRAY(arena, const cJSON *, n + 1);
	TREE_FOREACH (member, v)
		members[i++] = member;
	if (n)
		qsort(members, n, sizeof(*members), by_name);
	strbuf_adds(out, sharp ? "map[string]interface {}{" : "map[");
	for (i = 0; i < n; i++) {
		strbuf_adds(out, !i ? "" : sharp ? ", " : " ");
		strbuf_printf(out, sharp ? "\"%s\":" : "%s:", members[i]->string);
		tree_print_go(out, members[i], sharp);
	}
	strbuf_addc(out, sharp ? '}' : ']');
}

/* What is no integer of 64 bits is a float. */
static void print_number(struct strbuf *out, const cJSON *v)
{
	int64_t whole;
	if (tree_int(v, &whole)) {
		strbuf_printf(out, "%lld", (long long)whole);
		return;
	}
	go_add_double(out, v->valuedouble);
}

void tree_print_go(struct strbuf *out, const cJSON *v, bool sharp)
{
	if (cJSON_IsArray(v)) {
		strbuf_adds(out, sharp ? "[]interface {}{" : "[");
		TREE_FOREACH (item, v) {
			strbuf_adds(out, item == v->child ? "" : sharp ? ", " : " ");
			tree_print_go(out, item, sharp);
		}
		strbuf_addc(out, sharp ? '}' : ']');
	} else if (cJSON_IsObject(v)) {
		print_members(out, v, sharp);
	} else if (cJSON_IsNull(v)) {
		strbuf_adds(out, sharp ? "interface {}(nil)" : "<nil>");
	} else if (cJSON_IsString(v) && !sharp) {
		strbuf_adds(out, v->valuestring);
	} else if (cJSON_IsNumber(v)) {
		print_number(out, v);
	} else {
		tree_print(out, v, JSON_NO_HTML_ESCAPE);
	}
}
