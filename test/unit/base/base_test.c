/* The base library: strings, maps, arenas, durations, encodings, flags, loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/stat.h>
#include "base/arena.h"
#include "base/encode.h"
#include "base/flags.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/nameset.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

static void durations_read_and_print_as_go(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *printed;
	} rows[] = {
		{"0", 0, "0s"},
		{"5s", 5000000000, "5s"},
		{"1h30m", 5400000000000, "1h30m0s"},
		{"1.5s", 1500000000, "1.5s"},
		{"300ms", 300000000, "300ms"},
		{"1m0.05s", 60050000000, "1m0.05s"},
		{"-2m", -120000000000, "-2m0s"},
		{"15us", 15000, "15\xc2\xb5s"},
		{"7ns", 7, "7ns"},
		{".5h", 1800000000000, "30m0s"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ns = -1;
		char buf[40];
		assert_true(duration_parse(rows[i].text, &ns));
		assert_int_equal(ns, rows[i].ns);
		assert_string_equal(duration_format(ns, buf), rows[i].printed);
	}
	static const struct {
		const char *text, *problem;
	} bad[] = {
		{"", "time: invalid duration \"\""},
		{"5", "time: missing unit in duration \"5\""},
		{"1h5", "time: missing unit in duration \"1h5\""},
		{"s", "time: invalid duration \"s\""},
		{"5x", "time: unknown unit \"x\" in duration \"5x\""},
		{"5\"\t\xc3\xa4", "time: unknown unit \"\\\"\\x09\\xc3\\xa4\" in duration \"5\\\"\\x09\\xc3\\xa4\""},
		{"1h-5m", "time: unknown unit \"h-\" in duration \"1h-5m\""},
		{"99999999999h", "time: invalid duration \"99999999999h\""},
		{"--5s", "time: invalid duration \"--5s\""},
		{"1.s.s", "time: invalid duration \"1.s.s\""},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	assert_null(duration_problem(arena, "1h"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t ns;
		if (duration_parse(bad[i].text, &ns))
			fail_msg("%s was read as a duration", bad[i].text);
		assert_string_equal(duration_problem(arena, bad[i].text), bad[i].problem);
	}
}

static void base64_survives_a_round_trip(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char *const rows[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *data;
		size_t size;
		assert_string_equal(base64_encode(arena, rows[i][0], strlen(rows[i][0])), rows[i][1]);
		assert_true(base64_decode(arena, rows[i][1], strlen(rows[i][1]), &data, &size));
		assert_int_equal(size, strlen(rows[i][0]));
		assert_memory_equal(data, rows[i][0], size);
	}
	static const char *const bad[] = {"Zg", "Zg=", "Z", "Z*==", "Zg==Zg==", "===="};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *data;
		size_t size;
		if (base64_decode(arena, bad[i], strlen(bad[i]), &data, &size))
			fail_msg("%s was read as base64", bad[i]);
	}
	assert_string_equal(base64url_encode(arena, "\xff\xfe", 2), "__4");
}

static void a_map_keeps_order_and_forgets_what_is_removed(void **state)
{
	CLEANUP(strmap_freep) struct strmap *m = strmap_new(free);
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(strmap_put(m, key, mem_strdup(key)));
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(strmap_remove(m, key));
		assert_null(strmap_get(m, key));
	}
	assert_int_equal(strmap_count(m), 500);
	for (int i = 0; i < 1000; i += 2) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(strmap_put(m, key, mem_strdup("again")));
		assert_string_equal(strmap_get(m, key), "again");
	}
	assert_false(strmap_put(m, "k1", mem_strdup("new")));
	assert_string_equal(strmap_get(m, "k1"), "new");
	int n = 0;
	STRMAP_FOREACH (m, it)
		n++;
	assert_int_equal(n, 1000);
}

static void arrays_grow_in_an_arena(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **items = NULL;
	size_t n = 0;
	for (int i = 0; i < 100; i++)
		ARENA_PUSH(arena, items, n) = arena_printf(arena, "%d", i);
	assert_int_equal(n, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(strtol(items[i], NULL, 10), i);
	char *big = arena_alloc(arena, 1 << 20);
	memset(big, 1, 1 << 20);
	assert_string_equal(items[99], "99");
}

static void a_nameset_tells_what_came_before(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct nameset set = {.arena = arena};
	/* Few are compared one by one, many are hashed: the answers are the same on both sides of the border. */
	for (int i = 0; i < 300; i++) {
		char *name = arena_printf(arena, "n%d", i);
		assert_false(nameset_has(&set, name));
		assert_true(nameset_add(&set, name));
		assert_false(nameset_add(&set, arena_strdup(arena, name)));
		assert_int_equal(nameset_find(&set, name), 2 * i);
		assert_int_equal(nameset_find(&set, "n0"), 0);
	}
	struct nameset pairs = {.arena = arena};
	assert_true(nameset_add_pair(&pairs, "TCP", 80));
	assert_true(nameset_add_pair(&pairs, "UDP", 80));
	assert_true(nameset_add_pair(&pairs, "TCP", 81));
	assert_false(nameset_add_pair(&pairs, "TCP", 80));
	assert_true(nameset_add_pair(&pairs, NULL, 80));
	assert_false(nameset_add_pair(&pairs, "", 80));
	assert_int_equal(nameset_find(&pairs, "SCTP"), SIZE_MAX);
}

static void flags_read_as_pflag(void **state)
{
	static bool b, changed;
	static int64_t n, ms;
	static char *s;
	static struct flag_list list, kept;
	const struct flag flags[] = {
		{"bool", 'b', FLAG_BOOL, &b},
		{"num", 'n', FLAG_INT, &n, "7"},
		{"text", 't', FLAG_STRING, &s, "", "", &changed},
		{"list", 0, FLAG_STRINGS, &list, "x,y"},
		{"kept", 0, FLAG_STRINGS, &kept, "x,y"},
		{"wait", 0, FLAG_DURATION, &ms},
		{NULL},
	};
	char *argv[] = {"x", "-bn", "5", "--text=a b", "pod", "--list=a,b", "--list", "c", "--wait", "1m", "--", "-z"};
	struct flag_args args;
	assert_null(flags_parse(flags, ARRAY_SIZE(argv), argv, &args));
	assert_true(b && changed);
	assert_int_equal(n, 5);
	assert_string_equal(s, "a b");
	assert_int_equal(list.n_items, 3);
	assert_string_equal(list.items[2], "c");
	assert_int_equal(kept.n_items, 2);
	assert_int_equal(ms, 60000);
	assert_int_equal(args.n_items, 2);
	assert_int_equal(args.dash_dash, 1);
	assert_string_equal(args.items[1], "-z");
	free(args.items);
	static const struct {
		const char *arg, *message;
	} bad[] = {
		{"--nope", "unknown flag: --nope"},
		{"-q", "unknown shorthand flag: 'q' in -q"},
		{"--num", "flag needs an argument: --num"},
		{"--num=x", "invalid argument \"x\" for \"--num\" flag: malformed value"},
		{"--=x", "bad flag syntax: --=x"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *v[] = {"x", (char *)bad[i].arg};
		CLEANUP_STATUS struct status *e = flags_parse(flags, 2, v, &args);
		assert_non_null(e);
		assert_string_equal(e->message, bad[i].message);
		free(args.items);
	}
}

static void push(void *data)
{
	strbuf_adds(data, "x");
}

static void append_2(void *data)
{
	strbuf_adds(data, "2");
}

static void timers_fire_in_order_of_time(void **state)
{
	struct clock *clock = clock_fake_new(0);
	struct loop *loop = loop_new(clock);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	loop_timer(loop, 20, append_2, &out);
	struct loop_timer *never = loop_timer(loop, 15, append_2, &out);
	loop_timer(loop, 10, push, &out);
	loop_turn(loop, 0);
	assert_string_equal(out.buf, "");
	loop_timer_cancel(never);
	clock_fake_advance(clock, 10);
	loop_turn(loop, 0);
	assert_string_equal(out.buf, "x");
	clock_fake_advance(clock, 10);
	loop_turn(loop, 0);
	assert_string_equal(out.buf, "x2");
	loop_post(loop, push, &out);
	loop_turn(loop, 0);
	assert_string_equal(out.buf, "x2x");
	loop_free(loop);
	clock_fake_free(clock);
}

static void count_up(void *data)
{
	__atomic_add_fetch((int *)data, 1, __ATOMIC_SEQ_CST);
}

static void workers_finish_what_is_queued(void **state)
{
	int n = 0;
	struct workers *w = workers_new("test", 3, 200);
	for (int i = 0; i < 200; i++)
		while (!workers_submit(w, count_up, &n))
			;
	workers_free(w);
	assert_int_equal(n, 200);
}

static size_t count_threads(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/task");
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Threads end when there is nothing to do for them, and start again when there is. */
static void workers_end_when_they_are_idle(void **state)
{
	int n = 0;
	const size_t before = count_threads();
	struct workers *w = workers_new("test", 3, 200);
	for (int turn = 1; turn <= 2; turn++) {
		for (int i = 0; i < 20; i++)
			assert_true(workers_submit(w, count_up, &n));
		while (count_threads() > before)
			sched_yield();
		assert_int_equal(__atomic_load_n(&n, __ATOMIC_SEQ_CST), 20 * turn);
	}
	workers_free(w);
	assert_int_equal(n, 40);
}

static void a_file_is_replaced_whole(void **state)
{
	char dir[] = "/tmp/kubec-base-XXXXXX";
	assert_non_null(mkdtemp(dir));
	CLEANUP_FREE char *deep = mem_printf("%s/a/b", dir), *path = mem_printf("%s/f", deep);
	assert_null(io_mkdirs(deep, 0755));
	assert_null(io_write_file(path, "one", 3, 0600));
	assert_null(io_write_file(path, "two!", 4, 0600));
	CLEANUP_FREE char *data = NULL;
	size_t size;
	assert_null(io_read_file(path, 100, &data, &size));
	assert_string_equal(data, "two!");
	CLEANUP_STATUS struct status *large = io_read_file(path, 3, &data, &size);
	assert_true(status_is(large, STATUS_TOO_LARGE));
	assert_null(io_remove_tree(dir));
	assert_false(io_exists(dir));
	CLEANUP_STATUS struct status *gone = io_read_file(path, 3, &data, &size);
	assert_true(status_is(gone, STATUS_NOT_FOUND));
}

/* Small wants are met from blocks: whatever their sizes, each gets bytes of its own, and so does a child process. */
static void random_bytes_are_never_handed_out_twice(void **state)
{
	enum { N = 200, SIZE = 16 };
	static uint8_t drawn[2 * N][SIZE];
	int pipes[2];
	for (int i = 0; i < N; i++)
		random_bytes(drawn[i], i % 3 ? SIZE : 8);
	assert_int_equal(pipe(pipes), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	for (int i = N; i < 2 * N; i++)
		random_bytes(drawn[i], SIZE);
	if (!child) {
		const ssize_t n = write(pipes[1], (const uint8_t *)drawn + N * SIZE, N * SIZE);
		_exit(n == N * SIZE ? 0 : 1);
	}
	static uint8_t others[N][SIZE];
	assert_int_equal(read(pipes[0], others, sizeof(others)), sizeof(others));
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
	for (int i = 0; i < 2 * N; i++) {
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(drawn[i], drawn[k], 8);
		for (int k = 0; k < N; k++)
			assert_memory_not_equal(drawn[i], others[k], 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_read_and_print_as_go),
		cmocka_unit_test(base64_survives_a_round_trip),
		cmocka_unit_test(a_map_keeps_order_and_forgets_what_is_removed),
		cmocka_unit_test(arrays_grow_in_an_arena),
		cmocka_unit_test(a_nameset_tells_what_came_before),
		cmocka_unit_test(flags_read_as_pflag),
		cmocka_unit_test(timers_fire_in_order_of_time),
		cmocka_unit_test(workers_finish_what_is_queued),
		cmocka_unit_test(workers_end_when_they_are_idle),
		cmocka_unit_test(a_file_is_replaced_whole),
		cmocka_unit_test(random_bytes_are_never_handed_out_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
