/* What functions cost by the sizes of what they are given. */
#include "cel/cost.h"
#include "base/str.h"

#define RANGE(low, high) ((struct cel_range){low, high})
#define PER_LETTER 0.1	 /* going over a text once, a letter */
#define PER_PATTERN 0.25 /* matching one letter, a letter of the pattern */

enum { LIST_COST = 10, OBJECT_COST = 40, CHECK_COST = 350000, MAX_NAME_PATTERN = 128, MAX_FORMAT = 64 };

struct result {
	struct cel_range cost, size;
	bool is_sized;
};

static struct result plain(struct cel_range cost)
{
	return (struct result){.cost = cost};
}

static struct result sized(struct cel_range cost, struct cel_range size)
{
	return (struct result){cost, size, true};
}

static struct result nominal(const struct cost_call *call)
{
	return plain(RANGE(1, 1));
}

static struct result check_access(const struct cost_call *call)
{
	return plain(RANGE(CHECK_COST, CHECK_COST));
}

static struct result first_traversed(const struct cost_call *call)
{
	return plain(range_scale(call->args[0].size, PER_LETTER));
}

static struct result first_traversed_twice(const struct cost_call *call)
{
	return plain(range_scale(call->args[0].size, 2 * PER_LETTER));
}

static struct result url(const struct cost_call *call)
{
	return sized(range_scale(call->args[0].size, PER_LETTER), call->args[0].size);
}

static struct result target_traversed(const struct cost_call *call)
{
	return sized(range_scale(call->target->size, PER_LETTER), call->target->size);
}

static struct result selector(const struct cost_call *call)
{
	struct cel_range size = call->args[0].size;
	struct cel_range requirements = range_scale(range_scale(size, 0.5), LIST_COST + OBJECT_COST);
	struct cel_range parse = range_scale(size, PER_LETTER);
	return plain(range_add(range_add(RANGE(LIST_COST, LIST_COST), parse), requirements));
}

/* The size of each item of a list; false if it is no list. */
static bool item_size(const struct cost_node *list, const struct cel_type **ret_type, struct cel_range *ret_size)
{
	const struct cel_type *t = list->declared;
	if (!list->type->n_params)
		return false;
	*ret_type = list->type->params[0];
	*ret_size = RANGE(0, t && t->kind == CEL_LIST ? t->params[0]->max_size : UINT64_MAX);
	return true;
}

static struct result over_items(const struct cost_call *call)
{
	struct cel_range each = RANGE(1, 1), size;
	const struct cel_type *type;
	if (!item_size(call->target, &type, &size))
		return plain(range_scale(call->target->size, PER_LETTER));
	if (type->kind == CEL_STRING || type->kind == CEL_BYTES)
		each = range_add(each, range_scale(size, PER_LETTER));
	return plain(range_multiply(call->target->size, each));
}

static uint64_t add_one(uint64_t n)
{
	return n == UINT64_MAX ? n : n + 1;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	double quotient = (double)a / (double)b;
	uint64_t n = quotient >= 0x1p64 ? UINT64_MAX : (uint64_t)quotient;
	return (double)n < quotient ? n + 1 : n;
}

static struct result replace(const struct cost_call *call)
{
	struct cel_range text = call->target->size, from = call->args[0].size, to = call->args[1].size;
	struct cel_range count = RANGE(0, 0), kept = RANGE(0, 0);
	if (from.min == 0) { /* Nothing is replaced around every letter. */
		count.max = add_one(text.max);
		kept.max = text.max;
	} else if (to.max <= from.min) {
		kept.max = text.max;
	} else {
		count.max = divide_up(text.max, from.min);
	}
	if (from.max == 0) {
		count.min = add_one(text.min);
		kept.min = text.min;
	} else if (from.max <= to.min) {
		kept.min = text.min;
	} else {
		count.min = divide_up(text.min, from.max);
	}
	return sized(range_scale(text, 2 * PER_LETTER), range_add(range_multiply(count, to), kept));
}

static struct result split(const struct cost_call *call)
{
	struct cel_range text = call->target->size;
	uint64_t max = text.max;
	if (call->n_args > 1 && call->args[1].expr->kind == EXPR_LITERAL && call->args[1].expr->literal.kind == CEL_INT)
		max = (uint64_t)call->args[1].expr->literal.integer;
	return sized(range_scale(text, 2 * PER_LETTER), RANGE(0, max));
}

static struct result join(const struct cost_call *call)
{
	struct cel_range list = call->target->size, size = RANGE(0, 0), item;
	const struct cel_type *type;
	if (item_size(call->target, &type, &item))
		size = range_multiply(list, item);
	if (call->n_args > 0) {
		struct cel_range gaps = RANGE(list.min ? list.min - 1 : 0, list.max ? list.max - 1 : 0);
		size = range_add(size, range_multiply(call->args[0].size, gaps));
	}
	return sized(range_scale(size, PER_LETTER), size);
}

static struct cel_range match_cost(struct cel_range text, struct cel_range pattern)
{
	return range_multiply(range_scale(range_add(text, RANGE(1, 1)), PER_LETTER), range_scale(pattern, PER_PATTERN));
}

static struct result find(const struct cost_call *call)
{
	return sized(match_cost(call->target->size, call->args[0].size), RANGE(0, call->target->size.max));
}

static struct result matches(const struct cost_call *call)
{
	return plain(match_cost(call->target->size, call->args[0].size));
}

static struct result ip(const struct cost_call *call)
{
	return call->target ? nominal(call) : first_traversed(call);
}

static struct result contains_ip(const struct cost_call *call)
{
	struct cel_range address = RANGE(4, 16), cost = range_scale(range_add(address, address), PER_LETTER);
	if (!strcmp(call->id, "cidr_contains_ip_string"))
		cost = range_add(cost, range_scale(call->args[0].size, PER_LETTER));
	return plain(cost);
}

static struct result contains_cidr(const struct cost_call *call)
{
	struct cel_range address = RANGE(4, 16), cost = range_scale(range_add(address, address), PER_LETTER);
	cost = range_add(range_add(cost, range_scale(address, PER_LETTER)), RANGE(1, 1));
	if (!strcmp(call->id, "cidr_contains_cidr_string"))
		cost = range_add(cost, range_scale(call->args[0].size, PER_LETTER));
	return plain(cost);
}

static struct result validate(const struct cost_call *call)
{
	return plain(range_scale(range_scale(call->args[0].size, PER_LETTER), MAX_NAME_PATTERN * PER_PATTERN));
}

static struct result sets(const struct cost_call *call)
{
	double factor = !strcmp(call->function, "sets.equivalent") ? 2 : 1;
	struct cel_range pairs = range_multiply(call->args[0].size, call->args[1].size);
	return plain(range_add(range_scale(pairs, factor), RANGE(1, 1)));
}

/* A new list out of a list. */
static struct result new_list(double factor, struct cel_range size)
{
	return sized(range_add(range_scale(size, factor), RANGE(LIST_COST + 1, LIST_COST + 1)), size);
}

static uint64_t int_of(const struct cost_node *node, uint64_t otherwise)
{
	if (node->expr->kind != EXPR_LITERAL || node->expr->literal.kind != CEL_INT)
		return otherwise;
	int64_t n = node->expr->literal.integer;
	return n < 0 ? 0 : (uint64_t)n;
}

static struct result slice(const struct cost_call *call)
{
	uint64_t n = int_of(&call->args[1], call->target->size.max) - int_of(&call->args[0], 0);
	return new_list(1, RANGE(n, n));
}

static struct result flatten(const struct cost_call *call)
{
	return new_list(call->n_args ? (double)int_of(&call->args[0], UINT64_MAX) : 1, call->target->size);
}

static struct result range_of(const struct cost_call *call)
{
	uint64_t n = int_of(&call->args[0], UINT64_MAX);
	return new_list(1, RANGE(n, n));
}

static struct result reverse(const struct cost_call *call)
{
	return new_list(1, call->target->size);
}

static struct result distinct(const struct cost_call *call)
{
	return new_list(2, range_multiply(call->target->size, call->target->size));
}

static struct result sort(const struct cost_call *call)
{
	bool by_keys = call->n_args == 1;
	struct cel_range size = by_keys ? call->args[0].size : call->target->size;
	bool text = strstr(call->id, "_string_") || strstr(call->id, "_bytes_");
	return new_list(text ? 2 + PER_LETTER : 2, range_multiply(size, size));
}

static struct result format(const struct cost_call *call)
{
	return plain(range_scale(call->target->size, PER_LETTER));
}

static struct result to_bytes(const struct cost_call *call)
{
	struct cel_range size = call->args[0].size;
	return sized(range_scale(size, PER_LETTER), RANGE(size.min, size.max * 4));
}

static struct result from_bytes(const struct cost_call *call)
{
	struct cel_range size = call->args[0].size;
	return sized(range_scale(size, PER_LETTER), RANGE(size.min / 4, size.max));
}

static struct result quote(const struct cost_call *call)
{
	struct cel_range size = call->args[0].size;
	return sized(range_scale(size, PER_LETTER), RANGE(size.min + 2, size.max * 2 + 2));
}

static struct result contains(const struct cost_call *call)
{
	return plain(range_multiply(
		range_scale(call->target->size, PER_LETTER), range_scale(call->args[0].size, PER_LETTER)));
}

static struct result in_list(const struct cost_call *call)
{
	return plain(range_scale(call->args[1].size, 1));
}

static struct result add_lists(const struct cost_call *call)
{
	return sized(RANGE(1, 1), range_add(call->args[0].size, call->args[1].size));
}

static struct result add_texts(const struct cost_call *call)
{
	struct cel_range size = range_add(call->args[0].size, call->args[1].size);
	return sized(range_scale(size, PER_LETTER), size);
}

static struct result compare(const struct cost_call *call)
{
	uint64_t max = call->args[0].size.max;
	if (call->args[1].size.max < max)
		max = call->args[1].size.max;
	return plain(range_scale(RANGE(max > 0, max), PER_LETTER));
}

static struct result equals(const struct cost_call *call)
{
	const struct cel_type *a = call->args[0].type, *b = call->args[1].type;
	if (!cel_type_equal(a, b) || (a->kind != CEL_OBJECT && a->kind != CEL_OPAQUE) || a->n_fields || a->field_of)
		return compare(call);
	if (!strcmp(a->name, cel_format.name))
		return plain(range_scale(RANGE(1, MAX_FORMAT), PER_LETTER));
	if (!strcmp(a->name, cel_url.name))
		return plain(range_scale(
			RANGE(1, call->args[1].size.max == UINT64_MAX ? 1 : call->args[1].size.max), PER_LETTER));
	return cel_type_is_optional(a) ? compare(call) : nominal(call);
}

/* By the name of the function, or of the overload alone; the first that fits counts. */
static const struct {
	const char *name;
	bool is_id;
	struct result (*cost)(const struct cost_call *call);
} costs[] = {
	{"check", false, check_access},
	{"fieldSelector", false, selector},
	{"labelSelector", false, selector},
	{"isSorted", false, over_items},
	{"sum", false, over_items},
	{"max", false, over_items},
	{"min", false, over_items},
	{"indexOf", false, over_items},
	{"lastIndexOf", false, over_items},
	{"url", false, url},
	{"jsonpatch.escapeKey", false, url},
	{"lowerAscii", false, target_traversed},
	{"upperAscii", false, target_traversed},
	{"substring", false, target_traversed},
	{"trim", false, target_traversed},
	{"replace", false, replace},
	{"split", false, split},
	{"join", false, join},
	{"find", false, find},
	{"findAll", false, find},
	{"cidr", false, first_traversed},
	{"isIP", false, first_traversed},
	{"isCIDR", false, first_traversed},
	{"ip", false, ip},
	{"ip.isCanonical", false, first_traversed_twice},
	{"containsIP", false, contains_ip},
	{"containsCIDR", false, contains_cidr},
	{"quantity", false, first_traversed},
	{"isQuantity", false, first_traversed},
	{"semver", false, first_traversed},
	{"isSemver", false, first_traversed},
	{"validate", false, validate},
	{"_==_", false, equals},
	{"sets.contains", false, sets},
	{"sets.intersects", false, sets},
	{"sets.equivalent", false, sets},
	{"slice", false, slice},
	{"flatten", false, flatten},
	{"lists.range", false, range_of},
	{"reverse", false, reverse},
	{"distinct", false, distinct},
	{"sort", false, sort},
	{"@sortByAssociatedKeys", false, sort},
	{"string_format", true, format},
	{"string_to_bytes", true, to_bytes},
	{"bytes_to_string", true, from_bytes},
	{"strings_quote", true, quote},
	{"starts_with_string", true, first_traversed},
	{"ends_with_string", true, first_traversed},
	{"in_list", true, in_list},
	{"matches_string", true, matches},
	{"contains_string", true, contains},
	{"add_list", true, add_lists},
	{"add_string", true, add_texts},
	{"add_bytes", true, add_texts},
	{"less_string", true, compare},
	{"less_bytes", true, compare},
	{"less_equals_string", true, compare},
	{"less_equals_bytes", true, compare},
	{"greater_string", true, compare},
	{"greater_bytes", true, compare},
	{"greater_equals_string", true, compare},
	{"greater_equals_bytes", true, compare},
	{"not_equals", true, compare},
};

struct cel_range cost_of_call(const struct cost_call *call, struct cel_range *ret_size, bool *ret_sized)
{
	struct result r = plain(RANGE(1, 1));
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++)
		if (!strcmp(costs[i].name, costs[i].is_id ? call->id : call->function)) {
			r = costs[i].cost(call);
			break;
		}
	*ret_size = r.size;
	*ret_sized = r.is_sized;
	return r.cost;
}
