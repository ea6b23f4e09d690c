#include "serve/handshake.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include "base/loop.h"
#include "base/mem.h"
#include "base/workers.h"

#define PATIENCE_MS 32000 /* the original's, for handshake and head of a request */

struct handshakes {
	struct loop *loop;
	pthread_t thread;
	atomic_bool stopping;
	struct handshake *waiting; /* the loop's own */
	atomic_uint_least64_t n_failed;
};

struct handshake {
	struct handshakes *all;
	struct MHD_Connection *connection;
	gnutls_session_t session;
	int fd;
	bool done;
	bool given_up;
	int64_t until_ms;
	/* While it waits, the loop's. */
	struct handshake *next, *prev;
	struct loop_fd *watch;
	struct loop_timer *patience;
};

static void go_on(struct handshake *h)
{
	*(h->prev ? &h->prev->next : &h->all->waiting) = h->next;
	if (h->next)
		h->next->prev = h->prev;
	loop_watch_cancel(h->watch);
	loop_timer_cancel(h->patience);
	MHD_resume_connection(h->connection);
}

static void on_socket(void *data, unsigned events)
{
	go_on(data);
}

static void give_up(void *data)
{
	struct handshake *h = data;
	h->patience = NULL;
	h->given_up = true;
	go_on(h);
}

static void begin_wait(void *data)
{
	struct handshake *h = data;
	struct loop *loop = h->all->loop;
	h->prev = NULL;
	h->next = h->all->waiting;
	if (h->next)
		h->next->prev = h;
	h->all->waiting = h;
	h->watch = loop_watch(loop, h->fd, LOOP_IN, on_socket, h);
	h->patience = loop_timer(loop, h->until_ms - clock_mono_ms(clock_system()), give_up, h);
	if (atomic_load(&h->all->stopping))
		go_on(h);
}

/* GnuTLS asks for bytes; when there are none in the middle of a handshake, the library is not to ask again at once. */
static ssize_t pull(gnutls_transport_ptr_t data, void *buf, size_t size)
{
	struct handshake *h = data;
	ssize_t n = recv(h->fd, buf, size, 0);
	int error = n < 0 ? errno : 0;
	if (n < 0 && error == EAGAIN && !h->done) {
		if (h->given_up || atomic_load(&h->all->stopping)) {
			error = ECONNRESET;
		} else {
			MHD_suspend_connection(h->connection);
			loop_post(h->all->loop, begin_wait, h);
		}
	}
	errno = error;
	return n;
}

/* The client's Finished is the last that a handshake waits for. */
static int on_finished(
	gnutls_session_t session, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *msg)
{
	gnutls_transport_ptr_t from, to;
	gnutls_transport_get_ptr2(session, &from, &to);
	struct handshake *h = from;
	h->done |= incoming != 0;
	return 0;
}

static void end(struct handshakes *all, struct handshake *h)
{
	if (h && !h->done)
		atomic_fetch_add_explicit(&all->n_failed, 1, memory_order_relaxed);
	free(h);
}

void handshakes_notify(
	void *handshakes, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		end(handshakes, STEAL(*context));
		return;
	}
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!tls || !tls->tls_session)
		return;
	struct handshake *h = mem_zalloc(sizeof(*h));
	h->all = handshakes;
	h->connection = connection;
	h->session = tls->tls_session;
	h->fd = fd->connect_fd;
	h->until_ms = clock_mono_ms(clock_system()) + PATIENCE_MS;
	gnutls_transport_set_ptr2(h->session, h, (gnutls_transport_ptr_t)(intptr_t)h->fd);
	gnutls_transport_set_pull_function(h->session, pull);
	gnutls_handshake_set_hook_function(h->session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
	*context = h;
}

static void *run(void *data)
{
	struct handshakes *h = data;
	loop_run(h->loop);
	return NULL;
}

uint64_t handshakes_failed(const struct handshakes *h)
{
	return atomic_load(&h->n_failed);
}

struct handshakes *handshakes_new(void)
{
	struct handshakes *h = mem_zalloc(sizeof(*h));
	h->loop = loop_new(clock_system());
	h->thread = thread_start("handshakes", run, h);
	return h;
}

static void end_all(void *data)
{
	struct handshakes *h = data;
	while (h->waiting)
		go_on(h->waiting);
	loop_stop(h->loop);
}

void handshakes_stop(struct handshakes *h)
{
	if (!h)
		return;
	atomic_store(&h->stopping, true);
	loop_post(h->loop, end_all, h);
	pthread_join(h->thread, NULL);
}

void handshakes_free(struct handshakes *h)
{
	if (!h)
		return;
	loop_free(h->loop);
	free(h);
}
