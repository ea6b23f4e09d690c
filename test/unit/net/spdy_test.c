/* Two SPDY sessions talking to each other through memory, and what a hostile peer may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/str.h"
#include "net/spdy.h"

struct peer {
	struct spdy *spdy;
	struct strbuf out; /* for the other side */
	struct strbuf got; /* data of all streams */
	char opened[64];   /* streamtype of the last stream the other side opened */
	int n_opened, n_replied, n_ended, n_closed, n_reset, n_goaway;
	bool echo;
};

static void output(void *data, const void *bytes, size_t size)
{
	strbuf_add(&((struct peer *)data)->out, bytes, size);
}

static void opened(void *data, struct spdy_stream *st)
{
	struct peer *p = data;
	p->n_opened++;
	snprintf(p->opened, sizeof(p->opened), "%s", str_or_empty(spdy_stream_header(st, "streamType")));
	spdy_reply(st, NULL, 0, false);
}

static void replied(void *data, struct spdy_stream *st)
{
	(void)st;
	((struct peer *)data)->n_replied++;
}

static void on_data(void *data, struct spdy_stream *st, const void *bytes, size_t size, bool end)
{
	struct peer *p = data;
	strbuf_add(&p->got, bytes, size);
	if (p->echo && size)
		spdy_write(st, bytes, size);
	if (end) {
		p->n_ended++;
		spdy_end(st);
	}
}

static void closed(void *data, struct spdy_stream *st, bool reset)
{
	struct peer *p = data;
	(void)st;
	p->n_closed++;
	p->n_reset += reset;
}

static void goaway(void *data)
{
	((struct peer *)data)->n_goaway++;
}

static const struct spdy_events events = {output, opened, replied, on_data, closed, goaway};

static void peer_init(struct peer *p, enum spdy_side side)
{
	*p = (struct peer){.spdy = NULL};
	strbuf_init(&p->out);
	strbuf_init(&p->got);
	p->spdy = spdy_new(side, &events, p);
}

static void peer_done(struct peer *p)
{
	spdy_free(p->spdy);
	strbuf_done(&p->out);
	strbuf_done(&p->got);
}

/* Carries bytes over, in pieces of a size, until both are silent. */
static void carry(struct peer *a, struct peer *b, size_t piece)
{
	while (a->out.len || b->out.len) {
		struct peer *from = a->out.len ? a : b, *to = from == a ? b : a;
		size_t n = from->out.len < piece ? from->out.len : piece;
		char *copy = malloc(n);
		memcpy(copy, from->out.buf, n);
		strbuf_consume(&from->out, n);
		assert_null(spdy_feed(to->spdy, copy, n));
		free(copy);
	}
}

static void streams_carry_data_both_ways(void **state)
{
	(void)state;
	static const size_t pieces[] = {1, 1000, 4096, 1 << 20};
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct peer client, server;
		peer_init(&client, SPDY_CLIENT);
		peer_init(&server, SPDY_SERVER);
		server.echo = true;
		struct http_header headers[] = {{"streamType", "stdin"}, {"port", "80"}};
		struct spdy_stream *st = spdy_open(client.spdy, headers, 2, false);
		assert_int_equal(spdy_stream_id(st), 1);
		char big[100000];
		size_t size = pieces[i] == 1 ? 3000 : sizeof(big);
		memset(big, 'x', sizeof(big));
		spdy_write(st, "hello ", 6);
		spdy_write(st, big, size);
		carry(&client, &server, pieces[i]);
		assert_string_equal(server.opened, "stdin");
		assert_int_equal(client.n_replied, 1);
		assert_int_equal(server.got.len, size + 6);
		assert_int_equal(client.got.len, size + 6);
		assert_memory_equal(client.got.buf, "hello xxxx", 10);
		spdy_end(st);
		carry(&client, &server, pieces[i]);
		assert_int_equal(server.n_ended, 1);
		assert_int_equal(server.n_closed, 1);
		assert_int_equal(client.n_closed, 1);
		assert_int_equal(spdy_n_streams(client.spdy), 0);
		assert_int_equal(spdy_n_streams(server.spdy), 0);
		peer_done(&client);
		peer_done(&server);
	}
}

static void header_state_lasts_over_streams(void **state)
{
	(void)state;
	struct peer client, server;
	peer_init(&client, SPDY_CLIENT);
	peer_init(&server, SPDY_SERVER);
	static const char *const types[] = {"error", "stdin", "stdout", "stderr", "resize"};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct http_header header = {"streamtype", (char *)types[i]};
		spdy_open(client.spdy, &header, 1, false);
		carry(&client, &server, 3);
		assert_string_equal(server.opened, types[i]);
	}
	assert_int_equal(server.n_opened, 5);
	peer_done(&client);
	peer_done(&server);
}

static void reset_ping_and_goaway(void **state)
{
	(void)state;
	struct peer client, server;
	peer_init(&client, SPDY_CLIENT);
	peer_init(&server, SPDY_SERVER);
	struct spdy_stream *st = spdy_open(client.spdy, NULL, 0, false);
	carry(&client, &server, 100);
	spdy_reset(st);
	spdy_ping(client.spdy);
	size_t ping = client.out.len;
	carry(&client, &server, 100);
	assert_true(ping > 0);
	assert_int_equal(server.n_reset, 1);
	assert_int_equal(client.n_closed, 0);
	spdy_goaway(server.spdy);
	carry(&client, &server, 100);
	assert_int_equal(client.n_goaway, 1);
	/* After it no stream is accepted. */
	spdy_open(client.spdy, NULL, 0, false);
	carry(&client, &server, 100);
	assert_int_equal(client.n_reset, 1);
	peer_done(&client);
	peer_done(&server);
}

static void violations_are_errors(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
	} cases[] = {
		{"version 2", "\x80\x02\0\x01\0\0\0\x0a\0\0\0\x01\0\0\0\0\0\0", 18},
		{"short SYN_STREAM", "\x80\x03\0\x01\0\0\0\x04\0\0\0\x01", 12},
		{"even id from a client", "\x80\x03\0\x01\0\0\0\x0a\0\0\0\x02\0\0\0\0\0\0", 18},
		{"stream id 0", "\x80\x03\0\x01\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0", 18},
		{"headers that are no zlib", "\x80\x03\0\x01\0\0\0\x0e\0\0\0\x01\0\0\0\0\0\0zzzz", 22},
		{"control frame of 16 MiB", "\x80\x03\0\x01\0\xff\xff\xff", 8},
		{"short RST_STREAM", "\x80\x03\0\x03\0\0\0\x04\0\0\0\x01", 12},
		{"short PING", "\x80\x03\0\x06\0\0\0\x02\0\0", 10},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer server;
		peer_init(&server, SPDY_SERVER);
		struct status *error = spdy_feed(server.spdy, cases[i].bytes, cases[i].size);
		if (!error)
			print_error("no error for %s\n", cases[i].what);
		assert_non_null(error);
		assert_int_equal(error->reason, STATUS_BAD_REQUEST);
		status_free(error);
		/* And from then on nothing is looked at. */
		assert_null(spdy_feed(server.spdy, "anything", 8));
		peer_done(&server);
	}
}

static void unknown_things_are_passed_over(void **state)
{
	(void)state;
	struct peer server;
	peer_init(&server, SPDY_SERVER);
	/* Data for no stream, SETTINGS, WINDOW_UPDATE, an unknown type, a reset of nothing. */
	assert_null(spdy_feed(server.spdy,
		"\0\0\0\x09\x01\0\0\x03"
		"abc",
		11));
	assert_null(spdy_feed(server.spdy, "\x80\x03\0\x04\0\0\0\x04\0\0\0\0", 12));
	assert_null(spdy_feed(server.spdy, "\x80\x03\0\x09\0\0\0\x08\0\0\0\0\0\0\0\x01", 16));
	assert_null(spdy_feed(server.spdy, "\x80\x03\0\x63\0\0\0\0", 8));
	assert_null(spdy_feed(server.spdy, "\x80\x03\0\x03\0\0\0\x08\0\0\0\x01\0\0\0\x05", 16));
	assert_int_equal(server.got.len, 0);
	peer_done(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_carry_data_both_ways),
		cmocka_unit_test(header_state_lasts_over_streams),
		cmocka_unit_test(reset_ping_and_goaway),
		cmocka_unit_test(violations_are_errors),
		cmocka_unit_test(unknown_things_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
