/*
 * Objects that pods refer to, read from the apiserver as the kubelet's own user: config maps, secrets, and service
 * account tokens. Recently read ones are kept for a short time, so that a pod with many references costs one request
 * each.
 *
 * Threads: any; calls block. Answers live in the caller's arena.
 */
#ifndef KUBELET_OBJECTS_H
#define KUBELET_OBJECTS_H

#include "api/types.h"
#include "base/clock.h"
#include "client/client.h"
#include "kubelet/pod/pod.h"

struct objects;

/* client NULL: everything is unavailable, with an error that says so. */
struct objects *objects_new(struct client *client, const struct clock *clock);
void objects_free(struct objects *objects);

struct status *objects_config_map(struct objects *objects, struct arena *arena, const char *namespace, const char *name,
	const CoreV1ConfigMap **ret) MUST_USE;
struct status *objects_secret(struct objects *objects, struct arena *arena, const char *namespace, const char *name,
	const CoreV1Secret **ret) MUST_USE;
/* A token of the pod's service account, bound to the pod; kept until it is to be renewed (80 % of its life, or a day).
 */
struct status *objects_token(struct objects *objects, struct arena *arena, const struct pod *pod, const char *audience,
	int64_t expiration_seconds, char **ret_token) MUST_USE;
/* Forgets the tokens of a pod that is gone. */
void objects_forget_pod(struct objects *objects, const char *uid);

#endif
