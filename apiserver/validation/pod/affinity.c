#include "api/selector.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

static void check_requirement(struct field_errors *errors, const struct field_path *path,
	const CoreV1NodeSelectorRequirement *r, bool any_value)
{
	const char *op = str_or_empty(r->operator);
	if (!strcmp(op, "In") || !strcmp(op, "NotIn")) {
		if (!r->n_values)
			field_required(
				errors, FIELD(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (!strcmp(op, "Exists") || !strcmp(op, "DoesNotExist")) {
		if (r->n_values)
			field_forbidden(errors, FIELD(path, "values"),
				"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else if (!strcmp(op, "Gt") || !strcmp(op, "Lt")) {
		if (r->n_values != 1)
			field_required(errors, FIELD(path, "values"),
				"must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		field_invalid_json(errors, FIELD(path, "operator"), field_json(errors->arena, op),
			"not a valid selector operator");
	}
	validate_text(errors, FIELD(path, "key"), r->key, check_qualified_name(errors->arena, str_or_empty(r->key)));
	size_t n = errors->n_items;
	for (size_t i = 0; !any_value && i < r->n_values; i++)
		validate_text(errors, FIELD_INDEX(FIELD(path, "values"), i), r->values[i],
			check_label_value(errors->arena, r->values[i]));
	field_keep(errors, n, KEPT_NODE_VALUES);
}

static void check_field_requirement(
	struct field_errors *errors, const struct field_path *path, const CoreV1NodeSelectorRequirement *r)
{
	if (!str_eq(r->operator, "In") && !str_eq(r->operator, "NotIn"))
		field_invalid_json(errors, FIELD(path, "operator"), field_json(errors->arena, r->operator),
			"not a valid selector operator");
	else if (r->n_values != 1)
		field_required(errors, FIELD(path, "values"),
			"must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
	if (!str_eq(r->key, "metadata.name")) {
		field_invalid(errors, FIELD(path, "key"), r->key, "not a valid field selector key");
		return;
	}
	for (size_t i = 0; i < r->n_values; i++)
		validate_text(errors, FIELD_INDEX(FIELD(path, "values"), i), r->values[i],
			check_dns_subdomain(errors->arena, r->values[i]));
}

/* A preference may name values that no label can have. */
static void check_term(
	struct field_errors *errors, const struct field_path *path, const CoreV1NodeSelectorTerm *term, bool any_value)
{
	for (size_t i = 0; term && i < term->n_match_expressions; i++)
		check_requirement(
			errors, FIELD_INDEX(FIELD(path, "matchExpressions"), i), term->match_expressions[i], any_value);
	for (size_t i = 0; term && i < term->n_match_fields; i++)
		check_field_requirement(errors, FIELD_INDEX(FIELD(path, "matchFields"), i), term->match_fields[i]);
}

void validate_node_selector(
	struct field_errors *errors, const struct field_path *path, const CoreV1NodeSelector *selector)
{
	const struct field_path *terms = FIELD(path, "nodeSelectorTerms");
	if (!selector->n_node_selector_terms)
		field_required(errors, terms, "must have at least one node selector term");
	for (size_t i = 0; i < selector->n_node_selector_terms; i++)
		check_term(errors, FIELD_INDEX(terms, i), selector->node_selector_terms[i], false);
}

static void check_weight(struct field_errors *errors, const struct field_path *path, int32_t weight)
{
	if (weight < 1 || weight > 100)
		field_invalid_int(errors, FIELD(path, "weight"), weight, "must be in the range 1-100");
}

static void check_pod_term(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodAffinityTerm *term)
{
	if (!term)
		term = API_NEW(errors->arena, CoreV1PodAffinityTerm);
	validate_label_selector(errors, FIELD(path, "labelSelector"), term->label_selector);
	validate_label_selector(errors, FIELD(path, "namespaceSelector"), term->namespace_selector);
	for (size_t i = 0; i < term->n_namespaces; i++)
		validate_text(errors, FIELD(path, "namespace"), term->namespaces[i],
			check_dns_label(errors->arena, term->namespaces[i]));
	validate_label_keys(errors, path,
		&(const struct label_keys){term->match_label_keys, term->n_match_label_keys, term->mismatch_label_keys,
			term->n_mismatch_label_keys},
		term->label_selector);
	if (str_empty(term->topology_key))
		field_required(errors, FIELD(path, "topologyKey"), "can not be empty");
	validate_text(errors, FIELD(path, "topologyKey"), term->topology_key,
		check_qualified_name(errors->arena, str_or_empty(term->topology_key)));
}

static void check_pod_terms(struct field_errors *errors, const struct field_path *path,
	CoreV1PodAffinityTerm *const *required, size_t n_required, CoreV1WeightedPodAffinityTerm *const *preferred,
	size_t n_preferred)
{
	for (size_t i = 0; i < n_required; i++)
		check_pod_term(errors, FIELD_INDEX(FIELD(path, "requiredDuringSchedulingIgnoredDuringExecution"), i),
			required[i]);
	for (size_t i = 0; i < n_preferred; i++) {
		const struct field_path *at =
			FIELD_INDEX(FIELD(path, "preferredDuringSchedulingIgnoredDuringExecution"), i);
		check_weight(errors, at, preferred[i]->weight);
		check_pod_term(errors, FIELD(at, "podAffinityTerm"), preferred[i]->pod_affinity_term);
	}
}

void validate_affinity(struct field_errors *errors, const struct field_path *path, const CoreV1Affinity *a)
{
	if (!a)
		return;
	const CoreV1NodeAffinity *node = a->node_affinity;
	const struct field_path *at = FIELD(path, "nodeAffinity");
	if (node && node->required_during_scheduling_ignored_during_execution)
		validate_node_selector(errors, FIELD(at, "requiredDuringSchedulingIgnoredDuringExecution"),
			node->required_during_scheduling_ignored_during_execution);
	for (size_t i = 0; node && i < node->n_preferred_during_scheduling_ignored_during_execution; i++) {
		const CoreV1PreferredSchedulingTerm *term =
			node->preferred_during_scheduling_ignored_during_execution[i];
		const struct field_path *term_path =
			FIELD_INDEX(FIELD(at, "preferredDuringSchedulingIgnoredDuringExecution"), i);
		check_weight(errors, term_path, term->weight);
		check_term(errors, FIELD(term_path, "preference"), term->preference, true);
	}
	const CoreV1PodAffinity *pod = a->pod_affinity;
	if (pod)
		check_pod_terms(errors, FIELD(path, "podAffinity"),
			pod->required_during_scheduling_ignored_during_execution,
			pod->n_required_during_scheduling_ignored_during_execution,
			pod->preferred_during_scheduling_ignored_during_execution,
			pod->n_preferred_during_scheduling_ignored_during_execution);
	const CoreV1PodAntiAffinity *anti = a->pod_anti_affinity;
	if (anti)
		check_pod_terms(errors, FIELD(path, "podAntiAffinity"),
			anti->required_during_scheduling_ignored_during_execution,
			anti->n_required_during_scheduling_ignored_during_execution,
			anti->preferred_during_scheduling_ignored_during_execution,
			anti->n_preferred_during_scheduling_ignored_during_execution);
}

void validate_tolerations(
	struct field_errors *errors, const struct field_path *path, CoreV1Toleration *const *tolerations, size_t n)
{
	static const char *const operators[] = {"Equal", "Exists", NULL};
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	for (size_t i = 0; i < n; i++) {
		const CoreV1Toleration *t = tolerations[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!str_empty(t->key))
			validate_text(errors, FIELD(at, "key"), t->key, check_qualified_name(errors->arena, t->key));
		else if (!str_eq(t->operator, "Exists"))
			field_invalid(errors, FIELD(at, "operator"), t->operator,
				"operator must be Exists when `key` is empty, which means \"match all values and all "
				"keys\"");
		if (t->has_toleration_seconds && !str_eq(t->effect, "NoExecute"))
			field_invalid_json(errors, FIELD(at, "effect"), field_json(errors->arena, t->effect),
				"effect must be 'NoExecute' when `tolerationSeconds` is set");
		if (str_empty(t->operator) || str_eq(t->operator, "Equal"))
			validate_text(errors, FIELD(at, "operator"), t->value,
				label_value_problems(errors->arena, str_or_empty(t->value), ";"));
		else if (!str_eq(t->operator, "Exists"))
			field_unsupported(errors, FIELD(at, "operator"), t->operator, operators);
		else if (!str_empty(t->value))
			field_invalid(errors, FIELD(at, "operator"), t->value,
				"value must be empty when `operator` is 'Exists'");
		if (!str_empty(t->effect) && !str_in(t->effect, effects))
			field_unsupported(errors, FIELD(at, "effect"), t->effect, effects);
	}
}
