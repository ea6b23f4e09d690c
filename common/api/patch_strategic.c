/* Applying strategic merge patches: maps member by member, lists as the schema says, with all directives. */
#include <string.h>
#include "api/patch_internal.h"
#include "base/nameset.h"

static bool is_directive_key(const char *key, const char *prefix)
{
	return str_starts_with(key, prefix) && (key[strlen(prefix)] == '/' || !key[strlen(prefix)]);
}

/* "$setElementOrder/containers" gives containers. */
static struct status *directive_field(const char *key, const char *prefix, const char **ret_name)
{
	const char *slash = key + strlen(prefix);

	if (*slash != '/')
		return status_bad_request("invalid patch format of %s: \"%s\" names no list", prefix, key);
	*ret_name = slash + 1;
	return NULL;
}

/* What is left of a value that is taken over as it is: nothing of objects that are directives. NULL when nothing is
 * left. */
static cJSON *without_directives(cJSON *node)
{
	if (cJSON_IsObject(node) && tree_get(node, DIRECTIVE))
		return NULL;
	for (cJSON *child = node->child, *next; child; child = next) {
		next = child->next;
		if (!without_directives(child))
			tree_unlink(node, child);
	}
	return node;
}

static void without_nulls(cJSON *node)
{
	for (cJSON *child = node->child, *next; child; child = next) {
		next = child->next;
		if (cJSON_IsObject(node) && cJSON_IsNull(child))
			tree_unlink(node, child);
		else
			without_nulls(child);
	}
}

static struct status *apply_map_directive(struct arena *arena, cJSON *patch, const cJSON *directive, cJSON **ret_merged)
{
	const char *what = tree_string(directive);

	if (str_eq(what, "replace")) {
		tree_remove(patch, DIRECTIVE);
		*ret_merged = patch;
		return NULL;
	}
	if (str_eq(what, "delete")) {
		*ret_merged = tree_new_object(arena);
		return NULL;
	}
	return patch_bad_type(patch, directive);
}

static struct status *apply_retain_keys(
	struct arena *arena, cJSON *original, cJSON *patch, const struct merge_options *options)
{
	cJSON *keys = tree_remove(patch, RETAIN_KEYS);

	if (!keys)
		return NULL;
	if (!options->parallel_lists) {
		const cJSON *old = tree_get(original, RETAIN_KEYS);
		if (old && !tree_equal(old, keys))
			return status_new(STATUS_UNKNOWN, "the patches to be joined retain different keys");
		if (!old)
			tree_set(arena, original, RETAIN_KEYS, keys);
		return NULL;
	}
	if (!cJSON_IsArray(keys))
		return status_bad_request("invalid patch format of retainKeys");
	struct nameset retained = {.arena = arena};
	TREE_FOREACH (key, keys)
		if (cJSON_IsString(key))
			nameset_add(&retained, tree_string(key));
	TREE_FOREACH (child, patch) {
		if (cJSON_IsNull(child) || str_starts_with(child->string, DELETE_LIST) ||
			str_starts_with(child->string, SET_ORDER))
			continue;
		if (!nameset_has(&retained, child->string))
			return status_bad_request("invalid patch format of retainKeys");
	}
	for (cJSON *child = original->child, *next; child; child = next) {
		next = child->next;
		if (!nameset_has(&retained, child->string))
			tree_unlink(original, child);
	}
	return NULL;
}

/* Two lists into those elements that stand in the other, and the rest. */
static struct status *partition(struct arena *arena, const struct nodes *all, const struct nodes *by,
	const char *merge_key, struct nodes *ret_in, struct nodes *ret_out)
{
	struct places places = places_of(arena, by, merge_key);
	for (size_t i = 0; i < all->n; i++) {
		if (merge_key && !cJSON_IsObject(all->items[i]))
			return status_bad_request(
				"expected an object as an element of a list that is merged by %s", merge_key);
		if (merge_key && !tree_get(all->items[i], merge_key))
			return patch_no_merge_key(all->items[i], merge_key);
		bool in = places_find(&places, all->items[i]) != SIZE_MAX;
		nodes_add(arena, in ? ret_in : ret_out, all->items[i]);
	}
	return NULL;
}

/* The elements of the patch in its order, those that only the server has woven in where they stood. */
static struct status *weave(struct arena *arena, struct nodes *patch, struct nodes *server,
	const struct nodes *patch_order, const struct nodes *server_order, const char *merge_key, bool objects,
	struct nodes *ret_all)
{
	size_t i = 0, j = 0;
	struct places places = places_of(arena, server_order, merge_key);

	TRY(nodes_sort_by(arena, patch, patch_order, merge_key, objects));
	TRY(nodes_sort_by(arena, server, server_order, merge_key, objects));
	while (i < server->n || j < patch->n) {
		bool left = j >= patch->n;
		if (i < server->n && j < patch->n) {
			size_t l = places_find(&places, server->items[i]);
			size_t r = places_find(&places, patch->items[j]);
			left = l != SIZE_MAX && r != SIZE_MAX && l < r;
		}
		nodes_add(arena, ret_all, left ? server->items[i++] : patch->items[j++]);
	}
	return NULL;
}

static void unique_scalars(struct arena *arena, struct nodes *list)
{
	struct nodes kept = {list->items, 0};
	struct places places = places_of(arena, &kept, NULL);

	for (size_t i = 0; i < list->n; i++)
		if (places_find(&places, list->items[i]) == SIZE_MAX)
			kept.items[kept.n++] = list->items[i];
	list->n = kept.n;
}

static void delete_matching(struct nodes *list, const char *merge_key, const cJSON *value)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		const cJSON *found = tree_get(list->items[i], merge_key);
		if (!found || !tree_equal(found, value))
			list->items[kept++] = list->items[i];
	}
	list->n = kept;
}

/* Elements of the patch that are directives: they act on the original and are gone. */
static struct status *apply_element_directives(
	struct arena *arena, struct nodes *original, struct nodes *patch, const char *merge_key)
{
	struct nodes plain = {0};
	bool replace = false;
	size_t n_deleted = 0;

	for (size_t i = 0; i < patch->n; i++)
		n_deleted += str_eq(tree_string(tree_get(patch->items[i], DIRECTIVE)), "delete");
	TRY(patch_check_work(n_deleted, original->n));
	for (size_t i = 0; i < patch->n; i++) {
		const cJSON *directive = tree_get(patch->items[i], DIRECTIVE);
		const char *what = tree_string(directive);
		if (!directive) {
			nodes_add(arena, &plain, patch->items[i]);
		} else if (str_eq(what, "delete")) {
			const cJSON *value = tree_get(patch->items[i], merge_key);
			if (!value)
				return patch_no_merge_key(patch->items[i], merge_key);
			delete_matching(original, merge_key, value);
		} else if (str_eq(what, "replace")) {
			replace = true;
		} else if (str_eq(what, "merge")) {
			return status_new(STATUS_UNKNOWN, "merging lists cannot yet be specified in the patch");
		} else {
			return patch_bad_type(patch->items[i], directive);
		}
	}
	if (replace)
		*original = plain;
	*patch = replace ? (struct nodes){0} : plain;
	return NULL;
}

static struct status *merge_elements(struct arena *arena, struct nodes *merged, const struct nodes *patch,
	const struct patch_rule *rule, const struct merge_options *options)
{
	struct places places = places_of(arena, merged, rule->merge_key);
	for (size_t i = 0; i < patch->n; i++) {
		cJSON *element = patch->items[i], *result = NULL;
		if (!tree_get(element, rule->merge_key))
			return patch_no_merge_key(element, rule->merge_key);
		size_t at = places_find(&places, element);
		if (at == SIZE_MAX) {
			nodes_add(arena, merged, element);
			continue;
		}
		TRY(patch_merge_maps(arena, merged->items[at], element, &rule->scope, options, &result));
		merged->items[at] = result;
	}
	return NULL;
}

static struct nodes copy_list(struct arena *arena, const struct nodes *list)
{
	struct nodes copy = {0};

	for (size_t i = 0; i < list->n; i++)
		nodes_add(arena, &copy, list->items[i]);
	return copy;
}

/* Merging empties the elements of the patch; their keys are still needed for the order. */
static struct nodes key_copies(struct arena *arena, const struct nodes *list, const char *merge_key)
{
	struct nodes copies = {0};

	for (size_t i = 0; i < list->n; i++) {
		const cJSON *key = tree_get(list->items[i], merge_key);
		cJSON *copy = tree_new_object(arena);
		if (key)
			tree_set(arena, copy, merge_key, tree_copy(arena, key));
		nodes_add(arena, &copies, copy);
	}
	return copies;
}

/*
 * The order of the server's list as the original sees it once elements were deleted: there the list is an array in
 * which the rest moves up and new elements take the places behind, while its old length stays. Where an element that
 * only the server has is put depends on it, so it is kept the same.
 */
static struct nodes shifted_order(struct arena *arena, const struct nodes *before, const struct nodes *merged)
{
	struct nodes order = copy_list(arena, before);
	size_t room = 1;

	while (room < before->n)
		room *= 2;
	for (size_t i = 0; i < before->n && i < merged->n && i < room; i++)
		order.items[i] = merged->items[i];
	return order;
}

static struct status *merge_lists(struct arena *arena, cJSON *original, cJSON *patch, const struct patch_rule *rule,
	bool deletions, const struct merge_options *options, cJSON **ret_merged, struct nodes *ret_order)
{
	struct nodes before = nodes_of(arena, original), changes = nodes_of(arena, patch), order = changes,
		     server_order = before;
	struct nodes merged = {0}, of_patch = {0}, of_server = {0}, all = {0};
	const char *merge_key = rule->merge_key;
	int kind = 0;

	*ret_merged = original;
	*ret_order = before;
	if (!before.n && !changes.n)
		return NULL;
	TRY(nodes_kind(&before, &changes, &kind));
	bool objects = kind == cJSON_Object;
	if (!objects && options->parallel_lists && deletions) {
		struct places places = places_of(arena, &changes, NULL);
		for (size_t i = 0; i < before.n; i++)
			if (places_find(&places, before.items[i]) == SIZE_MAX)
				nodes_add(arena, &all, before.items[i]);
		*ret_merged = nodes_to_array(arena, &all);
		return NULL;
	}
	for (size_t i = 0; i < before.n; i++)
		nodes_add(arena, &merged, before.items[i]);
	if (!objects) {
		merge_key = NULL;
		for (size_t i = 0; i < changes.n; i++)
			nodes_add(arena, &merged, changes.items[i]);
		unique_scalars(arena, &merged);
	} else {
		if (!merge_key)
			return status_new(STATUS_UNKNOWN, "cannot merge lists without merge key for %s",
				rule->scope.type ? rule->scope.type->kind : "");
		TRY(apply_element_directives(arena, &merged, &changes, merge_key));
		order = key_copies(arena, &changes, merge_key);
		server_order.n = 0;
		server_order.items = NULL;
		for (size_t i = 0; i < merged.n; i++)
			nodes_add(arena, &server_order, merged.items[i]);
		TRY(merge_elements(arena, &merged, &changes, rule, options));
		*ret_order = shifted_order(arena, &before, &merged);
	}
	TRY(partition(arena, &merged, &order, merge_key, &of_patch, &of_server));
	TRY(weave(arena, &of_patch, &of_server, &order, &server_order, merge_key, objects, &all));
	*ret_merged = nodes_to_array(arena, &all);
	return NULL;
}

static struct status *wrong_order(const cJSON *patch, const cJSON *order)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, "The order in patch list:\n");
	tree_print_go(&text, patch, false);
	strbuf_adds(&text, "\n doesn't match " SET_ORDER " list:\n");
	tree_print_go(&text, order, false);
	return status_new(STATUS_UNKNOWN, "%s\n", text.buf);
}

/* Two elements are compared by what both must have. */
static struct status *check_comparable(const cJSON *a, const cJSON *b, const char *merge_key)
{
	const cJSON *const pair[] = {a, b};
	for (size_t i = 0; merge_key && i < ARRAY_SIZE(pair); i++)
		if (!cJSON_IsObject(pair[i]))
			return patch_bad_argument("map[string]interface {}", pair[i]);
	for (size_t i = 0; merge_key && i < ARRAY_SIZE(pair); i++)
		if (!tree_get(pair[i], merge_key))
			return patch_no_merge_key(pair[i], merge_key);
	return NULL;
}

/* The elements of the patch must stand in the order that its directive gives. */
static struct status *check_order(
	struct arena *arena, const cJSON *changes, const cJSON *order_list, const char *merge_key)
{
	const struct nodes patch_nodes = nodes_of(arena, changes), order_nodes = nodes_of(arena, order_list),
			   *patch = &patch_nodes, *order = &order_nodes;
	size_t i = 0, j = 0;

	if (!order->n || !patch->n)
		return NULL;
	while (i < patch->n && j < order->n) {
		if (cJSON_IsObject(patch->items[i]) && tree_get(patch->items[i], DIRECTIVE)) {
			i++;
			continue;
		}
		struct nodes one = {order->items + j, 1};
		TRY(check_comparable(patch->items[i], order->items[j], merge_key));
		i += nodes_index(&one, patch->items[i], merge_key) == 0;
		j++;
	}
	while (i < patch->n && cJSON_IsObject(patch->items[i]) && tree_get(patch->items[i], DIRECTIVE))
		i++;
	if (i < patch->n)
		return wrong_order(changes, order_list);
	return NULL;
}

/* One list with its order directive: merged and put into that order. */
static struct status *merge_ordered(struct arena *arena, cJSON *original, cJSON *patch, const char *name,
	const cJSON *order_list, const struct patch_scope *scope, const struct merge_options *options)
{
	cJSON *before = tree_get(original, name), *changes = tree_get(patch, name), *merged = before;
	struct nodes order = nodes_of(arena, order_list), of_patch = {0}, of_server = {0}, all = {0};
	struct patch_rule rule;
	int kind = 0;

	if ((before && !cJSON_IsArray(before)) || (changes && !cJSON_IsArray(changes)))
		return patch_bad_argument("[]interface {}", before && !cJSON_IsArray(before) ? before : changes);
	TRY(patch_rule(scope, name, true, &rule));
	struct nodes patch_nodes = nodes_of(arena, changes), server_order = nodes_of(arena, before);
	TRY(check_order(arena, changes, order_list, rule.merge_key));
	if (!before && !changes)
		return NULL;
	TRY(nodes_kind(&server_order, &patch_nodes, &kind));
	if (!before)
		merged = without_directives(changes);
	else if (changes && rule.merge)
		TRY(merge_lists(arena, before, changes, &rule, false, options, &merged, &server_order));
	else if (changes)
		merged = changes;
	struct nodes elements = nodes_of(arena, merged);
	TRY(partition(arena, &elements, &order, rule.merge_key, &of_patch, &of_server));
	TRY(weave(arena, &of_patch, &of_server, &order, &server_order, rule.merge_key, kind == cJSON_Object, &all));
	tree_set(arena, original, name, nodes_to_array(arena, &all));
	tree_remove(patch, name);
	return NULL;
}

static struct status *apply_orders(struct arena *arena, cJSON *original, cJSON *patch, const struct patch_scope *scope,
	const struct merge_options *options)
{
	for (cJSON *child = patch->child, *next; child; child = next) {
		const char *name = NULL;
		next = child->next;
		if (!is_directive_key(child->string, SET_ORDER))
			continue;
		char *key = child->string;
		tree_remove(patch, key);
		if (!options->parallel_lists) {
			const cJSON *old = tree_get(original, key);
			if (old && !tree_equal(old, child))
				return status_bad_request("invalid patch format of setElementOrder list");
			if (!old)
				tree_set(arena, original, key, tree_copy(arena, child));
		}
		if (!cJSON_IsArray(child))
			return patch_bad_argument("[]interface {}", child);
		TRY(directive_field(key, SET_ORDER, &name));
		TRY(merge_ordered(arena, original, patch, name, child, scope, options));
		next = patch->child; /* the list of that name is gone too: begin again */
	}
	return NULL;
}

/* A member that the original lacks, or has as another type: taken as the patch has it. */
static void take_member(
	struct arena *arena, cJSON *original, const char *key, cJSON *value, const struct merge_options *options)
{
	if (options->ignore_nulls)
		without_nulls(value);
	if (without_directives(value))
		tree_set(arena, original, key, value);
	else
		tree_remove(original, key);
}

static struct status *merge_member(struct arena *arena, cJSON *original, cJSON *patch, const char *key, cJSON *value,
	bool deletions, const struct patch_scope *scope, const struct merge_options *options)
{
	cJSON *old = tree_get(original, key), *merged = value;
	struct patch_rule rule;
	struct nodes order;

	tree_remove(patch, value->string);
	if (cJSON_IsNull(value)) {
		if (old)
			tree_remove(original, key);
		if (options->ignore_nulls)
			return NULL;
		old = NULL;
	}
	if (!old || tree_kind(old) != tree_kind(value)) {
		if (!deletions)
			take_member(arena, original, key, value, options);
		return NULL;
	}
	if (cJSON_IsObject(value)) {
		TRY(patch_rule(scope, key, false, &rule));
		if (!rule.replace)
			TRY(patch_merge_maps(arena, old, value, &rule.scope, options, &merged));
	} else if (cJSON_IsArray(value)) {
		TRY(patch_rule(scope, key, true, &rule));
		if (rule.merge || deletions)
			TRY(merge_lists(arena, old, value, &rule, deletions, options, &merged, &order));
	}
	tree_set(arena, original, key, merged);
	return NULL;
}

struct status *patch_merge_maps(struct arena *arena, cJSON *original, cJSON *patch, const struct patch_scope *scope,
	const struct merge_options *options, cJSON **ret_merged)
{
	const cJSON *directive = tree_get(patch, DIRECTIVE);

	if (directive)
		return apply_map_directive(arena, patch, directive, ret_merged);
	if (!original)
		original = tree_new_object(arena);
	tree_prepare(arena, original);
	tree_prepare(arena, patch);
	TRY(apply_retain_keys(arena, original, patch, options));
	TRY(apply_orders(arena, original, patch, scope, options));
	for (cJSON *child = patch->child, *next; child; child = next) {
		const char *key = child->string;
		next = child->next;
		bool deletions = str_starts_with(key, DELETE_LIST);
		if (deletions && !options->parallel_lists) {
			tree_remove(patch, key);
			tree_set(arena, original, key, child);
			continue;
		}
		if (deletions)
			TRY(directive_field(key, DELETE_LIST, &key));
		TRY(merge_member(arena, original, patch, key, child, deletions, scope, options));
	}
	*ret_merged = original;
	return NULL;
}

struct status *patch_strategic(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *patch, cJSON **ret_tree)
{
	const struct merge_options options = {.parallel_lists = true, .ignore_nulls = true};
	const struct patch_scope scope = {.type = type};

	if (!cJSON_IsObject(original) || !cJSON_IsObject(patch))
		return status_bad_request("invalid JSON document: a strategic merge patch is an object");
	return patch_merge_maps(arena, tree_copy(arena, original), tree_copy(arena, patch), &scope, &options, ret_tree);
}
