/* Attempts: one pod at a time off the queue, through the framework, onto a node or back into the queue. */
#include "base/log.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/internal.h"

/* Attempts between two looks at the loop, so that events and the flush timer are never late. */
enum { ATTEMPTS_PER_TURN = 16 };

struct event_recorder *scheduler_recorder(const struct scheduler *s, const struct profile *profile)
{
	for (size_t i = 0; i < s->profiles.n_items; i++) {
		if (s->profiles.items[i] == profile)
			return s->recorders[i];
	}
	return NULL;
}

struct placed_pod *scheduler_placed(struct scheduler *s, const char *uid)
{
	return strmap_get(s->placed, uid);
}

void scheduler_unplace(struct scheduler *s, const char *uid)
{
	struct placed_pod *placed = strmap_steal(s->placed, uid);
	if (!placed)
		return;
	uint32_t row = nodes_row(s->nodes, placed->node);
	if (row != NODES_NO_ROW)
		nodes_remove_pod(s->nodes, row, placed->pod);
	pod_info_unref(placed->pod);
	free(placed->node);
	free(placed);
}

void scheduler_assume(struct scheduler *s, struct pod_info *pod, const char *node)
{
	struct placed_pod *placed = mem_zalloc(sizeof *placed);
	placed->pod = pod_info_ref(pod);
	placed->node = mem_strdup(node);
	placed->assumed = true;
	nodes_add_pod(s->nodes, nodes_ensure_row(s->nodes, node), pod);
	strmap_put(s->placed, pod->uid, placed);
	nominator_set(s->nominator, pod, NULL);
}

void scheduler_forget(struct scheduler *s, const char *uid, bool requeue_others)
{
	struct placed_pod *placed = scheduler_placed(s, uid);
	if (!placed || !placed->assumed)
		return;
	struct pod_info *pod = pod_info_ref(placed->pod);
	scheduler_unplace(s, uid);
	struct cluster_event event = {.resource = EVENT_ASSIGNED_POD, .action = EVENT_DELETE, .old_pod = pod};
	if (requeue_others)
		queue_event(s->queue, &event, NULL, NULL, NULL);
	pod_info_unref(pod);
}

/* Whether there is nothing left to decide about a pod that was queued. */
static bool is_settled(struct scheduler *s, const struct queued_pod *item)
{
	if (item->deleted || scheduler_placed(s, item->pod->uid))
		return true;
	if (!pod_is_terminating(item->pod))
		return false;
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	event_record_v1(scheduler_recorder(s, item->profile), event_reference(arena, item->pod->pod), NULL,
		EVENT_WARNING, "FailedScheduling", "Scheduling", "skip schedule deleting pod: %s/%s",
		item->pod->namespace_, item->pod->name);
	return true;
}

static void count_attempt(struct scheduler *s, const struct profile *profile, const char *result, int64_t start_ms)
{
	double seconds = (double)(clock_mono_ms(s->handle.clock) - start_ms) / 1000;
	metric_add(s->metrics.attempts, 1, profile->scheduler_name, result);
	metric_observe(s->metrics.attempt_duration, seconds, profile->scheduler_name, result);
}

/* Reserve and permit: the last say of the plugins while everything is still in our hands. */
static struct verdict secure(struct cycle *cycle, const char *node)
{
	int64_t timeout_ms = 0;
	struct verdict verdict = framework_reserve(cycle, nodes_row(cycle->nodes, node));
	if (verdict.code == VERDICT_SUCCESS)
		verdict = framework_permit(cycle, node, &timeout_ms);
	if (verdict.code == VERDICT_WAIT)
		return unschedulable("rejected: nobody allowed the pod in time");
	return verdict;
}

static void place(struct scheduler *s, struct cycle *cycle, struct queued_pod *item, const char *node, int64_t start_ms)
{
	scheduler_assume(s, item->pod, node);
	fail_at("schedule.after-assume");
	struct verdict verdict = secure(cycle, node);
	if (verdict.code == VERDICT_SUCCESS) {
		scheduler_bind(s, cycle, item, node, start_ms);
		return;
	}
	framework_unreserve(cycle, node);
	scheduler_forget(s, item->pod->uid, false);
	const char *message = verdict_message(cycle->arena, &verdict);
	struct diagnosis diagnosis = {.unschedulable = verdict_rejects(verdict.code) ? 1u << verdict.plugin : 0};
	if (verdict_rejects(verdict.code))
		message = arena_printf(cycle->arena, "0/1 nodes are available: 1 %s.", message);
	scheduler_fail(s, item, cycle->profile, verdict.code, message, &diagnosis, "");
	cycle_free(cycle);
}

static void attempt(struct scheduler *s, struct queued_pod *item)
{
	if (is_settled(s, item)) {
		queue_done(s->queue, item);
		return;
	}
	const struct profile *profile = item->profile;
	int64_t start_ms = clock_mono_ms(s->handle.clock);
	struct cycle *cycle = cycle_new(profile, &s->handle, s->nodes, item->pod);
	struct schedule_result result;
	log_v(3, "Attempting to schedule pod: pod=%s/%s", item->pod->namespace_, item->pod->name);
	schedule_pod(cycle, &s->cursor, &result);
	arena_reset(s->scratch);
	metric_observe(s->metrics.algorithm_duration, (double)(clock_mono_ms(s->handle.clock) - start_ms) / 1000);
	if (result.code == VERDICT_SUCCESS) {
		place(s, cycle, item, result.node, start_ms);
		return;
	}
	if (result.diagnosis.preemption_tried)
		metric_add(s->metrics.preemption_attempts, 1);
	count_attempt(s, profile, result.code == VERDICT_ERROR ? "error" : "unschedulable", start_ms);
	scheduler_fail(s, item, profile, result.code, result.message, &result.diagnosis, result.nominate);
	cycle_free(cycle);
}

static void turn(void *data)
{
	struct scheduler *s = data;
	s->turn_posted = false;
	if (!s->leading || s->n_unsynced)
		return;
	for (int i = 0; i < ATTEMPTS_PER_TURN; i++) {
		struct queued_pod *item = queue_pop(s->queue);
		if (!item)
			break;
		attempt(s, item);
	}
	scheduler_wake(s);
}

static void flush_due(void *data)
{
	struct scheduler *s = data;
	s->flush_timer = NULL;
	scheduler_wake(s);
}

/* Looks at the queue: posts a turn if there is work, else sets the timer for when there will be. */
void scheduler_wake(struct scheduler *s)
{
	static const char *const names[] = {"active", "backoff", "backoff", "unschedulable"};
	if (!s->leading || s->n_unsynced || s->turn_posted)
		return;
	int64_t wait_ms = queue_flush(s->queue);
	metric_set(s->metrics.pending, (double)queue_count(s->queue, QUEUE_ACTIVE), names[0]);
	metric_set(s->metrics.pending,
		(double)(queue_count(s->queue, QUEUE_BACKOFF) + queue_count(s->queue, QUEUE_ERROR_BACKOFF)), names[1]);
	metric_set(s->metrics.pending, (double)queue_count(s->queue, QUEUE_UNSCHEDULABLE), names[3]);
	metric_set(s->metrics.cache_size, (double)s->nodes->n_present, "nodes");
	metric_set(s->metrics.cache_size, (double)s->nodes->n_pods, "pods");
	if (queue_count(s->queue, QUEUE_ACTIVE) || queue_count(s->queue, QUEUE_BACKOFF)) {
		s->turn_posted = true;
		loop_post(s->loop, turn, s);
	}
	loop_timer_cancel(s->flush_timer);
	s->flush_timer = wait_ms < 0 ? NULL : loop_timer(s->loop, wait_ms + 1, flush_due, s);
}
