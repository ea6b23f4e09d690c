/* The informer's store: objects by key, with indexes. Private to the library. */
#ifndef CLIENT_STORE_H
#define CLIENT_STORE_H

#include <pthread.h>
#include "base/map.h"
#include "client/informer.h"

/* One object in a list that an index holds. */
struct bucket {
	struct object **items;
	size_t n_items, cap_items;
};

struct index {
	char *name;
	informer_index_fn *fn;	/* NULL: by namespace */
	struct strmap *buckets; /* value → struct bucket */
};

/* Guarded by its lock: readers share it, the informer's thread alone writes. */
struct store {
	pthread_rwlock_t lock;
	struct strmap *objects; /* key → struct object, one reference each */
	struct index *indexes;
	size_t n_indexes, cap_indexes;
};

void store_init(struct store *s);
void store_done(struct store *s);
void store_add_index(struct store *s, const char *name, informer_index_fn *fn);
/* Takes the reference; returns the object replaced (its reference is the caller's), NULL if there was none. */
struct object *store_put(struct store *s, struct object *object);
/* The object removed, its reference the caller's; NULL if there was none. */
struct object *store_remove(struct store *s, const char *key);

/* object.c: an object of its own size. The message is decoded by `decode` into a scratch arena and copied. */
struct object *object_new(const void *msg);

#endif
