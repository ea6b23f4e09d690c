/* What the scheduler tells the apiserver: bindings, conditions, evictions; from workers, with the outcome posted back.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/internal.h"

enum { MAX_NOTE = 1024 };

/* --- binding --- */

struct bind_job {
	struct scheduler *s;
	struct cycle *cycle;
	struct queued_pod *item;
	const char *node;
	int64_t start_ms;
	struct verdict verdict;
};

struct status *scheduler_post_binding(void *data, struct cycle *cycle, const char *node)
{
	struct scheduler *s = data;
	CoreV1Binding *binding = API_NEW(cycle->arena, CoreV1Binding);
	binding->metadata = API_NEW(cycle->arena, MetaV1ObjectMeta);
	binding->metadata->namespace = arena_strdup(cycle->arena, cycle->pod->namespace_);
	binding->metadata->name = arena_strdup(cycle->arena, cycle->pod->name);
	binding->metadata->uid = arena_strdup(cycle->arena, cycle->pod->uid);
	binding->target = API_NEW(cycle->arena, CoreV1ObjectReference);
	binding->target->kind = arena_strdup(cycle->arena, "Node");
	binding->target->name = arena_strdup(cycle->arena, node);
	TRY(fail_try("bind.before"));
	TRY(client_create_subresource(s->client, cycle->arena, &CoreV1Pod_schema, cycle->pod->namespace_,
		cycle->pod->name, "binding", binding, NULL));
	return fail_try("bind.after");
}

/* How long it took in all, from the first attempt. */
static void count_pod(struct scheduler *s, const struct queued_pod *item)
{
	enum { MANY = 15 };
	char attempts[16] = "15+";
	if (item->attempts < MANY)
		snprintf(attempts, sizeof(attempts), "%d", item->attempts);
	metric_observe(s->metrics.pod_seconds, (double)(clock_mono_ms(s->handle.clock) - item->first_attempt_ms) / 1000,
		attempts);
}

static void bound(struct bind_job *job)
{
	struct scheduler *s = job->s;
	struct cycle *cycle = job->cycle;
	const char *profile = cycle->profile->scheduler_name;
	double seconds = (double)(clock_mono_ms(s->handle.clock) - job->start_ms) / 1000;
	log_v(2, "Successfully bound pod to node: pod=%s/%s node=%s", cycle->pod->namespace_, cycle->pod->name,
		job->node);
	event_record_v1(scheduler_recorder(s, cycle->profile), event_reference(cycle->arena, cycle->pod->pod), NULL,
		EVENT_NORMAL, "Scheduled", "Binding", "Successfully assigned %s/%s to %s", cycle->pod->namespace_,
		cycle->pod->name, job->node);
	metric_add(s->metrics.attempts, 1, profile, "scheduled");
	metric_observe(s->metrics.attempt_duration, seconds, profile, "scheduled");
	metric_observe(s->metrics.pod_attempts, job->item->attempts);
	count_pod(s, job->item);
	framework_post_bind(cycle, job->node);
	queue_done(s->queue, job->item);
}

/* The outcome may be unknown: if the pod was bound after all, its watch event says so and the failure path sees it. */
static void not_bound(struct bind_job *job)
{
	struct scheduler *s = job->s;
	struct cycle *cycle = job->cycle;
	const char *message = verdict_message(cycle->arena, &job->verdict);
	log_v(1, "Failed to bind pod: pod=%s/%s node=%s err=%s", cycle->pod->namespace_, cycle->pod->name, job->node,
		message);
	framework_unreserve(cycle, job->node);
	scheduler_forget(s, cycle->pod->uid, true);
	metric_add(s->metrics.attempts, 1, cycle->profile->scheduler_name, "error");
	scheduler_fail(s, job->item, cycle->profile, job->verdict.code, message, NULL, "");
}

static void bind_over(void *data)
{
	struct bind_job *job = data;
	if (job->verdict.code == VERDICT_SUCCESS)
		bound(job);
	else
		not_bound(job);
	cycle_free(job->cycle);
	struct scheduler *s = job->s;
	free(job);
	scheduler_wake(s);
}

static void bind_work(void *data)
{
	struct bind_job *job = data;
	job->verdict = framework_pre_bind(job->cycle, job->node);
	if (job->verdict.code == VERDICT_SUCCESS)
		job->verdict = framework_bind(job->cycle, job->node);
	loop_post(job->s->loop, bind_over, job);
}

void scheduler_bind(
	struct scheduler *s, struct cycle *cycle, struct queued_pod *item, const char *node, int64_t start_ms)
{
	struct bind_job *job = mem_zalloc(sizeof *job);
	*job = (struct bind_job){.s = s, .cycle = cycle, .item = item, .node = node, .start_ms = start_ms};
	if (workers_submit(s->workers, bind_work, job))
		return;
	job->verdict = verdict_error("too many bindings are waiting for the apiserver");
	loop_post(s->loop, bind_over, job);
}

/* --- the pod's status --- */

struct patch_job {
	struct scheduler *s;
	struct arena *arena;
	CoreV1Pod *old_pod, *new_pod;
};

static void patch_work(void *data)
{
	struct patch_job *job = data;
	struct status *failed =
		client_patch_diff(job->s->client, job->arena, job->old_pod, job->new_pod, "status", false, NULL);
	if (failed && failed->reason == STATUS_NOT_FOUND)
		status_drop(failed, "the pod is gone");
	else
		log_status(failed, "Error updating pod %s/%s", job->new_pod->metadata->namespace,
			job->new_pod->metadata->name);
	arena_free(job->arena);
	free(job);
}

static CoreV1PodCondition *condition_ensure(struct arena *arena, CoreV1PodStatus *status, const char *type)
{
	for (size_t i = 0; i < status->n_conditions; i++) {
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	}
	CoreV1PodCondition *condition = API_NEW(arena, CoreV1PodCondition);
	condition->type = arena_strdup(arena, type);
	ARENA_PUSH(arena, status->conditions, status->n_conditions) = condition;
	return condition;
}

static void set_condition(struct arena *arena, CoreV1Pod *pod, const char *type, const char *value, const char *reason,
	const char *message)
{
	CoreV1PodCondition *c = condition_ensure(arena, pod->status, type);
	if (!str_eq(c->status, value) || !c->last_transition_time)
		c->last_transition_time = time_now(arena);
	c->status = arena_strdup(arena, value);
	c->reason = arena_strdup(arena, reason);
	c->message = arena_strdup(arena, message);
	c->observed_generation = pod->metadata->generation;
}

static struct patch_job *patch_new(struct scheduler *s, const struct pod_info *pod)
{
	struct patch_job *job = mem_zalloc(sizeof *job);
	job->s = s;
	job->arena = arena_new();
	job->old_pod = api_copy_msg(job->arena, pod->pod);
	job->new_pod = api_copy_msg(job->arena, pod->pod);
	if (!job->new_pod->status)
		job->new_pod->status = API_NEW(job->arena, CoreV1PodStatus);
	return job;
}

static void patch_submit(struct patch_job *job)
{
	if (!api_equal(job->old_pod, job->new_pod) && workers_submit(job->s->workers, patch_work, job))
		return;
	arena_free(job->arena);
	free(job);
}

static void tell_failure(struct scheduler *s, const struct profile *profile, const struct pod_info *pod, bool rejected,
	const char *message, const char *nominate)
{
	struct patch_job *job = patch_new(s, pod);
	size_t len = strlen(message);
	event_record_v1(scheduler_recorder(s, profile), event_reference(job->arena, pod->pod), NULL, EVENT_WARNING,
		"FailedScheduling", "Scheduling", "%.*s%s", len > MAX_NOTE ? MAX_NOTE - 4 : (int)len, message,
		len > MAX_NOTE ? " ..." : "");
	set_condition(job->arena, job->new_pod, "PodScheduled", "False", rejected ? "Unschedulable" : "SchedulerError",
		message);
	if (nominate)
		job->new_pod->status->nominated_node_name = arena_strdup(job->arena, nominate);
	patch_submit(job);
}

/* The newest facts of a pod that is still ours to place; NULL if there is no such pod any more. */
static struct pod_info *present(struct scheduler *s, const struct pod_info *pod)
{
	CLEANUP_FREE char *key = mem_printf("%s/%s", pod->namespace_, pod->name);
	struct object *object = informer_ref(s->pod_informer, key);
	if (!object)
		return NULL;
	struct pod_info *info = pod_info_new(s->resource_names, object->msg, (void (*)(void *))object_unref, object);
	if (str_eq(info->uid, pod->uid) && str_empty(pod_node_name(info)))
		return info;
	pod_info_unref(info);
	return NULL;
}

void scheduler_fail(struct scheduler *s, struct queued_pod *item, const struct profile *profile, enum verdict_code code,
	const char *message, const struct diagnosis *diagnosis, const char *nominate)
{
	bool rejected = verdict_rejects(code);
	struct pod_info *now = present(s, item->pod);
	log_v(rejected ? 2 : 0, "Unable to schedule pod: pod=%s/%s err=%s", item->pod->namespace_, item->pod->name,
		message);
	if (!now) {
		nominator_set(s->nominator, item->pod, NULL);
		queue_done(s->queue, item);
		return;
	}
	if (nominate)
		nominator_set(s->nominator, now, nominate);
	tell_failure(s, profile, now, rejected, message, nominate);
	queue_requeue(s->queue, item, now, rejected && diagnosis ? diagnosis->unschedulable : 0,
		rejected && diagnosis ? diagnosis->pending : 0);
	pod_info_unref(now);
}

/* --- preemption --- */

struct preempt_job {
	struct scheduler *s;
	struct arena *arena;
	CoreV1Pod **victims;
	size_t n_victims;
	char *uid; /* of the pod that preempts */
	char *node, *scheduler_name;
	struct event_recorder *recorder;
	CoreV1ObjectReference *preemptor;
};

static void preempt_over(void *data)
{
	struct preempt_job *job = data;
	struct scheduler *s = job->s;
	strmap_remove(s->preempting, job->uid);
	const struct queued_pod *item = queue_find(s->queue, job->uid);
	if (item && item->place == QUEUE_UNSCHEDULABLE && item->gate >= 0)
		queue_activate(s->queue, job->uid);
	arena_free(job->arena);
	free(job);
	scheduler_wake(s);
}

static struct status *evict(struct preempt_job *job, const CoreV1Pod *victim)
{
	CoreV1Pod *marked = api_copy_msg(job->arena, victim);
	if (!marked->status)
		marked->status = API_NEW(job->arena, CoreV1PodStatus);
	set_condition(job->arena, marked, "DisruptionTarget", "True", "PreemptionByScheduler",
		arena_printf(job->arena, "%s: preempting to accommodate a higher priority pod", job->scheduler_name));
	TRY(client_patch_diff(job->s->client, job->arena, victim, marked, "status", false, NULL));
	MetaV1DeleteOptions *options = API_NEW(job->arena, MetaV1DeleteOptions);
	options->preconditions = API_NEW(job->arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(job->arena, victim->metadata->uid);
	TRY(client_delete(job->s->client, job->arena, &CoreV1Pod_schema, victim->metadata->namespace,
		victim->metadata->name, options));
	event_record_v1(job->recorder, event_reference(job->arena, victim), job->preemptor, EVENT_NORMAL, "Preempted",
		"Preempting", "Preempted by pod %s on node %s", job->uid, job->node);
	return NULL;
}

static void preempt_work(void *data)
{
	struct preempt_job *job = data;
	for (size_t i = 0; i < job->n_victims; i++) {
		struct status *failed = evict(job, job->victims[i]);
		if (status_is(failed, STATUS_NOT_FOUND))
			status_drop(failed, "the victim is gone already");
		else
			log_status(failed, "Error preempting pod %s/%s", job->victims[i]->metadata->namespace,
				job->victims[i]->metadata->name);
	}
	loop_post(job->s->loop, preempt_over, job);
}

/* Lesser pods nominated to the node have lost their place there. */
static void clear_lesser(struct scheduler *s, const struct pod_info *pod, const char *node)
{
	struct pod_info *const *pods;
	size_t n = nominator_list(s->nominator, node, &pods);
	for (size_t i = 0; i < n; i++) {
		if (pods[i]->priority >= pod->priority)
			continue;
		struct patch_job *job = patch_new(s, pods[i]);
		job->new_pod->status->nominated_node_name = arena_strdup(job->arena, "");
		patch_submit(job);
		nominator_set(s->nominator, pods[i], NULL);
		n = nominator_list(s->nominator, node, &pods);
		i = (size_t)-1;
	}
}

void scheduler_preempt(
	void *data, struct cycle *cycle, const char *node, struct pod_info *const *victims, size_t n_victims)
{
	struct scheduler *s = data;
	struct preempt_job *job = mem_zalloc(sizeof *job);
	job->s = s;
	job->arena = arena_new();
	job->uid = arena_strdup(job->arena, cycle->pod->uid);
	job->node = arena_strdup(job->arena, node);
	job->scheduler_name = arena_strdup(job->arena, cycle->profile->scheduler_name);
	job->recorder = scheduler_recorder(s, cycle->profile);
	job->preemptor = event_reference(job->arena, cycle->pod->pod);
	job->victims = ARENA_ARRAY(job->arena, CoreV1Pod *, n_victims);
	for (size_t i = 0; i < n_victims; i++) {
		if (!pod_is_terminating(victims[i]))
			job->victims[job->n_victims++] = api_copy_msg(job->arena, victims[i]->pod);
	}
	metric_observe(s->metrics.preemption_victims, (double)n_victims);
	clear_lesser(s, cycle->pod, node);
	strmap_put(s->preempting, job->uid, job);
	if (workers_submit(s->workers, preempt_work, job))
		return;
	loop_post(s->loop, preempt_over, job);
}
