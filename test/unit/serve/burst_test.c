/* Many sockets in one call: each gets its own bytes, and a full or a broken one is told without harm to the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve/burst.h"

#define ROUNDS 50 /* the rings go round */

static struct burst *new_burst(void)
{
	struct burst *burst = burst_new();
	if (!burst)
		skip(); /* the kernel does not offer io_uring, or not to us */
	return burst;
}

static void each_gets_its_own(void **state)
{
	struct burst *burst = new_burst();
	int pairs[BURST_MOST][2];
	ssize_t results[BURST_MOST];
	char texts[BURST_MOST][32], got[32];
	for (int i = 0; i < BURST_MOST; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
	for (int round = 0; round < ROUNDS; round++) {
		const int n = 1 + round % BURST_MOST;
		for (int i = 0; i < n; i++) {
			snprintf(texts[i], sizeof(texts[i]), "%d of %d", i, round);
			burst_add(burst, pairs[i][0], texts[i], strlen(texts[i]) + 1);
		}
		burst_send(burst, results);
		for (int i = 0; i < n; i++) {
			assert_int_equal(results[i], strlen(texts[i]) + 1);
			assert_int_equal(recv(pairs[i][1], got, sizeof(got), MSG_DONTWAIT), results[i]);
			assert_string_equal(got, texts[i]);
		}
	}
	for (int i = 0; i < BURST_MOST; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	burst_free(burst);
}

static void full_and_broken_sockets_are_told(void **state)
{
	static char much[1 << 20];
	struct burst *burst = new_burst();
	int full[2], broken[2], well[2];
	ssize_t results[BURST_MOST];
	char got[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, full), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, broken), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, well), 0);
	close(broken[1]);
	burst_add(burst, full[0], much, sizeof(much));
	burst_add(burst, full[0], "x", 1);
	burst_add(burst, broken[0], "x", 1);
	burst_add(burst, well[0], "x", 1);
	burst_send(burst, results);
	assert_in_range(results[0], 1, sizeof(much) - 1);
	assert_int_equal(results[1], -EAGAIN);
	assert_int_equal(results[2], -EPIPE);
	assert_int_equal(results[3], 1);
	assert_int_equal(recv(well[1], got, sizeof(got), MSG_DONTWAIT), 1);
	close(full[0]);
	close(full[1]);
	close(broken[0]);
	close(well[0]);
	close(well[1]);
	burst_free(burst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_its_own),
		cmocka_unit_test(full_and_broken_sockets_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
