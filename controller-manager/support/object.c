#include "controller-manager/support/object.h"

#include "base/log.h"
#include "base/str.h"

static const struct schema_field *metadata_field(const struct schema_type *type)
{
	return schema_field_by_name(type, "metadata");
}

const MetaV1ObjectMeta *object_metadata(const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);
	return meta ? meta : MetaV1ObjectMeta_schema.zero;
}

MetaV1ObjectMeta *object_metadata_mut(struct arena *arena, void *msg)
{
	const struct schema_field *field = metadata_field(schema_of(msg));
	MetaV1ObjectMeta **meta = (MetaV1ObjectMeta **)((char *)msg + field->offset);
	if (!*meta || *meta == MetaV1ObjectMeta_schema.zero)
		*meta = API_NEW(arena, MetaV1ObjectMeta);
	return *meta;
}

/* Fills absent by-value structs; from the arena if there is one, else with the shared zero object. */
static void complete_fields(struct arena *arena, void *msg, int depth)
{
	const struct schema_type *type = schema_of(msg);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (f->kind != SCHEMA_MESSAGE || f->shape != SCHEMA_SINGLE)
			continue;
		void **slot = (void **)((char *)msg + f->offset);
		if (!*slot && (f->flags & SCHEMA_BY_VALUE))
			*slot = arena ? api_new(arena, f->type) : (void *)(uintptr_t)f->type->zero;
		if (*slot && depth > 0 && *slot != f->type->zero)
			complete_fields(arena, *slot, depth - 1);
	}
}

void object_complete(struct arena *arena, void *msg)
{
	complete_fields(arena, msg, 4);
}

void object_trim(void *msg)
{
	const struct schema_field *field = metadata_field(schema_of(msg));
	MetaV1ObjectMeta *meta = field ? *(MetaV1ObjectMeta **)((char *)msg + field->offset) : NULL;
	if (meta) {
		meta->n_managed_fields = 0;
		meta->managed_fields = NULL;
	}
	object_complete(NULL, msg);
}

void *object_copy(struct arena *arena, const void *msg)
{
	void *copy = api_copy_msg(arena, msg);
	object_complete(arena, copy);
	return copy;
}

const MetaV1OwnerReference *controller_of(const MetaV1ObjectMeta *meta)
{
	for (size_t i = 0; i < meta->n_owner_references; i++)
		if (meta->owner_references[i]->has_controller && meta->owner_references[i]->controller)
			return meta->owner_references[i];
	return NULL;
}

bool controlled_by(const void *msg, const void *owner)
{
	const MetaV1OwnerReference *ref = controller_of(object_metadata(msg));
	return ref && str_eq(ref->uid, object_metadata(owner)->uid);
}

bool owner_ref_equal(const MetaV1OwnerReference *a, const MetaV1OwnerReference *b)
{
	if (!a || !b)
		return a == b;
	return str_eq(a->uid, b->uid) && str_eq(a->name, b->name) && str_eq(a->kind, b->kind) &&
	       str_eq(a->api_version, b->api_version) && a->controller == b->controller &&
	       a->block_owner_deletion == b->block_owner_deletion;
}

MetaV1OwnerReference *controller_ref_to(struct arena *arena, const void *owner)
{
	const MetaV1ObjectMeta *meta = object_metadata(owner);
	MetaV1OwnerReference *ref = API_NEW(arena, MetaV1OwnerReference);
	ref->api_version = arena_strdup(arena, object_api_version(owner));
	ref->kind = arena_strdup(arena, object_kind(owner));
	ref->name = arena_strdup(arena, meta->name);
	ref->uid = arena_strdup(arena, meta->uid);
	ref->has_controller = ref->controller = true;
	ref->has_block_owner_deletion = ref->block_owner_deletion = true;
	return ref;
}

int64_t time_ns(const MetaV1Time *time)
{
	return time_is_zero(time) ? 0 : time->seconds * 1000000000 + time->nanos;
}

MetaV1Time *now_time(struct arena *arena, const struct clock *clock)
{
	return time_new(arena, clock_wall_s(clock));
}

static bool requirement_matches(const MetaV1LabelSelectorRequirement *r, MapStringEntry *const *labels, size_t n_labels)
{
	const char *value = map_get(labels, n_labels, r->key);
	if (str_eq(r->operator, "In"))
		return value && str_in_n(value, r->values, r->n_values);
	if (str_eq(r->operator, "NotIn"))
		return !value || !str_in_n(value, r->values, r->n_values);
	if (str_eq(r->operator, "Exists"))
		return value != NULL;
	return str_eq(r->operator, "DoesNotExist") && !value;
}

bool selector_takes(const MetaV1LabelSelector *selector, MapStringEntry *const *labels, size_t n_labels)
{
	if (!selector)
		return false;
	if (!map_contains(labels, n_labels, selector->match_labels, selector->n_match_labels))
		return false;
	for (size_t i = 0; i < selector->n_match_expressions; i++)
		if (!requirement_matches(selector->match_expressions[i], labels, n_labels))
			return false;
	return true;
}

bool selector_is_empty(const MetaV1LabelSelector *selector)
{
	return selector && !selector->n_match_labels && !selector->n_match_expressions;
}

struct status *selector_check(const MetaV1LabelSelector *selector)
{
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
	for (size_t i = 0; selector && i < selector->n_match_expressions; i++) {
		const MetaV1LabelSelectorRequirement *r = selector->match_expressions[i];
		if (!str_in(r->operator, operators))
			return status_bad_request("\"%s\" is not a valid label selector operator", r->operator);
		bool set = str_eq(r->operator, "In") || str_eq(r->operator, "NotIn");
		if (set != (r->n_values > 0))
			return status_bad_request(set ? "values set must be non-empty for operator %s on key %s"
						      : "values set must be empty for operator %s on key %s",
				r->operator, r->key);
	}
	return NULL;
}

bool int_or_percent(const IntstrIntOrString *value, int32_t fallback, int32_t total, bool round_up, int32_t *ret_value)
{
	if (!value) {
		*ret_value = fallback;
		return true;
	}
	if (value->type == 0) {
		*ret_value = value->int_val;
		return true;
	}
	size_t len = strlen(str_or_empty(value->str_val));
	char digits[12];
	int64_t percent;
	if (len < 2 || len > sizeof(digits) || value->str_val[len - 1] != '%')
		return false;
	memcpy(digits, value->str_val, len - 1);
	digits[len - 1] = '\0';
	if (!str_to_int64(digits, 0, INT32_MAX, &percent))
		return false;
	int64_t product = percent * total;
	*ret_value = (int32_t)(round_up ? (product + 99) / 100 : product / 100);
	return true;
}

struct status *status_first(struct status *first, struct status *later)
{
	if (!first)
		return later;
	log_status(later, "one more error");
	return first;
}
