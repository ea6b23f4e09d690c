/* kubectl explain: the server's OpenAPI v3 documents as text. */
#include "kubectl/object.h"
#include "kubectl/printer.h"
#include "kubectl/request.h"
#include "kubectl/verbs/explain.h"
#include "kubectl/verbs/verbs.h"

#define ENUM_SHOWN 4
#define MAX_VISITS 200000 /* of schemas: some lead to each other in more ways than could ever be shown */
#define REF_PREFIX "#/components/schemas/"

struct explain_options {
	char *api_version, *output;
	bool recursive;
};

#define E(...) OPT(struct explain_options, __VA_ARGS__)
static const struct option explain_flags[] = {
	E(api_version, 0, "api-version", FLAG_STRING, "", "Group and version to explain"),
	E(output, 'o', "output", FLAG_STRING, "plaintext", "plaintext or plaintext-openapiv2"),
	E(recursive, 0, "recursive", FLAG_BOOL, "false", "Show the fields of fields, without descriptions"),
	OPT_END,
};

struct explainer {
	struct arena *arena;
	const cJSON *schemas;
	bool recursive;
	FILE *out;
	size_t n_visits;
};

/* References that lead here, so that a type that holds itself ends. */
struct trail {
	const char *ref;
	const struct trail *up;
};

static bool in_trail(const struct trail *trail, const char *ref)
{
	for (; trail; trail = trail->up)
		if (ref && trail->ref && str_eq(trail->ref, ref))
			return true;
	return false;
}

static bool enough(struct explainer *e)
{
	return e->n_visits++ >= MAX_VISITS;
}

static const char *ref_of(const cJSON *schema)
{
	const char *ref = tree_string(tree_get(schema, "$ref"));
	return ref && str_starts_with(ref, REF_PREFIX) ? ref + strlen(REF_PREFIX) : NULL;
}

static const cJSON *resolve(const struct explainer *e, const cJSON *schema)
{
	const char *ref = ref_of(schema);
	const cJSON *found = ref ? tree_get(e->schemas, ref) : NULL;
	return found ? found : schema;
}

/* The schema of a map's values; NULL if it is none. */
static const cJSON *values_of(const cJSON *schema)
{
	const cJSON *values = tree_get(schema, "additionalProperties");
	return cJSON_IsObject(values) ? values : NULL;
}

static char *type_of(const struct explainer *e, const cJSON *schema)
{
	const cJSON *items = tree_get(schema, "items"), *values = values_of(schema), *all = tree_get(schema, "allOf");
	const char *ref = ref_of(schema), *type = obj_string(schema, "type");
	if (items)
		return arena_printf(e->arena, "[]%s", type_of(e, items));
	if (values)
		return arena_printf(e->arena, "map[string]%s", type_of(e, values));
	if (tree_size(all) == 1 && !tree_get(schema, "properties"))
		return type_of(e, all->child);
	if (ref) {
		const cJSON *target = tree_get(e->schemas, ref);
		const char *target_type = obj_string(target, "type"), *dot = strrchr(ref, '.');
		if (!*target_type || str_eq(target_type, "object"))
			return arena_strdup(e->arena, dot ? dot + 1 : ref);
		return arena_strdup(e->arena, target_type);
	}
	return arena_strdup(e->arena, str_eq(type, "object") || !*type ? "Object" : type);
}

static void indent(struct explainer *e, size_t n)
{
	fprintf(e->out, "%*s", (int)n, "");
}

/* Words filled into lines of a width; lines of the text stay apart, and a word longer than the width has its own. */
static void print_wrapped(struct explainer *e, const char *text, size_t width, size_t depth)
{
	char **lines;
	size_t n = str_split(e->arena, text, '\n', &lines);
	for (size_t i = 0; i < n; i++) {
		size_t column = 0;
		const char *rest = lines[i];
		indent(e, depth);
		while (*rest) {
			size_t spaces = strspn(rest, " "), size = strcspn(rest + spaces, " ");
			if (column && size && column + spaces + size > width) {
				fputc('\n', e->out);
				indent(e, depth);
				column = 0;
				spaces = 0;
				rest += strspn(rest, " ");
			}
			if (!size)
				spaces = 0;
			fprintf(e->out, "%*s%.*s", (int)spaces, "", (int)size, rest + spaces);
			column += spaces + size;
			rest += spaces + size;
			rest += size ? 0 : strspn(rest, " ");
		}
		fputc('\n', e->out);
	}
}

static void collect_description(struct explainer *e, const cJSON *schema, const struct trail *up, struct strbuf *out)
{
	const struct trail trail = {ref_of(schema), up};
	if (in_trail(up, trail.ref) || enough(e))
		return;
	const cJSON *resolved = resolve(e, schema), *items = tree_get(resolved, "items"), *values = values_of(resolved);
	const char *text = obj_string(resolved, "description");
	if (*text)
		strbuf_printf(out, "%s\n", text);
	TREE_FOREACH (part, tree_get(resolved, "allOf"))
		collect_description(e, part, &trail, out);
	if (items)
		collect_description(e, items, &trail, out);
	if (values)
		collect_description(e, values, &trail, out);
}

static void print_enum(struct explainer *e, const cJSON *schema, bool in_list, size_t depth)
{
	const cJSON *values = tree_get(schema, "enum");
	size_t i = 0;
	if (!tree_size(values))
		return;
	if (in_list) {
		fputc('\n', e->out);
		indent(e, depth);
		fputs("enum: ", e->out);
	} else {
		fputs("ENUM:", e->out);
	}
	TREE_FOREACH (value, values) {
		char *text = obj_text(e->arena, value);
		if (in_list && i >= ENUM_SHOWN) {
			fputs(", ....", e->out);
			break;
		}
		fprintf(e->out, "%s%s", in_list ? (i ? ", " : "") : "\n    ", *text ? text : "\"\"");
		i++;
	}
}

static bool is_required(const cJSON *schema, const char *name)
{
	TREE_FOREACH (item, tree_get(schema, "required"))
		if (str_eq(tree_string(item), name))
			return true;
	return false;
}

static void print_field(struct explainer *e, const cJSON *schema, const cJSON *field, size_t level)
{
	size_t depth = level * 2;
	indent(e, depth);
	fprintf(e->out, "%s\t<%s>%s", field->string, type_of(e, field),
		is_required(schema, field->string) ? " -required-" : "");
	print_enum(e, field, true, depth);
	fputc('\n', e->out);
	if (e->recursive)
		return;
	const char *text = obj_string(field, "description");
	print_wrapped(e, *text ? text : "<no description>", 78 - depth, depth + 2);
	fputc('\n', e->out);
}

static void print_fields(struct explainer *e, const cJSON *schema, size_t level, const struct trail *up)
{
	const struct trail trail = {ref_of(schema), up};
	size_t n;
	if (in_trail(up, trail.ref) || enough(e))
		return;
	const cJSON *resolved = resolve(e, schema), *items = tree_get(resolved, "items"), *values = values_of(resolved);
	cJSON **fields = obj_sorted(e->arena, tree_get(resolved, "properties"), &n);
	for (size_t i = 0; i < n; i++) {
		print_field(e, resolved, fields[i], level);
		if (e->recursive)
			print_fields(e, fields[i], level + 1, &trail);
	}
	TREE_FOREACH (part, tree_get(resolved, "allOf"))
		print_fields(e, part, level, &trail);
	if (items)
		print_fields(e, items, level, &trail);
	if (values)
		print_fields(e, values, level, &trail);
}

static bool has_fields(struct explainer *e, const cJSON *schema, int depth)
{
	const cJSON *resolved = resolve(e, schema), *items = tree_get(resolved, "items"), *values = values_of(resolved);
	if (depth > 8 || enough(e))
		return false;
	if (tree_size(tree_get(resolved, "properties")))
		return true;
	TREE_FOREACH (part, tree_get(resolved, "allOf"))
		if (has_fields(e, part, depth + 1))
			return true;
	return (items && has_fields(e, items, depth + 1)) || (values && has_fields(e, values, depth + 1));
}

/* The property of that name, looked for through references, lists and maps; *ret_owner is the schema that has it. */
static const cJSON *find_property(struct explainer *e, const cJSON *schema, const char *name, int depth)
{
	const cJSON *resolved = resolve(e, schema), *items = tree_get(resolved, "items"), *values = values_of(resolved);
	const cJSON *found = tree_get(tree_get(resolved, "properties"), name);
	if (found || depth > 8 || enough(e))
		return found;
	if (items)
		return find_property(e, items, name, depth + 1);
	if (values)
		return find_property(e, values, name, depth + 1);
	TREE_FOREACH (part, tree_get(resolved, "allOf"))
		if ((found = find_property(e, part, name, depth + 1)))
			return found;
	return NULL;
}

static struct status *print_schema(struct explainer *e, const cJSON *schema, char **path, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf description = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		schema = find_property(e, schema, path[i], 0);
		if (!schema)
			return user_error("field \"%s\" does not exist", path[n - 1]);
	}
	if (n) {
		fprintf(e->out, "FIELD: %s <%s>\n", path[n - 1], type_of(e, schema));
		print_enum(e, schema, false, 0);
		fputs("\n\n", e->out);
	}
	fputs("DESCRIPTION:\n", e->out);
	collect_description(e, schema, NULL, &description);
	print_wrapped(e, description.len ? description.buf : "<empty>", 76, 4);
	if (has_fields(e, schema, 0)) {
		fputs("FIELDS:\n", e->out);
		print_fields(e, schema, 1, NULL);
	}
	fputc('\n', e->out);
	return NULL;
}

static const cJSON *find_kind(const struct explainer *e, const struct api_resource *r)
{
	TREE_FOREACH (schema, e->schemas)
		TREE_FOREACH (gvk, tree_get(schema, "x-kubernetes-group-version-kind"))
			if (str_eq(obj_string(gvk, "group"), r->rest.group) &&
				str_eq(obj_string(gvk, "version"), r->rest.version) &&
				str_eq(obj_string(gvk, "kind"), r->kind))
				return schema;
	return NULL;
}

static struct status *find_resource(
	struct kubectl *k, const struct explain_options *o, const char *name, const struct api_resource **ret)
{
	struct discovery *discovery;
	const struct api_resource *const *all;
	size_t n;
	TRY(kubectl_discovery(k, &discovery));
	struct status *s = discovery_find(discovery, name, ret);
	if (s || str_empty(o->api_version))
		return s;
	TRY(discovery_resources(discovery, &all, &n));
	for (size_t i = 0; i < n; i++) {
		if (str_eq(all[i]->rest.plural, (*ret)->rest.plural) &&
			str_eq(api_resource_group_version(k->arena, all[i]), o->api_version)) {
			*ret = all[i];
			return NULL;
		}
	}
	return user_error("couldn't find resource for \"%s, Kind=%s\"", o->api_version, (*ret)->kind);
}

/* The resource is the longest leading part of the argument that is one, so that names with a group work as well. */
static struct status *parse_argument(struct kubectl *k, const struct explain_options *o, const char *arg,
	const struct api_resource **ret, char ***ret_path, size_t *ret_n)
{
	char **parts, *first;
	size_t n = str_split(k->arena, arg, '.', &parts);
	first = n ? parts[0] : arena_strdup(k->arena, "");
	struct status *s = find_resource(k, o, first, ret);
	*ret_path = parts + 1;
	*ret_n = n ? n - 1 : 0;
	if (!s)
		return NULL;
	for (size_t used = n; used > 1; used--) {
		char *name = str_join(k->arena, parts, used, ".");
		struct status *other = find_resource(k, o, name, ret);
		if (!other) {
			status_free(s);
			*ret_path = parts + used;
			*ret_n = n - used;
			return NULL;
		}
		status_free(other);
	}
	return s;
}

struct status *explain_document(struct arena *arena, const cJSON *document, const struct api_resource *resource,
	char **path, size_t n_path, bool recursive, FILE *out)
{
	struct explainer e = {
		.arena = arena, .schemas = obj_at(document, "components.schemas"), .recursive = recursive, .out = out};
	const cJSON *schema = find_kind(&e, resource);
	if (!schema)
		return user_error("GVR (%s/%s, Resource=%s) not found in OpenAPI schema", resource->rest.group,
			resource->rest.version, resource->rest.plural);
	if (*resource->rest.group)
		fprintf(out, "GROUP:      %s\n", resource->rest.group);
	fprintf(out, "KIND:       %s\nVERSION:    %s\n\n", resource->kind, resource->rest.version);
	return print_schema(&e, schema, path, n_path);
}

static struct status *explain_run(struct kubectl *k, struct call *call)
{
	struct explain_options *o = call->options;
	const struct api_resource *resource;
	char **path;
	size_t n;
	cJSON *document;
	if (!call->n_args)
		return user_error(
			"You must specify the type of resource to explain. Use \"kubectl api-resources\" for a "
			"complete list of "
			"supported resources.");
	if (call->n_args > 1)
		return user_error("We accept only this format: explain RESOURCE");
	if (!str_starts_with(o->output, "plaintext"))
		return user_error("unrecognized format: %s", o->output);
	struct status *s = parse_argument(k, o, call->args[0], &resource, &path, &n);
	if (s) /* shown without "error: " in front */
		return status_is_servers(s) || s->reason == STATUS_UNAVAILABLE ? s : status_with_code(s, SEVERAL_CODE);
	char *url = *resource->rest.group ? arena_printf(k->arena, "/openapi/v3/apis/%s/%s", resource->rest.group,
						    resource->rest.version)
					  : arena_printf(k->arena, "/openapi/v3/api/%s", resource->rest.version);
	TRY(rest_get(k, k->arena, url, NULL, &document));
	return explain_document(k->arena, document, resource, path, n, o->recursive, stdout);
}

const struct command explain_command = {
	.name = "explain",
	.section = "Basic Commands (Intermediate):",
	.summary = "Get documentation for a resource",
	.usage = "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] "
		 "[-o|--output=plaintext|plaintext-openapiv2]",
	.examples = "# the fields of pods\nkubectl explain pods\n\n# one field\nkubectl explain pods.spec.containers",
	.flags = explain_flags,
	.options_size = sizeof(struct explain_options),
	.run = explain_run,
};
