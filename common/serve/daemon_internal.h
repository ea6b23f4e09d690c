/* What the daemon skeleton's files share. */
#ifndef SERVE_DAEMON_INTERNAL_H
#define SERVE_DAEMON_INTERNAL_H

#include "serve/daemon.h"

enum { DAEMON_MAX_FLAGS = 80 };

/* Fills the table of the groups that the spec names. */
void daemon_flags(const struct daemon_spec *spec, struct flag table[static DAEMON_MAX_FLAGS], int64_t *verbosity,
	bool *version, bool *help);

#endif
