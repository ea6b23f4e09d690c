/*
 * What an OpenAPI document says, before it is written in version 2 or 3: paths with their operations, made out of the
 * schema's resources, and the types that these name.
 *
 *	struct strbuf text = STRBUF_INIT;
 *	document_write(arena, NULL, OPENAPI_V3, "apis/apps/v1", &text);
 *
 * Ownership: everything lives in the arena or is constant.
 */
#ifndef APISERVER_OPENAPI_DOCUMENT_H
#define APISERVER_OPENAPI_DOCUMENT_H

#include <stdbool.h>
#include "api/schema.h"
#include "apiserver/served.h"
#include "base/map.h"
#include "base/str.h"

enum openapi_version { OPENAPI_V2, OPENAPI_V3 };

/* In the path or the query. */
struct oa_parameter {
	const char *name;
	const char *type;
	const char *doc;
	bool in_path;
};

enum oa_answers { OA_CREATED = 1 << 0, OA_ACCEPTED = 1 << 1 }; /* beside 200 and 401 */

struct oa_operation {
	const char *method; /* get, put, … */
	const char *id;
	const char *tag;
	const char *doc;
	const char *action; /* NULL: not of a resource */
	const char *const *consumes, *const *produces;
	struct oa_parameter *parameters; /* those that the path does not have for all its operations */
	size_t n_parameters;
	const struct schema_type *body; /* NULL: none */
	bool body_required;
	const struct schema_type *answer; /* NULL: a string */
	unsigned answers;		  /* enum oa_answers */
	const struct schema_type *kind;	  /* of an operation with an action */
};

#define OA_METHODS 7
struct oa_path {
	const char *path;
	struct oa_operation *operations[OA_METHODS];
	size_t n_operations;
	struct oa_parameter *parameters;
	size_t n_parameters;
};

struct oa_paths {
	struct arena *arena;
	struct oa_path *items; /* sorted by path */
	size_t n;
};

/* The names of all documents of version 3, sorted: "api", "api/v1", "apis/apps", …, "version". */
char **document_names(struct arena *arena, const struct served *served, size_t *ret_n);
/* The paths of one document of version 3, or (name NULL) of all. */
struct oa_paths document_paths(struct arena *arena, const struct served *served, const char *name);
/* The operations of a resource and its subresources. */
void resource_operations(struct oa_paths *paths, const struct schema_resource *r);
/* A path without operations yet; it moves when another is added. */
struct oa_path *oa_path_add(struct oa_paths *paths, const char *path);
struct oa_operation *oa_operation_add(struct oa_paths *paths, struct oa_path *path, const char *method);
/* What all operations of a path take becomes the path's own; parameters are sorted. */
void oa_path_settle(struct oa_paths *paths, struct oa_path *path);
void oa_parameter_add(struct oa_paths *paths, struct oa_operation *o, const struct oa_parameter *parameter);
/* A query parameter for every plain field of an options type, without those in except (NULL-terminated, or NULL). */
void oa_parameters_of(
	struct oa_paths *paths, struct oa_operation *o, const struct schema_type *options, const char *const *except);
/* "apps" and "v1" as they stand in operation ids (AppsV1) and tags (apps_v1); version may be "". */
const char *oa_id_part(struct arena *arena, const char *group, const char *version);
const char *oa_tag(struct arena *arena, const char *group, const char *version);

/* --- writing --- */

struct document {
	struct arena *arena;
	enum openapi_version version;
	struct strbuf *out;
	struct strmap *wanted; /* names of types that are named, with their schema_type */
	struct strmap *shared; /* version 2: parameters that operations share, by name, as JSON */
};

/* Appends "$ref": "…" and remembers the type. */
void schema_reference(struct document *d, const struct schema_type *type);
/* Appends "name": {…}, of all types wanted, and of those that they want. */
void schemas_write(struct document *d);
void document_string(struct document *d, const char *s);
/* {"group": …, "kind": …, "version": …} */
void document_kind(struct document *d, const char *group, const char *version, const char *kind);
/* The JSON text of a document; name as document_names() has it, NULL for version 2. */
void document_write(struct arena *arena, const struct served *served, enum openapi_version version, const char *name,
	struct strbuf *out);

/* The protobuf form of a document (gnostic's openapi.v2.Document or openapi.v3.Document) out of its JSON, which must be
 * valid. */
void document_to_protobuf(enum openapi_version version, const struct strbuf *json, struct strbuf *out);

#endif
