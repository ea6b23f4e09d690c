/* What clients count of their requests, as the metrics that the original has of them (rest_client_requests_total, …).
 */
#ifndef SERVE_CLIENT_METRICS_H
#define SERVE_CLIENT_METRICS_H

#include "client/figures.h"
#include "serve/metrics.h"

void metrics_write_clients(struct strbuf *out, const struct client_figures *figures);

#endif
