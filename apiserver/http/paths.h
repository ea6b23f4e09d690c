/*
 * What is served that is no resource: discovery, version, health, metrics, OpenAPI.
 */
#ifndef APISERVER_HTTP_PATHS_H
#define APISERVER_HTTP_PATHS_H

#include "apiserver/app.h"
#include "apiserver/http/server.h"

/* False: the path is not of discovery. */
bool discovery_respond(
	struct exchange *exchange, const struct served *served, const char *server_address, struct status **ret_status);
/* /healthz, /livez, /readyz and what is below; false for other paths. */
bool health_answer(struct app *app, struct exchange *exchange);
/* The paths of single checks, one after the other; NULL past the last. */
const char *health_path_nth(const struct app *app, struct arena *arena, size_t nth);
/* What checks said, for /metrics/slis. */
void health_write_metrics(struct app *app, struct strbuf *out);
/* Any other path, 404 included. */
struct status *paths_respond(struct app *app, struct exchange *exchange, struct request *request) MUST_USE;

#endif
