#ifndef APISERVER_STORE_CACHE_PRIVATE_H
#define APISERVER_STORE_CACHE_PRIVATE_H

#include <pthread.h>
#include "apiserver/store/cache.h"
#include "apiserver/store/drafts.h"
#include "base/tally.h"

struct subscriber {
	object_wanted_fn *wanted;
	object_event_fn *fn;
	void *data;
};

struct table {
	struct cache *cache;
	const struct schema_resource *resource;
	char *prefix; /* "/registry/pods/" */
	size_t prefix_len;
	/* Under the cache's lock. */
	struct entry **items; /* sorted by key */
	size_t n_items, cap_items;
	uint64_t *marks; /* of each item's labels, in the order of items: label_mark.h */
	size_t cap_marks;
	struct event **ring; /* a power of two */
	size_t cap_ring;
	uint64_t first, next;		/* sequence numbers: ring[first % cap] … ring[(next - 1) % cap] */
	int64_t last_revision;		/* of what was applied last */
	int64_t window_start;		/* every event after this revision is in the ring */
	int64_t states_start;		/* and after this, what each has superseded */
	size_t bytes;			/* of the objects */
	size_t untidy;			/* bytes that were put or removed since table_tidy() */
	size_t ring_bytes;		/* of what only the ring keeps */
	struct strmap *unreadable;	/* keys whose values cannot be read: a status; NULL: none */
	atomic_uint_least64_t received; /* changes after the first reading */
	atomic_uint_least64_t initial;	/* objects that watches were told of at their beginning */
	struct tally_slot waited;	/* seconds that reads waited for it to be new enough */
	struct event_source events;	/* of the thread that applies */
	/* What has changed since lies scattered. table_tidy()'s own. */
	int64_t tidy_revision;
	struct past *past; /* of the thread that recalls */
	/* Fixed after the start. */
	struct subscriber *subscribers;
	size_t n_subscribers;
	/* Under watchers_lock. */
	pthread_mutex_t watchers_lock;
	struct watcher *watchers;
};

struct watcher {
	struct table *table;
	struct watcher *next, *prev;
	atomic_bool waiting;
	_Atomic int64_t due_ms;
	pthread_mutex_t lock; /* of the cursor; taken after the cache's */
	uint64_t cursor;
	int64_t told; /* revision */
	struct watcher_options options;
	size_t prefix_len;
	char prefix[];
};

struct cache {
	struct etcd *etcd;
	const struct clock *clock;
	struct encryption *encryption; /* NULL: none */
	char *prefix;
	size_t n_tables;
	struct table *tables;
	struct table **by_prefix;
	struct drafts *drafts;
	pthread_rwlock_t lock;
	/* Progress, and who waits for it. */
	pthread_mutex_t progress_lock;
	pthread_cond_t progress;
	_Atomic int64_t revision;
	atomic_bool synced;
	_Atomic int64_t compacted; /* what came before is forgotten */
	int64_t tidied_ms;	   /* the tick's */
	/* Batched questions for etcd's revision. */
	pthread_mutex_t ask_lock;
	pthread_cond_t asked;
	uint64_t ask_begun, ask_done;
	bool asking;
	int64_t ask_revision;
	struct status *ask_status;
	/* Who waits for an answer without a thread. Under later_lock. */
	pthread_mutex_t later_lock;
	pthread_cond_t later_wake;
	struct later *later;
	bool later_started;
	pthread_t later_thread;
	/* Who waits for what the window has lost: under recall_lock. */
	pthread_mutex_t recall_lock;
	pthread_cond_t recall_wake;
	struct recall *recalls;
	bool recalls_started;
	pthread_t recall_thread;
	size_t recalled_bytes; /* that windows keep because of them: under the cache's lock */
	bool refilling;	       /* the cache's thread: after a gap */
	/* The thread. */
	atomic_bool stop;
	atomic_bool read_again; /* what could not be read */
	bool started;
	pthread_t thread;
};

/* The table of a key and the key within it; NULL for a foreign key. */
struct table *cache_table_of_key(struct cache *cache, const char *key, const char **ret_rest);
/* Finds a key's place; whether it is there. */
bool table_find(const struct table *table, const char *key, size_t *ret_index);
/* Applies one change: the lock is taken inside. entry NULL: deleted. Takes the entry; object is what is in it, or NULL
 * where it was not decoded. */
void table_apply(
	struct table *table, const char *key, struct entry *entry, const ProtobufCMessage *object, int64_t revision);
/* Lays anew what a storm has left scattered, if that is much; returns how many bytes it moved. One thread calls it. */
size_t table_tidy(struct table *table);
/* What etcd has of a key becomes an entry. Error: why it cannot be read. */
struct status *table_decode(const struct table *table, struct arena *arena, const struct etcd_kv *kv,
	struct entry **ret_entry, ProtobufCMessage **ret_object) MUST_USE;
/* The window begins anew after the cache's revision: who follows is lost. The cache's thread. */
void table_forget_events(struct table *table);
/* That etcd's value of a key cannot be read, or (why NULL) can, or is gone. */
void table_set_unreadable(struct table *table, const char *key, const struct status *why);
/* Wakes the watchers that wait; now_ms >= 0: only those whose time has come. */
void table_notify(struct table *table, int64_t now_ms);
void cache_advance(struct cache *cache, int64_t revision);
/* Reads everything under the prefix, and marks the cache synced. */
struct status *cache_fill(struct cache *cache, const char *prefix, int64_t *ret_revision) MUST_USE;
void *cache_thread(void *data);
/* Lays events before those of the ring, whose window begins after from then. The lock is held, and that of the
 * watchers. */
void ring_put_before(struct table *table, struct event *const *events, size_t n, int64_t from);
/* How many more fit. */
size_t ring_room(const struct table *table);
void cache_recalls_init(struct cache *cache);
/* Tells those whose deadline is over. */
void recalls_tick(struct cache *cache, int64_t now_ms);
void cache_recalls_done(struct cache *cache);
void cache_later_init(struct cache *cache);
void cache_later_done(struct cache *cache);
void tables_init(struct cache *cache);
void table_done(struct table *table);

#endif
