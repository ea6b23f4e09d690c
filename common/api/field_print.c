/* What a new object has, as the text of a set, straight from the struct: no set is made. */
#include "api/field_value.h"
#include "api/fieldset_internal.h"
#include "api/internal.h"
#include "api/types.h"

#define SELF "\".\":{}"

struct pen {
	struct arena *arena;
	struct strbuf *out;
	bool *unfit; /* an item of a list has no element */
};

/* Of the sets that are left out, what is below the place that is written. */
struct left_out {
	const struct fieldset *without; /* with all that is below its members */
	const struct fieldset *less;	/* field by field */
};
static const struct left_out nothing;

/* --- nodes --- */

/* Whether all of a node is left out. */
static bool is_left_out(
	const struct left_out *here, const struct schema_name *name, struct left_out *ret_below, bool *member)
{
	const struct field_element element = field_name_element(name->json_name, name->size);
	const struct field_node *node = fieldset_find(here->without, &element);
	if (node && node->member)
		return true;
	ret_below->without = node ? node->below : NULL;
	node = fieldset_find(here->less, &element);
	*member &= !(node && node->member);
	ret_below->less = node ? node->below : NULL;
	return false;
}

/* Of which nothing is left when nothing was written below it and it is no member itself. */
struct node {
	size_t start, below;
	bool member;
};

struct text {
	const char *s;
	size_t size;
};
#define TEXT(literal) ((const struct text){literal, sizeof(literal) - 1})

/* The head of a node, a comma before it where there is one already: name and value stand there as they are. */
static inline __attribute__((always_inline)) struct node begin(const struct pen *pen, bool member, struct text before,
	struct text name, struct text between, struct text value, struct text behind)
{
	struct strbuf *out = pen->out;
	struct node node = {.start = out->len, .member = member};
	const size_t size = before.size + name.size + between.size + value.size + behind.size + sizeof("," SELF);
	if (out->len + size >= out->cap)
		strbuf_grow(out, size);
	char *to = out->buf + out->len;
	if (to[-1] != '{')
		*to++ = ',';
	to = mempcpy(to, before.s, before.size);
	to = mempcpy(to, name.s, name.size);
	to = mempcpy(to, between.s, between.size);
	to = mempcpy(to, value.s, value.size);
	to = mempcpy(to, behind.s, behind.size);
	if (member)
		to = mempcpy(to, SELF, strlen(SELF));
	*to = '\0';
	node.below = out->len = (size_t)(to - out->buf);
	return node;
}

static struct node begin_field(const struct pen *pen, const char *name, size_t size, bool member)
{
	return begin(pen, member, TEXT("\"f:"), (struct text){name, size}, TEXT(""), TEXT(""), TEXT("\":{"));
}

static struct node begin_item(const struct pen *pen, const struct schema_field *key, const char *text)
{
	return begin(pen, true, TEXT("\"k:{\\\""), (struct text){key->json_name, key->json_size}, TEXT("\\\":\\\""),
		(struct text){text, strlen(text)}, TEXT("\\\"}\":{"));
}

static void end(const struct pen *pen, const struct node *node)
{
	const bool empty = pen->out->len == node->below;
	if (empty && !node->member) {
		strbuf_truncate(pen->out, node->start);
		return;
	}
	if (empty)
		strbuf_truncate(pen->out, node->below - strlen(SELF));
	strbuf_addc(pen->out, '}');
}

/* An element of any form. */
static struct node begin_element(const struct pen *pen, const struct field_element *element)
{
	struct node node = {.start = pen->out->len, .member = true};
	if (pen->out->buf[node.start - 1] != '{')
		strbuf_addc(pen->out, ',');
	fieldset_print_element(pen->out, element);
	strbuf_adds(pen->out, SELF);
	node.below = pen->out->len;
	return node;
}

/* --- below them --- */

static void put_struct(const struct pen *pen, const void *msg, bool new, const struct left_out *left_out);

/* What is rare is left to the sets. */
static void put_set(const struct pen *pen, const struct field_place *place, struct field_value before,
	struct field_value after, const struct left_out *left_out)
{
	const struct field_changes changes = field_compare(pen->arena, place, before, after);
	const struct fieldset *set = fieldset_without(pen->arena, changes.changed, left_out->without);
	*pen->unfit |= changes.unfit;
	set = fieldset_difference(pen->arena, set, left_out->less);
	if (fieldset_empty(set))
		return;
	if (pen->out->buf[pen->out->len - 1] != '{')
		strbuf_addc(pen->out, ',');
	fieldset_print_nodes(pen->out, set);
}

static bool is_plain(const char *s, size_t size)
{
	return json_skip_plain(s, s + size, true) == s + size;
}

/* Whether a list's items are told apart by one field, a text; by_it where they stand in the order of it too, in words
 * that sort as they do in quotes. */
static const struct schema_field *only_key(const struct schema_field *list)
{
	const char *const *keys = list->list_keys;
	const struct schema_name *name = keys[1] ? NULL : schema_find_field(list->type, keys[0], strlen(keys[0]));
	const bool text =
		name && !name->via[0] && name->field->kind == SCHEMA_STRING && name->field->shape == SCHEMA_SINGLE;
	return text ? name->field : NULL;
}

static const char *key_text(const void *item, const struct schema_field *key)
{
	return item ? *(char *const *)field_at(item, key) : NULL;
}

/* In their order, each once, and of characters that stand for themselves and sort behind a quote. */
static bool are_in_order(void *const *items, size_t n, const struct schema_field *key)
{
	const char *last = "";
	for (size_t i = 0; i < n; i++) {
		const char *text = key_text(items[i], key);
		if (str_empty(text) || strcmp(last, text) >= 0 || text[strcspn(text, " !")] ||
			!is_plain(text, strlen(text)))
			return false;
		last = text;
	}
	return true;
}

static void put_plain_items(const struct pen *pen, const struct schema_field *list, const struct schema_field *key,
	void *const *items, size_t n)
{
	const bool whole = list->map_type == SCHEMA_LIST_ATOMIC;
	for (size_t i = 0; i < n; i++) {
		const struct node node = begin_item(pen, key, key_text(items[i], key));
		if (!whole)
			put_struct(pen, items[i], true, &nothing);
		end(pen, &node);
	}
}

static void put_items(const struct pen *pen, const void *msg, const struct schema_field *list)
{
	const size_t n = *field_count(msg, list);
	void *const *items = *(void **const *)field_at(msg, list);
	const struct field_place place = field_place_of_field(list);
	const struct schema_field *key = place.kind == PLACE_KEYED ? only_key(list) : NULL;
	if (key && are_in_order(items, n, key)) {
		put_plain_items(pen, list, key, items, n);
		return;
	}
	size_t n_items;
	const struct field_item *sorted =
		field_items(pen->arena, &place, field_value_of_field(pen->arena, msg, list), &n_items, pen->unfit);
	const bool walked = place.kind == PLACE_KEYED && list->map_type != SCHEMA_LIST_ATOMIC;
	/* Items that share an element are owned as one thing. */
	for (size_t i = 0; i < n_items; i++) {
		const struct node node = begin_element(pen, &sorted[i].element);
		if (walked && sorted[i].n_same == 1)
			put_struct(pen, sorted[i].value.at, true, &nothing);
		end(pen, &node);
	}
}

static bool is_map_in_order(void *const *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *key = str_or_empty(((const MapStringEntry *)entries[i])->key);
		if (!is_plain(key, strlen(key)) ||
			(i && strcmp(str_or_empty(((const MapStringEntry *)entries[i - 1])->key), key) >= 0))
			return false;
	}
	return true;
}

static bool holds_scalars(const struct schema_field *map)
{
	return field_place_of_field(schema_map_value(map)).kind == PLACE_SCALAR;
}

/* Of values that are owned whole. */
static void put_entries(const struct pen *pen, void *const *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *key = str_or_empty(((const MapStringEntry *)entries[i])->key);
		const struct node node = begin_field(pen, key, strlen(key), true);
		end(pen, &node);
	}
}

/* What is below a field that is not owned whole. */
static void put_below(const struct pen *pen, const void *msg, const struct schema_field *f,
	const struct field_place *place, bool new, const struct left_out *left_out)
{
	const bool leaves_out = left_out->without || left_out->less;
	const size_t n = f->shape == SCHEMA_SINGLE ? 0 : *field_count(msg, f);
	void *const *at = field_at(msg, f);
	if (place->kind == PLACE_STRUCT) {
		const void *child = *at ? *at : field_is(f, SCHEMA_BY_VALUE) ? f->type->zero : NULL;
		if (child)
			put_struct(pen, child, new, left_out);
	} else if (place->kind == PLACE_MAP && !leaves_out && holds_scalars(f) &&
		   is_map_in_order(*(void **const *)at, n)) {
		put_entries(pen, *(void **const *)at, n);
	} else if (field_is_list(place) && !leaves_out) {
		put_items(pen, msg, f);
	} else {
		const struct field_value none = {0};
		put_set(pen, place, new ? none : field_value_of_field(pen->arena, schema_of(msg)->zero, f),
			field_value_of_field(pen->arena, msg, f), left_out);
	}
}

/* How a field differs from that of an empty object, which has it too. */
static bool differs(const struct pen *pen, const void *msg, const struct schema_field *f,
	const struct field_place *place, bool *walked)
{
	const struct field_value before = field_value_of_field(pen->arena, schema_of(msg)->zero, f),
				 after = field_value_of_field(pen->arena, msg, f);
	*walked = !place->atomic && (field_is_map(place, before, after) || field_is_list(place)) &&
		  !(field_value_empty(pen->arena, before) && field_value_empty(pen->arena, after));
	return *walked || !field_value_equal(pen->arena, before, after);
}

static void put_field(const struct pen *pen, const void *msg, const struct schema_name *name, bool new,
	const struct left_out *left_out)
{
	const struct schema_field *f = name->field;
	const struct field_place place = field_place_of_field(f);
	const bool was = !new &&json_field_is_written(schema_of(msg)->zero, f);
	bool walked = !place.atomic && place.kind != PLACE_SCALAR, member;
	struct left_out below = {0};
	if (was && !differs(pen, msg, f, &place, &walked))
		return;
	member = !was || !walked;
	if ((left_out->without || left_out->less) && is_left_out(left_out, name, &below, &member))
		return;
	const struct node node = begin_field(pen, name->json_name, name->size, member);
	if (walked)
		put_below(pen, msg, f, &place, !was, &below);
	end(pen, &node);
}

/* new: all that is there; else what an empty object has not. */
static void put_struct(const struct pen *pen, const void *msg, bool new, const struct left_out *left_out)
{
	const struct schema_type *type = schema_of(msg);
	for (const struct schema_look *look = type->by_name, *last = look + type->n_names; look < last; look++) {
		if (!schema_may_be_written(msg, look))
			continue;
		const struct schema_name *name = &type->names[look->at];
		const void *owner = msg;
		for (size_t k = 0; k < ARRAY_SIZE(name->via) && name->via[k]; k++) {
			const void *child = *(void *const *)field_at(owner, name->via[k]);
			owner = child ? child : name->via[k]->type->zero;
		}
		if (json_field_is_there(owner, look, name->field))
			put_field(pen, owner, name, new, left_out);
	}
}

bool field_print_new(struct strbuf *out, struct arena *arena, const void *msg, const struct fieldset *without,
	const struct fieldset *less)
{
	bool unfit = false;
	const struct pen pen = {arena, out, &unfit};
	const struct left_out left_out = {without, less};
	strbuf_addc(out, '{');
	put_struct(&pen, msg, false, &left_out);
	strbuf_addc(out, '}');
	return !unfit;
}
