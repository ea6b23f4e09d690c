#include "serve/queue_metrics.h"

#include <stdlib.h>
#include "base/mem.h"

enum figure { ADDS, DEPTH, LONGEST, WAITS, RETRIES, UNFINISHED, SYNCS };

static const struct {
	const char *name, *type, *help;
} metrics[] = {
	[ADDS] = {"workqueue_adds_total", "counter", "Keys added, by queue."},
	[DEPTH] = {"workqueue_depth", "gauge", "Keys that wait, by queue."},
	[LONGEST] = {"workqueue_longest_running_processor_seconds", "gauge", "How long the oldest key is in process."},
	[WAITS] = {"workqueue_queue_duration_seconds", "histogram", "How long keys waited."},
	[RETRIES] = {"workqueue_retries_total", "counter", "Keys added for later, by queue."},
	[UNFINISHED] = {"workqueue_unfinished_work_seconds", "gauge",
		"How long all keys together are in process that are not done."},
	[SYNCS] = {"workqueue_work_duration_seconds", "histogram", "How long keys were in process."},
};

static double value_of(const struct workqueue_figures *f, enum figure figure)
{
	switch (figure) {
	case ADDS:
		return (double)f->adds;
	case DEPTH:
		return (double)f->depth;
	case LONGEST:
		return f->longest_s;
	case RETRIES:
		return (double)f->retries;
	case UNFINISHED:
		return f->unfinished_s;
	case WAITS:
	case SYNCS:
		break;
	}
	return 0;
}

void metrics_write_queues(struct strbuf *out, struct workqueue *const *queues, size_t n_queues)
{
	struct workqueue_figures *all = mem_calloc(n_queues + 1, sizeof(*all));
	for (size_t i = 0; i < n_queues; i++)
		workqueue_figures(queues[i], &all[i]);
	for (enum figure figure = 0; figure < ARRAY_SIZE(metrics); figure++) {
		metrics_write_head(out, metrics[figure].name, metrics[figure].type, metrics[figure].help);
		for (size_t i = 0; i < n_queues; i++) {
			CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
			const struct workqueue_times *times = figure == WAITS ? &all[i].waits : &all[i].syncs;
			metrics_add_label(&labels, "name", workqueue_name(queues[i]));
			if (figure == WAITS || figure == SYNCS)
				metrics_write_histogram(out, metrics[figure].name, labels.buf, workqueue_bounds(),
					WORKQUEUE_BOUNDS, times->counts, times->sum_s);
			else
				metrics_write_sample(out, metrics[figure].name, labels.buf, value_of(&all[i], figure));
		}
	}
	free(all);
}
