#include "api/protobuf.h"

#include <string.h>
#include "api/types.h"

static void *allocate(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void release(void *arena, void *p)
{
}

ProtobufCAllocator protobuf_arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){allocate, release, arena};
}

bool protobuf_has_magic(const void *data, size_t size)
{
	return size >= PROTOBUF_MAGIC_SIZE && !memcmp(data, PROTOBUF_MAGIC, PROTOBUF_MAGIC_SIZE);
}

void protobuf_encode(struct strbuf *out, const void *msg)
{
	const struct schema_type *type = schema_of(msg);

	protobuf_encode_as(out, msg, str_or_empty(type->api_version), type->kind);
}

static bool read_varint(const uint8_t **p, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t b = *(*p)++;
		value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

bool protobuf_read_field(const uint8_t **p, const uint8_t *end, struct protobuf_field *ret_field)
{
	uint64_t tag, value;
	size_t fixed;

	if (!read_varint(p, end, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return false;
	*ret_field = (struct protobuf_field){.number = (uint32_t)(tag >> 3), .type = (int)(tag & 7)};
	switch (ret_field->type) {
	case 0:
		return read_varint(p, end, &ret_field->value);
	case 1:
		fixed = 8;
		break;
	case 5:
		fixed = 4;
		break;
	case 2:
		if (!read_varint(p, end, &value) || value > (size_t)(end - *p))
			return false;
		fixed = (size_t)value;
		break;
	default:
		return false;
	}
	if (fixed > (size_t)(end - *p))
		return false;
	ret_field->data = *p;
	ret_field->size = fixed;
	*p += fixed;
	return true;
}

/* What is wrong with the envelope is told as of any message. */
static struct status *broken_envelope(struct arena *arena, const void *data, size_t size)
{
	void *unused;
	TRY(protobuf_unpack(arena, &RuntimeUnknown_schema, (const char *)data + PROTOBUF_MAGIC_SIZE,
		size - PROTOBUF_MAGIC_SIZE, &unused));
	return status_bad_request("the protobuf envelope is broken");
}

struct status *protobuf_envelope(struct arena *arena, const void *data, size_t size, char **ret_api_version,
	char **ret_kind, const void **ret_raw, size_t *ret_raw_size)
{
	const uint8_t *p = data, *end = p + size, *raw = end;
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	RuntimeTypeMeta *meta = NULL;
	size_t raw_size = 0;
	struct protobuf_field field;

	if (!protobuf_has_magic(data, size))
		return status_bad_request("the data does not begin with the protobuf envelope's four bytes");
	p += PROTOBUF_MAGIC_SIZE;
	while (p < end) {
		if (!protobuf_read_field(&p, end, &field))
			return broken_envelope(arena, data, size);
		if (field.number <= 4 && field.type != 2)
			return broken_envelope(arena, data, size);
		if (field.number == 1) {
			meta = (RuntimeTypeMeta *)protobuf_c_message_unpack(
				&RuntimeTypeMeta_schema.base, &allocator, field.size, field.data);
			if (!meta)
				return broken_envelope(arena, data, size);
		} else if (field.number == 2) {
			raw = field.data;
			raw_size = field.size;
		}
	}
	if (ret_api_version)
		*ret_api_version = arena_strdup(arena, meta ? meta->api_version : "");
	if (ret_kind)
		*ret_kind = arena_strdup(arena, meta ? meta->kind : "");
	if (ret_raw)
		*ret_raw = raw;
	if (ret_raw_size)
		*ret_raw_size = raw_size;
	return NULL;
}

struct status *protobuf_decode(
	struct arena *arena, const struct schema_type *type, const void *data, size_t size, void *ret_msg)
{
	char *api_version, *kind;
	const void *raw;
	size_t raw_size;

	TRY(protobuf_envelope(arena, data, size, &api_version, &kind, &raw, &raw_size));
	if (!type)
		type = schema_find_api_version(api_version, kind);
	if (!type)
		return status_new(
			STATUS_NOT_FOUND, "no kind \"%s\" is registered for version \"%s\"", kind, api_version);
	return protobuf_unpack(arena, type, raw, raw_size, ret_msg);
}
