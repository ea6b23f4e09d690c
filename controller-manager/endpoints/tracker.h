/*
 * What has been written of a Service's slices and not yet seen in the cache: a sync on an older picture would write
 * things twice.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_SLICE_TRACKER_H
#define CONTROLLER_MANAGER_SLICE_TRACKER_H

#include "controller-manager/support/object.h"

struct slice_tracker;

struct slice_tracker *slice_tracker_new(const struct clock *clock);
void slice_tracker_free(struct slice_tracker *t);
/* A slice as the server answered it. */
void slice_tracker_wrote(struct slice_tracker *t, const char *service_key, const MetaV1ObjectMeta *slice);
void slice_tracker_deleted(struct slice_tracker *t, const char *service_key, const MetaV1ObjectMeta *slice);
/* Whether the cache, which shows these slices, lacks something written (within the last ten seconds). */
bool slice_tracker_stale(struct slice_tracker *t, const char *service_key, const void *const *slices, size_t n);
void slice_tracker_forget(struct slice_tracker *t, const char *service_key);

#endif
