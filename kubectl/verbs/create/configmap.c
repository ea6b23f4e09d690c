#include "base/encode.h"
#include "kubectl/verbs/create/kinds.h"

struct configmap_options {
	struct generator_options common;
	struct data_sources sources;
	bool append_hash;
};

static const struct option configmap_flags[] = {
	OPT_GROUP(struct configmap_options, common, generator_flags),
	OPT_GROUP(struct configmap_options, sources, data_flags),
	OPT(struct configmap_options, append_hash, 0, "append-hash", FLAG_BOOL, "false",
		"Add a hash of the content to the name"),
	OPT_END,
};

static struct status *add_entry(struct kubectl *k, void *data, const char *key, const char *value, size_t size)
{
	cJSON *object = data;
	bool text = is_utf8(value, size) && !memchr(value, 0, size);
	const char *stored = text ? value : base64_encode(k->arena, value, size);
	if (tree_get(tree_get(object, "data"), key) || tree_get(tree_get(object, "binaryData"), key))
		return user_error(
			"cannot add key \"%s\", another key by that name already exists in Data for ConfigMap \"%s\"",
			key, obj_name(object));
	for (const char *c = key; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", *c))
			return user_error(
				"\"%s\" is not a valid key name for a ConfigMap: a valid config key must consist "
				"of alphanumeric "
				"characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
				"regex used for "
				"validation is '[-._a-zA-Z0-9]+')",
				key);
	tree_set_string(k->arena, obj_object(k->arena, object, text ? "data" : "binaryData"), key, stored);
	return NULL;
}

static void append_hash(struct arena *arena, cJSON *object)
{
	cJSON *hashed = tree_new_object(arena);
	tree_set(arena, hashed, "kind", tree_new_string(arena, "ConfigMap"));
	tree_set_string(arena, hashed, "name", obj_name(object));
	cJSON *data = tree_get(object, "data"), *binary = tree_get(object, "binaryData");
	tree_set(arena, hashed, "data", data ? tree_copy(arena, data) : tree_new_string(arena, ""));
	if (binary)
		tree_set(arena, hashed, "binaryData", tree_copy(arena, binary));
	char *hash = config_hash(arena, tree_to_string(arena, hashed, TREE_SORTED));
	obj_set_string(arena, object, "metadata.name", arena_printf(arena, "%s-%s", obj_name(object), hash));
}

static struct status *configmap_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct configmap_options *o = call->options;
	*ret_object = obj_new(k->arena, "v1", "ConfigMap", name);
	struct data_sink sink = {add_entry, *ret_object};
	TRY(read_data_sources(k, &o->sources, &sink));
	if (o->append_hash)
		append_hash(k->arena, *ret_object);
	return NULL;
}
GENERATOR_RUN(configmap)

static const char *const aliases[] = {"cm", NULL};
const struct command create_configmap_command = {
	.name = "configmap",
	.aliases = aliases,
	.usage = "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
	.summary = "Create a config map from files, directories or literal values",
	.flags = configmap_flags,
	.options_size = sizeof(struct configmap_options),
	.run = configmap_run,
};
