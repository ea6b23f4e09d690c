/* Phase, conditions and container states as the apiserver shows them. */
#include "test/unit/kubelet/pods.h"
#include "kubelet/status/sent.h"
#include "kubelet/status/status.h"

static void no_probes(void *data, const struct pod *pod, CoreV1PodStatus *status)
{
	for (size_t i = 0; i < status->n_container_statuses; i++) {
		CoreV1ContainerStatus *c = status->container_statuses[i];
		c->has_started = true;
		c->started = c->ready = c->state->running != NULL;
	}
	for (size_t i = 0; i < status->n_init_container_statuses; i++) {
		CoreV1ContainerStatus *c = status->init_container_statuses[i];
		c->has_started = true;
		c->started = c->state->running != NULL;
		c->ready = c->state->terminated && c->state->terminated->exit_code == 0;
	}
}

static struct sync_result crash = {"b", "CrashLoopBackOff", "back-off 10s"};

static const struct sync_result *reason(void *data, const char *container)
{
	return data && str_eq(container, "b") ? &crash : NULL;
}

static char *describe(struct arena *arena, const CoreV1PodStatus *s)
{
	static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, s->phase);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const CoreV1PodCondition *c = status_condition(s, types[i]);
		strbuf_printf(&out, " %c", c->status[0]);
		if (c->reason[0])
			strbuf_printf(&out, ":%s", c->reason);
	}
	for (size_t i = 0; i < s->n_container_statuses; i++) {
		const CoreV1ContainerStatus *c = s->container_statuses[i];
		const char *state = c->state->running	   ? "running"
				    : c->state->terminated ? "terminated"
							   : c->state->waiting->reason;
		strbuf_printf(&out, " %s=%s", c->name, state);
		if (c->last_state && c->last_state->terminated)
			strbuf_printf(&out, "/%d", (int)c->last_state->terminated->exit_code);
	}
	return arena_strdup(arena, out.buf);
}

#define AB "containers: [{name: a, image: i}, {name: b, image: i}]"
#define INIT "initContainers: [{name: x, image: i}], "

static const struct {
	const char *spec, *sandbox, *containers;
	bool terminal, crashing;
	const char *wanted;
} rows[] = {
	{"{" AB "}", "", "", false, false,
		"Pending F T F:ContainersNotReady F:ContainersNotReady a=ContainerCreating b=ContainerCreating"},
	{"{" INIT AB "}", "ready", "x=running", false, false,
		"Pending T F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady a=PodInitializing "
		"b=PodInitializing"},
	{"{" INIT AB "}", "ready", "a=running b=running x=exited:0", false, false,
		"Running T T T T a=running b=running"},
	{"{" AB "}", "ready", "a=running b=running", false, false, "Running T T T T a=running b=running"},
	{"{" AB "}", "ready", "a=running b=exited:1", false, false,
		"Running T T F:ContainersNotReady F:ContainersNotReady a=running b=terminated"},
	{"{" AB "}", "ready", "a=running b=exited:1", false, true,
		"Running T T F:ContainersNotReady F:ContainersNotReady a=running b=CrashLoopBackOff/1"},
	{"{" AB "}", "ready", "a=running b=running b=exited:3", false, false, "Running T T T T a=running b=running/3"},
	{"{restartPolicy: Never, " AB "}", "ready", "a=exited:0 b=exited:0", false, false,
		"Succeeded T T:PodCompleted F:PodCompleted F:PodCompleted a=terminated b=terminated"},
	{"{restartPolicy: Never, " AB "}", "ready", "a=exited:0 b=exited:1", false, false,
		"Failed T T F:PodFailed F:PodFailed a=terminated b=terminated"},
	{"{restartPolicy: OnFailure, " AB "}", "ready", "a=exited:0 b=exited:1", false, false,
		"Running T T F:ContainersNotReady F:ContainersNotReady a=terminated b=terminated"},
	{"{restartPolicy: Always, " AB "}", "ready", "a=exited:0 b=exited:0", false, false,
		"Running T T F:ContainersNotReady F:ContainersNotReady a=terminated b=terminated"},
	/* A pod that is ending has a last phase even if its containers would have been restarted. */
	{"{" AB "}", "dead", "a=exited:0 b=exited:0", true, false,
		"Succeeded F T:PodCompleted F:PodCompleted F:PodCompleted a=terminated b=terminated"},
	{"{" AB "}", "dead", "a=exited:137 b=exited:0", true, false,
		"Failed F T F:PodFailed F:PodFailed a=terminated b=terminated"},
	{"{restartPolicy: Never, " INIT AB "}", "ready", "x=exited:1", false, false,
		"Failed T F:ContainersNotInitialized F:PodFailed F:PodFailed a=PodInitializing b=PodInitializing"},
	{"{" AB ", readinessGates: [{conditionType: example.com/gate}]}", "ready", "a=running b=running", false, false,
		"Running T T F:ReadinessGatesNotReady T a=running b=running"},
};

static void status_follows_from_spec_and_state(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].spec);
		CLEANUP(pod_status_unrefp)
		struct pod_status *runtime = state_of_pod(pod, rows[i].sandbox, rows[i].containers);
		struct status_input in = {.pod = pod,
			.runtime = runtime,
			.old = pod->api->status,
			.terminal = rows[i].terminal,
			.runtime_name = "containerd",
			.host_ip = "192.0.2.1",
			.reason = reason,
			.reason_data = rows[i].crashing ? &crash : NULL,
			.fill_probes = no_probes};
		char *got = describe(arena, status_generate(arena, &in));
		if (!str_eq(got, rows[i].wanted))
			fail_msg("row %zu (%s):\n got    \"%s\"\n wanted \"%s\"", i, rows[i].containers, got,
				rows[i].wanted);
	}
}

static void lost_container_was_running(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_of("{" AB "}");
	CLEANUP(pod_status_unrefp) struct pod_status *before = state_of_pod(pod, "ready", "a=running b=running");
	CLEANUP(pod_status_unrefp) struct pod_status *after = state_of_pod(pod, "ready", "a=running");
	struct status_input in = {.pod = pod, .runtime = before, .old = pod->api->status, .runtime_name = "containerd"};
	in.old = status_generate(arena, &in);
	in.runtime = after;
	CoreV1PodStatus *s = status_generate(arena, &in);
	assert_string_equal(s->container_statuses[1]->last_state->terminated->reason, "ContainerStatusUnknown");
	assert_int_equal(s->container_statuses[1]->last_state->terminated->exit_code, 137);
	assert_int_equal(s->container_statuses[1]->restart_count, 1);
	assert_string_equal(s->pod_ip, "10.0.0.5");
}

static void phase_never_goes_back(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_of("{" AB "}");
	CLEANUP(pod_status_unrefp) struct pod_status *runtime = state_of_pod(pod, "ready", "a=running b=running");
	CoreV1PodStatus *old = API_NEW(arena, CoreV1PodStatus);
	old->phase = arena_strdup(arena, "Failed");
	old->reason = arena_strdup(arena, "Evicted");
	struct status_input in = {.pod = pod, .runtime = runtime, .old = old, .runtime_name = "containerd"};
	CoreV1PodStatus *s = status_generate(arena, &in);
	assert_string_equal(s->phase, "Failed");
	assert_string_equal(s->reason, "Evicted");
}

static void a_pod_out_of_time_fails(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_of("{restartPolicy: Never, containers: [{name: a, image: i}]}");
	CLEANUP(pod_status_unrefp) struct pod_status *ended = state_of_pod(pod, "dead", "a=exited:0");
	struct status_input in = {.pod = pod,
		.runtime = ended,
		.old = pod->api->status,
		.runtime_name = "containerd",
		.terminal = true,
		.past_deadline = true,
		.fill_probes = no_probes};
	const CoreV1PodStatus *s = status_generate(arena, &in);
	assert_string_equal(s->reason, "DeadlineExceeded");
	assert_string_equal(describe(arena, s), "Failed F T F:PodFailed F:PodFailed a=terminated");
	/* What ended in time has ended, for the apiserver knows it. */
	pod->api->status->phase = arena_strdup(pod->arena, "Succeeded");
	assert_string_equal(status_generate(arena, &in)->phase, "Succeeded");
}

/* A status that is set again after its pod has gone begins at version 1: the apiserver has had that one. */
static void what_was_sent_outlives_the_status(void **state)
{
	CLEANUP(sent_versions_freep) struct sent_versions *sent = sent_versions_new();
	CLEANUP(strmap_freep) struct strmap *statuses = strmap_new(NULL), *mirrors = strmap_new(NULL);
	assert_false(sent_versions_has(sent, "pod", 1));
	sent_versions_note(sent, "pod", 7);
	sent_versions_note(sent, "mirror", 2);
	assert_true(sent_versions_has(sent, "pod", 1));
	assert_true(sent_versions_has(sent, "pod", 7));
	assert_false(sent_versions_has(sent, "pod", 8));
	strmap_put(statuses, "pod", NULL);
	strmap_put(mirrors, "mirror", NULL);
	sent_versions_keep_only(sent, statuses, mirrors);
	assert_true(sent_versions_has(sent, "pod", 7));
	assert_true(sent_versions_has(sent, "mirror", 2));
	strmap_remove(statuses, "pod");
	sent_versions_keep_only(sent, statuses, mirrors);
	assert_false(sent_versions_has(sent, "pod", 1));
	assert_true(sent_versions_has(sent, "mirror", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_out_of_time_fails),
		cmocka_unit_test(status_follows_from_spec_and_state),
		cmocka_unit_test(lost_container_was_running),
		cmocka_unit_test(phase_never_goes_back),
		cmocka_unit_test(what_was_sent_outlives_the_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
