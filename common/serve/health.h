/*
 * Health checks by name, and the handlers of /healthz, /livez and /readyz over them (?verbose, ?exclude=name,
 * /healthz/name), worded as the original's.
 *
 * Threads: add checks before serving; a check may run on any thread and must be quick.
 */
#ifndef SERVE_HEALTH_H
#define SERVE_HEALTH_H

#include "base/status.h"
#include "serve/http.h"

struct health;

/* Where a check counts. */
enum health_kind { HEALTH_LIVE = 1, HEALTH_READY = 2, HEALTH_BOTH = 3 };

struct health *health_new(void);
void health_free(struct health *h);
DEFINE_CLEANUP(struct health *, health_free)
/* check returns NULL when well. "ping" is always there. */
void health_add(
	struct health *h, const char *name, enum health_kind kind, struct status *(*check)(void *data), void *data);
/* Answers a request for /healthz, /livez, /readyz or one check below them. */
void health_respond(struct health *h, struct http_request *request, enum health_kind kind);

#endif
