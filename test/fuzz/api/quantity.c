/* Any text as two quantities: what is written reads as the same value, sums can be undone, order is one. */
#include "api/quantity.h"
#include "test/fuzz/target.h"

static void alone(struct arena *arena, const struct quantity *q)
{
	struct quantity again;
	char *text = quantity_format(arena, q);

	assert(quantity_parse(text, &again));
	assert(!quantity_compare(q, &again) && quantity_sign(q) == quantity_sign(&again));
	/* A binary number without a suffix is read as a decimal one, so it is the second writing that is canonical. */
	text = quantity_format(arena, &again);
	assert(quantity_parse(text, &again));
	fuzz_same_text("canonical", text, quantity_format(arena, &again));
	assert(quantity_is_zero(q) == !quantity_sign(q));
	quantity_value(q);
	quantity_milli_value(q);
}

/* Far from the caps, where arithmetic is exact and a binary sum is not cut when it is read. */
static bool is_small(const struct quantity *q)
{
	const __int128 bound = (__int128)1 << 90;

	return q->nanos > -bound && q->nanos < bound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = (const char *)data, *space = memchr(data, ' ', size);
	size_t first = space ? (size_t)(space - text) : size;
	struct quantity a, b, sum;

	if (!quantity_parse_n(text, first, &a) || !is_small(&a))
		return 0;
	alone(arena, &a);
	if (!space || !quantity_parse_n(space + 1, size - first - 1, &b))
		return 0;
	sum = a;
	quantity_add(&sum, &b);
	assert(quantity_compare(&a, &b) == -quantity_compare(&b, &a));
	if (!is_small(&b))
		return 0;
	alone(arena, &sum);
	quantity_sub(&sum, &b);
	assert(!quantity_compare(&sum, &a));
	return 0;
}
