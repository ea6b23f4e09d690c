/* Functions of lists, sets and optionals. */
#include "base/str.h"
#include "cel/eval.h"

enum { MAX_RANGE = 1 << 20 };

static struct cel_value item(struct cel_call *call, size_t i)
{
	return cel_item(call->arena, call->args[0].list, i);
}

static size_t length(struct cel_call *call)
{
	return call->args[0].list->n_items;
}

static struct cel_value is_sorted(struct cel_call *call)
{
	struct cel_value error;
	int order;
	for (size_t i = 1; i < length(call); i++) {
		if (!cel_compare(call->arena, item(call, i - 1), item(call, i), &order, &error))
			return error;
		if (order > 0)
			return CEL_BOOL_VALUE(false);
	}
	return CEL_BOOL_VALUE(true);
}

static struct cel_value sum(struct cel_call *call)
{
	struct cel_value pair[2];
	const char *name = call->overload->id + strlen("list_");
	size_t n_copied = 0;
	pair[0] = *name == 'i'	   ? CEL_INT_VALUE(0)
		  : *name == 'u'   ? CEL_UINT_VALUE(0)
		  : name[1] == 'o' ? CEL_DOUBLE_VALUE(0)
				   : CEL_DURATION_VALUE(0);
	for (size_t i = 0; i < length(call) && !cel_failed(pair[0]); i++) {
		pair[1] = item(call, i);
		pair[0] = operate(call->arena, "_+_", pair, &n_copied);
	}
	return pair[0];
}

static struct cel_value extreme(struct cel_call *call, int preferred)
{
	struct cel_value best, error;
	int order;
	if (!length(call))
		return cel_error(call->arena, "%s called on empty list", call->overload->function);
	best = item(call, 0);
	for (size_t i = 1; i < length(call); i++) {
		if (!cel_compare(call->arena, item(call, i), best, &order, &error))
			return error;
		if (order == preferred)
			best = item(call, i);
	}
	return best;
}

static struct cel_value max(struct cel_call *call)
{
	return extreme(call, 1);
}

static struct cel_value min(struct cel_call *call)
{
	return extreme(call, -1);
}

static struct cel_value index_of(struct cel_call *call)
{
	for (size_t i = 0; i < length(call); i++)
		if (cel_equal(call->arena, item(call, i), call->args[1]))
			return CEL_INT_VALUE((int64_t)i);
	return CEL_INT_VALUE(-1);
}

static struct cel_value last_index_of(struct cel_call *call)
{
	for (size_t i = length(call); i-- > 0;)
		if (cel_equal(call->arena, item(call, i), call->args[1]))
			return CEL_INT_VALUE((int64_t)i);
	return CEL_INT_VALUE(-1);
}

/* Sets */

static bool has(struct arena *arena, const struct cel_list *list, struct cel_value v)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (cel_equal(arena, cel_item(arena, list, i), v))
			return true;
	return false;
}

static bool has_all(struct arena *arena, const struct cel_list *list, const struct cel_list *items)
{
	for (size_t i = 0; i < items->n_items; i++)
		if (!has(arena, list, cel_item(arena, items, i)))
			return false;
	return true;
}

static struct cel_value sets_contains(struct cel_call *call)
{
	return CEL_BOOL_VALUE(has_all(call->arena, call->args[0].list, call->args[1].list));
}

static struct cel_value sets_equivalent(struct cel_call *call)
{
	const struct cel_list *a = call->args[0].list, *b = call->args[1].list;
	return CEL_BOOL_VALUE(has_all(call->arena, a, b) && has_all(call->arena, b, a));
}

static struct cel_value sets_intersects(struct cel_call *call)
{
	for (size_t i = 0; i < length(call); i++)
		if (has(call->arena, call->args[1].list, item(call, i)))
			return CEL_BOOL_VALUE(true);
	return CEL_BOOL_VALUE(false);
}

/* New lists */

static struct cel_value slice(struct cel_call *call)
{
	int64_t from = call->args[1].integer, to = call->args[2].integer;
	const char *problem = from < 0 || to < 0 ? "negative indexes not supported"
			      : from > to	 ? "start index must be less than or equal to end index"
			      : (uint64_t)to > length(call)
				      ? arena_printf(call->arena, "list is length %zu", length(call))
				      : NULL;
	if (problem)
		return cel_error(call->arena, "cannot slice(%lld, %lld), %s", (long long)from, (long long)to, problem);
	struct cel_value *items = ARENA_ARRAY(call->arena, struct cel_value, (size_t)(to - from) + 1);
	for (int64_t i = from; i < to; i++)
		items[i - from] = item(call, (size_t)i);
	return cel_list_of(call->arena, items, (size_t)(to - from));
}

static void flatten_into(
	struct arena *arena, const struct cel_list *list, int64_t depth, struct cel_value **items, size_t *n)
{
	for (size_t i = 0; i < list->n_items; i++) {
		struct cel_value v = cel_item(arena, list, i);
		if (v.kind == CEL_LIST && depth > 0)
			flatten_into(arena, v.list, depth - 1, items, n);
		else
			ARENA_PUSH(arena, *items, *n) = v;
	}
}

static struct cel_value flatten(struct cel_call *call)
{
	int64_t depth = call->n_args > 1 ? call->args[1].integer : 1;
	struct cel_value *items = NULL;
	size_t n = 0;
	if (depth < 0)
		return cel_error(call->arena, "level must be non-negative");
	flatten_into(call->arena, call->args[0].list, depth, &items, &n);
	return cel_list_of(call->arena, items, n);
}

struct sorted {
	struct cel_value key, item;
	size_t index;
};

static int by_key(const void *a, const void *b, void *arena)
{
	const struct sorted *x = a, *y = b;
	struct cel_value error;
	int order = 0;
	/* Keys that have no order were told of before. */
	if (!cel_compare(arena, x->key, y->key, &order, &error) || !order)
		return x->index < y->index ? -1 : 1;
	return order;
}

static struct cel_value sort_by(struct cel_call *call, const struct cel_list *list, const struct cel_list *keys)
{
	struct sorted *sorted = ARENA_ARRAY(call->arena, struct sorted, list->n_items + 1);
	struct cel_value *items = ARENA_ARRAY(call->arena, struct cel_value, list->n_items + 1);
	if (list->n_items != keys->n_items)
		return cel_error(call->arena,
			"@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but "
			"got %zu and %zu elements respectively",
			list->n_items, keys->n_items);
	for (size_t i = 0; i < list->n_items; i++) {
		struct cel_value error;
		int order;
		sorted[i] = (struct sorted){cel_item(call->arena, keys, i), cel_item(call->arena, list, i), i};
		if (sorted[i].key.kind != sorted[0].key.kind)
			return cel_error(call->arena, "list elements must have the same type");
		if (!cel_compare(call->arena, sorted[i].key, sorted[0].key, &order, &error))
			return sorted[i].key.kind == CEL_DOUBLE
				       ? error
				       : cel_error(call->arena, "list elements must be comparable");
	}
	if (list->n_items)
		qsort_r(sorted, list->n_items, sizeof(*sorted), by_key, call->arena);
	for (size_t i = 0; i < list->n_items; i++)
		items[i] = sorted[i].item;
	return cel_list_of(call->arena, items, list->n_items);
}

static struct cel_value sort(struct cel_call *call)
{
	return sort_by(call, call->args[0].list, call->args[0].list);
}

static struct cel_value sort_by_keys(struct cel_call *call)
{
	return sort_by(call, call->args[0].list, call->args[1].list);
}

static struct cel_value range(struct cel_call *call)
{
	int64_t n = call->args[0].integer;
	if (n > MAX_RANGE)
		return cel_error(call->arena, "range is too large");
	struct cel_value *items = ARENA_ARRAY(call->arena, struct cel_value, n > 0 ? (size_t)n : 1);
	for (int64_t i = 0; i < n; i++)
		items[i] = CEL_INT_VALUE(i);
	return cel_list_of(call->arena, items, n > 0 ? (size_t)n : 0);
}

static struct cel_value reverse(struct cel_call *call)
{
	size_t n = length(call);
	struct cel_value *items = ARENA_ARRAY(call->arena, struct cel_value, n + 1);
	for (size_t i = 0; i < n; i++)
		items[i] = item(call, n - 1 - i);
	return cel_list_of(call->arena, items, n);
}

static struct cel_value distinct(struct cel_call *call)
{
	struct cel_list unique = {.items = ARENA_ARRAY(call->arena, struct cel_value, length(call) + 1)};
	for (size_t i = 0; i < length(call); i++)
		if (!has(call->arena, &unique, item(call, i)))
			unique.items[unique.n_items++] = item(call, i);
	return cel_list_of(call->arena, unique.items, unique.n_items);
}

static struct cel_value first(struct cel_call *call)
{
	struct cel_value v = length(call) ? item(call, 0) : CEL_NULL_VALUE;
	return cel_optional_of(call->arena, length(call) ? &v : NULL);
}

static struct cel_value last(struct cel_call *call)
{
	struct cel_value v = length(call) ? item(call, length(call) - 1) : CEL_NULL_VALUE;
	return cel_optional_of(call->arena, length(call) ? &v : NULL);
}

/* Maps that grow */

static struct cel_value insert(struct cel_call *call)
{
	const struct cel_map *map = call->args[0].map;
	bool pair = call->n_args == 3;
	size_t n = map->n_entries, n_new = pair ? 1 : call->args[1].map->n_entries;
	struct cel_entry *entries = ARENA_ARRAY(call->arena, struct cel_entry, n + n_new + 1);
	struct cel_value found;
	for (size_t i = 0; i < n; i++) {
		entries[i].key = cel_key(call->arena, map, i);
		cel_find(call->arena, map, entries[i].key, &entries[i].value);
	}
	for (size_t i = 0; i < n_new; i++, n++) {
		struct cel_entry *entry = &entries[n];
		entry->key = pair ? call->args[1] : cel_key(call->arena, call->args[1].map, i);
		if (pair)
			entry->value = call->args[2];
		else
			cel_find(call->arena, call->args[1].map, entry->key, &entry->value);
		if (cel_find(call->arena, map, entry->key, &found))
			return cel_error(call->arena, "insert failed: key %s already exists",
				cel_value_text(call->arena, entry->key));
	}
	return cel_map_of(call->arena, entries, n);
}

/* Optionals */

static struct cel_value optional_of(struct cel_call *call)
{
	return cel_optional_of(call->arena, &call->args[0]);
}

static bool is_zero(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !v.boolean;
	case CEL_INT:
	case CEL_UINT:
	case CEL_DURATION:
		return !v.integer;
	case CEL_DOUBLE:
		return v.number == 0;
	case CEL_STRING:
	case CEL_BYTES:
		return !v.text.size;
	case CEL_LIST:
		return !v.list->n_items;
	case CEL_MAP:
		return !v.map->n_entries;
	case CEL_TIMESTAMP:
		return v.time.seconds == -62135596800 && !v.time.nanos;
	default:
		return cel_is_optional(v) && !v.opaque->present;
	}
}

static struct cel_value of_non_zero(struct cel_call *call)
{
	return cel_optional_of(call->arena, is_zero(call->args[0]) ? NULL : &call->args[0]);
}

static struct cel_value none(struct cel_call *call)
{
	return cel_optional_of(call->arena, NULL);
}

static struct cel_value value(struct cel_call *call)
{
	const struct cel_opaque *o = call->args[0].opaque;
	return o->present ? o->value : cel_error(call->arena, "optional.none() dereference");
}

static struct cel_value has_value(struct cel_call *call)
{
	return CEL_BOOL_VALUE(call->args[0].opaque->present);
}

static struct cel_value unwrap(struct cel_call *call)
{
	struct cel_value *items = ARENA_ARRAY(call->arena, struct cel_value, length(call) + 1);
	size_t n = 0;
	for (size_t i = 0; i < length(call); i++) {
		struct cel_value v = item(call, i);
		if (!cel_is_optional(v))
			return cel_error(call->arena, "value %s is not optional", cel_value_text(call->arena, v));
		if (v.opaque->present)
			items[n++] = v.opaque->value;
	}
	return cel_list_of(call->arena, items, n);
}

static const struct cel_overload lists_rows[] = {
#define SUMMABLE(name)                                                              \
	{                                                                           \
		"sum", "list_" name "_sum_" name, "list(" name ").() -> " name, sum \
	}
#define COMPARABLE(name)                                                                      \
	{"isSorted", "list_" name "_is_sorted_bool", "list(" name ").() -> bool", is_sorted}, \
		{"max", "list_" name "_max_" name, "list(" name ").() -> " name, max},        \
	{                                                                                     \
		"min", "list_" name "_min_" name, "list(" name ").() -> " name, min           \
	}
	SUMMABLE("int"),
	SUMMABLE("uint"),
	SUMMABLE("double"),
	SUMMABLE("duration"),
	COMPARABLE("int"),
	COMPARABLE("uint"),
	COMPARABLE("double"),
	COMPARABLE("bool"),
	COMPARABLE("duration"),
	COMPARABLE("timestamp"),
	COMPARABLE("string"),
	COMPARABLE("bytes"),
	{"indexOf", "list_a_index_of_int", "list(A).(A) -> int", index_of},
	{"lastIndexOf", "list_a_last_index_of_int", "list(A).(A) -> int", last_index_of},
	{"sets.contains", "list_sets_contains_list", "(list(T), list(T)) -> bool", sets_contains},
	{"sets.equivalent", "list_sets_equivalent_list", "(list(T), list(T)) -> bool", sets_equivalent},
	{"sets.intersects", "list_sets_intersects_list", "(list(T), list(T)) -> bool", sets_intersects},
	{"cel.@mapInsert", "@mapInsert_map_key_value", "(map(K, V), K, V) -> map(K, V)", insert},
	{"cel.@mapInsert", "@mapInsert_map_map", "(map(K, V), map(K, V)) -> map(K, V)", insert},
};
const struct cel_library cel_lists = {lists_rows, ARRAY_SIZE(lists_rows), 0};

static const struct cel_overload more_lists_rows[] = {
	{"slice", "list_slice", "list(T).(int, int) -> list(T)", slice},
	{"flatten", "list_flatten", "list(list(T)).() -> list(T)", flatten},
	{"flatten", "list_flatten_int", "list(dyn).(int) -> list(dyn)", flatten},
#define SORTABLE(name)                                                                                                \
	{"sort", "list_" name "_sort", "list(" name ").() -> list(" name ")", sort},                                  \
	{                                                                                                             \
		"@sortByAssociatedKeys", "list_" name "_sortByAssociatedKeys", "list(T).(list(" name ")) -> list(T)", \
			sort_by_keys                                                                                  \
	}
	SORTABLE("int"),
	SORTABLE("uint"),
	SORTABLE("double"),
	SORTABLE("bool"),
	SORTABLE("duration"),
	SORTABLE("timestamp"),
	SORTABLE("string"),
	SORTABLE("bytes"),
	{"lists.range", "lists_range", "(int) -> list(int)", range},
	{"reverse", "list_reverse", "list(T).() -> list(T)", reverse},
	{"distinct", "list_distinct", "list(T).() -> list(T)", distinct},
};
const struct cel_library cel_more_lists = {more_lists_rows, ARRAY_SIZE(more_lists_rows), 34};

static const struct cel_overload optionals_rows[] = {
	{"optional.of", "optional_of", "(V) -> optional_type(V)", optional_of},
	{"optional.ofNonZeroValue", "optional_ofNonZeroValue", "(V) -> optional_type(V)", of_non_zero},
	{"optional.none", "optional_none", "() -> optional_type(V)", none},
	{"value", "optional_value", "optional_type(V).() -> V", value},
	{"hasValue", "optional_hasValue", "optional_type(V).() -> bool", has_value},
	{"or", "optional_or_optional", "optional_type(V).(optional_type(V)) -> optional_type(V)"},
	{"orValue", "optional_orValue_value", "optional_type(V).(V) -> V"},
	{"_?._", "select_optional_field", "(dyn, string) -> optional_type(V)"},
	{"_[?_]", "list_optindex_optional_int", "(list(V), int) -> optional_type(V)"},
	{"_[?_]", "optional_list_optindex_optional_int", "(optional_type(list(V)), int) -> optional_type(V)"},
	{"_[?_]", "map_optindex_optional_value", "(map(K, V), K) -> optional_type(V)"},
	{"_[?_]", "optional_map_optindex_optional_value", "(optional_type(map(K, V)), K) -> optional_type(V)"},
	{"_[_]", "optional_list_index_int", "(optional_type(list(V)), int) -> optional_type(V)"},
	{"_[_]", "optional_map_index_value", "(optional_type(map(K, V)), K) -> optional_type(V)"},
	{"last", "list_last", "list(V).() -> optional_type(V)", last},
	{"first", "list_first", "list(V).() -> optional_type(V)", first},
	{"optional.unwrap", "optional_unwrap", "(list(optional_type(V))) -> list(V)", unwrap},
	{"unwrapOpt", "optional_unwrapOpt", "list(optional_type(V)).() -> list(V)", unwrap},
};
const struct cel_library cel_optionals = {optionals_rows, ARRAY_SIZE(optionals_rows), 0};
