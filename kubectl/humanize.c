#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "kubectl/kubectl.h"

static char *two(struct arena *arena, int64_t a, char unit_a, int64_t b, char unit_b)
{
	if (!b)
		return arena_printf(arena, "%lld%c", (long long)a, unit_a);
	return arena_printf(arena, "%lld%c%lld%c", (long long)a, unit_a, (long long)b, unit_b);
}

char *human_duration(struct arena *arena, int64_t s)
{
	int64_t minutes = s / 60, hours = s / 3600, days = hours / 24;
	if (s < -1)
		return arena_strdup(arena, "<invalid>");
	if (s < 0)
		return arena_strdup(arena, "0s");
	if (s < 120)
		return two(arena, s, 's', 0, 0);
	if (minutes < 10)
		return two(arena, minutes, 'm', s % 60, 's');
	if (minutes < 180)
		return two(arena, minutes, 'm', 0, 0);
	if (hours < 8)
		return two(arena, hours, 'h', minutes % 60, 'm');
	if (hours < 48)
		return two(arena, hours, 'h', 0, 0);
	if (days < 8)
		return two(arena, days, 'd', hours % 24, 'h');
	if (days < 730)
		return two(arena, days, 'd', 0, 0);
	if (days < 2920)
		return two(arena, days / 365, 'y', days % 365, 'd');
	return two(arena, days / 365, 'y', 0, 0);
}

bool rfc3339_parse(const char *text, int64_t *ret_s, int64_t *ret_ns)
{
	struct tm tm = {0};
	const char *rest = strptime(str_or_empty(text), "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns = 0, scale = 100000000;
	if (!rest)
		return false;
	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			ns += (*rest - '0') * scale;
	}
	int hours, minutes;
	int64_t offset = 0;
	if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
		offset = (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	else if (*rest != 'Z')
		return false;
	*ret_s = timegm(&tm) - offset;
	if (ret_ns)
		*ret_ns = ns;
	return true;
}

char *human_age(struct arena *arena, const char *time)
{
	int64_t then, ns = 0;
	if (!rfc3339_parse(time, &then, &ns))
		return arena_strdup(arena, "<unknown>");
	return human_duration(arena, (clock_wall_ns(clock_system()) - then * 1000000000 - ns) / 1000000000);
}

char *rfc3339_format(struct arena *arena, int64_t seconds)
{
	struct tm tm;
	char buf[40];
	time_t t = seconds;
	gmtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_strdup(arena, buf);
}
