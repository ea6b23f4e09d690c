#include "apiserver/validation/extension/crd.h"
#include "api/go_text.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1CustomResourceDefinitionVersion Version;

enum { MAX_WARNING = 256, MAX_SELECTABLE = 8 };

/* Columns and subresources */

static bool check_json_path(struct field_errors *errors, const struct field_path *path, const char *text)
{
	if (*text == '.')
		return true;
	field_invalid(errors, path, text, "must be a simple json path starting with .");
	return false;
}

void validate_crd_column(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceColumnDefinition *column)
{
	static const char *const types[] = {"boolean", "date", "integer", "number", "string", NULL};
	static const char *const formats[] = {
		"byte", "date", "date-time", "double", "float", "int32", "int64", "password", NULL};
	static const char one_of[] = "must be one of boolean,date,integer,number,string";
	if (str_empty(column->name))
		field_required(errors, FIELD(path, "name"), "");
	if (str_empty(column->type))
		field_required(errors, FIELD(path, "type"), one_of);
	else if (!str_in(column->type, types))
		field_invalid(errors, FIELD(path, "type"), column->type, one_of);
	if (!str_empty(column->format) && !str_in(column->format, formats))
		field_invalid(errors, FIELD(path, "format"), column->format,
			"must be one of byte,date,date-time,double,float,int32,int64,password");
	if (str_empty(column->json_path))
		field_required(errors, FIELD(path, "JSONPath"), "");
	else
		check_json_path(errors, FIELD(path, "JSONPath"), column->json_path);
}

static void check_scale_path(struct field_errors *errors, const struct field_path *path, const char *text,
	const char *prefix, const char *other_prefix, const char *detail)
{
	if (!check_json_path(errors, path, text))
		return;
	if (!str_starts_with(text, prefix) && !(other_prefix && str_starts_with(text, other_prefix)))
		field_invalid(errors, path, text, detail);
}

void validate_crd_subresources(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceSubresources *subresources)
{
	const ApiextensionsV1CustomResourceSubresourceScale *scale = subresources ? subresources->scale : NULL;
	if (!scale)
		return;
	const struct field_path *spec = FIELD(path, "scale.specReplicasPath");
	const struct field_path *status = FIELD(path, "scale.statusReplicasPath");
	if (str_empty(scale->spec_replicas_path))
		field_required(errors, spec, "");
	else
		check_scale_path(
			errors, spec, scale->spec_replicas_path, ".spec.", NULL, "should be a json path under .spec");
	if (str_empty(scale->status_replicas_path))
		field_required(errors, status, "");
	else
		check_scale_path(errors, status, scale->status_replicas_path, ".status.", NULL,
			"should be a json path under .status");
	if (!str_empty(scale->label_selector_path))
		check_scale_path(errors, FIELD(path, "scale.labelSelectorPath"), scale->label_selector_path, ".spec.",
			".status.", "should be a json path under either .spec or .status");
}

/* Selectable fields */

static const ApiextensionsV1JSONSchemaProps *schema_at(
	struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, const char *json_path)
{
	char **names = NULL;
	size_t n = *json_path == '.' ? str_split(arena, json_path + 1, '.', &names) : 0;
	if (n == 0)
		return NULL;
	for (size_t i = 0; schema && i < n; i++) {
		const ApiextensionsV1JSONSchemaProps *next = schema_property(schema, names[i]);
		if (!next && schema->additional_properties)
			next = schema->additional_properties->schema;
		schema = next;
	}
	return schema;
}

void validate_crd_selectable(struct field_errors *errors, const struct field_path *path, const Version *version,
	const ApiextensionsV1JSONSchemaProps *schema)
{
	static const char *const types[] = {"string", "boolean", "integer", NULL};
	size_t n_unique = 0;
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < version->n_selectable_fields; i++) {
		const char *text = version->selectable_fields[i]->json_path;
		const struct field_path *at = FIELD(FIELD_INDEX(path, i), "jsonPath");
		if (str_empty(text)) {
			field_required(errors, at, "");
			continue;
		}
		const ApiextensionsV1JSONSchemaProps *found = schema_at(errors->arena, schema, text);
		if (*text != '.' && *text != '[') {
			field_invalid(errors, at, text,
				arena_printf(errors->arena, "is an invalid path: expected [ or . but got: %.*s",
					(int)strcspn(text, ".["), text));
			continue;
		}
		size_t n = strcspn(text, "[");
		if (text[n] && (!n || schema_at(errors->arena, schema, arena_strndup(errors->arena, text, n)))) {
			field_invalid(errors, at, text, "is an invalid path: array notation is not allowed");
			continue;
		}
		if (!found) {
			field_invalid(errors, at, text, "is an invalid path: does not refer to a valid field");
			continue;
		}
		if (str_starts_with(text, ".metadata"))
			field_invalid(errors, at, text, "must not point to fields in metadata");
		if (!str_in(str_or_empty(found->type), types))
			field_invalid(errors, at, text,
				"must point to a field of type string, boolean or integer. Enum string fields and "
				"strings with formats are allowed.");
		if (!nameset_add(&seen, text))
			field_duplicate(errors, at, text);
		else
			n_unique++;
	}
	if (n_unique > MAX_SELECTABLE)
		field_too_many(errors, path, n_unique, MAX_SELECTABLE);
}

/* Deprecation */

void validate_crd_deprecation(struct field_errors *errors, const struct field_path *path, const Version *version)
{
	const char *text = version->deprecation_warning;
	if (!text)
		return;
	if (!version->deprecated) {
		field_invalid_typed(errors, path, text, "can only be set for deprecated versions");
		return;
	}
	if (strlen(text) > MAX_WARNING)
		field_invalid_typed(errors, path, text, "must be <= 256 characters long");
	if (!*text)
		field_invalid_typed(errors, path, text, "must not be an empty string");
	size_t at = go_first_unprinted(text);
	if (text[at])
		field_invalid_typed(errors, path, text,
			arena_printf(errors->arena,
				"must only contain printable UTF-8 characters; non-printable character found at index "
				"%zu",
				at));
}
