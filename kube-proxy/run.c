/* When rules are written: soon after a change, but not more often than allowed; again after a failure; all, once an
 * hour. */
#include <malloc.h>
#include "base/log.h"
#include "kube-proxy/host.h"
#include "kube-proxy/internal.h"

enum { FULL_PERIOD_MS = 3600 * 1000 };

/* Where nftables is asked for by name, NodePorts answer on the node's own address only, as in the original. */
static bool only_primary(const struct proxy_options *o)
{
	const struct flag_list *list = &o->node_port_addresses;
	return list->n_items ? list->n_items == 1 && str_eq(list->items[0], "primary") : str_eq(o->mode, "nftables");
}

void proxy_configure_rules(struct proxy *p)
{
	const struct proxy_options *o = &p->options;
	for (enum family family = 0; family < N_FAMILIES; family++) {
		struct rules_config *c = &p->sync->config[family];
		c->family = family;
		c->masquerade_all = o->masquerade_all;
		c->masquerade_mark = 1u << o->masquerade_bit;
		c->topology = (struct topology){p->node_name, str_or_empty(p->zone)};
		const char *bound = ip_canonical(p->arena, family, o->bind_address);
		bool is_any = !bound || str_eq(bound, "0.0.0.0") || str_eq(bound, "::");
		c->node_ip = is_any ? p->node_ips[family] : bound;
		c->local = proxy_local_detector(o, family, p->pod_cidrs);
		c->service_cidrs = p->service_cidrs[family];
		bool primary = only_primary(o);
		c->all_node_port_ips = !o->node_port_addresses.n_items && !primary;
		if (primary) {
			c->node_port_ips = &c->node_ip;
			c->n_node_port_ips = c->node_ip ? 1 : 0;
		} else if (!c->all_node_port_ips) {
			c->n_node_port_ips = host_addresses(p->arena, family, o->node_port_addresses.items,
				o->node_port_addresses.n_items, &c->node_port_ips);
		}
	}
}

static void observe(struct proxy *p, bool full, int64_t start_ms)
{
	double seconds = (double)(clock_mono_ms(p->clock) - start_ms) / 1000;
	metric_observe(p->metrics.sync_duration, seconds, "IPv4");
	metric_observe(full ? p->metrics.full_duration : p->metrics.partial_duration, seconds, "IPv4");
	metric_add(p->metrics.changes, (double)p->sync->n_changes, "IPv4");
	log_v(p->sync->n_changes ? 2 : 4, "Rules are in place: changes=%zu full=%d elapsed=%lldms", p->sync->n_changes,
		full, (long long)(clock_mono_ms(p->clock) - start_ms));
}

static void after_success(struct proxy *p, bool full)
{
	if (full) {
		p->last_full_ms = clock_mono_ms(p->clock);
		malloc_trim(0);
	}
	metric_set(p->metrics.synced, (double)clock_wall_s(p->clock), "IPv4");
	proxy_health_synced(p->health);
	proxy_health_services(p->health, p->sync->services);
	for (enum family family = 0; p->clean_udp && family < N_FAMILIES; family++) {
		if (p->sync->enabled[family])
			proxy_clean_udp(p, family);
	}
	p->clean_udp = false;
}

static void run(void *data);

/* Nothing changed for a while: see that nobody removed what is ours, and write everything once in a long while. */
static void look_again(void *data)
{
	struct proxy *p = data;
	p->timer = NULL;
	if (sync_check(p->sync)) {
		log_warn("The rules were removed by somebody else; writing them again");
		run(p);
	} else if (clock_mono_ms(p->clock) - p->last_full_ms > FULL_PERIOD_MS) {
		run(p);
	} else {
		p->timer = loop_timer(p->loop, p->options.sync_period_ms, look_again, p);
	}
}

static void run(void *data)
{
	struct proxy *p = data;
	int64_t start_ms = clock_mono_ms(p->clock);
	bool full = p->sync->full_needed || start_ms - p->last_full_ms > FULL_PERIOD_MS;
	p->timer = NULL;
	p->last_sync_ms = start_ms;
	p->pending = false;
	struct status *failed = sync_run(p->sync, full);
	p->clean_udp |= p->sync->udp_changed;
	if (failed) {
		metric_add(p->metrics.failures, 1, "IPv4");
		log_status(failed, "Sync failed; retrying in %llds", (long long)(p->options.sync_period_ms / 1000));
		p->timer = loop_timer(p->loop, p->options.sync_period_ms, run, p);
		return;
	}
	observe(p, full, start_ms);
	after_success(p, full);
	int64_t cleanup_ms = sync_next_cleanup_ms(p->sync);
	p->timer = cleanup_ms >= 0 ? loop_timer(p->loop, cleanup_ms, run, p)
				   : loop_timer(p->loop, p->options.sync_period_ms, look_again, p);
	proxy_wake(p);
}

/* Sets the timer for what is pending. */
void proxy_wake(struct proxy *p)
{
	if (p->n_unsynced || !p->pending || p->stopping)
		return;
	int64_t wait_ms =
		p->last_sync_ms ? p->last_sync_ms + p->options.min_sync_period_ms - clock_mono_ms(p->clock) : 0;
	metric_set(p->metrics.queued, (double)clock_wall_s(p->clock), "IPv4");
	proxy_health_queued(p->health);
	loop_timer_cancel(p->timer);
	p->timer = loop_timer(p->loop, wait_ms > 0 ? wait_ms : 0, run, p);
	p->pending = wait_ms > 0 && p->pending;
}
