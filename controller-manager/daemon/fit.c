/* Which nodes are fit for a daemon. */
#include "api/placement.h"
#include "base/str.h"
#include "controller-manager/daemon/daemon.h"
#include "controller-manager/node/taints.h"
#include "controller-manager/support/history.h"

#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

static void tolerate(struct arena *arena, CoreV1PodSpec *spec, const char *key, const char *effect)
{
	for (size_t i = 0; i < spec->n_tolerations; i++) {
		CoreV1Toleration *t = spec->tolerations[i];
		if (!str_eq(t->key, key) || !str_eq(t->effect, effect) || !str_eq(t->operator, "Exists"))
			continue;
		t->has_toleration_seconds = false;
		return;
	}
	CoreV1Toleration *t = API_NEW(arena, CoreV1Toleration);
	t->key = arena_strdup(arena, key);
	t->operator= arena_strdup(arena, "Exists");
	t->effect = arena_strdup(arena, effect);
	ARENA_PUSH(arena, spec->tolerations, spec->n_tolerations) = t;
}

CoreV1PodTemplateSpec *daemon_template(struct arena *arena, const AppsV1DaemonSet *set, const char *hash)
{
	CoreV1PodTemplateSpec *t = object_copy(arena, set->spec->template);
	tolerate(arena, t->spec, TAINT_NOT_READY, "NoExecute");
	tolerate(arena, t->spec, TAINT_UNREACHABLE, "NoExecute");
	tolerate(arena, t->spec, "node.kubernetes.io/disk-pressure", "NoSchedule");
	tolerate(arena, t->spec, "node.kubernetes.io/memory-pressure", "NoSchedule");
	tolerate(arena, t->spec, "node.kubernetes.io/pid-pressure", "NoSchedule");
	tolerate(arena, t->spec, TAINT_UNSCHEDULABLE, "NoSchedule");
	if (t->spec->host_network)
		tolerate(arena, t->spec, "node.kubernetes.io/network-unavailable", "NoSchedule");
	const char *generation = ANNOTATION_GET(set->metadata, TEMPLATE_GENERATION);
	if (generation)
		LABEL_SET(arena, t->metadata, "pod-template-generation", generation);
	if (!str_empty(hash))
		LABEL_SET(arena, t->metadata, REVISION_HASH_LABEL, hash);
	return t;
}

static bool taints_tolerated(const CoreV1PodSpec *spec, const CoreV1Node *node, bool no_execute_only)
{
	for (size_t i = 0; i < node->spec->n_taints; i++) {
		const CoreV1Taint *taint = node->spec->taints[i];
		bool execute = str_eq(taint->effect, "NoExecute");
		if (!execute && (no_execute_only || !str_eq(taint->effect, "NoSchedule")))
			continue;
		if (!taint_is_tolerated(taint, spec->tolerations, spec->n_tolerations))
			return false;
	}
	return true;
}

struct daemon_fit daemon_fits(const CoreV1PodTemplateSpec *template, const CoreV1Node *node)
{
	const CoreV1PodSpec *spec = template->spec;
	if ((!str_empty(spec->node_name) && !str_eq(spec->node_name, node->metadata->name)) ||
		!pod_selects_node(spec, node))
		return (struct daemon_fit){false, false};
	if (!taints_tolerated(spec, node, false))
		return (struct daemon_fit){false, taints_tolerated(spec, node, true)};
	return (struct daemon_fit){true, true};
}

void daemon_bind(struct arena *arena, CoreV1PodSpec *spec, const char *node)
{
	CoreV1NodeSelectorRequirement *r = API_NEW(arena, CoreV1NodeSelectorRequirement);
	r->key = arena_strdup(arena, "metadata.name");
	r->operator= arena_strdup(arena, "In");
	ARENA_PUSH(arena, r->values, r->n_values) = arena_strdup(arena, node);
	CoreV1NodeSelectorTerm *term = API_NEW(arena, CoreV1NodeSelectorTerm);
	ARENA_PUSH(arena, term->match_fields, term->n_match_fields) = r;
	/* Whatever terms there were were checked for this very node already. */
	CoreV1NodeSelector *selector = API_NEW(arena, CoreV1NodeSelector);
	ARENA_PUSH(arena, selector->node_selector_terms, selector->n_node_selector_terms) = term;
	CoreV1Affinity *affinity = ENSURE(arena, spec->affinity, CoreV1Affinity);
	CoreV1NodeAffinity *node_affinity = ENSURE(arena, affinity->node_affinity, CoreV1NodeAffinity);
	node_affinity->required_during_scheduling_ignored_during_execution = selector;
}
