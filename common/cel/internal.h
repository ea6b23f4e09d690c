/* What the parts of this library share. */
#ifndef CEL_INTERNAL_H
#define CEL_INTERNAL_H

#include "cel/ast.h"
#include "cel/cel.h"
#include "cel/function.h"

struct variable {
	const char *name;
	const struct cel_type *type;
	bool is_sized;
};

struct cel_env {
	struct arena *arena;
	unsigned flags;
	struct variable *variables;
	size_t n_variables;
};

struct cel_program {
	struct expr *root;
	const char *text;
	const char *problem;
};

const struct variable *env_variable(const struct cel_env *env, const char *name);
/* Whether the functions of a library are there. */
bool env_has_library(const struct cel_env *env, const struct cel_library *library);
bool env_has_function(const struct cel_env *env, const char *name);

/* The parameters of types that are being found out, and what was found. */
struct unifier {
	struct arena *arena;
	const struct cel_type **found; /* by the number of the variable */
	size_t n_found;
	struct undo {
		uint32_t variable;
		const struct cel_type *before;
	} * undo; /* what was set while this is tried, in its order: to take it back */
	size_t n_undo;
};

const struct cel_type *unify_new_variable(struct unifier *u);
/* Whether values of one type can stand where the other is asked for; what was found out stays only if so. */
bool unify_assignable(struct unifier *u, const struct cel_type *type, const struct cel_type *target);
bool unify_all_assignable(
	struct unifier *u, const struct cel_type *const *types, const struct cel_type *const *targets, size_t n);
const struct cel_type *unify_most_general(const struct cel_type *a, const struct cel_type *b);
/* The type with all that was found out put in; what was not stays, or is dyn. */
const struct cel_type *unify_resolve(struct unifier *u, const struct cel_type *type, bool to_dyn);

/* Gives every part of the tree its type and every call its overloads; what does not fit becomes an issue. */
void cel_check(struct cel_source *source, const struct cel_env *env, struct expr *root);
/* Literals that are arguments, and lists of several types: what is certain to fail is an issue. */
void cel_check_literals(struct cel_source *source, struct expr *root);

/* Finds the constant parts and prepares calls; what fails of them is why the program cannot be evaluated, else NULL. */
const char *cel_prepare(struct arena *arena, struct expr *root);

/* Calls fn on every part of a tree, outer parts first; false from it leaves out what is within. */
void expr_walk(struct expr *e, bool (*fn)(struct expr *e, void *data), void *data);
bool is_call(const struct expr *e, const char *function);

#endif
