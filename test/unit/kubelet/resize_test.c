/* What is remembered of resources, what the conditions say, and in which order what waits is looked at. */
#include <string.h>
#include <unistd.h>
#include "test/unit/kubelet/pods.h"
#include "base/io.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/allocation/state.h"
#include "kubelet/status/status.h"

#define FILE_OF_THE_ORIGINAL                                                                                   \
	"{\"data\":\"{\\\"entries\\\":{\\\"u1\\\":{\\\"ContainerResources\\\":{\\\"a\\\":{\\\"limits\\\":{"    \
	"\\\"cpu\\\":"                                                                                         \
	"\\\"400m\\\",\\\"memory\\\":\\\"64Mi\\\"},\\\"requests\\\":{\\\"cpu\\\":\\\"100m\\\",\\\"memory\\\":" \
	"\\\"32Mi\\\"}},\\\"s\\\":{}}}}}\",\"checksum\":2586764067}"

static char *new_path(struct arena *arena)
{
	char *path = arena_strdup(arena, "/tmp/resize-test-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	return path;
}

static char *resources_text(struct arena *arena, struct resource_state *s, const char *container)
{
	CoreV1ResourceRequirements *r = resource_state_get(s, arena, "u1", container);
	if (!r)
		return arena_strdup(arena, "unknown");
	struct resizable amounts = resizable_of(r);
	return arena_printf(arena, "%lld/%lld %lld/%lld", (long long)amounts.cpu_request, (long long)amounts.cpu_limit,
		(long long)amounts.memory_request, (long long)amounts.memory_limit);
}

static void the_file_is_that_of_the_original(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = new_path(arena);
	CLEANUP_FREE char *text = NULL;
	size_t size;
	CLEANUP(pod_unrefp)
	struct pod *pod =
		pod_of("{initContainers: [{name: once, image: i}, {name: s, image: i, restartPolicy: Always}], "
		       "containers: [{name: a, image: i, resources: {requests: {cpu: 100m, memory: 32Mi}, limits: "
		       "{cpu: 400m, memory: 64Mi}}}]}");
	struct resource_state *s;
	assert_null(resource_state_new(path, &s));
	assert_null(resource_state_set_pod(s, pod));
	assert_null(io_read_file(path, 65536, &text, &size));
	assert_string_equal(text, FILE_OF_THE_ORIGINAL);
	resource_state_free(s);
	/* Another kubelet reads it. */
	assert_null(resource_state_new(path, &s));
	assert_string_equal(resources_text(arena, s, "a"), "100/400 33554432/67108864");
	assert_string_equal(resources_text(arena, s, "s"), "0/0 0/0");
	assert_string_equal(resources_text(arena, s, "once"), "unknown");
	resource_state_remove(s, "u1");
	assert_string_equal(resources_text(arena, s, "a"), "unknown");
	resource_state_free(s);
	unlink(path);
}

static void what_cannot_be_read_is_not_guessed(void **state)
{
	static const char *const texts[] = {"", "{", "{}", "[]", "{\"data\":\"{}\",\"checksum\":1}",
		"{\"data\":1,\"checksum\":1}", "{\"data\":\"{}\",\"checksum\":\"x\"}"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *path = new_path(arena);
		struct resource_state *s = NULL;
		assert_null(io_write_file(path, texts[i], strlen(texts[i]), 0600));
		CLEANUP(status_freep) struct status *error = resource_state_new(path, &s);
		if (!error)
			fail_msg("%s: accepted", texts[i]);
		assert_non_null(strstr(error->message, path));
		unlink(path);
	}
}

static char *conditions_text(struct arena *arena, struct resize_conditions *r)
{
	size_t n;
	CoreV1PodCondition **list = resize_conditions_get(r, arena, "u1", &n);
	char *text = arena_strdup(arena, "");
	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s[%s %s %s %lld %lld/%lld]", text, list[i]->type, list[i]->reason,
			list[i]->message, (long long)list[i]->observed_generation,
			(long long)list[i]->last_probe_time->seconds,
			(long long)list[i]->last_transition_time->seconds);
	return text;
}

static void conditions_tell_where_a_resize_stands(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock *clock = clock_fake_new(1000LL * 1000000000);
	struct resize_conditions *r = resize_conditions_new(clock);
	assert_string_equal(conditions_text(arena, r), "");
	assert_false(resize_progress_clear(r, "u1"));
	resize_pending_set(r, "u1", RESIZE_DEFERRED, "no room", 2);
	clock_fake_advance(clock, 5000);
	resize_pending_set(r, "u1", RESIZE_DEFERRED, "still none", 3);
	assert_string_equal(conditions_text(arena, r), "[PodResizePending Deferred still none 3 1005/1000]");
	assert_string_equal(resize_pending_reason(r, "u1"), RESIZE_DEFERRED);
	assert_int_equal(resize_pending_since(r, "u1"), 1000);
	resize_pending_set(r, "u1", RESIZE_INFEASIBLE, "never", 4);
	assert_string_equal(conditions_text(arena, r), "[PodResizePending Infeasible never 4 1005/1005]");
	resize_pending_clear(r, "u1");
	resize_progress_set(r, "u1", NULL, NULL, 5);
	assert_string_equal(conditions_text(arena, r), "[PodResizeInProgress   5 1005/1005]");
	/* A failure is kept, with the generation that began it, until the resize is over. */
	resize_progress_set(r, "u1", RESIZE_ERROR, "in use", 6);
	resize_progress_set(r, "u1", NULL, NULL, 7);
	assert_string_equal(conditions_text(arena, r), "[PodResizeInProgress Error in use 5 1005/1005]");
	assert_true(resize_in_progress(r, "u1"));
	assert_true(resize_progress_clear(r, "u1"));
	assert_string_equal(conditions_text(arena, r), "");
	resize_conditions_free(r);
	clock_fake_free(clock);
}

#define PENDING(priority, resources) "{priority: " priority ", containers: [{name: a, resources: " resources "}]}"
#define BURST "{requests: {cpu: 1}}"
#define GUARANTEE "{requests: {cpu: 1, memory: 1Mi}, limits: {cpu: 1, memory: 1Mi}}"

static void what_waits_has_an_order(void **state)
{
	/* As it must come out. */
	static const struct {
		const char *spec;
		bool increases;
		int64_t since_s;
	} rows[] = {
		{PENDING("0", BURST), false, 9},
		{PENDING("7", BURST), true, 8},
		{PENDING("0", GUARANTEE), true, 7},
		{PENDING("0", BURST), true, 3},
		{PENDING("0", BURST), true, 4},
		{PENDING("0", BURST), true, 0},
	};
	struct pending_resize list[ARRAY_SIZE(rows)];
	struct pod *pods[ARRAY_SIZE(rows)];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pods[i] = pod_of(rows[i].spec);
		list[ARRAY_SIZE(rows) - 1 - i] = (struct pending_resize){pods[i], rows[i].increases, rows[i].since_s};
	}
	qsort(list, ARRAY_SIZE(rows), sizeof(list[0]), pending_resize_order);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_ptr_equal(list[i].pod, pods[i]);
		pod_unref(pods[i]);
	}
}

static CoreV1ResourceRequirements *told(void *data, struct arena *arena, const char *uid, const char *container)
{
	return data ? pod_container(data, container)->resources : NULL;
}

static char *list_text(struct arena *arena, MapQuantityEntry *const *list, size_t n)
{
	char *text = arena_strdup(arena, "");
	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s=%s ", text, list[i]->key, list[i]->value->string);
	return text;
}

#define SPEC(cpu, memory, cpu_limit, memory_limit)                                               \
	"{containers: [{name: a, image: i, resources: {requests: {cpu: " cpu ", memory: " memory \
	"}, limits: {cpu: " cpu_limit ", memory: " memory_limit "}}}]}"

static void status_shows_what_a_container_may_use(void **state)
{
	static const struct {
		const char *allotted, *told, *runs;
		int64_t shares, quota, memory; /* as the runtime tells; 0: it does not */
		const char *wanted;
	} rows[] = {
		/* The runtime tells nothing: what it was told. */
		{SPEC("200m", "2Mi", "400m", "4Mi"), SPEC("100m", "1Mi", "300m", "3Mi"), "a=running", 0, 0, 0,
			"cpu=100m memory=1Mi / cpu=300m memory=3Mi "},
		{SPEC("200m", "2Mi", "400m", "4Mi"), NULL, "a=running", 0, 0, 0,
			"cpu=200m memory=2Mi / cpu=400m memory=4Mi "},
		/* What the runtime tells counts; of requested memory it knows nothing. */
		{SPEC("200m", "2Mi", "400m", "4Mi"), SPEC("100m", "1Mi", "300m", "3Mi"), "a=running", 154, 25000,
			5242880, "cpu=151m memory=1Mi / cpu=250m memory=5Mi "},
		/* Below the least that a group can have, what was asked for is shown. */
		{SPEC("1m", "2Mi", "5m", "4Mi"), NULL, "a=running", 2, 1000, 4194304,
			"cpu=1m memory=2Mi / cpu=5m memory=4Mi "},
		{SPEC("1m", "2Mi", "5m", "4Mi"), NULL, "a=running", 102, 1000, 4194304,
			"cpu=100m memory=2Mi / cpu=5m memory=4Mi "},
		/* What does not run has what it will be started with. */
		{SPEC("200m", "2Mi", "400m", "4Mi"), SPEC("100m", "1Mi", "300m", "3Mi"), "a=exited:1", 0, 0, 0,
			"cpu=200m memory=2Mi / cpu=400m memory=4Mi "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].allotted);
		CLEANUP(pod_unrefp) struct pod *before = rows[i].told ? pod_of(rows[i].told) : NULL;
		CLEANUP(pod_status_unrefp) struct pod_status *runtime = state_of_pod(pod, "ready", rows[i].runs);
		runtime->containers[0].cpu_shares = rows[i].shares;
		runtime->containers[0].cpu_quota = rows[i].quota;
		runtime->containers[0].cpu_period = rows[i].quota ? 100000 : 0;
		runtime->containers[0].memory_limit = rows[i].memory;
		struct status_input in = {.pod = pod,
			.runtime = runtime,
			.old = pod->api->status,
			.runtime_name = "containerd",
			.actuated = {told, before}};
		const CoreV1ContainerStatus *c = status_generate(arena, &in)->container_statuses[0];
		const CoreV1ResourceRequirements *r = c->resources;
		char *got = arena_printf(arena, "%s/ %s", list_text(arena, r->requests, r->n_requests),
			list_text(arena, r->limits, r->n_limits));
		if (!str_eq(got, rows[i].wanted))
			fail_msg("row %zu: got \"%s\", wanted \"%s\"", i, got, rows[i].wanted);
		assert_string_equal(list_text(arena, c->allocated_resources, c->n_allocated_resources),
			list_text(arena, pod_spec(pod)->containers[0]->resources->requests, 2));
	}
}

static void only_cpu_and_memory_make_a_resize(void **state)
{
	CLEANUP(pod_unrefp) struct pod *before = pod_of(SPEC("1", "1Mi", "2", "2Mi"));
	CLEANUP(pod_unrefp) struct pod *same = pod_of(SPEC("1000m", "1024Ki", "2", "2Mi"));
	CLEANUP(pod_unrefp) struct pod *other = pod_of(SPEC("1", "1Mi", "2", "3Mi"));
	assert_false(pod_resize_wanted(before, same));
	assert_true(pod_resize_wanted(before, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_that_of_the_original),
		cmocka_unit_test(what_cannot_be_read_is_not_guessed),
		cmocka_unit_test(conditions_tell_where_a_resize_stands),
		cmocka_unit_test(what_waits_has_an_order),
		cmocka_unit_test(status_shows_what_a_container_may_use),
		cmocka_unit_test(only_cpu_and_memory_make_a_resize),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
