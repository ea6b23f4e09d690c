/* Any valid JSON in the place of an OpenAPI document: its protobuf form is one message, no larger than it has to be. */
#include "api/json.h"
#include "apiserver/openapi/document.h"
#include "test/fuzz/target.h"

enum { MOST_FOR_A_BYTE = 16 }; /* `"":{}` may stand within four messages */

static uint64_t varint(const struct strbuf *b, size_t *at)
{
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		assert(*at < b->len && shift < 64);
		uint8_t byte = (uint8_t)b->buf[(*at)++];
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
}

/* Every field is there to its end. */
static void whole(const struct strbuf *b)
{
	for (size_t at = 0; at < b->len;) {
		uint64_t tag = varint(b, &at), size = 0;
		assert(tag >> 3);
		switch (tag & 7) {
		case 0:
			varint(b, &at);
			break;
		case 1:
			size = 8;
			break;
		case 2:
			size = varint(b, &at);
			break;
		default:
			FUZZ_FAIL("a field of type %u", (unsigned)(tag & 7));
		}
		assert(size <= b->len - at);
		at += size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf protobuf = STRBUF_INIT;

	if (size < 2 || size > FUZZ_MAX_SIZE || !json_add_compact(&json, (const char *)data + 1, size - 1, false))
		return 0;
	document_to_protobuf(data[0] & 1 ? OPENAPI_V3 : OPENAPI_V2, &json, &protobuf);
	whole(&protobuf);
	assert(protobuf.len <= MOST_FOR_A_BYTE * json.len);
	return 0;
}
