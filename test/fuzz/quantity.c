/* Any text as a quantity, a time and a duration: a canonical text is its own canonical text. */
#include "test/fuzz/target.h"
#include "api/meta.h"
#include "api/quantity.h"

int FUZZ_TARGET(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct quantity q, again;
	int64_t seconds;
	int32_t nanos;

	if (quantity_parse_n((const char *)data, size, &q)) {
		char *text = quantity_format(arena, &q);
		assert(quantity_parse(text, &again));
		assert(!strcmp(text, quantity_format(arena, &again)));
		quantity_value(&q);
		quantity_milli_value(&q);
	}
	if (time_parse((const char *)data, size, &seconds, &nanos))
		time_format(arena, seconds);
	return 0;
}
