/*
 * Files whose content is held in memory, and read again when they change: certificates, keys, authorities.
 *
 *	follow_init(&f, clock, 5000, (const char *[FOLLOW_MAX]){cert, key}); // before they are read the first time
 *	…
 *	if (follow_changed(&f)) { // asks the file system every five seconds at most
 *		TRY(load(cert, key));
 *		follow_accept(&f);
 *	}
 *
 * Ownership: the paths are the caller's and outlive it. Threads: one at a time.
 */
#ifndef BASE_FOLLOW_H
#define BASE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"

enum { FOLLOW_MAX = 3 };

/* Of a file that is replaced at least one differs; all are 0 where there is none. */
struct follow_stamp {
	int64_t mtime_ns, size;
	uint64_t inode;
};

struct follow {
	const struct clock *clock;
	int64_t every_ms, asked_ms;
	const char *paths[FOLLOW_MAX];
	struct follow_stamp seen[FOLLOW_MAX], accepted[FOLLOW_MAX];
};

/* Paths may be NULL or empty: those are not followed. The files as they are now count as accepted. */
void follow_init(struct follow *f, const struct clock *clock, int64_t every_ms, const char *const paths[FOLLOW_MAX]);
/* Whether the files are others than those accepted; false where they were asked for less than every_ms ago. */
bool follow_changed(struct follow *f);
/* The files have been read as follow_changed() last saw them. Without this it tells of the change again. */
void follow_accept(struct follow *f);

#endif
