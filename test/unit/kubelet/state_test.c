/* Small state machines: probes, restart back-off, files that change as a whole, manifests. */
#include <sys/stat.h>
#include <unistd.h>
#include "test/unit/kubelet/pods.h"
#include "base/io.h"
#include "kubelet/config/config.h"
#include "kubelet/probe/step.h"
#include "kubelet/runtime/restart_backoff.h"
#include "kubelet/volume/atomic.h"

static void probe_thresholds(void **state)
{
	CoreV1Probe spec = {.success_threshold = 1, .failure_threshold = 3};
	struct probe_step step = {.type = PROBE_LIVENESS, .initial = PROBE_SUCCESS};
	probe_step_new_container(&step, "c1");
	assert_false(probe_step_outcome(&step, &spec, false));
	assert_false(probe_step_outcome(&step, &spec, false));
	assert_true(probe_step_outcome(&step, &spec, true));
	assert_false(probe_step_outcome(&step, &spec, false));
	assert_false(probe_step_outcome(&step, &spec, false));
	assert_true(probe_step_outcome(&step, &spec, false));
	/* It is about to be restarted: asked no more until there is a new container. */
	struct probe_facts facts = {.running = true, .started = true};
	assert_int_equal(probe_step_decide(&step, &spec, &facts), PROBE_WAIT);
	probe_step_new_container(&step, "c2");
	assert_int_equal(probe_step_decide(&step, &spec, &facts), PROBE_ATTEMPT);
	free(step.container_id);
}

static void probe_decisions(void **state)
{
	static const struct {
		enum probe_type type;
		struct probe_facts facts;
		enum probe_decision wanted;
	} rows[] = {
		{PROBE_LIVENESS, {.running = true, .started = true, .age_s = 5}, PROBE_ATTEMPT},
		{PROBE_LIVENESS, {.running = true, .started = true, .age_s = 4}, PROBE_WAIT},
		{PROBE_LIVENESS, {.running = true, .started = false, .age_s = 9}, PROBE_WAIT},
		{PROBE_STARTUP, {.running = true, .started = false, .age_s = 9}, PROBE_ATTEMPT},
		{PROBE_STARTUP, {.running = true, .started = true, .age_s = 9}, PROBE_WAIT},
		{PROBE_READINESS, {.running = false, .terminated = true}, PROBE_SET_FAILURE},
		{PROBE_LIVENESS, {.running = true, .started = true, .deleting = true, .age_s = 9}, PROBE_SET_SUCCESS},
		{PROBE_READINESS, {.running = true, .started = true, .deleting = true, .age_s = 9}, PROBE_ATTEMPT},
	};
	CoreV1Probe spec = {.success_threshold = 1, .failure_threshold = 3, .initial_delay_seconds = 5};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_step step = {.type = rows[i].type};
		assert_int_equal(probe_step_decide(&step, &spec, &rows[i].facts), rows[i].wanted);
	}
}

static void backoff_doubles_and_is_forgotten(void **state)
{
	struct clock *clock = clock_fake_new(1000000000LL * 1000000);
	struct restart_backoff *b = restart_backoff_new(clock, 10000, 300000);
	int64_t ended = clock_wall_ns(clock);
	static const int64_t wanted[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000};
	assert_false(restart_backoff_active_since(b, "k", ended));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		restart_backoff_next(b, "k", ended);
		assert_int_equal(restart_backoff_get(b, "k"), wanted[i]);
		assert_true(restart_backoff_active_since(b, "k", ended));
		clock_fake_advance(clock, wanted[i]);
		assert_false(restart_backoff_active_since(b, "k", ended));
		ended = clock_wall_ns(clock);
	}
	/* A container that ran for long begins anew. */
	clock_fake_advance(clock, 600001);
	restart_backoff_next(b, "k", clock_wall_ns(clock));
	assert_int_equal(restart_backoff_get(b, "k"), 10000);
	clock_fake_advance(clock, 600001);
	restart_backoff_gc(b);
	assert_int_equal(restart_backoff_get(b, "k"), 0);
	restart_backoff_free(b);
	clock_fake_free(clock);
}

static struct status *write_one(struct arena *arena, const char *dir, const char *path, const char *data)
{
	struct atomic_files files = {0};
	atomic_files_add(
		arena, &files, (struct atomic_file){.path = path, .data = data, .size = strlen(data), .mode = 0400});
	return atomic_write(dir, &files, false, 0);
}

static void files_change_as_a_whole(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char dir[] = "/tmp/atomic-test-XXXXXX", first[256] = "", second[256] = "";
	assert_non_null(mkdtemp(dir));
	char *link = arena_printf(arena, "%s/..data", dir), *file = arena_printf(arena, "%s/d/a", dir);
	CLEANUP_FREE char *text = NULL;
	size_t size;
	assert_null(write_one(arena, dir, "d/a", "one"));
	assert_true(readlink(link, first, sizeof(first) - 1) > 0);
	assert_null(io_read_file(file, 100, &text, &size));
	assert_string_equal(text, "one");
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	/* The same again: nothing moves. */
	assert_null(write_one(arena, dir, "d/a", "one"));
	assert_true(readlink(link, second, sizeof(second) - 1) > 0);
	assert_string_equal(first, second);
	/* Another content under another name: the old name goes, and the old directory. */
	assert_null(write_one(arena, dir, "b", "two"));
	assert_false(io_exists(file));
	assert_false(io_exists(arena_printf(arena, "%s/%s", dir, first)));
	assert_true(io_exists(arena_printf(arena, "%s/b", dir)));
	static const char *const bad[] = {"../x", "/x", "a/../../x", "", "..x"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct status *s = write_one(arena, dir, bad[i], "x");
		assert_non_null(s);
		status_free(s);
	}
	assert_null(io_remove_tree(dir));
}

static void manifests(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *good =
		"{apiVersion: v1, kind: Pod, metadata: {name: etcd}, spec: {containers: [{name: a, image: i}]}}";
	CoreV1Pod *pod, *again, *other;
	assert_null(manifest_parse(arena, "/m/x.yaml", good, strlen(good), "Node1", &pod));
	assert_string_equal(pod->metadata->name, "etcd-node1");
	assert_string_equal(pod->metadata->namespace, "default");
	assert_string_equal(pod->spec->node_name, "Node1");
	assert_int_equal(strlen(pod->metadata->uid), 32);
	assert_null(manifest_parse(arena, "/m/x.yaml", good, strlen(good), "Node1", &again));
	assert_string_equal(pod->metadata->uid, again->metadata->uid);
	const char *changed =
		"{apiVersion: v1, kind: Pod, metadata: {name: etcd}, spec: {containers: [{name: a, image: j}]}}";
	assert_null(manifest_parse(arena, "/m/x.yaml", changed, strlen(changed), "Node1", &other));
	assert_string_not_equal(pod->metadata->uid, other->metadata->uid);
	static const char *const bad[] = {
		"",
		"{",
		"{apiVersion: v1, kind: Service, metadata: {name: x}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: x}}",
		"{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{name: a, image: i}]}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: i}], volumes: "
		"[{name: v, "
		"secret: {secretName: s}}]}}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct status *s = manifest_parse(arena, "/m/y", bad[i], strlen(bad[i]), "n", &pod);
		assert_non_null(s);
		status_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_thresholds),
		cmocka_unit_test(probe_decisions),
		cmocka_unit_test(backoff_doubles_and_is_forgotten),
		cmocka_unit_test(files_change_as_a_whole),
		cmocka_unit_test(manifests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
