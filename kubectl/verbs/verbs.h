/*
 * The records of all verbs; verbs.c lists them in the order of the overview.
 */
#ifndef KUBECTL_VERBS_VERBS_H
#define KUBECTL_VERBS_VERBS_H

#include "kubectl/command.h"

extern const struct command annotate_command, apply_command, create_command, delete_command, edit_command, get_command,
	label_command, patch_command, replace_command, scale_command, taint_command, wait_command;

#endif
