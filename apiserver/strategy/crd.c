#include "apiserver/validation/extension/crd.h"
#include "apiserver/validation/extension/text_format.h"
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/crd.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1CustomResourceDefinition Crd;

CHECKED_STATUS(crd, ApiextensionsV1CustomResourceDefinition, validate_crd, validate_crd_update, validate_crd_status)

/* Objects may be stored in the storage version from now on. */
static void note_storage_version(struct arena *arena, Crd *crd)
{
	for (size_t i = 0; i < crd->spec->n_versions; i++) {
		char *name = crd->spec->versions[i]->name;
		if (!crd->spec->versions[i]->storage)
			continue;
		if (!crd->status)
			crd->status = API_NEW(arena, ApiextensionsV1CustomResourceDefinitionStatus);
		if (!str_in_n(name, crd->status->stored_versions, crd->status->n_stored_versions)) {
			size_t n = crd->status->n_stored_versions;
			char **names = arena_calloc(arena, n + 1, sizeof(*names));
			for (size_t k = 0; k < n; k++)
				names[k] = crd->status->stored_versions[k];
			names[n] = name;
			crd->status->stored_versions = names;
			crd->status->n_stored_versions = n + 1;
		}
		return;
	}
}

static void settle_defaults(struct arena *arena, Crd *crd)
{
	for (size_t i = 0; i < crd->spec->n_versions; i++)
		if (crd->spec->versions[i]->schema)
			crd_settle_defaults(arena, crd->spec->versions[i]->schema->open_apiv3_schema);
}

static struct status *convert(struct request *request, ProtobufCMessage *object)
{
	return crd_settle_json(request->arena, object);
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	generic_prepare_create(request, object);
	note_storage_version(request->arena, (Crd *)object);
	settle_defaults(request->arena, (Crd *)object);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	Crd *crd = (Crd *)object;
	generic_next_generation(request, object, old);
	if (generic_is_status(request))
		return;
	note_storage_version(request->arena, crd);
	settle_defaults(request->arena, crd);
}

struct formats {
	struct arena *arena;
	const char **items;
	size_t n_items;
};

static void note_format(const ApiextensionsV1JSONSchemaProps *schema, void *data)
{
	struct formats *formats = data;
	if (str_empty(schema->format) || !str_eq(schema->type, "string") ||
		text_format_settled(formats->arena, schema->format))
		return;
	const char **item = arena_push(formats->arena, (void **)&formats->items, &formats->n_items, sizeof(*item));
	*item = schema->format;
}

static void find_formats(struct formats *formats, const Crd *crd)
{
	for (size_t i = 0; crd && i < crd->spec->n_versions; i++)
		if (crd->spec->versions[i]->schema)
			schema_each(crd->spec->versions[i]->schema->open_apiv3_schema, note_format, formats);
}

/* Formats of texts that not everybody checks, where the schema did not have them before. */
static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	struct formats now = {.arena = request->arena}, was = {.arena = request->arena};
	if (generic_is_status(request))
		return;
	find_formats(&now, (const Crd *)object);
	find_formats(&was, (const Crd *)old);
	struct nameset known = {.arena = request->arena};
	for (size_t i = 0; i < was.n_items; i++)
		nameset_add(&known, was.items[i]);
	for (size_t i = 0; i < now.n_items; i++) {
		if (!nameset_has(&known, now.items[i]))
			request_warn(request, "unrecognized format %s", field_quote(request->arena, now.items[i]));
	}
}

static const char *check_own_name(struct arena *arena, const ProtobufCMessage *object, const char *name, bool prefix)
{
	return crd_name_problem(arena, (const Crd *)object, name, prefix);
}

void crd_tell_terminating(struct arena *arena, Crd *crd, const char *status, const char *reason, const char *message)
{
	ApiextensionsV1CustomResourceDefinitionStatus *s =
		ENSURE(arena, crd->status, ApiextensionsV1CustomResourceDefinitionStatus);
	ApiextensionsV1CustomResourceDefinitionCondition *condition = CONDITION(s, "Terminating");
	if (!condition) {
		condition = API_NEW(arena, ApiextensionsV1CustomResourceDefinitionCondition);
		condition->type = (char *)"Terminating";
		ARENA_PUSH(arena, s->conditions, s->n_conditions) = condition;
	}
	if (!str_eq(condition->status, status) || time_is_zero(condition->last_transition_time))
		condition->last_transition_time = time_now(arena);
	condition->status = arena_strdup(arena, status);
	condition->reason = arena_strdup(arena, reason);
	condition->message = arena_strdup(arena, message);
}

/* It goes when boot/definitions.c has looked after what it defines. */
static void mark_first(struct request *request, ProtobufCMessage *object)
{
	Crd *crd = (Crd *)object;
	crd->metadata->deletion_timestamp = time_new(request->arena, clock_wall_s(request->clock));
	meta_add_finalizer(request->arena, crd->metadata, CRD_FINALIZER);
	crd_tell_terminating(request->arena, crd, "True", "InstanceDeletionPending",
		"CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon");
}

const struct strategy crd_strategy = {.group = "apiextensions.k8s.io",
	.resource = "customresourcedefinitions",
	.check_own_name = check_own_name,
	.mark_first = mark_first,
	.tells_preconditions = true,
	.convert = convert,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.warn = warn,
	CHECKS(crd)};
