#include "apiserver/validation/workload.h"
#include "api/copy.h"
#include "api/intstr.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

/* The selector must be there, say something, and choose the pods of the template. */
static void check_selector(struct field_errors *errors, const struct field_path *path,
	const MetaV1LabelSelector *selector, const CoreV1PodTemplateSpec *template, const char *kind)
{
	const struct field_path *at = FIELD(path, "selector");
	if (!selector) {
		field_required(errors, at, "");
	} else {
		validate_label_selector(errors, at, selector);
		if (!selector->n_match_labels && !selector->n_match_expressions)
			field_invalid_message(errors, at, selector,
				arena_printf(errors->arena, "empty selector is invalid for %s", kind));
	}
	const MetaV1ObjectMeta *meta = template ? template->metadata : NULL;
	struct label_selector *parsed = NULL;
	struct status *s = selector ? label_selector_from_api(errors->arena, selector, &parsed) : NULL;
	if (s) {
		field_invalid_message(errors, at, selector, "invalid label selector");
		status_drop(s, "told as a field error");
		return;
	}
	/* A selector that is missing matches nothing. */
	if (parsed && label_selector_matches(parsed, meta ? meta->labels : NULL, meta ? meta->n_labels : 0))
		return;
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	strbuf_addc(&labels, '{');
	for (size_t i = 0; meta && i < meta->n_labels; i++)
		strbuf_printf(&labels, "%s%s:%s", i ? "," : "", field_quote(errors->arena, meta->labels[i]->key),
			field_quote(errors->arena, meta->labels[i]->value));
	strbuf_addc(&labels, '}');
	field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"),
		meta && meta->n_labels ? arena_strdup(errors->arena, labels.buf) : "null",
		"`selector` does not match template `labels`");
}

/* Pods of these kinds always restart. */
static void check_template(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodTemplateSpec *template)
{
	const struct field_path *at = FIELD(path, "template");
	static const char *const always[] = {"Always", NULL};
	if (!template) {
		field_required(errors, at, "");
		return;
	}
	validate_pod_template(errors, at, template);
	if (!template->spec)
		return;
	if (!str_eq(template->spec->restart_policy, "Always"))
		field_unsupported(
			errors, FIELD(FIELD(at, "spec"), "restartPolicy"), template->spec->restart_policy, always);
	if (template->spec->has_active_deadline_seconds)
		field_forbidden(errors, FIELD(FIELD(at, "spec"), "activeDeadlineSeconds"),
			"activeDeadlineSeconds in ReplicaSet is not Supported");
}

/* A number that is not negative, or a percentage. */
static void check_int_or_percent(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *v)
{
	int32_t percent;
	if (!v)
		return;
	if (!intstr_is_string(v))
		validate_not_negative(errors, path, v->int_val);
	else if (!intstr_percent(v, &percent))
		field_invalid(errors, path, v->str_val,
			"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
			"'93%', regex used for "
			"validation is '[0-9]+%')");
}

static bool is_zero(const IntstrIntOrString *v)
{
	int32_t percent = 1;
	return v && (intstr_is_string(v) ? intstr_percent(v, &percent) && !percent : !v->int_val);
}

static void check_at_most_all(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *v)
{
	int32_t percent = 0;
	if (intstr_is_string(v) && intstr_percent(v, &percent) && percent > 100)
		field_invalid(errors, path, v->str_val, "must not be greater than 100%");
}

static char *intstr_json(struct arena *arena, const IntstrIntOrString *v)
{
	return intstr_is_string(v) ? field_quote(arena, v->str_val) : arena_printf(arena, "%d", v ? v->int_val : 0);
}

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
		field_unsupported(errors, FIELD(path, "type"), type, types);
		return;
	}
	if (!rolling) {
		field_required(errors, at, "this should be defaulted and never be nil");
		return;
	}
	check_int_or_percent(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	check_int_or_percent(errors, FIELD(at, "maxSurge"), rolling->max_surge);
	if (is_zero(rolling->max_unavailable) && is_zero(rolling->max_surge))
		field_invalid_json(errors, FIELD(at, "maxUnavailable"),
			intstr_json(errors->arena, rolling->max_unavailable), "may not be 0 when `maxSurge` is 0");
	check_at_most_all(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
}

void validate_deployment(struct field_errors *errors, const AppsV1Deployment *d)
{
	const AppsV1DeploymentSpec *spec = d->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	validate_not_negative(errors, FIELD(path, "replicas"), spec->replicas);
	check_selector(errors, path, spec->selector, spec->template, "deployment");
	check_template(errors, path, spec->template);
	check_deployment_strategy(errors, FIELD(path, "strategy"), spec->strategy);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), spec->min_ready_seconds);
	if (spec->has_revision_history_limit)
		validate_not_negative(errors, FIELD(path, "revisionHistoryLimit"), spec->revision_history_limit);
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
	check_selector(errors, path, r->spec->selector, r->spec->template, "deployment");
	check_template(errors, path, r->spec->template);
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
			arena_printf(errors->arena, "{\"Type\":%s,\"RollingUpdate\":%s}",
				field_quote(errors->arena, type), s && s->rolling_update ? "{}" : "null"),
			types);
		return;
	}
	const struct field_path *at = FIELD(path, "rollingUpdate");
	const AppsV1RollingUpdateDaemonSet *rolling = s->rolling_update;
	if (!rolling) {
		field_required(errors, at, "");
		return;
	}
	check_int_or_percent(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	check_int_or_percent(errors, FIELD(at, "maxSurge"), rolling->max_surge);
	bool no_unavailable = is_zero(rolling->max_unavailable),
	     no_surge = !rolling->max_surge || is_zero(rolling->max_surge);
	if (!no_unavailable && !no_surge)
		field_invalid_json(errors, FIELD(at, "maxSurge"), intstr_json(errors->arena, rolling->max_surge),
			"may not be set when maxUnavailable is non-zero");
	if (no_unavailable && no_surge)
		field_required(errors, FIELD(at, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
	check_at_most_all(errors, FIELD(at, "maxUnavailable"), rolling->max_unavailable);
	check_at_most_all(errors, FIELD(at, "maxSurge"), rolling->max_surge);
}

void validate_daemon_set(struct field_errors *errors, const AppsV1DaemonSet *d)
{
	const struct field_path *path = FIELD(NULL, "spec");
	check_selector(errors, path, d->spec->selector, d->spec->template, "daemonset");
	check_template(errors, path, d->spec->template);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), d->spec->min_ready_seconds);
	check_daemon_strategy(errors, FIELD(path, "updateStrategy"), d->spec->update_strategy);
	if (d->spec->has_revision_history_limit)
		validate_not_negative(errors, FIELD(path, "revisionHistoryLimit"), d->spec->revision_history_limit);
}

void validate_daemon_set_update(struct field_errors *errors, const AppsV1DaemonSet *d, const AppsV1DaemonSet *old)
{
	validate_daemon_set(errors, d);
	same_selector(errors, d->spec->selector, old->spec ? old->spec->selector : NULL);
}

void validate_stateful_set(struct field_errors *errors, const AppsV1StatefulSet *s)
{
	static const char *const policies[] = {"OrderedReady", "Parallel", NULL};
	const struct field_path *path = FIELD(NULL, "spec");
	if (str_empty(s->spec->pod_management_policy))
		field_required(errors, FIELD(path, "podManagementPolicy"), "");
	else if (!str_in(s->spec->pod_management_policy, policies))
		field_invalid(errors, FIELD(path, "podManagementPolicy"), s->spec->pod_management_policy,
			"must be 'OrderedReady' or 'Parallel'");
	validate_not_negative(errors, FIELD(path, "replicas"), s->spec->replicas);
	validate_not_negative(errors, FIELD(path, "minReadySeconds"), s->spec->min_ready_seconds);
	check_selector(errors, path, s->spec->selector, s->spec->template, "statefulset");
	check_template(errors, path, s->spec->template);
}

void validate_stateful_set_update(struct field_errors *errors, const AppsV1StatefulSet *s, const AppsV1StatefulSet *old)
{
	validate_stateful_set(errors, s);
	if (!old->spec)
		return;
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
	validate_labels(errors, FIELD(path, "selector"), spec->selector, spec->n_selector);
	if (!spec->n_selector)
		field_required(errors, FIELD(path, "selector"), "");
	validate_not_negative(errors, FIELD(path, "replicas"), spec->replicas);
	check_template(errors, path, spec->template);
	if (spec->n_selector && spec->template &&
		!map_contains(meta ? meta->labels : NULL, meta ? meta->n_labels : 0, spec->selector, spec->n_selector))
		field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"), "null",
			"`selector` does not match template `labels`");
}

void validate_replication_controller_update(
	struct field_errors *errors, const CoreV1ReplicationController *rc, const CoreV1ReplicationController *old)
{
	validate_replication_controller(errors, rc);
}
