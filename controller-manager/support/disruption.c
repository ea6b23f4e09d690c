#include "controller-manager/support/disruption.h"

#include "base/str.h"
#include "controller-manager/support/pods.h"

struct status *disruption_mark(struct client *client, struct arena *arena, const struct clock *clock,
	const CoreV1Pod *pod, const char *phase, const char *reason, const char *message)
{
	const CoreV1PodCondition *present = pod_condition(pod, "DisruptionTarget");
	bool marked = present && str_eq(present->status, "True") && str_eq(present->reason, reason);
	if (marked && (!phase || str_eq(pod->status->phase, phase)))
		return NULL;
	char *patch = arena_printf(arena,
		"{\"metadata\":{\"uid\":\"%s\"},\"status\":{%s%s%s\"conditions\":[{\"type\":\"DisruptionTarget\","
		"\"status\":\"True\",\"reason\":\"%s\",\"message\":\"%s\",\"lastTransitionTime\":\"%s\"}]}}",
		pod->metadata->uid, phase ? "\"phase\":\"" : "", str_or_empty(phase), phase ? "\"," : "", reason,
		message, time_format(arena, clock_wall_s(clock)));
	struct status *s = client_patch(client, arena, &CoreV1Pod_schema, pod->metadata->namespace, pod->metadata->name,
		"status", CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	return s;
}
