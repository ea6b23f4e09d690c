#include "kubelet/stats/usage.h"

#include <fts.h>
#include <sys/stat.h>
#include "base/str.h"
#include "kubelet/runtime/names.h"
#include "kubelet/volume/volume.h"

/* A file with several names is counted at the first: of those that have more than one the numbers are kept. */
static bool counted_before(struct arena *arena, ino_t **seen, size_t *n_seen, const struct stat *st)
{
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return false;
	for (size_t i = 0; i < *n_seen; i++)
		if ((*seen)[i] == st->st_ino)
			return true;
	ARENA_PUSH(arena, *seen, *n_seen) = st->st_ino;
	return false;
}

struct disk_usage usage_of_dir(const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *const roots[] = {arena_strdup(arena, path), NULL};
	struct disk_usage usage = {0};
	ino_t *seen = NULL;
	size_t n_seen = 0;
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!walk)
		return usage;
	for (FTSENT *e; (e = fts_read(walk));) {
		if (e->fts_info == FTS_DP || e->fts_info == FTS_NS || e->fts_info == FTS_DNR ||
			e->fts_info == FTS_ERR || counted_before(arena, &seen, &n_seen, e->fts_statp))
			continue;
		usage.bytes += (int64_t)e->fts_statp->st_blocks * 512;
		usage.inodes++;
	}
	fts_close(walk);
	return usage;
}

static void add(struct disk_usage *sum, const struct disk_usage *more)
{
	sum->bytes += more->bytes;
	sum->inodes += more->inodes;
}

const char *usage_label(const CriContainerStats *s, const char *key)
{
	for (size_t i = 0; s->attributes && i < s->attributes->n_labels; i++)
		if (str_eq(s->attributes->labels[i]->key, key))
			return s->attributes->labels[i]->value;
	return "";
}

struct status *usage_read(struct kubelet *k, struct arena *arena, CriListContainerStatsResponse **ret)
{
	CriListContainerStatsRequest *ask = RPC_NEW(arena, CriListContainerStatsRequest);
	return cri_call(k->cri, "ListContainerStats", ask, arena, ret);
}

static struct container_usage of_container(const CriContainerStats *s)
{
	struct container_usage u = {.name = usage_label(s, LABEL_CONTAINER_NAME), .root_mount = ""};
	if (s->memory && s->memory->working_set_bytes)
		u.memory = (int64_t)s->memory->working_set_bytes->value;
	const CriFilesystemUsage *fs = s->writable_layer;
	if (!fs)
		return u;
	u.has_root = fs->used_bytes != NULL;
	u.root.bytes = fs->used_bytes ? (int64_t)fs->used_bytes->value : 0;
	u.root.inodes = fs->inodes_used ? (int64_t)fs->inodes_used->value : 0;
	if (fs->fs_id)
		u.root_mount = str_or_empty(fs->fs_id->mountpoint);
	return u;
}

static void add_volumes(struct kubelet *k, struct arena *arena, const struct pod *pod, struct pod_usage *usage)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		const CoreV1EmptyDirVolumeSource *dir = v->volume_source ? v->volume_source->empty_dir : NULL;
		bool read_only;
		const char *path = v->volume_source && (dir || v->volume_source->config_map)
					   ? volumes_path(arena, k, pod, v->name, &read_only)
					   : NULL;
		if (!path)
			continue;
		struct volume_usage u = {v->name, usage_of_dir(path)};
		ARENA_PUSH(arena, usage->volumes, usage->n_volumes) = u;
		if (!dir || str_empty(dir->medium))
			add(&usage->ephemeral, &u.disk);
	}
}

struct pod_usage usage_of_pod(struct kubelet *k, struct arena *arena, const CriListContainerStatsResponse *all,
	const struct pod *pod, bool disk)
{
	struct pod_usage usage = {0};
	char *logs = pod_logs_dir(arena, k->settings->pod_logs_dir, pod->namespace, pod->name, pod->uid);
	for (size_t i = 0; i < all->n_stats; i++) {
		if (!str_eq(usage_label(all->stats[i], LABEL_POD_UID), pod->uid))
			continue;
		struct container_usage u = of_container(all->stats[i]);
		if (disk)
			u.logs = usage_of_dir(arena_printf(arena, "%s/%s", logs, u.name));
		ARENA_PUSH(arena, usage.containers, usage.n_containers) = u;
		usage.memory += u.memory;
		add(&usage.ephemeral, &u.root);
		add(&usage.ephemeral, &u.logs);
	}
	if (disk)
		add_volumes(k, arena, pod, &usage);
	return usage;
}
