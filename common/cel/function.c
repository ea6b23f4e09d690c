#include <ctype.h>
#include "cel/function.h"
#include "base/str.h"

/* Operators; the other libraries stand beside what they do. */

static const struct cel_overload operators[] = {
	{"_?_:_", "conditional", "(bool, A, A) -> A"},
	{"_&&_", "logical_and", "(bool, bool) -> bool"},
	{"_||_", "logical_or", "(bool, bool) -> bool"},
	{"!_", "logical_not", "(bool) -> bool"},
	{"@not_strictly_false", "not_strictly_false", "(bool) -> bool"},
	{"_==_", "equals", "(A, A) -> bool"},
	{"_!=_", "not_equals", "(A, A) -> bool"},
	{"_+_", "add_bytes", "(bytes, bytes) -> bytes"},
	{"_+_", "add_double", "(double, double) -> double"},
	{"_+_", "add_duration_duration", "(duration, duration) -> duration"},
	{"_+_", "add_duration_timestamp", "(duration, timestamp) -> timestamp"},
	{"_+_", "add_timestamp_duration", "(timestamp, duration) -> timestamp"},
	{"_+_", "add_int64", "(int, int) -> int"},
	{"_+_", "add_list", "(list(A), list(A)) -> list(A)"},
	{"_+_", "add_string", "(string, string) -> string"},
	{"_+_", "add_uint64", "(uint, uint) -> uint"},
	{"_/_", "divide_double", "(double, double) -> double"},
	{"_/_", "divide_int64", "(int, int) -> int"},
	{"_/_", "divide_uint64", "(uint, uint) -> uint"},
	{"_%_", "modulo_int64", "(int, int) -> int"},
	{"_%_", "modulo_uint64", "(uint, uint) -> uint"},
	{"_*_", "multiply_double", "(double, double) -> double"},
	{"_*_", "multiply_int64", "(int, int) -> int"},
	{"_*_", "multiply_uint64", "(uint, uint) -> uint"},
	{"-_", "negate_double", "(double) -> double"},
	{"-_", "negate_int64", "(int) -> int"},
	{"_-_", "subtract_double", "(double, double) -> double"},
	{"_-_", "subtract_duration_duration", "(duration, duration) -> duration"},
	{"_-_", "subtract_int64", "(int, int) -> int"},
	{"_-_", "subtract_timestamp_duration", "(timestamp, duration) -> timestamp"},
	{"_-_", "subtract_timestamp_timestamp", "(timestamp, timestamp) -> duration"},
	{"_-_", "subtract_uint64", "(uint, uint) -> uint"},
#define COMPARISONS(function, id)                                                                      \
	{function, id "_bool", "(bool, bool) -> bool"}, {function, id "_int64", "(int, int) -> bool"}, \
		{function, id "_int64_double", "(int, double) -> bool"},                               \
		{function, id "_int64_uint64", "(int, uint) -> bool"},                                 \
		{function, id "_uint64", "(uint, uint) -> bool"},                                      \
		{function, id "_uint64_double", "(uint, double) -> bool"},                             \
		{function, id "_uint64_int64", "(uint, int) -> bool"},                                 \
		{function, id "_double", "(double, double) -> bool"},                                  \
		{function, id "_double_int64", "(double, int) -> bool"},                               \
		{function, id "_double_uint64", "(double, uint) -> bool"},                             \
		{function, id "_string", "(string, string) -> bool"},                                  \
		{function, id "_bytes", "(bytes, bytes) -> bool"},                                     \
		{function, id "_timestamp", "(timestamp, timestamp) -> bool"},                         \
	{                                                                                              \
		function, id "_duration", "(duration, duration) -> bool"                               \
	}
	COMPARISONS("_<_", "less"),
	COMPARISONS("_<=_", "less_equals"),
	COMPARISONS("_>_", "greater"),
	COMPARISONS("_>=_", "greater_equals"),
	{"_[_]", "index_list", "(list(A), int) -> A"},
	{"_[_]", "index_map", "(map(A, B), A) -> B"},
	{"@in", "in_list", "(A, list(A)) -> bool"},
	{"@in", "in_map", "(A, map(A, B)) -> bool"},
};

static const struct cel_library cel_operators = {operators, ARRAY_SIZE(operators), 0};

const struct cel_library *const cel_libraries[] = {
	&cel_operators,
	&cel_texts,
	&cel_conversions,
	&cel_times,
	&cel_lists,
	&cel_more_lists,
	&cel_optionals,
	&cel_numbers,
	&cel_addresses,
	&cel_formats,
	&cel_authorizations,
};
const size_t cel_n_libraries = ARRAY_SIZE(cel_libraries);

const struct cel_overload *cel_overload_named(const char *function)
{
	for (size_t l = 0; l < cel_n_libraries; l++)
		for (size_t i = 0; i < cel_libraries[l]->n_rows; i++)
			if (!strcmp(cel_libraries[l]->rows[i].function, function))
				return &cel_libraries[l]->rows[i];
	return NULL;
}

/* Signatures */

static const struct {
	const char *name;
	const struct cel_type *type;
} known[] = {
	{"dyn", &cel_dyn},
	{"bool", &cel_bool},
	{"int", &cel_int},
	{"uint", &cel_uint},
	{"double", &cel_double},
	{"string", &cel_string},
	{"bytes", &cel_bytes},
	{"timestamp", &cel_timestamp},
	{"duration", &cel_duration},
	{"Quantity", &cel_quantity},
	{"URL", &cel_url},
	{"IP", &cel_ip},
	{"CIDR", &cel_cidr},
	{"Semver", &cel_semver},
	{"Format", &cel_format},
	{"Authorizer", &cel_authorizer},
	{"PathCheck", &cel_path_check},
	{"GroupCheck", &cel_group_check},
	{"ResourceCheck", &cel_resource_check},
	{"Decision", &cel_decision},
};

static const struct cel_type letter_type = {CEL_PARAM, "A"};

static const struct cel_type *letter(struct cel_letters *letters, char c)
{
	if (!letters)
		return &letter_type;
	const struct cel_type **found = &letters->found[c - 'A'];
	if (!*found)
		*found = letters->type_of(letters->data);
	return *found;
}

static const struct cel_type *read_type(struct arena *arena, const char **p, struct cel_letters *letters)
{
	const char *name = *p;
	size_t size = 0;
	while (isalpha((unsigned char)name[size]) || name[size] == '_')
		size++;
	*p += size;
	if (size == 1)
		return letter(letters, *name);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == size && !memcmp(known[i].name, name, size))
			return known[i].type;
	(*p)++; /* ( */
	const struct cel_type *first = read_type(arena, p, letters), *second = NULL;
	if (**p == ',') {
		*p += 2;
		second = read_type(arena, p, letters);
	}
	(*p)++; /* ) */
	if (second)
		return cel_type_map(arena, first, second);
	return *name == 'l'   ? cel_type_list(arena, first)
	       : *name == 't' ? cel_type_type(arena, first)
			      : cel_type_optional(arena, first);
}

struct cel_signature cel_signature(struct arena *arena, const char *text, struct cel_letters *letters)
{
	struct cel_signature s = {.is_member = *text != '('};
	const char *p = text;
	if (s.is_member) {
		s.args[s.n_args++] = read_type(arena, &p, letters);
		p++; /* . */
	}
	for (p++; *p != ')'; p += *p == ',' ? 2 : 0)
		s.args[s.n_args++] = read_type(arena, &p, letters);
	p += strlen(") -> ");
	s.result = read_type(arena, &p, letters);
	return s;
}
