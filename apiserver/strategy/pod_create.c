/*
 * What the server writes into a new pod.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/"
#define LOCALHOST "localhost/"

static void add_keys(struct arena *arena, MetaV1LabelSelector *selector, char *const *keys, size_t n,
	const char *operator, const struct map_index * labels)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = map_index_get(labels, keys[i]);
		if (!value)
			continue;
		MetaV1LabelSelectorRequirement *r = API_NEW(arena, MetaV1LabelSelectorRequirement);
		r->key = keys[i];
		r->operator=(char *) operator;
		ARENA_PUSH(arena, r->values, r->n_values) = (char *)value;
		ARENA_PUSH(arena, selector->match_expressions, selector->n_match_expressions) = r;
	}
}

static void complete_term(struct arena *arena, CoreV1PodAffinityTerm *term, const struct map_index *labels)
{
	if (!term || !term->label_selector)
		return;
	add_keys(arena, term->label_selector, term->match_label_keys, term->n_match_label_keys, "In", labels);
	add_keys(arena, term->label_selector, term->mismatch_label_keys, term->n_mismatch_label_keys, "NotIn", labels);
}

static void complete_terms(struct arena *arena, CoreV1WeightedPodAffinityTerm *const *preferred, size_t n_preferred,
	CoreV1PodAffinityTerm *const *required, size_t n_required, const struct map_index *labels)
{
	for (size_t i = 0; i < n_preferred; i++)
		complete_term(arena, preferred[i]->pod_affinity_term, labels);
	for (size_t i = 0; i < n_required; i++)
		complete_term(arena, required[i], labels);
}

void pod_add_label_keys(struct arena *arena, CoreV1Pod *pod)
{
	const struct map_index labels = map_index_of(arena, pod->metadata->labels, pod->metadata->n_labels);
	const CoreV1Affinity *a = pod->spec->affinity;
	const CoreV1PodAffinity *with = a ? a->pod_affinity : NULL;
	const CoreV1PodAntiAffinity *without = a ? a->pod_anti_affinity : NULL;
	if (with)
		complete_terms(arena, with->preferred_during_scheduling_ignored_during_execution,
			with->n_preferred_during_scheduling_ignored_during_execution,
			with->required_during_scheduling_ignored_during_execution,
			with->n_required_during_scheduling_ignored_during_execution, &labels);
	if (without)
		complete_terms(arena, without->preferred_during_scheduling_ignored_during_execution,
			without->n_preferred_during_scheduling_ignored_during_execution,
			without->required_during_scheduling_ignored_during_execution,
			without->n_required_during_scheduling_ignored_during_execution, &labels);
	for (size_t i = 0; i < pod->spec->n_topology_spread_constraints; i++) {
		const CoreV1TopologySpreadConstraint *c = pod->spec->topology_spread_constraints[i];
		if (c->label_selector)
			add_keys(arena, c->label_selector, c->match_label_keys, c->n_match_label_keys, "In", &labels);
	}
}

/* NULL for what is no profile. */
static CoreV1AppArmorProfile *profile_of(struct arena *arena, const char *annotation)
{
	CoreV1AppArmorProfile *p = API_NEW(arena, CoreV1AppArmorProfile);
	if (str_eq(annotation, "unconfined")) {
		p->type = (char *)"Unconfined";
	} else if (str_eq(annotation, "runtime/default")) {
		p->type = (char *)"RuntimeDefault";
	} else if (str_starts_with(annotation, LOCALHOST)) {
		p->type = (char *)"Localhost";
		p->localhost_profile = (char *)annotation + strlen(LOCALHOST);
		if (str_empty(p->localhost_profile) ||
			!str_eq(str_trim(arena, p->localhost_profile), p->localhost_profile))
			return NULL;
	} else {
		return NULL;
	}
	return p;
}

void pod_app_armor_fields(struct request *request, CoreV1Pod *pod)
{
	struct pod_container *all;
	size_t n = pod_containers(request->arena, pod->spec, &all);
	const MetaV1ObjectMeta *meta = pod->metadata;
	const struct map_index annotations = map_index_of(request->arena, meta->annotations, meta->n_annotations);
	const CoreV1PodSecurityContext *s = pod->spec->security_context;
	if (pod->spec->os && str_eq(pod->spec->os->name, "windows"))
		return;
	for (size_t i = 0; i < n; i++) {
		CoreV1Container *c = (CoreV1Container *)all[i].container;
		const char *key = arena_printf(request->arena, APP_ARMOR "%s", str_or_empty(c->name));
		const char *annotation = map_index_get(&annotations, key);
		if (!annotation || (c->security_context && c->security_context->app_armor_profile))
			continue;
		CoreV1AppArmorProfile *profile = profile_of(request->arena, annotation);
		bool new = profile && !api_equal(profile, s ? s->app_armor_profile : NULL);
		if (new)
			ENSURE(request->arena, c->security_context, CoreV1SecurityContext)->app_armor_profile = profile;
		if (new || !profile)
			request_warn_at(request, FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), key),
				"deprecated since v1.30; use the \"appArmorProfile\" field instead");
	}
}
