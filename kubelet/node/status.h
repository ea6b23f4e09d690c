/*
 * The parts of a Node object that the kubelet fills in.
 */
#ifndef KUBELET_NODE_NODE_STATUS_H
#define KUBELET_NODE_NODE_STATUS_H

#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"

/* What pressure there is, and why the node is not ready (NULL: it is). */
struct node_health {
	bool memory_pressure;
	bool disk_pressure;
	bool pid_pressure;
	const char *not_ready;
};

struct node_facts {
	const struct settings *settings;
	const struct machine *machine;
	const char *ip;
	const char *runtime_version; /* "containerd://1.6.20" */
	struct disk disk;
	struct node_health health;
	int64_t now_s;
	CoreV1ContainerImage **images;
	size_t n_images;
	uint16_t port;
};

/* A version as the node shows it: a semantic one as it is, of another the numbers it begins with
 * ("1.6.20~ds1": 1.6.20). */
char *runtime_version_shown(struct arena *arena, const char *version);
/* A Node to register, without status. */
CoreV1Node *node_object(struct arena *arena, const struct node_facts *facts);
/* Fills in status over what is there; transition times of unchanged conditions are kept. */
void node_fill_status(struct arena *arena, CoreV1Node *node, const struct node_facts *facts);
/* Labels that follow from the machine are as they should be; returns whether any had to be changed. */
bool node_fix_labels(struct arena *arena, CoreV1Node *node, const struct node_facts *facts);
/* Equal but for the heartbeat times. */
bool node_status_equal(const CoreV1NodeStatus *a, const CoreV1NodeStatus *b);
/* Of memory or CPU (thousandths): capacity less what is reserved. */
int64_t node_unreserved_of(const struct node_facts *facts, const char *resource, bool milli);
/* The same less what must stay free, lest pods are evicted: what the node's status shows. */
int64_t node_allocatable_of(const struct node_facts *facts, const char *resource, bool milli);

#endif
