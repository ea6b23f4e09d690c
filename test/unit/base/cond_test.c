/* Waits end when they are woken, or when their time has passed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/cond.h"
#include "base/workers.h"

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

static void *wake(void *data)
{
	struct shared *s = data;
	pthread_mutex_lock(&s->lock);
	s->done = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void test_waits_end(void **state)
{
	struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
	cond_init(&s.changed);
	pthread_mutex_lock(&s.lock);
	const int64_t begin_ms = clock_mono_ms(clock_system());
	assert_false(cond_wait_for(&s.changed, &s.lock, 0));
	assert_false(cond_wait_for(&s.changed, &s.lock, -5));
	assert_false(cond_wait_until(&s.changed, &s.lock, begin_ms));
	while (cond_wait_until(&s.changed, &s.lock, begin_ms + 20))
		;
	assert_true(clock_mono_ms(clock_system()) >= begin_ms + 20);

	/* Woken long before its time; and without any time. */
	for (int i = 0; i < 2; i++) {
		s.done = false;
		pthread_t thread = thread_start("wake", wake, &s);
		while (!s.done)
			assert_true(cond_wait_until(&s.changed, &s.lock, i ? -1 : cond_deadline_ms(3600000)));
		pthread_mutex_unlock(&s.lock);
		pthread_join(thread, NULL);
		pthread_mutex_lock(&s.lock);
	}
	pthread_mutex_unlock(&s.lock);
	pthread_cond_destroy(&s.changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
