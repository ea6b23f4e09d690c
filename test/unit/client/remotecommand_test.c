/* exec and port-forward against a server that speaks the real protocols over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include "client/portforward.h"
#include "client/remotecommand.h"
#include "net/spdy.h"
#include "net/websocket.h"
#include "test/unit/client/server.h"

struct peer {
	struct test_request *request;
	struct websocket *ws;
	struct spdy *spdy;
	struct spdy_stream *streams[8];
	bool over, plain_spdy;
	const char *status; /* sent on the error channel when stdin has ended */
};

static void ws_output(void *data, const void *bytes, size_t size)
{
	struct peer *p = data;
	test_write(p->request, bytes, size);
}

/* Echoes stdin in upper case to stdout; ends with the status when stdin ends. */
static void exec_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	struct peer *p = data;
	const uint8_t *b = bytes;
	(void)opcode;
	if (b[0] == CHANNEL_CLOSE) {
		websocket_send_channel(p->ws, CHANNEL_STDERR, "bye\n", 4);
		websocket_send_channel(p->ws, CHANNEL_ERROR, p->status, strlen(p->status));
		websocket_close(p->ws, 1000, "");
		return;
	}
	websocket_send_channel(p->ws, CHANNEL_STDOUT, b + 1, size - 1);
}

static void ws_closed(void *data, unsigned code, const char *reason)
{
	struct peer *p = data;
	(void)code, (void)reason;
	p->over = true;
}

static void serve_ws(struct peer *p, const struct websocket_events *events, const char *const *protocols)
{
	struct test_request *r = p->request;
	struct http_header *headers = NULL;
	size_t n = 0;
	char *protocol;
	struct status *error = websocket_server_accept(
		r->arena, r->head.headers, r->head.n_headers, protocols, &headers, &n, &protocol);
	if (error) {
		test_respond(r, 400, NULL, error->message);
		status_free(error);
		return;
	}
	char *head = arena_printf(r->arena,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
		http_header_get(headers, n, "Sec-WebSocket-Accept"), protocol);
	test_write(r, head, strlen(head));
	p->ws = websocket_new(WEBSOCKET_SERVER, events, p);
	struct strbuf in = STRBUF_INIT;
	while (!p->over && test_read(r->stream, &in)) {
		status_drop(websocket_feed(p->ws, in.buf, in.len), "the test sees the end");
		strbuf_reset(&in);
	}
	strbuf_done(&in);
	websocket_free(p->ws);
}

static bool handle_exec(struct test_request *r, void *data)
{
	static const struct websocket_events events = {ws_output, exec_message, NULL, ws_closed};
	static const char *const protocols[] = {CHANNEL_V5, NULL};
	struct peer p = {.request = r, .status = data};
	serve_ws(&p, &events, protocols);
	return false;
}

static int pipe_with(const char *text)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	return fds[0];
}

static void read_pipe(int fd, char *buf, size_t size)
{
	ssize_t n = read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

static void exec_carries_streams_and_the_exit_code(void **state)
{
	(void)state;
	static const struct {
		const char *status;
		int code;
		const char *error;
	} cases[] = {
		{"{\"metadata\":{},\"status\":\"Success\"}", 0, NULL},
		{"{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"message\":\"command terminated with exit "
		 "code 7\","
		 "\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"7\"}]}}",
			7, NULL},
		{"{\"status\":\"Failure\",\"reason\":\"InternalError\",\"message\":\"no such container\",\"code\":500}",
			0, "no such container"},
		{"{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":"
		 "\"ExitCode\","
		 "\"message\":\"999\"}]}}",
			0, "error stream protocol error: invalid exit code value \"999\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_server server;
		test_server_start(&server, handle_exec, (void *)cases[i].status);
		struct client *client = test_client(&server);
		int out[2], err[2], code = -1;
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
		struct remote_command command = {.path = "/exec",
			.query = "stdin=true",
			.stdin_fd = pipe_with("hello"),
			.stdout_fd = out[1],
			.stderr_fd = err[1],
			.tty_fd = -1};
		struct status *error = remote_command_run(client, &command, &code);
		if (cases[i].error) {
			assert_non_null(error);
			assert_string_equal(error->message, cases[i].error);
		} else {
			assert_null(error);
			assert_int_equal(code, cases[i].code);
		}
		status_free(error);
		char text[64];
		read_pipe(out[0], text, sizeof(text));
		assert_string_equal(text, "hello");
		read_pipe(err[0], text, sizeof(text));
		assert_string_equal(text, "bye\n");
		close(command.stdin_fd);
		for (int j = 0; j < 2; j++) {
			close(out[j]);
			close(err[j]);
		}
		client_free(client);
		test_server_stop(&server);
	}
}

/* --- port-forward: SPDY inside the WebSocket, or bare --- */

static void spdy_output(void *data, const void *bytes, size_t size)
{
	struct peer *p = data;
	if (p->ws)
		websocket_send(p->ws, WEBSOCKET_BINARY, bytes, size);
	else
		test_write(p->request, bytes, size);
}

static void spdy_opened(void *data, struct spdy_stream *st)
{
	(void)data;
	spdy_reply(st, NULL, 0, false);
	assert_string_equal(spdy_stream_header(st, "port"), "80");
	if (str_eq(spdy_stream_header(st, "streamtype"), "error"))
		spdy_end(st);
}

static void spdy_data(void *data, struct spdy_stream *st, const void *bytes, size_t size, bool end)
{
	(void)data;
	spdy_write(st, bytes, size);
	if (end)
		spdy_end(st);
}

static void spdy_closed(void *data, struct spdy_stream *st, bool reset)
{
	(void)data, (void)st, (void)reset;
}

static const struct spdy_events pod_events = {spdy_output, spdy_opened, NULL, spdy_data, spdy_closed, NULL};

static void tunnel_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	struct peer *p = data;
	(void)opcode;
	status_drop(spdy_feed(p->spdy, bytes, size), "the test sees the end");
}

static bool handle_forward(struct test_request *r, void *data)
{
	static const struct websocket_events events = {ws_output, tunnel_message, NULL, ws_closed};
	static const char *const protocols[] = {CHANNEL_PORTFORWARD_TUNNEL, NULL};
	bool spdy_only = data != NULL;
	struct peer p = {.request = r};
	p.spdy = spdy_new(SPDY_SERVER, &pod_events, &p);
	if (!spdy_only) {
		serve_ws(&p, &events, protocols);
	} else if (http_header_has_token(r->head.headers, r->head.n_headers, "Upgrade", "SPDY/3.1")) {
		static const char head[] =
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
			"X-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n";
		struct strbuf in = STRBUF_INIT;
		test_write(r, head, sizeof(head) - 1);
		while (test_read(r->stream, &in)) {
			status_drop(spdy_feed(p.spdy, in.buf, in.len), "the test sees the end");
			strbuf_reset(&in);
		}
		strbuf_done(&in);
	} else {
		test_respond(r, 400, NULL, "unable to upgrade");
	}
	spdy_free(p.spdy);
	return false;
}

struct forward_run {
	struct port_forward *pf;
	atomic_bool stop;
	struct status *result;
};

static void *run_forward(void *data)
{
	struct forward_run *run = data;
	run->result = port_forward_run(run->pf, &run->stop);
	return NULL;
}

static void forwarded_connections_echo(void **state)
{
	(void)state;
	for (int spdy_only = 0; spdy_only < 2; spdy_only++) {
		struct test_server server;
		struct forward_run run = {.stop = false};
		uint16_t port;
		test_server_start(&server, handle_forward, spdy_only ? &server : NULL);
		struct client *client = test_client(&server);
		assert_null(port_forward_new(client, "/portforward", &run.pf));
		assert_null(port_forward_listen(run.pf, "127.0.0.1", 0, 80, &port));
		pthread_t thread = thread_start("forward", run_forward, &run);
		size_t size = 3 << 20;
		char *sent = calloc(1, size), *got = calloc(1, size);
		for (size_t i = 0; i < size; i++)
			sent[i] = (char)(i * 7);
		for (int i = 0; i < 3; i++) {
			struct stream *s;
			assert_null(stream_dial("127.0.0.1", port, NULL, 5000, &s));
			assert_null(stream_write_all(s, "ping", 4, 5000));
			assert_null(stream_read_exact(s, got, 4, 5000));
			assert_memory_equal(got, "ping", 4);
			for (size_t at = 0; at < size; at += 1 << 18) {
				assert_null(stream_write_all(s, sent + at, 1 << 18, 5000));
				assert_null(stream_read_exact(s, got + at, 1 << 18, 5000));
			}
			assert_memory_equal(got, sent, size);
			stream_shutdown_write(s);
			size_t n;
			assert_null(stream_read_some(s, got, 1, 5000, &n));
			assert_int_equal(n, 0);
			stream_free(s);
		}
		atomic_store(&run.stop, true);
		pthread_join(thread, NULL);
		assert_null(run.result);
		port_forward_free(run.pf);
		client_free(client);
		test_server_stop(&server);
		free(sent);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_carries_streams_and_the_exit_code),
		cmocka_unit_test(forwarded_connections_echo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
