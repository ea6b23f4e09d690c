/* Any text as a time, a duration and a number or percentage: what is written of it reads as the same. */
#include "api/intstr.h"
#include "api/meta.h"
#include "base/flags.h"
#include "test/fuzz/target.h"

static void as_time(struct arena *arena, const char *text, size_t size)
{
	int64_t seconds, again_s;
	int32_t nanos, again_ns;

	if (!time_parse(text, size, &seconds, &nanos))
		return;
	assert(nanos >= 0 && nanos < 1000000000);
	char *s = time_format(arena, seconds);
	if (!time_parse(s, strlen(s), &again_s, &again_ns) || again_s != seconds || again_ns)
		FUZZ_FAIL("%.*s: %s", (int)size, text, s);
	s = micro_time_format(arena, seconds, nanos);
	if (!time_parse(s, strlen(s), &again_s, &again_ns) || again_s != seconds || again_ns != nanos / 1000 * 1000)
		FUZZ_FAIL("%.*s: %s", (int)size, text, s);
	duration_human(arena, seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char buf[40];
	int64_t ns, again;
	int32_t scaled = 0;

	if (size > 256)
		return 0;
	char *text = arena_strndup(arena, (const char *)data, size);
	as_time(arena, (const char *)data, size);
	if (duration_parse(text, &ns) && (!duration_parse(duration_format(ns, buf), &again) || again != ns))
		FUZZ_FAIL("%s: %s", text, buf);
	IntstrIntOrString *v = intstr_parse(arena, text);
	fuzz_same_text(
		"int or string", intstr_text(arena, v), intstr_text(arena, intstr_parse(arena, intstr_text(arena, v))));
	status_free(intstr_scaled(v, INT32_MAX, true, &scaled));
	status_free(intstr_scaled(v, 7, false, &scaled));
	return 0;
}
