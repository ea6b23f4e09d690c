/* Merges straight into an object: what most patches are (a status reported, an annotation set) needs no tree of the
 * object. */
#include <string.h>
#include "api/copy.h"
#include "api/internal.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/patch_internal.h"

#define ORDER "$setElementOrder/"
#define FEW 100

struct merging {
	struct arena *arena;
	bool strategic;
};

static bool merge_object(const struct merging *m, void *msg, const cJSON *patch);

/* A field of the type's own. */
static const struct schema_field *own_field(const struct schema_type *type, const char *name)
{
	const struct schema_name *found = schema_find_field(type, name, strlen(name));
	return found && !found->via[0] ? found->field : NULL;
}

/* Members are found by looking at one after the other: many are for the trees, which have an index. */
static bool has_few(const cJSON *node)
{
	int n = 0;
	for (const cJSON *child = node->child; child && n <= FEW; child = child->next)
		n++;
	return n <= FEW;
}

/* Nothing in it is removed, or means anything but itself. */
static bool is_value(const cJSON *node)
{
	if (cJSON_IsNull(node))
		return false;
	TREE_FOREACH (child, node)
		if ((child->string && *child->string == '$') || !is_value(child))
			return false;
	return true;
}

/* A value in the place of what is there. */
static bool replace(const struct merging *m, void *msg, const struct schema_field *f, const cJSON *value)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct json_strict strict = {0};
	void *made;
	if (!is_value(value))
		return false;
	strbuf_printf(&text, "{\"%s\":", f->json_name);
	tree_print(&text, value, JSON_NO_HTML_ESCAPE);
	strbuf_addc(&text, '}');
	struct status *bad = json_decode(
		m->arena, schema_of(msg), text.buf, text.len, &(struct json_options){.strict = &strict}, &made);
	status_free(bad);
	if (bad || strict.n_errors)
		return false;
	patch_put_field(msg, made, f);
	return true;
}

static bool merge_text(void *msg, const struct schema_field *f, const cJSON *value)
{
	if (!cJSON_IsString(value))
		return false;
	*(char **)field_at(msg, f) = value->valuestring;
	return true;
}

static bool merge_time(const struct merging *m, void *msg, const struct schema_field *f, const cJSON *value)
{
	int64_t seconds;
	int32_t nanos;
	if (!cJSON_IsString(value))
		return false;
	const size_t size = strlen(value->valuestring);
	if (time_parse_error(m->arena, value->valuestring, size, false) ||
		!time_parse(value->valuestring, size, &seconds, &nanos))
		return false;
	*(MetaV1Time **)field_at(msg, f) = time_new(m->arena, seconds);
	return true;
}

/* A map of texts, which stays in the order of its keys. */
static bool merge_map(const struct merging *m, void *msg, const struct schema_field *f, const cJSON *patch)
{
	MapStringEntry ***entries = field_at(msg, f);
	size_t *n = field_count(msg, f);
	if (schema_map_value(f)->kind != SCHEMA_STRING || !cJSON_IsObject(patch) || !patch->child || !has_few(patch))
		return false;
	TREE_FOREACH (member, patch) {
		size_t i = 0;
		if (!cJSON_IsString(member) || *member->string == '$')
			return false;
		while (i < *n && strcmp((*entries)[i]->key, member->string) < 0)
			i++;
		if (i < *n && str_eq((*entries)[i]->key, member->string)) {
			(*entries)[i]->value = member->valuestring;
			continue;
		}
		MapStringEntry *entry = api_new(m->arena, f->type);
		entry->key = member->string;
		entry->value = member->valuestring;
		ARENA_PUSH(m->arena, *entries, *n) = entry;
		memmove(*entries + i + 1, *entries + i, (*n - 1 - i) * sizeof(**entries));
		(*entries)[i] = entry;
	}
	return true;
}

/* --- lists whose items have a key --- */

static bool is_keyed(const struct merging *m, const struct schema_field *f)
{
	const struct schema_field *key =
		m->strategic && field_is(f, SCHEMA_PATCH_MERGE) && f->kind == SCHEMA_MESSAGE && !str_empty(f->merge_key)
			? own_field(f->type, f->merge_key)
			: NULL;
	return key && key->kind == SCHEMA_STRING && key->shape == SCHEMA_SINGLE;
}

static bool has_key(const void *item, const struct schema_field *f, const char *key)
{
	return str_eq(*(char *const *)field_at(item, own_field(f->type, f->merge_key)), key);
}

/* Items that are there, in the order in which they are: so the order stays. */
static bool merge_items(const struct merging *m, void *msg, const struct schema_field *f, const cJSON *patch)
{
	void **items = *(void ***)field_at(msg, f);
	size_t n = *field_count(msg, f), next = 0;
	if (!cJSON_IsArray(patch) || !has_few(patch) || !items) /* an empty list is more than none */
		return false;
	TREE_FOREACH (item, patch) {
		const char *key = cJSON_IsObject(item) ? tree_string(tree_get(item, f->merge_key)) : NULL;
		size_t at = n;
		for (size_t i = 0; key && i < n; i++)
			if (has_key(items[i], f, key)) {
				if (at < n)
					return false;
				at = i;
			}
		if (at == n || at < next || !merge_object(m, items[at], item))
			return false;
		next = at + 1;
	}
	return true;
}

/* Whether the order asked for is the one that the items have. */
static bool is_in_order(const struct merging *m, const void *msg, const char *name, const cJSON *order)
{
	const struct schema_field *f = own_field(schema_of(msg), name);
	size_t i = 0;
	if (!f || f->shape != SCHEMA_LIST || !is_keyed(m, f) || !cJSON_IsArray(order))
		return false;
	void *const *items = *(void **const *)field_at(msg, f);
	TREE_FOREACH (item, order) {
		const char *key = cJSON_IsObject(item) ? tree_string(tree_get(item, f->merge_key)) : NULL;
		if (!key || item->child->next || i == *field_count(msg, f) || !has_key(items[i++], f, key))
			return false;
	}
	return i == *field_count(msg, f);
}

/* --- fields --- */

static bool merge_field(const struct merging *m, void *msg, const struct schema_field *f, const cJSON *patch)
{
	if (m->strategic && f->flags & (SCHEMA_PATCH_REPLACE | SCHEMA_PATCH_RETAIN_KEYS))
		return false;
	if (f->shape == SCHEMA_MAP)
		return merge_map(m, msg, f, patch);
	if (f->shape == SCHEMA_LIST) {
		if (is_keyed(m, f))
			return merge_items(m, msg, f, patch);
		return !(m->strategic && field_is(f, SCHEMA_PATCH_MERGE)) && replace(m, msg, f, patch);
	}
	if (f->kind == SCHEMA_STRING)
		return merge_text(msg, f, patch);
	if (f->kind == SCHEMA_MESSAGE && f->type->form == SCHEMA_FORM_TIME)
		return merge_time(m, msg, f, patch);
	/* Of JSON that is kept as it is the members are merged, too. */
	if (f->kind == SCHEMA_MESSAGE && f->type->form == SCHEMA_FORM_RAW)
		return !cJSON_IsObject(patch) && replace(m, msg, f, patch);
	if (f->kind != SCHEMA_MESSAGE || f->type->form != SCHEMA_FORM_OBJECT)
		return replace(m, msg, f, patch);
	void **child = field_at(msg, f);
	if (!cJSON_IsObject(patch))
		return false;
	if (!*child)
		*child = api_new(m->arena, f->type);
	return merge_object(m, *child, patch);
}

static bool merge_object(const struct merging *m, void *msg, const cJSON *patch)
{
	const struct schema_type *type = schema_of(msg);
	TREE_FOREACH (member, patch) {
		if (m->strategic && str_starts_with(member->string, ORDER)) {
			if (!is_in_order(m, msg, member->string + strlen(ORDER), member))
				return false;
			continue;
		}
		const struct schema_field *f = own_field(type, member->string);
		if (!f || !merge_field(m, msg, f, member))
			return false;
	}
	return true;
}

bool patch_merge_typed(struct arena *arena, const ProtobufCMessage *object, const cJSON *patch, bool strategic,
	ProtobufCMessage **ret_object)
{
	const struct merging m = {.arena = arena, .strategic = strategic};
	ProtobufCMessage *copy = api_copy_msg(arena, object);
	if (!cJSON_IsObject(patch) || !merge_object(&m, copy, patch))
		return false;
	*ret_object = copy;
	return true;
}
