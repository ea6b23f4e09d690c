/*
 * bench-report: makes results out of samples, and text and a page out of results.
 *
 *	samples.tsv (a line for each taking)  ->  results.tsv (a line for each figure and side)  ->  stdout and
 *index.html
 *
 * Ratios are ours over theirs, pair by pair: the median of the rounds, with the lowest and the highest.
 */
#ifndef TEST_BENCH_REPORT_REPORT_H
#define TEST_BENCH_REPORT_REPORT_H

#include <math.h>
#include "base/str.h"
#include "base/status.h"

enum column { VALUE, P99, CPU, PEAK, N_COLUMNS };
enum side { OURS, THEIRS, RATIO, N_SIDES };
extern const char *const column_names[N_COLUMNS];
extern const char *const side_names[N_SIDES];

/* A line of results.tsv. */
struct result {
	bool present;
	double column[N_COLUMNS]; /* NAN: none */
	double low, high;	  /* of the compared column */
	int64_t rounds;
};

struct goal {
	enum column column;
	bool ratio, at_least;
	double bound;
	const char *text;
};
enum verdict { UNKNOWN, MET, MISSED };

struct figure {
	const char *part, *name, *title, *command, *unit;
	bool higher; /* is better */
	struct goal *goals;
	size_t n_goals;
	struct result side[N_SIDES];
};

struct report {
	struct arena *arena;
	struct figure *figures; /* in the order of the page */
	size_t n_figures;
	int64_t scale;
	char **parts; /* those that were run */
	size_t n_parts;
	char ***failures, ***machine; /* lines of fields */
	size_t n_failures, n_machine;
	bool compared; /* there is another side */
};

/* Which column of a figure is compared. */
enum column figure_column(const struct figure *f);
/* How many times better ours is than theirs, in a column; NAN if it is not known. */
double figure_better(const struct figure *f, enum column column, double ratio);
enum verdict goal_verdict(const struct figure *f, const struct goal *goal);
/* Whether the figure should be there and is not; then *ret_reason says why. */
bool figure_failed(const struct report *r, const struct figure *f, const char **ret_reason);
/* "12.3", "1,234"; "" for none. buf is returned. */
#define NUMBER_BYTES 32
const char *number_text(double value, char buf[static NUMBER_BYTES]);

/* Lines of a tab-separated file, without comments and empty lines. */
struct status *table_read(struct arena *arena, const char *path, char ****ret_lines, size_t *ret_n) MUST_USE;
struct status *figures_read(struct report *r, const char *path) MUST_USE;
struct status *results_make(struct report *r, const char *samples, const char *results) MUST_USE;
struct status *results_read(struct report *r, const char *results) MUST_USE;
void text_write(const struct report *r, FILE *out);
void page_write(const struct report *r, struct strbuf *out);

#endif
