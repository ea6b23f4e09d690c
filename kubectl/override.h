/* The flags --overrides and --override-type: changes to an object that a verb has generated. */
#ifndef KUBECTL_OVERRIDE_H
#define KUBECTL_OVERRIDE_H

#include "api/tree.h"
#include "kubectl/command.h"

struct schema_type;

struct override_options {
	char *changes, *type;
};

extern const struct option override_flags[];

/* Replaces *object, of the given type, by what the changes make of it. The error names an --override-type that is
 * unknown. */
struct status *override_apply(struct arena *arena, const struct override_options *options,
	const struct schema_type *type, cJSON **object) MUST_USE;

#endif
