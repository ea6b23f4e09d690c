/* Any bytes as base64 in both alphabets, and as the value of flags: what is encoded decodes to the same. */
#include "base/encode.h"
#include "base/flags.h"
#include "test/fuzz/target.h"

static void there_and_back(struct arena *arena, const uint8_t *data, size_t size)
{
	uint8_t *back;
	size_t n;
	char *text = base64_encode(arena, data, size);

	assert(base64_decode(arena, text, strlen(text), &back, &n) && n == size && (!n || !memcmp(back, data, n)));
	text = base64url_encode(arena, data, size);
	assert(base64url_decode(arena, text, strlen(text), &back, &n) && n == size && (!n || !memcmp(back, data, n)));
	assert(strlen(hex_encode(arena, data, size)) == 2 * size);
}

static void as_text(struct arena *arena, const char *text, size_t size)
{
	uint8_t *bytes, *again;
	size_t n, n_again;

	if (base64_decode(arena, text, size, &bytes, &n)) {
		char *canonical = base64_encode(arena, bytes, n);
		assert(base64_decode(arena, canonical, strlen(canonical), &again, &n_again));
		assert(n == n_again && (!n || !memcmp(bytes, again, n)));
	}
	if (base64url_decode(arena, text, size, &bytes, &n))
		assert(base64url_encode(arena, bytes, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	bool flag = false;
	int64_t number = 0;
	uint64_t positive = 0;

	if (size > 4096)
		return 0;
	there_and_back(arena, data, size);
	as_text(arena, (const char *)data, size);
	char *text = arena_strndup(arena, (const char *)data, size);
	str_to_int64(text, -10, INT64_MAX, &number);
	str_to_uint64(text, UINT64_MAX, &positive);
	str_to_bool(text, &flag);
	safe_encode_string(text);
	return 0;
}
