/*
 * Leader election on a Lease: one of several candidates works, the others wait.
 *
 *	struct leader_config config = {.client = client, .namespace = "kube-system", .name = "kube-scheduler", .identity
 *= id, .started = start, .data = scheduler, .release_on_cancel = true}; TRY(leader_run(&config, &stop));       //
 *returns when leadership is lost or stop becomes true
 *
 * The algorithm is client-go's: the lease is acquired when it is free, released, or has not been renewed within its
 *duration as seen by our own clock; the holder renews it every retry period and gives up when it could not for the
 *renew deadline, counted from when the last renewal that succeeded was begun: an attempt that hangs is cut off. After a
 *loss the client is cancelled and the caller must end the process (fencing): nothing it does afterwards is safe.
 *
 * Threads: leader_run() blocks its caller; `started` runs on a thread of its own.
 */
#ifndef CLIENT_LEADERELECTION_H
#define CLIENT_LEADERELECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "client/client.h"
#include "client/events.h"

struct leader_config {
	struct client *client;
	const char *namespace;
	const char *name;
	const char *identity;	   /* NULL: host name + "_" + random UUID */
	int64_t lease_duration_ms; /* 0: 15000 */
	int64_t renew_deadline_ms; /* 0: 10000 */
	int64_t retry_period_ms;   /* 0: 2000 */
	bool release_on_cancel;
	/* Called on a new thread once the lease is held; *lost becomes true when it has been lost or the run is
	 * stopped. */
	void (*started)(void *data, const atomic_bool *lost);
	/* The holder seen has changed. May be NULL. */
	void (*new_leader)(void *data, const char *identity);
	void *data;
	struct event_recorder *recorder; /* LeaderElection events; may be NULL */
	const struct clock *clock;	 /* NULL: the client's */
	/* Told when the term ends, each time that it is prolonged: for client_config.writes_end_ms. May be NULL. */
	atomic_llong *term_ends_ms;
};

/* NULL: *stop became true (the lease has been released if so configured). Error: the lease was lost, or the
 * configuration is wrong. */
struct status *leader_run(const struct leader_config *config, const atomic_bool *stop) MUST_USE;

/* One step of the algorithm over explicit records: for tests. */
struct leader_record {
	char *holder;
	int32_t lease_duration_seconds;
	int64_t acquire_us, renew_us; /* wall clock, microseconds */
	int32_t transitions;
};
struct leader_observed {
	struct leader_record record;
	int64_t at_ms; /* monotonic: when it was first seen so */
};
enum leader_action { LEADER_WAIT, LEADER_ACQUIRE, LEADER_RENEW };
enum leader_action leader_decide(
	const struct leader_observed *observed, const char *identity, int64_t now_ms, int64_t lease_duration_ms);

#endif
