#include "apiserver/managed.h"
#include "api/defaults/defaults.h"
#include "api/fieldset.h"
#include "api/meta.h"
#include "apiserver/http/decode.h"
#include "base/str.h"

#define FIRST_APPLY "before-first-apply"
#define UNKNOWN_MANAGER "unknown"

struct manager {
	const char *name;
	const char *operation; /* Apply or Update */
	const char *api_version;
	const char *subresource;
	MetaV1Time *time;
	cJSON *set;
};

struct managers {
	struct manager *items;
	size_t n_items;
};

/* --- reading and writing the list --- */

static struct managers load(struct request *request, const ProtobufCMessage *object)
{
	struct managers all = {0};
	const MetaV1ObjectMeta *meta = object ? object_meta(object) : NULL;
	for (size_t i = 0; meta && i < meta->n_managed_fields; i++) {
		const MetaV1ManagedFieldsEntry *e = meta->managed_fields[i];
		const ProtobufCBinaryData raw = e->fields_v1 ? e->fields_v1->raw : (ProtobufCBinaryData){0};
		const struct manager m = {.name = e->manager,
			.operation = e->operation,
			.api_version = e->api_version,
			.subresource = e->subresource,
			.time = e->time,
			.set = fieldset_parse(request->arena, (const char *)raw.data, raw.len)};
		ARENA_PUSH(request->arena, all.items, all.n_items) = m;
	}
	return all;
}

static void store(struct request *request, const struct managers *all, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	meta->n_managed_fields = 0;
	meta->managed_fields = NULL;
	for (size_t i = 0; i < all->n_items; i++) {
		const struct manager *m = &all->items[i];
		if (fieldset_empty(m->set))
			continue;
		MetaV1ManagedFieldsEntry *e = API_NEW(request->arena, MetaV1ManagedFieldsEntry);
		e->manager = arena_strdup(request->arena, m->name);
		e->operation = arena_strdup(request->arena, m->operation);
		e->api_version = arena_strdup(request->arena, m->api_version);
		e->subresource = arena_strdup(request->arena, m->subresource);
		e->time = m->time;
		e->fields_type = arena_strdup(request->arena, "FieldsV1");
		e->fields_v1 = API_NEW(request->arena, MetaV1FieldsV1);
		char *text = fieldset_print(request->arena, m->set);
		e->fields_v1->raw = (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
		ARENA_PUSH(request->arena, meta->managed_fields, meta->n_managed_fields) = e;
	}
}

static struct manager *find(struct managers *all, const char *name, const char *operation, const char *subresource)
{
	for (size_t i = 0; i < all->n_items; i++)
		if (str_eq(all->items[i].name, name) && str_eq(all->items[i].operation, operation) &&
			str_eq(all->items[i].subresource, subresource))
			return &all->items[i];
	return NULL;
}

static struct manager *ensure(struct request *request, struct managers *all, const char *name, const char *operation)
{
	struct manager *found = find(all, name, operation, request->subresource);
	if (found)
		return found;
	const struct manager m = {.name = name,
		.operation = operation,
		.api_version = request->schema->type->api_version,
		.subresource = request->subresource,
		.time = time_new(request->arena, clock_wall_s(request->clock))};
	ARENA_PUSH(request->arena, all->items, all->n_items) = m;
	return &all->items[all->n_items - 1];
}

/* What a write through this door may own at all. */
static cJSON *within(struct request *request, const cJSON *set)
{
	cJSON *stripped = fieldset_strip(request->arena, set);
	if (!schema_find_subresource(request->schema, "status"))
		return stripped;
	if (str_eq(request->subresource, "status"))
		return fieldset_only(request->arena, stripped, "status");
	return fieldset_without(request->arena, stripped, "status");
}

static cJSON *tree_of(struct request *request, const ProtobufCMessage *object)
{
	cJSON *tree = tree_from_typed(request->arena, object);
	tree_remove(tree_get(tree, "metadata"), "managedFields");
	return tree;
}

/* Everybody but one loses what was changed or removed under his hands. */
static void disown(struct request *request, struct managers *all, const struct manager *except, const cJSON *set)
{
	for (size_t i = 0; i < all->n_items; i++)
		if (&all->items[i] != except)
			all->items[i].set = fieldset_difference(request->arena, all->items[i].set, set);
}

/* --- updates --- */

void managed_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!object_meta(old)->n_managed_fields)
		return;
	struct arena *arena = request->arena;
	struct managers all = load(request, old);
	const struct field_changes changes =
		fieldset_compare(arena, schema_of(object), tree_of(request, old), tree_of(request, object));
	cJSON *taken = within(request, fieldset_union(arena, changes.added, changes.modified));
	struct manager *mine = ensure(request, &all, str_or(request->field_manager, UNKNOWN_MANAGER), "Update");
	disown(request, &all, mine, fieldset_union(arena, taken, changes.removed));
	cJSON *before = mine->set;
	mine->set = fieldset_difference(arena, fieldset_union(arena, mine->set, taken), changes.removed);
	if (!fieldset_equal(before, mine->set))
		mine->time = time_new(arena, clock_wall_s(request->clock));
	store(request, &all, object);
}

/* --- applies --- */

struct conflict_list {
	struct strbuf *out;
	struct arena *arena;
	const char *manager;
	struct status *status;
	size_t n;
};

static void add_conflict(void *data, const char *path)
{
	struct conflict_list *list = data;
	list->n++;
	strbuf_printf(list->out, "\n- %s", path);
	status_add_cause(list->status, "FieldManagerConflict", path, "conflict with %s", list->manager);
}

/* Whose fields the apply would change. */
static struct status *check_conflicts(
	struct request *request, const struct managers *all, const struct manager *mine, const cJSON *changed)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct status *s = status_new(STATUS_CONFLICT, "Apply failed");
	struct conflict_list list = {.out = &text, .arena = request->arena, .status = s};
	const char *single = "";
	for (size_t i = 0; i < all->n_items; i++) {
		const struct manager *m = &all->items[i];
		cJSON *both = &all->items[i] == mine ? NULL : fieldset_intersection(request->arena, m->set, changed);
		if (fieldset_empty(both))
			continue;
		list.manager = str_eq(m->operation, "Apply")
				       ? arena_printf(request->arena, "\"%s\"", m->name)
				       : arena_printf(request->arena, "\"%s\"%s using %s", m->name,
						 *m->subresource ? arena_printf(request->arena,
									   " with subresource \"%s\"", m->subresource)
								 : "",
						 m->api_version);
		single = arena_printf(request->arena, "conflict with %s", list.manager);
		strbuf_printf(&text, "%sconflicts with %s:", text.len ? "\n" : "", list.manager);
		fieldset_each_path(request->arena, both, add_conflict, &list);
	}
	if (!list.n) {
		status_drop(s, "nobody is in the way");
		return NULL;
	}
	struct status *full =
		list.n == 1 ? status_new(STATUS_CONFLICT, "Apply failed with 1 conflict: %s: %s", single,
				      s->causes[0].field)
			    : status_new(STATUS_CONFLICT, "Apply failed with %zu conflicts: %s", list.n, text.buf);
	for (size_t i = 0; i < s->n_causes; i++)
		status_add_cause(full, s->causes[i].reason, s->causes[i].field, "%s", s->causes[i].message);
	status_free(s);
	return full;
}

static cJSON *owned_by_others(struct request *request, const struct managers *all, const struct manager *mine)
{
	cJSON *out = NULL;
	for (size_t i = 0; i < all->n_items; i++)
		if (&all->items[i] != mine)
			out = fieldset_union(request->arena, out, all->items[i].set);
	return out;
}

static struct status *to_object(struct request *request, const cJSON *tree, ProtobufCMessage **ret_object)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	tree_print(&text, tree, 0);
	struct status *status = decode_json(request, request->schema->type, text.buf, text.len, ret_object);
	return status_wrap(status, "failed to create typed patch object (%s/%s; %s, Kind=%s)", request->namespace,
		request->name, request->schema->type->api_version, request->schema->type->kind);
}

/* What an apply of nothing would find: an object with a name. */
static cJSON *bare(struct request *request)
{
	cJSON *tree = tree_new_object(request->arena), *meta = tree_new_object(request->arena);
	tree_set_string(request->arena, tree, "apiVersion", request->schema->type->api_version);
	tree_set_string(request->arena, tree, "kind", request->schema->type->kind);
	tree_set_string(request->arena, meta, "name", request->name);
	tree_set(request->arena, tree, "metadata", meta);
	return tree;
}

struct status *managed_apply(
	struct request *request, const ProtobufCMessage *live, cJSON *config, bool force, ProtobufCMessage **ret_object)
{
	struct arena *arena = request->arena;
	const struct schema_type *type = request->schema->type;
	struct managers all = load(request, live);
	cJSON *before = live ? tree_of(request, live) : bare(request);
	if (live && !all.n_items) {
		struct manager *first = ensure(request, &all, FIRST_APPLY, "Update");
		first->set = fieldset_strip(arena, fieldset_of(arena, type, before));
		first->subresource = "";
	}
	struct manager *mine = ensure(request, &all, request->field_manager, "Apply");
	cJSON *last = mine->set;
	cJSON *set = within(request, fieldset_of(arena, type, config));
	cJSON *merged = apply_merge(arena, type, before, config);
	merged = apply_remove(
		arena, type, merged, fieldset_difference(arena, last, set), owned_by_others(request, &all, mine));
	TRY(to_object(request, merged, ret_object));
	const struct field_changes changes = fieldset_compare(arena, type, before, tree_of(request, *ret_object));
	const cJSON *changed = within(request, fieldset_union(arena, changes.added, changes.modified));
	/* Only what the configuration names can be in dispute. */
	changed = fieldset_intersection(arena, changed, set);
	if (!force)
		TRY(check_conflicts(request, &all, mine, changed));
	disown(request, &all, mine, fieldset_union(arena, changed, changes.removed));
	mine->set = set;
	if (!fieldset_equal(last, set))
		mine->time = time_new(arena, clock_wall_s(request->clock));
	store(request, &all, *ret_object);
	api_set_defaults(arena, *ret_object);
	return NULL;
}
