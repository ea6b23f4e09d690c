#include "api/managers.h"
#include <stdlib.h>
#include "api/managers_internal.h"
#include "api/meta.h"

#define ANCIENT "ancient-changes"
#define TEXT_BYTES 4000 /* that most sets fit into */

/* --- who --- */

struct manager_id manager_id_of(const char *name, bool applied, const char *api_version, const char *subresource)
{
	return (struct manager_id){
		str_or_empty(name), applied, applied ? "" : str_or_empty(api_version), str_or_empty(subresource)};
}

int manager_id_compare(const struct manager_id *a, const struct manager_id *b)
{
	int c = strcmp(a->name, b->name);
	if (!c)
		c = (int)b->applied - (int)a->applied;
	if (!c)
		c = strcmp(a->api_version, b->api_version);
	return c ? c : strcmp(a->subresource, b->subresource);
}

struct manager *managers_find(const struct managers *managers, const struct manager_id *id)
{
	for (size_t i = 0; i < managers->n_items; i++)
		if (!manager_id_compare(&managers->items[i].id, id))
			return &managers->items[i];
	return NULL;
}

void managers_add(struct arena *arena, struct managers *managers, struct manager manager)
{
	ARENA_PUSH(arena, managers->items, managers->n_items) = manager;
}

void managers_remove(struct managers *managers, const struct manager *manager)
{
	size_t i = (size_t)(manager - managers->items);
	managers->n_items--;
	memmove(&managers->items[i], &managers->items[i + 1], (managers->n_items - i) * sizeof(*manager));
}

/* --- entries --- */

static struct status *read_set(struct arena *arena, const MetaV1ManagedFieldsEntry *e, const struct fieldset **ret_set)
{
	*ret_set = NULL;
	return e->fields_v1 && e->fields_v1->raw.len
		       ? fieldset_parse(arena, e->fields_v1->raw.data, e->fields_v1->raw.len, ret_set)
		       : NULL;
}

const struct fieldset *manager_fields(struct arena *arena, struct manager *manager)
{
	if (manager->unread)
		status_drop(read_set(arena, manager->entry, &manager->set), "what was stored broken says nothing");
	manager->unread = false;
	return manager->set;
}

static struct status *read_entry(
	struct arena *arena, MetaV1ManagedFieldsEntry *e, size_t index, bool trusted, struct manager *ret_manager)
{
	bool applied = str_eq(e->operation, "Apply");
	if (!applied && !str_eq(e->operation, "Update"))
		return status_bad_request("operation must be `Apply` or `Update`");
	if (str_empty(e->api_version))
		return status_bad_request("apiVersion must not be empty");
	if (str_empty(e->fields_type))
		return status_bad_request("missing fieldsType in managed fields entry %zu", index);
	if (!str_eq(e->fields_type, "FieldsV1"))
		return status_bad_request(
			"invalid fieldsType \"%s\" in managed fields entry %zu", e->fields_type, index);
	*ret_manager = (struct manager){.id = manager_id_of(e->manager, applied, e->api_version, e->subresource),
		.api_version = e->api_version,
		.time = e->time,
		.entry = e,
		.unread = trusted};
	return trusted ? NULL : read_set(arena, e, &ret_manager->set);
}

struct status *managers_read(struct arena *arena, MetaV1ManagedFieldsEntry *const *entries, size_t n_entries,
	bool trusted, struct managers *ret_managers)
{
	struct managers all = {0};
	for (size_t i = 0; i < n_entries; i++) {
		struct manager manager = {0};
		TRY(read_entry(arena, entries[i], i, trusted, &manager));
		struct manager *same = managers_find(&all, &manager.id);
		if (same)
			*same = manager;
		else
			managers_add(arena, &all, manager);
	}
	*ret_managers = all;
	return NULL;
}

static MetaV1ManagedFieldsEntry *entry_of_text(struct arena *arena, const struct manager *m, const struct strbuf *text)
{
	MetaV1ManagedFieldsEntry *e = API_NEW(arena, MetaV1ManagedFieldsEntry);
	e->manager = arena_strdup(arena, m->id.name);
	e->operation = arena_strdup(arena, m->id.applied ? "Apply" : "Update");
	e->api_version = arena_strdup(arena, m->api_version);
	e->subresource = arena_strdup(arena, m->id.subresource);
	e->time = m->time;
	e->fields_type = arena_strdup(arena, "FieldsV1");
	e->fields_v1 = API_NEW(arena, MetaV1FieldsV1);
	e->fields_v1->raw.data = arena_dup(arena, text->buf, text->len);
	e->fields_v1->raw.len = text->len;
	return e;
}

static MetaV1ManagedFieldsEntry *make_entry(struct arena *arena, const struct manager *m)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_grow(&text, TEXT_BYTES);
	fieldset_print(&text, m->set);
	return entry_of_text(arena, m, &text);
}

static int64_t seconds_of(const MetaV1Time *time)
{
	return time ? time->seconds : 0;
}

static int by_order(const void *a, const void *b)
{
	const MetaV1ManagedFieldsEntry *x = *(MetaV1ManagedFieldsEntry *const *)a,
				       *y = *(MetaV1ManagedFieldsEntry *const *)b;
	int c = strcmp(x->operation, y->operation);
	int64_t s = seconds_of(x->time), t = seconds_of(y->time);
	if (!c)
		c = (s > t) - (s < t);
	if (!c)
		c = strcmp(x->manager, y->manager);
	if (!c)
		c = strcmp(x->api_version, y->api_version);
	return c ? c : strcmp(x->subresource, y->subresource);
}

void managers_write(
	struct arena *arena, const struct managers *managers, MetaV1ManagedFieldsEntry ***ret_entries, size_t *ret_n)
{
	MetaV1ManagedFieldsEntry **entries = NULL;
	size_t n = 0;
	for (size_t i = 0; i < managers->n_items; i++) {
		const struct manager *m = &managers->items[i];
		ARENA_PUSH(arena, entries, n) = m->entry ? m->entry : make_entry(arena, m);
	}
	if (n)
		qsort(entries, n, sizeof(*entries), by_order);
	*ret_entries = entries;
	*ret_n = n;
}

void manager_set(struct manager *manager, const struct fieldset *set)
{
	if (manager->unread || manager->set == set)
		return;
	manager->set = set;
	manager->entry = NULL;
}

/* --- updates --- */

static bool changes_at(const struct managers_call *call, const char *api_version, struct field_changes *ret_changes)
{
	const struct managers_versions *v = call->versions;
	struct field_place place;
	struct field_value before, after;
	if (!v->place(v->data, api_version, &place) || !v->values(v->data, api_version, &before, &after))
		return false;
	const struct fieldset *reset = v->reset(v->data, api_version);
	struct field_changes changes = field_compare(call->arena, &place, before, after);
	changes.changed = fieldset_without(call->arena, changes.changed, reset);
	changes.removed = fieldset_without(call->arena, changes.removed, reset);
	*ret_changes = changes;
	return true;
}

/* Comparisons by version: mostly there is one. */
struct compared {
	const char *api_version;
	bool exists;
	struct field_changes changes;
};
struct comparisons {
	struct compared *items;
	size_t n_items;
};

static const struct compared *compared_at(
	const struct managers_call *call, struct comparisons *all, const char *api_version)
{
	for (size_t i = 0; i < all->n_items; i++)
		if (str_eq(all->items[i].api_version, api_version))
			return &all->items[i];
	struct compared c = {.api_version = api_version};
	c.exists = changes_at(call, api_version, &c.changes);
	ARENA_PUSH(call->arena, all->items, all->n_items) = c;
	return &all->items[all->n_items - 1];
}

/* A manager's fields, read as of the schema that there is now. */
static const struct fieldset *reconciled(const struct managers_call *call, struct manager *m)
{
	struct field_place place;
	if (!m->unread)
		return m->set;
	const struct fieldset *set = manager_fields(call->arena, m);
	if (call->versions->place(call->versions->data, m->api_version, &place))
		manager_set(m, field_set_reconcile(call->arena, &place, set));
	return m->set;
}

/* Whether a manager may own something of a set: certain only once its own is read. */
static bool touches(const struct manager *m, const struct fieldset *set)
{
	if (!m->unread)
		return !fieldset_empty(set);
	const MetaV1FieldsV1 *fields = m->entry->fields_v1;
	for (size_t i = 0; fields && set && i < set->n_nodes; i++) {
		const struct field_element *e = &set->nodes[i].element;
		char name[128];
		if (e->kind != FIELD_NAME || e->size + 4 > sizeof(name))
			return true;
		memcpy(name, "\"f:", 3);
		memcpy(name + 3, e->text, e->size);
		name[e->size + 3] = '"';
		if (memmem(fields->raw.data, fields->raw.len, name, e->size + 4))
			return true;
	}
	return false;
}

void managers_disown(const struct managers_call *call, struct managers *managers, const struct manager_id *self,
	bool force, struct field_changes *ret_changes, struct manager_conflicts *ret_conflicts)
{
	struct comparisons all = {0};
	struct arena *arena = call->arena;
	*ret_changes = compared_at(call, &all, call->api_version)->changes;
	if (ret_changes->unfit)
		return;
	for (size_t i = 0; i < managers->n_items;) {
		struct manager *m = &managers->items[i];
		if (self && !manager_id_compare(&m->id, self)) {
			i++;
			continue;
		}
		const struct compared *c = compared_at(call, &all, m->api_version);
		if (!c->exists) {
			managers_remove(managers, m);
			continue;
		}
		if (!touches(m, c->changes.changed) && !touches(m, c->changes.removed)) {
			i++;
			continue;
		}
		const struct fieldset *set = reconciled(call, m);
		const struct fieldset *lost =
			c->changes.changed ? fieldset_intersection(arena, set, c->changes.changed) : NULL;
		if (lost && !force)
			ARENA_PUSH(arena, ret_conflicts->items, ret_conflicts->n_items) =
				(struct manager_conflict){m->id, lost};
		manager_set(m, fieldset_difference(arena, fieldset_difference(arena, set, lost), c->changes.removed));
		i++;
	}
	for (size_t i = 0; i < managers->n_items;)
		if (!managers->items[i].unread && fieldset_empty(managers->items[i].set))
			managers_remove(managers, &managers->items[i]);
		else
			i++;
}

void managers_reconcile(const struct managers_call *call, struct managers *managers)
{
	const struct managers_versions *v = call->versions;
	for (size_t i = 0; i < managers->n_items;) {
		struct manager *m = &managers->items[i];
		struct field_place place;
		if (!v->place(v->data, m->api_version, &place)) {
			managers_remove(managers, m);
			continue;
		}
		if (!m->unread)
			manager_set(m, field_set_reconcile(call->arena, &place, m->set));
		i++;
	}
}

#define NAMED(name)                                              \
	{                                                        \
		{name, sizeof(name) - 1, FIELD_NAME}, true, NULL \
	}

/* What the system says of an object belongs to nobody. Sorted, as sets are. */
static struct field_node system_metadata[] = {NAMED("clusterName"), NAMED("creationTimestamp"), NAMED("generation"),
	NAMED("managedFields"), NAMED("name"), NAMED("namespace"), NAMED("resourceVersion"), NAMED("selfLink"),
	NAMED("uid")};
static const struct fieldset below_metadata = {system_metadata, ARRAY_SIZE(system_metadata)};
static struct field_node system_nodes[] = {
	NAMED("apiVersion"), NAMED("kind"), {{"metadata", sizeof("metadata") - 1, FIELD_NAME}, true, &below_metadata}};
static const struct fieldset system_fields = {system_nodes, ARRAY_SIZE(system_nodes)};

const struct fieldset *managers_strip(struct arena *arena, const struct fieldset *set)
{
	return fieldset_empty(set) ? NULL : fieldset_difference(arena, set, &system_fields);
}

/* --- too many --- */

static int by_age(const void *a, const void *b)
{
	const struct manager *x = *(struct manager *const *)a, *y = *(struct manager *const *)b;
	int64_t s = seconds_of(x->time), t = seconds_of(y->time);
	return s != t ? (s > t) - (s < t) : manager_id_compare(&x->id, &y->id);
}

/* Puts an old manager's fields into the bucket of its version; the first of a version becomes the bucket when there is
 * a second. */
static bool bury(struct arena *arena, struct managers *managers, struct manager_id *first, const struct manager *old)
{
	const struct manager_id bucket = manager_id_of(ANCIENT, false, old->api_version, "");
	struct manager_id id = old->id;
	struct manager *into = managers_find(managers, &bucket);
	if (!into) {
		into = managers_find(managers, first);
		into->id = bucket;
	}
	if (!manager_id_compare(&into->id, &id))
		return false;
	struct manager gone = *old;
	into->set = fieldset_union(arena, manager_fields(arena, into), manager_fields(arena, &gone));
	into->entry = NULL;
	into->time = old->time;
	managers_remove(managers, managers_find(managers, &id));
	return true;
}

static void cap(struct arena *arena, struct managers *managers)
{
	struct manager **updaters = NULL;
	struct manager_id *firsts = NULL;
	const char **versions = NULL;
	size_t n = 0, n_firsts = 0, n_versions = 0;
	for (size_t i = 0; i < managers->n_items; i++)
		if (!managers->items[i].id.applied)
			ARENA_PUSH(arena, updaters, n) =
				arena_dup(arena, &managers->items[i], sizeof(*managers->items));
	if (n <= MANAGERS_MAX_UPDATERS)
		return;
	qsort(updaters, n, sizeof(*updaters), by_age);
	for (size_t i = 0, left = n; i < n && left > MANAGERS_MAX_UPDATERS; i++) {
		size_t at = 0;
		while (at < n_versions && !str_eq(versions[at], updaters[i]->api_version))
			at++;
		if (at < n_versions) {
			left -= bury(arena, managers, &firsts[at], updaters[i]);
			continue;
		}
		ARENA_PUSH(arena, versions, n_versions) = updaters[i]->api_version;
		ARENA_PUSH(arena, firsts, n_firsts) = updaters[i]->id;
	}
}

void managers_update(const struct managers_call *call, struct managers *managers)
{
	struct arena *arena = call->arena;
	struct field_changes changes;
	managers_reconcile(call, managers);
	managers_disown(call, managers, NULL, true, &changes, NULL);
	if (changes.unfit) {
		managers->n_items = 0;
		return;
	}
	const struct fieldset *mine = managers_strip(arena, changes.changed);
	if (!fieldset_empty(mine)) {
		struct manager *before = managers_find(managers, &call->self);
		struct manager now = {.id = call->self,
			.api_version = call->api_version,
			.time = time_new(arena, call->now_s),
			.set = before ? fieldset_union(arena, mine, reconciled(call, before)) : mine};
		if (before)
			*before = now;
		else
			managers_add(arena, managers, now);
	}
	cap(arena, managers);
}

void managers_create(
	const struct managers_call *call, const void *object, MetaV1ManagedFieldsEntry ***ret_entries, size_t *ret_n)
{
	const struct managers_versions *v = call->versions;
	struct arena *arena = call->arena;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	*ret_entries = NULL;
	*ret_n = 0;
	strbuf_grow(&text, TEXT_BYTES);
	if (!field_print_new(&text, arena, object, v->reset(v->data, call->api_version), &system_fields) ||
		text.len <= strlen("{}"))
		return;
	const struct manager self = {
		.id = call->self, .api_version = call->api_version, .time = time_new(arena, call->now_s)};
	ARENA_PUSH(arena, *ret_entries, *ret_n) = entry_of_text(arena, &self, &text);
}
