/*
 * What expressions of Kubernetes may name: those of admission (policies and webhooks), and those that choose devices.
 */
#ifndef CEL_ENVIRONMENT_H
#define CEL_ENVIRONMENT_H

#include "cel/cel.h"

/* What an expression of admission has beside object, oldObject, namespaceObject and request. */
enum admission_parts {
	ADMISSION_PARAMS = 1,
	ADMISSION_AUTHORIZER = 2,
	ADMISSION_STORED = 4, /* it is stored already: it may use all that is known */
};
/* variables is the type of the variable of that name, or NULL if there is none. */
struct cel_env *cel_env_admission(struct arena *arena, unsigned parts, const struct cel_type *variables);
/* What the field of "variables" is whose expression has a type. */
const struct cel_type *cel_variable_type(struct arena *arena, const struct cel_type *type);

/* The variable device; stored as above. */
struct cel_env *cel_env_device(struct arena *arena, bool stored);
/* The most that a selector of devices may cost, by estimate and when it is evaluated. */
enum { CEL_DEVICE_MAX_COST = 1000000 };

#endif
