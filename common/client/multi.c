#include "client/multi.h"

#include <assert.h>
#include "base/mem.h"

enum { MAX_IDLE_CONNECTIONS = 4 };

struct multi {
	struct loop *loop;
	CURLM *curl;
	struct loop_timer *timer;
	struct loop_timer *reap; /* looks for what has ended, outside of curl's callbacks */
};

struct multi_entry {
	struct multi *multi;
	CURL *easy;
	void (*done)(void *data, CURLcode code);
	void *data;
};

/* Of one socket that curl wants watched. */
struct watched {
	struct multi *multi;
	curl_socket_t fd;
	struct loop_fd *source;
};

static void on_reap(void *data)
{
	struct multi *m = data;
	int left;
	m->reap = NULL;
	for (CURLMsg *msg; (msg = curl_multi_info_read(m->curl, &left));) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		struct multi_entry *e;
		CURLcode code = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&e);
		void (*done)(void *, CURLcode) = e->done;
		void *done_data = e->data;
		multi_remove(e);
		done(done_data, code);
	}
}

static void drive(struct multi *m, curl_socket_t fd, int events)
{
	int running;
	curl_multi_socket_action(m->curl, fd, events, &running);
	if (!m->reap)
		m->reap = loop_timer(m->loop, 0, on_reap, m);
}

static void on_socket_ready(void *data, unsigned events)
{
	struct watched *w = data;
	int action = (events & LOOP_IN ? CURL_CSELECT_IN : 0) | (events & LOOP_OUT ? CURL_CSELECT_OUT : 0) |
		     (events & ~(LOOP_IN | LOOP_OUT) ? CURL_CSELECT_ERR : 0);
	drive(w->multi, w->fd, action);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct multi *m = data;
	struct watched *w = socket_data;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			loop_watch_cancel(w->source);
			curl_multi_assign(m->curl, fd, NULL);
			free(w);
		}
		return 0;
	}
	unsigned events = (what & CURL_POLL_IN ? LOOP_IN : 0) | (what & CURL_POLL_OUT ? LOOP_OUT : 0);
	if (w) {
		loop_watch_change(w->source, events);
		return 0;
	}
	w = mem_zalloc(sizeof(*w));
	*w = (struct watched){m, fd, NULL};
	w->source = loop_watch(m->loop, fd, events, on_socket_ready, w);
	curl_multi_assign(m->curl, fd, w);
	return 0;
}

static void on_timer(void *data)
{
	struct multi *m = data;
	m->timer = NULL;
	drive(m, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *curl, long timeout_ms, void *data)
{
	struct multi *m = data;
	(void)curl;
	loop_timer_cancel(m->timer);
	m->timer = timeout_ms < 0 ? NULL : loop_timer(m->loop, timeout_ms, on_timer, m);
	return 0;
}

struct multi *multi_new(struct loop *loop)
{
	struct multi *m = mem_zalloc(sizeof(*m));
	m->loop = loop;
	m->curl = curl_multi_init();
	assert(m->curl);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
	return m;
}

void multi_free(struct multi *m)
{
	if (!m)
		return;
	curl_multi_cleanup(m->curl);
	loop_timer_cancel(m->timer);
	loop_timer_cancel(m->reap);
	free(m);
}

struct multi_entry *multi_add(struct multi *m, CURL *easy, void (*done)(void *data, CURLcode code), void *data)
{
	struct multi_entry *e = mem_zalloc(sizeof(*e));
	*e = (struct multi_entry){m, easy, done, data};
	curl_easy_setopt(easy, CURLOPT_PRIVATE, e);
	curl_multi_add_handle(m->curl, easy);
	return e;
}

void multi_remove(struct multi_entry *e)
{
	curl_multi_remove_handle(e->multi->curl, e->easy);
	free(e);
}
