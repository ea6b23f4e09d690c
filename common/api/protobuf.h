/*
 * The protobuf form of objects: the bytes k8s\0, then an Unknown{typeMeta, raw, contentEncoding, contentType}.
 *
 *	TRY(protobuf_decode(arena, NULL, data, size, &pod));       // any kind that the schema has
 *	protobuf_encode(&out, pod);
 *
 * Decoded objects live in the arena and do not refer to the input. Nesting is bounded.
 */
#ifndef API_PROTOBUF_H
#define API_PROTOBUF_H

#include "api/schema.h"
#include "base/status.h"
#include "base/str.h"

#define PROTOBUF_MAGIC "k8s\0"
#define PROTOBUF_MAGIC_SIZE 4
#define PROTOBUF_CONTENT_TYPE "application/vnd.kubernetes.protobuf"

/* Whether the bytes begin as the envelope does. */
bool protobuf_has_magic(const void *data, size_t size);
/* Appends envelope and object; apiVersion and kind are the type's, or those given. */
void protobuf_encode(struct strbuf *out, const void *msg);
void protobuf_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind);
/* type NULL: taken from the envelope, NotFound if the schema lacks it. ret_msg: the address of a pointer to the struct.
 */
struct status *protobuf_decode(
	struct arena *arena, const struct schema_type *type, const void *data, size_t size, void *ret_msg) MUST_USE;
/* Only the envelope: its strings live in the arena, raw points into data. Any ret may be NULL. */
struct status *protobuf_envelope(struct arena *arena, const void *data, size_t size, char **ret_api_version,
	char **ret_kind, const void **ret_raw, size_t *ret_raw_size) MUST_USE;

/* The bare message without envelope. */
void protobuf_pack(struct strbuf *out, const void *msg);
struct status *protobuf_unpack(
	struct arena *arena, const struct schema_type *type, const void *data, size_t size, void *ret_msg) MUST_USE;

/* One field of any message, where it stands. */
struct protobuf_field {
	uint32_t number;
	int type;	     /* on the wire */
	uint64_t value;	     /* of type 0 */
	const uint8_t *data; /* of the others; nothing is copied */
	size_t size;
};
/* Reads the field at *p and goes past it; false where the bytes are broken. */
bool protobuf_read_field(const uint8_t **p, const uint8_t *end, struct protobuf_field *ret_field);

/* protobuf-c's allocator over an arena; free does nothing. Valid as long as the arena. */
ProtobufCAllocator protobuf_arena_allocator(struct arena *arena);

#endif
