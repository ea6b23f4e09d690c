/* Any text as a cgroup.procs: only processes that it names on a line of their own are ever killed, never the first. */
#include <stdlib.h>
#include "kubelet/cgroup/cgroup.h"
#include "test/fuzz/target.h"

static bool names(char *const *lines, pid_t pid)
{
	for (char *const *line = lines; *line; line++) {
		char *end;
		long long number = strtoll(*line, &end, 10);
		if (end > *line && !*end && number == pid)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pid_t *pids;
	char **lines;

	if (size > 4096)
		return 0;
	const char *text = arena_strndup(arena, (const char *)data, size);
	str_split(arena, text, '\n', &lines);
	size_t n = cgroup_pids(arena, text, &pids);
	for (size_t i = 0; i < n; i++)
		if (pids[i] < 2 || !names(lines, pids[i]))
			FUZZ_FAIL("%d in %s", (int)pids[i], text);
	return 0;
}
