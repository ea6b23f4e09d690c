#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_PARAMETERS = 512, MAX_PARAMETERS_BYTES = 256 * 1024 };

static void check_provisioner(struct field_errors *errors, const struct field_path *path, const char *name)
{
	if (str_empty(name)) {
		field_required(errors, path, "");
		return;
	}
	char *lower = str_lower(errors->arena, name);
	validate_text(errors, path, lower, check_qualified_name(errors->arena, lower));
}

static void check_parameters(
	struct field_errors *errors, const struct field_path *path, MapStringEntry *const *entries, size_t n)
{
	size_t total = 0;
	if (n > MAX_PARAMETERS) {
		field_too_long(errors, path, MAX_PARAMETERS);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (str_empty(entries[i]->key))
			field_invalid(errors, path, "", "field can not be empty.");
		total += strlen(str_or_empty(entries[i]->key)) + strlen(str_or_empty(entries[i]->value));
	}
	if (total > MAX_PARAMETERS_BYTES)
		field_too_long(errors, path, MAX_PARAMETERS_BYTES);
}

static void check_expression(
	struct field_errors *errors, const struct field_path *path, const CoreV1TopologySelectorLabelRequirement *r)
{
	const struct field_path *values = FIELD(path, "values");
	if (!r->n_values)
		field_required(errors, values, "");
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < r->n_values; i++)
		if (!nameset_add(&seen, r->values[i]))
			field_duplicate(errors, FIELD_INDEX(values, i), r->values[i]);
	validate_text(errors, FIELD(path, "key"), str_or_empty(r->key),
		check_qualified_name(errors->arena, str_or_empty(r->key)));
}

static void check_term(
	struct field_errors *errors, const struct field_path *path, const CoreV1TopologySelectorTerm *term)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < term->n_match_label_expressions; i++) {
		const CoreV1TopologySelectorLabelRequirement *r = term->match_label_expressions[i];
		const struct field_path *at = FIELD_INDEX(FIELD(path, "matchLabelExpressions"), i);
		check_expression(errors, at, r);
		if (!nameset_add(&seen, r->key))
			field_duplicate(errors, FIELD(at, "key"), r->key);
	}
}

/* What a term chooses, whatever its order and repetitions: two that choose the same have one text. */
static const char *term_text(struct arena *arena, const CoreV1TopologySelectorTerm *term)
{
	char **lines = ARENA_ARRAY(arena, char *, term->n_match_label_expressions + 1);
	for (size_t i = 0; i < term->n_match_label_expressions; i++) {
		const CoreV1TopologySelectorLabelRequirement *r = term->match_label_expressions[i];
		struct nameset seen = {.arena = arena};
		char **parts = NULL;
		size_t n = 0;
		for (size_t k = 0; k < r->n_values; k++)
			if (nameset_add(&seen, r->values[k]))
				ARENA_PUSH(arena, parts, n) = r->values[k];
		if (n)
			qsort(parts, n, sizeof(*parts), str_cmp_qsort);
		lines[i] = arena_printf(arena, "%s\n%s", str_or_empty(r->key), str_join(arena, parts, n, "\n"));
	}
	if (term->n_match_label_expressions)
		qsort(lines, term->n_match_label_expressions, sizeof(*lines), str_cmp_qsort);
	return str_join(arena, lines, term->n_match_label_expressions, "\n\n");
}

static void check_topologies(struct field_errors *errors, const StorageV1StorageClass *class)
{
	struct nameset seen = {.arena = errors->arena};
	size_t *times = ARENA_ARRAY(errors->arena, size_t, class->n_allowed_topologies + 1);
	for (size_t i = 0; i < class->n_allowed_topologies; i++) {
		const CoreV1TopologySelectorTerm *term = class->allowed_topologies[i];
		const struct field_path *at = FIELD_INDEX(FIELD(NULL, "allowedTopologies"), i);
		const char *text = term_text(errors->arena, term);
		check_term(errors, at, term);
		/* A term that says nothing is refused, once for each term of the list, as the original does. */
		nameset_add(&seen, text);
		size_t *before = &times[nameset_find(&seen, text)];
		size_t n = (*before)++ + (term->n_match_label_expressions ? 0 : class->n_allowed_topologies);
		while (n-- && !field_errors_full(errors))
			field_duplicate(errors, FIELD(at, "matchLabelExpressions"), "");
	}
}

void validate_storage_class(struct field_errors *errors, const StorageV1StorageClass *class)
{
	static const char *const policies[] = {"Delete", "Retain", NULL};
	static const char *const modes[] = {"Immediate", "WaitForFirstConsumer", NULL};
	check_provisioner(errors, FIELD(NULL, "provisioner"), class->provisioner);
	check_parameters(errors, FIELD(NULL, "parameters"), class->parameters, class->n_parameters);
	if (!str_empty(class->reclaim_policy) && !str_in(class->reclaim_policy, policies))
		field_unsupported(errors, FIELD(NULL, "reclaimPolicy"), class->reclaim_policy, policies);
	if (!class->volume_binding_mode)
		field_required(errors, FIELD(NULL, "volumeBindingMode"), "");
	else if (!str_in(class->volume_binding_mode, modes))
		field_unsupported(errors, FIELD(NULL, "volumeBindingMode"), class->volume_binding_mode, modes);
	check_topologies(errors, class);
}

void validate_storage_class_update(
	struct field_errors *errors, const StorageV1StorageClass *class, const StorageV1StorageClass *old)
{
	/* An empty map is not the same as none. */
	if (!map_equal(class->parameters, class->n_parameters, old->parameters, old->n_parameters) ||
		(!class->n_parameters && !class->parameters != !old->parameters))
		field_forbidden(errors, FIELD(NULL, "parameters"), "updates to parameters are forbidden.");
	if (!str_eq(class->provisioner, old->provisioner))
		field_forbidden(errors, FIELD(NULL, "provisioner"), "updates to provisioner are forbidden.");
	if (!str_eq(class->reclaim_policy, old->reclaim_policy))
		field_forbidden(errors, FIELD(NULL, "reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
	if (!str_eq(class->volume_binding_mode, old->volume_binding_mode))
		field_invalid_typed(
			errors, FIELD(NULL, "volumeBindingMode"), class->volume_binding_mode, "field is immutable");
}

void validate_attributes_class(struct field_errors *errors, const StorageV1VolumeAttributesClass *class)
{
	const struct field_path *path = FIELD(NULL, "parameters");
	check_provisioner(errors, FIELD(NULL, "driverName"), class->driver_name);
	check_parameters(errors, path, class->parameters, class->n_parameters);
	if (!class->n_parameters)
		field_required(errors, path, "must contain at least one key/value pair");
}

void validate_attributes_class_update(struct field_errors *errors, const StorageV1VolumeAttributesClass *class,
	const StorageV1VolumeAttributesClass *old)
{
	if (!str_eq(class->driver_name, old->driver_name))
		field_forbidden(errors, FIELD(NULL, "driverName"), "updates to driverName are forbidden.");
	if (!map_equal(class->parameters, class->n_parameters, old->parameters, old->n_parameters))
		field_forbidden(errors, FIELD(NULL, "parameters"), "updates to parameters are forbidden.");
}
