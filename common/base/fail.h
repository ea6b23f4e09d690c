/*
 * Failure points: places where a test makes the process die, fail or wait. They exist in test builds only (make
 * FAIL_POINTS=1, and every build with a sanitizer); in a release build each is nothing at all.
 *
 *	fail_at("txn.before-commit");			here the process may die or wait
 *	TRY(fail_try("txn.after-commit"));		here the step may fail too
 *
 * Names are "subject.moment" and unique in the tree. Every point leaves its name in the section "fail_points" of the
 * binary that holds it: fail_points_of() lists them, so that a run can visit all of them one by one.
 *
 * What a point does is said by orders, one a line: NAME ACTION [SKIP]
 *	txn.before-commit crash			the process kills itself (SIGKILL: nothing is flushed)
 *	txn.after-commit error 3		Unavailable, once three passes have gone by
 *	bind.before delay:2000			waits two seconds
 *	clock +90000				the wall clock of the process is so many ms off, while the order stands
 * They are read from the environment (KUBEC_FAIL, orders separated by ';') and from the file /run/kubec-fail/NAME, NAME
 * being the process's name; the file may come and go at any time. A point acts once for each time it is ordered; the
 * log says when: "failure point NAME: ACTION".
 *
 * Threads: any.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

#ifdef KUBEC_FAIL_POINTS

struct status *fail_act(const char *name, bool can_fail) MUST_USE;
#define fail_name_(name) \
	static const char fail_name_here_[] __attribute__((section("fail_points"), used, aligned(1))) = name
#define fail_at(name)                                                                               \
	do {                                                                                        \
		fail_name_(name);                                                                   \
		status_drop(fail_act(fail_name_here_, false), "a point that cannot fail does not"); \
	} while (0)
#define fail_try(name)                           \
	__extension__({                          \
		fail_name_(name);                \
		fail_act(fail_name_here_, true); \
	})
/* What the orders add to the wall clock, in ms. */
int64_t fail_clock_ms(void);
/* Who a process says it is (KUBEC_AGENT), so that the writes of two processes of one name can be told apart. */
const char *fail_agent(const char *name);

#else

#define fail_at(name) \
	do {          \
	} while (0)
#define fail_try(name) ((struct status *)NULL)
#define fail_clock_ms() 0
#define fail_agent(name) (name)

#endif

/* One order as it is written; false if it is none. */
struct fail_order {
	char name[64];
	enum fail_action { FAIL_CRASH, FAIL_ERROR, FAIL_DELAY, FAIL_CLOCK } action;
	int64_t ms;   /* of a delay or of the clock */
	int64_t skip; /* passes that go by first */
};
bool fail_order_parse(const char *text, struct fail_order *ret_order);

/*
 * The failure points of a binary, sorted, in the arena; *ret_n is 0 for a release build. An error if the file is no
 * ELF file that this machine could run.
 */
struct status *fail_points_of(struct arena *arena, const char *path, char ***ret_names, size_t *ret_n) MUST_USE;

#endif
