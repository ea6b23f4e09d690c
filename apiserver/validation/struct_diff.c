#include "apiserver/validation/struct_diff.h"
#include "api/json.h"
#include "apiserver/validation/field.h"
#include "base/map.h"
#include "base/str.h"

enum {
	CONTEXT = 3,
	MANY_LINES = 200,
	MOST_LINES = 200000,  /* of both: more are not compared, nor shown */
	MOST_STEPS = 1 << 26, /* of comparing: what takes longer is told as one change, not line by line */
};

/* One run of equal lines: n of them, from line a of the old text and line b of the new. */
struct run {
	size_t a, b, n;
};

/* Where in the new text a line is, in order. */
struct places {
	size_t *items;
	size_t n_items;
};

/* The two texts as lines. */
struct texts {
	struct arena *arena;
	char **a, **b;
	size_t n_a, n_b;
	const struct places **places; /* of each line of the old text; NULL where the new one has none such */
	size_t *lengths, *next; /* of the runs that end before a line of the new text; all 0 between two searches */
	size_t steps;
	struct run *runs;
	size_t n_runs;
};

static size_t pretty_lines(struct arena *arena, const void *msg, char ***ret_lines)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *json = internal_json(arena, msg);
	json_add_indented(&out, json, strlen(json), 1);
	return str_split(arena, out.buf, '\n', ret_lines);
}

/* Of a long text, lines that are found everywhere tell nothing of what belongs together: they are no anchors. */
static bool is_anchor(const struct texts *t, const struct places *p)
{
	return p && (t->n_b < MANY_LINES || p->n_items <= t->n_b / 100 + 1);
}

static void index_lines(struct texts *t)
{
	struct strmap *by_line = strmap_new(NULL);
	for (size_t i = 0; i < t->n_b; i++) {
		struct places *p = strmap_get(by_line, t->b[i]);
		if (!p) {
			p = ARENA_NEW(t->arena, struct places);
			strmap_put(by_line, t->b[i], p);
		}
		ARENA_PUSH(t->arena, p->items, p->n_items) = i;
	}
	t->places = ARENA_ARRAY(t->arena, const struct places *, t->n_a + 1);
	for (size_t i = 0; i < t->n_a; i++) {
		const struct places *p = strmap_get(by_line, t->a[i]);
		t->places[i] = is_anchor(t, p) ? p : NULL;
	}
	strmap_free(by_line);
}

static void forget_lengths(size_t *lengths, const struct places *p)
{
	for (size_t k = 0; p && k < p->n_items; k++)
		lengths[p->items[k] + 1] = 0;
}

static void swap_lengths(struct texts *t)
{
	size_t *swap = t->lengths;
	t->lengths = t->next;
	t->next = swap;
}

/* The longest run within two ranges; of several the first. */
static struct run longest_run(struct texts *t, size_t a_from, size_t a_to, size_t b_from, size_t b_to)
{
	struct run best = {a_from, b_from, 0};
	const struct places *last = NULL;
	for (size_t i = a_from; i < a_to && t->steps < MOST_STEPS; i++) {
		const struct places *p = t->places[i];
		for (size_t k = 0; p && k < p->n_items && p->items[k] < b_to; k++) {
			size_t j = p->items[k];
			if (j < b_from)
				continue;
			t->next[j + 1] = t->lengths[j] + 1;
			if (t->next[j + 1] > best.n)
				best = (struct run){i + 1 - t->next[j + 1], j + 1 - t->next[j + 1], t->next[j + 1]};
		}
		forget_lengths(t->lengths, last);
		swap_lengths(t);
		last = p;
		t->steps += 1 + (p ? p->n_items : 0);
	}
	forget_lengths(t->lengths, last);
	while (best.a > a_from && best.b > b_from && !strcmp(t->a[best.a - 1], t->b[best.b - 1]))
		best = (struct run){best.a - 1, best.b - 1, best.n + 1};
	while (best.a + best.n < a_to && best.b + best.n < b_to &&
		!strcmp(t->a[best.a + best.n], t->b[best.b + best.n]))
		best.n++;
	return best;
}

static void add_run(struct texts *t, struct run r)
{
	struct run *last = t->n_runs ? &t->runs[t->n_runs - 1] : NULL;
	if (last && last->a + last->n == r.a && last->b + last->n == r.b)
		last->n += r.n;
	else
		ARENA_PUSH(t->arena, t->runs, t->n_runs) = r;
}

static void find_runs(struct texts *t, size_t a_from, size_t a_to, size_t b_from, size_t b_to)
{
	while (a_from < a_to && b_from < b_to) {
		struct run r = longest_run(t, a_from, a_to, b_from, b_to);
		if (!r.n)
			return;
		find_runs(t, a_from, r.a, b_from, r.b);
		add_run(t, r);
		a_from = r.a + r.n;
		b_from = r.b + r.n;
	}
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
	if (t.n_a + t.n_b > MOST_LINES)
		return arena_strdup(arena, "");
	index_lines(&t);
	t.lengths = ARENA_ARRAY(arena, size_t, t.n_b + 1);
	t.next = ARENA_ARRAY(arena, size_t, t.n_b + 1);
	find_runs(&t, 0, t.n_a, 0, t.n_b);
	/* An empty run at the end stands behind the last change. */
	const struct run *last = t.n_runs ? &t.runs[t.n_runs - 1] : NULL;
	if (!last || last->a + last->n != t.n_a || last->b + last->n != t.n_b)
		ARENA_PUSH(arena, t.runs, t.n_runs) = (struct run){t.n_a, t.n_b, 0};
	add_hunks(&out, &t);
	return arena_strdup(arena, out.buf);
}
