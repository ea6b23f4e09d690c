#include "apiserver/admission/plugins.h"

const struct admission_plugin always_admit_plugin = {.name = "AlwaysAdmit"};

static struct status *deny(const struct admission_context *context, const struct admission_attributes *a)
{
	return admission_forbidden(a, "admission control is denying all modifications");
}

const struct admission_plugin always_deny_plugin = {
	.name = "AlwaysDeny",
	.validate = deny,
	.handles_delete = true,
	.handles_connect = true,
};

static void pull(CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		containers[i]->image_pull_policy = (char *)"Always";
}

static struct status *always_pull(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod) || !((CoreV1Pod *)a->object)->spec)
		return NULL;
	CoreV1PodSpec *spec = ((CoreV1Pod *)a->object)->spec;
	pull(spec->containers, spec->n_containers);
	pull(spec->init_containers, spec->n_init_containers);
	return NULL;
}

const struct admission_plugin always_pull_images_plugin = {
	.name = "AlwaysPullImages",
	.mutate = always_pull,
};
