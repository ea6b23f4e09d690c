/* What the files of this library share with each other and with nobody else. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/schema.h"
#include "base/str.h"

/* The place of a field in a message. */
static inline void *field_at(const void *msg, const struct schema_field *field)
{
	return (char *)(uintptr_t)msg + field->offset;
}
/* Lists and maps: the count. */
static inline size_t *field_count(const void *msg, const struct schema_field *field)
{
	return (size_t *)(void *)((char *)(uintptr_t)msg + field->quantifier_offset);
}
/* Optional scalars: the flag. */
static inline protobuf_c_boolean *field_has(const void *msg, const struct schema_field *field)
{
	return (protobuf_c_boolean *)(void *)((char *)(uintptr_t)msg + field->quantifier_offset);
}
static inline bool field_is(const struct schema_field *field, enum schema_flags flag)
{
	return field->flags & flag;
}
static inline bool field_has_presence_bit(const struct schema_field *field)
{
	return field_is(field, SCHEMA_PRESENCE) && field->kind < SCHEMA_STRING;
}
/* Bytes of one element of a kind. */
size_t schema_kind_size(enum schema_kind kind);
/* Whether a single field holds its zero value (or is absent). */
bool field_is_zero(const void *msg, const struct schema_field *field);
/* The first field of a type with one: the form types' accessors. */
static inline void *form_field(const void *msg, size_t i)
{
	return field_at(msg, &schema_of(msg)->fields[i]);
}

/* Whether JSON shows a field at all. */
bool json_field_is_written(const struct schema_type *type, const void *msg, const struct schema_field *field);
/* One value of a kind, no message. */
void json_encode_scalar(struct strbuf *out, enum schema_kind kind, const void *at);
size_t json_utf8_len(const char *p, const char *end);
/* Canonical text of a quantity, NULL if it is none. */
char *quantity_canonical(struct arena *arena, const char *s, size_t size);

#endif
