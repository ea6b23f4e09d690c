#include "apiserver/admission/plugins.h"
#include "api/meta.h"
#include "base/str.h"

#define NOT_READY "node.kubernetes.io/not-ready"

/* A new node is not ready: nothing is put there before the node controller has looked at it. */
static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "", "nodes", "") || !API_IS(a->object, CoreV1Node))
		return NULL;
	CoreV1NodeSpec *spec = ENSURE(a->arena, ((CoreV1Node *)a->object)->spec, CoreV1NodeSpec);
	for (size_t i = 0; i < spec->n_taints; i++)
		if (str_eq(spec->taints[i]->key, NOT_READY) && str_eq(spec->taints[i]->effect, "NoSchedule"))
			return NULL;
	CoreV1Taint *taint = API_NEW(a->arena, CoreV1Taint);
	taint->key = (char *)NOT_READY;
	taint->effect = (char *)"NoSchedule";
	ARENA_PUSH(a->arena, spec->taints, spec->n_taints) = taint;
	return NULL;
}

const struct admission_plugin taint_nodes_plugin = {
	.name = "TaintNodesByCondition",
	.on_by_default = true,
	.operations = ON_CREATE,
	.mutate = mutate,
};
