/* DefaultBinder: tells the apiserver. */
#include "base/str.h"
#include "scheduler/plugins/table.h"

static struct verdict bind(void *self, struct cycle *cycle, const char *node)
{
	CLEANUP_STATUS struct status *failed = cycle->handle->bind(cycle->handle->data, cycle, node);
	if (failed)
		return verdict_error(arena_strdup(cycle->arena, failed->message));
	return success();
}

static const struct event_interest events[] = {{0}};

const struct plugin plugin_default_binder = {.name = "DefaultBinder", .bind = bind, .events = events};
