#include "apiserver/validation/extension/rule.h"
#include "apiserver/validation/extension/extension.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;
typedef ApiextensionsV1ValidationRule Rule;

/* Programs */

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

static struct cel_env *env_of(struct arena *arena, const struct decl *decl, const Rule *rule, bool stored)
{
	struct cel_env *env = cel_env_new(arena, CEL_NAMELESS_SELF | (stored ? (unsigned)CEL_STORED : 0));
	cel_env_add_sized(env, "self", &decl->type);
	if (rule->has_optional_old_self && rule->optional_old_self)
		cel_env_add(env, "oldSelf", cel_type_optional(arena, &decl->type));
	else
		cel_env_add_sized(env, "oldSelf", &decl->type);
	return env;
}

void rule_compile(struct arena *arena, const struct decl *decl, const Rule *rule, bool stored, bool message_stored,
	struct rule_program *ret)
{
	static const struct wording of_rule = {
		"compilation", "cel expression must evaluate to a bool", "program instantiation"};
	static const struct wording of_message = {"messageExpression compilation",
		"messageExpression must evaluate to a string", "messageExpression instantiation"};
	*ret = (struct rule_program){.env = env_of(arena, decl, rule, stored)};
	if (is_blank(str_or_empty(rule->rule)))
		return;
	ret->rule = compile(arena, ret->env, rule->rule, &cel_bool, &of_rule, &ret->problem);
	ret->uses_old = ret->rule && cel_program_uses(ret->rule, "oldSelf");
	if (!ret->rule || str_empty(rule->message_expression))
		return;
	ret->message_env = message_stored == stored ? ret->env : env_of(arena, decl, rule, message_stored);
	ret->message = compile(
		arena, ret->message_env, rule->message_expression, &cel_string, &of_message, &ret->message_problem);
}

/* Paths */

/* The next part of a path: a quoted text, a delimiter, or what stands before the next delimiter. *at moves behind it.
 */
static const char *next_part(struct arena *arena, const char **at)
{
	const char *start = *at, *p = start;
	if (*p == '\'') {
		for (p++; *p && !(*p == '\'' && p[-1] != '\\'); p++)
			;
		p += *p != '\0';
	} else {
		p += strcspn(p, ".[]");
		p += p == start && *p;
	}
	*at = p;
	return p == start ? NULL : arena_strndup(arena, start, (size_t)(p - start));
}

/* The text within single quotes; NULL: it is none. */
static const char *unquoted(struct arena *arena, const char *part)
{
	static const char from[] = "abfnrtv'\\", to[] = "\a\b\f\n\r\t\v'\\";
	size_t n = part ? strlen(part) : 0;
	if (n < 2 || part[0] != '\'' || part[n - 1] != '\'')
		return NULL;
	char *text = arena_alloc(arena, n), *out = text;
	for (const char *p = part + 1; p < part + n - 1; p++) {
		const char *known = *p == '\\' && p + 1 < part + n - 1 ? strchr(from, p[1]) : NULL;
		if (*p == '\\' && !known)
			return NULL;
		*out++ = known ? to[known - from] : *p;
		p += known != NULL;
	}
	*out = '\0';
	return text;
}

/* What a name leads to from a schema. */
static const Schema *step(const Schema *schema, const char *name)
{
	static const Schema anything;
	const ApiextensionsV1JSONSchemaPropsOrBool *more = schema->additional_properties;
	if (schema->n_properties > 0)
		return schema_property(schema, name);
	return more && more->schema ? more->schema : more ? &anything : NULL;
}

const char *rule_path(struct arena *arena, const Schema *schema, const char *path)
{
	const char *way = "", *part;
	while ((part = next_part(arena, &path))) {
		bool bracket = !strcmp(part, "[");
		if (!bracket && strcmp(part, ".") != 0)
			return NULL;
		bool named = schema->n_properties > 0;
		part = next_part(arena, &path);
		const char *name = bracket ? unquoted(arena, part) : part;
		const char *end = bracket && name ? next_part(arena, &path) : "]";
		schema = name && end && !strcmp(end, "]") ? step(schema, name) : NULL;
		if (!schema)
			return NULL;
		way = named ? arena_printf(arena, "%s%s%s", way, *way ? "." : "", name)
			    : arena_printf(arena, "%s[%s]", way, name);
	}
	return way;
}
