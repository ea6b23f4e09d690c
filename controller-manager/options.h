/*
 * What the command line of kube-controller-manager says, beside what every daemon has (serve/daemon.h).
 *
 * Threads: written once at start, then constant.
 */
#ifndef CONTROLLER_MANAGER_OPTIONS_H
#define CONTROLLER_MANAGER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/flags.h"

/* A pair of files that signs for one kind of signer; empty: the general pair. */
struct signing_files {
	char *cert;
	char *key;
};

struct options {
	struct flag_list controllers;
	bool use_service_account_credentials;
	int64_t controller_start_interval_ms;
	char *root_ca_file;
	char *service_account_private_key_file;

	bool allocate_node_cidrs;
	char *cluster_cidr;
	char *service_cluster_ip_range;
	char *cloud_provider;
	char *cidr_allocator_type;
	int64_t node_cidr_mask_size, node_cidr_mask_size_ipv4, node_cidr_mask_size_ipv6;

	int64_t node_monitor_period_ms;
	int64_t node_monitor_grace_period_ms;
	int64_t node_startup_grace_period_ms;
	double node_eviction_rate, secondary_node_eviction_rate, unhealthy_zone_threshold;
	int64_t large_cluster_size_threshold;
	int64_t terminated_pod_gc_threshold;

	struct signing_files signing; /* --cluster-signing-cert-file, -key-file */
	struct signing_files signing_kubelet_serving, signing_kubelet_client, signing_apiserver_client, signing_legacy;
	int64_t signing_duration_ms;

	int64_t max_endpoints_per_slice;
	int64_t endpoint_batch_period_ms, slice_batch_period_ms;
	int64_t mirroring_max_endpoints_per_subset;
	bool enable_garbage_collector;
	int64_t namespace_sync_period_ms;
	int64_t legacy_token_clean_up_period_ms;

	int64_t resource_quota_sync_period_ms;
	int64_t concurrent_resource_quota_syncs;
	int64_t concurrent_service_syncs, concurrent_deployment_syncs, concurrent_statefulset_syncs,
		concurrent_daemonset_syncs, concurrent_endpoint_syncs, concurrent_service_endpoint_syncs,
		concurrent_mirroring_syncs, concurrent_gc_syncs, concurrent_job_syncs, concurrent_cron_job_syncs,
		concurrent_namespace_syncs, concurrent_replicaset_syncs, concurrent_rc_syncs, concurrent_token_syncs,
		concurrent_ttl_after_finished_syncs;
};

/* A table of flags that write into o; the caller frees it. */
struct flag *options_flags(struct options *o);
/* What cannot be: an error naming the flag. */
struct status *options_check(const struct options *o) MUST_USE;
/* Whether --controllers lets this one run. */
bool options_controller_enabled(const struct options *o, const char *name, const char *alias, bool off_by_default);

#endif
