/*
 * What of a component's metrics is not shown as it is: metrics that are disabled, and values of labels that are not
 * among those allowed, which count together as "unexpected" (component-base/metrics, options.go and opts.go).
 *
 *	TRY(metric_filter_new(&options, &filter));      // options: parsed by metric_filter_flags()
 *	metric_filter_pass(filter, &text, &out);        // at a scrape
 *
 * Threads: any.
 */
#ifndef SERVE_METRIC_FILTER_H
#define SERVE_METRIC_FILTER_H

#include "base/flags.h"
#include "base/str.h"

struct metric_filter_options {
	struct flag_list disabled; /* names */
	struct flag_list allowed;  /* metric,label=value,value… */
	char *manifest;		   /* a YAML file of the same */
	char *shown_version;	   /* the release whose hidden metrics are shown: none are hidden here */
};

struct metric_filter;

/* The table lives as long as the process. */
struct flag *metric_filter_flags(struct metric_filter_options *options);
/* A manifest that cannot be read is logged, and nothing more, as in the original. */
struct status *metric_filter_new(const struct metric_filter_options *options, struct metric_filter **ret) MUST_USE;
void metric_filter_free(struct metric_filter *filter);
DEFINE_CLEANUP(struct metric_filter *, metric_filter_free)
/* The text of metrics, as Prometheus reads it, behind what is in out; and what the filter tells of itself. */
void metric_filter_pass(const struct metric_filter *filter, const struct strbuf *text, struct strbuf *out);

#endif
