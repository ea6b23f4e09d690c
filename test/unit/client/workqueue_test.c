/* The work queue's promises, on a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/str.h"
#include "client/backoff.h"
#include "client/workqueue.h"

static void expect(struct workqueue *q, const char *wanted)
{
	char *key = workqueue_try_get(q);
	if (wanted)
		assert_string_equal(str_or_empty(key), wanted);
	else
		assert_null(key);
	free(key);
}

static void keys_are_queued_once_and_in_order(void **state)
{
	(void)state;
	struct clock *clock = clock_fake_new(0);
	struct workqueue *q = workqueue_new("test", clock);
	workqueue_add(q, "a");
	workqueue_add(q, "b");
	workqueue_add(q, "a");
	assert_int_equal(workqueue_len(q), 2);
	expect(q, "a");
	expect(q, "b");
	expect(q, NULL);
	/* Added while in process: again, but only after done. */
	workqueue_add(q, "a");
	workqueue_add(q, "a");
	expect(q, NULL);
	workqueue_done(q, "a");
	expect(q, "a");
	workqueue_done(q, "a");
	workqueue_done(q, "b");
	expect(q, NULL);
	workqueue_free(q);
	clock_fake_free(clock);
}

static void work_is_counted(void **state)
{
	struct clock *clock = clock_fake_new(0);
	struct workqueue *q = workqueue_new("test", clock);
	struct workqueue_figures f;
	workqueue_add(q, "a");
	workqueue_add(q, "a"); /* waits already: no add */
	workqueue_add(q, "b");
	clock_fake_advance(clock, 50);
	expect(q, "a");
	workqueue_add(q, "a"); /* in process: once more, afterwards */
	workqueue_add(q, "a");
	clock_fake_advance(clock, 5000);
	expect(q, "b");
	clock_fake_advance(clock, 1000);
	workqueue_figures(q, &f);
	assert_int_equal(f.adds, 3);
	assert_int_equal(f.depth, 0);
	assert_true(f.unfinished_s == 7 && f.longest_s == 6);
	workqueue_done(q, "a");
	workqueue_add_rate_limited(q, "b");
	workqueue_add_after(q, "c", 1000);
	workqueue_done(q, "b");
	workqueue_figures(q, &f);
	assert_int_equal(f.depth, 1);
	assert_int_equal(f.retries, 2);
	assert_int_equal(f.waits.counts[7], 1); /* up to 0.1 s: a */
	assert_int_equal(f.waits.counts[9], 1); /* up to 10 s: b */
	assert_true(f.waits.sum_s > 5.09 && f.waits.sum_s < 5.11);
	assert_int_equal(f.syncs.counts[8], 1); /* up to 1 s: b */
	assert_int_equal(f.syncs.counts[9], 1);
	workqueue_free(q);
	clock_fake_free(clock);
}

static void delays_pass_and_the_earlier_one_counts(void **state)
{
	(void)state;
	struct clock *clock = clock_fake_new(0);
	struct workqueue *q = workqueue_new("test", clock);
	workqueue_add_after(q, "late", 1000);
	workqueue_add_after(q, "soon", 100);
	workqueue_add_after(q, "late", 50);
	workqueue_add_after(q, "late", 500);
	clock_fake_advance(clock, 49);
	expect(q, NULL);
	clock_fake_advance(clock, 1);
	expect(q, "late");
	workqueue_done(q, "late");
	clock_fake_advance(clock, 50);
	expect(q, "soon");
	workqueue_done(q, "soon");
	clock_fake_advance(clock, 2000);
	expect(q, NULL);
	workqueue_free(q);
	clock_fake_free(clock);
}

static void failures_back_off_and_are_forgotten(void **state)
{
	(void)state;
	struct clock *clock = clock_fake_new(0);
	struct workqueue_options options = {.qps = -1, .max_delay_ms = 100};
	struct workqueue *q = workqueue_new_with("test", clock, &options);
	static const int delays[] = {5, 10, 20, 40, 80, 100, 100};
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		workqueue_add_rate_limited(q, "k");
		assert_int_equal(workqueue_requeues(q, "k"), i + 1);
		clock_fake_advance(clock, delays[i] - 1);
		expect(q, NULL);
		clock_fake_advance(clock, 1);
		expect(q, "k");
		workqueue_done(q, "k");
	}
	workqueue_forget(q, "k");
	assert_int_equal(workqueue_requeues(q, "k"), 0);
	workqueue_add_rate_limited(q, "k");
	clock_fake_advance(clock, 5);
	expect(q, "k");
	workqueue_done(q, "k");
	workqueue_free(q);
	clock_fake_free(clock);
}

static void the_overall_limit_holds_many_keys_back(void **state)
{
	(void)state;
	struct clock *clock = clock_fake_new(0);
	struct workqueue *q = workqueue_new("test", clock);
	char name[16];
	for (int i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "%d", i);
		workqueue_add_rate_limited(q, name);
	}
	clock_fake_advance(clock, 5);
	assert_int_equal(workqueue_len(q), 100); /* the burst */
	clock_fake_advance(clock, 1000);
	assert_int_equal(workqueue_len(q), 110); /* ten a second */
	workqueue_free(q);
	clock_fake_free(clock);
}

static void shutdown_hands_out_the_rest_and_takes_no_more(void **state)
{
	(void)state;
	struct workqueue *q = workqueue_new("test", clock_system());
	workqueue_add(q, "a");
	workqueue_add_after(q, "never", 60000);
	workqueue_shutdown(q);
	workqueue_add(q, "b");
	char *key = workqueue_get(q);
	assert_string_equal(key, "a");
	workqueue_done(q, key);
	free(key);
	assert_null(workqueue_get(q));
	workqueue_free(q);
}

struct syncs {
	atomic_int n, running, failures_left;
	struct workqueue *q;
};

static struct status *sync_key(void *data, struct arena *arena, const char *key)
{
	struct syncs *s = data;
	(void)arena, (void)key;
	assert_int_equal(atomic_fetch_add(&s->running, 1), 0); /* one key is never synced twice at a time */
	atomic_fetch_sub(&s->running, 1);
	if (atomic_fetch_sub(&s->failures_left, 1) > 0)
		return status_new(STATUS_CONFLICT, "not yet");
	if (atomic_fetch_add(&s->n, 1) == 99)
		workqueue_shutdown(s->q);
	else
		workqueue_add(s->q, key);
	return NULL;
}

static void workers_sync_until_shutdown(void **state)
{
	(void)state;
	struct syncs s = {.failures_left = 3};
	s.q = workqueue_new("test", clock_system());
	struct workqueue_run *run = workqueue_run(s.q, 4, sync_key, &s);
	workqueue_add(s.q, "only");
	workqueue_join(run);
	assert_int_equal(atomic_load(&s.n), 100);
	workqueue_free(s.q);
}

static int n_threads(void)
{
	int n = 0;
	DIR *dir = opendir("/proc/self/task");
	for (struct dirent *e; (e = readdir(dir));)
		n += *e->d_name != '.';
	closedir(dir);
	return n;
}

enum { AT_ONCE = 3 };
struct meeting {
	sem_t here, go;
	atomic_int n;
};

static struct status *meet(void *data, struct arena *arena, const char *key)
{
	struct meeting *m = data;
	(void)arena, (void)key;
	atomic_fetch_add(&m->n, 1);
	sem_post(&m->here);
	sem_wait(&m->go);
	return NULL;
}

static void add_keys(struct workqueue *q, const char *prefix, int n)
{
	char key[32];
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s%d", prefix, i);
		workqueue_add(q, key);
	}
}

static void threads_come_with_keys_as_many_as_may_be(void **state)
{
	struct meeting m = {.n = 0};
	sem_init(&m.here, 0, 0);
	sem_init(&m.go, 0, 0);
	struct workqueue *q = workqueue_new("test", clock_system());
	const int before = n_threads();
	struct workqueue_run *run = workqueue_run(q, AT_ONCE, meet, &m);
	assert_int_equal(n_threads(), before);
	/* One key is one thread's; what is delayed is waited for by another. */
	add_keys(q, "a", 1);
	workqueue_add_after(q, "later", 1);
	sem_wait(&m.here);
	sem_wait(&m.here);
	assert_true(n_threads() <= before + AT_ONCE);
	/* No more at once than are allowed, and the rest afterwards. */
	add_keys(q, "b", 4);
	sem_wait(&m.here);
	assert_int_equal(atomic_load(&m.n), AT_ONCE);
	assert_int_equal(workqueue_len(q), 3);
	for (int i = 0; i < 6; i++)
		sem_post(&m.go);
	for (int i = 0; i < 3; i++)
		sem_wait(&m.here);
	workqueue_shutdown(q);
	workqueue_join(run);
	assert_int_equal(atomic_load(&m.n), 6);
	workqueue_free(q);
	sem_destroy(&m.here);
	sem_destroy(&m.go);
}

static void rate_limiter_refills(void **state)
{
	(void)state;
	struct clock *clock = clock_fake_new(0);
	struct rate_limiter *r = rate_limiter_new(clock, 10, 2);
	assert_true(rate_limiter_try(r));
	assert_true(rate_limiter_try(r));
	assert_false(rate_limiter_try(r));
	clock_fake_advance(clock, 100);
	assert_true(rate_limiter_try(r));
	assert_int_equal(rate_limiter_reserve(r), 100);
	assert_int_equal(rate_limiter_reserve(r), 200);
	rate_limiter_cancel(r);
	assert_int_equal(rate_limiter_reserve(r), 200);
	rate_limiter_free(r);
	struct backoff b = {.base_ms = 800, .max_ms = 30000, .factor = 2, .reset_ms = 120000};
	static const int delays[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		assert_int_equal(backoff_next(&b, clock), delays[i]);
	clock_fake_advance(clock, 120001);
	assert_int_equal(backoff_next(&b, clock), 800);
	clock_fake_free(clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_queued_once_and_in_order),
		cmocka_unit_test(work_is_counted),
		cmocka_unit_test(delays_pass_and_the_earlier_one_counts),
		cmocka_unit_test(failures_back_off_and_are_forgotten),
		cmocka_unit_test(the_overall_limit_holds_many_keys_back),
		cmocka_unit_test(shutdown_hands_out_the_rest_and_takes_no_more),
		cmocka_unit_test(workers_sync_until_shutdown),
		cmocka_unit_test(threads_come_with_keys_as_many_as_may_be),
		cmocka_unit_test(rate_limiter_refills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
