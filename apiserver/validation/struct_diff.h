/*
 * How two versions of a part of an object differ, as the original shows it: a unified diff of its own structs.
 */
#ifndef APISERVER_VALIDATION_STRUCT_DIFF_H
#define APISERVER_VALIDATION_STRUCT_DIFF_H

#include "base/arena.h"

/* Of two messages of one type, either may be NULL; empty when they are as long as nobody would read. Lives in the
 * arena. */
char *struct_diff(struct arena *arena, const void *before, const void *now);

#endif
