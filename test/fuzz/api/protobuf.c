/* Any bytes as an enveloped object: what is accepted can be copied, written as JSON, packed, and is then the same. */
#include "test/fuzz/target.h"
#include "api/copy.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/types.h"

static void protobuf_object(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	void *copy = api_copy_msg(arena, msg), *again = NULL;

	json_to_string(arena, msg, 0);
	protobuf_encode(&out, copy);
	struct status *s = protobuf_decode(arena, schema_of(msg), out.buf, out.len, &again);
	assert(!s && api_equal(copy, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct schema_type *const bare[] = {
		&CoreV1Pod_schema, &ApiextensionsV1JSONSchemaProps_schema, &MetaV1Status_schema, &CoreV1Secret_schema};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	void *msg = NULL;

	if (size > FUZZ_MAX_SIZE)
		return 0;
	struct status *s = protobuf_decode(arena, NULL, data, size, &msg);
	if (!s)
		protobuf_object(arena, msg);
	status_free(s);
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++) {
		s = protobuf_unpack(arena, bare[i], data, size, &msg);
		if (!s)
			protobuf_object(arena, msg);
		status_free(s);
	}
	return 0;
}
