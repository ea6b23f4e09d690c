#include "apiserver/validation/field.h"
#include "api/go_text.h"
#include "api/json.h"
#include "api/schema.h"
#include "base/map.h"
#include "base/str.h"

static void path_print(struct strbuf *out, const struct field_path *path)
{
	if (path->parent)
		path_print(out, path->parent);
	if (path->name) {
		if (out->len)
			strbuf_addc(out, '.');
		strbuf_adds(out, path->name);
	} else if (path->key) {
		strbuf_printf(out, "[%s]", path->key);
	} else {
		strbuf_printf(out, "[%zu]", path->index);
	}
}

char *field_path_string(struct arena *arena, const struct field_path *path)
{
	if (!path)
		return arena_strdup(arena, "<nil>");
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	path_print(&out, path);
	return arena_strdup(arena, out.buf);
}

char *field_quote(struct arena *arena, const char *s)
{
	return go_quote(arena, s);
}

char *field_json(struct arena *arena, const char *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	json_add_string(&out, str_or_empty(s), strlen(str_or_empty(s)), true);
	return arena_strdup(arena, out.buf);
}

static void append(struct field_errors *errors, struct field_error error)
{
	if (field_errors_full(errors))
		return;
	/* Doubling at powers of two, as ARENA_PUSH does for pointers. */
	if (!(errors->n_items & (errors->n_items - 1))) {
		size_t cap = errors->n_items ? errors->n_items * 2 : 1;
		struct field_error *grown = ARENA_ARRAY(errors->arena, struct field_error, cap);
		if (errors->n_items)
			memcpy(grown, errors->items, errors->n_items * sizeof(*grown));
		errors->items = grown;
	}
	errors->items[errors->n_items++] = error;
	errors->n_bytes += strlen(error.field) + strlen(error.body);
}

static void add(struct field_errors *errors, const struct field_path *path, const char *reason, const char *type,
	const char *value, const char *detail)
{
	struct arena *arena = errors->arena;
	if (field_errors_full(errors))
		return;
	append(errors, (struct field_error){.reason = reason,
			       .field = field_path_string(arena, path),
			       .body = arena_printf(arena, "%s%s%s%s%s", type, value ? ": " : "", str_or_empty(value),
				       str_empty(detail) ? "" : ": ", str_or_empty(detail))});
}

void field_errors_take(struct field_errors *errors, const struct status *status)
{
	for (size_t i = 0; status && i < status->n_causes; i++)
		append(errors, (struct field_error){.reason = arena_strdup(errors->arena, status->causes[i].reason),
				       .field = arena_strdup(errors->arena, status->causes[i].field),
				       .body = arena_strdup(errors->arena, status->causes[i].message)});
}

void field_errors_append(struct field_errors *errors, const struct field_errors *found)
{
	for (size_t i = 0; i < found->n_items; i++)
		append(errors, found->items[i]);
}

void field_required(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	add(errors, path, "FieldValueRequired", "Required value", NULL, detail);
}

void field_forbidden(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	add(errors, path, "FieldValueForbidden", "Forbidden", NULL, detail);
}

void field_keep(struct field_errors *errors, size_t n, enum kept_fault what)
{
	if (errors->n_items == n)
		return;
	errors->found |= what;
	if (errors->kept & what)
		errors->n_items = n;
}

void field_invalid_typed(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *detail)
{
	field_invalid_json(errors, path, value ? field_json(errors->arena, value) : "null", detail);
}

void field_invalid_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail)
{
	add(errors, path, "FieldValueInvalid", "Invalid value", json, detail);
}

void field_type_invalid_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail)
{
	add(errors, path, "FieldValueTypeInvalid", "Invalid value", json, detail);
}

void field_invalid(struct field_errors *errors, const struct field_path *path, const char *value, const char *detail)
{
	field_invalid_json(errors, path, field_quote(errors->arena, value), detail);
}

size_t field_problems(struct arena *arena, const char *problems, char ***ret_problems)
{
	size_t n = 0;
	*ret_problems = NULL;
	while (problems) {
		const char *end = strstr(problems, "; ");
		ARENA_PUSH(arena, *ret_problems, n) =
			end ? arena_strndup(arena, problems, (size_t)(end - problems)) : arena_strdup(arena, problems);
		problems = end ? end + 2 : NULL;
	}
	return n;
}

void field_invalid_each(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *problems)
{
	if (problems)
		field_invalid_json_each(errors, path, field_quote(errors->arena, value), problems);
}

void field_invalid_json_each(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *problems)
{
	char **items;
	const size_t n = field_problems(errors->arena, problems, &items);
	for (size_t i = 0; i < n; i++)
		field_invalid_json(errors, path, json, items[i]);
}

void field_invalid_hidden(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	add(errors, path, "FieldValueInvalid", "Invalid value", NULL, detail);
}

void field_invalid_int(struct field_errors *errors, const struct field_path *path, int64_t value, const char *detail)
{
	field_invalid_json(errors, path, arena_printf(errors->arena, "%lld", (long long)value), detail);
}

void field_invalid_bool(struct field_errors *errors, const struct field_path *path, bool value, const char *detail)
{
	field_invalid_json(errors, path, value ? "true" : "false", detail);
}

void field_invalid_message(
	struct field_errors *errors, const struct field_path *path, const void *msg, const char *detail)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (msg)
		json_encode(&out, msg, 0);
	field_invalid_json(errors, path, msg ? arena_strdup(errors->arena, out.buf) : "null", detail);
}

void field_unsupported_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *const *supported)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const char *const *s = supported; s && *s; s++)
		strbuf_printf(
			&out, "%s%s", s == supported ? "supported values: " : ", ", field_quote(errors->arena, *s));
	add(errors, path, "FieldValueNotSupported", "Unsupported value", json, out.buf);
}

void field_unsupported(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported)
{
	field_unsupported_json(errors, path, field_json(errors->arena, value), supported);
}

void field_duplicate_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail)
{
	add(errors, path, "FieldValueDuplicate", "Duplicate value", json, detail);
}

void field_duplicate(struct field_errors *errors, const struct field_path *path, const char *value)
{
	field_duplicate_json(errors, path, field_quote(errors->arena, value), "");
}

void field_duplicate_int(struct field_errors *errors, const struct field_path *path, int64_t value)
{
	field_duplicate_json(errors, path, arena_printf(errors->arena, "%lld", (long long)value), "");
}

void field_not_found(struct field_errors *errors, const struct field_path *path, const char *value)
{
	add(errors, path, "FieldValueNotFound", "Not found", field_quote(errors->arena, value), NULL);
}

void field_not_found_because(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *detail)
{
	add(errors, path, "FieldValueNotFound", "Not found", field_quote(errors->arena, value), detail);
}

void field_too_long(struct field_errors *errors, const struct field_path *path, size_t max)
{
	add(errors, path, "FieldValueTooLong", "Too long", NULL,
		arena_printf(errors->arena, "may not be more than %zu byte%s", max, max == 1 ? "" : "s"));
}

void field_too_many(struct field_errors *errors, const struct field_path *path, size_t actual, int64_t max)
{
	add(errors, path, "FieldValueTooMany", "Too many", arena_printf(errors->arena, "%zu", actual),
		max < 0 ? "has too many items"
			: arena_printf(
				  errors->arena, "must have at most %lld item%s", (long long)max, max == 1 ? "" : "s"));
}

void field_internal(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	add(errors, path, "InternalError", "Internal error", NULL, detail);
}

struct status *field_errors_status(
	const struct field_errors *errors, const char *group, const char *kind, const char *name)
{
	if (!errors->n_items)
		return NULL;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	CLEANUP(strmap_freep) struct strmap *said = strmap_new(NULL);
	size_t n = 0;
	/* Each sentence once, as the original does; a map, for a client may send tens of thousands of mistakes. */
	for (size_t i = 0; i < errors->n_items; i++) {
		char *sentence = arena_printf(errors->arena, "%s: %s", errors->items[i].field, errors->items[i].body);
		if (strmap_put(said, sentence, NULL))
			strbuf_printf(&text, "%s%s", n++ ? ", " : "", sentence);
	}
	struct status *s = status_new(STATUS_INVALID, "%s%s%s %s is invalid: %s%s%s", kind, str_empty(group) ? "" : ".",
		str_or_empty(group), field_quote(errors->arena, name), n > 1 ? "[" : "", text.buf, n > 1 ? "]" : "");
	s = status_details(s, group, kind, name);
	for (size_t i = 0; i < errors->n_items; i++)
		status_add_cause(s, errors->items[i].reason, errors->items[i].field, "%s", errors->items[i].body);
	return s;
}
