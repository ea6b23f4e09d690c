#include "apiserver/http/server.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "apiserver/http/server_private.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/strict.h"
#include "serve/tls.h"

#define IDLE_SECONDS 180
#define LISTEN_BACKLOG 1024
#define MAX_CONNECTIONS 20000
/* Over 32 KiB, so that the library maps it: of what a connection has never needed nothing is resident. */
#define CONNECTION_MEMORY 40960
/* A watch, which stays, needs less than that; what needs more takes more. */
#define REQUEST_BYTES 2560

#define SENDERS 2

/* --- reading a request --- */

/* Who asks as if we were a proxy names us before the path. */
static const char *path_of(const char *uri)
{
	const char *scheme_end = *uri == '/' ? NULL : strstr(uri, "://");
	if (!scheme_end)
		return uri;
	const char *path = scheme_end + 3 + strcspn(scheme_end + 3, "/?");
	return *path ? path : "/";
}

/* The library would keep a record of each parameter, for which a connection's memory is too small when they are many.
 * The text is its own, and it would change it, too. */
static void hide_parameters(const char *question)
{
	((char *)(uintptr_t)question)[1] = 0;
}

static void *begin_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct server *server = data;
	struct arena *arena = arena_new_sized(REQUEST_BYTES);
	struct exchange_private *x = ARENA_NEW(arena, struct exchange_private);
	x->pub.arena = arena;
	x->magic = EXCHANGE_MAGIC;
	x->server = server;
	x->pub.data = server->options.data;
	x->connection = connection;
	x->pub.started_ms = clock_mono_ms(clock_system());
	strbuf_init(&x->received);
	pthread_mutex_init(&x->lock, NULL);
	const bool is_target = strict_is_target(uri);
	uri = path_of(uri);
	const char *question = strchr(uri, '?');
	x->pub.raw_path = arena_strndup(arena, uri, question ? (size_t)(question - uri) : strlen(uri));
	x->pub.raw_query = arena_strdup(arena, question ? question + 1 : "");
	char *path;
	x->bad_path = !is_target || !url_unescape(arena, x->pub.raw_path, strlen(x->pub.raw_path), false, &path);
	x->pub.path = x->bad_path ? x->pub.raw_path : path;
	query_parse(arena, x->pub.raw_query, &x->pub.query, &x->pub.n_query);
	if (question)
		hide_parameters(question);
	return x;
}

/* The raw form is kept apart: the library's unescaping is turned off. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *s)
{
	return strlen(s);
}

static const char *peer_address(struct exchange_private *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char host[NI_MAXHOST];
	if (!info || !info->client_addr)
		return "";
	socklen_t size =
		info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (getnameinfo(info->client_addr, size, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return "";
	return arena_strdup(x->pub.arena, str_starts_with(host, "::ffff:") ? host + 7 : host);
}

static void read_certificates(struct exchange_private *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info || !info->tls_session)
		return;
	x->chain = gnutls_certificate_get_peers(info->tls_session, &x->n_chain);
}

static void work(void *data)
{
	struct exchange_private *x = data;
	assert(x->magic == EXCHANGE_MAGIC);
	x->server->options.handle(&x->pub, x->server->options.data);
	MHD_resume_connection(x->connection);
}

static void too_busy(struct exchange_private *x)
{
	static const char body[] =
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"Too "
		"many requests, "
		"please try again "
		"later.\",\"reason\":\"TooManyRequests\",\"details\":{\"retryAfterSeconds\":1},\"code\":429}\n";
	reply_header(&x->pub, "Retry-After", "1");
	reply_bytes(&x->pub, 429, "application/json", body, sizeof(body) - 1);
}

void exchange_put_off(struct exchange *exchange)
{
	struct exchange_private *x = private_of(exchange);
	x->later = true;
	MHD_suspend_connection(x->connection);
}

void exchange_go_on(struct exchange *exchange)
{
	MHD_resume_connection(private_of(exchange)->connection);
}

static enum MHD_Result go_on(struct exchange_private *x)
{
	x->later = false;
	x->server->options.handle(&x->pub, x->server->options.data);
	return exchange_send(x);
}

static enum MHD_Result dispatch(struct exchange_private *x)
{
	struct server *server = x->server;
	x->dispatched = true;
	x->pub.body = x->received.buf;
	x->pub.body_size = x->received.len;
	if (server->options.handle_at_once && server->options.handle_at_once(&x->pub, server->options.data))
		return x->later ? MHD_YES : exchange_send(x);
	MHD_suspend_connection(x->connection);
	if (!workers_submit(server->workers, work, x)) {
		too_busy(x);
		MHD_resume_connection(x->connection);
	}
	return MHD_YES;
}

/* So much of a body that is too large is read before the answer. */
static size_t passed_over_at_most(const struct server *server)
{
	return 2 * server->options.max_body_bytes;
}

/* False: the body is announced to be so large that it is not worth waiting for its end. Who is answered while he writes
 * may see no more of it than that the connection was closed. */
static bool begin_request(struct exchange_private *x, const char *method)
{
	x->begun = true;
	x->pub.late = drain_begins(&x->server->drain);
	x->pub.method = arena_strdup(x->pub.arena, method);
	x->pub.client_address = peer_address(x);
	read_certificates(x);
	const char *length = exchange_header(&x->pub, "Content-Length");
	uint64_t size;
	if (!length || !str_to_uint64(length, UINT64_MAX, &size))
		return true;
	x->too_large = size > x->server->options.max_body_bytes;
	return size <= passed_over_at_most(x->server);
}

static void reply_too_large(struct exchange_private *x)
{
	char *s = arena_printf(x->pub.arena,
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
		"\"Request entity too "
		"large: limit is %zu\",\"reason\":\"RequestEntityTooLarge\",\"code\":413}\n",
		x->server->options.max_body_bytes);
	reply_bytes(&x->pub, 413, "application/json", s, strlen(s));
}

/* A piece of the body. What is too large is passed over, for the answer can be sent only after it; false, and the
 * connection is closed, when it does not end soon. */
static bool take_body(struct exchange_private *x, const char *data, size_t size)
{
	const size_t max = x->server->options.max_body_bytes;

	if (clock_mono_ms(clock_system()) - x->pub.started_ms > x->server->options.body_ms)
		return false;
	if (!x->too_large && x->received.len + size <= max) {
		strbuf_add(&x->received, data, size);
		return true;
	}
	x->too_large = true;
	x->passed_over += x->received.len + size;
	strbuf_done(&x->received);
	return x->passed_over <= passed_over_at_most(x->server);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct exchange_private *x = *context;
	assert(x && x->magic == EXCHANGE_MAGIC);
	if (!x->begun) {
		x->chunked = str_eq(version, MHD_HTTP_VERSION_1_1);
		const bool fits = begin_request(x, method);
		struct strict_refusal refusal = {400, "400 Bad Request"};
		const bool refused = x->bad_path || strict_refuses(connection, version, &refusal);
		if (fits && !refused)
			return MHD_YES;
		x->too_large = true;
		x->dispatched = true;
		reply_header(&x->pub, "Connection", "close");
		if (refused)
			reply_bytes(&x->pub, (int)refusal.code, "text/plain; charset=utf-8", refusal.text,
				strlen(refusal.text));
		else
			reply_too_large(x);
		return exchange_send(x);
	}
	if (*upload_size) {
		bool more = take_body(x, upload, *upload_size);
		*upload_size = 0;
		return more ? MHD_YES : MHD_NO;
	}
	if (x->later)
		return go_on(x);
	if (x->dispatched)
		return exchange_send(x);
	if (x->too_large) {
		x->dispatched = true;
		reply_too_large(x);
		return exchange_send(x);
	}
	return dispatch(x);
}

static void on_completed(
	void *data, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
	struct exchange_private *x = *context;
	if (!x)
		return;
	assert(x->magic == EXCHANGE_MAGIC);
	*context = NULL;
	exchange_uncork(x);
	if (x->server->options.done)
		x->server->options.done(&x->pub, x->server->options.data);
	gather_free(x->gather);
	if (x->stream.done)
		x->stream.done(x->stream.data);
	strbuf_done(&x->received);
	pthread_mutex_destroy(&x->lock);
	x->magic = 0;
	struct drain *drain = x->begun ? &x->server->drain : NULL;
	const enum exchange_length length = x->length;
	arena_free(x->pub.arena);
	if (drain)
		drain_ends(drain, length);
}

/* --- the listening socket --- */

static struct status *listen_on(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
	CLEANUP_FREE char *service = mem_printf("%u", (unsigned)port);
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	/* All addresses: one socket for both families, where the kernel has both. */
	bool all = str_empty(address) || str_eq(address, "0.0.0.0") || str_eq(address, "::");
	const char *host = !all ? address : io_exists("/proc/net/if_inet6") ? "::" : "0.0.0.0";
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return status_bad_request("listen on %s:%u: not an IP address", host, (unsigned)port);
	CLEANUP_FD int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (found->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
	int error = bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0 ? 0 : errno;
	freeaddrinfo(found);
	if (error)
		return status_errno(error, "listen on %s:%u", str_or(address, "0.0.0.0"), (unsigned)port);
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	getsockname(fd, (struct sockaddr *)&bound, &size);
	*ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						      : ((struct sockaddr_in *)&bound)->sin_port);
	*ret_fd = fd;
	fd = -1;
	return NULL;
}

static PRINTF(2, 0) void log_library(void *data, const char *format, va_list args)
{
	char line[512];
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = 0;
	log_v(2, "http: %s", line);
}

/* A client that knows a name which it has no certificate of sends none: what is out of date is not named. */
static void on_connection(
	void *data, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct server *server = data;
	handshakes_notify(server->handshakes, connection, context, code);
	if (code != MHD_CONNECTION_NOTIFY_STARTED || !server->tls)
		return;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info || !info->tls_session)
		return;
	http_tls_attach(server->tls, info->tls_session);
	if (server->options.authorities_changed && server->options.authorities_changed(server->options.data))
		gnutls_certificate_send_x509_rdn_sequence(info->tls_session, 1);
}

static struct MHD_Daemon *start(struct server *server, int fd)
{
	const struct server_options *o = &server->options;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (server->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)http_tls_retrieve},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)o->priorities},
		{str_empty(o->client_ca_pem) ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_TRUST, 0,
			(void *)(uintptr_t)o->client_ca_pem},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library,
		server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, o->n_threads ? o->n_threads : 2u,
		MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_URI_LOG_CALLBACK, begin_uri,
		server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY, server->tls ? tls : none,
		MHD_OPTION_END);
}

struct status *server_new(const struct server_options *options, struct server **ret_server)
{
	int fd = -1;
	uint16_t port = 0;
	struct http_tls *tls = NULL;
	const struct http_tls_options tls_options = {.cert_file = options->cert_file, .key_file = options->key_file};
	if (options->cert_file)
		TRY(http_tls_new(&tls_options, &tls));
	struct status *taken = listen_on(options->address, options->port, &fd, &port);
	if (taken) {
		http_tls_free(tls);
		return taken;
	}
	struct server *server = mem_zalloc(sizeof(*server));
	server->tls = tls;
	server->options = *options;
	server->port = port;
	server->workers = workers_new("requests", options->max_workers, options->max_queued);
	server->sender = sender_new(SENDERS);
	server->handshakes = handshakes_new();
	drain_init(&server->drain);
	server->daemon = start(server, fd);
	if (!server->daemon) {
		close(fd);
		workers_free(server->workers);
		sender_free(server->sender);
		handshakes_stop(server->handshakes);
		handshakes_free(server->handshakes);
		http_tls_free(tls);
		drain_done(&server->drain);
		free(server);
		return status_bad_request("the server's certificate and key cannot be used");
	}
	*ret_server = server;
	return NULL;
}

/* --- the end --- */

void exchange_lasts(struct exchange *exchange, enum exchange_length length)
{
	struct exchange_private *x = private_of(exchange);
	assert(x->begun && x->length == EXCHANGE_BRIEF && x->kind == REPLY_NONE);
	x->length = length;
	drain_lasts(&x->server->drain, length);
}

void server_end(struct server *server)
{
	atomic_store(&server->drain.ending, true);
}

void server_close(struct server *server)
{
	atomic_store(&server->drain.closed, true);
	int fd = MHD_quiesce_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
}

size_t server_open(const struct server *server, enum exchange_length length)
{
	return atomic_load(&server->drain.open[length]);
}

bool server_wait(struct server *server, enum exchange_length length, int64_t deadline_ms)
{
	return drain_wait(&server->drain, length, deadline_ms);
}

void server_end_watches(struct server *server, size_t n)
{
	sender_end_watches(server->sender, n);
}

void server_abandon(struct server *server)
{
	workers_abandon(server->workers);
}

uint64_t server_failed_handshakes(const struct server *server)
{
	return handshakes_failed(server->handshakes);
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}
