#include <math.h>
#include "base/str.h"
#include "cel/eval.h"

struct cel_value cel_text_of(const char *s)
{
	return CEL_TEXT_VALUE(str_or_empty(s), strlen(str_or_empty(s)));
}

struct cel_value cel_error(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return (struct cel_value){.kind = CEL_BROKEN, .text = {text, strlen(text)}};
}

struct cel_value cel_list_of(struct arena *arena, struct cel_value *items, size_t n)
{
	struct cel_list *list = ARENA_NEW(arena, struct cel_list);
	list->items = items ? items : arena_alloc(arena, 1);
	list->n_items = n;
	return (struct cel_value){.kind = CEL_LIST, .list = list};
}

struct cel_value cel_map_of(struct arena *arena, struct cel_entry *entries, size_t n)
{
	struct cel_map *map = ARENA_NEW(arena, struct cel_map);
	map->entries = entries ? entries : arena_alloc(arena, 1);
	map->n_entries = n;
	return (struct cel_value){.kind = CEL_MAP, .map = map};
}

struct cel_value cel_opaque_of(struct arena *arena, const struct cel_type *type, const void *data)
{
	struct cel_opaque *opaque = ARENA_NEW(arena, struct cel_opaque);
	opaque->type = type;
	opaque->data = data;
	return (struct cel_value){.kind = type->kind, .opaque = opaque};
}

static const struct cel_type optional_type = {CEL_OPAQUE, "optional_type"};

struct cel_value cel_optional_of(struct arena *arena, const struct cel_value *value)
{
	struct cel_opaque *opaque = ARENA_NEW(arena, struct cel_opaque);
	opaque->type = &optional_type;
	opaque->present = value != NULL;
	if (value)
		opaque->value = *value;
	return (struct cel_value){.kind = CEL_OPAQUE, .opaque = opaque};
}

bool cel_is_optional(struct cel_value v)
{
	return v.kind == CEL_OPAQUE && v.opaque->type == &optional_type;
}

/* Trees */

static struct cel_value number_of(const cJSON *node)
{
	int64_t i;
	bool whole = !node->valuestring || !strpbrk(node->valuestring, ".eE");
	return whole && tree_int(node, &i) ? CEL_INT_VALUE(i) : CEL_DOUBLE_VALUE(node->valuedouble);
}

struct cel_value cel_tree_of(struct arena *arena, const cJSON *node)
{
	size_t n = 0, size = tree_size(node);
	if (cJSON_IsArray(node)) {
		struct cel_value *items = ARENA_ARRAY(arena, struct cel_value, size + 1);
		TREE_FOREACH (item, node)
			items[n++] = cel_tree_of(arena, item);
		return cel_list_of(arena, items, n);
	}
	if (cJSON_IsObject(node)) {
		struct cel_entry *entries = ARENA_ARRAY(arena, struct cel_entry, size + 1);
		TREE_FOREACH (member, node) {
			entries[n].key = cel_text_of(member->string);
			entries[n++].value = cel_tree_of(arena, member);
		}
		return cel_map_of(arena, entries, n);
	}
	if (cJSON_IsString(node))
		return cel_text_of(node->valuestring);
	if (cJSON_IsNumber(node))
		return number_of(node);
	return cJSON_IsBool(node) ? CEL_BOOL_VALUE(cJSON_IsTrue(node)) : CEL_NULL_VALUE;
}

/* What values are */

const char *cel_type_name(struct cel_value v)
{
	static const char *const names[] = {[CEL_DYN] = "dyn",
		[CEL_BROKEN] = "error",
		[CEL_NULL] = "null_type",
		[CEL_BOOL] = "bool",
		[CEL_INT] = "int",
		[CEL_UINT] = "uint",
		[CEL_DOUBLE] = "double",
		[CEL_STRING] = "string",
		[CEL_BYTES] = "bytes",
		[CEL_TIMESTAMP] = "google.protobuf.Timestamp",
		[CEL_DURATION] = "google.protobuf.Duration",
		[CEL_LIST] = "list",
		[CEL_MAP] = "map",
		[CEL_TYPE] = "type"};
	return v.kind == CEL_OPAQUE || v.kind == CEL_OBJECT ? v.opaque->type->name : names[v.kind];
}

uint64_t cel_size(struct cel_value v)
{
	switch (v.kind) {
	case CEL_STRING:
		return cel_points(v.text.data, v.text.size);
	case CEL_BYTES:
		return v.text.size;
	case CEL_LIST:
		return v.list->n_items;
	case CEL_MAP:
		return v.map->n_entries;
	default:
		return 1;
	}
}

struct cel_value cel_item(struct arena *arena, const struct cel_list *list, size_t index)
{
	return list->items ? list->items[index] : list->at(arena, list, index);
}

struct cel_value cel_key(struct arena *arena, const struct cel_map *map, size_t index)
{
	return map->entries ? map->entries[index].key : map->key_at(arena, map, index);
}

bool cel_find(struct arena *arena, const struct cel_map *map, struct cel_value key, struct cel_value *ret_value)
{
	if (map->find)
		return map->find(arena, map, &key, ret_value);
	for (size_t i = 0; i < map->n_entries; i++)
		if (cel_equal(arena, map->entries[i].key, key)) {
			*ret_value = map->entries[i].value;
			return true;
		}
	return false;
}

/* Equality and order */

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

static int sign_of(bool less, bool more)
{
	return less ? -1 : more;
}

static int compare_double_int(double d, int64_t i)
{
	if (d < -0x1p63)
		return -1;
	if (d >= 0x1p63)
		return 1;
	return sign_of(d<(double)i, d>(double) i);
}

static int compare_double_uint(double d, uint64_t u)
{
	if (d < 0)
		return -1;
	if (d >= 0x1p64)
		return 1;
	return sign_of(d<(double)u, d>(double) u);
}

/* Numbers of any types; no NaN. */
static int compare_numbers(struct cel_value a, struct cel_value b)
{
	if (a.kind == b.kind) {
		if (a.kind == CEL_INT)
			return sign_of(a.integer<b.integer, a.integer> b.integer);
		if (a.kind == CEL_UINT)
			return sign_of(a.natural<b.natural, a.natural> b.natural);
		return sign_of(a.number<b.number, a.number> b.number);
	}
	if (a.kind == CEL_DOUBLE)
		return b.kind == CEL_INT ? compare_double_int(a.number, b.integer)
					 : compare_double_uint(a.number, b.natural);
	if (b.kind == CEL_DOUBLE)
		return -compare_numbers(b, a);
	if (a.kind == CEL_UINT)
		return -compare_numbers(b, a);
	return a.integer < 0 ? -1 : sign_of((uint64_t)a.integer<b.natural, (uint64_t)a.integer> b.natural);
}

static bool is_nan(struct cel_value v)
{
	return v.kind == CEL_DOUBLE && isnan(v.number);
}

static int compare_texts(struct cel_text a, struct cel_text b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
	return order ? sign_of(order<0, order> 0) : sign_of(a.size<b.size, a.size> b.size);
}

static bool lists_equal(struct arena *arena, const struct cel_list *a, const struct cel_list *b)
{
	if (a->n_items != b->n_items)
		return false;
	if (a->is_set || a->keys)
		return cel_unordered_equal(arena, a, b);
	for (size_t i = 0; i < a->n_items; i++)
		if (!cel_equal(arena, cel_item(arena, a, i), cel_item(arena, b, i)))
			return false;
	return true;
}

static bool maps_equal(struct arena *arena, const struct cel_map *a, const struct cel_map *b)
{
	if (a->n_entries != b->n_entries)
		return false;
	for (size_t i = 0; i < a->n_entries; i++) {
		struct cel_value key = cel_key(arena, a, i), x, y;
		if (!cel_find(arena, a, key, &x) || !cel_find(arena, b, key, &y) || !cel_equal(arena, x, y))
			return false;
	}
	return true;
}

static bool opaques_equal(struct arena *arena, const struct cel_opaque *a, const struct cel_opaque *b)
{
	if (strcmp(a->type->name, b->type->name))
		return false;
	if (a->type == &optional_type)
		return a->present == b->present && (!a->present || cel_equal(arena, a->value, b->value));
	if (!strcmp(a->type->name, cel_quantity.name))
		return !quantity_compare(a->data, b->data);
	/* Of others the canonical text says all. */
	return a->value.kind == CEL_STRING ? !compare_texts(a->value.text, b->value.text) : a->data == b->data;
}

bool cel_equal(struct arena *arena, struct cel_value a, struct cel_value b)
{
	if (is_number(a) && is_number(b))
		return !is_nan(a) && !is_nan(b) && !compare_numbers(a, b);
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case CEL_BOOL:
		return a.boolean == b.boolean;
	case CEL_STRING:
	case CEL_BYTES:
		return !compare_texts(a.text, b.text);
	case CEL_TIMESTAMP:
		return a.time.seconds == b.time.seconds && a.time.nanos == b.time.nanos;
	case CEL_DURATION:
		return a.integer == b.integer;
	case CEL_LIST:
		return lists_equal(arena, a.list, b.list);
	case CEL_MAP:
		return maps_equal(arena, a.map, b.map);
	case CEL_TYPE:
		return !strcmp(a.type->name, b.type->name);
	case CEL_OBJECT:
	case CEL_OPAQUE:
		return opaques_equal(arena, a.opaque, b.opaque);
	default:
		return true;
	}
}

bool cel_compare(struct arena *arena, struct cel_value a, struct cel_value b, int *ret, struct cel_value *ret_error)
{
	if (is_nan(a) || is_nan(b)) {
		*ret_error = cel_error(arena, "NaN values cannot be ordered");
		return false;
	}
	if (is_number(a) && is_number(b)) {
		*ret = compare_numbers(a, b);
		return true;
	}
	switch (a.kind == b.kind ? a.kind : CEL_BROKEN) {
	case CEL_BOOL:
		*ret = sign_of(a.boolean<b.boolean, a.boolean> b.boolean);
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*ret = compare_texts(a.text, b.text);
		return true;
	case CEL_TIMESTAMP:
		*ret = a.time.seconds != b.time.seconds
			       ? sign_of(a.time.seconds < b.time.seconds, true)
			       : sign_of(a.time.nanos<b.time.nanos, a.time.nanos> b.time.nanos);
		return true;
	case CEL_DURATION:
		*ret = sign_of(a.integer<b.integer, a.integer> b.integer);
		return true;
	default:
		*ret_error = cel_error(arena, "no such overload");
		return false;
	}
}

const char *cel_quoted(struct arena *arena, const char *text)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '"');
	for (const char *p = text; *p; p++) {
		const char *known = strchr(from, *p);
		if (known)
			strbuf_printf(&out, "\\%c", to[known - from]);
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			strbuf_printf(&out, "\\x%02x", (unsigned char)*p);
		else
			strbuf_addc(&out, *p);
	}
	strbuf_addc(&out, '"');
	return arena_strdup(arena, out.buf);
}

const char *cel_value_text(struct arena *arena, struct cel_value v)
{
	switch (v.kind) {
	case CEL_STRING:
		return arena_strndup(arena, v.text.data, v.text.size);
	case CEL_INT:
		return arena_printf(arena, "%lld", (long long)v.integer);
	case CEL_UINT:
		return arena_printf(arena, "%llu", (unsigned long long)v.natural);
	case CEL_DOUBLE:
		return cel_double_text(arena, v.number);
	case CEL_BOOL:
		return v.boolean ? "true" : "false";
	default:
		return cel_type_name(v);
	}
}
