/* The CronJob controller: a Job at each time of a schedule. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/cronjob/schedule.h"
#include "base/zone.h"
#include "controller-manager/job/policy.h"

#define SCHEDULED_ANNOTATION "batch.kubernetes.io/cronjob-scheduled-timestamp"

/* More missed starts than this are worth a warning. */
enum { MAX_MISSED = 100, SLACK_MS = 100 };

struct cronjobs {
	struct controller_context *ctx;
	struct informer *crons, *jobs;
	struct workqueue *queue;
};

struct cron_sync {
	struct cronjobs *c;
	struct arena *arena;
	const char *key;
	BatchV1CronJob *cron; /* a copy of our own */
	const BatchV1Job **jobs;
	size_t n_jobs;
	bool changed; /* the status */
};

/* --- the list of active jobs --- */

static bool is_active(const BatchV1CronJobStatus *status, const char *uid)
{
	for (size_t i = 0; i < status->n_active; i++)
		if (str_eq(status->active[i]->uid, uid))
			return true;
	return false;
}

static void drop_active(struct cron_sync *s, const char *uid)
{
	BatchV1CronJobStatus *status = s->cron->status;
	size_t kept = 0;
	for (size_t i = 0; i < status->n_active; i++)
		if (!str_eq(status->active[i]->uid, uid))
			status->active[kept++] = status->active[i];
	s->changed |= kept != status->n_active;
	status->n_active = kept;
}

static void look_at_job(struct cron_sync *s, const BatchV1Job *job)
{
	BatchV1CronJobStatus *status = s->cron->status;
	bool listed = is_active(status, job->metadata->uid), finished = job_is_finished(job);
	struct event_recorder *recorder = s->c->ctx->recorder;
	if (!listed && !finished) {
		event_record(recorder, s->cron, EVENT_WARNING, "UnexpectedJob",
			"Saw a job that the controller did not create or forgot: %s", job->metadata->name);
		return;
	}
	if (!finished)
		return;
	const BatchV1JobCondition *complete = job_condition(job->status, "Complete");
	bool succeeded = complete && str_eq(complete->status, "True");
	if (listed) {
		drop_active(s, job->metadata->uid);
		event_record(recorder, s->cron, EVENT_NORMAL, "SawCompletedJob", "Saw completed job: %s, condition: %s",
			job->metadata->name, succeeded ? "Complete" : "Failed");
	}
	if (succeeded && job->status->completion_time &&
		time_compare(job->status->completion_time, status->last_successful_time) > 0) {
		status->last_successful_time = time_new(s->arena, job->status->completion_time->seconds);
		s->changed = true;
	}
}

static struct status *look_at_jobs(struct cron_sync *s)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		look_at_job(s, s->jobs[i]);
	/* What is listed and not in the cache may only not have been seen yet. */
	for (size_t i = s->cron->status->n_active; i-- > 0;) {
		const CoreV1ObjectReference *ref = s->cron->status->active[i];
		BatchV1Job *live;
		bool known = false;
		for (size_t j = 0; j < s->n_jobs; j++)
			known |= str_eq(s->jobs[j]->metadata->uid, ref->uid);
		if (known)
			continue;
		struct status *error = client_get(s->c->ctx->client, s->arena, &BatchV1Job_schema,
			s->cron->metadata->namespace, ref->name, &live);
		bool gone = status_is(error, STATUS_NOT_FOUND) || (!error && !str_eq(live->metadata->uid, ref->uid));
		if (error && !gone)
			return error;
		status_drop(error, "told as an event");
		if (!gone)
			continue;
		event_record(s->c->ctx->recorder, s->cron, EVENT_NORMAL, "MissingJob", "Active job went missing: %s",
			ref->name);
		drop_active(s, ref->uid);
	}
	return NULL;
}

/* --- deleting --- */

static struct status *delete_job(struct cron_sync *s, const char *name, const char *uid)
{
	MetaV1DeleteOptions *options = API_NEW(s->arena, MetaV1DeleteOptions);
	options->propagation_policy = arena_strdup(s->arena, "Background");
	struct status *error = client_delete(
		s->c->ctx->client, s->arena, &BatchV1Job_schema, s->cron->metadata->namespace, name, options);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "gone already");
		error = NULL;
	}
	if (error) {
		event_record(
			s->c->ctx->recorder, s->cron, EVENT_WARNING, "FailedDelete", "Deleted job: %s", error->message);
		return error;
	}
	drop_active(s, uid);
	event_record(s->c->ctx->recorder, s->cron, EVENT_NORMAL, "SuccessfulDelete", "Deleted job %s", name);
	return NULL;
}

static int by_start(const void *x, const void *y)
{
	const BatchV1Job *a = *(const BatchV1Job *const *)x, *b = *(const BatchV1Job *const *)y;
	int order = time_compare(a->status->start_time, b->status->start_time);
	return order ? order : str_cmp(a->metadata->name, b->metadata->name);
}

static struct status *trim_history(struct cron_sync *s, const char *type, bool has_limit, int32_t limit)
{
	const BatchV1Job **ended = ARENA_ARRAY(s->arena, const BatchV1Job *, s->n_jobs + 1);
	size_t n = 0;
	for (size_t i = 0; has_limit && i < s->n_jobs; i++) {
		const BatchV1JobCondition *c = job_condition(s->jobs[i]->status, type);
		if (c && str_eq(c->status, "True") && !s->jobs[i]->metadata->deletion_timestamp)
			ended[n++] = s->jobs[i];
	}
	qsort(ended, n, sizeof(*ended), by_start);
	for (size_t i = 0; (int64_t)i < (int64_t)n - limit; i++)
		TRY(delete_job(s, ended[i]->metadata->name, ended[i]->metadata->uid));
	return NULL;
}

/* --- starting --- */

static BatchV1Job *draft_job(struct cron_sync *s, int64_t at)
{
	struct arena *arena = s->arena;
	const BatchV1JobTemplateSpec *template = s->cron->spec->job_template;
	BatchV1Job *job = API_NEW(arena, BatchV1Job);
	object_complete(arena, job);
	MetaV1ObjectMeta *meta = job->metadata;
	char *suffix = arena_printf(arena, "-%lld", (long long)at / 60);
	meta->name = arena_printf(arena, "%.*s%s", 63 - (int)strlen(suffix), s->cron->metadata->name, suffix);
	meta->namespace = arena_strdup(arena, s->cron->metadata->namespace);
	map_copy(arena, template->metadata->labels, template->metadata->n_labels, &meta->labels, &meta->n_labels);
	map_copy(arena, template->metadata->annotations, template->metadata->n_annotations, &meta->annotations,
		&meta->n_annotations);
	ANNOTATION_SET(arena, meta, SCHEDULED_ANNOTATION, time_format(arena, at));
	ARENA_PUSH(arena, meta->owner_references, meta->n_owner_references) = controller_ref_to(arena, s->cron);
	job->spec = object_copy(arena, template->spec);
	return job;
}

static struct status *write_status(struct cron_sync *s)
{
	BatchV1CronJob *updated;
	if (!s->changed)
		return NULL;
	TRY(client_update_status(s->c->ctx->client, s->arena, s->cron, &updated));
	s->cron->metadata->resource_version = updated->metadata->resource_version;
	s->changed = false;
	return NULL;
}

static struct status *start_job(struct cron_sync *s, int64_t at)
{
	struct event_recorder *recorder = s->c->ctx->recorder;
	BatchV1Job *draft = draft_job(s, at), *job;
	struct status *error = client_create(s->c->ctx->client, s->arena, draft, &job);
	if (status_has_cause(error, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(error, "the namespace goes away");
		return NULL;
	}
	if (status_is(error, STATUS_ALREADY_EXISTS)) {
		status_drop(error, "perhaps we made it before we died");
		TRY(client_get(s->c->ctx->client, s->arena, &BatchV1Job_schema, draft->metadata->namespace,
			draft->metadata->name, &job));
		object_complete(s->arena, job);
		if (!controlled_by(job, s->cron) || is_active(s->cron->status, job->metadata->uid) ||
			job_is_finished(job))
			return NULL;
	} else if (error) {
		event_record(
			recorder, s->cron, EVENT_WARNING, "FailedCreate", "Error creating job: %s", error->message);
		return error;
	} else {
		event_record(
			recorder, s->cron, EVENT_NORMAL, "SuccessfulCreate", "Created job %s", job->metadata->name);
	}
	CoreV1ObjectReference *ref = object_reference(s->arena, job);
	ARENA_PUSH(s->arena, s->cron->status->active, s->cron->status->n_active) = ref;
	s->cron->status->last_schedule_time = time_new(s->arena, at);
	s->changed = true;
	return NULL;
}

/* False: this start is left out. */
static bool clear_the_way(struct cron_sync *s, struct status **ret_error)
{
	BatchV1CronJobStatus *status = s->cron->status;
	if (str_eq(s->cron->spec->concurrency_policy, "Forbid") && status->n_active) {
		event_record(s->c->ctx->recorder, s->cron, EVENT_NORMAL, "JobAlreadyActive",
			"Not starting job because prior execution is running and concurrency policy is Forbid");
		return false;
	}
	while (str_eq(s->cron->spec->concurrency_policy, "Replace") && status->n_active && !*ret_error) {
		char *uid = arena_strdup(s->arena, status->active[0]->uid);
		*ret_error = delete_job(s, status->active[0]->name, uid);
		drop_active(s, uid);
	}
	return !*ret_error;
}

static struct status *run_schedule(struct cron_sync *s, const struct schedule *schedule)
{
	const BatchV1CronJobSpec *spec = s->cron->spec;
	const BatchV1CronJobStatus *status = s->cron->status;
	int64_t now = clock_wall_s(s->c->ctx->clock);
	int64_t after = status->last_schedule_time ? status->last_schedule_time->seconds
						   : s->cron->metadata->creation_timestamp->seconds;
	if (spec->has_starting_deadline_seconds && now - spec->starting_deadline_seconds > after)
		after = now - spec->starting_deadline_seconds;
	int64_t at = schedule_last(schedule, after, now), next = schedule_next(schedule, now);
	if (next > 0)
		workqueue_add_after(s->c->queue, s->key, (next - now) * 1000 + SLACK_MS);
	if (at < 0)
		return NULL;
	int missed = 0;
	for (int64_t t = after; missed <= MAX_MISSED && (t = schedule_next(schedule, t)) > 0 && t <= now;)
		missed++;
	if (missed > MAX_MISSED)
		event_record(s->c->ctx->recorder, s->cron, EVENT_WARNING, "TooManyMissedTimes",
			"too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock "
			"skew");
	if (spec->has_starting_deadline_seconds && at + spec->starting_deadline_seconds < now) {
		event_record(s->c->ctx->recorder, s->cron, EVENT_WARNING, "MissSchedule",
			"Missed scheduled time to start a job: %s", time_format(s->arena, at));
		return NULL;
	}
	struct status *error = NULL;
	if (!clear_the_way(s, &error))
		return error;
	return start_job(s, at);
}

/* False: there is no such zone. A CronJob without one goes by UTC. */
static bool zone_offset(const char *zone, int64_t now, int64_t *ret_s)
{
	*ret_s = 0;
	return str_empty(zone) || str_eq(zone, "UTC") || zone_offset_at(zone, now, ret_s);
}

static struct status *sync_open(struct cron_sync *s)
{
	const BatchV1CronJobSpec *spec = s->cron->spec;
	struct schedule schedule;
	TRY(look_at_jobs(s));
	if (s->cron->metadata->deletion_timestamp || (spec->has_suspend && spec->suspend))
		return NULL;
	struct status *bad = schedule_parse(spec->schedule, &schedule);
	if (bad) {
		event_record(s->c->ctx->recorder, s->cron, EVENT_WARNING, "UnparseableSchedule",
			"unparseable schedule: \"%s\" : %s", spec->schedule, bad->message);
		status_drop(bad, "told as an event; the next version may be better");
		return NULL;
	}
	if (!zone_offset(spec->time_zone, clock_wall_s(s->c->ctx->clock), &schedule.offset_s)) {
		event_record(s->c->ctx->recorder, s->cron, EVENT_WARNING, "UnknownTimeZone", "invalid timeZone: \"%s\"",
			spec->time_zone);
		return NULL;
	}
	return run_schedule(s, &schedule);
}

static struct status *sync_cron(void *data, struct arena *arena, const char *key)
{
	struct cronjobs *c = data;
	const BatchV1CronJob *cron = informer_get_key(c->crons, arena, key);
	if (!cron)
		return NULL;
	struct cron_sync s = {.c = c, .arena = arena, .key = key, .cron = object_copy(arena, cron)};
	s.jobs = (const BatchV1Job **)controller_dependents(
		c->jobs, arena, cron->metadata->namespace, cron->metadata->uid, false, &s.n_jobs);
	struct status *error = sync_open(&s);
	error = status_first(error, write_status(&s));
	if (error)
		return error;
	TRY(trim_history(&s, "Complete", cron->spec->has_successful_jobs_history_limit,
		cron->spec->successful_jobs_history_limit));
	TRY(trim_history(
		&s, "Failed", cron->spec->has_failed_jobs_history_limit, cron->spec->failed_jobs_history_limit));
	return write_status(&s);
}

/* --- events --- */

static void job_changed(struct cronjobs *c, const MetaV1ObjectMeta *job)
{
	const MetaV1OwnerReference *ref = controller_of(job);
	if (!ref || !str_eq(ref->kind, "CronJob"))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	workqueue_add(c->queue, arena_printf(arena, "%s/%s", job->namespace, ref->name));
}

static void job_added(void *data, const struct object *object, bool initial)
{
	job_changed(data, object_metadata(object->msg));
}

static void job_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	job_changed(data, object_metadata(new_object->msg));
}

static void job_deleted(void *data, const struct object *object, bool final_unknown)
{
	job_changed(data, object_metadata(object->msg));
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler job_handler = {
		.added = job_added, .updated = job_updated, .deleted = job_deleted};
	struct cronjobs *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->crons = controller_informer(ctx, &BatchV1CronJob_schema);
	c->jobs = controller_informer(ctx, &BatchV1Job_schema);
	c->queue = controller_queue(ctx, "cronjob", ctx->options->concurrent_cron_job_syncs, sync_cron, c);
	informer_add_handler(c->crons, &enqueue_self, c->queue);
	informer_add_handler(c->jobs, &job_handler, c);
	return NULL;
}

const struct controller cronjob_controller = {.name = "cronjob-controller", .alias = "cronjob", .start = start};
