/* Parameters: of the path, and in the query the plain fields of options types. */
#include <stdlib.h>
#include "apiserver/openapi/document.h"

void oa_parameter_add(struct oa_paths *paths, struct oa_operation *o, const struct oa_parameter *parameter)
{
	ARENA_PUSH(paths->arena, o->parameters, o->n_parameters) = *parameter;
}

/* Of a list, of its elements. */
static const char *type_of(const struct schema_field *f)
{
	switch (f->kind) {
	case SCHEMA_BOOL:
		return "boolean";
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
		return "integer";
	default:
		return "string";
	}
}

void oa_parameters_of(
	struct oa_paths *paths, struct oa_operation *o, const struct schema_type *options, const char *const *except)
{
	for (size_t i = 0; i < options->n_fields; i++) {
		const struct schema_field *f = &options->fields[i];
		if (f->kind == SCHEMA_MESSAGE || (except && str_in(f->json_name, except)))
			continue;
		oa_parameter_add(
			paths, o, &(struct oa_parameter){.name = f->json_name, .type = type_of(f), .doc = f->doc});
	}
}

static bool same(const struct oa_parameter *a, const struct oa_parameter *b)
{
	return a->in_path == b->in_path && str_eq(a->name, b->name);
}

static bool has(const struct oa_operation *o, const struct oa_parameter *parameter)
{
	for (size_t i = 0; i < o->n_parameters; i++)
		if (same(&o->parameters[i], parameter))
			return true;
	return false;
}

static bool common(const struct oa_path *path, const struct oa_parameter *parameter)
{
	for (size_t i = 0; i < path->n_operations; i++)
		if (!has(path->operations[i], parameter))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct oa_parameter *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : (int)y->in_path - (int)x->in_path;
}

static void sort(struct oa_parameter *parameters, size_t n)
{
	if (n)
		qsort(parameters, n, sizeof(*parameters), by_name);
}

void oa_path_settle(struct oa_paths *paths, struct oa_path *path)
{
	const struct oa_operation *first = path->operations[0];
	for (size_t i = 0; i < first->n_parameters; i++)
		if (common(path, &first->parameters[i]))
			ARENA_PUSH(paths->arena, path->parameters, path->n_parameters) = first->parameters[i];
	for (size_t i = 0; i < path->n_operations; i++) {
		struct oa_operation *o = path->operations[i], own = {.parameters = o->parameters};
		const struct oa_operation all = {.parameters = path->parameters, .n_parameters = path->n_parameters};
		for (size_t p = 0; p < o->n_parameters; p++)
			if (!has(&all, &o->parameters[p]))
				own.parameters[own.n_parameters++] = o->parameters[p];
		o->n_parameters = own.n_parameters;
		sort(o->parameters, o->n_parameters);
	}
	sort(path->parameters, path->n_parameters);
}
