/* Transactions against a real kernel, in a network namespace of the test's own; skipped where that is not allowed. */
#include <sched.h>
#include "test/unit/kube-proxy/world.h"
#include "api/copy.h"
#include "kube-proxy/sync.h"

struct kernel {
	struct arena *arena;
	struct nft *nft;
	struct clock *clock;
	struct sync *sync;
};

static struct sync *fresh(struct kernel *k)
{
	struct sync *s = sync_new(k->nft, k->clock);
	s->config[FAMILY_IPV4] = world_config();
	s->config[FAMILY_IPV6] = world_config();
	s->config[FAMILY_IPV6].family = FAMILY_IPV6;
	s->config[FAMILY_IPV6].local.known = false;
	return s;
}

static bool begin(struct kernel *k)
{
	*k = (struct kernel){.arena = arena_new(), .clock = clock_fake_new(0)};
	if (unshare(CLONE_NEWNET) != 0)
		return false;
	assert_null(nft_new(&k->nft));
	k->sync = fresh(k);
	return true;
}

static void end(struct kernel *k)
{
	sync_free(k->sync);
	nft_free(k->nft);
	clock_fake_free(k->clock);
	arena_free(k->arena);
}

static void put(struct kernel *k, const char *spec, const char *endpoints)
{
	struct sync_service *service = sync_touch(k->sync, "ns/web");
	free(service->slices);
	service->slices = mem_calloc(1, sizeof *service->slices);
	service->slices[0] = world_slice(k->arena, endpoints);
	service->n_slices = 1;
	service->service = world_service(k->arena, spec);
}

static void run(struct kernel *k)
{
	CLEANUP_STATUS struct status *failed = sync_run(k->sync, false);
	if (failed)
		fail_msg("%s", failed->message);
}

static size_t count_chains(struct kernel *k, const char *prefix)
{
	CLEANUP(strmap_freep) struct strmap *chains = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *sets = strmap_new(NULL);
	assert_null(nft_names(k->nft, FAMILY_IPV4, chains, sets));
	size_t n = 0;
	STRMAP_FOREACH (chains, it)
		n += str_starts_with(it.key, prefix);
	STRMAP_FOREACH (sets, it)
		n += str_starts_with(it.key, prefix);
	return n;
}

static const char all_kinds[] =
	",\"type\":\"LoadBalancer\",\"externalTrafficPolicy\":\"Local\",\"externalIPs\":[\"1.2.3.4\"],"
	"\"sessionAffinity\":\"ClientIP\",\"loadBalancerSourceRanges\":[\"192.168.0.0/24\"]},"
	"\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"5.6.7.8\"}]}";

static void follows_endpoints(void **state)
{
	struct kernel k;
	if (!begin(&k)) {
		skip();
		return;
	}
	run(&k);
	put(&k, "", READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 2);
	assert_int_equal(count_chains(&k, "service-"), 2); /* and service-endpoints-check */
	run(&k);
	assert_int_equal(k.sync->n_changes, 0);
	put(&k, "", READY("10.244.1.2", "here"));
	run(&k);
	clock_fake_advance(k.clock, 1500);
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 1);
	put(&k, all_kinds, READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
	run(&k);
	assert_int_equal(count_chains(&k, "affinity-"), 2);
	assert_int_equal(count_chains(&k, "firewall-"), 2); /* and firewall-check */
	put(&k, ",\"sessionAffinity\":\"ClientIP\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":60}}",
		READY("10.244.1.2", "here"));
	run(&k);
	assert_int_equal(count_chains(&k, "affinity-"), 1);
	put(&k, "", "");
	run(&k);
	clock_fake_advance(k.clock, 1500);
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 0);
	end(&k);
}

/* More than fits in one piece of the first sync. */
static void first_sync_of_many_services(void **state)
{
	struct kernel k;
	enum { N = 600 };
	if (!begin(&k)) {
		skip();
		return;
	}
	for (int i = 0; i < N; i++) {
		struct sync_service *service = sync_touch(k.sync, arena_printf(k.arena, "ns/web%d", i));
		CoreV1Service *object = api_copy_msg(k.arena, world_service(k.arena, ""));
		object->metadata->name = arena_printf(k.arena, "web%d", i);
		object->spec->cluster_ip = arena_printf(k.arena, "10.96.%d.%d", i / 250, i % 250 + 1);
		service->service = object;
		service->slices = mem_calloc(1, sizeof *service->slices);
		service->slices[0] = world_slice(k.arena, READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
		service->n_slices = 1;
	}
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 2 * N);
	assert_int_equal(count_chains(&k, "service-"), N + 1); /* and service-endpoints-check */
	run(&k);
	assert_int_equal(k.sync->n_changes, 0);
	end(&k);
}

static void takes_over_from_an_earlier_process(void **state)
{
	struct kernel k;
	if (!begin(&k)) {
		skip();
		return;
	}
	put(&k, all_kinds, READY("10.244.1.2", "here") "," READY("10.244.2.2", "there"));
	run(&k);
	sync_free(k.sync);
	k.sync = fresh(&k);
	put(&k, all_kinds, READY("10.244.1.2", "here"));
	run(&k);
	assert_int_equal(count_chains(&k, "affinity-"), 1);
	clock_fake_advance(k.clock, 1500);
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 1);
	end(&k);
}

static void recovers_from_what_it_did_not_do(void **state)
{
	struct kernel k;
	if (!begin(&k)) {
		skip();
		return;
	}
	put(&k, "", READY("10.244.1.2", "here"));
	run(&k);
	assert_false(sync_check(k.sync));
	assert_null(nft_run(k.nft, "flush ruleset"));
	assert_true(sync_check(k.sync));
	k.sync->full_needed = false;
	put(&k, "", READY("10.244.1.3", "here"));
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 1);
	sync_free(k.sync);
	assert_null(nft_run(k.nft, "delete table ip kube-proxy\nadd table ip kube-proxy\n"
				   "add chain ip kube-proxy nat-output { type nat hook output priority 7 ; }\n"));
	k.sync = fresh(&k);
	put(&k, "", READY("10.244.1.3", "here"));
	run(&k);
	assert_int_equal(count_chains(&k, "endpoint-"), 1);
	assert_null(nft_remove_table(k.nft, FAMILY_IPV4));
	assert_int_equal(count_chains(&k, ""), 0);
	end(&k);
}

static void serves_ipv6_too(void **state)
{
	struct kernel k;
	if (!begin(&k)) {
		skip();
		return;
	}
	static const DiscoveryV1EndpointSlice *slice;
	struct sync_service *service = sync_touch(k.sync, "ns/web");
	slice = world_decode(k.arena, &DiscoveryV1EndpointSlice_schema,
		"{\"addressType\":\"IPv6\",\"ports\":[{\"name\":\"http\",\"port\":8080,\"protocol\":\"TCP\"}],"
		"\"endpoints\":["
		"{\"addresses\":[\"fd00:1::2\"]}]}");
	service->service = world_service(k.arena,
		",\"type\":\"NodePort\",\"clusterIPs\":[\"10.96.0.10\",\"fd00::10\"],\"sessionAffinity\":\"ClientIP\"");
	service->slices = mem_calloc(1, sizeof *service->slices);
	service->slices[0] = slice;
	service->n_slices = 1;
	run(&k);
	CLEANUP(strmap_freep) struct strmap *chains = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *sets = strmap_new(NULL);
	assert_null(nft_names(k.nft, FAMILY_IPV6, chains, sets));
	size_t n = 0;
	STRMAP_FOREACH (chains, it)
		n += strstr(it.key, "__fd00.1..2/8080") != NULL;
	STRMAP_FOREACH (sets, it)
		n += strstr(it.key, "__fd00.1..2/8080") != NULL;
	assert_int_equal(n, 2);
	assert_int_equal(count_chains(&k, "endpoint-"), 0);
	end(&k);
}

static void gives_an_address_to_one_service_at_a_time(void **state)
{
	struct kernel k;
	if (!begin(&k)) {
		skip();
		return;
	}
	put(&k, "", READY("10.244.1.2", "here"));
	run(&k);
	struct sync_service *other = sync_touch(k.sync, "ns/other");
	other->service = world_service(k.arena, "");
	run(&k);
	assert_true(other->contended);
	struct sync_service *first = sync_touch(k.sync, "ns/web");
	first->service = NULL;
	first->n_slices = 0;
	run(&k);
	assert_false(other->contended);
	assert_int_equal(strmap_count(k.sync->services), 1);
	end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_endpoints),
		cmocka_unit_test(first_sync_of_many_services),
		cmocka_unit_test(takes_over_from_an_earlier_process),
		cmocka_unit_test(recovers_from_what_it_did_not_do),
		cmocka_unit_test(serves_ipv6_too),
		cmocka_unit_test(gives_an_address_to_one_service_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
