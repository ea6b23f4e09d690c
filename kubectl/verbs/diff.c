/* kubectl diff: what apply would change, as the difference of two directories. */
#include <sys/wait.h>
#include "api/patch.h"
#include "api/yaml.h"
#include "base/io.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct diff_options {
	struct filename_options files;
	char *field_manager, *selector;
	struct flag_list prune_allowlist;
	bool force_conflicts, prune, server_side, show_managed_fields;
	int64_t concurrency;
};

#define D(...) OPT(struct diff_options, __VA_ARGS__)
static const struct option diff_flags[] = {
	OPT_GROUP(struct diff_options, files, filename_flags),
	OPT_FIELD_MANAGER(struct diff_options, field_manager, "kubectl-client-side-apply"),
	D(concurrency, 0, "concurrency", FLAG_INT, "1", "Accepted without effect"),
	D(force_conflicts, 0, "force-conflicts", FLAG_BOOL, "false",
		"Take over fields that others manage (--server-side)"),
	D(prune, 0, "prune", FLAG_BOOL, "false", "Not supported"),
	D(prune_allowlist, 0, "prune-allowlist", FLAG_STRING_ARRAY, "", "Not supported"),
	D(selector, 'l', "selector", FLAG_STRING, "", "Only the objects of the files with these labels"),
	D(server_side, 0, "server-side", FLAG_BOOL, "false", "What a server-side apply would change"),
	D(show_managed_fields, 0, "show-managed-fields", FLAG_BOOL, "false", "Keep metadata.managedFields"),
	OPT_END,
};

/* The object as it would be after apply, by a dry run on the server. */
static struct status *merged(
	struct kubectl *k, const struct diff_options *o, struct info *info, const cJSON *live, cJSON **ret)
{
	struct send_options send = {
		.dry_run = DRY_RUN_SERVER, .field_manager = o->field_manager, .force = o->force_conflicts};
	if (o->server_side)
		return send_patch(k, info, CLIENT_PATCH_APPLY, tree_to_string(k->arena, info->object, 0), &send, ret);
	cJSON *modified = tree_copy(k->arena, info->object), *original = NULL, *patch;
	set_last_applied(k->arena, modified);
	if (!live)
		return send_create(k, info->mapping, info->namespace, modified, &send, ret);
	const char *text = obj_annotation(live, LAST_APPLIED);
	const struct schema_type *type = schema_of_mapping(info->mapping);
	if (*text)
		TRY(tree_parse(k->arena, text, strlen(text), NULL, &original));
	if (type)
		TRY(patch_create_three_way(k->arena, type, original, modified, live, &patch));
	else
		TRY(patch_create_three_way_merge(k->arena, original, modified, live, &patch));
	return send_patch(k, info, type ? CLIENT_PATCH_STRATEGIC : CLIENT_PATCH_MERGE,
		tree_to_string(k->arena, patch, TREE_SORTED), &send, ret);
}

static void mask_secret(struct kubectl *k, cJSON *from, cJSON *to)
{
	cJSON *a = tree_get(from, "data"), *b = tree_get(to, "data");
	TREE_FOREACH (entry, a) {
		bool changed = !tree_equal(entry, tree_get(b, entry->string)) && tree_get(b, entry->string);
		tree_set_string(k->arena, a, entry->string, changed ? "*** (before)" : "***");
		if (tree_get(b, entry->string))
			tree_set_string(k->arena, b, entry->string, changed ? "*** (after)" : "***");
	}
	TREE_FOREACH (entry, b)
		if (!tree_get(a, entry->string))
			tree_set_string(k->arena, b, entry->string, "***");
}

static struct status *write_side(
	struct kubectl *k, const struct diff_options *o, const char *dir, const struct info *info, cJSON *object)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	const char *group = info->mapping->rest.group;
	if (!object)
		return NULL;
	if (!o->show_managed_fields)
		obj_remove(object, "metadata.managedFields");
	yaml_print_tree(&text, object);
	char *path = arena_printf(k->arena, "%s/%s%s%s.%s.%s.%s", dir, group, *group ? "." : "",
		info->mapping->rest.version, info->mapping->kind, info->namespace, info->name);
	return io_write_file(path, text.buf, text.len, 0600);
}

static struct status *diff_one(struct kubectl *k, const struct diff_options *o, struct info *info, const char *live_dir,
	const char *merged_dir)
{
	cJSON *live = NULL, *after = NULL;
	struct info present = *info;
	struct status *s = info_fetch(k, &present);
	if (!s)
		live = present.object;
	else if (status_is(s, STATUS_NOT_FOUND))
		status_drop(s, "it would be created");
	else
		return s;
	TRY(merged(k, o, info, live, &after));
	if (str_eq(info->mapping->kind, "Secret") && !*info->mapping->rest.group)
		mask_secret(k, live, after);
	TRY(write_side(k, o, live_dir, info, live));
	return write_side(k, o, merged_dir, info, after);
}

static struct status *run_diff(struct kubectl *k, const char *from, const char *to)
{
	const char *program = getenv("KUBECTL_EXTERNAL_DIFF");
	char *line = arena_printf(k->arena, "%s '%s' '%s'", str_or(program, "diff -u -N"), from, to);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return user_error("failed to run \"%s\"", str_or(program, "diff"));
	k->exit_code = WEXITSTATUS(status);
	return NULL;
}

static struct status *diff_run(struct kubectl *k, struct call *call)
{
	struct diff_options *o = call->options;
	struct infos infos;
	const char *tmp = str_or(getenv("TMPDIR"), "/tmp");
	char *live = arena_printf(k->arena, "%s/LIVE-XXXXXX", tmp),
	     *after = arena_printf(k->arena, "%s/MERGED-XXXXXX", tmp);
	k->exit_code = 2; /* of any error: 1 says that there are differences */
	if (!has_files(&o->files))
		return user_error("must specify one of -f and -k");
	if (o->prune)
		return user_error("--prune is not supported");
	struct selection sel = {.files = &o->files, .selector = o->selector};
	TRY(select_objects(k, &sel, &infos));
	if (!mkdtemp(live) || !mkdtemp(after))
		return user_error("cannot create a temporary directory in %s: %m", tmp);
	struct status *errors = NULL;
	for (size_t i = 0; i < infos.n_items && !errors; i++)
		errors = diff_one(k, o, &infos.items[i], live, after);
	if (!errors)
		errors = run_diff(k, live, after);
	status_drop(io_remove_tree(live), "temporary");
	status_drop(io_remove_tree(after), "temporary");
	return errors;
}

const struct command diff_command = {
	.name = "diff",
	.section = "Advanced Commands:",
	.summary = "Diff the live version against a would-be applied version",
	.usage = "-f FILENAME",
	.flags = diff_flags,
	.options_size = sizeof(struct diff_options),
	.run = diff_run,
};
