/*
 * The check of a schema's rules in CEL, done beside the walk through the schema: rules are only looked at where the
 * schema, there and below, is right. What is wrong with them is told after all that is wrong with the schema.
 */
#ifndef APISERVER_VALIDATION_CRD_RULES_H
#define APISERVER_VALIDATION_CRD_RULES_H

#include "apiserver/validation/extension/rule.h"

struct rule_check {
	struct field_errors errors;
	const struct crd_schema_rules *given;
	struct {
		const char *path;
		uint64_t cost;
	} expensive[4]; /* the most first */
	size_t n_expensive;
	uint64_t total;
};

/* What holds at a point of a schema. */
struct rule_place {
	const struct decl *decl; /* NULL: nothing above has rules */
	uint64_t times;		 /* that it can be there at most; 0 may be, too */
	bool unlimited;		 /* whatever times says */
	bool is_root;		 /* of a resource, or of one embedded */
};

/* Comes to a schema: from here on down there may be rules. */
void rule_place_enter(struct arena *arena, struct rule_place *place, const ApiextensionsV1JSONSchemaProps *schema);
/* The place of a schema within outer; decl is its type, as far as that is known. */
struct rule_place rule_place_below(const struct rule_place *above, const ApiextensionsV1JSONSchemaProps *outer,
	const ApiextensionsV1JSONSchemaProps *schema, const struct decl *decl);
/* The rules of one schema. Unrelated is what is above it where old items cannot be told from new ones, or NULL. */
void rule_check_rules(struct rule_check *check, const struct field_path *path, const struct rule_place *place,
	const struct field_path *unrelated, const ApiextensionsV1JSONSchemaProps *schema);
/* What all of them cost. */
void rule_check_total(struct rule_check *check, const struct field_path *path);

#endif
