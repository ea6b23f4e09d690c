#include "kubectl/await.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct replace_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *validate, *cascade, *subresource, *raw;
	bool force, save_config, wait;
	int64_t grace, timeout_ms;
};

#define R(...) OPT(struct replace_options, __VA_ARGS__)
static const struct option replace_flags[] = {
	OPT_GROUP(struct replace_options, print, print_flags),
	OPT_GROUP(struct replace_options, files, filename_flags),
	OPT_DRY_RUN(struct replace_options, dry_run),
	OPT_FIELD_MANAGER(struct replace_options, field_manager, "kubectl-replace"),
	OPT_IMPLIED(struct replace_options, cascade, 0, "cascade", FLAG_STRING, "background", "background",
		"How owned objects are deleted when --force deletes their owner"),
	R(force, 0, "force", FLAG_BOOL, "false", "Delete the object and create it anew"),
	R(grace, 0, "grace-period", FLAG_INT, "-1", "Seconds to end gracefully when --force deletes"),
	R(raw, 0, "raw", FLAG_STRING, "", "Path on the server that the file is put to as it is"),
	R(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	R(subresource, 0, "subresource", FLAG_STRING, "", "Subresource to replace: status, scale, resize"),
	R(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "How long to wait for a deletion"),
	R(validate, 0, "validate", FLAG_STRING, "strict", "strict, warn or ignore what the schema does not know"),
	R(wait, 0, "wait", FLAG_BOOL, "false", "Wait until deleted objects are gone"),
	OPT_END,
};

static struct status *replace_one(
	struct kubectl *k, const struct replace_options *o, const struct send_options *send, struct info *info)
{
	if (o->save_config || *obj_annotation(info->object, LAST_APPLIED))
		set_last_applied(k->arena, info->object);
	if (send->dry_run != DRY_RUN_CLIENT) {
		/* Without a resource version of its own the object takes the present one: the last writer wins. */
		cJSON *present, *object = tree_copy(k->arena, info->object);
		if (!*obj_string(object, "metadata.resourceVersion")) {
			TRY(rest_get(k, k->arena, rest_path(k->arena, info->mapping, info->namespace, info->name, NULL),
				NULL, &present));
			obj_set_string(k->arena, object, "metadata.resourceVersion",
				obj_string(present, "metadata.resourceVersion"));
		}
		struct status *s = send_replace(k, info, object, send, &info->object);
		if (s)
			return status_wrap(s, "error when replacing \"%s\"", info->source);
	}
	return print_result(k, &o->print, "replaced", send->dry_run, info->object);
}

static struct status *delete_present(struct kubectl *k, const struct replace_options *o, struct info *info)
{
	struct delete_options how = {.grace_seconds = o->grace < 0 ? 0 : o->grace};
	cJSON *answer;
	TRY(parse_cascade(o->cascade, &how.propagation));
	struct status *s = send_delete(k, info, &how, &answer);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "then there is nothing to delete");
		return NULL;
	}
	TRY(s);
	printf("%s \"%s\" %s", mapping_kind_group(k->arena, info->mapping), info->name,
		how.grace_seconds ? "deleted" : "force deleted");
	printf(info->mapping->rest.namespaced ? " from %s namespace\n" : "\n%s",
		info->mapping->rest.namespaced ? info->namespace : "");
	const char *uid = str_eq(obj_kind(answer), "Status") ? obj_string(answer, "details.uid")
							     : obj_string(answer, "metadata.uid");
	return await_deletion(k, info, uid, o->timeout_ms ? o->timeout_ms : 300000);
}

static struct status *replace_by_force(
	struct kubectl *k, const struct replace_options *o, const struct send_options *send, struct info *info)
{
	TRY(delete_present(k, o, info));
	if (o->save_config || *obj_annotation(info->object, LAST_APPLIED))
		set_last_applied(k->arena, info->object);
	obj_remove(info->object, "metadata.resourceVersion");
	TRY(send_create(k, info->mapping, info->namespace, info->object, send, &info->object));
	return print_result(k, &o->print, "replaced", DRY_RUN_NONE, info->object);
}

static struct status *replace_raw(struct kubectl *k, const struct replace_options *o)
{
	char *data, *answer;
	size_t size, answer_size;
	if (o->files.filenames.n_items != 1)
		return user_error("--raw can only use a single local file or stdin");
	TRY(read_input(k, o->files.filenames.items[0], &data, &size));
	struct rest request = {.method = "PUT", .path = o->raw, .body = data, .body_size = size};
	TRY(rest_text(k, k->arena, &request, &answer, &answer_size));
	fwrite(answer, 1, answer_size, stdout);
	return NULL;
}

static struct status *replace_run(struct kubectl *k, struct call *call)
{
	struct replace_options *o = call->options;
	struct send_options send = {
		.field_manager = o->field_manager, .validate = o->validate, .subresource = o->subresource};
	struct infos infos;
	if (o->grace >= 0 && !o->force)
		return user_error("--grace-period must have --force specified");
	if (o->timeout_ms && !o->force)
		return user_error("--timeout must have --force specified");
	if (o->force && !str_eq(o->dry_run, "none"))
		return user_error("--dry-run can not be used when --force is set");
	if (!has_files(&o->files))
		return user_error("must specify one of -f and -k");
	if (!str_empty(o->raw))
		return replace_raw(k, o);
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	struct selection sel = {.files = &o->files};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, o->force ? replace_by_force(k, o, &send, &infos.items[i])
					     : replace_one(k, o, &send, &infos.items[i]));
	if (!errors && !infos.n_items)
		return user_error("no objects passed to replace");
	return errors;
}

const struct command replace_command = {
	.name = "replace",
	.section = "Advanced Commands:",
	.summary = "Replace a resource by file name or stdin",
	.usage = "-f FILENAME",
	.flags = replace_flags,
	.options_size = sizeof(struct replace_options),
	.run = replace_run,
};
