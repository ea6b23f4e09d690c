/*
 * Defaults in a schema: that they have no field which the schema does not know, that metadata in them is metadata, that
 * they fit the schema, and that they follow its rules.
 */
#include "apiserver/validation/extension/rule.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

static const char *const meta_fields[] = {"apiVersion", "kind", "metadata", NULL};

/* The way from the object, or from one embedded in it, to a place: a field, or the items of a list. */
struct place {
	const struct place *up; /* NULL: the object itself */
	const char *name;	/* NULL: an item */
	const Schema *object;	/* the schema of the object */
	bool in_meta;
};

cJSON *schema_json(struct arena *arena, const ApiextensionsV1JSON *json)
{
	cJSON *tree = NULL;
	if (json && json->raw.len)
		status_drop(tree_parse(arena, (const char *)json->raw.data, json->raw.len, NULL, &tree),
			"what is no JSON was refused when it was read");
	return tree;
}

/* Pruning */

static bool prunes(const cJSON *value, const Schema *schema);

static bool prunes_member(const cJSON *member, const Schema *schema, bool keeps)
{
	if (!schema)
		return true;
	const Schema *property = schema_property(schema, member->string);
	if (schema->x_kubernetes_embedded_resource && str_in(member->string, meta_fields))
		return false;
	if (property)
		return prunes(member, property);
	return schema->additional_properties ? prunes(member, schema->additional_properties->schema) : !keeps;
}

/* keeps: what the schema does not know is kept, here and in lists below. */
static bool prunes_below(const cJSON *value, const Schema *schema, bool keeps)
{
	const Schema *items = schema && schema->items ? schema->items->schema : NULL;
	bool list = cJSON_IsArray(value);
	TREE_FOREACH (child, value) {
		if (!list && prunes_member(child, schema, keeps))
			return true;
		if (list && (keeps ? items && prunes_below(child, items, true) : prunes(child, items)))
			return true;
	}
	return false;
}

/* Whether a value has fields that are dropped by the schema; NULL knows none. */
static bool prunes(const cJSON *value, const Schema *schema)
{
	return prunes_below(value, schema, schema && schema->x_kubernetes_preserve_unknown_fields);
}

struct search {
	struct arena *arena;
	bool found;
};

static void note_unpruned(const Schema *schema, void *data)
{
	struct search *search = data;
	cJSON *value = schema_json(search->arena, schema->default_);
	search->found |= value && prunes(value, schema);
}

bool schema_has_unpruned_defaults(struct arena *arena, const Schema *schema)
{
	struct search search = {arena, false};
	schema_each(schema, note_unpruned, &search);
	return search.found;
}

/* Metadata */

/* What errors there are, as one sentence. */
static const char *sentence(const struct field_errors *errors)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < errors->n_items; i++)
		strbuf_printf(&out, "%s%s: %s", i ? ", " : "", errors->items[i].field, errors->items[i].body);
	return arena_printf(errors->arena, errors->n_items > 1 ? "[%s]" : "%s", out.buf);
}

static void check_meta_text(
	struct field_errors *errors, const struct field_path *path, const char *name, const char *text)
{
	const char *slash = strchr(text, '/');
	const struct field_path *at = FIELD(path, name);
	if (!*text)
		field_invalid(errors, at, text, "must not be empty");
	else if (!strcmp(name, "kind"))
		validate_crd_label(errors, at, text, "may have mixed case, but should otherwise match: ", true);
	else if (slash && strchr(slash + 1, '/'))
		field_invalid(
			errors, at, text, arena_printf(errors->arena, "unexpected GroupVersion string: %s", text));
}

static void check_metadata(struct field_errors *errors, const struct field_path *path, const cJSON *value)
{
	MetaV1ObjectMeta *meta = NULL;
	status_drop(tree_to_typed(errors->arena, value, &MetaV1ObjectMeta_schema, NULL, &meta), "it was read before");
	if (!meta)
		return;
	if (str_empty(meta->name))
		meta->name = (char *)"fakename"; /* none need be there */
	validate_object_meta(errors, path, meta, !str_empty(meta->namespace), name_is_path_segment);
}

/* apiVersion, kind and metadata of an embedded object. */
static void check_embedded(struct field_errors *errors, const struct field_path *path, const cJSON *object)
{
	for (size_t i = 0; i < 2; i++) {
		const cJSON *text = tree_get(object, meta_fields[i]);
		if (text)
			check_meta_text(errors, path, meta_fields[i], text->valuestring);
		else
			field_required(errors, FIELD(path, meta_fields[i]), "");
	}
	if (tree_get(object, "metadata"))
		check_metadata(errors, FIELD(path, "metadata"), tree_get(object, "metadata"));
}

/* What each part of a value has for a schema. */
static const Schema *schema_within(const Schema *schema, const cJSON *value, const cJSON *child, bool *ret_key)
{
	const Schema *property = child->string ? schema_property(schema, child->string) : NULL;
	*ret_key = false;
	if (cJSON_IsArray(value))
		return schema->items ? schema->items->schema : NULL;
	*ret_key = !property;
	if (property || !schema->additional_properties)
		return property;
	return schema->additional_properties->schema;
}

/* Reads the metadata of an embedded object, and leaves what metadata has. */
static bool settle_metadata(struct field_errors *errors, const struct field_path *path, cJSON *object, cJSON *value)
{
	struct arena *arena = errors->arena;
	MetaV1ObjectMeta *meta = NULL;
	struct status *s = tree_to_typed(arena, value, &MetaV1ObjectMeta_schema, NULL, &meta);
	if (s) {
		field_invalid_json(errors, path, tree_to_string(arena, value, TREE_SORTED), s->message);
		status_drop(s, "it was told");
		return false;
	}
	tree_set(arena, object, "metadata", meta ? tree_from_typed(arena, meta) : tree_new_object(arena));
	return true;
}

static bool settle_embedded(struct field_errors *errors, const struct field_path *path, cJSON *object)
{
	for (size_t i = 0; i < 2; i++) {
		const cJSON *text = tree_get(object, meta_fields[i]);
		if (!text || cJSON_IsString(text))
			continue;
		field_invalid_json(errors, FIELD(path, meta_fields[i]),
			tree_to_string(errors->arena, text, TREE_SORTED), "must be a string");
		return false;
	}
	cJSON *meta = tree_get(object, "metadata");
	return !meta || settle_metadata(errors, FIELD(path, "metadata"), object, meta);
}

/* Whether all objects that are embedded in a value are objects; the first that is not is told. Metadata keeps nothing
 * but what metadata has. */
static bool settle(struct field_errors *errors, const struct field_path *path, const Schema *schema, cJSON *value)
{
	size_t i = 0;
	if (!schema)
		return true;
	if (cJSON_IsObject(value) && schema->x_kubernetes_embedded_resource && !settle_embedded(errors, path, value))
		return false;
	TREE_FOREACH (child, value) {
		bool key;
		const Schema *within = schema_within(schema, value, child, &key);
		const struct field_path *at = !child->string ? FIELD_INDEX(path, i++)
					      : key	     ? FIELD_KEY(path, child->string)
							     : FIELD(path, child->string);
		if (!settle(errors, at, within, child))
			return false;
	}
	return true;
}

/* All objects that are embedded in a value, and the value itself if its schema says so. */
static void check_objects(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, const cJSON *value)
{
	size_t i = 0;
	if (!schema)
		return;
	if (cJSON_IsObject(value) && schema->x_kubernetes_embedded_resource)
		check_embedded(errors, path, value);
	TREE_FOREACH (child, value) {
		bool key;
		const Schema *within = schema_within(schema, value, child, &key);
		check_objects(errors,
			!child->string ? FIELD_INDEX(path, i++)
			: key	       ? FIELD_KEY(path, child->string)
				       : FIELD(path, child->string),
			within, child);
	}
}

/* The object that has a value at a place and nothing else but its type. */
static cJSON *object_around(struct arena *arena, const struct place *place, cJSON *value)
{
	for (; place->up; place = place->up) {
		cJSON *outer = place->name ? tree_new_object(arena) : tree_new_array(arena);
		if (place->name)
			tree_set(arena, outer, place->name, value);
		else
			tree_append(outer, value);
		value = outer;
	}
	if (!tree_get(value, "kind"))
		tree_set_string(arena, value, "kind", "Validation");
	if (!tree_get(value, "apiVersion"))
		tree_set_string(arena, value, "apiVersion", "validation/v1");
	return value;
}

/* The walk */

struct walk {
	struct field_errors *errors;
	bool pruned;
	int64_t budget; /* of all rules for all defaults */
};

/* A default as it is, and as an object that begins to be. */
static void check_rules(struct walk *w, const struct field_path *path, const Schema *schema, bool is_root, cJSON *value)
{
	struct field_errors *errors = w->errors;
	const struct rule_node *rules = rule_node_new(errors->arena, schema, is_root);
	size_t n = errors->n_items;
	int64_t budget = w->budget, new_budget = w->budget;
	rule_node_check(errors, path, rules, value, value, &budget);
	if (errors->n_items == n)
		rule_node_check(errors, path, rules, value, NULL, &new_budget);
	w->budget = new_budget < budget ? new_budget : budget;
}

static void check_default(
	struct walk *w, const struct field_path *path, const Schema *schema, const struct place *place, bool is_root)
{
	struct field_errors *errors = w->errors;
	struct arena *arena = errors->arena;
	const struct field_path *at = FIELD(path, "default");
	cJSON *value = schema_json(arena, schema->default_);
	if (!value || cJSON_IsNull(value))
		return;
	const char *text = cJSON_IsString(value) ? field_quote(arena, value->valuestring)
						 : tree_to_string(arena, value, TREE_SORTED);
	if (!place->in_meta && w->pruned && prunes(value, schema))
		field_invalid_json(errors, at, text, "must not have unknown fields");
	size_t n = errors->n_items;
	if (place->in_meta) {
		struct field_errors found = FIELD_ERRORS_INIT(arena);
		cJSON *object = object_around(arena, place, tree_copy(arena, value));
		if (settle(&found, NULL, place->object, object))
			check_objects(&found, NULL, place->object, object);
		if (found.n_items > 0)
			field_invalid_json(errors, at, text,
				arena_printf(arena, "must result in valid metadata: %s", sentence(&found)));
	} else if (settle(errors, at, schema, value))
		check_objects(errors, at, schema, value);
	if (errors->n_items == n)
		validate_schema_value(errors, at, schema, value);
	if (errors->n_items == n)
		check_rules(w, at, schema, is_root, value);
}

static void walk(struct walk *w, const struct field_path *path, const Schema *schema, const struct place *place)
{
	struct place here = *place;
	if (schema->x_kubernetes_embedded_resource)
		here = (struct place){.object = schema};
	check_default(w, path, schema, &here, schema == here.object);
	struct place below = {.up = &here, .object = here.object, .in_meta = here.in_meta};
	if (schema->items && schema->items->schema && w->budget >= 0)
		walk(w, FIELD(path, "items"), schema->items->schema, &below);
	for (size_t i = 0; i < schema->n_properties && w->budget >= 0; i++) {
		below.name = schema->properties[i]->key;
		below.in_meta =
			here.in_meta || (schema->x_kubernetes_embedded_resource && str_in(below.name, meta_fields));
		walk(w, FIELD_KEY(FIELD(path, "properties"), below.name), schema->properties[i]->value, &below);
	}
}

bool validate_crd_defaults(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, bool pruned)
{
	Schema root = *schema;
	struct walk w = {errors, pruned, RULE_BUDGET};
	size_t n = errors->n_items;
	root.x_kubernetes_embedded_resource = true;
	walk(&w, path, &root, &(struct place){.object = &root});
	return errors->n_items == n;
}

/* Storing */

static void settle_defaults(struct arena *arena, Schema *schema, bool is_embedded, bool in_meta)
{
	struct field_errors ignored = FIELD_ERRORS_INIT(arena);
	cJSON *value = in_meta ? NULL : schema_json(arena, schema->default_);
	cJSON *before = value ? tree_copy(arena, value) : NULL;
	if (value && settle(&ignored, NULL, schema, value) && !tree_equal(value, before)) {
		const char *text = tree_to_string(arena, value, TREE_SORTED);
		ApiextensionsV1JSON *json = API_NEW(arena, ApiextensionsV1JSON);
		json->raw = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
		schema->default_ = json;
	}
	if (schema->items && schema->items->schema)
		settle_defaults(
			arena, schema->items->schema, schema->items->schema->x_kubernetes_embedded_resource, in_meta);
	for (size_t i = 0; i < schema->n_properties; i++) {
		Schema *property = schema->properties[i]->value;
		settle_defaults(arena, property, property->x_kubernetes_embedded_resource,
			!property->x_kubernetes_embedded_resource &&
				(in_meta || (is_embedded && str_in(schema->properties[i]->key, meta_fields))));
	}
}

void crd_settle_defaults(struct arena *arena, Schema *schema)
{
	struct field_errors ignored = FIELD_ERRORS_INIT(arena);
	if (schema && validate_structure(&ignored, NULL, schema))
		settle_defaults(arena, schema, true, false);
}
