/* WebSocket: frames both ways in pieces of any size, the handshake with the example of the RFC, and violations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/str.h"
#include "net/websocket.h"

struct peer {
	struct websocket *ws;
	struct strbuf out, got;
	int n_messages, n_pongs, n_closed;
	unsigned code;
	char reason[64];
};

static void output(void *data, const void *bytes, size_t size)
{
	strbuf_add(&((struct peer *)data)->out, bytes, size);
}

static void message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	struct peer *p = data;
	(void)opcode;
	p->n_messages++;
	strbuf_add(&p->got, bytes, size);
}

static void pong(void *data, const void *bytes, size_t size)
{
	(void)bytes, (void)size;
	((struct peer *)data)->n_pongs++;
}

static void closed(void *data, unsigned code, const char *reason)
{
	struct peer *p = data;
	p->n_closed++;
	p->code = code;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
}

static const struct websocket_events events = {output, message, pong, closed};

static void peer_init(struct peer *p, enum websocket_side side)
{
	*p = (struct peer){.ws = NULL};
	strbuf_init(&p->out);
	strbuf_init(&p->got);
	p->ws = websocket_new(side, &events, p);
}

static void peer_done(struct peer *p)
{
	websocket_free(p->ws);
	strbuf_done(&p->out);
	strbuf_done(&p->got);
}

static void carry(struct peer *a, struct peer *b, size_t piece)
{
	while (a->out.len || b->out.len) {
		struct peer *from = a->out.len ? a : b, *to = from == a ? b : a;
		size_t n = from->out.len < piece ? from->out.len : piece;
		char *copy = malloc(n);
		memcpy(copy, from->out.buf, n);
		strbuf_consume(&from->out, n);
		assert_null(websocket_feed(to->ws, copy, n));
		free(copy);
	}
}

static void messages_of_all_lengths_arrive(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 200000};
	static const size_t pieces[] = {1, 1000, 1 << 20};
	char *big = calloc(1, 200000);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
			if (pieces[j] == 1 && sizes[i] > 1000)
				continue;
			struct peer client, server;
			peer_init(&client, WEBSOCKET_CLIENT);
			peer_init(&server, WEBSOCKET_SERVER);
			websocket_send(client.ws, WEBSOCKET_BINARY, big, sizes[i]);
			websocket_send_channel(server.ws, CHANNEL_STDOUT, big, sizes[i]);
			carry(&client, &server, pieces[j]);
			assert_int_equal(server.n_messages, 1);
			assert_int_equal(server.got.len, sizes[i]);
			assert_int_equal(client.n_messages, 1);
			assert_int_equal(client.got.len, sizes[i] + 1);
			assert_int_equal(client.got.buf[0], 1);
			peer_done(&client);
			peer_done(&server);
		}
	}
	free(big);
}

static void fragments_are_joined_and_control_frames_come_between(void **state)
{
	(void)state;
	struct peer client;
	peer_init(&client, WEBSOCKET_CLIENT);
	assert_null(websocket_feed(client.ws, "\x01\x03Hel", 5));
	assert_null(websocket_feed(client.ws, "\x89\x02hi", 4));
	assert_int_equal(client.n_messages, 0);
	assert_int_equal((unsigned char)client.out.buf[0], 0x8a); /* the pong */
	assert_null(websocket_feed(client.ws, "\x80\x02lo", 4));
	assert_int_equal(client.n_messages, 1);
	assert_string_equal(client.got.buf, "Hello");
	peer_done(&client);
}

static void close_is_answered_once(void **state)
{
	(void)state;
	struct peer client, server;
	peer_init(&client, WEBSOCKET_CLIENT);
	peer_init(&server, WEBSOCKET_SERVER);
	websocket_send(client.ws, WEBSOCKET_PING, "x", 1);
	websocket_close(client.ws, 1000, "done");
	websocket_send(client.ws, WEBSOCKET_TEXT, "too late", 8);
	carry(&client, &server, 3);
	assert_int_equal(client.n_pongs, 1);
	assert_int_equal(server.n_messages, 0);
	assert_int_equal(server.n_closed, 1);
	assert_int_equal(server.code, 1000);
	assert_string_equal(server.reason, "done");
	assert_int_equal(client.n_closed, 1);
	assert_true(websocket_is_closed(client.ws));
	assert_true(websocket_is_closed(server.ws));
	peer_done(&client);
	peer_done(&server);
}

static void violations_close_with_their_code(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		enum websocket_side side;
		const char *bytes;
		size_t size;
		unsigned code;
	} cases[] = {
		{"unmasked frame from a client", WEBSOCKET_SERVER, "\x82\x01x", 3, 1002},
		{"masked frame from a server", WEBSOCKET_CLIENT, "\x82\x81\0\0\0\0x", 7, 1002},
		{"reserved bit", WEBSOCKET_CLIENT, "\xc2\x01x", 3, 1002},
		{"unknown opcode", WEBSOCKET_CLIENT, "\x83\x01x", 3, 1002},
		{"unknown control opcode", WEBSOCKET_CLIENT, "\x8b\x00", 2, 1002},
		{"fragmented ping", WEBSOCKET_CLIENT, "\x09\x00", 2, 1002},
		{"long ping", WEBSOCKET_CLIENT, "\x89\x7e\x00\x7e", 4, 1002},
		{"continuation of nothing", WEBSOCKET_CLIENT, "\x80\x00", 2, 1002},
		{"message within a message", WEBSOCKET_CLIENT, "\x01\x01x\x81\x01y", 6, 1002},
		{"close of one byte", WEBSOCKET_CLIENT, "\x88\x01x", 3, 1002},
		{"close code 1005 on the wire", WEBSOCKET_CLIENT, "\x88\x02\x03\xed", 4, 1002},
		{"2^63 bytes", WEBSOCKET_CLIENT, "\x82\x7f\x80\0\0\0\0\0\0\0", 10, 1009},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer p;
		peer_init(&p, cases[i].side);
		struct status *error = websocket_feed(p.ws, cases[i].bytes, cases[i].size);
		if (!error)
			print_error("no error for %s\n", cases[i].what);
		assert_non_null(error);
		status_free(error);
		assert_int_equal((unsigned char)p.out.buf[0], 0x88);
		size_t at = cases[i].side == WEBSOCKET_CLIENT ? 6 : 2;
		unsigned high = (unsigned char)p.out.buf[at], low = (unsigned char)p.out.buf[at + 1];
		if (cases[i].side == WEBSOCKET_CLIENT) {
			high ^= (unsigned char)p.out.buf[2];
			low ^= (unsigned char)p.out.buf[3];
		}
		assert_int_equal(high << 8 | low, cases[i].code);
		peer_done(&p);
	}
}

static void handshake(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char *const ours[] = {CHANNEL_V5, CHANNEL_V4, NULL};
	struct http_header request[] = {{"connection", "keep-alive, Upgrade"}, {"Upgrade", "WebSocket"},
		{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
		{"Sec-WebSocket-Protocol", "v9.channel.k8s.io, v4.channel.k8s.io"}};
	struct http_header *answer = NULL;
	size_t n = 0;
	char *protocol;
	assert_null(websocket_server_accept(arena, request, ARRAY_SIZE(request), ours, &answer, &n, &protocol));
	assert_string_equal(http_header_get(answer, n, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_string_equal(protocol, CHANNEL_V4);
	request[4].value = "v9.channel.k8s.io";
	struct status *error =
		websocket_server_accept(arena, request, ARRAY_SIZE(request), ours, &answer, &n, &protocol);
	assert_true(status_is(error, STATUS_BAD_REQUEST));
	status_free(error);
	request[2].value = "8";
	error = websocket_server_accept(arena, request, 4, ours, &answer, &n, &protocol);
	assert_true(status_is(error, STATUS_BAD_REQUEST));
	status_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_all_lengths_arrive),
		cmocka_unit_test(fragments_are_joined_and_control_frames_come_between),
		cmocka_unit_test(close_is_answered_once),
		cmocka_unit_test(violations_close_with_their_code),
		cmocka_unit_test(handshake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
