/* Bytes through an outlet, to a client that is slow to read, in every way in which they are sealed; and then GnuTLS
 * goes on with the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/str.h"
#include "pki/pki.h"
#include "serve/outlet.h"

#define TOTAL 3000000
static const char farewell[] = "and GnuTLS goes on";

struct client {
	int fd;
	const char *priority; /* NULL: plain */
	sem_t read_on;
	struct strbuf got;
	bool ended_well;
};

static void read_plain(struct client *c)
{
	char buf[4096];
	ssize_t n;
	while ((n = read(c->fd, buf, sizeof(buf))) > 0)
		strbuf_add(&c->got, buf, (size_t)n);
	c->ended_well = n == 0;
}

static void read_session(struct client *c, gnutls_session_t session)
{
	char buf[20000];
	ssize_t n;
	while ((n = gnutls_record_recv(session, buf, sizeof(buf))) > 0)
		strbuf_add(&c->got, buf, (size_t)n);
	c->ended_well = n == 0;
}

static void *run_client(void *data)
{
	struct client *c = data;
	gnutls_session_t session = NULL;
	gnutls_certificate_credentials_t none;
	gnutls_certificate_allocate_credentials(&none);
	if (c->priority) {
		gnutls_init(&session, GNUTLS_CLIENT);
		gnutls_priority_set_direct(session, c->priority, NULL);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, none);
		gnutls_transport_set_int(session, c->fd);
		while (gnutls_handshake(session) < 0)
			;
	}
	sem_wait(&c->read_on);
	if (session)
		read_session(c, session);
	else
		read_plain(c);
	if (session)
		gnutls_deinit(session);
	gnutls_certificate_free_credentials(none);
	return NULL;
}

static gnutls_certificate_credentials_t credentials(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	const struct pki_subject subject = {.common_name = "server", .usages = PKI_SERVER_AUTH | PKI_DIGITAL_SIGNATURE};
	gnutls_certificate_credentials_t ret;
	assert_null(pki_key_generate(PKI_ECDSA_P256, &key));
	assert_null(pki_cert_self_signed(key, &subject, 1, INT32_MAX, &cert));
	gnutls_datum_t cert_pem = {(unsigned char *)(uintptr_t)pki_cert_pem(arena, cert), 0};
	gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)pki_key_pem(arena, key), 0};
	cert_pem.size = (unsigned)strlen((char *)cert_pem.data);
	key_pem.size = (unsigned)strlen((char *)key_pem.data);
	gnutls_certificate_allocate_credentials(&ret);
	assert_int_equal(gnutls_certificate_set_x509_key_mem(ret, &cert_pem, &key_pem, GNUTLS_X509_FMT_PEM), 0);
	return ret;
}

static gnutls_session_t accept_session(int fd, const char *priority, gnutls_certificate_credentials_t own)
{
	gnutls_session_t session;
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK);
	gnutls_priority_set_direct(session, priority, NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, own);
	gnutls_transport_set_int(session, fd);
	int r;
	while ((r = gnutls_handshake(session)) < 0)
		if (r != GNUTLS_E_AGAIN || poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) != 1)
			fail_msg("handshake: %s", gnutls_strerror(r));
	return session;
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* Pieces of all sizes from one to beyond a record. */
static size_t fill_pieces(struct outlet_pieces *pieces, const char *data, size_t from)
{
	for (size_t i = 0; i < OUTLET_PIECES && from < TOTAL; i++) {
		size_t size = 1 + (from * 7919 + i) % (i % 3 ? 40 : 40000);
		if (size > TOTAL - from)
			size = TOTAL - from;
		outlet_piece(pieces, data + from, size);
		from += size;
	}
	return from;
}

/* Every other time somebody else sends, where that can be. */
static enum outlet_state push(struct outlet *outlet, struct outlet_room *room, int fd, size_t turn)
{
	if (turn % 2 || !outlet_is_direct(outlet))
		return outlet_push(outlet, room);
	ssize_t n = send(fd, room->data, room->size, MSG_NOSIGNAL | MSG_DONTWAIT);
	return outlet_pushed(outlet, room, n < 0 ? -errno : n);
}

static void push_all(struct outlet *outlet, struct outlet_room *room, int fd, struct client *c, size_t *full)
{
	static size_t turn;
	enum outlet_state state;
	while ((state = push(outlet, room, fd, turn++)) == OUTLET_FULL) {
		if (!(*full)++)
			sem_post(&c->read_on);
		assert_int_equal(poll(&(struct pollfd){fd, POLLOUT, 0}, 1, 10000), 1);
	}
	assert_int_equal(state, OUTLET_CLEAR);
}

static void send_all(int fd, gnutls_session_t session, struct client *c)
{
	CLEANUP_FREE struct outlet_room *room = mem_zalloc(sizeof(*room));
	CLEANUP_FREE char *data = mem_alloc(TOTAL);
	CLEANUP(outlet_freep) struct outlet *outlet = outlet_new(fd, session);
	struct outlet_pieces pieces = {0};
	size_t full = 0;
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (char)byte_at(i);
	for (size_t from = 0; from < TOTAL || pieces.n;) {
		if (!pieces.n)
			from = fill_pieces(&pieces, data, from);
		if (!outlet_fits(room))
			push_all(outlet, room, fd, c, &full);
		outlet_add(outlet, room, &pieces);
	}
	push_all(outlet, room, fd, c, &full);
	assert_true(full > 0);
}

static void test_bytes_arrive(void **state)
{
	const char *priority = *state;
	struct client c = {.priority = priority, .got = STRBUF_INIT};
	int pair[2];
	pthread_t thread;
	gnutls_session_t session = NULL;
	gnutls_certificate_credentials_t own = credentials();
	sem_init(&c.read_on, 0, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	c.fd = pair[1];
	pthread_create(&thread, NULL, run_client, &c);
	if (priority)
		session = accept_session(pair[0], priority, own);
	send_all(pair[0], session, &c);
	fcntl(pair[0], F_SETFL, 0);
	if (session) {
		assert_int_equal(gnutls_record_send(session, farewell, strlen(farewell)), strlen(farewell));
		assert_int_equal(gnutls_bye(session, GNUTLS_SHUT_WR), 0);
	} else {
		assert_int_equal(write(pair[0], farewell, strlen(farewell)), strlen(farewell));
	}
	shutdown(pair[0], SHUT_WR);
	pthread_join(thread, NULL);
	assert_true(c.ended_well);
	assert_int_equal(c.got.len, TOTAL + strlen(farewell));
	for (size_t i = 0; i < TOTAL; i++)
		if ((uint8_t)c.got.buf[i] != byte_at(i))
			fail_msg("byte %zu is %u, not %u", i, (uint8_t)c.got.buf[i], byte_at(i));
	assert_string_equal(c.got.buf + TOTAL, farewell);
	strbuf_done(&c.got);
	if (session)
		gnutls_deinit(session);
	gnutls_certificate_free_credentials(own);
	close(pair[0]);
	close(pair[1]);
}

static void test_a_peer_that_is_gone_is_told(void **state)
{
	CLEANUP_FREE struct outlet_room *room = mem_zalloc(sizeof(*room));
	struct outlet_pieces pieces = {0};
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	CLEANUP(outlet_freep) struct outlet *outlet = outlet_new(pair[0], NULL);
	outlet_piece(&pieces, "x", 1);
	outlet_add(outlet, room, &pieces);
	assert_int_equal(outlet_push(outlet, room), OUTLET_BROKEN);
	assert_int_equal(outlet_pushed(outlet, room, -EPIPE), OUTLET_BROKEN);
	close(pair[0]);
}

#define CASE(title, priority)                                                       \
	{                                                                           \
		title, test_bytes_arrive, NULL, NULL, (void *)(uintptr_t)(priority) \
	}
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:"

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("TLS 1.3, AES-128-GCM", TLS13 "+AES-128-GCM"),
		CASE("TLS 1.3, AES-256-GCM", TLS13 "+AES-256-GCM"),
		CASE("TLS 1.3, ChaCha20", TLS13 "+CHACHA20-POLY1305"),
		CASE("TLS 1.2, AES-128-GCM", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM"),
		CASE("plain", NULL),
		cmocka_unit_test(test_a_peer_that_is_gone_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
