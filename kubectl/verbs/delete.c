#include <strings.h>
#include "kubectl/await.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct delete_flags_options {
	struct filename_options files;
	char *selector, *field_selector, *raw, *cascade, *dry_run, *output;
	bool all, all_namespaces, force, ignore_not_found, interactive, now, wait;
	int64_t grace, timeout_ms;
};

#define D(...) OPT(struct delete_flags_options, __VA_ARGS__)
static const struct option delete_flags[] = {
	OPT_GROUP(struct delete_flags_options, files, filename_flags),
	OPT_DRY_RUN(struct delete_flags_options, dry_run),
	D(all, 0, "all", FLAG_BOOL, "false", "All objects of the type in the namespace"),
	D(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	OPT_IMPLIED(struct delete_flags_options, cascade, 0, "cascade", FLAG_STRING, "background", "background",
		"background, foreground or orphan: what happens to the objects that this one owns"),
	D(field_selector, 0, "field-selector", FLAG_STRING, "", "Select by fields"),
	D(force, 0, "force", FLAG_BOOL, "false", "Remove at once without waiting for a graceful end"),
	D(grace, 0, "grace-period", FLAG_INT, "-1", "Seconds to end gracefully; negative: as the object says"),
	D(ignore_not_found, 0, "ignore-not-found", FLAG_BOOL, "false", "What is not there is no error"),
	D(interactive, 'i', "interactive", FLAG_BOOL, "false", "Ask before deleting"),
	D(now, 0, "now", FLAG_BOOL, "false", "The same as --grace-period=1"),
	D(output, 'o', "output", FLAG_STRING, "", "name: show type/name only"),
	D(raw, 0, "raw", FLAG_STRING, "", "Path on the server to delete"),
	D(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	D(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "How long to wait; 0: until it is done"),
	D(wait, 0, "wait", FLAG_BOOL, "true", "Wait until the objects are gone"),
	OPT_END,
};

struct deletion {
	struct info info;
	const char *uid;
};

static struct status *complete(struct delete_flags_options *o, struct call *call)
{
	if ((o->all || !str_empty(o->selector) || !str_empty(o->field_selector)) &&
		!call_changed(call, "ignore-not-found"))
		o->ignore_not_found = true;
	if (o->now) {
		if (o->grace != -1)
			return user_error("--now and --grace-period cannot be specified together");
		o->grace = 1;
	}
	if (!o->grace && !o->force)
		o->grace = 1;
	if (o->force && o->grace < 0)
		o->grace = 0;
	if (!str_empty(o->output) && !str_eq(o->output, "name"))
		return user_error("unexpected -o output mode: %s. We only support '-o name'", o->output);
	if (o->all && !str_empty(o->selector))
		return user_error("setting 'all' parameter but found a non empty selector. ");
	if (o->all && !str_empty(o->field_selector))
		return user_error("cannot set --all and --field-selector at the same time");
	if (o->grace > 0 && o->force)
		return user_error("--force and --grace-period greater than 0 cannot be specified together");
	return NULL;
}

static void print_deleted(
	struct kubectl *k, const struct delete_flags_options *o, enum dry_run dry_run, const struct info *info)
{
	char *kind = mapping_kind_group(k->arena, info->mapping);
	const char *operation = o->grace ? "deleted" : "force deleted";
	if (str_eq(o->output, "name")) {
		printf("%s/%s\n", kind, info->name);
		return;
	}
	if (info->mapping->rest.namespaced)
		operation = arena_printf(k->arena, "%s from %s namespace", operation, info->namespace);
	printf("%s \"%s\" %s\n", kind, info->name, dry_run_operation(k, dry_run, operation));
	fflush(stdout);
}

static struct status *delete_one(struct kubectl *k, const struct delete_flags_options *o,
	const struct delete_options *how, struct info *info, const char **ret_uid)
{
	cJSON *answer;
	if (how->dry_run != DRY_RUN_CLIENT) {
		struct status *s = send_delete(k, info, how, &answer);
		if (s)
			return info->source ? status_wrap(s, "error when deleting \"%s\"", info->source) : s;
		*ret_uid = str_eq(obj_kind(answer), "Status") ? obj_string(answer, "details.uid")
							      : obj_string(answer, "metadata.uid");
	}
	print_deleted(k, o, how->dry_run, info);
	return NULL;
}

static bool confirmed(struct kubectl *k, const struct infos *infos)
{
	char line[16] = "";
	printf("You are about to delete the following %zu resource(s):\n", infos->n_items);
	for (size_t i = 0; i < infos->n_items; i++)
		printf("%s\n", info_display(k, &infos->items[i]));
	fputs("Do you want to continue? (y/N): ", stdout);
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) && (!strcasecmp(line, "y\n") || !strcasecmp(line, "y")))
		return true;
	puts("deletion is cancelled");
	return false;
}

static struct status *delete_all(
	struct kubectl *k, const struct delete_flags_options *o, const struct delete_options *how, struct infos *infos)
{
	struct status *errors = NULL;
	const char **uids = ARENA_ARRAY(k->arena, const char *, infos->n_items);
	bool *deleted = ARENA_ARRAY(k->arena, bool, infos->n_items);
	for (size_t i = 0; i < infos->n_items; i++) {
		struct info *info = &infos->items[i];
		struct status *s = delete_one(k, o, how, info, &uids[i]);
		deleted[i] = !s;
		if (status_is(s, STATUS_NOT_FOUND) && o->ignore_not_found)
			status_drop(s, "--ignore-not-found");
		else
			errors_add(&errors, s);
	}
	if (errors || !o->wait || how->dry_run != DRY_RUN_NONE)
		return errors;
	int64_t timeout = o->timeout_ms ? o->timeout_ms : 168 * 3600 * 1000;
	for (size_t i = 0; i < infos->n_items; i++) {
		if (!deleted[i])
			continue;
		struct status *s = await_deletion(k, &infos->items[i], uids[i], timeout);
		if (status_is(s, STATUS_FORBIDDEN) || status_is(s, STATUS_METHOD_NOT_ALLOWED))
			status_drop(s, "who may delete need not be able to watch");
		else if (s)
			return s;
	}
	return NULL;
}

static struct status *delete_raw(struct kubectl *k, const char *path)
{
	char *answer;
	size_t size;
	struct rest request = {.method = "DELETE", .path = path};
	TRY(rest_text(k, k->arena, &request, &answer, &size));
	fwrite(answer, 1, size, stdout);
	return NULL;
}

static struct status *delete_run(struct kubectl *k, struct call *call)
{
	struct delete_flags_options *o = call->options;
	struct delete_options how = {0};
	struct infos infos;
	TRY(complete(o, call));
	TRY(parse_cascade(o->cascade, &how.propagation));
	TRY(dry_run_parse(o->dry_run, &how.dry_run));
	if (!str_empty(o->raw))
		return delete_raw(k, o->raw);
	how.grace_seconds = o->grace;
	if (!o->grace && o->force)
		fputs("Warning: Immediate deletion does not wait for confirmation that the running resource has been "
		      "terminated. "
		      "The resource may continue to run on the cluster indefinitely.\n",
			stderr);
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.field_selector = o->field_selector,
		.all = o->all,
		.all_namespaces = o->all_namespaces,
		.flatten = true,
		.names_only = true,
		.ignore_not_found = o->ignore_not_found};
	struct status *errors = select_objects(k, &sel, &infos);
	if (errors && !infos.n_items)
		return errors;
	if (!infos.n_items) {
		puts("No resources found");
		return NULL;
	}
	if (o->interactive && !confirmed(k, &infos))
		return errors;
	for (size_t i = 0; i < infos.n_items && !str_empty(k->global.namespace) && !o->all_namespaces; i++) {
		if (infos.items[i].mapping->rest.namespaced)
			continue;
		fputs("Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n", stderr);
		break;
	}
	errors_add(&errors, delete_all(k, o, &how, &infos));
	return errors;
}

const struct command delete_command = {
	.name = "delete",
	.section = "Basic Commands (Intermediate):",
	.summary = "Delete resources by file names, stdin, resources and names, or by resources and label selector",
	.usage = "([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
	.examples = "# the objects of a manifest\nkubectl delete -f web.yaml\n\n"
		    "# pods by label, without waiting for their end\nkubectl delete pods -l app=web --wait=false",
	.flags = delete_flags,
	.options_size = sizeof(struct delete_flags_options),
	.run = delete_run,
};
