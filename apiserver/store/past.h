/*
 * A table's past: events that its window has lost, made anew out of etcd's history, in order.
 *
 *	struct past *past = past_new(table, 1000);	// of what happened after revision 1000
 *	past_add(past, &event);				// as etcd tells it, with what was there before
 *	if (past_joins(past, revision)) ...		// all up to the revision has been added: the window has it now
 *	past_free(past);
 *
 * Threads: one, that of store/recall.c.
 */
#ifndef APISERVER_STORE_PAST_H
#define APISERVER_STORE_PAST_H

#include "apiserver/store/cache_private.h"

struct past {
	struct table *table;
	int64_t asked; /* everything after this was to be told */
	int64_t from;  /* everything after this is: later where something could not be told */
	struct event_source source;
	struct event **events;
	size_t n_events, cap_events;
	struct strmap *states; /* of each key that was touched, what it held last: entries */
	size_t bytes;	       /* that this keeps, about */
};

struct past *past_new(struct table *table, int64_t from);
void past_free(struct past *past);
void past_add(struct past *past, const struct etcd_event *event);
/* Lets go of the older half. */
void past_halve(struct past *past);
/* Lays the events before those of the window, if they reach it: everything up to the revision has been added. In a past
 * of one table alone (alone) a revision is known to be reached by an event of the table only. */
bool past_join(struct past *past, int64_t revision, bool alone);
/* Whether the table's own events will tell that its window has been reached. */
bool past_is_bounded(struct table *table);

#endif
