/* Any text as a file of static tokens: users that have a name, or an error; read twice it is the same. */
#include "apiserver/authn/internal.h"
#include "test/fuzz/file.h"

static size_t load(struct arena *arena, const char *path)
{
	struct authn authn = {.arena = arena};
	struct status *s = authn_load_static_tokens(&authn, path);
	size_t n = authn.static_tokens ? strmap_count(authn.static_tokens) : 0;

	if (s)
		assert(strstr(s->message, "must have at least 3 columns"));
	status_free(s);
	strmap_free(authn.static_tokens);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();

	if (size > 8192)
		return 0;
	const char *path = fuzz_file(arena, data, size);
	size_t n = load(arena, path);
	assert(n == load(arena, path) && n <= size);
	return 0;
}
