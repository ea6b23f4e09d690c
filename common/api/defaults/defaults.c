#include "api/defaults/defaults.h"
#include <assert.h>
#include <pthread.h>
#include "api/defaults/table.h"
#include "api/quantity.h"

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

/* The rows of all tables by the address of their type; made once, constant then. Every object that is read from etcd is
 * looked through. */
enum { SLOTS = 1024 };
static const struct defaulter *slots[SLOTS];
static pthread_once_t slots_made = PTHREAD_ONCE_INIT;

static size_t slot_of(const struct schema_type *type)
{
	return (uintptr_t)type / _Alignof(struct schema_type) * 2654435761u % SLOTS;
}

static void make_slots(void)
{
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct defaulter *d = tables[i]; d->type; d++) {
			size_t at = slot_of(d->type);
			assert(++n < SLOTS / 2);
			while (slots[at] && slots[at]->type != d->type)
				at = (at + 1) % SLOTS;
			if (!slots[at])
				slots[at] = d;
		}
}

static const struct defaulter *find(const struct schema_type *type)
{
	size_t at = slot_of(type);
	while (slots[at] && slots[at]->type != type)
		at = (at + 1) % SLOTS;
	return slots[at];
}

/* Amounts of resources are whole thousandths, rounded away from zero. */
static void round_amounts(struct arena *arena, MapQuantityEntry *const *entries, size_t n)
{
	enum { NANOS_PER_MILLI = 1000000 };
	for (size_t i = 0; i < n; i++) {
		if (!entries[i]->value || !strpbrk(str_or_empty(entries[i]->value->string), ".nueE"))
			continue;
		struct quantity q = quantity_of(entries[i]->value);
		__int128 rest = q.nanos % NANOS_PER_MILLI;
		if (!rest)
			continue;
		q.nanos += (rest > 0 ? NANOS_PER_MILLI : -NANOS_PER_MILLI) - rest;
		entries[i]->value = quantity_new(arena, &q);
	}
}

static bool holds_amounts(const ProtobufCMessage *msg, const struct schema_field *field)
{
	return field->shape == SCHEMA_MAP && field->type->fields[1].type == &ResourceQuantity_schema &&
	       !str_starts_with(schema_of(msg)->name, "resource.");
}

static void walk(struct arena *arena, ProtobufCMessage *msg);

static void walk_field(struct arena *arena, ProtobufCMessage *msg, const struct schema_field *field)
{
	char *at = (char *)msg + field->offset;
	if (holds_amounts(msg, field))
		round_amounts(arena, *(MapQuantityEntry ***)at, *(size_t *)((char *)msg + field->quantifier_offset));
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
	pthread_once(&slots_made, make_slots);
	walk(arena, msg);
}
