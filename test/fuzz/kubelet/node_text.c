/* Any text as what a kubelet reads of its node and of pods: resolv.conf, files of /proc, names of images, variables in
 * commands. */
#include "kubelet/image/image.h"
#include "kubelet/node/machine.h"
#include "kubelet/runtime/env.h"
#include "kubelet/runtime/resolv.h"
#include "test/fuzz/target.h"

static void as_resolv(struct arena *arena, const char *text)
{
	struct resolv r;
	size_t chars = 0;

	resolv_parse(arena, text, &r);
	resolv_limit(arena, &r);
	assert(r.n_servers <= RESOLV_MAX_SERVERS && r.n_searches <= RESOLV_MAX_SEARCHES);
	for (size_t i = 0; i < r.n_searches; i++)
		chars += strlen(r.searches[i]);
	assert(chars <= RESOLV_MAX_SEARCH_CHARS);
}

static void as_image(struct arena *arena, const char *text)
{
	char *name = NULL, *again = NULL;
	struct status *s = image_normalize(arena, text, &name);

	if (!s) {
		fuzz_ok(name, image_normalize(arena, name, &again));
		fuzz_same_text("image", name, again);
	}
	status_free(s);
	assert(image_registry(arena, text));
	image_matches_credentials(text, "r.example.com:5000/team/x:1");
	image_matches_credentials("*.example.com/team", text);
}

static void as_machine(struct arena *arena, const char *text)
{
	const char *image = machine_os_image(arena, text);

	assert(!strchr(image, '\n') && strlen(image) <= strlen(text));
	machine_meminfo(text, "MemTotal");
	machine_cpu_ns(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct name_values vars = {0};
	char *out = NULL;

	if (size > 4096)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	as_resolv(arena, text);
	as_image(arena, text);
	as_machine(arena, text);
	name_values_add(arena, &vars, "A", "$(B)");
	name_values_add(arena, &vars, "B", "value");
	assert(strlen(env_expand(arena, text, &vars, NULL)) <= 2 * size + 2);
	status_free(env_expand_strict(arena, text, &vars, &out));
	return 0;
}
