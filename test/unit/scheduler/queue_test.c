/* The queue: order, back-off, and which events bring a pod back. Time is a fake clock. */
#include "test/unit/scheduler/world.h"

struct queue_world {
	struct world w;
	struct queue *q;
};

static void begin(struct queue_world *qw)
{
	world_init(&qw->w);
	const struct queue_config config = {1000, 10000, 300000, qw->w.clock};
	qw->q = queue_new(&config);
}

static void end(struct queue_world *qw)
{
	queue_free(qw->q);
	world_done(&qw->w);
}

static void add(struct queue_world *qw, const char *name, const char *spec)
{
	struct pod_info *pod = world_pod(&qw->w, name, spec);
	queue_add(qw->q, qw->w.profiles.items[0], pod);
	pod_info_unref(pod);
}

static plugin_set plugin(struct queue_world *qw, const char *name)
{
	const struct profile *profile = qw->w.profiles.items[0];
	for (size_t i = 0; i < profile->n_plugins; i++) {
		if (str_eq(profile->plugins[i].plugin->name, name))
			return 1u << i;
	}
	fail_msg("no plugin %s", name);
	return 0;
}

static void important_pods_first(void **state)
{
	static const char *const order[] = {"high", "first", "second", "low"};
	struct queue_world qw;
	begin(&qw);
	add(&qw, "first", NULL);
	add(&qw, "low", "{\"priority\":-5}");
	add(&qw, "second", NULL);
	add(&qw, "high", "{\"priority\":100}");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct queued_pod *item = queue_pop(qw.q);
		assert_string_equal(item->pod->name, order[i]);
		queue_done(qw.q, item);
	}
	assert_null(queue_pop(qw.q));
	end(&qw);
}

static void backs_off_twice_as_long_each_time(void **state)
{
	static const int64_t wanted[] = {0, 1000, 2000, 4000, 8000, 10000, 10000};
	const struct queue_config config = {1000, 10000, 300000, NULL};
	for (int i = 0; i < (int)ARRAY_SIZE(wanted); i++)
		assert_int_equal(queue_backoff_ms(&config, i), wanted[i]);
	assert_int_equal(queue_backoff_ms(&config, 1000), 10000);
}

static void errors_wait_for_their_backoff(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", NULL);
	queue_requeue(qw.q, queue_pop(qw.q), NULL, 0, 0);
	assert_null(queue_pop(qw.q));
	assert_int_equal(queue_flush(qw.q), 1000);
	clock_fake_advance(qw.w.clock, 1000);
	queue_flush(qw.q);
	struct queued_pod *item = queue_pop(qw.q);
	assert_non_null(item);
	queue_requeue(qw.q, item, NULL, 0, 0);
	assert_int_equal(queue_flush(qw.q), 2000);
	end(&qw);
}

static void only_helpful_events_bring_it_back(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", CPU("2"));
	queue_requeue(qw.q, queue_pop(qw.q), NULL, plugin(&qw, "NodeResourcesFit"), 0);
	assert_int_equal(queue_count(qw.q, QUEUE_UNSCHEDULABLE), 1);
	const CoreV1Node *small = world_decode(&qw.w, &CoreV1Node_schema,
		"{\"metadata\":{\"name\":\"s\"},\"status\":{\"allocatable\":{\"cpu\":\"1\",\"pods\":\"10\"}}}");
	struct cluster_event event = {.resource = EVENT_NODE, .action = EVENT_ADD, .new_node = small};
	queue_event(qw.q, &event, NULL, NULL, NULL);
	assert_int_equal(queue_count(qw.q, QUEUE_UNSCHEDULABLE), 1);
	event.new_node = world_node(&qw.w, "large", NULL, NULL);
	queue_event(qw.q, &event, NULL, NULL, NULL);
	assert_int_equal(queue_count(qw.q, QUEUE_UNSCHEDULABLE), 0);
	assert_int_equal(queue_count(qw.q, QUEUE_BACKOFF), 1);
	assert_non_null(queue_pop(qw.q)); /* nothing else is waiting: it need not wait either */
	end(&qw);
}

static void events_during_the_attempt_are_not_lost(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", CPU("2"));
	struct queued_pod *item = queue_pop(qw.q);
	struct cluster_event event = {
		.resource = EVENT_NODE, .action = EVENT_ADD, .new_node = world_node(&qw.w, "n", NULL, NULL)};
	queue_event(qw.q, &event, NULL, NULL, NULL);
	queue_requeue(qw.q, item, NULL, plugin(&qw, "NodeResourcesFit"), 0);
	assert_int_equal(queue_count(qw.q, QUEUE_UNSCHEDULABLE), 0);
	assert_int_equal(queue_count(qw.q, QUEUE_BACKOFF), 1);
	end(&qw);
}

static void gates_hold_a_pod(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", "{\"schedulingGates\":[{\"name\":\"example.com/wait\"}]}");
	assert_null(queue_pop(qw.q));
	struct pod_info *old_pod = world_pod(&qw.w, "p", "{\"schedulingGates\":[{\"name\":\"example.com/wait\"}]}");
	struct pod_info *open = world_pod(&qw.w, "p", NULL);
	queue_update(qw.q, qw.w.profiles.items[0], old_pod, open);
	struct queued_pod *item = queue_pop(qw.q);
	assert_non_null(item);
	pod_info_unref(old_pod);
	pod_info_unref(open);
	end(&qw);
}

static void nobody_waits_for_ever(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", NULL);
	queue_requeue(qw.q, queue_pop(qw.q), NULL, plugin(&qw, "NodeName"), 0);
	clock_fake_advance(qw.w.clock, 299000);
	queue_flush(qw.q);
	assert_null(queue_pop(qw.q));
	clock_fake_advance(qw.w.clock, 31000);
	queue_flush(qw.q);
	assert_non_null(queue_pop(qw.q));
	end(&qw);
}

static void deleted_pods_leave(void **state)
{
	struct queue_world qw;
	begin(&qw);
	add(&qw, "p", NULL);
	add(&qw, "r", NULL);
	queue_delete(qw.q, "p");
	struct queued_pod *item = queue_pop(qw.q);
	assert_string_equal(item->pod->name, "r");
	queue_delete(qw.q, "r");
	queue_requeue(qw.q, item, NULL, plugin(&qw, "NodeName"), 0);
	assert_null(queue_find(qw.q, "r"));
	end(&qw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(important_pods_first),
		cmocka_unit_test(backs_off_twice_as_long_each_time),
		cmocka_unit_test(errors_wait_for_their_backoff),
		cmocka_unit_test(only_helpful_events_bring_it_back),
		cmocka_unit_test(events_during_the_attempt_are_not_lost),
		cmocka_unit_test(gates_hold_a_pod),
		cmocka_unit_test(nobody_waits_for_ever),
		cmocka_unit_test(deleted_pods_leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
