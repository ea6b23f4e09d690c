#include "scheduler/pod.h"
#include <assert.h>
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/selector.h"

static void collect_ports(struct pod_info *info, CoreV1Container *const *containers, size_t n, bool sidecars_only)
{
	for (size_t i = 0; i < n; i++) {
		const CoreV1Container *c = containers[i];
		if (sidecars_only && !str_eq(c->restart_policy, "Always"))
			continue;
		for (size_t j = 0; j < c->n_ports; j++) {
			const CoreV1ContainerPort *port = c->ports[j];
			if (port->host_port <= 0)
				continue;
			ARENA_PUSH(info->arena, info->ports, info->n_ports) = (struct host_port){
				.ip = str_or(port->host_ip, "0.0.0.0"),
				.protocol = str_or(port->protocol, "TCP"),
				.port = port->host_port,
			};
		}
	}
}

static struct affinity_term make_term(struct pod_info *info, const CoreV1PodAffinityTerm *t, int32_t weight)
{
	struct affinity_term term = {
		.selector = t->label_selector,
		.namespace_selector = t->namespace_selector,
		.namespaces = t->namespaces,
		.n_namespaces = t->n_namespaces,
		.topology_key = str_or_empty(t->topology_key),
		.weight = weight,
	};
	if (!t->n_namespaces && !t->namespace_selector) {
		term.namespaces = ARENA_ARRAY(info->arena, char *, 1);
		term.namespaces[0] = arena_strdup(info->arena, info->namespace_);
		term.n_namespaces = 1;
	}
	return term;
}

static struct affinity_terms required_terms(struct pod_info *info, CoreV1PodAffinityTerm *const *terms, size_t n)
{
	struct affinity_terms out = {n ? ARENA_ARRAY(info->arena, struct affinity_term, n) : NULL, n};
	for (size_t i = 0; i < n; i++)
		out.items[i] = make_term(info, terms[i], 0);
	return out;
}

static struct affinity_terms preferred_terms(
	struct pod_info *info, CoreV1WeightedPodAffinityTerm *const *terms, size_t n)
{
	struct affinity_terms out = {n ? ARENA_ARRAY(info->arena, struct affinity_term, n) : NULL, 0};
	for (size_t i = 0; i < n; i++) {
		if (terms[i]->pod_affinity_term)
			out.items[out.n_items++] = make_term(info, terms[i]->pod_affinity_term, terms[i]->weight);
	}
	return out;
}

static void collect_affinity(struct pod_info *info, const CoreV1Affinity *affinity)
{
	if (!affinity)
		return;
	const CoreV1PodAffinity *with = affinity->pod_affinity;
	const CoreV1PodAntiAffinity *without = affinity->pod_anti_affinity;
	info->has_affinity = with || without;
	if (with) {
		info->required_affinity =
			required_terms(info, with->required_during_scheduling_ignored_during_execution,
				with->n_required_during_scheduling_ignored_during_execution);
		info->preferred_affinity =
			preferred_terms(info, with->preferred_during_scheduling_ignored_during_execution,
				with->n_preferred_during_scheduling_ignored_during_execution);
	}
	if (without) {
		info->required_anti = required_terms(info, without->required_during_scheduling_ignored_during_execution,
			without->n_required_during_scheduling_ignored_during_execution);
		info->preferred_anti =
			preferred_terms(info, without->preferred_during_scheduling_ignored_during_execution,
				without->n_preferred_during_scheduling_ignored_during_execution);
	}
}

static void collect_requests(struct pod_info *info, struct intern *names)
{
	const CoreV1Pod *pod = info->pod;
	info->requests = pod_requests(info->arena, names, pod, 0);
	info->held = pod_requests(info->arena, names, pod, POD_REQUESTS_USE_STATUS);
	struct resource_list full =
		pod_requests(info->arena, names, pod, POD_REQUESTS_USE_STATUS | POD_REQUESTS_NON_ZERO);
	info->non_zero_cpu = resource_get(&full, RES_CPU);
	info->non_zero_memory = resource_get(&full, RES_MEMORY);
}

struct pod_info *pod_info_new(struct intern *names, const CoreV1Pod *pod, void (*release)(void *data), void *data)
{
	struct arena *arena = arena_new_sized(512);
	struct pod_info *info = ARENA_NEW(arena, struct pod_info);
	info->arena = arena;
	info->refs = 1;
	info->label_set = INTERN_NONE;
	info->pod = pod;
	info->release = release;
	info->release_data = data;
	info->uid = pod->metadata ? str_or_empty(pod->metadata->uid) : "";
	info->name = pod->metadata ? str_or_empty(pod->metadata->name) : "";
	info->namespace_ = pod->metadata ? str_or_empty(pod->metadata->namespace) : "";
	if (pod->spec) {
		info->priority = pod->spec->has_priority ? pod->spec->priority : 0;
		collect_ports(info, pod->spec->init_containers, pod->spec->n_init_containers, true);
		collect_ports(info, pod->spec->containers, pod->spec->n_containers, false);
		collect_affinity(info, pod->spec->affinity);
		collect_requests(info, names);
	}
	return info;
}

struct pod_info *pod_info_ref(struct pod_info *info)
{
	assert(info->refs > 0);
	info->refs++;
	return info;
}

void pod_info_unref(struct pod_info *info)
{
	if (!info || --info->refs)
		return;
	if (info->release)
		info->release(info->release_data);
	arena_free(info->arena);
}

bool host_port_conflict(const struct host_port *a, const struct host_port *b)
{
	if (a->port != b->port || strcmp(a->protocol, b->protocol) != 0)
		return false;
	return !strcmp(a->ip, b->ip) || !strcmp(a->ip, "0.0.0.0") || !strcmp(b->ip, "0.0.0.0");
}

char *pod_key(struct arena *arena, const struct pod_info *info)
{
	return arena_printf(arena, "%s/%s", info->namespace_, info->name);
}

bool affinity_term_matches(const struct affinity_term *term, const struct pod_info *other,
	MapStringEntry *const *ns_labels, size_t n_ns_labels)
{
	bool in_namespace =
		str_in_n(other->namespace_, term->namespaces, term->n_namespaces) ||
		(term->namespace_selector && label_selector_matches(term->namespace_selector, ns_labels, n_ns_labels));
	if (!in_namespace || !term->selector)
		return false;
	const MetaV1ObjectMeta *meta = other->pod->metadata;
	return label_selector_matches(term->selector, meta ? meta->labels : NULL, meta ? meta->n_labels : 0);
}
