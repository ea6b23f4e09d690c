/*
 * The command line: flags named and typed as the original's. What has no effect here is taken, and told of
 * (ignored_flags.c).
 */
#ifndef APISERVER_OPTIONS_H
#define APISERVER_OPTIONS_H

#include "apiserver/admission/admission.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "base/flags.h"
#include "serve/metric_filter.h"

struct options {
	struct authn_options authn;
	struct authz_options authz;
	struct admission_options admission;
	struct metric_filter_options metrics;
	char *advertise_address;
	char *bind_address;
	int64_t secure_port;
	char *cert_dir;
	struct flag_list allowed_origins, transport_directives;
	char *external_hostname;
	char *endpoint_reconciler;
	char *tls_cert_file;
	char *tls_key_file;
	char *tls_min_version;
	struct flag_list tls_suites;
	struct flag_list runtime_config, feature_gates;
	bool fairness;
	struct flag_list etcd_servers;
	char *etcd_ca_file;
	char *etcd_cert_file;
	char *etcd_key_file;
	char *etcd_prefix;
	char *encryption_config;
	bool encryption_reloads;
	int64_t event_ttl_ms;
	int64_t lease_reuse_seconds;
	int64_t compaction_ms;
	char *kubelet_ca;
	char *kubelet_cert;
	char *kubelet_key;
	struct flag_list kubelet_address_types;
	int64_t kubernetes_node_port;
	int64_t max_reads, max_writes;
	int64_t request_ms;
	int64_t watch_seconds;
	int64_t shutdown_delay_ms;
	bool shutdown_send_retry_after;
	int64_t shutdown_watch_grace_ms;
	char *service_range;
	char *node_port_range;
	bool allow_privileged;
	bool profiling;
	int64_t verbosity;
	bool help;
	char *version;
	struct flag_list etcd_overrides;
	bool *ignored_given; /* of the flags that have no effect */
};

/* Error: BadRequest naming the flag. */
struct status *options_parse(struct options *options, int argc, char **argv) MUST_USE;
void options_usage(struct options *options);
/* Logs each flag that was given and has no effect, and why. */
void options_tell_ignored(const struct options *options);
/* Their table, and which of them are given, once it has been parsed; both live as long as the process. */
struct flag *ignored_flags(bool **ret_given);
/* "30000-32767" */
struct status *port_range_parse(const char *text, int32_t *ret_first, int32_t *ret_last) MUST_USE;

#endif
