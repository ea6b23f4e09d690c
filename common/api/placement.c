#include "api/placement.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/str.h"

static bool label_requirements_hold(CoreV1NodeSelectorRequirement *const *list, size_t n, const MetaV1ObjectMeta *meta)
{
	for (size_t i = 0; i < n; i++)
		if (!selector_operator_matches(
			    list[i]->operator, meta_label(meta, list[i]->key), list[i]->values, list[i]->n_values))
			return false;
	return true;
}

static bool field_requirements_hold(CoreV1NodeSelectorRequirement *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(list[i]->key, "metadata.name") ||
			!selector_operator_matches(list[i]->operator, name, list[i]->values, list[i]->n_values))
			return false;
	return true;
}

bool pod_selects_node(const CoreV1PodSpec *spec, const CoreV1Node *node)
{
	const MetaV1ObjectMeta *meta = node->metadata;
	for (size_t i = 0; i < spec->n_node_selector; i++)
		if (!str_eq(meta_label(meta, spec->node_selector[i]->key), spec->node_selector[i]->value))
			return false;
	const CoreV1NodeAffinity *affinity = spec->affinity ? spec->affinity->node_affinity : NULL;
	const CoreV1NodeSelector *selector =
		affinity ? affinity->required_during_scheduling_ignored_during_execution : NULL;
	if (!selector)
		return true;
	for (size_t i = 0; i < selector->n_node_selector_terms; i++) {
		const CoreV1NodeSelectorTerm *term = selector->node_selector_terms[i];
		if (!term->n_match_expressions && !term->n_match_fields)
			continue; /* an empty term takes nothing */
		if (label_requirements_hold(term->match_expressions, term->n_match_expressions, meta) &&
			field_requirements_hold(term->match_fields, term->n_match_fields, meta->name))
			return true;
	}
	return false;
}

bool toleration_tolerates(const CoreV1Toleration *t, const CoreV1Taint *taint)
{
	if (!str_empty(t->effect) && !str_eq(t->effect, taint->effect))
		return false;
	if (!str_empty(t->key) && !str_eq(t->key, taint->key))
		return false;
	if (str_eq(t->operator, "Exists"))
		return true;
	return (str_empty(t->operator) || str_eq(t->operator, "Equal")) && str_eq(t->value, taint->value);
}

bool taint_is_tolerated(const CoreV1Taint *taint, CoreV1Toleration *const *tolerations, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (toleration_tolerates(tolerations[i], taint))
			return true;
	return false;
}
