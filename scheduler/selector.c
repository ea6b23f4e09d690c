#include "scheduler/selector.h"
#include "base/str.h"

const char *label_value(MapStringEntry *const *labels, size_t n_labels, const char *key)
{
	for (size_t i = 0; i < n_labels; i++) {
		if (!strcmp(labels[i]->key, key))
			return str_or_empty(labels[i]->value);
	}
	return NULL;
}

static bool requirement_matches(const char *op, const char *have, char *const *values, size_t n_values)
{
	if (str_eq(op, "In"))
		return have && str_in_n(have, values, n_values);
	if (str_eq(op, "NotIn"))
		return !have || !str_in_n(have, values, n_values);
	if (str_eq(op, "Exists"))
		return have;
	if (str_eq(op, "DoesNotExist"))
		return !have;
	int64_t a, b;
	if (!have || n_values != 1 || !str_to_int64(have, INT64_MIN, INT64_MAX, &a) ||
		!str_to_int64(values[0], INT64_MIN, INT64_MAX, &b))
		return false;
	return str_eq(op, "Gt") ? a > b : str_eq(op, "Lt") && a < b;
}

bool label_selector_is_empty(const MetaV1LabelSelector *selector)
{
	return !selector->n_match_labels && !selector->n_match_expressions;
}

bool label_selector_matches(const MetaV1LabelSelector *selector, MapStringEntry *const *labels, size_t n_labels)
{
	if (!selector)
		return false;
	for (size_t i = 0; i < selector->n_match_labels; i++) {
		const char *have = label_value(labels, n_labels, selector->match_labels[i]->key);
		if (!have || !str_eq(have, selector->match_labels[i]->value))
			return false;
	}
	for (size_t i = 0; i < selector->n_match_expressions; i++) {
		const MetaV1LabelSelectorRequirement *r = selector->match_expressions[i];
		const char *have = label_value(labels, n_labels, str_or_empty(r->key));
		if (str_eq(r->operator, "Gt") || str_eq(r->operator, "Lt") ||
			!requirement_matches(r->operator, have, r->values, r->n_values))
			return false;
	}
	return true;
}

bool toleration_matches(const CoreV1Toleration *t, const char *key, const char *value, const char *effect)
{
	if (!str_empty(t->effect) && !str_eq(t->effect, effect))
		return false;
	if (!str_empty(t->key) && !str_eq(t->key, key))
		return false;
	if (str_empty(t->operator) || str_eq(t->operator, "Equal"))
		return str_eq(t->value, value);
	return str_eq(t->operator, "Exists");
}

bool tolerations_match(
	CoreV1Toleration *const *tolerations, size_t n, const char *key, const char *value, const char *effect)
{
	for (size_t i = 0; i < n; i++) {
		if (toleration_matches(tolerations[i], key, value, effect))
			return true;
	}
	return false;
}

uint32_t label_set_get(const struct label_set *labels, uint32_t key)
{
	size_t low = 0, high = labels->n_items;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (labels->items[middle].key == key)
			return labels->items[middle].value;
		if (labels->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return INTERN_NONE;
}

static struct node_requirement compile_requirement(
	struct arena *arena, const struct intern *strings, const CoreV1NodeSelectorRequirement *r, bool on_name)
{
	static const char *const ops[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
	struct node_requirement out = {
		.key = intern_find(strings, r->key),
		.op = NODE_INVALID,
		.on_name = on_name,
		.values = r->n_values ? ARENA_ARRAY(arena, uint32_t, r->n_values) : NULL,
		.n_values = r->n_values,
		.texts = r->values,
	};
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (str_eq(r->operator, ops[i]))
			out.op = (int)i;
	}
	for (size_t i = 0; i < r->n_values; i++)
		out.values[i] = intern_find(strings, r->values[i]);
	if (out.op == NODE_GT || out.op == NODE_LT) {
		if (r->n_values != 1 || !str_to_int64(r->values[0], INT64_MIN, INT64_MAX, &out.number))
			out.op = NODE_INVALID;
	}
	if (on_name && (out.op > NODE_NOT_IN || !str_eq(r->key, "metadata.name")))
		out.op = NODE_INVALID;
	return out;
}

struct node_term node_term_compile(
	struct arena *arena, const struct intern *strings, const CoreV1NodeSelectorTerm *term)
{
	size_t n = term->n_match_expressions + term->n_match_fields;
	struct node_term out = {n ? ARENA_ARRAY(arena, struct node_requirement, n) : NULL, 0};
	for (size_t i = 0; i < term->n_match_expressions; i++)
		out.items[out.n_items++] = compile_requirement(arena, strings, term->match_expressions[i], false);
	for (size_t i = 0; i < term->n_match_fields; i++)
		out.items[out.n_items++] = compile_requirement(arena, strings, term->match_fields[i], true);
	return out;
}

struct node_selector node_selector_compile(
	struct arena *arena, const struct intern *strings, const CoreV1NodeSelector *selector)
{
	size_t n = selector->n_node_selector_terms;
	struct node_selector out = {n ? ARENA_ARRAY(arena, struct node_term, n) : NULL, n};
	for (size_t i = 0; i < n; i++)
		out.terms[i] = node_term_compile(arena, strings, selector->node_selector_terms[i]);
	return out;
}

struct node_term node_term_of_map(
	struct arena *arena, const struct intern *strings, MapStringEntry *const *labels, size_t n_labels)
{
	struct node_term out = {n_labels ? ARENA_ARRAY(arena, struct node_requirement, n_labels) : NULL, n_labels};
	for (size_t i = 0; i < n_labels; i++) {
		uint32_t *value = ARENA_NEW(arena, uint32_t);
		*value = intern_find(strings, labels[i]->value);
		out.items[i] = (struct node_requirement){
			.key = intern_find(strings, labels[i]->key), .op = NODE_IN, .values = value, .n_values = 1};
	}
	return out;
}

static bool in_ids(const struct node_requirement *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_values; i++) {
		if (r->values[i] == id)
			return true;
	}
	return false;
}

static bool name_matches(const struct node_requirement *r, const char *name)
{
	bool in = str_in_n(name, r->texts, r->n_values);
	return r->op == NODE_IN ? in : r->op == NODE_NOT_IN && !in;
}

static bool node_requirement_matches(const struct node_requirement *r, const struct node_view *node)
{
	if (r->op == NODE_INVALID)
		return false;
	if (r->on_name)
		return name_matches(r, node->name);
	uint32_t have = r->key == INTERN_NONE ? INTERN_NONE : label_set_get(node->labels, r->key);
	int64_t number;
	switch (r->op) {
	case NODE_IN:
		return have != INTERN_NONE && in_ids(r, have);
	case NODE_NOT_IN:
		return have == INTERN_NONE || !in_ids(r, have);
	case NODE_EXISTS:
		return have != INTERN_NONE;
	case NODE_MISSING:
		return have == INTERN_NONE;
	default:
		if (have == INTERN_NONE ||
			!str_to_int64(intern_string(node->strings, have), INT64_MIN, INT64_MAX, &number))
			return false;
		return r->op == NODE_GT ? number > r->number : number < r->number;
	}
}

bool node_term_matches(const struct node_term *term, const struct node_view *node)
{
	for (size_t i = 0; i < term->n_items; i++) {
		if (!node_requirement_matches(&term->items[i], node))
			return false;
	}
	return term->n_items > 0;
}

bool node_selector_matches(const struct node_selector *selector, const struct node_view *node)
{
	for (size_t i = 0; i < selector->n_terms; i++) {
		if (node_term_matches(&selector->terms[i], node))
			return true;
	}
	return false;
}

static bool object_term_matches(const CoreV1NodeSelectorTerm *term, const CoreV1Node *node)
{
	const MetaV1ObjectMeta *meta = node->metadata;
	for (size_t i = 0; i < term->n_match_expressions; i++) {
		const CoreV1NodeSelectorRequirement *r = term->match_expressions[i];
		const char *have = meta ? label_value(meta->labels, meta->n_labels, str_or_empty(r->key)) : NULL;
		if (!requirement_matches(r->operator, have, r->values, r->n_values))
			return false;
	}
	for (size_t i = 0; i < term->n_match_fields; i++) {
		const CoreV1NodeSelectorRequirement *r = term->match_fields[i];
		if (!str_eq(r->key, "metadata.name") ||
			!requirement_matches(r->operator, meta ? str_or_empty(meta->name) : "", r->values, r->n_values))
			return false;
	}
	return term->n_match_expressions + term->n_match_fields > 0;
}

bool pod_matches_node_object(const CoreV1Pod *pod, const CoreV1Node *node)
{
	const MetaV1ObjectMeta *meta = node->metadata;
	for (size_t i = 0; pod->spec && i < pod->spec->n_node_selector; i++) {
		const char *have =
			meta ? label_value(meta->labels, meta->n_labels, pod->spec->node_selector[i]->key) : NULL;
		if (!have || !str_eq(have, pod->spec->node_selector[i]->value))
			return false;
	}
	const CoreV1Affinity *affinity = pod->spec ? pod->spec->affinity : NULL;
	const CoreV1NodeSelector *required =
		affinity && affinity->node_affinity
			? affinity->node_affinity->required_during_scheduling_ignored_during_execution
			: NULL;
	if (!required)
		return true;
	for (size_t i = 0; i < required->n_node_selector_terms; i++) {
		if (object_term_matches(required->node_selector_terms[i], node))
			return true;
	}
	return false;
}
