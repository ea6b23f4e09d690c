/* Which values share a lease of etcd: the rule is in numbers of seconds and of values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "apiserver/store/lease.h"

struct etcd_of_test {
	int64_t n_granted, ttl_s; /* the last one's */
	bool fails;
};

static struct status *grant(void *data, int64_t ttl_s, int64_t *ret_id)
{
	struct etcd_of_test *etcd = data;
	if (etcd->fails)
		return status_new(STATUS_UNAVAILABLE, "away");
	etcd->ttl_s = ttl_s;
	*ret_id = ++etcd->n_granted;
	return NULL;
}

struct world {
	struct etcd_of_test etcd;
	struct clock *clock;
	struct lease *lease;
};

static void world_init(struct world *w, int64_t reuse_s)
{
	*w = (struct world){.clock = clock_fake_new(0)};
	const struct lease_options options = {.grant = grant, .data = &w->etcd, .clock = w->clock, .reuse_s = reuse_s};
	w->lease = lease_new(&options);
}

static void world_done(struct world *w)
{
	lease_free(w->lease);
	clock_fake_free(w->clock);
}

static int64_t take(struct world *w, int64_t ttl_s)
{
	int64_t id = 0;
	assert_null(lease_take(w->lease, ttl_s, &id));
	return id;
}

static void a_lease_is_given_away_for_a_while(void **state)
{
	static const struct {
		int64_t reuse_s, ttl_s;	    /* what is set, and what is asked for */
		int64_t granted_s, while_s; /* how long the lease lasts, and for how long it is given away */
	} cases[] = {
		{60, 3600, 3660, 60},
		{60, 600, 630, 30}, /* a twentieth is less */
		{60, 1200, 1260, 60},
		{10, 3600, 3610, 10},
		{60, 15, 15, 0},
		{0, 3600, 3600, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;
		world_init(&w, cases[i].reuse_s);
		assert_int_equal(take(&w, cases[i].ttl_s), 1);
		assert_int_equal(w.etcd.ttl_s, cases[i].granted_s);
		if (cases[i].while_s) {
			clock_fake_advance(w.clock, cases[i].while_s * 1000 - 1);
			assert_int_equal(take(&w, cases[i].ttl_s), 1);
			clock_fake_advance(w.clock, 1);
		}
		assert_int_equal(take(&w, cases[i].ttl_s), 2);
		world_done(&w);
	}
}

static void values_of_other_lengths_get_another(void **state)
{
	struct world w;
	world_init(&w, 60);
	assert_int_equal(take(&w, 3600), 1);
	assert_int_equal(take(&w, 3630), 1); /* it ends no earlier than asked for */
	assert_int_equal(take(&w, 3661), 2);
	assert_int_equal(take(&w, 60), 3); /* and not much later */
	world_done(&w);
}

static void a_lease_is_of_a_thousand_values_at_most(void **state)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct world w;
	world_init(&w, 60);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(&w, 3600), 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(&w, 3600), 2);
	assert_int_equal(take(&w, 3600), 3);
	lease_write_metrics(w.lease, &out);
	/* As the original counts: each with the value that was one too many. */
	assert_non_null(strstr(out.buf, "etcd_lease_object_counts_sum 2003\n"));
	world_done(&w);
}

static void another_kind_shares_the_count_alone(void **state)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	int64_t id;
	struct world w;
	world_init(&w, 60);
	struct lease *beside = lease_new_beside(w.lease);
	assert_int_equal(take(&w, 3600), 1);
	assert_null(lease_take(beside, 15, &id));
	assert_int_equal(id, 2);
	assert_int_equal(take(&w, 3600), 1);
	lease_write_metrics(w.lease, &out);
	assert_non_null(strstr(out.buf, "etcd_lease_object_counts_count 2\n"));
	lease_free(beside);
	world_done(&w);
}

static void a_lease_that_is_not_granted_is_asked_for_again(void **state)
{
	int64_t id;
	struct world w;
	world_init(&w, 60);
	w.etcd.fails = true;
	CLEANUP_STATUS struct status *status = lease_take(w.lease, 3600, &id);
	assert_true(status_is(status, STATUS_UNAVAILABLE));
	w.etcd.fails = false;
	assert_int_equal(take(&w, 3600), 1);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_given_away_for_a_while),
		cmocka_unit_test(values_of_other_lengths_get_another),
		cmocka_unit_test(a_lease_is_of_a_thousand_values_at_most),
		cmocka_unit_test(another_kind_shares_the_count_alone),
		cmocka_unit_test(a_lease_that_is_not_granted_is_asked_for_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
