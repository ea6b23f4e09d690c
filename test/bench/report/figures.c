/* What figures there are, which goals they have, and what they are worth. */
#include "base/cleanup.h"
#include "base/io.h"
#include "test/bench/report/report.h"

const char *const column_names[N_COLUMNS] = {"value", "p99", "cpu", "peak"};
const char *const side_names[N_SIDES] = {"ours", "theirs", "ratio"};

struct status *table_read(struct arena *arena, const char *path, char ****ret_lines, size_t *ret_n)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	char **lines;
	TRY(io_read_file(path, 16 << 20, &text, &size));
	size_t n = str_split(arena, text, '\n', &lines), kept = 0;
	char ***table = ARENA_ARRAY(arena, char **, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (*lines[i] && *lines[i] != '#')
			str_split(arena, lines[i], '\t', &table[kept++]);
	}
	*ret_lines = table;
	*ret_n = kept;
	return NULL;
}

const char *number_text(double value, char buf[static NUMBER_BYTES])
{
	char digits[NUMBER_BYTES] = "";
	double size = fabs(value);
	if (!isnan(value))
		snprintf(digits, sizeof digits, "%.*f",
			size >= 100 || value == floor(value) ? 0
			: size >= 10			     ? 1
			: size >= 0.1			     ? 2
							     : 4,
			value);
	size_t len = strlen(digits), whole = strcspn(digits, "."), at = 0;
	for (size_t i = 0; i < len && at + 2 < NUMBER_BYTES; i++) {
		if (i && i < whole && (whole - i) % 3 == 0 && digits[i - 1] != '-')
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

/* "{10000} pods" as it is at this scale: "10,000 pods". */
static char *scaled(struct arena *arena, const char *text, int64_t scale)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char number[NUMBER_BYTES];
	for (; *text; text++) {
		if (*text != '{') {
			strbuf_addc(&out, *text);
			continue;
		}
		int64_t n = strtoll(text + 1, NULL, 10);
		strbuf_adds(&out, number_text((double)((n + scale - 1) / scale), number));
		text += strcspn(text, "}");
	}
	return arena_strdup(arena, out.buf);
}

static double fraction(const char *text)
{
	char *end;
	double value = strtod(text, &end);
	return *end == '/' ? value / strtod(end + 1, NULL) : value;
}

/* "cpu ratio <= 1/8" */
static struct status *goal_parse(struct arena *arena, const char *text, struct goal *goal)
{
	char **words;
	size_t column = 0;
	if (str_split(arena, str_trim(arena, text), ' ', &words) != 4)
		return status_bad_request("goal '%s': not COLUMN ratio|is <=|>= NUMBER", text);
	while (column < N_COLUMNS && !str_eq(words[0], column_names[column]))
		column++;
	if (column == N_COLUMNS)
		return status_bad_request("goal '%s': no column '%s'", text, words[0]);
	*goal = (struct goal){.column = (enum column)column,
		.ratio = str_eq(words[1], "ratio"),
		.at_least = str_eq(words[2], ">="),
		.bound = fraction(words[3])};
	const char *column_text = column == VALUE ? "" : column == CPU ? "CPU " : arena_printf(arena, "%s ", words[0]);
	goal->text = arena_printf(
		arena, "%s%s %s%s", column_text, goal->at_least ? "≥" : "≤", words[3], goal->ratio ? " of theirs" : "");
	return NULL;
}

static struct status *figure_parse(struct report *r, char **line, struct figure *f)
{
	char **goals;
	for (int i = 0; i < 6; i++) {
		if (!line[i])
			return status_bad_request("figure '%s': fewer than six fields", line[0]);
	}
	*f = (struct figure){.part = line[0],
		.name = line[1],
		.title = scaled(r->arena, line[2], r->scale),
		.higher = str_eq(line[3], "higher"),
		.command = scaled(r->arena, line[5], r->scale),
		.unit = ""};
	size_t n = str_split(r->arena, line[4], ';', &goals);
	f->goals = ARENA_ARRAY(r->arena, struct goal, n + 1);
	for (; f->n_goals < n; f->n_goals++)
		TRY(goal_parse(r->arena, goals[f->n_goals], &f->goals[f->n_goals]));
	return NULL;
}

struct status *figures_read(struct report *r, const char *path)
{
	char ***lines;
	size_t n;
	TRY(table_read(r->arena, path, &lines, &n));
	r->figures = ARENA_ARRAY(r->arena, struct figure, n + 1);
	for (; r->n_figures < n; r->n_figures++)
		TRY(status_wrap(figure_parse(r, lines[r->n_figures], &r->figures[r->n_figures]), "%s", path));
	return NULL;
}

enum column figure_column(const struct figure *f)
{
	return f->n_goals ? f->goals[0].column : VALUE;
}

double figure_better(const struct figure *f, enum column column, double ratio)
{
	if (!(ratio > 0))
		return NAN;
	return column == VALUE && f->higher ? ratio : 1 / ratio;
}

enum verdict goal_verdict(const struct figure *f, const struct goal *goal)
{
	const struct result *result = &f->side[goal->ratio ? RATIO : OURS];
	double value = result->column[goal->column];
	if (!result->present || isnan(value))
		return UNKNOWN;
	return (goal->at_least ? value >= goal->bound : value <= goal->bound) ? MET : MISSED;
}

static const char *reason_of(const struct report *r, const struct figure *f, enum side side)
{
	for (size_t i = 0; i < r->n_failures; i++) {
		char **line = r->failures[i];
		if (str_eq(line[0], f->part) && str_eq(line[1], side_names[side]))
			return line[2];
	}
	return "it was not taken, and nobody said why";
}

bool figure_failed(const struct report *r, const struct figure *f, const char **ret_reason)
{
	if (!str_in_n(f->part, r->parts, r->n_parts))
		return false;
	for (enum side side = OURS; side <= (r->compared ? THEIRS : OURS); side++) {
		if (f->side[side].present)
			continue;
		*ret_reason = arena_printf(r->arena, "%s: %s", side_names[side], reason_of(r, f, side));
		return true;
	}
	return false;
}
