/* Profiles: which plugins a configuration leaves running where, with which weights, and what it is told when it is
 * wrong. */
#include "test/unit/scheduler/world.h"

struct made {
	struct world w;
	struct profiles profiles;
	struct status *failed;
};

static struct made make(const char *profiles_json)
{
	struct made m;
	world_init(&m.w);
	KubeschedulerV1KubeSchedulerConfiguration *config =
		world_decode(&m.w, &KubeschedulerV1KubeSchedulerConfiguration_schema,
			arena_printf(m.w.arena, "{\"profiles\":[%s]}", profiles_json));
	m.failed = profiles_make(m.w.arena, config, &m.w.handle, &m.profiles);
	return m;
}

static void done(struct made *m)
{
	status_free(m->failed);
	world_done(&m->w);
}

/* "A,B*2": the plugins of a point in order, with weights other than 1. */
static const char *at(struct made *m, size_t n, enum extension_point point)
{
	const struct profile *p = m->profiles.items[n];
	char *out = arena_strdup(m->w.arena, "");
	for (size_t i = 0; i < p->n_points[point]; i++) {
		const struct profile_plugin *plugin = &p->plugins[p->points[point][i]];
		out = arena_printf(m->w.arena, "%s%s%s", out, i ? "," : "", plugin->plugin->name);
		if (plugin->weight != 1)
			out = arena_printf(m->w.arena, "%s*%d", out, plugin->weight);
	}
	return out;
}

static void the_default(void **state)
{
	struct made m = make("");
	assert_null(m.failed);
	assert_string_equal(m.profiles.items[0]->scheduler_name, "default-scheduler");
	assert_string_equal(at(&m, 0, POINT_SCORE),
		"TaintToleration*3,NodeAffinity*2,NodeResourcesFit,PodTopologySpread*2,InterPodAffinity*2,"
		"NodeResourcesBalancedAllocation,ImageLocality");
	assert_string_equal(at(&m, 0, POINT_QUEUE_SORT), "PrioritySort");
	assert_string_equal(at(&m, 0, POINT_POST_FILTER), "DynamicResources,DefaultPreemption");
	assert_string_equal(at(&m, 0, POINT_BIND), "DefaultBinder");
	done(&m);
}

static void points_and_weights(void **state)
{
	static const struct {
		const char *plugins;
		enum extension_point point;
		const char *wanted;
	} cases[] = {
		{"\"score\":{\"disabled\":[{\"name\":\"*\"}]}", POINT_SCORE, ""},
		{"\"score\":{\"disabled\":[{\"name\":\"*\"}],\"enabled\":[{\"name\":\"ImageLocality\",\"weight\":7}]}",
			POINT_SCORE, "ImageLocality*7"},
		{"\"multiPoint\":{\"disabled\":[{\"name\":\"NodePorts\"},{\"name\":\"NodeName\"}]}", POINT_FILTER,
			"NodeUnschedulable,TaintToleration*3,NodeAffinity*2,NodeResourcesFit,VolumeBinding,"
			"PodTopologySpread*2,"
			"InterPodAffinity*2"},
		{"\"multiPoint\":{\"disabled\":[{\"name\":\"*\"}],\"enabled\":[{\"name\":\"PrioritySort\"},{\"name\":"
		 "\"DefaultBinder\"},"
		 "{\"name\":\"NodeName\"}]}",
			POINT_FILTER, "NodeName"},
		{"\"postFilter\":{\"disabled\":[{\"name\":\"DefaultPreemption\"}]}", POINT_POST_FILTER,
			"DynamicResources"},
		{"\"filter\":{\"enabled\":[{\"name\":\"NodePorts\"}],\"disabled\":[{\"name\":\"*\"}]}", POINT_FILTER,
			"NodePorts"},
		{"\"filter\":{\"enabled\":[{\"name\":\"VolumeZone\"},{\"name\":\"NodeAffinity\"}]}", POINT_FILTER,
			"NodeAffinity*2,NodeUnschedulable,NodeName,TaintToleration*3,NodePorts,NodeResourcesFit,"
			"VolumeBinding,"
			"PodTopologySpread*2,InterPodAffinity*2"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];
		snprintf(text, sizeof text, "{\"plugins\":{%s}}", cases[i].plugins);
		struct made m = make(text);
		if (m.failed)
			fail_msg("%s: %s", cases[i].plugins, m.failed->message);
		assert_string_equal(at(&m, 0, cases[i].point), cases[i].wanted);
		done(&m);
	}
}

static void names_what_is_wrong(void **state)
{
	static const struct {
		const char *profiles, *message;
	} cases[] = {
		{"{\"plugins\":{\"multiPoint\":{\"enabled\":[{\"name\":\"Nope\"}]}}}",
			"profiles[0].plugins.multiPoint: Nope does not exist"},
		{"{\"plugins\":{\"score\":{\"enabled\":[{\"name\":\"NodeName\"}]}}}",
			"profiles[0].plugins: plugin \"NodeName\" does not take part there"},
		{"{\"plugins\":{\"bind\":{\"disabled\":[{\"name\":\"*\"}]}}}",
			"profiles[0].plugins.bind: at least one bind plugin is needed"},
		{"{\"plugins\":{\"queueSort\":{\"disabled\":[{\"name\":\"*\"}]}}}",
			"profiles[0].plugins.queueSort: exactly one plugin is required, 0 are enabled"},
		{"{},{}", "profiles[1].schedulerName: Duplicate value: \"default-scheduler\""},
		{"{\"pluginConfig\":[{\"name\":\"Nope\",\"args\":{}}]}",
			"profiles[0].pluginConfig[0]: Nope does not exist"},
		{"{\"pluginConfig\":[{\"name\":\"NodeResourcesFit\",\"args\":{\"scoringStrategy\":{\"type\":\"Best\"}}}"
		 "]}",
			"initializing plugin \"NodeResourcesFit\": scoring strategy Best is not supported"},
		{"{\"pluginConfig\":[{\"name\":\"InterPodAffinity\",\"args\":{\"hardPodAffinityWeight\":101}}]}",
			"initializing plugin \"InterPodAffinity\": hardPodAffinityWeight: must be in the range 0-100"},
		{"{\"pluginConfig\":[{\"name\":\"DefaultPreemption\",\"args\":{\"minCandidateNodesPercentage\":-1}}]}",
			"initializing plugin \"DefaultPreemption\": minCandidateNodesPercentage: not in valid range "
			"[0, 100]"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct made m = make(cases[i].profiles);
		if (!m.failed || strcmp(m.failed->message, cases[i].message) != 0)
			fail_msg("%s: %s", cases[i].profiles, m.failed ? m.failed->message : "accepted");
		done(&m);
	}
}

static void packs_when_told_to(void **state)
{
	struct made m =
		make("{\"pluginConfig\":[{\"name\":\"NodeResourcesFit\",\"args\":{\"scoringStrategy\":{\"type\":"
		     "\"MostAllocated\",\"resources\":[{\"name\":\"cpu\",\"weight\":1}]}}}],\"plugins\":{\"score\":{"
		     "\"disabled\":"
		     "[{\"name\":\"*\"}],\"enabled\":[{\"name\":\"NodeResourcesFit\"}]}}}");
	assert_null(m.failed);
	m.w.profiles = m.profiles;
	world_node(&m.w, "a", NULL, NULL);
	world_node(&m.w, "b", NULL, NULL);
	world_place(&m.w, "b", "one", CPU("2"));
	assert_string_equal(world_schedule(&m.w, CPU("1")), "b");
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default),
		cmocka_unit_test(points_and_weights),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(packs_when_told_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
