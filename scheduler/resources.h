/*
 * What pods ask for and nodes have, as whole numbers by resource id.
 *
 * CPU counts in thousandths of a core; everything else in its own unit (bytes, pieces), rounded up.
 * Ids are those of an intern table in which the first four names are always the same (resource_names_new()).
 */
#ifndef SCHEDULER_RESOURCES_H
#define SCHEDULER_RESOURCES_H

#include <stdbool.h>
#include "api/types.h"
#include "scheduler/intern.h"

enum { RES_CPU, RES_MEMORY, RES_EPHEMERAL, RES_PODS, RES_N_FIXED };

/* Requests that the score plugins assume for a container that names none (the original's DefaultMilliCPURequest, …). */
#define RES_DEFAULT_MILLI_CPU 100
#define RES_DEFAULT_MEMORY (200LL * 1024 * 1024)

struct resource_amount {
	uint32_t id;
	int64_t value;
};

struct resource_list {
	struct resource_amount *items;
	size_t n_items;
};

struct intern *resource_names_new(void);
/* The amount of one resource; 0 if the list lacks it. */
int64_t resource_get(const struct resource_list *list, uint32_t id);
bool resource_has(const struct resource_list *list, uint32_t id);
int64_t resource_amount_of(uint32_t id, const ResourceQuantity *quantity);
/* Extended resources have a domain other than kubernetes.io and no "requests." prefix. */
bool resource_is_extended(const char *name);

enum pod_requests_flags {
	POD_REQUESTS_USE_STATUS = 1, /* what a pod that is being resized holds now counts too */
	POD_REQUESTS_NON_ZERO = 2,   /* with the defaults for containers that name no CPU or memory */
};
/*
 * What a pod asks for: the sum over its containers and restartable init containers, at least what its init containers
 * need in turn, replaced by pod-level requests where given, plus overhead. Lives in the arena.
 */
struct resource_list pod_requests(struct arena *arena, struct intern *names, const CoreV1Pod *pod, unsigned flags);

#endif
