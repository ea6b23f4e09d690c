/*
 * What writes are about to put into etcd, ready to be entries, for when etcd's watch tells of it: then it need not be
 * decoded again.
 *
 *	drafts_put(drafts, resource, object, value, size);      // before it is written
 *	entry = drafts_take(drafts, resource, key, value, size, revision);	// etcd has told of it
 *
 * A draft says nothing of whether or when something is written: it is only what its bytes decode to, whoever wrote
 * them, and is taken for the very same bytes alone. So it does no harm when a write fails, when its outcome is unknown,
 * when another server writes the same, or when it is never asked for; and one that is lost costs no more than decoding.
 * Memory is bounded: there are so many places, found by the key, and so many bytes; what is not taken soon is dropped.
 * Threads: any.
 */
#ifndef APISERVER_STORE_DRAFTS_H
#define APISERVER_STORE_DRAFTS_H

#include "apiserver/store/entry.h"
#include "base/clock.h"

struct drafts;

struct drafts *drafts_new(const struct clock *clock);
void drafts_free(struct drafts *drafts);
/* object is of the resource's type, has its defaults, and is what the value, an envelope of ours, says. */
void drafts_put(struct drafts *drafts, const struct schema_resource *resource, const void *object, const void *value,
	size_t size);
/* The entry of such a value at a revision; NULL when there is none. key is "namespace/name", or "name". */
struct entry *drafts_take(struct drafts *drafts, const struct schema_resource *resource, const char *key,
	const void *value, size_t size, int64_t revision);
/* Drops what has waited too long. */
void drafts_age(struct drafts *drafts);

#endif
