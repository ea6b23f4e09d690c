#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/config/config.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/workers.h"
#include "kubelet/status/status.h"

/* A mirror pod has come, changed or gone: its static pod looks whether all is well. */
static void mirror_changed(struct kubelet *k, const struct pod *mirror)
{
	CLEANUP(pod_unrefp) struct pod *pod = pod_manager_static(k->pods, mirror->full_name);
	if (pod) {
		pod_workers_kick(k->workers, pod->uid);
		status_manager_kick(k->statuses);
	}
}

void config_pod_added(struct kubelet *k, struct pod *pod)
{
	pod_manager_set(k->pods, pod);
	if (pod->is_mirror) {
		mirror_changed(k, pod);
		return;
	}
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **victims;
	size_t n_victims;
	if (!allocation_admit(k->allocation, arena, pod, &victims, &n_victims))
		return;
	/* What a kubelet before this one knew of a resize. */
	resize_conditions_restore(allocation_conditions(k->allocation), pod);
	pod_workers_update(k->workers,
		&(struct pod_update){.type = POD_UPDATE_CREATE, .pod = pod, .after = victims, .n_after = n_victims});
	if (allocation_differs(k->allocation, pod))
		allocation_resize(k->allocation, pod);
}

void config_pod_updated(struct kubelet *k, const struct pod *before, struct pod *pod)
{
	pod_manager_set(k->pods, pod);
	if (pod->is_mirror) {
		mirror_changed(k, pod);
		return;
	}
	if (pod_resize_wanted(before, pod))
		allocation_resize(k->allocation, pod);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_SYNC, .pod = pod});
	if (pod_deleting(pod))
		status_manager_kick(k->statuses);
}

void config_pod_removed(struct kubelet *k, struct pod *pod)
{
	pod_manager_remove(k->pods, pod);
	if (pod->is_mirror) {
		mirror_changed(k, pod);
		return;
	}
	allocation_remove(k->allocation, pod->uid);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL, .pod = pod});
	allocation_retry(k->allocation);
}
