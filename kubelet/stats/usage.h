/*
 * What pods use: memory as the runtime counts it, disk as it is found.
 *
 *	CriListContainerStatsResponse *all;
 *	TRY(usage_read(k, arena, &all));
 *	struct pod_usage usage = usage_of_pod(k, arena, all, pod, true);
 *
 * Answers live in the arena. Threads: any; measuring a disk may take long.
 */
#ifndef KUBELET_STATS_USAGE_H
#define KUBELET_STATS_USAGE_H

#include "kubelet/kubelet.h"

/* What files take of the disk. */
struct disk_usage {
	int64_t bytes;
	int64_t inodes;
};
struct container_usage {
	const char *name;
	int64_t memory; /* working set */
	bool has_root;	/* the runtime has measured the writable layer */
	struct disk_usage root, logs;
	const char *root_mount; /* of the file system that holds the writable layer */
};
struct volume_usage {
	const char *name;
	struct disk_usage disk;
};
struct pod_usage {
	int64_t memory;
	struct container_usage *containers; /* those that run */
	size_t n_containers;
	struct volume_usage *volumes; /* those that live on the node and end with the pod */
	size_t n_volumes;
	struct disk_usage ephemeral; /* writable layers, logs, and volumes that are not in memory */
};

struct status *usage_read(struct kubelet *k, struct arena *arena, CriListContainerStatsResponse **ret) MUST_USE;
/* disk: measure logs and volumes too. */
struct pod_usage usage_of_pod(struct kubelet *k, struct arena *arena, const CriListContainerStatsResponse *all,
	const struct pod *pod, bool disk);
/* Of all below a folder, on its own file system; links to a file count once. What goes meanwhile does not count. */
struct disk_usage usage_of_dir(const char *path);
/* A label of the container that the statistics are of; "" if it has none of that name. */
const char *usage_label(const CriContainerStats *s, const char *key);

#endif
