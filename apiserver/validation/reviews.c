#include "apiserver/validation/reviews.h"
#include "api/copy.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

/* Operators that nobody knows are let through: a newer server may. */
static void check_values(struct field_errors *errors, const struct field_path *path, const char *operator, size_t n)
{
	if ((str_eq(operator, "In") || str_eq(operator, "NotIn")) && n == 0)
		field_required(errors, path, "must be specified when `operator` is 'In' or 'NotIn'");
	if ((str_eq(operator, "Exists") || str_eq(operator, "DoesNotExist")) && n > 0)
		field_forbidden(errors, path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
}

static void check_form(struct field_errors *errors, const struct field_path *path, const char *raw, size_t n)
{
	if (!str_empty(raw) && n > 0)
		field_invalid(
			errors, FIELD(path, "rawSelector"), raw, "may not specified at the same time as requirements");
	if (str_empty(raw) && n == 0)
		field_required(errors, FIELD(path, "requirements"),
			arena_printf(errors->arena, "when %s is specified, requirements or rawSelector is required",
				field_path_string(errors->arena, path)));
}

static void check_attributes(struct field_errors *errors, const AuthorizationV1ResourceAttributes *attributes)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "resourceAttributes");
	const AuthorizationV1FieldSelectorAttributes *fields = attributes->field_selector;
	const AuthorizationV1LabelSelectorAttributes *labels = attributes->label_selector;
	const struct field_path *of_fields = FIELD(path, "fieldSelector"), *of_labels = FIELD(path, "labelSelector");
	if (fields)
		check_form(errors, of_fields, fields->raw_selector, fields->n_requirements);
	for (size_t i = 0; fields && i < fields->n_requirements; i++) {
		const MetaV1FieldSelectorRequirement *r = fields->requirements[i];
		const struct field_path *at = FIELD_INDEX(FIELD(of_fields, "requirements"), i);
		if (str_empty(r->key))
			field_required(errors, FIELD(at, "key"), "must be specified");
		check_values(errors, FIELD(at, "values"), r->operator, r->n_values);
	}
	if (labels)
		check_form(errors, of_labels, labels->raw_selector, labels->n_requirements);
	for (size_t i = 0; labels && i < labels->n_requirements; i++) {
		const MetaV1LabelSelectorRequirement *r = labels->requirements[i];
		const struct field_path *at = FIELD_INDEX(FIELD(of_labels, "requirements"), i);
		const char *key = str_or_empty(r->key);
		check_values(errors, FIELD(at, "values"), r->operator, r->n_values);
		field_invalid_each(errors, FIELD(at, "key"), key, check_qualified_name(errors->arena, key));
		for (size_t k = 0; k < r->n_values; k++)
			field_invalid_each(errors, FIELD_INDEX(FIELD(at, "values"), k), r->values[k],
				check_label_value(errors->arena, r->values[k]));
	}
}

static void check_one_of(struct field_errors *errors, const AuthorizationV1ResourceAttributes *resource,
	const AuthorizationV1NonResourceAttributes *other)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (resource && other)
		field_invalid_internal(errors, FIELD(path, "nonResourceAttributes"), other,
			"cannot be specified in combination with resourceAttributes");
	if (!resource && !other)
		field_invalid_json(errors, FIELD(path, "resourceAttributes"), "null",
			"exactly one of nonResourceAttributes or resourceAttributes must be specified");
}

static void check_spec(struct field_errors *errors, const AuthorizationV1SubjectAccessReviewSpec *spec)
{
	check_one_of(errors, spec ? spec->resource_attributes : NULL, spec ? spec->non_resource_attributes : NULL);
	if (!spec || (str_empty(spec->user) && !spec->n_groups))
		field_invalid(errors, FIELD(FIELD(NULL, "spec"), "user"), "",
			"at least one of user or group must be specified");
	if (spec && spec->resource_attributes)
		check_attributes(errors, spec->resource_attributes);
}

/* A question has no metadata, but for who asked it with what and, of a local one, where. */
static void check_meta(struct field_errors *errors, const MetaV1ObjectMeta *meta, bool local, const char *detail)
{
	if (!meta)
		return;
	MetaV1ObjectMeta rest = *meta;
	const MetaV1ObjectMeta empty = {.base = meta->base};
	rest.n_managed_fields = 0;
	rest.managed_fields = NULL;
	if (local)
		rest.namespace = NULL;
	if (!api_equal(&rest, &empty))
		field_invalid_message(errors, FIELD(NULL, "metadata"), meta, detail);
}

void validate_subject_review(struct field_errors *errors, const AuthorizationV1SubjectAccessReview *review)
{
	check_spec(errors, review->spec);
	check_meta(errors, review->metadata, false, "must be empty");
}

void validate_self_review(struct field_errors *errors, const AuthorizationV1SelfSubjectAccessReview *review)
{
	const AuthorizationV1SelfSubjectAccessReviewSpec *spec = review->spec;
	check_one_of(errors, spec ? spec->resource_attributes : NULL, spec ? spec->non_resource_attributes : NULL);
	if (spec && spec->resource_attributes)
		check_attributes(errors, spec->resource_attributes);
	check_meta(errors, review->metadata, false, "must be empty");
}

void validate_local_review(struct field_errors *errors, const AuthorizationV1LocalSubjectAccessReview *review)
{
	const AuthorizationV1SubjectAccessReviewSpec *spec = review->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	const char *namespace = review->metadata ? review->metadata->namespace : "";
	check_spec(errors, spec);
	check_meta(errors, review->metadata, true, "must be empty except for namespace");
	if (spec && spec->resource_attributes &&
		!str_eq(str_or_empty(spec->resource_attributes->namespace), str_or_empty(namespace)))
		field_invalid(errors, FIELD(FIELD(path, "resourceAttributes"), "namespace"),
			str_or_empty(spec->resource_attributes->namespace), "must match metadata.namespace");
	if (spec && spec->non_resource_attributes)
		field_invalid_internal(errors, FIELD(path, "nonResourceAttributes"), spec->non_resource_attributes,
			"disallowed on this kind of request");
}
