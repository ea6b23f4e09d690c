/*
 * What is in the kernel for each service, and how it follows the API objects.
 *
 *	struct sync *sync = sync_new(nft, &config, …);
 *	sync_service(sync, key, service, slices…)       // a service or its endpoints changed
 *	TRY(sync_run(sync, false));                     // one transaction a family with what changed
 *
 * The first run replaces what an earlier process left behind, in one transaction: traffic flows on, and clients keep
 * their endpoints. After a failure the next run writes everything again.
 *
 * Threads: one, that of the proxy's loop.
 */
#ifndef KUBE_PROXY_SYNC_H
#define KUBE_PROXY_SYNC_H

#include "kube-proxy/nft.h"
#include "kube-proxy/rules.h"

/* A service by "namespace/name", with the objects it is made of; references are the holder's business. */
struct sync_service {
	char *key;
	const CoreV1Service *service; /* NULL: only slices so far */
	const DiscoveryV1EndpointSlice **slices;
	size_t n_slices;
	bool dirty;
	bool contended; /* another service held an address of this one */
	bool has_udp;
	int32_t health_check_node_port;
	size_t n_local_ready;
	struct fragment *installed[N_FAMILIES], *wanted[N_FAMILIES];
};

struct sync {
	struct nft *nft;
	struct rules_config config[N_FAMILIES];
	bool enabled[N_FAMILIES];
	struct strmap *services;	   /* struct sync_service */
	struct strmap *owners[N_FAMILIES]; /* element -> struct sync_service */
	struct strmap *stale[N_FAMILIES];  /* chain name -> when it was emptied, ms */
	const struct clock *clock;
	bool full_needed;
	bool contention_over; /* an address became free that another service waits for */
	/* of the last run */
	size_t n_changes;
	bool udp_changed;
};

struct sync *sync_new(struct nft *nft, const struct clock *clock);
void sync_free(struct sync *s);
/* The service of that name, made if need be, marked as changed. */
struct sync_service *sync_touch(struct sync *s, const char *key);
/* Writes what changed; full: everything. Removes services that have neither object nor slices. */
struct status *sync_run(struct sync *s, bool full) MUST_USE;
/* Notices when somebody else removed our table: then full_needed is set, and the answer is true. */
bool sync_check(struct sync *s);
/* Milliseconds until chains that are of no more use can be removed; -1: there are none. */
int64_t sync_next_cleanup_ms(const struct sync *s);

#endif
