#include "apiserver/admission/config.h"
#include "api/yaml.h"
#include "apiserver/validation/field.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_CONFIG_BYTES (1u << 20)

/* --- one kind --- */

static struct status *check_names(struct arena *arena, const struct admission_config_form *form, const char *text,
	const char *json, size_t json_size)
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

struct status *admission_config_decode(
	struct arena *arena, const char *text, size_t size, const struct admission_config_form *form, void *ret_message)
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

struct status *admission_config_errors(const struct field_errors *errors)
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

/* --- the file --- */

static const struct admission_config_form all_form = {.type = &ApiserverV1AdmissionConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "AdmissionConfiguration"},
		{"apiserver.k8s.io/v1alpha1", "AdmissionConfiguration"}}};

static struct status *read_text(struct arena *arena, const char *path, const char **ret_text, size_t *ret_size)
{
	CLEANUP_FREE char *data = NULL;
	TRY(io_read_file(path, MAX_CONFIG_BYTES, &data, ret_size));
	*ret_text = arena_strndup(arena, data, *ret_size);
	*ret_size = strlen(*ret_text);
	return NULL;
}

static void add_plugin(struct arena *arena, ApiserverV1AdmissionConfiguration *all, const char *name, const char *path)
{
	ApiserverV1AdmissionPluginConfiguration *plugin = API_NEW(arena, ApiserverV1AdmissionPluginConfiguration);
	plugin->name = arena_strdup(arena, name);
	plugin->path = arena_strdup(arena, path);
	ARENA_PUSH(arena, all->plugins, all->n_plugins) = plugin;
}

/* Two plugins are older than the kind, and were told directly. */
static ApiserverV1AdmissionConfiguration *of_old(struct arena *arena, const char *path, const char *text, size_t size)
{
	cJSON *tree = NULL;
	struct status *no_yaml = yaml_parse(arena, text, size, NULL, &tree);
	if (no_yaml) {
		status_drop(no_yaml, "it was told of already");
		return NULL;
	}
	if (!tree_get(tree, "imagePolicy") && !tree_get(tree, "podNodeSelectorPluginConfig"))
		return NULL;
	ApiserverV1AdmissionConfiguration *all = API_NEW(arena, ApiserverV1AdmissionConfiguration);
	add_plugin(arena, all, "ImagePolicyWebhook", path);
	add_plugin(arena, all, "PodNodeSelector", path);
	return all;
}

struct status *admission_config_read(struct arena *arena, const char *path, ApiserverV1AdmissionConfiguration **ret_all)
{
	const char *text, *slash = strrchr(path, '/');
	size_t size;
	*ret_all = API_NEW(arena, ApiserverV1AdmissionConfiguration);
	if (str_empty(path))
		return NULL;
	struct status *unread = read_text(arena, path, &text, &size);
	if (unread) {
		const char *why = arena_strdup(arena, unread->message);
		status_drop(unread, "told with the path");
		return status_bad_request(
			"unable to read admission control configuration from %s [%s]", field_quote(arena, path), why);
	}
	struct status *wrong = admission_config_decode(arena, text, size, &all_form, ret_all);
	ApiserverV1AdmissionConfiguration *old = wrong ? of_old(arena, path, text, size) : NULL;
	if (wrong && !old)
		return wrong;
	if (old) {
		status_drop(wrong, "it is of the form that was before");
		*ret_all = old;
		return NULL;
	}
	/* Other files are found from where this one is. */
	for (size_t i = 0; i < (*ret_all)->n_plugins; i++) {
		ApiserverV1AdmissionPluginConfiguration *plugin = (*ret_all)->plugins[i];
		if (!str_empty(plugin->path) && *plugin->path != '/' && slash)
			plugin->path = arena_printf(arena, "%.*s/%s", (int)(slash - path), path, plugin->path);
	}
	return NULL;
}

struct status *admission_config_of(struct arena *arena, const ApiserverV1AdmissionConfiguration *all,
	const char *plugin, const char **ret_text, size_t *ret_size)
{
	*ret_text = NULL;
	*ret_size = 0;
	for (size_t i = 0; i < all->n_plugins; i++) {
		const ApiserverV1AdmissionPluginConfiguration *p = all->plugins[i];
		if (!str_eq(p->name, plugin))
			continue;
		if (p->configuration && p->configuration->raw.len) {
			*ret_size = p->configuration->raw.len;
			*ret_text = arena_strndup(arena, (const char *)p->configuration->raw.data, *ret_size);
			return NULL;
		}
		return str_empty(p->path) ? NULL
					  : status_wrap(read_text(arena, p->path, ret_text, ret_size),
						    "couldn't open admission plugin configuration");
	}
	return NULL;
}
