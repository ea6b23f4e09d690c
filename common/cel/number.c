/* Quantities and semantic versions. */
#include <ctype.h>
#include "base/str.h"
#include "cel/eval.h"

static const char *text_of(struct cel_call *call)
{
	return arena_strndup(call->arena, call->args[0].text.data, call->args[0].text.size);
}

static struct cel_value quantity_value_of(struct cel_call *call, const struct quantity *q)
{
	return cel_opaque_of(call->arena, &cel_quantity, arena_dup(call->arena, q, sizeof(*q)));
}

static const struct quantity *quantity_arg(struct cel_call *call, size_t i)
{
	return call->args[i].opaque->data;
}

static struct cel_value to_quantity(struct cel_call *call)
{
	struct quantity q;
	return quantity_parse(text_of(call), &q) ? quantity_value_of(call, &q)
						 : cel_error(call->arena, "%s", QUANTITY_ERROR);
}

static struct cel_value is_quantity(struct cel_call *call)
{
	struct quantity q;
	return CEL_BOOL_VALUE(quantity_parse(text_of(call), &q));
}

static struct cel_value sign(struct cel_call *call)
{
	return CEL_INT_VALUE(quantity_sign(quantity_arg(call, 0)));
}

static int order(struct cel_call *call)
{
	return quantity_compare(quantity_arg(call, 0), quantity_arg(call, 1));
}

static struct cel_value quantity_greater(struct cel_call *call)
{
	return CEL_BOOL_VALUE(order(call) > 0);
}

static struct cel_value quantity_less(struct cel_call *call)
{
	return CEL_BOOL_VALUE(order(call) < 0);
}

static struct cel_value quantity_order(struct cel_call *call)
{
	int i = order(call);
	return CEL_INT_VALUE(i < 0 ? -1 : i > 0);
}

static struct cel_value to_float(struct cel_call *call)
{
	return CEL_DOUBLE_VALUE((double)quantity_arg(call, 0)->nanos / 1e9);
}

static bool whole(const struct quantity *q, int64_t *ret)
{
	__int128 units = q->nanos / 1000000000;
	*ret = (int64_t)units;
	return q->nanos % 1000000000 == 0 && units >= INT64_MIN && units <= INT64_MAX;
}

static struct cel_value to_integer(struct cel_call *call)
{
	int64_t i;
	return whole(quantity_arg(call, 0), &i) ? CEL_INT_VALUE(i)
						: cel_error(call->arena, "cannot convert value to integer");
}

static struct cel_value is_integer(struct cel_call *call)
{
	int64_t i;
	return CEL_BOOL_VALUE(whole(quantity_arg(call, 0), &i));
}

static struct quantity other(struct cel_call *call)
{
	if (call->args[1].kind == CEL_INT)
		return quantity_from_int(call->args[1].integer, QUANTITY_DECIMAL_EXPONENT);
	return *quantity_arg(call, 1);
}

static struct cel_value add(struct cel_call *call)
{
	struct quantity q = *quantity_arg(call, 0), more = other(call);
	quantity_add(&q, &more);
	return quantity_value_of(call, &q);
}

static struct cel_value sub(struct cel_call *call)
{
	struct quantity q = *quantity_arg(call, 0), less = other(call);
	quantity_sub(&q, &less);
	return quantity_value_of(call, &q);
}

/* Versions */

struct version {
	uint64_t parts[3];
	const char *pre; /* what is behind the minus, or "" */
};

/* One identifier of what is behind the numbers; why it is none, or NULL. */
static const char *identifier_problem(struct arena *arena, const char *id, bool pre)
{
	bool digits = *id != 0;
	if (!*id)
		return pre ? "Prerelease is empty" : "Build meta data is empty";
	for (const char *c = id; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-')
			return arena_printf(arena, "Invalid character(s) found in %s %s",
				pre ? "prerelease" : "build meta data", cel_quoted(arena, id));
		digits &= isdigit((unsigned char)*c) != 0;
	}
	if (pre && digits && *id == '0' && id[1])
		return arena_printf(
			arena, "Numeric PreRelease version must not contain leading zeroes %s", cel_quoted(arena, id));
	return NULL;
}

static const char *identifiers_problem(struct arena *arena, const char *text, bool pre)
{
	char **ids;
	size_t n = str_split(arena, text, '.', &ids);
	const char *problem = n ? NULL : identifier_problem(arena, "", pre);
	for (size_t i = 0; i < n && !problem; i++)
		problem = identifier_problem(arena, ids[i], pre);
	return problem;
}

static const char *read_number(struct arena *arena, const char *text, const char *which, uint64_t *ret)
{
	for (const char *c = text; *c; c++)
		if (!isdigit((unsigned char)*c))
			return arena_printf(
				arena, "Invalid character(s) found in %s number %s", which, cel_quoted(arena, text));
	if (*text == '0' && text[1])
		return arena_printf(arena, "%c%s number must not contain leading zeroes %s",
			toupper((unsigned char)*which), which + 1, cel_quoted(arena, text));
	if (!str_to_uint64(text, UINT64_MAX, ret))
		return *text ? arena_printf(arena, "strconv.ParseUint: parsing %s: value out of range",
				       cel_quoted(arena, text))
			     : "strconv.ParseUint: parsing \"\": invalid syntax";
	return NULL;
}

/* The version that a text says; NULL, or why it is none. */
static const char *read_version(struct arena *arena, const char *text, struct version *ret)
{
	static const char *const names[] = {"major", "minor", "patch"};
	char *copy = arena_strdup(arena, text), *dot = strchr(copy, '.');
	char *second = dot ? strchr(dot + 1, '.') : NULL;
	ret->pre = "";
	if (!*text)
		return "Version string empty";
	if (!second)
		return "No Major.Minor.Patch elements found";
	*dot = *second = 0;
	char *parts[] = {copy, dot + 1, second + 1}, *build = strchr(second + 1, '+');
	if (build)
		*build++ = 0;
	char *pre = strchr(parts[2], '-');
	if (pre)
		*pre++ = 0;
	for (size_t i = 0; i < 3; i++) {
		const char *problem = read_number(arena, parts[i], names[i], &ret->parts[i]);
		if (problem)
			return problem;
	}
	const char *problem = pre ? identifiers_problem(arena, pre, true) : NULL;
	if (!problem && build)
		problem = identifiers_problem(arena, build, false);
	ret->pre = pre ? pre : "";
	return problem;
}

static const char *without_zeroes(struct arena *arena, const char *part)
{
	const char *p = part;
	if (strlen(part) < 2)
		return part;
	while (*p == '0')
		p++;
	return isdigit((unsigned char)*p) ? p : arena_printf(arena, "0%s", p);
}

/* "v1.2" is 1.2.0, and leading zeroes do not count. */
static const char *normalize(struct arena *arena, const char *text, const char **ret)
{
	const char *parts[3];
	size_t n = 0;
	text += *text == 'v';
	for (const char *p = text; p && n < 3; n++) {
		const char *dot = n < 2 ? strchr(p, '.') : NULL;
		parts[n] = without_zeroes(arena, dot ? arena_strndup(arena, p, (size_t)(dot - p)) : p);
		p = dot ? dot + 1 : NULL;
	}
	if (n < 3 && strpbrk(parts[n - 1], "+-"))
		return "short version cannot contain PreRelease/Build meta data";
	while (n < 3)
		parts[n++] = "0";
	*ret = arena_printf(arena, "%s.%s.%s", parts[0], parts[1], parts[2]);
	return NULL;
}

static const char *parse_version(struct cel_call *call, struct version *ret)
{
	const char *text = text_of(call);
	if (call->n_args > 1 && call->args[1].boolean) {
		const char *problem = normalize(call->arena, text, &text);
		if (problem)
			return problem;
	}
	return read_version(call->arena, text, ret);
}

static struct cel_value to_semver(struct cel_call *call)
{
	struct version v;
	const char *problem = parse_version(call, &v);
	if (problem)
		return cel_error(call->arena, "%s", problem);
	struct cel_opaque *o = ARENA_NEW(call->arena, struct cel_opaque);
	o->type = &cel_semver;
	o->data = arena_dup(call->arena, &v, sizeof(v));
	/* What is behind a plus has no part in comparisons. */
	o->value = cel_text_of(arena_printf(call->arena, "%llu.%llu.%llu-%s", (unsigned long long)v.parts[0],
		(unsigned long long)v.parts[1], (unsigned long long)v.parts[2], v.pre));
	return (struct cel_value){.kind = CEL_OBJECT, .opaque = o};
}

static struct cel_value is_semver(struct cel_call *call)
{
	struct version v;
	return CEL_BOOL_VALUE(!parse_version(call, &v));
}

static const struct version *version_arg(struct cel_call *call, size_t i)
{
	return call->args[i].opaque->data;
}

static int compare_identifiers(const char *a, const char *b)
{
	uint64_t x, y;
	bool a_number = str_to_uint64(a, UINT64_MAX, &x), b_number = str_to_uint64(b, UINT64_MAX, &y);
	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number)
		return x < y ? -1 : x > y;
	int i = strcmp(a, b);
	return i < 0 ? -1 : i > 0;
}

static int compare_versions(struct cel_call *call)
{
	const struct version *a = version_arg(call, 0), *b = version_arg(call, 1);
	char **x, **y;
	for (size_t i = 0; i < 3; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	/* A version comes after what leads to it. */
	if (!*a->pre || !*b->pre)
		return *a->pre ? -1 : *b->pre != 0;
	size_t n = str_split(call->arena, a->pre, '.', &x), m = str_split(call->arena, b->pre, '.', &y);
	for (size_t i = 0; i < n && i < m; i++) {
		int c = compare_identifiers(x[i], y[i]);
		if (c)
			return c;
	}
	return n < m ? -1 : n > m;
}

static struct cel_value semver_greater(struct cel_call *call)
{
	return CEL_BOOL_VALUE(compare_versions(call) > 0);
}

static struct cel_value semver_less(struct cel_call *call)
{
	return CEL_BOOL_VALUE(compare_versions(call) < 0);
}

static struct cel_value semver_order(struct cel_call *call)
{
	return CEL_INT_VALUE(compare_versions(call));
}

static struct cel_value major_of(struct cel_call *call)
{
	return CEL_INT_VALUE((int64_t)version_arg(call, 0)->parts[0]);
}

static struct cel_value minor_of(struct cel_call *call)
{
	return CEL_INT_VALUE((int64_t)version_arg(call, 0)->parts[1]);
}

static struct cel_value patch_of(struct cel_call *call)
{
	return CEL_INT_VALUE((int64_t)version_arg(call, 0)->parts[2]);
}

static const struct cel_overload numbers_rows[] = {
	{"quantity", "string_to_quantity", "(string) -> Quantity", to_quantity},
	{"isQuantity", "is_quantity_string", "(string) -> bool", is_quantity},
	{"sign", "quantity_sign", "(Quantity) -> int", sign},
	{"isGreaterThan", "quantity_is_greater_than", "Quantity.(Quantity) -> bool", quantity_greater},
	{"isLessThan", "quantity_is_less_than", "Quantity.(Quantity) -> bool", quantity_less},
	{"compareTo", "quantity_compare_to", "Quantity.(Quantity) -> int", quantity_order},
	{"asApproximateFloat", "quantity_get_float", "Quantity.() -> double", to_float},
	{"asInteger", "quantity_get_int", "Quantity.() -> int", to_integer},
	{"isInteger", "quantity_is_integer", "Quantity.() -> bool", is_integer},
	{"add", "quantity_add", "Quantity.(Quantity) -> Quantity", add},
	{"add", "quantity_add_int", "Quantity.(int) -> Quantity", add},
	{"sub", "quantity_sub", "Quantity.(Quantity) -> Quantity", sub},
	{"sub", "quantity_sub_int", "Quantity.(int) -> Quantity", sub},
	{"semver", "string_to_semver", "(string) -> Semver", to_semver},
	{"semver", "string_bool_to_semver", "(string, bool) -> Semver", to_semver},
	{"isSemver", "is_semver_string", "(string) -> bool", is_semver},
	{"isSemver", "is_semver_string_bool", "(string, bool) -> bool", is_semver},
	{"isGreaterThan", "semver_is_greater_than", "Semver.(Semver) -> bool", semver_greater},
	{"isLessThan", "semver_is_less_than", "Semver.(Semver) -> bool", semver_less},
	{"compareTo", "semver_compare_to", "Semver.(Semver) -> int", semver_order},
	{"major", "semver_major", "Semver.() -> int", major_of},
	{"minor", "semver_minor", "Semver.() -> int", minor_of},
	{"patch", "semver_patch", "Semver.() -> int", patch_of},
};
const struct cel_library cel_numbers = {numbers_rows, ARRAY_SIZE(numbers_rows), 0};
