/* Any text as what a server says of itself, in all forms there are: what is found by one name is found by the others,
 * or the text is refused. */
#include <stdlib.h>
#include "client/discovery.h"
#include "test/fuzz/target.h"

/* The answers lie in the cache on disk, as from the last time; there is no server to ask. */
static const char *cache(void)
{
	static char folder[] = "/tmp/fuzz-discovery.XXXXXX";
	static bool made;

	if (!made)
		assert(mkdtemp(folder));
	made = true;
	return folder;
}

static void put(struct arena *arena, const char *name, const char *text, size_t size)
{
	FILE *f = fopen(arena_printf(arena, "%s/aggregated-%s.json", cache(), name), "we");

	assert(f && fwrite(text, 1, size, f) == size && !fclose(f));
}

static void look(struct arena *arena, struct discovery *d)
{
	const struct api_resource *const *all, *const *members, *found;
	const struct api_group *groups;
	struct status *partial = NULL;
	size_t n, n_members;

	struct status *s = discovery_groups(d, &groups, &n, &partial);
	status_free(partial);
	for (size_t i = 0; !s && i < n; i++)
		assert(groups[i].name && (!groups[i].n_versions || groups[i].versions[0]));
	if (!s)
		s = discovery_preferred_resources(d, &all, &n);
	if (!s)
		s = discovery_resources(d, &all, &n);
	for (size_t i = 0; !s && i < n && i < 16; i++) {
		const struct api_resource *r = all[i];
		const char *version = api_resource_group_version(arena, r);
		status_free(discovery_find_kind(d, version, r->kind, &found));
		status_free(discovery_find(d, r->rest.plural, &found));
		status_free(discovery_find(
			d, arena_printf(arena, "%s.%s.%s", r->singular, r->rest.version, r->rest.group), &found));
		for (size_t j = 0; j < r->n_short_names; j++)
			status_free(discovery_find(d, r->short_names[j], &found));
		for (size_t j = 0; j < r->n_categories; j++)
			status_free(discovery_category(d, r->categories[j], &members, &n_members));
		assert(!r->n_verbs || api_resource_has_verb(r, r->verbs[0]));
	}
	status_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(discovery_freep) struct discovery *d = NULL;
	static struct client *client; /* one for all: it is never asked */
	const char *text = (const char *)data, *newline = memchr(text, '\n', size);

	if (size > 8192)
		return 0;
	if (!client) {
		const struct client_config config = {.host = "http://127.0.0.1:1"};
		fuzz_ok("client", client_new(&config, clock_system(), &client));
		client_cancel(client);
	}
	size_t first = newline ? (size_t)(newline - text) : size;
	put(arena, "api", text, first);
	put(arena, "apis", newline ? newline + 1 : "{}", newline ? size - first - 1 : 2);
	fuzz_ok("discovery", discovery_new(client, cache(), &d));
	look(arena, d);
	return 0;
}
