/* A command in a container: the terminal's side of it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include "base/workers.h"
#include "client/remotecommand.h"
#include "kubectl/pods.h"
#include "net/url.h"

struct terminal {
	int fd;
	bool raw;
	struct termios saved;
	atomic_bool resized, stop;
	sigset_t signals;
	pthread_t watcher;
};

/* Turns signals into flags: a changed size, or that the session is to end with the terminal restored. */
static void *watch_signals(void *data)
{
	struct terminal *t = data;
	int number;
	while (!sigwait(&t->signals, &number)) {
		if (number == SIGWINCH)
			atomic_store(&t->resized, true);
		else
			atomic_store(&t->stop, true);
		if (number == SIGUSR1)
			break;
	}
	return NULL;
}

static void terminal_begin(struct terminal *t, int fd)
{
	struct termios raw;
	*t = (struct terminal){.fd = fd};
	if (tcgetattr(fd, &t->saved))
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = !tcsetattr(fd, TCSADRAIN, &raw);
	sigemptyset(&t->signals);
	sigaddset(&t->signals, SIGWINCH);
	sigaddset(&t->signals, SIGTERM);
	sigaddset(&t->signals, SIGHUP);
	sigaddset(&t->signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &t->signals, NULL);
	t->watcher = thread_start("signals", watch_signals, t);
}

static void terminal_end(struct terminal *t)
{
	if (!t->raw)
		return;
	tcsetattr(t->fd, TCSADRAIN, &t->saved);
	pthread_kill(t->watcher, SIGUSR1);
	pthread_join(t->watcher, NULL);
}

static void build_query(const struct remote_options *o, struct strbuf *query)
{
	for (size_t i = 0; i < o->n_command; i++)
		query_add(query, "command", o->command[i]);
	query_add(query, "container", str_empty(o->container) ? NULL : o->container);
	if (o->stdin_fd >= 0)
		query_add(query, "stdin", "true");
	if (o->stdout_fd >= 0)
		query_add(query, "stdout", "true");
	if (o->stderr_fd >= 0 && !o->tty)
		query_add(query, "stderr", "true");
	if (o->tty)
		query_add(query, "tty", "true");
}

struct status *remote_run(struct kubectl *k, const cJSON *pod, const struct remote_options *o, int *ret_code)
{
	struct client *client;
	struct terminal terminal = {0};
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	TRY(kubectl_client(k, &client));
	build_query(o, &query);
	struct remote_command rc = {.path = pod_path(k, pod, o->attach ? "attach" : "exec"),
		.query = query.buf,
		.stdin_fd = o->stdin_fd,
		.stdout_fd = o->stdout_fd,
		.stderr_fd = o->tty ? -1 : o->stderr_fd,
		.tty = o->tty,
		.tty_fd = -1};
	fflush(stdout);
	if (o->tty && isatty(o->stdin_fd)) {
		terminal_begin(&terminal, o->stdin_fd);
		rc.tty_fd = o->stdin_fd;
		rc.resized = &terminal.resized;
		rc.stop = &terminal.stop;
	}
	*ret_code = 0;
	struct status *s = remote_command_run(client, &rc, ret_code);
	terminal_end(&terminal);
	/* What the server refuses before the session begins; what comes out of the session is an error of the command.
	 */
	bool refused = status_is(s, STATUS_BAD_REQUEST) || status_is(s, STATUS_NOT_FOUND) ||
		       status_is(s, STATUS_FORBIDDEN) || status_is(s, STATUS_METHOD_NOT_ALLOWED);
	return refused ? status_from_server(s) : s;
}
