#include "apiserver/config_file.h"
#include "api/yaml.h"
#include "apiserver/validation/field.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_CONFIG_BYTES (1u << 20)

struct status *config_file_read(struct arena *arena, const char *path, const char **ret_text, size_t *ret_size)
{
	CLEANUP_FREE char *data = NULL;
	TRY(io_read_file(path, MAX_CONFIG_BYTES, &data, ret_size));
	*ret_text = arena_strndup(arena, data, *ret_size);
	*ret_size = strlen(*ret_text);
	return NULL;
}

static struct status *check_names(
	struct arena *arena, const struct config_form *form, const char *text, const char *json, size_t json_size)
{
	char *version, *kind;
	struct status *no_object = json_peek_type(arena, json, json_size, &version, &kind);
	if (no_object)
		return status_wrap(no_object, "couldn't get version/kind; json parse error");
	if (str_empty(kind))
		return status_bad_request("Object 'Kind' is missing in '%s'", text);
	if (str_empty(version))
		return status_bad_request("Object 'apiVersion' is missing in '%s'", text);
	for (size_t i = 0; i < ARRAY_SIZE(form->names) && form->names[i].kind; i++)
		if (str_eq(form->names[i].api_version, version) && str_eq(form->names[i].kind, kind))
			return NULL;
	return status_new(STATUS_NOT_FOUND, "no kind %s is registered for version %s", field_quote(arena, kind),
		field_quote(arena, version));
}

static bool is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

struct status *config_decode(
	struct arena *arena, const char *text, size_t size, const struct config_form *form, void *ret_message)
{
	struct json_strict strict = {0};
	const struct json_options options = {.strict = form->strict ? &strict : NULL, .no_place = true};
	char *json = arena_strdup(arena, text);
	const bool yaml = !is_json(text);
	const char *problem = yaml ? NULL : json_problem(arena, text, size);
	if (problem)
		return status_bad_request("couldn't get version/kind; json parse error: %s", problem);
	if (yaml)
		TRY(yaml_to_json(arena, text, size, NULL, &json, &size));
	TRY(check_names(arena, form, text, json, size));
	if (yaml && form->strict)
		TRY(yaml_find_duplicates(arena, text, strlen(text), &strict));
	if (strict.n_errors)
		return status_bad_request("strict decoding error: yaml: unmarshal errors:\n  %s",
			str_join(arena, strict.errors, strict.n_errors, "\n  "));
	TRY(json_decode(arena, form->type, json, size, &options, ret_message));
	return strict.n_errors ? status_bad_request("strict decoding error: %s",
					 str_join(arena, strict.errors, strict.n_errors, ", "))
			       : NULL;
}

struct status *config_errors(const struct field_errors *errors)
{
	char **all = NULL;
	size_t n = 0;
	for (size_t i = 0; i < errors->n_items; i++)
		ARENA_PUSH(errors->arena, all, n) =
			arena_printf(errors->arena, "%s: %s", errors->items[i].field, errors->items[i].body);
	if (!n)
		return NULL;
	return status_bad_request(n > 1 ? "[%s]" : "%s", str_join(errors->arena, all, n, ", "));
}
