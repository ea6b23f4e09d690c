#include "api/patch.h"
#include "kubectl/await.h"
#include "kubectl/send.h"
#include "kubectl/verbs/apply.h"

#define CONFLICT_TRIES 5

#define A(...) OPT(struct apply_options, __VA_ARGS__)
const struct option apply_flags[] = {
	OPT_GROUP(struct apply_options, print, print_flags),
	OPT_GROUP(struct apply_options, files, filename_flags),
	OPT_DRY_RUN(struct apply_options, dry_run),
	OPT_FIELD_MANAGER(struct apply_options, field_manager, "kubectl-client-side-apply"),
	A(all, 0, "all", FLAG_BOOL, "false", "With --prune: every object of the kinds"),
	OPT_IMPLIED(struct apply_options, cascade, 0, "cascade", FLAG_STRING, "background", "background",
		"How owned objects are deleted when --force deletes their owner"),
	A(force, 0, "force", FLAG_BOOL, "false", "Delete and create anew what cannot be patched"),
	A(force_conflicts, 0, "force-conflicts", FLAG_BOOL, "false",
		"Take over fields that others manage (--server-side)"),
	A(grace, 0, "grace-period", FLAG_INT, "-1", "Seconds to end gracefully when --force deletes"),
	A(openapi_patch, 0, "openapi-patch", FLAG_BOOL, "true", "Accepted without effect"),
	A(overwrite, 0, "overwrite", FLAG_BOOL, "true", "Overwrite what others changed with the manifest's values"),
	A(prune, 0, "prune", FLAG_BOOL, "false", "Not supported"),
	A(prune_allowlist, 0, "prune-allowlist", FLAG_STRING_ARRAY, "", "Not supported"),
	A(selector, 'l', "selector", FLAG_STRING, "", "Only the objects of the files with these labels"),
	A(server_side, 0, "server-side", FLAG_BOOL, "false", "Let the server merge and keep who owns which field"),
	A(subresource, 0, "subresource", FLAG_STRING, "", "Apply to this subresource (--server-side)"),
	A(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "How long to wait for a deletion"),
	A(validate, 0, "validate", FLAG_STRING, "strict", "strict, warn or ignore what the schema does not know"),
	A(wait, 0, "wait", FLAG_BOOL, "false", "Wait until deleted objects are gone"),
	OPT_END,
};

struct applier {
	struct kubectl *k;
	struct apply_options *o;
	struct send_options send;
	cJSON *results; /* objects to print together at the end; NULL: a line each */
};

static struct status *report(struct applier *a, const struct info *info, const char *operation)
{
	if (a->results) {
		tree_append(a->results, tree_copy(a->k->arena, info->object));
		return NULL;
	}
	return print_result(a->k, &a->o->print, operation, a->send.dry_run, info->object);
}

static void warn_if_deleting(struct applier *a, const struct info *info)
{
	if (obj_has(info->object, "metadata.deletionTimestamp"))
		fprintf(stderr, "Warning: Detected changes to resource %s which is currently being deleted.\n",
			info->name);
}

static struct status *apply_server_side(struct applier *a, struct info *info)
{
	char *body = tree_to_string(a->k->arena, info->object, 0);
	a->send.force = a->o->force_conflicts;
	a->send.subresource = a->o->subresource;
	struct status *s = send_patch(a->k, info, CLIENT_PATCH_APPLY, body, &a->send, &info->object);
	if (status_is(s, STATUS_CONFLICT)) {
		struct status *full =
			user_error("%s\nPlease review the fields above--they currently have other managers. Here\n"
				   "are the ways you can resolve this warning:\n"
				   "* If you intend to manage all of these fields, please re-run the apply\n"
				   "  command with the `--force-conflicts` flag.\n"
				   "* If you do not intend to manage all of the fields, please edit your\n"
				   "  manifest to remove references to the fields that should keep their\n"
				   "  current managers.\n"
				   "* You may co-own fields by updating your manifest to match the existing\n"
				   "  value; in this case, you'll become the manager if the other manager(s)\n"
				   "  stop managing the field (remove it from their configuration).\n"
				   "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
				s->message);
		status_free(s);
		return full;
	}
	TRY(s);
	warn_if_deleting(a, info);
	return report(a, info, "serverside-applied");
}

/* "Resource: ..." lines that errors of apply show. */
static char *describe_info(struct applier *a, const struct info *info)
{
	const struct api_resource *m = info->mapping;
	return arena_printf(a->k->arena,
		"Resource: \"%s/%s, Resource=%s\", GroupVersionKind: \"%s/%s, Kind=%s\"\nName: \"%s\", Namespace: "
		"\"%s\"",
		m->rest.group, m->rest.version, m->rest.plural, m->rest.group, m->rest.version, m->kind, info->name,
		info->namespace);
}

static struct status *make_patch(struct applier *a, const struct info *current, const cJSON *modified,
	enum client_patch_type *ret_type, char **ret)
{
	struct arena *arena = a->k->arena;
	const struct schema_type *type = schema_of_mapping(current->mapping);
	const char *text = obj_annotation(current->object, LAST_APPLIED);
	cJSON *original = NULL, *patch;
	if (*text)
		TRY(tree_parse(arena, text, strlen(text), NULL, &original));
	if (type)
		TRY(patch_create_three_way(arena, type, original, modified, current->object, &patch));
	else
		TRY(patch_create_three_way_merge(arena, original, modified, current->object, &patch));
	*ret_type = type ? CLIENT_PATCH_STRATEGIC : CLIENT_PATCH_MERGE;
	*ret = tree_to_string(arena, patch, TREE_SORTED);
	return NULL;
}

/* --force: the object is deleted and made anew from the manifest. */
static struct status *recreate(struct applier *a, struct info *current, const cJSON *modified)
{
	struct delete_options how = {.grace_seconds = a->o->grace, .dry_run = a->send.dry_run};
	TRY(parse_cascade(a->o->cascade, &how.propagation));
	TRY(send_delete(a->k, current, &how, NULL));
	TRY(await_deletion(
		a->k, current, obj_string(current->object, "metadata.uid"), a->o->timeout_ms ? a->o->timeout_ms : -1));
	return send_create(a->k, current->mapping, current->namespace, modified, &a->send, &current->object);
}

static struct status *patch_present(
	struct applier *a, struct info *current, const cJSON *modified, const char *source, bool *ret_changed)
{
	enum client_patch_type type;
	char *patch = NULL;
	struct status *s = NULL;
	for (int i = 0; i <= CONFLICT_TRIES; i++) {
		TRY(make_patch(a, current, modified, &type, &patch));
		*ret_changed = !str_eq(patch, "{}");
		if (!*ret_changed)
			return NULL;
		s = send_patch(a->k, current, type, patch, &a->send, &current->object);
		if (!status_is(s, STATUS_CONFLICT) || i == CONFLICT_TRIES)
			break;
		status_drop(s, "another writer came first: try against what is there now");
		if (i)
			sleep_ms(1000);
		TRY(info_fetch(a->k, current));
	}
	if ((status_is(s, STATUS_CONFLICT) || status_is(s, STATUS_INVALID)) && a->o->force) {
		status_drop(s, "--force");
		return recreate(a, current, modified);
	}
	if (!s)
		return NULL;
	bool invalid = status_is(s, STATUS_INVALID) && s->n_causes;
	if (invalid) /* shown by its causes; the source would not be */
		return s;
	return status_wrap(s, "error when applying patch:\n%s\nto:\n%s\nfor: \"%s\": error when patching \"%s\"", patch,
		describe_info(a, current), source, source);
}

static struct status *create_absent(struct applier *a, struct info *info, cJSON *modified)
{
	info->object = modified;
	if (a->send.dry_run != DRY_RUN_CLIENT) {
		struct status *s = send_create(a->k, info->mapping, info->namespace, modified, &a->send, &info->object);
		if (s)
			return status_wrap(s, "error when creating \"%s\"", info->source);
	}
	return report(a, info, "created");
}

static struct status *apply_one(struct applier *a, struct info *info)
{
	struct kubectl *k = a->k;
	const char *generated = obj_string(info->object, "metadata.generateName");
	if (!*info->name && *generated)
		return user_error("from %s: cannot use generate name with apply", generated);
	if (a->o->server_side)
		return apply_server_side(a, info);
	cJSON *modified = tree_copy(k->arena, info->object);
	set_last_applied(k->arena, modified);
	if (!*info->name)
		return user_error(
			"error when retrieving current configuration of:\n%s\nfrom server for: \"%s\": resource "
			"name may "
			"not be empty",
			describe_info(a, info), info->source);
	struct info current = *info;
	struct status *s = info_fetch(k, &current);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "it is to be created");
		return create_absent(a, info, modified);
	}
	if (s)
		return status_wrap(s, "error when retrieving current configuration of:\n%s\nfrom server for: \"%s\"",
			describe_info(a, info), info->source);
	if (a->send.dry_run == DRY_RUN_CLIENT)
		return report(a, &current, "configured");
	if (!*obj_annotation(current.object, LAST_APPLIED))
		fprintf(stderr,
			"Warning: resource %s is missing the %s annotation which is required by kubectl apply. kubectl "
			"apply should "
			"only be used on resources created declaratively by either kubectl create --save-config or "
			"kubectl apply. "
			"The missing annotation will be patched automatically.\n",
			arena_printf(k->arena, "%s/%s", info->mapping->rest.plural, info->name), LAST_APPLIED);
	bool changed;
	TRY(patch_present(a, &current, modified, info->source, &changed));
	warn_if_deleting(a, &current);
	return report(a, &current, changed ? "configured" : "unchanged");
}

static struct status *check(struct kubectl *k, struct apply_options *o, struct call *call)
{
	if (!has_files(&o->files))
		return user_error("must specify one of -f and -k");
	if (call->n_args)
		return usage_error(call, "Unexpected args: [%s]\nSee '%s -h' for help and examples",
			str_join(k->arena, call->args, call->n_args, " "), call->path);
	if (o->force_conflicts && !o->server_side)
		return user_error("--force-conflicts only works with --server-side");
	if (o->server_side && o->force)
		return user_error("--force cannot be used with --server-side");
	if (o->prune || o->prune_allowlist.n_items)
		return user_error("--prune is not supported");
	if (str_eq(o->dry_run, "client") && o->server_side)
		return user_error(
			"--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
	if (o->server_side && !call_changed(call, "field-manager"))
		o->field_manager = arena_strdup(k->arena, "kubectl");
	return NULL;
}

static struct status *print_collected(struct applier *a)
{
	struct printer *printer;
	TRY(printer_new(a->k, &a->o->print, NULL, &printer));
	if (tree_size(a->results) == 1)
		return printer_print(printer, a->results->child, stdout);
	cJSON *list = obj_new(a->k->arena, "v1", "List", NULL);
	obj_object(a->k->arena, list, "metadata");
	tree_set(a->k->arena, list, "items", a->results);
	return tree_size(a->results) ? printer_print(printer, list, stdout) : NULL;
}

static struct status *apply_run(struct kubectl *k, struct call *call)
{
	struct apply_options *o = call->options;
	struct applier a = {.k = k, .o = o};
	struct infos infos;
	TRY(check(k, o, call));
	a.send = (struct send_options){.field_manager = o->field_manager, .validate = o->validate};
	TRY(dry_run_parse(o->dry_run, &a.send.dry_run));
	if (print_wants_object(&o->print))
		a.results = tree_new_array(k->arena);
	struct selection sel = {.files = &o->files, .selector = o->selector};
	struct status *errors = select_objects(k, &sel, &infos);
	if (!infos.n_items && !errors)
		return user_error("no objects passed to apply");
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, apply_one(&a, &infos.items[i]));
	if (a.results)
		errors_add(&errors, print_collected(&a));
	return errors;
}

const struct command apply_command = {
	.name = "apply",
	.section = "Advanced Commands:",
	.summary = "Apply a configuration to a resource by file name or stdin",
	.usage = "(-f FILENAME | -k DIRECTORY)",
	.details = "Makes the cluster's objects as the manifests say: creates what is missing and changes what "
		   "differs. What was\n"
		   "applied last is kept in an annotation, so that fields taken out of the manifest are taken out of "
		   "the object.",
	.examples = "# the manifests of a directory\nkubectl apply -f deploy/\n\n# from standard input\ncat web.yaml | "
		    "kubectl "
		    "apply -f -",
	.children = apply_children,
	.flags = apply_flags,
	.options_size = sizeof(struct apply_options),
	.run = apply_run,
};
