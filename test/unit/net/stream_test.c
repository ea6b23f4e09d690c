/* Streams, relays and connections on a loop, over socket pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/str.h"
#include "net/conn.h"
#include "net/stream.h"

static void pair(struct stream **a, struct stream **b)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*a = stream_from_fd(fds[0]);
	*b = stream_from_fd(fds[1]);
}

static void unread_bytes_come_first(void **state)
{
	(void)state;
	struct stream *a, *b;
	char buf[16] = "";
	pair(&a, &b);
	assert_null(stream_write_all(a, "tail", 4, 1000));
	stream_unread(b, "mid-", 4);
	stream_unread(b, "head-", 5);
	assert_int_equal(stream_pending(b), 9);
	assert_null(stream_read_exact(b, buf, 13, 1000));
	assert_string_equal(buf, "head-mid-tail");
	assert_int_equal(stream_pending(b), 0);
	struct status *error = stream_read_exact(b, buf, 1, 20);
	assert_true(status_is(error, STATUS_TIMEOUT));
	status_free(error);
	stream_free(a);
	error = stream_read_exact(b, buf, 1, 1000);
	assert_true(status_is(error, STATUS_UNAVAILABLE));
	status_free(error);
	stream_free(b);
}

struct relay {
	struct stream *a, *b;
};

static void *run_relay(void *data)
{
	struct relay *r = data;
	stream_relay(r->a, r->b, 5000);
	return NULL;
}

struct sender {
	struct stream *s;
	const char *bytes;
	size_t size;
};

static void *run_sender(void *data)
{
	struct sender *s = data;
	status_drop(stream_write_all(s->s, s->bytes, s->size, 5000), "the reader counts");
	stream_shutdown_write(s->s);
	return NULL;
}

static void a_relay_passes_all_bytes_and_each_end(void **state)
{
	(void)state;
	struct stream *client, *server;
	struct relay relay;
	pthread_t thread, sending;
	size_t size = 5000000;
	char *sent = malloc(size), *got = malloc(size);
	for (size_t i = 0; i < size; i++)
		sent[i] = (char)(i * 31 >> 3);
	pair(&client, &relay.a);
	pair(&relay.b, &server);
	pthread_create(&thread, NULL, run_relay, &relay);
	struct sender sender = {client, sent, size};
	pthread_create(&sending, NULL, run_sender, &sender);
	size_t n;
	assert_null(stream_read_exact(server, got, size, 5000));
	assert_memory_equal(sent, got, size);
	/* The client has ended; the server may still answer. */
	assert_null(stream_read_some(server, got, 1, 5000, &n));
	assert_int_equal(n, 0);
	assert_null(stream_write_all(server, "answer", 6, 5000));
	assert_null(stream_read_exact(client, got, 6, 5000));
	assert_memory_equal(got, "answer", 6);
	stream_free(server);
	assert_null(stream_read_some(client, got, 1, 5000, &n));
	assert_int_equal(n, 0);
	pthread_join(thread, NULL);
	pthread_join(sending, NULL);
	stream_free(relay.a);
	stream_free(relay.b);
	stream_free(client);
	free(sent);
	free(got);
}

struct talk {
	struct loop *loop;
	struct conn *conn;
	size_t received;
	int n_drained, n_closed;
	bool free_when_told;
};

static void on_data(void *data, const void *bytes, size_t size)
{
	struct talk *t = data;
	(void)bytes;
	t->received += size;
	if (t->free_when_told) {
		conn_free(t->conn);
		t->conn = NULL;
	}
}

static void on_drained(void *data)
{
	((struct talk *)data)->n_drained++;
}

static void on_closed(void *data, const struct status *error)
{
	struct talk *t = data;
	(void)error;
	t->n_closed++;
	loop_stop(t->loop);
}

static const struct conn_events events = {on_data, on_drained, on_closed};

static void connections_queue_pause_and_close(void **state)
{
	(void)state;
	struct stream *mine, *other;
	struct talk t = {.loop = loop_new(clock_system())};
	char *big = calloc(1, 3000000);
	pair(&mine, &other);
	t.conn = conn_new(t.loop, mine, &events, &t);
	conn_write(t.conn, big, 3000000);
	assert_true(conn_queued(t.conn) > 0);
	char buf[65536];
	for (size_t got = 0; got < 3000000;) {
		short wants;
		loop_turn(t.loop, 0);
		ssize_t n = stream_try_read(other, buf, sizeof(buf), &wants);
		if (n > 0)
			got += (size_t)n;
	}
	loop_turn(t.loop, 0);
	assert_int_equal(conn_queued(t.conn), 0);
	assert_int_equal(t.n_drained, 1);
	conn_pause(t.conn, true);
	assert_null(stream_write_all(other, "abc", 3, 1000));
	loop_turn(t.loop, 20);
	assert_int_equal(t.received, 0);
	conn_pause(t.conn, false);
	loop_turn(t.loop, 1000);
	assert_int_equal(t.received, 3);
	stream_free(other);
	loop_run(t.loop);
	assert_int_equal(t.n_closed, 1);
	conn_free(t.conn);
	loop_free(t.loop);
	free(big);
}

static void a_connection_may_be_freed_in_its_own_callback(void **state)
{
	(void)state;
	struct stream *mine, *other;
	struct talk t = {.loop = loop_new(clock_system()), .free_when_told = true};
	pair(&mine, &other);
	t.conn = conn_new(t.loop, mine, &events, &t);
	assert_null(stream_write_all(other, "abc", 3, 1000));
	loop_turn(t.loop, 1000);
	assert_null(t.conn);
	assert_int_equal(t.received, 3);
	assert_int_equal(t.n_closed, 0);
	stream_free(other);
	loop_free(t.loop);
}

static void nobody_there(void **state)
{
	(void)state;
	struct stream *s;
	struct status *error = stream_dial("127.0.0.1", 1, NULL, 1000, &s);
	assert_true(status_is(error, STATUS_UNAVAILABLE));
	assert_string_equal(error->message, "dial tcp 127.0.0.1:1: connect: connection refused");
	status_free(error);
	error = stream_dial_unix("/nonexistent/socket", 1000, &s);
	assert_true(status_is(error, STATUS_UNAVAILABLE));
	status_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unread_bytes_come_first),
		cmocka_unit_test(a_relay_passes_all_bytes_and_each_end),
		cmocka_unit_test(connections_queue_pause_and_close),
		cmocka_unit_test(a_connection_may_be_freed_in_its_own_callback),
		cmocka_unit_test(nobody_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
