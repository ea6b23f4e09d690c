#include <stdlib.h>
#include "apiserver/admission/plugins.h"
#include "apiserver/validation/pod/resources.h"
#include "base/nameset.h"
#include "base/str.h"

/*
 * Nodes with devices are tainted by the name of the device, so that only pods go there that ask for one: those are made
 * to bear the taint.
 */

/* The extended resources that a pod asks for, each once. */
struct asked {
	struct nameset names;
	char **items;
	size_t n_items;
};

static void note_requests(struct asked *asked, CoreV1Container *const *containers, size_t n)
{
	struct arena *arena = asked->names.arena;
	for (size_t i = 0; i < n; i++) {
		const CoreV1ResourceRequirements *r = containers[i]->resources;
		for (size_t k = 0; r && k < r->n_requests; k++)
			if (resource_is_extended(arena, r->requests[k]->key) &&
				nameset_add(&asked->names, r->requests[k]->key))
				ARENA_PUSH(arena, asked->items, asked->n_items) = r->requests[k]->key;
	}
}

static bool bears_any(const CoreV1Toleration *t)
{
	return str_eq(t->operator, "Exists") && str_eq(t->effect, "NoSchedule") && str_empty(t->value);
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	CoreV1PodSpec *spec = admission_pod_spec(a);
	struct asked asked = {.names = {.arena = a->arena}};
	struct nameset borne = {.arena = a->arena};
	if (!spec)
		return NULL;
	note_requests(&asked, spec->containers, spec->n_containers);
	note_requests(&asked, spec->init_containers, spec->n_init_containers);
	if (!asked.n_items)
		return NULL;
	for (size_t i = 0; i < spec->n_tolerations; i++) {
		CoreV1Toleration *t = spec->tolerations[i];
		if (!bears_any(t) || !nameset_has(&asked.names, t->key))
			continue;
		t->has_toleration_seconds = false;
		nameset_add(&borne, t->key);
	}
	qsort(asked.items, asked.n_items, sizeof(*asked.items), str_cmp_qsort);
	for (size_t i = 0; i < asked.n_items; i++) {
		if (nameset_has(&borne, asked.items[i]))
			continue;
		CoreV1Toleration *t = API_NEW(a->arena, CoreV1Toleration);
		t->key = asked.items[i];
		t->operator=(char *) "Exists";
		t->effect = (char *)"NoSchedule";
		ARENA_PUSH(a->arena, spec->tolerations, spec->n_tolerations) = t;
	}
	return NULL;
}

const struct admission_plugin extended_resource_toleration_plugin = {
	.name = "ExtendedResourceToleration",
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
};
