/*
 * Metrics in Prometheus' text form.
 *
 *	static const char *const labels[] = {"queue", "result", NULL};
 *	struct metric *syncs = metrics_counter(metrics, "syncs_total", "Syncs by result.", labels);
 *	metric_add(syncs, 1, "deployment", "ok");
 *
 * Ownership: metrics belong to their registry. Threads: any; one lock for each metric.
 * Bounds: at most 10,000 label sets a metric; more are counted into none.
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "base/str.h"
#include "base/tally.h"

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
DEFINE_CLEANUP(struct metrics *, metrics_free)
/* labels: NULL-terminated names, or NULL. The same name twice gives the same metric. */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels);
/* buckets: ascending upper bounds, without +Inf. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels,
	const double *buckets, size_t n_buckets);
/* A gauge or counter whose value is asked for at each scrape. */
void metrics_function(
	struct metrics *m, const char *name, const char *help, const char *type, double (*fn)(void *data), void *data);

/* What writes samples of its own at each scrape, with the functions below: for counts that are kept where they arise.
 */
void metrics_writer(struct metrics *m, void (*write)(void *data, struct strbuf *out), void *data);
/* What was given data writes no more. */
void metrics_forget_writer(struct metrics *m, const void *data);
void metrics_write_head(struct strbuf *out, const char *name, const char *type, const char *help);
/* labels: a="b",c="d"; "" none. Values of labels are escaped by whoever writes them, with metrics_add_label(). */
void metrics_write_sample(struct strbuf *out, const char *name, const char *labels, double value);
/* counts: n_bounds + 1, of those up to each bound and of those above the last. */
void metrics_write_histogram(struct strbuf *out, const char *name, const char *labels, const double *bounds,
	size_t n_bounds, const uint64_t *counts, double sum);
/* Nothing when nothing was observed. */
void metrics_write_tally(struct strbuf *out, const char *name, const char *labels, const struct tally_slot *slot,
	const struct tally_bounds *bounds);
/* Appends name="value", behind a comma where something stands already. */
void metrics_add_label(struct strbuf *labels, const char *name, const char *value);

/* Label values follow, as many as the metric has labels. metric NULL: nothing. */
void metric_add(struct metric *metric, double value, ...);
void metric_set(struct metric *metric, double value, ...);
void metric_observe(struct metric *metric, double value, ...);
/* Forgets one label set. */
void metric_remove(struct metric *metric, ...);

/* All of it as text; process_resident_memory_bytes, process_cpu_seconds_total and process_start_time_seconds included.
 */
void metrics_write(struct metrics *m, struct strbuf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

#endif
