#include "scheduler/internal.h"

void scheduler_metrics_init(struct scheduler *s, struct metrics *metrics)
{
	static const char *const by_result[] = {"profile", "result", NULL};
	static const char *const by_queue[] = {"queue", NULL};
	static const double seconds[] = {0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024,
		2.048, 4.096, 8.192, 16.384};
	static const double pod_seconds[] = {0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
		40.96, 81.92, 163.84, 327.68, 655.36, 1310.72, 2621.44, 5242.88};
	static const char *const by_attempts[] = {"attempts", NULL}, *const by_type[] = {"type", NULL};
	static const double small[] = {1, 2, 4, 8, 16, 32, 64};
	struct scheduler_metrics *m = &s->metrics;
	m->attempts = metrics_counter(
		metrics, "scheduler_schedule_attempts_total", "Attempts to schedule pods, by result.", by_result);
	m->attempt_duration = metrics_histogram(metrics, "scheduler_scheduling_attempt_duration_seconds",
		"Seconds from taking a pod off the queue to its binding or its failure.", by_result, seconds,
		ARRAY_SIZE(seconds));
	m->algorithm_duration = metrics_histogram(metrics, "scheduler_scheduling_algorithm_duration_seconds",
		"Seconds spent on choosing a node.", NULL, seconds, ARRAY_SIZE(seconds));
	m->pending = metrics_gauge(metrics, "scheduler_pending_pods", "Pods that wait, by queue.", by_queue);
	m->preemption_victims = metrics_histogram(metrics, "scheduler_preemption_victims",
		"Pods evicted by one preemption.", NULL, small, ARRAY_SIZE(small));
	m->pod_seconds = metrics_histogram(metrics, "scheduler_pod_scheduling_sli_duration_seconds",
		"From a pod's first attempt to its binding.", by_attempts, pod_seconds, ARRAY_SIZE(pod_seconds));
	m->cache_size = metrics_gauge(metrics, "scheduler_cache_size", "Nodes and pods known, by type.", by_type);
	m->preemption_attempts =
		metrics_counter(metrics, "scheduler_preemption_attempts_total", "Preemptions begun.", NULL);
	m->pod_attempts = metrics_histogram(
		metrics, "scheduler_pod_scheduling_attempts", "Attempts a pod took to be scheduled.", NULL, small, 5);
}
