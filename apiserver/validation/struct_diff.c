#include "apiserver/validation/struct_diff.h"
#include "api/json.h"
#include "apiserver/validation/field.h"
#include "base/map.h"
#include "base/str.h"

enum { CONTEXT = 3, MANY_LINES = 200 };

/* One run of equal lines: n of them, from line a of the old text and line b of the new. */
struct run {
	size_t a, b, n;
};

/* The two texts as lines, and where each line of the new one is. */
struct texts {
	struct arena *arena;
	char **a, **b;
	size_t n_a, n_b;
	struct strmap *places; /* line → struct places */
	struct run *runs;
	size_t n_runs;
};

struct places {
	size_t *items;
	size_t n_items;
};

static size_t pretty_lines(struct arena *arena, const void *msg, char ***ret_lines)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *json = internal_json(arena, msg);
	json_add_indented(&out, json, strlen(json), 1);
	return str_split(arena, out.buf, '\n', ret_lines);
}

/* Of a long text, lines that are found everywhere tell nothing of what belongs together: they are no anchors. */
static void index_lines(struct texts *t)
{
	t->places = strmap_new(NULL);
	for (size_t i = 0; i < t->n_b; i++) {
		struct places *p = strmap_get(t->places, t->b[i]);
		if (!p) {
			p = ARENA_NEW(t->arena, struct places);
			strmap_put(t->places, t->b[i], p);
		}
		ARENA_PUSH(t->arena, p->items, p->n_items) = i;
	}
	if (t->n_b < MANY_LINES)
		return;
	STRMAP_FOREACH (t->places, it) {
		struct places *p = it.value;
		if (p->n_items > t->n_b / 100 + 1)
			p->n_items = 0;
	}
}

/* The longest run within two ranges; of several the first. */
static struct run longest_run(struct texts *t, size_t a_from, size_t a_to, size_t b_from, size_t b_to)
{
	struct run best = {a_from, b_from, 0};
	size_t *lengths = ARENA_ARRAY(t->arena, size_t, t->n_b + 1);
	for (size_t i = a_from; i < a_to; i++) {
		size_t *next = ARENA_ARRAY(t->arena, size_t, t->n_b + 1);
		const struct places *p = strmap_get(t->places, t->a[i]);
		for (size_t k = 0; p && k < p->n_items; k++) {
			size_t j = p->items[k];
			if (j < b_from || j >= b_to)
				continue;
			next[j + 1] = lengths[j] + 1;
			if (next[j + 1] > best.n)
				best = (struct run){i + 1 - next[j + 1], j + 1 - next[j + 1], next[j + 1]};
		}
		lengths = next;
	}
	while (best.a > a_from && best.b > b_from && !strcmp(t->a[best.a - 1], t->b[best.b - 1]))
		best = (struct run){best.a - 1, best.b - 1, best.n + 1};
	while (best.a + best.n < a_to && best.b + best.n < b_to &&
		!strcmp(t->a[best.a + best.n], t->b[best.b + best.n]))
		best.n++;
	return best;
}

static void find_runs(struct texts *t, size_t a_from, size_t a_to, size_t b_from, size_t b_to)
{
	struct run r = longest_run(t, a_from, a_to, b_from, b_to);
	if (!r.n)
		return;
	if (a_from < r.a && b_from < r.b)
		find_runs(t, a_from, r.a, b_from, r.b);
	struct run *last = t->n_runs ? &t->runs[t->n_runs - 1] : NULL;
	if (last && last->a + last->n == r.a && last->b + last->n == r.b) {
		last->n += r.n;
	} else {
		struct run *grown = ARENA_ARRAY(t->arena, struct run, t->n_runs + 1);
		if (t->n_runs)
			memcpy(grown, t->runs, t->n_runs * sizeof(*grown));
		t->runs = grown;
		t->runs[t->n_runs++] = r;
	}
	if (r.a + r.n < a_to && r.b + r.n < b_to)
		find_runs(t, r.a + r.n, a_to, r.b + r.n, b_to);
}

static void add_range(struct strbuf *out, size_t from, size_t to)
{
	if (to - from == 1)
		strbuf_printf(out, "%zu", from + 1);
	else
		strbuf_printf(out, "%zu,%zu", to == from ? from : from + 1, to - from);
}

static void add_lines(struct strbuf *out, char mark, char *const *lines, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		strbuf_printf(out, "%c%s\n", mark, lines[i]);
}

/* One hunk: the changes before runs first..last, which are close together. */
static void add_hunk(struct strbuf *out, const struct texts *t, size_t first, size_t last)
{
	struct run before = first ? t->runs[first - 1] : (struct run){0}, after = t->runs[last];
	size_t lead = before.n < CONTEXT ? before.n : CONTEXT, trail = after.n < CONTEXT ? after.n : CONTEXT;
	size_t a = before.a + before.n, b = before.b + before.n;
	strbuf_adds(out, "@@ -");
	add_range(out, a - lead, after.a + trail);
	strbuf_adds(out, " +");
	add_range(out, b - lead, after.b + trail);
	strbuf_adds(out, " @@\n");
	add_lines(out, ' ', t->a, a - lead, a);
	for (size_t i = first; i <= last; i++) {
		const struct run *r = &t->runs[i];
		add_lines(out, '-', t->a, a, r->a);
		add_lines(out, '+', t->b, b, r->b);
		add_lines(out, ' ', t->a, r->a, r->a + (i == last ? trail : r->n));
		a = r->a + r->n;
		b = r->b + r->n;
	}
}

static void add_hunks(struct strbuf *out, const struct texts *t)
{
	size_t first = 0;
	/* What begins alike has no change before its first run. */
	if (t->n_runs > 1 && !t->runs[0].a && !t->runs[0].b)
		first = 1;
	for (size_t i = first; i < t->n_runs; i++) {
		bool far = t->runs[i].n > 2 * CONTEXT, end = i + 1 == t->n_runs;
		if (!far && !end)
			continue;
		if (i > first || t->runs[i].a || t->runs[i].b)
			add_hunk(out, t, first, i);
		first = i + 1;
	}
}

char *struct_diff(struct arena *arena, const void *before, const void *now)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct texts t = {.arena = arena};
	t.n_a = pretty_lines(arena, before, &t.a);
	t.n_b = pretty_lines(arena, now, &t.b);
	index_lines(&t);
	find_runs(&t, 0, t.n_a, 0, t.n_b);
	struct run *all = ARENA_ARRAY(arena, struct run, t.n_runs + 1);
	if (t.n_runs)
		memcpy(all, t.runs, t.n_runs * sizeof(*all));
	/* An empty run at the end stands behind the last change. */
	if (!t.n_runs || all[t.n_runs - 1].a + all[t.n_runs - 1].n != t.n_a ||
		all[t.n_runs - 1].b + all[t.n_runs - 1].n != t.n_b)
		all[t.n_runs++] = (struct run){t.n_a, t.n_b, 0};
	t.runs = all;
	add_hunks(&out, &t);
	strmap_free(t.places);
	return arena_strdup(arena, out.buf);
}
