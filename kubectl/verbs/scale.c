#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

#define CONFLICT_MS (5 * 60 * 1000)

struct scale_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *resource_version, *selector;
	bool all;
	int64_t replicas, current_replicas, timeout_ms;
};

#define S(...) OPT(struct scale_options, __VA_ARGS__)
static const struct option scale_flags[] = {
	OPT_GROUP(struct scale_options, print, print_flags),
	OPT_GROUP(struct scale_options, files, filename_flags),
	OPT_DRY_RUN(struct scale_options, dry_run),
	S(all, 0, "all", FLAG_BOOL, "false", "All objects of the type in the namespace"),
	S(current_replicas, 0, "current-replicas", FLAG_INT, "-1", "Only if this is the present number"),
	S(replicas, 0, "replicas", FLAG_INT, "0", "The new number of replicas"),
	S(resource_version, 0, "resource-version", FLAG_STRING, "", "Only if the object has this resource version"),
	S(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	S(timeout_ms, 0, "timeout", FLAG_DURATION, "0s",
		"How long to wait until the replicas are there; 0: not at all"),
	OPT_END,
};

static struct status *check_precondition(const struct scale_options *o, const cJSON *scale)
{
	int64_t present = obj_int(scale, "spec.replicas", 0);
	if (o->current_replicas != -1 && present != o->current_replicas)
		return user_error(
			"Expected replicas to be %lld, was %lld", (long long)o->current_replicas, (long long)present);
	if (!str_empty(o->resource_version) &&
		!str_eq(o->resource_version, obj_string(scale, "metadata.resourceVersion")))
		return user_error("Expected resource version to be %s, was %s", o->resource_version,
			obj_string(scale, "metadata.resourceVersion"));
	return NULL;
}

static struct status *scale_once(
	struct kubectl *k, const struct scale_options *o, const struct send_options *send, const struct info *info)
{
	if (o->current_replicas == -1 && str_empty(o->resource_version)) {
		char *patch = arena_printf(k->arena, "{\"spec\":{\"replicas\":%lld}}", (long long)o->replicas);
		return send_patch(k, info, CLIENT_PATCH_MERGE, patch, send, NULL);
	}
	cJSON *scale;
	char *path = rest_path(k->arena, info->mapping, info->namespace, info->name, "scale");
	TRY(rest_get(k, k->arena, path, NULL, &scale));
	TRY(check_precondition(o, scale));
	obj_set_int(k->arena, scale, "spec.replicas", o->replicas);
	return send_replace(k, info, scale, send, NULL);
}

static struct status *await_replicas(struct kubectl *k, const struct scale_options *o, const struct info *info)
{
	int64_t deadline = now_ms() + o->timeout_ms;
	char *path = rest_path(k->arena, info->mapping, info->namespace, info->name, "scale");
	for (;;) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		cJSON *scale;
		TRY(rest_get(k, arena, path, NULL, &scale));
		if (obj_int(scale, "spec.replicas", 0) == obj_int(scale, "status.replicas", 0))
			return NULL;
		if (now_ms() >= deadline)
			return user_error("timed out waiting for \"%s\" to be synced", info->name);
		sleep_ms(1000);
	}
}

static struct status *scale_one(
	struct kubectl *k, const struct scale_options *o, const struct send_options *send, const struct info *info)
{
	int64_t deadline = now_ms() + CONFLICT_MS;
	for (;;) {
		struct status *s = scale_once(k, o, send, info);
		if (!status_is(s, STATUS_CONFLICT) || now_ms() >= deadline) {
			TRY(s);
			break;
		}
		status_drop(s, "another writer came first");
		sleep_ms(1000);
	}
	return o->timeout_ms && send->dry_run == DRY_RUN_NONE ? await_replicas(k, o, info) : NULL;
}

static struct status *scale_run(struct kubectl *k, struct call *call)
{
	struct scale_options *o = call->options;
	struct send_options send = {.subresource = "scale"};
	struct infos infos;
	if (!call_changed(call, "replicas"))
		return user_error("required flag(s) \"replicas\" not set");
	if (o->replicas < 0)
		return user_error(
			"The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
	if (o->current_replicas < -1)
		return user_error("The --current-replicas must specify an integer of -1 or greater");
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.all = o->all,
		.flatten = true};
	struct status *errors = select_objects(k, &sel, &infos);
	if (!infos.n_items && errors) {
		struct status *named = user_error("no objects passed to scale %s", errors->message);
		status_free(errors);
		return named;
	}
	if (!infos.n_items)
		return user_error("no objects passed to scale");
	if (!str_empty(o->resource_version) && infos.n_items > 1)
		return user_error("cannot use --resource-version with multiple resources");
	for (size_t i = 0; i < infos.n_items; i++) {
		if (send.dry_run != DRY_RUN_CLIENT)
			TRY(scale_one(k, o, &send, &infos.items[i]));
		TRY(print_result(k, &o->print, "scaled", send.dry_run, infos.items[i].object));
	}
	return errors;
}

const struct command scale_command = {
	.name = "scale",
	.section = "Deploy Commands:",
	.summary = "Set a new size for a deployment, replica set, or replication controller",
	.usage = "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
	.flags = scale_flags,
	.options_size = sizeof(struct scale_options),
	.run = scale_run,
};
