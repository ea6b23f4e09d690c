/*
 * ControllerRevisions: the versions of a pod template that a DaemonSet or StatefulSet has had, kept for rollbacks.
 *
 *	struct history history = {.client = client, .arena = arena, .owner = set, .selector = set->spec->selector,
 *		.template = set->spec->template, .collision_count = &count};
 *	TRY(history_sync(&history, informer));          // finds, renumbers or makes the present version
 *	history.current, history.old[0 … n_old-1] in order of revision
 *
 * Threads: belongs to one sync.
 */
#ifndef CONTROLLER_MANAGER_HISTORY_H
#define CONTROLLER_MANAGER_HISTORY_H

#include "controller-manager/controller.h"

#define REVISION_HASH_LABEL "controller-revision-hash"

struct history {
	struct client *client;
	struct arena *arena;
	const void *owner;
	const MetaV1LabelSelector *selector;
	const CoreV1PodTemplateSpec *template;
	bool has_collision_count;
	int32_t collision_count; /* raised where a hash was taken by another template; the caller stores it and tries
				    again */
	bool collided;
	const CoreV1PodTemplateSpec *normal; /* the template as it comes back from JSON; made when needed */
	/* results */
	const AppsV1ControllerRevision *current;
	const AppsV1ControllerRevision **old;
	size_t n_old;
};

/* STATUS_CONFLICT with collided set: the hash is taken. */
struct status *history_sync(struct history *h, struct informer *revisions) MUST_USE;
/* Deletes the oldest ones over the limit whose hash no live pod carries. */
struct status *history_truncate(
	struct history *h, int32_t limit, const char *const *live_hashes, size_t n_live) MUST_USE;
/* What a revision of the template holds: a strategic merge patch that replaces the owner's. */
char *history_patch(struct arena *arena, const CoreV1PodTemplateSpec *template);
/* The template that a revision holds; NULL if it holds none. */
CoreV1PodTemplateSpec *history_template(struct arena *arena, const AppsV1ControllerRevision *revision);
/* "…-" and the hash: what pods of this revision carry. */
const char *revision_hash(const AppsV1ControllerRevision *revision);

#endif
