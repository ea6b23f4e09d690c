/*
 * Volumes of pods: each kind is a plugin, one file, one record in the table of volume.c.
 *
 *	TRY(volumes_mount_pod(k->volumes, pod));         // every sync: makes and refreshes them
 *	const char *path = volumes_path(arena, k, pod, "data");
 *	TRY(volumes_unmount_pod(k->volumes, uid));       // after the last container has ended
 *
 * A plugin must be able to run again over its own result: a sync that finds all as it should be changes nothing.
 * Paths are those of the original: ROOT/pods/UID/volumes/kubernetes.io~KIND/NAME.
 */
#ifndef KUBELET_VOLUME_VOLUME_H
#define KUBELET_VOLUME_VOLUME_H

#include "kubelet/kubelet.h"

struct volumes;

/* One volume of one pod on its way to being mounted. */
struct volume_mount {
	struct kubelet *k;
	struct arena *arena;
	const struct pod *pod;
	const CoreV1Volume *volume;
	const CoreV1VolumeSource *source;
	const char *dir; /* where it belongs */
	bool has_fs_group;
	int64_t fs_group;
};

struct volume_plugin {
	const char *name; /* kubernetes.io/empty-dir */
	bool (*handles)(const CoreV1VolumeSource *source);
	/* NULL: nothing to be done (hostPath). */
	struct status *(*mount)(const struct volume_mount *m)MUST_USE;
	/* The path to bind into containers; NULL: the volume's own directory. */
	const char *(*path)(const struct volume_mount *m);
	bool read_only;
};

struct volumes *volumes_new(struct kubelet *k);
void volumes_free(struct volumes *volumes);
struct status *volumes_mount_pod(struct volumes *volumes, const struct pod *pod) MUST_USE;
/* The host's path of a pod's volume; NULL if it has none of that name. *ret_read_only: must be mounted so. */
const char *volumes_path(
	struct arena *arena, struct kubelet *k, const struct pod *pod, const char *name, bool *ret_read_only);
/* Unmounts and removes all volumes of a pod. */
struct status *volumes_unmount_pod(struct volumes *volumes, const char *uid) MUST_USE;

/* ROOT/pods/UID */
char *pod_dir(struct arena *arena, const struct kubelet *k, const char *uid);

#endif
