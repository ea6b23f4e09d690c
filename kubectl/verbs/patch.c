#include "api/patch.h"
#include "api/yaml.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct patch_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *patch, *patch_file, *type, *subresource;
	bool local;
};

#define P(...) OPT(struct patch_options, __VA_ARGS__)
static const struct option patch_flags[] = {
	OPT_GROUP(struct patch_options, print, print_flags),
	OPT_GROUP(struct patch_options, files, filename_flags),
	OPT_DRY_RUN(struct patch_options, dry_run),
	OPT_FIELD_MANAGER(struct patch_options, field_manager, "kubectl-patch"),
	P(local, 0, "local", FLAG_BOOL, "false", "Change the files' objects only, ask no server"),
	P(patch, 'p', "patch", FLAG_STRING, "", "The patch, as JSON or YAML"),
	P(patch_file, 0, "patch-file", FLAG_STRING, "", "File with the patch"),
	P(subresource, 0, "subresource", FLAG_STRING, "", "Subresource to patch: status, scale, resize"),
	P(type, 0, "type", FLAG_STRING, "strategic", "json, merge or strategic"),
	OPT_END,
};

static const struct {
	const char *name;
	enum client_patch_type type;
} types[] = {{"json", CLIENT_PATCH_JSON}, {"merge", CLIENT_PATCH_MERGE}, {"strategic", CLIENT_PATCH_STRATEGIC}};

struct patcher {
	struct kubectl *k;
	struct patch_options *o;
	struct send_options send;
	enum client_patch_type type;
	cJSON *patch;
};

static struct status *parse_type(struct patcher *p, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq_nocase(types[i].name, text)) {
			p->type = types[i].type;
			return NULL;
		}
	}
	return user_error("--type must be one of [json merge strategic], not \"%s\"", text);
}

static struct status *read_patch(struct patcher *p)
{
	const struct patch_options *o = p->o;
	char *data = arena_strdup(p->k->arena, o->patch);
	size_t size = strlen(data);
	if (!str_empty(o->patch) && !str_empty(o->patch_file))
		return user_error("cannot specify --patch and --patch-file together");
	if (str_empty(o->patch) && str_empty(o->patch_file))
		return user_error("must specify --patch or --patch-file containing the contents of the patch");
	if (!str_empty(o->patch_file)) {
		struct status *s = read_input(p->k, o->patch_file, &data, &size);
		if (s) {
			status_free(s);
			return user_error(
				"unable to read patch file: open %s: no such file or directory", o->patch_file);
		}
	}
	struct status *s = yaml_parse(p->k->arena, data, size, NULL, &p->patch);
	if (!s)
		return NULL;
	struct status *named = user_error("unable to parse \"%s\": %s", o->patch, s->message);
	status_free(s);
	return named;
}

/* The patch applied here, for --local and --dry-run=client. */
static struct status *patch_locally(struct patcher *p, const struct info *info, cJSON **ret)
{
	struct arena *arena = p->k->arena;
	if (p->type == CLIENT_PATCH_JSON)
		return patch_json(arena, info->object, p->patch, ret);
	if (p->type == CLIENT_PATCH_MERGE)
		return patch_merge(arena, info->object, p->patch, ret);
	const char *version = obj_string(info->object, "apiVersion"), *slash = strchr(version, '/');
	const struct schema_type *type =
		schema_find_kind(slash ? arena_strndup(arena, version, (size_t)(slash - version)) : "",
			slash ? slash + 1 : version, obj_kind(info->object));
	if (!type)
		return user_error("strategic merge patch is not supported for %s, Kind=%s locally, try --type merge",
			version, obj_kind(info->object));
	return patch_strategic(arena, type, info->object, p->patch, ret);
}

/* What the patch is worth: the answer differs from what was there in more than its bookkeeping. */
static struct status *patch_one(struct patcher *p, const struct info *info)
{
	cJSON *after;
	bool local = p->o->local || p->send.dry_run == DRY_RUN_CLIENT;
	if (local) {
		struct status *s = patch_locally(p, info, &after);
		if (s)
			return status_with_code(s, 1);
	} else {
		struct status *s =
			send_patch(p->k, info, p->type, tree_to_string(p->k->arena, p->patch, 0), &p->send, &after);
		if (status_is(s, STATUS_UNSUPPORTED_MEDIA)) {
			struct status *named = user_error("%s is not supported by %s/%s, Kind=%s: %s",
				client_patch_content_type(p->type), info->mapping->rest.group,
				info->mapping->rest.version, info->mapping->kind, s->message);
			status_free(s);
			return named;
		}
		TRY(s);
	}
	return print_result(p->k, &p->o->print, tree_equal(info->object, after) ? "patched (no change)" : "patched",
		p->o->local ? DRY_RUN_NONE : p->send.dry_run, after);
}

static struct status *patch_run(struct kubectl *k, struct call *call)
{
	struct patch_options *o = call->options;
	struct patcher p = {.k = k, .o = o, .send = {.field_manager = o->field_manager, .subresource = o->subresource}};
	struct infos infos;
	TRY(parse_type(&p, o->type));
	if (o->local && call->n_args)
		return user_error("cannot specify --local and server resources");
	if (o->local && str_eq(o->dry_run, "server"))
		return user_error("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
	TRY(read_patch(&p));
	TRY(dry_run_parse(o->dry_run, &p.send.dry_run));
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.subresource = o->subresource,
		.local = o->local,
		.flatten = true,
		.latest = !o->local};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, patch_one(&p, &infos.items[i]));
	if (!errors && !infos.n_items)
		return user_error("no objects passed to patch");
	return errors;
}

const struct command patch_command = {
	.name = "patch",
	.section = "Advanced Commands:",
	.summary = "Update fields of a resource",
	.usage = "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
	.examples = "# by strategic merge\nkubectl patch node node1 -p '{\"spec\":{\"unschedulable\":true}}'\n\n"
		    "# by JSON patch\nkubectl patch pod web --type=json -p "
		    "'[{\"op\":\"remove\",\"path\":\"/metadata/labels/x\"}]'",
	.flags = patch_flags,
	.options_size = sizeof(struct patch_options),
	.run = patch_run,
};
