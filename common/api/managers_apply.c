/* Server-side apply: merge, prune what is no longer named, find conflicts, take over. */
#include <stdlib.h>
#include "api/apply.h"
#include "api/managers_internal.h"
#include "api/meta.h"

/* --- removing what the applier names no more --- */

struct pruning {
	const struct managers_call *call;
	const struct managers *managers;
	const char *version; /* that of the last configuration */
	struct field_place place;
	const struct fieldset *last;
	const cJSON *merged; /* in that version */
};

static const struct fieldset *set_of(
	const struct managers_call *call, const struct field_place *place, const cJSON *tree)
{
	struct arena *arena = call->arena;
	return field_set_with_parents(arena, place, field_set_of(arena, place, field_value_of_tree(tree)));
}

static const struct fieldset *owned_at(const struct pruning *p, const char *version)
{
	const struct fieldset *all = NULL;
	for (size_t i = 0; i < p->managers->n_items; i++)
		if (str_eq(p->managers->items[i].api_version, version))
			all = fieldset_union(p->call->arena, all, p->managers->items[i].set);
	return all;
}

/* What somebody owns, in one version, comes back. */
static const cJSON *put_back(const struct pruning *p, const cJSON *pruned, const char *version)
{
	const struct managers_versions *v = p->call->versions;
	struct arena *arena = p->call->arena;
	struct field_place place;
	const cJSON *merged = v->convert(v->data, p->merged, version);
	const cJSON *left = v->convert(v->data, pruned, version);
	if (!merged || !left || !v->place(v->data, version, &place))
		return pruned;
	const struct fieldset *keep = fieldset_union(
		arena, set_of(p->call, &place, left), field_set_with_parents(arena, &place, owned_at(p, version)));
	return apply_remove(arena, &place, merged, fieldset_difference(arena, set_of(p->call, &place, merged), keep));
}

/* First in the version of the last configuration: what is missing there could not be converted. */
static const cJSON *put_back_owned(const struct pruning *p, const cJSON *pruned)
{
	if (owned_at(p, p->version))
		pruned = put_back(p, pruned, p->version);
	for (size_t i = 0; i < p->managers->n_items; i++) {
		const char *version = p->managers->items[i].api_version;
		bool seen = str_eq(version, p->version);
		for (size_t k = 0; k < i && !seen; k++)
			seen = str_eq(version, p->managers->items[k].api_version);
		if (!seen)
			pruned = put_back(p, pruned, version);
	}
	return pruned;
}

/* Gone is what this applier owned, names no more, and nobody else owns. */
static const cJSON *prune(const struct managers_call *call, const struct managers *managers, const cJSON *merged,
	const struct manager *last, const struct fieldset *named)
{
	const struct managers_versions *v = call->versions;
	struct arena *arena = call->arena;
	if (fieldset_empty(last->set))
		return merged;
	bool same_version = str_eq(last->api_version, call->api_version);
	if (same_version && fieldset_empty(fieldset_difference(arena, last->set, named)))
		return merged;
	struct pruning p = {.call = call, .managers = managers, .version = last->api_version};
	p.merged = v->convert(v->data, merged, p.version);
	if (!p.merged || !v->place(v->data, p.version, &p.place))
		return merged;
	p.last = field_set_with_parents(arena, &p.place, last->set);
	const cJSON *pruned = put_back_owned(&p, apply_remove(arena, &p.place, p.merged, p.last));
	pruned = v->convert(v->data, pruned, p.version);
	if (!pruned)
		return merged;
	const struct fieldset *gone =
		fieldset_difference(arena, set_of(call, &p.place, p.merged), set_of(call, &p.place, pruned));
	const cJSON *left = apply_remove(arena, &p.place, p.merged, fieldset_intersection(arena, gone, p.last));
	const cJSON *back = v->convert(v->data, left, call->api_version);
	return back ? back : left;
}

/* --- conflicts --- */

static void describe_manager(struct strbuf *out, const struct manager_id *m)
{
	strbuf_printf(out, "\"%s\"", m->name);
	if (*m->subresource)
		strbuf_printf(out, " with subresource \"%s\"", m->subresource);
	if (!m->applied)
		strbuf_printf(out, " using %s", m->api_version);
}

struct telling {
	struct status *status;
	struct strbuf *text;
	const char *manager;
	size_t n;
};

static void count_path(void *data, const char *path)
{
	++*(size_t *)data;
}

static void tell_path(void *data, const char *path)
{
	struct telling *t = data;
	t->n++;
	strbuf_printf(t->text, "\n- %s", path);
	status_add_cause(t->status, "FieldManagerConflict", path, "conflict with %s", t->manager);
}

static void one_path(void *data, const char *path)
{
	struct telling *t = data;
	strbuf_printf(t->text, "conflict with %s: %s", t->manager, path);
}

/* As the texts of their identifiers compare: one that goes on with a subresource stands before one that ends. */
static int by_manager(const void *a, const void *b)
{
	const struct manager_id *x = &((const struct manager_conflict *)a)->manager;
	const struct manager_id *y = &((const struct manager_conflict *)b)->manager;
	bool same = !strcmp(x->name, y->name) && x->applied == y->applied && !strcmp(x->api_version, y->api_version);
	if (same && !*x->subresource != !*y->subresource)
		return *x->subresource ? -1 : 1;
	return manager_id_compare(x, y);
}

struct status *manager_conflicts_status(struct arena *arena, const struct manager_conflicts *conflicts)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	size_t n = 0;
	struct manager_conflict *items =
		arena_dup(arena, conflicts->items, conflicts->n_items * sizeof(*conflicts->items));
	qsort(items, conflicts->n_items, sizeof(*items), by_manager);
	struct status *causes = status_new(STATUS_CONFLICT, "causes only");
	struct telling t = {.status = causes, .text = &text};
	for (size_t i = 0; i < conflicts->n_items; i++) {
		CLEANUP(strbuf_done) struct strbuf name = STRBUF_INIT;
		describe_manager(&name, &items[i].manager);
		t.manager = arena_strdup(arena, name.buf);
		fieldset_each(items[i].set, count_path, &n);
		strbuf_printf(&text, "%sconflicts with %s:", i ? "\n" : "", t.manager);
		fieldset_each(items[i].set, tell_path, &t);
	}
	if (n == 1) {
		strbuf_reset(&text);
		fieldset_each(items[0].set, one_path, &t);
	}
	struct status *s =
		status_new(STATUS_CONFLICT, "Apply failed with %zu conflict%s: %s", n, n == 1 ? "" : "s", text.buf);
	for (size_t i = 0; i < causes->n_causes; i++)
		status_add_cause(s, causes->causes[i].reason, causes->causes[i].field, "%s", causes->causes[i].message);
	status_free(causes);
	return s;
}

/* --- applying --- */

/* The values that an apply compares: trees, converted where a manager has another version. */
struct trees {
	const struct managers_versions *versions;
	const cJSON *before, *after;
};

static bool tree_place(void *data, const char *api_version, struct field_place *ret_place)
{
	const struct trees *t = data;
	return t->versions->place(t->versions->data, api_version, ret_place);
}

static const struct fieldset *tree_reset(void *data, const char *api_version)
{
	const struct trees *t = data;
	return t->versions->reset(t->versions->data, api_version);
}

static bool tree_values(
	void *data, const char *api_version, struct field_value *ret_before, struct field_value *ret_after)
{
	const struct trees *t = data;
	const cJSON *before = t->versions->convert(t->versions->data, t->before, api_version);
	const cJSON *after = t->versions->convert(t->versions->data, t->after, api_version);
	*ret_before = field_value_of_tree(before);
	*ret_after = field_value_of_tree(after);
	return before && after;
}

static struct managers copy_of(struct arena *arena, const struct managers *managers)
{
	struct managers copy = {0};
	for (size_t i = 0; i < managers->n_items; i++) {
		manager_fields(arena, &managers->items[i]);
		managers_add(arena, &copy, managers->items[i]);
	}
	return copy;
}

/* The applier's new entry; what it had before goes to *ret_last. */
static void claim(const struct managers_call *call, struct managers *managers, const struct fieldset *named,
	struct manager *ret_last)
{
	struct manager *mine = managers_find(managers, &call->self);
	*ret_last = mine ? *mine : (struct manager){.id = call->self, .api_version = call->api_version};
	struct manager now = *ret_last;
	if (!str_eq(now.api_version, call->api_version) || !fieldset_equal(now.set, named))
		now.entry = NULL;
	now.set = named;
	now.api_version = call->api_version;
	if (mine)
		*mine = now;
	else
		managers_add(call->arena, managers, now);
}

static void settle(const struct managers_call *call, struct managers *managers, bool changed)
{
	struct manager *mine = managers_find(managers, &call->self);
	if (!mine)
		return;
	const struct fieldset *stripped = managers_strip(call->arena, mine->set);
	if (fieldset_empty(stripped)) {
		managers_remove(managers, mine);
		return;
	}
	manager_set(mine, stripped);
	if (!changed)
		return;
	mine->time = time_new(call->arena, call->now_s);
	mine->entry = NULL;
}

struct status *managers_apply(const struct managers_call *call, struct managers *managers, const cJSON *live,
	const cJSON *config, bool force, cJSON **ret_tree, struct manager_conflicts *ret_conflicts)
{
	const struct managers_versions *v = call->versions;
	struct arena *arena = call->arena;
	struct field_place place;
	struct manager last;
	struct field_changes changes;
	*ret_tree = NULL;
	*ret_conflicts = (struct manager_conflicts){0};
	if (!v->place(v->data, call->api_version, &place))
		return status_internal("%s is no version of the object", call->api_version);
	struct managers after = copy_of(arena, managers);
	managers_reconcile(call, &after);
	const cJSON *tree = apply_merge(arena, &place, live, config);
	const struct fieldset *named = fieldset_without(
		arena, field_set_of(arena, &place, field_value_of_tree(config)), v->reset(v->data, call->api_version));
	claim(call, &after, named, &last);
	tree = prune(call, &after, tree, &last, named);
	struct trees trees = {v, live, tree};
	const struct managers_versions compared = {
		.data = &trees, .place = tree_place, .reset = tree_reset, .values = tree_values};
	struct managers_call comparing = *call;
	comparing.versions = &compared;
	managers_disown(&comparing, &after, &call->self, force, &changes, ret_conflicts);
	if (ret_conflicts->n_items)
		return NULL;
	bool changed = !tree_equal(live, tree);
	settle(call, &after, changed);
	*managers = after;
	*ret_tree = changed ? (cJSON *)(uintptr_t)tree : NULL; /* all of it was made here */
	return NULL;
}
