#include "kubectl/send.h"

#include "api/patch.h"
#include "net/url.h"

static struct status *validation(const char *text, const char **ret)
{
	static const struct {
		const char *text, *value;
	} values[] = {
		{"strict", "Strict"}, {"true", "Strict"}, {"warn", "Warn"}, {"ignore", "Ignore"}, {"false", "Ignore"}};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (str_eq(values[i].text, text)) {
			*ret = values[i].value;
			return NULL;
		}
	}
	return user_error(
		"invalid - validate option \"%s\"; must be one of: strict (or true), warn, ignore (or false)", text);
}

static struct status *build_query(const struct send_options *o, struct strbuf *query)
{
	if (o->dry_run == DRY_RUN_SERVER)
		query_add(query, "dryRun", "All");
	query_add(query, "fieldManager", str_empty(o->field_manager) ? NULL : o->field_manager);
	if (!str_empty(o->validate)) {
		const char *value = NULL;
		TRY(validation(o->validate, &value));
		query_add(query, "fieldValidation", value);
	}
	if (o->force)
		query_add(query, "force", "true");
	return NULL;
}

static struct status *send(
	struct kubectl *k, struct rest *request, const struct send_options *options, cJSON **ret_object)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	cJSON *ignored;
	TRY(build_query(options, &query));
	request->query = query.buf;
	return rest_do(k, k->arena, request, ret_object ? ret_object : &ignored);
}

/* A new object has no version yet, although the manifest may be what get has printed (cli-runtime's Helper.Create). */
static const cJSON *without_version(struct arena *arena, const cJSON *object)
{
	if (str_empty(tree_string(tree_get_path(object, "metadata", "resourceVersion", NULL))))
		return object;
	cJSON *copy = tree_copy(arena, object);
	tree_remove(tree_get(copy, "metadata"), "resourceVersion");
	return copy;
}

struct status *send_create(struct kubectl *k, const struct api_resource *mapping, const char *namespace,
	const cJSON *object, const struct send_options *options, cJSON **ret_object)
{
	struct rest request = {.method = "POST",
		.path = rest_path(k->arena, mapping, namespace, NULL, options->subresource),
		.tree = without_version(k->arena, object)};
	return send(k, &request, options, ret_object);
}

struct status *send_replace(struct kubectl *k, const struct info *info, const cJSON *object,
	const struct send_options *options, cJSON **ret_object)
{
	struct rest request = {.method = "PUT",
		.path = rest_path(k->arena, info->mapping, info->namespace, info->name, options->subresource),
		.tree = object};
	return send(k, &request, options, ret_object);
}

struct status *send_patch(struct kubectl *k, const struct info *info, enum client_patch_type type, const char *patch,
	const struct send_options *options, cJSON **ret_object)
{
	struct rest request = {.method = "PATCH",
		.path = rest_path(k->arena, info->mapping, info->namespace, info->name, options->subresource),
		.content_type = client_patch_content_type(type),
		.body = patch,
		.body_size = strlen(patch)};
	return send(k, &request, options, ret_object);
}

struct status *send_delete(
	struct kubectl *k, const struct info *info, const struct delete_options *options, cJSON **ret_answer)
{
	cJSON *body = tree_new_object(k->arena);
	if (options->propagation)
		tree_set_string(k->arena, body, "propagationPolicy", options->propagation);
	if (options->grace_seconds >= 0)
		obj_set_int(k->arena, body, "gracePeriodSeconds", options->grace_seconds);
	if (options->dry_run == DRY_RUN_SERVER)
		tree_append(obj_array(k->arena, body, "dryRun"), tree_new_string(k->arena, "All"));
	if (!str_empty(options->uid))
		obj_set_string(k->arena, body, "preconditions.uid", options->uid);
	struct rest request = {.method = "DELETE",
		.path = rest_path(k->arena, info->mapping, info->namespace, info->name, NULL),
		.tree = body};
	cJSON *ignored;
	return rest_do(k, k->arena, &request, ret_answer ? ret_answer : &ignored);
}

struct status *parse_cascade(const char *text, const char **ret_propagation)
{
	bool value;
	if (str_eq(text, "orphan"))
		*ret_propagation = "Orphan";
	else if (str_eq(text, "foreground"))
		*ret_propagation = "Foreground";
	else if (str_eq(text, "background"))
		*ret_propagation = "Background";
	else if (str_to_bool(text, &value)) {
		fprintf(stderr,
			"warning: --cascade=%s is deprecated (boolean value) and can be replaced with --cascade=%s.\n",
			text, value ? "background" : "orphan");
		*ret_propagation = value ? "Background" : "Orphan";
	} else
		return user_error(
			"invalid cascade value (%s). Must be \"background\", \"foreground\", or \"orphan\"", text);
	return NULL;
}

const struct schema_type *schema_of_mapping(const struct api_resource *mapping)
{
	return mapping ? schema_find_kind(mapping->rest.group, mapping->rest.version, mapping->kind) : NULL;
}

struct status *difference(struct kubectl *k, const struct api_resource *mapping, const cJSON *before,
	const cJSON *after, enum client_patch_type *ret_type, char **ret_patch)
{
	const struct schema_type *type = schema_of_mapping(mapping);
	cJSON *patch;
	*ret_type = type ? CLIENT_PATCH_STRATEGIC : CLIENT_PATCH_MERGE;
	if (type)
		TRY(patch_create_strategic(k->arena, type, before, after, &patch));
	else
		patch = patch_create_merge(k->arena, before, after);
	*ret_patch = tree_to_string(k->arena, patch, TREE_SORTED);
	return NULL;
}

struct status *send_difference(struct kubectl *k, struct info *info, const cJSON *before, const cJSON *after,
	const struct send_options *options, bool *ret_changed)
{
	enum client_patch_type type;
	char *patch;
	TRY(difference(k, info->mapping, before, after, &type, &patch));
	bool changed = !str_eq(patch, "{}");
	if (ret_changed)
		*ret_changed = changed;
	return changed ? send_patch(k, info, type, patch, options, &info->object) : NULL;
}

void set_last_applied(struct arena *arena, cJSON *object)
{
	cJSON *copy = tree_copy(arena, object);
	cJSON *annotations = obj_object(arena, copy, "metadata.annotations");
	(void)tree_remove(annotations, LAST_APPLIED);
	char *text = arena_printf(arena, "%s\n", tree_to_string(arena, copy, TREE_SORTED));
	tree_set_string(arena, obj_object(arena, object, "metadata.annotations"), LAST_APPLIED, text);
}
