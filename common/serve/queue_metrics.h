/*
 * The figures of work queues as the metrics that the original has of them (workqueue_depth, workqueue_adds_total, …).
 *
 *	metrics_write_queues(out, queues, n);        from a metrics_writer()
 */
#ifndef SERVE_QUEUE_METRICS_H
#define SERVE_QUEUE_METRICS_H

#include "client/workqueue.h"
#include "serve/metrics.h"

void metrics_write_queues(struct strbuf *out, struct workqueue *const *queues, size_t n_queues);

#endif
