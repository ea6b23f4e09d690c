/* PrioritySort: higher priority first, then who has waited longer. */
#include "scheduler/plugins/table.h"

static bool before(const struct pod_info *a, int64_t time_a, const struct pod_info *b, int64_t time_b)
{
	return a->priority != b->priority ? a->priority > b->priority : time_a < time_b;
}

const struct plugin plugin_priority_sort = {.name = "PrioritySort", .before = before};
