/* Any bytes as a kubeconfig: what is read can be printed and reads again. */
#include "test/fuzz/target.h"
#include "client/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ClientcmdV1Config *config, *again, *merged = NULL;
	char *text;
	if (size > 8192)
		return 0;
	struct status *error =
		kubeconfig_parse(arena, arena_strndup(arena, (const char *)data, size), size, "x", &config);
	if (error) {
		status_free(error);
		return 0;
	}
	merged = API_NEW(arena, ClientcmdV1Config);
	kubeconfig_merge(arena, merged, config);
	kubeconfig_merge(arena, merged, config);
	assert(merged->n_clusters <= config->n_clusters);
	assert(!kubeconfig_print(arena, merged, &text));
	error = kubeconfig_parse(arena, text, strlen(text), "x", &again);
	status_free(error); /* control characters that YAML cannot hold */
	return 0;
}
