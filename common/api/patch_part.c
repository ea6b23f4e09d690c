/* Patches of a part: what a merge says nothing of need not become a tree and an object again. */
#include <string.h>
#include "api/copy.h"
#include "api/internal.h"
#include "api/patch_internal.h"

static bool has_inline(const struct schema_type *type)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (field_is(&type->fields[i], SCHEMA_INLINE))
			return true;
	return false;
}

/* Whether a patch of an object only names members of it: a directive may speak of all. */
static bool is_plain(const struct schema_type *type, const cJSON *patch)
{
	if (!cJSON_IsObject(patch) || type->form != SCHEMA_FORM_OBJECT || has_inline(type))
		return false;
	TREE_FOREACH (member, patch)
		if (*member->string == '$')
			return false;
	return true;
}

/* Whether the patch of a field is merged member by member into what is there. */
static bool is_merged(const struct schema_field *f, const void *child, const cJSON *patch)
{
	const unsigned how = SCHEMA_PATCH_MERGE | SCHEMA_PATCH_REPLACE | SCHEMA_PATCH_RETAIN_KEYS;
	return child && f->kind == SCHEMA_MESSAGE && f->shape == SCHEMA_SINGLE && !(f->flags & how) &&
	       is_plain(f->type, patch);
}

void patch_put_field(void *to, const void *from, const struct schema_field *f)
{
	size_t size = f->shape == SCHEMA_SINGLE ? schema_kind_size(f->kind) : sizeof(void *);
	memcpy(field_at(to, f), field_at(from, f), size);
	if (f->shape != SCHEMA_SINGLE)
		*field_count(to, f) = *field_count(from, f);
	else if (field_has_presence_bit(f))
		*field_has(to, f) = *field_has(from, f);
}

static void **child_p(void *msg, const struct schema_field *f)
{
	return (void **)field_at(msg, f);
}

/* The fields of msg that the patch names (wanted), or those that it does not. */
static void *part(struct arena *arena, const void *msg, const cJSON *patch, bool wanted)
{
	const struct schema_type *type = schema_of(msg);
	void *out = arena_dup(arena, msg, type->base.sizeof_message);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		const cJSON *member = tree_get(patch, f->json_name);
		void *child = f->kind == SCHEMA_MESSAGE && f->shape == SCHEMA_SINGLE ? *child_p(out, f) : NULL;
		if (member && is_merged(f, child, member))
			*child_p(out, f) = part(arena, child, member, wanted);
		else if ((member != NULL) != wanted)
			patch_put_field(out, type->zero, f);
	}
	return out;
}

ProtobufCMessage *patch_part(struct arena *arena, const ProtobufCMessage *object, const cJSON *patch)
{
	return is_plain(schema_of(object), patch) ? part(arena, object, patch, true) : NULL;
}

static void join(void *made, const void *before, const void *rest, const cJSON *patch)
{
	const struct schema_type *type = schema_of(before);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		const cJSON *member = tree_get(patch, f->json_name);
		bool single = f->kind == SCHEMA_MESSAGE && f->shape == SCHEMA_SINGLE;
		if (!member)
			patch_put_field(made, rest, f);
		else if (single && *child_p(made, f) && is_merged(f, *(void *const *)field_at(before, f), member))
			join(*child_p(made, f), *(void *const *)field_at(before, f), *(void *const *)field_at(rest, f),
				member);
	}
}

void patch_join(struct arena *arena, ProtobufCMessage *made, const ProtobufCMessage *object, const cJSON *patch)
{
	join(made, object, api_copy_msg(arena, part(arena, object, patch, false)), patch);
}
