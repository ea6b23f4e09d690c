#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "kubelet/config/config.h"
#include "kubelet/gc/gc.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/workers.h"
#include "kubelet/runtime/names.h"
#include "kubelet/runtime/query.h"

#define LEGACY_LOGS "/var/log/containers"

/* Gone for good: neither wanted nor being ended. */
static bool pod_gone(struct kubelet *k, const char *uid)
{
	CLEANUP(pod_unrefp) struct pod *pod = pod_manager_get(k->pods, uid);
	return !pod && pod_workers_may_clean(k->workers, uid);
}

static void remove_container(
	struct kubelet *k, struct arena *arena, const struct runtime_pod *pod, const struct runtime_container *c)
{
	char *link = legacy_log_link(arena, c->id, c->name, pod->name, pod->namespace);
	struct status *s = cri_remove_container(k->cri, c->id);
	if (s)
		log_status(s, "remove container %s", c->id);
	else
		unlink(link);
}

static void visit_pod(struct kubelet *k, struct arena *arena, struct runtime_pod *pod)
{
	bool gone = pod_gone(k, pod->uid);
	CLEANUP(strmap_freep) struct strmap *kept = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *used = strmap_new(NULL);
	for (size_t i = 0; i < pod->n_containers; i++) {
		const struct runtime_container *c = &pod->containers[i];
		bool dead = c->state == CONTAINER_EXITED || c->state == CONTAINER_UNKNOWN;
		if (dead && (gone || strmap_has(kept, c->name))) {
			remove_container(k, arena, pod, c);
			continue;
		}
		if (dead)
			strmap_put(kept, c->name, pod);
		strmap_put(used, c->sandbox_id, pod);
	}
	for (size_t i = 0; i < pod->n_sandboxes; i++) {
		const struct runtime_sandbox *s = &pod->sandboxes[i];
		/* The newest of a living pod says what number the next one gets. */
		if (s->ready || strmap_has(used, s->id) || (i == 0 && !gone))
			continue;
		log_status(cri_remove_sandbox(k->cri, s->id), "remove sandbox %s", s->id);
	}
}

/* DIR is NAMESPACE_NAME_UID. */
static void remove_log_dirs(struct kubelet *k, struct arena *arena, const struct runtime_pods *pods)
{
	DIR *d = opendir(k->settings->pod_logs_dir);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		const char *uid = strrchr(e->d_name, '_');
		if (e->d_name[0] == '.' || !uid || !pod_gone(k, uid + 1) || runtime_pods_find(pods, uid + 1))
			continue;
		log_status(
			io_remove_tree(arena_printf(arena, "%s/%s", k->settings->pod_logs_dir, e->d_name)), "pod logs");
	}
	closedir(d);
}

static void remove_dead_links(void)
{
	DIR *d = opendir(LEGACY_LOGS);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		struct stat st;
		if (e->d_type == DT_LNK && fstatat(dirfd(d), e->d_name, &st, 0))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

struct status *gc_containers(struct kubelet *k)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods pods;
	if (!config_all_sources_seen(k->config))
		return NULL;
	TRY(runtime_list_pods(k->cri, arena, true, &pods));
	for (size_t i = 0; i < pods.n_items; i++)
		visit_pod(k, arena, &pods.items[i]);
	remove_log_dirs(k, arena, &pods);
	remove_dead_links();
	return NULL;
}
