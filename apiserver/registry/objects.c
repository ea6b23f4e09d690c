/* The registry as the parts beside the store see it (apiserver/registry/objects.h). */
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "apiserver/managed/managed.h"
#include "apiserver/registry/private.h"
#include "base/str.h"

#define FRESH_MS 3000 /* as long as a list waits */

static struct registry *registry_of(struct objects *o)
{
	return (struct registry *)o;
}

static struct request *own(struct objects *o, struct arena *arena, const struct schema_type *type, const char *verb,
	const char *subresource, const char *namespace, const char *name)
{
	return registry_own_request(registry_of(o), arena, type->resource, verb, subresource, namespace, name);
}

static struct status *get(struct objects *o, struct arena *arena, const struct schema_type *type, const char *namespace,
	const char *name, const ProtobufCMessage **ret_object)
{
	ProtobufCMessage *object;
	TRY(registry_get(own(o, arena, type, "get", "", namespace, name), &object));
	*ret_object = object;
	return NULL;
}

static struct status *get_live(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	struct stored stored;
	struct request *request = own(o, arena, type, "get", "", namespace, name);
	TRY(stored_read(request, name, true, &stored));
	if (!stored.object)
		return request_not_found(request, name);
	*ret_object = stored.object;
	return NULL;
}

static struct status *list(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, struct object_list *ret_list)
{
	struct table *table = cache_table(registry_of(o)->cache, type->group, type->resource->plural);
	const char *prefix = namespace ? arena_printf(arena, "%s/", namespace) : "";
	struct snapshot snapshot;
	TRY(table_check_prefix(table, prefix));
	table_list(table, prefix, NULL, &snapshot);
	ret_list->n_items = snapshot.n_items;
	ret_list->items = ARENA_ARRAY(arena, const ProtobufCMessage *, snapshot.n_items + 1);
	for (size_t i = 0; i < snapshot.n_items; i++)
		ret_list->items[i] = entry_decode(snapshot.items[i], arena);
	snapshot_done(&snapshot);
	return NULL;
}

static struct status *create(struct objects *o, struct arena *arena, const ProtobufCMessage *object,
	const char *manager, ProtobufCMessage **ret_object)
{
	ProtobufCMessage *copy = api_copy_msg(arena, object), *created;
	struct request *request = own(o, arena, schema_of(object), "create", "", object_namespace(object), "");
	request->field_manager = str_or(manager, request->field_manager);
	api_set_defaults(arena, copy);
	TRY(registry_create(request, copy, &created));
	if (ret_object)
		*ret_object = created;
	return NULL;
}

struct modify_call {
	object_modify_fn *modify;
	void *data;
};

static struct status *modify_stored(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	struct modify_call *call = data;
	ProtobufCMessage *object = api_copy_msg(request->arena, old);
	TRY(call->modify(call->data, request->arena, object));
	api_set_defaults(request->arena, object);
	*ret_object = object;
	return NULL;
}

static struct status *modify(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *subresource, const char *namespace, const char *name, object_modify_fn *fn, void *data,
	const char *manager, ProtobufCMessage **ret_object)
{
	struct modify_call call = {fn, data};
	const struct registry_update update = {.transform = modify_stored, .data = &call, .retry_conflicts = true};
	ProtobufCMessage *object;
	bool created;
	struct request *request = own(o, arena, type, "update", subresource, namespace, name);
	request->field_manager = str_or(manager, request->field_manager);
	TRY(registry_update(request, &update, &object, &created));
	if (ret_object)
		*ret_object = object;
	return NULL;
}

/* Takes out what says nothing: a configuration is only what is meant. */
static void prune(cJSON *tree)
{
	for (cJSON *node = tree->child, *next; node; node = next) {
		next = node->next;
		prune(node);
		bool empty = cJSON_IsObject(node) ? !node->child : cJSON_IsString(node) && !*node->valuestring;
		if (cJSON_IsObject(tree) && (empty || cJSON_IsNull(node)))
			tree_remove(tree, node->string);
	}
}

static struct status *apply_config(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	return managed_apply(request, old, data, true, ret_object);
}

static struct status *apply(struct objects *o, struct arena *arena, const ProtobufCMessage *config,
	const char *subresource, const char *manager)
{
	struct request *request =
		own(o, arena, schema_of(config), "patch", subresource, object_namespace(config), object_name(config));
	cJSON *tree = tree_from_typed(arena, config);
	const struct registry_update update = {.transform = apply_config, .data = tree, .retry_conflicts = true};
	ProtobufCMessage *object;
	bool created;
	prune(tree);
	request->field_manager = manager;
	request->applies = true;
	return registry_update(request, &update, &object, &created);
}

static struct status *delete_object(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const char *uid)
{
	ProtobufCMessage *object;
	bool gone;
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	if (uid) {
		options->preconditions = API_NEW(arena, MetaV1Preconditions);
		options->preconditions->uid = arena_strdup(arena, uid);
	}
	return registry_delete(own(o, arena, type, "delete", "", namespace, name), options, &object, &gone);
}

static struct status *fresh(struct objects *o)
{
	return cache_fresh(registry_of(o)->cache, FRESH_MS);
}

static void subscribe(
	struct objects *o, const struct schema_type *type, object_wanted_fn *wanted, object_event_fn *fn, void *data)
{
	struct table *table = cache_table(registry_of(o)->cache, type->group, type->resource->plural);
	table_subscribe(table, wanted, fn, data);
}

static bool synced(struct objects *o)
{
	return cache_synced(registry_of(o)->cache);
}

const struct objects_ops registry_ops = {
	.get = get,
	.get_live = get_live,
	.list = list,
	.create = create,
	.modify = modify,
	.apply = apply,
	.delete = delete_object,
	.fresh = fresh,
	.subscribe = subscribe,
	.synced = synced,
};

void ensure_spec(struct arena *arena, ProtobufCMessage *object)
{
	const struct schema_field *spec = schema_field_by_name(schema_of(object), "spec");
	if (spec && spec->kind == SCHEMA_MESSAGE && spec->shape == SCHEMA_SINGLE && (spec->flags & SCHEMA_BY_VALUE))
		object_child_ensure(arena, object, "spec");
}

/* By the wire's table of fields, which is the shortest there is; where nobody could see it, nobody looks. */
void forget_empty(ProtobufCMessage *object)
{
	const struct schema_type *type = schema_of(object);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_wire *f = &type->wire[i];
		const bool goes_on = f->kind == SCHEMA_MESSAGE && f->type->shows_empty;
		void **p = (void **)((char *)object + f->offset);
		if (f->there == SCHEMA_WIRE_LIST) {
			const size_t n = *(size_t *)((char *)object + f->quantifier_offset);
			if (!n)
				*p = NULL;
			for (size_t k = 0; k < n && goes_on; k++)
				forget_empty(((void **)*p)[k]);
		} else if (f->there == SCHEMA_WIRE_POINTER && goes_on && *p) {
			forget_empty(*p);
		}
	}
}
