/* Samples to results: medians of rounds, ratios of pairs. */
#include "base/cleanup.h"
#include "base/io.h"
#include "test/bench/report/report.h"

#define MAX_ROUNDS 64

/* What was taken of one figure: a value for each side, round and column. */
struct takings {
	double value[THEIRS + 1][MAX_ROUNDS][N_COLUMNS];
	bool taken[THEIRS + 1][MAX_ROUNDS];
	const char *unit;
};

static double number(const char *text)
{
	char *end;
	double value = strtod(str_or_empty(text), &end);
	return str_empty(text) || *end ? NAN : value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Sorts; NAN of none. */
static double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, compare);
	return !n ? NAN : n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double of_round(const struct takings *t, enum side side, size_t round, enum column column)
{
	if (side != RATIO)
		return t->taken[side][round] ? t->value[side][round][column] : NAN;
	double ours = of_round(t, OURS, round, column), theirs = of_round(t, THEIRS, round, column);
	return theirs > 0 ? ours / theirs : NAN;
}

static struct result result_of(const struct takings *t, enum side side, enum column compared)
{
	struct result r = {.low = NAN, .high = NAN};
	for (enum column c = VALUE; c < N_COLUMNS; c++) {
		double values[MAX_ROUNDS];
		size_t n = 0;
		for (size_t round = 0; round < MAX_ROUNDS; round++) {
			double value = of_round(t, side, round, c);
			if (!isnan(value))
				values[n++] = value;
		}
		r.column[c] = median(values, n);
		r.present = r.present || n;
		if (c == VALUE)
			r.rounds = (int64_t)n;
		if (c == compared && n) {
			r.low = values[0];
			r.high = values[n - 1];
		}
	}
	return r;
}

static struct takings *collect(const struct report *r, const struct figure *f, char ***lines, size_t n)
{
	struct takings *t = ARENA_NEW(r->arena, struct takings);
	for (size_t i = 0; i < n; i++) {
		char **line = lines[i];
		int64_t round;
		if (!str_eq(line[0], f->part) || !line[1] || !line[2] || !line[3] || !str_eq(line[3], f->name))
			continue;
		enum side side = str_eq(line[1], side_names[THEIRS]) ? THEIRS : OURS;
		if (!str_to_int64(line[2], 0, MAX_ROUNDS - 1, &round) || !line[4])
			continue;
		t->unit = line[4];
		t->taken[side][round] = true;
		for (int c = 0; c < N_COLUMNS; c++)
			t->value[side][round][c] = line[4 + c] ? number(line[5 + c]) : NAN;
	}
	return t;
}

static void add_number(struct strbuf *out, double value)
{
	if (isnan(value))
		strbuf_adds(out, "\t-");
	else
		strbuf_printf(out, "\t%.6g", value);
}

struct status *results_make(struct report *r, const char *samples, const char *results)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char ***lines;
	size_t n;
	TRY(table_read(r->arena, samples, &lines, &n));
	strbuf_adds(&out, "#part\tfigure\tunit\tside\tmedian\tp99\tcpu\tpeak\trounds\tlow\thigh\n");
	for (size_t i = 0; i < r->n_figures; i++) {
		const struct figure *f = &r->figures[i];
		const struct takings *t = collect(r, f, lines, n);
		for (enum side side = OURS; side < N_SIDES; side++) {
			struct result result = result_of(t, side, figure_column(f));
			if (!result.present)
				continue;
			strbuf_printf(&out, "%s\t%s\t%s\t%s", f->part, f->name, t->unit, side_names[side]);
			for (int c = 0; c < N_COLUMNS; c++)
				add_number(&out, result.column[c]);
			strbuf_printf(&out, "\t%lld", (long long)result.rounds);
			add_number(&out, result.low);
			add_number(&out, result.high);
			strbuf_addc(&out, '\n');
		}
	}
	return io_write_file(results, out.buf, out.len, 0644);
}

static struct figure *find(const struct report *r, char **line)
{
	for (size_t i = 0; i < r->n_figures; i++) {
		if (str_eq(r->figures[i].part, line[0]) && str_eq(r->figures[i].name, line[1]))
			return &r->figures[i];
	}
	return NULL;
}

struct status *results_read(struct report *r, const char *results)
{
	char ***lines;
	size_t n;
	TRY(table_read(r->arena, results, &lines, &n));
	for (size_t i = 0; i < n; i++) {
		char **line = lines[i];
		struct figure *f = find(r, line);
		enum side side = OURS;
		while (side < N_SIDES && !str_eq(line[3], side_names[side]))
			side++;
		if (!f || side == N_SIDES)
			return status_bad_request("%s: line %zu: no such figure or side", results, i + 2);
		struct result *result = &f->side[side];
		f->unit = line[2];
		result->present = true;
		for (int c = 0; c < N_COLUMNS; c++)
			result->column[c] = number(line[4 + c]);
		result->rounds = (int64_t)number(line[8]);
		result->low = number(line[9]);
		result->high = number(line[10]);
	}
	for (size_t i = 0; i < r->n_machine; i++)
		r->compared = r->compared || str_eq(r->machine[i][0], "theirs");
	return NULL;
}
