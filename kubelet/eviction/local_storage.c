#include <sys/stat.h>
#include "api/quantity.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/eviction/eviction_private.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/resources.h"

static char *bytes_text(struct arena *arena, int64_t bytes)
{
	struct quantity q = quantity_from_int(bytes, QUANTITY_BINARY_SI);
	return quantity_format(arena, &q);
}

/* A volume that has outgrown its limit. */
static const char *volume_over(struct arena *arena, const struct pod *pod, const struct pod_usage *usage)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		const CoreV1EmptyDirVolumeSource *dir = v->volume_source ? v->volume_source->empty_dir : NULL;
		int64_t limit = dir && dir->size_limit ? quantity_msg_value(dir->size_limit) : 0;
		for (size_t j = 0; limit > 0 && j < usage->n_volumes; j++)
			if (str_eq(usage->volumes[j].name, v->name) && usage->volumes[j].disk.bytes > limit)
				return arena_printf(arena, "Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ",
					v->name, dir->size_limit->string);
	}
	return NULL;
}

static const char *pod_over(struct arena *arena, const struct pod *pod, const struct pod_usage *usage)
{
	int64_t limit;
	if (!pod_limit_value(pod, "ephemeral-storage", &limit) || usage->ephemeral.bytes <= limit)
		return NULL;
	return arena_printf(arena, "Pod ephemeral local storage usage exceeds the total limit of containers %s. ",
		bytes_text(arena, limit));
}

static const char *container_over(struct arena *arena, const struct pod *pod, const struct pod_usage *usage,
	bool (*own_disk)(void *data, const char *mount), void *data)
{
	for (size_t i = 0; i < usage->n_containers; i++) {
		const struct container_usage *u = &usage->containers[i];
		const CoreV1Container *c = pod_container(pod, u->name);
		int64_t limit = 0, used = u->logs.bytes;
		if (!c || pod_has_init_container(pod, c->name) || !c->resources)
			continue;
		resource_value(c->resources->limits, c->resources->n_limits, "ephemeral-storage", &limit);
		/* Images on a disk of their own are no burden on the node's. */
		if (!own_disk(data, u->root_mount))
			used += u->root.bytes;
		if (limit && used > limit)
			return arena_printf(arena, "Container %s exceeded its local ephemeral storage limit \"%s\". ",
				u->name, bytes_text(arena, limit));
	}
	return NULL;
}

const char *local_storage_excess(struct arena *arena, const struct pod *pod, const struct pod_usage *usage,
	bool (*own_disk)(void *data, const char *mount), void *data)
{
	const char *message = volume_over(arena, pod, usage);
	if (!message)
		message = pod_over(arena, pod, usage);
	return message ? message : container_over(arena, pod, usage, own_disk, data);
}

/* Whether a file system is another than that of the kubelet's own folder. */
static bool other_disk(void *data, const char *mount)
{
	const struct kubelet *k = data;
	struct stat own, st;
	return mount[0] && !stat(k->settings->root_dir, &own) && !stat(mount, &st) && own.st_dev != st.st_dev;
}

/* Whether measuring can matter: nobody else's disk is walked. */
static bool has_limit(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	int64_t limit;
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1VolumeSource *source = spec->volumes[i]->volume_source;
		if (source && source->empty_dir && source->empty_dir->size_limit)
			return true;
	}
	return pod_limit_value(pod, "ephemeral-storage", &limit);
}

struct status *eviction_check_local_storage(struct kubelet *k, bool *ret_any)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriListContainerStatsResponse *all = NULL;
	struct status *error = NULL;
	struct pod_list pods = pod_manager_list(k->pods);
	*ret_any = false;
	for (size_t i = 0; i < pods.n_items && !error; i++) {
		CLEANUP(pod_unrefp) struct pod *pod = allocation_apply(k->allocation, pods.items[i]);
		if (!eviction_candidate(k, pod) || !has_limit(pod))
			continue;
		if (!all)
			error = usage_read(k, arena, &all);
		if (error)
			break;
		struct pod_usage usage = usage_of_pod(k, arena, all, pod, true);
		const char *message = local_storage_excess(arena, pod, &usage, other_disk, k);
		if (!message)
			continue;
		evict_pod(k, pod, IMMEDIATE_GRACE_S, message, false);
		*ret_any = true;
	}
	pod_list_done(&pods);
	return error;
}
