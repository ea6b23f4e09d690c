/* Bytes of a SPDY peer, either side, with a user that answers, resets and ends streams as the data falls. */
#include "test/fuzz/target.h"
#include "net/spdy.h"

struct user {
	struct spdy *spdy;
	size_t total;
};

static void output(void *data, const void *bytes, size_t size)
{
	(void)data, (void)bytes, (void)size;
}

static void opened(void *data, struct spdy_stream *st)
{
	struct user *u = data;
	const char *type = spdy_stream_header(st, "streamtype");
	u->total += type ? strlen(type) : 0;
	if (spdy_stream_id(st) % 7 == 3)
		spdy_reset(st);
	else
		spdy_reply(st, NULL, 0, spdy_stream_id(st) % 5 == 1);
}

static void on_data(void *data, struct spdy_stream *st, const void *bytes, size_t size, bool end)
{
	struct user *u = data;
	for (size_t i = 0; i < size; i++)
		u->total += ((const uint8_t *)bytes)[i];
	if (size > 1 && *(const uint8_t *)bytes == 0xee)
		spdy_reset(st);
	else if (end)
		spdy_end(st);
	else
		spdy_write(st, bytes, size);
}

static void closed(void *data, struct spdy_stream *st, bool reset)
{
	struct user *u = data;
	u->total += spdy_stream_id(st) + reset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct spdy_events events = {output, opened, NULL, on_data, closed, NULL};
	struct user u = {0};
	if (size < 2 || size > FUZZ_MAX_SIZE)
		return 0;
	size_t piece = 1 + (data[1] & 0x3f) * 7u;
	u.spdy = spdy_new(data[0] & 1 ? SPDY_SERVER : SPDY_CLIENT, &events, &u);
	spdy_open(u.spdy, NULL, 0, false);
	spdy_open(u.spdy, NULL, 0, true);
	for (size_t at = 2; at < size; at += piece) {
		struct status *error = spdy_feed(u.spdy, data + at, size - at < piece ? size - at : piece);
		if (error) {
			status_free(error);
			break;
		}
		assert(spdy_n_streams(u.spdy) <= SPDY_MAX_STREAMS);
	}
	spdy_free(u.spdy);
	return 0;
}
