/*
 * bench-load: makes load on an apiserver and says what came of it, one figure a line: name, value, unit, tab-separated.
 */
#ifndef TEST_BENCH_LOAD_H
#define TEST_BENCH_LOAD_H

#include <stdatomic.h>
#include "client/client.h"

struct load {
	struct client *client; /* no rate limit */
	const struct clock *clock;
	char *kubeconfig;
	char *label; /* goes before every figure's name */
	int64_t n;   /* how many of whatever is asked for */
	int64_t threads;
	int64_t watchers;
	int64_t server_pid; /* 0: unknown; its CPU time is reported */
	bool json;
	char *namespace;
};

/* Does op(load, i) for i in [0, n) on the load's threads; returns the seconds it took. An error ends the process. */
double load_each(struct load *l, int64_t n, struct status *(*op)(struct load *l, int64_t i));
double load_now(const struct load *l);
void load_figure(const struct load *l, const char *name, double value, const char *unit);
/* CPU seconds of the server so far. */
double load_server_cpu(const struct load *l);

struct load_command {
	const char *name, *usage;
	struct status *(*run)(struct load *l);
};
/* objects.c */
struct status *load_create(struct load *l);
struct status *load_pods(struct load *l);
struct status *load_lists(struct load *l);
struct status *load_watches(struct load *l);
struct status *load_clear(struct load *l);
/* cluster.c */
struct status *load_nodes(struct load *l);
struct status *load_placed(struct load *l);
struct status *load_services(struct load *l);
struct status *load_endpoint(struct load *l);

#endif
