#include "kubectl/verbs/create/kinds.h"

struct workload_options {
	struct generator_options common;
	struct flag_list images;
	char *image, *from, *restart, *schedule;
	int64_t port, replicas;
};

#define W(...) OPT(struct workload_options, __VA_ARGS__)
static const struct option deployment_flags[] = {
	OPT_GROUP(struct workload_options, common, generator_flags),
	W(images, 0, "image", FLAG_STRINGS, "", "Image to run; may be repeated"),
	W(port, 0, "port", FLAG_INT, "-1", "Port that the container listens on"),
	W(replicas, 'r', "replicas", FLAG_INT, "1", "Number of pods"),
	OPT_END,
};
static const struct option job_flags[] = {
	OPT_GROUP(struct workload_options, common, generator_flags),
	W(from, 0, "from", FLAG_STRING, "", "Make the job from a cron job: cronjob/name"),
	W(image, 0, "image", FLAG_STRING, "", "Image to run"),
	OPT_END,
};
static const struct option cronjob_flags[] = {
	OPT_GROUP(struct workload_options, common, generator_flags),
	W(image, 0, "image", FLAG_STRING, "", "Image to run"),
	W(restart, 0, "restart", FLAG_STRING, "", "Restart policy: OnFailure or Never"),
	W(schedule, 0, "schedule", FLAG_STRING, "", "When to run, in the format of cron"),
	OPT_END,
};

static void add_command(struct kubectl *k, struct call *call, cJSON *container)
{
	if (call->n_args > 1)
		append_strings(k->arena, obj_array(k->arena, container, "command"), call->args + 1, call->n_args - 1);
}

static struct status *deployment_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct workload_options *o = call->options;
	struct arena *arena = k->arena;
	TRY(require_flag(call, "image"));
	if (o->images.n_items > 1 && call->n_args > 1)
		return user_error("cannot specify multiple --image options and command");
	cJSON *d = obj_new(arena, "apps/v1", "Deployment", name);
	obj_set_string(arena, d, "metadata.labels.app", name);
	obj_set_int(arena, d, "spec.replicas", o->replicas);
	obj_set_string(arena, d, "spec.selector.matchLabels.app", name);
	obj_object(arena, d, "spec.strategy");
	obj_set_string(arena, d, "spec.template.metadata.labels.app", name);
	obj_object(arena, d, "status");
	cJSON *spec = obj_object(arena, d, "spec.template.spec"), *container;
	for (size_t i = 0; i < o->images.n_items; i++)
		container = add_container(arena, spec, NULL, o->images.items[i]);
	container = tree_at(tree_get(spec, "containers"), 0);
	add_command(k, call, container);
	if (o->port >= 0) {
		cJSON *port = tree_new_object(arena);
		obj_set_int(arena, port, "containerPort", o->port);
		tree_append(obj_array(arena, container, "ports"), port);
	}
	*ret_object = d;
	return NULL;
}

static struct status *deployment_run(struct kubectl *k, struct call *call)
{
	cJSON *object = NULL;
	size_t n = call->dash_dash >= 0 ? (size_t)call->dash_dash : call->n_args;
	TRY(require_flag(call, "image"));
	if (n != 1)
		return usage_error(call, "exactly one NAME is required, got %zu", n);
	TRY(deployment_build(k, call, call->args[0], &object));
	return generator_finish(k, call, object);
}

static struct status *job_from_cronjob(struct kubectl *k, const char *from, const char *name, cJSON **ret_object)
{
	struct infos infos;
	char *args[] = {arena_strdup(k->arena, from)};
	struct selection sel = {.args = args, .n_args = 1, .flatten = true, .stop_at_error = true};
	TRY(select_objects(k, &sel, &infos));
	if (infos.n_items != 1)
		return user_error("from must be an existing cronjob");
	const cJSON *cron = infos.items[0].object;
	if (!str_eq(obj_kind(cron), "CronJob"))
		return user_error("unknown object type for --from: %s", obj_kind(cron));
	struct arena *arena = k->arena;
	cJSON *job = obj_new(arena, "batch/v1", "Job", name), *owner = tree_new_object(arena);
	cJSON *annotations = obj_at(cron, "spec.jobTemplate.metadata.annotations");
	cJSON *labels = obj_at(cron, "spec.jobTemplate.metadata.labels");
	if (annotations)
		obj_set(arena, job, "metadata.annotations", tree_copy(arena, annotations));
	tree_set_string(
		arena, obj_object(arena, job, "metadata.annotations"), "cronjob.kubernetes.io/instantiate", "manual");
	if (labels)
		obj_set(arena, job, "metadata.labels", tree_copy(arena, labels));
	tree_set_string(arena, owner, "apiVersion", "batch/v1");
	tree_set_string(arena, owner, "kind", "CronJob");
	tree_set_string(arena, owner, "name", obj_name(cron));
	tree_set_string(arena, owner, "uid", obj_string(cron, "metadata.uid"));
	obj_set_bool(arena, owner, "controller", true);
	tree_append(obj_array(arena, job, "metadata.ownerReferences"), owner);
	obj_set(arena, job, "spec", tree_copy(arena, obj_at(cron, "spec.jobTemplate.spec")));
	obj_object(arena, job, "status");
	*ret_object = job;
	return NULL;
}

static struct status *job_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct workload_options *o = call->options;
	struct arena *arena = k->arena;
	if (str_empty(o->image) == str_empty(o->from))
		return user_error("either --image or --from must be specified");
	if (!str_empty(o->from)) {
		if (call->n_args > 1)
			return user_error("cannot specify --from and command");
		return job_from_cronjob(k, o->from, name, ret_object);
	}
	cJSON *job = obj_new(arena, "batch/v1", "Job", name);
	obj_object(arena, job, "spec.template.metadata");
	cJSON *spec = obj_object(arena, job, "spec.template.spec");
	add_command(k, call, add_container(arena, spec, name, o->image));
	tree_set_string(arena, spec, "restartPolicy", "Never");
	obj_object(arena, job, "status");
	*ret_object = job;
	return NULL;
}
GENERATOR_RUN(job)

static struct status *cronjob_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct workload_options *o = call->options;
	struct arena *arena = k->arena;
	if (str_empty(o->image))
		return user_error(
			"required flag(s) \"image\"%s not set", str_empty(o->schedule) ? ", \"schedule\"" : "");
	if (str_empty(o->schedule))
		return user_error("required flag(s) \"schedule\" not set");
	cJSON *cron = obj_new(arena, "batch/v1", "CronJob", name);
	obj_set_string(arena, cron, "spec.jobTemplate.metadata.name", name);
	obj_object(arena, cron, "spec.jobTemplate.spec.template.metadata");
	cJSON *spec = obj_object(arena, cron, "spec.jobTemplate.spec.template.spec");
	add_command(k, call, add_container(arena, spec, name, o->image));
	tree_set_string(arena, spec, "restartPolicy", str_or(o->restart, "OnFailure"));
	obj_set_string(arena, cron, "spec.schedule", o->schedule);
	obj_object(arena, cron, "status");
	*ret_object = cron;
	return NULL;
}
GENERATOR_RUN(cronjob)

static const char *const deployment_aliases[] = {"deploy", NULL};
const struct command create_deployment_command = {
	.name = "deployment",
	.aliases = deployment_aliases,
	.usage = "NAME --image=image -- [COMMAND] [args...]",
	.summary = "Create a deployment with the given name",
	.flags = deployment_flags,
	.options_size = sizeof(struct workload_options),
	.run = deployment_run,
};
const struct command create_job_command = {
	.name = "job",
	.usage = "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
	.summary = "Create a job with the given name",
	.flags = job_flags,
	.options_size = sizeof(struct workload_options),
	.run = job_run,
};
static const char *const cronjob_aliases[] = {"cj", NULL};
const struct command create_cronjob_command = {
	.name = "cronjob",
	.aliases = cronjob_aliases,
	.usage = "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
	.summary = "Create a cron job with the given name",
	.flags = cronjob_flags,
	.options_size = sizeof(struct workload_options),
	.run = cronjob_run,
};
