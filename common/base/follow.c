#include "base/follow.h"
#include <string.h>
#include <sys/stat.h>
#include "base/str.h"

static struct follow_stamp stamp_of(const char *path)
{
	struct stat st;
	if (str_empty(path) || stat(path, &st) < 0)
		return (struct follow_stamp){0};
	return (struct follow_stamp){
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.size = st.st_size,
		.inode = st.st_ino,
	};
}

static void look(struct follow *f)
{
	f->asked_ms = clock_mono_ms(f->clock);
	for (size_t i = 0; i < FOLLOW_MAX; i++)
		f->seen[i] = stamp_of(f->paths[i]);
}

void follow_init(struct follow *f, const struct clock *clock, int64_t every_ms, const char *const paths[FOLLOW_MAX])
{
	*f = (struct follow){.clock = clock, .every_ms = every_ms};
	memcpy(f->paths, paths, sizeof(f->paths));
	look(f);
	follow_accept(f);
}

bool follow_changed(struct follow *f)
{
	if (clock_mono_ms(f->clock) - f->asked_ms < f->every_ms)
		return false;
	look(f);
	return memcmp(f->seen, f->accepted, sizeof(f->seen)) != 0;
}

void follow_accept(struct follow *f)
{
	memcpy(f->accepted, f->seen, sizeof(f->accepted));
}
