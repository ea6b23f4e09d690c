/* JSON to typed objects, straight from the stream. Which JSON fits which field is what the schema's tables say. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "api/go_text.h"
#include "api/internal.h"
#include "api/intstr.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/encode.h"
#include "base/flags.h"

#define MAX_STRICT_ERRORS 100
#define MAX_NAMES 256

/* Where the decoder stands, for messages: a list through the frames of the recursion. */
struct place {
	const struct place *up;
	const char *name; /* NULL: an element */
	size_t size;
	size_t index;
	const struct schema_type *owner; /* of a field */
};

struct decoder {
	struct json_reader r;
	struct arena *arena;
	struct json_strict *strict;
	struct status *status;	       /* the error that ended it and is not one of syntax */
	struct status *wrong;	       /* the first value of a wrong type: told when nothing ends it */
	bool own_reader;	       /* in a value that reads itself: all errors end it */
	const struct place *own_place; /* of that value, beyond which no error tells where it is */
	const struct json_options *options;
	const struct schema_type *named_list; /* the latest type that is a list and has a name of its own */
};

static bool decode_message(struct decoder *d, const struct place *at, void *msg);

static void add_place(struct strbuf *out, const struct place *at, bool with_indexes)
{
	if (!at)
		return;
	add_place(out, at->up, with_indexes);
	if (!with_indexes && !at->owner)
		return; /* fields only, as Go names them */
	if (!at->name) {
		strbuf_printf(out, "[%zu]", at->index);
		return;
	}
	if (out->len)
		strbuf_addc(out, '.');
	strbuf_add(out, at->name, at->size);
}

static void strict_error(struct decoder *d, const char *what, const struct place *up, const char *name, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;
	struct place at = {.up = up, .name = name, .size = size};

	if (!d->strict || d->strict->n_errors >= MAX_STRICT_ERRORS)
		return;
	add_place(&path, &at, true);
	char *error = arena_printf(d->arena, "%s field %s", what, go_quote(d->arena, path.buf));
	if (!str_in_n(error, d->strict->errors, d->strict->n_errors))
		ARENA_PUSH(d->arena, d->strict->errors, d->strict->n_errors) = error;
}

/* One of the numbers that bytes may be told as, beside base64. */
static const struct schema_field octet = {.name = "octet", .kind = SCHEMA_UINT32};

/* What a field is called in Go, for errors that users know: int32, []v1.Container, map[string]string. */
static void add_go_type(struct strbuf *out, const struct schema_field *field, bool element)
{
	static const char *const names[] = {
		"bool", "int32", "int64", "uint32", "uint64", "float32", "float64", "string", "[]uint8"};

	if (field->shape == SCHEMA_MAP) {
		strbuf_adds(out, element ? "" : "map[string]");
		field = schema_map_value(field);
	} else if (field->shape == SCHEMA_LIST && !element) {
		strbuf_adds(out, "[]");
	}
	if (field == &octet)
		strbuf_adds(out, "uint8");
	else if (field->kind != SCHEMA_MESSAGE)
		strbuf_adds(out, names[field->kind]);
	else
		strbuf_printf(out, "%s%s%s", field->type->version, *field->type->version ? "." : "", field->type->kind);
}

static const char *found_name(struct json_reader *r, bool with_number, char *scratch, size_t size)
{
	const char *text;
	size_t text_size;

	switch (json_peek(r)) {
	case JSON_STRING:
		return "string";
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_NUMBER:
		if (!json_read_number(r, &text, &text_size) || !with_number || text_size > size - 8)
			return "number";
		snprintf(scratch, size, "number %.*s", (int)text_size, text);
		return scratch;
	default:
		return "value";
	}
}

static bool fail_status(struct decoder *d, struct status *s)
{
	if (d->status)
		status_drop(s, "the first error is the one that is told");
	else
		d->status = s;
	return false;
}

/* As Go's decoder goes on after a value of a wrong type, for an error that ends it is told rather than this. */
static bool pass_over(struct decoder *d, const char *at, struct status *s)
{
	if (d->own_reader)
		return fail_status(d, s);
	if (d->wrong)
		status_drop(s, "the first error is the one that is told");
	else
		d->wrong = s;
	d->r.at = at;
	return json_skip(&d->r, NULL, NULL);
}

/* The nearest place that is a field's. */
static const struct place *field_place(const struct place *at)
{
	while (at && !at->owner)
		at = at->up;
	return at;
}

/* The value that comes next is of the wrong type. */
static bool wrong_type(struct decoder *d, const struct place *at, const struct schema_field *field, bool element)
{
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf type = STRBUF_INIT;
	char scratch[64];
	const struct schema_field *leaf = field->shape == SCHEMA_MAP && element ? schema_map_value(field) : field;
	bool number = leaf->kind >= SCHEMA_INT32 && leaf->kind <= SCHEMA_DOUBLE;
	json_peek(&d->r);
	const char *start = d->r.at;
	const char *found = found_name(&d->r, number, scratch, sizeof(scratch));
	const struct place *holder = field_place(at);
	const char *named = holder ? go_type_name(d->arena, holder->owner,
					     arena_strndup(d->arena, holder->name, holder->size), element)
				   : NULL;

	/* What a type reads by a reader of its own has its type by its own name, its place by the reader's. */
	if (d->own_reader)
		at = d->own_place;
	const struct place *owner = field_place(at);
	add_place(&path, at, false);
	if (named)
		strbuf_adds(&type, named);
	else if (d->named_list && !element && field == &d->named_list->fields[0])
		strbuf_printf(&type, "%s.%s", d->named_list->version, d->named_list->kind);
	else
		add_go_type(&type, field, element);
	if (!owner)
		return pass_over(d, start,
			status_bad_request("json: cannot unmarshal %s into Go value of type %s", found, type.buf));
	return pass_over(d, start,
		status_bad_request("json: cannot unmarshal %s into Go struct field %s.%s of type %s", found,
			owner->owner->kind, path.buf, type.buf));
}

/* What a value's own reader says of it, which knows no place. */
static bool bad_value(struct decoder *d, const char *what)
{
	return fail_status(d, status_bad_request("%s", what));
}

static bool decode_int(struct decoder *d, const struct place *at, const struct schema_field *field, bool element,
	int64_t min, int64_t max, int64_t *ret_value)
{
	const char *start = d->r.at, *text;
	size_t size;

	if (json_peek(&d->r) != JSON_NUMBER)
		return wrong_type(d, at, field, element);
	start = d->r.at;
	if (!json_read_number(&d->r, &text, &size))
		return false;
	if (json_number_int64(text, size, ret_value) && *ret_value >= min && *ret_value <= max)
		return true;
	d->r.at = start;
	return wrong_type(d, at, field, element);
}

static bool decode_double(
	struct decoder *d, const struct place *at, const struct schema_field *field, bool element, double *ret_value)
{
	const char *start, *text;
	size_t size;

	if (json_peek(&d->r) != JSON_NUMBER)
		return wrong_type(d, at, field, element);
	start = d->r.at;
	if (!json_read_number(&d->r, &text, &size))
		return false;
	if (json_number_double(text, size, ret_value))
		return true;
	d->r.at = start;
	return wrong_type(d, at, field, element);
}

static bool decode_bytes(struct decoder *d, const char *s, size_t size, ProtobufCBinaryData *ret_data)
{
	uint8_t *data;

	if (base64_decode(d->arena, s, size, &data, &ret_data->len)) {
		ret_data->data = data;
		return true;
	}
	const char *what = arena_printf(d->arena, "illegal base64 data at input byte %zu", base64_error_at(s, size));
	if (d->own_reader)
		return bad_value(d, what);
	if (!d->wrong)
		d->wrong = status_bad_request("%s", what);
	return true;
}

/* Bytes as a list of numbers, null being zero. */
static bool decode_octets(struct decoder *d, const struct place *at, ProtobufCBinaryData *ret_data)
{
	struct place element = {.up = at};
	bool first = true;

	if (!json_enter(&d->r))
		return false;
	*ret_data = (ProtobufCBinaryData){.data = arena_zalloc(d->arena, 1)};
	for (; json_next_element(&d->r, &first); element.index++) {
		int64_t value = 0;
		bool null = json_peek(&d->r) == JSON_NULL;
		if (!(null ? json_read_literal(&d->r) : decode_int(d, &element, &octet, true, 0, UINT8_MAX, &value)))
			return false;
		ARENA_PUSH(d->arena, ret_data->data, ret_data->len) = (uint8_t)value;
	}
	return !d->r.error;
}

/* One value that is not null into its place; a message's place holds a pointer, filled when empty. */
static bool decode_value(
	struct decoder *d, const struct place *at, const struct schema_field *field, bool element, void *to)
{
	const struct schema_field *leaf = field->shape == SCHEMA_MAP && element ? schema_map_value(field) : field;
	enum json_type type = json_peek(&d->r);
	int64_t number = 0;
	double real = 0;
	const char *s;
	size_t size;

	if (type == JSON_END)
		return false;
	switch ((enum schema_kind)leaf->kind) {
	case SCHEMA_BOOL:
		if (type != JSON_TRUE && type != JSON_FALSE)
			return wrong_type(d, at, field, element);
		*(protobuf_c_boolean *)to = type == JSON_TRUE;
		return json_read_literal(&d->r);
	case SCHEMA_INT32:
		if (!decode_int(d, at, field, element, INT32_MIN, INT32_MAX, &number))
			return false;
		*(int32_t *)to = (int32_t)number;
		return true;
	case SCHEMA_UINT32:
		if (!decode_int(d, at, field, element, 0, UINT32_MAX, &number))
			return false;
		*(uint32_t *)to = (uint32_t)number;
		return true;
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
		if (!decode_int(d, at, field, element, leaf->kind == SCHEMA_INT64 ? INT64_MIN : 0, INT64_MAX, &number))
			return false;
		*(int64_t *)to = number;
		return true;
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		if (!decode_double(d, at, field, element, &real))
			return false;
		if (leaf->kind == SCHEMA_FLOAT)
			*(float *)to = (float)real;
		else
			*(double *)to = real;
		return true;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		if (leaf->kind == SCHEMA_BYTES && type == JSON_ARRAY)
			return decode_octets(d, at, to);
		if (type != JSON_STRING)
			return wrong_type(d, at, field, element);
		if (!json_read_string(&d->r, &s, &size))
			return false;
		if (leaf->kind == SCHEMA_BYTES)
			return decode_bytes(d, s, size, to);
		*(char **)to = arena_strndup(d->arena, s, size);
		return true;
	case SCHEMA_MESSAGE:
		if (leaf->type->form == SCHEMA_FORM_OBJECT && type != JSON_OBJECT)
			return wrong_type(d, at, field, element);
		if (!*(void **)to)
			*(void **)to = api_new(d->arena, leaf->type);
		return decode_message(d, at, *(void **)to);
	}
	return false;
}

static bool decode_null_element(struct decoder *d, const struct schema_field *field, void *to)
{
	if (field->kind == SCHEMA_STRING)
		*(char **)to = (char *)(uintptr_t)schema_empty_string;
	else if (field->kind == SCHEMA_MESSAGE && !*(void **)to)
		*(void **)to = api_new(d->arena, field->type);
	return json_read_literal(&d->r);
}

static bool decode_list(struct decoder *d, const struct place *at, const struct schema_field *field, void *msg)
{
	size_t *n = field_count(msg, field), element_size = schema_kind_size(field->kind);
	void **items = field_at(msg, field);
	struct place element = {.up = at};
	bool first = true;

	if (json_peek(&d->r) != JSON_ARRAY)
		return wrong_type(d, at, field, false);
	if (!json_enter(&d->r))
		return false;
	*n = 0;
	*items = NULL;
	for (; json_next_element(&d->r, &first); element.index++) {
		void *to = arena_push(d->arena, items, n, element_size);
		memset(to, 0, element_size);
		bool null = json_peek(&d->r) == JSON_NULL;
		if (!(null ? decode_null_element(d, field, to) : decode_value(d, &element, field, true, to)))
			return false;
	}
	if (!*n)
		*items = arena_zalloc(d->arena, element_size); /* empty, but not absent */
	return !d->r.error;
}

struct indexed {
	MapStringEntry *entry;
	size_t position;
};

static int compare_indexed(const void *a, const void *b)
{
	const struct indexed *x = a, *y = b;
	int c = strcmp(x->entry->key, y->entry->key);

	return c ? c : x->position < y->position ? -1 : 1;
}

/* Sorts a map by key and keeps the last of equal keys. */
static void settle_map(struct decoder *d, const struct place *at, MapStringEntry **entries, size_t *n)
{
	size_t sorted = 1, kept = 0;

	while (sorted < *n && strcmp(entries[sorted - 1]->key, entries[sorted]->key) < 0)
		sorted++;
	if (sorted >= *n)
		return;
	struct indexed *all = ARENA_ARRAY(d->arena, struct indexed, *n);
	for (size_t i = 0; i < *n; i++)
		all[i] = (struct indexed){entries[i], i};
	qsort(all, *n, sizeof(*all), compare_indexed);
	for (size_t i = 0; i < *n; i++) {
		const char *key = all[i].entry->key;
		if (i + 1 < *n && !strcmp(key, all[i + 1].entry->key))
			strict_error(d, "duplicate", at, key, strlen(key));
		else
			entries[kept++] = all[i].entry;
	}
	*n = kept;
}

static bool decode_map(struct decoder *d, const struct place *at, const struct schema_field *field, void *msg)
{
	const struct schema_field *value = schema_map_value(field);
	size_t *n = field_count(msg, field), size;
	void **items = field_at(msg, field);
	const char *name;
	bool first = true;

	if (json_peek(&d->r) != JSON_OBJECT)
		return wrong_type(d, at, field, false);
	if (!json_enter(&d->r))
		return false;
	while (json_next_member(&d->r, &first, &name, &size)) {
		MapStringEntry *entry = api_new(d->arena, field->type);
		entry->key = arena_strndup(d->arena, name, size);
		struct place element = {.up = at, .name = entry->key, .size = size};
		void *to = field_at(entry, value);
		bool null = json_peek(&d->r) == JSON_NULL;
		if (!(null ? decode_null_element(d, value, to) : decode_value(d, &element, field, true, to)))
			return false;
		*(void **)arena_push(d->arena, items, n, sizeof(void *)) = entry;
	}
	if (d->r.error)
		return false;
	if (*items)
		settle_map(d, at, *items, n);
	else
		*items = arena_zalloc(d->arena, sizeof(void *));
	return true;
}

static bool decode_null(struct decoder *d, const struct schema_field *field, void *msg)
{
	if (field->shape != SCHEMA_SINGLE) {
		*field_count(msg, field) = 0;
		*(void **)field_at(msg, field) = NULL;
	} else if (field_has_presence_bit(field)) {
		*field_has(msg, field) = false;
	} else if (field->kind == SCHEMA_MESSAGE ||
		   (field->kind == SCHEMA_STRING && field_is(field, SCHEMA_PRESENCE))) {
		if (!field_is(field, SCHEMA_BY_VALUE))
			*(void **)field_at(msg, field) = NULL;
	} else if (field->kind == SCHEMA_BYTES) {
		*(ProtobufCBinaryData *)field_at(msg, field) = (ProtobufCBinaryData){0};
	}
	return json_read_literal(&d->r);
}

static bool decode_field(struct decoder *d, const struct place *at, const struct schema_field *field, void *msg)
{
	if (json_peek(&d->r) == JSON_NULL)
		return decode_null(d, field, msg);
	if (field->shape == SCHEMA_LIST)
		return decode_list(d, at, field, msg);
	if (field->shape == SCHEMA_MAP)
		return decode_map(d, at, field, msg);
	if (field_has_presence_bit(field))
		*field_has(msg, field) = true;
	return decode_value(d, at, field, false, field_at(msg, field));
}

/* The struct in which a name's field stands, inlined structs made on the way. */
static void *owner_of(struct decoder *d, const struct schema_name *name, void *msg)
{
	for (size_t i = 0; i < ARRAY_SIZE(name->via) && name->via[i]; i++) {
		void **child = field_at(msg, name->via[i]);
		if (!*child)
			*child = api_new(d->arena, name->via[i]->type);
		msg = *child;
	}
	return msg;
}

static bool decode_type_member(
	struct decoder *d, const struct place *at, const struct schema_type *type, const char *name, size_t name_size)
{
	static const struct schema_field text = {.kind = SCHEMA_STRING};
	struct place here = {.up = at, .name = name, .size = name_size, .owner = type};
	const char *s = "";
	size_t size = 0;

	if (json_peek(&d->r) == JSON_NULL)
		return json_read_literal(&d->r);
	if (json_peek(&d->r) != JSON_STRING)
		return wrong_type(d, &here, &text, false);
	if (!json_read_string(&d->r, &s, &size))
		return false;
	if (!at && *name == 'k' && d->options->ret_kind)
		*d->options->ret_kind = arena_strndup(d->arena, s, size);
	if (!at && *name == 'a' && d->options->ret_api_version)
		*d->options->ret_api_version = arena_strndup(d->arena, s, size);
	return true;
}

static bool is_type_member(const struct schema_type *type, const char *name, size_t size)
{
	return type->root &&
	       ((size == 4 && !memcmp(name, "kind", 4)) || (size == 10 && !memcmp(name, "apiVersion", 10)));
}

/* Whoever asks which kind a body is reads the names of what says so in any case. The name as it should be, or NULL. */
static const char *type_member(const char *name, size_t size)
{
	if (size == 4 && !strncasecmp(name, "kind", size))
		return "kind";
	return size == 10 && !strncasecmp(name, "apiVersion", size) ? "apiVersion" : NULL;
}

/* The decoder itself knows them in their own case only. */
static bool decode_unknown_member(
	struct decoder *d, const struct place *at, const struct schema_type *type, const char *name, size_t size)
{
	const char *member = at || !type->root ? NULL : type_member(name, size);
	char **to = !member ? NULL : *member == 'k' ? d->options->ret_kind : d->options->ret_api_version;
	const char *s = "";
	if (!to || json_peek(&d->r) != JSON_STRING)
		return json_skip(&d->r, NULL, NULL);
	if (!json_read_string(&d->r, &s, &size))
		return false;
	*to = arena_strndup(d->arena, s, size);
	return true;
}

static bool seen_before(uint64_t *seen, size_t i)
{
	bool before = seen[i / 64] >> i % 64 & 1;

	seen[i / 64] |= 1ull << i % 64;
	return before;
}

static bool decode_object(struct decoder *d, const struct place *at, void *msg)
{
	const struct schema_type *type = schema_of(msg);
	uint64_t seen[MAX_NAMES / 64 + 1] = {0};
	const char *name;
	size_t size;
	bool first = true;

	assert(type->n_names < MAX_NAMES);
	if (!json_enter(&d->r))
		return false;
	while (json_next_member(&d->r, &first, &name, &size)) {
		if (is_type_member(type, name, size)) {
			if (seen_before(seen, *name == 'k' ? MAX_NAMES : MAX_NAMES + 1))
				strict_error(d, "duplicate", at, name, size);
			if (!decode_type_member(d, at, type, name, size))
				return false;
			continue;
		}
		const struct schema_name *found = schema_find_field(type, name, size);
		if (!found) {
			strict_error(d, "unknown", at, name, size);
			if (!decode_unknown_member(d, at, type, name, size))
				return false;
			continue;
		}
		if (seen_before(seen, (size_t)(found - type->names)))
			strict_error(d, "duplicate", at, name, size);
		struct place here = {.up = at, .name = found->json_name, .size = size, .owner = type};
		if (!decode_field(d, &here, found->field, owner_of(d, found, msg)))
			return false;
	}
	return !d->r.error;
}

static bool expect_string(struct decoder *d, const struct place *at, const char **ret_s, size_t *ret_size)
{
	static const struct schema_field text = {.kind = SCHEMA_STRING};
	if (json_peek(&d->r) != JSON_STRING)
		return wrong_type(d, at, &text, false);
	return json_read_string(&d->r, ret_s, ret_size);
}

static bool decode_time(struct decoder *d, const struct place *at, int64_t *seconds, int32_t *nanos, bool micro)
{
	const char *s;
	size_t size;

	if (!expect_string(d, at, &s, &size))
		return false;
	char *problem = time_parse_error(d->arena, s, size, micro);
	if (problem || !time_parse(s, size, seconds, nanos))
		return fail_status(d, status_bad_request("%s", str_or_empty(problem)));
	*nanos = micro ? *nanos / 1000 * 1000 : 0;
	return true;
}

static bool decode_duration(struct decoder *d, const struct place *at, MetaV1Duration *duration)
{
	const char *s;
	size_t size;

	if (!expect_string(d, at, &s, &size))
		return false;
	char *text = arena_strndup(d->arena, s, size);
	if (!duration_parse(text, &duration->duration))
		return bad_value(d, duration_problem(d->arena, text));
	return true;
}

static bool decode_quantity(struct decoder *d, const struct place *at, ResourceQuantity *q)
{
	const char *s;
	size_t size;

	if (json_peek(&d->r) == JSON_NUMBER) {
		if (!json_read_number(&d->r, &s, &size))
			return false;
	} else if (json_peek(&d->r) != JSON_STRING) {
		return bad_value(d, QUANTITY_ERROR);
	} else {
		/* What stands between the quotes: the original undoes no escapes. */
		if (!json_skip(&d->r, &s, &size))
			return false;
		s++;
		size -= 2;
	}
	while (size && (*s == ' ' || *s == '\t' || *s == '\n')) {
		s++;
		size--;
	}
	while (size && (s[size - 1] == ' ' || s[size - 1] == '\t' || s[size - 1] == '\n'))
		size--;
	char *canonical = quantity_canonical(d->arena, s, size);
	if (!canonical)
		return fail_status(d, status_bad_request("%s", quantity_problem(s, size)));
	q->string = canonical;
	return true;
}

static bool decode_intstr(struct decoder *d, const struct place *at, IntstrIntOrString *v)
{
	static const struct schema_field number = {.kind = SCHEMA_INT32};
	const char *s;
	size_t size;
	int64_t value = 0;

	if (json_peek(&d->r) != JSON_STRING) {
		if (!decode_int(d, at, &number, false, INT32_MIN, INT32_MAX, &value))
			return false;
		v->type = INTSTR_INT;
		v->int_val = (int32_t)value;
		return true;
	}
	if (!json_read_string(&d->r, &s, &size))
		return false;
	v->type = INTSTR_STRING;
	v->str_val = arena_strndup(d->arena, s, size);
	return true;
}

/* Any value, kept as the text that it is encoded as. */
static bool decode_raw(struct decoder *d, ProtobufCBinaryData *raw)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *text;
	size_t size;

	if (!json_skip(&d->r, &text, &size))
		return false;
	json_add_squeezed(&out, text, size, true);
	*raw = (ProtobufCBinaryData){out.len, (uint8_t *)arena_strndup(d->arena, out.buf, out.len)};
	return true;
}

/* A schema, or a boolean or list in its place: fields 0 and 1 of the JSONSchemaPropsOr… types. */
static bool decode_schema_or(struct decoder *d, const struct place *at, void *msg)
{
	const struct schema_type *type = schema_of(msg);
	enum json_type found = json_peek(&d->r);

	if (type->form == SCHEMA_FORM_SCHEMA_OR_BOOL) {
		ApiextensionsV1JSONSchemaPropsOrBool *v = msg;
		if (found == JSON_TRUE || found == JSON_FALSE) {
			v->allows = found == JSON_TRUE;
			return json_read_literal(&d->r);
		}
		if (found != JSON_OBJECT)
			return bad_value(d, "boolean or JSON schema expected");
		v->allows = true;
		return decode_value(d, at, schema_field_by_name(type, "schema"), false, &v->schema);
	}
	if (found != JSON_OBJECT && found != JSON_ARRAY)
		return json_skip(&d->r, NULL, NULL);
	const struct schema_field *which = &type->fields[found == JSON_ARRAY];
	return decode_field(d, at, which, msg);
}

static bool decode_form(struct decoder *d, const struct place *at, void *msg)
{
	switch ((enum schema_form)schema_of(msg)->form) {
	case SCHEMA_FORM_OBJECT:
		return decode_object(d, at, msg);
	case SCHEMA_FORM_TIME:
		return decode_time(d, at, &((MetaV1Time *)msg)->seconds, &((MetaV1Time *)msg)->nanos, false);
	case SCHEMA_FORM_MICRO_TIME:
		return decode_time(d, at, &((MetaV1MicroTime *)msg)->seconds, &((MetaV1MicroTime *)msg)->nanos, true);
	case SCHEMA_FORM_DURATION:
		return decode_duration(d, at, msg);
	case SCHEMA_FORM_QUANTITY:
		return decode_quantity(d, at, msg);
	case SCHEMA_FORM_INT_OR_STRING:
		return decode_intstr(d, at, msg);
	case SCHEMA_FORM_RAW:
		return decode_raw(d, form_field(msg, 0));
	case SCHEMA_FORM_LIST:
		d->named_list = schema_of(msg);
		return decode_list(d, at, &schema_of(msg)->fields[0], msg);
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		return decode_schema_or(d, at, msg);
	}
	return false;
}

/* What reads itself is not asked about fields that are unknown or come twice. */
static bool decode_message(struct decoder *d, const struct place *at, void *msg)
{
	enum schema_form form = schema_of(msg)->form;
	if (form == SCHEMA_FORM_OBJECT || form == SCHEMA_FORM_LIST)
		return decode_form(d, at, msg);
	struct json_strict *strict = d->strict;
	bool own_reader = d->own_reader;
	d->strict = NULL;
	if (!own_reader)
		d->own_place = at;
	d->own_reader = true;
	bool good = decode_form(d, at, msg);
	d->strict = strict;
	d->own_reader = own_reader;
	return good;
}

static struct status *check_size(size_t size, const struct json_options *options)
{
	size_t max = options->max_size ? options->max_size : JSON_MAX_SIZE;

	return size > max ? status_new(STATUS_TOO_LARGE, "the text of %zu bytes is larger than the limit of %zu", size,
				    max)
			  : NULL;
}

struct status *json_decode(struct arena *arena, const struct schema_type *type, const char *data, size_t size,
	const struct json_options *options, void *ret_msg)
{
	static const struct json_options lenient = JSON_LENIENT;
	struct schema_field root = {.kind = SCHEMA_MESSAGE, .type = type};
	void *msg = api_new(arena, type);

	options = options ? options : &lenient;
	TRY(check_size(size, options));
	struct decoder d = {.arena = arena, .strict = options->strict, .options = options};
	json_reader_init(&d.r, arena, data, size, options->max_depth ? options->max_depth : JSON_MAX_TYPED_DEPTH);
	d.r.no_place = options->no_place;
	if (options->ret_kind)
		*options->ret_kind = arena_strdup(arena, "");
	if (options->ret_api_version)
		*options->ret_api_version = arena_strdup(arena, "");
	bool good = json_peek(&d.r) == JSON_NULL ? json_read_literal(&d.r) : decode_value(&d, NULL, &root, false, &msg);
	good = good && json_at_end(&d.r);
	struct status *failed = d.status ? d.status : good ? NULL : json_reader_error(&d.r);
	if (failed) {
		status_free(d.wrong);
		return failed;
	}
	if (d.wrong)
		return d.wrong;
	*(void **)ret_msg = msg;
	return NULL;
}

static bool peek_member(struct json_reader *r, struct arena *arena, char **ret_text)
{
	const char *s;
	size_t size;

	if (json_peek(r) != JSON_STRING)
		return json_skip(r, NULL, NULL);
	if (!json_read_string(r, &s, &size))
		return false;
	*ret_text = arena_strndup(arena, s, size);
	return true;
}

/* What Go's json package calls the type of a value. */
static const char *go_name(enum json_type type)
{
	return type == JSON_OBJECT   ? "object"
	       : type == JSON_ARRAY  ? "array"
	       : type == JSON_STRING ? "string"
	       : type == JSON_NUMBER ? "number"
				     : "bool";
}

static bool is_text_or_null(struct json_reader *r)
{
	enum json_type type = json_peek(r);
	return type == JSON_STRING || type == JSON_NULL || type == JSON_END;
}

struct status *json_peek_type(
	struct arena *arena, const char *data, size_t size, char **ret_api_version, char **ret_kind)
{
	struct json_reader r;
	const char *name;
	size_t name_size;
	bool first = true;

	*ret_api_version = arena_strdup(arena, "");
	*ret_kind = arena_strdup(arena, "");
	json_reader_init(&r, arena, data, size, JSON_MAX_DEPTH);
	enum json_type type = json_peek(&r);
	if (type == JSON_NULL)
		return json_read_literal(&r) ? NULL : json_reader_error(&r);
	if (type != JSON_OBJECT)
		return r.error ? json_reader_error(&r)
			       : status_bad_request(
					 "json: cannot unmarshal %s into Go value of type struct { "
					 "APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
					 "\"json:\\\"kind,omitempty\\\"\" }",
					 go_name(type));
	if (!json_enter(&r))
		return json_reader_error(&r);
	while (json_next_member(&r, &first, &name, &name_size)) {
		const char *member = type_member(name, name_size);
		char **to = !member ? NULL : *member == 'k' ? ret_kind : ret_api_version;
		if (to && !is_text_or_null(&r))
			return status_bad_request("json: cannot unmarshal %s into Go struct field .%s of type string",
				go_name(json_peek(&r)), member);
		if (!(to ? peek_member(&r, arena, to) : json_skip(&r, NULL, NULL)))
			break;
		if (**ret_kind && **ret_api_version)
			return NULL;
	}
	return json_reader_error(&r);
}

struct status *json_decode_any(
	struct arena *arena, const char *data, size_t size, const struct json_options *options, void *ret_msg)
{
	char *api_version, *kind;

	TRY(json_peek_type(arena, data, size, &api_version, &kind));
	if (str_empty(kind))
		return status_bad_request("Object 'Kind' is missing");
	if (str_empty(api_version))
		return status_bad_request("Object 'apiVersion' is missing");
	const struct schema_type *type = schema_find_api_version(api_version, kind);
	if (!type)
		return status_new(
			STATUS_NOT_FOUND, "no kind \"%s\" is registered for version \"%s\"", kind, api_version);
	return json_decode(arena, type, data, size, options, ret_msg);
}
