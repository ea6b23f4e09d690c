/* Estimates of what calls cost and how large their results are. */
#ifndef CEL_COST_H
#define CEL_COST_H

#include "cel/internal.h"

struct cost_node {
	const struct expr *expr;
	const struct cel_type *declared;
	const struct cel_type *type;
	struct cel_range size;
};

struct cost_call {
	const char *function, *id;	/* of the overload */
	const struct cost_node *target; /* NULL: it stands alone */
	struct cost_node target_node;
	const struct cost_node *args;
	const struct cel_range *costs; /* of the arguments themselves */
	size_t n_args;
};

struct cel_range range_add(struct cel_range a, struct cel_range b);
struct cel_range range_multiply(struct cel_range a, struct cel_range b);
struct cel_range range_scale(struct cel_range a, double factor);
struct cel_range range_union(struct cel_range a, struct cel_range b);

/* What the call costs beside its arguments, and the size of its result where it is known. */
struct cel_range cost_of_call(const struct cost_call *call, struct cel_range *ret_size, bool *ret_sized);

#endif
