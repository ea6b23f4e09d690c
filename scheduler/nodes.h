/*
 * The nodes, in columns: one row a node, one array a property, so that filtering thousands of nodes walks over a few
 * dense arrays of numbers. Labels, taints, zones and images are interned ids; each resource is a pair of columns.
 *
 *	nodes_put(nodes, node);                      // from a watch event
 *	nodes_add_pod(nodes, row, pod);              // a pod bound or assumed there
 *	int64_t free = nodes->resources[RES_CPU].allocatable[row] - nodes->resources[RES_CPU].requested[row];
 *
 * Ownership: the table copies what it needs of the Node object and holds references to the pods.
 * Threads: the scheduler's own thread.
 * A row may exist before its node does (a pod arrived first) and after it (pods are still there): only rows listed in
 * order[] can be scheduled to. Row numbers change when a row is removed.
 */
#ifndef SCHEDULER_NODES_H
#define SCHEDULER_NODES_H

#include "base/map.h"
#include "scheduler/pod.h"
#include "scheduler/selector.h"

struct resource_column {
	int64_t *allocatable, *requested; /* NULL: no node has any of it */
};

struct taint {
	uint32_t key, value;
	enum { TAINT_NO_SCHEDULE, TAINT_PREFER_NO_SCHEDULE, TAINT_NO_EXECUTE, TAINT_OTHER } effect;
};
struct taint_list {
	uint32_t *ids; /* into nodes->taints */
	size_t n_ids;
};

struct pod_list {
	struct pod_info **items;
	size_t n_items, cap;
};

struct node_image {
	uint32_t name;
	int64_t size;
};
struct image_list {
	struct node_image *items;
	size_t n_items;
};

enum { NODE_PRESENT = 1, NODE_UNSCHEDULABLE = 2 };

struct nodes {
	size_t n_rows, cap;
	/* columns */
	char **name;
	uint8_t *flags;
	uint32_t *zone;
	struct label_set *labels;
	struct taint_list *taint_ids;
	struct image_list *images;
	struct pod_list *pods, *affinity_pods, *anti_pods;
	int64_t *non_zero_cpu, *non_zero_memory;
	struct resource_column *resources; /* by resource id */
	size_t n_resources;
	/* tables */
	struct taint *taints; /* by taint id */
	size_t n_taints, cap_taints;
	struct intern *strings;	       /* label keys and values, taint keys and values, zones */
	struct intern *resource_names; /* borrowed */
	struct intern *image_names;
	struct intern *label_sets; /* namespace and labels of pods */
	size_t n_pods;		   /* over all rows */
	size_t n_present;	   /* rows that are nodes */
	uint32_t *image_nodes;	   /* by image id: how many nodes have it */
	size_t cap_images;
	struct strmap *rows; /* name -> row + 1 */
	/* rows that are nodes, interleaved by zone so that neighbours in the order lie in different zones */
	uint32_t *order;
	size_t n_order, cap_order;
	bool order_stale;
	size_t n_anti_pods; /* over all nodes: pods with required anti-affinity */
	size_t n_affinity_pods;
};

#define NODES_NO_ROW UINT32_MAX

struct nodes *nodes_new(struct intern *resource_names);
void nodes_free(struct nodes *nodes);
uint32_t nodes_row(const struct nodes *nodes, const char *name);
/* Adds or replaces the facts of a node. Returns its row. */
uint32_t nodes_put(struct nodes *nodes, const CoreV1Node *node);
/* The node is gone; its row stays as long as pods are on it. */
void nodes_remove(struct nodes *nodes, const char *name);
/* The row of that name, made if need be without being a node. */
uint32_t nodes_ensure_row(struct nodes *nodes, const char *name);
void nodes_add_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod);
/* By identity of the pod_info. Returns false if it is not there. May remove the row if it is no node and now empty. */
bool nodes_remove_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod);
/* The same without ever removing the row, for trying things out; the caller holds a reference. */
bool nodes_take_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod);
/* Brings order[] up to date. Call before scheduling. */
void nodes_refresh_order(struct nodes *nodes);
size_t nodes_count(const struct nodes *nodes);

int64_t nodes_allocatable(const struct nodes *nodes, uint32_t resource, uint32_t row);
int64_t nodes_requested(const struct nodes *nodes, uint32_t resource, uint32_t row);
struct node_view nodes_view(const struct nodes *nodes, uint32_t row);
/* Image names carry a tag: ":latest" where none is given. */
char *image_normalize(struct arena *arena, const char *image);

#endif
