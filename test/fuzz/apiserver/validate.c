/* An object of any resource through defaults, its strategy and validation, as new and as a change of another: it is
 * accepted or refused with causes that name a field. */
#include "api/defaults/defaults.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/strategy.h"
#include "test/fuzz/object.h"

static struct status *none(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	return status_new(STATUS_NOT_FOUND, "\"%s\" not found", name);
}

static struct status *no_list(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *namespace, struct object_list *ret_list)
{
	*ret_list = (struct object_list){0};
	return NULL;
}

static bool synced(struct objects *o)
{
	return true;
}

static const struct objects_ops empty = {.get = none, .get_live = none, .list = no_list, .synced = synced};

static struct request *request_for(struct arena *arena, struct objects *objects, const void *object)
{
	struct request *r = ARENA_NEW(arena, struct request);

	r->arena = arena;
	r->schema = schema_of(object)->resource;
	r->group = schema_of(object)->group;
	r->version = schema_of(object)->version;
	r->resource = r->schema->plural;
	r->subresource = "";
	r->name = object_name(object);
	r->namespace = r->schema->namespaced ? "d" : "";
	r->clock = clock_system();
	r->user = user_new(arena, "ann", "");
	r->objects = objects;
	r->strategy = strategy_find(r->group, r->resource);
	r->field_manager = r->field_validation = "";
	return r;
}

static void judge(struct field_errors *errors, const struct request *r, const void *object)
{
	struct status *s = field_errors_status(errors, r->group, object_kind(object), object_name(object));

	if (s) {
		assert(s->code == 422 && s->message && s->n_causes);
		for (size_t i = 0; i < s->n_causes; i++)
			assert(s->causes[i].field && s->causes[i].message && *s->causes[i].reason);
		status_free(status_from_api(status_to_api(r->arena, s)));
	}
	status_free(s);
}

static void create(struct request *r, ProtobufCMessage *object)
{
	struct field_errors errors = FIELD_ERRORS_INIT(r->arena);

	if (r->strategy->prepare_create)
		r->strategy->prepare_create(r, object);
	validate_object_meta(&errors, FIELD(NULL, "metadata"), object_meta_ensure(r->arena, object),
		r->schema->namespaced, r->strategy->check_name);
	if (r->strategy->validate_create)
		r->strategy->validate_create(r, object, &errors);
	judge(&errors, r, object);
}

static void update(struct request *r, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	struct field_errors errors = FIELD_ERRORS_INIT(r->arena);

	if (r->strategy->prepare_update)
		r->strategy->prepare_update(r, object, old);
	validate_object_meta_update(&errors, FIELD(NULL, "metadata"), object_meta(object), object_meta(old));
	if (r->strategy->validate_update)
		r->strategy->validate_update(r, object, old, &errors);
	judge(&errors, r, object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct objects objects = {&empty};
	struct fuzz_bytes bytes = {data, data + size};
	const struct schema_resource *resource = schema_resources[fuzz_below(&bytes, schema_n_resources)];

	if (!str_in("create", resource->verbs))
		return 0;
	ProtobufCMessage *object = fuzz_typed(arena, &bytes, resource->type);
	ProtobufCMessage *other = fuzz_typed(arena, &bytes, resource->type);
	if (!object_meta_ensure(arena, object) || !object_meta_ensure(arena, other))
		return 0;
	/* Only the server itself writes generations. */
	object_meta(object)->generation = object_meta(other)->generation = 1;
	api_set_defaults(arena, object);
	api_set_defaults(arena, other);
	struct request *r = request_for(arena, &objects, object);
	create(r, api_copy_msg(arena, object));
	update(r, api_copy_msg(arena, object), other);
	r->subresource = "status";
	update(r, object, other);
	return 0;
}
