#include "apiserver/http/continue.h"
#include <inttypes.h>
#include <string.h>
#include "api/json.h"
#include "base/encode.h"
#include "base/str.h"

#define VERSION "meta.k8s.io/v1"

/* --- writing --- */

static const char *encode(
	struct arena *arena, int64_t revision, const char *prefix, const struct continue_position *position)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *start = arena_printf(arena, "/%s", position->key + strlen(prefix));
	strbuf_printf(&out, "{\"v\":\"" VERSION "\",\"rv\":%" PRId64 ",\"start\":", revision);
	/* What comes next after a key is the key with a zero byte, which the text ends with. */
	json_add_string(&out, start, strlen(start) + position->after, true);
	strbuf_addc(&out, '}');
	return base64url_encode(arena, out.buf, out.len);
}

const char *continue_make(struct arena *arena, int64_t revision, const char *prefix, const char *last_key)
{
	const struct continue_position position = {.key = last_key, .after = true};
	return encode(arena, revision, prefix, &position);
}

const char *continue_make_now(struct arena *arena, const char *prefix, const struct continue_position *position)
{
	return encode(arena, -1, prefix, position);
}

/* --- reading --- */

struct token {
	const char *version;
	int64_t revision;
	const char *start;
	size_t start_size;
};

static struct status *bad_token(const char *why, const char *what)
{
	return status_bad_request("invalid continue token: continue key is not valid%s%s", why, what);
}

static struct status *wrong_type(struct arena *arena, const char *value, const char *where)
{
	return bad_token(": ", arena_printf(arena, "json: cannot unmarshal %s into Go %s", value, where));
}

static const char *type_name(enum json_type type)
{
	switch (type) {
	case JSON_STRING:
		return "string";
	case JSON_NUMBER:
		return "number";
	case JSON_ARRAY:
		return "array";
	case JSON_OBJECT:
		return "object";
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
	case JSON_END:
		break;
	}
	return "bool";
}

static struct status *read_text(struct json_reader *r, const char *where, const char **ret_s, size_t *ret_size)
{
	if (json_peek(r) != JSON_STRING)
		return wrong_type(r->arena, type_name(json_peek(r)), where);
	return json_read_string(r, ret_s, ret_size) ? NULL : json_reader_error(r);
}

static struct status *read_revision(struct json_reader *r, int64_t *ret_revision)
{
	static const char where[] = "struct field continueToken.rv of type int64";
	const char *text;
	size_t size;
	if (json_peek(r) != JSON_NUMBER)
		return wrong_type(r->arena, type_name(json_peek(r)), where);
	if (!json_read_number(r, &text, &size))
		return json_reader_error(r);
	if (json_number_int64(text, size, ret_revision))
		return NULL;
	return wrong_type(r->arena, arena_printf(r->arena, "number %.*s", (int)size, text), where);
}

static bool is_named(const char *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static struct status *read_member(struct json_reader *r, const char *name, size_t size, struct token *token)
{
	size_t n;
	if (json_peek(r) == JSON_NULL) {
		(void)json_skip(r, NULL, NULL);
	} else if (is_named(name, size, "v")) {
		TRY(read_text(r, "struct field continueToken.v of type string", &token->version, &n));
		token->version = arena_strndup(r->arena, token->version, n);
	} else if (is_named(name, size, "start")) {
		return read_text(
			r, "struct field continueToken.start of type string", &token->start, &token->start_size);
	} else if (is_named(name, size, "rv")) {
		return read_revision(r, &token->revision);
	} else {
		(void)json_skip(r, NULL, NULL);
	}
	return NULL;
}

static struct status *read_json(struct arena *arena, const char *data, size_t size, struct token *ret)
{
	struct json_reader r;
	const char *name;
	size_t n;
	bool first = true;
	const char *problem = json_problem(arena, data, size);
	*ret = (struct token){.version = "", .start = ""};
	if (problem)
		return bad_token(": ", problem);
	json_reader_init(&r, arena, data, size, JSON_MAX_DEPTH);
	if (json_peek(&r) == JSON_NULL)
		return NULL;
	if (json_peek(&r) != JSON_OBJECT)
		return wrong_type(arena, type_name(json_peek(&r)), "value of type storage.continueToken");
	if (!json_enter(&r))
		return json_reader_error(&r);
	while (json_next_member(&r, &first, &name, &n))
		TRY(read_member(&r, name, n, ret));
	return json_reader_error(&r);
}

/* No text of ours holds a zero byte, not even out of JSON: it is read as the one that follows it, which no key holds
 * either. */
#define ZERO 1
static void change_zeroes(char *json, size_t size)
{
	static const char zero[] = "\\u0000";
	for (size_t i = 0; i + 1 < size; i++) {
		if (json[i] != '\\')
			continue;
		if (size - i >= strlen(zero) && memcmp(json + i, zero, strlen(zero)) == 0)
			json[i + strlen(zero) - 1] = '0' + ZERO;
		i++;
	}
}

/* Whether a path is in its shortest form: none leads out of where it begins. */
static bool is_clean(const char *path, size_t size)
{
	const char *end = path + size;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const size_t n = (size_t)((slash ? slash : end) - path);
		if (!n || (n == 1 && *path == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (slash && slash + 1 == end)
			return false;
		path += n + 1;
	}
	return true;
}

struct status *continue_read(struct arena *arena, const char *token, const char *prefix, struct continue_position *ret)
{
	uint8_t *data;
	size_t size;
	struct token t;
	if (!base64url_decode(arena, token, strlen(token), &data, &size))
		return status_bad_request(
			"invalid continue token: continue key is not valid: illegal base64 data at input byte %zu",
			base64url_error_at(token, strlen(token)));
	change_zeroes((char *)data, size);
	TRY(read_json(arena, (const char *)data, size, &t));
	if (!str_eq(t.version, VERSION))
		return bad_token(": server does not recognize this encoded version ", t.version);
	if (!t.revision)
		return bad_token(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)", "");
	if (!t.start_size)
		return bad_token(": encoded start key empty (version meta.k8s.io/v1)", "");
	const size_t slash = *t.start == '/';
	if (!is_clean(t.start + slash, t.start_size - slash))
		return bad_token(": ", arena_strndup(arena, t.start, t.start_size));
	/* No key has a zero byte: what comes after such a text comes after what is before the zero. */
	const char *zero = memchr(t.start, ZERO, t.start_size), *end = zero ? zero : t.start + t.start_size;
	ret->revision = t.revision;
	ret->after = zero;
	ret->key = arena_printf(arena, "%s%.*s", prefix, (int)(end - t.start - slash), t.start + slash);
	return NULL;
}

bool continue_is_past(const struct continue_position *position, const char *key)
{
	if (!position->key)
		return false;
	const int order = strcmp(key, position->key);
	return order < 0 || (order == 0 && position->after);
}
