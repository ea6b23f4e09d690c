#include <ctype.h>
#include "cel/function.h"
#include "base/str.h"

/* The tables of overloads. Their order is that of the original where it can be seen. */

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

static const struct cel_overload conversions[] = {
	{"size", "size_bytes", "(bytes) -> int"},
	{"size", "bytes_size", "bytes.() -> int"},
	{"size", "size_list", "(list(A)) -> int"},
	{"size", "list_size", "list(A).() -> int"},
	{"size", "size_map", "(map(A, B)) -> int"},
	{"size", "map_size", "map(A, B).() -> int"},
	{"size", "size_string", "(string) -> int"},
	{"size", "string_size", "string.() -> int"},
	{"type", "type", "(A) -> type(A)"},
	{"bool", "bool_to_bool", "(bool) -> bool"},
	{"bool", "string_to_bool", "(string) -> bool"},
	{"bytes", "bytes_to_bytes", "(bytes) -> bytes"},
	{"bytes", "string_to_bytes", "(string) -> bytes"},
	{"double", "double_to_double", "(double) -> double"},
	{"double", "int64_to_double", "(int) -> double"},
	{"double", "string_to_double", "(string) -> double"},
	{"double", "uint64_to_double", "(uint) -> double"},
	{"duration", "duration_to_duration", "(duration) -> duration"},
	{"duration", "int64_to_duration", "(int) -> duration"},
	{"duration", "string_to_duration", "(string) -> duration"},
	{"dyn", "to_dyn", "(A) -> dyn"},
	{"int", "int64_to_int64", "(int) -> int"},
	{"int", "double_to_int64", "(double) -> int"},
	{"int", "duration_to_int64", "(duration) -> int"},
	{"int", "string_to_int64", "(string) -> int"},
	{"int", "timestamp_to_int64", "(timestamp) -> int"},
	{"int", "uint64_to_int64", "(uint) -> int"},
	{"string", "string_to_string", "(string) -> string"},
	{"string", "bool_to_string", "(bool) -> string"},
	{"string", "bytes_to_string", "(bytes) -> string"},
	{"string", "double_to_string", "(double) -> string"},
	{"string", "duration_to_string", "(duration) -> string"},
	{"string", "int64_to_string", "(int) -> string"},
	{"string", "timestamp_to_string", "(timestamp) -> string"},
	{"string", "uint64_to_string", "(uint) -> string"},
	{"timestamp", "timestamp_to_timestamp", "(timestamp) -> timestamp"},
	{"timestamp", "int64_to_timestamp", "(int) -> timestamp"},
	{"timestamp", "string_to_timestamp", "(string) -> timestamp"},
	{"uint", "uint64_to_uint64", "(uint) -> uint"},
	{"uint", "double_to_uint64", "(double) -> uint"},
	{"uint", "int64_to_uint64", "(int) -> uint"},
	{"uint", "string_to_uint64", "(string) -> uint"},
};

static const struct cel_overload texts[] = {
	{"contains", "contains_string", "string.(string) -> bool"},
	{"endsWith", "ends_with_string", "string.(string) -> bool"},
	{"startsWith", "starts_with_string", "string.(string) -> bool"},
	{"matches", "matches", "(string, string) -> bool"},
	{"matches", "matches_string", "string.(string) -> bool"},
	{"charAt", "string_char_at_int", "string.(int) -> string"},
	{"indexOf", "string_index_of_string", "string.(string) -> int"},
	{"indexOf", "string_index_of_string_int", "string.(string, int) -> int"},
	{"lastIndexOf", "string_last_index_of_string", "string.(string) -> int"},
	{"lastIndexOf", "string_last_index_of_string_int", "string.(string, int) -> int"},
	{"lowerAscii", "string_lower_ascii", "string.() -> string"},
	{"replace", "string_replace_string_string", "string.(string, string) -> string"},
	{"replace", "string_replace_string_string_int", "string.(string, string, int) -> string"},
	{"split", "string_split_string", "string.(string) -> list(string)"},
	{"split", "string_split_string_int", "string.(string, int) -> list(string)"},
	{"substring", "string_substring_int", "string.(int) -> string"},
	{"substring", "string_substring_int_int", "string.(int, int) -> string"},
	{"trim", "string_trim", "string.() -> string"},
	{"upperAscii", "string_upper_ascii", "string.() -> string"},
	{"format", "string_format", "string.(list(dyn)) -> string"},
	{"strings.quote", "strings_quote", "(string) -> string"},
	{"join", "list_join", "list(string).() -> string"},
	{"join", "list_join_string", "list(string).(string) -> string"},
	{"find", "string_find_string", "string.(string) -> string"},
	{"findAll", "string_find_all_string", "string.(string) -> list(string)"},
	{"findAll", "string_find_all_string_int", "string.(string, int) -> list(string)"},
};

static const struct cel_overload times[] = {
#define PART(function, id, id_of_zone)                                            \
	{function, "timestamp_to_" id, "timestamp.() -> int"},                    \
	{                                                                         \
		function, "timestamp_to_" id_of_zone, "timestamp.(string) -> int" \
	}
	PART("getFullYear", "year", "year_with_tz"),
	PART("getMonth", "month", "month_with_tz"),
	PART("getDayOfYear", "day_of_year", "day_of_year_with_tz"),
	PART("getDayOfMonth", "day_of_month", "day_of_month_with_tz"),
	PART("getDate", "day_of_month_1_based", "day_of_month_1_based_with_tz"),
	PART("getDayOfWeek", "day_of_week", "day_of_week_with_tz"),
	PART("getHours", "hours", "hours_with_tz"),
	{"getHours", "duration_to_hours", "duration.() -> int"},
	PART("getMinutes", "minutes", "minutes_with_tz"),
	{"getMinutes", "duration_to_minutes", "duration.() -> int"},
	PART("getSeconds", "seconds", "seconds_tz"),
	{"getSeconds", "duration_to_seconds", "duration.() -> int"},
	PART("getMilliseconds", "milliseconds", "milliseconds_with_tz"),
	{"getMilliseconds", "duration_to_milliseconds", "duration.() -> int"},
};

static const struct cel_overload lists[] = {
#define SUMMABLE(name)                                                         \
	{                                                                      \
		"sum", "list_" name "_sum_" name, "list(" name ").() -> " name \
	}
#define COMPARABLE(name)                                                           \
	{"isSorted", "list_" name "_is_sorted_bool", "list(" name ").() -> bool"}, \
		{"max", "list_" name "_max_" name, "list(" name ").() -> " name},  \
	{                                                                          \
		"min", "list_" name "_min_" name, "list(" name ").() -> " name     \
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
	{"indexOf", "list_a_index_of_int", "list(A).(A) -> int"},
	{"lastIndexOf", "list_a_last_index_of_int", "list(A).(A) -> int"},
	{"sets.contains", "list_sets_contains_list", "(list(T), list(T)) -> bool"},
	{"sets.equivalent", "list_sets_equivalent_list", "(list(T), list(T)) -> bool"},
	{"sets.intersects", "list_sets_intersects_list", "(list(T), list(T)) -> bool"},
	{"cel.@mapInsert", "@mapInsert_map_key_value", "(map(K, V), K, V) -> map(K, V)"},
	{"cel.@mapInsert", "@mapInsert_map_map", "(map(K, V), map(K, V)) -> map(K, V)"},
};

static const struct cel_overload more_lists[] = {
	{"slice", "list_slice", "list(T).(int, int) -> list(T)"},
	{"flatten", "list_flatten", "list(list(T)).() -> list(T)"},
	{"flatten", "list_flatten_int", "list(dyn).(int) -> list(dyn)"},
#define SORTABLE(name)                                                                                               \
	{"sort", "list_" name "_sort", "list(" name ").() -> list(" name ")"},                                       \
	{                                                                                                            \
		"@sortByAssociatedKeys", "list_" name "_sortByAssociatedKeys", "list(T).(list(" name ")) -> list(T)" \
	}
	SORTABLE("int"),
	SORTABLE("uint"),
	SORTABLE("double"),
	SORTABLE("bool"),
	SORTABLE("duration"),
	SORTABLE("timestamp"),
	SORTABLE("string"),
	SORTABLE("bytes"),
	{"lists.range", "lists_range", "(int) -> list(int)"},
	{"reverse", "list_reverse", "list(T).() -> list(T)"},
	{"distinct", "list_distinct", "list(T).() -> list(T)"},
};

static const struct cel_overload optionals[] = {
	{"optional.of", "optional_of", "(V) -> optional_type(V)"},
	{"optional.ofNonZeroValue", "optional_ofNonZeroValue", "(V) -> optional_type(V)"},
	{"optional.none", "optional_none", "() -> optional_type(V)"},
	{"value", "optional_value", "optional_type(V).() -> V"},
	{"hasValue", "optional_hasValue", "optional_type(V).() -> bool"},
	{"or", "optional_or_optional", "optional_type(V).(optional_type(V)) -> optional_type(V)"},
	{"orValue", "optional_orValue_value", "optional_type(V).(V) -> V"},
	{"_?._", "select_optional_field", "(dyn, string) -> optional_type(V)"},
	{"_[?_]", "list_optindex_optional_int", "(list(V), int) -> optional_type(V)"},
	{"_[?_]", "optional_list_optindex_optional_int", "(optional_type(list(V)), int) -> optional_type(V)"},
	{"_[?_]", "map_optindex_optional_value", "(map(K, V), K) -> optional_type(V)"},
	{"_[?_]", "optional_map_optindex_optional_value", "(optional_type(map(K, V)), K) -> optional_type(V)"},
	{"_[_]", "optional_list_index_int", "(optional_type(list(V)), int) -> optional_type(V)"},
	{"_[_]", "optional_map_index_value", "(optional_type(map(K, V)), K) -> optional_type(V)"},
	{"last", "list_last", "list(V).() -> optional_type(V)"},
	{"first", "list_first", "list(V).() -> optional_type(V)"},
	{"optional.unwrap", "optional_unwrap", "(list(optional_type(V))) -> list(V)"},
	{"unwrapOpt", "optional_unwrapOpt", "list(optional_type(V)).() -> list(V)"},
};

static const struct cel_overload numbers[] = {
	{"quantity", "string_to_quantity", "(string) -> Quantity"},
	{"isQuantity", "is_quantity_string", "(string) -> bool"},
	{"sign", "quantity_sign", "(Quantity) -> int"},
	{"isGreaterThan", "quantity_is_greater_than", "Quantity.(Quantity) -> bool"},
	{"isLessThan", "quantity_is_less_than", "Quantity.(Quantity) -> bool"},
	{"compareTo", "quantity_compare_to", "Quantity.(Quantity) -> int"},
	{"asApproximateFloat", "quantity_get_float", "Quantity.() -> double"},
	{"asInteger", "quantity_get_int", "Quantity.() -> int"},
	{"isInteger", "quantity_is_integer", "Quantity.() -> bool"},
	{"add", "quantity_add", "Quantity.(Quantity) -> Quantity"},
	{"add", "quantity_add_int", "Quantity.(int) -> Quantity"},
	{"sub", "quantity_sub", "Quantity.(Quantity) -> Quantity"},
	{"sub", "quantity_sub_int", "Quantity.(int) -> Quantity"},
	{"semver", "string_to_semver", "(string) -> Semver"},
	{"semver", "string_bool_to_semver", "(string, bool) -> Semver"},
	{"isSemver", "is_semver_string", "(string) -> bool"},
	{"isSemver", "is_semver_string_bool", "(string, bool) -> bool"},
	{"isGreaterThan", "semver_is_greater_than", "Semver.(Semver) -> bool"},
	{"isLessThan", "semver_is_less_than", "Semver.(Semver) -> bool"},
	{"compareTo", "semver_compare_to", "Semver.(Semver) -> int"},
	{"major", "semver_major", "Semver.() -> int"},
	{"minor", "semver_minor", "Semver.() -> int"},
	{"patch", "semver_patch", "Semver.() -> int"},
};

static const struct cel_overload addresses[] = {
	{"ip", "string_to_ip", "(string) -> IP"},
	{"family", "ip_family", "IP.() -> int"},
	{"ip.isCanonical", "ip_is_canonical", "(string) -> bool"},
	{"isUnspecified", "ip_is_unspecified", "IP.() -> bool"},
	{"isLoopback", "ip_is_loopback", "IP.() -> bool"},
	{"isLinkLocalMulticast", "ip_is_link_local_multicast", "IP.() -> bool"},
	{"isLinkLocalUnicast", "ip_is_link_local_unicast", "IP.() -> bool"},
	{"isGlobalUnicast", "ip_is_global_unicast", "IP.() -> bool"},
	{"isIP", "is_ip", "(string) -> bool"},
	{"string", "ip_to_string", "(IP) -> string"},
	{"cidr", "string_to_cidr", "(string) -> CIDR"},
	{"containsIP", "cidr_contains_ip_string", "CIDR.(string) -> bool"},
	{"containsIP", "cidr_contains_ip_ip", "CIDR.(IP) -> bool"},
	{"containsCIDR", "cidr_contains_cidr_string", "CIDR.(string) -> bool"},
	{"containsCIDR", "cidr_contains_cidr", "CIDR.(CIDR) -> bool"},
	{"ip", "cidr_ip", "CIDR.() -> IP"},
	{"prefixLength", "cidr_prefix_length", "CIDR.() -> int"},
	{"masked", "cidr_masked", "CIDR.() -> CIDR"},
	{"isCIDR", "is_cidr", "(string) -> bool"},
	{"string", "cidr_to_string", "(CIDR) -> string"},
	{"url", "string_to_url", "(string) -> URL"},
	{"getScheme", "url_get_scheme", "URL.() -> string"},
	{"getHost", "url_get_host", "URL.() -> string"},
	{"getHostname", "url_get_hostname", "URL.() -> string"},
	{"getPort", "url_get_port", "URL.() -> string"},
	{"getEscapedPath", "url_get_escaped_path", "URL.() -> string"},
	{"getQuery", "url_get_query", "URL.() -> map(string, list(string))"},
	{"isURL", "is_url_string", "(string) -> bool"},
};

static const struct cel_overload formats[] = {
#define FORMAT(name)                                           \
	{                                                      \
		"format." name, "format." name, "() -> Format" \
	}
	FORMAT("dns1123Label"),
	FORMAT("dns1123Subdomain"),
	FORMAT("dns1035Label"),
	FORMAT("qualifiedName"),
	FORMAT("dns1123LabelPrefix"),
	FORMAT("dns1123SubdomainPrefix"),
	FORMAT("dns1035LabelPrefix"),
	FORMAT("labelValue"),
	FORMAT("uri"),
	FORMAT("uuid"),
	FORMAT("byte"),
	FORMAT("date"),
	FORMAT("datetime"),
	{"validate", "format-validate", "Format.(string) -> optional_type(list(string))"},
	{"format.named", "format-named", "(string) -> optional_type(Format)"},
};

static const struct cel_overload authorizations[] = {
	{"path", "authorizer_path", "Authorizer.(string) -> PathCheck"},
	{"group", "authorizer_group", "Authorizer.(string) -> GroupCheck"},
	{"serviceAccount", "authorizer_serviceaccount", "Authorizer.(string, string) -> Authorizer"},
	{"resource", "groupcheck_resource", "GroupCheck.(string) -> ResourceCheck"},
	{"subresource", "resourcecheck_subresource", "ResourceCheck.(string) -> ResourceCheck"},
	{"namespace", "resourcecheck_namespace", "ResourceCheck.(string) -> ResourceCheck"},
	{"name", "resourcecheck_name", "ResourceCheck.(string) -> ResourceCheck"},
	{"check", "pathcheck_check", "PathCheck.(string) -> Decision"},
	{"check", "resourcecheck_check", "ResourceCheck.(string) -> Decision"},
	{"errored", "decision_errored", "Decision.() -> bool"},
	{"error", "decision_error", "Decision.() -> string"},
	{"allowed", "decision_allowed", "Decision.() -> bool"},
	{"reason", "decision_reason", "Decision.() -> string"},
	{"fieldSelector", "authorizer_fieldselector", "ResourceCheck.(string) -> ResourceCheck"},
	{"labelSelector", "authorizer_labelselector", "ResourceCheck.(string) -> ResourceCheck"},
};

#define LIBRARY(rows, since)                  \
	{                                     \
		rows, ARRAY_SIZE(rows), since \
	}
const struct cel_library cel_libraries[] = {
	LIBRARY(operators, 0),
	LIBRARY(conversions, 0),
	LIBRARY(texts, 0),
	LIBRARY(times, 0),
	LIBRARY(lists, 0),
	LIBRARY(more_lists, 34),
	LIBRARY(optionals, 0),
	LIBRARY(numbers, 0),
	LIBRARY(addresses, 0),
	LIBRARY(formats, 0),
	LIBRARY(authorizations, 0),
};
const size_t cel_n_libraries = ARRAY_SIZE(cel_libraries);

const struct cel_overload *cel_overload_named(const char *function)
{
	for (size_t l = 0; l < cel_n_libraries; l++)
		for (size_t i = 0; i < cel_libraries[l].n_rows; i++)
			if (!strcmp(cel_libraries[l].rows[i].function, function))
				return &cel_libraries[l].rows[i];
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
