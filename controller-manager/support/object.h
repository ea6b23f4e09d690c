/*
 * What every controller asks of an object: its metadata, labels, owners, times, and whether a selector takes it.
 *
 *	const MetaV1ObjectMeta *meta = object_metadata(pod);
 *	const MetaV1OwnerReference *ref = controller_of(meta);
 *	if (ref && str_eq(ref->uid, object_metadata(set)->uid)) …
 *
 * Ownership: what is made lives in the arena that is passed; nothing passed in is changed unless its name says so.
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_OBJECT_H
#define CONTROLLER_MANAGER_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include "api/copy.h"
#include "api/meta.h"
#include "api/types.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"

/* The metadata of any typed object; an empty one where it has none. */
const MetaV1ObjectMeta *object_metadata(const void *msg);
/* The same of an object that is ours to change: made if absent. */
MetaV1ObjectMeta *object_metadata_mut(struct arena *arena, void *msg);
/* A copy of our own, complete as object_complete() leaves it. */
void *object_copy(struct arena *arena, const void *msg) __attribute__((returns_nonnull));
/*
 * Makes every by-value struct of a message present, down to the pod template, so that no reader has to ask whether spec
 * is there. Without an arena missing ones become the shared, constant zero object: read only.
 */
void object_complete(struct arena *arena, void *msg);
/* For informers: drops managed fields, then completes. */
void object_trim(void *msg);

#define LABEL_GET(meta, key) map_get((meta)->labels, (meta)->n_labels, (key))
#define ANNOTATION_GET(meta, key) map_get((meta)->annotations, (meta)->n_annotations, (key))
#define LABEL_SET(arena, meta, key, value) map_set((arena), &(meta)->labels, &(meta)->n_labels, (key), (value))
#define ANNOTATION_SET(arena, meta, key, value) \
	map_set((arena), &(meta)->annotations, &(meta)->n_annotations, (key), (value))

/* --- owners --- */
/* The reference with controller: true; NULL if there is none. */
const MetaV1OwnerReference *controller_of(const MetaV1ObjectMeta *meta);
bool controlled_by(const void *msg, const void *owner);
bool owner_ref_equal(const MetaV1OwnerReference *a, const MetaV1OwnerReference *b);
/* A controller reference to owner with blockOwnerDeletion. */
MetaV1OwnerReference *controller_ref_to(struct arena *arena, const void *owner);

/* --- times; NULL and 0 seconds are the zero time --- */
/* Now, in whole seconds: what the wire keeps. */
MetaV1Time *now_time(struct arena *arena, const struct clock *clock);
int64_t time_ns(const MetaV1Time *time);

/* NULL takes nothing, an empty selector everything. An unknown operator takes nothing. */
bool selector_takes(const MetaV1LabelSelector *selector, MapStringEntry *const *labels, size_t n_labels);
bool selector_is_empty(const MetaV1LabelSelector *selector);
/* An error for an operator or values that a selector cannot have. */
struct status *selector_check(const MetaV1LabelSelector *selector) MUST_USE;

/*
 * A number or a share of total, rounded up or down. NULL is fallback. False for text that is no percentage.
 */
bool int_or_percent(const IntstrIntOrString *value, int32_t fallback, int32_t total, bool round_up, int32_t *ret_value);

/* A later error is logged and dropped: the first one is what the caller hears of. */
struct status *status_first(struct status *first, struct status *later) MUST_USE;

#endif
