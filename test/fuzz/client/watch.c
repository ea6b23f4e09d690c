/* Bytes of a watch: cut anywhere, they are the same events and the same error as in one piece; each event's object is
 * decoded or refused. */
#include "client/internal.h"
#include "test/fuzz/target.h"

struct seen {
	struct strbuf text;
	struct arena *arena; /* NULL: nothing is decoded */
};

static void decode(struct arena *arena, const struct watch_frame *frame)
{
	static const struct schema_type *const types[] = {&CoreV1ConfigMap_schema, NULL};
	enum watch_event_type type;
	void *msg = NULL;

	if (watch_frame_type(frame, &type) && type == WATCH_ERROR) {
		struct status *s = watch_frame_error(arena, frame);
		assert(s && s->message);
		status_free(s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		status_free(watch_frame_decode(arena, types[i] ? types[i] : &CoreV1Pod_schema, frame, &msg));
}

static bool on_frame(void *data, const struct watch_frame *frame)
{
	struct seen *s = data;

	strbuf_printf(&s->text, "%zu ", frame->type_size);
	strbuf_add(&s->text, frame->type, frame->type_size);
	strbuf_printf(&s->text, " %zu ", frame->object_size);
	strbuf_add(&s->text, frame->object, frame->object_size);
	strbuf_addc(&s->text, '\n');
	if (s->arena)
		decode(s->arena, frame);
	return !frame->type_size || *frame->type != 'S';
}

/* What is seen of them, and what stopped it. */
static void feed(struct seen *seen, const uint8_t *data, size_t size, const uint8_t *cuts, size_t n_cuts)
{
	struct watch_reader reader;
	struct status *s = NULL;
	bool stopped = false;

	watch_reader_init(&reader);
	for (size_t at = 0, i = 0, n; !s && !stopped && at < size; at += n, i++) {
		n = n_cuts ? 1 + cuts[i % n_cuts] % 32u : size;
		n = n < size - at ? n : size - at;
		s = watch_reader_feed(&reader, watch_is_protobuf(data), data + at, n, on_frame, seen, &stopped);
	}
	strbuf_printf(&seen->text, "%s", s ? s->message : stopped ? "stopped" : "more");
	status_free(s);
	watch_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct seen whole = {STRBUF_INIT, arena}, pieces = {STRBUF_INIT, NULL};
	size_t n_cuts = size ? data[0] % 8u : 0;

	if (size < 2 + n_cuts || size > FUZZ_MAX_SIZE)
		return 0;
	const uint8_t *cuts = data + 1;
	data += 1 + n_cuts;
	size -= 1 + n_cuts;
	feed(&whole, data, size, NULL, 0);
	feed(&pieces, data, size, cuts, n_cuts);
	if (whole.text.len != pieces.text.len || memcmp(whole.text.buf, pieces.text.buf, whole.text.len))
		FUZZ_FAIL("in one piece:\n%s\nin pieces:\n%s", whole.text.buf, pieces.text.buf);
	strbuf_done(&whole.text);
	strbuf_done(&pieces.text);
	return 0;
}
