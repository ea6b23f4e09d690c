/* The flags that daemons share, with the names of the original. */
#include "base/str.h"
#include "serve/daemon_internal.h"

static size_t put(struct flag *table, size_t n, struct flag flag)
{
	table[n] = flag;
	return n + 1;
}

/* A flag with a default of its own: as text, kept as long as the process. */
static struct flag of_string(const char *name, char **ptr, const char *usage)
{
	return (struct flag){.name = name, .type = FLAG_STRING, .ptr = ptr, .usage = usage};
}

static struct flag of_duration(const char *name, int64_t *ptr, const char *usage)
{
	return (struct flag){.name = name, .type = FLAG_DURATION, .ptr = ptr, .usage = usage};
}

static struct flag of_bool(const char *name, bool *ptr, const char *usage)
{
	return (struct flag){.name = name, .type = FLAG_BOOL, .ptr = ptr, .usage = usage};
}

static struct flag of_int(const char *name, int64_t *ptr, const char *usage)
{
	return (struct flag){.name = name, .type = FLAG_INT, .ptr = ptr, .usage = usage};
}

static struct flag ignored(const char *name, bool boolean, const char *usage)
{
	return (struct flag){.name = name, .type = boolean ? FLAG_IGNORED_BOOL : FLAG_IGNORED, .usage = usage};
}

static size_t add_client(struct flag *t, size_t n, struct daemon_options *o)
{
	n = put(t, n,
		of_string("kubeconfig", &o->kubeconfig,
			"Path to kubeconfig file with authorization and master location information."));
	n = put(t, n,
		of_string("master", &o->master,
			"The address of the Kubernetes API server (overrides any value in kubeconfig)."));
	n = put(t, n,
		of_string("kube-api-content-type", &o->content_type, "Content type of requests sent to apiserver."));
	n = put(t, n,
		(struct flag){.name = "kube-api-qps",
			.type = FLAG_FLOAT,
			.ptr = &o->qps,
			.usage = "QPS to use while talking with kubernetes apiserver."});
	return put(t, n, of_int("kube-api-burst", &o->burst, "Burst to use while talking with kubernetes apiserver."));
}

static size_t add_serving(struct flag *t, size_t n, struct daemon_options *o)
{
	n = put(t, n,
		of_string("bind-address", &o->bind_address,
			"The IP address on which to listen for the --secure-port port."));
	n = put(t, n,
		of_int("secure-port", &o->secure_port,
			"The port on which to serve HTTPS with authentication and authorization. If 0, don't serve "
			"HTTPS at all."));
	n = put(t, n,
		of_string("tls-cert-file", &o->cert_file, "File containing the default x509 Certificate for HTTPS."));
	n = put(t, n,
		of_string("tls-private-key-file", &o->key_file,
			"File containing the default x509 private key matching --tls-cert-file."));
	n = put(t, n, of_string("cert-dir", &o->cert_dir, "The directory where the TLS certs are located."));
	static const char *const accepted[] = {
		"tls-min-version", "tls-cipher-suites", "tls-sni-cert-key", "http2-max-streams-per-connection"};
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		n = put(t, n, ignored(accepted[i], false, "Accepted; the TLS library's own choice applies."));
	n = put(t, n, ignored("permit-address-sharing", true, "Accepted without effect."));
	return put(t, n, ignored("permit-port-sharing", true, "Accepted without effect."));
}

static size_t add_delegated(struct flag *t, size_t n, struct daemon_options *o)
{
	n = put(t, n,
		of_string("client-ca-file", &o->client_ca_file,
			"If set, any request presenting a client certificate signed by one of the authorities in the "
			"client-ca-file is authenticated with an identity corresponding to the CommonName of the "
			"client certificate."));
	n = put(t, n,
		of_string("authentication-kubeconfig", &o->authentication_kubeconfig,
			"kubeconfig file pointing at the 'core' kubernetes server with enough rights to create "
			"tokenreviews."));
	n = put(t, n,
		of_string("authorization-kubeconfig", &o->authorization_kubeconfig,
			"kubeconfig file pointing at the 'core' kubernetes server with enough rights to create "
			"subjectaccessreviews."));
	n = put(t, n,
		(struct flag){.name = "authorization-always-allow-paths",
			.type = FLAG_STRINGS,
			.ptr = &o->always_allow_paths,
			.usage = "A list of HTTP paths to skip during authorization."});
	n = put(t, n,
		of_bool("authentication-tolerate-lookup-failure", &o->tolerate_lookup_failure,
			"If true, failures to look up missing authentication configuration from the cluster are not "
			"considered fatal."));
	n = put(t, n,
		of_bool("authentication-skip-lookup", &o->skip_lookup,
			"If false, the authentication-kubeconfig will be used to lookup missing authentication "
			"configuration from the cluster."));
	static const char *const accepted[] = {"requestheader-allowed-names", "requestheader-client-ca-file",
		"requestheader-extra-headers-prefix", "requestheader-group-headers", "requestheader-uid-headers",
		"requestheader-username-headers", "authentication-token-webhook-cache-ttl",
		"authorization-webhook-cache-authorized-ttl", "authorization-webhook-cache-unauthorized-ttl"};
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		n = put(t, n, ignored(accepted[i], false, "Accepted without effect."));
	return n;
}

static size_t add_leader(struct flag *t, size_t n, struct daemon_options *o)
{
	n = put(t, n,
		of_bool("leader-elect", &o->leader_elect,
			"Start a leader election client and gain leadership before executing the main loop."));
	n = put(t, n,
		of_duration("leader-elect-lease-duration", &o->lease_duration_ms,
			"The duration that non-leader candidates will wait after observing a leadership renewal until "
			"attempting to acquire leadership."));
	n = put(t, n,
		of_duration("leader-elect-renew-deadline", &o->renew_deadline_ms,
			"The interval between attempts by the acting master to renew a leadership slot before it stops "
			"leading."));
	n = put(t, n,
		of_duration("leader-elect-retry-period", &o->retry_period_ms,
			"The duration the clients should wait between attempting acquisition and renewal of a "
			"leadership."));
	n = put(t, n,
		of_string("leader-elect-resource-lock", &o->leader_resource_lock,
			"The type of resource object that is used for locking during leader election."));
	n = put(t, n,
		of_string("leader-elect-resource-name", &o->leader_name,
			"The name of resource object that is used for locking during leader election."));
	return put(t, n,
		of_string("leader-elect-resource-namespace", &o->leader_namespace,
			"The namespace of resource object that is used for locking during leader election."));
}

static size_t add_logging(struct flag *t, size_t n, int64_t *verbosity, bool *version, bool *help)
{
	n = put(t, n,
		(struct flag){.name = "v",
			.short_name = 'v',
			.type = FLAG_INT,
			.ptr = verbosity,
			.usage = "number for the log level verbosity"});
	n = put(t, n,
		(struct flag){.name = "help", .short_name = 'h', .type = FLAG_BOOL, .ptr = help, .usage = "help"});
	n = put(t, n,
		(struct flag){.name = "version",
			.type = FLAG_BOOL,
			.ptr = version,
			.usage = "Print version information and quit."});
	static const char *const accepted[] = {"vmodule", "logging-format", "log-flush-frequency",
		"log-json-info-buffer-size", "log-text-info-buffer-size", "feature-gates", "emulated-version",
		"emulation-forward-compatible", "min-compatibility-version", "log-dir", "log-file", "stderrthreshold",
		"show-hidden-metrics-for-version", "disabled-metrics", "allow-metric-labels",
		"allow-metric-labels-manifest"};
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		n = put(t, n, ignored(accepted[i], false, "Accepted without effect."));
	static const char *const booleans[] = {"logtostderr", "alsologtostderr", "log-json-split-stream",
		"log-text-split-stream", "profiling", "contention-profiling"};
	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++)
		n = put(t, n, ignored(booleans[i], true, "Accepted without effect."));
	return n;
}

void daemon_flags(const struct daemon_spec *spec, struct flag table[static DAEMON_MAX_FLAGS], int64_t *verbosity,
	bool *version, bool *help)
{
	struct daemon_options *o = spec->options;
	size_t n = 0;
	if (spec->groups & DAEMON_CLIENT)
		n = add_client(table, n, o);
	if (spec->groups & DAEMON_SERVING)
		n = add_serving(table, n, o);
	if (spec->groups & DAEMON_DELEGATED)
		n = add_delegated(table, n, o);
	if (spec->groups & DAEMON_LEADER)
		n = add_leader(table, n, o);
	n = add_logging(table, n, verbosity, version, help);
	table[n] = (struct flag){.name = NULL};
}
