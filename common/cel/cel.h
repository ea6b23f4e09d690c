/*
 * CEL, the Common Expression Language, as Kubernetes has it: read, checked against declared types, its cost estimated,
 * and evaluated with its cost counted.
 *
 *	struct cel_env *env = cel_env_new(arena, 0);
 *	cel_env_add(env, "object", &cel_dyn);
 *	struct cel_program *program;
 *	const char *problem = cel_compile(arena, env, "object.spec.replicas <= 5", &program);
 *	if (problem) ... "ERROR: <input>:1:3: undeclared reference to …", with the line and a mark below it
 *
 * Ownership: an environment and a program live in the arena they were made in; a program keeps the types of its
 * environment and the text of its expression.
 * Threads: a program and an environment that is not added to any more are immutable: any thread may use them.
 * Bounds: what is read nests no deeper than 250, and what is checked and evaluated counts its steps.
 */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "cel/type.h"
#include "cel/value.h"

struct cel_env;
struct cel_program;

/* Which functions there are. */
enum cel_env_flags {
	CEL_STORED = 1,	      /* of what is stored already: all that is known, not only what the version before knows */
	CEL_BINDINGS = 2,     /* cel.bind() */
	CEL_PATCH_TYPES = 4,  /* Object{...}, JSONPatch{...} and jsonpatch.escapeKey() */
	CEL_KNOWN_FIELDS = 8, /* a map's values have the size that is declared for them, whatever their key */
	CEL_NAMELESS_SELF = 16, /* estimates take what has no name among what is given to be as large as self */
};

struct cel_env *cel_env_new(struct arena *arena, unsigned flags);
/* Declares a variable; the name may have dots. The last of a name counts. */
void cel_env_add(struct cel_env *env, const char *name, const struct cel_type *type);
/* The same of a variable whose type says how large its parts can be: estimates use it. */
void cel_env_add_sized(struct cel_env *env, const char *name, const struct cel_type *type);

/* NULL and a program, or what is wrong with the expression, in the arena. */
const char *cel_compile(
	struct arena *arena, const struct cel_env *env, const char *expression, struct cel_program **ret_program);
/* Why the program can never be evaluated, though it compiles: a constant part of it fails. NULL: it can. */
const char *cel_program_problem(const struct cel_program *program);
/* What the expression evaluates to. */
const struct cel_type *cel_program_type(const struct cel_program *program);
/* Whether it names a variable. */
bool cel_program_uses(const struct cel_program *program, const char *variable);

struct cel_range {
	uint64_t min, max; /* UINT64_MAX: without bound */
};
/* What evaluating the program can cost. */
struct cel_range cel_estimate(struct arena *arena, const struct cel_env *env, const struct cel_program *program);

/* What a variable is. */
struct cel_binding {
	const char *name;
	struct cel_value value;
};

/*
 * The value of the program; an error if it fails, or if it costs more than max_cost. The value may point into the
 * arena, the bindings and the program. *ret_cost is what it did cost.
 */
struct cel_value cel_eval(struct arena *arena, const struct cel_program *program, const struct cel_binding *bindings,
	size_t n_bindings, uint64_t max_cost, uint64_t *ret_cost);

#endif
