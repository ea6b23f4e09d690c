/*
 * The log of one container, for kubectl logs and kubectl run.
 */
#ifndef KUBECTL_LOGS_H
#define KUBECTL_LOGS_H

#include "kubectl/kubectl.h"
#include "kubectl/object.h"

struct log_request {
	char *path, *query;
	const char *prefix; /* before each line, "" for none */
	struct kubectl *k;
	struct status *error;
};
/* Prints until the log ends. Several may run at once in threads of their own: lines are written whole. */
struct status *log_stream(struct client *client, const struct log_request *request) MUST_USE;

#endif
