#include "api/defaults/defaults.h"
#include <assert.h>
#include <pthread.h>
#include "api/defaults/table.h"
#include "api/quantity.h"
#include "base/mem.h"

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

/*
 * What is to be done for a type: its defaulter, and the fields below which there is anything to do. Made once for all
 * types, constant then: every object that is read from etcd is looked through.
 */
struct plan {
	const struct schema_type *type;
	const struct defaulter *defaulter;
	const struct schema_field **fields;
	size_t n_fields;
	bool needed;
};
enum { SLOTS = 4096 };
static struct plan slots[SLOTS]; /* by the address of the type */
static pthread_once_t slots_made = PTHREAD_ONCE_INIT;

static struct plan *find(const struct schema_type *type)
{
	size_t at = (uintptr_t)type / _Alignof(struct schema_type) * 2654435761u % SLOTS;
	while (slots[at].type && slots[at].type != type)
		at = (at + 1) % SLOTS;
	return &slots[at];
}

static bool is_looked_into(const struct schema_type *type)
{
	return type != &MetaV1ObjectMeta_schema && type->form == SCHEMA_FORM_OBJECT;
}

/* A struct that is never absent in the original is defaulted there, and looked into afterwards. */
static bool is_made(const struct schema_field *field)
{
	return field->shape == SCHEMA_SINGLE && field->flags & SCHEMA_BY_VALUE &&
	       field->type->form == SCHEMA_FORM_OBJECT;
}

/* Of the core group's resource lists: the defaults of the other groups are those of their own types. */
static bool holds_amounts(const struct schema_type *type, const struct schema_field *field)
{
	return field->shape == SCHEMA_MAP && field->type->fields[1].type == &ResourceQuantity_schema &&
	       !str_starts_with(type->name, "resource.") && !str_starts_with(type->name, "node.");
}

static bool is_field_needed(const struct schema_type *type, const struct schema_field *field)
{
	if (field->kind != SCHEMA_MESSAGE)
		return false;
	if (field->shape == SCHEMA_MAP)
		return holds_amounts(type, field);
	return is_made(field) || find(field->type)->needed;
}

static bool is_needed(const struct plan *plan)
{
	if (plan->defaulter)
		return true;
	for (size_t i = 0; i < plan->type->n_fields; i++)
		if (is_field_needed(plan->type, &plan->type->fields[i]))
			return true;
	return false;
}

/* Types refer to each other, some to themselves: what is needed spreads until nothing changes. */
static void spread_need(void)
{
	for (bool changed = true; changed;) {
		changed = false;
		SCHEMA_FOREACH_TYPE(type)
		{
			struct plan *plan = find(type);
			if (plan->needed || !is_looked_into(type) || !is_needed(plan))
				continue;
			plan->needed = changed = true;
		}
	}
}

static void choose_fields(struct plan *plan)
{
	plan->fields = mem_calloc(plan->type->n_fields, sizeof(*plan->fields));
	for (size_t i = 0; i < plan->type->n_fields; i++)
		if (is_field_needed(plan->type, &plan->type->fields[i]))
			plan->fields[plan->n_fields++] = &plan->type->fields[i];
}

static void make_slots(void)
{
	assert(schema_n_types < SLOTS / 2);
	SCHEMA_FOREACH_TYPE(type)
	find(type)->type = type;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct defaulter *d = tables[i]; d->type; d++)
			if (!find(d->type)->defaulter)
				find(d->type)->defaulter = d;
	spread_need();
	SCHEMA_FOREACH_TYPE(type)
	if (find(type)->needed)
		choose_fields(find(type));
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

static void walk(struct arena *arena, ProtobufCMessage *msg);

static void walk_field(struct arena *arena, ProtobufCMessage *msg, const struct schema_field *field)
{
	char *at = (char *)msg + field->offset;
	if (field->shape == SCHEMA_SINGLE) {
		ProtobufCMessage *child = *(ProtobufCMessage **)at;
		if (!child && is_made(field))
			child = *(ProtobufCMessage **)at = api_new(arena, field->type);
		if (child)
			walk(arena, child);
		return;
	}
	size_t n = *(size_t *)((char *)msg + field->quantifier_offset);
	if (field->shape == SCHEMA_MAP)
		round_amounts(arena, *(MapQuantityEntry ***)at, n);
	for (size_t i = 0; field->shape == SCHEMA_LIST && i < n; i++)
		walk(arena, (*(ProtobufCMessage ***)at)[i]);
}

static void walk(struct arena *arena, ProtobufCMessage *msg)
{
	const struct plan *plan = find(schema_of(msg));
	if (!plan->needed)
		return;
	if (plan->defaulter)
		plan->defaulter->set(arena, msg);
	for (size_t i = 0; i < plan->n_fields; i++)
		walk_field(arena, msg, plan->fields[i]);
}

void api_set_defaults(struct arena *arena, ProtobufCMessage *msg)
{
	pthread_once(&slots_made, make_slots);
	walk(arena, msg);
}
