#include "api/schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "api/internal.h"
#include "base/str.h"

const char schema_empty_string[1] = "";

void *api_new(struct arena *arena, const struct schema_type *type)
{
	return arena_dup(arena, type->zero, type->base.sizeof_message);
}

struct kind_key {
	const char *group, *version, *kind;
};

static int compare_kind(const void *key, const void *element)
{
	const struct kind_key *k = key;
	const struct schema_type *t = *(const struct schema_type *const *)element;
	int c = strcmp(k->kind, t->kind);

	if (!c)
		c = strcmp(k->group, t->group);
	return c ? c : strcmp(k->version, t->version);
}

const struct schema_type *schema_find_kind(const char *group, const char *version, const char *kind)
{
	struct kind_key key = {str_or_empty(group), str_or_empty(version), str_or_empty(kind)};
	const struct schema_type *const *found =
		bsearch(&key, schema_kinds, schema_n_kinds, sizeof(*schema_kinds), compare_kind);

	return found ? *found : NULL;
}

const struct schema_type *schema_find_api_version(const char *api_version, const char *kind)
{
	const char *slash = strchr(str_or_empty(api_version), '/');
	const struct schema_type *type = NULL;
	char group[128] = "";

	if (!slash) {
		type = schema_find_kind("", api_version, kind);
	} else if ((size_t)(slash - api_version) < sizeof(group)) {
		memcpy(group, api_version, (size_t)(slash - api_version));
		type = schema_find_kind(group, slash + 1, kind);
	}
	/* Every group serves the meta kinds (options, Status) as its own. */
	return type ? type : schema_find_kind("meta.k8s.io", "v1", kind);
}

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, (*(const struct schema_type *const *)element)->name);
}

const struct schema_type *schema_find_type(const char *name)
{
	const struct schema_type *const *found =
		bsearch(str_or_empty(name), schema_types, schema_n_types, sizeof(*schema_types), compare_name);

	return found ? *found : NULL;
}

static int compare_resource(const void *key, const void *element)
{
	const struct kind_key *k = key;
	const struct schema_resource *r = *(const struct schema_resource *const *)element;
	int c = strcmp(k->kind, r->plural);

	if (!c)
		c = strcmp(k->group, r->type->group);
	return c ? c : strcmp(k->version, r->type->version);
}

const struct schema_resource *schema_find_resource(const char *group, const char *version, const char *plural)
{
	struct kind_key key = {str_or_empty(group), str_or_empty(version), str_or_empty(plural)};
	const struct schema_resource *const *found =
		bsearch(&key, schema_resources, schema_n_resources, sizeof(*schema_resources), compare_resource);

	return found ? *found : NULL;
}

static bool answers_to(const struct schema_resource *r, const char *alias)
{
	if (!strcasecmp(r->plural, alias) || !strcasecmp(r->singular, alias) || !strcasecmp(r->type->kind, alias))
		return true;
	for (size_t i = 0; r->short_names[i]; i++)
		if (!strcasecmp(r->short_names[i], alias))
			return true;
	return false;
}

const struct schema_resource *schema_find_resource_alias(const char *alias)
{
	const struct schema_resource *found = NULL;

	for (size_t i = 0; !str_empty(alias) && i < schema_n_resources; i++) {
		const struct schema_resource *r = schema_resources[i];
		if (!answers_to(r, alias))
			continue;
		if (!*r->type->group)
			return r;
		if (!found)
			found = r;
	}
	return found;
}

const struct schema_type *schema_list_of(const struct schema_type *type)
{
	char kind[160];

	if (strlen(type->kind) + sizeof("List") > sizeof(kind))
		return NULL;
	memcpy(kind, type->kind, strlen(type->kind));
	memcpy(kind + strlen(type->kind), "List", sizeof("List"));
	return schema_find_kind(type->group, type->version, kind);
}

const struct schema_type *schema_item_of(const struct schema_type *type)
{
	if (!type->root || !str_ends_with(type->kind, "List"))
		return NULL;
	const struct schema_field *items = schema_field_by_name(type, "items");

	return items && items->shape == SCHEMA_LIST ? items->type : NULL;
}

const struct schema_subresource *schema_find_subresource(const struct schema_resource *resource, const char *name)
{
	for (size_t i = 0; i < resource->n_subresources; i++)
		if (str_eq(resource->subresources[i].name, name))
			return &resource->subresources[i];
	return NULL;
}

const struct schema_name *schema_find_field(const struct schema_type *type, const char *json_name, size_t size)
{
	if (!size || size > type->longest_name)
		return NULL;
	const struct schema_name *name = &type->names[type->by_size[size]],
				 *end = &type->names[type->by_size[size + 1]];
	for (; name < end; name++)
		if (!memcmp(name->json_name, json_name, size))
			return name;
	return NULL;
}

const struct schema_field *schema_field_by_name(const struct schema_type *type, const char *name)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (!strcmp(type->fields[i].name, name))
			return &type->fields[i];
	return NULL;
}

char *schema_group_version(struct arena *arena, const char *group, const char *version)
{
	return str_empty(group) ? arena_strdup(arena, str_or_empty(version))
				: arena_printf(arena, "%s/%s", group, str_or_empty(version));
}

void schema_split_api_version(struct arena *arena, const char *api_version, char **ret_group, char **ret_version)
{
	const char *text = str_or_empty(api_version);
	const char *slash = strchr(text, '/');

	*ret_group = arena_strndup(arena, text, slash ? (size_t)(slash - text) : 0);
	*ret_version = arena_strdup(arena, slash ? slash + 1 : text);
}

size_t schema_kind_size(enum schema_kind kind)
{
	static const size_t sizes[] = {[SCHEMA_BOOL] = sizeof(protobuf_c_boolean),
		[SCHEMA_INT32] = sizeof(int32_t),
		[SCHEMA_INT64] = sizeof(int64_t),
		[SCHEMA_UINT32] = sizeof(uint32_t),
		[SCHEMA_UINT64] = sizeof(uint64_t),
		[SCHEMA_FLOAT] = sizeof(float),
		[SCHEMA_DOUBLE] = sizeof(double),
		[SCHEMA_STRING] = sizeof(char *),
		[SCHEMA_BYTES] = sizeof(ProtobufCBinaryData),
		[SCHEMA_MESSAGE] = sizeof(void *)};

	return sizes[kind];
}

bool field_is_zero(const void *msg, const struct schema_field *field)
{
	const void *at = field_at(msg, field);

	if (field->shape != SCHEMA_SINGLE)
		return !*field_count(msg, field);
	if (field_has_presence_bit(field))
		return !*field_has(msg, field);
	switch ((enum schema_kind)field->kind) {
	case SCHEMA_BOOL:
		return !*(const protobuf_c_boolean *)at;
	case SCHEMA_INT32:
	case SCHEMA_UINT32:
		return !*(const uint32_t *)at;
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
		return !*(const uint64_t *)at;
	case SCHEMA_FLOAT:
		return *(const float *)at == 0;
	case SCHEMA_DOUBLE:
		return *(const double *)at == 0;
	case SCHEMA_STRING:
		return field_is(field, SCHEMA_PRESENCE) ? !*(char *const *)at : str_empty(*(char *const *)at);
	case SCHEMA_BYTES:
		return !((const ProtobufCBinaryData *)at)->len;
	case SCHEMA_MESSAGE:
		return !*(void *const *)at;
	}
	return true;
}
