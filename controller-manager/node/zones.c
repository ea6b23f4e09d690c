#include "controller-manager/node/zones.h"

#include "base/mem.h"
#include "base/str.h"

void zones_init(struct zones *z, const struct options *options)
{
	*z = (struct zones){.options = options, .by_name = strmap_new(free)};
}

void zones_done(struct zones *z)
{
	strmap_free(z->by_name);
}

char *zone_name(struct arena *arena, const CoreV1Node *node)
{
	const MetaV1ObjectMeta *meta = node->metadata;
	const char *region = LABEL_GET(meta, "topology.kubernetes.io/region");
	const char *zone = LABEL_GET(meta, "topology.kubernetes.io/zone");
	return arena_printf(arena, "%s:%s", str_or_empty(region), str_or_empty(zone));
}

void zones_begin(struct zones *z)
{
	STRMAP_FOREACH (z->by_name, it) {
		struct zone *zone = it.value;
		zone->n_nodes = zone->n_not_ready = 0;
	}
}

void zones_count(struct zones *z, const char *name, bool ready)
{
	struct zone *zone = strmap_get(z->by_name, name);
	if (!zone) {
		zone = mem_zalloc(sizeof(*zone));
		zone->tokens = 1;
		strmap_put(z->by_name, name, zone);
	}
	zone->n_nodes++;
	zone->n_not_ready += !ready;
}

static enum zone_state judge(const struct zones *z, const struct zone *zone)
{
	if (zone->n_not_ready > 0 && zone->n_not_ready == zone->n_nodes)
		return ZONE_FULL;
	if (zone->n_not_ready > 2 &&
		(double)zone->n_not_ready / (double)zone->n_nodes >= z->options->unhealthy_zone_threshold)
		return ZONE_PARTIAL;
	return ZONE_NORMAL;
}

void zones_end(struct zones *z)
{
	const struct options *o = z->options;
	bool any = false, all_full = true;
	STRMAP_FOREACH (z->by_name, it) {
		struct zone *zone = it.value;
		if (!zone->n_nodes)
			continue;
		zone->state = judge(z, zone);
		any = true;
		all_full &= zone->state == ZONE_FULL;
		zone->rate = o->node_eviction_rate;
		if (zone->state == ZONE_PARTIAL)
			zone->rate = zone->n_nodes > (size_t)o->large_cluster_size_threshold
					     ? o->secondary_node_eviction_rate
					     : 0;
	}
	z->all_full = any && all_full;
}

bool zone_take(struct zones *z, const char *name, int64_t now_ms)
{
	struct zone *zone = strmap_get(z->by_name, name);
	if (!zone || z->all_full)
		return false;
	if (zone->at_ms)
		zone->tokens += (double)(now_ms - zone->at_ms) / 1000 * zone->rate;
	zone->at_ms = now_ms;
	if (zone->tokens > 1)
		zone->tokens = 1;
	if (zone->rate <= 0 || zone->tokens < 1)
		return false;
	zone->tokens -= 1;
	return true;
}
