/*
 * Cluster events: what changed, as far as scheduling cares; and what a plugin makes of one for a pod it turned away.
 */
#ifndef SCHEDULER_EVENT_H
#define SCHEDULER_EVENT_H

#include "api/types.h"

enum event_resource {
	EVENT_ASSIGNED_POD,
	EVENT_UNSCHEDULED_POD,
	EVENT_POD, /* in registrations only: either of the two above */
	EVENT_NODE,
	EVENT_VOLUME, /* persistent volumes, claims, storage classes */
	EVENT_WILDCARD,
};

enum event_action {
	EVENT_ADD = 1 << 0,
	EVENT_DELETE = 1 << 1,
	EVENT_UPDATE_NODE_ALLOCATABLE = 1 << 2,
	EVENT_UPDATE_NODE_LABEL = 1 << 3,
	EVENT_UPDATE_NODE_TAINT = 1 << 4,
	EVENT_UPDATE_NODE_CONDITION = 1 << 5,
	EVENT_UPDATE_NODE_ANNOTATION = 1 << 6,
	EVENT_UPDATE_POD_LABEL = 1 << 7,
	EVENT_UPDATE_POD_SCALE_DOWN = 1 << 8,
	EVENT_UPDATE_POD_TOLERATION = 1 << 9,
	EVENT_UPDATE_POD_GATES_GONE = 1 << 10,
	EVENT_UPDATE_OTHER = 1 << 11,
	EVENT_UPDATE = 0xffc,
	EVENT_ALL = 0xfff,
};

struct pod_info;

/* At most one of the two pairs is set; an addition has no old side, a deletion no new one. Everything is borrowed. */
struct cluster_event {
	enum event_resource resource;
	unsigned action;
	const struct pod_info *old_pod, *new_pod;
	const CoreV1Node *old_node, *new_node;
};

struct sched_plugin_instance;

enum queueing_hint { HINT_SKIP, HINT_QUEUE };

/* What a plugin registers: which events may help the pods it turned away, and a closer look (NULL: always). */
struct event_interest {
	enum event_resource resource;
	unsigned actions;
	enum queueing_hint (*hint)(void *self, const struct pod_info *pod, const struct cluster_event *event);
};

bool event_matches(const struct event_interest *interest, const struct cluster_event *event);
/* What changed between two states of a node: a set of EVENT_UPDATE_NODE_*, 0 if nothing of interest. */
unsigned node_changes(const CoreV1Node *old_node, const CoreV1Node *new_node);
/* The same for pods; never 0. */
unsigned pod_changes(const struct pod_info *old_pod, const struct pod_info *new_pod);

#endif
