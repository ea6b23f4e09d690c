#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct autoscale_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *name, *cpu, *memory;
	int64_t cpu_percent, min, max;
	bool save_config;
};

#define A(...) OPT(struct autoscale_options, __VA_ARGS__)
static const struct option autoscale_flags[] = {
	OPT_GROUP(struct autoscale_options, print, print_flags),
	OPT_GROUP(struct autoscale_options, files, filename_flags),
	OPT_DRY_RUN(struct autoscale_options, dry_run),
	OPT_FIELD_MANAGER(struct autoscale_options, field_manager, "kubectl-autoscale"),
	A(cpu_percent, 0, "cpu-percent", FLAG_INT, "-1", "Target of the average CPU use, in percent of the request"),
	A(cpu, 0, "cpu", FLAG_STRING, "", "The same: 50%"),
	A(min, 0, "min", FLAG_INT, "-1", "Lowest number of pods"),
	A(max, 0, "max", FLAG_INT, "-1", "Highest number of pods"),
	A(name, 0, "name", FLAG_STRING, "", "Name of the autoscaler"),
	A(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	OPT_END,
};

static cJSON *build(struct kubectl *k, const struct autoscale_options *o, const struct info *info)
{
	struct arena *arena = k->arena;
	cJSON *hpa = obj_new(arena, "autoscaling/v2", "HorizontalPodAutoscaler", str_or(o->name, info->name));
	obj_set_string(arena, hpa, "spec.scaleTargetRef.kind", info->mapping->kind);
	obj_set_string(arena, hpa, "spec.scaleTargetRef.name", info->name);
	obj_set_string(arena, hpa, "spec.scaleTargetRef.apiVersion", api_resource_group_version(arena, info->mapping));
	if (o->min > 0)
		obj_set_int(arena, hpa, "spec.minReplicas", o->min);
	obj_set_int(arena, hpa, "spec.maxReplicas", o->max);
	if (o->cpu_percent >= 0) {
		cJSON *metric = tree_new_object(arena);
		tree_set_string(arena, metric, "type", "Resource");
		obj_set_string(arena, metric, "resource.name", "cpu");
		obj_set_string(arena, metric, "resource.target.type", "Utilization");
		obj_set_int(arena, metric, "resource.target.averageUtilization", o->cpu_percent);
		tree_append(obj_array(arena, hpa, "spec.metrics"), metric);
	}
	obj_set(arena, hpa, "status.currentMetrics", tree_new_null(arena));
	obj_set_int(arena, hpa, "status.desiredReplicas", 0);
	return hpa;
}

static struct status *autoscale_run(struct kubectl *k, struct call *call)
{
	struct autoscale_options *o = call->options;
	struct send_options send = {.field_manager = o->field_manager};
	struct infos infos;
	if (o->max < 1)
		return user_error("--max=MAXPODS is required and must be at least 1, max: %lld", (long long)o->max);
	if (o->max < o->min)
		return user_error("--max=MAXPODS must be larger or equal to --min=MINPODS, max: %lld, min: %lld",
			(long long)o->max, (long long)o->min);
	if (call_changed(call, "cpu-percent"))
		fputs("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format "
		      "(e.g., '70%' "
		      "for utilization or '500m' for milliCPU).\n",
			stderr);
	if (!str_empty(o->cpu))
		o->cpu_percent = strtol(o->cpu, NULL, 10);
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	struct selection sel = {
		.files = &o->files, .args = call->args, .n_args = call->n_args, .flatten = true, .latest = true};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++) {
		const struct api_resource *mapping;
		cJSON *hpa = build(k, o, &infos.items[i]);
		TRY(mapping_of_object(k, hpa, &mapping));
		if (send.dry_run != DRY_RUN_CLIENT || !str_empty(k->global.namespace))
			obj_set_string(k->arena, hpa, "metadata.namespace", infos.items[i].namespace);
		if (o->save_config)
			set_last_applied(k->arena, hpa);
		if (send.dry_run != DRY_RUN_CLIENT)
			TRY(send_create(k, mapping, infos.items[i].namespace, hpa, &send, &hpa));
		errors_add(&errors, print_result(k, &o->print, "autoscaled", send.dry_run, hpa));
	}
	return errors;
}

const struct command autoscale_command = {
	.name = "autoscale",
	.section = "Deploy Commands:",
	.summary = "Auto-scale a deployment, replica set, stateful set, or replication controller",
	.usage = "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu-percent=CPU]",
	.flags = autoscale_flags,
	.options_size = sizeof(struct autoscale_options),
	.run = autoscale_run,
};
