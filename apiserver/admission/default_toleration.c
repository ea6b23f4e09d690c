#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* For how long a pod that does not say stays on a node in trouble. */
struct patience {
	int64_t not_ready, unreachable;
};

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

static void add(struct arena *arena, CoreV1PodSpec *spec, const char *key, int64_t seconds)
{
	CoreV1Toleration *t = API_NEW(arena, CoreV1Toleration);
	t->key = (char *)key;
	t->operator=(char *) "Exists";
	t->effect = (char *)"NoExecute";
	t->has_toleration_seconds = true;
	t->toleration_seconds = seconds;
	ARENA_PUSH(arena, spec->tolerations, spec->n_tolerations) = t;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	const struct patience *patience = context->own;
	CoreV1PodSpec *spec = admission_pod_spec(a);
	if (!spec)
		return NULL;
	bool not_ready = tolerates(spec, "node.kubernetes.io/not-ready");
	bool unreachable = tolerates(spec, "node.kubernetes.io/unreachable");
	if (!not_ready)
		add(a->arena, spec, "node.kubernetes.io/not-ready", patience->not_ready);
	if (!unreachable)
		add(a->arena, spec, "node.kubernetes.io/unreachable", patience->unreachable);
	return NULL;
}

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	struct patience *patience = ARENA_NEW(start->arena, struct patience);
	*patience = (struct patience){start->options->not_ready_seconds, start->options->unreachable_seconds};
	context->own = patience;
	return NULL;
}

const struct admission_plugin default_toleration_plugin = {
	.name = "DefaultTolerationSeconds",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
	.start = start,
};
