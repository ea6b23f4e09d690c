/*
 * resolv.conf: what it says, and what a pod gets out of it by its DNS policy (pkg/kubelet/network/dns).
 */
#ifndef KUBELET_RUNTIME_RESOLV_H
#define KUBELET_RUNTIME_RESOLV_H

#include "api/types.h"
#include "base/arena.h"

struct resolv {
	char **servers;
	size_t n_servers;
	char **searches;
	size_t n_searches;
	char **options;
	size_t n_options;
};

#define RESOLV_MAX_SERVERS 3
#define RESOLV_MAX_SEARCHES 32
#define RESOLV_MAX_SEARCH_CHARS 2048

/* Comments and lines that are neither nameserver, search nor options are passed over. */
void resolv_parse(struct arena *arena, const char *text, struct resolv *ret);
/* Adds what is not there yet. */
void resolv_add_unique(struct arena *arena, char ***list, size_t *n, const char *item);
/* Takes over a pod's dnsConfig: servers and searches added, options replaced by name. */
void resolv_apply(struct arena *arena, struct resolv *r, const CoreV1PodDNSConfig *config);
/* Cuts to what resolvers take; returns what was cut in words for an event, NULL if nothing was. */
char *resolv_limit(struct arena *arena, struct resolv *r);

#endif
