#include "apiserver/validation/apps/workload.h"
#include "api/copy.h"
#include "api/intstr.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/policy.h"
#include "base/str.h"

/* What a selector is asked of kind by kind. */
struct selector_rule {
	const char *kind;	/* as in "empty selector is invalid for …" */
	const char *unparsable; /* NULL: what does not parse is not mentioned */
	bool optional;
};

/* The labels of a template that its selector does not choose. False: there is no selector that can be read. */
static bool check_match(struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector,
	const CoreV1PodTemplateSpec *template, const struct selector_rule *rule)
{
	const MetaV1ObjectMeta *meta = template ? template->metadata : NULL;
	struct label_selector *parsed = NULL;
	bool empty = selector && !selector->n_match_labels && !selector->n_match_expressions;
	struct status *s = selector ? label_selector_from_api(errors->arena, selector, &parsed) : NULL;
	if (s && rule->unparsable)
		field_invalid_message(errors, FIELD(path, "selector"), selector, rule->unparsable);
	bool readable = !s, skip = s || (empty && !rule->optional);
	status_drop(s, "told as a field error");
	/* A selector that is missing matches nothing. */
	if (skip || (parsed && label_selector_matches(parsed, meta ? meta->labels : NULL, meta ? meta->n_labels : 0)))
		return readable;
	char *labels = meta && meta->n_labels ? strings_map_json(errors->arena, meta->labels, meta->n_labels)
					      : arena_strdup(errors->arena, meta && meta->labels ? "{}" : "null");
	field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"), labels,
		"`selector` does not match template `labels`");
	return true;
}

/* The selector must be there, say something, and choose the pods of the template. False: it cannot be read. */
static bool check_selector(struct field_errors *errors, const struct field_path *path,
	const MetaV1LabelSelector *selector, const CoreV1PodTemplateSpec *template, const struct selector_rule *rule)
{
	const struct field_path *at = FIELD(path, "selector");
	bool empty = selector && !selector->n_match_labels && !selector->n_match_expressions;
	char *detail = arena_printf(errors->arena, "empty selector is invalid for %s", rule->kind);
	if (!selector && !rule->optional)
		field_required(errors, at, "");
	if (rule->optional)
		validate_label_selector(errors, at, selector);
	else
		validate_label_selector_strictly(errors, at, selector);
	if (empty && !rule->optional)
		field_invalid_message(errors, at, selector, detail);
	bool readable = check_match(errors, path, selector, template, rule);
	if (empty && rule->optional)
		field_invalid_message(errors, at, selector, detail);
	return readable;
}

/* Pods of these kinds always restart. */
static void check_restart(struct field_errors *errors, const struct field_path *path,
	const CoreV1PodTemplateSpec *template, const char *kind)
{
	const struct field_path *at = FIELD(FIELD(path, "template"), "spec");
	static const char *const always[] = {"Always", NULL};
	const CoreV1PodSpec *spec = template ? template->spec : NULL;
	if (!str_eq(spec ? spec->restart_policy : NULL, "Always"))
		field_unsupported(errors, FIELD(at, "restartPolicy"), spec ? spec->restart_policy : "", always);
	if (spec && spec->has_active_deadline_seconds)
		field_forbidden(errors, FIELD(at, "activeDeadlineSeconds"),
			arena_printf(errors->arena, "activeDeadlineSeconds in %s is not Supported", kind));
}

static void check_template(struct field_errors *errors, const struct field_path *path,
	const CoreV1PodTemplateSpec *template, const char *kind)
{
	const CoreV1PodTemplateSpec *t = template ? template : CoreV1PodTemplateSpec_schema.zero;
	validate_pod_template(errors, FIELD(path, "template"), t);
	check_restart(errors, path, t, kind);
}

/* The number, or the percentage, that counts as one here. */
static int64_t worth(const IntstrIntOrString *v)
{
	int32_t percent = 0;
	if (!v)
		return 0;
	return intstr_is_string(v) && intstr_percent(v, &percent) ? percent : intstr_int(v);
}

static char *intstr_json(struct arena *arena, const IntstrIntOrString *v)
{
	return intstr_is_string(v) ? field_json(arena, v->str_val) : arena_printf(arena, "%d", v ? v->int_val : 0);
}

static const struct selector_rule of_deployment = {"deployment", "invalid label selector", false};
static const struct selector_rule of_daemon_set = {"daemonset", NULL, true};
static const struct selector_rule of_stateful_set = {"statefulset", "", false};

static void check_deployment_strategy(
	struct field_errors *errors, const struct field_path *path, const AppsV1DeploymentStrategy *s)
{
	static const char *const types[] = {"Recreate", "RollingUpdate", NULL};
	const char *type = s ? str_or_empty(s->type) : "";
	const AppsV1RollingUpdateDeployment *rolling = s ? s->rolling_update : NULL;
	const struct field_path *at = FIELD(path, "rollingUpdate");
	if (!strcmp(type, "Recreate")) {
		if (rolling)
			field_forbidden(errors, at, "may not be specified when strategy `type` is 'Recreate'");
		return;
	}
	if (strcmp(type, "RollingUpdate")) {
		field_unsupported_json(errors, path,
			internal_json(errors->arena, s ? s : AppsV1DeploymentStrategy_schema.zero), types);
		return;
	}
	if (!rolling) {
		field_required(errors, at, "this should be defaulted and never be nil");
		return;
	}
	validate_int_or_percent(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	validate_int_or_percent(errors, FIELD(at, "maxSurge"), rolling->max_surge);
	if (!worth(rolling->max_unavailable) && !worth(rolling->max_surge))
		field_invalid_json(errors, FIELD(at, "maxUnavailable"),
			intstr_json(errors->arena, rolling->max_unavailable), "may not be 0 when `maxSurge` is 0");
	validate_at_most_all(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
}

/* The revision to go back to: a field of the former API, which lives on as an annotation. */
static void check_rollback(struct field_errors *errors, const AppsV1Deployment *d)
{
	const char *text = meta_annotation(d->metadata, "deprecated.deployment.rollback.to");
	int64_t revision;
	if (text && str_to_int64(text, INT64_MIN, INT64_MAX, &revision))
		validate_not_negative(errors, FIELD(FIELD(FIELD(NULL, "spec"), "rollback"), "version"), revision);
}

void validate_deployment(struct field_errors *errors, const AppsV1Deployment *d)
{
	const AppsV1DeploymentSpec *spec = d->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	validate_not_negative(errors, FIELD(path, "replicas"), spec->replicas);
	if (check_selector(errors, path, spec->selector, spec->template, &of_deployment))
		check_template(errors, path, spec->template, "ReplicaSet");
	check_deployment_strategy(errors, FIELD(path, "strategy"), spec->strategy);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), spec->min_ready_seconds);
	if (spec->has_revision_history_limit)
		validate_not_negative(errors, FIELD(path, "revisionHistoryLimit"), spec->revision_history_limit);
	check_rollback(errors, d);
	if (!spec->has_progress_deadline_seconds)
		return;
	validate_not_negative(errors, FIELD(path, "progressDeadlineSeconds"), spec->progress_deadline_seconds);
	if (spec->progress_deadline_seconds <= spec->min_ready_seconds)
		field_invalid_int(errors, FIELD(path, "progressDeadlineSeconds"), spec->progress_deadline_seconds,
			"must be greater than minReadySeconds");
}

static void same_selector(struct field_errors *errors, const MetaV1LabelSelector *now, const MetaV1LabelSelector *old)
{
	if (!api_equal(now, old))
		field_invalid_message(errors, FIELD(FIELD(NULL, "spec"), "selector"), now, "field is immutable");
}

void validate_deployment_update(struct field_errors *errors, const AppsV1Deployment *d, const AppsV1Deployment *old)
{
	validate_deployment(errors, d);
	same_selector(errors, d->spec->selector, old->spec ? old->spec->selector : NULL);
}

void validate_replica_set(struct field_errors *errors, const AppsV1ReplicaSet *r)
{
	const struct field_path *path = FIELD(NULL, "spec");
	validate_not_negative(errors, FIELD(path, "replicas"), r->spec->replicas);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), r->spec->min_ready_seconds);
	if (check_selector(errors, path, r->spec->selector, r->spec->template, &of_deployment))
		check_template(errors, path, r->spec->template, "ReplicaSet");
}

void validate_replica_set_update(struct field_errors *errors, const AppsV1ReplicaSet *r, const AppsV1ReplicaSet *old)
{
	validate_replica_set(errors, r);
	same_selector(errors, r->spec->selector, old->spec ? old->spec->selector : NULL);
}

static void check_daemon_strategy(
	struct field_errors *errors, const struct field_path *path, const AppsV1DaemonSetUpdateStrategy *s)
{
	static const char *const types[] = {"RollingUpdate", "OnDelete", NULL};
	const char *type = s ? str_or_empty(s->type) : "";
	if (!strcmp(type, "OnDelete"))
		return;
	if (strcmp(type, "RollingUpdate")) {
		field_unsupported_json(errors, path,
			internal_json(errors->arena, s ? s : AppsV1DaemonSetUpdateStrategy_schema.zero), types);
		return;
	}
	const struct field_path *at = FIELD(path, "rollingUpdate");
	const AppsV1RollingUpdateDaemonSet *rolling = s->rolling_update;
	if (!rolling) {
		field_required(errors, at, "");
		return;
	}
	validate_int_or_percent(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	validate_int_or_percent(errors, FIELD(at, "maxSurge"), rolling->max_surge);
	validate_at_most_all(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	validate_at_most_all(errors, FIELD(at, "maxSurge"), rolling->max_surge);
	if (worth(rolling->max_unavailable) && worth(rolling->max_surge))
		field_invalid_json(errors, FIELD(at, "maxSurge"), intstr_json(errors->arena, rolling->max_surge),
			"may not be set when maxUnavailable is non-zero");
	if (!worth(rolling->max_unavailable) && !worth(rolling->max_surge))
		field_required(errors, FIELD(at, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void validate_daemon_set(struct field_errors *errors, const AppsV1DaemonSet *d)
{
	const struct field_path *path = FIELD(NULL, "spec");
	check_selector(errors, path, d->spec->selector, d->spec->template, &of_daemon_set);
	check_template(errors, path, d->spec->template, "DaemonSet");
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), d->spec->min_ready_seconds);
	check_daemon_strategy(errors, FIELD(path, "updateStrategy"), d->spec->update_strategy);
	if (d->spec->has_revision_history_limit)
		validate_not_negative(errors, FIELD(path, "revisionHistoryLimit"), d->spec->revision_history_limit);
}

void validate_daemon_set_update(struct field_errors *errors, const AppsV1DaemonSet *d, const AppsV1DaemonSet *old)
{
	same_selector(errors, d->spec->selector, old->spec ? old->spec->selector : NULL);
	validate_daemon_set(errors, d);
}

static void check_rolling_set(
	struct field_errors *errors, const struct field_path *path, const AppsV1RollingUpdateStatefulSetStrategy *r)
{
	const struct field_path *at = FIELD(path, "maxUnavailable");
	validate_not_negative(errors, FIELD(path, "partition"), r->partition);
	if (!r->max_unavailable)
		return;
	validate_int_or_percent(errors, at, r->max_unavailable);
	if (!worth(r->max_unavailable))
		field_invalid_json(errors, at, intstr_json(errors->arena, r->max_unavailable), "cannot be 0");
	validate_at_most_all(errors, at, r->max_unavailable);
}

static void check_set_strategy(
	struct field_errors *errors, const struct field_path *path, const AppsV1StatefulSetUpdateStrategy *s)
{
	const char *type = s ? str_or_empty(s->type) : "";
	const struct field_path *at = FIELD(path, "rollingUpdate");
	bool rolling = !strcmp(type, "RollingUpdate"), on_delete = !strcmp(type, "OnDelete");
	if (!*type)
		field_required(errors, path, "");
	else if (!rolling && !on_delete)
		field_invalid_internal(errors, path, s, "must be 'RollingUpdate' or 'OnDelete'");
	else if (on_delete && s->rolling_update)
		field_invalid_internal(
			errors, at, s->rolling_update, "only allowed for updateStrategy 'RollingUpdate'");
	else if (s->rolling_update)
		check_rolling_set(errors, at, s->rolling_update);
}

static void check_retention(struct field_errors *errors, const struct field_path *path,
	const AppsV1StatefulSetPersistentVolumeClaimRetentionPolicy *p)
{
	static const char *const policies[] = {"Retain", "Delete", NULL};
	if (!p)
		return;
	if (!str_in(str_or_empty(p->when_deleted), policies))
		field_unsupported(errors, FIELD(path, "whenDeleted"), p->when_deleted, policies);
	if (!str_in(str_or_empty(p->when_scaled), policies))
		field_unsupported(errors, FIELD(path, "whenScaled"), p->when_scaled, policies);
}

static bool is_claimed(const AppsV1StatefulSetSpec *spec, const char *volume)
{
	for (size_t i = 0; i < spec->n_volume_claim_templates; i++)
		if (str_eq(object_name(spec->volume_claim_templates[i]), volume))
			return true;
	return false;
}

static bool has_volume(const CoreV1PodSpec *pod, const char *name)
{
	for (size_t i = 0; i < pod->n_volumes; i++)
		if (str_eq(pod->volumes[i]->name, name))
			return true;
	return false;
}

/* The template as its pods will be: with a volume for each claim, named and placed by the set. */
static CoreV1PodTemplateSpec *template_of_set(struct arena *arena, const AppsV1StatefulSetSpec *spec)
{
	CoreV1PodTemplateSpec *template = api_new(arena, &CoreV1PodTemplateSpec_schema);
	const CoreV1PodSpec *pod = spec->template ? spec->template->spec : NULL;
	if (spec->template)
		*template = *spec->template;
	template->spec = api_new(arena, &CoreV1PodSpec_schema);
	if (pod)
		*template->spec = *pod;
	template->spec->hostname = template->spec->subdomain = (char *)(uintptr_t)schema_empty_string;
	template->spec->volumes = NULL;
	template->spec->n_volumes = 0;
	for (size_t i = 0; i < spec->n_volume_claim_templates; i++) {
		const char *name = object_name(spec->volume_claim_templates[i]);
		if (has_volume(template->spec, name))
			continue;
		CoreV1Volume *volume = API_NEW(arena, CoreV1Volume);
		volume->name = arena_strdup(arena, name);
		volume->volume_source = API_NEW(arena, CoreV1VolumeSource);
		volume->volume_source->persistent_volume_claim =
			API_NEW(arena, CoreV1PersistentVolumeClaimVolumeSource);
		volume->volume_source->persistent_volume_claim->claim_name = volume->name;
		ARENA_PUSH(arena, template->spec->volumes, template->spec->n_volumes) = volume;
	}
	for (size_t i = 0; pod && i < pod->n_volumes; i++)
		if (!is_claimed(spec, pod->volumes[i]->name))
			ARENA_PUSH(arena, template->spec->volumes, template->spec->n_volumes) = pod->volumes[i];
	return template;
}

static void check_set_template(
	struct field_errors *errors, const struct field_path *path, const AppsV1StatefulSetSpec *spec, bool any)
{
	const struct field_path *at = FIELD(path, "template");
	const MetaV1ObjectMeta *meta = spec->template ? spec->template->metadata : NULL;
	if (!any)
		validate_pod_template(errors, at, template_of_set(errors->arena, spec));
	/* Once more, under the names that the original gives them. */
	if (meta) {
		validate_labels(errors, FIELD(at, "labels"), meta->labels, meta->n_labels);
		validate_annotations(errors, FIELD(at, "annotations"), meta->annotations, meta->n_annotations);
	}
}

/* What is looked at. An update takes names and claims as they are, and the template where the old one was wrong. */
struct set_checks {
	bool is_new, any_template;
};

static void check_set(struct field_errors *errors, const AppsV1StatefulSetSpec *spec, struct set_checks checks)
{
	bool is_new = checks.is_new;
	static const char *const policies[] = {"OrderedReady", "Parallel", NULL};
	const struct field_path *path = FIELD(NULL, "spec");
	if (str_empty(spec->pod_management_policy))
		field_required(errors, FIELD(path, "podManagementPolicy"), "");
	else if (!str_in(spec->pod_management_policy, policies))
		field_invalid_typed(errors, FIELD(path, "podManagementPolicy"), spec->pod_management_policy,
			"must be 'OrderedReady' or 'Parallel'");
	check_set_strategy(errors, FIELD(path, "updateStrategy"), spec->update_strategy);
	check_retention(errors, FIELD(path, "persistentVolumeClaimRetentionPolicy"),
		spec->persistent_volume_claim_retention_policy);
	for (size_t i = 0; is_new && i < spec->n_volume_claim_templates; i++) {
		const CoreV1PersistentVolumeClaimSpec *claim = spec->volume_claim_templates[i]->spec;
		const struct field_path *at = FIELD_INDEX(FIELD(path, "volumeClaimTemplates"), i);
		validate_claim_spec(
			errors, FIELD(at, "spec"), claim ? claim : CoreV1PersistentVolumeClaimSpec_schema.zero);
	}
	validate_not_negative(errors, FIELD(path, "replicas"), spec->replicas);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), spec->min_ready_seconds);
	if (spec->ordinals)
		validate_not_negative(errors, FIELD(path, "ordinals.start"), spec->ordinals->start);
	if (is_new && !str_empty(spec->service_name))
		validate_text(errors, FIELD(path, "serviceName"), spec->service_name,
			check_dns_label(errors->arena, spec->service_name));
	if (check_selector(errors, path, spec->selector, spec->template, &of_stateful_set))
		check_set_template(errors, path, spec, checks.any_template);
	check_restart(errors, path, spec->template ? spec->template : CoreV1PodTemplateSpec_schema.zero, "StatefulSet");
}

void validate_stateful_set(struct field_errors *errors, const AppsV1StatefulSet *s)
{
	check_set(errors, s->spec, (struct set_checks){.is_new = true});
}

void validate_stateful_set_update(struct field_errors *errors, const AppsV1StatefulSet *s, const AppsV1StatefulSet *old)
{
	size_t n = errors->n_items;
	struct field_errors before = FIELD_ERRORS_INIT(errors->arena);
	check_set(errors, s->spec, (struct set_checks){.is_new = false});
	if (!old->spec)
		return;
	if (errors->n_items > n)
		check_set(&before, old->spec, (struct set_checks){.is_new = false});
	if (before.n_items) {
		errors->n_items = n;
		check_set(errors, s->spec, (struct set_checks){.any_template = true});
	}
	AppsV1StatefulSetSpec *munged = api_copy(errors->arena, s->spec);
	munged->has_replicas = old->spec->has_replicas;
	munged->replicas = old->spec->replicas;
	munged->template = old->spec->template;
	munged->update_strategy = old->spec->update_strategy;
	munged->min_ready_seconds = old->spec->min_ready_seconds;
	munged->has_revision_history_limit = old->spec->has_revision_history_limit;
	munged->revision_history_limit = old->spec->revision_history_limit;
	munged->ordinals = old->spec->ordinals;
	munged->persistent_volume_claim_retention_policy = old->spec->persistent_volume_claim_retention_policy;
	if (!api_equal(munged, old->spec))
		field_forbidden(errors, FIELD(NULL, "spec"),
			"updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
			"'updateStrategy', "
			"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
			"forbidden");
}

void validate_replication_controller(struct field_errors *errors, const CoreV1ReplicationController *rc)
{
	const CoreV1ReplicationControllerSpec *spec = rc->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	const MetaV1ObjectMeta *meta = spec->template ? spec->template->metadata : NULL;
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), spec->min_ready_seconds);
	if (!spec->n_selector)
		field_required(errors, FIELD(path, "selector"), "");
	validate_not_negative(errors, FIELD(path, "replicas"), spec->replicas);
	if (!spec->template) {
		field_required(errors, FIELD(path, "template"), "");
		return;
	}
	if (spec->n_selector &&
		!map_contains(meta ? meta->labels : NULL, meta ? meta->n_labels : 0, spec->selector, spec->n_selector))
		field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"),
			meta ? strings_map_json(errors->arena, meta->labels, meta->n_labels) : "null",
			"`selector` does not match template `labels`");
	check_template(errors, path, spec->template, "ReplicationController");
}

void validate_replication_controller_update(
	struct field_errors *errors, const CoreV1ReplicationController *rc, const CoreV1ReplicationController *old)
{
	static const char no_form[] = "non-convertible.kubernetes.io/";
	/* The original says it twice. */
	validate_replication_controller(errors, rc);
	validate_replication_controller(errors, rc);
	for (size_t i = 0; old->metadata && i < old->metadata->n_annotations; i++) {
		const MapStringEntry *note = old->metadata->annotations[i];
		const char *part = str_starts_with(note->key, no_form) ? note->key + strlen(no_form) : NULL;
		if (!part || strchr(part, '/'))
			continue;
		if (!strstr(part, "selector"))
			field_not_found_because(
				errors, FIELD(NULL, part), note->value, "unknown non-convertible field");
		else if (!map_equal(
				 rc->spec->selector, rc->spec->n_selector, old->spec->selector, old->spec->n_selector))
			field_invalid_json(errors, FIELD(FIELD(NULL, "spec"), "selector"),
				strings_map_json(errors->arena, rc->spec->selector, rc->spec->n_selector),
				"cannot update non-convertible selector");
	}
}
