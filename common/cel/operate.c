/* Operators: arithmetic that fails rather than overflows, comparison, and what is in what. */
#include <math.h>
#include "cel/eval.h"
#include "base/str.h"

static struct cel_value no_overload(struct arena *arena)
{
	return cel_error(arena, "no such overload");
}

static struct cel_value overflow(struct arena *arena, enum cel_kind kind)
{
	return cel_error(arena, kind == CEL_UINT	? "unsigned integer overflow"
				: kind == CEL_TIMESTAMP ? "timestamp overflow"
							: "integer overflow");
}

static struct cel_value joined_text(struct arena *arena, struct cel_value a, struct cel_value b)
{
	char *text = arena_alloc(arena, a.text.size + b.text.size + 1);
	memcpy(text, a.text.data, a.text.size);
	memcpy(text + a.text.size, b.text.data, b.text.size);
	text[a.text.size + b.text.size] = 0;
	return (struct cel_value){.kind = a.kind, .text = {text, a.text.size + b.text.size}};
}

enum { MAX_COPIED = 2000000 };

/* A list that is built item by item takes the room behind its own end, if nobody else has. */
static struct cel_value joined_list(
	struct arena *arena, const struct cel_list *a, const struct cel_list *b, size_t *n_copied)
{
	struct cel_list *list = ARENA_NEW(arena, struct cel_list);
	size_t n = a->n_items + b->n_items;
	if (a->is_set || a->keys) {
		*n_copied += n;
		return *n_copied > MAX_COPIED ? cel_error(arena, "lists are too large")
					      : cel_unordered_join(arena, a, b);
	}
	list->n_items = n;
	if (a->n_used && *a->n_used == a->n_items && n <= a->n_room) {
		list->items = a->items;
		list->n_room = a->n_room;
		list->n_used = a->n_used;
	} else {
		list->n_room = 2 * n + 4;
		*n_copied += list->n_room;
		if (*n_copied > MAX_COPIED)
			return cel_error(arena, "lists are too large");
		list->items = ARENA_ARRAY(arena, struct cel_value, list->n_room);
		list->n_used = ARENA_NEW(arena, size_t);
		for (size_t i = 0; i < a->n_items; i++)
			list->items[i] = cel_item(arena, a, i);
	}
	for (size_t i = 0; i < b->n_items; i++)
		list->items[a->n_items + i] = cel_item(arena, b, i);
	*list->n_used = n;
	return (struct cel_value){.kind = CEL_LIST, .list = list};
}

bool time_is_valid(int64_t seconds)
{
	return seconds >= -62135596800 && seconds <= 253402300799;
}

static struct cel_value move_time(struct arena *arena, struct cel_time t, int64_t ns, bool back)
{
	int64_t seconds = ns / 1000000000, nanos = ns % 1000000000;
	int64_t sum = t.seconds + (back ? -seconds : seconds), rest = t.nanos + (back ? -nanos : nanos);
	sum += rest < 0 ? -1 : rest >= 1000000000;
	rest += rest < 0 ? 1000000000 : rest >= 1000000000 ? -1000000000 : 0;
	if (!time_is_valid(sum))
		return overflow(arena, CEL_TIMESTAMP);
	return (struct cel_value){.kind = CEL_TIMESTAMP, .time = {sum, (int32_t)rest, t.zone}};
}

static struct cel_value add(struct arena *arena, struct cel_value a, struct cel_value b, size_t *n_copied)
{
	struct cel_value v = {.kind = a.kind};
	if (a.kind == CEL_TIMESTAMP && b.kind == CEL_DURATION)
		return move_time(arena, a.time, b.integer, false);
	if (a.kind == CEL_DURATION && b.kind == CEL_TIMESTAMP)
		return move_time(arena, b.time, a.integer, false);
	if (a.kind != b.kind)
		return no_overload(arena);
	switch (a.kind) {
	case CEL_INT:
	case CEL_DURATION:
		return __builtin_add_overflow(a.integer, b.integer, &v.integer) ? overflow(arena, a.kind) : v;
	case CEL_UINT:
		return __builtin_add_overflow(a.natural, b.natural, &v.natural) ? overflow(arena, a.kind) : v;
	case CEL_DOUBLE:
		return CEL_DOUBLE_VALUE(a.number + b.number);
	case CEL_STRING:
	case CEL_BYTES:
		return joined_text(arena, a, b);
	case CEL_LIST:
		return joined_list(arena, a.list, b.list, n_copied);
	default:
		return no_overload(arena);
	}
}

static struct cel_value between(struct arena *arena, struct cel_time a, struct cel_time b)
{
	int64_t ns;
	if (__builtin_mul_overflow(a.seconds - b.seconds, INT64_C(1000000000), &ns) ||
		__builtin_add_overflow(ns, (int64_t)a.nanos - b.nanos, &ns))
		return overflow(arena, CEL_DURATION);
	return CEL_DURATION_VALUE(ns);
}

static struct cel_value subtract(struct arena *arena, struct cel_value a, struct cel_value b)
{
	struct cel_value v = {.kind = a.kind};
	if (a.kind == CEL_TIMESTAMP && b.kind == CEL_DURATION)
		return move_time(arena, a.time, b.integer, true);
	if (a.kind != b.kind)
		return no_overload(arena);
	switch (a.kind) {
	case CEL_INT:
	case CEL_DURATION:
		return __builtin_sub_overflow(a.integer, b.integer, &v.integer) ? overflow(arena, a.kind) : v;
	case CEL_UINT:
		return __builtin_sub_overflow(a.natural, b.natural, &v.natural) ? overflow(arena, a.kind) : v;
	case CEL_DOUBLE:
		return CEL_DOUBLE_VALUE(a.number - b.number);
	case CEL_TIMESTAMP:
		return between(arena, a.time, b.time);
	default:
		return no_overload(arena);
	}
}

static struct cel_value multiply(struct arena *arena, struct cel_value a, struct cel_value b)
{
	struct cel_value v = {.kind = a.kind};
	if (a.kind != b.kind)
		return no_overload(arena);
	switch (a.kind) {
	case CEL_INT:
		return __builtin_mul_overflow(a.integer, b.integer, &v.integer) ? overflow(arena, a.kind) : v;
	case CEL_UINT:
		return __builtin_mul_overflow(a.natural, b.natural, &v.natural) ? overflow(arena, a.kind) : v;
	case CEL_DOUBLE:
		return CEL_DOUBLE_VALUE(a.number * b.number);
	default:
		return no_overload(arena);
	}
}

static struct cel_value divide(struct arena *arena, struct cel_value a, struct cel_value b, bool rest)
{
	if (a.kind != b.kind || (rest && a.kind == CEL_DOUBLE))
		return no_overload(arena);
	if (a.kind == CEL_DOUBLE)
		return CEL_DOUBLE_VALUE(a.number / b.number);
	if (a.kind != CEL_INT && a.kind != CEL_UINT)
		return no_overload(arena);
	if (b.natural == 0)
		return cel_error(arena, rest ? "modulus by zero" : "division by zero");
	if (a.kind == CEL_UINT)
		return CEL_UINT_VALUE(rest ? a.natural % b.natural : a.natural / b.natural);
	if (a.integer == INT64_MIN && b.integer == -1)
		return overflow(arena, CEL_INT);
	return CEL_INT_VALUE(rest ? a.integer % b.integer : a.integer / b.integer);
}

static struct cel_value negate(struct arena *arena, struct cel_value a)
{
	if (a.kind == CEL_DOUBLE)
		return CEL_DOUBLE_VALUE(-a.number);
	if (a.kind != CEL_INT)
		return no_overload(arena);
	return a.integer == INT64_MIN ? overflow(arena, CEL_INT) : CEL_INT_VALUE(-a.integer);
}

static struct cel_value compare(struct arena *arena, const char *function, struct cel_value a, struct cel_value b)
{
	struct cel_value error;
	int order;
	if (!cel_compare(arena, a, b, &order, &error))
		return error;
	bool equal = function[2] == '=';
	bool holds = function[1] == '<' ? order < 0 : order > 0;
	return CEL_BOOL_VALUE(holds || (equal && order == 0));
}

static struct cel_value is_in(struct arena *arena, struct cel_value item, struct cel_value whole)
{
	struct cel_value found;
	if (whole.kind == CEL_MAP)
		return CEL_BOOL_VALUE(cel_find(arena, whole.map, item, &found));
	if (whole.kind != CEL_LIST)
		return no_overload(arena);
	for (size_t i = 0; i < whole.list->n_items; i++)
		if (cel_equal(arena, cel_item(arena, whole.list, i), item))
			return CEL_BOOL_VALUE(true);
	return CEL_BOOL_VALUE(false);
}

bool is_operator(const char *function)
{
	static const char *const operators[] = {"_+_", "_-_", "_*_", "_/_", "_%_", "-_", "!_", "_==_", "_!=_", "_<_",
		"_<=_", "_>_", "_>=_", "@in", NULL};
	return str_in(function, operators);
}

struct cel_value operate(struct arena *arena, const char *function, const struct cel_value *args, size_t *n_copied)
{
	if (!strcmp(function, "@in"))
		return is_in(arena, args[0], args[1]);
	if (!strcmp(function, "-_"))
		return negate(arena, args[0]);
	if (!strcmp(function, "!_"))
		return args[0].kind == CEL_BOOL ? CEL_BOOL_VALUE(!args[0].boolean) : no_overload(arena);
	switch (function[1]) {
	case '+':
		return add(arena, args[0], args[1], n_copied);
	case '-':
		return subtract(arena, args[0], args[1]);
	case '*':
		return multiply(arena, args[0], args[1]);
	case '/':
	case '%':
		return divide(arena, args[0], args[1], function[1] == '%');
	case '=':
	case '!':
		return CEL_BOOL_VALUE(cel_equal(arena, args[0], args[1]) == (function[1] == '='));
	default:
		return compare(arena, function, args[0], args[1]);
	}
}
