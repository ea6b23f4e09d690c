/* Stands in until the library has metrics. */
#include "serve/metrics.h"

struct metrics *metrics_new(void)
{
	return NULL;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return NULL;
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return NULL;
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels,
	const double *buckets, size_t n_buckets)
{
	return NULL;
}

void metric_add(struct metric *metric, double value, ...)
{
}

void metric_observe(struct metric *metric, double value, ...)
{
}

void metrics_write(struct metrics *m, struct strbuf *out)
{
}
