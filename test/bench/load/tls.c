/* What it costs to encrypt bytes and to send them over loopback, and nothing else: the floor under every list. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "test/bench/load/load.h"

#define PIECE (1 << 20)

struct sender {
	int listener;
	struct tls_context *tls;
	int64_t bytes;
	double cpu_s;
	struct status *failed;
};

static double thread_cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct status *send_all(struct sender *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return status_errno(errno, "accept");
	CLEANUP(stream_freep) struct stream *stream = stream_from_fd(fd);
	CLEANUP_FREE char *piece = mem_zalloc(PIECE);
	TRY(stream_start_tls(stream, s->tls, TLS_SERVER, NULL, 10000));
	double begin = thread_cpu_s();
	for (int64_t left = s->bytes; left > 0; left -= PIECE)
		TRY(stream_write_all(stream, piece, left < PIECE ? (size_t)left : PIECE, 60000));
	s->cpu_s = thread_cpu_s() - begin;
	return NULL;
}

static void *sender_main(void *data)
{
	struct sender *s = data;
	s->failed = send_all(s);
	return NULL;
}

static struct status *receive_all(struct load *l, uint16_t port)
{
	CLEANUP(tls_context_unrefp) struct tls_context *tls = NULL;
	CLEANUP(stream_freep) struct stream *stream = NULL;
	CLEANUP_FREE char *buffer = mem_alloc(65536);
	TRY(tls_context_new(&(struct tls_config){.insecure = true}, TLS_CLIENT, &tls));
	TRY(stream_dial("127.0.0.1", port, tls, 10000, &stream));
	size_t n = 1;
	for (int64_t got = 0; got < l->n && n; got += (int64_t)n)
		TRY(stream_read_some(stream, buffer, 65536, 60000, &n));
	return NULL;
}

/* --n bytes, with the certificate and key in --key FILE.crt and .key. */
struct status *load_tls(struct load *l)
{
	CLEANUP(tls_context_unrefp) struct tls_context *tls = NULL;
	const struct tls_config config = {.cert_file = arena_printf(l->arena, "%s.crt", l->key),
		.key_file = arena_printf(l->arena, "%s.key", l->key)};
	TRY(tls_context_new(&config, TLS_SERVER, &tls));
	CLEANUP_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
		getsockname(listener, (struct sockaddr *)&address, &size))
		return status_errno(errno, "listen");
	struct sender sender = {.listener = listener, .tls = tls, .bytes = l->n};
	pthread_t thread = thread_start("sender", sender_main, &sender);
	double begin = now_s();
	struct status *failed = receive_all(l, ntohs(address.sin_port));
	double ms = (now_s() - begin) * 1000;
	if (failed)
		shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	if (!failed)
		figure_print(&(struct figure){str_or(l->figure, "tls"), "ms", ms, NAN, sender.cpu_s * 1000, NAN});
	else
		status_drop(sender.failed, "the receiver's error is told");
	return failed ? failed : sender.failed;
}
