#include "apiserver/http/patch_outcome.h"
#include <stdlib.h>
#include "api/restore.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"

static int by_name(const void *a, const void *b)
{
	return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

/* The members of one object, not what is below them; found fast from then on. */
static void sort_here(struct arena *arena, cJSON *object)
{
	cJSON **members = NULL;
	size_t n = 0;
	TREE_FOREACH (member, object)
		ARENA_PUSH(arena, members, n) = member;
	if (n < 2)
		return;
	qsort(members, n, sizeof(*members), by_name);
	object->child = NULL;
	for (size_t i = 0; i < n; i++) {
		members[i]->next = members[i]->prev = NULL;
		tree_append(object, members[i]);
	}
	tree_prepare(arena, object);
}

/* What a merge patch went through, and what it brought, is sorted; the rest is as it was. */
static void sort_merged(struct arena *arena, cJSON *made, const cJSON *patch)
{
	sort_here(arena, made);
	TREE_FOREACH (change, patch) {
		cJSON *now = tree_get(made, change->string);
		if (cJSON_IsObject(now) && cJSON_IsObject(change))
			sort_merged(arena, now, change);
		else if (cJSON_IsArray(now) && cJSON_IsArray(change))
			tree_sort(arena, now);
	}
}

/* A name of a JSON pointer: ~1 is a slash, ~0 a tilde. */
static char *unescaped(struct arena *arena, const char *name)
{
	char *out = arena_strdup(arena, name), *to = out;
	for (const char *p = name; *p; p++)
		*to++ = p[0] == '~' && p[1] ? (*++p == '1' ? '/' : '~') : *p;
	*to = 0;
	return out;
}

/* Of a JSON patch, the objects on the way to where an operation is: each once, however many operations lead there. */
static void sort_way(struct nameset *sorted, cJSON *made, const char *path)
{
	struct arena *arena = sorted->arena;
	char **names;
	size_t n = str_split(arena, str_or_empty(path), '/', &names);
	for (size_t i = 1; made && i < n; i++) {
		int64_t index;
		if (cJSON_IsObject(made) && nameset_add_pair(sorted, "", (intptr_t)made))
			sort_here(arena, made);
		if (cJSON_IsArray(made))
			made = str_to_int64(names[i], 0, INT32_MAX, &index) ? tree_at(made, (size_t)index) : NULL;
		else
			made = tree_get(made, unescaped(arena, names[i]));
	}
}

void patch_outcome_sort(struct arena *arena, enum patch_kind kind, const cJSON *patch, cJSON *made)
{
	struct nameset sorted = {.arena = arena};
	sort_here(arena, made);
	if (kind == PATCH_MERGE)
		sort_merged(arena, made, patch);
	TREE_FOREACH (op, kind == PATCH_JSON ? patch : NULL) {
		sort_way(&sorted, made, tree_string(tree_get(op, "path")));
		sort_way(&sorted, made, tree_string(tree_get(op, "from")));
	}
}

/* What applying has left of a strategic patch: its directives are gone, and the lists that it gave an order. */
static cJSON *without_spent(cJSON *patch)
{
	static const char order[] = "$setElementOrder/";
	for (cJSON *child = patch->child, *next; child; child = next) {
		next = child->next;
		const char *name = cJSON_IsObject(patch) ? child->string : "";
		if (str_starts_with(name, order)) {
			tree_remove(patch, name + strlen(order));
			next = child->next;
		}
		if (str_starts_with(name, order) || str_eq(name, "$patch") || str_eq(name, "$retainKeys"))
			tree_unlink(patch, child);
		else
			without_spent(child);
	}
	return patch;
}

struct status *patch_outcome_bad(struct request *request, const struct schema_type *type, enum patch_kind kind,
	const cJSON *patch, const cJSON *made, const char *why)
{
	struct arena *arena = request->arena;
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	cJSON *shown = tree_copy(arena, kind == PATCH_STRATEGIC ? patch : made);
	if (kind == PATCH_STRATEGIC) {
		tree_print_go(&text, without_spent(shown), false);
	} else {
		patch_outcome_sort(arena, kind, patch, shown);
		tree_print(&text, shown, 0);
	}
	void *unused;
	CLEANUP_STATUS struct status *wrong =
		type && kind != PATCH_STRATEGIC ? json_decode(arena, type, text.buf, text.len, NULL, &unused) : NULL;
	if (wrong)
		why = wrong->message;
	field_invalid(&errors, FIELD(NULL, "patch"), text.buf, arena_strdup(arena, why));
	return field_errors_status(&errors, "", "", "");
}

struct status *patch_outcome_restore(
	struct request *request, const struct schema_type *type, const cJSON *patch, cJSON *made)
{
	const char *problem = restore_problem(request->arena, type, made);
	if (problem)
		return patch_outcome_bad(request, type, PATCH_STRATEGIC, patch, made, problem);
	tree_set_string(request->arena, made, "kind", type->kind);
	tree_set_string(request->arena, made, "apiVersion", type->api_version);
	return NULL;
}
