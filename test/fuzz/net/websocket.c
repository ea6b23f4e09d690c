/* Bytes of a WebSocket peer, either side, cut into pieces as the first bytes say: no message is larger than allowed,
 * nothing follows an error. */
#include "test/fuzz/target.h"
#include "net/websocket.h"

static void output(void *data, const void *bytes, size_t size)
{
	(void)data, (void)bytes, (void)size;
}

static void message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	size_t *total = data;
	assert(opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY);
	assert(size <= WEBSOCKET_MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < size; i++)
		*total += ((const uint8_t *)bytes)[i];
}

static void closed(void *data, unsigned code, const char *reason)
{
	size_t *total = data;
	assert(code >= 1000 && code < 5000);
	*total += strlen(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct websocket_events events = {output, message, NULL, closed};
	size_t total = 0;
	if (size < 2 || size > FUZZ_MAX_SIZE)
		return 0;
	size_t piece = 1 + (data[1] & 0x3f) * 7u;
	struct websocket *ws = websocket_new(data[0] & 1 ? WEBSOCKET_SERVER : WEBSOCKET_CLIENT, &events, &total);
	for (size_t at = 2; at < size; at += piece) {
		struct status *error = websocket_feed(ws, data + at, size - at < piece ? size - at : piece);
		if (error) {
			status_free(error);
			assert(!websocket_feed(ws, data, size));
			break;
		}
	}
	websocket_free(ws);
	return 0;
}
