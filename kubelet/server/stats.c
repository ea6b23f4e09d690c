#include <inttypes.h>
#include "api/json.h"
#include "api/meta.h"
#include "base/str.h"
#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/runtime/names.h"
#include "kubelet/server/server.h"
#include "kubelet/stats/usage.h"

static int by_pod(const void *a, const void *b)
{
	return strcmp(usage_label(*(CriContainerStats *const *)a, LABEL_POD_UID),
		usage_label(*(CriContainerStats *const *)b, LABEL_POD_UID));
}

static uint64_t cpu_of(const CriContainerStats *s)
{
	return s->cpu && s->cpu->usage_core_nano_seconds ? s->cpu->usage_core_nano_seconds->value : 0;
}

static uint64_t memory_of(const CriContainerStats *s)
{
	return s->memory && s->memory->working_set_bytes ? s->memory->working_set_bytes->value : 0;
}

int64_t container_started_ns(struct kubelet *k, const CriContainerStats *s)
{
	CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
	struct status *error = pleg_pod_status(k->pleg, usage_label(s, LABEL_POD_UID), 0, &status);
	status_drop(error, "the runtime will tell again");
	const struct container_status *c =
		status && s->attributes ? pod_status_find_id(status, s->attributes->id) : NULL;
	return c ? c->started_at : 0;
}

static void add_metric(struct strbuf *out, const char *name, const CriContainerStats *s, double value)
{
	strbuf_printf(out, "%s{container=\"%s\",namespace=\"%s\",pod=\"%s\"} %.9g\n", name,
		usage_label(s, LABEL_CONTAINER_NAME), usage_label(s, LABEL_POD_NAMESPACE),
		usage_label(s, LABEL_POD_NAME), value);
}

static double cpu_seconds(const CriContainerStats *s)
{
	return (double)cpu_of(s) / 1e9;
}
static double memory_bytes(const CriContainerStats *s)
{
	return (double)memory_of(s);
}

/* The sum over each pod's containers, which stand next to each other. */
static void add_pod_metrics(struct strbuf *out, const CriListContainerStatsResponse *stats, const char *name,
	const char *type, double (*value)(const CriContainerStats *s))
{
	strbuf_printf(out, "# TYPE %s %s\n", name, type);
	for (size_t i = 0; i < stats->n_stats;) {
		const CriContainerStats *first = stats->stats[i];
		double sum = 0;
		for (; i < stats->n_stats &&
			str_eq(usage_label(stats->stats[i], LABEL_POD_UID), usage_label(first, LABEL_POD_UID));
			i++)
			sum += value(stats->stats[i]);
		strbuf_printf(out, "%s{namespace=\"%s\",pod=\"%s\"} %.9g\n", name,
			usage_label(first, LABEL_POD_NAMESPACE), usage_label(first, LABEL_POD_NAME), sum);
	}
}

void serve_resource_metrics(struct http_request *request)
{
	struct server_context *c = request->data;
	CriListContainerStatsResponse *stats;
	struct status *s = usage_read(c->k, request->arena, &stats);
	if (s) {
		http_respond_status(request, s);
		return;
	}
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, "# TYPE container_cpu_usage_seconds_total counter\n");
	for (size_t i = 0; i < stats->n_stats; i++)
		add_metric(&out, "container_cpu_usage_seconds_total", stats->stats[i],
			(double)cpu_of(stats->stats[i]) / 1e9);
	strbuf_adds(&out, "# TYPE container_start_time_seconds gauge\n");
	for (size_t i = 0; i < stats->n_stats; i++)
		add_metric(&out, "container_start_time_seconds", stats->stats[i],
			(double)container_started_ns(c->k, stats->stats[i]) / 1e9);
	strbuf_adds(&out, "# TYPE container_memory_working_set_bytes gauge\n");
	for (size_t i = 0; i < stats->n_stats; i++)
		add_metric(&out, "container_memory_working_set_bytes", stats->stats[i],
			(double)memory_of(stats->stats[i]));
	if (stats->n_stats)
		qsort(stats->stats, stats->n_stats, sizeof(stats->stats[0]), by_pod);
	add_pod_metrics(&out, stats, "pod_cpu_usage_seconds_total", "counter", cpu_seconds);
	add_pod_metrics(&out, stats, "pod_memory_working_set_bytes", "gauge", memory_bytes);
	strbuf_printf(&out, "# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total %.9g\n",
		(double)cpu_used_ns() / 1e9);
	strbuf_printf(&out, "# TYPE node_memory_working_set_bytes gauge\nnode_memory_working_set_bytes %" PRId64 "\n",
		node_memory_capacity(c->k->node) - memory_available());
	http_respond(request, 200, METRICS_CONTENT_TYPE, out.buf, out.len);
}
