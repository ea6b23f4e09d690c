/*
 * exec and attach from the client's side: WebSocket v5.channel.k8s.io (v4 where the server is older), SPDY/3.1 as a
 *last resort.
 *
 *	struct remote_command rc = {.path = "/api/v1/namespaces/default/pods/web/exec", .query = query,
 *		.stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2, .tty_fd = -1};
 *	TRY(remote_command_run(client, &rc, &exit_code));
 *
 * Threads: blocks the caller; starts what it needs and ends it.
 */
#ifndef CLIENT_REMOTECOMMAND_H
#define CLIENT_REMOTECOMMAND_H

#include <stdatomic.h>
#include "client/client.h"

struct remote_command {
	const char *path;
	const char *query; /* command=…&container=…&stdin=true&stdout=true&stderr=true&tty=true, escaped */
	int stdin_fd;	   /* -1: none */
	int stdout_fd;
	int stderr_fd;
	bool tty;
	/* With tty: the terminal whose size is sent at the start and at every SIGWINCH seen through `resized`; -1:
	 * none. */
	int tty_fd;
	atomic_bool *resized;	 /* set by the caller's signal handler, cleared here; may be NULL */
	const atomic_bool *stop; /* becomes true: ends the session; may be NULL */
};

/* *ret_exit_code: of the command when it ran; other failures are errors. */
struct status *remote_command_run(
	struct client *client, const struct remote_command *command, int *ret_exit_code) MUST_USE;

#endif
