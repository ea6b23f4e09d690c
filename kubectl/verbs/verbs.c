#include "kubectl/verbs/verbs.h"

static const struct command *const verbs[] = {
	&create_command,
	&get_command,
	&edit_command,
	&delete_command,
	&scale_command,
	&taint_command,
	&apply_command,
	&patch_command,
	&replace_command,
	&wait_command,
	&label_command,
	&annotate_command,
	NULL,
};

const struct command root_command = {
	.name = "kubectl",
	.usage = "[flags] [options]",
	.summary = "kubectl controls a Kubernetes cluster through its API server.",
	.children = verbs,
};
