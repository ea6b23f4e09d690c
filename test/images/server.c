/*
 * The test server: a small HTTP server whose answers show what a test wants to see.
 *	server [--port=N] [--version=TEXT] [--drain-ms=N]
 * /            the host name               /version   what --version says
 * /env?NAME    an environment variable      /file?PATH a file's contents
 * /client      the peer's address           /slow?MS   answers after that time
 * /healthz     200, or 503 after /fail      /fail /recover  switch it
 * /exit?CODE   ends the process with it
 *	server get IP PORT PATH    is a client instead: prints the answer's body, fails unless it is 200
 * On SIGTERM it goes on serving for --drain-ms, so that clients that still come are answered, then ends with 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *version = "1";
static atomic_bool failing;
static atomic_bool stopping;

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void reply(int fd, int code, const char *text)
{
	char head[160];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", code,
		code == 200 ? "OK" : "Not OK", strlen(text));
	if (write(fd, head, (size_t)n) < 0 || write(fd, text, strlen(text)) < 0)
		return;
}

static void reply_file(int fd, const char *path)
{
	char text[8192] = "";
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[n] = '\0';
	if (file)
		fclose(file);
	reply(fd, file ? 200 : 404, file ? text : "no such file\n");
}

static void reply_peer(int fd)
{
	char text[INET6_ADDRSTRLEN + 1] = "";
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	if (!getpeername(fd, (struct sockaddr *)&peer, &size))
		inet_ntop(AF_INET, &peer.sin_addr, text, sizeof(text));
	reply(fd, 200, text);
}

static void answer(int fd, const char *path, const char *query)
{
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	if (!strcmp(path, "/")) {
		reply(fd, 200, host);
	} else if (!strcmp(path, "/version")) {
		reply(fd, 200, version);
	} else if (!strcmp(path, "/env")) {
		reply(fd, getenv(query) ? 200 : 404, getenv(query) ? getenv(query) : "unset\n");
	} else if (!strcmp(path, "/file")) {
		reply_file(fd, query);
	} else if (!strcmp(path, "/client")) {
		reply_peer(fd);
	} else if (!strcmp(path, "/slow")) {
		sleep_ms(strtol(query, NULL, 10));
		reply(fd, 200, host);
	} else if (!strcmp(path, "/healthz")) {
		reply(fd, failing ? 503 : 200, failing ? "failing\n" : "ok\n");
	} else if (!strcmp(path, "/fail") || !strcmp(path, "/recover")) {
		failing = !strcmp(path, "/fail");
		reply(fd, 200, "ok\n");
	} else if (!strcmp(path, "/exit")) {
		reply(fd, 200, "ok\n");
		_exit((int)strtol(query, NULL, 10));
	} else {
		reply(fd, 404, "no such page\n");
	}
}

static void *serve(void *data)
{
	int fd = (int)(long)data;
	char request[4096];
	size_t n = 0;
	while (n < sizeof(request) - 1 && poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) > 0) {
		ssize_t got = read(fd, request + n, sizeof(request) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		request[n] = '\0';
		if (!strstr(request, "\r\n\r\n"))
			continue;
		char *path = strchr(request, ' '), *end = path ? strchr(path + 1, ' ') : NULL;
		if (end) {
			*end = '\0';
			char *query = strchr(path + 1, '?');
			if (query)
				*query = '\0';
			answer(fd, path + 1, query ? query + 1 : "");
		}
		break;
	}
	close(fd);
	return NULL;
}

static void on_term(int signal_number)
{
	stopping = true;
}

static int listen_on(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 512)) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static int get(const char *ip, const char *port, const char *path)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(port, NULL, 10))};
	struct timeval patience = {.tv_sec = 5};
	char text[16384];
	size_t size = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (inet_pton(AF_INET, ip, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return 1;
	}
	dprintf(fd, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, ip);
	for (ssize_t n; size < sizeof(text) - 1 && (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0;)
		size += (size_t)n;
	text[size] = '\0';
	const char *body = strstr(text, "\r\n\r\n");
	if (!body || strncmp(text, "HTTP/1.1 200", 12))
		return 1;
	fputs(body + 4, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "get"))
		return get(argv[2], argv[3], argv[4]);
	int port = 8080;
	long drain_ms = 0, left_ms = -1;
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--port=", 7))
			port = (int)strtol(argv[i] + 7, NULL, 10);
		else if (!strncmp(argv[i], "--version=", 10))
			version = argv[i] + 10;
		else if (!strncmp(argv[i], "--drain-ms=", 11))
			drain_ms = strtol(argv[i] + 11, NULL, 10);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	int listener = listen_on(port);
	printf("serving version %s on port %d\n", version, port);
	fflush(stdout);
	while (left_ms != 0) {
		if (stopping)
			left_ms = left_ms < 0 ? drain_ms : left_ms > 20 ? left_ms - 20 : 0;
		if (poll(&(struct pollfd){listener, POLLIN, 0}, 1, 20) <= 0)
			continue;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;
		if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)fd))
			pthread_detach(thread);
	}
	return 0;
}
