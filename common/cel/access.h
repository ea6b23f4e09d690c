/*
 * What an expression asks the authorizer: authorizer.group("").resource("pods").check("get").allowed(). Who evaluates
 * it says how the answer is found; without one, no expression can ask.
 */
#ifndef CEL_ACCESS_H
#define CEL_ACCESS_H

#include "cel/value.h"

/* What is to be done: on a path, or on a resource. NULL is "". */
struct cel_question {
	const char *account_namespace, *account_name; /* a service account that would do it, not who asks */
	const char *path;
	const char *group, *resource, *subresource, *namespace, *name;
	const char *field_selector, *label_selector;
	const char *verb;
};

struct cel_authorizer {
	/* Whether it is allowed; why, and what went wrong, if anything, in the arena. */
	bool (*check)(void *data, struct arena *arena, const struct cel_question *question, const char **ret_reason,
		const char **ret_error);
	void *data;
};

/* Values of the variables authorizer and authorizer.requestResource; they keep the pointer. */
struct cel_value cel_authorizer_of(struct arena *arena, const struct cel_authorizer *authorizer);
struct cel_value cel_resource_check_of(
	struct arena *arena, const struct cel_authorizer *authorizer, const struct cel_question *question);

#endif
