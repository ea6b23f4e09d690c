/* Any text as a file of key=value lines and as a literal for a ConfigMap or Secret: entries of one line that have a
 * key, or an error. */
#include "kubectl/verbs/create/generator.h"
#include "test/fuzz/file.h"

static struct status *add(struct kubectl *k, void *data, const char *key, const char *value, size_t size)
{
	bool lines = *(bool *)data;

	assert(key && value && strlen(value) == size);
	assert(!lines || !strpbrk(key, "=\n"));
	return is_utf8(value, size) && *key ? NULL : user_error("%s", key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kubectl k = {.arena = arena};
	bool lines = false;
	const struct data_sink sink = {add, &lines};

	if (size > 4096)
		return 0;
	char *text = arena_strndup(arena, (const char *)data, size),
	     *path = (char *)(uintptr_t)fuzz_file(arena, data, size);
	const struct data_sources literal = {.literals = {&text, 1}}, file = {.env_files = {&path, 1}};
	status_free(read_data_sources(&k, &literal, &sink));
	lines = true;
	status_free(read_data_sources(&k, &file, &sink));
	return 0;
}
