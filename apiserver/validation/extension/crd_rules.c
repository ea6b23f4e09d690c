/*
 * Rules of a CRD's schema in CEL: that they compile against the types of the schema, and what they can cost at most.
 *
 * A type has the size that its values can have: what the schema limits, or what fits into a request. How often a rule
 * is evaluated is limited likewise, by the lists and maps above it.
 */
#include <cjson/cJSON.h>
#include "apiserver/validation/extension/crd.h"
#include "base/str.h"
#include "cel/cel.h"

typedef ApiextensionsV1JSONSchemaProps Schema;
typedef ApiextensionsV1ValidationRule Rule;

enum { MAX_REQUEST = 3 * 1024 * 1024, MAX_RULE_COST = 10 * 1000 * 1000, MAX_TOTAL_COST = 100 * 1000 * 1000 };
enum { N_EXPENSIVE = 4 };

/* A type, and how few bytes of JSON a value of it can be. */
struct decl {
	struct cel_type type;
	uint64_t min;
};

struct expensive {
	const char *path;
	uint64_t cost;
};

struct walk {
	struct field_errors *errors;
	struct expensive expensive[N_EXPENSIVE]; /* the most first */
	size_t n_expensive;
	uint64_t total;
};

/* What holds at a point of a schema. */
struct place {
	const struct decl *decl;	    /* NULL: nothing above has rules */
	const struct field_path *unrelated; /* of what is above it, where old items cannot be told from new ones */
	uint64_t times;			    /* that it can be there at most; 0 may be, too */
	bool unlimited;			    /* whatever times says */
	bool is_root;			    /* of a resource, or of one embedded */
};

static uint64_t times_saturated(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Types */

/* The name of a property in an expression; NULL: none can be. */
static const char *escape(struct arena *arena, const char *name, bool *ret_reserved)
{
	static const char *const reserved[] = {"true", "false", "null", "in", "as", "break", "const", "continue",
		"else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
		"void", "while", NULL};
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	*ret_reserved = str_in(name, reserved);
	if (*ret_reserved)
		return arena_printf(arena, "__%s__", name);
	if (!*name || (*name >= '0' && *name <= '9'))
		return NULL;
	if (strlen(name) == strspn(name, plain) && !strstr(name, "__"))
		return name;
	char *escaped = arena_alloc(arena, strlen(name) * strlen("__underscores__") + 1), *out = escaped;
	for (const char *p = name; *p; p++) {
		if (p[0] == '_' && p[1] == '_') {
			out = stpcpy(out, "__underscores__");
			p++;
		} else if (*p == '.')
			out = stpcpy(out, "__dot__");
		else if (*p == '-')
			out = stpcpy(out, "__dash__");
		else if (*p == '/')
			out = stpcpy(out, "__slash__");
		else if (strchr(plain, *p))
			*out++ = *p;
		else
			return NULL;
	}
	*out = '\0';
	return escaped;
}

static const struct decl *decl_new(struct arena *arena, const struct cel_type *type, uint64_t max, uint64_t min)
{
	struct decl *d = arena_alloc(arena, sizeof(*d));
	*d = (struct decl){*type, min};
	d->type.max_size = max;
	return d;
}

static uint64_t limit(bool has, int64_t max, uint64_t otherwise)
{
	return has ? max < 0 ? 0 : (uint64_t)max : otherwise;
}

static uint64_t longest(const Schema *schema)
{
	uint64_t max = 0;
	for (size_t i = 0; i < schema->n_enum; i++) {
		cJSON *json =
			cJSON_ParseWithLength((const char *)schema->enum_[i]->raw.data, schema->enum_[i]->raw.len);
		if (cJSON_IsString(json) && strlen(json->valuestring) > max)
			max = strlen(json->valuestring);
		cJSON_Delete(json);
	}
	return max;
}

static const struct decl *string_decl(struct arena *arena, const Schema *schema)
{
	const char *format = str_or_empty(schema->format);
	if (!strcmp(format, "byte"))
		return decl_new(
			arena, &cel_bytes, limit(schema->has_max_length, schema->max_length, MAX_REQUEST - 2), 2);
	if (!strcmp(format, "duration"))
		return decl_new(arena, &cel_duration, 32, 3);
	if (!strcmp(format, "date"))
		return decl_new(arena, &cel_timestamp, 12, 12);
	if (!strcmp(format, "date-time"))
		return decl_new(arena, &cel_timestamp, 32, 21);
	uint64_t max = MAX_REQUEST - 2;
	if (schema->has_max_length)
		max = times_saturated(limit(true, schema->max_length, 0), 4);
	else if (schema->n_enum)
		max = longest(schema);
	return decl_new(arena, &cel_string, max, 2);
}

static const struct decl *decl_of(struct arena *arena, const Schema *schema, bool is_root, const char *name);

struct fields {
	struct cel_field *items;
	size_t n;
};

static void add_field(struct arena *arena, struct fields *fields, const char *name, const struct decl *decl)
{
	bool reserved;
	const char *escaped = escape(arena, name, &reserved);
	if (escaped)
		ARENA_PUSH(arena, fields->items, fields->n) = (struct cel_field){escaped, &decl->type};
	if (reserved)
		ARENA_PUSH(arena, fields->items, fields->n) = (struct cel_field){name, &decl->type};
}

static bool has_string(const Schema *schema, const char *name)
{
	const Schema *property = schema ? schema_property(schema, name) : NULL;
	return property && str_eq(property->type, "string");
}

/* kind, apiVersion, metadata.name and metadata.generateName are in every resource. */
static bool add_meta(struct arena *arena, struct fields *fields, const Schema *schema, const char *name)
{
	const Schema *meta = schema_property(schema, "metadata");
	if (has_string(schema, "kind") && has_string(schema, "apiVersion") && meta && str_eq(meta->type, "object") &&
		has_string(meta, "name") && has_string(meta, "generateName"))
		return false;
	const struct decl *text = decl_new(arena, &cel_string, MAX_REQUEST - 2, 2);
	struct fields in_meta = {0};
	add_field(arena, &in_meta, "name", text);
	add_field(arena, &in_meta, "generateName", text);
	const struct cel_type *type =
		cel_type_object(arena, arena_printf(arena, "%s.metadata", name), in_meta.items, in_meta.n);
	add_field(arena, fields, "kind", text);
	add_field(arena, fields, "apiVersion", text);
	add_field(arena, fields, "metadata", decl_new(arena, type, 0, 2));
	return true;
}

static const struct decl *object_decl(struct arena *arena, const Schema *schema, bool is_root, const char *name)
{
	static const char *const meta[] = {"kind", "apiVersion", "metadata", NULL};
	struct fields fields = {0};
	uint64_t min = 2;
	bool has_meta = is_root && add_meta(arena, &fields, schema, name);
	for (size_t i = 0; i < schema->n_properties; i++) {
		const char *key = schema->properties[i]->key;
		const Schema *property = schema->properties[i]->value;
		const struct decl *d = !property ? NULL
						 : decl_of(arena, property, property->x_kubernetes_embedded_resource,
							   arena_printf(arena, "%s.%s", name, key));
		if (!d || (has_meta && str_in(key, meta)))
			continue;
		add_field(arena, &fields, key, d);
		for (size_t r = 0; r < schema->n_required; r++)
			if (str_eq(schema->required[r], key) && !property->default_) {
				min += strlen(key) + d->min + 4;
				break;
			}
	}
	return decl_new(arena, cel_type_object(arena, name, fields.items, fields.n), 0, min);
}

/* The type that a schema declares; NULL: expressions do not see it. */
static const struct decl *decl_of(struct arena *arena, const Schema *schema, bool is_root, const char *name)
{
	const char *type = str_or_empty(schema->type);
	if (schema->x_kubernetes_int_or_string) {
		uint64_t length = times_saturated(limit(true, schema->max_length, 0), 4);
		return decl_new(arena, &cel_dyn, schema->has_max_length ? length : MAX_REQUEST - 2, 1);
	}
	if (!strcmp(type, "array")) {
		const Schema *item = schema->items ? schema->items->schema : NULL;
		const struct decl *d = !item ? NULL
					     : decl_of(arena, item, item->x_kubernetes_embedded_resource,
						       arena_printf(arena, "%s.@idx", name));
		return d ? decl_new(arena, cel_type_list(arena, &d->type),
				   limit(schema->has_max_items, schema->max_items, (MAX_REQUEST - 2) / (d->min + 1)), 2)
			 : NULL;
	}
	if (!strcmp(type, "object") && schema->additional_properties && schema->additional_properties->schema) {
		const Schema *value = schema->additional_properties->schema;
		const struct decl *d = decl_of(
			arena, value, value->x_kubernetes_embedded_resource, arena_printf(arena, "%s.@elem", name));
		const struct decl *key = decl_new(arena, &cel_string, 0, 2);
		return d ? decl_new(arena, cel_type_map(arena, &key->type, &d->type),
				   limit(schema->has_max_properties, schema->max_properties,
					   (MAX_REQUEST - 2) / (d->min + 6)),
				   2)
			 : NULL;
	}
	if (!strcmp(type, "object"))
		return object_decl(arena, schema, is_root, name);
	if (!strcmp(type, "string"))
		return string_decl(arena, schema);
	if (!strcmp(type, "boolean"))
		return decl_new(arena, &cel_bool, 0, 4);
	if (!strcmp(type, "number"))
		return decl_new(arena, &cel_double, 0, 1);
	if (!strcmp(type, "integer"))
		return decl_new(arena, &cel_int, 0, 1);
	return NULL;
}

/* Costs */

static char *cost_message(struct arena *arena, const char *what, uint64_t cost, uint64_t max)
{
	double factor = (double)cost / (double)max;
	const char *text = "more than 100x";
	if (factor <= 100)
		text = arena_printf(arena, factor < 1.5 ? "%fx" : "%.1fx", factor);
	return arena_printf(arena,
		"%s exceeds budget by factor of %s (try simplifying the rule, or adding maxItems, maxProperties, and "
		"maxLength where arrays, maps, and strings are declared)",
		what, text);
}

static void count(struct walk *w, const struct field_path *path, uint64_t cost)
{
	w->total = plus_saturated(w->total, cost);
	if (cost < MAX_TOTAL_COST / 100)
		return;
	size_t at = w->n_expensive;
	while (at > 0 && w->expensive[at - 1].cost < cost)
		at--;
	if (at == N_EXPENSIVE)
		return;
	w->n_expensive += w->n_expensive < N_EXPENSIVE;
	memmove(&w->expensive[at + 1], &w->expensive[at], (w->n_expensive - at - 1) * sizeof(w->expensive[0]));
	w->expensive[at] = (struct expensive){field_path_string(w->errors->arena, path), cost};
}

/* Rules */

struct wording {
	const char *compilation, *type, *instantiation;
};

/* A program of a type, or NULL and what is wrong. */
static struct cel_program *compile(struct arena *arena, const struct cel_env *env, const char *expression,
	const struct cel_type *type, const struct wording *wording, const char **ret_problem)
{
	struct cel_program *program;
	const char *problem = cel_compile(arena, env, expression, &program);
	*ret_problem = NULL;
	if (problem)
		*ret_problem = arena_printf(arena, "%s failed: %s", wording->compilation, problem);
	else if (!cel_type_equal(cel_program_type(program), type))
		*ret_problem = wording->type;
	else if (cel_program_problem(program))
		*ret_problem =
			arena_printf(arena, "%s failed: %s", wording->instantiation, cel_program_problem(program));
	return *ret_problem ? NULL : program;
}

static void check_message(struct walk *w, const struct field_path *path, const struct cel_env *env, const Rule *rule)
{
	static const struct wording wording = {"messageExpression compilation",
		"messageExpression must evaluate to a string", "messageExpression instantiation"};
	struct field_errors *errors = w->errors;
	const char *problem;
	if (str_empty(rule->message_expression))
		return;
	struct cel_program *program =
		compile(errors->arena, env, rule->message_expression, &cel_string, &wording, &problem);
	if (!program) {
		field_invalid_internal(errors, path, rule, problem);
		return;
	}
	uint64_t cost = cel_estimate(errors->arena, env, program).max;
	if (cost > MAX_RULE_COST)
		field_forbidden(errors, path,
			cost_message(errors->arena, "estimated messageExpression cost", cost, MAX_RULE_COST));
	count(w, path, cost);
}

static struct cel_env *env_of(struct arena *arena, const struct decl *decl, const Rule *rule)
{
	struct cel_env *env = cel_env_new(arena, CEL_NAMELESS_SELF);
	cel_env_add_sized(env, "self", &decl->type);
	if (rule->has_optional_old_self && rule->optional_old_self)
		cel_env_add(env, "oldSelf", cel_type_optional(arena, &decl->type));
	else
		cel_env_add_sized(env, "oldSelf", &decl->type);
	return env;
}

static void check_rule(struct walk *w, const struct field_path *path, const struct place *place, const Rule *rule)
{
	static const struct wording wording = {
		"compilation", "cel expression must evaluate to a bool", "program instantiation"};
	struct field_errors *errors = w->errors;
	struct arena *arena = errors->arena;
	const struct field_path *at = FIELD(path, "rule");
	struct cel_env *env = env_of(arena, place->decl, rule);
	const char *problem;
	struct cel_program *program = compile(arena, env, rule->rule, &cel_bool, &wording, &problem);
	bool uses_old = program && cel_program_uses(program, "oldSelf");
	if (program) {
		uint64_t cost = cel_estimate(arena, env, program).max;
		cost = times_saturated(cost, place->unlimited ? MAX_REQUEST / (place->decl->min + 1) : place->times);
		if (cost > MAX_RULE_COST)
			field_forbidden(errors, at, cost_message(arena, "estimated rule cost", cost, MAX_RULE_COST));
		count(w, at, cost);
		check_message(w, FIELD(path, "messageExpression"), env, rule);
	} else
		field_invalid_internal(errors, at, rule, problem);
	if (uses_old && place->unrelated)
		field_invalid(errors, at, rule->rule,
			arena_printf(arena,
				"oldSelf cannot be used on the uncorrelatable portion of the schema within %s",
				field_path_string(arena, place->unrelated)));
	else if (!uses_old && rule->has_optional_old_self)
		field_invalid_bool(errors, FIELD(path, "optionalOldSelf"), rule->optional_old_self,
			"may not be set if oldSelf is not used in rule");
}

/* The walk */

static void walk(struct walk *w, const struct field_path *path, const Schema *schema, struct place place);

static void walk_below(struct walk *w, const struct field_path *path, const Schema *schema, const struct place *above,
	const Schema *outer, const struct cel_type *type)
{
	struct place place = *above;
	if (!schema)
		return;
	bool is_list = str_eq(outer->type, "array");
	if (is_list || (str_eq(outer->type, "object") && outer->additional_properties)) {
		bool has = is_list ? outer->has_max_items : outer->has_max_properties;
		int64_t max = is_list ? outer->max_items : outer->max_properties;
		place.unlimited |= !has;
		place.times = times_saturated(place.times, limit(has, max, 1));
	}
	place.is_root = schema->x_kubernetes_embedded_resource;
	place.decl = (const struct decl *)type;
	walk(w, path, schema, place);
}

static void walk(struct walk *w, const struct field_path *path, const Schema *schema, struct place place)
{
	struct arena *arena = w->errors->arena;
	if (!place.decl && schema->n_x_kubernetes_validations)
		place.decl = decl_of(arena, schema, place.is_root, "selfType");
	const struct cel_type *type = place.decl ? &place.decl->type : NULL;
	struct place below = place;
	if (schema->additional_properties)
		walk_below(w, FIELD(path, "additionalProperties"), schema->additional_properties->schema, &below,
			schema, type && type->kind == CEL_MAP ? type->params[1] : NULL);
	for (size_t i = 0; i < schema->n_properties; i++) {
		bool reserved;
		const char *key = schema->properties[i]->key, *name = escape(arena, key, &reserved);
		const struct cel_type *field =
			type && name && type->kind == CEL_OBJECT ? cel_type_field(arena, type, name) : NULL;
		walk_below(w, FIELD_KEY(FIELD(path, "properties"), key), schema->properties[i]->value, &below, schema,
			field);
	}
	below = place;
	if (!str_eq(schema->x_kubernetes_list_type, "map"))
		below.unrelated = path;
	if (schema->items)
		walk_below(w, FIELD(path, "items"), schema->items->schema, &below, schema,
			type && type->kind == CEL_LIST ? type->params[0] : NULL);
	const struct field_path *rules = FIELD(path, "x-kubernetes-validations");
	if (!place.decl && schema->n_x_kubernetes_validations)
		field_internal(w->errors, rules,
			"internal error: failed to construct type information for x-kubernetes-validations rules: "
			"unable to convert structural schema to CEL declarations");
	for (size_t i = 0; place.decl && i < schema->n_x_kubernetes_validations; i++)
		check_rule(w, FIELD_INDEX(rules, i), &place, schema->x_kubernetes_validations[i]);
}

void validate_crd_rules(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	struct walk w = {.errors = errors};
	walk(&w, path, schema, (struct place){.times = 1, .is_root = true});
	if (w.total <= MAX_TOTAL_COST)
		return;
	for (size_t i = 0; i < w.n_expensive; i++)
		field_forbidden(errors, FIELD(NULL, w.expensive[i].path),
			"contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
	field_forbidden(errors, path,
		cost_message(errors->arena,
			"x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", w.total,
			MAX_TOTAL_COST));
}
