#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/image/image.h"
#include "kubelet/node/machine.h"
#include "kubelet/runtime/query.h"

struct seen {
	int64_t first_ms;
	int64_t used_ms; /* when a container last had it */
};

struct image_gc {
	struct kubelet *k;
	struct strmap *images; /* id → struct seen; the housekeeping thread's own */
	bool looked;	       /* what was there at the first look is as old as can be */
};

struct candidate {
	const char *id;
	uint64_t size;
	int64_t used_ms;
	int64_t first_ms;
};

struct image_gc *image_gc_new(struct kubelet *k)
{
	struct image_gc *gc = mem_zalloc(sizeof(*gc));
	gc->k = k;
	gc->images = strmap_new(free);
	return gc;
}

void image_gc_free(struct image_gc *gc)
{
	strmap_free(gc->images);
	free(gc);
}

static int oldest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->used_ms != y->used_ms)
		return x->used_ms < y->used_ms ? -1 : 1;
	return (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

static bool is_sandbox_image(const struct image_gc *gc, const CriImage *image)
{
	for (size_t i = 0; i < image->n_repo_tags; i++)
		if (strstr(image->repo_tags[i], "pause") ||
			str_eq(image->repo_tags[i], gc->k->settings->pod_infra_container_image))
			return true;
	return image->pinned;
}

/* Notes what there is and what is in use; gives what may go. */
static struct status *detect(struct image_gc *gc, struct arena *arena, struct candidate **ret, size_t *ret_n)
{
	int64_t now = clock_mono_ms(gc->k->clock);
	CriListImagesRequest *request = RPC_NEW(arena, CriListImagesRequest);
	CriListImagesResponse *response;
	TRY(cri_image_call(gc->k->cri, "ListImages", request, 0, arena, &response));
	struct runtime_pods pods;
	TRY(runtime_list_pods(gc->k->cri, arena, true, &pods));
	CLEANUP(strmap_freep) struct strmap *used = strmap_new(NULL);
	for (size_t i = 0; i < pods.n_items; i++)
		for (size_t j = 0; j < pods.items[i].n_containers; j++)
			strmap_put(used, pods.items[i].containers[j].image, used);
	CLEANUP(strmap_freep) struct strmap *present = strmap_new(NULL);
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < response->n_images; i++) {
		const CriImage *image = response->images[i];
		strmap_put(present, image->id, present);
		struct seen *seen = strmap_get(gc->images, image->id);
		if (!seen) {
			seen = mem_zalloc(sizeof(*seen));
			seen->first_ms = gc->looked ? now : now - gc->k->settings->image_min_age_ms;
			strmap_put(gc->images, image->id, seen);
		}
		if (strmap_has(used, image->id)) {
			seen->used_ms = now;
			continue;
		}
		if (is_sandbox_image(gc, image))
			continue;
		struct candidate c = {image->id, image->size, seen->used_ms, seen->first_ms};
		ARENA_PUSH(arena, *ret, *ret_n) = c;
	}
	gc->looked = true;
	STRMAP_FOREACH (gc->images, it)
		if (!strmap_has(present, it.key))
			strmap_remove(gc->images, it.key);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), oldest_first);
	return NULL;
}

static struct status *remove_image(struct image_gc *gc, struct arena *arena, const char *id)
{
	CriRemoveImageRequest *request = RPC_NEW(arena, CriRemoveImageRequest);
	request->image = RPC_NEW(arena, CriImageSpec);
	request->image->image = arena_strdup(arena, id);
	CriRemoveImageResponse *response;
	log_info("image %s is unused: removing it", id);
	return cri_image_call(gc->k->cri, "RemoveImage", request, 0, arena, &response);
}

const char *image_fs_path(struct kubelet *k, struct arena *arena)
{
	CriImageFsInfoRequest *request = RPC_NEW(arena, CriImageFsInfoRequest);
	CriImageFsInfoResponse *response;
	const char *path = k->settings->root_dir;
	struct status *s = cri_image_call(k->cri, "ImageFsInfo", request, 0, arena, &response);
	if (!s && response->n_image_filesystems && response->image_filesystems[0]->fs_id)
		path = response->image_filesystems[0]->fs_id->mountpoint;
	log_status(s, "image file system");
	return path;
}

/* How full the images' file system is; false if nobody says. */
static bool usage(struct image_gc *gc, struct arena *arena, uint64_t *ret_capacity, uint64_t *ret_available)
{
	struct disk disk;
	if (!disk_read(image_fs_path(gc->k, arena), &disk) && !disk_read(gc->k->settings->root_dir, &disk))
		return false;
	*ret_capacity = (uint64_t)disk.capacity_bytes;
	*ret_available = (uint64_t)disk.available_bytes;
	return *ret_capacity > 0;
}

/* Frees at least so many bytes; returns how many. */
static uint64_t free_space(
	struct image_gc *gc, struct arena *arena, const struct candidate *list, size_t n, uint64_t bytes)
{
	int64_t now = clock_mono_ms(gc->k->clock);
	uint64_t freed = 0;
	for (size_t i = 0; i < n && freed < bytes; i++) {
		if (now - list[i].first_ms < gc->k->settings->image_min_age_ms)
			continue;
		struct status *s = remove_image(gc, arena, list[i].id);
		if (s)
			log_status(s, "image %s", list[i].id);
		else
			freed += list[i].size;
	}
	return freed;
}

static void remove_too_old(struct image_gc *gc, struct arena *arena, const struct candidate *list, size_t n)
{
	int64_t now = clock_mono_ms(gc->k->clock), max = gc->k->settings->image_max_age_ms;
	for (size_t i = 0; max > 0 && i < n; i++) {
		int64_t since = list[i].used_ms ? list[i].used_ms : list[i].first_ms;
		if (now - since > max)
			log_status(remove_image(gc, arena, list[i].id), "image %s", list[i].id);
	}
}

struct status *image_gc_run(struct image_gc *gc)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct candidate *list;
	size_t n;
	TRY(detect(gc, arena, &list, &n));
	remove_too_old(gc, arena, list, n);
	uint64_t capacity, available;
	if (gc->k->settings->image_gc_high >= 100 || !usage(gc, arena, &capacity, &available))
		return NULL;
	uint64_t used_percent = 100 - available * 100 / capacity;
	if (used_percent < (uint64_t)gc->k->settings->image_gc_high)
		return NULL;
	uint64_t wanted = capacity * (uint64_t)(100 - gc->k->settings->image_gc_low) / 100;
	uint64_t to_free = wanted > available ? wanted - available : 0;
	log_info("disk is %" PRIu64 " %% full: freeing %" PRIu64 " bytes of images", used_percent, to_free);
	uint64_t freed = free_space(gc, arena, list, n, to_free);
	if (freed < to_free)
		return status_internal("Failed to garbage collect required amount of images. Attempted to free %" PRIu64
				       " bytes, but only found %" PRIu64 " bytes eligible to free.",
			to_free, freed);
	return NULL;
}

struct status *image_gc_all(struct image_gc *gc)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct candidate *list;
	size_t n;
	TRY(detect(gc, arena, &list, &n));
	free_space(gc, arena, list, n, UINT64_MAX);
	return NULL;
}
