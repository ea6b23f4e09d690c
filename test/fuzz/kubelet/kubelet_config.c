/* A kubelet's configuration file, any text or an object right by the schema: settings that are within their bounds, or
 * an error that names the file or the field. */
#include <stdlib.h>
#include "kubelet/config/settings.h"
#include "test/fuzz/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct settings s = {.config_file = (char *)(uintptr_t)fuzz_config(
				     arena, data, size, &KubeletV1beta1KubeletConfiguration_schema)};

	if (!s.config_file)
		return 0;
	struct status *error = settings_load(&s);
	if (error)
		assert(*error->message);
	else
		assert(s.port > 0 && s.port < 65536 && *s.node_name && *s.runtime_endpoint);
	status_free(error);
	arena_free(s.arena);
	free(s.flags);
	return 0;
}
