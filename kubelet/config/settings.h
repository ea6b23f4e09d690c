/*
 * What the kubelet was told: command line and configuration file, with the defaults of the original filled in.
 *
 * A flag given on the command line wins over the file. Immutable after settings_load().
 */
#ifndef KUBELET_CONFIG_SETTINGS_H
#define KUBELET_CONFIG_SETTINGS_H

#include "api/types.h"
#include "base/flags.h"
#include "base/status.h"

struct settings_flags;

struct settings {
	/* command line */
	char *config_file;
	char *kubeconfig;
	char *bootstrap_kubeconfig;
	char *hostname_override;
	char *node_ip;
	char *root_dir;
	char *cert_dir;
	struct flag_list node_labels;
	struct flag_list register_with_taints;
	bool register_node;
	bool register_schedulable;
	char *pod_infra_container_image;

	struct settings_flags *flags; /* private */

	/* the file, decoded; never NULL after loading */
	KubeletV1beta1KubeletConfiguration *config;
	struct arena *arena;

	/* what follows from both */
	char *node_name;
	char *hostname;
	char *pod_logs_dir;
	char *runtime_endpoint;
	char *image_endpoint;
	char *resolv_conf; /* "" : none */
	char *cluster_domain;
	char **cluster_dns;
	size_t n_cluster_dns;
	char *const *unsafe_sysctls; /* that pods may set beside the safe ones; "*" at the end of a beginning */
	size_t n_unsafe_sysctls;
	CoreV1Taint **taints;
	size_t n_taints;
	int64_t sync_ms;
	int64_t file_check_ms;
	int64_t status_update_ms;
	int64_t status_report_ms;
	int64_t lease_duration_s;
	int64_t runtime_timeout_ms;
	int64_t image_min_age_ms;
	int64_t image_max_age_ms;
	int64_t eviction_transition_ms;
	int64_t max_restart_ms; /* the longest CrashLoopBackOff */
	int64_t cpu_period_us;
	int64_t log_max_bytes;
	int64_t log_check_ms;
	int log_max_files;
	int64_t authn_ttl_ms, allow_ttl_ms, deny_ttl_ms;
	int port;
	int healthz_port;
	int read_only_port;
	int max_pods;
	int image_gc_high, image_gc_low;
};

/* The flags of the command line; *s must outlive the table. */
const struct flag *settings_flags(struct settings *s);
/* Reads the file, applies flags over it, fills in defaults. Errors name the file and the field. */
struct status *settings_load(struct settings *s) MUST_USE;

#endif
