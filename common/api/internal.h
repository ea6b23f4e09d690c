/* What the files of this library share with each other and with nobody else. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <string.h>
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
bool json_field_is_written(const void *msg, const struct schema_field *field);
/* The same of one that is not surely absent (schema_may_be_written()): of most kinds it is there then. */
static inline bool json_field_is_there(
	const void *msg, const struct schema_look *look, const struct schema_field *field)
{
	if (look->kind == SCHEMA_LOOK_TEXT)
		return !str_empty(*(char *const *)field_at(msg, field));
	const bool single = field->shape == SCHEMA_SINGLE,
		   real = field->kind == SCHEMA_FLOAT || field->kind == SCHEMA_DOUBLE;
	if (look->kind == SCHEMA_LOOK_NOWHERE || (single && (real || field->kind == SCHEMA_MESSAGE)))
		return json_field_is_written(msg, field);
	return true;
}
/* One value of a kind, no message. */
void json_encode_scalar(struct strbuf *out, enum schema_kind kind, const void *at);
size_t json_utf8_len(const char *p, const char *end);
/* A valid JSON text without its insignificant white space; html_escape: in its strings <, >, & and the separators of
 * lines and paragraphs are escaped, as Go does with what encodes itself. */
void json_add_squeezed(struct strbuf *out, const char *data, size_t size, bool html_escape);
typedef signed char json_chars __attribute__((vector_size(16)));

/* The first of sixteen characters that a JSON string does not hold as it is; 16: there is none. Signed, so that what is
 * beyond ASCII is less than a space, too. */
static inline size_t json_first_special(uint64_t low, uint64_t high, bool html)
{
	const uint64_t words[2] = {low, high};
	json_chars c;
	uint64_t found[2];
	memcpy(&c, words, sizeof(c));
	json_chars special = (c < ' ') | (c == '"') | (c == '\\');
	if (html)
		special |= (c == '<') | (c == '>') | (c == '&');
	memcpy(found, &special, sizeof(found));
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		return found[0]	  ? (size_t)__builtin_ctzll(found[0]) / 8
		       : found[1] ? (size_t)__builtin_ctzll(found[1]) / 8 + 8
				  : 16;
	size_t i = 0;
	while (i < 16 && !special[i])
		i++;
	return i;
}

static inline uint64_t json_load8(const char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
	return word;
}

/* As the first four and the last four of eight. */
static inline uint64_t json_load4_and_4(const char *p, const char *q)
{
	uint32_t halves[2];
	uint64_t word;
	memcpy(&halves[0], p, sizeof(halves[0]));
	memcpy(&halves[1], q, sizeof(halves[1]));
	memcpy(&word, halves, sizeof(word));
	return word;
}

/* Past the characters that a JSON string holds as they are: to a quote, a backslash, a control character, what is
 * beyond ASCII, and with html also <, > and &. Sixteen at a time; of four to fifteen those in the middle are looked at
 * twice. */
static inline __attribute__((always_inline)) const char *json_skip_plain(const char *p, const char *end, bool html)
{
	for (; end - p >= 16; p += 16) {
		size_t i = json_first_special(json_load8(p), json_load8(p + 8), html);
		if (i < 16)
			return p + i;
	}
	if (end - p >= 8) {
		size_t i = json_first_special(json_load8(p), json_load8(end - 8), html);
		return i < 8 ? p + i : end - 16 + i;
	}
	if (end - p >= 4) {
		const uint64_t word = json_load4_and_4(p, end - 4);
		size_t i = json_first_special(word, word, html);
		return i < 4 ? p + i : i < 8 ? end - 8 + i : end;
	}
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || (html && (c == '<' || c == '>' || c == '&')))
			break;
	}
	return p;
}
/* Canonical text of a quantity, NULL if it is none. */
char *quantity_canonical(struct arena *arena, const char *s, size_t size);

/* What Go calls the type of a struct's field, or of its elements; NULL: what JSON calls it. */
const char *go_type_name(struct arena *arena, const struct schema_type *owner, const char *field, bool element);

#endif
