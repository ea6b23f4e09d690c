/*
 * Requests for objects of any kind as trees. Answers live in the arena given; warnings of the server go to standard
 * error as they come.
 */
#ifndef KUBECTL_REQUEST_H
#define KUBECTL_REQUEST_H

#include "api/tree.h"
#include "kubectl/kubectl.h"

#define ACCEPT_TABLE                                                                                      \
	"application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io," \
	"application/json"

struct rest {
	const char *method; /* NULL: GET */
	const char *path;
	const char *query;
	const char *accept; /* NULL: JSON */
	const char *content_type;
	const char *body; /* text; wins over tree */
	size_t body_size;
	const cJSON *tree;
	bool want_text; /* the answer is no JSON */
};

/* ret_tree (may be NULL): the answer. Error: the server's status (status_is_servers) or that there is no answer. */
struct status *rest_do(struct kubectl *k, struct arena *arena, const struct rest *request, cJSON **ret_tree) MUST_USE;
struct status *rest_text(
	struct kubectl *k, struct arena *arena, const struct rest *request, char **ret_text, size_t *ret_size) MUST_USE;
struct status *rest_get(
	struct kubectl *k, struct arena *arena, const char *path, const char *query, cJSON **ret_tree) MUST_USE;
/* The path of a resource's collection (name NULL), object or subresource. */
char *rest_path(struct arena *arena, const struct api_resource *mapping, const char *namespace, const char *name,
	const char *subresource);

/* By group, version, kind of an object; name errors as the original does. */
struct status *mapping_of_object(struct kubectl *k, const cJSON *object, const struct api_resource **ret) MUST_USE;
/* "pods" for a built-in kind that the verb itself needs. */
struct status *mapping_find(struct kubectl *k, const char *text, const struct api_resource **ret) MUST_USE;
/* "deployment.apps", "pod": the kind with its group, in lower case. */
char *mapping_kind_group(struct arena *arena, const struct api_resource *mapping);
/* "deployments.apps", "pods". */
char *mapping_plural_group(struct arena *arena, const struct api_resource *mapping);

#endif
