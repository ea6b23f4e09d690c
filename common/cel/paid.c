/* What calls cost when they are made: as estimated, but by the sizes that things do have. */
#include <math.h>
#include "base/str.h"
#include "cel/eval.h"

enum { LIST_COST = 10, OBJECT_COST = 40, CHECK_COST = 350000 };

struct paid {
	struct arena *arena;
	const char *id;
	const struct cel_value *args;
	size_t n_args;
	struct cel_value result;
};

static uint64_t scaled(uint64_t size, double factor)
{
	double cost = ceil((double)size * factor);
	return cost >= 0x1p63 ? UINT64_MAX / 2 : (uint64_t)cost;
}

/* An optional is as large as what is in it. */
static uint64_t size_of(struct cel_value v)
{
	return cel_is_optional(v) && v.opaque->present ? size_of(v.opaque->value) : cel_size(v);
}

static uint64_t size(const struct paid *p, size_t i)
{
	return i < p->n_args ? size_of(p->args[i]) : 1;
}

static uint64_t once(const struct paid *p)
{
	return scaled(size(p, 0), 0.1);
}

static uint64_t twice(const struct paid *p)
{
	return scaled(size(p, 0), 0.2);
}

static uint64_t check(const struct paid *p)
{
	return CHECK_COST;
}

static uint64_t selector(const struct paid *p)
{
	uint64_t n = size(p, 1);
	return LIST_COST + scaled(n, 0.1) + scaled(scaled(n, 0.5), LIST_COST + OBJECT_COST);
}

static uint64_t traversal(struct arena *arena, struct cel_value v)
{
	uint64_t sum = 0;
	if (v.kind == CEL_STRING || v.kind == CEL_BYTES)
		return (uint64_t)((double)v.text.size * 0.1);
	if (v.kind == CEL_LIST) {
		for (size_t i = 0; i < v.list->n_items; i++)
			sum += traversal(arena, cel_item(arena, v.list, i));
		return sum;
	}
	if (v.kind != CEL_MAP)
		return 1;
	for (size_t i = 0; i < v.map->n_entries; i++) {
		struct cel_value key = cel_key(arena, v.map, i), value = CEL_NULL_VALUE;
		cel_find(arena, v.map, key, &value);
		sum += traversal(arena, key) + traversal(arena, value);
	}
	return sum;
}

static uint64_t traversed(const struct paid *p)
{
	return traversal(p->arena, p->args[0]);
}

static uint64_t join(const struct paid *p)
{
	return p->result.kind == CEL_STRING ? scaled(size_of(p->result), 0.2) : 1;
}

static uint64_t match(const struct paid *p)
{
	return scaled(1 + size(p, 0), 0.1) * scaled(size(p, 1), 0.25);
}

static uint64_t ip(const struct paid *p)
{
	return p->args[0].kind == CEL_STRING ? once(p) : 1;
}

static uint64_t contains_ip(const struct paid *p)
{
	uint64_t cidr = size(p, 0);
	return scaled(2 * cidr, 0.1) + (p->args[1].kind == CEL_STRING ? scaled(size(p, 1), 0.1) : 0);
}

static uint64_t contains_cidr(const struct paid *p)
{
	return contains_ip(p) + scaled(size(p, 0), 0.1) + 1;
}

static uint64_t validate(const struct paid *p)
{
	if (p->args[0].kind != CEL_OBJECT)
		return 1;
	return scaled(1 + size(p, 1), 0.1) * scaled(cel_form_pattern_size(p->args[0]), 0.25);
}

static uint64_t smaller(const struct paid *p)
{
	uint64_t a = size(p, 0), b = size(p, 1);
	return scaled(a < b ? a : b, 0.1);
}

static uint64_t equals(const struct paid *p)
{
	bool plain = p->args[0].kind == CEL_OBJECT || (p->args[0].kind == CEL_OPAQUE && !cel_is_optional(p->args[0]));
	return plain ? 1 : smaller(p);
}

static uint64_t both(const struct paid *p)
{
	return scaled(size(p, 0) + size(p, 1), 0.1);
}

static uint64_t contains(const struct paid *p)
{
	return scaled(size(p, 0), 0.1) * scaled(size(p, 1), 0.1);
}

static uint64_t in_list(const struct paid *p)
{
	return size(p, 1);
}

static uint64_t sets(const struct paid *p)
{
	return 1 + size(p, 0) * size(p, 1);
}

static uint64_t sets_both_ways(const struct paid *p)
{
	return 1 + size(p, 0) * size(p, 1) * 2;
}

static uint64_t new_list(const struct paid *p)
{
	return (p->result.kind == CEL_LIST ? size_of(p->result) : p->result.kind == CEL_BROKEN ? 1 : 0) + LIST_COST + 1;
}

static uint64_t flatten(const struct paid *p)
{
	int64_t depth = p->n_args > 1 && p->args[1].kind == CEL_INT ? p->args[1].integer : 1;
	double n = (double)size(p, 0) * (double)depth;
	/* A negative depth fails, and is paid for as the original does: it wraps. */
	return (n <= -0x1p63 || n >= 0x1p63 ? (uint64_t)INT64_MAX : (uint64_t)(int64_t)n) + LIST_COST + 1;
}

static uint64_t compared(const struct paid *p, struct cel_value list)
{
	uint64_t n = list.kind == CEL_LIST ? list.list->n_items : 0;
	struct cel_value first = n ? cel_item(p->arena, list.list, 0) : CEL_NULL_VALUE;
	double factor = first.kind == CEL_STRING || first.kind == CEL_BYTES ? 2.1 : 2;
	return (uint64_t)((double)n * (double)n * factor) + LIST_COST + 1;
}

static uint64_t compared_items(const struct paid *p)
{
	return compared(p, p->args[0]);
}

static uint64_t compared_keys(const struct paid *p)
{
	return compared(p, p->args[1]);
}

static const struct {
	const char *name; /* of the function, or of the overload */
	uint64_t (*cost)(const struct paid *p);
} costs[] = {
	{"check", check},
	{"fieldSelector", selector},
	{"labelSelector", selector},
	{"isSorted", traversed},
	{"sum", traversed},
	{"max", traversed},
	{"min", traversed},
	{"indexOf", traversed},
	{"lastIndexOf", traversed},
	{"url", once},
	{"jsonpatch.escapeKey", once},
	{"lowerAscii", once},
	{"upperAscii", once},
	{"substring", once},
	{"trim", once},
	{"replace", twice},
	{"split", twice},
	{"join", join},
	{"find", match},
	{"findAll", match},
	{"cidr", once},
	{"isIP", once},
	{"isCIDR", once},
	{"ip", ip},
	{"ip.isCanonical", twice},
	{"containsIP", contains_ip},
	{"containsCIDR", contains_cidr},
	{"quantity", once},
	{"isQuantity", once},
	{"semver", once},
	{"isSemver", once},
	{"validate", validate},
	{"_==_", equals},
	{"_!=_", smaller},
	{"sets.contains", sets},
	{"sets.intersects", sets},
	{"sets.equivalent", sets_both_ways},
	{"slice", new_list},
	{"lists.range", new_list},
	{"reverse", new_list},
	{"flatten", flatten},
	{"distinct", compared_items},
	{"sort", compared_items},
	{"@sortByAssociatedKeys", compared_keys},
	{"strings.quote", once},
	{"format", once},
	{"startsWith", once},
	{"endsWith", once},
	{"string_to_bytes", once},
	{"bytes_to_string", once},
	{"in_list", in_list},
	{"matches_string", match},
	{"contains_string", contains},
	{"add_string", both},
	{"add_bytes", both},
	{"less_string", smaller},
	{"less_bytes", smaller},
	{"less_equals_string", smaller},
	{"less_equals_bytes", smaller},
	{"greater_string", smaller},
	{"greater_bytes", smaller},
	{"greater_equals_string", smaller},
	{"greater_equals_bytes", smaller},
};

uint64_t cel_cost_of_call(struct arena *arena, const struct cel_overload *overload, const struct cel_value *args,
	size_t n_args, struct cel_value result)
{
	const struct paid p = {arena, overload->id, args, n_args, result};
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++)
		if (!strcmp(costs[i].name, overload->function) || !strcmp(costs[i].name, overload->id))
			return costs[i].cost(&p);
	return 1;
}
