/*
 * What is done to pods, and to the pods within other kinds, beside checking them.
 */
#ifndef APISERVER_STRATEGY_POD_PARTS_H
#define APISERVER_STRATEGY_POD_PARTS_H

#include "api/types.h"
#include "apiserver/registry/request.h"
#include "apiserver/validation/field.h"

/* Takes out of a spec what the release has but does not enable. old: what has it already keeps it; NULL: nothing. */
void pod_drop_disabled(struct arena *arena, CoreV1PodSpec *spec, const CoreV1PodSpec *old);
/* The same for every pod template within an object of any kind. */
void object_drop_disabled(struct arena *arena, ProtobufCMessage *object, const ProtobufCMessage *old);

/* What the pods of an object of any kind are made of; NULL: it makes none. */
CoreV1PodTemplateSpec *object_pod_template(ProtobufCMessage *object);

/* Selectors get the values of the pod's own labels that they name by key. */
void pod_add_label_keys(struct arena *arena, CoreV1Pod *pod);
/* AppArmor profiles named by annotations, as fields; warns of each annotation that did it. */
void pod_app_armor_fields(struct request *request, CoreV1Pod *pod);

/* Warnings about a spec; path: of the template, NULL for a pod itself. */
void pod_warn(struct request *request, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta);
/* Of a template within another kind; template NULL: nothing. */
void pod_template_warn(struct request *request, const struct field_path *path, const CoreV1PodTemplateSpec *template);
/* Files of the pod's volumes that overlap. */
void pod_warn_paths(struct request *request, const CoreV1PodSpec *spec);
/* path: of the claim's spec. */
void claim_warn(struct request *request, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec);
/* Labels of nodes in a term that had their day; values: and values that no label can have. */
void node_term_warn(
	struct request *request, const struct field_path *path, const CoreV1NodeSelectorTerm *term, bool values);
void address_warn(struct request *request, const struct field_path *path, const char *value);
void request_warn_at(struct request *request, const struct field_path *path, const char *text);

#endif
