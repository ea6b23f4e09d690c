/*
 * Reading and changing objects of any kind as trees. A path is member names joined by dots ("spec.template.metadata");
 * a number is an index of an array. Names that hold dots (labels, annotations) are looked up with tree_get().
 * Missing things read as "", 0, false and NULL.
 */
#ifndef KUBECTL_OBJECT_H
#define KUBECTL_OBJECT_H

#include "api/tree.h"

cJSON *obj_at(const cJSON *object, const char *path);
const char *obj_string(const cJSON *object, const char *path);
int64_t obj_int(const cJSON *object, const char *path, int64_t missing);
bool obj_bool(const cJSON *object, const char *path);
bool obj_has(const cJSON *object, const char *path);
/* Makes the parents that lack. */
void obj_set(struct arena *arena, cJSON *object, const char *path, cJSON *value);
void obj_set_string(struct arena *arena, cJSON *object, const char *path, const char *value);
void obj_set_int(struct arena *arena, cJSON *object, const char *path, int64_t value);
void obj_set_bool(struct arena *arena, cJSON *object, const char *path, bool value);
/* The object or array at path, made if absent. */
cJSON *obj_object(struct arena *arena, cJSON *object, const char *path);
cJSON *obj_array(struct arena *arena, cJSON *object, const char *path);
void obj_remove(cJSON *object, const char *path);

const char *obj_name(const cJSON *object);
const char *obj_namespace(const cJSON *object);
const char *obj_kind(const cJSON *object);
const char *obj_label(const cJSON *object, const char *key);
const char *obj_annotation(const cJSON *object, const char *key);
/* An object with apiVersion, kind and metadata.name. */
cJSON *obj_new(struct arena *arena, const char *api_version, const char *kind, const char *name);
/* Kind ends in List and there are items. */
bool obj_is_list(const cJSON *object);
/* A scalar as text: strings as they are, numbers exactly, "true", "false", "<nil>"; others as JSON. */
char *obj_text(struct arena *arena, const cJSON *node);
/* A value as Go prints it: map[a:1 b:[x y]]. */
void obj_print_go(struct arena *arena, struct strbuf *out, const cJSON *node);
/* The pod template of a workload (of the pod itself: its root), NULL if the kind has none. */
cJSON *obj_pod_template(const cJSON *object);
cJSON *obj_pod_spec(const cJSON *object);
/* "a=b,c=d" of a map, sorted; `none` if it is empty. */
char *obj_format_map(struct arena *arena, const cJSON *map, const char *none);
/* A label selector {matchLabels, matchExpressions} or plain map as text; `none` if empty. */
char *obj_format_selector(struct arena *arena, const cJSON *selector, const char *none);
/* Members sorted by name, as an array. */
cJSON **obj_sorted(struct arena *arena, const cJSON *object, size_t *ret_n);

#endif
