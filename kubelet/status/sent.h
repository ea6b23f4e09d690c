/*
 * Which version of a pod's status the apiserver has, by the uid that the pod has there (of a static pod, its mirror's).
 *
 * It outlives the status: one that is set again after the pod was deleted there counts from the beginning, and is not
 * told, since the apiserver has had a later one.
 *
 * Threads: none of its own; the status manager's lock guards it.
 */
#ifndef KUBELET_STATUS_SENT_H
#define KUBELET_STATUS_SENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/map.h"

struct sent_versions;

struct sent_versions *sent_versions_new(void);
void sent_versions_free(struct sent_versions *v);
DEFINE_CLEANUP(struct sent_versions *, sent_versions_free)
/* The apiserver has that version; the last word counts. */
void sent_versions_note(struct sent_versions *v, const char *uid, uint64_t version);
/* Whether it has that version or a later one. */
bool sent_versions_has(const struct sent_versions *v, const char *uid, uint64_t version);
/* Forgets all whose uid is in neither map. */
void sent_versions_keep_only(struct sent_versions *v, const struct strmap *statuses, const struct strmap *mirrors);

#endif
