/* The tree of an expression: what the parser makes, macros expanded, and the checker writes types into. */
#ifndef CEL_AST_H
#define CEL_AST_H

#include "cel/lex.h"
#include "cel/value.h"

struct cel_overload;
struct estimate;
struct regex;
struct cel_signature;

enum expr_kind {
	EXPR_NONE,
	EXPR_LITERAL,
	EXPR_IDENT,
	EXPR_SELECT,
	EXPR_CALL,
	EXPR_LIST,
	EXPR_MAP,
	EXPR_OBJECT,
	EXPR_FOLD
};

struct expr;

struct entry {
	struct expr *key;  /* of a map */
	const char *field; /* of an object */
	struct expr *value;
	bool optional;
	int32_t at;
};

/*
 * For each item of range, var (and var2) are set, and while condition holds, step is the next value of accu; then
 * result is. All macros that repeat are this, and bind() too, over no items.
 */
struct fold {
	struct expr *range, *init, *condition, *step, *result;
	const char *var, *var2, *accu;
};

struct expr {
	enum expr_kind kind;
	uint16_t depth; /* of nested operators, selections and calls */
	bool is_type;	/* a name, of a type: by the checker */
	int32_t at;
	const struct cel_type *type;	  /* by the checker */
	struct estimate *estimate;	  /* by the estimate of costs */
	const struct cel_value *constant; /* what it always is, where that is known */
	union {
		struct cel_value literal;
		const char *ident;
		struct {
			struct expr *operand;
			const char *field;
			bool is_test; /* has() */
		} select;
		struct {
			const char *function;
			struct expr *target; /* NULL: it stands alone */
			struct expr **args;
			size_t n_args;
			const struct cel_overload **overloads; /* those that fit, by the checker */
			size_t n_overloads;
			const struct cel_signature *signatures; /* of the overloads */
			struct regex *regex;			/* of a pattern that is constant */
		} call;
		struct {
			struct expr **items;
			size_t n_items;
			bool *optional; /* one for each item */
		} list;
		struct {
			struct entry *entries;
			size_t n_entries;
			const char *name; /* of an object's type */
		} map;
		struct fold fold;
	};
};

/* What the macros' variables are called that no expression can name. */
#define ACCU "@result"
#define UNUSED "#unused"

/* The expression of a source; NULL, and issues of the source, if it is none. Flags are the environment's. */
struct expr *cel_parse(struct cel_source *source, unsigned flags);
/* Says what is wrong with tokens that are no expression. */
void cel_explain_syntax(struct cel_source *source, const struct cel_token *tokens, size_t n);

/* Making trees. */
struct expr *expr_new(struct arena *arena, enum expr_kind kind, int32_t at);
struct expr *expr_call(
	struct arena *arena, int32_t at, const char *function, struct expr *target, struct expr **args, size_t n_args);
struct expr *expr_call_of(struct arena *arena, int32_t at, const char *function, size_t n_args, ...);

/*
 * What a call is if it is a macro; NULL if it is none. Arguments that do not fit become an issue, and *ret_failed.
 */
struct expr *cel_expand(struct cel_source *source, unsigned flags, struct expr *call, bool *ret_failed);

#endif
