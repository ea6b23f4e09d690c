#include "apiserver/admission/config.h"
#include "api/yaml.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/mem.h"
#include "base/str.h"

static const struct config_form all_form = {.type = &ApiserverV1AdmissionConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "AdmissionConfiguration"},
		{"apiserver.k8s.io/v1alpha1", "AdmissionConfiguration"}}};

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
	struct status *unread = config_file_read(arena, path, &text, &size);
	if (unread) {
		const char *why = arena_strdup(arena, unread->message);
		status_drop(unread, "told with the path");
		return status_bad_request(
			"unable to read admission control configuration from %s [%s]", field_quote(arena, path), why);
	}
	struct status *wrong = config_decode(arena, text, size, &all_form, ret_all);
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
					  : status_wrap(config_file_read(arena, p->path, ret_text, ret_size),
						    "couldn't open admission plugin configuration");
	}
	return NULL;
}
