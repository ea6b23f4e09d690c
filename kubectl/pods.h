/*
 * From what the user names to a pod and one of its containers: for logs, exec, attach, cp and port-forward.
 */
#ifndef KUBECTL_PODS_H
#define KUBECTL_PODS_H

#include "kubectl/builder.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

/* The label selector of a workload's or service's pods. */
struct status *pod_selector(struct kubectl *k, const cJSON *object, char **ret_selector) MUST_USE;
/* The pods of a selector, the best one for the purpose first. */
struct status *list_pods(
	struct kubectl *k, const char *namespace, const char *selector, cJSON ***ret_pods, size_t *ret_n) MUST_USE;
/* The pod itself, or the best pod of a workload, waiting for one to appear for at most timeout_ms. */
struct status *pod_of(
	struct kubectl *k, const struct info *info, int64_t timeout_ms, cJSON **ret_pod, size_t *ret_n) MUST_USE;
/* The same from an argument: "name", "type/name". */
struct status *find_pod(struct kubectl *k, const struct filename_options *files, const char *arg, int64_t timeout_ms,
	cJSON **ret_pod) MUST_USE;
/* A container of any kind by its name, NULL if there is none. */
const cJSON *pod_container(const cJSON *pod, const char *name);
/* "a, b, c (init)" */
char *pod_container_names(struct arena *arena, const cJSON *pod);
/* The container named, or the default one; says on standard error which was taken unless quiet. */
struct status *choose_container(
	struct kubectl *k, const cJSON *pod, const char *name, bool quiet, const cJSON **ret) MUST_USE;
char *pod_path(struct kubectl *k, const cJSON *pod, const char *subresource);

/* --- a command in a container --- */
struct remote_options {
	const char *container;
	char *const *command;
	size_t n_command;
	int stdin_fd, stdout_fd, stderr_fd; /* -1: none */
	bool tty;			    /* raw terminal on stdin_fd, with its size */
	bool attach;
};
struct status *remote_run(
	struct kubectl *k, const cJSON *pod, const struct remote_options *options, int *ret_code) MUST_USE;

#endif
