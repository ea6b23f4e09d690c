/*
 * Owners that the server was asked for and does not have: the next dependents of the same need not ask again.
 *
 * An owner is known by all that a reference says of it, since a reference may name the wrong kind for a uid; a uid
 * never comes back, so what is here stays true. The oldest make room for new ones.
 *
 * Threads: any; its lock is taken inside.
 */
#ifndef CONTROLLER_MANAGER_GC_ABSENT_H
#define CONTROLLER_MANAGER_GC_ABSENT_H

#include <stdbool.h>
#include "controller-manager/garbagecollector/graph.h"

struct absent_owners;

struct absent_owners *absent_owners_new(void);
void absent_owners_free(struct absent_owners *a);
bool absent_owners_has(struct absent_owners *a, const struct identity *owner);
void absent_owners_add(struct absent_owners *a, const struct identity *owner);

#endif
