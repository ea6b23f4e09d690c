#include "apiserver/managed/managed.h"
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/restore.h"
#include "apiserver/managed/private.h"
#include "apiserver/registry/private.h"
#include "base/str.h"

/* --- versions --- */

/* Versions of another group than the request's are none, as of events: what is managed in them is forgotten. */
static const struct schema_type *type_at(const struct managed_versions *v, const char *api_version)
{
	if (str_eq(api_version, v->type->api_version))
		return v->type;
	const struct schema_type *type = schema_find_api_version(api_version, v->type->kind);
	bool same = type && str_eq(type->api_version, api_version) && str_eq(type->group, v->type->group);
	return same && convertible(type, v->type) ? type : NULL;
}

static bool place(void *data, const char *api_version, struct field_place *ret_place)
{
	const struct schema_type *type = type_at(data, api_version);
	if (type)
		*ret_place = field_place_of_type(type);
	return type;
}

static const struct fieldset *reset(void *data, const char *api_version)
{
	return ((const struct managed_versions *)data)->reset;
}

static bool convert_value(const struct managed_versions *v, const ProtobufCMessage *object,
	const struct schema_type *type, struct field_value *ret_value)
{
	ProtobufCMessage *converted;
	struct status *status = convert_object(v->request->arena, type, object, &converted);
	if (!status)
		*ret_value = field_value_of(converted);
	bool done = !status;
	status_drop(status, "a version that it cannot have is forgotten");
	return done;
}

static bool values(void *data, const char *api_version, struct field_value *ret_before, struct field_value *ret_after)
{
	const struct managed_versions *v = data;
	const struct schema_type *type = type_at(v, api_version);
	return type && convert_value(v, v->before, type, ret_before) && convert_value(v, v->after, type, ret_after);
}

static const cJSON *convert(void *data, const cJSON *tree, const char *api_version)
{
	const struct managed_versions *v = data;
	struct arena *arena = v->request->arena;
	const char *own = str_or(tree_string(tree_get(tree, "apiVersion")), v->type->api_version);
	const struct schema_type *from = type_at(v, own), *to = type_at(v, api_version);
	ProtobufCMessage *object, *converted;
	if (!from || !to)
		return NULL;
	if (from == to)
		return tree;
	struct status *status = tree_to_typed(arena, tree, from, NULL, &object);
	if (!status)
		status = convert_object(arena, to, object, &converted);
	bool done = !status;
	status_drop(status, "a version that it cannot have is passed over");
	return done ? tree_from_typed(arena, converted) : NULL;
}

void managed_versions_init(struct managed_versions *v, struct request *request, const struct schema_type *type,
	const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	*v = (struct managed_versions){
		.versions = {.data = v, .place = place, .reset = reset, .values = values, .convert = convert},
		.request = request,
		.type = type,
		.before = before,
		.after = after,
		.reset = managed_reset_fields(request)};
}

struct managers_call managed_call(const struct managed_versions *v, bool applies)
{
	const struct request *request = v->request;
	return (struct managers_call){.arena = request->arena,
		.versions = &v->versions,
		.api_version = v->type->api_version,
		.self = manager_id_of(
			str_or(request->field_manager, "unknown"), applies, v->type->api_version, request->subresource),
		.now_s = clock_wall_s(request->clock)};
}

/* --- entries --- */

static struct managers read_entries(struct request *request, const ProtobufCMessage *object, bool trusted)
{
	struct managers managers = {0};
	const MetaV1ObjectMeta *meta = object_meta(object);
	struct status *status =
		meta ? managers_read(request->arena, meta->managed_fields, meta->n_managed_fields, trusted, &managers)
		     : NULL;
	status_drop(status, "entries that cannot be read say nothing");
	return managers;
}

struct managers managed_read(struct request *request, const ProtobufCMessage *object)
{
	return read_entries(request, object, true);
}

void managed_write(struct request *request, const struct managers *managers, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	managers_write(request->arena, managers, &meta->managed_fields, &meta->n_managed_fields);
}

/* An empty list, or one entry that says nothing, ends the tracking. */
static bool is_reset(const MetaV1ObjectMeta *meta)
{
	if (!meta->n_managed_fields)
		return meta->managed_fields;
	return meta->n_managed_fields == 1 && api_is_empty(meta->managed_fields[0]);
}

/* Whether an entry stands in the old object too; one that does not may be written otherwise than we write it. */
static bool is_among(const MetaV1ManagedFieldsEntry *e, const MetaV1ObjectMeta *old)
{
	const ProtobufCBinaryData *raw = e->fields_v1 ? &e->fields_v1->raw : NULL;
	for (size_t i = 0; raw && old && i < old->n_managed_fields; i++) {
		const MetaV1FieldsV1 *other = old->managed_fields[i]->fields_v1;
		if (other && other->raw.len == raw->len && !memcmp(other->raw.data, raw->data, raw->len))
			return true;
	}
	return false;
}

/* Whether an object brings the entries that the old one has, as whoever reads and writes does. */
static bool are_those_of(const MetaV1ObjectMeta *meta, const MetaV1ObjectMeta *old)
{
	if (!old || meta->n_managed_fields != old->n_managed_fields)
		return false;
	for (size_t i = 0; i < meta->n_managed_fields; i++)
		if (!api_equal(meta->managed_fields[i], old->managed_fields[i]))
			return false;
	return true;
}

/* The entries that a write begins with: those that the object brings, or those that are there. */
static struct managers entries_of(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const MetaV1ObjectMeta *meta = object_meta(object);
	struct managers managers = {0};
	if (!meta || *request->subresource)
		return managed_read(request, old);
	if (is_reset(meta))
		return managers;
	if (!meta->n_managed_fields || are_those_of(meta, object_meta(old)))
		return managed_read(request, old);
	managers = read_entries(request, object, false);
	if (!managers.n_items)
		return managed_read(request, old);
	for (size_t i = 0; i < managers.n_items; i++)
		if (!is_among(managers.items[i].entry, object_meta(old)))
			managers.items[i].entry = NULL;
	return managers;
}

/* An entry of a version that nobody knows is forgotten; where one's cannot even be a version, nothing is kept track of.
 */
static bool has_versions(const struct managers *managers)
{
	for (size_t i = 0; i < managers->n_items; i++) {
		const char *slash = strchr(managers->items[i].api_version, '/');
		if (slash && strchr(slash + 1, '/'))
			return false;
	}
	return true;
}

const ProtobufCMessage *managed_without(struct arena *arena, const ProtobufCMessage *object)
{
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (!meta || !meta->n_managed_fields)
		return object;
	ProtobufCMessage *copy = arena_dup(arena, object, schema_of(object)->base.sizeof_message);
	MetaV1ObjectMeta *bare = arena_dup(arena, meta, sizeof(*meta));
	bare->n_managed_fields = 0;
	bare->managed_fields = NULL;
	*object_child_p(copy, "metadata") = bare;
	return copy;
}

/* --- writes that are no applies --- */

/* The server's own writes through these leave no trace. */
static bool is_untracked(const struct request *request)
{
	static const char *const names[] = {"binding", "eviction", NULL};
	return str_in(request->subresource, names);
}

/* The version in which an object is written down, whatever the one is that it is worked on in. */
static const struct schema_type *type_of(const struct request *request, const ProtobufCMessage *object)
{
	const struct schema_type *type = schema_of(object), *asked = request->schema->type;
	return str_eq(asked->group, type->group) && convertible(asked, type) ? asked : type;
}

void managed_create(struct request *request, ProtobufCMessage *object)
{
	const struct schema_type *type = type_of(request, object);
	struct managed_versions v;
	ProtobufCMessage *seen = object;
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	managed_versions_init(&v, request, type, type->zero, object);
	const struct managers_call call = managed_call(&v, false);
	if (!meta->n_managed_fields) {
		status_drop(convert_object(request->arena, type, object, &seen), "there is a conversion");
		managers_create(&call, seen, &meta->managed_fields, &meta->n_managed_fields);
		if (meta->n_managed_fields)
			request->printed_fields = meta->managed_fields[0]->fields_v1;
		return;
	}
	struct managers managers = entries_of(request, object, type->zero);
	meta->n_managed_fields = 0;
	if (!has_versions(&managers))
		return;
	managers_update(&call, &managers);
	managed_write(request, &managers, object);
}

static struct status *update_view(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	ProtobufCMessage *before, *after;
	struct managed_versions v;
	const struct managers parent = managed_read(request, old);
	struct managers view = managed_to_view(request, &parent);
	TRY(managed_view_of(request, old, &before));
	TRY(managed_view_of(request, object, &after));
	managed_versions_init(&v, request, schema_of(after), before, after);
	const struct managers_call call = managed_call(&v, false);
	if (view.n_items)
		managers_update(&call, &view);
	const struct managers managers = managed_to_parent(request, &parent, &view);
	managed_write(request, &managers, object);
	return NULL;
}

void managed_show_in_view(struct request *request, const ProtobufCMessage *object, ProtobufCMessage *view)
{
	if (!managed_has_view(request))
		return;
	const struct managers parent = managed_read(request, object);
	const struct managers managers = managed_to_view(request, &parent);
	managed_write(request, &managers, view);
}

void managed_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (is_untracked(request))
		return;
	if (managed_has_view(request)) {
		status_drop(update_view(request, object, old), "what has no view has no entries of it");
		return;
	}
	struct managed_versions v;
	struct managers managers = entries_of(request, object, old);
	if (!has_versions(&managers))
		managers.n_items = 0;
	/* Nobody owns the entries themselves: they are not compared. */
	managed_versions_init(&v, request, type_of(request, object), managed_without(request->arena, old),
		managed_without(request->arena, object));
	const struct managers_call call = managed_call(&v, false);
	/* An object that is not tracked stays so until somebody applies it. */
	if (managers.n_items)
		managers_update(&call, &managers);
	managed_write(request, &managers, object);
}

/* --- times --- */

static bool same_but_time(const MetaV1ManagedFieldsEntry *a, const MetaV1ManagedFieldsEntry *b, bool *times_differ)
{
	if (a == b)
		return true;
	MetaV1ManagedFieldsEntry x = *a, y = *b;
	*times_differ |= time_compare(a->time, b->time) != 0;
	x.time = y.time = NULL;
	return api_equal(&x, &y);
}

void managed_keep_times(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	const MetaV1ObjectMeta *was = object_meta(old);
	bool times_differ = false;
	if (!meta || meta->n_managed_fields != was->n_managed_fields)
		return;
	for (size_t i = 0; i < meta->n_managed_fields; i++)
		if (!same_but_time(meta->managed_fields[i], was->managed_fields[i], &times_differ))
			return;
	if (!times_differ)
		return;
	MetaV1ManagedFieldsEntry **entries = meta->managed_fields;
	meta->managed_fields = was->managed_fields;
	if (!api_equal(object, old))
		meta->managed_fields = entries;
}

/* --- applies --- */

/* "default/web; apps/v1, Kind=Deployment", as the original names a configuration. */
static const char *named(struct request *request, const struct schema_type *type, const cJSON *config)
{
	return arena_printf(request->arena, "%s/%s; %s%s, Kind=%s",
		str_or_empty(tree_string(tree_get_path(config, "metadata", "namespace", NULL))),
		str_or_empty(tree_string(tree_get_path(config, "metadata", "name", NULL))),
		str_empty(type->group) ? "/" : "", type->api_version, type->kind);
}

static struct status *to_object(struct request *request, const struct schema_type *type, cJSON *tree,
	const cJSON *config, ProtobufCMessage **ret_object)
{
	const char *problem = restore_problem(request->arena, type, tree);
	struct status *status = problem ? status_bad_request("%s", problem)
					: tree_to_typed(request->arena, tree, type, NULL, ret_object);
	if (!status)
		return NULL;
	struct status *said = status_new(STATUS_UNKNOWN,
		"failed to convert new object (%s) to proper version: unable to convert unstructured object to %s%s, "
		"Kind=%s: %s",
		named(request, type, config), str_empty(type->group) ? "/" : "", type->api_version, type->kind,
		status->message);
	status_free(status);
	return said;
}

static struct status *convert_applied(
	struct request *request, const struct schema_type *type, const cJSON *config, ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	struct status *bad = s->convert ? s->convert(request, object) : NULL;
	if (!bad)
		return NULL;
	struct status *said = status_new(STATUS_UNKNOWN, "failed to convert to unversioned (%s): %s",
		named(request, type, config), bad->message);
	status_free(bad);
	return said;
}

static cJSON *tree_of(struct request *request, const ProtobufCMessage *object)
{
	return tree_from_typed(request->arena, managed_without(request->arena, object));
}

/* With no entries all that is there belongs to whoever made it before the first apply. */
static struct status *own_what_is_there(
	struct managed_versions *v, struct managers *managers, const ProtobufCMessage *live, const cJSON *tree)
{
	struct managers_call call = managed_call(v, false);
	if (managers->n_items)
		return NULL;
	struct field_place root = field_place_of_type(v->type);
	const char *problems = field_validate(v->request->arena, &root, tree, true);
	if (*problems)
		return status_new(STATUS_UNKNOWN,
			"failed to create manager for existing fields: failed to convert new object (%s) to smd "
			"typed: %s",
			named(v->request, v->type, tree), problems);
	v->before = v->type->zero;
	v->after = live;
	call.self.name = "before-first-apply";
	managers_update(&call, managers);
	return NULL;
}

static struct status *check_config(struct request *request, const struct schema_type *type, const cJSON *config)
{
	struct field_place root = field_place_of_type(type);
	const char *problems = field_validate(request->arena, &root, config, false);
	return *problems ? status_new(STATUS_UNKNOWN, "failed to create typed patch object (%s): %s",
				   named(request, type, config), problems)
			 : NULL;
}

/* What an apply has to do with: the object or the view of it, and the entries of that. */
struct apply {
	struct managed_versions versions;
	struct managers_call call;
	struct managers managers;
	cJSON *live;
	const cJSON *config;
};

static struct status *run(
	struct apply *a, struct managers *managers, bool force, cJSON **ret_tree, struct manager_conflicts *conflicts)
{
	return managers_apply(&a->call, managers, a->live, a->config, force, ret_tree, conflicts);
}

static struct status *apply(struct apply *a, bool force, cJSON **ret_tree)
{
	struct request *request = a->versions.request;
	struct manager_conflicts conflicts;
	TRY(run(a, &a->managers, force, ret_tree, &conflicts));
	/* What kubectl itself applied on the client's side it may take over. */
	if (conflicts.n_items && str_eq(request->field_manager, "kubectl") &&
		managed_allowed_by_annotation(request, a->versions.type, a->live, &conflicts) && !conflicts.n_items)
		return run(a, &a->managers, true, ret_tree, &conflicts);
	return conflicts.n_items ? manager_conflicts_status(request->arena, &conflicts) : NULL;
}

static struct status *apply_view(struct request *request, const ProtobufCMessage *live, const cJSON *config, bool force,
	ProtobufCMessage **ret_object)
{
	ProtobufCMessage *view, *object = api_copy_msg(request->arena, live);
	cJSON *tree;
	const struct managers parent = managed_read(request, live);
	TRY(managed_view_of(request, live, &view));
	struct apply a = {
		.managers = managed_to_view(request, &parent), .live = tree_of(request, view), .config = config};
	managed_versions_init(&a.versions, request, schema_of(view), view, view);
	TRY(check_config(request, a.versions.type, config));
	TRY(own_what_is_there(&a.versions, &a.managers, view, a.live));
	a.call = managed_call(&a.versions, true);
	TRY(apply(&a, force, &tree));
	if (tree)
		TRY(to_object(request, a.versions.type, tree, config, &view));
	const char *version = object_resource_version(view);
	if (!str_empty(version))
		object_meta(object)->resource_version = arena_strdup(request->arena, version);
	TRY(strategy_subresource(request->strategy, request->subresource)->put(request, object, view));
	const struct managers managers = managed_to_parent(request, &parent, &a.managers);
	managed_write(request, &managers, object);
	*ret_object = object;
	return NULL;
}

struct status *managed_apply(struct request *request, const ProtobufCMessage *live, const cJSON *config, bool force,
	ProtobufCMessage **ret_object)
{
	const struct schema_type *type = request->schema->type;
	const ProtobufCMessage *before = live ? live : type->zero;
	cJSON *tree;
	if (live && managed_has_view(request))
		return apply_view(request, live, config, force, ret_object);
	struct apply a = {.live = tree_of(request, before), .config = config};
	if (live)
		TRY(status_wrap(managers_read(request->arena, object_meta(live)->managed_fields,
					object_meta(live)->n_managed_fields, false, &a.managers),
			"failed to decode managed fields"));
	TRY(check_config(request, type, config));
	managed_versions_init(&a.versions, request, type, before, before);
	TRY(own_what_is_there(&a.versions, &a.managers, before, a.live));
	a.call = managed_call(&a.versions, true);
	TRY(apply(&a, force, &tree));
	if (tree)
		TRY(to_object(request, type, tree, config, ret_object));
	else
		*ret_object = api_copy_msg(request->arena, before);
	if (tree) {
		api_set_defaults(request->arena, *ret_object);
		TRY(convert_applied(request, type, config, *ret_object));
	}
	managed_write(request, &a.managers, *ret_object);
	managed_renew_annotation(request, config, *ret_object);
	return NULL;
}
