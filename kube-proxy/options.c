#include "kube-proxy/options.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/log.h"

enum { MAX_CONFIG_BYTES = 1 << 20 };

const struct flag *proxy_flags(struct proxy_options *o)
{
	const struct flag table[] = {
		{"config", 0, FLAG_STRING, &o->config_path, "", "The path to the configuration file."},
		{"cleanup", 0, FLAG_BOOL, &o->cleanup, "false", "Remove all rules of the proxy and exit."},
		{"init-only", 0, FLAG_BOOL, &o->init_only, "false", "Do what needs privileges and exit."},
		{"hostname-override", 0, FLAG_STRING, &o->hostname_override, "", "The name of this node."},
		{"bind-address", 0, FLAG_STRING, &o->bind_address, "0.0.0.0",
			"The node's own address, if not unspecified."},
		{"healthz-bind-address", 0, FLAG_STRING, &o->healthz_address, "0.0.0.0:10256",
			"Where health is served."},
		{"metrics-bind-address", 0, FLAG_STRING, &o->metrics_address, "127.0.0.1:10249",
			"Where metrics are served."},
		{"cluster-cidr", 0, FLAG_STRING, &o->cluster_cidr, "",
			"The addresses of pods: other traffic is masqueraded."},
		{"detect-local-mode", 0, FLAG_STRING, &o->detect_local_mode, "",
			"How pods of this node are known: ClusterCIDR, NodeCIDR, BridgeInterface, "
			"InterfaceNamePrefix."},
		{"pod-bridge-interface", 0, FLAG_STRING, &o->bridge_interface, "", "The bridge of BridgeInterface."},
		{"pod-interface-name-prefix", 0, FLAG_STRING, &o->interface_prefix, "",
			"The prefix of InterfaceNamePrefix."},
		{"proxy-mode", 0, FLAG_STRING, &o->mode, "", "nftables."},
		{"nodeport-addresses", 0, FLAG_STRINGS, &o->node_port_addresses, "",
			"CIDRs of addresses that take NodePorts."},
		{"masquerade-all", 0, FLAG_BOOL, &o->masquerade_all, "false", "Masquerade all traffic to cluster IPs."},
		{"iptables-masquerade-bit", 0, FLAG_INT, &o->masquerade_bit, "14",
			"The bit that marks what is masqueraded."},
		{"iptables-sync-period", 0, FLAG_DURATION, &o->sync_period_ms, "30s",
			"When a failed sync is tried again."},
		{"iptables-min-sync-period", 0, FLAG_DURATION, &o->min_sync_period_ms, "1s",
			"The least time between syncs."},
		{"oom-score-adj", 0, FLAG_INT, &o->oom_score_adj, "-999", "The proxy's own."},
		{"conntrack-max-per-core", 0, FLAG_INT, &o->conntrack_max_per_core, "32768",
			"Connections tracked, per core."},
		{"conntrack-min", 0, FLAG_INT, &o->conntrack_min, "131072", "Connections tracked at the least."},
		{"conntrack-tcp-timeout-established", 0, FLAG_DURATION, &o->conntrack_established_ms, "24h",
			"Idle time of established connections."},
		{"conntrack-tcp-timeout-close-wait", 0, FLAG_DURATION, &o->conntrack_close_wait_ms, "1h",
			"Time in CLOSE_WAIT."},
		{"conntrack-tcp-be-liberal", 0, FLAG_BOOL, &o->conntrack_be_liberal, "false",
			"Accept segments out of window."},
		{"conntrack-udp-timeout", 0, FLAG_DURATION, &o->conntrack_udp_ms, "0s", "Idle time of UDP."},
		{"conntrack-udp-timeout-stream", 0, FLAG_DURATION, &o->conntrack_udp_stream_ms, "0s",
			"Idle time of UDP that was answered."},
		{"config-sync-period", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"bind-address-hard-fail", 0, FLAG_IGNORED_BOOL, NULL, "", "Accepted for compatibility."},
		{"boot-id-file", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"machine-id-file", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"write-config-to", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"iptables-localhost-nodeports", 0, FLAG_IGNORED_BOOL, NULL, "", "Accepted for compatibility."},
		{"ipvs-exclude-cidrs", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-min-sync-period", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-scheduler", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-strict-arp", 0, FLAG_IGNORED_BOOL, NULL, "", "Accepted for compatibility."},
		{"ipvs-sync-period", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-tcp-timeout", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-tcpfin-timeout", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{"ipvs-udp-timeout", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{NULL},
	};
	o->arena = arena_new();
	return arena_dup(o->arena, table, sizeof table);
}

static int64_t milliseconds(const MetaV1Duration *d, int64_t fallback_ms)
{
	return d && d->duration ? d->duration / 1000000 : fallback_ms;
}

static void use_text(struct arena *arena, char **to, const char *from)
{
	if (!str_empty(from))
		*to = arena_strdup(arena, from);
}

static void use_client(
	struct arena *arena, struct daemon_options *o, const ComponentconfigV1alpha1ClientConnectionConfiguration *c)
{
	if (!c)
		return;
	use_text(arena, &o->kubeconfig, c->kubeconfig);
	if (c->qps != 0)
		o->qps = c->qps;
	if (c->burst)
		o->burst = c->burst;
}

static void use_conntrack(struct proxy_options *o, const KubeproxyV1alpha1KubeProxyConntrackConfiguration *c)
{
	if (!c)
		return;
	if (c->has_max_per_core)
		o->conntrack_max_per_core = c->max_per_core;
	if (c->has_min)
		o->conntrack_min = c->min;
	o->conntrack_established_ms = milliseconds(c->tcp_established_timeout, o->conntrack_established_ms);
	o->conntrack_close_wait_ms = milliseconds(c->tcp_close_wait_timeout, o->conntrack_close_wait_ms);
	o->conntrack_udp_ms = milliseconds(c->udp_timeout, o->conntrack_udp_ms);
	o->conntrack_udp_stream_ms = milliseconds(c->udp_stream_timeout, o->conntrack_udp_stream_ms);
	o->conntrack_be_liberal |= c->tcp_be_liberal;
}

static void use_nftables(struct proxy_options *o, const KubeproxyV1alpha1KubeProxyNFTablesConfiguration *c)
{
	if (!c)
		return;
	if (c->has_masquerade_bit)
		o->masquerade_bit = c->masquerade_bit;
	o->masquerade_all |= c->masquerade_all;
	o->sync_period_ms = milliseconds(c->sync_period, o->sync_period_ms);
	o->min_sync_period_ms = milliseconds(c->min_sync_period, o->min_sync_period_ms);
}

static void use_config(struct proxy_options *o, const KubeproxyV1alpha1KubeProxyConfiguration *c)
{
	use_client(o->arena, &o->daemon, c->client_connection);
	/* The flag is how one file serves many nodes: it wins. */
	if (str_empty(o->hostname_override))
		use_text(o->arena, &o->hostname_override, c->hostname_override);
	use_text(o->arena, &o->bind_address, c->bind_address);
	use_text(o->arena, &o->healthz_address, c->healthz_bind_address);
	use_text(o->arena, &o->metrics_address, c->metrics_bind_address);
	use_text(o->arena, &o->mode, c->mode);
	use_text(o->arena, &o->detect_local_mode, c->detect_local_mode);
	use_text(o->arena, &o->cluster_cidr, c->cluster_cidr);
	if (c->detect_local) {
		use_text(o->arena, &o->bridge_interface, c->detect_local->bridge_interface);
		use_text(o->arena, &o->interface_prefix, c->detect_local->interface_name_prefix);
	}
	if (c->n_node_port_addresses)
		o->node_port_addresses = (struct flag_list){c->node_port_addresses, c->n_node_port_addresses};
	if (c->has_oom_score_adj)
		o->oom_score_adj = c->oom_score_adj;
	use_conntrack(o, c->conntrack);
	use_nftables(o, c->nftables);
}

static struct status *load(struct proxy_options *o)
{
	CLEANUP_FREE char *data = NULL;
	size_t size = 0;
	char *version = NULL, *kind = NULL;
	struct json_strict strict = {0};
	const struct json_options options = {.strict = &strict, .ret_api_version = &version, .ret_kind = &kind};
	KubeproxyV1alpha1KubeProxyConfiguration *config = NULL;
	TRY(io_read_file(o->config_path, MAX_CONFIG_BYTES, &data, &size));
	struct status *failed =
		yaml_decode(o->arena, &KubeproxyV1alpha1KubeProxyConfiguration_schema, data, size, &options, &config);
	if (failed)
		return status_wrap(failed, "%s", o->config_path);
	if (!str_eq(version, "kubeproxy.config.k8s.io/v1alpha1") || !str_eq(kind, "KubeProxyConfiguration"))
		return status_bad_request("%s: no kind \"%s\" is registered for version \"%s\"", o->config_path,
			str_or_empty(kind), str_or_empty(version));
	/* The original, too, only warns of these in this version of the file's format. */
	for (size_t i = 0; i < strict.n_errors; i++)
		log_warn("%s: %s", o->config_path, strict.errors[i]);
	use_config(o, config);
	return NULL;
}

static bool is_interface_name(const char *s)
{
	size_t len = strlen(str_or_empty(s));
	return len && len < 16 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static struct status *check_local_mode(const struct proxy_options *o)
{
	static const char *const modes[] = {
		"", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix", NULL};
	const char *mode = str_or_empty(o->detect_local_mode);
	if (!str_in(mode, modes))
		return status_bad_request(
			"detectLocalMode: Unsupported value: \"%s\": supported values: \"ClusterCIDR\", "
			"\"NodeCIDR\", \"BridgeInterface\", \"InterfaceNamePrefix\"",
			mode);
	if (str_eq(mode, "BridgeInterface") && !is_interface_name(o->bridge_interface))
		return status_bad_request(
			"detectLocal.bridgeInterface: Invalid value: \"%s\"", str_or_empty(o->bridge_interface));
	if (str_eq(mode, "InterfaceNamePrefix") && !is_interface_name(o->interface_prefix))
		return status_bad_request(
			"detectLocal.interfaceNamePrefix: Invalid value: \"%s\"", str_or_empty(o->interface_prefix));
	return NULL;
}

static struct status *check_cidrs(const struct proxy_options *o, const char *field, char **cidrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(cidrs[i], "primary") || cidr_canonical(o->arena, ip_family(cidrs[i]), cidrs[i]))
			continue;
		return status_bad_request("%s: Invalid value: \"%s\": must be a valid CIDR block", field, cidrs[i]);
	}
	return NULL;
}

struct status *proxy_options_complete(struct proxy_options *o)
{
	char **cidrs = NULL;
	if (!str_empty(o->config_path))
		TRY(load(o));
	if (o->masquerade_bit < 0 || o->masquerade_bit > 31)
		return status_bad_request(
			"nftables.masqueradeBit: Invalid value: %lld: must be within the range [0, 31]",
			(long long)o->masquerade_bit);
	if (str_eq(o->mode, "iptables") || str_eq(o->mode, "ipvs"))
		log_warn("Proxy mode %s is not there; services are served by nftables all the same", o->mode);
	else if (!str_empty(o->mode) && !str_eq(o->mode, "nftables"))
		return status_bad_request("mode: Unsupported value: \"%s\": supported values: \"nftables\"", o->mode);
	TRY(check_local_mode(o));
	size_t n = str_split(o->arena, str_or_empty(o->cluster_cidr), ',', &cidrs);
	TRY(check_cidrs(o, "clusterCIDR", cidrs, n));
	return check_cidrs(o, "nodePortAddresses", o->node_port_addresses.items, o->node_port_addresses.n_items);
}

static struct local_detector by_cidr(struct arena *arena, enum family family, const char *cidrs)
{
	struct local_detector d = {0};
	char **parts = NULL;
	size_t n = str_split(arena, str_or_empty(cidrs), ',', &parts);
	for (size_t i = 0; i < n && !d.known; i++) {
		const char *cidr = ip_family(parts[i]) == family ? cidr_canonical(arena, family, parts[i]) : NULL;
		if (!cidr)
			continue;
		d.known = true;
		snprintf(d.if_local, sizeof d.if_local, "%s saddr %s", rules_family_name(family), cidr);
		snprintf(d.if_not_local, sizeof d.if_not_local, "%s saddr != %s", rules_family_name(family), cidr);
	}
	return d;
}

struct local_detector proxy_local_detector(const struct proxy_options *o, enum family family, const char *pod_cidr)
{
	struct local_detector d = {0};
	const char *mode = str_or(o->detect_local_mode, "ClusterCIDR");
	if (str_eq(mode, "ClusterCIDR"))
		return by_cidr(o->arena, family, o->cluster_cidr);
	if (str_eq(mode, "NodeCIDR"))
		return by_cidr(o->arena, family, pod_cidr);
	bool prefix = str_eq(mode, "InterfaceNamePrefix");
	const char *name = prefix ? o->interface_prefix : o->bridge_interface;
	d.known = true;
	snprintf(d.if_local, sizeof d.if_local, "iifname \"%s%s\"", name, prefix ? "*" : "");
	snprintf(d.if_not_local, sizeof d.if_not_local, "iifname != \"%s%s\"", name, prefix ? "*" : "");
	return d;
}
