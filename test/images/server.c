/*
 * The test server: a small HTTP server whose answers show what a test wants to see.
 *	server [--port=N] [--echo-port=N] [--version=TEXT] [--drain-ms=N] [--failing]
 * /            the host name               /version   what --version says
 * /env?NAME    an environment variable      /file?PATH a file's contents
 * /client      the peer's address           /slow?MS   answers after that time
 * /healthz     200, or 503 after /fail      /fail /recover  switch it (--failing: it begins with 503)
 * /exit?CODE   ends the process with it     /message?TEXT   writes the termination message
 * /burn?MS     keeps one CPU busy           /allocate?MB    takes memory, touches it and keeps it
 * On --echo-port it gives back every datagram and every stream as it came; "hostname" is answered with the host name.
 * On SIGTERM it goes on serving for --drain-ms, so that clients that still come are answered, then ends with 0.
 *	server get IP PORT PATH		is a client instead: prints the answer's body, fails unless it is 200
 *	server tcp|udp IP PORT TEXT	sends the text and prints what comes back
 *	server burn MS | allocate MB	does it and ends
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

static long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A number that came from outside, brought between 0 and max. */
static long number(const char *text, long max)
{
	long n = strtol(text, NULL, 10);
	return n < 0 ? 0 : n > max ? max : n;
}

static void burn(long ms)
{
	for (long end = now_ms() + ms; now_ms() < end;)
		;
}

/* Memory that stays taken: every page is written. Returns false when there is none. */
static bool allocate(long mb)
{
	size_t size = (size_t)mb << 20;
	char *memory = malloc(size);
	for (size_t i = 0; memory && i < size; i += 4096)
		((volatile char *)memory)[i] = 1;
	return memory != NULL;
}

static bool write_message(const char *text)
{
	FILE *file = fopen("/dev/termination-log", "we");
	if (!file)
		return false;
	bool written = fputs(text, file) >= 0;
	return !fclose(file) && written;
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
		sleep_ms(number(query, 600000));
		reply(fd, 200, host);
	} else if (!strcmp(path, "/healthz")) {
		reply(fd, failing ? 503 : 200, failing ? "failing\n" : "ok\n");
	} else if (!strcmp(path, "/fail") || !strcmp(path, "/recover")) {
		failing = !strcmp(path, "/fail");
		reply(fd, 200, "ok\n");
	} else if (!strcmp(path, "/burn")) {
		burn(number(query, 600000));
		reply(fd, 200, "ok\n");
	} else if (!strcmp(path, "/allocate")) {
		bool done = allocate(number(query, 4096));
		reply(fd, done ? 200 : 507, done ? "ok\n" : "no memory\n");
	} else if (!strcmp(path, "/message")) {
		bool done = write_message(query);
		reply(fd, done ? 200 : 500, done ? "ok\n" : "no termination log\n");
	} else if (!strcmp(path, "/exit")) {
		reply(fd, 200, "ok\n");
		_exit((int)number(query, 255));
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

/* Writes the answer to n bytes of text: the host name to "hostname", and else the same again. */
static void echo_to(int fd, const char *text, size_t n, const struct sockaddr_in *to)
{
	char host[256] = "";
	if (n >= 8 && !strncmp(text, "hostname", 8)) {
		gethostname(host, sizeof(host) - 1);
		text = host;
		n = strlen(host);
	}
	if (sendto(fd, text, n, 0, (const struct sockaddr *)to, to ? sizeof(*to) : 0) < 0)
		perror("echo");
}

static void *echo_stream(void *data)
{
	int fd = (int)(long)data;
	char text[4096];
	for (ssize_t n; poll(&(struct pollfd){fd, POLLIN, 0}, 1, 60000) > 0 && (n = read(fd, text, sizeof(text))) > 0;)
		echo_to(fd, text, (size_t)n, NULL);
	close(fd);
	return NULL;
}

static int listen_on(int port, int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || (type == SOCK_STREAM && listen(fd, 512))) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void in_thread(void *(*run)(void *), int fd)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run, (void *)(long)fd))
		close(fd);
	else
		pthread_detach(thread);
}

static void accept_one(int listener, void *(*run)(void *))
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		in_thread(run, fd);
}

static void *echo_datagrams(void *data)
{
	char text[4096];
	struct sockaddr_in from;
	while (!stopping) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom((int)(long)data, text, sizeof(text), 0, (struct sockaddr *)&from, &size);
		if (n >= 0)
			echo_to((int)(long)data, text, (size_t)n, &from);
	}
	return NULL;
}

static void *echo_streams(void *data)
{
	while (!stopping)
		accept_one((int)(long)data, echo_stream);
	return NULL;
}

/* A socket to an address, that waits five seconds at most; -1 when it cannot be reached. */
static int connect_to(const char *ip, const char *port, int type)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port, 65535))};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (inet_pton(AF_INET, ip, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return -1;
	}
	return fd;
}

static int get(const char *ip, const char *port, const char *path)
{
	char text[16384];
	size_t size = 0;
	int fd = connect_to(ip, port, SOCK_STREAM);
	if (fd < 0)
		return 1;
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

static int echo(int type, const char *ip, const char *port, const char *text)
{
	char answer_text[4096];
	int fd = connect_to(ip, port, type);
	if (fd < 0 || send(fd, text, strlen(text), 0) < 0)
		return 1;
	ssize_t n = recv(fd, answer_text, sizeof(answer_text), 0);
	if (n < 0)
		return 1;
	printf("%.*s\n", (int)n, answer_text);
	return 0;
}

/* The commands that are not the server. Returns the exit code, -1 when the words are none of them. */
static int command(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "burn"))
		return burn(number(argv[2], 600000)), 0;
	if (argc == 3 && !strcmp(argv[1], "allocate"))
		return !allocate(number(argv[2], 4096));
	if (argc != 5)
		return -1;
	if (!strcmp(argv[1], "get"))
		return get(argv[2], argv[3], argv[4]);
	if (!strcmp(argv[1], "tcp") || !strcmp(argv[1], "udp"))
		return echo(argv[1][0] == 't' ? SOCK_STREAM : SOCK_DGRAM, argv[2], argv[3], argv[4]);
	return -1;
}

static void serve_until_told(int listener, long drain_ms)
{
	for (long left_ms = -1; left_ms != 0;) {
		if (stopping)
			left_ms = left_ms < 0 ? drain_ms : left_ms > 20 ? left_ms - 20 : 0;
		if (poll(&(struct pollfd){listener, POLLIN, 0}, 1, 20) > 0)
			accept_one(listener, serve);
	}
}

int main(int argc, char **argv)
{
	int port = 8080, echo_port = 0, status = command(argc, argv);
	long drain_ms = 0;
	if (status >= 0)
		return status;
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--port=", 7))
			port = (int)number(argv[i] + 7, 65535);
		else if (!strncmp(argv[i], "--echo-port=", 12))
			echo_port = (int)number(argv[i] + 12, 65535);
		else if (!strncmp(argv[i], "--version=", 10))
			version = argv[i] + 10;
		else if (!strncmp(argv[i], "--drain-ms=", 11))
			drain_ms = number(argv[i] + 11, 600000);
		else if (!strcmp(argv[i], "--failing"))
			failing = true;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	int listener = listen_on(port, SOCK_STREAM);
	if (echo_port) {
		in_thread(echo_streams, listen_on(echo_port, SOCK_STREAM));
		in_thread(echo_datagrams, listen_on(echo_port, SOCK_DGRAM));
	}
	printf("serving version %s on port %d\n", version, port);
	fflush(stdout);
	serve_until_told(listener, drain_ms);
	return 0;
}
