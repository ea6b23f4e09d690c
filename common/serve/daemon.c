#include "serve/daemon.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include "base/fail.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "client/kubeconfig.h"
#include "client/leaderelection.h"
#include "pki/pki.h"
#include "serve/client_metrics.h"
#include "serve/daemon_internal.h"
#include "serve/internal.h"

enum {
	STOP_LIMIT_S = 30, /* a stop that takes longer is ended by force */
	TRIM_MS = 60000,
	CERT_DAYS = 365,
};

struct daemon {
	const struct daemon_spec *spec;
	struct daemon_options *options;
	struct arena *arena;
	struct loop *loop;
	struct client_config client_config;
	struct client *client, *leader_client, *authn_client, *authz_client;
	struct event_recorder *recorder;
	struct health *health;
	struct metrics *metrics;
	struct client_figures *figures;
	struct delegated *delegated;
	struct http_server *secure, *insecure, *health_only;
	struct http_route *routes;
	struct loop_fd *signals;
	struct loop_timer *trim;
	int signal_fd;
	atomic_bool stopping;
	atomic_llong term_ends_ms; /* of the leader; before it is one: never */
	bool has_lead, started;
	pthread_t lead_thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct status *error;
};

/* --- for the daemon's code --- */

struct client *daemon_client(struct daemon *d)
{
	return d->client;
}

const struct client_config *daemon_client_config(struct daemon *d)
{
	return &d->client_config;
}

struct loop *daemon_loop(struct daemon *d)
{
	return d->loop;
}

struct health *daemon_health(struct daemon *d)
{
	return d->health;
}

struct metrics *daemon_metrics(struct daemon *d)
{
	return d->metrics;
}

struct event_recorder *daemon_recorder(struct daemon *d)
{
	return d->recorder;
}

const atomic_bool *daemon_stopping(struct daemon *d)
{
	return &d->stopping;
}

void daemon_wait(struct daemon *d)
{
	pthread_mutex_lock(&d->lock);
	while (!atomic_load(&d->stopping))
		pthread_cond_wait(&d->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

void daemon_stop(struct daemon *d, struct status *error)
{
	pthread_mutex_lock(&d->lock);
	if (d->error)
		status_free(error);
	else
		d->error = error;
	atomic_store(&d->stopping, true);
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	loop_stop(d->loop);
}

void daemon_tune_memory(void)
{
	/* Few arenas and an eager trim: many threads that are mostly idle must not each keep a heap of their own. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TOP_PAD, 64 * 1024);
}

/* --- signals --- */

static void on_signal(void *data, unsigned events)
{
	struct daemon *d = data;
	struct signalfd_siginfo info;
	(void)events;
	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("received signal %d, stopping", (int)info.ssi_signo);
	daemon_stop(d, NULL);
}

/* While stopping: a second signal, or a stop that takes too long, ends the process at once. */
static void *guard_stop(void *data)
{
	sigset_t set;
	struct timespec limit = {.tv_sec = STOP_LIMIT_S};
	(void)data;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	int signal_number;
	do {
		signal_number = sigtimedwait(&set, NULL, &limit);
	} while (signal_number < 0 && errno == EINTR); /* a debugger, a leak checker */
	log_error("%s: exiting at once", signal_number > 0 ? "second signal" : "stopping took too long");
	_exit(1);
}

static void start_signals(struct daemon *d)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d->signals = loop_watch(d->loop, d->signal_fd, LOOP_IN, on_signal, d);
}

static void on_trim(void *data)
{
	struct daemon *d = data;
	daemon_trim_memory();
	d->trim = loop_timer(d->loop, TRIM_MS, on_trim, d);
}

/* --- clients --- */

/* For what the daemon does whether it leads or not. */
static struct status *make_client(struct daemon *d, const char *kubeconfig, int timeout_ms, struct client **ret)
{
	struct client_config config;
	if (kubeconfig) {
		TRY(kubeconfig_load_file(d->arena, kubeconfig, NULL, &config));
		config.user_agent = d->client_config.user_agent;
		config.figures = d->figures;
		config.qps = d->client_config.qps;
		config.burst = d->client_config.burst;
	} else {
		config = d->client_config;
	}
	config.timeout_ms = timeout_ms;
	config.writes_end_ms = NULL;
	return client_new(&config, clock_system(), ret);
}

static void write_clients(void *data, struct strbuf *out)
{
	metrics_write_clients(out, data);
}

static struct status *make_clients(struct daemon *d)
{
	struct daemon_options *o = d->options;
	if (o->no_client || !(d->spec->groups & DAEMON_CLIENT))
		return NULL;
	TRY(kubeconfig_load_file(d->arena, o->kubeconfig, o->master, &d->client_config));
	d->client_config.user_agent =
		arena_printf(d->arena, "%s/" KUBEC_VERSION " (linux/amd64) kubec", fail_agent(d->spec->name));
	d->client_config.qps = o->qps != 0 ? o->qps : 20;
	d->client_config.burst = o->burst ? (int)o->burst : 30;
	d->client_config.figures = d->figures = client_figures_new();
	metrics_writer(d->metrics, write_clients, d->figures);
	d->client_config.json = str_eq(o->content_type, "application/json");
	const bool elected = o->leader_elect && (d->spec->groups & DAEMON_LEADER);
	atomic_init(&d->term_ends_ms, LLONG_MAX);
	if (elected)
		d->client_config.writes_end_ms = &d->term_ends_ms;
	TRY(client_new(&d->client_config, clock_system(), &d->client));
	/* Renewals have a connection, a rate limit and a deadline of their own. */
	if (elected)
		TRY(make_client(d, NULL, (int)(o->renew_deadline_ms / 2), &d->leader_client));
	d->recorder = event_recorder_new(d->client, d->spec->name, "");
	return NULL;
}

/* --- serving --- */

static void serve_healthz(struct http_request *request)
{
	struct daemon *d = request->data;
	health_respond(d->health, request, HEALTH_BOTH);
}

static void serve_livez(struct http_request *request)
{
	struct daemon *d = request->data;
	health_respond(d->health, request, HEALTH_LIVE);
}

static void serve_readyz(struct http_request *request)
{
	struct daemon *d = request->data;
	health_respond(d->health, request, HEALTH_READY);
}

static void serve_metrics(struct http_request *request)
{
	struct daemon *d = request->data;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	metrics_write(d->metrics, &out);
	http_respond(request, 200, METRICS_CONTENT_TYPE, out.buf, out.len);
}

static void serve_configz(struct http_request *request)
{
	struct daemon *d = request->data;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (d->spec->configz)
		d->spec->configz(d->spec->data, &out);
	else
		strbuf_adds(&out, "{}");
	http_respond(request, 200, "application/json", out.buf, out.len);
}

static void serve_version(struct http_request *request)
{
	http_respondf(request, 200, "{\"gitVersion\":\"%s\"}", KUBEC_VERSION);
}

static const struct http_route health_routes[] = {
	{"GET", "/healthz", serve_healthz},
	{"GET", "/healthz/", serve_healthz},
	{"GET", "/livez", serve_livez},
	{"GET", "/livez/", serve_livez},
	{"GET", "/readyz", serve_readyz},
	{"GET", "/readyz/", serve_readyz},
	{NULL, NULL, NULL},
};

static const struct http_route standard_routes[] = {
	{"GET", "/healthz", serve_healthz},
	{"GET", "/healthz/", serve_healthz},
	{"GET", "/livez", serve_livez},
	{"GET", "/livez/", serve_livez},
	{"GET", "/readyz", serve_readyz},
	{"GET", "/readyz/", serve_readyz},
	{"GET", "/metrics", serve_metrics},
	{"GET", "/configz", serve_configz},
	{"GET", "/version", serve_version},
	{NULL, NULL, NULL},
};

/* A route that is not standard: the daemon's own, with the daemon's data. */
static void serve_own(struct http_request *request)
{
	struct daemon *d = request->data;
	bool mismatch = false;
	request->data = d->spec->data;
	http_handler *handler = http_route_find(d->spec->routes, request, &mismatch);
	if (handler)
		handler(request);
	else
		http_respond(request, mismatch ? 405 : 404, NULL, "404 page not found\n", 19);
}

static const struct http_route *build_routes(struct daemon *d)
{
	if (!d->spec->routes)
		return standard_routes;
	d->routes = ARENA_ARRAY(d->arena, struct http_route, ARRAY_SIZE(standard_routes) + 1);
	size_t n = ARRAY_SIZE(standard_routes) - 1;
	memcpy(d->routes, standard_routes, n * sizeof(*d->routes));
	d->routes[n++] = (struct http_route){"*", "/", serve_own};
	d->routes[n] = (struct http_route){NULL, NULL, NULL};
	return d->routes;
}

static struct status *authorize(struct http_request *request, struct http_user *ret_user)
{
	struct daemon *d = request->data;
	return delegated_check_path(d->delegated, request, ret_user);
}

static struct status *make_delegated(struct daemon *d)
{
	struct daemon_options *o = d->options;
	static const char *const default_allowed[] = {"/healthz*", "/readyz*", "/livez*", NULL};
	const char **allowed = ARENA_ARRAY(d->arena, const char *, o->always_allow_paths.n_items + 1);
	for (size_t i = 0; i < o->always_allow_paths.n_items; i++)
		allowed[i] = o->always_allow_paths.items[i];
	if (!str_empty(o->authentication_kubeconfig))
		TRY(make_client(d, o->authentication_kubeconfig, 10000, &d->authn_client));
	if (!str_empty(o->authorization_kubeconfig))
		TRY(make_client(d, o->authorization_kubeconfig, 10000, &d->authz_client));
	struct delegated_config config = {.authn_client = d->authn_client,
		.authz_client = d->authz_client,
		.client_ca_file = o->client_ca_file,
		.lookup_cluster_ca = !o->skip_lookup,
		.anonymous = true,
		.always_allow_paths = o->always_allow_paths.n_items ? allowed : default_allowed};
	return delegated_new(&config, &d->delegated);
}

/* A certificate for a daemon that was given none. */
static struct status *self_signed(struct daemon *d, struct http_server_config *config)
{
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	int64_t now = clock_wall_s(clock_system());
	char host[256] = "localhost";
	gethostname(host, sizeof(host) - 1);
	char *names[] = {"localhost", host};
	char *addresses[] = {"127.0.0.1"};
	struct pki_subject subject = {.common_name = arena_printf(d->arena, "%s@%lld", host, (long long)now),
		.dns_names = names,
		.n_dns_names = 2,
		.ip_addresses = addresses,
		.n_ip_addresses = 1,
		.usages = PKI_SERVER_AUTH | PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT};
	TRY(pki_key_generate(PKI_ECDSA_P256, &key));
	TRY(pki_cert_self_signed(key, &subject, now - 3600, now + (int64_t)CERT_DAYS * 86400, &cert));
	config->cert_pem = pki_cert_pem(d->arena, cert);
	config->key_pem = pki_key_pem(d->arena, key);
	return NULL;
}

static struct status *serve_secure(struct daemon *d)
{
	struct daemon_options *o = d->options;
	struct http_server_config config = {.address = o->bind_address,
		.port = (uint16_t)o->secure_port,
		.cert_file = o->cert_file,
		.key_file = o->key_file,
		.ask_client_cert = true,
		.routes = build_routes(d),
		.data = d,
		.authorize = authorize};
	TRY(make_delegated(d));
	if (str_empty(o->cert_file))
		TRY(self_signed(d, &config));
	TRY(http_server_new(&config, &d->secure));
	log_info("Serving securely on %s:%u", str_or(o->bind_address, "[::]"), http_server_port(d->secure));
	return NULL;
}

static struct status *serve_plain(
	struct daemon *d, const char *address, const struct http_route *routes, struct http_server **ret)
{
	struct url url;
	if (str_empty(address))
		return NULL;
	TRY(url_parse(d->arena, address, &url));
	struct http_server_config config = {
		.address = url.host, .port = url.port, .routes = routes, .data = d, .max_workers = 2};
	return http_server_new(&config, ret);
}

static struct status *start_serving(struct daemon *d)
{
	struct daemon_options *o = d->options;
	if ((d->spec->groups & DAEMON_SERVING) && o->secure_port)
		TRY(serve_secure(d));
	TRY(serve_plain(d, o->insecure_address, build_routes(d), &d->insecure));
	return serve_plain(d, o->health_address, health_routes, &d->health_only);
}

/* --- leading --- */

static void tell_lead(struct daemon *d, bool leads)
{
	static const char *const labels[] = {"name", NULL};
	if (d->leader_client)
		metric_set(metrics_gauge(d->metrics, "leader_election_master_status",
				   "Whether this process leads (1) or waits (0).", labels),
			leads, d->spec->name);
}

/* What leads without a candidate's lease, and what the election calls. */
static void run_lead(void *data, const atomic_bool *lost)
{
	struct daemon *d = data;
	(void)lost;
	tell_lead(d, true);
	struct status *error = d->spec->lead(d, d->spec->data);
	if (error || !atomic_load(&d->stopping))
		daemon_stop(d, error);
}

static void on_new_leader(void *data, const char *identity)
{
	(void)data;
	log_info("new leader elected: %s", identity);
}

static void *lead_thread(void *data)
{
	struct daemon *d = data;
	const struct daemon_options *o = d->options;
	if (!d->leader_client) {
		run_lead(d, &d->stopping);
		return NULL;
	}
	tell_lead(d, false);
	struct leader_config config = {.client = d->leader_client,
		.namespace = str_or(o->leader_namespace, "kube-system"),
		.name = str_or(o->leader_name, d->spec->name),
		.lease_duration_ms = o->lease_duration_ms,
		.renew_deadline_ms = o->renew_deadline_ms,
		.retry_period_ms = o->retry_period_ms,
		.release_on_cancel = !o->no_release_on_stop,
		.started = run_lead,
		.new_leader = on_new_leader,
		.data = d,
		.recorder = d->recorder,
		.term_ends_ms = &d->term_ends_ms};
	struct status *error = leader_run(&config, &d->stopping);
	if (!error)
		return NULL;
	/* Another may lead already: nothing of ours may go on. */
	log_error("%s", error->message);
	_exit(1);
}

/* --- the whole --- */

static void print_help(const struct daemon_spec *spec, const struct flag *standard)
{
	printf("%s\n\nUsage:\n  %s [flags]\n\nFlags:\n", str_or_empty(spec->description), spec->name);
	for (const struct flag *const *t = spec->flags; t && *t; t++)
		flags_print(*t, stdout);
	flags_print(standard, stdout);
}

/* *ret_done: --help or --version has been answered. */
static struct status *parse(struct daemon *d, int argc, char **argv, bool *ret_done)
{
	struct flag *standard = mem_calloc(DAEMON_MAX_FLAGS, sizeof(*standard));
	arena_defer(d->arena, free, standard);
	const struct flag **tables = NULL;
	size_t n = 0;
	int64_t verbosity = 0;
	bool version = false, help = false;
	daemon_flags(d->spec, standard, &verbosity, &version, &help);
	for (const struct flag *const *t = d->spec->flags; t && *t; t++)
		ARENA_PUSH(d->arena, tables, n) = *t;
	ARENA_PUSH(d->arena, tables, n) = standard;
	ARENA_PUSH(d->arena, tables, n) = NULL;
	struct flag_args args;
	TRY(flags_parse_tables(tables, argc, argv, false, &args));
	if (args.n_items)
		return status_bad_request("unknown command \"%s\" for \"%s\"", args.items[0], d->spec->name);
	*ret_done = version || help;
	if (version)
		printf("Kubernetes %s\n", KUBEC_VERSION);
	else if (help)
		print_help(d->spec, standard);
	log_set_verbosity((int)verbosity);
	return NULL;
}

static void apply_defaults(struct daemon_options *o)
{
	o->lease_duration_ms = o->lease_duration_ms ? o->lease_duration_ms : 15000;
	o->renew_deadline_ms = o->renew_deadline_ms ? o->renew_deadline_ms : 10000;
	o->retry_period_ms = o->retry_period_ms ? o->retry_period_ms : 2000;
}

static struct status *run(struct daemon *d)
{
	const struct daemon_spec *spec = d->spec;
	if (spec->configure)
		TRY(spec->configure(d, spec->data));
	TRY(make_clients(d));
	if (spec->start)
		TRY(spec->start(d, spec->data));
	d->started = true;
	TRY(start_serving(d));
	if (spec->lead) {
		d->lead_thread = thread_start("lead", lead_thread, d);
		d->has_lead = true;
	}
	d->trim = loop_timer(d->loop, TRIM_MS / 6, on_trim, d);
	loop_run(d->loop);
	return NULL;
}

static void finish(struct daemon *d)
{
	loop_watch_cancel(d->signals);
	if (d->signal_fd >= 0)
		close(d->signal_fd);
	pthread_detach(thread_start("stop-guard", guard_stop, NULL));
	if (d->has_lead)
		pthread_join(d->lead_thread, NULL);
	if (d->spec->stop)
		d->spec->stop(d, d->spec->data);
	http_server_free(d->secure);
	http_server_free(d->insecure);
	http_server_free(d->health_only);
	event_recorder_free(d->recorder);
	delegated_free(d->delegated);
	client_free(d->client);
	client_free(d->leader_client);
	client_free(d->authn_client);
	client_free(d->authz_client);
	loop_timer_cancel(d->trim);
	loop_free(d->loop);
	health_free(d->health);
	metrics_free(d->metrics);
	client_figures_free(d->figures);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	arena_free(d->arena);
}

int daemon_main(const struct daemon_spec *spec, int argc, char **argv)
{
	struct daemon d = {.spec = spec, .options = spec->options, .arena = arena_new(), .signal_fd = -1};
	bool done = false;
	daemon_tune_memory();
	apply_defaults(d.options);
	struct status *error = parse(&d, argc, argv, &done);
	if (error || done) {
		if (error)
			fprintf(stderr, "Error: %s\n", error->message);
		status_free(error);
		arena_free(d.arena);
		return error ? 1 : 0;
	}
	d.loop = loop_new(clock_system());
	d.health = health_new();
	d.metrics = metrics_new();
	pthread_mutex_init(&d.lock, NULL);
	pthread_cond_init(&d.changed, NULL);
	start_signals(&d);
	error = run(&d);
	if (error)
		daemon_stop(&d, error);
	error = STEAL(d.error);
	if (error)
		log_error("%s: %s", spec->name, error->message);
	/* What a failed start has begun is nobody's to end. */
	if (!d.started) {
		fflush(NULL);
		_exit(1);
	}
	finish(&d);
	int code = error ? 1 : 0;
	status_free(error);
	return code;
}
