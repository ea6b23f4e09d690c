/*
 * What a rollout is for each kind of workload: how far it is, its revisions, and going back to one.
 */
#ifndef KUBECTL_ROLLOUT_H
#define KUBECTL_ROLLOUT_H

#include "kubectl/send.h"

#define CHANGE_CAUSE "kubernetes.io/change-cause"

/* *ret_text: the line that tells how far it is. Error: it failed, or the kind has no rollout. */
struct status *rollout_status(
	struct arena *arena, const cJSON *object, int64_t revision, char **ret_text, bool *ret_done) MUST_USE;
/* The table of revisions, or the pod template of one (revision > 0). */
struct status *rollout_history(struct kubectl *k, const struct info *info, int64_t revision, char **ret_text) MUST_USE;
/* The replica set or controller revision itself. */
struct status *rollout_revision_object(
	struct kubectl *k, const struct info *info, int64_t revision, cJSON **ret_object) MUST_USE;
/* Goes back to a revision, 0 for the one before; *ret_operation says what was done. */
struct status *rollout_undo(struct kubectl *k, struct info *info, int64_t revision, enum dry_run dry_run,
	const char **ret_operation) MUST_USE;

#endif
