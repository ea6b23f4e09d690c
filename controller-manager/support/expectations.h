/*
 * Expectations: what a controller has asked for and not yet seen. Until they are fulfilled (or five minutes old) it
 *asks for nothing more, because its cache does not show the effect of what it did.
 *
 *	expectations_expect_creations(e, key, 3);
 *	…each create that failed: expectations_creation_observed(e, key)
 *	…handler sees a pod: expectations_creation_observed(e, key)
 *	if (expectations_satisfied(e, key)) …
 *
 * Deletions are counted by the key of what is deleted, so that seeing one twice counts once.
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_EXPECTATIONS_H
#define CONTROLLER_MANAGER_EXPECTATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"
#include "base/clock.h"

struct expectations;

struct expectations *expectations_new(const struct clock *clock);
void expectations_free(struct expectations *e);
DEFINE_CLEANUP(struct expectations *, expectations_free)
bool expectations_satisfied(struct expectations *e, const char *key);
/* Replace what was expected before. */
void expectations_expect_creations(struct expectations *e, const char *key, int n);
void expectations_expect_deletions(struct expectations *e, const char *key, const char *const *keys, size_t n);
/* Both at once, for controllers that create and delete in one sync. */
void expectations_expect(
	struct expectations *e, const char *key, int n_creations, const char *const *deletions, size_t n_deletions);
void expectations_creation_observed(struct expectations *e, const char *key);
void expectations_deletion_observed(struct expectations *e, const char *key, const char *deleted_key);
void expectations_forget(struct expectations *e, const char *key);

#endif
