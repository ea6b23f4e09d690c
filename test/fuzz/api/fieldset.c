/* Two texts of FieldsV1, a line each: what is read is printed and read again as the same, and the sets obey the laws of
 * sets. */
#include "api/fieldset.h"
#include "test/fuzz/target.h"

static char *printed(struct arena *arena, const struct fieldset *set)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	fieldset_print(&out, set);
	return arena_strdup(arena, out.buf);
}

static void same(struct arena *arena, const char *what, const struct fieldset *a, const struct fieldset *b)
{
	fuzz_same_text(what, printed(arena, a), printed(arena, b));
	assert(fieldset_equal(a, b));
}

static void again(struct arena *arena, const struct fieldset *set)
{
	const char *text = printed(arena, set);
	const struct fieldset *read = NULL;

	fuzz_ok(text, fieldset_parse(arena, text, strlen(text), &read));
	same(arena, "read again", set, read);
}

static void count(void *data, const char *path)
{
	assert(*path);
	++*(size_t *)data;
}

static size_t n_fields(const struct fieldset *set)
{
	size_t n = 0;

	fieldset_each(set, count, &n);
	return n;
}

static void laws(struct arena *arena, const struct fieldset *a, const struct fieldset *b)
{
	const struct fieldset *both = fieldset_union(arena, a, b), *common = fieldset_intersection(arena, a, b);
	const struct fieldset *only_a = fieldset_difference(arena, a, b), *without = fieldset_without(arena, a, b);

	same(arena, "union, the other way round", both, fieldset_union(arena, b, a));
	same(arena, "intersection, the other way round", common, fieldset_intersection(arena, b, a));
	same(arena, "what is only here and what is in both", a, fieldset_union(arena, only_a, common));
	same(arena, "union less one", fieldset_difference(arena, both, b), only_a);
	same(arena, "what is left has nothing of it", NULL, fieldset_intersection(arena, only_a, b));
	same(arena, "what is left with all below gone is part of what is left", without,
		fieldset_intersection(arena, without, only_a));
	assert(n_fields(a) + n_fields(b) == n_fields(both) + n_fields(common));
	assert(fieldset_union(arena, a, a) == a && fieldset_empty(fieldset_difference(arena, a, a)));
	again(arena, both);
	again(arena, without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = (const char *)data, *newline = memchr(text, '\n', size);
	const struct fieldset *a = NULL, *b = NULL;

	if (size > 8192)
		return 0;
	size_t first = newline ? (size_t)(newline - text) : size, second = newline ? size - first - 1 : 0;
	struct status *s = fieldset_parse(arena, text, first, &a);
	if (!s) {
		again(arena, a);
		s = fieldset_parse(arena, second ? newline + 1 : "{}", second ? second : 2, &b);
	}
	if (!s)
		laws(arena, a, b);
	status_free(s);
	return 0;
}
