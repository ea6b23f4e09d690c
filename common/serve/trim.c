/*
 * Gives memory back: free heap, and pages of program and library text that were needed once, at the start. Reading them
 * again costs a minor fault each, so an idle daemon keeps in memory what it uses and not what it used.
 */
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include "base/arena.h"
#include "base/str.h"
#include "serve/daemon.h"

struct mapping {
	unsigned long from, to;
	bool is_file, is_writable;
	bool is_clean; /* no page of it was ever written, so dropping them loses nothing */
};

static bool parse_head(const char *line, struct mapping *ret)
{
	char permissions[8] = "", path[8] = "";
	unsigned long from, to;
	if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %7s", &from, &to, permissions, path) < 3 || strlen(permissions) != 4)
		return false;
	*ret = (struct mapping){
		.from = from, .to = to, .is_file = path[0] == '/', .is_writable = permissions[1] == 'w'};
	return true;
}

static void drop(const struct mapping *m)
{
	if (m->is_file && !m->is_writable && m->is_clean)
		(void)madvise((void *)m->from, m->to - m->from, MADV_DONTNEED);
}

void daemon_trim_memory(void)
{
	char line[512];
	struct mapping m = {0};
	arena_drop_spare();
	malloc_trim(0);
	FILE *f = fopen("/proc/self/smaps", "re");
	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		unsigned long kib;
		if (sscanf(line, "Anonymous: %lu", &kib) == 1)
			m.is_clean = !kib;
		else if (str_starts_with(line, "VmFlags:"))
			drop(&m);
		else if (strchr(line, '-'))
			parse_head(line, &m);
	}
	fclose(f);
}
