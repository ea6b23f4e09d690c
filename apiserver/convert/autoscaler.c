#include "apiserver/convert/autoscaler.h"
#include <ctype.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/validation/field.h"
#include "base/str.h"

#define PREFIX "autoscaling.alpha.kubernetes.io/"
#define METRICS PREFIX "metrics"
#define CURRENT_METRICS PREFIX "current-metrics"
#define CONDITIONS PREFIX "conditions"
#define BEHAVIOR PREFIX "behavior"
enum { DEFAULT_UTILIZATION = 80 };

static const char *const annotations[] = {
	METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR, PREFIX "scale-down-tolerance", PREFIX "scale-up-tolerance"};

/* A field of a metric in v1 and where v2 has it; what an absent one says is null where it may be absent. */
struct move {
	const char *v1;
	const char *v2[2];
	const char *absent;
};
enum { MAX_MOVES = 6 };
struct metric_form {
	const char *name;
	struct move moves[MAX_MOVES];
};

#define NAMED                                            \
	{                                                \
		"metricName", {"metric", "name"}, "\"\"" \
	}
static const struct metric_form sources[] = {
	{"object", {{"target", {"describedObject", NULL}, "{}"}, NAMED, {"targetValue", {"target", "value"}, "\"0\""},
			   {"selector", {"metric", "selector"}, NULL},
			   {"averageValue", {"target", "averageValue"}, NULL}}},
	{"pods", {NAMED, {"targetAverageValue", {"target", "averageValue"}, "\"0\""},
			 {"selector", {"metric", "selector"}, NULL}}},
	{"resource",
		{{"name", {"name", NULL}, "\"\""}, {"targetAverageUtilization", {"target", "averageUtilization"}, NULL},
			{"targetAverageValue", {"target", "averageValue"}, NULL}}},
	{"containerResource",
		{{"name", {"name", NULL}, "\"\""}, {"targetAverageUtilization", {"target", "averageUtilization"}, NULL},
			{"targetAverageValue", {"target", "averageValue"}, NULL},
			{"container", {"container", NULL}, "\"\""}}},
	{"external",
		{NAMED, {"metricSelector", {"metric", "selector"}, NULL}, {"targetValue", {"target", "value"}, NULL},
			{"targetAverageValue", {"target", "averageValue"}, NULL}}},
};
static const struct metric_form statuses[] = {
	{"object", {{"target", {"describedObject", NULL}, "{}"}, NAMED, {"currentValue", {"current", "value"}, "\"0\""},
			   {"selector", {"metric", "selector"}, NULL},
			   {"averageValue", {"current", "averageValue"}, NULL}}},
	{"pods", {NAMED, {"currentAverageValue", {"current", "averageValue"}, "\"0\""},
			 {"selector", {"metric", "selector"}, NULL}}},
	{"resource", {{"name", {"name", NULL}, "\"\""},
			     {"currentAverageUtilization", {"current", "averageUtilization"}, NULL},
			     {"currentAverageValue", {"current", "averageValue"}, "\"0\""}}},
	{"containerResource", {{"name", {"name", NULL}, "\"\""},
				      {"currentAverageUtilization", {"current", "averageUtilization"}, NULL},
				      {"currentAverageValue", {"current", "averageValue"}, "\"0\""},
				      {"container", {"container", NULL}, "\"\""}}},
	{"external", {NAMED, {"metricSelector", {"metric", "selector"}, NULL},
			     {"currentValue", {"current", "value"}, "\"0\""},
			     {"currentAverageValue", {"current", "averageValue"}, NULL}}},
};

static cJSON *parse(struct arena *arena, const char *text)
{
	cJSON *tree = NULL;
	struct status *s = tree_parse(arena, text, strlen(text), NULL, &tree);
	status_drop(s, "an annotation that does not parse counts as absent");
	return s ? NULL : tree;
}

static cJSON *to_tree(struct arena *arena, const void *msg)
{
	return parse(arena, json_to_string(arena, msg, 0));
}

/* The type of a target follows from what it sets. */
static const char *target_type(const char *form, const cJSON *target)
{
	if (str_in(form, (const char *const[]){"resource", "containerResource", NULL}))
		return tree_get(target, "averageUtilization") ? "Utilization" : "AverageValue";
	if (!strcmp(form, "pods"))
		return "AverageValue";
	if (!strcmp(form, "object"))
		return tree_get(target, "averageValue") ? "AverageValue" : "Value";
	return tree_get(target, "value") ? "Value" : "AverageValue";
}

static bool is_null(const cJSON *node)
{
	return !node || cJSON_IsNull(node);
}

static cJSON *metric_from_v1(struct arena *arena, const struct metric_form *form, const cJSON *in, bool status)
{
	cJSON *out = tree_new_object(arena);
	for (const struct move *m = form->moves; m < form->moves + MAX_MOVES && m->v1; m++) {
		cJSON *value = tree_get(in, m->v1);
		if (is_null(value) && !m->absent)
			continue;
		value = is_null(value) ? parse(arena, m->absent) : tree_copy(arena, value);
		cJSON *place = out;
		if (m->v2[1]) {
			if (!tree_get(out, m->v2[0]))
				tree_set(arena, out, m->v2[0], tree_new_object(arena));
			place = tree_get(out, m->v2[0]);
		}
		tree_set(arena, place, m->v2[m->v2[1] ? 1 : 0], value);
	}
	if (!status) {
		if (!tree_get(out, "target"))
			tree_set(arena, out, "target", tree_new_object(arena));
		tree_set_string(
			arena, tree_get(out, "target"), "type", target_type(form->name, tree_get(out, "target")));
	}
	return out;
}

static cJSON *metric_to_v1(struct arena *arena, const struct metric_form *form, const cJSON *in)
{
	cJSON *out = tree_new_object(arena);
	for (const struct move *m = form->moves; m < form->moves + MAX_MOVES && m->v1; m++) {
		cJSON *value = tree_get(in, m->v2[0]);
		if (m->v2[1])
			value = tree_get(value, m->v2[1]);
		if (is_null(value) && !m->absent)
			continue;
		tree_set(arena, out, m->v1, is_null(value) ? parse(arena, m->absent) : tree_copy(arena, value));
	}
	return out;
}

/* The metrics of a list, each turned with the form of what it has. */
static cJSON *turn(struct arena *arena, const struct metric_form *forms, const cJSON *list, bool to_v1, bool status)
{
	cJSON *out = tree_new_array(arena);
	TREE_FOREACH (in, list) {
		cJSON *metric = tree_new_object(arena);
		tree_set_string(arena, metric, "type", str_or_empty(tree_string(tree_get(in, "type"))));
		for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
			cJSON *part = tree_get(in, forms[i].name);
			if (!is_null(part))
				tree_set(arena, metric, forms[i].name,
					to_v1 ? metric_to_v1(arena, &forms[i], part)
					      : metric_from_v1(arena, &forms[i], part, status));
		}
		tree_append(out, metric);
	}
	return out;
}

static bool is_cpu_utilization(const AutoscalingV2MetricSpec *m)
{
	return str_eq(m->type, "Resource") && m->resource && str_eq(m->resource->name, "cpu") && m->resource->target &&
	       m->resource->target->has_average_utilization;
}

static AutoscalingV2MetricSpec *cpu_metric(struct arena *arena, int32_t utilization)
{
	AutoscalingV2MetricSpec *metric = API_NEW(arena, AutoscalingV2MetricSpec);
	metric->type = arena_strdup(arena, "Resource");
	metric->resource = API_NEW(arena, AutoscalingV2ResourceMetricSource);
	metric->resource->name = arena_strdup(arena, "cpu");
	metric->resource->target = API_NEW(arena, AutoscalingV2MetricTarget);
	metric->resource->target->type = arena_strdup(arena, "Utilization");
	metric->resource->target->has_average_utilization = true;
	metric->resource->target->average_utilization = utilization;
	return metric;
}

void autoscaler_drop_annotations(struct arena *arena, MetaV1ObjectMeta *meta)
{
	MapStringEntry **kept = NULL;
	size_t n = 0;
	for (size_t i = 0; meta && i < meta->n_annotations; i++) {
		bool ours = false;
		for (size_t k = 0; k < ARRAY_SIZE(annotations); k++)
			ours |= str_eq(meta->annotations[i]->key, annotations[k]);
		if (!ours)
			ARENA_PUSH(arena, kept, n) = meta->annotations[i];
	}
	if (meta) {
		meta->annotations = kept;
		meta->n_annotations = n;
	}
}

/* Metadata that may be changed without changing the object it came from. */
static MetaV1ObjectMeta *own_meta(struct arena *arena, const MetaV1ObjectMeta *from)
{
	MetaV1ObjectMeta *meta = from ? arena_dup(arena, from, sizeof(*from)) : API_NEW(arena, MetaV1ObjectMeta);
	autoscaler_drop_annotations(arena, meta);
	return meta;
}

/* v1 → v2 */

/* Go reads names in any case, and writes this annotation with its own: first letters are made small. */
static char *lower_names(struct arena *arena, const char *text)
{
	char *out = arena_strdup(arena, text), *start = NULL;
	for (char *p = out; *p; p++) {
		if (*p == '\\' && start && p[1]) {
			p++;
		} else if (*p == '"' && !start) {
			start = p;
		} else if (*p == '"') {
			const char *next = p + 1 + strspn(p + 1, " \t\r\n");
			if (*next == ':')
				start[1] = (char)tolower((unsigned char)start[1]);
			start = NULL;
		}
	}
	return out;
}

static AutoscalingV2HorizontalPodAutoscalerBehavior *read_behavior(struct arena *arena, const char *text)
{
	void *behavior = NULL;
	const struct json_options options = JSON_LENIENT;
	if (!text)
		return NULL;
	char *names = lower_names(arena, text);
	struct status *s = json_decode(
		arena, &AutoscalingV2HorizontalPodAutoscalerBehavior_schema, names, strlen(names), &options, &behavior);
	status_drop(s, "an annotation that does not parse counts as absent");
	return s || api_is_empty(behavior) ? NULL : behavior;
}

/* Reads a list under a field of an object of the given type. NULL text, or one that does not parse: NULL. */
static void *read_list(struct arena *arena, const struct schema_type *type, const char *field, const char *text,
	const struct metric_form *forms)
{
	const struct json_options options = JSON_LENIENT;
	cJSON *list = text ? parse(arena, text) : NULL;
	if (!cJSON_IsArray(list))
		return NULL;
	cJSON *holder = tree_new_object(arena);
	tree_set(arena, holder, field, forms ? turn(arena, forms, list, false, forms == statuses) : list);
	void *msg = NULL;
	struct status *s = tree_to_typed(arena, holder, type, &options, &msg);
	status_drop(s, "an annotation that does not parse counts as absent");
	return s ? NULL : msg;
}

static AutoscalingV2HorizontalPodAutoscalerSpec *spec_to_v2(
	struct arena *arena, const AutoscalingV1HorizontalPodAutoscaler *from)
{
	AutoscalingV2HorizontalPodAutoscalerSpec *spec = API_NEW(arena, AutoscalingV2HorizontalPodAutoscalerSpec);
	const AutoscalingV1HorizontalPodAutoscalerSpec *v1 = from->spec;
	const AutoscalingV2HorizontalPodAutoscalerSpec *others =
		read_list(arena, &AutoscalingV2HorizontalPodAutoscalerSpec_schema, "metrics",
			meta_annotation(from->metadata, METRICS), sources);
	spec->scale_target_ref = API_NEW(arena, AutoscalingV2CrossVersionObjectReference);
	if (v1 && v1->scale_target_ref) {
		spec->scale_target_ref->kind = v1->scale_target_ref->kind;
		spec->scale_target_ref->name = v1->scale_target_ref->name;
		spec->scale_target_ref->api_version = v1->scale_target_ref->api_version;
	}
	if (v1) {
		spec->has_min_replicas = v1->has_min_replicas;
		spec->min_replicas = v1->min_replicas;
		spec->max_replicas = v1->max_replicas;
	}
	for (size_t i = 0; others && i < others->n_metrics; i++)
		ARENA_PUSH(arena, spec->metrics, spec->n_metrics) = others->metrics[i];
	if (v1 && v1->has_target_cpu_utilization_percentage)
		ARENA_PUSH(arena, spec->metrics, spec->n_metrics) =
			cpu_metric(arena, v1->target_cpu_utilization_percentage);
	if (!spec->n_metrics)
		ARENA_PUSH(arena, spec->metrics, spec->n_metrics) = cpu_metric(arena, DEFAULT_UTILIZATION);
	spec->behavior = read_behavior(arena, meta_annotation(from->metadata, BEHAVIOR));
	return spec;
}

static AutoscalingV2MetricStatus *cpu_status(struct arena *arena, int32_t utilization)
{
	AutoscalingV2MetricStatus *status = API_NEW(arena, AutoscalingV2MetricStatus);
	status->type = arena_strdup(arena, "Resource");
	status->resource = API_NEW(arena, AutoscalingV2ResourceMetricStatus);
	status->resource->name = arena_strdup(arena, "cpu");
	status->resource->current = API_NEW(arena, AutoscalingV2MetricValueStatus);
	status->resource->current->has_average_utilization = true;
	status->resource->current->average_utilization = utilization;
	return status;
}

static AutoscalingV2HorizontalPodAutoscalerStatus *status_to_v2(
	struct arena *arena, const AutoscalingV1HorizontalPodAutoscaler *from)
{
	AutoscalingV2HorizontalPodAutoscalerStatus *status = API_NEW(arena, AutoscalingV2HorizontalPodAutoscalerStatus);
	const AutoscalingV1HorizontalPodAutoscalerStatus *v1 = from->status;
	const struct schema_type *type = &AutoscalingV2HorizontalPodAutoscalerStatus_schema;
	const AutoscalingV2HorizontalPodAutoscalerStatus *metrics =
		read_list(arena, type, "currentMetrics", meta_annotation(from->metadata, CURRENT_METRICS), statuses);
	const AutoscalingV2HorizontalPodAutoscalerStatus *conditions =
		read_list(arena, type, "conditions", meta_annotation(from->metadata, CONDITIONS), NULL);
	if (v1) {
		status->has_observed_generation = v1->has_observed_generation;
		status->observed_generation = v1->observed_generation;
		status->last_scale_time = v1->last_scale_time;
		status->current_replicas = v1->current_replicas;
		status->desired_replicas = v1->desired_replicas;
	}
	if (metrics) {
		status->current_metrics = metrics->current_metrics;
		status->n_current_metrics = metrics->n_current_metrics;
	} else if (v1 && v1->has_current_cpu_utilization_percentage) {
		ARENA_PUSH(arena, status->current_metrics, status->n_current_metrics) =
			cpu_status(arena, v1->current_cpu_utilization_percentage);
	}
	if (conditions) {
		status->conditions = conditions->conditions;
		status->n_conditions = conditions->n_conditions;
	}
	return status;
}

ProtobufCMessage *autoscaler_to_v2(struct arena *arena, const AutoscalingV1HorizontalPodAutoscaler *from)
{
	AutoscalingV2HorizontalPodAutoscaler *to = API_NEW(arena, AutoscalingV2HorizontalPodAutoscaler);
	to->spec = spec_to_v2(arena, from);
	to->status = status_to_v2(arena, from);
	to->metadata = own_meta(arena, from->metadata);
	return &to->base;
}

/* v2 → v1 */

static void note(struct arena *arena, MetaV1ObjectMeta *meta, const char *name, const cJSON *tree)
{
	if (tree_size(tree))
		meta_set_annotation(arena, meta, name, tree_to_string(arena, tree, 0));
}

static void note_what_v1_lacks(
	struct arena *arena, MetaV1ObjectMeta *meta, const AutoscalingV2HorizontalPodAutoscaler *from)
{
	const AutoscalingV2HorizontalPodAutoscalerSpec *spec = from->spec;
	cJSON *others = tree_new_array(arena);
	for (size_t i = 0; spec && i < spec->n_metrics; i++)
		if (!is_cpu_utilization(spec->metrics[i]))
			tree_append(others, to_tree(arena, spec->metrics[i]));
	note(arena, meta, METRICS, turn(arena, sources, others, true, false));
	cJSON *status = from->status ? to_tree(arena, from->status) : NULL;
	note(arena, meta, CURRENT_METRICS, turn(arena, statuses, tree_get(status, "currentMetrics"), true, true));
	if (spec && spec->behavior)
		meta_set_annotation(arena, meta, BEHAVIOR, internal_json(arena, spec->behavior));
	note(arena, meta, CONDITIONS, tree_get(status, "conditions"));
}

static AutoscalingV1HorizontalPodAutoscalerSpec *spec_from_v2(
	struct arena *arena, const AutoscalingV2HorizontalPodAutoscalerSpec *from)
{
	AutoscalingV1HorizontalPodAutoscalerSpec *to = API_NEW(arena, AutoscalingV1HorizontalPodAutoscalerSpec);
	to->has_min_replicas = from->has_min_replicas;
	to->min_replicas = from->min_replicas;
	to->max_replicas = from->max_replicas;
	to->scale_target_ref = API_NEW(arena, AutoscalingV1CrossVersionObjectReference);
	if (from->scale_target_ref) {
		to->scale_target_ref->kind = from->scale_target_ref->kind;
		to->scale_target_ref->name = from->scale_target_ref->name;
		to->scale_target_ref->api_version = from->scale_target_ref->api_version;
	}
	for (size_t i = 0; i < from->n_metrics && !to->has_target_cpu_utilization_percentage; i++)
		if (is_cpu_utilization(from->metrics[i])) {
			to->has_target_cpu_utilization_percentage = true;
			to->target_cpu_utilization_percentage = from->metrics[i]->resource->target->average_utilization;
		}
	return to;
}

static AutoscalingV1HorizontalPodAutoscalerStatus *status_from_v2(
	struct arena *arena, const AutoscalingV2HorizontalPodAutoscalerStatus *from)
{
	AutoscalingV1HorizontalPodAutoscalerStatus *to = API_NEW(arena, AutoscalingV1HorizontalPodAutoscalerStatus);
	to->has_observed_generation = from->has_observed_generation;
	to->observed_generation = from->observed_generation;
	to->last_scale_time = from->last_scale_time;
	to->current_replicas = from->current_replicas;
	to->desired_replicas = from->desired_replicas;
	for (size_t i = 0; i < from->n_current_metrics; i++) {
		const AutoscalingV2MetricStatus *m = from->current_metrics[i];
		if (!str_eq(m->type, "Resource") || !m->resource || !str_eq(m->resource->name, "cpu") ||
			!m->resource->current || !m->resource->current->has_average_utilization)
			continue;
		to->has_current_cpu_utilization_percentage = true;
		to->current_cpu_utilization_percentage = m->resource->current->average_utilization;
	}
	return to;
}

ProtobufCMessage *autoscaler_from_v2(struct arena *arena, const AutoscalingV2HorizontalPodAutoscaler *from)
{
	AutoscalingV1HorizontalPodAutoscaler *to = API_NEW(arena, AutoscalingV1HorizontalPodAutoscaler);
	to->metadata = own_meta(arena, from->metadata);
	note_what_v1_lacks(arena, to->metadata, from);
	if (from->spec)
		to->spec = spec_from_v2(arena, from->spec);
	if (from->status)
		to->status = status_from_v2(arena, from->status);
	return &to->base;
}
