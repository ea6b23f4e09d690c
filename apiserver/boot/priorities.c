/* The priority classes that system pods name. */
#include "api/meta.h"
#include "apiserver/boot/internal.h"

static const struct {
	const char *name, *description;
	int32_t value;
} classes[] = {
	{"system-node-critical", "Used for system critical pods that must not be moved from their current node.",
		2000001000},
	{"system-cluster-critical",
		"Used for system critical pods that must run in the cluster, but can be moved to another node if "
		"necessary.",
		2000000000},
};

struct status *boot_priorities(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		SchedulingV1PriorityClass *c = API_NEW(arena, SchedulingV1PriorityClass);
		object_meta_ensure(arena, c)->name = arena_strdup(arena, classes[i].name);
		c->value = classes[i].value;
		c->description = arena_strdup(arena, classes[i].description);
		c->preemption_policy = "PreemptLowerPriority";
		TRY(status_wrap(boot_ensure(options, arena, c), "priority class %s", classes[i].name));
	}
	return NULL;
}
