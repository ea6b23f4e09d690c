#include "client/remotecommand.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include "api/json.h"
#include "base/mem.h"
#include "base/workers.h"
#include "net/conn.h"
#include "net/spdy.h"
#include "net/websocket.h"

enum {
	STDIN_BYTES = 32 * 1024,
	TICK_MS = 100,
	PING_MS = 5000,
	MAX_STATUS_BYTES = 1 << 20,
	MAX_QUEUED_BYTES = 1 << 20, /* to the server, before stdin is left waiting */
};

struct session {
	struct client *client;
	const struct remote_command *command;
	struct loop *loop;
	struct conn *conn;
	struct websocket *ws; /* one of the two */
	struct spdy *spdy;
	struct spdy_stream *streams[CHANNEL_RESIZE + 1]; /* SPDY: by channel; NULL when it has ended */
	bool v5;
	struct loop_timer *tick;
	int64_t next_ping_ms;
	struct winsize size;
	struct strbuf status; /* what came on the error channel */
	struct status *error;
	bool over;
	/* stdin is read on a thread of its own: it may be a terminal, a pipe or a file */
	bool has_reader;
	pthread_t reader;
	int stop_fd;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t taken;
	char chunk[STDIN_BYTES];
	ssize_t chunk_size; /* 0: the end */
	bool chunk_full, chunk_waiting, stopping;
};

static void finish(struct session *s)
{
	s->over = true;
	loop_stop(s->loop);
}

/* --- to the server --- */

static void send_channel(struct session *s, enum channel channel, const void *data, size_t size)
{
	if (s->over)
		return;
	if (s->ws)
		websocket_send_channel(s->ws, (uint8_t)channel, data, size);
	else if (s->streams[channel])
		spdy_write(s->streams[channel], data, size);
}

static void end_stdin(struct session *s)
{
	if (s->over)
		return;
	if (s->ws && s->v5) {
		uint8_t channel = CHANNEL_STDIN;
		websocket_send_channel(s->ws, CHANNEL_CLOSE, &channel, 1);
	} else if (s->spdy && s->streams[CHANNEL_STDIN]) {
		spdy_end(s->streams[CHANNEL_STDIN]);
	}
}

static void output(void *data, const void *bytes, size_t size)
{
	struct session *s = data;
	if (s->conn)
		conn_write(s->conn, bytes, size);
}

/* --- stdin --- */

static void take_chunk(void *data)
{
	struct session *s = data;
	/* A slow server holds the reader back. */
	if (s->conn && conn_queued(s->conn) > MAX_QUEUED_BYTES) {
		s->chunk_waiting = true;
		return;
	}
	s->chunk_waiting = false;
	pthread_mutex_lock(&s->lock);
	if (s->chunk_size > 0)
		send_channel(s, CHANNEL_STDIN, s->chunk, (size_t)s->chunk_size);
	else
		end_stdin(s);
	s->chunk_full = false;
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
}

static void *read_stdin(void *data)
{
	struct session *s = data;
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = s->command->stdin_fd, .events = POLLIN}, {.fd = s->stop_fd, .events = POLLIN}};
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents)
			return NULL;
		if (!fds[0].revents)
			continue;
		ssize_t n = read(s->command->stdin_fd, s->chunk, sizeof(s->chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		pthread_mutex_lock(&s->lock);
		s->chunk_size = n > 0 ? n : 0;
		s->chunk_full = true;
		loop_post(s->loop, take_chunk, s);
		while (s->chunk_full && !s->stopping)
			pthread_cond_wait(&s->taken, &s->lock);
		bool stop = s->stopping;
		pthread_mutex_unlock(&s->lock);
		if (stop || n <= 0)
			return NULL;
	}
}

static void start_reader(struct session *s)
{
	if (s->command->stdin_fd < 0)
		return;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	s->reader = thread_start("stdin", read_stdin, s);
	s->has_reader = true;
}

static void stop_reader(struct session *s)
{
	if (!s->has_reader)
		return;
	uint64_t one = 1;
	ssize_t n = write(s->stop_fd, &one, sizeof(one));
	(void)n;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->reader, NULL);
	close(s->stop_fd);
}

/* --- from the server --- */

static void write_all(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; fd >= 0 && done < size;) {
		ssize_t n = write(fd, (const char *)bytes + done, size - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			poll(&p, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return;
		}
	}
}

static void take_channel(struct session *s, unsigned channel, const void *bytes, size_t size)
{
	switch (channel) {
	case CHANNEL_STDOUT:
		write_all(s->command->stdout_fd, bytes, size);
		break;
	case CHANNEL_STDERR:
		write_all(s->command->stderr_fd, bytes, size);
		break;
	case CHANNEL_ERROR:
		if (s->status.len + size <= MAX_STATUS_BYTES)
			strbuf_add(&s->status, bytes, size);
		break;
	default:
		break;
	}
}

static void ws_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	(void)opcode;
	if (size)
		take_channel(data, *(const uint8_t *)bytes, (const char *)bytes + 1, size - 1);
}

static void ws_closed(void *data, unsigned code, const char *reason)
{
	struct session *s = data;
	if (code != 1000 && !s->status.len)
		s->error = status_new(STATUS_UNAVAILABLE, "websocket: close %u%s%s", code, *reason ? ": " : "", reason);
	finish(s);
}

static void spdy_data(void *data, struct spdy_stream *st, const void *bytes, size_t size, bool end)
{
	struct session *s = data;
	for (unsigned i = 0; i < ARRAY_SIZE(s->streams); i++)
		if (s->streams[i] == st)
			take_channel(s, i, bytes, size);
	/* The other side is done with this one; what we send on it goes nowhere. */
	if (end)
		spdy_end(st);
}

static void spdy_closed(void *data, struct spdy_stream *st, bool reset)
{
	struct session *s = data;
	bool open = false;
	(void)reset;
	for (unsigned i = 0; i < ARRAY_SIZE(s->streams); i++) {
		if (s->streams[i] == st)
			s->streams[i] = NULL;
		open = open || (i >= CHANNEL_STDOUT && i <= CHANNEL_ERROR && s->streams[i]);
	}
	if (!open)
		finish(s);
}

static void on_bytes(void *data, const void *bytes, size_t size)
{
	struct session *s = data;
	struct status *error = s->ws ? websocket_feed(s->ws, bytes, size) : spdy_feed(s->spdy, bytes, size);
	if (!error)
		return;
	status_free(s->error);
	s->error = error;
	finish(s);
}

static void on_drained(void *data)
{
	struct session *s = data;
	if (s->chunk_waiting)
		take_chunk(s);
}

static void on_closed(void *data, const struct status *error)
{
	struct session *s = data;
	if (!s->error && !s->status.len)
		s->error = error ? status_copy(error) : status_new(STATUS_UNAVAILABLE, "unexpected EOF");
	finish(s);
}

/* --- the terminal, the clock --- */

static void send_size(struct session *s)
{
	struct winsize now;
	int fd = s->command->tty ? s->command->tty_fd : -1;
	if (fd < 0 || ioctl(fd, TIOCGWINSZ, &now) < 0 || !now.ws_col)
		return;
	if (now.ws_col == s->size.ws_col && now.ws_row == s->size.ws_row)
		return;
	s->size = now;
	char text[64];
	int len = snprintf(text, sizeof(text), "{\"Width\":%u,\"Height\":%u}\n", now.ws_col, now.ws_row);
	send_channel(s, CHANNEL_RESIZE, text, (size_t)len);
}

static void on_tick(void *data)
{
	struct session *s = data;
	int64_t now = clock_mono_ms(clock_system());
	s->tick = loop_timer(s->loop, TICK_MS, on_tick, s);
	if (s->command->stop && atomic_load(s->command->stop)) {
		finish(s);
		return;
	}
	if (!s->command->resized || atomic_exchange(s->command->resized, false))
		send_size(s);
	if (now < s->next_ping_ms)
		return;
	s->next_ping_ms = now + PING_MS;
	if (s->ws)
		websocket_send(s->ws, WEBSOCKET_PING, "", 0);
	else
		spdy_ping(s->spdy);
}

/* --- the session --- */

static const struct conn_events conn_events = {on_bytes, on_drained, on_closed};
static const struct websocket_events ws_events = {output, ws_message, NULL, ws_closed};
static const struct spdy_events spdy_stream_events = {
	.output = output, .stream_data = spdy_data, .stream_closed = spdy_closed};

static void open_streams(struct session *s)
{
	const struct remote_command *c = s->command;
	const struct {
		enum channel channel;
		const char *type;
		bool wanted;
	} wanted[] = {
		{CHANNEL_ERROR, "error", true},
		{CHANNEL_STDIN, "stdin", c->stdin_fd >= 0},
		{CHANNEL_STDOUT, "stdout", c->stdout_fd >= 0},
		{CHANNEL_STDERR, "stderr", c->stderr_fd >= 0 && !c->tty},
		{CHANNEL_RESIZE, "resize", c->tty},
	};
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct http_header header = {"streamType", (char *)wanted[i].type};
		if (wanted[i].wanted)
			s->streams[wanted[i].channel] = spdy_open(s->spdy, &header, 1, false);
	}
}

/* Connects: WebSocket first; a server that refuses the upgrade is asked for SPDY. */
static struct status *dial(struct session *s, struct arena *arena, struct stream **ret)
{
	static const char *const ws_protocols[] = {CHANNEL_V5, CHANNEL_V4, NULL};
	static const char *const spdy_protocols[] = {CHANNEL_V4, NULL};
	char *protocol;
	struct status *error =
		client_websocket(s->client, arena, s->command->path, s->command->query, ws_protocols, ret, &protocol);
	if (!error) {
		s->v5 = str_eq(protocol, CHANNEL_V5);
		s->ws = websocket_new(WEBSOCKET_CLIENT, &ws_events, s);
		return NULL;
	}
	/* Only where WebSocket itself is the trouble: a missing pod is missing in SPDY, too. */
	if (error->reason != STATUS_BAD_REQUEST && error->reason != STATUS_FORBIDDEN &&
		error->reason != STATUS_METHOD_NOT_ALLOWED)
		return error;
	struct status *second =
		client_spdy(s->client, arena, s->command->path, s->command->query, spdy_protocols, ret, &protocol);
	if (second) {
		status_drop(second, "the first refusal says more");
		return error;
	}
	status_drop(error, "SPDY serves as well");
	s->spdy = spdy_new(SPDY_CLIENT, &spdy_stream_events, s);
	return NULL;
}

/* What the error channel said. */
static struct status *result(struct session *s, struct arena *arena, int *ret_exit_code)
{
	MetaV1Status *status;
	int64_t code;
	*ret_exit_code = 0;
	if (!s->status.len)
		return STEAL(s->error);
	struct status *malformed =
		json_decode(arena, &MetaV1Status_schema, s->status.buf, s->status.len, NULL, &status);
	if (malformed) {
		status_drop(malformed, "shown as it came");
		return status_internal("error stream protocol error: %s", s->status.buf);
	}
	if (str_eq(status->status, "Success"))
		return NULL;
	if (!str_eq(status->reason, "NonZeroExitCode"))
		return status_new(status_reason_from(status->reason, status->code), "%s", status->message);
	for (size_t i = 0; status->details && i < status->details->n_causes; i++) {
		const MetaV1StatusCause *cause = status->details->causes[i];
		if (!str_eq(cause->reason, "ExitCode"))
			continue;
		if (!str_to_int64(cause->message, 0, 255, &code))
			return status_internal(
				"error stream protocol error: invalid exit code value \"%s\"", cause->message);
		*ret_exit_code = (int)code;
		return NULL;
	}
	return status_internal("error stream protocol error: no ExitCode cause given");
}

static void run(struct session *s, struct stream *stream)
{
	s->conn = conn_new(s->loop, stream, &conn_events, s);
	if (s->spdy)
		open_streams(s);
	send_size(s);
	s->next_ping_ms = clock_mono_ms(clock_system()) + PING_MS;
	s->tick = loop_timer(s->loop, TICK_MS, on_tick, s);
	start_reader(s);
	loop_run(s->loop);
	stop_reader(s);
	if (s->ws && !websocket_is_closed(s->ws)) {
		s->over = false;
		websocket_close(s->ws, 1000, "");
	}
}

struct status *remote_command_run(struct client *client, const struct remote_command *command, int *ret_exit_code)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct session *s = mem_zalloc(sizeof(*s));
	struct stream *stream = NULL;
	*s = (struct session){.client = client, .command = command, .stop_fd = -1};
	strbuf_init(&s->status);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->taken, NULL);
	s->loop = loop_new(clock_system());
	struct status *error = dial(s, arena, &stream);
	if (!error) {
		run(s, stream);
		error = result(s, arena, ret_exit_code);
	}
	conn_free(s->conn);
	s->conn = NULL;
	websocket_free(s->ws);
	spdy_free(s->spdy);
	loop_free(s->loop);
	status_free(s->error);
	strbuf_done(&s->status);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->taken);
	free(s);
	return error;
}
