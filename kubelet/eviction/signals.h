/*
 * Signals: what a node can run short of, how much of it there is, and when that is too little.
 *
 *	size_t n = thresholds_of(arena, k->settings, &list);          // what the configuration asks for
 *	thresholds_judge(list, n, states, observations, now_ms);      // states keep what was seen before
 *
 * A hard threshold acts at once; a soft one when it has been met for its grace period. One that has acted is met until
 *there is its minimum reclaim beyond it. Rules: pkg/kubelet/eviction of the original.
 */
#ifndef KUBELET_EVICTION_SIGNALS_H
#define KUBELET_EVICTION_SIGNALS_H

#include "base/arena.h"
#include "kubelet/config/settings.h"

enum signal {
	SIGNAL_MEMORY, /* in the order in which they are looked after */
	SIGNAL_NODEFS,
	SIGNAL_NODEFS_INODES,
	SIGNAL_IMAGEFS,
	SIGNAL_IMAGEFS_INODES,
	SIGNAL_PIDS,
	N_SIGNALS,
};
enum condition { CONDITION_MEMORY, CONDITION_DISK, CONDITION_PIDS, N_CONDITIONS };

struct observation {
	bool known;
	int64_t available, capacity;
};

struct threshold {
	enum signal signal;
	const char *quantity; /* "100Mi", "10%" */
	const char *reclaim;  /* as much more must be free before it is over; NULL: nothing */
	int64_t grace_ms;     /* 0: hard */
};

struct threshold_state {
	bool met;	  /* too little */
	bool acts;	  /* for long enough */
	int64_t since_ms; /* it was met first */
};

const char *signal_resource(enum signal signal);
enum condition signal_condition(enum signal signal);
size_t thresholds_of(struct arena *arena, const struct settings *s, struct threshold **ret);
/* "10%" or "1Gi" of a capacity. */
int64_t threshold_amount(const char *quantity, int64_t capacity);
void thresholds_judge(const struct threshold *list, size_t n, struct threshold_state *states,
	const struct observation *observations, int64_t now_ms);
/* The hard threshold of a signal by its name, "memory.available"; 0 if there is none. */
int64_t eviction_threshold(const struct settings *s, const char *name, int64_t capacity);
/* The one to do something about; NULL: none acts. */
const struct threshold *thresholds_first(const struct threshold *list, size_t n, const struct threshold_state *states);

#endif
