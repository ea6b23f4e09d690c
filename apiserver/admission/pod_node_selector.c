#include "api/meta.h"
#include "api/yaml.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/validation/field.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

/* Which nodes the pods of a namespace may be for: its annotation, or the configuration, says so in labels. */

#define ANNOTATION "scheduler.alpha.kubernetes.io/node-selector"

struct labels {
	MapStringEntry **items;
	size_t n_items;
};

/* The configuration has no version, and whatever is wrong in it counts as nothing. */
static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	cJSON *tree = NULL;
	struct status *wrong =
		start->config ? yaml_parse(start->arena, start->config, start->config_size, NULL, &tree) : NULL;
	if (wrong)
		status_drop(wrong, "as the original does");
	context->own = tree_get(tree, "podNodeSelectorPluginConfig");
	return NULL;
}

static const char *told(const struct admission_context *context, const char *key)
{
	return str_or_empty(tree_string(tree_get(context->own, key)));
}

static struct status *bad_label(struct arena *arena, const char *where, const char *text, const char *problem)
{
	return problem ? status_new(
				 STATUS_UNKNOWN, "%s: Invalid value: %s: %s", where, field_quote(arena, text), problem)
		       : NULL;
}

/* "a=b,c=d" */
static struct status *read_labels(struct arena *arena, const char *text, struct labels *ret)
{
	char **terms, **parts;
	const size_t n = str_split(arena, text, ',', &terms);
	*ret = (struct labels){0};
	for (size_t i = 0; i < n; i++) {
		const size_t n_parts = str_split(arena, terms[i], '=', &parts);
		if (n_parts != 2)
			return status_new(
				STATUS_UNKNOWN, "invalid selector: [%s]", str_join(arena, parts, n_parts, " "));
		const char *key = str_trim(arena, parts[0]), *value = str_trim(arena, parts[1]);
		TRY(bad_label(arena, "<nil>", key, check_qualified_name(arena, key)));
		TRY(bad_label(arena, arena_printf(arena, "[%s]", key), value, check_label_value(arena, value)));
		map_set(arena, &ret->items, &ret->n_items, key, value);
	}
	return NULL;
}

static struct status *labels_of_namespace(
	const struct admission_context *context, const struct admission_attributes *a, struct labels *ret)
{
	const CoreV1Namespace *ns;
	TRY(admission_namespace(context, a, &ns));
	const char *annotated = meta_annotation(ns->metadata, ANNOTATION);
	return read_labels(a->arena, annotated ? annotated : told(context, "clusterDefaultNodeSelector"), ret);
}

/* While it is not sure of a name, the original says none. */
static struct status *refuse(const struct admission_attributes *a, const char *why)
{
	const char *name = object_name(a->object);
	if (!str_empty(name))
		return admission_forbidden(a, "%s", why);
	return status_details(
		status_new(STATUS_FORBIDDEN, "%s is forbidden: %s", a->resource, why), a->group, a->resource, name);
}

static bool conflicts(const struct labels *wanted, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < wanted->n_items; i++) {
		const char *own = MAP_GET(spec, node_selector, wanted->items[i]->key);
		if (own && !str_eq(own, wanted->items[i]->value))
			return true;
	}
	return false;
}

static struct status *check(const struct admission_context *context, const struct admission_attributes *a,
	const struct labels *wanted, const CoreV1PodSpec *spec)
{
	struct labels allowed;
	if (conflicts(wanted, spec))
		return refuse(a, "pod node label selector conflicts with its namespace node label selector");
	TRY(read_labels(a->arena, told(context, a->namespace), &allowed));
	if (allowed.n_items &&
		!map_contains(allowed.items, allowed.n_items, spec->node_selector, spec->n_node_selector))
		return refuse(a, "pod node label selector labels conflict with its namespace whitelist");
	return NULL;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1PodSpec *spec = admission_pod_spec(a);
	struct labels wanted;
	if (!spec)
		return NULL;
	TRY(labels_of_namespace(context, a, &wanted));
	return check(context, a, &wanted, spec);
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	CoreV1PodSpec *spec = admission_pod_spec(a);
	struct labels wanted;
	if (!spec)
		return NULL;
	TRY(labels_of_namespace(context, a, &wanted));
	if (!conflicts(&wanted, spec))
		for (size_t i = 0; i < wanted.n_items; i++)
			map_set(a->arena, &spec->node_selector, &spec->n_node_selector, wanted.items[i]->key,
				wanted.items[i]->value);
	return check(context, a, &wanted, spec);
}

const struct admission_plugin pod_node_selector_plugin = {
	.name = "PodNodeSelector",
	.operations = ON_CREATE,
	.mutate = mutate,
	.validate = validate,
	.start = start,
};
