/*
 * The node the proxy runs on: its name, its addresses, and the kernel settings that belong to the proxy.
 */
#ifndef KUBE_PROXY_HOST_H
#define KUBE_PROXY_HOST_H

#include "kube-proxy/options.h"

/* The override or the host's name, in lower case. */
struct status *host_node_name(struct arena *arena, const char *override, char **ret) MUST_USE;
/* Addresses of the family on this host that lie in any of the CIDRs, without loopback ones. */
size_t host_addresses(
	struct arena *arena, enum family family, char *const *cidrs, size_t n_cidrs, const char ***ret_ips);
/* Limits and timeouts of connection tracking, and our place before the out-of-memory killer. What cannot be set is
 * logged: in a container the host has to see to it. */
void host_tune(const struct proxy_options *o);

#endif
