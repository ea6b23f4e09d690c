#include "apiserver/start.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "apiserver/app.h"
#include "apiserver/ending.h"
#include "apiserver/http/paths.h"
#include "apiserver/http/priorities.h"
#include "apiserver/openapi/openapi.h"
#include "apiserver/store/cache.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "net/host.h"
#include "pki/pki.h"

#define ETCD_PATIENCE_MS 20000
#define MAX_PEM_BYTES (1u << 20)
#define MAX_BODY_BYTES (3u << 20)
#define DEFAULT_SERVICE_RANGE "10.0.0.0/24"
#define TRIM_TICKS 8
#define TRIM_BYTES (1u << 20)
#define BUSY_TOP_BYTES (1 << 20)
#define BUSY_PAD_BYTES (128 << 10) /* glibc's own */
#define QUIET_TOP_BYTES (64 << 10)
#define QUIET_PAD_BYTES (16 << 10)
#define CERTIFICATE_SECONDS (365 * 86400)

/* --- what it serves with --- */

static struct status *self_sign(const struct options *o, const char *cert_path, const char *key_path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	char *names[] = {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
	struct ip_range services;
	const char *range = str_or(o->service_range, DEFAULT_SERVICE_RANGE);
	TRY(ip_range_parse(arena_strndup(arena, range, strcspn(range, ",")), &services));
	char *addresses[] = {
		"127.0.0.1", o->advertise_address, ip_number_print(arena, services.is_ipv6, services.network + 1)};
	const struct pki_subject subject = {.common_name = "kube-apiserver",
		.dns_names = names,
		.n_dns_names = ARRAY_SIZE(names),
		.ip_addresses = addresses,
		.n_ip_addresses = ARRAY_SIZE(addresses),
		.usages = PKI_SERVER_AUTH | PKI_DIGITAL_SIGNATURE};
	int64_t now = clock_wall_s(clock_system());
	TRY(pki_key_generate(PKI_ECDSA_P256, &key));
	TRY(pki_cert_self_signed(key, &subject, now - 3600, now + CERTIFICATE_SECONDS, &cert));
	TRY(io_mkdirs(o->cert_dir, 0755));
	const char *cert_pem = pki_cert_pem(arena, cert), *key_pem = pki_key_pem(arena, key);
	TRY(io_write_file(cert_path, cert_pem, strlen(cert_pem), 0644));
	return io_write_file(key_path, key_pem, strlen(key_pem), 0600);
}

static struct status *read_text(const char *flag, const char *path, char **ret_text)
{
	size_t size;
	if (str_empty(path))
		return NULL;
	return status_wrap(io_read_file(path, MAX_PEM_BYTES, ret_text, &size), "%s", flag);
}

/* The files of the certificate given, or of one of our own making under --cert-dir, and of its key. */
static struct status *serving_certificate(const struct options *o, char **ret_cert, char **ret_key)
{
	bool given = !str_empty(o->tls_cert_file) || !str_empty(o->tls_key_file);
	if (given && (str_empty(o->tls_cert_file) || str_empty(o->tls_key_file)))
		return status_bad_request("--tls-cert-file and --tls-private-key-file go together");
	*ret_cert = given ? mem_strdup(o->tls_cert_file) : mem_printf("%s/apiserver.crt", o->cert_dir);
	*ret_key = given ? mem_strdup(o->tls_key_file) : mem_printf("%s/apiserver.key", o->cert_dir);
	if (!given && (!io_exists(*ret_cert) || !io_exists(*ret_key)))
		TRY(status_wrap(self_sign(o, *ret_cert, *ret_key), "--cert-dir"));
	CLEANUP_FREE char *cert = NULL, *key = NULL;
	TRY(read_text("--tls-cert-file", *ret_cert, &cert));
	TRY(read_text("--tls-private-key-file", *ret_key, &key));
	CLEANUP(pki_cert_freep) struct pki_cert *parsed = NULL;
	CLEANUP(pki_key_freep) struct pki_key *parsed_key = NULL;
	TRY(status_wrap(pki_cert_parse(cert, strlen(cert), &parsed), "%s", *ret_cert));
	TRY(status_wrap(pki_key_parse(key, strlen(key), &parsed_key), "%s", *ret_key));
	if (!pki_cert_matches_key(parsed, parsed_key))
		return status_bad_request("the key %s is not that of the certificate %s", *ret_key, *ret_cert);
	return NULL;
}

/* Clients are asked for certificates of these authorities. */
static struct status *client_authorities(const struct options *o, char **ret_pem)
{
	CLEANUP(strbuf_done) struct strbuf all = STRBUF_INIT;
	const char *files[] = {o->authn.client_ca_file, o->authn.requestheader_client_ca_file};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *pem = NULL;
		TRY(read_text(i ? "--requestheader-client-ca-file" : "--client-ca-file", files[i], &pem));
		if (pem) {
			strbuf_adds(&all, pem);
			strbuf_addc(&all, '\n');
		}
	}
	*ret_pem = strbuf_steal(&all);
	return NULL;
}

/* What others are told; the texts live as long as the process. */
static struct status *settle_advertise_address(struct options *o)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *given = str_empty(o->advertise_address) ? o->bind_address : o->advertise_address;
	const char *address = host_address(arena, given);
	if (str_empty(address))
		return status_bad_request("--advertise-address: this host has no address that others could use");
	o->advertise_address = mem_strdup(address);
	return NULL;
}

/* --- the parts --- */

static struct status *make_etcd(const struct options *o, struct app *app)
{
	if (!o->etcd_servers.n_items)
		return status_bad_request("--etcd-servers must be specified");
	const struct etcd_options options = {.endpoints = o->etcd_servers.items,
		.n_endpoints = o->etcd_servers.n_items,
		.ca_file = o->etcd_ca_file,
		.cert_file = o->etcd_cert_file,
		.key_file = o->etcd_key_file};
	return etcd_new(&options, &app->etcd);
}

static struct status *make_encryption(const struct options *o, struct app *app)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (str_empty(o->encryption_config))
		return NULL;
	const struct encryption_options options = {.path = o->encryption_config,
		.reloads = o->encryption_reloads,
		.server_id = boot_server_name(arena),
		.clock = app->clock};
	return encryption_new(&options, &app->encryption);
}

static struct status *await_etcd(const struct options *o, const struct app *app)
{
	const int64_t until = clock_mono_ms(app->clock) + ETCD_PATIENCE_MS;
	for (bool told = false;; told = true) {
		int64_t revision;
		struct status *status = etcd_revision(app->etcd, &revision);
		if (!status)
			return NULL;
		if (clock_mono_ms(app->clock) >= until)
			return status_wrap(status, "etcd at %s does not answer", o->etcd_servers.items[0]);
		if (!told)
			log_warn("waiting for etcd at %s: %s", o->etcd_servers.items[0], status->message);
		status_free(status);
		nanosleep(&(const struct timespec){.tv_nsec = 100000000}, NULL);
	}
}

static struct status *make_service_ranges(const struct options *o, struct app *app)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **texts;
	struct ip_range ranges[2];
	int32_t first, last;
	size_t n = str_split(arena, str_or(o->service_range, DEFAULT_SERVICE_RANGE), ',', &texts);
	if (n > ARRAY_SIZE(ranges))
		return status_bad_request("--service-cluster-ip-range: at most two ranges");
	for (size_t i = 0; i < n; i++)
		TRY(status_wrap(ip_range_parse(texts[i], &ranges[i]), "--service-cluster-ip-range"));
	if (n == 2 && ranges[0].is_ipv6 == ranges[1].is_ipv6)
		return status_bad_request("--service-cluster-ip-range: two ranges must be of different IP families");
	TRY(port_range_parse(o->node_port_range, &first, &last));
	app->strategies.service_ips = service_ips_new(registry_objects(app->registry), ranges, n);
	app->strategies.node_ports = node_ports_new(app->etcd, o->etcd_prefix, first, last);
	app->strategies.event_ttl_seconds = o->event_ttl_ms / 1000;
	app->strategies.unprivileged = !o->allow_privileged;
	const struct alloc_repair_options repair = {.objects = registry_objects(app->registry),
		.ips = app->strategies.service_ips,
		.ports = app->strategies.node_ports,
		.clock = app->clock};
	app->repair = alloc_repair_new(&repair);
	return NULL;
}

static struct status *make_kubelet_tls(const struct options *o, struct app *app)
{
	const struct tls_config config = {.ca_file = str_empty(o->kubelet_ca) ? NULL : o->kubelet_ca,
		.cert_file = str_empty(o->kubelet_cert) ? NULL : o->kubelet_cert,
		.key_file = str_empty(o->kubelet_key) ? NULL : o->kubelet_key,
		.rereads_pair = true,
		.insecure = str_empty(o->kubelet_ca)};
	struct tls_config unverified = config;
	unverified.ca_file = NULL;
	unverified.insecure = true;
	app->kubelet_address_types = o->kubelet_address_types.items;
	app->n_kubelet_address_types = o->kubelet_address_types.n_items;
	TRY(status_wrap(tls_context_new(&config, TLS_CLIENT, &app->kubelet_tls), "--kubelet-client-certificate"));
	return tls_context_new(&unverified, TLS_CLIENT, &app->kubelet_tls_unverified);
}

/* "host:port" that others find this server by. */
static char *external_address(const struct options *o, int port)
{
	const char *host = str_or(o->external_hostname, o->advertise_address), *colon = strchr(host, ':');
	const bool is_ipv6 = colon && strchr(colon + 1, ':') && *host != '[';
	if (colon && !is_ipv6 && host[strlen(host) - 1] != ']')
		return mem_strdup(host);
	return mem_printf("%s%s%s:%d", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

/* Where others fetch the keys that check our tokens, unless the flag says: this server, as it is advertised. */
static void settle_jwks_uri(struct options *o)
{
	if (!str_empty(o->authn.service_account_jwks_uri) || !o->secure_port)
		return;
	CLEANUP_FREE char *address = external_address(o, (int)o->secure_port);
	o->authn.service_account_jwks_uri = mem_printf("https://%s/openid/v1/jwks", address);
}

/* Where everybody may do everything, nobody is let in without a name (kubeapiserver/options, ApplyAuthorization). */
static void settle_anonymous_auth(struct options *o)
{
	const struct flag_list *modes = &o->authz.modes;
	if (!str_empty(o->authz.config_file) || !o->authn.anonymous_auth ||
		(modes->n_items && !str_in_n("AlwaysAllow", modes->items, modes->n_items)))
		return;
	log_warn("--anonymous-auth is off: the authorization mode AlwaysAllow does not go with it");
	o->authn.anonymous_auth = false;
}

/* What a file says of who may come without a name goes before what flags say. */
static struct status *settle_access(struct options *o)
{
	TRY(authz_settle(&o->authz));
	settle_anonymous_auth(o);
	return authn_settle(&o->authn);
}

static struct status *make_parts(struct options *o, struct app *app)
{
	TRY(settle_access(o));
	settle_jwks_uri(o);
	const struct registry_options ro = {.etcd = app->etcd,
		.prefix = o->etcd_prefix,
		.encryption = app->encryption,
		.clock = app->clock,
		.lease_reuse_seconds = o->lease_reuse_seconds,
		.watch_seconds = o->watch_seconds};
	app->registry = registry_new(&ro);
	struct objects *objects = registry_objects(app->registry);
	TRY(authn_new(&o->authn, objects, app->clock, &app->authn));
	TRY(authz_new(&o->authz, objects, &app->authz));
	TRY(make_service_ranges(o, app));
	app->strategies.authn = app->authn;
	app->strategies.authz = app->authz;
	app->strategies.etcd = app->etcd;
	const struct admission_context context = {.objects = objects, .authz = app->authz, .clock = app->clock};
	TRY(admission_new(&o->admission, &context, &app->admission));
	registry_set_admission(app->registry, app->admission);
	registry_set_strategy_context(app->registry, &app->strategies);
	return make_kubelet_tls(o, app);
}

static bool authorities_changed(void *data)
{
	struct app *app = data;
	return authn_authorities_changed(app->authn);
}

static struct status *listen_for_requests(const struct options *o, struct app *app)
{
	CLEANUP_FREE char *cert = NULL, *key = NULL, *authorities = NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *priorities;
	TRY(tls_priorities(arena, o->tls_min_version, &o->tls_suites, &priorities));
	TRY(serving_certificate(o, &cert, &key));
	TRY(client_authorities(o, &authorities));
	const struct server_options options = {.address = o->bind_address,
		.port = (uint16_t)o->secure_port,
		.cert_file = cert,
		.key_file = key,
		.priorities = priorities,
		.client_ca_pem = authorities,
		.authorities_changed = authorities_changed,
		.max_body_bytes = MAX_BODY_BYTES,
		.body_ms = o->request_ms,
		.n_threads = 2,
		.max_workers = 64,
		.max_queued = (unsigned)(o->max_reads + o->max_writes),
		.handle = app_handle,
		.handle_at_once = app_handle_at_once,
		.done = app_done,
		.data = app};
	return server_new(&options, &app->server);
}

static void start_boot(const struct options *o, struct app *app)
{
	app->advertised = external_address(o, server_port(app->server));
	const struct boot_options options = {.objects = registry_objects(app->registry),
		.context = &app->strategies,
		.repair = app->repair,
		.etcd = app->etcd,
		.etcd_prefix = o->etcd_prefix,
		.lease = lease_new_beside(registry_lease(app->registry)),
		.clock = app->clock,
		.served = app->served,
		.advertise_address = o->advertise_address,
		.port = server_port(app->server),
		.kubernetes_node_port = (int32_t)o->kubernetes_node_port,
		.no_endpoints = str_eq(o->endpoint_reconciler, "none"),
		.rbac = str_in_n("RBAC", o->authz.modes.items, o->authz.modes.n_items)};
	boot_start(app->boot, &options);
}

/* --- running --- */

/* Signals come in here and nowhere else. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* History older than the interval is forgotten. A thread of its own, for as long as the process lives. */
static void *compact(void *data)
{
	const struct app *app = data;
	int64_t turn = 0, revision = 0, compacted = 0;
	for (;;) {
		nanosleep(&(const struct timespec){.tv_sec = app->compaction_ms / 1000,
				  .tv_nsec = app->compaction_ms % 1000 * 1000000},
			NULL);
		log_status(etcd_compaction_turn(app->etcd, &turn, &revision, &compacted), "compacting etcd");
		cache_compacted(registry_cache(app->registry), compacted);
	}
	return NULL;
}

/* What a busy server frees at the end of a heap it soon needs again; a quiet one gives it back. Called each second. */
static void choose_trim(clock_t *last)
{
	const clock_t now = clock();
	const bool busy = now - *last > CLOCKS_PER_SEC / 10;
	*last = now;
	mallopt(M_TRIM_THRESHOLD, busy ? BUSY_TOP_BYTES : QUIET_TOP_BYTES);
	mallopt(M_TOP_PAD, busy ? BUSY_PAD_BYTES : QUIET_PAD_BYTES);
}

static void tick(void *data)
{
	struct app *app = data;
	choose_trim(&app->cpu);
	size_t went = cache_tick(registry_cache(app->registry));
	if (encryption_refresh(app->encryption))
		cache_read_again(registry_cache(app->registry));
	/* What a burst has left behind goes back to the system. */
	if (went >= TRIM_BYTES || ++app->ticks % TRIM_TICKS == 0) {
		arena_drop_spare();
		malloc_trim(0);
	}
}

static void wait_for_end(struct app *app, const sigset_t *set)
{
	const struct timespec second = {.tv_sec = 1};
	int signal_number;
	app->cpu = clock();
	while ((signal_number = sigtimedwait(set, NULL, &second)) <= 0)
		tick(app);
	log_info("stopping: signal %d", signal_number);
}

static void end_at_once(int signal_number)
{
	_exit(1);
}

static void end_at_once_when_asked_again(const sigset_t *set)
{
	const struct sigaction action = {.sa_handler = end_at_once};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static void end_in_order(const struct options *o, struct app *app, const sigset_t *set)
{
	const struct ending_options options = {.delay_ms = o->shutdown_delay_ms,
		.request_ms = o->request_ms,
		.watch_grace_ms = o->shutdown_watch_grace_ms,
		.send_retry_after = o->shutdown_send_retry_after,
		.tick = tick,
		.data = app};
	end_at_once_when_asked_again(set);
	ending_run(app, &options);
}

struct status *apiserver_run(struct options *options)
{
	sigset_t set;
	struct app *app = mem_zalloc(sizeof(*app));
	block_signals(&set);
	options_tell_ignored(options);
	app->clock = clock_system();
	app->profiling = options->profiling;
	app->advertised = "";
	app->send_retry_after = options->shutdown_send_retry_after;
	TRY(served_new(&options->runtime_config, options->fairness, &app->served));
	app->openapi = openapi_new(app->served);
	app_metrics_init(app);
	TRY(metric_filter_new(&options->metrics, &app->metric_filter));
	TRY(origins_new(&options->transport_directives, &options->allowed_origins, &app->origins));
	TRY(settle_advertise_address(options));
	TRY(make_etcd(options, app));
	TRY(make_encryption(options, app));
	TRY(make_parts(options, app));
	TRY(await_etcd(options, app));
	app->boot = boot_new(registry_objects(app->registry));
	TRY(registry_start(app->registry));
	TRY(listen_for_requests(options, app));
	log_info("serving securely on %s:%u", options->bind_address, server_port(app->server));
	while (!registry_wait_synced(app->registry, 1000))
		log_warn("still reading everything from etcd");
	start_boot(options, app);
	app->compaction_ms = options->compaction_ms;
	if (app->compaction_ms > 0)
		pthread_detach(thread_start("compaction", compact, app));
	wait_for_end(app, &set);
	end_in_order(options, app, &set);
	return NULL;
}
