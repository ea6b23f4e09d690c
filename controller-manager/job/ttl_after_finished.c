/* Jobs with ttlSecondsAfterFinished are deleted that long after their end. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/job/policy.h"

struct ttl_jobs {
	struct controller_context *ctx;
	struct informer *jobs;
	struct workqueue *queue;
};

/* False if it has no end yet, or no ttl. */
static bool expires_at(const BatchV1Job *job, int64_t *ret_s)
{
	if (!job->spec->has_ttl_seconds_after_finished || job->metadata->deletion_timestamp || !job_is_finished(job))
		return false;
	const BatchV1JobCondition *c = job_condition(job->status, "Complete");
	if (!c || !str_eq(c->status, "True"))
		c = job_condition(job->status, "Failed");
	if (time_is_zero(c->last_transition_time))
		return false;
	*ret_s = c->last_transition_time->seconds + job->spec->ttl_seconds_after_finished;
	return true;
}

static struct status *sync_job(void *data, struct arena *arena, const char *key)
{
	struct ttl_jobs *c = data;
	const BatchV1Job *job = informer_get_key(c->jobs, arena, key);
	int64_t at, now = clock_wall_s(c->ctx->clock);
	BatchV1Job *fresh;
	if (!job || !expires_at(job, &at))
		return NULL;
	if (at > now) {
		workqueue_add_after(c->queue, key, (at - now) * 1000);
		return NULL;
	}
	/* The ttl may have been raised meanwhile. */
	struct status *s = client_get(
		c->ctx->client, arena, &BatchV1Job_schema, job->metadata->namespace, job->metadata->name, &fresh);
	if (!s) {
		object_complete(arena, fresh);
		if (!expires_at(fresh, &at) || at > now)
			return NULL;
		MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
		options->propagation_policy = arena_strdup(arena, "Foreground");
		options->preconditions = API_NEW(arena, MetaV1Preconditions);
		options->preconditions->uid = arena_strdup(arena, fresh->metadata->uid);
		s = client_delete(c->ctx->client, arena, &BatchV1Job_schema, fresh->metadata->namespace,
			fresh->metadata->name, options);
	}
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone already");
		return NULL;
	}
	return s;
}

static struct status *start(struct controller_context *ctx)
{
	struct ttl_jobs *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->jobs = controller_informer(ctx, &BatchV1Job_schema);
	c->queue = controller_queue(
		ctx, "ttl_jobs_to_delete", ctx->options->concurrent_ttl_after_finished_syncs, sync_job, c);
	informer_add_handler(c->jobs, &enqueue_self, c->queue);
	return NULL;
}

const struct controller ttl_after_finished_controller = {
	.name = "ttl-after-finished-controller", .alias = "ttl-after-finished", .start = start};
