/*
 * etcd as the store needs it: single keys with compare-and-swap, ranges in pages, leases, and one watch.
 *
 *	struct etcd *etcd;
 *	TRY(etcd_new(&options, &etcd));
 *	TRY(etcd_create(etcd, arena, "/registry/pods/default/web", value, size, 0, &revision));
 *
 * A write whose answer is lost fails with Timeout or Unavailable: whether it happened is then unknown, and it is never
 * sent again blindly.
 * Threads: any. Everything here blocks.
 */
#ifndef APISERVER_STORE_ETCD_H
#define APISERVER_STORE_ETCD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct etcd;

struct etcd_options {
	char *const *endpoints; /* https://host:port; all of one scheme */
	size_t n_endpoints;
	const char *ca_file; /* NULL or "": none */
	const char *cert_file;
	const char *key_file;
	int64_t timeout_ms; /* of one call; 0: 10 s */
};

/* A key as it is stored. Found is false when there is none. */
struct etcd_kv {
	bool found;
	const char *key;
	const uint8_t *value;
	size_t size;
	int64_t mod_revision;
	int64_t create_revision;
	int64_t lease;
};

struct status *etcd_new(const struct etcd_options *options, struct etcd **ret_etcd) MUST_USE;
void etcd_free(struct etcd *etcd);
DEFINE_CLEANUP(struct etcd *, etcd_free)

struct status *etcd_get(struct etcd *etcd, struct arena *arena, const char *key, struct etcd_kv *ret_kv) MUST_USE;
/* AlreadyExists when the key is there. TooLarge, as of every write: etcd does not take so many bytes. lease 0: none. */
struct status *etcd_create(struct etcd *etcd, struct arena *arena, const char *key, const void *value, size_t size,
	int64_t lease, int64_t *ret_revision) MUST_USE;
/* Writes if the key's mod_revision is still the expected one. Otherwise *ret_swapped is false and *ret_now the key as
 * it is. */
struct status *etcd_swap(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected, const void *value,
	size_t size, int64_t lease, bool *ret_swapped, int64_t *ret_revision, struct etcd_kv *ret_now) MUST_USE;
/* Deletes under the same condition. */
struct status *etcd_remove(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected, bool *ret_removed,
	int64_t *ret_revision, struct etcd_kv *ret_now) MUST_USE;
/* The revision that a linearized read sees now. */
struct status *etcd_revision(struct etcd *etcd, int64_t *ret_revision) MUST_USE;
struct status *etcd_lease(struct etcd *etcd, int64_t ttl_seconds, int64_t *ret_lease) MUST_USE;
/* What is counted of the calls. */
struct strbuf;
void etcd_write_metrics(const struct etcd *etcd, struct strbuf *out);
/* Size of the data base in bytes, for the metric. */
struct status *etcd_size(struct etcd *etcd, int64_t *ret_bytes) MUST_USE;

/*
 * One turn at forgetting history, as the original takes it: several servers share the work through a key whose version
 * is the turn. Whoever writes it compacts up to the revision of his last turn. Both start at 0 and are kept between
 * calls. *ret_compacted: what came before that revision is forgotten, by us or by another; 0: not known.
 */
struct status *etcd_compaction_turn(
	struct etcd *etcd, int64_t *turn, int64_t *revision, int64_t *ret_compacted) MUST_USE;

/* Every key under a prefix at one revision (*revision 0: now, and set), in order, in pages. fn's kv lives during the
 * call. */
struct status *etcd_each(struct etcd *etcd, const char *prefix, int64_t *revision,
	void (*fn)(void *data, const struct etcd_kv *kv), void *data) MUST_USE;

/* Keys of a range that came in one answer, in order; their values are the answer's own bytes. */
struct etcd_page {
	atomic_uint refs;
	struct arena *arena;
	struct etcd_kv *kvs;
	size_t n_kvs;
};
/* The same as etcd_each() by the page: fn may keep one by a reference. */
struct status *etcd_each_page(struct etcd *etcd, const char *prefix, int64_t *revision,
	void (*fn)(void *data, struct etcd_page *page), void *data) MUST_USE;
struct etcd_page *etcd_page_ref(struct etcd_page *page);
void etcd_page_unref(struct etcd_page *page);
DEFINE_CLEANUP(struct etcd_page *, etcd_page_unref)

struct etcd_event {
	bool deleted;
	struct etcd_kv kv;     /* of a delete: the key and the revision of the deletion */
	struct etcd_kv before; /* what it replaced; not found: nothing, or it was not asked for, or is forgotten */
};

struct etcd_watch_options {
	const char *prefix; /* "": every key */
	int64_t from;	    /* the first revision that is told */
	bool before;	    /* what was there is told too */
	/* Asked now and then, and after each batch: false ends the watch. */
	bool (*goes_on)(void *data);
	/* Events in the order of revisions. revision: all up to it has been told; 0: more of the last one is to come.
	 */
	void (*batch)(void *data, const struct etcd_event *events, size_t n, int64_t revision);
	void *data;
};

/*
 * Follows changes until it is not to go on, or an error: Expired when the first revision has been compacted; then
 * *ret_compacted (may be NULL) is the first that has not.
 */
struct status *etcd_watch(struct etcd *etcd, const struct etcd_watch_options *options, int64_t *ret_compacted) MUST_USE;

/* The end of the range of keys that begin with a prefix. */
char *etcd_prefix_end(struct arena *arena, const char *prefix);

#endif
