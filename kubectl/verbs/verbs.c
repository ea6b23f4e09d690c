#include "kubectl/verbs/verbs.h"

static const struct command *const verbs[] = {
	&get_command,
	NULL,
};

const struct command root_command = {
	.name = "kubectl",
	.usage = "[flags] [options]",
	.summary = "kubectl controls a Kubernetes cluster through its API server.",
	.children = verbs,
};
