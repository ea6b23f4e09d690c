#include "apiserver/admission/plugins.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"
#include "base/str.h"

/*
 * Every image is pulled anew, so that nobody runs one that he could not pull himself: not even where another's pod has
 * brought it to the node.
 */

/* One container of a pod, of any of the three kinds. */
struct container {
	char *image;
	char **policy;
	const char *list; /* of the spec, where it is */
	size_t index;
};

static struct container *containers_of(struct arena *arena, const CoreV1PodSpec *spec, size_t *ret_n)
{
	struct container *all = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < spec->n_init_containers; i++)
		ARENA_PUSH(arena, all, *ret_n) = (struct container){spec->init_containers[i]->image,
			&spec->init_containers[i]->image_pull_policy, "initContainers", i};
	for (size_t i = 0; i < spec->n_containers; i++)
		ARENA_PUSH(arena, all, *ret_n) = (struct container){
			spec->containers[i]->image, &spec->containers[i]->image_pull_policy, "containers", i};
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		CoreV1EphemeralContainerCommon *c = spec->ephemeral_containers[i]->ephemeral_container_common;
		if (c)
			ARENA_PUSH(arena, all, *ret_n) =
				(struct container){c->image, &c->image_pull_policy, "ephemeralContainers", i};
	}
	return all;
}

static bool has_new_image(
	const struct admission_attributes *a, const struct container *containers, size_t n, const CoreV1PodSpec *old)
{
	struct nameset images = {.arena = a->arena};
	size_t n_old;
	const struct container *before = containers_of(a->arena, old, &n_old);
	for (size_t i = 0; i < n_old; i++)
		nameset_add(&images, before[i].image);
	for (size_t i = 0; i < n; i++)
		if (!nameset_has(&images, containers[i].image))
			return true;
	return false;
}

/* The spec and its containers; NULL where no image is new. */
static const CoreV1PodSpec *concerned(
	const struct admission_attributes *a, struct container **ret_containers, size_t *ret_n)
{
	const CoreV1PodSpec *spec = admission_pod_spec(a);
	if (!spec)
		return NULL;
	*ret_containers = containers_of(a->arena, spec, ret_n);
	if (a->operation != ADMISSION_UPDATE || !API_IS(a->old, CoreV1Pod) || !((const CoreV1Pod *)a->old)->spec)
		return spec;
	return has_new_image(a, *ret_containers, *ret_n, ((const CoreV1Pod *)a->old)->spec) ? spec : NULL;
}

static CoreV1ImageVolumeSource *image_of(const CoreV1Volume *volume)
{
	return volume->volume_source ? volume->volume_source->image : NULL;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	struct container *containers;
	size_t n;
	const CoreV1PodSpec *spec = concerned(a, &containers, &n);
	if (!spec)
		return NULL;
	for (size_t i = 0; i < n; i++)
		*containers[i].policy = (char *)"Always";
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (image_of(spec->volumes[i]))
			image_of(spec->volumes[i])->pull_policy = (char *)"Always";
	return NULL;
}

/* What another plugin may have made of it since. */
static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	static const char *const always[] = {"Always", NULL};
	struct field_errors errors = FIELD_ERRORS_INIT(a->arena);
	struct container *containers;
	size_t n;
	const CoreV1PodSpec *spec = concerned(a, &containers, &n);
	if (!spec)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(*containers[i].policy, "Always"))
			field_unsupported(&errors,
				FIELD(FIELD_INDEX(FIELD(FIELD(NULL, "spec"), containers[i].list), containers[i].index),
					"imagePullPolicy"),
				*containers[i].policy, always);
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (image_of(spec->volumes[i]) && !str_eq(image_of(spec->volumes[i])->pull_policy, "Always"))
			field_unsupported(&errors,
				FIELD(FIELD(FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "volumes"), i), "image"),
					"pullPolicy"),
				image_of(spec->volumes[i])->pull_policy, always);
	return errors.n_items ? admission_forbidden(a, "%s: %s", errors.items[0].field, errors.items[0].body) : NULL;
}

const struct admission_plugin always_pull_images_plugin = {
	.name = "AlwaysPullImages",
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
	.validate = validate,
};
