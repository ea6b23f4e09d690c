/* The checker of chaos runs: good histories pass, and each way of being wrong is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/str.h"
#include "test/chaos/check.h"
#include "test/chaos/random.h"

#define MAPS "/registry/configmaps/chaos/"
#define SERVICES "/registry/services/specs/chaos/"
#define LEASE "/registry/leases/kube-system/kube-scheduler"

/* A history in few words: spaces part the pairs, lines the records. */
static struct history *history_of(const char *text)
{
	struct history *h = history_new();
	char *tabs = arena_strdup(h->arena, text);
	for (char *c = tabs; *c; c++)
		*c = *c == ' ' ? '\t' : *c;
	assert_null(history_add(h, tabs));
	assert_null(history_link(h));
	return h;
}

/* Three changes of one key, and a second key. */
#define TRUTH                                                                                 \
	"change rev=10 type=create key=" MAPS "a uid=ua stamp=s1 shard=1 namespace=\n"        \
	"change rev=12 type=update key=" MAPS "a uid=ua stamp=s2 shard=2\n"                   \
	"change rev=13 type=create key=" MAPS "b uid=ub stamp=s3 shard=1\n"                   \
	"change rev=15 type=delete key=" MAPS "a\n"                                           \
	"write id=s1 op=create key=" MAPS "a start=1 end=2 result=ok rev=10 uid=ua\n"         \
	"write id=s2 op=update key=" MAPS "a start=3 end=5 result=ok rev=12 base=10 uid=ua\n" \
	"write id=s3 op=create key=" MAPS "b start=4 end=9 result=maybe\n"                    \
	"write id=s4 op=delete key=" MAPS "a start=6 end=8 result=ok uid=ua\n"

static const struct row {
	const char *what, *text;
	const char *found; /* a part of the only fault; NULL: none */
	bool of_rest;	   /* it may still be on its way: a run waits for its end */
} rows[] = {
	{"a good run", TRUTH, NULL},
	{"a write that may have happened and did not", TRUTH "write id=s9 op=create key=" MAPS "z result=maybe\n",
		NULL},
	{"a lost creation", TRUTH "write id=s9 op=create key=" MAPS "z start=9 end=10 result=ok rev=14\n", "is lost"},
	{"a write told another revision",
		TRUTH "change rev=17 type=create key=" MAPS "z uid=uz stamp=s9\n"
		      "write id=s9 op=create key=" MAPS "z start=9 end=10 result=ok rev=16\n",
		"acknowledged at revision 16"},
	{"a lost deletion", TRUTH "write id=s9 op=delete key=" MAPS "b start=9 end=10 result=ok uid=ub\n",
		"never happened"},
	{"a deletion that waits for a finalizer",
		TRUTH "change rev=18 type=update key=" MAPS "b uid=ub stamp=s3 deleting=true\n"
		      "change rev=19 type=delete key=" MAPS "b\n"
		      "write id=s9 op=delete key=" MAPS "b start=9 end=10 result=ok uid=ub\n",
		NULL},
#define ENDING_B "change rev=18 type=update key=" MAPS "b uid=ub stamp=s3 deleting=true\n"
#define END_OF_B(rev) "write id=s9 op=end key=" MAPS "b start=9 end=10 result=ok rev=" rev " uid=ub\n"
	{"an update that was an end", TRUTH ENDING_B "change rev=19 type=delete key=" MAPS "b\n" END_OF_B("18"), NULL},
	{"an end that did not come", TRUTH ENDING_B END_OF_B("18"), "never happened", true},
	{"an end that was told another version",
		TRUTH ENDING_B "change rev=19 type=delete key=" MAPS "b\n" END_OF_B("13"),
		"was told revision 13, which was no end's"},
	{"a refused write that happened",
		TRUTH "change rev=16 type=create key=" MAPS "z uid=uz stamp=s9\n"
		      "write id=s9 op=create key=" MAPS "z start=9 end=10 result=refused why=409\n",
		"was refused (409)"},
	{"a write that happened twice", TRUTH "change rev=16 type=create key=" MAPS "a uid=uz stamp=s1\n",
		"happened twice"},
	{"a stamp that was copied to another object", TRUTH "change rev=16 type=create key=" MAPS "z uid=uz stamp=s1\n",
		NULL},
	{"a write of nobody", TRUTH "change rev=16 type=create key=" MAPS "z uid=uz stamp=s9\n", "nobody wrote it"},
	{"an update over a version that it did not name",
		TRUTH "change rev=16 type=update key=" MAPS "b uid=ub stamp=s8\n"
		      "change rev=17 type=update key=" MAPS "b uid=ub stamp=s9\n"
		      "write id=s8 op=update key=" MAPS "b start=9 end=10 result=ok rev=16\n"
		      "write id=s9 op=update key=" MAPS "b start=9 end=10 result=ok rev=17 base=13\n",
		"was to replace revision 13 and replaced 16"},
	{"a write that comes before one that was over when it began",
		TRUTH "change rev=16 type=create key=" MAPS "y uid=uy stamp=s8\n"
		      "change rev=17 type=create key=" MAPS "z uid=uz stamp=s9\n"
		      "write id=s9 op=create key=" MAPS "z start=20 end=21 result=ok rev=17\n"
		      "write id=s8 op=create key=" MAPS "y start=30 end=31 result=ok rev=16\n",
		"write s8 began after s9"},
	{"a consistent list from the past",
		TRUTH "list id=l1 prefix=" MAPS " mode=consistent start=6 end=7 rev=10\n"
		      "item list=l1 key=" MAPS "a rev=10\n",
		"list l1 began after s2"},
	{"a consistent list from before what had been deleted",
		TRUTH "list id=l1 prefix=" MAPS " mode=consistent start=9 end=10 rev=14\n"
		      "item list=l1 key=" MAPS "a rev=12\nitem list=l1 key=" MAPS "b rev=13\n",
		"list l1 began after s4"},

	{"a read", TRUTH "read id=r key=" MAPS "a least=10 rev=12\n", NULL},
	{"a read of what is gone since", TRUTH "read id=r key=" MAPS "a least=10 rev=0\n", NULL},
	{"a stale read", TRUTH "read id=r key=" MAPS "a least=12 rev=10\n", "though 12 had been acknowledged"},
	{"a read of what never was", TRUTH "read id=r key=" MAPS "a least=0 rev=11\n", "never was"},
	{"a read that did not find", TRUTH "read id=r key=" MAPS "b least=13 rev=0\n", "did not find"},

	{"a list",
		TRUTH "list id=l prefix=" MAPS " mode=any rev=14\n"
		      "item list=l key=" MAPS "a rev=12\nitem list=l key=" MAPS "b rev=13\n",
		NULL},
	{"a list that lacks one", TRUTH "list id=l prefix=" MAPS " mode=any rev=14\nitem list=l key=" MAPS "a rev=12\n",
		"lacks " MAPS "b"},
	{"a list that has what is gone",
		TRUTH "list id=l prefix=" MAPS " mode=any rev=15\n"
		      "item list=l key=" MAPS "a rev=12\nitem list=l key=" MAPS "b rev=13\n",
		"was not there"},
	{"a list of another version",
		TRUTH "list id=l prefix=" MAPS " mode=any rev=14\n"
		      "item list=l key=" MAPS "a rev=10\nitem list=l key=" MAPS "b rev=13\n",
		"of revision 10, the store 12"},
	{"a list that has one twice",
		TRUTH "list id=l prefix=" MAPS " mode=any rev=13\nitem list=l key=" MAPS "a rev=12\n"
		      "item list=l key=" MAPS "b rev=13\nitem list=l key=" MAPS "b rev=13\n",
		"has it twice"},

#define WATCH "watch id=w prefix=" MAPS " from=10\n"
#define UPDATE_A "event watch=w type=MODIFIED key=" MAPS "a rev=12\n"
#define CREATE_B "event watch=w type=ADDED key=" MAPS "b rev=13\n"
#define DELETE_A "event watch=w type=DELETED key=" MAPS "a rev=15\n"
	{"a watch", TRUTH WATCH UPDATE_A CREATE_B DELETE_A "bookmark watch=w rev=15\nwatch-end watch=w upto=15\n",
		NULL},
	{"a watch that ends early", TRUTH WATCH UPDATE_A "watch-end watch=w upto=0\n", NULL},
	{"a missed event", TRUTH WATCH UPDATE_A DELETE_A, "missed ADDED of " MAPS "b"},
	{"a missed first event", TRUTH WATCH CREATE_B, "missed MODIFIED of " MAPS "a"},
	{"a repeated event", TRUTH WATCH UPDATE_A UPDATE_A CREATE_B, "repeated or out of order"},
	{"events out of order",
		TRUTH "watch id=w prefix=" MAPS " from=9\n"
		      "event watch=w type=ADDED key=" MAPS "a rev=10\n" CREATE_B UPDATE_A,
		"missed MODIFIED"},
	{"an event from before the beginning", TRUTH WATCH "event watch=w type=ADDED key=" MAPS "a rev=10\n",
		"repeated or out of order"},
	{"an event of nothing", TRUTH WATCH UPDATE_A CREATE_B "event watch=w type=ADDED key=" MAPS "q rev=14\n",
		"did not do"},
	{"an event of another type", TRUTH WATCH "event watch=w type=ADDED key=" MAPS "a rev=12\n",
		"the store did MODIFIED"},
	{"a bookmark that comes before its events", TRUTH WATCH UPDATE_A "bookmark watch=w rev=13\n",
		"it had a bookmark"},
	{"a watch that went to sleep", TRUTH WATCH UPDATE_A "watch-end watch=w upto=15\n", "time to be told all"},
	{"a watch of a selector: what leaves it is gone, what never was in it is not told",
		TRUTH "watch id=w prefix=" MAPS " from=10 selector=1\n"
		      "event watch=w type=DELETED key=" MAPS "a rev=12\n" CREATE_B "watch-end watch=w upto=15\n",
		NULL},
	{"a selector's watch that is told of what left as a change",
		TRUTH "watch id=w prefix=" MAPS " from=10 selector=1\n" UPDATE_A, "the store did DELETED"},

	{"one uid for two", TRUTH "change rev=16 type=create key=" MAPS "z uid=ub\n", "have one uid"},
	{"two Services with one address",
		"change rev=5 type=create key=" SERVICES "a uid=1 ips=10.0.0.7\n"
		"change rev=6 type=create key=" SERVICES "b uid=2 ips=10.0.0.7\n",
		"10.0.0.7 was given to"},
	{"two Services with one port",
		"change rev=5 type=create key=" SERVICES "a uid=1 node-ports=TCP:30001,TCP:30002\n"
		"change rev=6 type=create key=" SERVICES "b uid=2 node-ports=TCP:30002\n",
		"TCP:30002 was given to"},
	{"an address used again",
		"change rev=5 type=create key=" SERVICES "a uid=1 ips=10.0.0.7\n"
		"change rev=6 type=delete key=" SERVICES "a\n"
		"change rev=7 type=create key=" SERVICES "b uid=2 ips=10.0.0.7\n",
		NULL},
	{"two pods with one address",
		"change rev=5 type=create key=/registry/pods/chaos/a uid=1 phase=Running pod-ip=10.1.0.2\n"
		"change rev=6 type=create key=/registry/pods/chaos/b uid=2 phase=Running pod-ip=10.1.0.2\n",
		"10.1.0.2 was given to"},
	{"two pods that had one address for a while",
		"change rev=5 type=create key=/registry/pods/chaos/a uid=1 phase=Running pod-ip=10.1.0.2\n"
		"change rev=6 type=create key=/registry/pods/chaos/b uid=2 phase=Running pod-ip=10.1.0.2\n"
		"change rev=7 type=delete key=/registry/pods/chaos/a\n",
		"10.1.0.2 was given to"},
	{"a pod's address used again",
		"change rev=5 type=create key=/registry/pods/chaos/a uid=1 phase=Running pod-ip=10.1.0.2\n"
		"change rev=6 type=update key=/registry/pods/chaos/a uid=1 phase=Running pod-ip=10.1.0.2 "
		"deleting=true\n"
		"change rev=7 type=create key=/registry/pods/chaos/b uid=2 phase=Running pod-ip=10.1.0.2\n"
		"change rev=8 type=delete key=/registry/pods/chaos/a\n",
		NULL},
	{"a pod that was bound twice",
		"change rev=5 type=create key=/registry/pods/chaos/a uid=1\n"
		"change rev=6 type=update key=/registry/pods/chaos/a uid=1 node=node1\n"
		"change rev=7 type=update key=/registry/pods/chaos/a uid=1 node=node2\n",
		"was bound to node1 and at revision 7 to node2"},

#define OWNED(policy)                                                                                                \
	"change rev=20 type=create key=" MAPS "o uid=o1\nchange rev=21 type=create key=" MAPS "d uid=d1 owners=o1\n" \
	"write id=s6 op=create key=" MAPS "d result=maybe\n"                                                         \
	"write id=s7 op=delete key=" MAPS "o result=ok uid=o1" policy "\n"
	{"what is owned goes with its owner",
		OWNED("") "change rev=22 type=delete key=" MAPS "o\nchange rev=23 type=delete key=" MAPS "d\n", NULL},
	{"what is owned goes before its owner, which waits for that",
		OWNED("") "change rev=22 type=update key=" MAPS
			  "o uid=o1 deleting=true\nchange rev=23 type=delete key=" MAPS
			  "d\nchange rev=24 type=delete key=" MAPS "o\n",
		NULL},
	{"what is owned goes while its owner stays",
		OWNED("") "change rev=22 type=delete key=" MAPS "d\nchange rev=23 type=delete key=" MAPS "o\n",
		MAPS "d went at revision 22, and nobody had asked for it"},
	{"an orphan goes with its owner",
		OWNED(" policy=Orphan") "change rev=22 type=delete key=" MAPS "o\nchange rev=23 type=delete key=" MAPS
					"d\n",
		MAPS "d went at revision 23, and nobody had asked for it"},
	{"an object goes for nothing", TRUTH "change rev=16 type=delete key=" MAPS "b\n", "b went at revision 16"},
	{"an object goes whose end was refused",
		TRUTH "change rev=16 type=delete key=" MAPS "b\n"
		      "write id=s9 op=delete key=" MAPS "b start=9 end=10 result=refused uid=ub\n",
		"b went at revision 16"},
	{"an object goes whose predecessor was to end",
		TRUTH "change rev=16 type=delete key=" MAPS "b\n"
		      "write id=s9 op=delete key=" MAPS "b start=9 end=10 result=maybe uid=uz\n",
		"b went at revision 16"},
	{"an object goes with its namespace",
		"change rev=4 type=create key=/registry/namespaces/n uid=0\n"
		"change rev=5 type=create key=/registry/configmaps/n/o uid=1 namespace=n\n"
		"write id=s9 op=create key=/registry/configmaps/n/o result=maybe\n"
		"change rev=6 type=update key=/registry/namespaces/n uid=0 deleting=true\n"
		"change rev=7 type=delete key=/registry/configmaps/n/o\n"
		"change rev=8 type=delete key=/registry/namespaces/n\n",
		NULL},
	{"an orphan",
		"change rev=5 type=create key=" MAPS "o uid=1\nchange rev=6 type=create key=" MAPS "d uid=2 owners=1\n"
		"change rev=7 type=delete key=" MAPS "o\n",
		"outlives its owner", true},
	{"an owner that is there",
		"change rev=5 type=create key=" MAPS "o uid=1\nchange rev=6 type=create key=" MAPS "d uid=2 owners=1\n",
		NULL},
	{"an object that does not go", "change rev=5 type=create key=" MAPS "o uid=1 deleting=true\n", "does not go",
		true},
	{"an object of a namespace that is gone",
		"change rev=4 type=create key=/registry/namespaces/n uid=0\n"
		"change rev=5 type=create key=/registry/configmaps/n/o uid=1 namespace=n\n"
		"change rev=6 type=delete key=/registry/namespaces/n\n",
		"outlives its namespace", true},

#define DEPLOYMENT(available)                                                                                  \
	"change rev=5 type=create key=/registry/deployments/chaos/d uid=1 generation=2 observed=2 replicas=1 " \
	"available=" available "\nchange rev=6 type=create key=/registry/replicasets/chaos/d-1 uid=2 owners=1\n"
	{"a Deployment at rest",
		DEPLOYMENT("1") "change rev=7 type=create key=/registry/pods/chaos/p uid=3 owners=2 phase=Running "
				"ready=true\n",
		NULL},
	{"a Deployment off its count", DEPLOYMENT("0"), "1 replicas wanted, 0 available, 0 pods ready", true},
	{"a Deployment with one pod too many",
		DEPLOYMENT("1") "change rev=7 type=create key=/registry/pods/chaos/p uid=3 owners=2 phase=Running "
				"ready=true\n"
				"change rev=8 type=create key=/registry/pods/chaos/q uid=4 owners=2 phase=Running "
				"ready=true\n",
		"2 pods ready", true},

#define LEADS_TO(addresses)                                                                                           \
	"change rev=5 type=create key=" SERVICES "s uid=1 namespace=chaos selector=app:a\n"                           \
	"change rev=6 type=create key=/registry/namespaces/chaos uid=2\n"                                             \
	"change rev=7 type=create key=/registry/pods/chaos/p uid=3 namespace=chaos labels=x:y,app:a pod-ip=10.1.0.2 " \
	"ready=true\nchange rev=8 type=create key=/registry/pods/chaos/q uid=4 namespace=chaos labels=app:a "         \
	"pod-ip=10.1.0.3\nchange rev=9 type=create key=/registry/endpointslices/chaos/s-1 uid=5 namespace=chaos "     \
	"service=s endpoints=" addresses "\n"
	{"a Service that leads to its ready pod", LEADS_TO("10.1.0.2"), NULL},
	{"a Service that leads nowhere", LEADS_TO(""), "does not lead to /registry/pods/chaos/p", true},
	{"a Service that leads to a pod that is not ready", LEADS_TO("10.1.0.2,10.1.0.3"),
		"leads to 10.1.0.3, which is no ready pod of it", true},

#define HELD(rev, type, by, turns, ms)                                                                           \
	"change rev=" rev " type=" type " key=" LEASE " uid=l holder=" by " holder-by=" by " transitions=" turns \
	" lease-seconds=15 renewed-ms=" ms "\n"
	{"leaders one after the other",
		HELD("5", "create", "A", "0",
			"1000") "change rev=6 type=create key=/registry/pods/chaos/p uid=1 managers=A/@1\n" HELD("7",
			"update", "B", "1",
			"17000") "change rev=8 type=create key=/registry/pods/chaos/q uid=2 managers=B/@17\n"
				 "change rev=9 type=update key=/registry/pods/chaos/p uid=1 "
				 "managers=A/@1,B/status@18\n",
		NULL},
	{"two leaders in one term",
		HELD("5", "create", "A", "0", "1000") HELD("7", "update", "B", "1",
			"17000") "change rev=8 type=create key=/registry/pods/chaos/q uid=2 managers=A/@17\n",
		"A wrote /registry/pods/chaos/q at revision 8, when B held"},
	{"a leader of before changes an object",
		HELD("5", "create", "A", "0",
			"1000") "change rev=6 type=create key=/registry/pods/chaos/p uid=1 managers=A/@1\n" HELD("7",
			"update", "B", "1",
			"17000") "change rev=8 type=update key=/registry/pods/chaos/p uid=1 managers=A/@17\n",
		"A wrote /registry/pods/chaos/p at revision 8, when B held"},
	{"a lease taken too soon", HELD("5", "create", "A", "0", "1000") HELD("7", "update", "B", "1", "9000"),
		"8000 ms after its last renewal"},
	{"a change of hands that was not counted",
		HELD("5", "create", "A", "0", "1000") HELD("7", "update", "B", "0", "17000"), "counted 0 transitions"},

	{"a container that was left alone",
		"steady key=/registry/pods/chaos/p containers=c1:0\n"
		"change rev=5 type=create key=/registry/pods/chaos/p uid=1 containers=c1:0\n",
		NULL},
	{"a container started anew for nothing",
		"steady key=/registry/pods/chaos/p containers=c1:0\n"
		"change rev=5 type=create key=/registry/pods/chaos/p uid=1 containers=c2:1\n",
		"is c2:1 now"},
};

static void what_is_on_its_way_is_waited_for(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(history_freep) struct history *h = history_of(rows[i].text);
		struct verdict v = {.arena = h->arena};
		check_rest(h, &v);
		if (rows[i].of_rest != (v.n_faults > 0))
			fail_msg("%s: %s", rows[i].what, v.n_faults ? v.faults[0] : "is not waited for");
	}
}

static void each_wrong_is_found(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(history_freep) struct history *h = history_of(rows[i].text);
		struct verdict v = {.arena = h->arena};
		check_history(h, &v);
		if (!rows[i].found && v.n_faults)
			fail_msg("%s: %s", rows[i].what, v.faults[0]);
		if (rows[i].found && !v.n_faults)
			fail_msg("%s: was not found", rows[i].what);
		if (rows[i].found && !strstr(v.faults[0], rows[i].found))
			fail_msg("%s:\nexpected a part: %s\nactual: %s", rows[i].what, rows[i].found, v.faults[0]);
	}
}

static void a_record_that_cannot_be_read_is_named(void **state)
{
	CLEANUP(history_freep) struct history *h = history_new();
	CLEANUP_STATUS struct status *failed = history_add(h, "change\trev=1\nwrite\tid\n");
	assert_non_null(failed);
	assert_string_equal(failed->message, "line 2: no name=value: id");
	CLEANUP_STATUS struct status *unlinked = history_link(h);
	assert_non_null(unlinked);
}

static void numbers_are_a_function_of_seed_and_user(void **state)
{
	struct random a = random_from(7, "map0"), b = random_from(7, "map0"), c = random_from(7, "map1");
	int same = 0;
	for (int i = 0; i < 100; i++) {
		uint32_t n = random_up_to(&a, 1000);
		assert_true(n < 1000);
		assert_int_equal(n, random_up_to(&b, 1000));
		same += n == random_up_to(&c, 1000);
	}
	assert_true(same < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_is_found),
		cmocka_unit_test(what_is_on_its_way_is_waited_for),
		cmocka_unit_test(a_record_that_cannot_be_read_is_named),
		cmocka_unit_test(numbers_are_a_function_of_seed_and_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
