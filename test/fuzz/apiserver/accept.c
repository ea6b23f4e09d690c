/* Any text as an Accept header, a content type and a continue token: refused, or one of what we have. */
#include "apiserver/http/continue.h"
#include "apiserver/http/negotiate.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct accept accept;
	enum media media;
	struct continue_position position, again;

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
	s = continue_read(arena, text, "default/", &position);
	if (!s) {
		assert(str_starts_with(position.key, "default/") && !strstr(position.key, "/../"));
		const char *token = continue_make(arena, position.revision, "default/", position.key);
		fuzz_ok(token, continue_read(arena, token, "default/", &again));
		assert(position.revision == again.revision && str_eq(position.key, again.key) && again.after);
		assert(continue_is_past(&again, position.key));
	}
	status_free(s);
	return 0;
}
