/*
 * kubeconfig files as trees, shared by the subcommands of kubectl config. list is "clusters", "users" or "contexts".
 */
#ifndef KUBECTL_VERBS_CONFIG_H
#define KUBECTL_VERBS_CONFIG_H

#include "kubectl/kubectl.h"
#include "kubectl/object.h"

extern const struct command config_set_command, config_unset_command, config_set_cluster_command,
	config_set_context_command, config_set_credentials_command;

/* A file; an empty configuration if it is not there. */
struct status *config_read(struct kubectl *k, const char *path, cJSON **ret) MUST_USE;
struct status *config_write(struct kubectl *k, const char *path, cJSON *config) MUST_USE;
struct status *config_merged(struct kubectl *k, cJSON **ret) MUST_USE;
/* The file that holds an entry, else the one that new entries go to. list NULL: the current context. */
struct status *config_file_of(
	struct kubectl *k, const char *list, const char *name, const char **ret_path, cJSON **ret_config) MUST_USE;
/* The entry {name, cluster|user|context} by name; _add: what is inside it, made if absent. */
cJSON *config_entry(const cJSON *config, const char *list, const char *name);
cJSON *config_add(struct arena *arena, cJSON *config, const char *list, const char *name);

#endif
