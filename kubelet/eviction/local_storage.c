#include <fts.h>
#include <sys/stat.h>
#include "api/quantity.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/eviction/eviction.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/workers.h"
#include "kubelet/volume/volume.h"

/* What files below a folder take of the disk, of its own file system only. Files that go meanwhile do not count. */
static int64_t disk_usage(struct arena *arena, const char *path)
{
	char *const roots[] = {arena_strdup(arena, path), NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	int64_t bytes = 0;
	if (!walk)
		return 0;
	for (FTSENT *e; (e = fts_read(walk));)
		if (e->fts_info != FTS_DP && e->fts_info != FTS_NS && e->fts_info != FTS_DNR && e->fts_info != FTS_ERR)
			bytes += (int64_t)e->fts_statp->st_blocks * 512;
	fts_close(walk);
	return bytes;
}

/* The first volume that has outgrown its limit; NULL: none has. */
static const CoreV1Volume *outgrown(struct kubelet *k, struct arena *arena, const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		const CoreV1EmptyDirVolumeSource *dir = v->volume_source ? v->volume_source->empty_dir : NULL;
		int64_t limit = dir && dir->size_limit ? quantity_msg_value(dir->size_limit) : 0;
		bool read_only;
		const char *path = limit > 0 ? volumes_path(arena, k, pod, v->name, &read_only) : NULL;
		if (path && disk_usage(arena, path) > limit)
			return v;
	}
	return NULL;
}

static void evict(struct kubelet *k, const struct pod *pod, const char *message)
{
	log_warn("evicting pod %s: %s", pod->ref, message);
	kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "Evicted", "%s", message);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL,
					       .pod = pod,
					       .has_grace = true,
					       .grace_seconds = 1,
					       .evict = true,
					       .reason = "Evicted",
					       .message = message});
}

void eviction_check_volumes(struct kubelet *k)
{
	struct pod_list pods = pod_manager_list(k->pods);
	for (size_t i = 0; i < pods.n_items; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct pod *pod = pods.items[i];
		if (pod_critical(pod) || pod_terminal(pod) || pod_workers_terminating(k->workers, pod->uid))
			continue;
		const CoreV1Volume *v = outgrown(k, arena, pod);
		if (v)
			evict(k, pod,
				arena_printf(arena, "Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ",
					v->name, v->volume_source->empty_dir->size_limit->string));
	}
	pod_list_done(&pods);
}
