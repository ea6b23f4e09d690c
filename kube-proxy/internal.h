/*
 * The proxy's inside, shared by its own files. Everything belongs to the daemon's loop.
 */
#ifndef KUBE_PROXY_INTERNAL_H
#define KUBE_PROXY_INTERNAL_H

#include "client/informer.h"
#include "kube-proxy/health.h"
#include "kube-proxy/options.h"
#include "kube-proxy/sync.h"

/* A service's objects, with their references. */
struct proxied {
	struct object *service;
	struct object **slices;
	size_t n_slices, cap_slices;
};

struct proxy_metrics {
	struct metric *sync_duration, *partial_duration, *full_duration, *failures, *queued, *synced, *changes;
};

struct proxy {
	struct proxy_options options;
	struct arena *arena; /* the configuration's */
	char *node_name;
	struct loop *loop;
	const struct clock *clock;
	struct nft *nft;
	struct sync *sync;
	struct proxy_health *health;
	struct proxy_metrics metrics;
	struct informers *informers;
	struct strmap *cidrs; /* ServiceCIDR name -> struct object: what addresses services may have */
	char *service_cidrs[N_FAMILIES];
	struct strmap *proxied; /* "namespace/name" -> struct proxied */
	/* the node's facts */
	struct arena *node_arena;
	char *zone, *pod_cidrs, *node_ips[N_FAMILIES];
	int n_unsynced;
	bool pending, clean_udp, stopping;
	int64_t last_sync_ms, last_full_ms;
	struct loop_timer *timer;
};

/* watch.c */
void proxy_watch(struct proxy *p);
/* run.c */
void proxy_wake(struct proxy *p);
void proxy_configure_rules(struct proxy *p);
/* udp.c: removes tracked flows that lead to endpoints that are gone. */
void proxy_clean_udp(struct proxy *p, enum family family);

#endif
