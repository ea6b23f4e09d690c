#include "api/jsonpath.h"
#include "api/quantity.h"
#include "kubectl/printer.h"

struct sort_item {
	cJSON *node;
	const cJSON *value; /* NULL: the field is missing */
	size_t position;
};

static int compare_strings(const char *a, const char *b)
{
	struct quantity qa, qb;
	if (quantity_parse(a, &qa) && quantity_parse(b, &qb))
		return quantity_compare(&qa, &qb);
	return strcmp(a, b);
}

static int compare(const void *pa, const void *pb)
{
	const struct sort_item *a = pa, *b = pb;
	int result = 0;
	if (!a->value || !b->value)
		result = (a->value != NULL) - (b->value != NULL);
	else if (cJSON_IsNumber(a->value) && cJSON_IsNumber(b->value))
		result = (a->value->valuedouble > b->value->valuedouble) -
			 (a->value->valuedouble < b->value->valuedouble);
	else if (cJSON_IsString(a->value) && cJSON_IsString(b->value))
		result = compare_strings(a->value->valuestring, b->value->valuestring);
	return result ? result : (a->position > b->position) - (a->position < b->position);
}

struct status *sort_objects(struct arena *arena, cJSON *array, const char *field, const char *prefix)
{
	struct jsonpath *path;
	char *full;
	struct sort_item *items = NULL;
	size_t n = 0, n_found = 0;
	cJSON *node;
	TRY(jsonpath_relax(arena, field, &full));
	TRY(jsonpath_parse(arena, full, &path));
	jsonpath_allow_missing(path, true);
	while ((node = tree_remove_at(array, 0))) {
		cJSON **values;
		size_t n_values = 0;
		TRY(jsonpath_find(arena, path, *prefix ? obj_at(node, prefix) : node, &values, &n_values));
		ARENA_PUSH(arena, items, n) = (struct sort_item){node, n_values ? values[0] : NULL, n};
		n_found += n_values > 0;
	}
	if (n)
		qsort(items, n, sizeof(*items), compare);
	for (size_t i = 0; i < n; i++)
		tree_append(array, items[i].node);
	if (!n_found && n)
		return user_error("couldn't find any field with path \"%s\" in the list of objects", full);
	return NULL;
}
