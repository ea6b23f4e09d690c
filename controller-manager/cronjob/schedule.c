#include "controller-manager/cronjob/schedule.h"

#include "base/arena.h"
#include "base/flags.h"
#include "base/str.h"

enum { MAX_DAYS = 5 * 366 };

static const char *const month_names[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static bool parse_value(const char *text, const char *const *names, int first, int64_t *ret)
{
	for (int i = 0; names && names[i]; i++)
		if (str_eq_nocase(text, names[i])) {
			*ret = i + first;
			return true;
		}
	return *text >= '0' && *text <= '9' && str_to_int64(text, 0, 1000, ret);
}

/* One part: *, ?, n, n-m, each with /step. */
static bool parse_part(
	struct arena *arena, const char *text, int min, int max, const char *const *names, uint64_t *bits, bool *star)
{
	char **step_parts, **ends;
	int64_t low = min, high = max, step = 1;
	size_t n_steps = str_split(arena, text, '/', &step_parts);
	if (n_steps < 1 || n_steps > 2)
		return false;
	if (n_steps == 2 && (!str_to_int64(step_parts[1], 1, 1000, &step)))
		return false;
	if (str_eq(step_parts[0], "*") || str_eq(step_parts[0], "?")) {
		*star |= step == 1;
	} else {
		size_t n = str_split(arena, step_parts[0], '-', &ends);
		if (n < 1 || n > 2 || !parse_value(ends[0], names, min ? 1 : 0, &low))
			return false;
		high = n_steps == 2 && n == 1 ? max : low;
		if (n == 2 && !parse_value(ends[1], names, min ? 1 : 0, &high))
			return false;
	}
	/* Sunday may be 7. */
	if (names == day_names && low == 7 && high == 7)
		low = high = 0;
	if (low < min || high > max || low > high)
		return false;
	for (int64_t i = low; i <= high; i += step)
		*bits |= 1ull << i;
	return true;
}

static struct status *parse_field(
	struct arena *arena, const char *text, int min, int max, const char *const *names, uint64_t *bits, bool *star)
{
	char **parts;
	size_t n = str_split(arena, text, ',', &parts);
	*bits = 0;
	*star = false;
	for (size_t i = 0; i < n; i++)
		if (!parse_part(arena, parts[i], min, max, names, bits, star))
			return status_bad_request("failed to parse \"%s\" of the schedule", text);
	return *bits ? NULL : status_bad_request("empty field in the schedule");
}

static const char *expand(const char *text)
{
	static const struct {
		const char *name, *spec;
	} macros[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
		{"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"},
		{"@hourly", "0 * * * *"}};
	for (size_t i = 0; i < ARRAY_SIZE(macros); i++)
		if (str_eq(text, macros[i].name))
			return macros[i].spec;
	return text;
}

struct status *schedule_parse(const char *text, struct schedule *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **all, *fields[6];
	size_t n = 0;
	int64_t every_ns;
	bool star;
	*s = (struct schedule){0};
	text = expand(str_or_empty(text));
	if (str_starts_with(text, "@every ")) {
		if (!duration_parse(text + 7, &every_ns) || every_ns < 1000000000)
			return status_bad_request("failed to parse duration %s", text);
		s->every_s = every_ns / 1000000000;
		return NULL;
	}
	size_t n_all = str_split(arena, text, ' ', &all);
	for (size_t i = 0; i < n_all; i++)
		if (*all[i] && n < ARRAY_SIZE(fields))
			fields[n++] = all[i];
	if (n != 5)
		return status_bad_request("expected exactly 5 fields, found %zu: [%s]", n, text);
	TRY(parse_field(arena, fields[0], 0, 59, NULL, &s->minutes, &star));
	TRY(parse_field(arena, fields[1], 0, 23, NULL, &s->hours, &star));
	TRY(parse_field(arena, fields[2], 1, 31, NULL, &s->days, &s->any_day));
	TRY(parse_field(arena, fields[3], 1, 12, month_names, &s->months, &star));
	return parse_field(arena, fields[4], 0, 6, day_names, &s->weekdays, &s->any_weekday);
}

static bool day_fits(const struct schedule *s, int64_t day)
{
	time_t t = (time_t)(day * 86400);
	struct tm tm;
	gmtime_r(&t, &tm);
	if (!(s->months >> (tm.tm_mon + 1) & 1))
		return false;
	bool by_day = s->days >> tm.tm_mday & 1, by_weekday = s->weekdays >> tm.tm_wday & 1;
	return s->any_day || s->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

static bool minute_fits(const struct schedule *s, int minute)
{
	return s->hours >> (minute / 60) & 1 && s->minutes >> (minute % 60) & 1;
}

int64_t schedule_next(const struct schedule *s, int64_t t)
{
	if (s->every_s)
		return t + s->every_s;
	int64_t start = t + s->offset_s + 60;
	start -= ((start % 60) + 60) % 60;
	for (int64_t day = start / 86400, first = day; day < first + MAX_DAYS; day++) {
		if (!day_fits(s, day))
			continue;
		for (int minute = day == first ? (int)(start % 86400 / 60) : 0; minute < 1440; minute++)
			if (minute_fits(s, minute))
				return day * 86400 + minute * 60 - s->offset_s;
	}
	return -1;
}

int64_t schedule_last(const struct schedule *s, int64_t after, int64_t t)
{
	if (s->every_s) {
		int64_t n = (t - after) / s->every_s;
		return n > 0 ? after + n * s->every_s : -1;
	}
	int64_t end = t + s->offset_s;
	for (int64_t day = end / 86400, last = day; day > last - MAX_DAYS && day * 86400 + 86400 > after + s->offset_s;
		day--) {
		if (!day_fits(s, day))
			continue;
		for (int minute = day == last ? (int)(end % 86400 / 60) : 1439; minute >= 0; minute--) {
			int64_t at = day * 86400 + minute * 60 - s->offset_s;
			if (at <= after)
				return -1;
			if (minute_fits(s, minute))
				return at;
		}
	}
	return -1;
}
