/*
 * Spreading over topologies, and the label keys that selectors take from the pod itself.
 */
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

static void check_keys(struct field_errors *errors, const struct field_path *path, char *const *keys, size_t n,
	const MetaV1LabelSelector *selector)
{
	if (n && !selector) {
		field_forbidden(errors, path, "must not be specified when labelSelector is not set");
		return;
	}
	for (size_t i = 0; i < n; i++)
		validate_text(errors, FIELD_INDEX(path, i), keys[i], check_qualified_name(errors->arena, keys[i]));
}

/* A key that expressions name twice, or the labels too: it was put there from the pod's labels, and was there before.
 */
static void check_selected_before(struct field_errors *errors, const struct field_path *path,
	const struct label_keys *keys, const MetaV1LabelSelector *selector)
{
	const struct map_index labels = map_index_of(errors->arena, selector->match_labels, selector->n_match_labels);
	struct nameset from_last = {.arena = errors->arena}, named = {.arena = errors->arena};
	for (size_t k = keys->n_match; k-- > 0;)
		nameset_add(&from_last, keys->match[k]);
	for (size_t i = 0; i < selector->n_match_expressions; i++) {
		const char *key = selector->match_expressions[i]->key;
		const size_t at = nameset_find(&from_last, key);
		const bool repeated = !nameset_add(&named, key) || map_index_get(&labels, key);
		if (repeated && at != SIZE_MAX)
			field_invalid(errors, FIELD_INDEX(path, keys->n_match - 1 - at), key,
				"exists in both matchLabelKeys and labelSelector");
	}
}

void validate_label_keys(struct field_errors *errors, const struct field_path *path, const struct label_keys *keys,
	const MetaV1LabelSelector *selector)
{
	struct nameset mismatch = {.arena = errors->arena};
	check_keys(errors, FIELD(path, "matchLabelKeys"), keys->match, keys->n_match, selector);
	check_keys(errors, FIELD(path, "mismatchLabelKeys"), keys->mismatch, keys->n_mismatch, selector);
	if (selector && keys->n_match)
		check_selected_before(errors, path, keys, selector);
	for (size_t i = 0; keys->n_match && i < keys->n_mismatch; i++)
		nameset_add(&mismatch, keys->mismatch[i]);
	for (size_t i = 0; i < keys->n_match; i++)
		if (nameset_has(&mismatch, keys->match[i]))
			field_invalid(errors, FIELD_INDEX(FIELD(path, "matchLabelKeys"), i), keys->match[i],
				"exists in both matchLabelKeys and mismatchLabelKeys");
}

static void check_min_domains(
	struct field_errors *errors, const struct field_path *path, const CoreV1TopologySpreadConstraint *c)
{
	if (!c->has_min_domains)
		return;
	if (c->min_domains <= 0)
		field_invalid_int(errors, path, c->min_domains, "must be greater than zero");
	if (!str_eq(c->when_unsatisfiable, "DoNotSchedule"))
		field_invalid_int(errors, path, c->min_domains,
			arena_printf(errors->arena,
				"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %s",
				str_or_empty(c->when_unsatisfiable)));
}

static void check_constraint(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec, size_t i)
{
	static const char *const actions[] = {"DoNotSchedule", "ScheduleAnyway", NULL};
	static const char *const policies[] = {"Honor", "Ignore", NULL};
	CoreV1TopologySpreadConstraint *const *all = spec->topology_spread_constraints;
	const CoreV1TopologySpreadConstraint *c = all[i];
	if (c->max_skew <= 0)
		field_invalid_int(errors, FIELD(path, "maxSkew"), c->max_skew, "must be greater than zero");
	if (str_empty(c->topology_key))
		field_required(errors, FIELD(path, "topologyKey"), "can not be empty");
	if (!str_in(str_or_empty(c->when_unsatisfiable), actions))
		field_unsupported(errors, FIELD(path, "whenUnsatisfiable"), c->when_unsatisfiable, actions);
	for (size_t k = i + 1; k < spec->n_topology_spread_constraints; k++)
		if (str_eq(c->topology_key, all[k]->topology_key) &&
			str_eq(c->when_unsatisfiable, all[k]->when_unsatisfiable)) {
			field_duplicate(errors, FIELD(path, "{topologyKey, whenUnsatisfiable}"),
				arena_printf(errors->arena, "{%s, %s}", str_or_empty(c->topology_key),
					str_or_empty(c->when_unsatisfiable)));
			break;
		}
	check_min_domains(errors, FIELD(path, "minDomains"), c);
	if (c->node_affinity_policy && !str_in(c->node_affinity_policy, policies))
		field_unsupported(errors, FIELD(path, "nodeAffinityPolicy"), c->node_affinity_policy, policies);
	if (c->node_taints_policy && !str_in(c->node_taints_policy, policies))
		field_unsupported(errors, FIELD(path, "nodeTaintsPolicy"), c->node_taints_policy, policies);
	validate_label_keys(errors, path,
		&(const struct label_keys){.match = c->match_label_keys, .n_match = c->n_match_label_keys},
		c->label_selector);
	size_t n = errors->n_items;
	validate_label_selector_strictly(errors, FIELD(path, "labelSelector"), c->label_selector);
	field_keep(errors, n, KEPT_SPREAD_SELECTORS);
}

void validate_spread(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_topology_spread_constraints; i++)
		check_constraint(errors, FIELD_INDEX(path, i), spec, i);
}
