#include "kubelet/volume/volume.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/volume/plugins.h"

static const struct volume_plugin *const plugins[] = {&volume_empty_dir, &volume_host_path, &volume_config_map,
	&volume_secret, &volume_projected, &volume_downward_api};

struct volumes {
	struct kubelet *k;
};

struct volumes *volumes_new(struct kubelet *k)
{
	struct volumes *v = mem_zalloc(sizeof(*v));
	v->k = k;
	return v;
}

void volumes_free(struct volumes *v)
{
	free(v);
}

char *pod_dir(struct arena *arena, const struct kubelet *k, const char *uid)
{
	return arena_printf(arena, "%s/pods/%s", k->settings->root_dir, uid);
}

static const struct volume_plugin *plugin_for(const CoreV1VolumeSource *source)
{
	for (size_t i = 0; source && i < ARRAY_SIZE(plugins); i++)
		if (plugins[i]->handles(source))
			return plugins[i];
	return NULL;
}

/* kubernetes.io/empty-dir → kubernetes.io~empty-dir: a name for a directory. */
static char *escaped(struct arena *arena, const char *plugin)
{
	char *out = arena_strdup(arena, plugin);
	for (char *p = out; *p; p++)
		if (*p == '/')
			*p = '~';
	return out;
}

static void fill(struct volume_mount *m, struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Volume *volume, const struct volume_plugin *plugin)
{
	const CoreV1PodSecurityContext *sc = pod_spec(pod)->security_context;
	*m = (struct volume_mount){
		.k = k, .arena = arena, .pod = pod, .volume = volume, .source = volume->volume_source};
	m->dir = arena_printf(
		arena, "%s/volumes/%s/%s", pod_dir(arena, k, pod->uid), escaped(arena, plugin->name), volume->name);
	m->has_fs_group = sc && sc->has_fs_group;
	m->fs_group = m->has_fs_group ? sc->fs_group : 0;
}

/* A pod that was let go keeps its volumes as they are: nothing is fetched for it any more. */
static struct status *mount_one(struct kubelet *k, const struct pod *pod, const CoreV1Volume *volume)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct volume_plugin *plugin = plugin_for(volume->volume_source);
	if (!plugin)
		return status_bad_request("no volume plugin matched");
	struct volume_mount m;
	fill(&m, k, arena, pod, volume, plugin);
	if (!plugin->mount)
		return NULL;
	return plugin->mount(&m);
}

struct status *volumes_mount_pod(struct volumes *v, const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	struct status *first = NULL;
	for (size_t i = 0; i < spec->n_volumes; i++) {
		struct status *s = mount_one(v->k, pod, spec->volumes[i]);
		if (!s)
			continue;
		kubelet_pod_event(v->k, pod, NULL, EVENT_WARNING, "FailedMount",
			"MountVolume.SetUp failed for volume \"%s\" : %s", spec->volumes[i]->name, s->message);
		s = status_wrap(s, "volume \"%s\"", spec->volumes[i]->name);
		if (!first)
			first = s;
		else
			log_status(s, "pod %s", pod->ref);
	}
	return first;
}

const char *volumes_path(
	struct arena *arena, struct kubelet *k, const struct pod *pod, const char *name, bool *ret_read_only)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_volumes; i++) {
		if (!str_eq(spec->volumes[i]->name, name))
			continue;
		const struct volume_plugin *plugin = plugin_for(spec->volumes[i]->volume_source);
		if (!plugin)
			return NULL;
		struct volume_mount *m = ARENA_NEW(arena, struct volume_mount);
		fill(m, k, arena, pod, spec->volumes[i], plugin);
		*ret_read_only = plugin->read_only;
		return plugin->path ? plugin->path(m) : m->dir;
	}
	return NULL;
}

/* Unmounts what is mounted at a path, however often. */
static void unmount(const char *path)
{
	for (int i = 0; i < 16 && !umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW); i++)
		;
}

/* Unmounts all below a directory that lies depth levels down. */
static void unmount_level(const char *dir, int depth)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		char *path = arena_printf(arena, "%s/%s", dir, e->d_name);
		if (depth > 1)
			unmount_level(path, depth - 1);
		else
			unmount(path);
	}
	closedir(d);
}

struct status *volumes_unmount_pod(struct volumes *v, const char *uid)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *dir = pod_dir(arena, v->k, uid);
	char *sub_paths = arena_printf(arena, "%s/volume-subpaths", dir);
	char *volumes = arena_printf(arena, "%s/volumes", dir);
	unmount_level(sub_paths, 3);
	TRY(io_remove_tree(sub_paths));
	unmount_level(volumes, 2);
	return io_remove_tree(volumes);
}
