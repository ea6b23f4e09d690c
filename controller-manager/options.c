#include "controller-manager/options.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

/* Flags of features that this manager does not have: taken, so that every start line of the original works. */
static const struct flag ignored_flags[] = {
	{"enable-leader-migration", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"leader-migration-config", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"disable-http2-serving", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"cloud-config", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"cluster-name", 0, FLAG_IGNORED, NULL, "", "the name of the cluster"},
	{"configure-cloud-routes", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"emulated-version", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"external-cloud-volume-plugin", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"feature-gates", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"min-resync-period", 0, FLAG_IGNORED, NULL, "", "informers need no resync: taken without effect"},
	{"route-reconciliation-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"attach-detach-reconcile-sync-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"disable-attach-detach-reconcile-sync", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"disable-force-detach-on-timeout", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"mirroring-endpointslice-updates-batch-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"concurrent-ephemeralvolume-syncs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"concurrent-horizontal-pod-autoscaler-syncs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"horizontal-pod-autoscaler-cpu-initialization-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"horizontal-pod-autoscaler-downscale-stabilization", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"horizontal-pod-autoscaler-initial-readiness-delay", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"horizontal-pod-autoscaler-sync-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"horizontal-pod-autoscaler-tolerance", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"enable-dynamic-provisioning", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"enable-hostpath-provisioner", 0, FLAG_IGNORED_BOOL, NULL, "", "taken without effect"},
	{"flex-volume-plugin-dir", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-increment-timeout-nfs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-minimum-timeout-hostpath", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-minimum-timeout-nfs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-pod-template-filepath-hostpath", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-pod-template-filepath-nfs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pv-recycler-timeout-increment-hostpath", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"pvclaimbinder-sync-period", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
	{"concurrent-validating-admission-policy-status-syncs", 0, FLAG_IGNORED, NULL, "", "taken without effect"},
};

struct flag *options_flags(struct options *o)
{
	const struct flag own[] = {
		{"controllers", 0, FLAG_STRINGS, &o->controllers, "*",
			"controllers to run: '*' is all that are on by default, 'foo' one by name, '-foo' leaves one "
			"out"},
		{"use-service-account-credentials", 0, FLAG_BOOL, &o->use_service_account_credentials, "",
			"each controller speaks as its own service account"},
		{"controller-start-interval", 0, FLAG_DURATION, &o->controller_start_interval_ms, "",
			"pause between the starts of two controllers"},
		{"root-ca-file", 0, FLAG_STRING, &o->root_ca_file, "",
			"CA certificates put into service account tokens' secrets and kube-root-ca.crt"},
		{"service-account-private-key-file", 0, FLAG_STRING, &o->service_account_private_key_file, "",
			"PEM private key that signs service account tokens"},
		{"allocate-node-cidrs", 0, FLAG_BOOL, &o->allocate_node_cidrs, "",
			"give each node a range for its pods"},
		{"cluster-cidr", 0, FLAG_STRING, &o->cluster_cidr, "", "range of all pods; two for dual stack"},
		{"service-cluster-ip-range", 0, FLAG_STRING, &o->service_cluster_ip_range, "", "range of Services"},
		{"cloud-provider", 0, FLAG_STRING, &o->cloud_provider, "", "empty or external"},
		{"cidr-allocator-type", 0, FLAG_STRING, &o->cidr_allocator_type, "RangeAllocator",
			"how nodes get ranges"},
		{"node-cidr-mask-size", 0, FLAG_INT, &o->node_cidr_mask_size, "", "prefix length of a node's range"},
		{"node-cidr-mask-size-ipv4", 0, FLAG_INT, &o->node_cidr_mask_size_ipv4, "",
			"the same, IPv4 of dual stack"},
		{"node-cidr-mask-size-ipv6", 0, FLAG_INT, &o->node_cidr_mask_size_ipv6, "",
			"the same, IPv6 of dual stack"},
		{"node-monitor-period", 0, FLAG_DURATION, &o->node_monitor_period_ms, "5s",
			"how often nodes are looked at"},
		{"node-monitor-grace-period", 0, FLAG_DURATION, &o->node_monitor_grace_period_ms, "50s",
			"how long a node may be silent before it counts as unhealthy"},
		{"node-startup-grace-period", 0, FLAG_DURATION, &o->node_startup_grace_period_ms, "1m0s",
			"the same for a node that starts"},
		{"node-eviction-rate", 0, FLAG_FLOAT, &o->node_eviction_rate, "0.1",
			"nodes a second tainted in a healthy zone"},
		{"secondary-node-eviction-rate", 0, FLAG_FLOAT, &o->secondary_node_eviction_rate, "0.01",
			"the same in an unhealthy zone"},
		{"unhealthy-zone-threshold", 0, FLAG_FLOAT, &o->unhealthy_zone_threshold, "0.55",
			"share of nodes not ready that makes a zone unhealthy"},
		{"large-cluster-size-threshold", 0, FLAG_INT, &o->large_cluster_size_threshold, "50",
			"nodes of a zone above which it counts as large"},
		{"terminated-pod-gc-threshold", 0, FLAG_INT, &o->terminated_pod_gc_threshold, "12500",
			"finished pods that may stay"},
		{"cluster-signing-cert-file", 0, FLAG_STRING, &o->signing.cert, "",
			"CA certificate that signs requests"},
		{"cluster-signing-key-file", 0, FLAG_STRING, &o->signing.key, "", "its private key"},
		{"cluster-signing-duration", 0, FLAG_DURATION, &o->signing_duration_ms, "8760h0m0s",
			"how long they last at most"},
		{"cluster-signing-kubelet-serving-cert-file", 0, FLAG_STRING, &o->signing_kubelet_serving.cert, "",
			"CA of one signer"},
		{"cluster-signing-kubelet-serving-key-file", 0, FLAG_STRING, &o->signing_kubelet_serving.key, "",
			"its key"},
		{"cluster-signing-kubelet-client-cert-file", 0, FLAG_STRING, &o->signing_kubelet_client.cert, "",
			"CA of one signer"},
		{"cluster-signing-kubelet-client-key-file", 0, FLAG_STRING, &o->signing_kubelet_client.key, "",
			"its key"},
		{"cluster-signing-kube-apiserver-client-cert-file", 0, FLAG_STRING, &o->signing_apiserver_client.cert,
			"", "CA of one signer"},
		{"cluster-signing-kube-apiserver-client-key-file", 0, FLAG_STRING, &o->signing_apiserver_client.key, "",
			"its key"},
		{"cluster-signing-legacy-unknown-cert-file", 0, FLAG_STRING, &o->signing_legacy.cert, "",
			"CA of one signer"},
		{"cluster-signing-legacy-unknown-key-file", 0, FLAG_STRING, &o->signing_legacy.key, "", "its key"},
		{"max-endpoints-per-slice", 0, FLAG_INT, &o->max_endpoints_per_slice, "100", "1 to 1000"},
		{"endpoint-updates-batch-period", 0, FLAG_DURATION, &o->endpoint_batch_period_ms, "",
			"wait to gather pod changes"},
		{"endpointslice-updates-batch-period", 0, FLAG_DURATION, &o->slice_batch_period_ms, "",
			"wait to gather pod changes"},
		{"mirroring-max-endpoints-per-subset", 0, FLAG_INT, &o->mirroring_max_endpoints_per_subset, "1000",
			"1 to 1000"},
		{"enable-garbage-collector", 0, FLAG_BOOL, &o->enable_garbage_collector, "true",
			"delete what lost its owners"},
		{"namespace-sync-period", 0, FLAG_DURATION, &o->namespace_sync_period_ms, "5m0s",
			"how often namespaces are looked at"},
		{"legacy-service-account-token-clean-up-period", 0, FLAG_DURATION, &o->legacy_token_clean_up_period_ms,
			"8760h0m0s", "how long an unused token lives"},
		{"concurrent-service-syncs", 0, FLAG_INT, &o->concurrent_service_syncs, "1", "syncs at once"},
		{"concurrent-deployment-syncs", 0, FLAG_INT, &o->concurrent_deployment_syncs, "5", "syncs at once"},
		{"concurrent-statefulset-syncs", 0, FLAG_INT, &o->concurrent_statefulset_syncs, "5", "syncs at once"},
		{"concurrent-daemonset-syncs", 0, FLAG_INT, &o->concurrent_daemonset_syncs, "2", "syncs at once"},
		{"concurrent-endpoint-syncs", 0, FLAG_INT, &o->concurrent_endpoint_syncs, "5", "syncs at once"},
		{"concurrent-service-endpoint-syncs", 0, FLAG_INT, &o->concurrent_service_endpoint_syncs, "5",
			"syncs at once"},
		{"mirroring-concurrent-service-endpoint-syncs", 0, FLAG_INT, &o->concurrent_mirroring_syncs, "5",
			"syncs at once"},
		{"concurrent-gc-syncs", 0, FLAG_INT, &o->concurrent_gc_syncs, "20", "syncs at once"},
		{"concurrent-job-syncs", 0, FLAG_INT, &o->concurrent_job_syncs, "5", "syncs at once"},
		{"concurrent-cron-job-syncs", 0, FLAG_INT, &o->concurrent_cron_job_syncs, "5", "syncs at once"},
		{"concurrent-namespace-syncs", 0, FLAG_INT, &o->concurrent_namespace_syncs, "10", "syncs at once"},
		{"concurrent-replicaset-syncs", 0, FLAG_INT, &o->concurrent_replicaset_syncs, "5", "syncs at once"},
		{"concurrent-resource-quota-syncs", 0, FLAG_INT, &o->concurrent_resource_quota_syncs, "5",
			"syncs at once"},
		{"resource-quota-sync-period", 0, FLAG_DURATION, &o->resource_quota_sync_period_ms, "5m0s",
			"how often quotas are summed up anew"},
		{"concurrent-rc-syncs", 0, FLAG_INT, &o->concurrent_rc_syncs, "5", "syncs at once"},
		{"concurrent-serviceaccount-token-syncs", 0, FLAG_INT, &o->concurrent_token_syncs, "5",
			"syncs at once"},
		{"concurrent-ttl-after-finished-syncs", 0, FLAG_INT, &o->concurrent_ttl_after_finished_syncs, "5",
			"syncs at once"},
	};
	struct flag *table = mem_calloc(ARRAY_SIZE(own) + ARRAY_SIZE(ignored_flags) + 1, sizeof(*table));
	memcpy(table, own, sizeof(own));
	memcpy(table + ARRAY_SIZE(own), ignored_flags, sizeof(ignored_flags));
	return table;
}

static struct status *check_file(const char *flag, const char *path)
{
	if (!str_empty(path) && access(path, R_OK))
		return status_errno(errno, "--%s: %s", flag, path);
	return NULL;
}

struct status *options_check(const struct options *o)
{
	if (o->allocate_node_cidrs && str_empty(o->cluster_cidr))
		return status_bad_request("--cluster-cidr must be set when --allocate-node-cidrs is");
	if (o->max_endpoints_per_slice < 1 || o->max_endpoints_per_slice > 1000)
		return status_bad_request("--max-endpoints-per-slice must be between 1 and 1000, got %lld",
			(long long)o->max_endpoints_per_slice);
	if (str_empty(o->signing.cert) != str_empty(o->signing.key))
		return status_bad_request(
			"--cluster-signing-cert-file and --cluster-signing-key-file must be given together");
	TRY(check_file("root-ca-file", o->root_ca_file));
	TRY(check_file("service-account-private-key-file", o->service_account_private_key_file));
	TRY(check_file("cluster-signing-cert-file", o->signing.cert));
	return check_file("cluster-signing-key-file", o->signing.key);
}

bool options_controller_enabled(const struct options *o, const char *name, const char *alias, bool off_by_default)
{
	bool star = false;
	for (size_t i = 0; i < o->controllers.n_items; i++) {
		const char *item = o->controllers.items[i];
		bool off = *item == '-';
		const char *named = off ? item + 1 : item;
		if (str_eq(named, name) || (alias && str_eq(named, alias)))
			return !off;
		star |= str_eq(item, "*");
	}
	return star && !off_by_default;
}
