/* A document and a patch, separated by a newline, through every kind of patch. */
#include "test/fuzz/target.h"
#include "api/patch.h"
#include "api/types.h"

static void patch_every_way(struct arena *arena, const cJSON *doc, const cJSON *patch)
{
	cJSON *got = NULL;

	status_free(patch_json(arena, doc, patch, &got));
	status_free(patch_merge(arena, doc, patch, &got));
	status_free(patch_strategic(arena, &CoreV1Pod_schema, doc, patch, &got));
	if (!cJSON_IsObject(doc) || !cJSON_IsObject(patch))
		return;
	/* What a merge patch is made for is what applying it gives. */
	struct status *s = patch_merge(arena, doc, patch_create_merge(arena, doc, patch), &got);
	assert(!s);
	status_free(patch_create_strategic(arena, &CoreV1Pod_schema, doc, patch, &got));
	status_free(patch_create_three_way(arena, &CoreV1Pod_schema, doc, patch, doc, &got));
	status_free(patch_create_three_way_merge(arena, doc, patch, doc, &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = (const char *)data, *newline = memchr(text, '\n', size);
	cJSON *doc = NULL, *patch = NULL;

	if (!newline || size > 4096)
		return 0;
	struct status *s = tree_parse(arena, text, (size_t)(newline - text), NULL, &doc);
	if (!s)
		s = tree_parse(arena, newline + 1, size - (size_t)(newline - text) - 1, NULL, &patch);
	if (!s)
		patch_every_way(arena, doc, patch);
	status_free(s);
	return 0;
}
