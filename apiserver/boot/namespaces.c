/* The namespaces that every cluster has. */
#include "api/meta.h"
#include "apiserver/boot/internal.h"

static const char *const names[] = {"kube-system", "kube-public", "kube-node-lease", "default"};

struct status *boot_namespaces(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CoreV1Namespace *ns = API_NEW(arena, CoreV1Namespace);
		object_meta_ensure(arena, ns)->name = arena_strdup(arena, names[i]);
		TRY(status_wrap(boot_ensure(options, arena, ns), "namespace %s", names[i]));
	}
	return NULL;
}
