#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/patch_internal.h"

#define MAX_WORK 100000000

struct status *patch_check_work(size_t n, size_t m)
{
	/* Neither is more than a text of bounded size can hold, so the sum squared fits. */
	if ((n + m) * (n + m) <= (size_t)MAX_WORK || n * m <= (size_t)MAX_WORK)
		return NULL;
	return status_new(
		STATUS_TOO_LARGE, "the patch is too large to be merged: %zu members or elements into %zu", m, n);
}

int tree_kind(const cJSON *node)
{
	int type = node->type & 0xff;

	return type == cJSON_True ? cJSON_False : type;
}

struct status *patch_rule(const struct patch_scope *scope, const char *key, bool is_list, struct patch_rule *ret_rule)
{
	*ret_rule = (struct patch_rule){0};
	if (scope->value)
		return status_new(
			STATUS_UNKNOWN, "merging an object in json but data type is not struct, instead is: map");
	if (!scope->type || scope->type->form != SCHEMA_FORM_OBJECT)
		return NULL; /* raw values have no rules */
	const struct schema_name *name = schema_find_field(scope->type, key, strlen(key));
	if (!name)
		return status_new(STATUS_UNKNOWN, "unable to find api field in struct %s for the json field \"%s\"",
			scope->type->kind, key);
	const struct schema_field *field = name->field;
	ret_rule->merge = field_is(field, SCHEMA_PATCH_MERGE);
	ret_rule->replace = field_is(field, SCHEMA_PATCH_REPLACE);
	ret_rule->retain_keys = field_is(field, SCHEMA_PATCH_RETAIN_KEYS);
	ret_rule->single = field->shape == SCHEMA_MAP ||
			   (field->shape == SCHEMA_SINGLE && field->kind != SCHEMA_BYTES &&
				   (field->kind == SCHEMA_MESSAGE ? field_is(field, SCHEMA_BY_VALUE)
								  : !field_is(field, SCHEMA_PRESENCE)));
	ret_rule->merge_key = str_or(field->merge_key, NULL);
	if (field->shape == SCHEMA_MAP)
		ret_rule->scope.value = schema_map_value(field);
	else if (field->kind == SCHEMA_MESSAGE)
		ret_rule->scope.type = field->type;
	if (is_list && ret_rule->single)
		return status_new(STATUS_UNKNOWN, "expected slice or array type, but got: struct");
	return NULL;
}

void nodes_add(struct arena *arena, struct nodes *nodes, cJSON *node)
{
	ARENA_PUSH(arena, nodes->items, nodes->n) = node;
}

struct nodes nodes_of(struct arena *arena, const cJSON *array)
{
	struct nodes nodes = {0};

	TREE_FOREACH (child, array)
		nodes_add(arena, &nodes, child);
	return nodes;
}

cJSON *nodes_to_array(struct arena *arena, const struct nodes *nodes)
{
	cJSON *array = tree_new_array(arena);

	for (size_t i = 0; i < nodes->n; i++) {
		nodes->items[i]->string = NULL;
		tree_append(array, nodes->items[i]);
	}
	return array;
}

static void add_list(struct strbuf *out, const struct nodes *list)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		strbuf_adds(out, i ? " " : "");
		tree_print_go(out, list->items[i], false);
	}
	strbuf_addc(out, ']');
}

static struct status *mixed_kinds(const struct nodes *a, const struct nodes *b)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	add_list(&text, a);
	if (b)
		strbuf_addc(&text, ' ');
	if (b)
		add_list(&text, b);
	return status_new(STATUS_UNKNOWN, "list element types are not identical: [%s]", text.buf);
}

struct status *nodes_kind(const struct nodes *a, const struct nodes *b, int *ret_kind)
{
	int kind = 0;

	for (size_t i = 0; i < a->n + (b ? b->n : 0); i++) {
		int here = tree_kind(i < a->n ? a->items[i] : b->items[i - a->n]);
		if (kind && kind != here)
			return mixed_kinds(a, b);
		if (here == cJSON_Array)
			return status_details(status_new(STATUS_INVALID,
						      "the server rejected our request due to an error in our request"),
				"", "", "");
		kind = here;
	}
	if (!kind)
		return status_new(STATUS_UNKNOWN, "no elements in any of the given slices");
	*ret_kind = kind;
	return NULL;
}

size_t nodes_index(const struct nodes *list, const cJSON *node, const char *merge_key)
{
	const cJSON *wanted = merge_key && cJSON_IsObject(node) ? tree_get(node, merge_key) : node;

	for (size_t i = 0; i < list->n; i++) {
		const cJSON *item = list->items[i];
		const cJSON *found = merge_key && cJSON_IsObject(item) ? tree_get(item, merge_key) : item;
		if (wanted && found && tree_equal(wanted, found))
			return i;
	}
	return SIZE_MAX;
}

struct status *patch_no_merge_key(const cJSON *map, const char *key)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	tree_print_go(&text, map, false);
	return status_new(STATUS_UNKNOWN, "map: %s does not contain declared merge key: %s", text.buf, key);
}

struct status *patch_bad_type(const cJSON *map, const cJSON *directive)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	int64_t whole;
	const char *type = cJSON_IsBool(directive)	 ? "bool"
			   : !cJSON_IsNumber(directive)	 ? NULL
			   : tree_int(directive, &whole) ? "int64"
							 : "float64";
	strbuf_adds(&text, "unknown patch type: ");
	if (type)
		strbuf_printf(&text, "%%!s(%s=", type);
	if (cJSON_IsNull(directive))
		strbuf_adds(&text, "%!s(<nil>)");
	else
		tree_print_go(&text, directive, false);
	if (type)
		strbuf_addc(&text, ')');
	strbuf_adds(&text, " in map: ");
	tree_print_go(&text, map, false);
	return status_new(STATUS_UNKNOWN, "%s", text.buf);
}

struct status *patch_bad_argument(const char *wanted, const cJSON *found)
{
	int64_t whole;
	const char *is = !found || cJSON_IsNull(found) ? "%!s(<nil>)"
			 : cJSON_IsObject(found)       ? "map[string]interface {}"
			 : cJSON_IsArray(found)	       ? "[]interface {}"
			 : cJSON_IsString(found)       ? "string"
			 : cJSON_IsBool(found)	       ? "bool"
			 : tree_int(found, &whole)     ? "int64"
						       : "float64";
	return status_new(STATUS_UNKNOWN, "expected a %s, but received a %s", wanted, is);
}

static struct status *check_merge_keys(const struct nodes *list, const char *merge_key)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!cJSON_IsObject(list->items[i]))
			return status_bad_request(
				"expected an object as an element of a list that is merged by %s", merge_key);
		if (!merge_key || !tree_get(list->items[i], merge_key))
			return patch_no_merge_key(list->items[i], str_or_empty(merge_key));
	}
	return NULL;
}

struct placed {
	size_t place, before;
	cJSON *node;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->before < y->before ? -1 : 1;
}

struct status *nodes_sort_by(
	struct arena *arena, struct nodes *list, const struct nodes *order, const char *merge_key, bool objects)
{
	struct nodes kept = {0}, deleted = {0};
	struct placed *places = ARENA_ARRAY(arena, struct placed, list->n + 1);

	if (objects) {
		TRY(check_merge_keys(list, merge_key));
		TRY(check_merge_keys(order, merge_key));
	}
	for (size_t i = 0; i < list->n; i++) {
		bool marked = objects && str_eq(tree_string(tree_get(list->items[i], DIRECTIVE)), "delete");
		nodes_add(arena, marked ? &deleted : &kept, list->items[i]);
	}
	struct places found = places_of(arena, order, objects ? merge_key : NULL);
	/* Equal places stay in order; what has no place stays behind its neighbour, and parts what is sorted. */
	for (size_t i = 0; i < kept.n; i++)
		places[i] = (struct placed){places_find(&found, kept.items[i]), i, kept.items[i]};
	for (size_t from = 0, to; from < kept.n; from = to + 1) {
		for (to = from; to < kept.n && places[to].place != SIZE_MAX;)
			to++;
		if (to > from)
			qsort(places + from, to - from, sizeof(*places), by_place);
	}
	for (size_t i = 0; i < kept.n; i++)
		kept.items[i] = places[i].node;
	for (size_t i = 0; i < deleted.n; i++)
		nodes_add(arena, &kept, deleted.items[i]);
	*list = kept;
	return NULL;
}
