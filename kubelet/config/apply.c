#include "base/log.h"
#include "base/str.h"
#include "kubelet/admit/admit.h"
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
	if (admit_pod(k, pod))
		pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_CREATE, .pod = pod});
}

void config_pod_updated(struct kubelet *k, struct pod *pod)
{
	pod_manager_set(k->pods, pod);
	if (pod->is_mirror) {
		mirror_changed(k, pod);
		return;
	}
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
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL, .pod = pod});
}
