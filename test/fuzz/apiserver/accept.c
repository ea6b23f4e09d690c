/* Any text as an Accept header, a content type and a continue token: refused, or one of what we have. */
#include "apiserver/http/negotiate.h"
#include "apiserver/http/verbs.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct accept accept;
	enum media media;
	int64_t revision, revision_again;
	const char *start, *start_again;

	if (size > 2048)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	for (enum shapes shapes = SHAPES_NONE; shapes <= SHAPES_ALL; shapes++) {
		struct status *s = accept_parse_text(arena, text, shapes, &accept);
		if (!s) {
			assert(media_name(accept.media) && accept.shape <= SHAPE_METADATA_LIST);
			assert(shapes || accept.shape == SHAPE_OBJECT);
		}
		assert(!s || s->code == 406);
		status_free(s);
	}
	struct status *s = content_media(arena, text, &media);
	assert(!s || s->code == 415);
	status_free(s);
	s = continue_token_read(arena, text, &revision, &start);
	if (!s) {
		const char *again = continue_token_make(arena, revision, start);
		fuzz_ok(again, continue_token_read(arena, again, &revision_again, &start_again));
		assert(revision == revision_again && str_eq(start, start_again));
	}
	status_free(s);
	return 0;
}
