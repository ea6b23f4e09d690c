/*
 * Images: making sure that one is there before a container starts, and forgetting those that nobody uses.
 */
#ifndef KUBELET_IMAGE_IMAGE_H
#define KUBELET_IMAGE_IMAGE_H

#include "kubelet/kubelet.h"

struct image_puller;
struct image_gc;

struct image_puller *image_puller_new(struct kubelet *k);
void image_puller_free(struct image_puller *p);
/*
 * By the container's pull policy. *ret_ref: what the runtime calls the image. On failure *ret_reason is what the
 * waiting state shows (ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName, …) and the status its
 * message.
 */
struct status *image_ensure(struct image_puller *p, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, CriPodSandboxConfig *sandbox, char **ret_ref, const char **ret_reason) MUST_USE;
/* What the image runs as when nobody says otherwise: a uid, or a name. */
struct status *image_user(struct kubelet *k, struct arena *arena, const char *image, bool *ret_has_uid,
	int64_t *ret_uid, char **ret_name) MUST_USE;

/* An image name in full: the tag :latest added where there is neither tag nor digest. Error: not a name of an image. */
struct status *image_normalize(struct arena *arena, const char *name, char **ret) MUST_USE;
/* The registry that a name leads to: "docker.io" where none is written. */
char *image_registry(struct arena *arena, const char *name);
/* Whether a key of a docker config ("registry:5000", "https://index.docker.io/v1/", "*.example.com/team") speaks of an
 * image. */
bool image_matches_credentials(const char *key, const char *image);

struct image_gc *image_gc_new(struct kubelet *k);
void image_gc_free(struct image_gc *gc);
/* Removes unused images when the disk is fuller than the high mark, until it is below the low one; and those too old.
 */
struct status *image_gc_run(struct image_gc *gc) MUST_USE;
/* Where the images' file system is mounted; the kubelet's own folder if the runtime does not say. */
const char *image_fs_path(struct kubelet *k, struct arena *arena);
/* Removes all that is unused, for a node under disk pressure. */
struct status *image_gc_all(struct image_gc *gc) MUST_USE;

#endif
