#include <inttypes.h>
#include "api/json.h"
#include "api/meta.h"
#include "base/str.h"
#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"
#include "kubelet/runtime/names.h"
#include "kubelet/server/server.h"
#include "kubelet/stats/usage.h"

static int by_pod(const void *a, const void *b)
{
	return strcmp(usage_label(*(CriContainerStats *const *)a, LABEL_POD_UID),
		usage_label(*(CriContainerStats *const *)b, LABEL_POD_UID));
}

static void add_name(struct strbuf *out, const char *key, const char *value)
{
	strbuf_printf(out, "\"%s\":", key);
	json_add_string(out, value, strlen(value), true);
}

static uint64_t cpu_of(const CriContainerStats *s)
{
	return s->cpu && s->cpu->usage_core_nano_seconds ? s->cpu->usage_core_nano_seconds->value : 0;
}

static uint64_t memory_of(const CriContainerStats *s)
{
	return s->memory && s->memory->working_set_bytes ? s->memory->working_set_bytes->value : 0;
}

static void add_cpu(struct strbuf *out, const char *now, uint64_t cpu)
{
	strbuf_printf(out, "\"cpu\":{\"time\":\"%s\",\"usageCoreNanoSeconds\":%" PRIu64 "},", now, cpu);
}

static void add_usage(struct strbuf *out, const char *now, uint64_t cpu, uint64_t memory)
{
	add_cpu(out, now, cpu);
	strbuf_printf(out, "\"memory\":{\"time\":\"%s\",\"workingSetBytes\":%" PRIu64 "}", now, memory);
}

/* One pod's containers, which stand next to each other; returns how many. */
static size_t add_pod(struct strbuf *out, CriContainerStats *const *list, size_t n, const char *now)
{
	const char *uid = usage_label(list[0], LABEL_POD_UID);
	uint64_t cpu = 0, memory = 0;
	size_t used = 0;
	strbuf_adds(out, "{\"podRef\":{");
	add_name(out, "name", usage_label(list[0], LABEL_POD_NAME));
	strbuf_addc(out, ',');
	add_name(out, "namespace", usage_label(list[0], LABEL_POD_NAMESPACE));
	strbuf_addc(out, ',');
	add_name(out, "uid", uid);
	strbuf_printf(out, "},\"startTime\":\"%s\",\"containers\":[", now);
	for (; used < n && str_eq(usage_label(list[used], LABEL_POD_UID), uid); used++) {
		strbuf_adds(out, used ? ",{" : "{");
		add_name(out, "name", usage_label(list[used], LABEL_CONTAINER_NAME));
		strbuf_printf(out, ",\"startTime\":\"%s\",", now);
		add_usage(out, now, cpu_of(list[used]), memory_of(list[used]));
		strbuf_addc(out, '}');
		cpu += cpu_of(list[used]);
		memory += memory_of(list[used]);
	}
	strbuf_adds(out, "],");
	add_usage(out, now, cpu, memory);
	strbuf_addc(out, '}');
	return used;
}

void serve_stats_summary(struct http_request *request)
{
	struct server_context *c = request->data;
	CriListContainerStatsResponse *stats;
	struct status *s = usage_read(c->k, request->arena, &stats);
	if (s) {
		http_respond_status(request, s);
		return;
	}
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char *now = time_format(request->arena, clock_wall_s(c->k->clock));
	struct disk disk = {0};
	disk_read(c->k->settings->root_dir, &disk);
	int64_t available = memory_available();
	strbuf_adds(&out, "{\"node\":{");
	add_name(&out, "nodeName", c->k->settings->node_name);
	strbuf_printf(&out, ",\"startTime\":\"%s\",", now);
	add_cpu(&out, now, cpu_used_ns());
	strbuf_printf(&out,
		"\"memory\":{\"time\":\"%s\",\"availableBytes\":%" PRId64 ",\"workingSetBytes\":%" PRId64 "}", now,
		available, node_memory_capacity(c->k->node) - available);
	strbuf_printf(&out,
		",\"fs\":{\"time\":\"%s\",\"availableBytes\":%" PRId64 ",\"capacityBytes\":%" PRId64
		",\"usedBytes\":%" PRId64 ",\"inodesFree\":%" PRId64 ",\"inodes\":%" PRId64 "}},\"pods\":[",
		now, disk.available_bytes, disk.capacity_bytes, disk.capacity_bytes - disk.available_bytes,
		disk.free_inodes, disk.inodes);
	if (stats->n_stats)
		qsort(stats->stats, stats->n_stats, sizeof(stats->stats[0]), by_pod);
	for (size_t i = 0; i < stats->n_stats;) {
		if (i)
			strbuf_addc(&out, ',');
		i += add_pod(&out, stats->stats + i, stats->n_stats - i, now);
	}
	strbuf_adds(&out, "]}");
	http_respond(request, 200, "application/json", out.buf, out.len);
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
