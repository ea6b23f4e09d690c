/* Cancelling: what waits is let go, what comes later does not begin to wait, and a reset makes it wait again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "base/cancel.h"
#include "base/clock.h"
#include "base/workers.h"

#define LONG_MS 3600000

static void *sleeper(void *data)
{
	struct cancel *c = data;
	return cancel_sleep_ms(c, LONG_MS) ? c : NULL;
}

static void a_sleep_is_cut_short(void **state)
{
	struct cancel *c = cancel_new();
	pthread_t thread = thread_start("sleeper", sleeper, c);
	cancel_now(c);
	void *result;
	pthread_join(thread, &result);
	assert_ptr_equal(result, c);
	assert_true(cancel_requested(c));
	assert_true(cancel_sleep_ms(c, LONG_MS));
	cancel_reset(c);
	assert_false(cancel_requested(c));
	assert_false(cancel_sleep_ms(c, 1));
	cancel_free(c);
}

static void count(void *data)
{
	++*(int *)data;
}

static void hooks_are_called_once_each(void **state)
{
	struct cancel *c = cancel_new();
	int n_early = 0, n_late = 0, n_gone = 0;
	struct cancel_hook early = {.fn = count, .data = &n_early}, late = {.fn = count, .data = &n_late},
			   gone = {.fn = count, .data = &n_gone};
	cancel_add(c, &early);
	cancel_add(c, &gone);
	cancel_remove(c, &gone);
	assert_int_equal(n_early, 0);
	cancel_now(c);
	cancel_now(c);
	cancel_add(c, &late);
	assert_int_equal(n_early, 1);
	assert_int_equal(n_late, 1);
	assert_int_equal(n_gone, 0);
	cancel_remove(c, &early);
	cancel_remove(c, &late);
	cancel_free(c);
}

static void no_token_is_never_cancelled(void **state)
{
	struct cancel_hook hook = {.fn = count};
	cancel_add(NULL, &hook);
	assert_false(cancel_requested(NULL));
	assert_false(cancel_sleep_ms(NULL, 1));
	cancel_remove(NULL, &hook);
	cancel_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleep_is_cut_short),
		cmocka_unit_test(hooks_are_called_once_each),
		cmocka_unit_test(no_token_is_never_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
