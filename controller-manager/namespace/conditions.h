/*
 * What stands in the way of a namespace's end, as the five conditions of its status: pure.
 *
 * Ownership: everything lives in the arena of the remains.
 */
#ifndef CONTROLLER_MANAGER_NAMESPACE_CONDITIONS_H
#define CONTROLLER_MANAGER_NAMESPACE_CONDITIONS_H

#include "controller-manager/support/object.h"

struct namespace_count {
	const char *name; /* "pods." or a finalizer */
	int64_t n;
};

/* What one pass over the contents has found. */
struct namespace_remains {
	struct arena *arena;
	const char *discovery_error; /* NULL: none */
	char **delete_errors;
	size_t n_delete_errors;
	struct namespace_count *resources;
	size_t n_resources;
	struct namespace_count *finalizers;
	size_t n_finalizers;
	int64_t estimate_s;
};

void namespace_count_add(struct arena *arena, struct namespace_count **counts, size_t *n, const char *name, int64_t by);
/* Brings the status in step; true if it changed. */
bool namespace_conditions_update(struct namespace_remains *r, CoreV1NamespaceStatus *status, const struct clock *clock);

#endif
