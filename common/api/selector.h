/*
 * Label selectors and field selectors.
 *
 *	struct label_selector *s;
 *	TRY(label_selector_parse(arena, "app in (web,api),tier!=db", &s));
 *	if (label_selector_matches(s, meta->labels, meta->n_labels)) ...
 *
 * A parsed selector lives in its arena and is constant.
 */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H

#include "api/types.h"
#include "base/status.h"

enum selector_operator {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
	SELECTOR_EQUALS,
	SELECTOR_NOT_EQUALS,
	SELECTOR_GREATER,
	SELECTOR_LESS,
};

struct selector_requirement {
	char *key;
	enum selector_operator op;
	char **values; /* sorted */
	size_t n_values;
};

struct label_selector {
	struct selector_requirement *requirements; /* all must hold; sorted by key */
	size_t n_requirements;
	bool nothing; /* matches no object */
};

/* The query form: a=b, a==b, a!=b, a in (x,y), a notin (x), a, !a, a>1, a<2. "" matches all. */
struct status *label_selector_parse(
	struct arena *arena, const char *text, struct label_selector **ret_selector) MUST_USE;
/* Of a LabelSelector: NULL matches nothing, an empty one everything. */
struct status *label_selector_from_api(
	struct arena *arena, const MetaV1LabelSelector *api, struct label_selector **ret_selector) MUST_USE;
bool label_selector_matches(const struct label_selector *s, MapStringEntry *const *labels, size_t n_labels);
char *label_selector_format(struct arena *arena, const struct label_selector *s);
/* As kubectl and Table cells print a LabelSelector; "<none>" for an empty one, "<error>"… for a bad one. */
char *label_selector_format_api(struct arena *arena, const MetaV1LabelSelector *api);
/* One requirement of a NodeSelectorTerm (In, NotIn, Exists, DoesNotExist, Gt, Lt). value NULL: the label is absent. */
bool selector_operator_matches(const char *op, const char *value, char *const *values, size_t n_values);

/* Why a label key or value is not one, worded as the original; NULL when it is good. Of a constant or arena text. */
const char *label_key_error(struct arena *arena, const char *key);
const char *label_value_error(struct arena *arena, const char *value);
/* The same, with what stands between several problems. */
const char *label_key_problems(struct arena *arena, const char *key, const char *separator);
const char *label_value_problems(struct arena *arena, const char *value, const char *separator);

struct field_requirement {
	char *path;
	char *value;
	bool not_equal;
};

struct field_selector {
	struct field_requirement *requirements;
	size_t n_requirements;
};

/* a=b, a==b, a!=b, joined by commas; \\, \, and \= escape. */
struct status *field_selector_parse(
	struct arena *arena, const char *text, struct field_selector **ret_selector) MUST_USE;
/* value_of answers an object's field ("" when unset). */
bool field_selector_matches(
	const struct field_selector *s, const char *(*value_of)(void *ctx, const char *path), void *ctx);
/* By the object's own fields: metadata.name, metadata.namespace, spec.nodeName, status.phase, … read through the
 * schema. */
bool field_selector_matches_object(const struct field_selector *s, const void *msg);
/* Whether a path may be used for this resource. */
bool field_selector_supported(const struct schema_resource *resource, const char *path);
/* The text of a (string, bool or integer) field by its JSON path; "" when unset. The result may live in the arena. */
const char *field_value(struct arena *arena, const void *msg, const char *path);
char *field_selector_format(struct arena *arena, const struct field_selector *s);
/* The value that a field must equal for the selector to match; NULL if it does not say. */
const char *field_selector_required(const struct field_selector *s, const char *path);

#endif
