/* Any text as a cron schedule, any bytes as a zone file: a schedule fires after the time it is asked about, and nothing
 * lies between. */
#include "controller-manager/cronjob/schedule.h"
#include "base/zone.h"
#include "test/fuzz/target.h"

static void fires(const char *text, const struct schedule *s)
{
	static const int64_t times[] = {0, 951782399, 1709251199, 1785542400, 4102444800};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t next = schedule_next(s, times[i]);
		if (next < 0)
			continue;
		if (next <= times[i] || schedule_last(s, times[i], next) != next ||
			schedule_last(s, times[i], next - 1) >= 0)
			FUZZ_FAIL("%s: after %lld comes %lld", text, (long long)times[i], (long long)next);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct schedule schedule;
	int64_t offset = 0;

	if (size > 4096)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size > 256 ? 256 : size);
	struct status *s = schedule_parse(text, &schedule);
	if (!s)
		fires(text, &schedule);
	status_free(s);
	if (zone_offset_parse(data, size, 1709251199, &offset))
		assert(offset >= INT32_MIN && offset <= INT32_MAX);
	zone_offset_at(text, 1709251199, &offset);
	return 0;
}
