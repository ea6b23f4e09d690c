/*
 * What the proxy is told: flags, or a KubeProxyConfiguration file, which wins where it speaks.
 */
#ifndef KUBE_PROXY_OPTIONS_H
#define KUBE_PROXY_OPTIONS_H

#include "base/flags.h"
#include "kube-proxy/rules.h"
#include "serve/daemon.h"

struct proxy_options {
	struct daemon_options daemon;
	char *config_path;
	bool cleanup, init_only;
	char *hostname_override, *bind_address, *healthz_address, *metrics_address;
	char *cluster_cidr, *detect_local_mode, *bridge_interface, *interface_prefix, *mode;
	struct flag_list node_port_addresses;
	bool masquerade_all;
	int64_t masquerade_bit;
	int64_t sync_period_ms, min_sync_period_ms;
	int64_t oom_score_adj;
	int64_t conntrack_max_per_core, conntrack_min, conntrack_established_ms, conntrack_close_wait_ms,
		conntrack_udp_ms, conntrack_udp_stream_ms;
	bool conntrack_be_liberal;
	struct arena *arena;
};

/* The table of flags, which points into o. */
const struct flag *proxy_flags(struct proxy_options *o);
/* Reads the configuration file, if one is given, and checks everything. */
struct status *proxy_options_complete(struct proxy_options *o) MUST_USE;
/* How local traffic is told from other, for one family; pod_cidr is the node's (NodeCIDR mode; may be NULL). */
struct local_detector proxy_local_detector(const struct proxy_options *o, enum family family, const char *pod_cidr);

#endif
