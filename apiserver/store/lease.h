/*
 * The lease of etcd that values which end by themselves share: a lease for each would cost etcd more than the value.
 * What is written within a while, of up to 1,000 values, is given the same
 *(apiserver/pkg/storage/etcd3/lease_manager.go).
 *
 *	struct lease *lease = lease_new(&options);
 *	TRY(lease_take(lease, 3600, &id));                      // for a value that is to last an hour
 *
 * Threads: any; taking one may block for a call to etcd.
 */
#ifndef APISERVER_STORE_LEASE_H
#define APISERVER_STORE_LEASE_H

#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"

struct lease;

struct lease_options {
	struct status *(*grant)(void *data, int64_t ttl_s, int64_t *ret_id); /* etcd's */
	void *data;
	const struct clock *clock;
	/* For how many seconds a lease is given away, and how many it therefore lasts longer than was asked for; a
	 * twentieth of what was asked for at most. */
	int64_t reuse_s;
};

struct lease *lease_new(const struct lease_options *options);
/* Another of the same options, for values of another kind; both are counted as one, by the first. */
struct lease *lease_new_beside(struct lease *first);
void lease_free(struct lease *lease);
/* The id of a lease that lasts for ttl_s seconds at least. Error: that of granting one. */
struct status *lease_take(struct lease *lease, int64_t ttl_s, int64_t *ret_id) MUST_USE;
/* etcd_lease_object_counts: of how many values each lease was. */
void lease_write_metrics(const struct lease *lease, struct strbuf *out);

#endif
