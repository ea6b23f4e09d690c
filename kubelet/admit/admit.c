#include "kubelet/admit/admit_private.h"

#include "api/meta.h"
#include "api/placement.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/eviction/eviction.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/resources.h"
#include "kubelet/pod/workers.h"
#include "kubelet/status/status.h"

#define LABEL_OS "kubernetes.io/os"
#define NODE_OS "linux"
#define REASON_PREEMPTING "Preempting"

struct check {
	struct arena *arena;
	const struct admit_input *in;
	const struct pod *pod;
	struct admit_shortages shortages; /* of a critical pod */
	struct admit_answer *answer;
};

static bool refuse(struct check *c, const char *reason, const char *message)
{
	c->answer->reason = reason;
	c->answer->message = message;
	return false;
}
static bool predicate_failed(struct check *c, const char *name, const char *why)
{
	return refuse(c, name, arena_printf(c->arena, "Predicate %s failed: %s", name, why));
}

/* A node under pressure takes critical pods alone; one that is short of memory only, those that ask for some too. */
static bool check_pressure(struct check *c)
{
	static const CoreV1Taint memory_taint = {.key = (char *)"node.kubernetes.io/memory-pressure",
		.effect = (char *)"NoSchedule",
		.value = (char *)""};
	const CoreV1PodSpec *spec = pod_spec(c->pod);
	bool memory = c->in->memory_pressure, disk = c->in->disk_pressure, pids = c->in->pid_pressure;
	if ((!memory && !disk && !pids) || pod_critical(c->pod))
		return true;
	if (!disk && !pids &&
		(pod_qos(c->pod) != QOS_BEST_EFFORT ||
			taint_is_tolerated(&memory_taint, spec->tolerations, spec->n_tolerations)))
		return true;
	return refuse(c, "Evicted",
		arena_printf(c->arena, "The node had condition: [%s%s%s%s%s]. ", memory ? "MemoryPressure" : "",
			memory && disk ? " " : "", disk ? "DiskPressure" : "", (memory || disk) && pids ? " " : "",
			pids ? "PIDPressure" : ""));
}

static bool check_sysctls(struct check *c)
{
	const char *why = admit_forbidden_sysctl(c->arena, c->in, pod_spec(c->pod));
	return why ? refuse(c, "SysctlForbidden", why) : true;
}

static bool check_os(struct check *c)
{
	const char *label = meta_label(c->pod->api->metadata, LABEL_OS);
	const CoreV1PodOS *os = pod_spec(c->pod)->os;
	if (label && !str_eq(label, NODE_OS))
		return refuse(c, "PodOSSelectorNodeLabelDoesNotMatch",
			"Failed to admit pod as the `kubernetes.io/os` label doesn't match node label");
	if (os && !str_eq(os->name, NODE_OS))
		return refuse(c, "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
	return true;
}

/* --- resources --- */

static int64_t pod_request_storage(const struct pod *pod)
{
	return pod_request_value(pod, "ephemeral-storage");
}

static bool check_resource(
	struct check *c, const char *name, int64_t (*request)(const struct pod *pod), int64_t capacity)
{
	int64_t used = 0, wanted = request(c->pod);
	for (size_t i = 0; i < c->in->n_others; i++)
		used += request(c->in->others[i]);
	if (!wanted || wanted <= capacity - used)
		return true;
	if (pod_critical(c->pod)) {
		struct admit_shortage s = {name, wanted - (capacity - used)};
		c->shortages.items[c->shortages.n_items++] = s;
		return true;
	}
	return refuse(c, arena_printf(c->arena, "OutOf%s", name),
		arena_printf(c->arena,
			"Node didn't have enough resource: %s, requested: %lld, used: %lld, capacity: %lld", name,
			(long long)wanted, (long long)used, (long long)capacity));
}

static int64_t one(const struct pod *pod)
{
	return 1;
}

static bool check_resources(struct check *c)
{
	return check_resource(c, "pods", one, c->in->pods) &&
	       check_resource(c, "cpu", pod_request_cpu_milli, c->in->cpu_milli) &&
	       check_resource(c, "memory", pod_request_memory, c->in->memory) &&
	       check_resource(c, "ephemeral-storage", pod_request_storage, c->in->ephemeral_storage);
}

/* --- host ports --- */

/* Containers that run side by side: the ordinary ones, and the init containers that keep running. */
static bool next_container(const CoreV1PodSpec *spec, size_t *index, const CoreV1Container **ret)
{
	while (*index < spec->n_containers + spec->n_init_containers) {
		size_t i = (*index)++;
		*ret = i < spec->n_containers ? spec->containers[i] : spec->init_containers[i - spec->n_containers];
		if (i < spec->n_containers || container_restartable_init(*ret))
			return true;
	}
	return false;
}

static bool any_address(const char *ip)
{
	return str_empty(ip) || str_eq(ip, "0.0.0.0");
}

static bool ports_collide(const CoreV1ContainerPort *a, const CoreV1ContainerPort *b)
{
	return a->host_port > 0 && a->host_port == b->host_port &&
	       str_eq(str_or(a->protocol, "TCP"), str_or(b->protocol, "TCP")) &&
	       (any_address(a->host_ip) || any_address(b->host_ip) || str_eq(a->host_ip, b->host_ip));
}

static bool port_is_taken(const CoreV1ContainerPort *port, const struct pod *other)
{
	const CoreV1Container *container;
	for (size_t i = 0; next_container(pod_spec(other), &i, &container);)
		for (size_t p = 0; p < container->n_ports; p++)
			if (ports_collide(port, container->ports[p]))
				return true;
	return false;
}

static bool check_ports(struct check *c)
{
	const CoreV1Container *container;
	for (size_t i = 0; next_container(pod_spec(c->pod), &i, &container);)
		for (size_t p = 0; p < container->n_ports; p++)
			for (size_t o = 0; o < c->in->n_others; o++)
				if (port_is_taken(container->ports[p], c->in->others[o]))
					return predicate_failed(c, "NodePorts",
						"node(s) didn't have free ports for the requested pod ports");
	return true;
}

/* --- the node's own wishes --- */

static bool check_affinity(struct check *c)
{
	if (!c->in->node || pod_selects_node(pod_spec(c->pod), c->in->node))
		return true;
	return predicate_failed(c, "NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
}

static bool check_taints(struct check *c)
{
	const CoreV1NodeSpec *node = c->in->node ? c->in->node->spec : NULL;
	const CoreV1PodSpec *spec = pod_spec(c->pod);
	if (c->pod->is_static || !node)
		return true;
	for (size_t i = 0; i < node->n_taints; i++)
		if (str_eq(node->taints[i]->effect, "NoExecute") &&
			!taint_is_tolerated(node->taints[i], spec->tolerations, spec->n_tolerations))
			return predicate_failed(
				c, "TaintToleration", "node(s) had taints that the pod didn't tolerate");
	return true;
}

bool admit_check(struct arena *arena, const struct admit_input *input, const struct pod *pod, struct admit_answer *ret)
{
	struct check c = {arena, input, pod, .answer = ret};
	*ret = (struct admit_answer){0};
	if (!check_pressure(&c) || !check_sysctls(&c) || !check_os(&c) || !check_resources(&c) || !check_affinity(&c) ||
		!check_ports(&c) || !check_taints(&c))
		return false;
	return !c.shortages.n_items || admit_choose_victims(arena, input, pod, &c.shortages, ret);
}

/* --- in the kubelet --- */

/* Whether it takes part of the node: until nothing of it runs, and not if it was refused or its place is another's
 * already; nor does the pod itself. */
static bool counts(struct kubelet *k, const struct pod *other, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	enum pod_phase phase = POD_SYNCING;
	if (str_eq(other->uid, pod->uid))
		return false;
	if (pod_workers_phase(k->workers, other->uid, &phase) && phase != POD_SYNCING)
		return phase == POD_TERMINATING && !pod_workers_preempted(k->workers, other->uid);
	const CoreV1PodStatus *status = status_manager_get(k->statuses, arena, other->uid);
	return !pod_terminal(other) && !(status && pod_phase_terminal(status->phase));
}

void admit_reject(struct kubelet *k, const struct pod *pod, const char *reason, const char *message)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1PodStatus *status = API_NEW(arena, CoreV1PodStatus);
	kubelet_pod_event(k, pod, NULL, EVENT_WARNING, reason, "%s", message);
	status->phase = arena_strdup(arena, "Failed");
	status->reason = arena_strdup(arena, reason);
	status->message = arena_printf(arena, "Pod was rejected: %s", message);
	status->qos_class = arena_strdup(arena, pod_qos_name(pod_qos(pod)));
	status_manager_set(k->statuses, pod, status);
}

static void preempt(struct kubelet *k, const struct pod *victim, const struct pod *pod)
{
	static const char message[] = "Preempted in order to admit critical pod";
	log_warn("ending pod %s to make room for the critical pod %s", victim->ref, pod->ref);
	kubelet_pod_event(k, victim, NULL, EVENT_WARNING, REASON_PREEMPTING, "%s", message);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL,
					       .pod = victim,
					       .eviction = {REASON_PREEMPTING, message,
						       "Pod was preempted by Kubelet to accommodate a critical pod."}});
}

bool admit_fits(struct kubelet *k, struct arena *arena, const struct pod *pod, struct admit_decision *ret)
{
	struct pod_list pods = pod_manager_list(k->pods);
	struct pod **others = ARENA_ARRAY(arena, struct pod *, pods.n_items + 1);
	struct admit_input input = {
		.node = k->nodes ? informer_get(k->nodes, arena, NULL, k->settings->node_name) : NULL,
		.others = others,
		.cpu_milli = node_allocatable(k->node, "cpu", true),
		.memory = node_allocatable(k->node, "memory", false),
		.ephemeral_storage = node_allocatable(k->node, "ephemeral-storage", false),
		.pods = node_allocatable(k->node, "pods", false),
		.unsafe_sysctls = k->settings->unsafe_sysctls,
		.n_unsafe_sysctls = k->settings->n_unsafe_sysctls,
	};
	struct admit_answer answer;
	/* A pod that ran here before the kubelet did is not sent away for what it may be suffering from. */
	if (!allocation_known(k->allocation, pod))
		eviction_pressure(k->evictions, &input.memory_pressure, &input.disk_pressure, &input.pid_pressure);
	for (size_t i = 0; i < pods.n_items; i++)
		if (counts(k, pods.items[i], pod))
			others[input.n_others++] = allocation_held(k->allocation, pods.items[i]);
	bool fits = admit_check(arena, &input, pod, &answer);
	*ret = (struct admit_decision){answer.reason, answer.message};
	for (size_t i = 0; i < answer.n_victims; i++) {
		preempt(k, answer.victims[i], pod);
		ARENA_PUSH(arena, ret->victims, ret->n_victims) = arena_strdup(arena, answer.victims[i]->uid);
	}
	for (size_t i = 0; i < input.n_others; i++)
		pod_unref(others[i]);
	pod_list_done(&pods);
	return fits;
}
