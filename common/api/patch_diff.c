/* Making patches: what turns one tree into another, and what kubectl apply sends. */
#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/patch_internal.h"

struct diff_options {
	bool ignore_deletions, ignore_changes, set_order, retain_keys;
};

static struct status *diff_maps(struct arena *arena, const cJSON *original, const cJSON *modified,
	const struct patch_scope *scope, const struct diff_options *options, cJSON **ret_patch);

static void put_copy(struct arena *arena, cJSON *patch, const char *key, const cJSON *value)
{
	tree_set(arena, patch, key, tree_copy(arena, value));
}

/* What a scalar is sorted by: its text. */
static const char *sort_text(const cJSON *node)
{
	switch (tree_kind(node)) {
	case cJSON_False:
		return cJSON_IsTrue(node) ? "true" : "false";
	case cJSON_NULL:
		return "<nil>";
	default:
		return str_or_empty(node->valuestring);
	}
}

static void sort_nodes(struct nodes *list, const char *merge_key)
{
	for (size_t i = 1; i < list->n; i++) {
		cJSON *node = list->items[i];
		const char *text = sort_text(merge_key ? tree_get(node, merge_key) : node);
		size_t at = i;
		for (; at > 0; at--) {
			const cJSON *before =
				merge_key ? tree_get(list->items[at - 1], merge_key) : list->items[at - 1];
			if (strcmp(sort_text(before), text) <= 0)
				break;
			list->items[at] = list->items[at - 1];
		}
		list->items[at] = node;
	}
}

/* Which of two sorted lists comes next: below 0 the first, above 0 the second, 0 both. */
static int compare_heads(const struct nodes *a, size_t i, const struct nodes *b, size_t j, const char *merge_key)
{
	if (i >= a->n || j >= b->n)
		return i >= a->n ? 1 : -1;
	const cJSON *x = merge_key ? tree_get(a->items[i], merge_key) : a->items[i];
	const cJSON *y = merge_key ? tree_get(b->items[j], merge_key) : b->items[j];
	return strcmp(sort_text(x), sort_text(y));
}

static struct nodes copy_nodes(struct arena *arena, const struct nodes *list)
{
	struct nodes copy = {0};

	for (size_t i = 0; i < list->n; i++)
		nodes_add(arena, &copy, list->items[i]);
	return copy;
}

static void diff_scalars(struct arena *arena, const struct nodes *original, const struct nodes *modified,
	const struct diff_options *options, struct nodes *ret_add, struct nodes *ret_delete)
{
	struct nodes a = copy_nodes(arena, original), b = copy_nodes(arena, modified);

	sort_nodes(&a, NULL);
	sort_nodes(&b, NULL);
	for (size_t i = 0, j = 0; i < a.n || j < b.n;) {
		int c = compare_heads(&a, i, &b, j, NULL);
		if (c < 0 && !options->ignore_deletions && nodes_index(ret_delete, a.items[i], NULL) == SIZE_MAX)
			nodes_add(arena, ret_delete, tree_copy(arena, a.items[i]));
		if (c > 0 && !options->ignore_changes)
			nodes_add(arena, ret_add, tree_copy(arena, b.items[j]));
		i += c <= 0;
		j += c >= 0;
	}
}

static cJSON *delete_directive(struct arena *arena, const cJSON *element, const char *merge_key)
{
	cJSON *directive = tree_new_object(arena);

	tree_set_string(arena, directive, DIRECTIVE, "delete");
	put_copy(arena, directive, merge_key, tree_get(element, merge_key));
	return directive;
}

static struct status *check_elements(const struct nodes *list, const char *merge_key)
{
	for (size_t i = 0; i < list->n; i++)
		if (!merge_key || !tree_get(list->items[i], merge_key))
			return patch_no_merge_key(list->items[i], str_or_empty(merge_key));
	return NULL;
}

static struct status *diff_objects(struct arena *arena, const struct nodes *original, const struct nodes *modified,
	const struct patch_rule *rule, const struct diff_options *options, struct nodes *ret_patch,
	struct nodes *ret_delete)
{
	struct nodes a = copy_nodes(arena, original), b = copy_nodes(arena, modified);

	TRY(check_elements(&a, rule->merge_key));
	TRY(check_elements(&b, rule->merge_key));
	sort_nodes(&a, rule->merge_key);
	sort_nodes(&b, rule->merge_key);
	for (size_t i = 0, j = 0; i < a.n || j < b.n;) {
		int c = compare_heads(&a, i, &b, j, rule->merge_key);
		if (c < 0 && !options->ignore_deletions) {
			nodes_add(arena, ret_delete, delete_directive(arena, a.items[i], rule->merge_key));
		} else if (c > 0 && !options->ignore_changes) {
			nodes_add(arena, ret_patch, tree_copy(arena, b.items[j]));
		} else if (!c) {
			cJSON *patch = NULL;
			TRY(diff_maps(arena, a.items[i], b.items[j], &rule->scope, options, &patch));
			if (patch->child) {
				put_copy(arena, patch, rule->merge_key, tree_get(b.items[j], rule->merge_key));
				nodes_add(arena, ret_patch, patch);
			}
		}
		i += c <= 0;
		j += c >= 0;
	}
	return NULL;
}

static bool same_order(const struct nodes *a, const struct nodes *b, const char *merge_key)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!tree_equal(tree_get(a->items[i], merge_key), tree_get(b->items[i], merge_key)))
			return false;
	return true;
}

static bool same_list(const struct nodes *a, const struct nodes *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!tree_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

static void put_list(struct arena *arena, cJSON *patch, const char *prefix, const char *key, const struct nodes *list)
{
	tree_set(arena, patch, prefix ? arena_printf(arena, "%s/%s", prefix, key) : key, nodes_to_array(arena, list));
}

static void put_key_order(
	struct arena *arena, cJSON *patch, const char *key, const struct nodes *modified, const char *merge_key)
{
	struct nodes order = {0};

	for (size_t i = 0; i < modified->n; i++) {
		cJSON *element = tree_new_object(arena);
		put_copy(arena, element, merge_key, tree_get(modified->items[i], merge_key));
		nodes_add(arena, &order, element);
	}
	put_list(arena, patch, SET_ORDER, key, &order);
}

static struct status *diff_object_list(struct arena *arena, const char *key, const struct nodes *original,
	const struct nodes *modified, const struct patch_rule *rule, const struct diff_options *options, cJSON *patch)
{
	struct nodes changed = {0}, deleted = {0};

	TRY(diff_objects(arena, original, modified, rule, options, &changed, &deleted));
	TRY(nodes_sort_by(arena, &changed, modified, rule->merge_key, true));
	for (size_t i = 0; i < deleted.n; i++)
		nodes_add(arena, &changed, deleted.items[i]);
	bool order_matters =
		(!options->ignore_changes && (changed.n || !same_order(original, modified, rule->merge_key))) ||
		(!options->ignore_deletions && changed.n);
	if (changed.n)
		put_list(arena, patch, NULL, key, &changed);
	if (options->set_order && order_matters && modified->n)
		put_key_order(arena, patch, key, modified, rule->merge_key);
	return NULL;
}

static struct status *diff_scalar_list(struct arena *arena, const char *key, const struct nodes *original,
	const struct nodes *modified, const struct diff_options *options, cJSON *patch)
{
	struct nodes added = {0}, deleted = {0};

	diff_scalars(arena, original, modified, options, &added, &deleted);
	TRY(nodes_sort_by(arena, &added, modified, NULL, false));
	/* The original compares the old list, sorted by then, with the new one: a new list in sorted order stays quiet.
	 */
	struct nodes sorted = copy_nodes(arena, original);
	sort_nodes(&sorted, NULL);
	bool order_matters = (!options->ignore_deletions && deleted.n) ||
			     (!options->ignore_changes && !same_list(&sorted, modified));
	if (added.n)
		put_list(arena, patch, NULL, key, &added);
	if (deleted.n)
		put_list(arena, patch, DELETE_LIST, key, &deleted);
	if (options->set_order && order_matters && modified->n) {
		struct nodes order = {0};
		for (size_t i = 0; i < modified->n; i++)
			nodes_add(arena, &order, tree_copy(arena, modified->items[i]));
		put_list(arena, patch, SET_ORDER, key, &order);
	}
	return NULL;
}

static struct status *diff_lists(struct arena *arena, const char *key, const cJSON *original, const cJSON *modified,
	const struct patch_rule *rule, const struct diff_options *options, cJSON *patch)
{
	struct nodes a = nodes_of(arena, original), b = nodes_of(arena, modified);
	int kind = 0;

	if (!a.n) {
		if (b.n && !options->ignore_changes)
			put_copy(arena, patch, key, modified);
		return NULL;
	}
	TRY(nodes_kind(&a, &b, &kind));
	if (kind == cJSON_Object)
		return diff_object_list(arena, key, &a, &b, rule, options, patch);
	return diff_scalar_list(arena, key, &a, &b, options, patch);
}

static struct status *diff_containers(struct arena *arena, const cJSON *original, const cJSON *modified,
	const struct patch_scope *scope, const struct diff_options *options, cJSON *patch)
{
	const char *key = modified->string;
	struct diff_options below = *options;
	struct patch_rule rule;
	cJSON *child = NULL;

	struct status *status = patch_rule(scope, key, cJSON_IsArray(modified), &rule);
	if (status && tree_equal(original, modified)) {
		status_drop(status, "what did not change needs no rule");
		return NULL;
	}
	if (status)
		return status;
	below.retain_keys = rule.retain_keys;
	if (cJSON_IsObject(modified)) {
		if (rule.replace) {
			if (!options->ignore_changes)
				put_copy(arena, patch, key, modified);
			return NULL;
		}
		TRY(diff_maps(arena, original, modified, &rule.scope, &below, &child));
		if (child->child)
			tree_set(arena, patch, key, child);
		return NULL;
	}
	if (rule.merge)
		return diff_lists(arena, key, original, modified, &rule, &below, patch);
	if (!options->ignore_changes && !tree_equal(original, modified))
		put_copy(arena, patch, key, modified);
	return NULL;
}

static struct status *diff_member(struct arena *arena, const cJSON *old, const cJSON *child,
	const struct patch_scope *scope, const struct diff_options *options, cJSON *patch)
{
	if (old && tree_kind(old) == tree_kind(child) && (cJSON_IsObject(child) || cJSON_IsArray(child)))
		return diff_containers(arena, old, child, scope, options, patch);
	if ((!old || !tree_equal(old, child)) && !options->ignore_changes)
		put_copy(arena, patch, child->string, child);
	return NULL;
}

static struct status *diff_maps(struct arena *arena, const cJSON *original, const cJSON *modified,
	const struct patch_scope *scope, const struct diff_options *options, cJSON **ret_patch)
{
	cJSON *patch = tree_new_object(arena);
	struct nodes retained = {0};
	bool more = false;

	TREE_FOREACH (child, modified) {
		if (options->retain_keys && !cJSON_IsNull(child))
			nodes_add(arena, &retained, tree_new_string(arena, child->string));
		TRY(diff_member(arena, tree_get(original, child->string), child, scope, options, patch));
	}
	TREE_FOREACH (child, original) {
		if (tree_get(modified, child->string))
			continue;
		more = true;
		if (!options->ignore_deletions)
			tree_set(arena, patch, child->string, tree_new_null(arena));
	}
	if (retained.n && (patch->child || more)) {
		sort_nodes(&retained, NULL);
		tree_set(arena, patch, RETAIN_KEYS, nodes_to_array(arena, &retained));
	}
	*ret_patch = patch;
	return NULL;
}

struct status *patch_create_strategic(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *modified, cJSON **ret_patch)
{
	const struct diff_options options = {.set_order = true};
	const struct patch_scope scope = {.type = type};

	return diff_maps(arena, original, modified, &scope, &options, ret_patch);
}

struct status *patch_create_three_way(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *modified, const cJSON *current, cJSON **ret_patch)
{
	const struct diff_options changes = {.ignore_deletions = true, .set_order = true};
	const struct diff_options removals = {.ignore_changes = true, .set_order = true};
	const struct merge_options join = {0};
	const struct patch_scope scope = {.type = type};
	cJSON *delta = NULL, *deletions = NULL;

	TRY(diff_maps(arena, current, modified, &scope, &changes, &delta));
	TRY(diff_maps(arena, original, modified, &scope, &removals, &deletions));
	return patch_merge_maps(arena, deletions, delta, &scope, &join, ret_patch);
}

cJSON *patch_create_merge(struct arena *arena, const cJSON *original, const cJSON *modified)
{
	cJSON *patch = tree_new_object(arena);

	TREE_FOREACH (child, modified) {
		const cJSON *old = tree_get(original, child->string);
		if (cJSON_IsObject(old) && cJSON_IsObject(child)) {
			cJSON *below = patch_create_merge(arena, old, child);
			if (below->child)
				tree_set(arena, patch, child->string, below);
		} else if (!old || !tree_equal(old, child)) {
			put_copy(arena, patch, child->string, child);
		}
	}
	TREE_FOREACH (child, original)
		if (!tree_get(modified, child->string))
			tree_set(arena, patch, child->string, tree_new_null(arena));
	return patch;
}

/* Of a merge patch, only what adds and changes, or only the nulls. */
static cJSON *keep_part(struct arena *arena, const cJSON *patch, bool nulls)
{
	cJSON *kept = tree_new_object(arena);

	TREE_FOREACH (child, patch) {
		if (cJSON_IsObject(child)) {
			cJSON *below = keep_part(arena, child, nulls);
			if (below->child || (!nulls && !child->child))
				tree_set(arena, kept, child->string, below);
		} else if (cJSON_IsNull(child) == nulls) {
			put_copy(arena, kept, child->string, child);
		}
	}
	return kept;
}

static void join_patches(struct arena *arena, cJSON *to, const cJSON *from)
{
	TREE_FOREACH (child, from) {
		cJSON *old = tree_get(to, child->string);
		if (cJSON_IsObject(old) && cJSON_IsObject(child))
			join_patches(arena, old, child);
		else
			put_copy(arena, to, child->string, child);
	}
}

struct status *patch_create_three_way_merge(
	struct arena *arena, const cJSON *original, const cJSON *modified, const cJSON *current, cJSON **ret_patch)
{
	cJSON *changes = keep_part(arena, patch_create_merge(arena, current, modified), false);
	cJSON *removals = keep_part(arena, patch_create_merge(arena, original, modified), true);

	join_patches(arena, removals, changes);
	*ret_patch = removals;
	return NULL;
}
