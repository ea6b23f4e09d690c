/* Values: an object as its JSON shows it, read where it lies. */
#include "api/field_value.h"
#include <stdlib.h>
#include <string.h>
#include "api/fieldset_internal.h"
#include "api/internal.h"
#include "api/meta.h"
#include "api/intstr.h"
#include "api/json.h"
#include "api/types.h"

enum source {
	SOURCE_TREE,	/* at: a cJSON node */
	SOURCE_MESSAGE, /* at: an object of fields */
	SOURCE_LIST,	/* at: the message that has the field */
	SOURCE_MAP,
	SOURCE_SCALAR, /* at: the value, of the field's kind */
	SOURCE_TEXT,   /* at: a message that JSON shows as a scalar */
};

static const struct field_value absent;

static struct field_value value(
	const void *at, const struct schema_field *field, enum source source, enum field_form form)
{
	return (struct field_value){.at = at, .field = field, .source = (uint8_t)source, .form = (uint8_t)form};
}

struct field_value field_value_of_tree(const cJSON *tree)
{
	if (!tree)
		return absent;
	enum field_form form = cJSON_IsObject(tree)  ? FIELD_MAP
			       : cJSON_IsArray(tree) ? FIELD_LIST
			       : cJSON_IsNull(tree)  ? FIELD_NULL
						     : FIELD_SCALAR;
	return value(tree, NULL, SOURCE_TREE, form);
}

struct field_value field_value_of(const void *msg)
{
	return msg ? value(msg, NULL, SOURCE_MESSAGE, FIELD_MAP) : absent;
}

/* What has a form of its own in JSON is read as a tree. */
static struct field_value of_json(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	cJSON *tree = NULL;
	json_encode(&text, msg, JSON_NO_HTML_ESCAPE);
	struct status *status = tree_parse(arena, text.buf, text.len, NULL, &tree);
	status_drop(status, "the encoder writes what the reader reads");
	return status ? absent : field_value_of_tree(tree);
}

static struct field_value of_message(struct arena *arena, const void *msg)
{
	const struct schema_type *type = schema_of(msg);
	switch ((enum schema_form)type->form) {
	case SCHEMA_FORM_OBJECT:
		return field_value_of(msg);
	case SCHEMA_FORM_TIME:
	case SCHEMA_FORM_MICRO_TIME:
		return value(msg, NULL, SOURCE_TEXT,
			((const MetaV1Time *)msg)->seconds || ((const MetaV1Time *)msg)->nanos ? FIELD_SCALAR
											       : FIELD_NULL);
	case SCHEMA_FORM_DURATION:
	case SCHEMA_FORM_QUANTITY:
	case SCHEMA_FORM_INT_OR_STRING:
		return value(msg, NULL, SOURCE_TEXT, FIELD_SCALAR);
	case SCHEMA_FORM_LIST: {
		const struct schema_field *f = &type->fields[0];
		bool null = !*field_count(msg, f) && !*(void *const *)field_at(msg, f);
		return value(msg, f, SOURCE_LIST, null ? FIELD_NULL : FIELD_LIST);
	}
	default:
		return of_json(arena, msg);
	}
}

/* One element of a kind at a place; NULL messages of a list are null, of a map empty. */
static struct field_value of_element(struct arena *arena, const struct schema_field *f, const void *at)
{
	if (f->kind != SCHEMA_MESSAGE)
		return value(at, f, SOURCE_SCALAR, FIELD_SCALAR);
	const void *msg = *(void *const *)at;
	return msg ? of_message(arena, msg) : value(NULL, NULL, SOURCE_TREE, FIELD_NULL);
}

/* A field that JSON writes. */
static struct field_value of_written(struct arena *arena, const void *msg, const struct schema_field *f)
{
	const void *at = field_at(msg, f);
	if (f->shape != SCHEMA_SINGLE) {
		bool null = !*field_count(msg, f) && !*(void *const *)at;
		if (f->shape == SCHEMA_LIST)
			return value(msg, f, SOURCE_LIST, null ? FIELD_NULL : FIELD_LIST);
		return value(msg, f, SOURCE_MAP, null ? FIELD_NULL : FIELD_MAP);
	}
	bool null = (field_has_presence_bit(f) && !*field_has(msg, f)) ||
		    (f->kind == SCHEMA_STRING && field_is(f, SCHEMA_PRESENCE) && !*(char *const *)at) ||
		    (f->kind == SCHEMA_BYTES && !((const ProtobufCBinaryData *)at)->data);
	if (null)
		return value(NULL, f, SOURCE_SCALAR, FIELD_NULL);
	if (f->kind == SCHEMA_MESSAGE && field_is(f, SCHEMA_BY_VALUE) && !*(void *const *)at)
		return of_message(arena, f->type->zero);
	return of_element(arena, f, at);
}

struct field_value field_value_of_field(struct arena *arena, const void *msg, const struct schema_field *f)
{
	return json_field_is_written(msg, f) ? of_written(arena, msg, f) : absent;
}

/* --- lists --- */

size_t field_value_count(struct field_value list)
{
	if (list.form != FIELD_LIST && list.form != FIELD_MAP)
		return 0;
	if (list.source == SOURCE_TREE)
		return tree_size(list.at);
	return *field_count(list.at, list.field);
}

struct field_value *field_value_items(struct arena *arena, struct field_value list)
{
	size_t n = field_value_count(list), i = 0;
	struct field_value *items = ARENA_ARRAY(arena, struct field_value, n + 1);
	if (list.source == SOURCE_TREE) {
		TREE_FOREACH (node, (const cJSON *)list.at)
			items[i++] = field_value_of_tree(node);
		return items;
	}
	const char *from = n ? *(char *const *)field_at(list.at, list.field) : NULL;
	for (; i < n; i++)
		items[i] = of_element(arena, list.field, from + i * schema_kind_size(list.field->kind));
	return items;
}

/* --- maps --- */

static struct field_value entry_value(struct arena *arena, const struct schema_field *map, const void *entry)
{
	const struct schema_field *f = schema_map_value(map);
	const void *at = field_at(entry, f);
	if (f->kind == SCHEMA_MESSAGE && !*(void *const *)at)
		return of_message(arena, f->type->zero);
	return of_element(arena, f, at);
}

/* A member of a map or tree, by name. */
struct named {
	const char *name;
	struct field_value value;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Sorted, so that two of them are walked in step however many there are. */
static struct named *members_of(struct arena *arena, struct field_value map, size_t *ret_n)
{
	size_t n = map.form == FIELD_MAP ? field_value_count(map) : 0, i = 0;
	struct named *out = n ? arena_alloc(arena, n * sizeof(*out)) : NULL;
	*ret_n = n;
	if (n && map.source == SOURCE_TREE)
		TREE_FOREACH (node, (const cJSON *)map.at)
			out[i++] = (struct named){node->string, field_value_of_tree(node)};
	for (; i < n; i++) {
		const void *entry = (*(void **const *)field_at(map.at, map.field))[i];
		out[i] = (struct named){map_key(entry), entry_value(arena, map.field, entry)};
	}
	for (i = 1; i < n && strcmp(out[i - 1].name, out[i].name) <= 0; i++)
		;
	if (i < n)
		qsort(out, n, sizeof(*out), by_name);
	return out;
}

static void map_pairs(struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b,
	field_pair_fn *fn, void *data)
{
	size_t n, m, i = 0, j = 0;
	const struct named *x = members_of(arena, a, &n), *y = members_of(arena, b, &m);
	while (i < n || j < m) {
		int c = i == n ? 1 : j == m ? -1 : strcmp(x[i].name, y[j].name);
		const char *text = c <= 0 ? x[i].name : y[j].name;
		const struct field_element name = field_name_element(text, strlen(text));
		struct field_place member = {.kind = PLACE_ANY, .schema = place->schema};
		bool declared = place->kind != PLACE_ANY && place->schema &&
				place->schema->member(place, name.text, name.size, &member);
		fn(data, name, &member, declared, c <= 0 ? x[i].value : absent, c >= 0 ? y[j].value : absent);
		i += c <= 0;
		j += c >= 0;
	}
}

static void message_pairs(struct arena *arena, const struct schema_type *type, const void *a, const void *b,
	field_pair_fn *fn, void *data)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (field_is(f, SCHEMA_INLINE)) {
			const void *x = a ? *(void *const *)field_at(a, f) : NULL;
			const void *y = b ? *(void *const *)field_at(b, f) : NULL;
			message_pairs(
				arena, f->type, a && !x ? f->type->zero : x, b && !y ? f->type->zero : y, fn, data);
			continue;
		}
		const struct field_value x = a ? field_value_of_field(arena, a, f) : absent;
		const struct field_value y = b ? field_value_of_field(arena, b, f) : absent;
		if (x.form == FIELD_ABSENT && y.form == FIELD_ABSENT)
			continue;
		const struct field_place member = field_place_of_field(f);
		fn(data, field_name_element(f->json_name, f->json_size), &member, true, x, y);
	}
}

void field_each_pair(struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b,
	field_pair_fn *fn, void *data)
{
	const void *x = a.form == FIELD_MAP ? a.at : NULL, *y = b.form == FIELD_MAP ? b.at : NULL;
	if (!x && !y)
		return;
	switch ((enum source)(x ? a.source : b.source)) {
	case SOURCE_TREE:
	case SOURCE_MAP:
		map_pairs(arena, place, a, b, fn, data);
		break;
	default:
		message_pairs(arena, schema_of(x ? x : y), x, y, fn, data);
	}
}

static void map_members(
	struct arena *arena, const struct field_place *place, struct field_value map, field_member_fn *fn, void *data)
{
	size_t n;
	const struct named *members = members_of(arena, map, &n);
	for (size_t i = 0; i < n; i++) {
		const struct field_element name = field_name_element(members[i].name, strlen(members[i].name));
		struct field_place member = {.kind = PLACE_ANY, .schema = place->schema};
		bool declared = place->kind != PLACE_ANY && place->schema &&
				place->schema->member(place, name.text, name.size, &member);
		fn(data, name, &member, declared, members[i].value);
	}
}

static void message_members(
	struct arena *arena, const struct schema_type *type, const void *msg, field_member_fn *fn, void *data)
{
	for (const struct schema_look *look = type->looks, *end = look + type->n_fields; look < end; look++) {
		if (!schema_may_be_written(msg, look))
			continue;
		const struct schema_field *f = &type->fields[look->at];
		if (field_is(f, SCHEMA_INLINE)) {
			const void *child = *(void *const *)field_at(msg, f);
			message_members(arena, f->type, child ? child : f->type->zero, fn, data);
		} else if (json_field_is_there(msg, look, f)) {
			const struct field_place member = field_place_of_field(f);
			fn(data, field_name_element(f->json_name, f->json_size), &member, true,
				of_written(arena, msg, f));
		}
	}
}

void field_each_member(
	struct arena *arena, const struct field_place *place, struct field_value v, field_member_fn *fn, void *data)
{
	if (v.form != FIELD_MAP)
		return;
	if (v.source == SOURCE_MESSAGE)
		message_members(arena, schema_of(v.at), v.at, fn, data);
	else
		map_members(arena, place, v, fn, data);
}

static bool message_is_empty(const struct schema_type *type, const void *msg)
{
	for (const struct schema_look *look = type->looks, *end = look + type->n_fields; look < end; look++) {
		if (!schema_may_be_written(msg, look))
			continue;
		const struct schema_field *f = &type->fields[look->at];
		const void *child = field_is(f, SCHEMA_INLINE) ? *(void *const *)field_at(msg, f) : NULL;
		if (field_is(f, SCHEMA_INLINE) ? !message_is_empty(f->type, child ? child : f->type->zero)
					       : json_field_is_there(msg, look, f))
			return false;
	}
	return true;
}

bool field_value_empty(struct arena *arena, struct field_value v)
{
	if (v.form != FIELD_LIST && v.form != FIELD_MAP)
		return true;
	if (v.source == SOURCE_MESSAGE)
		return message_is_empty(schema_of(v.at), v.at);
	return !field_value_count(v);
}

struct field_value field_value_member(struct arena *arena, struct field_value map, const char *name)
{
	if (map.form != FIELD_MAP)
		return absent;
	if (map.source == SOURCE_TREE)
		return field_value_of_tree(tree_get(map.at, name));
	if (map.source == SOURCE_MAP)
		return absent; /* the items of keyed lists are structs */
	const struct schema_name *found = schema_find_field(schema_of(map.at), name, strlen(name));
	const void *msg = map.at;
	const struct schema_type *type = schema_of(msg);
	for (size_t i = 0; found && i < ARRAY_SIZE(found->via) && found->via[i]; i++) {
		type = found->via[i]->type;
		msg = *(void *const *)field_at(msg, found->via[i]);
		msg = msg ? msg : type->zero;
	}
	return found ? field_value_of_field(arena, msg, found->field) : absent;
}

/* --- scalars --- */

void field_value_print(struct strbuf *out, struct field_value v)
{
	if (v.form == FIELD_NULL) {
		strbuf_adds(out, "null");
	} else if (v.source == SOURCE_TREE && cJSON_IsString((const cJSON *)v.at)) {
		const char *text = ((const cJSON *)v.at)->valuestring;
		json_add_string(out, text, strlen(text), true);
	} else if (v.source == SOURCE_TREE) {
		tree_print(out, v.at, 0);
	} else if (v.source == SOURCE_TEXT) {
		json_encode(out, v.at, 0);
	} else {
		json_encode_scalar(out, v.field->kind, v.at);
	}
}

const char *field_value_plain_text(struct field_value v)
{
	const char *text = NULL;
	if (v.form != FIELD_SCALAR)
		return NULL;
	if (v.source == SOURCE_TREE && cJSON_IsString((const cJSON *)v.at))
		text = ((const cJSON *)v.at)->valuestring;
	else if (v.source == SOURCE_SCALAR && v.field->kind == SCHEMA_STRING)
		text = *(char *const *)v.at;
	for (const char *p = text; p && *p; p++)
		if (!field_is_plain(*p))
			return NULL;
	return text;
}

static bool equal_scalars(enum schema_kind kind, const void *a, const void *b)
{
	switch (kind) {
	case SCHEMA_BOOL:
		return !*(const protobuf_c_boolean *)a == !*(const protobuf_c_boolean *)b;
	case SCHEMA_STRING:
		return str_eq(*(char *const *)a, *(char *const *)b);
	case SCHEMA_BYTES: {
		const ProtobufCBinaryData *x = a, *y = b;
		return x->len == y->len && (!x->len || !memcmp(x->data, y->data, x->len));
	}
	default:
		return !memcmp(a, b, schema_kind_size(kind));
	}
}

static bool equal_texts(const void *a, const void *b)
{
	switch ((enum schema_form)schema_of(a)->form) {
	case SCHEMA_FORM_TIME:
		return ((const MetaV1Time *)a)->seconds == ((const MetaV1Time *)b)->seconds;
	case SCHEMA_FORM_MICRO_TIME:
		return ((const MetaV1MicroTime *)a)->seconds == ((const MetaV1MicroTime *)b)->seconds &&
		       ((const MetaV1MicroTime *)a)->nanos / 1000 == ((const MetaV1MicroTime *)b)->nanos / 1000;
	case SCHEMA_FORM_DURATION:
		return ((const MetaV1Duration *)a)->duration == ((const MetaV1Duration *)b)->duration;
	case SCHEMA_FORM_QUANTITY:
		return str_eq(str_or(((const ResourceQuantity *)a)->string, "0"),
			str_or(((const ResourceQuantity *)b)->string, "0"));
	default: {
		const IntstrIntOrString *x = a, *y = b;
		if (x->type != y->type)
			return false;
		return x->type == INTSTR_STRING ? str_eq(x->str_val, y->str_val) : x->int_val == y->int_val;
	}
	}
}

struct equality {
	struct arena *arena;
	bool differs;
};

static void note_difference(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value a, struct field_value b)
{
	struct equality *e = data;
	if (!e->differs && !field_value_equal(e->arena, a, b))
		e->differs = true;
}

static bool equal_items(struct arena *arena, struct field_value a, struct field_value b)
{
	size_t n = field_value_count(a);
	if (n != field_value_count(b))
		return false;
	size_t size = schema_kind_size(a.field->kind);
	const char *x = *(char *const *)field_at(a.at, a.field), *y = *(char *const *)field_at(b.at, b.field);
	for (size_t i = 0; i < n; i++)
		if (!field_value_equal(
			    arena, of_element(arena, a.field, x + i * size), of_element(arena, b.field, y + i * size)))
			return false;
	return true;
}

bool field_value_equal(struct arena *arena, struct field_value a, struct field_value b)
{
	if (a.form != b.form)
		return false;
	if (a.form == FIELD_ABSENT || a.form == FIELD_NULL || a.at == b.at)
		return true;
	if (a.source == SOURCE_TREE)
		return tree_equal(a.at, b.at);
	if (a.source == SOURCE_TEXT)
		return equal_texts(a.at, b.at);
	if (a.source == SOURCE_SCALAR)
		return equal_scalars(a.field->kind, a.at, b.at);
	if (a.source == SOURCE_LIST)
		return equal_items(arena, a, b);
	const struct field_place place = {.kind = PLACE_STRUCT};
	struct equality e = {.arena = arena};
	field_each_pair(arena, &place, a, b, note_difference, &e);
	return !e.differs;
}
