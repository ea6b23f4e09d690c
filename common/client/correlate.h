/*
 * Which events are the same, similar, or too many: the rules of client-go's event correlator. Private to the library.
 * Threads: one at a time. Memory is bounded: each table begins anew when it holds 4096 keys.
 */
#ifndef CLIENT_CORRELATE_H
#define CLIENT_CORRELATE_H

#include "api/types.h"
#include "base/arena.h"
#include "base/clock.h"

struct correlator;

struct correlated {
	const char *key;
	const char *message; /* possibly of the combined event */
	const char *name;    /* of the event to patch, when count > 1 */
	int32_t count;
};

struct series {
	const char *name; /* of the event to patch, when count > 1 */
	int32_t count;
};

struct correlator *correlator_new(const struct clock *clock);
void correlator_free(struct correlator *c);
/* False: the source has sent too much about this object. */
bool correlator_observe(struct correlator *c, struct arena *arena, const CoreV1Event *event, struct correlated *ret);
/* The server has it, under that name. */
void correlator_sent(struct correlator *c, const struct correlated *what, const char *name);
/* False: counted only, there is nothing to send now. */
bool correlator_observe_v1(struct correlator *c, struct arena *arena, const EventsV1Event *event, struct series *ret);

/* The patches, as JSON. */
const char *correlated_patch(struct arena *arena, const CoreV1Event *event, const struct correlated *c);
const char *series_patch(struct arena *arena, const EventsV1Event *event, const struct series *s);

#endif
