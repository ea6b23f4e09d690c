/*
 * Cron schedules: "*\/5 * * * mon-fri", "@hourly": when they fire: pure.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_SCHEDULE_H
#define CONTROLLER_MANAGER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

struct schedule {
	uint64_t minutes, hours, days, months, weekdays; /* bit i: the value i */
	bool any_day, any_weekday;			 /* "*": the other of the two alone decides */
	int64_t every_s;				 /* of "@every 5m"; else 0 */
	int64_t offset_s;				 /* of local time to UTC */
};

/* An error naming the field. */
struct status *schedule_parse(const char *text, struct schedule *ret_schedule) MUST_USE;
/* The first time after t (UTC seconds) at which it fires; -1: none within five years. */
int64_t schedule_next(const struct schedule *s, int64_t t);
/* The last time in (after, t]; -1: none. */
int64_t schedule_last(const struct schedule *s, int64_t after, int64_t t);

#endif
