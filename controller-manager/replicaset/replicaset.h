/*
 * Keeping a number of pods alive: the loop that ReplicaSets and ReplicationControllers share.
 *
 * A replica_kind says how to see an object as a replica set and how to write a status back.
 */
#ifndef CONTROLLER_MANAGER_REPLICASET_H
#define CONTROLLER_MANAGER_REPLICASET_H

#include "controller-manager/controller.h"

struct replica_kind {
	const struct schema_type *type;
	int64_t (*n_workers)(const struct options *options);
	/* The object as a replica set; may be the object itself. */
	const AppsV1ReplicaSet *(*view)(struct arena *arena, const void *object);
	/* A copy of object with that status. */
	void *(*with_status)(struct arena *arena, const void *object, const AppsV1ReplicaSetStatus *status);
};

struct status *replica_kind_start(struct controller_context *ctx, const struct replica_kind *kind) MUST_USE;

/*
 * Which n_delete of the set's pods to delete: moves them to the front. related are the pods of all sets of the same
 * owner: where more of them share a node, one goes first.
 */
void replicaset_pick_deletions(struct arena *arena, const CoreV1Pod **pods, size_t n_pods, size_t n_delete,
	const CoreV1Pod *const *related, size_t n_related, int64_t now_ns);
/*
 * The status that follows from what was seen. failure: why pods could not be created or deleted; NULL if they could.
 */
AppsV1ReplicaSetStatus *replicaset_status(struct arena *arena, const AppsV1ReplicaSet *set,
	const CoreV1Pod *const *pods, size_t n_pods, const struct status *failure, const struct clock *clock);
bool replicaset_status_equal(const AppsV1ReplicaSetStatus *a, const AppsV1ReplicaSetStatus *b);

#endif
