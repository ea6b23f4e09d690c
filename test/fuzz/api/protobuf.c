/* Any bytes as an enveloped object and, led by the first two, as a bare message of any kind: what is accepted can be
 * copied, written as JSON, packed, and is then the same. */
#include "api/copy.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "test/fuzz/object.h"

static void protobuf_object(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT, again_out = STRBUF_INIT;
	void *copy = api_copy_msg(arena, msg), *again = NULL;

	json_to_string(arena, msg, 0);
	protobuf_pack(&out, copy);
	fuzz_ok("packed", protobuf_unpack(arena, schema_of(msg), out.buf, out.len, &again));
	assert(api_equal(copy, again));
	protobuf_pack(&again_out, again);
	assert(out.len == again_out.len && !memcmp(out.buf, again_out.buf, out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	void *msg = NULL;

	if (size > FUZZ_MAX_SIZE)
		return 0;
	struct status *s = protobuf_decode(arena, NULL, data, size, &msg);
	if (!s)
		protobuf_object(arena, msg);
	status_free(s);
	const struct schema_type *type = fuzz_kind(&bytes);
	s = protobuf_unpack(arena, type, bytes.at, (size_t)(bytes.end - bytes.at), &msg);
	if (!s)
		protobuf_object(arena, msg);
	status_free(s);
	return 0;
}
