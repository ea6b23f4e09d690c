/*
 * The cache: every object of every resource, kept equal to etcd by one watch, in one totally ordered log of events.
 *
 *	struct cache *cache = cache_new(etcd, "/registry", clock);
 *	struct table *pods = cache_table(cache, "", "pods");
 *	cache_start(cache);
 *	TRY(cache_fresh(cache, 3000));                   // as new as etcd was when this was called
 *	struct snapshot snapshot;
 *	table_list(pods, "default/", &snapshot);
 *
 * The cache's revision is etcd's: all of etcd is watched, so that every revision shows up and nothing need be asked
 *about progress. Ownership: entries and events are reference counted. Threads: any; one thread of the cache's own
 *writes.
 */
#ifndef APISERVER_STORE_CACHE_H
#define APISERVER_STORE_CACHE_H

#include "apiserver/encryption/encryption.h"
#include "apiserver/registry/objects.h"
#include "apiserver/store/entry.h"
#include "apiserver/store/etcd.h"
#include "base/clock.h"

struct cache;
struct table; /* the objects of one stored resource */
struct watcher;

enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED };

struct event {
	atomic_uint refs;
	enum event_type type;
	int64_t revision;
	int64_t at_ms;		      /* when it was seen, of the monotonic clock */
	struct entry *object;	      /* deleted: as it was */
	struct entry *before;	      /* NULL when added */
	_Atomic(struct entry *) last; /* see last_state() */
	size_t bytes;		      /* that it keeps in memory */
	bool made_up;		      /* etcd has none of this revision */
	bool recalled;		      /* read again out of etcd's history */
	bool alike;		      /* before is forgotten: every selector saw it as it sees the object */
	struct event_block *block;
};

/* Events of one table come and go in one order: they lie one behind the other in blocks, so that the few that a quiet
 * table keeps do not lie scattered over what a storm has used. Used by one thread at a time; zeroed at first. */
struct event_source {
	struct event_block *block;
	unsigned left; /* that the block has room for */
};

/* With one reference, zeroed. */
struct event *event_new(struct event_source *source);
/* Events that are still there stay. */
void event_source_done(struct event_source *source);
struct event *event_ref(struct event *event);
void event_unref(struct event *event);
DEFINE_CLEANUP(struct event *, event_unref)

struct cache *cache_new(struct etcd *etcd, const char *prefix, const struct clock *clock);
/* Stops the thread. No watcher may be left. */
void cache_free(struct cache *cache);
DEFINE_CLEANUP(struct cache *, cache_free)
/* How values are stored, before the start; NULL: as they are. Borrowed. */
void cache_set_encryption(struct cache *cache, struct encryption *encryption);
/* Other keys are known: what could not be read is read again, by the cache's thread. */
void cache_read_again(struct cache *cache);
void cache_start(struct cache *cache);
bool cache_synced(struct cache *cache);
int64_t cache_revision(struct cache *cache);
/* Waits until the cache has that revision: Timeout ("Too large resource version") otherwise. */
struct status *cache_wait(struct cache *cache, int64_t revision, int64_t timeout_ms) MUST_USE;
bool cache_wait_synced(struct cache *cache, int64_t timeout_ms);
/* Asks etcd for its revision (one question serves all who wait) and waits until the cache has it. *ret_revision may be
 * NULL. */
struct status *cache_fresh(struct cache *cache, int64_t timeout_ms) MUST_USE;
/* The same without waiting: fn is called once, on a thread of the cache's own, with the status to take; never when the
 * cache is freed before. All who come while etcd is asked are answered together next time. */
void cache_fresh_later(struct cache *cache, void (*fn)(void *data, struct status *status), void *data);
/* This value of a table's object is about to be written: it will not be decoded when etcd tells of it. See
 * apiserver/store/drafts.h for what must hold. */
void cache_expect(struct cache *cache, const struct table *table, const void *object, const void *value, size_t size);
/* Applies what etcd would say; for tests without etcd. value NULL: deleted. */
void cache_apply(struct cache *cache, const char *key, const void *value, size_t size, int64_t revision);
void cache_mark_synced(struct cache *cache, int64_t revision);

/* The table that holds a resource (of whichever served version); NULL if nothing is stored for it. */
struct table *cache_table(struct cache *cache, const char *group, const char *resource);
/* The stored version. */
const struct schema_resource *table_resource(const struct table *table);
/* "/registry/pods/default/web". */
char *table_key(const struct table *table, struct arena *arena, const char *namespace, const char *name);
/* A value as etcd has it is decrypted, and one that it is to have encrypted (apiserver/encryption/encryption.h). */
struct status *table_open(
	const struct table *table, struct arena *arena, const char *key, struct encryption_value *value) MUST_USE;
struct status *table_seal(
	const struct table *table, struct arena *arena, const char *key, struct encryption_value *value) MUST_USE;
/* fn for every object there is and every later event, decoded, on the cache's thread; where wanted is not NULL, only
 * for those that it wants. Before cache_start(). */
void table_subscribe(struct table *table, object_wanted_fn *wanted, object_event_fn *fn, void *data);

/*
 * Objects whose values cannot be read are neither there nor gone: who asks for one, or for a list that would have it,
 * is told so. Internal when the key, or one that begins with the prefix, is such; else NULL.
 */
struct status *table_check_key(struct table *table, const char *namespace, const char *name) MUST_USE;
struct status *table_check_prefix(struct table *table, const char *prefix) MUST_USE;
/* The same as who may come again later is told it: TooManyRequests. */
struct status *table_check_ready(struct table *table, const char *prefix) MUST_USE;
/* TooManyRequests: what is kept in memory is not all there yet; why may be NULL. */
struct status *status_initializing(const char *why) MUST_USE;

/* A reference, or NULL: there is none, or its value cannot be read. */
struct entry *table_get(struct table *table, const char *namespace, const char *name);

struct snapshot {
	struct entry **items; /* in the order of keys, each with a reference */
	size_t n_items;
	int64_t revision;
};
/* All whose key begins with prefix ("default/", or "" for all). With labels (may be NULL) some that cannot match are
 * left out, but never the last: the rest is to be looked at. */
void table_list(
	struct table *table, const char *prefix, const struct label_selector *labels, struct snapshot *ret_snapshot);
/* As it was at an earlier revision; false if that is out of the window of events. */
bool table_list_at(struct table *table, const char *prefix, const struct label_selector *labels, int64_t revision,
	struct snapshot *ret_snapshot);
/* The same out of etcd, for a revision before the window, which must not be 0. Expired when it has been compacted.
 * Blocks. */
struct status *table_list_stored(
	const struct table *table, const char *prefix, int64_t revision, struct snapshot *ret_snapshot) MUST_USE;
void snapshot_done(struct snapshot *snapshot);
size_t table_count(struct table *table);
size_t table_bytes(struct table *table);
/* How long reads wait until the table is as new as they want it: one is told, and all are written as a histogram. */
void table_waited(struct table *table, double seconds);
void table_write_waits(const struct table *table, struct strbuf *out, const char *name, const char *labels);
/* How many changes have come from etcd since the first reading, and how many the ring has room for. */
uint64_t table_received(struct table *table);
size_t table_ring_size(struct table *table);
/* How many objects watches were told of that were there when they began: n more, and all. */
void table_told_initial(struct table *table, size_t n);
uint64_t table_initial(const struct table *table);

/*
 * A cursor into the table's events. notify is called once after watcher_next() has told the last there is, as soon as
 * there is something new, and from the clock's tick; it may be called when there is nothing after all. Any thread calls
 * it, with the cache locked: it only passes the word on.
 */
struct watcher_options {
	const char *prefix;		     /* of keys; copied */
	const struct label_selector *labels; /* borrowed, for as long as the watcher lives; so are the fields */
	const struct field_selector *fields;
	void (*notify)(void *data);
	void *data;
};
/* From just after a revision: Expired when that is out of the window. revision -1: from now. *ret_snapshot (may be
 * NULL) is what is there at the very point where the events begin. */
struct status *watcher_new(struct table *table, int64_t revision, const struct watcher_options *options,
	struct snapshot *ret_snapshot, struct watcher **ret_watcher) MUST_USE;
void watcher_free(struct watcher *watcher);
DEFINE_CLEANUP(struct watcher *, watcher_free)
/*
 * What happens next, as the watcher's selectors see it: *ret_type and a reference to the object to show. False: nothing
 * now; then *ret_revision is up to where everything has been told. *ret_lost: it fell behind the window, or something
 * that it watches cannot be read any more, and it is of no more use.
 */
bool watcher_next(struct watcher *watcher, enum event_type *ret_type, struct entry **ret_object, int64_t *ret_revision,
	bool *ret_lost);
/* Everything has been told, and notify has not been called since. */
bool watcher_waits(const struct watcher *watcher);
/* When the watcher wants to be woken although nothing happens (monotonic clock): for bookmarks, deadlines, a look at
 * the peer. */
void watcher_set_due(struct watcher *watcher, int64_t at_ms);
/*
 * Who comes back to what the window has lost. What happened after the revision is read out of etcd's history and laid
 * before the window, for all who wait for it at once; fn is called when that has been done or cannot be, and from the
 * clock's tick when the deadline is over before (monotonic clock), on a thread of the cache's own and with a lock held:
 * it only passes the word on. recall_done() says whether and how it ended; after NULL a watcher can begin there, if it
 * does so soon. Expired at once for what is known to be compacted.
 */
struct recall;
struct status *recall_new(struct table *table, int64_t revision, int64_t deadline_ms, void (*fn)(void *data),
	void *data, struct recall **ret_recall) MUST_USE;
bool recall_done(struct recall *recall, struct status **ret_status);
/* fn is not called after this. */
void recall_free(struct recall *recall);
DEFINE_CLEANUP(struct recall *, recall_free)
/* etcd has forgotten what came before the revision, and so do we: table_list_at() tells nothing of it any more. */
void cache_compacted(struct cache *cache, int64_t revision);
/* Calls notify of every watcher that waits and whose time has come, and fn of such recalls, forgets events that are
 * past keeping, and now and then lays anew what lies scattered: returns the bytes that this has freed. One thread calls
 * it. */
size_t cache_tick(struct cache *cache);

#endif
