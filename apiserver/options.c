#include "apiserver/options.h"
#include <stdlib.h>
#include "base/mem.h"
#include "base/str.h"
#include "serve/features.h"

static struct flag *own_flags(struct options *o)
{
	const struct flag flags[] = {
		{"advertise-address", 0, FLAG_STRING, &o->advertise_address, "",
			"address under which the cluster reaches this server"},
		{"bind-address", 0, FLAG_STRING, &o->bind_address, "0.0.0.0", "address to listen on"},
		{"secure-port", 0, FLAG_INT, &o->secure_port, "6443", "port to listen on"},
		{"cors-allowed-origins", 0, FLAG_STRINGS, &o->allowed_origins, "",
			"regular expressions of the origins whose pages may ask this server"},
		{"endpoint-reconciler-type", 0, FLAG_STRING, &o->endpoint_reconciler, "lease",
			"who keeps the endpoints of the kubernetes Service: lease (the servers that live), none "
			"(somebody else); master-count is as lease"},
		{"external-hostname", 0, FLAG_STRING, &o->external_hostname, "",
			"host, or host and port, that others are told to find this server by"},
		{"strict-transport-security-directives", 0, FLAG_STRINGS, &o->transport_directives, "",
			"what browsers are told of HTTPS: max-age=SECONDS, includeSubDomains, preload"},
		{"cert-dir", 0, FLAG_STRING, &o->cert_dir, "/var/run/kubernetes",
			"where a self-signed certificate is kept"},
		{"tls-cert-file", 0, FLAG_STRING, &o->tls_cert_file, "",
			"certificate of the server, PEM, with its chain"},
		{"tls-cipher-suites", 0, FLAG_STRINGS, &o->tls_suites, "",
			"ciphers before TLS 1.3, by their names in Go; none: those that are usual"},
		{"tls-min-version", 0, FLAG_STRING, &o->tls_min_version, "",
			"the least version of TLS: VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13"},
		{"tls-private-key-file", 0, FLAG_STRING, &o->tls_key_file, "", "private key of the server, PEM"},
		{"feature-gates", 0, FLAG_STRINGS, &o->feature_gates, "",
			"features by name, =true or =false: checked, and without effect"},
		{"runtime-config", 0, FLAG_STRINGS, &o->runtime_config, "",
			"what is served: api/all, api/ga, group/version or group/version/resource, each =true or "
			"=false"},
		{"enable-priority-and-fairness", 0, FLAG_BOOL, &o->fairness, "true",
			"no effect of its own; flowcontrol.apiserver.k8s.io/v1 cannot be turned off with it"},
		{"etcd-servers", 0, FLAG_STRINGS, &o->etcd_servers, "",
			"endpoints of etcd: scheme://host:port, comma separated"},
		{"etcd-servers-overrides", 0, FLAG_STRINGS, &o->etcd_overrides, "", "not served: all is in one etcd",
			.hidden = true},
		{"etcd-cafile", 0, FLAG_STRING, &o->etcd_ca_file, "", "bundle that verifies etcd"},
		{"etcd-certfile", 0, FLAG_STRING, &o->etcd_cert_file, "", "client certificate for etcd"},
		{"etcd-keyfile", 0, FLAG_STRING, &o->etcd_key_file, "", "key of that certificate"},
		{"etcd-prefix", 0, FLAG_STRING, &o->etcd_prefix, "/registry", "what all keys in etcd begin with"},
		{"encryption-provider-config", 0, FLAG_STRING, &o->encryption_config, "",
			"file that says how the objects of which resources are encrypted in etcd"},
		{"encryption-provider-config-automatic-reload", 0, FLAG_BOOL, &o->encryption_reloads, "false",
			"whether that file is read again when it changes"},
		{"etcd-compaction-interval", 0, FLAG_DURATION, &o->compaction_ms, "5m0s",
			"how often etcd's history is compacted; 0: never"},
		{"allow-privileged", 0, FLAG_BOOL, &o->allow_privileged, "false",
			"whether containers may be privileged"},
		{"lease-reuse-duration-seconds", 0, FLAG_INT, &o->lease_reuse_seconds, "60",
			"for how long values share a lease of etcd, in seconds"},
		{"event-ttl", 0, FLAG_DURATION, &o->event_ttl_ms, "1h0m0s", "how long events are kept"},
		{"kubelet-certificate-authority", 0, FLAG_STRING, &o->kubelet_ca, "", "bundle that verifies kubelets"},
		{"kubelet-client-certificate", 0, FLAG_STRING, &o->kubelet_cert, "", "client certificate for kubelets"},
		{"kubelet-client-key", 0, FLAG_STRING, &o->kubelet_key, "", "key of that certificate"},
		{"kubelet-preferred-address-types", 0, FLAG_STRINGS, &o->kubelet_address_types,
			"Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP",
			"which of a node's addresses to use, in order"},
		{"kubernetes-service-node-port", 0, FLAG_INT, &o->kubernetes_node_port, "0",
			"node port of the kubernetes Service; 0: a ClusterIP Service"},
		{"max-requests-inflight", 0, FLAG_INT, &o->max_reads, "400", "reads at once"},
		{"max-mutating-requests-inflight", 0, FLAG_INT, &o->max_writes, "200", "writes at once"},
		{"request-timeout", 0, FLAG_DURATION, &o->request_ms, "1m0s",
			"how long a request may take to arrive, and, when the server ends, to be answered"},
		{"min-request-timeout", 0, FLAG_INT, &o->watch_seconds, "1800",
			"a watch that names no time is ended after so many seconds at least, twice as many at most"},
		{"service-cluster-ip-range", 0, FLAG_STRING, &o->service_range, "",
			"range of Service addresses: CIDR, or two of both families"},
		{"service-node-port-range", 0, FLAG_STRING, &o->node_port_range, "30000-32767", "range of node ports"},
		{"shutdown-delay-duration", 0, FLAG_DURATION, &o->shutdown_delay_ms, "0s",
			"how long everything is served after the order to end, while /readyz fails"},
		{"shutdown-send-retry-after", 0, FLAG_BOOL, &o->shutdown_send_retry_after, "false",
			"keep listening until all requests in progress are answered, and answer others with 429"},
		{"shutdown-watch-termination-grace-period", 0, FLAG_DURATION, &o->shutdown_watch_grace_ms, "0s",
			"within which watches are ended one after the other; 0: at the very end"},
		{"profiling", 0, FLAG_BOOL, &o->profiling, "true", "serve /debug/pprof/"},
		{"v", 'v', FLAG_INT, &o->verbosity, "0", "how much is logged"},
		{"help", 'h', FLAG_BOOL, &o->help, "", "show this"},
		{"version", 0, FLAG_STRING, &o->version, "", "show the version", .no_opt_value = "true"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}

/* Where the table of what has no effect stands, the last. */
enum { IGNORED_FLAGS = 5 };

/* The tables live as long as the process. */
static const struct flag *const *tables(struct options *o)
{
	const struct flag **all = mem_calloc(IGNORED_FLAGS + 2, sizeof(*all));
	all[0] = own_flags(o);
	all[1] = authn_flags(&o->authn);
	all[2] = authz_flags(&o->authz);
	all[3] = admission_flags(&o->admission);
	all[4] = metric_filter_flags(&o->metrics);
	all[IGNORED_FLAGS] = ignored_flags(&o->ignored_given);
	return all;
}

struct status *options_parse(struct options *options, int argc, char **argv)
{
	struct flag_args args;
	*options = (struct options){0};
	TRY(flags_parse_tables(tables(options), argc, argv, true, &args));
	if (args.n_items)
		return status_bad_request("unknown command \"%s\": this program takes no arguments", args.items[0]);
	if (options->secure_port < 0 || options->secure_port > 65535)
		return status_bad_request("--secure-port: %lld is no port", (long long)options->secure_port);
	if (options->watch_seconds < 0)
		return status_bad_request("--min-request-timeout can not be negative value");
	if (options->watch_seconds > INT32_MAX)
		return status_bad_request("--min-request-timeout: %lld is too long", (long long)options->watch_seconds);
	if (options->etcd_overrides.n_items)
		return status_bad_request("--etcd-servers-overrides: this server keeps all objects in one etcd, whose "
					  "revisions are theirs: it cannot keep \"%s\" in another",
			options->etcd_overrides.items[0]);
	if (options->encryption_reloads && str_empty(options->encryption_config))
		return status_bad_request(
			"--encryption-provider-config-automatic-reload must be set with --encryption-provider-config");
	if (!str_in(options->endpoint_reconciler, (const char *const[]){"lease", "master-count", "none", NULL}))
		return status_bad_request(
			"--endpoint-reconciler-type: Reconciler not implemented: %s", options->endpoint_reconciler);
	TRY(features_check(&options->feature_gates));
	return admission_check(&options->admission);
}

void options_usage(struct options *options)
{
	const struct flag *const *all = tables(options);
	puts("The Kubernetes API server: validates and stores the objects of a cluster and serves them to everybody "
	     "else.\n\n"
	     "Usage:\n  kube-apiserver [flags]\n\nFlags:");
	for (size_t i = 0; all[i]; i++)
		if (i != IGNORED_FLAGS)
			flags_print(all[i], stdout);
}

struct status *port_range_parse(const char *text, int32_t *ret_first, int32_t *ret_last)
{
	CLEANUP_FREE char *first = mem_strdup(text);
	char *dash = strchr(first, '-');
	int64_t from, to;
	if (dash)
		*dash = 0;
	if (!dash || !str_to_int64(first, 1, 65535, &from) || !str_to_int64(dash + 1, from, 65535, &to))
		return status_bad_request("--service-node-port-range: \"%s\" is no range of ports", text);
	*ret_first = (int32_t)from;
	*ret_last = (int32_t)to;
	return NULL;
}
