/* A scheduler's configuration file, any text or an object right by the schema: profiles that have plugins, or an
 * error. */
#include "scheduler/config.h"
#include "scheduler/intern.h"
#include "scheduler/nodes.h"
#include "test/fuzz/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	KubeschedulerV1KubeSchedulerConfiguration *config = NULL;
	const char *path = fuzz_config(arena, data, size, &KubeschedulerV1KubeSchedulerConfiguration_schema);

	if (!path)
		return 0;
	struct status *error = scheduler_config_load(arena, path, &config);
	if (!error) {
		struct intern *names = intern_new();
		struct scheduler_handle handle = {.nodes = nodes_new(names), .clock = clock_system()};
		struct profiles profiles;
		error = profiles_make(arena, config, &handle, &profiles);
		if (!error)
			assert(profiles.n_items);
		nodes_free(handle.nodes);
		intern_free(names);
	}
	status_free(error);
	return 0;
}
