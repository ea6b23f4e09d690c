/*
 * Rules of a schema (x-kubernetes-validations): the types and values that their expressions see, their programs, and
 * whether a value follows them.
 *
 *	const struct rule_node *rules = rule_node_new(arena, schema, true);
 *	int64_t budget = RULE_BUDGET;
 *	rule_node_check(&errors, path, rules, value, old, &budget);
 *
 * All is the arena's, and keeps the schema. Nodes are immutable: any thread may check with them.
 */
#ifndef APISERVER_VALIDATION_RULE_H
#define APISERVER_VALIDATION_RULE_H

#include "api/tree.h"
#include "apiserver/validation/extension/crd.h"
#include "cel/cel.h"

enum { RULE_MAX_REQUEST = 3 * 1024 * 1024 };
enum { RULE_BUDGET = 10 * 1000 * 1000 }; /* what all rules of a value may cost */

/* Types */

/* A type, and how few bytes of JSON a value of it can be. */
struct decl {
	struct cel_type type;
	uint64_t min;
};
/* The type that a schema declares; NULL: expressions do not see it. */
const struct decl *rule_decl(
	struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, bool is_root, const char *name);
/* The type of a property below, as far as that of the whole is known. */
const struct decl *rule_decl_property(struct arena *arena, const struct decl *decl, const char *name);
const struct decl *rule_decl_items(const struct decl *decl);
const struct decl *rule_decl_more(const struct decl *decl); /* of the values of a map */
/* The same type, as what the expressions of a rule are about. */
const struct decl *rule_decl_self(struct arena *arena, const struct decl *decl);
/* The name of a property in an expression; NULL: none can be. */
const char *rule_field_name(struct arena *arena, const char *name, bool *ret_reserved);
/* Whether the schema of a resource says itself what every resource has. */
bool rule_knows_meta(const ApiextensionsV1JSONSchemaProps *schema);

/* A limit of a schema, where it has one. */
static inline uint64_t rule_limit(bool has, int64_t max, uint64_t otherwise)
{
	return !has ? otherwise : max < 0 ? 0 : (uint64_t)max;
}

static inline uint64_t rule_times(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* Programs */

struct rule_program {
	const struct cel_env *env, *message_env;
	struct cel_program *rule; /* NULL: problem says why; without one there is no rule */
	const char *problem;
	struct cel_program *message; /* NULL: message_problem says why, if there is one */
	const char *message_problem;
	bool uses_old;
};
/* Expressions that were stored before may use all that is known. */
void rule_compile(struct arena *arena, const struct decl *decl, const ApiextensionsV1ValidationRule *rule, bool stored,
	bool message_stored, struct rule_program *ret);
/* Where in a value of the schema the path of a rule leads ("a.b[c]"); NULL: nowhere. */
const char *rule_path(struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, const char *path);

/* Values */

/* A value as expressions see it; its texts are borrowed. */
struct cel_value rule_value(
	struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, bool is_root, cJSON *value);

struct rule_node;
/* The rules of a schema and of all that is in it; NULL: there are none. */
const struct rule_node *rule_node_new(struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, bool is_root);
/* The rules that a value breaks. Old is what it was before (NULL: nothing). *budget goes down by what the rules cost;
 * below zero, some were not asked any more. */
void rule_node_check(struct field_errors *errors, const struct field_path *path, const struct rule_node *node,
	cJSON *value, cJSON *old, int64_t *budget);

#endif
