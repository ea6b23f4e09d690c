/* Whether a tree fits its places, in the words of the original. */
#include "api/field_value.h"

struct problems {
	struct arena *arena;
	bool allow_duplicates;
	char **lines;
	size_t n_lines;
	struct strbuf path;
};

static void PRINTF(2, 3) report(struct problems *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = arena_vprintf(p->arena, format, args);
	va_end(args);
	ARENA_PUSH(p->arena, p->lines, p->n_lines) =
		p->path.len ? arena_printf(p->arena, "%s: %s", p->path.buf, text) : (char *)(uintptr_t)text;
}

static char *go_value(struct problems *p, const cJSON *v)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	tree_print_go(&out, v, false);
	return arena_printf(p->arena, "&{%s}", out.buf);
}

static char *sharp_value(struct problems *p, const cJSON *v)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	tree_print_go(&out, v, true);
	return arena_printf(p->arena, "&value.valueUnstructured{Value:%s}", out.buf);
}

static const char *go_type(const cJSON *v)
{
	if (cJSON_IsObject(v))
		return "map[string]interface {}";
	if (cJSON_IsArray(v))
		return "[]interface {}";
	return cJSON_IsString(v) ? "string" : "bool";
}

static void validate_scalar(struct problems *p, const struct field_place *place, const cJSON *v)
{
	if (cJSON_IsNull(v))
		return;
	if (place->scalar == FIELD_NUMBER && !cJSON_IsNumber(v))
		report(p, "expected numeric (int or float), got %s", go_type(v));
	else if (place->scalar == FIELD_STRING && !cJSON_IsString(v))
		report(p, "expected string, got %s", sharp_value(p, v));
	else if (place->scalar == FIELD_BOOL && !cJSON_IsBool(v))
		report(p, "expected boolean, got %s", go_value(p, v));
	else if (cJSON_IsObject(v) || cJSON_IsArray(v))
		report(p, "expected any scalar, got %s", go_value(p, v));
}

static void validate(struct problems *p, const struct field_place *place, const cJSON *v);

static void validate_below(
	struct problems *p, const struct field_element *element, const struct field_place *place, const cJSON *v)
{
	size_t length = p->path.len;
	field_element_describe(&p->path, element);
	validate(p, place, v);
	strbuf_truncate(&p->path, length);
}

static void validate_map(struct problems *p, const struct field_place *place, const cJSON *v)
{
	if (cJSON_IsNull(v))
		return;
	if (!cJSON_IsObject(v)) {
		report(p, "expected map, got %s", go_value(p, v));
		return;
	}
	TREE_FOREACH (member, v) {
		const struct field_element name = field_name_element(member->string, strlen(member->string));
		struct field_place below = {.kind = PLACE_ANY, .schema = place->schema};
		bool declared = place->schema->member(place, name.text, name.size, &below);
		if (declared || place->kind == PLACE_MAP) {
			validate_below(p, &name, &below, member);
			continue;
		}
		size_t length = p->path.len;
		field_element_describe(&p->path, &name);
		report(p, "field not declared in schema");
		strbuf_truncate(&p->path, length);
		return;
	}
}

/* Why an item has no element. */
static const char *unfit_item(struct problems *p, const struct field_place *place, const cJSON *item)
{
	if (place->kind == PLACE_SET) {
		if (cJSON_IsObject(item))
			return "associative list without keys has an element that's a map type";
		return cJSON_IsArray(item) ? "not supported: associative list with lists as elements"
					   : "associative list without keys has an element that's an explicit null";
	}
	if (!cJSON_IsObject(item))
		return cJSON_IsNull(item) ? "associative list with keys may not have a null element"
					  : "associative list with keys may not have non-map elements";
	CLEANUP(strbuf_done) struct strbuf keys = STRBUF_INIT;
	const char *const *key = place->schema->keys(place);
	for (size_t i = 0; key[i]; i++)
		strbuf_printf(&keys, "%s\"%s\"", i ? " " : "", key[i]);
	return arena_printf(p->arena,
		"associative list with keys has an element that omits all key fields [%s] (and doesn't have default "
		"values for any key fields)",
		keys.buf);
}

/* Said of each element that comes again, once for each time. */
static void report_duplicates(
	struct problems *p, const struct field_place *place, const cJSON *v, struct fieldset *seen)
{
	size_t n = seen->n_nodes;
	const struct fieldset *distinct = fieldset_finish(p->arena, seen);
	if (!n || distinct->n_nodes == n)
		return;
	bool *met = arena_zalloc(p->arena, distinct->n_nodes);
	TREE_FOREACH (item, v) {
		struct field_element element;
		if (!field_item_element(p->arena, place, field_value_of_tree(item), &element))
			continue;
		const struct field_node *node = fieldset_find(distinct, &element);
		bool *again = &met[node - distinct->nodes];
		if (*again) {
			CLEANUP(strbuf_done) struct strbuf name = STRBUF_INIT;
			field_element_describe(&name, &element);
			report(p, "duplicate entries for key %s", name.buf);
		}
		*again = true;
	}
}

static void validate_list(struct problems *p, const struct field_place *place, const cJSON *v)
{
	size_t i = 0;
	struct fieldset *seen = fieldset_new(p->arena);
	if (cJSON_IsNull(v))
		return;
	if (!cJSON_IsArray(v)) {
		report(p, "expected list, got %s", go_value(p, v));
		return;
	}
	const struct field_place below = place->schema->item(place);
	TREE_FOREACH (item, v) {
		const char *text = arena_printf(p->arena, "%zu", i);
		struct field_element element = {.text = text, .size = (uint32_t)strlen(text), .kind = FIELD_INDEX};
		if (place->kind != PLACE_LIST &&
			!field_item_element(p->arena, place, field_value_of_tree(item), &element)) {
			report(p, "element %zu: %s", i, unfit_item(p, place, item));
			return;
		}
		if (place->kind != PLACE_LIST && !p->allow_duplicates)
			fieldset_add(p->arena, seen, element, true, NULL);
		validate_below(p, &element, &below, item);
		i++;
	}
	report_duplicates(p, place, v, seen);
}

static void validate(struct problems *p, const struct field_place *place, const cJSON *v)
{
	switch ((enum field_place_kind)place->kind) {
	case PLACE_SCALAR:
		validate_scalar(p, place, v);
		break;
	case PLACE_STRUCT:
	case PLACE_MAP:
		validate_map(p, place, v);
		break;
	case PLACE_LIST:
	case PLACE_SET:
	case PLACE_KEYED:
		validate_list(p, place, v);
		break;
	case PLACE_ANY:
		break;
	}
}

char *field_validate(struct arena *arena, const struct field_place *place, const cJSON *tree, bool allow_duplicates)
{
	struct problems p = {.arena = arena, .allow_duplicates = allow_duplicates, .path = STRBUF_INIT};
	validate(&p, place, tree);
	strbuf_done(&p.path);
	if (p.n_lines <= 1)
		return p.n_lines ? p.lines[0] : arena_strdup(arena, "");
	return arena_printf(arena, "errors:\n  %s", str_join(arena, p.lines, p.n_lines, "\n  "));
}
