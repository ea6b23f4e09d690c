#include "kubectl/verbs/create/kinds.h"
#include "kubectl/verbs/verbs.h"

struct create_options {
	struct generator_options common;
	struct filename_options files;
	char *selector, *raw;
	bool edit, windows_line_endings;
};

#define C(...) OPT(struct create_options, __VA_ARGS__)
static const struct option create_flags[] = {
	OPT_GROUP(struct create_options, common, generator_flags),
	OPT_GROUP(struct create_options, files, filename_flags),
	C(selector, 'l', "selector", FLAG_STRING, "", "Only the objects of the files with these labels"),
	C(raw, 0, "raw", FLAG_STRING, "", "Path on the server that the file is posted to as it is"),
	C(edit, 0, "edit", FLAG_BOOL, "false", "Not supported"),
	C(windows_line_endings, 0, "windows-line-endings", FLAG_BOOL, "false", "Accepted without effect"),
	OPT_END,
};

static struct status *create_raw(struct kubectl *k, const struct create_options *o)
{
	char *data, *answer;
	size_t size, answer_size;
	if (o->files.filenames.n_items != 1)
		return user_error("--raw can only use a single local file or stdin");
	TRY(read_input(k, o->files.filenames.items[0], &data, &size));
	struct rest request = {.method = "POST", .path = o->raw, .body = data, .body_size = size};
	TRY(rest_text(k, k->arena, &request, &answer, &answer_size));
	free(data);
	fwrite(answer, 1, answer_size, stdout);
	return NULL;
}

static struct status *create_one(struct kubectl *k, const struct create_options *o, struct send_options *send,
	struct printer *printer, struct info *info)
{
	if (o->common.save_config || obj_annotation(info->object, LAST_APPLIED)[0])
		set_last_applied(k->arena, info->object);
	if (send->dry_run != DRY_RUN_CLIENT) {
		struct status *s = send_create(k, info->mapping, info->namespace, info->object, send, &info->object);
		if (s)
			return status_wrap(s, "error when creating \"%s\"", info->source);
	}
	return printer_print(printer, info->object, stdout);
}

static struct status *create_run(struct kubectl *k, struct call *call)
{
	struct create_options *o = call->options;
	struct send_options send = {.field_manager = o->common.field_manager, .validate = o->common.validate};
	struct printer *printer;
	struct infos infos;
	if (!has_files(&o->files)) {
		if (call->n_args)
			return usage_error(
				call, "Unexpected args: [%s]", str_join(k->arena, call->args, call->n_args, " "));
		return user_error("must specify one of -f and -k");
	}
	if (call->n_args)
		return usage_error(call, "Unexpected args: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	if (o->edit)
		return user_error("--edit is not supported; edit the file, or the object after it was created");
	if (!str_empty(o->raw))
		return create_raw(k, o);
	TRY(dry_run_parse(o->common.dry_run, &send.dry_run));
	TRY(printer_new(k, &o->common.print, dry_run_operation(k, send.dry_run, "created"), &printer));
	struct selection sel = {.files = &o->files, .selector = o->selector};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, create_one(k, o, &send, printer, &infos.items[i]));
	if (!errors && !infos.n_items)
		return user_error("no objects passed to create");
	return errors;
}

static const struct command *const children[] = {&create_clusterrole_command, &create_clusterrolebinding_command,
	&create_configmap_command, &create_cronjob_command, &create_deployment_command, &create_ingress_command,
	&create_job_command, &create_namespace_command, &create_poddisruptionbudget_command,
	&create_priorityclass_command, &create_quota_command, &create_role_command, &create_rolebinding_command,
	&create_secret_command, &create_service_command, &create_serviceaccount_command, &create_token_command, NULL};

const struct command create_command = {
	.name = "create",
	.section = "Basic Commands (Beginner):",
	.summary = "Create a resource from a file or from stdin",
	.usage = "-f FILENAME",
	.details = "Creates objects from manifests (JSON or YAML), or one object of a kind from flags.",
	.examples = "# the objects of a file\nkubectl create -f web.yaml\n\n"
		    "# a deployment of three pods\nkubectl create deployment web --image=nginx --replicas=3",
	.children = children,
	.flags = create_flags,
	.options_size = sizeof(struct create_options),
	.run = create_run,
};
