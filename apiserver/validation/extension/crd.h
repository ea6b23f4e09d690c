/*
 * Checks of CustomResourceDefinitions.
 *
 * Not looked at: whether defaults agree with their schema, whether patterns are regular expressions.
 */
#ifndef APISERVER_VALIDATION_CRD_H
#define APISERVER_VALIDATION_CRD_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_crd(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd);
void validate_crd_update(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd,
	const ApiextensionsV1CustomResourceDefinition *old);
void validate_crd_status(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd,
	const ApiextensionsV1CustomResourceDefinition *old);

/* The schema of a version, at path. Of one with a status subresource the root may say less. */
void validate_crd_schema(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1JSONSchemaProps *schema, bool has_status);
/* The rules of a schema that is valid otherwise: that they compile, and what they may cost. */
void validate_crd_rules(
	struct field_errors *errors, const struct field_path *path, const ApiextensionsV1JSONSchemaProps *schema);
/* Whether a schema has the shape that pruning needs: a type for every field, and what is below allOf, anyOf, oneOf and
 * not restricts only values. */
void validate_structure(
	struct field_errors *errors, const struct field_path *path, const ApiextensionsV1JSONSchemaProps *schema);

/* The property of a schema, or NULL. */
const ApiextensionsV1JSONSchemaProps *schema_property(const ApiextensionsV1JSONSchemaProps *schema, const char *name);
/* Calls visit with the schema and all that are in it. */
void schema_each(const ApiextensionsV1JSONSchemaProps *schema,
	void (*visit)(const ApiextensionsV1JSONSchemaProps *schema, void *data), void *data);

/* Parts of a version. Selectable fields are looked up in schema (NULL: not there). */
void validate_crd_column(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceColumnDefinition *column);
void validate_crd_subresources(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceSubresources *subresources);
void validate_crd_selectable(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceDefinitionVersion *version, const ApiextensionsV1JSONSchemaProps *schema);
void validate_crd_deprecation(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1CustomResourceDefinitionVersion *version);

#endif
