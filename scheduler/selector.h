/*
 * Matching: label selectors on label maps, node selectors on the node columns, tolerations on taints.
 */
#ifndef SCHEDULER_SELECTOR_H
#define SCHEDULER_SELECTOR_H

#include <stdbool.h>
#include "api/types.h"
#include "scheduler/intern.h"

/* The value of a key, or NULL. */
const char *label_value(MapStringEntry *const *labels, size_t n_labels, const char *key);
/* An empty selector matches everything; NULL nothing. An unknown operator matches nothing. */
bool label_selector_matches(const MetaV1LabelSelector *selector, MapStringEntry *const *labels, size_t n_labels);
bool label_selector_is_empty(const MetaV1LabelSelector *selector);

/* Whether a toleration covers a taint (key, value, effect), by the rules of core/v1 Toleration. */
bool toleration_matches(const CoreV1Toleration *t, const char *key, const char *value, const char *effect);
bool tolerations_match(
	CoreV1Toleration *const *tolerations, size_t n, const char *key, const char *value, const char *effect);

/* A node's labels as pairs of interned ids, sorted by key. */
struct label_pair {
	uint32_t key, value;
};
struct label_set {
	struct label_pair *items;
	size_t n_items;
};
/* The interned value of a key, or INTERN_NONE. */
uint32_t label_set_get(const struct label_set *labels, uint32_t key);

/* A compiled node selector term or requirement list; lives in an arena. */
struct node_requirement {
	uint32_t key; /* INTERN_NONE: no node has it */
	enum { NODE_IN, NODE_NOT_IN, NODE_EXISTS, NODE_MISSING, NODE_GT, NODE_LT, NODE_INVALID } op;
	bool on_name; /* matches metadata.name, not a label */
	uint32_t *values;
	size_t n_values;
	char **texts; /* of a requirement on the name */
	int64_t number;
};
struct node_term {
	struct node_requirement *items;
	size_t n_items; /* a term without requirements matches nothing */
};
struct node_selector {
	struct node_term *terms; /* any one suffices */
	size_t n_terms;
};

/* What node matching needs to know: the tables and one node. */
struct node_view {
	const struct intern *strings;
	const struct label_set *labels;
	const char *name;
};
struct node_term node_term_compile(
	struct arena *arena, const struct intern *strings, const CoreV1NodeSelectorTerm *term);
struct node_selector node_selector_compile(
	struct arena *arena, const struct intern *strings, const CoreV1NodeSelector *selector);
/* A pod's spec.nodeSelector as one term. */
struct node_term node_term_of_map(
	struct arena *arena, const struct intern *strings, MapStringEntry *const *labels, size_t n_labels);
bool node_term_matches(const struct node_term *term, const struct node_view *node);
bool node_selector_matches(const struct node_selector *selector, const struct node_view *node);
/* spec.nodeSelector and required node affinity of a pod against a node's plain label map (for queueing hints). */
bool pod_matches_node_object(const CoreV1Pod *pod, const CoreV1Node *node);

#endif
