/* Profiles: which plugins run at which extension point, in which order, with which arguments. */
#include "base/str.h"
#include "scheduler/config.h"

/* --- which plugins take part where --- */

static bool takes_part(const struct plugin *p, enum extension_point point)
{
	const bool parts[N_POINTS] = {
		[POINT_PRE_ENQUEUE] = p->pre_enqueue,
		[POINT_QUEUE_SORT] = p->before,
		[POINT_PRE_FILTER] = p->pre_filter,
		[POINT_FILTER] = p->filter,
		[POINT_POST_FILTER] = p->post_filter,
		[POINT_PRE_SCORE] = p->pre_score,
		[POINT_SCORE] = p->score,
		[POINT_RESERVE] = p->reserve || p->unreserve,
		[POINT_PERMIT] = p->permit,
		[POINT_PRE_BIND] = p->pre_bind,
		[POINT_BIND] = p->bind,
		[POINT_POST_BIND] = p->post_bind,
	};
	return parts[point];
}

static const KubeschedulerV1PluginSet *set_of(const KubeschedulerV1Plugins *plugins, enum extension_point point)
{
	if (!plugins)
		return NULL;
	const KubeschedulerV1PluginSet *const sets[N_POINTS] = {
		[POINT_PRE_ENQUEUE] = plugins->pre_enqueue,
		[POINT_QUEUE_SORT] = plugins->queue_sort,
		[POINT_PRE_FILTER] = plugins->pre_filter,
		[POINT_FILTER] = plugins->filter,
		[POINT_POST_FILTER] = plugins->post_filter,
		[POINT_PRE_SCORE] = plugins->pre_score,
		[POINT_SCORE] = plugins->score,
		[POINT_RESERVE] = plugins->reserve,
		[POINT_PERMIT] = plugins->permit,
		[POINT_PRE_BIND] = plugins->pre_bind,
		[POINT_BIND] = plugins->bind,
		[POINT_POST_BIND] = plugins->post_bind,
	};
	return sets[point];
}

static bool is_disabled(const KubeschedulerV1PluginSet *set, const char *name)
{
	for (size_t i = 0; set && i < set->n_disabled; i++) {
		if (str_eq(set->disabled[i]->name, name) || str_eq(set->disabled[i]->name, "*"))
			return true;
	}
	return false;
}

static int weight_of(const KubeschedulerV1Plugin *p)
{
	return p->has_weight && p->weight > 0 ? p->weight : plugin_default_weight(p->name);
}

/* Plugins of the original that look after kinds this scheduler does not serve: naming them is no mistake. */
static bool is_known_elsewhere(const char *name)
{
	static const char *const names[] = {"VolumeRestrictions", "NodeVolumeLimits", "EBSLimits", "GCEPDLimits",
		"AzureDiskLimits", "VolumeZone", NULL};
	return str_in(name, names);
}

static int index_of(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->n_plugins; i++) {
		if (str_eq(profile->plugins[i].plugin->name, name))
			return (int)i;
	}
	return -1;
}

static int add(struct profile *profile, const struct plugin *plugin, int weight)
{
	int i = index_of(profile, plugin->name);
	if (i < 0) {
		i = (int)profile->n_plugins++;
		profile->plugins[i] = (struct profile_plugin){.plugin = plugin, .weight = weight};
	}
	return i;
}

struct order {
	uint8_t items[MAX_PLUGINS];
	size_t n;
};

static bool holds(const struct order *order, uint8_t i)
{
	return memchr(order->items, i, order->n) != NULL;
}

static void append(struct order *order, uint8_t i)
{
	if (!holds(order, i) && order->n < MAX_PLUGINS)
		order->items[order->n++] = i;
}

/* Enabled for all points: the defaults that are not disabled, then the profile's own. */
static struct status *multi_point(
	struct profile *profile, const KubeschedulerV1PluginSet *custom, const char *path, struct order *ret)
{
	for (size_t i = 0; plugin_table[i]; i++) {
		if (!is_disabled(custom, plugin_table[i]->name))
			append(ret,
				(uint8_t)add(profile, plugin_table[i], plugin_default_weight(plugin_table[i]->name)));
	}
	for (size_t i = 0; custom && i < custom->n_enabled; i++) {
		const char *name = custom->enabled[i]->name;
		const struct plugin *plugin = plugin_find(name);
		if (!plugin && is_known_elsewhere(name))
			continue;
		if (!plugin)
			return status_bad_request("%s.plugins.multiPoint: %s does not exist", path, name);
		int index = add(profile, plugin, 1);
		profile->plugins[index].weight = weight_of(custom->enabled[i]);
		append(ret, (uint8_t)index);
	}
	return NULL;
}

/*
 * At one point run, in this order: those named for the point that run everywhere anyhow, the rest of those that run
 * everywhere, the others named for the point.
 */
static struct status *fill_point(struct profile *profile, const KubeschedulerV1PluginSet *custom, const char *path,
	const struct order *everywhere, enum extension_point point)
{
	struct order order = {0}, late = {0};
	for (size_t i = 0; custom && i < custom->n_enabled; i++) {
		const char *name = custom->enabled[i]->name;
		const struct plugin *plugin = plugin_find(name);
		if (!plugin && is_known_elsewhere(name))
			continue;
		if (!plugin || !takes_part(plugin, point))
			return status_bad_request("%s.plugins: plugin \"%s\" does not take part there", path, name);
		int index = add(profile, plugin, weight_of(custom->enabled[i]));
		if (point == POINT_SCORE)
			profile->plugins[index].weight = weight_of(custom->enabled[i]);
		append(holds(everywhere, (uint8_t)index) ? &order : &late, (uint8_t)index);
	}
	for (size_t i = 0; i < everywhere->n; i++) {
		const struct plugin *plugin = profile->plugins[everywhere->items[i]].plugin;
		if (takes_part(plugin, point) && !is_disabled(custom, plugin->name))
			append(&order, everywhere->items[i]);
	}
	for (size_t i = 0; i < late.n; i++)
		append(&order, late.items[i]);
	memcpy(profile->points[point], order.items, order.n);
	profile->n_points[point] = order.n;
	return NULL;
}

static struct status *check_points(const struct profile *profile, const char *path)
{
	if (profile->n_points[POINT_QUEUE_SORT] != 1)
		return status_bad_request("%s.plugins.queueSort: exactly one plugin is required, %zu are enabled", path,
			profile->n_points[POINT_QUEUE_SORT]);
	if (!profile->n_points[POINT_BIND])
		return status_bad_request("%s.plugins.bind: at least one bind plugin is needed", path);
	return NULL;
}

/* --- arguments --- */

static struct status *plugin_args(struct arena *arena, const KubeschedulerV1KubeSchedulerProfile *config,
	const char *name, const cJSON **ret_args)
{
	*ret_args = NULL;
	for (size_t i = 0; config && i < config->n_plugin_config; i++) {
		const KubeschedulerV1PluginConfig *c = config->plugin_config[i];
		if (!str_eq(c->name, name) || !c->args || !c->args->raw.len)
			continue;
		cJSON *tree = NULL;
		TRY(tree_parse(arena, (const char *)c->args->raw.data, c->args->raw.len, NULL, &tree));
		*ret_args = tree;
	}
	return NULL;
}

static struct status *init_plugins(struct arena *arena, struct profile *profile,
	const KubeschedulerV1KubeSchedulerProfile *config, const char *path)
{
	for (size_t i = 0; config && i < config->n_plugin_config; i++) {
		const char *name = config->plugin_config[i]->name;
		if (!plugin_find(name) && !is_known_elsewhere(name))
			return status_bad_request("%s.pluginConfig[%zu]: %s does not exist", path, i, name);
	}
	for (size_t i = 0; i < profile->n_plugins; i++) {
		struct profile_plugin *p = &profile->plugins[i];
		const cJSON *args;
		TRY(plugin_args(arena, config, p->plugin->name, &args));
		if (!p->plugin->init)
			continue;
		struct status *failed = p->plugin->init(arena, profile, args, &p->self);
		if (failed)
			return status_wrap(failed, "initializing plugin \"%s\"", p->plugin->name);
	}
	return NULL;
}

static struct status *profile_make(struct arena *arena, const KubeschedulerV1KubeSchedulerProfile *config, size_t n,
	struct scheduler_handle *handle, struct profile **ret)
{
	struct profile *profile = ARENA_NEW(arena, struct profile);
	const KubeschedulerV1Plugins *plugins = config ? config->plugins : NULL;
	const char *path = arena_printf(arena, "profiles[%zu]", n);
	struct order everywhere = {0};
	profile->handle = handle;
	profile->scheduler_name =
		arena_strdup(arena, config ? str_or(config->scheduler_name, "default-scheduler") : "default-scheduler");
	profile->percentage_of_nodes_to_score = -1;
	if (config && config->has_percentage_of_nodes_to_score)
		profile->percentage_of_nodes_to_score = config->percentage_of_nodes_to_score;
	TRY(multi_point(profile, plugins ? plugins->multi_point : NULL, path, &everywhere));
	for (enum extension_point point = 0; point < N_POINTS; point++)
		TRY(fill_point(profile, set_of(plugins, point), path, &everywhere, point));
	TRY(check_points(profile, path));
	TRY(init_plugins(arena, profile, config, path));
	*ret = profile;
	return NULL;
}

struct status *profiles_make(struct arena *arena, const KubeschedulerV1KubeSchedulerConfiguration *config,
	struct scheduler_handle *handle, struct profiles *ret)
{
	size_t n = config && config->n_profiles ? config->n_profiles : 1;
	*ret = (struct profiles){ARENA_ARRAY(arena, struct profile *, n), 0};
	for (size_t i = 0; i < n; i++) {
		const KubeschedulerV1KubeSchedulerProfile *one =
			config && config->n_profiles ? config->profiles[i] : NULL;
		struct profile *profile = NULL;
		TRY(profile_make(arena, one, i, handle, &profile));
		if (profiles_find(ret, profile->scheduler_name))
			return status_bad_request(
				"profiles[%zu].schedulerName: Duplicate value: \"%s\"", i, profile->scheduler_name);
		if (i && profile->plugins[profile->points[POINT_QUEUE_SORT][0]].plugin !=
				 ret->items[0]->plugins[ret->items[0]->points[POINT_QUEUE_SORT][0]].plugin)
			return status_bad_request("profiles[%zu].plugins.queueSort: has to match for all profiles", i);
		ret->items[ret->n_items++] = profile;
	}
	return NULL;
}

const struct profile *profiles_find(const struct profiles *profiles, const char *scheduler_name)
{
	for (size_t i = 0; i < profiles->n_items; i++) {
		if (str_eq(profiles->items[i]->scheduler_name, scheduler_name))
			return profiles->items[i];
	}
	return NULL;
}
