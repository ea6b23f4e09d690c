/* Times: their texts, their parts in a time zone, and lengths of time. */
#include <ctype.h>
#include <stdlib.h>
#include <time.h>
#include "api/go_names.h"
#include "api/meta.h"
#include "base/flags.h"
#include "base/str.h"
#include "base/zone.h"
#include "cel/eval.h"

/* What a time in the right form ends in: Z, or hours and minutes. */
static int32_t zone_of(struct cel_text text)
{
	const char *end = text.data + text.size - strlen("+00:00");
	if (text.data[text.size - 1] == 'Z')
		return 0;
	int32_t minutes = ((end[1] - '0') * 10 + end[2] - '0') * 60 + (end[4] - '0') * 10 + end[5] - '0';
	return (*end == '-' ? -60 : 60) * minutes;
}

struct cel_value cel_read_timestamp(struct arena *arena, struct cel_text text)
{
	struct cel_value v = {.kind = CEL_TIMESTAMP};
	if (!time_parse(text.data, text.size, &v.time.seconds, &v.time.nanos))
		return cel_error(arena, "type conversion error from 'string' to 'google.protobuf.Timestamp'");
	v.time.zone = zone_of(text);
	return time_is_valid(v.time.seconds) ? v : cel_error(arena, "timestamp overflow");
}

struct cel_value cel_timestamp_of(struct arena *arena, const char *text)
{
	return cel_read_timestamp(arena, (struct cel_text){text, strlen(text)});
}

bool cel_read_duration(const char *text, int64_t *ret_ns)
{
	return duration_parse(text, ret_ns);
}

static const char *fraction_text(struct arena *arena, int64_t nanos)
{
	char *text = arena_printf(arena, ".%09lld", (long long)nanos);
	size_t n = strlen(text);
	while (n > 1 && text[n - 1] == '0')
		text[--n] = 0;
	return n > 1 ? text : "";
}

const char *cel_timestamp_text(struct arena *arena, struct cel_time t)
{
	char *text = time_format(arena, t.seconds + t.zone);
	int minutes = abs(t.zone) / 60;
	text[strlen(text) - 1] = 0; /* Z */
	text = arena_printf(arena, "%s%s", text, fraction_text(arena, t.nanos));
	return t.zone ? arena_printf(arena, "%s%c%02d:%02d", text, t.zone < 0 ? '-' : '+', minutes / 60, minutes % 60)
		      : arena_printf(arena, "%sZ", text);
}

const char *cel_duration_text(struct arena *arena, int64_t ns)
{
	uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	return arena_printf(arena, "%s%llu%ss", ns < 0 ? "-" : "", (unsigned long long)(n / 1000000000),
		fraction_text(arena, (int64_t)(n % 1000000000)));
}

/* The shortest form that reads back the same, with an exponent from seven digits before the point on, as Go's %g. */
const char *cel_double_text(struct arena *arena, double d)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	go_add_double(&out, d);
	return arena_strdup(arena, out.buf);
}

/* Seconds east of UTC of a zone at a time; false if there is no such zone. */
static bool zone_offset(const char *zone, int64_t at, int64_t *ret_seconds)
{
	const char *colon = strchr(zone, ':');
	if (!*zone || !strcmp(zone, "UTC")) {
		*ret_seconds = 0;
		return true;
	}
	if (colon) {
		char *end;
		long hours = strtol(zone, &end, 10), minutes = strtol(colon + 1, NULL, 10);
		if (end != colon)
			return false;
		*ret_seconds = (hours * 60 + (*zone == '-' ? -minutes : minutes)) * 60;
		return true;
	}
	return zone_offset_at(zone, at, ret_seconds);
}

/* The parts of a time in the zone of the second argument. */
static bool parts_of(struct cel_call *call, struct tm *ret, struct cel_value *ret_error)
{
	struct cel_time t = call->args[0].time;
	int64_t offset = 0;
	const char *zone =
		call->n_args > 1 ? arena_strndup(call->arena, call->args[1].text.data, call->args[1].text.size) : "UTC";
	if (!zone_offset(zone, t.seconds, &offset)) {
		*ret_error = cel_error(call->arena, "unknown time zone %s", zone);
		return false;
	}
	time_t seconds = (time_t)(t.seconds + offset);
	return gmtime_r(&seconds, ret) != NULL;
}

#define TIME_PART(name, expression)                                                     \
	static struct cel_value name(struct cel_call *call)                             \
	{                                                                               \
		struct cel_value error = cel_error(call->arena, "no such time");        \
		struct tm tm;                                                           \
		return parts_of(call, &tm, &error) ? CEL_INT_VALUE(expression) : error; \
	}

TIME_PART(year, tm.tm_year + 1900)
TIME_PART(month, tm.tm_mon)
TIME_PART(day_of_year, tm.tm_yday)
TIME_PART(day_of_month, tm.tm_mday - 1)
TIME_PART(date, tm.tm_mday)
TIME_PART(day_of_week, tm.tm_wday)
TIME_PART(hours, tm.tm_hour)
TIME_PART(minutes, tm.tm_min)
TIME_PART(seconds, tm.tm_sec)

static struct cel_value milliseconds(struct cel_call *call)
{
	return CEL_INT_VALUE(call->args[0].time.nanos / 1000000);
}

#define DURATION_PART(name, ns)                                     \
	static struct cel_value name(struct cel_call *call)         \
	{                                                           \
		return CEL_INT_VALUE(call->args[0].integer / (ns)); \
	}

DURATION_PART(duration_hours, INT64_C(3600000000000))
DURATION_PART(duration_minutes, INT64_C(60000000000))
DURATION_PART(duration_seconds, INT64_C(1000000000))
DURATION_PART(duration_milliseconds, INT64_C(1000000))

static const struct cel_overload times_rows[] = {
#define PART(function, id, id_of_zone, eval)                                            \
	{function, "timestamp_to_" id, "timestamp.() -> int", eval},                    \
	{                                                                               \
		function, "timestamp_to_" id_of_zone, "timestamp.(string) -> int", eval \
	}
	PART("getFullYear", "year", "year_with_tz", year),
	PART("getMonth", "month", "month_with_tz", month),
	PART("getDayOfYear", "day_of_year", "day_of_year_with_tz", day_of_year),
	PART("getDayOfMonth", "day_of_month", "day_of_month_with_tz", day_of_month),
	PART("getDate", "day_of_month_1_based", "day_of_month_1_based_with_tz", date),
	PART("getDayOfWeek", "day_of_week", "day_of_week_with_tz", day_of_week),
	PART("getHours", "hours", "hours_with_tz", hours),
	{"getHours", "duration_to_hours", "duration.() -> int", duration_hours},
	PART("getMinutes", "minutes", "minutes_with_tz", minutes),
	{"getMinutes", "duration_to_minutes", "duration.() -> int", duration_minutes},
	PART("getSeconds", "seconds", "seconds_tz", seconds),
	{"getSeconds", "duration_to_seconds", "duration.() -> int", duration_seconds},
	PART("getMilliseconds", "milliseconds", "milliseconds_with_tz", milliseconds),
	{"getMilliseconds", "duration_to_milliseconds", "duration.() -> int", duration_milliseconds},
};
const struct cel_library cel_times = {times_rows, ARRAY_SIZE(times_rows), 0};
