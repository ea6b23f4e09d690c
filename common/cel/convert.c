/* Conversions between types, and sizes. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "api/meta.h"
#include "base/flags.h"
#include "base/str.h"
#include "cel/eval.h"

static struct cel_value cannot(struct cel_call *call, const char *to)
{
	return cel_error(call->arena, "type conversion error from '%s' to '%s'", cel_type_name(call->args[0]), to);
}

static const char *text_of(struct cel_call *call)
{
	return arena_strndup(call->arena, call->args[0].text.data, call->args[0].text.size);
}

static struct cel_value same(struct cel_call *call)
{
	return call->args[0];
}

static struct cel_value size(struct cel_call *call)
{
	return CEL_INT_VALUE((int64_t)cel_size(call->args[0]));
}

static struct cel_value type_of(struct cel_call *call)
{
	static const struct cel_type *const types[] = {[CEL_NULL] = &cel_null,
		[CEL_BOOL] = &cel_bool,
		[CEL_INT] = &cel_int,
		[CEL_UINT] = &cel_uint,
		[CEL_DOUBLE] = &cel_double,
		[CEL_STRING] = &cel_string,
		[CEL_BYTES] = &cel_bytes,
		[CEL_TIMESTAMP] = &cel_timestamp,
		[CEL_DURATION] = &cel_duration,
		[CEL_TYPE] = &cel_any_type};
	static const struct cel_type list = {CEL_LIST, "list"}, map = {CEL_MAP, "map"};
	struct cel_value v = call->args[0];
	const struct cel_type *type = v.kind == CEL_LIST			     ? &list
				      : v.kind == CEL_MAP			     ? &map
				      : v.kind == CEL_OBJECT || v.kind == CEL_OPAQUE ? v.opaque->type
										     : types[v.kind];
	return (struct cel_value){.kind = CEL_TYPE, .type = type};
}

static struct cel_value text_to_bool(struct cel_call *call)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", NULL};
	const char *text = text_of(call);
	if (!str_in(text, yes) && !str_in(text, no))
		return cannot(call, "bool");
	return CEL_BOOL_VALUE(str_in(text, yes));
}

static struct cel_value text_to_bytes(struct cel_call *call)
{
	return (struct cel_value){.kind = CEL_BYTES, .text = call->args[0].text};
}

static struct cel_value int_to_double(struct cel_call *call)
{
	return CEL_DOUBLE_VALUE((double)call->args[0].integer);
}

static struct cel_value uint_to_double(struct cel_call *call)
{
	return CEL_DOUBLE_VALUE((double)call->args[0].natural);
}

static struct cel_value text_to_double(struct cel_call *call)
{
	const char *text = text_of(call);
	char *end;
	errno = 0;
	double d = strtod(text, &end);
	if (!*text || *end || strspn(text, " \t\n\r\v\f") || (errno == ERANGE && isinf(d)))
		return cannot(call, "double");
	return CEL_DOUBLE_VALUE(d);
}

static struct cel_value int_to_duration(struct cel_call *call)
{
	return CEL_DURATION_VALUE(call->args[0].integer);
}

static struct cel_value text_to_duration(struct cel_call *call)
{
	int64_t ns;
	return cel_read_duration(text_of(call), &ns) ? CEL_DURATION_VALUE(ns)
						     : cannot(call, "google.protobuf.Duration");
}

static struct cel_value overflow(struct cel_call *call, bool natural)
{
	return cel_error(call->arena, natural ? "unsigned integer overflow" : "integer overflow");
}

static struct cel_value double_to_int(struct cel_call *call)
{
	double d = call->args[0].number;
	return d > -0x1p63 && d < 0x1p63 ? CEL_INT_VALUE((int64_t)d) : overflow(call, false);
}

static struct cel_value duration_to_int(struct cel_call *call)
{
	return CEL_INT_VALUE(call->args[0].integer);
}

static struct cel_value timestamp_to_int(struct cel_call *call)
{
	return CEL_INT_VALUE(call->args[0].time.seconds);
}

static struct cel_value uint_to_int(struct cel_call *call)
{
	uint64_t u = call->args[0].natural;
	return u <= INT64_MAX ? CEL_INT_VALUE((int64_t)u) : overflow(call, false);
}

static struct cel_value text_to_int(struct cel_call *call)
{
	int64_t i;
	return str_to_int64(text_of(call), INT64_MIN, INT64_MAX, &i) ? CEL_INT_VALUE(i) : cannot(call, "int");
}

static struct cel_value double_to_uint(struct cel_call *call)
{
	double d = call->args[0].number;
	return d >= 0 && d < 0x1p64 ? CEL_UINT_VALUE((uint64_t)d) : overflow(call, true);
}

static struct cel_value int_to_uint(struct cel_call *call)
{
	int64_t i = call->args[0].integer;
	return i >= 0 ? CEL_UINT_VALUE((uint64_t)i) : overflow(call, true);
}

static struct cel_value text_to_uint(struct cel_call *call)
{
	uint64_t u;
	return str_to_uint64(text_of(call), UINT64_MAX, &u) ? CEL_UINT_VALUE(u) : cannot(call, "uint");
}

static struct cel_value int_to_timestamp(struct cel_call *call)
{
	int64_t seconds = call->args[0].integer;
	if (!time_is_valid(seconds))
		return cel_error(call->arena, "timestamp overflow");
	return (struct cel_value){.kind = CEL_TIMESTAMP, .time = {.seconds = seconds}};
}

static struct cel_value text_to_timestamp(struct cel_call *call)
{
	return cel_read_timestamp(call->arena, call->args[0].text);
}

/* Texts of values */

static struct cel_value bool_to_text(struct cel_call *call)
{
	return cel_text_of(call->args[0].boolean ? "true" : "false");
}

static struct cel_value int_to_text(struct cel_call *call)
{
	return cel_text_of(arena_printf(call->arena, "%lld", (long long)call->args[0].integer));
}

static struct cel_value uint_to_text(struct cel_call *call)
{
	return cel_text_of(arena_printf(call->arena, "%llu", (unsigned long long)call->args[0].natural));
}

static struct cel_value double_to_text(struct cel_call *call)
{
	return cel_text_of(cel_double_text(call->arena, call->args[0].number));
}

static bool is_utf8(struct cel_text text)
{
	for (const char *p = text.data, *end = p + text.size; p < end;) {
		size_t n = cel_point_size(p, end);
		if (n == 1 && (unsigned char)*p >= 128)
			return false;
		p += n;
	}
	return true;
}

static struct cel_value bytes_to_text(struct cel_call *call)
{
	if (!is_utf8(call->args[0].text))
		return cel_error(call->arena, "invalid UTF-8 in bytes, cannot convert to string");
	return CEL_TEXT_VALUE(call->args[0].text.data, call->args[0].text.size);
}

static struct cel_value duration_to_text(struct cel_call *call)
{
	return cel_text_of(cel_duration_text(call->arena, call->args[0].integer));
}

static struct cel_value timestamp_to_text(struct cel_call *call)
{
	return cel_text_of(cel_timestamp_text(call->arena, call->args[0].time));
}

static const struct cel_overload conversions_rows[] = {
	{"size", "size_bytes", "(bytes) -> int", size},
	{"size", "bytes_size", "bytes.() -> int", size},
	{"size", "size_list", "(list(A)) -> int", size},
	{"size", "list_size", "list(A).() -> int", size},
	{"size", "size_map", "(map(A, B)) -> int", size},
	{"size", "map_size", "map(A, B).() -> int", size},
	{"size", "size_string", "(string) -> int", size},
	{"size", "string_size", "string.() -> int", size},
	{"type", "type", "(A) -> type(A)", type_of},
	{"bool", "bool_to_bool", "(bool) -> bool", same},
	{"bool", "string_to_bool", "(string) -> bool", text_to_bool},
	{"bytes", "bytes_to_bytes", "(bytes) -> bytes", same},
	{"bytes", "string_to_bytes", "(string) -> bytes", text_to_bytes},
	{"double", "double_to_double", "(double) -> double", same},
	{"double", "int64_to_double", "(int) -> double", int_to_double},
	{"double", "string_to_double", "(string) -> double", text_to_double},
	{"double", "uint64_to_double", "(uint) -> double", uint_to_double},
	{"duration", "duration_to_duration", "(duration) -> duration", same},
	{"duration", "int64_to_duration", "(int) -> duration", int_to_duration},
	{"duration", "string_to_duration", "(string) -> duration", text_to_duration},
	{"dyn", "to_dyn", "(A) -> dyn", same},
	{"int", "int64_to_int64", "(int) -> int", same},
	{"int", "double_to_int64", "(double) -> int", double_to_int},
	{"int", "duration_to_int64", "(duration) -> int", duration_to_int},
	{"int", "string_to_int64", "(string) -> int", text_to_int},
	{"int", "timestamp_to_int64", "(timestamp) -> int", timestamp_to_int},
	{"int", "uint64_to_int64", "(uint) -> int", uint_to_int},
	{"string", "string_to_string", "(string) -> string", same},
	{"string", "bool_to_string", "(bool) -> string", bool_to_text},
	{"string", "bytes_to_string", "(bytes) -> string", bytes_to_text},
	{"string", "double_to_string", "(double) -> string", double_to_text},
	{"string", "duration_to_string", "(duration) -> string", duration_to_text},
	{"string", "int64_to_string", "(int) -> string", int_to_text},
	{"string", "timestamp_to_string", "(timestamp) -> string", timestamp_to_text},
	{"string", "uint64_to_string", "(uint) -> string", uint_to_text},
	{"timestamp", "timestamp_to_timestamp", "(timestamp) -> timestamp", same},
	{"timestamp", "int64_to_timestamp", "(int) -> timestamp", int_to_timestamp},
	{"timestamp", "string_to_timestamp", "(string) -> timestamp", text_to_timestamp},
	{"uint", "uint64_to_uint64", "(uint) -> uint", same},
	{"uint", "double_to_uint64", "(double) -> uint", double_to_uint},
	{"uint", "int64_to_uint64", "(int) -> uint", int_to_uint},
	{"uint", "string_to_uint64", "(string) -> uint", text_to_uint},
};
const struct cel_library cel_conversions = {conversions_rows, ARRAY_SIZE(conversions_rows), 0};
