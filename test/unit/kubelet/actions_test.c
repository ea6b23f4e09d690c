/* What has to be done for a pod: each row is a spec, what runs, and what follows. */
#include "test/unit/kubelet/pods.h"
#include "kubelet/runtime/actions.h"

static const char *failing_liveness, *failing_startup, *passed_startup;

static enum probe_result liveness(void *data, const char *id)
{
	return failing_liveness && str_starts_with(id, failing_liveness) ? PROBE_FAILURE : PROBE_NONE;
}

static enum probe_result startup(void *data, const char *id)
{
	if (failing_startup && str_starts_with(id, failing_startup))
		return PROBE_FAILURE;
	return passed_startup && str_starts_with(id, passed_startup) ? PROBE_SUCCESS : PROBE_NONE;
}

static CoreV1ResourceRequirements *told(void *data, struct arena *arena, const char *uid, const char *container)
{
	const CoreV1Container *c = pod_container(data, container);
	return c ? c->resources : NULL;
}

static void describe_updates(struct strbuf *out, const struct pod_actions *a)
{
	static const char *const kinds[] = {" memory:", " cpu:"};
	for (size_t k = 0; k < N_RESIZE_KINDS; k++)
		for (size_t i = 0; i < a->n_to_update[k]; i++)
			strbuf_printf(out, "%s%s", i ? "," : kinds[k], a->to_update[k][i].container->name);
	if (a->update_pod)
		strbuf_adds(out, " pod");
}

/* "kill-pod sandbox:1 init:0,1 start:0 kill:a memory:b,a cpu:a pod" */
static char *describe(struct arena *arena, const struct pod_actions *a)
{
	struct strbuf out = STRBUF_INIT;
	if (a->kill_pod)
		strbuf_adds(&out, " kill-pod");
	if (a->create_sandbox)
		strbuf_printf(&out, " sandbox:%u", a->attempt);
	for (size_t i = 0; i < a->n_init_to_start; i++)
		strbuf_printf(&out, "%s%zu", i ? "," : " init:", a->init_to_start[i]);
	for (size_t i = 0; i < a->n_to_start; i++)
		strbuf_printf(&out, "%s%zu", i ? "," : " start:", a->to_start[i]);
	for (size_t i = 0; i < a->n_ephemeral_to_start; i++)
		strbuf_printf(&out, "%s%zu", i ? "," : " ephemeral:", a->ephemeral_to_start[i]);
	for (size_t i = 0; i < a->n_to_kill; i++)
		strbuf_printf(&out, "%s%s", i ? "," : " kill:", a->to_kill[i].status->name);
	describe_updates(&out, a);
	char *text = arena_strdup(arena, out.len ? out.buf + 1 : "");
	strbuf_done(&out);
	return text;
}

#define AB "containers: [{name: a, image: i}, {name: b, image: i}]"
#define INIT "initContainers: [{name: x, image: i}, {name: z, image: i}], "
#define SIDE "initContainers: [{name: s, image: i, restartPolicy: Always}, {name: z, image: i}], "
#define SIDE_STARTUP \
	"initContainers: [{name: s, image: i, restartPolicy: Always, startupProbe: {exec: {command: [t]}}}], "

#define ANEW(resource) "resizePolicy: [{resourceName: " resource ", restartPolicy: RestartContainer}], "
#define SIZED(cpu, memory, policy)                                                                                  \
	"containers: [{name: a, image: i, " policy "resources: {requests: {cpu: " cpu "}, limits: {memory: " memory \
	"}}}, {name: b, image: i}]"
#define TWO(a, b)                                                       \
	"containers: [{name: a, image: i, resources: {limits: {cpu: " a \
	"}}}, {name: b, image: i, resources: {limits: "                 \
	"{cpu: " b "}}}]"
#define SIZED_SIDE(cpu, policy)                                                                                  \
	"initContainers: [{name: s, image: i, restartPolicy: Always, " policy "resources: {requests: {cpu: " cpu \
	"}}}], "

static const struct {
	const char *spec, *sandbox, *containers, *wanted;
	const char *liveness, *startup, *started;
	const char *told; /* a spec with what the runtime was told; NULL: what is wanted */
} rows[] = {
	/* A new pod. */
	{"{" AB "}", "", "", "kill-pod sandbox:0 start:0,1"},
	{"{" INIT AB "}", "", "", "kill-pod sandbox:0 init:0"},
	/* All is well. */
	{"{" AB "}", "ready", "a=running b=running", ""},
	/* A container is missing, has ended, was left half made, or cannot be told of. */
	{"{" AB "}", "ready", "a=running", "start:1"},
	{"{" AB "}", "ready", "a=running b=exited:0", "start:1"},
	{"{" AB "}", "ready", "a=running b=created", "start:1"},
	{"{" AB "}", "ready", "a=running b=unknown", "start:1 kill:b"},
	/* Restart policies. */
	{"{restartPolicy: OnFailure, " AB "}", "ready", "a=running b=exited:0", ""},
	{"{restartPolicy: OnFailure, " AB "}", "ready", "a=running b=exited:1", "start:1"},
	{"{restartPolicy: Never, " AB "}", "ready", "a=running b=exited:1", ""},
	{"{restartPolicy: Never, " AB "}", "ready", "a=exited:0 b=exited:1", "kill-pod"},
	{"{restartPolicy: OnFailure, " AB "}", "ready", "a=exited:0 b=exited:0", "kill-pod"},
	/* Only the newest instance counts. */
	{"{" AB "}", "ready", "a=running b=running b=exited:1", ""},
	/* Another image or name: restarted whatever the policy. */
	{"{" AB "}", "ready", "a=running b!=running", "start:1 kill:b"},
	{"{restartPolicy: Never, " AB "}", "ready", "a=running b!=running", "start:1 kill:b"},
	/* Probes. */
	{"{" AB "}", "ready", "a=running b=running", "start:1 kill:b", .liveness = "b"},
	{"{restartPolicy: Never, " AB "}", "ready", "a=running b=running", "kill:b", .liveness = "b"},
	{"{" AB "}", "ready", "a=running b=running", "start:0 kill:a", .startup = "a"},
	/* The sandbox is gone. */
	{"{" AB "}", "dead", "a=exited:1 b=exited:0", "kill-pod sandbox:1 start:0,1"},
	{"{restartPolicy: OnFailure, " AB "}", "dead", "a=exited:1 b=exited:0", "kill-pod sandbox:1 start:0"},
	{"{restartPolicy: OnFailure, " AB "}", "dead", "a=exited:0 b=exited:0", "kill-pod"},
	{"{restartPolicy: Never, " AB "}", "dead", "a=exited:0 b=exited:0", "kill-pod"},
	{"{restartPolicy: Never, " AB "}", "dead", "", "kill-pod sandbox:1 start:0,1"},
	/* Init containers run one after another. */
	{"{" INIT AB "}", "ready", "", "init:0"},
	{"{" INIT AB "}", "ready", "x=running", ""},
	{"{" INIT AB "}", "ready", "x=exited:0", "init:1"},
	{"{" INIT AB "}", "ready", "z=running x=exited:0", ""},
	{"{" INIT AB "}", "ready", "z=exited:0 x=exited:0", "start:0,1"},
	{"{" INIT AB "}", "ready", "z=exited:0", "start:0,1"},
	{"{" INIT AB "}", "ready", "x=exited:1", "init:0"},
	{"{restartPolicy: Never, " INIT AB "}", "ready", "x=exited:1", "kill-pod"},
	{"{" INIT AB "}", "ready", "x=created", "init:0"},
	{"{" INIT AB "}", "ready", "a=running b=running", ""},
	/* Sidecars: the next one starts beside them, and they are started again. */
	{"{" SIDE AB "}", "ready", "s=running", "init:1"},
	{"{" SIDE AB "}", "ready", "z=exited:0 s=running", "start:0,1"},
	{"{" SIDE AB "}", "ready", "a=running b=running z=exited:0 s=exited:1", "init:0"},
	{"{" SIDE AB "}", "ready", "a=running b=running z=exited:0 s=running", ""},
	{"{restartPolicy: Never, " SIDE AB "}", "ready", "a=exited:0 b=exited:0 z=exited:0 s=exited:1", "kill-pod"},
	{"{" SIDE_STARTUP AB "}", "ready", "s=running", ""},
	{"{" SIDE_STARTUP AB "}", "ready", "s=running", "start:0,1", .started = "s"},
	{"{" SIDE_STARTUP AB "}", "ready", "s=running", "init:0 kill:s", .startup = "s"},
	/* Ephemeral containers start once, even before initialization is over. */
	{"{" INIT AB ", ephemeralContainers: [{name: e, image: i}]}", "ready", "x=running", "ephemeral:0"},
	{"{" AB ", ephemeralContainers: [{name: e, image: i}]}", "ready", "e=exited:1 a=running b=running", ""},
	/* Other amounts for what runs: told to the runtime, or by a new start where the policy says so. */
	{"{" SIZED("200m", "64Mi", "") "}", "ready", "a=running b=running", "cpu:a",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("100m", "96Mi", "") "}", "ready", "a=running b=running", "memory:a",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("200m", "96Mi", "") "}", "ready", "a=running b=running", "memory:a cpu:a",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("200m", "64Mi", "") "}", "ready", "b=running", "start:0", .told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("100m", "96Mi", ANEW("memory")) "}", "ready", "a=running b=running", "start:0 kill:a pod",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("200m", "64Mi", ANEW("memory")) "}", "ready", "a=running b=running", "cpu:a",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("200m", "64Mi", ANEW("cpu")) "}", "ready", "a=running b=running", "start:0 kill:a pod",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	{"{" SIZED("200m", "64Mi", "") "}", "ready", "a=running b=running", "start:0 kill:a", .liveness = "a",
		.told = "{" SIZED("100m", "64Mi", "") "}"},
	/* What shrinks makes room for what grows. */
	{"{" TWO("200m", "100m") "}", "ready", "a=running b=running", "cpu:b,a", .told = "{" TWO("100m", "200m") "}"},
	{"{" TWO("100m", "200m") "}", "ready", "a=running b=running", "cpu:a,b", .told = "{" TWO("200m", "100m") "}"},
	/* A sidecar is resized as well. */
	{"{" SIZED_SIDE("200m", "") AB "}", "ready", "a=running b=running s=running", "cpu:s",
		.told = "{" SIZED_SIDE("100m", "") AB "}"},
	{"{" SIZED_SIDE("200m", ANEW("cpu")) AB "}", "ready", "a=running b=running s=running", "init:0 kill:s pod",
		.told = "{" SIZED_SIDE("100m", "") AB "}"},
};

static void actions_follow_from_spec_and_state(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].spec);
		CLEANUP(pod_status_unrefp)
		struct pod_status *status = state_of_pod(pod, rows[i].sandbox, rows[i].containers);
		failing_liveness = rows[i].liveness;
		failing_startup = rows[i].startup;
		passed_startup = rows[i].started;
		struct probe_results results = {liveness, startup, NULL};
		struct pod_actions a;
		CLEANUP(pod_unrefp) struct pod *before = pod_of(rows[i].told ? rows[i].told : rows[i].spec);
		struct actuated_resources actuated = {told, before};
		pod_actions_compute(arena, pod, status, &results, &actuated, &a);
		char *got = describe(arena, &a);
		if (!str_eq(got, rows[i].wanted))
			fail_msg("row %zu (%s; %s): got \"%s\", wanted \"%s\"", i, rows[i].spec, rows[i].containers,
				got, rows[i].wanted);
	}
}

static void hash_is_that_of_the_original(void **state)
{
	CLEANUP(pod_unrefp) struct pod *pod = pod_of("{containers: [{name: web, image: 'busybox:1.36<&>é'}]}");
	assert_int_equal(container_hash(pod_spec(pod)->containers[0]), 0xd891eeb4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_follow_from_spec_and_state),
		cmocka_unit_test(hash_is_that_of_the_original),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
