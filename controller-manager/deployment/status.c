/* Counts, conditions, progress and its deadline. */
#include "base/log.h"
#include "base/fail.h"
#include "base/str.h"
#include "controller-manager/deployment/deployment.h"

const AppsV1DeploymentCondition *deployment_condition(const AppsV1DeploymentStatus *status, const char *type)
{
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	return NULL;
}

static void remove_condition(AppsV1DeploymentStatus *status, const char *type)
{
	size_t kept = 0;
	for (size_t i = 0; i < status->n_conditions; i++)
		if (!str_eq(status->conditions[i]->type, type))
			status->conditions[kept++] = status->conditions[i];
	status->n_conditions = kept;
}

/* Same status and reason: nothing changes, not even the message. */
static void put_condition(struct rollout *r, AppsV1DeploymentStatus *status, AppsV1DeploymentCondition *c)
{
	const AppsV1DeploymentCondition *present = deployment_condition(status, c->type);
	if (present && str_eq(present->status, c->status) && str_eq(present->reason, c->reason))
		return;
	if (present && str_eq(present->status, c->status))
		c->last_transition_time = present->last_transition_time;
	remove_condition(status, c->type);
	ARENA_PUSH(r->arena, status->conditions, status->n_conditions) = c;
}

static AppsV1DeploymentCondition *new_condition(
	struct rollout *r, const char *type, const char *value, const char *reason, const char *message)
{
	AppsV1DeploymentCondition *c = API_NEW(r->arena, AppsV1DeploymentCondition);
	c->type = arena_strdup(r->arena, type);
	c->status = arena_strdup(r->arena, value);
	c->reason = arena_strdup(r->arena, reason);
	c->message = arena_strdup(r->arena, message);
	c->last_update_time = now_time(r->arena, r->ctx->clock);
	c->last_transition_time = now_time(r->arena, r->ctx->clock);
	return c;
}

void set_deployment_condition(struct rollout *r, AppsV1DeploymentStatus *status, const char *type, const char *value,
	const char *reason, const char *message)
{
	put_condition(r, status, new_condition(r, type, value, reason, message));
}

bool deployment_complete(const AppsV1Deployment *d, const AppsV1DeploymentStatus *status)
{
	int32_t replicas = deployment_replicas(d);
	return status->updated_replicas == replicas && status->replicas == replicas &&
	       status->available_replicas == replicas && status->observed_generation >= d->metadata->generation;
}

static bool progressing(const AppsV1Deployment *d, const AppsV1DeploymentStatus *status)
{
	const AppsV1DeploymentStatus *before = d->status;
	return status->updated_replicas > before->updated_replicas ||
	       status->replicas - status->updated_replicas < before->replicas - before->updated_replicas ||
	       status->ready_replicas > before->ready_replicas ||
	       status->available_replicas > before->available_replicas;
}

static bool timed_out(struct rollout *r, const AppsV1DeploymentStatus *status)
{
	const AppsV1DeploymentCondition *c = deployment_condition(status, "Progressing");
	if (!deployment_has_deadline(r->d) || !c || str_eq(c->reason, "NewReplicaSetAvailable"))
		return false;
	if (str_eq(c->reason, "ProgressDeadlineExceeded"))
		return true;
	return time_ns(c->last_update_time) + r->d->spec->progress_deadline_seconds * 1000000000ll <
	       clock_wall_ns(r->ctx->clock);
}

AppsV1DeploymentStatus *deployment_status(struct rollout *r)
{
	const AppsV1Deployment *d = r->d;
	struct sets all = sets_with(r->arena, r->old, r->new_set);
	AppsV1DeploymentStatus *status = API_NEW(r->arena, AppsV1DeploymentStatus);
	int32_t available = sets_available_replicas(all), unavailable = sets_spec_replicas(all) - available;
	status->observed_generation = d->metadata->generation;
	status->replicas = sets_actual_replicas(all);
	status->updated_replicas = r->new_set ? r->new_set->status->replicas : 0;
	status->ready_replicas = sets_ready_replicas(all);
	status->available_replicas = available;
	status->unavailable_replicas = unavailable < 0 ? 0 : unavailable;
	status->has_collision_count = d->status->has_collision_count;
	status->collision_count = d->status->collision_count;
	for (size_t i = 0; i < d->status->n_conditions; i++)
		ARENA_PUSH(r->arena, status->conditions, status->n_conditions) = d->status->conditions[i];
	if (available >= deployment_replicas(d) - deployment_max_unavailable(d))
		set_deployment_condition(r, status, "Available", "True", "MinimumReplicasAvailable",
			"Deployment has minimum availability.");
	else
		set_deployment_condition(r, status, "Available", "False", "MinimumReplicasUnavailable",
			"Deployment does not have minimum availability.");
	return status;
}

struct status *write_deployment_status(struct rollout *r)
{
	AppsV1Deployment *updated;
	TRY(fail_try("deployment.before-status"));
	TRY(client_update_status(r->ctx->client, r->arena, r->d, &updated));
	r->d->metadata->resource_version = updated->metadata->resource_version;
	return NULL;
}

struct status *sync_status(struct rollout *r)
{
	AppsV1DeploymentStatus *status = deployment_status(r);
	if (api_equal(r->d->status, status))
		return NULL;
	r->d->status = status;
	return write_deployment_status(r);
}

/* --- progress --- */

static const char *subject(struct rollout *r)
{
	return r->new_set ? arena_printf(r->arena, "ReplicaSet \"%s\"", r->new_set->metadata->name)
			  : arena_printf(r->arena, "Deployment \"%s\"", r->d->metadata->name);
}

static void judge_progress(struct rollout *r, AppsV1DeploymentStatus *status)
{
	const AppsV1DeploymentCondition *present = deployment_condition(r->d->status, "Progressing");
	if (deployment_complete(r->d, status)) {
		set_deployment_condition(r, status, "Progressing", "True", "NewReplicaSetAvailable",
			arena_printf(r->arena, "%s has successfully progressed.", subject(r)));
	} else if (progressing(r->d, status)) {
		AppsV1DeploymentCondition *c = new_condition(r, "Progressing", "True", "ReplicaSetUpdated",
			arena_printf(r->arena, "%s is progressing.", subject(r)));
		/* Progress renews the time of the last update even under the same reason. */
		if (present && str_eq(present->status, "True"))
			c->last_transition_time = present->last_transition_time;
		if (present)
			remove_condition(status, "Progressing");
		put_condition(r, status, c);
	} else if (timed_out(r, status)) {
		set_deployment_condition(r, status, "Progressing", "False", "ProgressDeadlineExceeded",
			arena_printf(r->arena, "%s has timed out progressing.", subject(r)));
	}
}

static const AppsV1ReplicaSetCondition *failure_of(const AppsV1ReplicaSet *set)
{
	for (size_t i = 0; set && i < set->status->n_conditions; i++)
		if (str_eq(set->status->conditions[i]->type, "ReplicaFailure"))
			return set->status->conditions[i];
	return NULL;
}

static void judge_failure(struct rollout *r, AppsV1DeploymentStatus *status)
{
	const AppsV1ReplicaSetCondition *failure = failure_of(r->new_set);
	for (size_t i = 0; !failure && i < r->old.n; i++)
		failure = failure_of(r->old.items[i]);
	if (!failure) {
		remove_condition(status, "ReplicaFailure");
		return;
	}
	AppsV1DeploymentCondition *c =
		new_condition(r, failure->type, failure->status, failure->reason, failure->message);
	c->last_transition_time = c->last_update_time = failure->last_transition_time;
	put_condition(r, status, c);
}

/* A rollout that shows no progress is looked at again when its deadline has passed. */
static void requeue_stuck(struct rollout *r, const AppsV1DeploymentStatus *status)
{
	const AppsV1DeploymentCondition *c = deployment_condition(r->d->status, "Progressing");
	if (!deployment_has_deadline(r->d) || !c || deployment_complete(r->d, status) ||
		str_eq(c->reason, "ProgressDeadlineExceeded"))
		return;
	int64_t after_ms = (time_ns(c->last_update_time) - clock_wall_ns(r->ctx->clock)) / 1000000 +
			   r->d->spec->progress_deadline_seconds * 1000ll;
	if (after_ms < 1000)
		workqueue_add_rate_limited(r->queue, r->key);
	else
		workqueue_add_after(r->queue, r->key, after_ms + 1000);
}

struct status *sync_rollout_status(struct rollout *r)
{
	AppsV1DeploymentStatus *status = deployment_status(r);
	if (!deployment_has_deadline(r->d))
		remove_condition(status, "Progressing");
	const AppsV1DeploymentCondition *present = deployment_condition(r->d->status, "Progressing");
	bool complete = status->replicas == status->updated_replicas && present &&
			str_eq(present->reason, "NewReplicaSetAvailable");
	if (deployment_has_deadline(r->d) && !complete)
		judge_progress(r, status);
	judge_failure(r, status);
	if (api_equal(r->d->status, status)) {
		requeue_stuck(r, status);
		return NULL;
	}
	r->d->status = status;
	return write_deployment_status(r);
}

struct status *check_paused(struct rollout *r)
{
	AppsV1Deployment *d = r->d;
	if (!deployment_has_deadline(d))
		return NULL;
	const AppsV1DeploymentCondition *c = deployment_condition(d->status, "Progressing");
	if (c && str_eq(c->reason, "ProgressDeadlineExceeded"))
		return NULL;
	bool noted = c && str_eq(c->reason, "DeploymentPaused");
	if (d->spec->paused == noted)
		return NULL;
	if (d->spec->paused)
		set_deployment_condition(
			r, d->status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
	else
		set_deployment_condition(
			r, d->status, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
	return write_deployment_status(r);
}
