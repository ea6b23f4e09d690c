/* kubectl apply view-last-applied and set-last-applied. */
#include "kubectl/verbs/apply.h"

struct last_options {
	struct print_options print;
	struct filename_options files;
	char *selector, *dry_run;
	bool all, create_annotation;
};

#define L(...) OPT(struct last_options, __VA_ARGS__)
static const struct option view_flags[] = {
	OPT_GROUP(struct last_options, files, filename_flags),
	L(print.output, 'o', "output", FLAG_STRING, "yaml", "yaml or json"),
	L(all, 0, "all", FLAG_BOOL, "false", "All objects of the type"),
	L(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	OPT_END,
};
static const struct option set_flags[] = {
	OPT_GROUP(struct last_options, print, print_flags),
	OPT_GROUP(struct last_options, files, filename_flags),
	OPT_DRY_RUN(struct last_options, dry_run),
	L(create_annotation, 0, "create-annotation", FLAG_BOOL, "false", "Make the annotation where it is missing"),
	OPT_END,
};

static struct status *view_run(struct kubectl *k, struct call *call)
{
	struct last_options *o = call->options;
	struct infos infos;
	if (!str_eq(o->print.output, "yaml") && !str_eq(o->print.output, "json"))
		return usage_error(call, "Unexpected -o output mode: %s, the flag 'output' must be one of yaml|json",
			o->print.output);
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.all = o->all,
		.flatten = true,
		.latest = true};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++) {
		const char *text = obj_annotation(infos.items[i].object, LAST_APPLIED);
		cJSON *tree;
		if (!*text)
			continue;
		struct status *s = tree_parse(k->arena, text, strlen(text), NULL, &tree);
		if (s)
			errors_add(&errors, s);
		else if (str_eq(o->print.output, "json"))
			print_json(tree, false, stdout);
		else
			print_yaml(tree, stdout);
	}
	return errors;
}

static struct status *set_one(struct kubectl *k, struct last_options *o, struct send_options *send, struct info *info)
{
	struct info current = *info;
	TRY(info_fetch(k, &current));
	if (!*obj_annotation(current.object, LAST_APPLIED) && !o->create_annotation)
		return user_error(
			"no last-applied-configuration annotation found on resource: %s, to create the annotation, "
			"run the "
			"command with --create-annotation",
			info->name);
	cJSON *modified = tree_copy(k->arena, info->object), *patch = tree_new_object(k->arena);
	set_last_applied(k->arena, modified);
	tree_set_string(k->arena, obj_object(k->arena, patch, "metadata.annotations"), LAST_APPLIED,
		obj_annotation(modified, LAST_APPLIED));
	if (send->dry_run != DRY_RUN_CLIENT)
		TRY(send_patch(
			k, &current, CLIENT_PATCH_MERGE, tree_to_string(k->arena, patch, 0), send, &current.object));
	return print_result(k, &o->print, "configured", send->dry_run, current.object);
}

static struct status *set_run(struct kubectl *k, struct call *call)
{
	struct last_options *o = call->options;
	struct send_options send = {0};
	struct infos infos;
	if (!has_files(&o->files))
		return user_error("one or more files must be specified as -f");
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	struct selection sel = {.files = &o->files};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, set_one(k, o, &send, &infos.items[i]));
	return errors;
}

static const struct command view_last_command = {
	.name = "view-last-applied",
	.usage = "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
	.summary = "Show the configuration that was applied last",
	.flags = view_flags,
	.options_size = sizeof(struct last_options),
	.run = view_run,
};
static const struct command set_last_command = {
	.name = "set-last-applied",
	.usage = "-f FILENAME",
	.summary = "Set the annotation of the last applied configuration to a file's content",
	.flags = set_flags,
	.options_size = sizeof(struct last_options),
	.run = set_run,
};
const struct command *const apply_children[] = {&set_last_command, &view_last_command, NULL};
