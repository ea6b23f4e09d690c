#include "serve/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include "api/json.h"
#include "api/meta.h"
#include "base/cond.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/internal.h"
#include "serve/handshake.h"
#include "serve/takeover.h"

enum { MAGIC = 0x48545450, WAIT_MS = 100 };

/* --- an exchange --- */

static struct http_exchange *exchange_new(struct http_server *server, const char *uri)
{
	struct http_exchange *x = mem_zalloc(sizeof(*x));
	x->magic = MAGIC;
	atomic_init(&x->refs, 1);
	x->server = server;
	x->arena = arena_new();
	x->uri = arena_strdup(x->arena, uri);
	strbuf_init(&x->body);
	strbuf_init(&x->out);
	pthread_mutex_init(&x->lock, NULL);
	cond_init(&x->changed);
	return x;
}

static void exchange_unref(struct http_exchange *x)
{
	if (atomic_fetch_sub(&x->refs, 1) != 1)
		return;
	x->magic = 0;
	strbuf_done(&x->body);
	strbuf_done(&x->out);
	pthread_mutex_destroy(&x->lock);
	pthread_cond_destroy(&x->changed);
	arena_free(x->arena);
	free(x);
}

/* The lock is held; on the epoll thread. A connection is suspended at most once, and resumed only when it is. */
static void suspend(struct http_exchange *x)
{
	assert(!x->suspended);
	x->suspended = true;
	MHD_suspend_connection(x->connection);
}

/* Releases the lock, and resumes the connection after it: the server library has a lock of its own there. */
static void unlock_and_resume(struct http_exchange *x)
{
	bool wake = x->suspended && !atomic_load(&x->gone);
	if (wake)
		x->suspended = false;
	pthread_mutex_unlock(&x->lock);
	if (wake)
		MHD_resume_connection(x->connection);
}

/* Waits for a change for a while: the end of a connection is not signalled, only marked. */
static void wait_a_while(struct http_exchange *x)
{
	cond_wait_for(&x->changed, &x->lock, WAIT_MS);
}

/* --- answers, on the worker --- */

static bool claim(
	struct http_request *request, enum answer_kind kind, int code, const struct http_header *headers, size_t n)
{
	struct http_exchange *x = request->exchange;
	if (x->kind != ANSWER_NONE)
		return false;
	x->headers = ARENA_ARRAY(x->arena, struct http_header, n + 2);
	for (size_t i = 0; i < n; i++)
		x->headers[i] = (struct http_header){
			arena_strdup(x->arena, headers[i].name), arena_strdup(x->arena, headers[i].value)};
	x->n_headers = n;
	x->code = code;
	x->kind = kind;
	return true;
}

void http_respond_with(struct http_request *request, int code, const struct http_header *headers, size_t n_headers,
	const void *body, size_t size)
{
	struct http_exchange *x = request->exchange;
	pthread_mutex_lock(&x->lock);
	if (claim(request, ANSWER_BODY, code, headers, n_headers))
		strbuf_add(&x->out, body, size);
	pthread_mutex_unlock(&x->lock);
}

void http_respond(struct http_request *request, int code, const char *content_type, const void *body, size_t size)
{
	struct http_header headers[] = {
		{"Content-Type",
			arena_strdup(request->arena, content_type ? content_type : "text/plain; charset=utf-8")},
		{"X-Content-Type-Options", "nosniff"},
	};
	http_respond_with(request, code, headers, ARRAY_SIZE(headers), body, size);
}

void http_respondf(struct http_request *request, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = arena_vprintf(request->arena, format, args);
	va_end(args);
	http_respond(request, code, NULL, text, strlen(text));
}

void http_respond_status(struct http_request *request, struct status *status)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	json_encode(&out, status_to_api(request->arena, status), JSON_NEWLINE);
	http_respond(request, status ? status->code : 200, "application/json", out.buf, out.len);
	status_free(status);
}

void http_begin(struct http_request *request, int code, const char *content_type)
{
	struct http_exchange *x = request->exchange;
	struct http_header headers[] = {{"Content-Type",
		arena_strdup(request->arena, content_type ? content_type : "text/plain; charset=utf-8")}};
	pthread_mutex_lock(&x->lock);
	if (claim(request, ANSWER_STREAM, code, headers, 1))
		unlock_and_resume(x);
	else
		pthread_mutex_unlock(&x->lock);
}

static bool is_gone(struct http_exchange *x)
{
	return atomic_load(&x->gone) || atomic_load(&x->server->stopping);
}

bool http_write(struct http_request *request, const void *data, size_t size)
{
	struct http_exchange *x = request->exchange;
	pthread_mutex_lock(&x->lock);
	while (x->out.len - x->out_pos > HTTP_STREAM_BYTES && !is_gone(x))
		wait_a_while(x);
	bool ok = x->kind == ANSWER_STREAM && !is_gone(x);
	if (ok)
		strbuf_add(&x->out, data, size);
	unlock_and_resume(x);
	return ok;
}

bool http_client_gone(struct http_request *request)
{
	struct http_exchange *x = request->exchange;
	pthread_mutex_lock(&x->lock);
	bool gone = is_gone(x);
	if (!gone) {
		/* A suspended connection is not watched by the server: look at its descriptor. */
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct pollfd p = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};
		gone = poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL);
	}
	pthread_mutex_unlock(&x->lock);
	return gone;
}

struct status *http_upgrade_request(struct http_request *request, const char *protocol,
	const struct http_header *headers, size_t n_headers, struct stream **ret_stream)
{
	struct http_exchange *x = request->exchange;
	pthread_mutex_lock(&x->lock);
	bool ok = claim(request, ANSWER_UPGRADE, MHD_HTTP_SWITCHING_PROTOCOLS, NULL, 0);
	pthread_mutex_unlock(&x->lock);
	if (!ok)
		return status_internal("the request has been answered");
	/* The connection stays suspended until the handler returns. */
	CLEANUP(stream_freep) struct stream *s = takeover_stream(x->connection);
	TRY(takeover_answer(s, protocol, headers, n_headers));
	*ret_stream = STEAL(s);
	return NULL;
}

/* --- the worker --- */

static void authorize_and_handle(struct http_exchange *x)
{
	struct http_request *request = &x->request;
	struct http_server *server = x->server;
	if (server->config.authorize) {
		struct http_user *user = ARENA_NEW(x->arena, struct http_user);
		user->name = user->uid = "";
		struct status *refused = server->config.authorize(request, user);
		if (refused) {
			http_respond_status(request, refused);
			return;
		}
		request->user = user;
	}
	x->handler(request);
}

static void work(void *data)
{
	struct http_exchange *x = data;
	assert(x->magic == MAGIC);
	authorize_and_handle(x);
	http_respond(&x->request, 500, NULL, "no answer\n", 10);
	pthread_mutex_lock(&x->lock);
	x->ended = true;
	unlock_and_resume(x);
	exchange_unref(x);
}

/* --- the epoll thread --- */

static enum MHD_Result push_header(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct http_exchange *x = data;
	struct http_header *headers = (struct http_header *)x->request.headers;
	(void)kind;
	ARENA_PUSH(x->arena, headers, x->request.n_headers) =
		(struct http_header){arena_strdup(x->arena, key), arena_strdup(x->arena, str_or_empty(value))};
	x->request.headers = headers;
	return MHD_YES;
}

static void fill_peer(struct http_exchange *x)
{
	const union MHD_ConnectionInfo *address =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *session =
		x->server->tls ? MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) : NULL;
	char text[INET6_ADDRSTRLEN] = "";
	if (address && address->client_addr && address->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)address->client_addr)->sin_addr, text, sizeof(text));
	else if (address && address->client_addr && address->client_addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)address->client_addr)->sin6_addr, text, sizeof(text));
	x->request.remote_address =
		arena_strdup(x->arena, str_starts_with(text, "::ffff:") ? text + strlen("::ffff:") : text);
	unsigned n = 0;
	const gnutls_datum_t *certs = session ? gnutls_certificate_get_peers(session->tls_session, &n) : NULL;
	if (certs && n) {
		x->request.peer_cert = arena_dup(x->arena, certs[0].data, certs[0].size);
		x->request.peer_cert_size = certs[0].size;
	}
}

/* Takes the request apart. False: it is malformed. */
static bool fill_request(struct http_exchange *x, const char *method)
{
	struct http_request *r = &x->request;
	size_t path_len = strcspn(x->uri, "?");
	char *path;
	*r = (struct http_request){.arena = x->arena, .exchange = x, .data = x->server->config.data};
	r->method = arena_strdup(x->arena, method);
	r->raw_path = arena_strndup(x->arena, x->uri, path_len);
	r->raw_query = x->uri[path_len] ? x->uri + path_len + 1 : "";
	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, push_header, x);
	fill_peer(x);
	if (!url_unescape(x->arena, x->uri, path_len, false, &path) || *path != '/')
		return false;
	r->path = path;
	struct query_param *query;
	query_parse(x->arena, r->raw_query, &query, &r->n_query);
	r->query = query;
	return true;
}

static enum MHD_Result answer_now(struct MHD_Connection *connection, unsigned code, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	enum MHD_Result result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static ssize_t read_stream(void *data, uint64_t pos, char *buf, size_t max)
{
	struct http_exchange *x = data;
	(void)pos;
	ssize_t n;
	pthread_mutex_lock(&x->lock);
	size_t have = x->out.len - x->out_pos;
	if (have) {
		n = (ssize_t)(have < max ? have : max);
		memcpy(buf, x->out.buf + x->out_pos, (size_t)n);
		x->out_pos += (size_t)n;
		if (x->out_pos == x->out.len) {
			strbuf_reset(&x->out);
			x->out_pos = 0;
		}
		pthread_cond_signal(&x->changed);
	} else if (x->ended) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		suspend(x);
		n = 0;
	}
	pthread_mutex_unlock(&x->lock);
	return n;
}

/* The answer as the server library wants it. The lock is held. */
static struct MHD_Response *build_response(struct http_exchange *x)
{
	struct MHD_Response *response;
	switch (x->kind) {
	case ANSWER_STREAM:
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, x, NULL);
		break;
	case ANSWER_UPGRADE:
		return NULL; /* the session is over, and with it the connection */
	default:
		response = MHD_create_response_from_buffer(x->out.len, x->out.buf, MHD_RESPMEM_MUST_COPY);
	}
	for (size_t i = 0; response && i < x->n_headers; i++)
		MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
	return response;
}

static enum MHD_Result queue_answer(struct http_exchange *x)
{
	pthread_mutex_lock(&x->lock);
	struct MHD_Response *response = build_response(x);
	unsigned code = (unsigned)x->code;
	pthread_mutex_unlock(&x->lock);
	if (!response)
		return MHD_NO;
	enum MHD_Result result = MHD_queue_response(x->connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result dispatch(struct http_exchange *x)
{
	bool mismatch;
	struct http_server *server = x->server;
	if (x->body_too_large)
		return answer_now(x->connection, 413, "request body is too large\n");
	if (!x->request.path)
		return answer_now(x->connection, 400, "malformed path\n");
	x->request.body = x->body.buf;
	x->request.body_size = x->body.len;
	x->handler = http_route_find(server->config.routes, &x->request, &mismatch);
	if (!x->handler)
		return mismatch ? answer_now(x->connection, 405, "Method Not Allowed\n")
				: answer_now(x->connection, 404, "404 page not found\n");
	if (atomic_load(&server->stopping))
		return answer_now(x->connection, 503, "the server is shutting down\n");
	x->submitted = true;
	atomic_fetch_add(&x->refs, 1);
	pthread_mutex_lock(&x->lock);
	suspend(x);
	bool ok = workers_submit(server->workers, work, x);
	if (!ok) {
		x->kind = ANSWER_BODY;
		x->code = 429;
		strbuf_adds(&x->out, "too many requests, please try again later\n");
		x->ended = true;
		unlock_and_resume(x);
	} else {
		pthread_mutex_unlock(&x->lock);
	}
	if (!ok)
		exchange_unref(x);
	return MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	struct http_exchange *x = *con_cls;
	(void)data, (void)url, (void)version;
	if (!x)
		return MHD_NO;
	assert(x->magic == MAGIC);
	if (!x->started) {
		x->started = true;
		x->connection = connection;
		if (!fill_request(x, method))
			x->request.path = NULL;
		return MHD_YES;
	}
	if (*upload_size) {
		if (x->body.len + *upload_size > x->server->config.max_body_bytes)
			x->body_too_large = true;
		else
			strbuf_add(&x->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return x->submitted ? queue_answer(x) : dispatch(x);
}

static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	(void)connection;
	return exchange_new(data, uri);
}

static void on_completed(
	void *data, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *con_cls;
	(void)data, (void)connection, (void)code;
	if (!x)
		return;
	*con_cls = NULL;
	atomic_store(&x->gone, true);
	exchange_unref(x);
}

static void on_connection(
	void *data, struct MHD_Connection *connection, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = data;
	if (!server->tls)
		return;
	handshakes_notify(server->handshakes, connection, socket_context, code);
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info && info->tls_session)
		http_tls_attach(server->tls, info->tls_session);
}

/* --- life --- */

static struct status *listen_error(const char *address, uint16_t port)
{
	int error = errno;
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	char *target = url_host_port(arena, address, port);
	return status_new(STATUS_INTERNAL, "failed to create listener: failed to listen on %s: listen tcp %s: bind: %s",
		target, target, net_error_text(arena, error));
}

static struct status *bind_address(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
	socklen_t size;
	int on = 1, off = 0;
	if (!str_empty(address) && inet_pton(AF_INET, address, &v4->sin_addr) == 1 && !str_eq(address, "0.0.0.0")) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		size = sizeof(*v4);
	} else if (str_empty(address) || str_eq(address, "0.0.0.0") ||
		   inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		size = sizeof(*v6);
	} else {
		return status_bad_request("listen on %s: not an IP address", address);
	}
	CLEANUP_FD int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && storage.ss_family == AF_INET6 &&
		(str_empty(address) || str_eq(address, "0.0.0.0"))) {
		storage = (struct sockaddr_storage){0};
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		size = sizeof(*v4);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd < 0)
		return status_errno(errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (storage.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&storage, size) < 0 || listen(fd, 128) < 0)
		return listen_error(str_or(address, "0.0.0.0"), port);
	getsockname(fd, (struct sockaddr *)&storage, &size);
	*ret_port = ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
	*ret_fd = fd;
	fd = -1;
	return NULL;
}

#define COMMON_OPTIONS                                                                                          \
	MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_NOTIFY_COMPLETED, \
		on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,                      \
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,     \
		(unsigned)HTTP_IDLE_S

static struct status *start(struct http_server *server, int fd)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
	if (server->tls)
		server->handshakes = handshakes_new();
	if (server->tls)
		server->mhd = MHD_start_daemon(flags | MHD_USE_TLS, 0, NULL, NULL, on_request, server, COMMON_OPTIONS,
			MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", MHD_OPTION_HTTPS_CERT_CALLBACK,
			http_tls_retrieve, MHD_OPTION_END);
	else
		server->mhd =
			MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, COMMON_OPTIONS, MHD_OPTION_END);
	if (!server->mhd) {
		close(fd);
		return status_internal("cannot start the HTTP server");
	}
	return NULL;
}

struct status *http_server_new(const struct http_server_config *config, struct http_server **ret)
{
	CLEANUP(http_server_freep) struct http_server *server = mem_zalloc(sizeof(*server));
	int fd = -1;
	server->arena = arena_new_sized(128);
	server->config = *config;
	server->config.address = arena_strdup(server->arena, config->address);
	if (!server->config.max_body_bytes)
		server->config.max_body_bytes = HTTP_DEFAULT_BODY_BYTES;
	if (!str_empty(config->cert_file) || !str_empty(config->cert_pem))
		TRY(http_tls_new(&(struct http_tls_options){.cert_file = config->cert_file,
					 .key_file = config->key_file,
					 .cert_pem = config->cert_pem,
					 .key_pem = config->key_pem,
					 .ask_client_cert = config->ask_client_cert},
			&server->tls));
	TRY(bind_address(config->address, config->port, &fd, &server->port));
	server->workers = workers_new("http", config->max_workers ? config->max_workers : HTTP_DEFAULT_WORKERS,
		config->max_queued ? config->max_queued : HTTP_DEFAULT_QUEUED);
	TRY(start(server, fd));
	*ret = STEAL(server);
	return NULL;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	atomic_store(&server->stopping, true);
	/* Handlers end first: each resumes its connection, and none is suspended when the server stops. */
	if (server->workers)
		workers_free(server->workers);
	handshakes_stop(server->handshakes);
	if (server->mhd)
		MHD_stop_daemon(server->mhd);
	handshakes_free(server->handshakes);
	http_tls_free(server->tls);
	arena_free(server->arena);
	free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}
