/*
 * Bootstrap tokens: Secrets of kube-system by which machines join, read: pure.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_BOOTSTRAP_TOKENS_H
#define CONTROLLER_MANAGER_BOOTSTRAP_TOKENS_H

#include "controller-manager/controller.h"

/* A value of a Secret as text; NULL if absent. */
const char *token_field(struct arena *arena, const CoreV1Secret *secret, const char *key);
/* When it ends; false if it never does. One that cannot be read has ended. */
bool token_expiration(struct arena *arena, const CoreV1Secret *secret, int64_t *ret_seconds);
/* Whether it may sign the cluster-info now. */
bool token_signs(
	struct arena *arena, const CoreV1Secret *secret, int64_t now_s, const char **ret_id, const char **ret_secret);
/* The informer of these Secrets. */
struct informer *token_informer(struct controller_context *ctx);

#endif
