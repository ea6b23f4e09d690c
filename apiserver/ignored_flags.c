/*
 * Flags of the original that have no effect here, and why: nothing is behind them yet, or there is nothing to choose.
 * They are taken, so that a command line of the original's starts this server, and whoever gives one is told.
 */
#include "apiserver/options.h"
#include "base/log.h"
#include "base/mem.h"

#define IGNORED(name, why)                           \
	{                                            \
		name, 0, FLAG_IGNORED, NULL, "", why \
	}
#define IGNORED_BOOL(name, why)                           \
	{                                                 \
		name, 0, FLAG_IGNORED_BOOL, NULL, "", why \
	}

#define NO_AUDIT "there is no audit yet"
#define NO_OIDC "tokens of other issuers are not read yet"
#define NO_WEBHOOKS "no webhook is asked yet"
#define NO_GATES "features are as they are by default"
#define NO_HTTP2 "there is no HTTP/2"
#define IN_MEMORY "all objects are held in memory"
#define ONE_STORAGE "objects are stored as protobuf, in etcd 3"
#define ASKED_AT_ONCE "etcd is asked when somebody wants to know"
#define ONE_LOG "the log is text, and written at once"
#define NO_EXTENSIONS "no extension API server and no webhook is asked yet"
#define NO_PEERS "requests are not passed on to other servers"
#define NO_CANDIDATES "no leaders are chosen for others"
#define NO_SHARING "the listener shares its address with nobody"

static const struct flag table[] = {
	IGNORED("emulated-version", NO_GATES),
	IGNORED_BOOL("emulation-forward-compatible", NO_GATES),
	IGNORED("goaway-chance", NO_HTTP2),
	IGNORED("livez-grace-period", "what is not done yet is told at once"),
	IGNORED_BOOL("runtime-config-emulation-forward-compatible", NO_GATES),
	IGNORED("storage-initialization-timeout", IN_MEMORY),
	IGNORED("delete-collection-workers", "a collection is deleted one by one"),
	IGNORED_BOOL("enable-garbage-collector", "deletions may always ask for the garbage collector"),
	IGNORED("etcd-count-metric-poll-period", ASKED_AT_ONCE),
	IGNORED("etcd-db-metric-poll-interval", ASKED_AT_ONCE),
	IGNORED("etcd-healthcheck-timeout", ASKED_AT_ONCE),
	IGNORED("etcd-readycheck-timeout", ASKED_AT_ONCE),
	IGNORED("storage-backend", ONE_STORAGE),
	IGNORED("storage-media-type", ONE_STORAGE),
	IGNORED_BOOL("watch-cache", IN_MEMORY),
	IGNORED("watch-cache-sizes", IN_MEMORY),
	IGNORED_BOOL("disable-http2-serving", NO_HTTP2),
	IGNORED("http2-max-streams-per-connection", NO_HTTP2),
	IGNORED_BOOL("permit-address-sharing", NO_SHARING),
	IGNORED_BOOL("permit-port-sharing", NO_SHARING),
	IGNORED("tls-sni-cert-key", "there is one serving certificate for all names yet"),
	IGNORED("audit-log-batch-buffer-size", NO_AUDIT),
	IGNORED("audit-log-batch-max-size", NO_AUDIT),
	IGNORED("audit-log-batch-max-wait", NO_AUDIT),
	IGNORED("audit-log-batch-throttle-burst", NO_AUDIT),
	IGNORED_BOOL("audit-log-batch-throttle-enable", NO_AUDIT),
	IGNORED("audit-log-batch-throttle-qps", NO_AUDIT),
	IGNORED_BOOL("audit-log-compress", NO_AUDIT),
	IGNORED("audit-log-format", NO_AUDIT),
	IGNORED("audit-log-maxage", NO_AUDIT),
	IGNORED("audit-log-maxbackup", NO_AUDIT),
	IGNORED("audit-log-maxsize", NO_AUDIT),
	IGNORED("audit-log-mode", NO_AUDIT),
	IGNORED("audit-log-path", NO_AUDIT),
	IGNORED_BOOL("audit-log-truncate-enabled", NO_AUDIT),
	IGNORED("audit-log-truncate-max-batch-size", NO_AUDIT),
	IGNORED("audit-log-truncate-max-event-size", NO_AUDIT),
	IGNORED("audit-log-version", NO_AUDIT),
	IGNORED("audit-policy-file", NO_AUDIT),
	IGNORED("audit-webhook-batch-buffer-size", NO_AUDIT),
	IGNORED("audit-webhook-batch-max-size", NO_AUDIT),
	IGNORED("audit-webhook-batch-max-wait", NO_AUDIT),
	IGNORED("audit-webhook-batch-throttle-burst", NO_AUDIT),
	IGNORED_BOOL("audit-webhook-batch-throttle-enable", NO_AUDIT),
	IGNORED("audit-webhook-batch-throttle-qps", NO_AUDIT),
	IGNORED("audit-webhook-config-file", NO_AUDIT),
	IGNORED("audit-webhook-initial-backoff", NO_AUDIT),
	IGNORED("audit-webhook-mode", NO_AUDIT),
	IGNORED_BOOL("audit-webhook-truncate-enabled", NO_AUDIT),
	IGNORED("audit-webhook-truncate-max-batch-size", NO_AUDIT),
	IGNORED("audit-webhook-truncate-max-event-size", NO_AUDIT),
	IGNORED("audit-webhook-version", NO_AUDIT),
	IGNORED_BOOL("contention-profiling", "locks are not profiled"),
	IGNORED("debug-socket-path", "profiles are served on the secure port alone"),
	IGNORED("authentication-token-webhook-cache-ttl", NO_WEBHOOKS),
	IGNORED("authentication-token-webhook-config-file", NO_WEBHOOKS),
	IGNORED("authentication-token-webhook-version", NO_WEBHOOKS),
	IGNORED("oidc-ca-file", NO_OIDC),
	IGNORED("oidc-client-id", NO_OIDC),
	IGNORED("oidc-groups-claim", NO_OIDC),
	IGNORED("oidc-groups-prefix", NO_OIDC),
	IGNORED("oidc-issuer-url", NO_OIDC),
	IGNORED("oidc-required-claim", NO_OIDC),
	IGNORED("oidc-signing-algs", NO_OIDC),
	IGNORED("oidc-username-claim", NO_OIDC),
	IGNORED("oidc-username-prefix", NO_OIDC),
	IGNORED("authorization-webhook-cache-authorized-ttl", NO_WEBHOOKS),
	IGNORED("authorization-webhook-cache-unauthorized-ttl", NO_WEBHOOKS),
	IGNORED("authorization-webhook-config-file", NO_WEBHOOKS),
	IGNORED("authorization-webhook-version", NO_WEBHOOKS),
	IGNORED("egress-selector-config-file", NO_EXTENSIONS),
	IGNORED("log-flush-frequency", ONE_LOG),
	IGNORED("log-json-info-buffer-size", ONE_LOG),
	IGNORED_BOOL("log-json-split-stream", ONE_LOG),
	IGNORED("log-text-info-buffer-size", ONE_LOG),
	IGNORED_BOOL("log-text-split-stream", ONE_LOG),
	IGNORED("logging-format", ONE_LOG),
	IGNORED("tracing-config-file", "there are no traces yet"),
	IGNORED_BOOL("aggregator-reject-forwarding-redirect", NO_EXTENSIONS),
	IGNORED("coordinated-leadership-lease-duration", NO_CANDIDATES),
	IGNORED("coordinated-leadership-renew-deadline", NO_CANDIDATES),
	IGNORED("coordinated-leadership-retry-period", NO_CANDIDATES),
	IGNORED_BOOL("enable-aggregator-routing", NO_EXTENSIONS),
	IGNORED_BOOL("enable-logs-handler", "there are no files of logs to serve"),
	IGNORED("kubelet-timeout", "how long a kubelet may take is not to be chosen"),
	IGNORED("max-connection-bytes-per-sec", "no connection is slowed down"),
	IGNORED("peer-advertise-ip", NO_PEERS),
	IGNORED("peer-advertise-port", NO_PEERS),
	IGNORED("peer-ca-file", NO_PEERS),
	IGNORED("proxy-client-cert-file", NO_EXTENSIONS),
	IGNORED("proxy-client-key-file", NO_EXTENSIONS),
	IGNORED("service-account-signing-endpoint", "tokens are signed by the keys of files alone"),
	IGNORED("vmodule", ONE_LOG),
	{NULL},
};

struct flag *ignored_flags(bool **ret_given)
{
	struct flag *flags = mem_dup(table, sizeof(table));
	bool *given = mem_calloc(ARRAY_SIZE(table), sizeof(*given));
	for (size_t i = 0; flags[i].name; i++)
		flags[i].changed = &given[i];
	*ret_given = given;
	return flags;
}

void options_tell_ignored(const struct options *options)
{
	for (size_t i = 0; table[i].name; i++)
		if (options->ignored_given[i])
			log_warn("--%s has no effect: %s", table[i].name, table[i].usage);
}
