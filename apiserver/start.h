/*
 * Starting and stopping the server: parts made in their order, and each failure one clear error.
 */
#ifndef APISERVER_START_H
#define APISERVER_START_H

#include "apiserver/options.h"

/* Runs until SIGTERM or SIGINT. An error ends the start. */
struct status *apiserver_run(struct options *options) MUST_USE;

#endif
