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
/* Past the characters that a JSON string holds as they are: to a quote, a backslash, a control character, what is
 * beyond ASCII, and with html also <, > and &. Eight at a time. */
static inline const char *json_skip_plain(const char *p, const char *end, bool html)
{
	static const uint64_t ones = UINT64_MAX / 255, tops = UINT64_MAX / 255 * 0x80;
#define JSON_HAS_BYTE(word, c) (((word) ^ ones * (c)) - ones) & ~((word) ^ ones * (c))
	for (; end - p >= 8; p += 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		uint64_t found = word | ((word - ones * 0x20) & ~word) | (JSON_HAS_BYTE(word, '"')) |
				 (JSON_HAS_BYTE(word, '\\'));
		if (html)
			found |= (JSON_HAS_BYTE(word, '<')) | (JSON_HAS_BYTE(word, '>')) | (JSON_HAS_BYTE(word, '&'));
		if (!(found & tops))
			continue;
		/* The lowest mark is true; what is above it may be borrowed. */
		if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			return p + __builtin_ctzll(found & tops) / 8;
		break;
	}
#undef JSON_HAS_BYTE
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || (html && (c == '<' || c == '>' || c == '&')))
			break;
	}
	return p;
}
/* Canonical text of a quantity, NULL if it is none. */
char *quantity_canonical(struct arena *arena, const char *s, size_t size);

#endif
