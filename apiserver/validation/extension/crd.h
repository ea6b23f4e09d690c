/*
 * Checks of CustomResourceDefinitions.
 */
#ifndef APISERVER_VALIDATION_CRD_H
#define APISERVER_VALIDATION_CRD_H

#include "api/tree.h"
#include "api/types.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"

/* What is wrong with a name of a definition: it follows from what it defines. */
const char *crd_name_problem(
	struct arena *arena, const ApiextensionsV1CustomResourceDefinition *crd, const char *name, bool prefix);
void validate_crd(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd);
void validate_crd_update(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd,
	const ApiextensionsV1CustomResourceDefinition *old);
void validate_crd_status(struct field_errors *errors, const ApiextensionsV1CustomResourceDefinition *crd,
	const ApiextensionsV1CustomResourceDefinition *old);

/* A label of DNS; several problems of it in one message, behind prefix. lower: mixed case is no problem. */
void validate_crd_label(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *prefix, bool lower);
/* What holds for a schema beside itself. What a definition that is stored already breaks is not asked of its update. */
struct crd_schema_rules {
	bool has_status; /* there is a status subresource: the root may say less */
	bool structural; /* it has to be a structure */
	bool pruned;	 /* defaults may have no field that is not in the schema */
	bool types;	 /* types have to be known ones */
	bool atomic;	 /* items of sets have to be atomic */
	bool keyed;	 /* items of sets and maps, and their keys, have to be there */
	bool unchanged;	 /* it was stored like this: what a single rule may cost is not asked again */
	/* Expressions of rules and of their messages that were stored before, in any version; NULL: none. */
	const struct nameset *stored_rules, *stored_messages;
};
/* The schema of a version, at path. */
void validate_crd_schema(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1JSONSchemaProps *schema, const struct crd_schema_rules *rules);
/* Whether a schema can be read as a structure at all. */
bool schema_is_readable(const ApiextensionsV1JSONSchemaProps *schema);
/* Whether a schema has the shape that pruning needs: a type for every field, and what is below allOf, anyOf, oneOf and
 * not restricts only values. Says whether it has. */
bool validate_structure(
	struct field_errors *errors, const struct field_path *path, const ApiextensionsV1JSONSchemaProps *schema);

/* The defaults of a schema that is one structure. Says whether they are right. */
bool validate_crd_defaults(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1JSONSchemaProps *schema, bool pruned);
/* Makes of the metadata of objects in defaults what is stored of it: fields that metadata does not have go. NULL: no
 * schema. */
void crd_settle_defaults(struct arena *arena, ApiextensionsV1JSONSchemaProps *schema);
/* What a stored schema (NULL: there is none) may break: sets *rules accordingly. */
void crd_rules_after(struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema, struct crd_schema_rules *rules);
bool schema_has_unpruned_defaults(struct arena *arena, const ApiextensionsV1JSONSchemaProps *schema);
/* What is wrong with a value by a schema, in fields below path. */
void validate_schema_value(struct field_errors *errors, const struct field_path *path,
	const ApiextensionsV1JSONSchemaProps *schema, cJSON *value);
/* A value that stands in a schema; NULL: there is none. */
cJSON *schema_json(struct arena *arena, const ApiextensionsV1JSON *json);

/* Puts properties in the order of their names, everywhere in a schema (or NULL): schema_property() counts on it. */
void schema_sort(struct arena *arena, ApiextensionsV1JSONSchemaProps *schema);
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
