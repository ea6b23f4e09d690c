#include "kubelet/start.h"

#include <malloc.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/cert/cert.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/config/config.h"
#include "kubelet/eviction/eviction.h"
#include "kubelet/housekeeping.h"
#include "kubelet/image/image.h"
#include "kubelet/node/node.h"
#include "kubelet/objects.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/probe.h"
#include "kubelet/runtime/restart_backoff.h"
#include "kubelet/server/server.h"
#include "kubelet/status/status.h"
#include "kubelet/volume/volume.h"

#define CRASH_INITIAL_MS 10000

/* The parts that only starting and stopping know. */
struct running {
	struct kubelet k; /* first */
	struct server *server;
	struct housekeeping *housekeeping;
	struct cert_rotation *rotation;
};

static struct status *make_dirs(const struct settings *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	TRY(io_mkdirs(s->root_dir, 0750));
	TRY(io_mkdirs(arena_printf(arena, "%s/pods", s->root_dir), 0750));
	TRY(io_mkdirs(s->pod_logs_dir, 0755));
	return io_mkdirs("/var/log/containers", 0755);
}

static struct status *make_cgroups(struct kubelet *k)
{
	const KubeletV1beta1KubeletConfiguration *c = k->settings->config;
	struct cgroups_config config = {
		.root = c->cgroup_root,
		.enabled = !c->has_cgroups_per_qos || c->cgroups_per_qos,
		.cpu_quota = !c->has_cpu_cfs_quota || c->cpu_cfs_quota,
		.period_us = k->settings->cpu_period_us,
		.pids_limit = c->has_pod_pids_limit ? c->pod_pids_limit : -1,
		.systemd_driver = str_eq(c->cgroup_driver, "systemd"),
	};
	TRY(cgroups_new(&config, &k->cgroups));
	return status_wrap(cgroups_start(k->cgroups, node_unreserved(k->node, "cpu", true),
				   node_unreserved(k->node, "memory", false)),
		"cgroups");
}

/* Services tell containers of themselves by name, address and ports: nothing else is kept. */
static void trim_service(void *msg)
{
	CoreV1Service *service = msg;
	if (service->metadata) {
		service->metadata->n_managed_fields = 0;
		service->metadata->n_annotations = 0;
		service->metadata->n_labels = 0;
	}
	if (service->spec)
		service->spec->n_selector = 0;
	service->status = NULL;
}

static void trim_node(void *msg)
{
	CoreV1Node *node = msg;
	if (node->metadata)
		node->metadata->n_managed_fields = 0;
}

static void make_informers(struct kubelet *k)
{
	if (!k->client)
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	k->informers = informers_new(k->client);
	k->services = informers_get(
		k->informers, &(struct informer_spec){.type = &CoreV1Service_schema, .trim = trim_service});
	k->nodes = informers_get(k->informers,
		&(struct informer_spec){.type = &CoreV1Node_schema,
			.trim = trim_node,
			.field_selector = arena_printf(arena, "metadata.name=%s", k->settings->node_name)});
}

static struct status *pleg_check(void *data)
{
	struct kubelet *k = data;
	return pleg_healthy(k->pleg);
}

static double running_pods(void *data)
{
	struct kubelet *k = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods pods;
	double n = 0;
	pleg_runtime_pods(k->pleg, arena, &pods);
	for (size_t i = 0; i < pods.n_items; i++)
		for (size_t j = 0; j < pods.items[i].n_sandboxes; j++)
			if (pods.items[i].sandboxes[j].ready) {
				n++;
				break;
			}
	return n;
}

static void write_containers(void *data, struct strbuf *out)
{
	static const char *const states[] = {[CONTAINER_CREATED] = "created",
		[CONTAINER_RUNNING] = "running",
		[CONTAINER_EXITED] = "exited",
		[CONTAINER_UNKNOWN] = "unknown"};
	const struct kubelet *k = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods pods;
	double n[ARRAY_SIZE(states)] = {0};
	pleg_runtime_pods(k->pleg, arena, &pods);
	for (size_t i = 0; i < pods.n_items; i++)
		for (size_t c = 0; c < pods.items[i].n_containers; c++)
			n[pods.items[i].containers[c].state]++;
	metrics_write_head(out, "kubelet_running_containers", "gauge", "Containers of pods, by state.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "container_state", states[i]);
		if (n[i] > 0)
			metrics_write_sample(out, "kubelet_running_containers", labels.buf, n[i]);
	}
}

/* Pods that are wanted here, those of manifests apart, and the objects that show the latter. */
static void write_pods(void *data, struct strbuf *out)
{
	static const char desired[] = "kubelet_desired_pods", mirrors[] = "kubelet_mirror_pods";
	const struct kubelet *k = data;
	struct pod_list all = pod_manager_list(k->pods), shown = pod_manager_mirrors(k->pods);
	double n_static = 0;
	for (size_t i = 0; i < all.n_items; i++)
		n_static += all.items[i]->is_static;
	metrics_write_head(out, desired, "gauge", "Pods that are wanted here; static: by a manifest.");
	metrics_write_sample(out, desired, "static=\"\"", (double)all.n_items - n_static);
	metrics_write_sample(out, desired, "static=\"true\"", n_static);
	metrics_write_head(out, mirrors, "gauge", "Objects that show the pods of manifests.");
	metrics_write_sample(out, mirrors, "", (double)shown.n_items);
	pod_list_done(&all);
	pod_list_done(&shown);
}

static void make_metrics(struct kubelet *k)
{
	static const char *const by_node[] = {"node", NULL};
	if (!k->metrics)
		return;
	metric_set(metrics_gauge(k->metrics, "kubelet_node_name", "1, with the name of the node.", by_node), 1,
		k->settings->node_name);
	metrics_writer(k->metrics, write_containers, k);
	metrics_writer(k->metrics, write_pods, k);
	metrics_function(
		k->metrics, "kubelet_running_pods", "Pods that have a running sandbox.", "gauge", running_pods, k);
}

static struct status *make_modules(struct kubelet *k)
{
	k->pods = pod_manager_new();
	TRY(allocation_new(k, &k->allocation));
	k->crash_backoff = restart_backoff_new(k->clock, CRASH_INITIAL_MS, k->settings->max_restart_ms);
	k->reasons = reason_cache_new();
	k->objects = objects_new(k->client, k->clock);
	k->images = image_puller_new(k);
	k->image_gc = image_gc_new(k);
	k->evictions = evictions_new(k);
	k->volumes = volumes_new(k);
	k->statuses = status_manager_new(k);
	k->workers = pod_workers_new(k);
	k->pleg = pleg_new(k);
	k->prober = prober_new(k);
	k->config = config_new(k);
	return NULL;
}

static struct status *start_all(struct running *r, struct health *health)
{
	struct kubelet *k = &r->k;
	/* A runtime that is not there yet is waited for; it is said once, here, and shown in the node's status. */
	log_status(cri_connect(k->cri), "waiting for the container runtime");
	make_informers(k);
	config_start(k->config);
	if (k->informers)
		TRY(informers_start(k->informers));
	pleg_start(k->pleg);
	status_manager_start(k->statuses);
	node_start(k->node);
	r->housekeeping = housekeeping_start(k);
	r->rotation = cert_rotation_start(k);
	health_add(health, "syncloop", HEALTH_LIVE, pleg_check, k);
	return server_start(k, health, &r->server);
}

struct status *kubelet_start(const struct kubelet_parts *parts, struct kubelet **ret)
{
	/* Many threads that rarely allocate: a heap for each would hold more than it serves. */
	mallopt(M_ARENA_MAX, 2);
	umask(0);
	struct running *r = mem_zalloc(sizeof(*r));
	struct kubelet *k = &r->k;
	const struct settings *s = parts->settings;
	k->settings = s;
	k->clock = clock_system();
	k->client = parts->client;
	k->recorder = parts->recorder;
	if (k->recorder)
		event_recorder_set_host(k->recorder, s->node_name);
	k->metrics = parts->metrics;
	k->figures = kubelet_figures(k->metrics);
	k->stopping = parts->stopping;
	TRY(make_dirs(s));
	TRY(cri_new(s->runtime_endpoint, s->image_endpoint, s->runtime_timeout_ms, &k->figures, &k->cri));
	k->node = node_new(k);
	TRY(make_cgroups(k));
	TRY(make_modules(k));
	make_metrics(k);
	*ret = k;
	return start_all(r, parts->health);
}

void kubelet_stop(struct kubelet *k)
{
	struct running *r = (struct running *)k;
	cert_rotation_free(r->rotation);
	server_free(r->server);
	if (r->housekeeping)
		housekeeping_free(r->housekeeping);
	config_free(k->config);
	if (k->informers)
		informers_free(k->informers);
	prober_free(k->prober);
	pleg_free(k->pleg);
	pod_workers_free(k->workers);
	status_manager_free(k->statuses);
	node_free(k->node);
	/* The rest ends with the process: a worker that waits for a container's end may still use it. */
}
