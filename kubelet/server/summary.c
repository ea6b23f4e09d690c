#include "api/meta.h"
#include "api/tree.h"
#include "base/str.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/image/image.h"
#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "kubelet/runtime/names.h"
#include "kubelet/server/server.h"
#include "kubelet/stats/usage.h"

struct summary {
	struct kubelet *k;
	struct arena *arena;
	const char *now;
	struct disk node_fs, image_fs;
	const CriListContainerStatsResponse *stats;
};

static void add_int(const struct summary *s, cJSON *to, const char *name, int64_t value)
{
	tree_set(s->arena, to, name, tree_new_int(s->arena, value));
}

/* What the runtime does not tell is left out. */
static void add_value(const struct summary *s, cJSON *to, const char *name, const CriUInt64Value *value)
{
	if (value)
		add_int(s, to, name, (int64_t)value->value);
}

static cJSON *add_object(const struct summary *s, cJSON *to, const char *name)
{
	cJSON *object = tree_new_object(s->arena);
	tree_set(s->arena, to, name, object);
	tree_set_string(s->arena, object, "time", s->now);
	return object;
}

static void fill_fs(const struct summary *s, cJSON *fs, const struct disk *disk, int64_t used, int64_t inodes_used)
{
	add_int(s, fs, "availableBytes", disk->available_bytes);
	add_int(s, fs, "capacityBytes", disk->capacity_bytes);
	add_int(s, fs, "usedBytes", used);
	add_int(s, fs, "inodesFree", disk->free_inodes);
	add_int(s, fs, "inodes", disk->inodes);
	add_int(s, fs, "inodesUsed", inodes_used);
}

static void add_fs(
	const struct summary *s, cJSON *to, const char *name, const struct disk *disk, const struct disk_usage *usage)
{
	fill_fs(s, add_object(s, to, name), disk, usage->bytes, usage->inodes);
}

static void add_whole_fs(const struct summary *s, cJSON *to, const char *name, const struct disk *disk)
{
	fill_fs(s, add_object(s, to, name), disk, disk->capacity_bytes - disk->available_bytes,
		disk->inodes - disk->free_inodes);
}

/* --- pods --- */

struct totals {
	int64_t cpu_ns, nano_cores, usage, working_set, rss, faults, major_faults, started_ns;
};

static int64_t or_zero(const CriUInt64Value *v)
{
	return v ? (int64_t)v->value : 0;
}

static void add_to_totals(struct totals *t, const CriContainerStats *c, int64_t started_ns)
{
	if (c->cpu) {
		t->cpu_ns += or_zero(c->cpu->usage_core_nano_seconds);
		t->nano_cores += or_zero(c->cpu->usage_nano_cores);
	}
	if (c->memory) {
		t->usage += or_zero(c->memory->usage_bytes);
		t->working_set += or_zero(c->memory->working_set_bytes);
		t->rss += or_zero(c->memory->rss_bytes);
		t->faults += or_zero(c->memory->page_faults);
		t->major_faults += or_zero(c->memory->major_page_faults);
	}
	if (started_ns && (!t->started_ns || started_ns < t->started_ns))
		t->started_ns = started_ns;
}

static const char *time_of(const struct summary *s, int64_t ns)
{
	return ns ? time_format(s->arena, ns / 1000000000) : s->now;
}

static cJSON *container(
	const struct summary *s, const CriContainerStats *stats, const struct pod_usage *usage, struct totals *totals)
{
	int64_t started_ns = container_started_ns(s->k, stats);
	cJSON *c = tree_new_object(s->arena);
	tree_set_string(s->arena, c, "name", usage_label(stats, LABEL_CONTAINER_NAME));
	tree_set_string(s->arena, c, "startTime", time_of(s, started_ns));
	if (stats->cpu) {
		cJSON *cpu = add_object(s, c, "cpu");
		add_value(s, cpu, "usageNanoCores", stats->cpu->usage_nano_cores);
		add_value(s, cpu, "usageCoreNanoSeconds", stats->cpu->usage_core_nano_seconds);
	}
	if (stats->memory) {
		cJSON *memory = add_object(s, c, "memory");
		add_value(s, memory, "availableBytes", stats->memory->available_bytes);
		add_value(s, memory, "usageBytes", stats->memory->usage_bytes);
		add_value(s, memory, "workingSetBytes", stats->memory->working_set_bytes);
		add_value(s, memory, "rssBytes", stats->memory->rss_bytes);
		add_value(s, memory, "pageFaults", stats->memory->page_faults);
		add_value(s, memory, "majorPageFaults", stats->memory->major_page_faults);
	}
	for (size_t i = 0; i < usage->n_containers; i++) {
		if (!str_eq(usage->containers[i].name, usage_label(stats, LABEL_CONTAINER_NAME)))
			continue;
		if (usage->containers[i].has_root)
			add_fs(s, c, "rootfs", &s->image_fs, &usage->containers[i].root);
		add_fs(s, c, "logs", &s->node_fs, &usage->containers[i].logs);
	}
	add_to_totals(totals, stats, started_ns);
	return c;
}

static void add_totals(const struct summary *s, cJSON *pod, const struct totals *t)
{
	cJSON *cpu = add_object(s, pod, "cpu"), *memory = add_object(s, pod, "memory");
	if (t->nano_cores)
		add_int(s, cpu, "usageNanoCores", t->nano_cores);
	add_int(s, cpu, "usageCoreNanoSeconds", t->cpu_ns);
	if (t->usage)
		add_int(s, memory, "usageBytes", t->usage);
	add_int(s, memory, "workingSetBytes", t->working_set);
	if (t->rss) {
		add_int(s, memory, "rssBytes", t->rss);
		add_int(s, memory, "pageFaults", t->faults);
		add_int(s, memory, "majorPageFaults", t->major_faults);
	}
}

static void add_storage(const struct summary *s, cJSON *out, const struct pod *pod, const struct pod_usage *usage)
{
	cJSON *volumes = tree_new_array(s->arena);
	for (size_t i = 0; i < usage->n_volumes; i++) {
		cJSON *v = tree_new_object(s->arena);
		tree_set_string(s->arena, v, "time", s->now);
		fill_fs(s, v, &s->node_fs, usage->volumes[i].disk.bytes, usage->volumes[i].disk.inodes);
		tree_set_string(s->arena, v, "name", usage->volumes[i].name);
		tree_append(volumes, v);
	}
	if (usage->n_volumes)
		tree_set(s->arena, out, "volume", volumes);
	add_fs(s, out, "ephemeral-storage", &s->node_fs, &usage->ephemeral);
	cJSON *processes = tree_new_object(s->arena);
	add_int(s, processes, "process_count", cgroups_pod_processes(s->k->cgroups, pod));
	tree_set(s->arena, out, "process_stats", processes);
}

/* A pod of which the runtime has something to tell; NULL for others. */
static cJSON *pod_summary(const struct summary *s, const struct pod *pod)
{
	struct pod_usage usage = usage_of_pod(s->k, s->arena, s->stats, pod, true);
	struct totals totals = {0};
	cJSON *out = tree_new_object(s->arena), *ref = tree_new_object(s->arena), *list = tree_new_array(s->arena);
	if (!usage.n_containers)
		return NULL;
	tree_set_string(s->arena, ref, "name", pod->name);
	tree_set_string(s->arena, ref, "namespace", pod->namespace);
	tree_set_string(s->arena, ref, "uid", pod->uid);
	for (size_t i = 0; i < s->stats->n_stats; i++)
		if (str_eq(usage_label(s->stats->stats[i], LABEL_POD_UID), pod->uid))
			tree_append(list, container(s, s->stats->stats[i], &usage, &totals));
	tree_set(s->arena, out, "podRef", ref);
	tree_set_string(s->arena, out, "startTime", time_of(s, totals.started_ns));
	tree_set(s->arena, out, "containers", list);
	add_totals(s, out, &totals);
	add_storage(s, out, pod, &usage);
	return out;
}

/* --- the node --- */

static cJSON *node_summary(const struct summary *s)
{
	int64_t available = memory_available(), max, running;
	cJSON *node = tree_new_object(s->arena), *runtime = tree_new_object(s->arena);
	tree_set_string(s->arena, node, "nodeName", s->k->settings->node_name);
	tree_set_string(s->arena, node, "startTime",
		time_of(s, clock_wall_ns(s->k->clock) - clock_mono_ms(s->k->clock) * 1000000));
	add_int(s, add_object(s, node, "cpu"), "usageCoreNanoSeconds", (int64_t)cpu_used_ns());
	cJSON *memory = add_object(s, node, "memory");
	add_int(s, memory, "availableBytes", available);
	add_int(s, memory, "workingSetBytes", node_memory_capacity(s->k->node) - available);
	add_whole_fs(s, node, "fs", &s->node_fs);
	add_whole_fs(s, runtime, "imageFs", &s->image_fs);
	add_whole_fs(s, runtime, "containerFs", &s->image_fs);
	tree_set(s->arena, node, "runtime", runtime);
	if (processes_read(&max, &running)) {
		cJSON *rlimit = add_object(s, node, "rlimit");
		add_int(s, rlimit, "maxpid", max);
		add_int(s, rlimit, "curproc", running);
	}
	return node;
}

void serve_stats_summary(struct http_request *request)
{
	struct server_context *c = request->data;
	struct arena *arena = request->arena;
	CriListContainerStatsResponse *stats;
	struct status *error = usage_read(c->k, arena, &stats);
	if (error) {
		http_respond_status(request, error);
		return;
	}
	struct summary s = {
		.k = c->k, .arena = arena, .now = time_format(arena, clock_wall_s(c->k->clock)), .stats = stats};
	disk_read(c->k->settings->root_dir, &s.node_fs);
	disk_read(image_fs_path(c->k, arena), &s.image_fs);
	cJSON *out = tree_new_object(arena), *list = tree_new_array(arena);
	tree_set(arena, out, "node", node_summary(&s));
	struct pod_list pods = pod_manager_list(c->k->pods);
	for (size_t i = 0; i < pods.n_items; i++) {
		cJSON *pod = pod_summary(&s, pods.items[i]);
		if (pod)
			tree_append(list, pod);
	}
	pod_list_done(&pods);
	tree_set(arena, out, "pods", list);
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	tree_print(&text, out, 0);
	http_respond(request, 200, "application/json", text.buf, text.len);
}
