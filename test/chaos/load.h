/*
 * Clients of a chaos run. Actors are threads that do one step after another, each from a source of random numbers and
 * into a history file of its own; what they share is the names they work on and what has been acknowledged for each.
 *
 * Threads: struct load is constant after its start, but for its atomics.
 */
#ifndef CHAOS_LOAD_H
#define CHAOS_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include "client/client.h"
#include "test/chaos/chaos.h"
#include "test/chaos/random.h"

#define LOAD_NAMESPACE "chaos"
enum { N_NAMES = 40, MAX_SERVERS = 4 };

struct load {
	const struct chaos_options *options;
	const struct clock *clock;
	char **hosts; /* NULL: the kubeconfig's */
	size_t n_servers;
	atomic_bool stop;		    /* actors end */
	atomic_bool finish;		    /* watchers end */
	atomic_llong upto;		    /* what watchers must have been told by then */
	atomic_llong acknowledged[N_NAMES]; /* config maps: the newest revision that a client has been told */
	atomic_llong n_ok, n_refused, n_unknown;
};

struct actor {
	struct load *load;
	const struct actor_kind *kind;
	int number;
	char name[32];
	pthread_t thread;
	atomic_bool ended;    /* it does nothing any more */
	atomic_bool given_up; /* nor will anything that it still tries succeed */
	struct random random;
	FILE *out;
	struct client *clients[MAX_SERVERS];
	struct client *client; /* of this step */
	int64_t n_ids;
	void *state;
};

struct actor_kind {
	const char *name;
	int n;
	uint32_t pause_ms; /* between steps: up to this */
	void (*step)(struct actor *a, struct arena *arena);
	void (*run)(struct actor *a); /* instead of steps */
};

extern const struct actor_kind load_writers[]; /* ends with a NULL name */
extern const struct actor_kind load_readers[];

int64_t load_now_ms(const struct load *l);
/* The registry's key for an object of that kind ("/registry/pods/ns/name"); NULL for a kind the run does not watch. */
const char *load_prefix(const struct schema_type *type);
char *load_key(struct arena *arena, const struct schema_type *type, const char *namespace, const char *name);
int64_t load_revision(const char *resource_version);

/* A write: noted before and after. */
struct written {
	char *id;
	const char *op, *key, *uid;
	const char *policy; /* what a deletion is to do with dependents; NULL: nothing was said */
	int64_t base;	    /* the version it is to replace; 0: any */
	int64_t start;
};
struct written write_begin(struct actor *a, struct arena *arena, const char *op, const char *key);
/* Notes how it ended; true if it was acknowledged. msg: what the server stored, may be NULL. Takes failed. */
bool write_end(struct actor *a, const struct written *w, struct status *failed, const void *msg);

/* lists.c */
struct status *load_list(struct actor *a, struct arena *arena, const struct schema_type *type, const char *namespace,
	const char *rv, const char *match, int64_t limit, int64_t *ret_revision) MUST_USE;

#endif
