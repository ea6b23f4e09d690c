/*
 * What clients of one server count of their requests, without a lock: by method and code, and how long the answer took.
 *
 *	config.figures = client_figures_new();                // shared by all clients made of the configuration
 *	metrics_write_clients(&out, config.figures);          // serve/client_metrics.h
 *
 * Threads: any. Ownership: whoever made it keeps it longer than the clients.
 */
#ifndef CLIENT_FIGURES_H
#define CLIENT_FIGURES_H

#include <stddef.h>
#include "base/tally.h"

enum { CLIENT_METHODS = 6, CLIENT_CODES = 24 };

struct client_figures {
	_Atomic(char *) host; /* "host:port", of the first client */
	struct client_method {
		struct tally_slot seconds;
		struct client_code {
			atomic_int code; /* 0: free, -1: there was no answer */
			atomic_uint_least64_t n;
		} codes[CLIENT_CODES];
	} methods[CLIENT_METHODS];
};

struct client_figures *client_figures_new(void);
void client_figures_free(struct client_figures *figures);
/* The name of a method by its index; the last stands for all others. */
const char *client_method_name(size_t index);
const struct tally_bounds *client_seconds(void);
/* figures may be NULL. code -1: no answer. */
void client_count(struct client_figures *figures, const char *method, int code, double seconds);

#endif
