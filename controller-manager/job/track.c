/* Accounting: every pod that ended counts once. */
#include "base/str.h"
#include "controller-manager/job/sync.h"
#include "controller-manager/support/batch.h"

enum {
	MAX_UNCOUNTED = 500,
};

static void drop_counted(struct job_sync *s, char **uids, size_t *n, int32_t *counter)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		bool held = false;
		for (size_t j = 0; j < s->n_pods && !held; j++)
			held = str_eq(s->pods[j]->metadata->uid, uids[i]) && job_pod_is_tracked(s, s->pods[j]);
		if (held)
			uids[kept++] = uids[i];
	}
	if (kept != *n)
		s->flush = true;
	*counter += (int32_t)(*n - kept);
	*n = kept;
}

static void count_released(struct job_sync *s)
{
	BatchV1UncountedTerminatedPods *u = s->job->status->uncounted_terminated_pods;
	drop_counted(s, u->succeeded, &u->n_succeeded, &s->job->status->succeeded);
	drop_counted(s, u->failed, &u->n_failed, &s->job->status->failed);
}

static bool may_release(struct job_sync *s, const CoreV1Pod *pod)
{
	if (s->job->metadata->deletion_timestamp || s->finished || str_eq(pod->status->phase, "Succeeded"))
		return true;
	if (!job_pod_has_failed(s->job, pod))
		return false;
	/* The last failed pod of an index holds its counts until the next one has them. */
	if (!s->per_index || job_predecessor(s, pod_completion_index(pod)) != pod)
		return true;
	int32_t index = pod_completion_index(pod);
	bool replaced = index_set_has(&s->succeeded_indexes, index) || index_set_has(&s->failed_indexes, index);
	for (size_t i = 0; i < s->n_pods && !replaced; i++)
		replaced = pod_is_active(s->pods[i]) && pod_completion_index(s->pods[i]) == index;
	return replaced;
}

static void note_pod(struct job_sync *s, const CoreV1Pod *pod, struct index_set *counted)
{
	BatchV1UncountedTerminatedPods *u = s->job->status->uncounted_terminated_pods;
	const char *uid = pod->metadata->uid;
	bool indexed = job_is_indexed(s->job);
	if (str_eq(pod->status->phase, "Succeeded") && !str_in_n(uid, u->failed, u->n_failed)) {
		if (indexed) {
			if (job_pod_has_index(s, pod))
				index_set_add(counted, pod_completion_index(pod));
		} else if (!str_in_n(uid, u->succeeded, u->n_succeeded)) {
			ARENA_PUSH(s->arena, u->succeeded, u->n_succeeded) = arena_strdup(s->arena, uid);
			s->flush = true;
		}
		return;
	}
	bool failed =
		job_pod_has_failed(s->job, pod) || (s->finished && !str_eq(s->finished->type, "SuccessCriteriaMet"));
	if (!failed || str_in_n(uid, u->failed, u->n_failed) || (indexed && !job_pod_has_index(s, pod)) ||
		job_pod_verdict(s, pod) == FAILURE_IGNORED)
		return;
	ARENA_PUSH(s->arena, u->failed, u->n_failed) = arena_strdup(s->arena, uid);
	s->flush = true;
}

static struct status *flush_status(struct job_sync *s)
{
	BatchV1Job *updated;
	if (!s->flush)
		return NULL;
	TRY(client_update_status(s->c->ctx->client, s->arena, s->job, &updated));
	s->job->metadata->resource_version = updated->metadata->resource_version;
	s->flush = false;
	return NULL;
}

struct release {
	struct job_sync *s;
	const CoreV1Pod **pods;
};

static struct status *release_one(void *data, struct arena *arena, size_t index)
{
	struct release *r = data;
	return job_release_pod(r->s->c, arena, r->pods[index]);
}

static void set_index_status(struct job_sync *s, const struct index_set *counted)
{
	BatchV1JobStatus *status = s->job->status;
	char *text = index_set_text(s->arena, counted);
	if (!str_eq(text, status->completed_indexes) || status->succeeded != index_set_count(counted))
		s->flush = true;
	status->completed_indexes = text;
	status->succeeded = index_set_count(counted);
	if (!s->per_index)
		return;
	text = index_set_text(s->arena, &s->failed_indexes);
	if (!status->failed_indexes || !str_eq(text, status->failed_indexes))
		s->flush = true;
	status->failed_indexes = text;
}

struct status *job_track_pods(struct job_sync *s)
{
	BatchV1JobStatus *status = s->job->status;
	BatchV1UncountedTerminatedPods *u = status->uncounted_terminated_pods;
	struct release release = {s, ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_pods + 1)};
	size_t n = 0;
	bool all = true;
	count_released(s);
	struct index_set counted = index_set_parse(s->arena, status->completed_indexes, s->job->spec->completions);
	for (size_t i = 0; i < s->n_pods; i++) {
		const CoreV1Pod *pod = s->pods[i];
		if (!job_pod_is_tracked(s, pod) || !may_release(s, pod))
			continue;
		if (n >= MAX_UNCOUNTED || u->n_succeeded + u->n_failed >= MAX_UNCOUNTED) {
			all = false;
			break;
		}
		release.pods[n++] = pod;
		note_pod(s, pod, &counted);
	}
	if (job_is_indexed(s->job))
		set_index_status(s, &counted);
	job_announce_end(s);
	bool noted = s->flush;
	TRY(flush_status(s));
	if (noted)
		job_store_failures(s->c, s->key, &s->failures);
	struct status *error;
	batch_run(s->c->ctx->workers, n, release_one, &release, &error);
	count_released(s);
	if (error)
		return status_first(error, flush_status(s));
	bool end = s->finished && all && !u->n_succeeded && !u->n_failed && s->terminating <= 0;
	if (end) {
		job_set_finished(s);
	}
	TRY(flush_status(s));
	if (end) {
		job_set_marked(s->c, s->job->metadata->uid, true);
		job_tell_end(s);
	}
	return NULL;
}
