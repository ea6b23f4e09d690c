/*
 * Claiming: a controller adopts what its selector takes and nobody owns, and releases what it owns and its selector
 *takes no more.
 *
 *	struct claim claim = {.client = client, .owner = set, .selector = set->spec->selector};
 *	TRY(claim_object(&claim, arena, pod, &ours));
 *
 * Before the first adoption the owner is read from the server, so that one that is being deleted or was replaced adopts
 *nothing. Threads: a claim belongs to one sync.
 */
#ifndef CONTROLLER_MANAGER_CLAIM_H
#define CONTROLLER_MANAGER_CLAIM_H

#include "client/client.h"
#include "controller-manager/support/object.h"

struct claim {
	struct client *client;
	const void *owner;
	const MetaV1LabelSelector *selector; /* or, for kinds whose selector is a plain map: */
	MapStringEntry *const *match_labels;
	size_t n_match_labels;
	/* A further condition; may be NULL. */
	bool (*filter)(const void *owner, const void *msg);
	/* state */
	bool checked;
	struct status *refused;
};

/* Adopts or releases msg as needed. *ret_ours: it is the owner's now. */
struct status *claim_object(struct claim *claim, struct arena *arena, const void *msg, bool *ret_ours) MUST_USE;
/* Keeps those of the n objects that are the owner's, moved to the front; *ret_n of them. All are tried; the first error
 * is returned. */
struct status *claim_all(struct claim *claim, struct arena *arena, const void **msgs, size_t n, size_t *ret_n) MUST_USE;
void claim_done(struct claim *claim);
#define CLEANUP_CLAIM CLEANUP(claim_done)

#endif
