/*
 * JSONPath templates as kubectl's: {.items[*].metadata.name}, {range …}{end}, filters, slices, recursive descent.
 *
 *	struct jsonpath *path;
 *	TRY(jsonpath_parse(arena, "{.metadata.name}", &path));
 *	TRY(jsonpath_print(path, tree, &out));
 */
#ifndef API_JSONPATH_H
#define API_JSONPATH_H

#include "api/tree.h"
#include "base/status.h"
#include "base/str.h"

struct jsonpath;

struct status *jsonpath_parse(struct arena *arena, const char *text, struct jsonpath **ret_path) MUST_USE;
/* Missing keys print nothing instead of being an error. */
void jsonpath_allow_missing(struct jsonpath *path, bool on);
/* Evaluates over a tree and appends what the template prints. */
struct status *jsonpath_print(struct jsonpath *path, const cJSON *tree, struct strbuf *out) MUST_USE;
/* The nodes that the (last) expression of the template selects. */
struct status *jsonpath_find(
	struct arena *arena, struct jsonpath *path, const cJSON *tree, cJSON ***ret_nodes, size_t *ret_n) MUST_USE;
/* "x.y", ".x.y" and "{.x.y}" all become "{.x.y}", as kubectl's relaxed form. */
struct status *jsonpath_relax(struct arena *arena, const char *text, char **ret_text) MUST_USE;

#endif
