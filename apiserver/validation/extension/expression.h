/* Checks of expressions in CEL: that they compile, and are of the type that is asked for. */
#ifndef APISERVER_VALIDATION_EXPRESSION_H
#define APISERVER_VALIDATION_EXPRESSION_H

#include "apiserver/validation/field.h"
#include "cel/environment.h"

/*
 * An expression of admission. Shown is how it stands in the error. The types are those that it may have, ended by NULL;
 * none: any. Returns its type, or NULL if it does not compile.
 */
const struct cel_type *validate_admission_expression(struct field_errors *errors, const struct field_path *path,
	const struct cel_env *env, const char *expression, const char *shown, const struct cel_type *const *types);
/* One that chooses devices: short enough, of type bool, and cheap enough. */
void validate_device_expression(
	struct field_errors *errors, const struct field_path *path, const char *expression, bool stored);

#endif
