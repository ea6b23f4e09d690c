#include "api/defaults/defaults.h"
#include "api/defaults/table.h"

static const struct defaulter *const tables[] = {
	defaults_pod,
	defaults_container,
	defaults_volume,
	defaults_service,
	defaults_core,
	defaults_apps,
	defaults_batch,
	defaults_autoscaling,
	defaults_rbac,
	defaults_networking,
	defaults_storage,
	defaults_resource,
	defaults_extension,
};

static const struct defaulter *find(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct defaulter *d = tables[i]; d->type; d++)
			if (d->type == type)
				return d;
	return NULL;
}

static void walk(struct arena *arena, ProtobufCMessage *msg);

static void walk_field(struct arena *arena, ProtobufCMessage *msg, const struct schema_field *field)
{
	char *at = (char *)msg + field->offset;
	if (field->kind != SCHEMA_MESSAGE || field->shape == SCHEMA_MAP)
		return;
	if (field->shape == SCHEMA_SINGLE) {
		ProtobufCMessage *child = *(ProtobufCMessage **)at;
		/* A struct that is never absent in the original is defaulted there, and looked into afterwards. */
		if (!child && field->flags & SCHEMA_BY_VALUE && field->type->form == SCHEMA_FORM_OBJECT)
			child = *(ProtobufCMessage **)at = api_new(arena, field->type);
		if (child)
			walk(arena, child);
		return;
	}
	size_t n = *(size_t *)((char *)msg + field->quantifier_offset);
	for (size_t i = 0; i < n; i++)
		walk(arena, (*(ProtobufCMessage ***)at)[i]);
}

static void walk(struct arena *arena, ProtobufCMessage *msg)
{
	const struct schema_type *type = schema_of(msg);
	if (type == &MetaV1ObjectMeta_schema || type->form != SCHEMA_FORM_OBJECT)
		return;
	const struct defaulter *d = find(type);
	if (d)
		d->set(arena, msg);
	for (size_t i = 0; i < type->n_fields; i++)
		walk_field(arena, msg, &type->fields[i]);
}

void api_set_defaults(struct arena *arena, ProtobufCMessage *msg)
{
	walk(arena, msg);
}
