#include "apiserver/admission/plugins.h"
#include "base/str.h"

enum { SECONDS = 300 };

/* Whether the pod says itself how it bears a taint that evicts. */
static bool tolerates(const CoreV1PodSpec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_tolerations; i++) {
		const CoreV1Toleration *t = spec->tolerations[i];
		if ((str_eq(t->key, key) || str_empty(t->key)) &&
			(str_eq(t->effect, "NoExecute") || str_empty(t->effect)))
			return true;
	}
	return false;
}

static void add(struct arena *arena, CoreV1PodSpec *spec, const char *key)
{
	CoreV1Toleration *t = API_NEW(arena, CoreV1Toleration);
	t->key = (char *)key;
	t->operator=(char *) "Exists";
	t->effect = (char *)"NoExecute";
	t->has_toleration_seconds = true;
	t->toleration_seconds = SECONDS;
	ARENA_PUSH(arena, spec->tolerations, spec->n_tolerations) = t;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod) || !((CoreV1Pod *)a->object)->spec)
		return NULL;
	CoreV1PodSpec *spec = ((CoreV1Pod *)a->object)->spec;
	bool not_ready = tolerates(spec, "node.kubernetes.io/not-ready");
	bool unreachable = tolerates(spec, "node.kubernetes.io/unreachable");
	if (!not_ready)
		add(a->arena, spec, "node.kubernetes.io/not-ready");
	if (!unreachable)
		add(a->arena, spec, "node.kubernetes.io/unreachable");
	return NULL;
}

const struct admission_plugin default_toleration_plugin = {
	.name = "DefaultTolerationSeconds",
	.on_by_default = true,
	.mutate = mutate,
};
