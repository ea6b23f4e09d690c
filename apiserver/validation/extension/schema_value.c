/*
 * A JSON value against a schema, in the words of the original's validator (k8s.io/kube-openapi/pkg/validation).
 *
 * A check that is held counts as a match: of several schemas of which one should fit and none does, the mistakes by the
 * one with the most matches are told.
 */
#include <math.h>
#include "apiserver/validation/extension/crd.h"
#include "apiserver/validation/extension/text_format.h"
#include "base/map.h"
#include "base/regex.h"
#include "base/str.h"
#include "cel/eval.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

/* Beyond these, no more is told, and nothing is looked at. The original goes on. */
enum { MAX_MISTAKES = 1000, MAX_STEPS = 200 * 1000 };

enum kind { OTHER, TYPE, REQUIRED, ENUM, TOO_LONG, TOO_MANY };

struct mistake {
	enum kind kind;
	const char *at;	     /* NULL: of the whole, wherever it was found */
	const char *value;   /* as it is printed; NULL: none */
	const char *message; /* tells two apart */
	size_t actual, max;
	const char **supported;
};

struct verdict {
	struct mistake *mistakes;
	size_t n_mistakes;
	size_t matches;
};

/* A place in the value: a field of its parent, or an item. */
struct spot {
	const struct spot *up;
	const char *name;
	size_t index;
	bool extra; /* a field that has no schema of its own */
};

struct run {
	struct arena *arena;
	struct strmap *patterns;
	size_t n_steps;
};

/* Whether there is time for n steps more. */
static bool spend(struct run *run, size_t n)
{
	run->n_steps += n;
	return run->n_steps < MAX_STEPS;
}

/* Texts */

static void print_spot(struct strbuf *out, const struct spot *at)
{
	if (!at->up)
		return;
	print_spot(out, at->up);
	if (!at->name)
		strbuf_printf(out, "[%zu]", at->index);
	else
		strbuf_printf(out, "%s%s", out->len || at->extra ? "." : "", at->name);
}

static const char *spot_text(struct run *run, const struct spot *at)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	print_spot(&out, at);
	return arena_strdup(run->arena, out.buf);
}

/* As an error names a value. */
static const char *value_text(struct arena *arena, const cJSON *value)
{
	int64_t whole;
	if (cJSON_IsNumber(value))
		return tree_int(value, &whole) ? arena_printf(arena, "%lld", (long long)whole)
					       : cel_double_text(arena, value->valuedouble);
	if (cJSON_IsString(value))
		return field_quote(arena, value->valuestring);
	return tree_to_string(arena, value, TREE_SORTED);
}

static struct mistake *add(struct verdict *verdict, struct run *run, const struct mistake *mistake)
{
	for (size_t i = 0; i < verdict->n_mistakes; i++)
		if (!strcmp(verdict->mistakes[i].message, mistake->message))
			return NULL;
	if (verdict->n_mistakes >= MAX_MISTAKES)
		return NULL;
	struct mistake *added =
		arena_push(run->arena, (void **)&verdict->mistakes, &verdict->n_mistakes, sizeof(*added));
	*added = *mistake;
	return added;
}

static struct mistake *say(struct verdict *verdict, struct run *run, const struct spot *at, const char *value,
	const char *format, ...) PRINTF(5, 6);

/* "a.b in body …" */
static struct mistake *say(
	struct verdict *verdict, struct run *run, const struct spot *at, const char *value, const char *format, ...)
{
	va_list args;
	struct mistake m = {.at = spot_text(run, at), .value = value};
	va_start(args, format);
	m.message = arena_printf(run->arena, "%s in body %s", m.at, arena_vprintf(run->arena, format, args));
	va_end(args);
	return add(verdict, run, &m);
}

static void say_of_whole(struct verdict *verdict, struct run *run, const struct spot *at, const char *detail)
{
	add(verdict, run,
		&(struct mistake){.message = arena_printf(
					  run->arena, "%s %s", field_quote(run->arena, spot_text(run, at)), detail)});
}

static void say_type(
	struct verdict *verdict, struct run *run, const struct spot *at, const char *wanted, const char *found)
{
	const char *quoted = field_quote(run->arena, found);
	struct mistake *m = say(verdict, run, at, quoted, "must be of type %s: %s", wanted, quoted);
	if (m)
		m->kind = TYPE;
}

static void merge(struct verdict *into, struct run *run, const struct verdict *from)
{
	for (size_t i = 0; i < from->n_mistakes; i++)
		add(into, run, &from->mistakes[i]);
	into->matches += from->matches;
}

/* Types */

static bool is_whole(const cJSON *value)
{
	int64_t whole;
	return cJSON_IsNumber(value) && tree_int(value, &whole);
}

static const char *type_of(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "string";
	if (cJSON_IsNumber(value))
		return is_whole(value) ? "integer" : "number";
	return cJSON_IsBool(value) ? "boolean" : cJSON_IsArray(value) ? "array" : "object";
}

/* Whether a number is whole as JSON's readers see it, give or take what computing with it has left. */
static bool is_json_integer(double d)
{
	const double max = 9007199254740991;
	double whole = trunc(d);
	if (fabs(d) > max)
		return false;
	return d == whole || (whole > 0 && (d - whole) / (d + whole) < 1e-9);
}

/* Whether the type fits; false after having said why not. */
static bool check_type(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, const cJSON *value)
{
	const char *wanted = str_or_empty(schema->type), *format = str_or_empty(schema->format);
	bool number = !strcmp(wanted, "number"), integer = !strcmp(wanted, "integer");
	if (cJSON_IsNull(value)) {
		if (!*wanted || !strcmp(wanted, "null") || schema->nullable)
			return true;
		say_type(verdict, run, at, wanted, "null");
		return false;
	}
	const char *found = type_of(value);
	bool whole = is_whole(value), listed = cJSON_IsString(value) || cJSON_IsArray(value);
	const char *own = whole ? "int64" : cJSON_IsNumber(value) ? "float64" : "";
	bool fits = !strcmp(wanted, found) || (whole && number) ||
		    (integer && cJSON_IsNumber(value) && is_json_integer(value->valuedouble));
	if (!listed && *format && !fits && strcmp(format, own)) {
		say_type(verdict, run, at, format, own);
		return false;
	}
	/* Of texts the format is asked alone. */
	if (listed && *format && !number && !integer)
		return true;
	if (!fits)
		say_type(verdict, run, at, wanted, found);
	return fits;
}

/* Scalars */

static bool check_pattern(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, const char *text)
{
	const char *problem;
	size_t start, end;
	struct regex *re = strmap_get(run->patterns, schema->pattern);
	if (!re) {
		re = regex_new(run->arena, schema->pattern, strlen(schema->pattern), &problem);
		strmap_put(run->patterns, schema->pattern, re);
	}
	/* That it is an expression at all is part of the structure. */
	if (re && regex_find(re, text, strlen(text), 0, &start, &end))
		return true;
	say(verdict, run, at, field_quote(run->arena, text), "should match '%s'", schema->pattern);
	return false;
}

static bool check_string(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, const char *text)
{
	int64_t size = (int64_t)str_runes(text);
	if (schema->has_max_length && size > schema->max_length) {
		struct mistake *m =
			say(verdict, run, at, NULL, "should be at most %lld chars long", (long long)schema->max_length);
		if (m)
			*m = (struct mistake){.kind = TOO_LONG,
				.at = m->at,
				.message = m->message,
				.max = (size_t)schema->max_length};
		return false;
	}
	if (schema->has_min_length && size < schema->min_length) {
		say(verdict, run, at, field_quote(run->arena, text), "should be at least %lld chars long",
			(long long)schema->min_length);
		return false;
	}
	return str_empty(schema->pattern) || check_pattern(verdict, run, at, schema, text);
}

/* A bound as it is told: of whole numbers it is one itself. */
static const char *bound_text(struct run *run, double bound, bool whole)
{
	return whole ? arena_printf(run->arena, "%lld", (long long)bound) : cel_double_text(run->arena, bound);
}

static bool is_multiple(const cJSON *value, double factor, bool whole, int64_t n)
{
	if (whole)
		return n % (int64_t)factor == 0;
	double times = factor < 1 ? 1 / factor * value->valuedouble : value->valuedouble / factor;
	return is_json_integer(times);
}

static void check_number(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	int64_t n = 0;
	bool whole = tree_int(value, &n);
	double max = schema->maximum, min = schema->minimum, factor = schema->multiple_of;
	const char *text = value_text(run->arena, value);
	if (whole) {
		max = (double)(int64_t)max;
		min = (double)(int64_t)min;
		factor = (double)(int64_t)factor;
	}
	if (schema->has_multiple_of && factor <= 0) {
		const char *printed = bound_text(run, factor, whole);
		add(verdict, run,
			&(struct mistake){.at = spot_text(run, at),
				.value = printed,
				.message = arena_printf(run->arena,
					"factor MultipleOf declared for %s must be positive: %s", spot_text(run, at),
					printed)});
	} else if (schema->has_multiple_of && !is_multiple(value, factor, whole, n)) {
		say(verdict, run, at, text, "should be a multiple of %s", bound_text(run, factor, whole));
	}
	double d = value->valuedouble;
	if (schema->has_minimum && (schema->exclusive_minimum ? d <= min : d < min))
		say(verdict, run, at, text, "should be greater than %s%s",
			schema->exclusive_minimum ? "" : "or equal to ", bound_text(run, min, whole));
	if (schema->has_maximum && (schema->exclusive_maximum ? d >= max : d > max))
		say(verdict, run, at, text, "should be less than %s%s", schema->exclusive_maximum ? "" : "or equal to ",
			bound_text(run, max, whole));
}

/* Equal once the value is of the type that is listed, as Go converts it. */
static bool is_listed(const cJSON *listed, const cJSON *value)
{
	if (cJSON_IsNull(listed) || cJSON_IsNull(value))
		return false;
	if (is_whole(listed) && cJSON_IsNumber(value) && !is_whole(value))
		return trunc(value->valuedouble) == listed->valuedouble;
	return tree_equal(listed, value);
}

static bool check_enum(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, const cJSON *value)
{
	const char **supported = ARENA_ARRAY(run->arena, const char *, schema->n_enum + 1);
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	for (size_t i = 0; i < schema->n_enum; i++) {
		const cJSON *listed = schema_json(run->arena, schema->enum_[i]);
		if (!listed)
			listed = tree_new_null(run->arena);
		if (is_listed(listed, value))
			return true;
		supported[i] =
			cJSON_IsString(listed) ? listed->valuestring : tree_to_string(run->arena, listed, TREE_SORTED);
		strbuf_printf(&list, "%s%s", i ? " " : "", supported[i]);
	}
	struct mistake *m = say(verdict, run, at, value_text(run->arena, value), "should be one of [%s]", list.buf);
	if (m) {
		m->kind = ENUM;
		m->supported = supported;
	}
	return false;
}

/* What is made of several schemas */

static struct verdict check(struct run *run, const struct spot *at, const Schema *schema, cJSON *value);

static void check_any(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	struct verdict best = {0};
	for (size_t i = 0; i < schema->n_any_of; i++) {
		struct verdict one = check(run, at, schema->any_of[i], value);
		if (!one.n_mistakes) {
			merge(verdict, run, &one);
			return;
		}
		if (!i || one.matches > best.matches)
			best = one;
	}
	if (schema->n_any_of)
		say_of_whole(verdict, run, at, "must validate at least one schema (anyOf)");
	merge(verdict, run, &best);
}

static void check_one(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	struct verdict best = {0}, good = {0};
	size_t n_good = 0;
	for (size_t i = 0; i < schema->n_one_of; i++) {
		struct verdict one = check(run, at, schema->one_of[i], value);
		if (!one.n_mistakes && !n_good++)
			good = one;
		else if (one.n_mistakes && (!i || one.matches > best.matches))
			best = one;
	}
	if (!schema->n_one_of)
		return;
	if (n_good != 1)
		say_of_whole(verdict, run, at,
			n_good ? arena_printf(run->arena,
					 "must validate one and only one schema (oneOf). Found %zu valid alternatives",
					 n_good)
			       : "must validate one and only one schema (oneOf). Found none valid");
	if (n_good == 1)
		merge(verdict, run, &good);
	else if (!n_good)
		merge(verdict, run, &best);
}

static void check_combined(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	size_t n_good = 0;
	check_any(verdict, run, at, schema, value);
	check_one(verdict, run, at, schema, value);
	for (size_t i = 0; i < schema->n_all_of; i++) {
		struct verdict one = check(run, at, schema->all_of[i], value);
		n_good += !one.n_mistakes;
		merge(verdict, run, &one);
	}
	if (n_good != schema->n_all_of)
		say_of_whole(verdict, run, at,
			n_good ? "must validate all the schemas (allOf)"
			       : "must validate all the schemas (allOf). None validated");
	if (schema->not &&!check(run, at, schema->not, value).n_mistakes)
		say_of_whole(verdict, run, at, "must not validate the schema (not)");
	verdict->matches++;
}

/* Lists and objects */

static void say_many(
	struct verdict *verdict, struct run *run, const struct spot *at, size_t actual, int64_t max, const char *what)
{
	struct mistake *m = say(verdict, run, at, NULL, "should have at most %lld %s", (long long)max, what);
	if (m) {
		m->kind = TOO_MANY;
		m->actual = actual;
		m->max = (size_t)max;
	}
}

static void say_few(
	struct verdict *verdict, struct run *run, const struct spot *at, size_t actual, int64_t min, const char *what)
{
	say(verdict, run, at, arena_printf(run->arena, "%zu", actual), "should have at least %lld %s", (long long)min,
		what);
}

static bool has_duplicates(struct run *run, const cJSON *list)
{
	TREE_FOREACH (a, list)
		for (const cJSON *b = a->next; b && spend(run, 1); b = b->next)
			if (tree_equal(a, b))
				return true;
	return false;
}

static void check_list(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *list)
{
	size_t i = 0, n = tree_size(list);
	const Schema *items = schema->items ? schema->items->schema : NULL;
	if (items)
		TREE_FOREACH (item, list) {
			struct verdict one = check(run, &(struct spot){.up = at, .index = i++}, items, item);
			merge(verdict, run, &one);
		}
	if (schema->has_min_items && (int64_t)n < schema->min_items)
		say_few(verdict, run, at, n, schema->min_items, "items");
	if (schema->has_max_items && (int64_t)n > schema->max_items)
		say_many(verdict, run, at, n, schema->max_items, "items");
	if (schema->unique_items && has_duplicates(run, list))
		say(verdict, run, at, NULL, "shouldn't contain duplicates");
	verdict->matches++;
}

static void check_extra(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *object)
{
	const ApiextensionsV1JSONSchemaPropsOrBool *more = schema->additional_properties;
	TREE_FOREACH (member, object) {
		if (!more || !spend(run, schema->n_properties) || schema_property(schema, member->string))
			continue;
		if (more->schema) {
			const struct spot spot = {.up = at, .name = member->string, .extra = true};
			struct verdict one = check(run, &spot, more->schema, member);
			merge(verdict, run, &one);
		} else if (!more->allows) {
			const char *place = spot_text(run, at);
			add(verdict, run,
				&(struct mistake){.at = place,
					.value = field_quote(run->arena, member->string),
					.message = arena_printf(run->arena, "%s.%s in body is a forbidden property",
						place, member->string)});
		}
	}
}

static void check_object(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *object)
{
	size_t n = tree_size(object);
	if (schema->has_min_properties && (int64_t)n < schema->min_properties)
		say_few(verdict, run, at, n, schema->min_properties, "properties");
	if (schema->has_max_properties && (int64_t)n > schema->max_properties)
		say_many(verdict, run, at, n, schema->max_properties, "properties");
	check_extra(verdict, run, at, schema, object);
	tree_prepare(run->arena, object);
	for (size_t i = 0; i < schema->n_properties; i++) {
		const char *name = schema->properties[i]->key;
		cJSON *member = tree_get(object, name);
		if (!member)
			continue;
		struct verdict one =
			check(run, &(struct spot){.up = at, .name = name}, schema->properties[i]->value, member);
		merge(verdict, run, &one);
	}
	for (size_t i = 0; i < schema->n_required; i++) {
		if (tree_get(object, schema->required[i]))
			continue;
		const struct spot spot = {.up = at, .name = schema->required[i], .extra = true};
		struct mistake *m = say(verdict, run, &spot, NULL, "is required");
		if (m)
			m->kind = REQUIRED;
	}
}

/* The whole */

static void check_scalar(
	struct verdict *verdict, struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	if (cJSON_IsString(value)) {
		check_string(verdict, run, at, schema, value->valuestring);
		verdict->matches++;
		if (text_format_known(run->arena, schema->format)) {
			if (!text_has_format(run->arena, schema->format, value->valuestring))
				say_type(verdict, run, at, schema->format, value->valuestring);
			verdict->matches++;
		}
	} else if (cJSON_IsNumber(value)) {
		check_number(verdict, run, at, schema, value);
		verdict->matches += 2;
	}
}

static struct verdict check(struct run *run, const struct spot *at, const Schema *schema, cJSON *value)
{
	struct verdict verdict = {0};
	bool null = cJSON_IsNull(value);
	if (!spend(run, 1))
		return verdict;
	if (null || !str_empty(schema->type) || !str_empty(schema->format))
		verdict.matches += (size_t)check_type(&verdict, run, at, schema, value) + !null;
	if (!null) {
		check_combined(&verdict, run, at, schema, value);
		verdict.matches++;
		check_scalar(&verdict, run, at, schema, value);
	}
	if (cJSON_IsArray(value)) {
		check_list(&verdict, run, at, schema, value);
		verdict.matches++;
	}
	if (schema->n_enum)
		check_enum(&verdict, run, at, schema, value);
	if (null)
		return verdict;
	if (cJSON_IsObject(value)) {
		check_object(&verdict, run, at, schema, value);
		verdict.matches++;
	}
	verdict.matches += 2;
	return verdict;
}

static void tell(struct field_errors *errors, const struct field_path *path, const struct mistake *m)
{
	const char *name = m->at ? m->at + (*m->at == '.') : "";
	const struct field_path *at = *name ? FIELD(path, name) : path;
	switch (m->kind) {
	case REQUIRED:
		field_required(errors, at, "");
		break;
	case ENUM:
		field_unsupported_json(errors, at, m->value, m->supported);
		break;
	case TOO_LONG:
		field_too_long(errors, at, m->max);
		break;
	case TOO_MANY:
		field_too_many(errors, at, m->actual, (int64_t)m->max);
		break;
	case TYPE:
		field_type_invalid_json(errors, at, m->value, m->message);
		break;
	case OTHER:
		field_invalid_json(errors, at, m->value ? m->value : "\"\"", m->message);
		break;
	}
}

void validate_schema_value(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, cJSON *value)
{
	CLEANUP(strmap_freep) struct strmap *patterns = strmap_new(NULL);
	struct run run = {.arena = errors->arena, .patterns = patterns};
	struct verdict verdict = check(&run, &(struct spot){0}, schema, value);
	for (size_t i = 0; i < verdict.n_mistakes; i++)
		tell(errors, path, &verdict.mistakes[i]);
	if (run.n_steps >= MAX_STEPS)
		field_forbidden(errors, path, "it takes too long to compare with its schema");
}
