/*
 * The protobuf wire of typed objects, in one pass each way: written from the end, so that no length is computed twice;
 * read with a bound on nesting, without what is unknown, and with strings that stay where they are in one copy of the
 * bytes.
 */
#include <string.h>
#include "api/go_names.h"
#include "api/internal.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/quantity.h"
#include "api/types.h"
#include "base/map.h"
#include "base/mem.h"

#define MAX_NESTING 100
#define UNEXPECTED_END "unexpected EOF"
#define FIRST_BYTES 8192		   /* of a writer, on the stack */
#define HIGHEST_TAG (0x1fffffffu << 3 | 5) /* 6 and 7 are no wire types */
#define NUMBER_BYTES 10			   /* of a varint at most */
#define FEW_ENTRIES 16			   /* of a map, that are looked through one by one */

typedef const struct schema_wire *wire_p;

static unsigned wire_type_of(wire_p f)
{
	return f->tag & 7;
}

static size_t value_size(wire_p f)
{
	return schema_kind_size((enum schema_kind)f->kind);
}

/* --- writing --- */

struct writer {
	uint8_t *buf, *at, *end; /* what is written stands from at to end */
	uint8_t *heap;		 /* buf, when the first bytes were not enough */
};

#define WRITER(room)                                                       \
	{                                                                  \
		(room), (room) + sizeof(room), (room) + sizeof(room), NULL \
	}

static void grow(struct writer *w, size_t size)
{
	const size_t used = (size_t)(w->end - w->at);
	size_t cap = (size_t)(w->end - w->buf) * 2;
	while (cap < used + size)
		cap *= 2;
	uint8_t *buf = mem_alloc(cap);
	memcpy(buf + cap - used, w->at, used);
	free(w->heap);
	*w = (struct writer){buf, buf + cap - used, buf + cap, buf};
}

static inline void ensure(struct writer *w, size_t size)
{
	if ((size_t)(w->at - w->buf) < size)
		grow(w, size);
}

/* Writes it to end at p; returns where it begins. */
static inline uint8_t *varint_before(uint8_t *p, uint64_t value)
{
	if (value < 0x80) {
		*--p = (uint8_t)value;
		return p;
	}
	uint8_t *begin = p - ((size_t)(63 - __builtin_clzll(value)) + 7) / 7;
	for (p = begin; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p = (uint8_t)value;
	return begin;
}

static inline void put_number(struct writer *w, wire_p f, uint64_t value)
{
	ensure(w, 2 * NUMBER_BYTES);
	w->at = varint_before(varint_before(w->at, value), f->tag);
}

static inline void put_block(struct writer *w, wire_p f, const void *data, size_t size)
{
	ensure(w, size + 2 * NUMBER_BYTES);
	uint8_t *p = w->at - size;
	if (size)
		memcpy(p, data, size);
	w->at = varint_before(varint_before(p, size), f->tag);
}

static void put_bytes(struct writer *w, const void *data, size_t size)
{
	ensure(w, size);
	w->at -= size;
	memcpy(w->at, data, size);
}

static void put_fixed(struct writer *w, wire_p f, const void *data, size_t size)
{
	ensure(w, size + NUMBER_BYTES);
	put_bytes(w, data, size);
	w->at = varint_before(w->at, f->tag);
}

static void put_message(struct writer *w, const void *msg);

/* One value with its tag. */
static void put_value(struct writer *w, wire_p f, const void *at)
{
	const ProtobufCBinaryData *data = at;
	const char *text;
	ptrdiff_t before;

	switch ((enum schema_kind)f->kind) {
	case SCHEMA_MESSAGE:
		before = w->end - w->at;
		if (*(void *const *)at)
			put_message(w, *(void *const *)at);
		put_number(w, f, (uint64_t)(w->end - w->at - before));
		break;
	case SCHEMA_STRING:
		text = str_or_empty(*(char *const *)at);
		put_block(w, f, text, strlen(text));
		break;
	case SCHEMA_BYTES:
		put_block(w, f, data->data, data->len);
		break;
	case SCHEMA_FLOAT:
		put_fixed(w, f, at, sizeof(float));
		break;
	case SCHEMA_DOUBLE:
		put_fixed(w, f, at, sizeof(double));
		break;
	case SCHEMA_BOOL:
		put_number(w, f, *(const protobuf_c_boolean *)at != 0);
		break;
	case SCHEMA_INT32:
		put_number(w, f, (uint64_t)(int64_t) * (const int32_t *)at);
		break;
	case SCHEMA_UINT32:
		put_number(w, f, *(const uint32_t *)at);
		break;
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
		put_number(w, f, *(const uint64_t *)at);
		break;
	}
}

static bool is_not_zero(wire_p f, const void *at)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_FLOAT:
		return *(const float *)at != 0;
	case SCHEMA_DOUBLE:
		return *(const double *)at != 0;
	case SCHEMA_BYTES:
		return ((const ProtobufCBinaryData *)at)->data; /* empty is not absent */
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
		return *(const uint64_t *)at;
	default:
		return *(const uint32_t *)at;
	}
}

static void put_list(struct writer *w, wire_p f, const char *items, size_t n)
{
	const size_t size = value_size(f);

	while (n-- > 0)
		put_value(w, f, items + n * size);
}

static void put_message(struct writer *w, const void *msg)
{
	const struct schema_type *type = schema_of(msg);

	for (wire_p f = type->wire + type->n_fields; f-- > type->wire;) {
		const void *at = (const char *)msg + f->offset, *quantifier = (const char *)msg + f->quantifier_offset;
		bool there = false;
		switch ((enum schema_wire_there)f->there) {
		case SCHEMA_WIRE_POINTER:
			there = *(void *const *)at;
			break;
		case SCHEMA_WIRE_TEXT:
			there = !str_empty(*(char *const *)at);
			break;
		case SCHEMA_WIRE_LIST:
			if (*(const size_t *)quantifier)
				put_list(w, f, *(char *const *)at, *(const size_t *)quantifier);
			break;
		case SCHEMA_WIRE_BIT:
			there = *(const protobuf_c_boolean *)quantifier;
			break;
		case SCHEMA_WIRE_NUMBER:
			there = is_not_zero(f, at);
			break;
		}
		if (there)
			put_value(w, f, at);
	}
}

static void finish(struct writer *w, struct strbuf *out)
{
	strbuf_add(out, w->at, (size_t)(w->end - w->at));
	free(w->heap);
}

void protobuf_pack(struct strbuf *out, const void *msg)
{
	uint8_t room[FIRST_BYTES];
	struct writer w = WRITER(room);

	put_message(&w, msg);
	finish(&w, out);
}

/* contentEncoding and contentType: in the original they are there even when they are empty. */
static const uint8_t envelope_tail[] = {3 << 3 | 2, 0, 4 << 3 | 2, 0};

void protobuf_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind)
{
	static const struct schema_wire raw = {.tag = 2 << 3 | 2};
	RuntimeTypeMeta meta = {.base = {&RuntimeTypeMeta_schema.base, 0, NULL},
		.api_version = (char *)(uintptr_t)api_version,
		.kind = (char *)(uintptr_t)kind};
	RuntimeUnknown head = *(const RuntimeUnknown *)RuntimeUnknown_schema.zero;
	uint8_t room[FIRST_BYTES];
	struct writer w = WRITER(room);

	head.type_meta = &meta;
	put_bytes(&w, envelope_tail, sizeof(envelope_tail));
	put_message(&w, msg);
	put_number(&w, &raw, (uint64_t)(w.end - w.at) - sizeof(envelope_tail));
	put_message(&w, &head);
	put_bytes(&w, PROTOBUF_MAGIC, PROTOBUF_MAGIC_SIZE);
	finish(&w, out);
}

/* --- reading --- */

/*
 * What reads returns where it has come to, or NULL when the bytes are broken. A string ends where the next field's tag
 * begins, or after the last byte of all, so there is room for its NUL once that tag has been read.
 */
struct reader {
	struct arena *arena;
	const char *error;
	uint8_t *unended; /* where the last string's NUL is due; or aside */
	uint8_t aside;
	int depth;
	/* Maps with more than one entry: the first of them, and the others. */
	struct map_at {
		void *msg;
		wire_p field;
	} first_maps[8], *more_maps;
	size_t n_first_maps, n_more_maps;
};

static uint8_t *fail(struct reader *r, const char *error)
{
	r->error = error;
	return NULL;
}

static uint8_t *get_long_varint(struct reader *r, uint8_t *p, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int shift = 0; p < end && shift < 64; shift += 7) {
		uint8_t b = *p++;
		value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret_value = value;
			return p;
		}
	}
	return fail(r, p < end ? "proto: integer overflow" : UNEXPECTED_END);
}

static inline uint8_t *get_varint(struct reader *r, uint8_t *p, const uint8_t *end, uint64_t *ret_value)
{
	if (p < end && *p < 0x80) {
		*ret_value = *p;
		return p + 1;
	}
	return get_long_varint(r, p, end, ret_value);
}

/* Where the block begins; it is all there. */
static inline uint8_t *get_length(struct reader *r, uint8_t *p, const uint8_t *end, size_t *ret_size)
{
	uint64_t size;

	p = get_varint(r, p, end, &size);
	if (!p)
		return NULL;
	if (size > INT64_MAX)
		return fail(r, "proto: negative length found during unmarshaling");
	if (size > (size_t)(end - p))
		return fail(r, UNEXPECTED_END);
	*ret_size = (size_t)size;
	return p;
}

static inline uint8_t *get_tag(struct reader *r, uint8_t *p, const uint8_t *end, uint64_t *ret_tag)
{
	p = get_varint(r, p, end, ret_tag);
	*r->unended = 0;
	r->unended = &r->aside;
	return p;
}

static bool get_message(struct reader *r, const struct schema_type *type, void *msg, uint8_t *p, const uint8_t *end);

static uint8_t *get_fixed(struct reader *r, uint8_t *p, const uint8_t *end, size_t size, void *to)
{
	if ((size_t)(end - p) < size)
		return fail(r, UNEXPECTED_END);
	memcpy(to, p, size);
	return p + size;
}

static uint8_t *get_number(struct reader *r, wire_p f, uint8_t *p, const uint8_t *end, void *to)
{
	uint64_t value;

	if (f->kind == SCHEMA_FLOAT || f->kind == SCHEMA_DOUBLE)
		return get_fixed(r, p, end, value_size(f), to);
	p = get_varint(r, p, end, &value);
	if (!p)
		return NULL;
	if (f->kind == SCHEMA_BOOL)
		*(protobuf_c_boolean *)to = value != 0;
	else if (f->kind == SCHEMA_INT32 || f->kind == SCHEMA_UINT32)
		*(uint32_t *)to = (uint32_t)value;
	else
		*(uint64_t *)to = value;
	return p;
}

_Static_assert(offsetof(MetaV1Time, seconds) == offsetof(MetaV1MicroTime, seconds) &&
		       offsetof(MetaV1Time, nanos) == offsetof(MetaV1MicroTime, nanos),
	"one is read as the other");

static bool is_time(wire_p f)
{
	return f->there != SCHEMA_WIRE_LIST && (f->type == &MetaV1Time_schema || f->type == &MetaV1MicroTime_schema);
}

/* Digits and a suffix, as nearly all are. */
static bool is_plain_quantity(const uint8_t *text, size_t size)
{
	size_t n = 0;

	while (n < size && (unsigned)text[n] - '0' < 10u)
		n++;
	if (!n || n > 18 || size - n > 2)
		return false;
	if (size - n == 2)
		return text[n + 1] == 'i' && memchr("KMGTPE", text[n], 6);
	return n == size || memchr("mkMGTPE", text[n], 7);
}

static bool is_bad_quantity(const uint8_t *text, size_t size)
{
	struct quantity q;
	return size && !is_plain_quantity(text, size) && !quantity_parse_n((const char *)text, size, &q);
}

static inline uint8_t *get_block(struct reader *r, wire_p f, uint8_t *p, const uint8_t *end, void *to)
{
	size_t size;

	p = get_length(r, p, end, &size);
	if (!p)
		return NULL;
	if (f->kind == SCHEMA_STRING) {
		if (f == ResourceQuantity_schema.wire && is_bad_quantity(p, size))
			return fail(r, QUANTITY_ERROR);
		*(char **)to = size ? (char *)p : (char *)(uintptr_t)schema_empty_string;
		if (size)
			r->unended = p + size;
		return p + size;
	}
	if (f->kind == SCHEMA_BYTES) {
		*(ProtobufCBinaryData *)to = (ProtobufCBinaryData){size, p};
		return p + size;
	}
	if (!size && is_time(f))
		return p;
	if (!*(void **)to)
		*(void **)to = api_new(r->arena, f->type);
	if (!get_message(r, f->type, *(void **)to, p, p + size))
		return NULL;
	/* Go writes its zero time as a message without content, and reads it so; here it is no time. */
	if (is_time(f)) {
		const MetaV1Time *time = *(void **)to;
		if (!time->seconds && !time->nanos)
			*(void **)to = NULL;
	}
	return p + size;
}

static inline bool is_block(wire_p f)
{
	return wire_type_of(f) == 2;
}

/* A new element at the end of a list. */
static void *push(struct reader *r, void *msg, wire_p f)
{
	const size_t size = value_size(f);
	void *to = arena_push(r->arena, (void **)(void *)((char *)msg + f->offset),
		(size_t *)(void *)((char *)msg + f->quantifier_offset), size);

	memset(to, 0, size);
	return to;
}

/* How many blocks with this tag stand here one behind the other. */
static size_t count_blocks(wire_p f, uint8_t *p, const uint8_t *end)
{
	struct reader ahead = {0};
	uint64_t tag;
	size_t n = 0, size;

	while ((p = get_varint(&ahead, p, end, &tag)) && tag == f->tag && (p = get_length(&ahead, p, end, &size))) {
		p += size;
		n++;
	}
	return n;
}

static void note_map(struct reader *r, void *msg, wire_p f)
{
	struct map_at *map = r->n_first_maps < ARRAY_SIZE(r->first_maps)
				     ? &r->first_maps[r->n_first_maps++]
				     : &ARENA_PUSH(r->arena, r->more_maps, r->n_more_maps);
	*map = (struct map_at){msg, f};
}

/* A list's first block, whose tag has been read, and those that follow it: room is made once. */
static uint8_t *get_blocks(struct reader *r, void *msg, wire_p f, uint8_t *p, const uint8_t *end)
{
	const size_t size = value_size(f);
	size_t *n = (size_t *)(void *)((char *)msg + f->quantifier_offset), first_size, cap = 1;
	uint8_t *first = get_length(r, p, end, &first_size);
	const size_t more = first ? count_blocks(f, first + first_size, end) : 0;
	uint64_t tag;

	/* Full when it is a power of two, on which ARENA_PUSH relies. */
	while (cap <= more)
		cap *= 2;
	char *items = arena_calloc(r->arena, cap, size);
	*(void **)(void *)((char *)msg + f->offset) = items;
	if (more && f->type && f->type->map_entry)
		note_map(r, msg, f);
	for (size_t i = 0;; i++) {
		*n = i + 1;
		p = get_block(r, f, p, end, items + i * size);
		if (!p || i == more)
			return p;
		p = get_tag(r, p, end, &tag);
	}
}

/* Numbers one after the other in one block. */
static uint8_t *get_packed(struct reader *r, void *msg, wire_p f, uint8_t *p, const uint8_t *end)
{
	size_t size;

	p = get_length(r, p, end, &size);
	for (const uint8_t *stop = p ? p + size : NULL; p && p < stop;)
		p = get_number(r, f, p, stop, push(r, msg, f));
	return p;
}

static uint8_t *skip_field(struct reader *r, unsigned wire_type, uint8_t *p, const uint8_t *end);

static uint8_t *skip_group(struct reader *r, uint8_t *p, const uint8_t *end)
{
	uint64_t tag = 0;

	if (++r->depth > MAX_NESTING)
		return fail(r, "it nests too deep");
	while (p && (p = get_varint(r, p, end, &tag)) && (tag & 7) != 4)
		p = skip_field(r, tag & 7, p, end);
	r->depth--;
	return p;
}

static uint8_t *skip_field(struct reader *r, unsigned wire_type, uint8_t *p, const uint8_t *end)
{
	uint64_t value;
	size_t size;

	switch (wire_type) {
	case 0:
		return get_varint(r, p, end, &value);
	case 1:
		return get_fixed(r, p, end, 8, &value);
	case 2:
		p = get_length(r, p, end, &size);
		return p ? p + size : NULL;
	case 5:
		return get_fixed(r, p, end, 4, &value);
	case 3:
		return skip_group(r, p, end);
	default:
		return fail(r, arena_printf(r->arena, "proto: illegal wireType %u", wire_type));
	}
}

/* The type's name without its package. */
static const char *short_name(const struct schema_type *type)
{
	const char *dot = strrchr(type->name, '.');
	return dot ? dot + 1 : type->name;
}

static uint8_t *fail_type(struct reader *r, const struct schema_type *type, wire_p f, unsigned wire_type)
{
	CLEANUP(strbuf_done) struct strbuf name = STRBUF_INIT;
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].number == f->tag >> 3)
			go_add_field_name(&name, type->fields[i].json_name);
	return fail(r, arena_printf(r->arena, "proto: wrong wireType = %u for field %s", wire_type, name.buf));
}

/* A field whose tag is not known: of another wire type, or not in the schema. */
static uint8_t *get_other(
	struct reader *r, const struct schema_type *type, void *msg, uint64_t tag, uint8_t *p, const uint8_t *end)
{
	if ((tag & 7) == 4)
		return fail(r, arena_printf(r->arena, "proto: %s: wiretype end group for non-group", short_name(type)));
	if ((int32_t)(tag >> 3) <= 0)
		return fail(r, arena_printf(r->arena, "proto: %s: illegal tag %d (wire type %u)", short_name(type),
				       (int32_t)(tag >> 3), (unsigned)(tag & 7)));
	for (wire_p f = type->wire; f < type->wire + type->n_fields; f++) {
		if (f->tag >> 3 != tag >> 3)
			continue;
		if (f->there == SCHEMA_WIRE_LIST && (tag & 7) == 2)
			return get_packed(r, msg, f, p, end);
		return fail_type(r, type, f, (unsigned)(tag & 7));
	}
	return skip_field(r, tag & 7, p, end);
}

static inline uint8_t *get_field(struct reader *r, void *msg, wire_p f, uint8_t *p, const uint8_t *end)
{
	void *to = (char *)msg + f->offset, *quantifier = (char *)msg + f->quantifier_offset;

	if (f->there == SCHEMA_WIRE_LIST) {
		if (is_block(f) && !*(size_t *)quantifier)
			return get_blocks(r, msg, f, p, end);
		to = push(r, msg, f);
		if (*(size_t *)quantifier == 2 && f->type && f->type->map_entry)
			note_map(r, msg, f);
	}
	if (is_block(f))
		return get_block(r, f, p, end, to);
	if (f->there == SCHEMA_WIRE_BIT)
		*(protobuf_c_boolean *)quantifier = true;
	return get_number(r, f, p, end, to);
}

/* The first field whose tag is not below this one. Fields mostly come in order, so the search goes on from the last. */
static inline wire_p find_field(const struct schema_type *type, wire_p last, uint64_t tag)
{
	wire_p f = last->tag > tag ? type->wire : last;

	while (f->tag < tag)
		f++;
	return f;
}

static bool get_message(struct reader *r, const struct schema_type *type, void *msg, uint8_t *p, const uint8_t *end)
{
	wire_p f = type->wire;
	uint64_t tag;

	if (++r->depth > MAX_NESTING)
		return fail(r, "it nests too deep");
	while (p < end) {
		p = get_tag(r, p, end, &tag);
		if (!p)
			return false;
		const bool can_be = tag <= HIGHEST_TAG;
		if (can_be)
			f = find_field(type, f, tag);
		p = can_be && f->tag == tag ? get_field(r, msg, f, p, end) : get_other(r, type, msg, tag, p, end);
		if (!p)
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

static bool has_key(void *const *items, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(map_key(items[i]), key))
			return true;
	return false;
}

/* Of entries with the same key the last one counts. */
static void settle_map(const struct map_at *map)
{
	wire_p f = map->field;
	void **items = *(void ***)(void *)((char *)map->msg + f->offset);
	size_t *n = (size_t *)(void *)((char *)map->msg + f->quantifier_offset), i = 1, to = *n;

	while (i < *n && strcmp(map_key(items[i - 1]), map_key(items[i])) < 0)
		i++;
	if (i == *n)
		return; /* in order: none is there twice */
	CLEANUP(strmap_freep) struct strmap *seen = *n > FEW_ENTRIES ? strmap_new(NULL) : NULL;
	for (i = *n; i-- > 0;) {
		const char *key = map_key(items[i]);
		if (seen ? strmap_put(seen, key, seen) : !has_key(items + to, *n - to, key))
			items[--to] = items[i];
	}
	*n -= to;
	memmove(items, items + to, *n * sizeof(*items));
}

struct status *protobuf_unpack(
	struct arena *arena, const struct schema_type *type, const void *data, size_t size, void *ret_msg)
{
	struct reader r = {.arena = arena};
	void *msg = api_new(arena, type);
	uint8_t *copy = arena_alloc(arena, size + 1);

	if (size)
		memcpy(copy, data, size);
	r.unended = &r.aside;
	if (!get_message(&r, type, msg, copy, copy + size))
		return status_bad_request("%s", r.error);
	*r.unended = 0;
	for (size_t i = 0; i < r.n_first_maps; i++)
		settle_map(&r.first_maps[i]);
	for (size_t i = 0; i < r.n_more_maps; i++)
		settle_map(&r.more_maps[i]);
	*(void **)ret_msg = msg;
	return NULL;
}
