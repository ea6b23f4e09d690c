#include <dirent.h>
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/config/config.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/pod/resources.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/probe.h"
#include "kubelet/runtime/restart_backoff.h"
#include "kubelet/status/status.h"
#include "kubelet/volume/volume.h"

static bool runs(const struct runtime_pods *pods, const char *uid)
{
	const struct runtime_pod *pod = runtime_pods_find(pods, uid);
	for (size_t i = 0; pod && i < pod->n_containers; i++)
		if (pod->containers[i].state == CONTAINER_RUNNING)
			return true;
	for (size_t i = 0; pod && i < pod->n_sandboxes; i++)
		if (pod->sandboxes[i].ready)
			return true;
	return false;
}

/* Directories of pods that nobody wants and nothing runs of. */
static void remove_dirs(struct kubelet *k, struct arena *arena, const struct strmap *wanted,
	const struct strmap *workers, const struct runtime_pods *running)
{
	char *root = arena_printf(arena, "%s/pods", k->settings->root_dir);
	DIR *d = opendir(root);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		const char *uid = e->d_name;
		if (uid[0] == '.' || strmap_has(wanted, uid) || strmap_has(workers, uid) || runs(running, uid))
			continue;
		struct status *s = volumes_unmount_pod(k->volumes, uid);
		if (!s)
			s = io_remove_tree(arena_printf(arena, "%s/%s", root, uid));
		log_status(s, "orphaned pod \"%s\" found, but failed to remove its directory", uid);
	}
	closedir(d);
}

static void remove_cgroups(struct kubelet *k, struct arena *arena, const struct strmap *wanted,
	const struct strmap *workers, const struct runtime_pods *running)
{
	char **uids;
	size_t n;
	struct status *s = cgroups_pod_uids(k->cgroups, arena, &uids, &n);
	if (s) {
		log_status(s, "list pod cgroups");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!strmap_has(wanted, uids[i]) && !strmap_has(workers, uids[i]) && !runs(running, uids[i]))
			log_status(cgroups_pod_destroy(k->cgroups, uids[i]), "orphaned cgroup of pod %s", uids[i]);
}

/* Mirror pods whose static pod is gone. */
static void remove_mirrors(struct kubelet *k)
{
	struct pod_list mirrors = pod_manager_mirrors(k->pods);
	for (size_t i = 0; i < mirrors.n_items; i++) {
		CLEANUP(pod_unrefp) struct pod *original = pod_manager_static(k->pods, mirrors.items[i]->full_name);
		if (!original && !pod_workers_full_name_terminating(k->workers, mirrors.items[i]->full_name))
			config_delete_mirror(k->config, mirrors.items[i]);
	}
	pod_list_done(&mirrors);
}

/* Wanted pods that have lost their worker begin anew; pods that only the runtime knows end. */
static void restore_workers(struct kubelet *k, const struct pod_list *pods, const struct strmap *wanted,
	const struct strmap *workers, const struct runtime_pods *running)
{
	for (size_t i = 0; i < pods->n_items; i++) {
		const struct pod *pod = pods->items[i];
		if (strmap_has(workers, pod->uid))
			continue;
		if (!pod_terminal(pod))
			pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_CREATE, .pod = pod});
		else if (runs(running, pod->uid))
			pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL, .pod = pod});
	}
	for (size_t i = 0; i < running->n_items; i++) {
		const struct runtime_pod *pod = &running->items[i];
		if (strmap_has(workers, pod->uid) || strmap_has(wanted, pod->uid) || !runs(running, pod->uid))
			continue;
		log_info("pod %s/%s (%s) is not wanted here: ending it", pod->namespace, pod->name, pod->uid);
		pod_workers_update(k->workers,
			&(struct pod_update){
				.type = POD_UPDATE_KILL, .runtime_pod = pod, .has_grace = true, .grace_seconds = 1});
	}
}

/* Workers of pods that are wanted no more, and not ending yet, are told to end. */
static void end_orphans(struct kubelet *k, const struct strmap *workers, const struct runtime_pods *running)
{
	STRMAP_FOREACH (workers, it) {
		const struct pod_worker_state *state = it.value;
		const struct runtime_pod *pod = runtime_pods_find(running, it.key);
		struct runtime_pod unknown = {.uid = it.key, .name = "", .namespace = ""};
		if (state->orphan && state->phase == POD_SYNCING)
			pod_workers_update(k->workers,
				&(struct pod_update){.type = POD_UPDATE_KILL, .runtime_pod = pod ? pod : &unknown});
	}
}

static void update_tiers(struct kubelet *k, const struct pod_list *pods)
{
	int64_t milli = 0;
	for (size_t i = 0; i < pods->n_items; i++) {
		CLEANUP(pod_unrefp) struct pod *pod = allocation_apply(k->allocation, pods->items[i]);
		if (!pod_terminal(pod) && pod_qos(pod) == QOS_BURSTABLE)
			milli += pod_request_cpu_milli(pod);
	}
	log_status(cgroups_update_tiers(k->cgroups, milli), "QoS cgroups");
}

struct status *pod_cleanup(struct kubelet *k)
{
	/* Until every source has told its pods nothing can be called superfluous. */
	if (!config_all_sources_seen(k->config))
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods running;
	TRY(runtime_list_pods(k->cri, arena, false, &running));
	struct pod_list pods = pod_manager_list(k->pods);
	CLEANUP(strmap_freep) struct strmap *wanted = strmap_new(NULL);
	for (size_t i = 0; i < pods.n_items; i++)
		strmap_put(wanted, pods.items[i]->uid, pods.items[i]);
	CLEANUP(strmap_freep) struct strmap *workers = pod_workers_sync_known(k->workers, wanted);
	end_orphans(k, workers, &running);
	prober_keep_only(k->prober, workers);
	status_manager_keep_only(k->statuses, wanted);
	allocation_keep_only(k->allocation, wanted);
	remove_dirs(k, arena, wanted, workers, &running);
	remove_mirrors(k);
	restore_workers(k, &pods, wanted, workers, &running);
	remove_cgroups(k, arena, wanted, workers, &running);
	update_tiers(k, &pods);
	restart_backoff_gc(k->crash_backoff);
	pod_list_done(&pods);
	return NULL;
}
