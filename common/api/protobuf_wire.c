/*
 * The protobuf wire of typed objects over the same descriptors that protobuf-c uses, but in one pass each way: written
 * from the end, so that no length is computed twice, and read with a bound on nesting, without what is unknown.
 */
#include <string.h>
#include "api/internal.h"
#include "api/protobuf.h"
#include "api/types.h"
#include "base/mem.h"

#define MAX_NESTING 100
#define FIRST_BYTES 4096 /* of a writer */

typedef const ProtobufCFieldDescriptor *field_p;

struct writer {
	uint8_t *buf;
	size_t cap, at; /* what is written stands from at to cap */
};

static void grow(struct writer *w, size_t size)
{
	size_t used = w->cap - w->at, cap = w->cap ? w->cap * 2 : FIRST_BYTES;
	while (cap < used + size)
		cap *= 2;
	uint8_t *buf = mem_alloc(cap);
	if (used)
		memcpy(buf + cap - used, w->buf + w->at, used);
	free(w->buf);
	*w = (struct writer){buf, cap, cap - used};
}

static inline void put_bytes(struct writer *w, const void *data, size_t size)
{
	if (w->at < size)
		grow(w, size);
	w->at -= size;
	if (size)
		memcpy(w->buf + w->at, data, size);
}

static inline void put_varint(struct writer *w, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	if (value < 0x80 && w->at) {
		w->buf[--w->at] = (uint8_t)value;
		return;
	}
	do {
		bytes[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	} while (value);
	bytes[n - 1] &= 0x7f;
	put_bytes(w, bytes, n);
}

static void put_tag(struct writer *w, field_p f, unsigned wire_type)
{
	put_varint(w, (uint64_t)f->id << 3 | wire_type);
}

static void put_message(struct writer *w, const ProtobufCMessage *msg);

/* One value with its tag. */
static void put_value(struct writer *w, field_p f, const void *at)
{
	const ProtobufCBinaryData *data = at;
	size_t end;

	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL:
		put_varint(w, *(const protobuf_c_boolean *)at != 0);
		put_tag(w, f, 0);
		break;
	case PROTOBUF_C_TYPE_INT32:
		put_varint(w, (uint64_t)(int64_t) * (const int32_t *)at);
		put_tag(w, f, 0);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		put_varint(w, *(const uint32_t *)at);
		put_tag(w, f, 0);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		put_varint(w, *(const uint64_t *)at);
		put_tag(w, f, 0);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		put_bytes(w, at, 4);
		put_tag(w, f, 5);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_bytes(w, at, 8);
		put_tag(w, f, 1);
		break;
	case PROTOBUF_C_TYPE_STRING:
		end = strlen(str_or_empty(*(char *const *)at));
		put_bytes(w, *(char *const *)at, end);
		put_varint(w, end);
		put_tag(w, f, 2);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(w, data->data, data->len);
		put_varint(w, data->len);
		put_tag(w, f, 2);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		end = w->cap - w->at;
		if (*(void *const *)at)
			put_message(w, *(void *const *)at);
		put_varint(w, w->cap - w->at - end);
		put_tag(w, f, 2);
		break;
	default:
		break;
	}
}

static size_t value_size(field_p f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_BOOL:
		return 4;
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 8;
	}
}

/* Whether a single field holds something that the wire must carry. */
static bool is_set(const ProtobufCMessage *msg, field_p f, const void *at)
{
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)at;
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type == PROTOBUF_C_TYPE_STRING)
		return *(char *const *)at;
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL)
		return *(const protobuf_c_boolean *)(const void *)((const char *)msg + f->quantifier_offset);
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return !str_empty(*(char *const *)at);
	case PROTOBUF_C_TYPE_FLOAT:
		return *(const float *)at != 0;
	case PROTOBUF_C_TYPE_DOUBLE:
		return *(const double *)at != 0;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)at)->data; /* empty is not absent */
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)at;
	default:
		return *(const uint32_t *)at;
	}
}

static void put_message(struct writer *w, const ProtobufCMessage *msg)
{
	const ProtobufCMessageDescriptor *d = msg->descriptor;

	for (unsigned i = d->n_fields; i > 0; i--) {
		field_p f = &d->fields[i - 1];
		const char *at = (const char *)msg + f->offset;
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			if (is_set(msg, f, at))
				put_value(w, f, at);
			continue;
		}
		size_t n = *(const size_t *)(const void *)((const char *)msg + f->quantifier_offset),
		       size = value_size(f);
		const char *items = *(char *const *)(const void *)at;
		for (size_t j = n; j > 0; j--)
			put_value(w, f, items + (j - 1) * size);
	}
}

void protobuf_pack(struct strbuf *out, const void *msg)
{
	struct writer w = {0};

	put_message(&w, msg);
	strbuf_add(out, w.buf ? w.buf + w.at : NULL, w.cap - w.at);
	free(w.buf);
}

struct reader {
	struct arena *arena;
	const char *error;
	int depth;
};

static bool fail(struct reader *r, const char *error)
{
	r->error = error;
	return false;
}

static bool get_varint(struct reader *r, const uint8_t **p, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*p < end && !(**p & 0x80)) {
		*ret_value = *(*p)++;
		return true;
	}
	for (int shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t b = *(*p)++;
		value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return fail(r, *p < end ? "a number overflows" : "it ends too early");
}

static bool get_length(
	struct reader *r, const uint8_t **p, const uint8_t *end, const uint8_t **ret_data, size_t *ret_size)
{
	uint64_t size;

	if (!get_varint(r, p, end, &size))
		return false;
	if (size > (size_t)(end - *p))
		return fail(r, "it ends too early");
	*ret_data = *p;
	*ret_size = (size_t)size;
	*p += size;
	return true;
}

static bool get_message(struct reader *r, ProtobufCMessage *msg, const uint8_t *p, const uint8_t *end);

static bool get_fixed(struct reader *r, const uint8_t **p, const uint8_t *end, size_t size, void *to)
{
	if ((size_t)(end - *p) < size)
		return fail(r, "it ends too early");
	memcpy(to, *p, size);
	*p += size;
	return true;
}

static unsigned wire_type_of(field_p f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_DOUBLE:
		return 1;
	case PROTOBUF_C_TYPE_FLOAT:
		return 5;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 2;
	default:
		return 0;
	}
}

static bool get_number(struct reader *r, field_p f, const uint8_t **p, const uint8_t *end, void *to)
{
	uint64_t value;

	if (f->type == PROTOBUF_C_TYPE_FLOAT || f->type == PROTOBUF_C_TYPE_DOUBLE)
		return get_fixed(r, p, end, value_size(f), to);
	if (!get_varint(r, p, end, &value))
		return false;
	if (f->type == PROTOBUF_C_TYPE_BOOL)
		*(protobuf_c_boolean *)to = value != 0;
	else if (value_size(f) == 4)
		*(uint32_t *)to = (uint32_t)value;
	else
		*(uint64_t *)to = value;
	return true;
}

_Static_assert(offsetof(MetaV1Time, seconds) == offsetof(MetaV1MicroTime, seconds) &&
		       offsetof(MetaV1Time, nanos) == offsetof(MetaV1MicroTime, nanos),
	"one is read as the other");

static bool is_time(field_p f)
{
	return f->label != PROTOBUF_C_LABEL_REPEATED && (f->descriptor == (const void *)&MetaV1Time_schema ||
								f->descriptor == (const void *)&MetaV1MicroTime_schema);
}

static bool get_block(struct reader *r, field_p f, const uint8_t **p, const uint8_t *end, void *to)
{
	const uint8_t *data;
	size_t size;

	if (!get_length(r, p, end, &data, &size))
		return false;
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		*(char **)to = size ? arena_strndup(r->arena, (const char *)data, size)
				    : (char *)(uintptr_t)schema_empty_string;
		return true;
	}
	if (f->type == PROTOBUF_C_TYPE_BYTES) {
		*(ProtobufCBinaryData *)to = (ProtobufCBinaryData){size, arena_dup(r->arena, data, size)};
		return true;
	}
	if (!size && is_time(f))
		return true;
	if (!*(void **)to)
		*(void **)to = api_new(r->arena, f->descriptor);
	if (!get_message(r, *(void **)to, data, data + size))
		return false;
	/* Go writes its zero time as a message without content, and reads it so; here it is no time. */
	if (is_time(f)) {
		const MetaV1Time *time = *(void **)to;
		if (!time->seconds && !time->nanos)
			*(void **)to = NULL;
	}
	return true;
}

static bool get_value(struct reader *r, field_p f, const uint8_t **p, const uint8_t *end, void *to)
{
	return wire_type_of(f) == 2 ? get_block(r, f, p, end, to) : get_number(r, f, p, end, to);
}

/* A new element at the end of a list. */
static void *push(struct reader *r, ProtobufCMessage *msg, field_p f)
{
	void *to = arena_push(r->arena, (void **)(void *)((char *)msg + f->offset),
		(size_t *)(void *)((char *)msg + f->quantifier_offset), value_size(f));

	memset(to, 0, value_size(f));
	return to;
}

/* Numbers one after the other in one block. */
static bool get_packed(struct reader *r, ProtobufCMessage *msg, field_p f, const uint8_t **p, const uint8_t *end)
{
	const uint8_t *data;
	size_t size;

	if (!get_length(r, p, end, &data, &size))
		return false;
	for (const uint8_t *stop = data + size; data < stop;)
		if (!get_number(r, f, &data, stop, push(r, msg, f)))
			return false;
	return true;
}

static bool skip_field(struct reader *r, unsigned wire_type, const uint8_t **p, const uint8_t *end)
{
	const uint8_t *data;
	uint64_t value;
	size_t size;

	switch (wire_type) {
	case 0:
		return get_varint(r, p, end, &value);
	case 1:
		return get_fixed(r, p, end, 8, &value);
	case 2:
		return get_length(r, p, end, &data, &size);
	case 5:
		return get_fixed(r, p, end, 4, &value);
	default:
		return fail(r, "a field has an illegal wire type");
	}
}

static bool get_field(
	struct reader *r, ProtobufCMessage *msg, field_p f, unsigned wire_type, const uint8_t **p, const uint8_t *end)
{
	void *to = (char *)msg + f->offset;

	if (wire_type != wire_type_of(f)) {
		if (f->label == PROTOBUF_C_LABEL_REPEATED && wire_type == 2)
			return get_packed(r, msg, f, p, end);
		return fail(r, "a field has the wrong wire type");
	}
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		to = push(r, msg, f);
	else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_MESSAGE &&
		 f->type != PROTOBUF_C_TYPE_STRING)
		*(protobuf_c_boolean *)(void *)((char *)msg + f->quantifier_offset) = true;
	return get_value(r, f, p, end, to);
}

/* Fields mostly come in order, so the one after the last is looked at first. */
static field_p find_field(const ProtobufCMessageDescriptor *d, uint32_t number, unsigned *hint)
{
	for (unsigned i = *hint; i < d->n_fields && i < *hint + 3; i++) {
		if (d->fields[i].id == number) {
			*hint = i;
			return &d->fields[i];
		}
	}
	field_p f = protobuf_c_message_descriptor_get_field(d, number);
	if (f)
		*hint = (unsigned)(f - d->fields);
	return f;
}

static bool get_message(struct reader *r, ProtobufCMessage *msg, const uint8_t *p, const uint8_t *end)
{
	const struct schema_type *type = schema_of(msg);
	unsigned hint = 0;
	uint64_t tag;

	if (++r->depth > MAX_NESTING)
		return fail(r, "it nests too deep");
	while (p < end) {
		if (!get_varint(r, &p, end, &tag))
			return false;
		if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
			return fail(r, "a field has an illegal number");
		field_p f = find_field(&type->base, (uint32_t)(tag >> 3), &hint);
		bool good = f ? get_field(r, msg, f, tag & 7, &p, end) : skip_field(r, tag & 7, &p, end);
		if (!good)
			return false;
	}
	/* An entry whose value is empty may leave it out. */
	if (type->map_entry && type->fields[1].kind == SCHEMA_MESSAGE && !*(void **)field_at(msg, &type->fields[1]))
		*(void **)field_at(msg, &type->fields[1]) = api_new(r->arena, type->fields[1].type);
	/* A named list that is there is not absent, even without elements. */
	if (type->form == SCHEMA_FORM_LIST && !*(void **)field_at(msg, &type->fields[0]))
		*(void **)field_at(msg, &type->fields[0]) = arena_zalloc(r->arena, sizeof(void *));
	r->depth--;
	return true;
}

struct status *protobuf_unpack(
	struct arena *arena, const struct schema_type *type, const void *data, size_t size, void *ret_msg)
{
	struct reader r = {.arena = arena};
	void *msg = api_new(arena, type);

	if (!get_message(&r, msg, data, (const uint8_t *)data + size))
		return status_bad_request("%s: the protobuf message is broken: %s", type->kind, r.error);
	*(void **)ret_msg = msg;
	return NULL;
}
