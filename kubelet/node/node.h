/*
 * The node as the apiserver sees it: registration, status with its conditions, and the lease that says it lives.
 *
 * Threads: node_start() starts two; the questions below may be asked from any.
 */
#ifndef KUBELET_NODE_NODE_H
#define KUBELET_NODE_NODE_H

#include "kubelet/kubelet.h"

struct node;

struct node *node_new(struct kubelet *k);
/* Registers and goes on reporting until the kubelet stops. Without a client there is nothing to do. */
void node_start(struct node *node);
/* Waits for the threads. */
void node_free(struct node *node);

/* The address that the node is known by. */
const char *node_ip(const struct node *node);
int64_t node_memory_capacity(const struct node *node);
/* What pods may use of a resource: thousandths for CPU if milli, else whole units. */
int64_t node_allocatable(const struct node *node, const char *resource, bool milli);
/* The same without regard to eviction thresholds: what could be allotted at the very most. */
int64_t node_unreserved(const struct node *node, const char *resource, bool milli);
/* An event about the node. */
void node_event(struct node *node, const char *type, const char *reason, const char *format, ...) PRINTF(4, 5);
/* Report now instead of at the next tick: something that users see has changed. */
void node_status_changed(struct node *node);

#endif
