/* Typed objects to JSON: Go's rules of what is written and what is left out, over the schema's tables. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/intstr.h"
#include "api/json.h"
#include "api/meta.h"
#include "base/flags.h"
#include "base/mem.h"

struct encoder {
	struct strbuf *out;
	struct arena *arena; /* for texts of times and sorted keys */
	bool html_escape;
	const void *printed; /* JSON as it is written here */
};

static void encode_message(struct encoder *e, const void *msg, const char *api_version, const char *kind);

static void add_text(struct encoder *e, const char *s)
{
	json_add_string(e->out, str_or_empty(s), strlen(str_or_empty(s)), e->html_escape);
}

static void add_base64(struct encoder *e, const ProtobufCBinaryData *data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	strbuf_grow(e->out, data->len / 3 * 4 + 8);
	strbuf_addc(e->out, '"');
	for (size_t i = 0; i < data->len; i += 3) {
		size_t left = data->len - i;
		uint32_t bits = (uint32_t)data->data[i] << 16;
		if (left > 1)
			bits |= (uint32_t)data->data[i + 1] << 8;
		if (left > 2)
			bits |= data->data[i + 2];
		char group[4] = {digits[bits >> 18], digits[bits >> 12 & 63], left > 1 ? digits[bits >> 6 & 63] : '=',
			left > 2 ? digits[bits & 63] : '='};
		strbuf_add(e->out, group, 4);
	}
	strbuf_addc(e->out, '"');
}

static void add_int(struct strbuf *out, int64_t value)
{
	char buf[24], *p = buf + sizeof(buf);
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--p = (char)('0' + magnitude % 10);
		magnitude /= 10;
	} while (magnitude);
	if (value < 0)
		*--p = '-';
	strbuf_add(out, p, (size_t)(buf + sizeof(buf) - p));
}

/* One value of a kind at a place. */
static void encode_value(struct encoder *e, enum schema_kind kind, const void *at)
{
	switch (kind) {
	case SCHEMA_BOOL:
		strbuf_adds(e->out, *(const protobuf_c_boolean *)at ? "true" : "false");
		break;
	case SCHEMA_INT32:
		add_int(e->out, *(const int32_t *)at);
		break;
	case SCHEMA_INT64:
		add_int(e->out, *(const int64_t *)at);
		break;
	case SCHEMA_UINT32:
		add_int(e->out, *(const uint32_t *)at);
		break;
	case SCHEMA_UINT64:
		strbuf_printf(e->out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case SCHEMA_FLOAT:
		json_add_double(e->out, (double)*(const float *)at);
		break;
	case SCHEMA_DOUBLE:
		json_add_double(e->out, *(const double *)at);
		break;
	case SCHEMA_STRING:
		add_text(e, *(char *const *)at);
		break;
	case SCHEMA_BYTES:
		add_base64(e, at);
		break;
	case SCHEMA_MESSAGE:
		if (*(void *const *)at)
			encode_message(e, *(void *const *)at, NULL, NULL);
		else
			strbuf_adds(e->out, "null");
		break;
	}
}

void json_encode_scalar(struct strbuf *out, enum schema_kind kind, const void *at)
{
	struct encoder e = {.out = out, .html_escape = true};

	encode_value(&e, kind, at);
}

static bool is_root_items(const struct schema_type *type, const struct schema_field *field)
{
	return type->root && field->shape == SCHEMA_LIST && type != &MetaV1PartialObjectMetadataList_schema &&
	       (!strcmp(field->json_name, "items") || !strcmp(type->kind, "APIGroupList"));
}

static void encode_list(struct encoder *e, const void *msg, const struct schema_field *field)
{
	size_t n = *field_count(msg, field), size = schema_kind_size(field->kind);
	const char *items = *(char *const *)field_at(msg, field);

	if (!n && !items) {
		strbuf_adds(e->out, "null");
		return;
	}
	/* A root object within another says what it is; the items of a list of its kind do not. */
	const struct schema_type *type = field->kind == SCHEMA_MESSAGE ? field->type : NULL;
	bool says_kind = type && type->root && !is_root_items(schema_of(msg), field);
	strbuf_addc(e->out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(e->out, ',');
		const void *item = says_kind ? ((void *const *)(const void *)items)[i] : NULL;
		if (item)
			encode_message(e, item, type->api_version, type->kind);
		else
			encode_value(e, field->kind, items + i * size);
	}
	strbuf_addc(e->out, ']');
}

static void encode_map(struct encoder *e, const void *msg, const struct schema_field *field)
{
	size_t n = *field_count(msg, field);
	void *const *entries = *(void **const *)field_at(msg, field);
	const struct schema_field *value = schema_map_value(field);

	if (!n && !entries) {
		strbuf_adds(e->out, "null");
		return;
	}
	entries = map_sorted(e->arena, entries, n);
	strbuf_addc(e->out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(e->out, ',');
		add_text(e, map_key(entries[i]));
		strbuf_addc(e->out, ':');
		const void *at = field_at(entries[i], value);
		if (value->kind == SCHEMA_MESSAGE && !*(void *const *)at)
			encode_message(e, value->type->zero, NULL, NULL);
		else
			encode_value(e, value->kind, at);
	}
	strbuf_addc(e->out, '}');
}

static bool is_time(const struct schema_type *type)
{
	return type->form == SCHEMA_FORM_TIME || type->form == SCHEMA_FORM_MICRO_TIME;
}

/* Whether a field is written at all. */
bool json_field_is_written(const void *msg, const struct schema_field *field)
{
	if (field_is(field, SCHEMA_KEEP_EMPTY))
		return true;
	if (field->shape != SCHEMA_SINGLE)
		return *field_count(msg, field) > 0;
	if (field->kind != SCHEMA_MESSAGE)
		return !field_is_zero(msg, field);
	const void *child = *(void *const *)field_at(msg, field);
	if (!field_is(field, SCHEMA_BY_VALUE))
		return child && !(is_time(field->type) && field_is_zero(child, &field->type->fields[0]));
	return !field_is(field, SCHEMA_OMIT_ZERO) || (child && protobuf_c_message_get_packed_size(child) > 0);
}

static void encode_field(
	struct encoder *e, const struct schema_type *type, const void *msg, const struct schema_field *field)
{
	if (field->shape == SCHEMA_LIST && !*field_count(msg, field) && is_root_items(type, field)) {
		strbuf_adds(e->out, "[]");
	} else if (field->shape == SCHEMA_LIST) {
		encode_list(e, msg, field);
	} else if (field->shape == SCHEMA_MAP) {
		encode_map(e, msg, field);
	} else if (field_has_presence_bit(field) && !*field_has(msg, field)) {
		strbuf_adds(e->out, "null");
	} else if (field->kind == SCHEMA_STRING && field_is(field, SCHEMA_PRESENCE) &&
		   !*(char *const *)field_at(msg, field)) {
		strbuf_adds(e->out, "null");
	} else if (field->kind == SCHEMA_BYTES && !((const ProtobufCBinaryData *)field_at(msg, field))->data) {
		strbuf_adds(e->out, "null");
	} else if (field->kind == SCHEMA_MESSAGE && field_is(field, SCHEMA_BY_VALUE) &&
		   !*(void *const *)field_at(msg, field)) {
		encode_message(e, field->type->zero, NULL, NULL);
	} else {
		encode_value(e, field->kind, field_at(msg, field));
	}
}

/* ,"name": */
static void add_name(struct strbuf *out, const struct schema_field *field, bool first)
{
	const size_t size = field->json_size;

	if (out->len + size + 4 >= out->cap)
		strbuf_grow(out, size + 4);
	char *to = out->buf + out->len;
	if (!first)
		*to++ = ',';
	*to++ = '"';
	to = mempcpy(to, field->json_name, size);
	memcpy(to, "\":", 3);
	out->len = (size_t)(to + 2 - out->buf);
}

static void encode_members(struct encoder *e, const void *msg, bool *first)
{
	const struct schema_type *type = schema_of(msg);

	for (const struct schema_look *look = type->looks, *end = look + type->n_fields; look < end; look++) {
		if (!schema_may_be_written(msg, look))
			continue;
		const struct schema_field *field = &type->fields[look->at];
		if (field_is(field, SCHEMA_INLINE)) {
			const void *child = *(void *const *)field_at(msg, field);
			encode_members(e, child ? child : field->type->zero, first);
			continue;
		}
		if (!json_field_is_there(msg, look, field))
			continue;
		add_name(e->out, field, *first);
		*first = false;
		encode_field(e, type, msg, field);
	}
}

static void encode_object(struct encoder *e, const void *msg, const char *api_version, const char *kind)
{
	bool first = true;

	strbuf_addc(e->out, '{');
	if (!str_empty(kind)) {
		strbuf_adds(e->out, "\"kind\":");
		add_text(e, kind);
		first = false;
	}
	if (!str_empty(api_version)) {
		strbuf_adds(e->out, first ? "\"apiVersion\":" : ",\"apiVersion\":");
		add_text(e, api_version);
		first = false;
	}
	encode_members(e, msg, &first);
	strbuf_addc(e->out, '}');
}

static void encode_time(struct encoder *e, int64_t seconds, int32_t nanos, bool micro)
{
	if (!seconds && !nanos) {
		strbuf_adds(e->out, "null");
		return;
	}
	strbuf_addc(e->out, '"');
	strbuf_adds(e->out, micro ? micro_time_format(e->arena, seconds, nanos) : time_format(e->arena, seconds));
	strbuf_addc(e->out, '"');
}

/* Builds for tests read it all the same. */
static void check_printed(const ProtobufCBinaryData *raw)
{
#ifdef KUBEC_FAIL_POINTS
	CLEANUP(strbuf_done) struct strbuf read = STRBUF_INIT;
	assert(json_add_compact(&read, (const char *)raw->data, raw->len, true) && read.len == raw->len &&
		!memcmp(read.buf, raw->data, raw->len));
#endif
}

static void encode_raw(struct encoder *e, const void *msg)
{
	const ProtobufCBinaryData *raw = form_field(msg, 0);

	if (msg == e->printed) {
		check_printed(raw);
		strbuf_add(e->out, raw->data, raw->len);
	} else if (!raw->len || !json_add_compact(e->out, (const char *)raw->data, raw->len, e->html_escape)) {
		strbuf_adds(e->out, "null");
	}
}

static void encode_intstr(struct encoder *e, const IntstrIntOrString *v)
{
	if (v->type == INTSTR_STRING)
		add_text(e, v->str_val);
	else
		add_int(e->out, v->int_val);
}

/* The two-way forms of CRD schemas: the second field's list, or the schema. */
static void encode_schema_or_list(struct encoder *e, const void *msg)
{
	const struct schema_type *type = schema_of(msg);
	const void *schema = *(void *const *)field_at(msg, &type->fields[0]);

	if (*field_count(msg, &type->fields[1]))
		encode_list(e, msg, &type->fields[1]);
	else if (schema)
		encode_message(e, schema, NULL, NULL);
	else
		strbuf_adds(e->out, "null");
}

static void encode_schema_or_bool(struct encoder *e, const ApiextensionsV1JSONSchemaPropsOrBool *v)
{
	if (v->schema)
		encode_message(e, v->schema, NULL, NULL);
	else
		strbuf_adds(e->out, v->allows ? "true" : "false");
}

static void encode_duration(struct encoder *e, int64_t nanos)
{
	char text[40];

	add_text(e, duration_format(nanos, text));
}

static void encode_message(struct encoder *e, const void *msg, const char *api_version, const char *kind)
{
	switch ((enum schema_form)schema_of(msg)->form) {
	case SCHEMA_FORM_OBJECT:
		encode_object(e, msg, api_version, kind);
		break;
	case SCHEMA_FORM_TIME:
		encode_time(e, ((const MetaV1Time *)msg)->seconds, ((const MetaV1Time *)msg)->nanos, false);
		break;
	case SCHEMA_FORM_MICRO_TIME:
		encode_time(e, ((const MetaV1MicroTime *)msg)->seconds, ((const MetaV1MicroTime *)msg)->nanos, true);
		break;
	case SCHEMA_FORM_DURATION:
		encode_duration(e, ((const MetaV1Duration *)msg)->duration);
		break;
	case SCHEMA_FORM_QUANTITY:
		add_text(e, str_or(((const ResourceQuantity *)msg)->string, "0"));
		break;
	case SCHEMA_FORM_INT_OR_STRING:
		encode_intstr(e, msg);
		break;
	case SCHEMA_FORM_RAW:
		encode_raw(e, msg);
		break;
	case SCHEMA_FORM_LIST:
		encode_list(e, msg, &schema_of(msg)->fields[0]);
		break;
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
		encode_schema_or_bool(e, msg);
		break;
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		encode_schema_or_list(e, msg);
		break;
	}
}

void json_encode_printed(struct strbuf *out, const void *msg, const char *api_version, const char *kind, unsigned flags,
	const void *printed)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	CLEANUP(strbuf_done) struct strbuf compact = STRBUF_INIT;
	bool pretty = flags & JSON_PRETTY;
	struct encoder e = {pretty ? &compact : out, arena, !(flags & JSON_NO_HTML_ESCAPE), printed};

	encode_message(&e, msg, flags & JSON_NO_TYPE ? NULL : api_version, flags & JSON_NO_TYPE ? NULL : kind);
	if (pretty)
		json_add_indented(out, compact.buf, compact.len, flags & JSON_INDENT2 ? 2 : 4);
	if (flags & JSON_NEWLINE)
		strbuf_addc(out, '\n');
}

void json_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind, unsigned flags)
{
	json_encode_printed(out, msg, api_version, kind, flags, NULL);
}

void json_encode(struct strbuf *out, const void *msg, unsigned flags)
{
	const struct schema_type *type = schema_of(msg);

	json_encode_as(out, msg, type->api_version, type->root ? type->kind : NULL, flags);
}

char *json_to_string(struct arena *arena, const void *msg, unsigned flags)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	json_encode(&out, msg, flags);
	return arena_strndup(arena, out.buf, out.len);
}
