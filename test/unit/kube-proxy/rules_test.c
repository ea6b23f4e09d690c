/* Which endpoints a service uses, and the rules it becomes. */
#include "test/unit/kube-proxy/world.h"

struct made {
	struct arena *arena;
	struct service_model *model;
	struct fragment *fragment;
};

static struct made make(const char *more, const char *endpoints)
{
	struct rules_config config = world_config();
	struct made m = {.arena = arena_new()};
	const DiscoveryV1EndpointSlice *slice = world_slice(m.arena, endpoints);
	m.model = service_model_make(m.arena, FAMILY_IPV4, world_service(m.arena, more), &slice, 1);
	m.fragment = fragment_make(m.arena, &config, m.model);
	return m;
}

static void done(struct made *m)
{
	fragment_free(m->fragment);
	arena_free(m->arena);
}

static const char *element(const struct made *m, const char *id)
{
	return str_or(strmap_get(m->fragment->elements, id), "none");
}

/* The rules of the only chain whose name begins so. */
static const char *chain(const struct made *m, const char *prefix)
{
	STRMAP_FOREACH (m->fragment->chains, it) {
		if (str_starts_with(it.key, prefix))
			return it.value;
	}
	return "none";
}

static void chooses_endpoints(void **state)
{
	static const struct {
		const char *name, *spec, *endpoints;
		size_t n_cluster, n_local;
		bool any;
	} cases[] = {
		{"ready ones", "",
			READY("10.244.1.2", "here") "," READY("10.244.2.2", "there") "," GONE("10.244.2.3", "there"), 2,
			0, true},
		{"ending ones when no other is left", "", ENDING("10.244.1.2", "here") "," GONE("10.244.2.3", "there"),
			1, 0, true},
		{"not ending ones otherwise", "", ENDING("10.244.1.2", "here") "," READY("10.244.2.3", "there"), 1, 0,
			true},
		{"none", "", GONE("10.244.2.3", "there"), 0, 0, false},
		{"local ones", ",\"internalTrafficPolicy\":\"Local\"",
			READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"), 0, 1, true},
		{"elsewhere only", ",\"internalTrafficPolicy\":\"Local\"", READY("10.244.2.2", "there"), 0, 0, true},
		{"both for a local node port", ",\"type\":\"NodePort\",\"externalTrafficPolicy\":\"Local\"",
			READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"), 2, 1, true},
		{"hints for our zone", "",
			"{\"addresses\":[\"10.244.1.2\"],\"hints\":{\"forZones\":[{\"name\":\"zone-1\"}]}},"
			"{\"addresses\":[\"10.244.2.2\"],\"hints\":{\"forZones\":[{\"name\":\"zone-2\"}]}}",
			1, 0, true},
		{"hints that not all have", "",
			"{\"addresses\":[\"10.244.1.2\"],\"hints\":{\"forZones\":[{\"name\":\"zone-1\"}]}},"
			"{\"addresses\":[\"10.244.2.2\"]}",
			2, 0, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct made m = make(cases[i].spec, cases[i].endpoints);
		struct topology here = {"here", "zone-1"};
		struct endpoint_choice c = endpoints_choose(m.arena, &m.model->ports[0], &here);
		if (c.n_cluster != cases[i].n_cluster || c.n_local != cases[i].n_local || c.any != cases[i].any)
			fail_msg("%s: cluster %zu local %zu any %d", cases[i].name, c.n_cluster, c.n_local, c.any);
		done(&m);
	}
}

static void cluster_ip(void **state)
{
	struct made m = make("", READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
	assert_string_equal(element(&m, "cluster-ips|10.96.0.10"), "none");
	assert_true(strmap_has(m.fragment->elements, "cluster-ips|10.96.0.10"));
	assert_true(str_starts_with(element(&m, "service-ips|10.96.0.10 . tcp . 80"), "goto service-"));
	assert_true(str_ends_with(element(&m, "service-ips|10.96.0.10 . tcp . 80"), "-ns/web/tcp/http"));
	assert_non_null(strstr(chain(&m, "service-"), "ip daddr 10.96.0.10 ip saddr != 10.244.0.0/16 jump "
						      "mark-for-masquerade\nnumgen random mod 2 0 goto endpoint-"));
	assert_string_equal(chain(&m, "external-"), "none");
	assert_int_equal(strmap_count(m.fragment->chains), 3);
	done(&m);
}

/* Every endpoint gets the same share: the i-th of n is drawn from those that are left. */
static void spread(void **state)
{
	static const struct {
		size_t n;
		const char *draws[4]; /* "" is a goto without one */
	} cases[] = {
		{1, {""}},
		{2, {"numgen random mod 2 0 ", ""}},
		{4, {"numgen random mod 4 0 ", "numgen random mod 3 0 ", "numgen random mod 2 0 ", ""}},
		{5, {"numgen random mod 5 vmap { 0 : "}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_done) struct strbuf endpoints = STRBUF_INIT, want = STRBUF_INIT;
		for (size_t k = 0; k < cases[i].n; k++)
			strbuf_printf(&endpoints, "%s{\"addresses\":[\"10.244.1.%zu\"]}", k ? "," : "", k + 1);
		struct made m = make("", endpoints.buf);
		const char *line = strchr(chain(&m, "service-"), '\n');
		for (size_t k = 0; k < ARRAY_SIZE(cases[i].draws) && cases[i].draws[k]; k++) {
			assert_non_null(line);
			strbuf_reset(&want);
			strbuf_printf(&want, "\n%sgoto endpoint-", cases[i].draws[k]);
			if (!str_starts_with(line, want.buf))
				fail_msg("%zu endpoints, rule %zu: wanted %s, is %s", cases[i].n, k, want.buf, line);
			line = strchr(line + 1, '\n');
		}
		done(&m);
	}
}

static void names_are_those_of_the_original(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	assert_string_equal(rules_name(arena, "service-", "ns1/svc1/tcp/p80"), "service-ULMVA6XW-ns1/svc1/tcp/p80");
	assert_string_equal(rules_name(arena, "endpoint-", "ns1/svc1/tcp/p80__10.180.0.1/80"),
		"endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80");
}

static void refuses_without_endpoints(void **state)
{
	struct made m = make(",\"type\":\"NodePort\"", "");
	assert_string_equal(element(&m, "no-endpoint-services|10.96.0.10 . tcp . 80"), "goto reject-chain");
	assert_string_equal(element(&m, "no-endpoint-nodeports|tcp . 30080"), "goto reject-chain");
	assert_string_equal(element(&m, "service-ips|10.96.0.10 . tcp . 80"), "none");
	assert_int_equal(strmap_count(m.fragment->chains), 0);
	done(&m);
}

static void drops_where_the_policy_finds_none_here(void **state)
{
	struct made m =
		make(",\"type\":\"NodePort\",\"externalTrafficPolicy\":\"Local\"", READY("10.244.2.2", "there"));
	assert_string_equal(element(&m, "no-endpoint-nodeports|tcp . 30080"), "drop");
	assert_true(str_starts_with(element(&m, "service-nodeports|tcp . 30080"), "goto external-"));
	assert_true(str_starts_with(chain(&m, "external-"), "ip saddr 10.244.0.0/16 goto service-"));
	assert_null(strstr(chain(&m, "external-"), "goto local-"));
	done(&m);
}

static void remembers_clients(void **state)
{
	struct made m = make(
		",\"sessionAffinity\":\"ClientIP\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":60}}",
		READY("10.244.1.2", "here"));
	assert_int_equal(strmap_count(m.fragment->sets), 1);
	STRMAP_FOREACH (m.fragment->sets, it)
		assert_string_equal(it.value, "60");
	assert_non_null(strstr(chain(&m, "endpoint-"), "update @affinity-"));
	assert_non_null(strstr(chain(&m, "service-"), "ip saddr @affinity-"));
	done(&m);
}

static void lets_only_source_ranges_in(void **state)
{
	struct made m = make(
		",\"type\":\"LoadBalancer\",\"externalIPs\":[\"1.2.3.4\"],\"loadBalancerSourceRanges\":"
		"[\"192.168.0.0/24\",\"bad\",\"203.0.113.77/25\"]},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":"
		"\"5.6.7.8\"}]}",
		READY("10.244.1.2", "here"));
	assert_string_equal(chain(&m, "firewall-"), "ip saddr != { 192.168.0.0/24, 203.0.113.0/25, 5.6.7.8 } drop\n");
	assert_true(str_starts_with(element(&m, "firewall-ips|5.6.7.8 . tcp . 80"), "goto firewall-"));
	assert_true(str_starts_with(element(&m, "service-ips|1.2.3.4 . tcp . 80"), "goto external-"));
	assert_true(str_starts_with(chain(&m, "external-"), "jump mark-for-masquerade\ngoto service-"));
	done(&m);
}

static void leaves_other_services_alone(void **state)
{
	static const char *const specs[] = {",\"clusterIP\":\"None\"", ",\"type\":\"ExternalName\"",
		",\"clusterIP\":\"fd00::1\"", ",\"clusterIP\":\"10.0.0.1; flush ruleset\""};
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct made m = make(specs[i], READY("10.244.1.2", "here"));
		assert_null(m.model);
		assert_int_equal(strmap_count(m.fragment->elements), 0);
		done(&m);
	}
}

static void writes_only_what_changed(void **state)
{
	struct made a = make("", READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
	struct made b = make("", READY("10.244.1.2", "here") "," READY("10.244.2.3", "there"));
	struct rules_change c;
	rules_change_init(&c);
	rules_write_diff(&c, FAMILY_IPV4, a.fragment, a.fragment);
	assert_int_equal(c.n_changes, 0);
	rules_write_diff(&c, FAMILY_IPV4, a.fragment, b.fragment);
	const char *text = rules_change_text(&c);
	assert_int_equal(c.n_changes, 3); /* the service's chain, a new endpoint, a gone endpoint */
	assert_int_equal(c.n_stale, 1);
	assert_null(strstr(text, "element"));
	assert_null(strstr(text, "dnat to 10.244.1.2"));
	rules_change_done(&c);
	done(&a);
	done(&b);
}

static void addresses(void **state)
{
	static const struct {
		const char *cidr, *canonical;
	} cases[] = {{"10.1.2.3/8", "10.0.0.0/8"}, {"10.1.2.3/0", "0.0.0.0/0"}, {"10.1.2.3/33", NULL},
		{"10.1.2.3", NULL}, {"10.1.2/8", NULL}, {"10.1.2.3/ 8", NULL}, {"", NULL}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = cidr_canonical(arena, FAMILY_IPV4, cases[i].cidr);
		if (!str_eq(got, cases[i].canonical))
			fail_msg("%s: %s", cases[i].cidr, str_or_empty(got));
	}
	assert_string_equal(cidr_canonical(arena, FAMILY_IPV6, "fd00:0:0::1/16"), "fd00::/16");
	assert_true(cidr_contains("10.0.0.0/8", "10.9.9.9"));
	assert_false(cidr_contains("10.0.0.0/8", "11.9.9.9"));
	assert_true(cidr_contains("fd00::/12", "fd0f::1"));
	assert_false(cidr_contains("fd00::/16", "10.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_endpoints),
		cmocka_unit_test(cluster_ip),
		cmocka_unit_test(spread),
		cmocka_unit_test(names_are_those_of_the_original),
		cmocka_unit_test(refuses_without_endpoints),
		cmocka_unit_test(drops_where_the_policy_finds_none_here),
		cmocka_unit_test(remembers_clients),
		cmocka_unit_test(lets_only_source_ranges_in),
		cmocka_unit_test(leaves_other_services_alone),
		cmocka_unit_test(writes_only_what_changed),
		cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
