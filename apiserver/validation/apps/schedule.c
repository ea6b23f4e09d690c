#include <sys/stat.h>
#include "apiserver/validation/apps/batch.h"
#include "base/flags.h"
#include "base/str.h"

enum { MAX_PART = 14 };

static const char *const months[] = {
	"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct bounds {
	int64_t min, max;
	const char *const *names;
} bounds[] = {{0, 59, NULL}, {0, 23, NULL}, {1, 31, NULL}, {1, 12, months}, {0, 6, days}};

static const char *parse_number(struct arena *arena, const char *text, int64_t *ret_value)
{
	if (!str_to_int64(text, INT64_MIN, INT64_MAX, ret_value))
		return arena_printf(arena, "failed to parse int from %s: strconv.Atoi: parsing %s: invalid syntax",
			text, field_quote(arena, text));
	if (*ret_value < 0)
		return arena_printf(arena, "negative number (%lld) not allowed: %s", (long long)*ret_value, text);
	return NULL;
}

static const char *parse_value(struct arena *arena, const char *text, const struct bounds *b, int64_t *ret_value)
{
	char *lower = str_lower(arena, text);
	for (size_t i = 0; b->names && b->names[i]; i++)
		if (*lower && !strcmp(b->names[i], lower)) {
			*ret_value = (int64_t)i;
			return NULL;
		}
	return parse_number(arena, text, ret_value);
}

static const char *check_bounds(
	struct arena *arena, const char *text, const struct bounds *b, int64_t start, int64_t end, int64_t step)
{
	if (start < b->min)
		return arena_printf(arena, "beginning of range (%lld) below minimum (%lld): %s", (long long)start,
			(long long)b->min, text);
	if (end > b->max)
		return arena_printf(
			arena, "end of range (%lld) above maximum (%lld): %s", (long long)end, (long long)b->max, text);
	if (start > end)
		return arena_printf(arena, "beginning of range (%lld) beyond end of range (%lld): %s", (long long)start,
			(long long)end, text);
	return step ? NULL : arena_printf(arena, "step of range should be a positive number: %s", text);
}

/* "*", "5", "1-5", each perhaps with a "/2". */
static const char *check_range(struct arena *arena, const char *text, const struct bounds *b)
{
	char *range = arena_strdup(arena, text), *slash = strchr(range, '/'), *dash;
	int64_t start = b->min, end = b->max, step = 1;
	const char *problem = NULL;
	bool star;
	if (slash)
		*slash = 0;
	dash = strchr(range, '-');
	if (dash)
		*dash = 0;
	star = !strcmp(range, "*") || !strcmp(range, "?");
	if (!star) {
		problem = parse_value(arena, range, b, &start);
		end = start;
		if (!problem && dash && strchr(dash + 1, '-'))
			return arena_printf(arena, "too many hyphens: %s", text);
		if (!problem && dash)
			problem = parse_value(arena, dash + 1, b, &end);
	}
	if (!problem && slash && strchr(slash + 1, '/'))
		return arena_printf(arena, "too many slashes: %s", text);
	if (!problem && slash)
		problem = parse_number(arena, slash + 1, &step);
	if (slash && !dash)
		end = b->max;
	return problem ? problem : check_bounds(arena, text, b, start, end, step);
}

static const char *check_descriptor(struct arena *arena, const char *text)
{
	static const char *const known[] = {
		"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", NULL};
	static const char every[] = "@every ";
	if (str_in(text, known))
		return NULL;
	if (!str_starts_with(text, every))
		return arena_printf(arena, "unrecognized descriptor: %s", text);
	const char *duration = text + strlen(every);
	const char *problem = duration_problem(arena, duration);
	return problem ? arena_printf(arena, "failed to parse duration %s: %s", text, problem) : NULL;
}

const char *check_schedule(struct arena *arena, const char *schedule)
{
	char **words, **fields = NULL;
	size_t n = 0, n_words;
	if (str_starts_with(schedule, "TZ=") || str_starts_with(schedule, "CRON_TZ=")) {
		const char *space = strchr(schedule, ' '), *name = strchr(schedule, '=') + 1;
		const char *zone = space ? arena_strndup(arena, name, (size_t)(space - name)) : name;
		const char *problem = check_time_zone(arena, zone);
		if (problem)
			return arena_printf(arena, "provided bad location %s: %s", zone, problem);
		schedule = space ? str_trim(arena, space) : "";
	}
	if (*schedule == '@')
		return check_descriptor(arena, schedule);
	n_words = str_split(arena, schedule, ' ', &words);
	for (size_t i = 0; i < n_words; i++)
		if (*words[i])
			ARENA_PUSH(arena, fields, n) = words[i];
	if (n != ARRAY_SIZE(bounds))
		return arena_printf(
			arena, "expected exactly 5 fields, found %zu: [%s]", n, str_join(arena, fields, n, " "));
	for (size_t i = 0; i < n; i++) {
		char **ranges;
		size_t n_ranges = str_split(arena, fields[i], ',', &ranges);
		for (size_t k = 0; k < n_ranges; k++) {
			const char *problem = *ranges[k] ? check_range(arena, ranges[k], &bounds[i]) : NULL;
			if (problem)
				return problem;
		}
	}
	return NULL;
}

const char *check_time_zone(struct arena *arena, const char *name)
{
	struct stat st;
	char *unknown = arena_printf(arena, "unknown time zone %s", name);
	for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		size_t len = strcspn(part, "/");
		bool dots = (len == 1 && part[0] == '.') || (len == 2 && !strncmp(part, "..", 2));
		size_t good = strspn(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.");
		if (dots || !len || len > MAX_PART || part[0] == '-' || good < len)
			return unknown;
	}
	if (!strcmp(name, "UTC"))
		return NULL;
	bool there = !stat(arena_printf(arena, "/usr/share/zoneinfo/%s", name), &st) && S_ISREG(st.st_mode);
	return there ? NULL : unknown;
}
