/*
 * A container's environment and what refers to it: values from maps, secrets, fields and resources, the variables of
 * services, and $(VAR) in commands and arguments.
 */
#ifndef KUBELET_RUNTIME_ENV_H
#define KUBELET_RUNTIME_ENV_H

#include "kubelet/kubelet.h"
#include "kubelet/runtime/names.h"

/* Replaces $(NAME) by the value of NAME; $$ stands for $; what is unknown or malformed stays as written. */
char *env_expand(struct arena *arena, const char *text, const struct name_values *vars, const struct name_values *more);
/* The whole list, each in turn. */
char **env_expand_list(struct arena *arena, char *const *list, size_t n, const struct name_values *vars);
/* $(NAME) for a subPathExpr: an unknown name is an error. */
struct status *env_expand_strict(
	struct arena *arena, const char *text, const struct name_values *vars, char **ret) MUST_USE;

/* NAME_SERVICE_HOST, NAME_PORT_80_TCP_ADDR and the others of one service. */
void env_add_service(struct arena *arena, struct name_values *vars, const CoreV1Service *service);
/* The value of a downward API field path for environment (pod_ips may be empty). Error: unsupported path. */
struct status *env_pod_field(struct kubelet *k, struct arena *arena, const struct pod *pod, const char *path,
	const char *const *pod_ips, size_t n_pod_ips, char **ret) MUST_USE;
/* limits.cpu, requests.memory, … of a container, divided and rounded up. */
struct status *env_resource_field(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, const CoreV1ResourceFieldSelector *selector, char **ret) MUST_USE;
/* Labels or annotations as the downward API writes them: key="value" lines, sorted. */
char *env_format_map(struct arena *arena, MapStringEntry *const *entries, size_t n);

/* All variables of a container. Error: what is referred to and is neither there nor optional. */
struct status *env_make(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const char *const *pod_ips, size_t n_pod_ips, struct name_values *ret) MUST_USE;

#endif
