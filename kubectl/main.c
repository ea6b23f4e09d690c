/*
 * kubectl: the command line of Kubernetes.
 */
#include <signal.h>
#include <stdio.h>
#include "kubectl/kubectl.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	struct kubectl k = {.arena = arena_new()};
	int code = command_main(&k, argc, argv);
	if (fflush(stdout) && !code)
		code = 1;
	discovery_free(k.discovery);
	client_free(k.client);
	arena_free(k.arena);
	return code;
}
