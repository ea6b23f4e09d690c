#include "kubelet/eviction/eviction_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include "api/quantity.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/gc/gc.h"
#include "kubelet/image/image.h"
#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"
#include "kubelet/node/status.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/resources.h"
#include "kubelet/pod/workers.h"
#include "kubelet/runtime/names.h"

static int64_t priority_of(const struct pod *pod)
{
	return pod_spec(pod)->has_priority ? pod_spec(pod)->priority : 0;
}

int eviction_order(const void *a, const void *b)
{
	const struct eviction_candidate *x = a, *y = b;
	bool x_over = x->usage > x->request, y_over = y->usage > y->request;
	if (x_over != y_over)
		return x_over ? -1 : 1;
	int64_t px = priority_of(x->pod), py = priority_of(y->pod);
	if (px != py)
		return px < py ? -1 : 1;
	int64_t dx = x->usage - x->request, dy = y->usage - y->request;
	return (dx < dy) - (dx > dy);
}

bool eviction_candidate(struct kubelet *k, const struct pod *pod)
{
	return !pod_critical(pod) && !pod_terminal(pod) && !pod_workers_terminating(k->workers, pod->uid);
}

void evict_pod(struct kubelet *k, const struct pod *pod, int64_t grace_seconds, const char *message, bool disruption)
{
	log_warn("evicting pod %s: %s", pod->ref, message);
	kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "Evicted", "%s", message);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL,
					       .pod = pod,
					       .has_grace = true,
					       .grace_seconds = grace_seconds,
					       .eviction = {"Evicted", message, disruption ? message : NULL}});
}

static char *bytes_text(struct arena *arena, int64_t bytes)
{
	struct quantity q = quantity_from_int(bytes, QUANTITY_BINARY_SI);
	return quantity_format(arena, &q);
}

static struct status *evict_one(
	struct kubelet *k, const char *resource, int64_t threshold, int64_t available, bool by_memory)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriListContainerStatsResponse *stats;
	TRY(usage_read(k, arena, &stats));
	struct pod_list pods = pod_manager_list(k->pods);
	struct eviction_candidate *list = NULL;
	size_t n = 0;
	for (size_t i = 0; i < pods.n_items; i++) {
		const struct pod *pod = pods.items[i];
		if (!eviction_candidate(k, pod))
			continue;
		struct pod_usage usage = usage_of_pod(k, arena, stats, pod, false);
		struct eviction_candidate c = {pod, usage.memory, pod_request_memory(pod)};
		ARENA_PUSH(arena, list, n) = c;
	}
	if (n) {
		qsort(list, n, sizeof(list[0]), eviction_order);
		char *message =
			arena_printf(arena, "The node was low on resource: %s. Threshold quantity: %s, available: %s. ",
				resource, bytes_text(arena, threshold), bytes_text(arena, available));
		if (by_memory)
			message = arena_printf(arena, "%sThe pod was using %s, request is %s. ", message,
				bytes_text(arena, list[0].usage), bytes_text(arena, list[0].request));
		evict_pod(k, list[0].pod, IMMEDIATE_GRACE_S, message, true);
		node_status_changed(k->node);
	}
	pod_list_done(&pods);
	return NULL;
}

static struct status *check_memory(struct kubelet *k)
{
	int64_t available = memory_available();
	int64_t threshold = eviction_threshold(k->settings, "memory.available", node_memory_capacity(k->node));
	if (available >= threshold)
		return NULL;
	return evict_one(k, "memory", threshold, available, true);
}

static struct status *check_disk(struct kubelet *k)
{
	struct disk disk;
	if (!disk_read(k->settings->root_dir, &disk))
		return NULL;
	int64_t threshold = eviction_threshold(k->settings, "nodefs.available", disk.capacity_bytes);
	if (disk.available_bytes >= threshold)
		return NULL;
	/* Dead containers and unused images may be enough. */
	TRY(gc_containers(k));
	TRY(image_gc_all(k->image_gc));
	if (!disk_read(k->settings->root_dir, &disk) || disk.available_bytes >= threshold)
		return NULL;
	return evict_one(k, "ephemeral-storage", threshold, disk.available_bytes, false);
}

struct status *eviction_check(struct kubelet *k)
{
	bool any;
	TRY(eviction_check_local_storage(k, &any));
	if (any)
		return NULL;
	TRY(check_memory(k));
	return check_disk(k);
}
