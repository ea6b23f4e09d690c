/*
 * The manager: starts the controllers that --controllers names over one set of informers, and stops them.
 *
 *	struct manager *m;
 *	TRY(manager_new(&config, &m));      // makes clients, starts controllers, informers and workers
 *	…
 *	manager_free(m);                     // ends calls in progress, joins all threads
 */
#ifndef CONTROLLER_MANAGER_MANAGER_H
#define CONTROLLER_MANAGER_MANAGER_H

#include <stdatomic.h>
#include "client/client.h"
#include "controller-manager/options.h"
#include "serve/metrics.h"

struct manager;

struct manager_config {
	const struct options *options;
	struct client *client; /* speaks as the manager itself */
	const struct client_config *client_config;
	const struct clock *clock;
	const atomic_bool *stopping;
	struct metrics *metrics; /* the queues' are among them while the manager lives */
};

struct status *manager_start(const struct manager_config *config, struct manager **ret_manager) MUST_USE;
void manager_free(struct manager *m);

#endif
