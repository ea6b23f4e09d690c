/*
 * Which of the schema's resources are served: all, but for what --runtime-config takes away.
 *
 *	TRY(served_new(&options->runtime_config, options->fairness, &served));
 *	const struct schema_resource *r = served_find(served, "apps", "v1", "deployments"); // NULL: not served
 *
 * What is not served is stored and kept in memory all the same, as the server itself may ask for it. NULL serves all.
 * Threads: constant once it is made.
 */
#ifndef APISERVER_SERVED_H
#define APISERVER_SERVED_H

#include <stdbool.h>
#include "api/schema.h"
#include "base/flags.h"
#include "base/status.h"

struct served;

/* config: entries "apps/v1=false", "batch/v1/cronjobs=false", "api/beta=true". Error: in the original's words. */
struct status *served_new(const struct flag_list *config, bool fairness, struct served **ret_served) MUST_USE;
void served_free(struct served *served);

bool served_has(const struct served *served, const struct schema_resource *resource);
bool served_group(const struct served *served, const char *group);
bool served_version(const struct served *served, const char *group, const char *version);
const struct schema_resource *served_find(
	const struct served *served, const char *group, const char *version, const char *plural);

#define SERVED_FOREACH(served, r)  \
	SCHEMA_FOREACH_RESOURCE(r) \
	if (served_has(served, r))

#endif
