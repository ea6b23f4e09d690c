/*
 * YAML, read as sigs.k8s.io/yaml reads it (YAML 1.1 scalars, keys become strings) and written as it writes.
 *
 *	struct yaml_stream *stream = yaml_stream_new(arena, data, size);
 *	cJSON *doc;
 *	while (!(status = yaml_stream_next(stream, NULL, &doc)) && doc)
 *		...
 *
 * Aliases, depth and the number of nodes are bounded; JSON is YAML and is read as well.
 */
#ifndef API_YAML_H
#define API_YAML_H

#include "api/json.h"
#include "api/tree.h"

/* One document into a tree; of several, the first. Duplicate keys are errors when options->strict is set, else the last
 * wins. */
struct status *yaml_parse(struct arena *arena, const char *data, size_t size, const struct json_options *options,
	cJSON **ret_tree) MUST_USE;
/* The keys that come twice (line 3: key "a" already set in map), in the words of YAML for JSON too. */
struct status *yaml_find_duplicates(
	struct arena *arena, const char *data, size_t size, struct json_strict *ret_strict) MUST_USE;
/* A stream of documents separated by ---. Empty documents are passed over; *ret_tree is NULL at the end. */
struct yaml_stream;
struct yaml_stream *yaml_stream_new(struct arena *arena, const char *data, size_t size);
struct status *yaml_stream_next(
	struct yaml_stream *stream, const struct json_options *options, cJSON **ret_tree) MUST_USE;

/* YAML to JSON text. What is wrong is told without the words that the others begin with: error converting YAML to JSON.
 */
struct status *yaml_to_json(struct arena *arena, const char *data, size_t size, const struct json_options *options,
	char **ret_json, size_t *ret_size) MUST_USE;
/* YAML or JSON to a typed object; type NULL: by apiVersion and kind. */
struct status *yaml_decode(struct arena *arena, const struct schema_type *type, const char *data, size_t size,
	const struct json_options *options, void *ret_msg) MUST_USE;
/* Written as the original does: members sorted by name, lists not indented. */
void yaml_encode(struct strbuf *out, const void *msg);
/* The same with another apiVersion and kind than the type's own (NULL: leave it out). */
void yaml_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind);
void yaml_print_tree(struct strbuf *out, const cJSON *tree);

#endif
