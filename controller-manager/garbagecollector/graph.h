/*
 * The graph of who owns whom, built from the metadata of all objects.
 *
 * A node stands for an object, known by its uid. It may be virtual: named as an owner by somebody, but not seen itself
 * yet. Every change says whose fate may have changed: those are handed to `delete` (may have to go) and `orphan` (its
 * dependents are to be let go).
 *
 * Threads: the graph's lock is taken inside; what is returned is copied into the caller's arena.
 */
#ifndef CONTROLLER_MANAGER_GC_GRAPH_H
#define CONTROLLER_MANAGER_GC_GRAPH_H

#include "controller-manager/support/object.h"

#define FINALIZER_ORPHAN "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

struct graph;

/* Who an object is. */
struct identity {
	const char *uid;
	const char *api_version;
	const char *kind;
	const char *namespace;
	const char *name;
};

/* Called under the graph's lock. */
struct graph_sink {
	void (*delete)(void *data, const char *uid);
	void (*orphan)(void *data, const char *uid);
	/* A reference names an owner that was seen in another namespace: owner is what the reference says, looked for
	 * where the dependent is. May be NULL. */
	void (*misplaced)(void *data, const struct identity *dependent, const struct identity *owner);
	void *data;
};

/* A node at one moment. */
struct graph_node {
	struct identity id;
	bool is_virtual;
	bool being_deleted;
	bool deleting_dependents; /* waits, as foreground deletion does */
	MetaV1OwnerReference **owners;
	size_t n_owners;
	struct graph_dependent *dependents;
	size_t n_dependents;
};

struct graph_dependent {
	struct identity id;
	bool deleting_dependents;
	bool blocks; /* its reference has blockOwnerDeletion */
};

struct graph *graph_new(const struct graph_sink *sink);
void graph_free(struct graph *g);
/* An object was seen, new or changed. */
void graph_observe(struct graph *g, const struct identity *id, const MetaV1ObjectMeta *meta);
/* An object is gone. True if it had dependents. */
bool graph_remove(struct graph *g, const char *uid);
/* The server does not know a virtual node's object by the name that it has: unless it has been seen meanwhile, those
 * who call it so lose it, and it goes, or takes the name by which others call it. */
void graph_remove_virtual(struct graph *g, const char *uid);
/* NULL if there is no such node. */
struct graph_node *graph_get(struct graph *g, struct arena *arena, const char *uid);
/* The object was seen under just these names, in that namespace or in none, and is not being deleted. */
bool graph_has_alive(struct graph *g, const struct identity *id);
size_t graph_size(struct graph *g);

#endif
