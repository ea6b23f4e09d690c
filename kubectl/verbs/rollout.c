#include "base/clock.h"
#include "kubectl/await.h"
#include "kubectl/change.h"
#include "kubectl/rollout.h"
#include "kubectl/verbs/verbs.h"

struct rollout_options {
	struct print_options print;
	struct filename_options files;
	char *selector, *dry_run, *field_manager;
	int64_t revision, timeout_ms;
	bool watch;
};

#define R(...) OPT(struct rollout_options, __VA_ARGS__)
#define SELECTION                                                 \
	OPT_GROUP(struct rollout_options, files, filename_flags), \
		R(selector, 'l', "selector", FLAG_STRING, "", "Select by labels")
static const struct option status_flags[] = {
	SELECTION,
	R(revision, 0, "revision", FLAG_INT, "0", "Fail if another revision than this is rolled out"),
	R(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "How long to wait; 0: for ever"),
	R(watch, 'w', "watch", FLAG_BOOL, "true", "Wait until the rollout is done"),
	OPT_END,
};
static const struct option history_flags[] = {
	SELECTION,
	OPT_GROUP(struct rollout_options, print, print_flags),
	R(revision, 0, "revision", FLAG_INT, "0", "Show the pod template of this revision"),
	OPT_END,
};
static const struct option undo_flags[] = {
	SELECTION,
	OPT_GROUP(struct rollout_options, print, print_flags),
	OPT_DRY_RUN(struct rollout_options, dry_run),
	R(revision, 0, "to-revision", FLAG_INT, "0", "Revision to go back to; 0: the one before"),
	OPT_END,
};
static const struct option change_flags[] = {
	SELECTION,
	OPT_GROUP(struct rollout_options, print, print_flags),
	OPT_FIELD_MANAGER(struct rollout_options, field_manager, "kubectl-rollout"),
	OPT_END,
};

static struct selection selection_of(const struct rollout_options *o, struct call *call)
{
	return (struct selection){.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.list_without_selector = true,
		.flatten = true,
		.latest = true};
}

static struct status *need_resource(const struct rollout_options *o, const struct call *call)
{
	return call->n_args || has_files(&o->files) ? NULL : user_error("required resource not specified");
}

/* --- status --- */

struct watcher {
	struct rollout_options *o;
	bool seen;
};

static struct status *check_status(void *data, const cJSON *object, enum await_answer *ret_answer)
{
	struct watcher *w = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text = NULL;
	bool done = false;
	if (!object)
		return w->seen ? user_error("object has been deleted") : NULL;
	w->seen = true;
	TRY(rollout_status(arena, object, w->o->revision, &text, &done));
	fputs(text, stdout);
	fflush(stdout);
	*ret_answer = done || !w->o->watch ? AWAIT_DONE : AWAIT_MORE;
	return NULL;
}

static struct status *status_run(struct kubectl *k, struct call *call)
{
	struct rollout_options *o = call->options;
	struct infos infos;
	struct selection sel = selection_of(o, call);
	const char *namespace;
	TRY(need_resource(o, call));
	if (o->revision < 0)
		return user_error("revision must be a positive integer: %lld", (long long)o->revision);
	TRY(select_objects(k, &sel, &infos));
	for (size_t i = 0; i < infos.n_items; i++) {
		struct watcher w = {.o = o};
		struct await await = {
			.check = check_status, .data = &w, .timeout_ms = o->timeout_ms ? o->timeout_ms : -1};
		struct status *s = await_object(k, &infos.items[i], &await);
		if (status_is(s, STATUS_TIMEOUT)) {
			status_free(s);
			return user_error("timed out waiting for the condition");
		}
		TRY(s);
	}
	TRY(kubectl_namespace(k, &namespace));
	if (!infos.n_items)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	return NULL;
}

/* --- history and undo --- */

static struct status *history_run(struct kubectl *k, struct call *call)
{
	struct rollout_options *o = call->options;
	struct infos infos;
	struct selection sel = selection_of(o, call);
	TRY(need_resource(o, call));
	if (o->revision < 0)
		return user_error("revision must be a positive integer: %lld", (long long)o->revision);
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++) {
		struct info *info = &infos.items[i];
		if (!str_empty(o->print.output)) {
			cJSON *object;
			struct status *s = rollout_revision_object(k, info, o->revision, &object);
			errors_add(&errors, s ? s : print_result(k, &o->print, NULL, DRY_RUN_NONE, object));
			continue;
		}
		char *text;
		struct status *s = rollout_history(k, info, o->revision, &text);
		if (s) {
			errors_add(&errors, s);
			continue;
		}
		const char *with =
			o->revision ? arena_printf(k->arena, " with revision #%lld", (long long)o->revision) : "";
		printf("%s%s%s\n%s\n", info_display(k, info), o->revision ? "" : " ", with, text);
	}
	return errors;
}

static struct status *undo_run(struct kubectl *k, struct call *call)
{
	struct rollout_options *o = call->options;
	struct infos infos;
	struct selection sel = selection_of(o, call);
	enum dry_run dry_run;
	TRY(need_resource(o, call));
	TRY(dry_run_parse(o->dry_run, &dry_run));
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++) {
		const char *operation = "rolled back";
		struct status *s = rollout_undo(k, &infos.items[i], o->revision, dry_run, &operation);
		errors_add(&errors, s ? s : print_result(k, &o->print, operation, dry_run, infos.items[i].object));
	}
	return errors;
}

/* --- restart, pause, resume --- */

static struct status *not_supported(struct kubectl *k, const cJSON *object, const struct info *info, const char *verb)
{
	return user_error("error: %s \"%s\" %s is not supported", mapping_plural_group(k->arena, info->mapping),
		obj_name(object), verb);
}

static struct status *mutate_restart(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	const char *kind = obj_kind(object);
	if (!str_eq(kind, "Deployment") && !str_eq(kind, "DaemonSet") && !str_eq(kind, "StatefulSet"))
		return not_supported(k, object, info, "restarting");
	if (obj_bool(object, "spec.paused"))
		return user_error("error: %s \"%s\" can't restart paused deployment (run rollout resume first)",
			info->mapping->rest.plural, obj_name(object));
	cJSON *annotations = obj_object(k->arena, object, "spec.template.metadata.annotations");
	char *now = rfc3339_format(k->arena, clock_wall_s(clock_system()));
	if (str_eq(tree_string(tree_get(annotations, "kubectl.kubernetes.io/restartedAt")), now))
		return user_error(
			"failed to create patch for %s: if restart has already been triggered within the past "
			"second, please "
			"wait before attempting to trigger another",
			info->name);
	tree_set_string(k->arena, annotations, "kubectl.kubernetes.io/restartedAt", now);
	*ret_operation = "restarted";
	return NULL;
}

static struct status *mutate_pause(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	bool pause = *(const bool *)data;
	if (!str_eq(obj_kind(object), "Deployment"))
		return not_supported(k, object, info, pause ? "pausing" : "resuming");
	if (obj_bool(object, "spec.paused") == pause)
		return user_error("%s.%s \"%s\" %s", info->mapping->rest.plural, info->mapping->rest.group,
			obj_name(object), pause ? "is already paused" : "is not paused");
	if (pause)
		obj_set_bool(k->arena, object, "spec.paused", true);
	else
		obj_remove(object, "spec.paused");
	*ret_operation = pause ? "paused" : "resumed";
	return NULL;
}

static struct status *change_run(struct kubectl *k, struct call *call, struct change *change)
{
	struct rollout_options *o = call->options;
	struct selection sel = selection_of(o, call);
	TRY(need_resource(o, call));
	change->print = &o->print;
	change->send.field_manager = o->field_manager;
	return change_objects(k, &sel, change);
}

static struct status *restart_run(struct kubectl *k, struct call *call)
{
	struct change change = {.mutate = mutate_restart};
	return change_run(k, call, &change);
}

static struct status *pause_run(struct kubectl *k, struct call *call)
{
	bool pause = true;
	struct change change = {.mutate = mutate_pause, .data = &pause};
	return change_run(k, call, &change);
}

static struct status *resume_run(struct kubectl *k, struct call *call)
{
	bool pause = false;
	struct change change = {.mutate = mutate_pause, .data = &pause};
	return change_run(k, call, &change);
}

#define COMMAND(verb, table, summary_)                               \
	static const struct command verb##_command = {.name = #verb, \
		.usage = "(TYPE NAME | TYPE/NAME) [flags]",          \
		.summary = (summary_),                               \
		.flags = table,                                      \
		.options_size = sizeof(struct rollout_options),      \
		.run = verb##_run}
COMMAND(history, history_flags, "View rollout history");
COMMAND(pause, change_flags, "Mark the provided resource as paused");
COMMAND(restart, change_flags, "Restart a resource");
COMMAND(resume, change_flags, "Resume a paused resource");
COMMAND(status, status_flags, "Show the status of the rollout");
COMMAND(undo, undo_flags, "Undo a previous rollout");

static const struct command *const children[] = {
	&history_command, &pause_command, &restart_command, &resume_command, &status_command, &undo_command, NULL};
const struct command rollout_command = {
	.name = "rollout",
	.section = "Deploy Commands:",
	.summary = "Manage the rollout of a resource",
	.usage = "SUBCOMMAND",
	.children = children,
};
