#include "api/copy.h"

#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/meta.h"
#include "api/json.h"
#include "api/quantity.h"
#include "api/types.h"
#include "base/encode.h"

static void copy_value(struct arena *arena, enum schema_kind kind, void *to, const void *from)
{
	switch (kind) {
	case SCHEMA_STRING:
		*(char **)to = **(char *const *)from ? arena_strdup(arena, *(char *const *)from)
						     : (char *)(uintptr_t)schema_empty_string;
		break;
	case SCHEMA_BYTES: {
		const ProtobufCBinaryData *data = from;
		((ProtobufCBinaryData *)to)->data = data->data ? arena_dup(arena, data->data, data->len) : NULL;
		break;
	}
	case SCHEMA_MESSAGE:
		*(void **)to = api_copy_msg(arena, *(void *const *)from);
		break;
	default:
		break;
	}
}

static void copy_list(struct arena *arena, const struct schema_field *field, void *to, const void *from)
{
	size_t n = *field_count(from, field), size = schema_kind_size(field->kind);
	const char *items = *(char *const *)field_at(from, field);

	if (!items)
		return;
	/* Room up to the next power of two, on which ARENA_PUSH relies. */
	size_t room = 1;
	while (room < n)
		room *= 2;
	char *copy = arena_alloc(arena, room * size);
	memcpy(copy, items, n * size);
	*(void **)field_at(to, field) = copy;
	/* What points elsewhere is copied in turn; a NULL element stays one. */
	for (size_t i = 0; i < n && field->kind >= SCHEMA_STRING; i++)
		if (field->kind == SCHEMA_BYTES || *(void *const *)(const void *)(items + i * size))
			copy_value(arena, field->kind, copy + i * size, items + i * size);
}

void *api_copy_msg(struct arena *arena, const void *msg)
{
	if (!msg)
		return NULL;
	const struct schema_type *type = schema_of(msg);
	ProtobufCMessage *copy = arena_dup(arena, msg, type->base.sizeof_message);
	copy->n_unknown_fields = 0;
	copy->unknown_fields = NULL;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *field = &type->fields[i];
		const void *from = field_at(msg, field);
		if (field->shape != SCHEMA_SINGLE)
			copy_list(arena, field, copy, msg);
		else if (field->kind == SCHEMA_BYTES || (field->kind > SCHEMA_BYTES && *(void *const *)from) ||
			 (field->kind == SCHEMA_STRING && *(void *const *)from))
			copy_value(arena, field->kind, field_at(copy, field), from);
	}
	return copy;
}

/* What is no number equals itself here: a copy is equal. */
static bool equal_reals(double a, double b)
{
	return a == b || (a != a && b != b);
}

static bool equal_value(enum schema_kind kind, const void *a, const void *b)
{
	switch (kind) {
	case SCHEMA_BOOL:
		return !*(const protobuf_c_boolean *)a == !*(const protobuf_c_boolean *)b;
	case SCHEMA_STRING:
		return str_eq(*(char *const *)a, *(char *const *)b);
	case SCHEMA_BYTES: {
		const ProtobufCBinaryData *x = a, *y = b;
		return x->len == y->len && (!x->len || !memcmp(x->data, y->data, x->len));
	}
	case SCHEMA_MESSAGE:
		return api_equal(*(void *const *)a, *(void *const *)b);
	case SCHEMA_DOUBLE:
		return equal_reals(*(const double *)a, *(const double *)b);
	case SCHEMA_FLOAT:
		return equal_reals((double)*(const float *)a, (double)*(const float *)b);
	default:
		return !memcmp(a, b, schema_kind_size(kind));
	}
}

/* An entry without a value has an empty one. */
static bool equal_entries(const struct schema_field *value, const void *a, const void *b)
{
	const void *x = field_at(a, value), *y = field_at(b, value);

	if (value->kind != SCHEMA_MESSAGE)
		return equal_value(value->kind, x, y);
	const void *p = *(void *const *)x, *q = *(void *const *)y;
	return api_equal(p ? p : value->type->zero, q ? q : value->type->zero);
}

static bool equal_maps(const struct schema_field *field, const void *a, const void *b)
{
	size_t n = *field_count(a, field);
	const struct schema_field *value = schema_map_value(field);
	void *const *x = *(void **const *)field_at(a, field), *const *y = *(void **const *)field_at(b, field);

	for (size_t i = 0, guess = 0; i < n; i++) {
		/* Maps are mostly sorted, so the entry is mostly where the last one was, plus one. */
		size_t tried = 0, at = guess;
		while (tried < n && strcmp(map_key(x[i]), map_key(y[at]))) {
			at = (at + 1) % n;
			tried++;
		}
		if (tried == n || !equal_entries(value, x[i], y[at]))
			return false;
		guess = (at + 1) % n;
	}
	return true;
}

static bool equal_lists(const struct schema_field *field, const void *a, const void *b)
{
	size_t n = *field_count(a, field), size = schema_kind_size(field->kind);
	const char *x = *(char *const *)field_at(a, field), *y = *(char *const *)field_at(b, field);

	for (size_t i = 0; i < n; i++)
		if (!equal_value(field->kind, x + i * size, y + i * size))
			return false;
	return true;
}

static bool equal_fields(const struct schema_field *field, const void *a, const void *b)
{
	if (field->shape != SCHEMA_SINGLE) {
		if (*field_count(a, field) != *field_count(b, field))
			return false;
		return field->shape == SCHEMA_MAP ? equal_maps(field, a, b) : equal_lists(field, a, b);
	}
	if (field_has_presence_bit(field) && !*field_has(a, field) != !*field_has(b, field))
		return false;
	if (field_has_presence_bit(field) && !*field_has(a, field))
		return true;
	const void *x = field_at(a, field), *y = field_at(b, field);
	if (field->kind == SCHEMA_STRING && field_is(field, SCHEMA_PRESENCE) &&
		!*(void *const *)x != !*(void *const *)y)
		return false;
	/* The zero time is as good as none: Go writes it where a time is unset. */
	bool is_time = field->kind == SCHEMA_MESSAGE && field->type->form == SCHEMA_FORM_TIME;
	if (is_time || (field->kind == SCHEMA_MESSAGE && field->flags & (SCHEMA_BY_VALUE | SCHEMA_INLINE))) {
		const void *p = *(void *const *)x, *q = *(void *const *)y;
		return api_equal(p ? p : field->type->zero, q ? q : field->type->zero);
	}
	return equal_value(field->kind, x, y);
}

bool api_equal(const void *a, const void *b)
{
	if (a == b)
		return true;
	if (!a || !b || schema_of(a) != schema_of(b))
		return false;
	const struct schema_type *type = schema_of(a);
	if (type->form == SCHEMA_FORM_QUANTITY)
		return !quantity_msg_compare(a, b);
	for (size_t i = 0; i < type->n_fields; i++)
		if (!equal_fields(&type->fields[i], a, b))
			return false;
	return true;
}

static bool tells_empty(const struct schema_field *field, const void *msg)
{
	const void *at = field_at(msg, field);

	if (field->shape == SCHEMA_SINGLE) {
		const ProtobufCBinaryData *data = at;
		return field->kind == SCHEMA_BYTES
			       ? data->data && !data->len
			       : field->kind == SCHEMA_MESSAGE && api_tells_empty(*(void *const *)at);
	}
	size_t n = *field_count(msg, field);
	void *const *items = *(void *const *const *)at;
	if (items && !n)
		return true;
	for (size_t i = 0; field->kind == SCHEMA_MESSAGE && i < n; i++)
		if (api_tells_empty(items[i]))
			return true;
	return false;
}

bool api_tells_empty(const void *msg)
{
	const struct schema_type *type = msg ? schema_of(msg) : NULL;

	for (size_t i = 0; type && i < type->n_fields; i++)
		if (tells_empty(&type->fields[i], msg))
			return true;
	return false;
}

bool api_is_empty(const void *msg)
{
	return !msg || api_equal(msg, schema_of(msg)->zero);
}

uint32_t api_hash_fnv32a(const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	if (msg)
		json_encode(&text, msg, JSON_NO_TYPE);
	return fnv1a_32(FNV32_INIT, text.buf, text.len);
}
