/* Which address of this host others are told. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "net/host.h"

/* Whether the shell ran it. */
static bool run(const char *command)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	int ended;
	pid_t pid = fork();
	if (!pid) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &ended, 0) == pid && ended == 0;
}

static void is_told(const char *bind_address, const char *expected)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	assert_string_equal(host_address(arena, bind_address), expected);
}

/* In a network of the test's own, which has nothing at first. */
static void others_are_told_the_address_of_the_default_route(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	is_told("10.1.2.3", "10.1.2.3");
	is_told("fd00::3", "fd00::3");
	is_told("0.0.0.0", "");
	is_told("127.0.0.1", "");
	/* Without a route: the first address that is not the link's own. */
	assert_true(run("ip link set lo up && ip link add v1 type veth peer name v2 && ip link add v3 type veth "
			"peer name v4 &&"
			" for i in v1 v2 v3 v4; do ip link set $i up; done &&"
			" ip address add 169.254.1.1/24 dev v1 && ip address add 10.8.0.1/24 dev v1"));
	is_told("0.0.0.0", "10.8.0.1");
	is_told("::", "10.8.0.1");
	/* The default route says which interface. */
	assert_true(run("ip address add 10.9.0.1/24 dev v3 && ip route add default via 10.9.0.2"));
	is_told("0.0.0.0", "10.9.0.1");
	is_told("127.0.0.1", "10.9.0.1");
	is_told("::1", "10.9.0.1");
	assert_true(run("ip address add fd09::1/64 dev v3 nodad && ip route add default via fd09::2"));
	is_told("0.0.0.0", "10.9.0.1");
	is_told("::1", "fd09::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_are_told_the_address_of_the_default_route),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
