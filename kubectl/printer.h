/*
 * Output formats: json, yaml, name, jsonpath and its variants, custom columns, go templates.
 *
 *	struct printer *printer;
 *	TRY(printer_new(k, &options->print, "created", &printer));
 *	TRY(printer_print(printer, object, stdout));
 */
#ifndef KUBECTL_PRINTER_H
#define KUBECTL_PRINTER_H

#include "kubectl/kubectl.h"
#include "kubectl/object.h"
#include "kubectl/tabwriter.h"

struct print_options {
	char *output, *template;
	bool show_managed_fields, allow_missing;
	/* set by the verb */
	bool columns; /* custom-columns are allowed */
	bool no_headers;
	bool in_order; /* JSON as the object is, not sorted by name: the original does so with kinds it knows by type */
	const char *subresource;
};
extern const struct option print_flags[];

struct printer;

/*
 * operation: what the name form says was done ("created"), NULL for the bare name. A format that is none of ours is an
 * error that lists them. Without -o it is the name form with the operation.
 */
struct status *printer_new(
	struct kubectl *k, const struct print_options *options, const char *operation, struct printer **ret) MUST_USE;
struct status *printer_print(struct printer *p, const cJSON *object, FILE *out) MUST_USE;
/* Whether -o asks for the object itself in some form. */
bool print_wants_object(const struct print_options *options);
/* Prints JSON (members in the tree's order or sorted) or YAML of a tree. */
void print_json(const cJSON *tree, bool in_order, FILE *out);
void print_yaml(const cJSON *tree, FILE *out);

/* Sorts the items of a list, or rows of a Table, by a JSONPath. */
struct status *sort_objects(struct arena *arena, cJSON *array, const char *field, const char *prefix) MUST_USE;

/* --dry-run and what it means for the verb. */
enum dry_run { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER };
struct status *dry_run_parse(const char *text, enum dry_run *ret) MUST_USE;
/* "created" and its form for a dry run. */
const char *dry_run_operation(struct kubectl *k, enum dry_run mode, const char *operation);
#define OPT_DRY_RUN(S, field)                                                 \
	OPT_IMPLIED(S, field, 0, "dry-run", FLAG_STRING, "none", "unchanged", \
		"\"none\", \"client\" (send nothing) or \"server\" (the server checks but stores nothing)")
#define OPT_FIELD_MANAGER(S, field, name) \
	OPT(S, field, 0, "field-manager", FLAG_STRING, name, "Name of the manager that the fields are owned by")

/* Prints an object after it was written, as -o says: "pod/x created". */
struct status *print_result(struct kubectl *k, const struct print_options *print, const char *operation,
	enum dry_run dry_run, const cJSON *object) MUST_USE;

/* Go templates (kubectl/template.c). */
struct template;
struct status *template_parse(struct arena *arena, const char *text, struct template **ret) MUST_USE;
struct status *template_print(struct arena *arena, const struct template *t, const cJSON *object, bool allow_missing,
	struct strbuf *out) MUST_USE;

#endif
