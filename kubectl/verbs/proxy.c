/* A listener on this machine whose requests go to the API server with our credentials. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <regex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/workers.h"
#include "kubectl/request.h"
#include "kubectl/verbs/verbs.h"
#include "net/http1.h"

#define HEAD_MS 30000

struct proxy_options {
	char *address, *unix_socket, *api_prefix;
	int64_t port;
	char *accept_hosts, *accept_paths, *reject_paths, *reject_methods;
	bool disable_filter;
};

#define F(...) OPT(struct proxy_options, __VA_ARGS__)
static const struct option proxy_flags[] = {
	F(port, 'p', "port", FLAG_INT, "8001", "The port to listen on; 0: any free one"),
	F(address, 0, "address", FLAG_STRING, "127.0.0.1", "The address to listen on"),
	F(unix_socket, 'u', "unix-socket", FLAG_STRING, "", "A Unix socket to listen on, instead of a port"),
	F(api_prefix, 0, "api-prefix", FLAG_STRING, "/", "The path below which the API is served"),
	F(accept_hosts, 0, "accept-hosts", FLAG_STRING, "^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$",
		"Regular expressions of hosts that may be asked for"),
	F(accept_paths, 0, "accept-paths", FLAG_STRING, "^.*", "Regular expressions of paths that are served"),
	F(reject_paths, 0, "reject-paths", FLAG_STRING, "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
		"Regular expressions of paths that are not served"),
	F(reject_methods, 0, "reject-methods", FLAG_STRING, "^$", "Regular expressions of methods that are not served"),
	F(disable_filter, 0, "disable-filter", FLAG_BOOL, "false", "Serve everything to everybody"),
	OPT_END,
};

/* --- who may ask for what --- */

struct patterns {
	regex_t *items;
	size_t n_items;
};

struct filter {
	struct patterns accept_hosts, accept_paths, reject_paths, reject_methods;
	bool off;
};

static struct status *compile(struct arena *arena, const char *list, struct patterns *ret)
{
	char **texts;
	size_t n = str_split(arena, list, ',', &texts);
	ret->items = ARENA_ARRAY(arena, regex_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (regcomp(&ret->items[ret->n_items], texts[i], REG_EXTENDED | REG_NOSUB) != 0)
			return user_error("error parsing regexp: %s", texts[i]);
		ret->n_items++;
	}
	return NULL;
}

static bool matches(const struct patterns *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->n_items; i++)
		if (regexec(&patterns->items[i], text, 0, NULL, 0) == 0)
			return true;
	return false;
}

/* The host of a Host header, without its port. */
static char *host_of(struct arena *arena, const char *header)
{
	const char *end = strrchr(header, ':');
	if (end && strchr(end, ']'))
		end = NULL;
	return end ? arena_strndup(arena, header, (size_t)(end - header)) : arena_strdup(arena, header);
}

static bool accepted(struct arena *arena, const struct filter *f, const struct http_head *head)
{
	const char *host = host_of(arena, str_or_empty(http_header_get(head->headers, head->n_headers, "Host")));
	const char *path = arena_strndup(arena, head->target, strcspn(head->target, "?"));
	if (f->off)
		return true;
	return !matches(&f->reject_paths, path) && !matches(&f->reject_methods, head->method) &&
	       matches(&f->accept_paths, path) && matches(&f->accept_hosts, host);
}

/* --- one connection: one request --- */

struct proxy {
	struct client *client;
	struct filter filter;
	const char *prefix; /* without the slash at its end */
};

struct connection {
	struct proxy *proxy;
	struct stream *stream;
};

static struct status *read_head(struct arena *arena, struct stream *s, struct http_head *ret)
{
	CLEANUP(strbuf_done) struct strbuf in = STRBUF_INIT;
	size_t used = 0;
	while (!used) {
		char buf[4096];
		size_t n;
		TRY(stream_read_some(s, buf, sizeof(buf), HEAD_MS, &n));
		if (!n)
			return status_bad_request("the request ended within its head");
		strbuf_add(&in, buf, n);
		if (in.len > HTTP1_MAX_HEAD_BYTES)
			return status_bad_request("the request's head is too long");
		TRY(http_head_parse(arena, in.buf, in.len, ret, &used));
	}
	stream_unread(s, in.buf + used, in.len - used);
	return NULL;
}

static void answer(struct arena *arena, struct stream *s, const char *line, const char *body)
{
	const char *text = arena_printf(arena,
		"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n%s",
		line, strlen(body), body);
	status_drop(stream_write_all(s, text, strlen(text), HEAD_MS), "whoever asked has gone");
}

static void serve(struct arena *arena, struct proxy *proxy, struct stream *s)
{
	CLEANUP(stream_freep) struct stream *server = NULL;
	struct http_head head;
	size_t prefix = strlen(proxy->prefix);
	CLEANUP_STATUS struct status *status = read_head(arena, s, &head);
	if (status)
		return;
	if (!accepted(arena, &proxy->filter, &head)) {
		answer(arena, s, "403 Forbidden", "<h3>Unauthorized</h3>");
		return;
	}
	if (strncmp(head.target, proxy->prefix, prefix) != 0 || head.target[prefix] != '/') {
		answer(arena, s, "404 Not Found", "404 page not found\n");
		return;
	}
	head.target += prefix;
	status = client_forward(proxy->client, arena, &head, &server);
	if (status) {
		fprintf(stderr, "Error while proxying request: %s\n", status->message);
		answer(arena, s, "500 Internal Server Error", status->message);
		return;
	}
	stream_relay(s, server, -1);
}

static void *run_connection(void *data)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct connection *c = data;
	serve(arena, c->proxy, c->stream);
	stream_free(c->stream);
	free(c);
	return NULL;
}

/* --- listening --- */

static struct status *listen_on(int fd, const void *address, socklen_t size, const char *name)
{
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, 128) < 0)
		return status_errno(errno, "listen %s", name);
	return NULL;
}

static struct status *listen_unix(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return user_error("listen unix %s: bind: invalid argument", path);
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	*ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	TRY(listen_on(*ret_fd, &address, sizeof(address), path));
	printf("Starting to serve on %s\n", path);
	return NULL;
}

static struct status *listen_tcp(const struct proxy_options *o, int *ret_fd)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port)};
	bool six = inet_pton(AF_INET6, o->address, &v6.sin6_addr) == 1;
	socklen_t size = sizeof(v6);
	if (!six && inet_pton(AF_INET, str_eq(o->address, "localhost") ? "127.0.0.1" : o->address, &v4.sin_addr) != 1)
		return user_error("listen tcp: lookup %s: no such host", o->address);
	*ret_fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (six)
		TRY(listen_on(*ret_fd, &v6, sizeof(v6), o->address));
	else
		TRY(listen_on(*ret_fd, &v4, sizeof(v4), o->address));
	struct sockaddr_in6 actual = {0};
	getsockname(*ret_fd, (struct sockaddr *)&actual, &size);
	printf(six ? "Starting to serve on [%s]:%u\n" : "Starting to serve on %s:%u\n", o->address,
		ntohs(actual.sin6_port));
	return NULL;
}

static struct status *accept_for_ever(struct proxy *proxy, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return status_errno(errno, "accept");
		if (fd < 0)
			continue;
		struct connection *c = mem_zalloc(sizeof(*c));
		*c = (struct connection){proxy, stream_from_fd(fd)};
		pthread_detach(thread_start("proxy", run_connection, c));
	}
}

static struct status *proxy_run(struct kubectl *k, struct call *call)
{
	const struct proxy_options *o = call->options;
	struct proxy *proxy = ARENA_NEW(k->arena, struct proxy);
	CLEANUP_FD int listener = -1;
	if (o->port < 0 || o->port > 65535)
		return user_error("listen tcp: address %lld: invalid port", (long long)o->port);
	TRY(kubectl_client(k, &proxy->client));
	proxy->prefix = str_ends_with(o->api_prefix, "/")
				? arena_strndup(k->arena, o->api_prefix, strlen(o->api_prefix) - 1)
				: o->api_prefix;
	proxy->filter.off = o->disable_filter;
	TRY(compile(k->arena, o->accept_hosts, &proxy->filter.accept_hosts));
	TRY(compile(k->arena, o->accept_paths, &proxy->filter.accept_paths));
	TRY(compile(k->arena, o->reject_paths, &proxy->filter.reject_paths));
	TRY(compile(k->arena, o->reject_methods, &proxy->filter.reject_methods));
	if (o->disable_filter && str_empty(o->unix_socket))
		fprintf(stderr,
			"Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious\n");
	signal(SIGPIPE, SIG_IGN);
	TRY(str_empty(o->unix_socket) ? listen_tcp(o, &listener) : listen_unix(o->unix_socket, &listener));
	fflush(stdout);
	return accept_for_ever(proxy, listener);
}

const struct command proxy_command = {
	.name = "proxy",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Serve the API on this machine, with your credentials",
	.usage = "[--port=PORT] [--address=ADDRESS] [--api-prefix=PREFIX]",
	.examples = "# the API on port 8001, for programs that know nothing of certificates\nkubectl proxy\n"
		    "# on any free port, below /k8s/\nkubectl proxy --port=0 --api-prefix=/k8s/",
	.flags = proxy_flags,
	.options_size = sizeof(struct proxy_options),
	.run = proxy_run,
};
