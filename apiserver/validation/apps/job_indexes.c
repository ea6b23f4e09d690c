#include <stdlib.h>
#include "apiserver/validation/apps/batch.h"
#include "base/str.h"

static const char *parse_index(struct arena *arena, const char *text, int32_t completions, int64_t *ret_index)
{
	if (!str_to_int64(text, INT64_MIN, INT64_MAX, ret_index))
		return arena_printf(arena, "cannot convert string to integer for index: %s", field_quote(arena, text));
	if (*ret_index >= completions)
		return arena_printf(arena, "too large index: %s", field_quote(arena, text));
	return NULL;
}

/* "3", or "3-5". */
static const char *parse_interval(
	struct arena *arena, const char *text, int32_t completions, int64_t *ret_first, int64_t *ret_last)
{
	const char *dash = strchr(text, '-');
	if (dash && strchr(dash + 1, '-'))
		return arena_printf(arena,
			"the fragment %s violates the requirement that an index interval can have at most two parts "
			"separated by '-'",
			field_quote(arena, text));
	const char *first = dash ? arena_strndup(arena, text, (size_t)(dash - text)) : text;
	const char *problem = parse_index(arena, first, completions, ret_first);
	*ret_last = *ret_first;
	if (problem || !dash)
		return problem;
	problem = parse_index(arena, dash + 1, completions, ret_last);
	if (!problem && *ret_first >= *ret_last)
		problem = arena_printf(arena, "non-increasing order, previous: %lld, current: %lld",
			(long long)*ret_first, (long long)*ret_last);
	return problem;
}

const char *check_indexes(struct arena *arena, const char *text, int32_t completions, int32_t *ret_total)
{
	char **parts;
	int64_t first, last, previous = 0;
	size_t n = str_split(arena, str_or_empty(text), ',', &parts);
	*ret_total = 0;
	for (size_t i = 0; i < n; i++) {
		const char *problem = parse_interval(arena, parts[i], completions, &first, &last);
		if (!problem && i && previous >= first)
			problem = arena_printf(arena, "non-increasing order, previous: %lld, current: %lld",
				(long long)previous, (long long)first);
		if (problem) {
			*ret_total = 0;
			return problem;
		}
		*ret_total += (int32_t)(last - first + 1);
		previous = last;
	}
	return NULL;
}

bool indexes_overlap(struct arena *arena, const char *a, const char *b, int32_t completions, int32_t *ret_index)
{
	char **as, **bs;
	size_t n_a = str_split(arena, str_or_empty(a), ',', &as), n_b = str_split(arena, str_or_empty(b), ',', &bs);
	for (size_t i = 0, k = 0; i < n_a && k < n_b;) {
		int64_t x1, x2, y1, y2;
		if (parse_interval(arena, as[i], completions, &x1, &x2)) {
			i++;
		} else if (parse_interval(arena, bs[k], completions, &y1, &y2)) {
			k++;
		} else if (x1 <= y2 && y1 <= x2) {
			*ret_index = (int32_t)(x1 > y1 ? x1 : y1);
			return true;
		} else if (x1 <= y1) {
			i++;
		} else {
			k++;
		}
	}
	return false;
}
