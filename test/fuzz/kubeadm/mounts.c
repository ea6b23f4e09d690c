/* Any text as the list of mounts: what a reset unmounts is below its folder, and each place comes before what is above.
 */
#include "deploy/kubeadm/kubeadm.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **paths;

	if (size > 4096)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	size_t n = mounts_below(arena, text, "/var/lib/kubelet", &paths);
	for (size_t i = 0; i < n; i++) {
		assert(str_starts_with(paths[i], "/var/lib/kubelet/"));
		assert(!i || strcmp(paths[i - 1], paths[i]) <= 0);
	}
	return 0;
}
