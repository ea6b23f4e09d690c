/*
 * The first process of a pod sandbox: holds the pod's namespaces, reaps what is orphaned in a shared PID namespace, and
 * ends when asked. Static, and nothing but system calls.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int signal_number)
{
	_exit(0);
}

static void reap(int signal_number)
{
	int saved = errno;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

int main(void)
{
	const struct sigaction on_stop = {.sa_handler = stop},
			       on_child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
	if (sigaction(SIGINT, &on_stop, NULL) || sigaction(SIGTERM, &on_stop, NULL) ||
		sigaction(SIGCHLD, &on_child, NULL))
		return EXIT_FAILURE;
	for (;;)
		pause();
}
