/*
 * The scheduler's configuration: profiles made out of a KubeSchedulerConfiguration, or the default profile.
 */
#ifndef SCHEDULER_CONFIG_H
#define SCHEDULER_CONFIG_H

#include "scheduler/framework.h"

struct profiles {
	struct profile **items;
	size_t n_items;
};

/* Reads a configuration file (YAML or JSON), strictly. The errors name the file and the field. */
struct status *scheduler_config_load(
	struct arena *arena, const char *path, KubeschedulerV1KubeSchedulerConfiguration **ret) MUST_USE;
/*
 * Makes the profiles (config may be NULL: one default profile), with their plugins initialized. handle->nodes must be
 * set. Everything lives in the arena.
 */
struct status *profiles_make(struct arena *arena, const KubeschedulerV1KubeSchedulerConfiguration *config,
	struct scheduler_handle *handle, struct profiles *ret) MUST_USE;
/* The profile of a scheduler name, or NULL. */
const struct profile *profiles_find(const struct profiles *profiles, const char *scheduler_name);

#endif
