/*
 * JSON of typed objects, straight from and to the stream, with the meaning that Go's encoder gives it.
 *
 *	struct json_options options = JSON_LENIENT;
 *	CoreV1Pod *pod;
 *	TRY(json_decode(arena, &CoreV1Pod_schema, data, size, &options, &pod));
 *	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
 *	json_encode(&out, pod, 0);
 *
 * Names are case-sensitive; 64-bit integers are exact; depth, size and number of values are bounded.
 * Ownership: a decoded object lives wholly in the arena and does not refer to the input.
 */
#ifndef API_JSON_H
#define API_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include "api/schema.h"
#include "base/status.h"
#include "base/str.h"

#define JSON_MAX_DEPTH 10000	    /* as Go's decoder */
#define JSON_MAX_TYPED_DEPTH 500    /* typed objects: what nests deeper is refused */
#define JSON_MAX_SIZE (64u << 20)   /* bytes, unless the options say otherwise */
#define JSON_MAX_VALUES (16u << 20) /* values in one text */

/* What strict decoding found; filled only when options.strict points to one. Strings live in the arena. */
struct json_strict {
	char **errors; /* unknown field "spec.foo" ; duplicate field "spec.bar" */
	size_t n_errors;
};

struct json_options {
	struct json_strict *strict; /* NULL: unknown and duplicate fields are passed over in silence */
	size_t max_size;	    /* 0: JSON_MAX_SIZE */
	size_t max_depth;	    /* 0: JSON_MAX_TYPED_DEPTH */
	bool no_place;		    /* errors of syntax do not say at which byte they are */
	/* If not NULL, given what the text says (arena strings, "" when absent), without being checked against the
	 * type. */
	char **ret_api_version;
	char **ret_kind;
};
#define JSON_LENIENT \
	{            \
		0    \
	}

enum json_flags {
	JSON_NEWLINE = 1 << 0, /* a closing newline, as the API server writes */
	JSON_PRETTY = 1 << 1,  /* indented by four spaces, as kubectl prints; two with JSON_INDENT2 */
	JSON_INDENT2 = 1 << 2,
	JSON_NO_TYPE = 1 << 3, /* a root object without apiVersion and kind, as items of a list are */
	JSON_NO_HTML_ESCAPE = 1 << 4,
};

/* ret_msg: the address of a pointer to the type's struct. BadRequest naming offset or path otherwise. */
struct status *json_decode(struct arena *arena, const struct schema_type *type, const char *data, size_t size,
	const struct json_options *options, void *ret_msg) MUST_USE;
/* Takes the type from the text's own apiVersion and kind; NotFound ("no kind … is registered …") for one we do not
 * have. */
struct status *json_decode_any(
	struct arena *arena, const char *data, size_t size, const struct json_options *options, void *ret_msg) MUST_USE;
/* Reads only apiVersion and kind of an object; "" when absent. The text is checked no further than needed. */
struct status *json_peek_type(
	struct arena *arena, const char *data, size_t size, char **ret_api_version, char **ret_kind) MUST_USE;

/* flags: enum json_flags. Appends. */
void json_encode(struct strbuf *out, const void *msg, unsigned flags);
/* The same with another apiVersion and kind than the type's own (NULL: leave it out). */
void json_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind, unsigned flags);
/* The same, of an object in which one message of raw JSON has been printed by this process, compact and with HTML
 * escaped: that one is not read again before it is copied. NULL: none. */
void json_encode_printed(struct strbuf *out, const void *msg, const char *api_version, const char *kind, unsigned flags,
	const void *printed);
/* As a string in an arena. */
char *json_to_string(struct arena *arena, const void *msg, unsigned flags);

/* A quoted string with Go's escapes; bad UTF-8 becomes U+FFFD. */
void json_add_string(struct strbuf *out, const char *s, size_t size, bool html_escape);
/* A number as Go writes a float64. */
void json_add_double(struct strbuf *out, double value);
/* Any valid JSON text without its insignificant white space; false (and out unchanged) if it is not one valid value. */
bool json_add_compact(struct strbuf *out, const char *data, size_t size, bool html_escape);
/* What keeps a text from being one valid value, in Go's words and without the place; NULL: nothing. */
char *json_problem(struct arena *arena, const char *data, size_t size);
/* Re-indents valid compact text by width spaces a level. */
void json_add_indented(struct strbuf *out, const char *data, size_t size, int width);

/*
 * The reader beneath: a pull parser over a text in memory, for those who decode by hand.
 * Every call answers false after the first error, which json_reader_error() tells.
 */
enum json_type { JSON_END, JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_reader {
	const char *data, *at, *end;
	struct arena *arena;
	size_t depth, max_depth, n_values;
	const char *error; /* a constant text, or one of the arena */
	const char *error_at;
	bool no_place; /* as of the options */
};

/* Of json_peek(): what begins with a character, JSON_END: nothing; and past what is no beginning. */
extern const uint8_t json_begins[256];
enum json_type json_peek_on(struct json_reader *r);

void json_reader_init(struct json_reader *r, struct arena *arena, const char *data, size_t size, size_t max_depth);
/* The type of the value that comes next, without consuming it; JSON_END on an error or at the end. */
static inline enum json_type json_peek(struct json_reader *r)
{
	enum json_type type = r->error || r->at >= r->end ? JSON_END : json_begins[(unsigned char)*r->at];
	return type != JSON_END ? type : json_peek_on(r);
}
/* Consumes the next value of any type; *ret_text (may be NULL) is the slice of the input. */
bool json_skip(struct json_reader *r, const char **ret_text, size_t *ret_size);
/* A string, unescaped: a slice of the input where it has no escapes, else in the arena; not NUL-terminated. */
bool json_read_string(struct json_reader *r, const char **ret_s, size_t *ret_size);
/* A number's own text, a slice of the input. */
bool json_read_number(struct json_reader *r, const char **ret_text, size_t *ret_size);
bool json_read_literal(struct json_reader *r); /* null, true or false */
/* Enters an object or array; then json_next_member / json_next_element until they answer false (the end, or an error).
 */
bool json_enter(struct json_reader *r);
bool json_next_member(struct json_reader *r, bool *first, const char **ret_name, size_t *ret_size);
bool json_next_element(struct json_reader *r, bool *first);
/* Whether only white space is left. */
bool json_at_end(struct json_reader *r);
struct status *json_reader_error(const struct json_reader *r) MUST_USE;

/* Numbers out of their text; false when it is no integer or outside the range. 1e3 and 10.0 are integers here only in
 * lenient Go sense: no. */
bool json_number_int64(const char *text, size_t size, int64_t *ret_value);
bool json_number_double(const char *text, size_t size, double *ret_value);

#endif
