/* Any bytes as a static pod's manifest: a pod that is named, placed on this node and has an identity, or an error. */
#include "api/meta.h"
#include "kubelet/config/config.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod = NULL, *again = NULL;

	if (size > 8192)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct status *s = manifest_parse(arena, "/etc/kubernetes/manifests/a.yaml", text, size, "node-1", &pod);
	if (!s) {
		assert(*object_name(pod) && *object_namespace(pod) && *object_uid(pod));
		assert(str_eq(pod->spec->node_name, "node-1"));
		fuzz_ok("again",
			manifest_parse(arena, "/etc/kubernetes/manifests/a.yaml", text, size, "node-1", &again));
		fuzz_same_text("uid", object_uid(pod), object_uid(again));
	}
	status_free(s);
	return 0;
}
