/* A document and a patch, separated by a newline, through every kind of patch: a merge patch applied twice changes
 * nothing more, and what a patch is made for is what applying it gives. */
#include "api/patch.h"
#include "api/types.h"
#include "test/fuzz/target.h"

static void merge_laws(struct arena *arena, const cJSON *doc, const cJSON *patch)
{
	cJSON *once = NULL, *twice = NULL, *got = NULL;

	fuzz_ok("merge", patch_merge(arena, doc, patch, &once));
	fuzz_ok("merge", patch_merge(arena, once, patch, &twice));
	if (!tree_equal(once, twice))
		FUZZ_FAIL("merged twice: %s\n%s", tree_to_string(arena, once, 0), tree_to_string(arena, twice, 0));
	/* The merged document has no null where the patch speaks, so a merge patch can say how to come to it. */
	if (!cJSON_IsObject(doc) || !cJSON_IsObject(once))
		return;
	fuzz_ok("merge", patch_merge(arena, doc, patch_create_merge(arena, doc, once), &got));
	if (!tree_equal(got, once))
		FUZZ_FAIL("made and merged: %s\n%s", tree_to_string(arena, got, 0), tree_to_string(arena, once, 0));
}

static void patch_every_way(struct arena *arena, const cJSON *doc, const cJSON *patch)
{
	static const struct schema_type *const types[] = {
		&CoreV1Pod_schema, &CoreV1Service_schema, &AppsV1Deployment_schema, &CoreV1ServiceAccount_schema};
	const char *before = tree_to_string(arena, doc, 0), *patch_before = tree_to_string(arena, patch, 0);
	cJSON *got = NULL;

	status_free(patch_json(arena, doc, patch, &got));
	merge_laws(arena, doc, patch);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		status_free(patch_strategic(arena, types[i], doc, patch, &got));
		if (!cJSON_IsObject(doc) || !cJSON_IsObject(patch))
			continue;
		status_free(patch_create_strategic(arena, types[i], doc, patch, &got));
		status_free(patch_create_three_way(arena, types[i], doc, patch, doc, &got));
	}
	if (cJSON_IsObject(doc) && cJSON_IsObject(patch))
		status_free(patch_create_three_way_merge(arena, doc, patch, doc, &got));
	fuzz_same_text("the document was changed", before, tree_to_string(arena, doc, 0));
	fuzz_same_text("the patch was changed", patch_before, tree_to_string(arena, patch, 0));
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
