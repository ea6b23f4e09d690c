#include "kube-proxy/proxy.h"
#include "base/log.h"
#include "base/mem.h"
#include "kube-proxy/host.h"
#include "kube-proxy/internal.h"

static void metrics_init(struct proxy_metrics *m, struct metrics *metrics)
{
	static const char *const by_family[] = {"ip_family", NULL};
	static const double seconds[] = {0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024,
		2.048, 4.096, 8.192, 16.384};
	m->sync_duration = metrics_histogram(metrics, "kubeproxy_sync_proxy_rules_duration_seconds",
		"Seconds a sync takes.", by_family, seconds, ARRAY_SIZE(seconds));
	m->partial_duration = metrics_histogram(metrics, "kubeproxy_sync_partial_proxy_rules_duration_seconds",
		"Seconds a sync of changes takes.", by_family, seconds, ARRAY_SIZE(seconds));
	m->full_duration = metrics_histogram(metrics, "kubeproxy_sync_full_proxy_rules_duration_seconds",
		"Seconds a sync of everything takes.", by_family, seconds, ARRAY_SIZE(seconds));
	m->failures = metrics_counter(
		metrics, "kubeproxy_sync_proxy_rules_nftables_sync_failures_total", "Failed syncs.", by_family);
	m->queued = metrics_gauge(metrics, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
		"When a sync became due last.", by_family);
	m->synced = metrics_gauge(
		metrics, "kubeproxy_sync_proxy_rules_last_timestamp_seconds", "When a sync was done last.", by_family);
	m->changes = metrics_counter(
		metrics, "kubeproxy_sync_proxy_rules_changes_total", "Chains, sets and elements changed.", by_family);
}

static struct status *clean_up(struct proxy *p)
{
	TRY(nft_new(&p->nft));
	for (enum family family = 0; family < N_FAMILIES; family++) {
		struct status *failed = nft_remove_table(p->nft, family);
		if (failed)
			return status_wrap(failed, "encountered an error while tearing down rules");
	}
	nft_free(p->nft);
	return NULL;
}

static struct status *configure(struct daemon *d, void *data)
{
	struct proxy *p = data;
	struct proxy_options *o = &p->options;
	p->arena = o->arena;
	TRY(proxy_options_complete(o));
	if (o->cleanup) {
		TRY(clean_up(p));
		exit(0);
	}
	if (o->init_only) {
		host_tune(o);
		exit(0);
	}
	o->daemon.insecure_address = o->metrics_address;
	return host_node_name(p->arena, o->hostname_override, &p->node_name);
}

static struct status *start(struct daemon *d, void *data)
{
	struct proxy *p = data;
	p->loop = daemon_loop(d);
	p->clock = clock_system();
	p->proxied = strmap_new(free);
	p->cidrs = strmap_new(NULL);
	host_tune(&p->options);
	metrics_init(&p->metrics, daemon_metrics(d));
	TRY(nft_new(&p->nft));
	p->sync = sync_new(p->nft, p->clock);
	proxy_configure_rules(p);
	TRY(proxy_health_new(p->options.healthz_address, 2 * p->options.sync_period_ms, p->clock, &p->health));
	p->informers = informers_new(daemon_client(d));
	proxy_watch(p);
	log_info("Serving services by nftables: node=%s", p->node_name);
	return informers_start(p->informers);
}

static void stop(struct daemon *d, void *data)
{
	struct proxy *p = data;
	if (p->informers)
		informers_free(p->informers);
	p->stopping = true;
	loop_timer_cancel(STEAL(p->timer));
	loop_turn(p->loop, 0); /* changes that are still on their way hold objects */
	proxy_health_free(p->health);
	/* The rules stay: traffic flows on until the next proxy takes them over. What else is left belongs to the
	 * process, which ends now. */
}

static void proxy_mode(struct http_request *request)
{
	http_respondf(request, 200, "nftables");
}

int proxy_main(int argc, char **argv)
{
	static const struct http_route routes[] = {{"GET", "/proxyMode", proxy_mode}, {NULL}};
	static struct proxy proxy; /* zeroed, and as long-lived as the process */
	struct proxy *p = &proxy;
	p->options.daemon = (struct daemon_options){.qps = 5, .burst = 10};
	const struct flag *const flags[] = {proxy_flags(&p->options), NULL};
	const struct daemon_spec spec = {
		.name = "kube-proxy",
		.description = "Makes Service addresses work on this node.",
		.options = &p->options.daemon,
		.groups = DAEMON_CLIENT | DAEMON_DEBUG,
		.flags = flags,
		.configure = configure,
		.start = start,
		.stop = stop,
		.routes = routes,
		.data = p,
	};
	return daemon_main(&spec, argc, argv);
}
