#include "controller-manager/job/indexes.h"

#include "base/str.h"

/* Validation allows no more completions than this with indexes. */
enum { MAX_INDEXES = 1 << 20 };

static void add_range(struct index_set *set, int64_t first, int64_t last)
{
	for (int64_t i = first; i <= last && i < set->n; i++)
		set->has[i] = 1;
}

struct index_set index_set_parse(struct arena *arena, const char *text, int32_t n)
{
	struct index_set set = {.n = n < 0 ? 0 : n > MAX_INDEXES ? MAX_INDEXES : n};
	char **parts, **ends;
	set.has = arena_zalloc(arena, (size_t)set.n + 1);
	size_t n_parts = str_split(arena, str_or_empty(text), ',', &parts);
	for (size_t i = 0; i < n_parts; i++) {
		int64_t first, last;
		size_t n_ends = str_split(arena, parts[i], '-', &ends);
		if (n_ends < 1 || n_ends > 2 || !str_to_int64(ends[0], 0, INT32_MAX, &first))
			continue;
		last = first;
		if (n_ends == 2 && !str_to_int64(ends[1], first, INT32_MAX, &last))
			continue;
		add_range(&set, first, last);
	}
	return set;
}

char *index_set_text(struct arena *arena, const struct index_set *set)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (int32_t i = 0; i < set->n; i++) {
		if (!set->has[i])
			continue;
		int32_t first = i;
		while (i + 1 < set->n && set->has[i + 1])
			i++;
		strbuf_printf(&text, "%s%d", text.len ? "," : "", first);
		if (i > first)
			strbuf_printf(&text, "%c%d", i == first + 1 ? ',' : '-', i);
	}
	return arena_strdup(arena, text.buf);
}

int32_t index_set_count(const struct index_set *set)
{
	int32_t count = 0;
	for (int32_t i = 0; i < set->n; i++)
		count += set->has[i];
	return count;
}

void index_set_add(struct index_set *set, int32_t index)
{
	if (index >= 0 && index < set->n)
		set->has[index] = 1;
}

bool index_set_has(const struct index_set *set, int32_t index)
{
	return index >= 0 && index < set->n && set->has[index];
}
