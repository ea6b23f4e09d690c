#include "kubelet/config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>
#include "api/quantity.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_CONFIG_BYTES (4u << 20)
#define DEFAULT_ENDPOINT "unix:///run/containerd/containerd.sock"

/* Flags that are given in the file as well: kept as text and applied over it. */
struct override {
	char *static_pod_path, *cluster_domain, *resolv_conf, *cgroup_driver, *cgroup_root, *runtime_endpoint,
		*image_endpoint, *address, *client_ca_file, *tls_cert_file, *tls_key_file, *authorization_mode,
		*provider_id, *healthz_address;
	struct flag_list cluster_dns, unsafe_sysctls;
	int64_t port, max_pods, healthz_port, read_only_port;
	bool rotate_certificates, fail_swap_on, anonymous_auth, token_webhook;
	bool set_rotate, set_fail_swap, set_anonymous, set_webhook, set_port, set_max_pods, set_healthz_port,
		set_ro_port;
};

struct settings_flags {
	struct override o;
	struct flag table[192];
};

/* Accepted for compatibility: they have no effect here, or only the file's form of them has. */
static const char *const ignored[] = {"allowed-unsafe-sysctls", "application-metrics-count-limit",
	"authentication-token-webhook-cache-ttl", "authorization-webhook-cache-authorized-ttl",
	"authorization-webhook-cache-unauthorized-ttl", "boot-id-file", "cloud-provider", "config-dir",
	"container-hints", "container-log-max-files", "container-log-max-size", "containerd", "containerd-namespace",
	"cpu-cfs-quota-period", "cpu-manager-policy", "cpu-manager-policy-options", "cpu-manager-reconcile-period",
	"enforce-node-allocatable", "event-burst", "event-qps", "event-storage-age-limit", "event-storage-event-limit",
	"eviction-hard", "eviction-max-pod-grace-period", "eviction-minimum-reclaim",
	"eviction-pressure-transition-period", "eviction-soft", "eviction-soft-grace-period",
	"experimental-mounter-path", "feature-gates", "file-check-frequency", "global-housekeeping-interval",
	"hairpin-mode", "housekeeping-interval", "http-check-frequency", "image-credential-provider-bin-dir",
	"image-credential-provider-config", "image-gc-high-threshold", "image-gc-low-threshold", "kube-reserved",
	"kube-reserved-cgroup", "kubelet-cgroups", "lock-file", "log-flush-frequency", "log-json-info-buffer-size",
	"log-text-info-buffer-size", "logging-format", "machine-id-file", "manifest-url", "manifest-url-header",
	"max-open-files", "maximum-dead-containers", "maximum-dead-containers-per-container", "memory-manager-policy",
	"minimum-container-ttl-duration", "minimum-image-ttl-duration", "node-status-max-images",
	"node-status-update-frequency", "oom-score-adj", "pod-cidr", "pod-max-pids", "pods-per-core", "qos-reserved",
	"registry-burst", "registry-qps", "reserved-cpus", "reserved-memory", "runtime-cgroups",
	"runtime-request-timeout", "seccomp-default", "storage-driver-buffer-duration", "storage-driver-db",
	"storage-driver-host", "storage-driver-password", "storage-driver-table", "storage-driver-user",
	"streaming-connection-idle-timeout", "sync-frequency", "system-cgroups", "system-reserved",
	"system-reserved-cgroup", "tls-cipher-suites", "tls-min-version", "topology-manager-policy",
	"topology-manager-policy-options", "topology-manager-scope", "volume-plugin-dir", "volume-stats-agg-period"};
static const char *const ignored_switches[] = {"cgroups-per-qos", "contention-profiling", "cpu-cfs-quota",
	"enable-controller-attach-detach", "enable-debugging-handlers", "enable-load-reader", "enable-server",
	"exit-on-lock-contention", "experimental-allocatable-ignore-eviction", "fail-cgroupv1",
	"kernel-memcg-notification", "local-storage-capacity-isolation", "log-cadvisor-usage", "log-json-split-stream",
	"log-text-split-stream", "make-iptables-util-chains", "protect-kernel-defaults", "rotate-server-certificates",
	"runonce", "serialize-image-pulls", "storage-driver-secure"};

#define TEXT(flag, field, what)                                                    \
	{                                                                          \
		flag, 0, FLAG_STRING, &o->field, "", what, NULL, NULL, false, NULL \
	}
#define NUMBER(flag, field, set, what)                                             \
	{                                                                          \
		flag, 0, FLAG_INT, &o->field, "", what, &o->set, NULL, false, NULL \
	}
#define SWITCH(flag, field, set, what)                                              \
	{                                                                           \
		flag, 0, FLAG_BOOL, &o->field, "", what, &o->set, NULL, false, NULL \
	}

static size_t add_own(struct settings *s, struct override *o, struct flag *t)
{
	const struct flag own[] = {
		{"config", 0, FLAG_STRING, &s->config_file, "", "the kubelet's configuration file"},
		{"kubeconfig", 0, FLAG_STRING, &s->kubeconfig, "",
			"how to reach the apiserver; without it the kubelet runs static pods alone"},
		{"bootstrap-kubeconfig", 0, FLAG_STRING, &s->bootstrap_kubeconfig, "",
			"used to ask for a client certificate when --kubeconfig does not exist"},
		{"hostname-override", 0, FLAG_STRING, &s->hostname_override, "",
			"the node's name instead of the host's"},
		{"node-ip", 0, FLAG_STRING, &s->node_ip, "", "the address of the node"},
		{"root-dir", 0, FLAG_STRING, &s->root_dir, "/var/lib/kubelet", "where all state is kept"},
		{"cert-dir", 0, FLAG_STRING, &s->cert_dir, "/var/lib/kubelet/pki", "where certificates are kept"},
		{"node-labels", 0, FLAG_MAP, &s->node_labels, "", "labels to register the node with"},
		{"register-with-taints", 0, FLAG_STRINGS, &s->register_with_taints, "",
			"taints to register the node with: key=value:effect"},
		{"register-node", 0, FLAG_BOOL, &s->register_node, "true", "make the Node object"},
		{"register-schedulable", 0, FLAG_BOOL, &s->register_schedulable, "true", "register without the cordon"},
		{"pod-infra-container-image", 0, FLAG_STRING, &s->pod_infra_container_image, "",
			"an image that is never collected"},
		TEXT("pod-manifest-path", static_pod_path, "directory or file of static pods"),
		TEXT("cluster-domain", cluster_domain, "the cluster's DNS domain"),
		TEXT("resolv-conf", resolv_conf, "the resolver configuration that pods get"),
		TEXT("cgroup-driver", cgroup_driver, "cgroupfs or systemd"),
		TEXT("cgroup-root", cgroup_root, "the parent of all pods' groups"),
		TEXT("container-runtime-endpoint", runtime_endpoint, "the runtime's socket"),
		TEXT("image-service-endpoint", image_endpoint, "the socket for images, if another"),
		TEXT("address", address, "the address to serve on"),
		TEXT("client-ca-file", client_ca_file, "clients with a certificate of these authorities are known"),
		TEXT("tls-cert-file", tls_cert_file, "the serving certificate"),
		TEXT("tls-private-key-file", tls_key_file, "its key"),
		TEXT("authorization-mode", authorization_mode, "AlwaysAllow or Webhook"),
		TEXT("provider-id", provider_id, "the node's identity at its cloud"),
		TEXT("healthz-bind-address", healthz_address, "the address of the health check"),
		{"cluster-dns", 0, FLAG_STRINGS, &o->cluster_dns, "", "addresses of the cluster's DNS"},
		{"allowed-unsafe-sysctls", 0, FLAG_STRINGS, &o->unsafe_sysctls, "",
			"sysctls, or beginnings with * at the end, that pods may set"},
		NUMBER("port", port, set_port, "the port to serve on"),
		NUMBER("max-pods", max_pods, set_max_pods, "how many pods may run here"),
		NUMBER("healthz-port", healthz_port, set_healthz_port, "the port of the health check, 0 for none"),
		NUMBER("read-only-port", read_only_port, set_ro_port, "a port without authentication, 0 for none"),
		SWITCH("rotate-certificates", rotate_certificates, set_rotate, "renew the client certificate in time"),
		SWITCH("fail-swap-on", fail_swap_on, set_fail_swap, "refuse to start with swap"),
		SWITCH("anonymous-auth", anonymous_auth, set_anonymous, "serve clients that show nothing"),
		SWITCH("authentication-token-webhook", token_webhook, set_webhook, "know clients by token"),
	};
	memcpy(t, own, sizeof(own));
	return ARRAY_SIZE(own);
}

/* Overrides live as long as the process, as all flags do. */
static struct settings_flags *flags_of(struct settings *s)
{
	if (!s->flags) {
		s->flags = mem_zalloc(sizeof(*s->flags));
		size_t n = add_own(s, &s->flags->o, s->flags->table);
		for (size_t i = 0; i < ARRAY_SIZE(ignored) + ARRAY_SIZE(ignored_switches); i++) {
			bool is_switch = i >= ARRAY_SIZE(ignored);
			struct flag *flag = &s->flags->table[n++];
			flag->name = is_switch ? ignored_switches[i - ARRAY_SIZE(ignored)] : ignored[i];
			flag->type = is_switch ? FLAG_IGNORED_BOOL : FLAG_IGNORED;
			flag->usage = "accepted; what it says is set in the configuration file";
		}
	}
	return s->flags;
}

const struct flag *settings_flags(struct settings *s)
{
	return flags_of(s)->table;
}

static struct status *read_file(struct settings *s)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	if (str_empty(s->config_file)) {
		s->config = API_NEW(s->arena, KubeletV1beta1KubeletConfiguration);
		return NULL;
	}
	TRY(io_read_file(s->config_file, MAX_CONFIG_BYTES, &text, &size));
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	struct status *error =
		yaml_decode(s->arena, &KubeletV1beta1KubeletConfiguration_schema, text, size, &options, &s->config);
	if (error)
		return status_wrap(error, "kubelet configuration %s", s->config_file);
	if (strict.n_errors)
		return status_bad_request("kubelet configuration %s: %s", s->config_file, strict.errors[0]);
	return NULL;
}

static void set_text(char **field, char *value)
{
	if (!str_empty(value))
		*field = value;
}

static void apply_overrides(struct settings *s)
{
	struct override *o = &flags_of(s)->o;
	KubeletV1beta1KubeletConfiguration *c = s->config;
	set_text(&c->static_pod_path, o->static_pod_path);
	set_text(&c->cluster_domain, o->cluster_domain);
	set_text(&c->cgroup_driver, o->cgroup_driver);
	set_text(&c->cgroup_root, o->cgroup_root);
	set_text(&c->container_runtime_endpoint, o->runtime_endpoint);
	set_text(&c->image_service_endpoint, o->image_endpoint);
	set_text(&c->address, o->address);
	set_text(&c->tls_cert_file, o->tls_cert_file);
	set_text(&c->tls_private_key_file, o->tls_key_file);
	set_text(&c->provider_id, o->provider_id);
	set_text(&c->healthz_bind_address, o->healthz_address);
	set_text(&c->resolv_conf, o->resolv_conf);
	if (o->unsafe_sysctls.n_items) {
		c->allowed_unsafe_sysctls = o->unsafe_sysctls.items;
		c->n_allowed_unsafe_sysctls = o->unsafe_sysctls.n_items;
	}
	if (o->cluster_dns.n_items) {
		c->cluster_dns = o->cluster_dns.items;
		c->n_cluster_dns = o->cluster_dns.n_items;
	}
	if (o->set_port)
		c->port = (int32_t)o->port;
	if (o->set_max_pods)
		c->max_pods = (int32_t)o->max_pods;
	if (o->set_ro_port)
		c->read_only_port = (int32_t)o->read_only_port;
	if (o->set_healthz_port) {
		c->has_healthz_port = true;
		c->healthz_port = (int32_t)o->healthz_port;
	}
	if (o->set_rotate)
		c->rotate_certificates = o->rotate_certificates;
	if (o->set_fail_swap) {
		c->has_fail_swap_on = true;
		c->fail_swap_on = o->fail_swap_on;
	}
}

static void apply_auth_overrides(struct settings *s)
{
	struct override *o = &flags_of(s)->o;
	KubeletV1beta1KubeletConfiguration *c = s->config;
	struct arena *a = s->arena;
	if (!c->authentication)
		c->authentication = API_NEW(a, KubeletV1beta1KubeletAuthentication);
	if (!c->authentication->x509)
		c->authentication->x509 = API_NEW(a, KubeletV1beta1KubeletX509Authentication);
	if (!c->authentication->webhook)
		c->authentication->webhook = API_NEW(a, KubeletV1beta1KubeletWebhookAuthentication);
	if (!c->authentication->anonymous)
		c->authentication->anonymous = API_NEW(a, KubeletV1beta1KubeletAnonymousAuthentication);
	if (!c->authorization)
		c->authorization = API_NEW(a, KubeletV1beta1KubeletAuthorization);
	set_text(&c->authentication->x509->client_ca_file, o->client_ca_file);
	set_text(&c->authorization->mode, o->authorization_mode);
	if (o->set_anonymous) {
		c->authentication->anonymous->has_enabled = true;
		c->authentication->anonymous->enabled = o->anonymous_auth;
	}
	if (o->set_webhook) {
		c->authentication->webhook->has_enabled = true;
		c->authentication->webhook->enabled = o->token_webhook;
	}
}

static int64_t duration_ms(const MetaV1Duration *d, int64_t otherwise)
{
	return d && d->duration ? d->duration / 1000000 : otherwise;
}

static int64_t quantity_bytes(const char *text, int64_t otherwise)
{
	struct quantity q;
	return !str_empty(text) && quantity_parse(text, &q) ? quantity_value(&q) : otherwise;
}

static void set_times(struct settings *s)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	const KubeletV1beta1KubeletWebhookAuthorization *authz = c->authorization->webhook;
	s->sync_ms = duration_ms(c->sync_frequency, 60000);
	s->file_check_ms = duration_ms(c->file_check_frequency, 20000);
	s->status_update_ms = duration_ms(c->node_status_update_frequency, 10000);
	/* A status that is asked for more often is also reported more often. */
	s->status_report_ms = duration_ms(c->node_status_report_frequency,
		c->node_status_update_frequency && c->node_status_update_frequency->duration ? s->status_update_ms
											     : 300000);
	s->lease_duration_s = c->node_lease_duration_seconds ? c->node_lease_duration_seconds : 40;
	s->runtime_timeout_ms = duration_ms(c->runtime_request_timeout, 120000);
	s->image_min_age_ms = duration_ms(c->image_minimum_gc_age, 120000);
	s->image_max_age_ms = duration_ms(c->image_maximum_gc_age, 0);
	s->eviction_transition_ms = duration_ms(c->eviction_pressure_transition_period, 300000);
	s->cpu_period_us = duration_ms(c->cpu_cfs_quota_period, 100) * 1000;
	s->log_check_ms = duration_ms(c->container_log_monitor_interval, 10000);
	s->authn_ttl_ms = duration_ms(c->authentication->webhook->cache_ttl, 120000);
	s->allow_ttl_ms = duration_ms(authz ? authz->cache_authorized_ttl : NULL, 300000);
	s->deny_ttl_ms = duration_ms(authz ? authz->cache_unauthorized_ttl : NULL, 30000);
	s->max_restart_ms = duration_ms(
		c->crash_loop_back_off ? c->crash_loop_back_off->max_container_restart_period : NULL, 300000);
}

static void set_numbers(struct settings *s)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	s->port = c->port ? c->port : 10250;
	s->read_only_port = c->read_only_port;
	s->healthz_port = c->has_healthz_port ? c->healthz_port : 10248;
	s->max_pods = c->max_pods ? c->max_pods : 110;
	s->image_gc_high = c->has_image_gc_high_threshold_percent ? c->image_gc_high_threshold_percent : 85;
	s->image_gc_low = c->has_image_gc_low_threshold_percent ? c->image_gc_low_threshold_percent : 80;
	s->log_max_bytes = quantity_bytes(c->container_log_max_size, 10 << 20);
	s->log_max_files = c->has_container_log_max_files ? c->container_log_max_files : 5;
}

static struct status *set_names(struct settings *s)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	char host[256];
	if (gethostname(host, sizeof(host) - 1))
		return status_errno(errno, "host name");
	host[sizeof(host) - 1] = '\0';
	s->hostname = str_lower(s->arena, str_trim(s->arena, str_or(s->hostname_override, host)));
	s->node_name = s->hostname;
	if (!s->node_name[0])
		return status_bad_request("empty hostname is invalid");
	s->pod_logs_dir = arena_strdup(s->arena, str_or(c->pod_logs_dir, "/var/log/pods"));
	s->runtime_endpoint = arena_strdup(s->arena, str_or(c->container_runtime_endpoint, DEFAULT_ENDPOINT));
	s->image_endpoint = c->image_service_endpoint;
	s->resolv_conf = arena_strdup(s->arena, c->resolv_conf ? c->resolv_conf : "/etc/resolv.conf");
	s->cluster_domain = c->cluster_domain;
	s->unsafe_sysctls = c->allowed_unsafe_sysctls;
	s->n_unsafe_sysctls = c->n_allowed_unsafe_sysctls;
	s->cluster_dns = c->cluster_dns;
	s->n_cluster_dns = c->n_cluster_dns;
	return NULL;
}

/* key=value:effect, key:effect */
static struct status *add_taint(struct settings *s, const char *text)
{
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || !colon[1])
		return status_bad_request("invalid taint \"%s\": wanted key=value:effect", text);
	CoreV1Taint *t = API_NEW(s->arena, CoreV1Taint);
	char *pair = arena_strndup(s->arena, text, (size_t)(colon - text));
	char *equals = strchr(pair, '=');
	t->effect = arena_strdup(s->arena, colon + 1);
	if (equals) {
		*equals = '\0';
		t->value = equals + 1;
	}
	t->key = pair;
	if (!str_in(t->effect, (const char *const[]){"NoSchedule", "PreferNoSchedule", "NoExecute", NULL}))
		return status_bad_request("invalid taint \"%s\": no such effect", text);
	ARENA_PUSH(s->arena, s->taints, s->n_taints) = t;
	return NULL;
}

static struct status *validate(const struct settings *s)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	if (s->port < 1 || s->port > 65535)
		return status_bad_request(
			"invalid configuration: port (--port) %d must be between 1 and 65535, inclusive", s->port);
	if (s->healthz_port < 0 || s->healthz_port > 65535)
		return status_bad_request(
			"invalid configuration: healthzPort (--healthz-port) %d must be between 0 and "
			"65535, inclusive",
			s->healthz_port);
	if (s->image_gc_low >= s->image_gc_high && s->image_gc_high < 100)
		return status_bad_request(
			"invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) %d "
			"must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) %d",
			s->image_gc_low, s->image_gc_high);
	if (!str_in(str_or(c->cgroup_driver, "cgroupfs"), (const char *const[]){"cgroupfs", "systemd", NULL}))
		return status_bad_request(
			"invalid configuration: cgroupDriver \"%s\" must be one of: cgroupfs, systemd",
			c->cgroup_driver);
	if (!str_in(str_or(c->authorization->mode, "Webhook"), (const char *const[]){"AlwaysAllow", "Webhook", NULL}))
		return status_bad_request(
			"invalid configuration: authorization mode \"%s\" is unknown", c->authorization->mode);
	return NULL;
}

struct status *settings_load(struct settings *s)
{
	s->arena = arena_new();
	TRY(read_file(s));
	apply_overrides(s);
	apply_auth_overrides(s);
	set_times(s);
	set_numbers(s);
	TRY(set_names(s));
	for (size_t i = 0; i < s->config->n_register_with_taints; i++)
		ARENA_PUSH(s->arena, s->taints, s->n_taints) = s->config->register_with_taints[i];
	for (size_t i = 0; i < s->register_with_taints.n_items; i++)
		TRY(add_taint(s, s->register_with_taints.items[i]));
	return validate(s);
}
