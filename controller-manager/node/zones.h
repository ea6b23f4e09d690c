/*
 * Zones: how fast nodes may be emptied, by how many of their zone are ill: pure but for the clock.
 *
 * Threads: one at a time.
 */
#ifndef CONTROLLER_MANAGER_ZONES_H
#define CONTROLLER_MANAGER_ZONES_H

#include "base/map.h"
#include "controller-manager/controller.h"

enum zone_state { ZONE_NORMAL, ZONE_PARTIAL, ZONE_FULL };

struct zone {
	size_t n_nodes, n_not_ready; /* of the present round */
	enum zone_state state;
	double rate;   /* nodes a second */
	double tokens; /* at most one */
	int64_t at_ms; /* of the tokens */
};

struct zones {
	const struct options *options;
	struct strmap *by_name;
	bool all_full; /* every zone is fully disrupted: the fault is likely ours */
};

void zones_init(struct zones *z, const struct options *options);
void zones_done(struct zones *z);
char *zone_name(struct arena *arena, const CoreV1Node *node);
/* A round: begin, count each node, then end: states and rates are those of the counts. */
void zones_begin(struct zones *z);
void zones_count(struct zones *z, const char *name, bool ready);
void zones_end(struct zones *z);
/* Whether one more node of the zone may be emptied now. */
bool zone_take(struct zones *z, const char *name, int64_t now_ms);

#endif
