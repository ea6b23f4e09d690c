#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include "base/log.h"
#include "base/str.h"
#include "kubelet/gc/gc.h"
#include "kubelet/runtime/names.h"
#include "kubelet/runtime/query.h"

#define BLOCK 65536

/* FILE becomes FILE.gz. */
static struct status *compress_file(struct arena *arena, const char *path)
{
	char *part = arena_printf(arena, "%s.tmp", path), *done = arena_printf(arena, "%s.gz", path);
	FILE *in = fopen(path, "re");
	if (!in)
		return status_errno(errno, "open %s", path);
	gzFile out = gzopen(part, "wbe");
	if (!out) {
		fclose(in);
		return status_errno(errno, "create %s", part);
	}
	char *block = arena_alloc(arena, BLOCK);
	bool ok = true;
	for (size_t n; ok && (n = fread(block, 1, BLOCK, in)) > 0;)
		ok = gzwrite(out, block, (unsigned)n) == (int)n;
	ok &= !ferror(in);
	ok &= gzclose(out) == Z_OK;
	fclose(in);
	if (!ok || rename(part, done)) {
		unlink(part);
		return status_internal("compress %s", path);
	}
	unlink(path);
	return NULL;
}

/* Rotated files of a log, oldest first: their names carry the time. */
static size_t rotated(struct arena *arena, const char *path, char ***ret)
{
	size_t n = 0;
	char *dir = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
	char *prefix = arena_printf(arena, "%s.", strrchr(path, '/') + 1);
	DIR *d = opendir(dir);
	*ret = NULL;
	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (!str_starts_with(e->d_name, prefix))
			continue;
		char *full = arena_printf(arena, "%s/%s", dir, e->d_name);
		if (str_ends_with(full, ".tmp"))
			unlink(full);
		else
			ARENA_PUSH(arena, *ret, n) = full;
	}
	closedir(d);
	if (n)
		qsort(*ret, n, sizeof(**ret), str_cmp_qsort);
	return n;
}

/* Room for one more: the present file and the one about to be rotated count too. */
static struct status *tidy(struct kubelet *k, struct arena *arena, const char *path)
{
	char **files;
	size_t n = rotated(arena, path, &files),
	       keep = (size_t)(k->settings->log_max_files > 2 ? k->settings->log_max_files - 2 : 0);
	size_t drop = n > keep ? n - keep : 0;
	for (size_t i = 0; i < drop; i++)
		unlink(files[i]);
	for (size_t i = drop; i < n; i++)
		if (!str_ends_with(files[i], ".gz"))
			TRY(compress_file(arena, files[i]));
	return NULL;
}

static struct status *rotate(struct kubelet *k, struct arena *arena, const char *id, const char *path)
{
	TRY(tidy(k, arena, path));
	struct tm tm;
	time_t now = (time_t)clock_wall_s(k->clock);
	char stamp[32];
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	char *to = arena_printf(arena, "%s.%s", path, stamp);
	if (rename(path, to))
		return status_errno(errno, "rename %s", path);
	CriReopenContainerLogRequest *request = RPC_NEW(arena, CriReopenContainerLogRequest);
	CriReopenContainerLogResponse *response;
	request->container_id = arena_strdup(arena, id);
	struct status *s = cri_call(k->cri, "ReopenContainerLog", request, arena, &response);
	/* The container still writes into the old file: give it its name back. */
	if (s && rename(to, path))
		log_error("cannot rename %s back", to);
	return s;
}

struct status *gc_rotate_logs(struct kubelet *k)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (k->settings->log_max_bytes <= 0)
		return NULL;
	struct runtime_pods pods;
	TRY(runtime_list_pods(k->cri, arena, false, &pods));
	for (size_t i = 0; i < pods.n_items; i++) {
		const struct runtime_pod *pod = &pods.items[i];
		char *dir = pod_logs_dir(arena, k->settings->pod_logs_dir, pod->namespace, pod->name, pod->uid);
		for (size_t j = 0; j < pod->n_containers; j++) {
			const struct runtime_container *c = &pod->containers[j];
			int32_t next = restart_count_from_logs(arena_printf(arena, "%s/%s", dir, c->name));
			if (next == 0)
				continue;
			char *path = arena_printf(arena, "%s/%s", dir, container_log_path(arena, c->name, next - 1));
			struct stat st;
			if (!stat(path, &st) && st.st_size > k->settings->log_max_bytes)
				log_status(rotate(k, arena, c->id, path), "rotate %s", path);
		}
	}
	return NULL;
}
