/* Results as text, for a terminal of 140 columns. */
#include "test/bench/report/report.h"

static const char *const verdict_names[] = {"", "met", "missed"};

static void write_side(const struct figure *f, enum side side, FILE *out)
{
	const struct result *result = &f->side[side];
	char text[N_COLUMNS][NUMBER_BYTES];
	if (!result->present)
		return;
	for (int c = 0; c < N_COLUMNS; c++)
		number_text(result->column[c], text[c]);
	fprintf(out, "    %-7s %12s %-5s %10s %10s %10s\n", side_names[side], text[VALUE], f->unit, text[P99],
		text[CPU], text[PEAK]);
}

static void write_ratio(const struct figure *f, FILE *out)
{
	enum column c = figure_column(f);
	const struct result *ratio = &f->side[RATIO];
	double better = figure_better(f, c, ratio->column[c]);
	double a = figure_better(f, c, ratio->low), b = figure_better(f, c, ratio->high);
	if (!ratio->present || isnan(better))
		return;
	fprintf(out, "    x%.2f better in %s (x%.2f to x%.2f)\n", better, column_names[c], a < b ? a : b,
		a < b ? b : a);
}

static void write_figure(const struct report *r, const struct figure *f, FILE *out)
{
	const char *reason;
	fprintf(out, "  %s\n", f->title);
	if (figure_failed(r, f, &reason))
		fprintf(out, "    FAILED: %s\n", reason);
	write_side(f, OURS, out);
	write_side(f, THEIRS, out);
	write_ratio(f, out);
	for (size_t i = 0; i < f->n_goals; i++) {
		enum verdict verdict = goal_verdict(f, &f->goals[i]);
		if (verdict)
			fprintf(out, "    goal %s: %s\n", f->goals[i].text, verdict_names[verdict]);
	}
}

void text_write(const struct report *r, FILE *out)
{
	for (size_t i = 0; i < r->n_machine; i++)
		fprintf(out, "%s%s %s", i ? ", " : "", r->machine[i][0], str_or_empty(r->machine[i][1]));
	fprintf(out, "\n");
	if (r->scale > 1)
		fprintf(out, "Sizes are divided by %lld: a quick look, no figures to quote.\n", (long long)r->scale);
	fprintf(out, "    %-7s %12s %-5s %10s %10s %10s\n", "side", "median", "", "p99 ms", "CPU ms", "peak MiB");
	const char *part = NULL;
	for (size_t i = 0; i < r->n_figures; i++) {
		const struct figure *f = &r->figures[i];
		if (!str_in_n(f->part, r->parts, r->n_parts))
			continue;
		if (!str_eq(part, f->part))
			fprintf(out, "\n%s\n", f->part);
		part = f->part;
		write_figure(r, f, out);
	}
}
