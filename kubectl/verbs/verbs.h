/*
 * The records of all verbs; verbs.c lists them in the order of the overview.
 */
#ifndef KUBECTL_VERBS_VERBS_H
#define KUBECTL_VERBS_VERBS_H

#include "kubectl/command.h"

extern const struct command annotate_command, api_resources_command, api_versions_command, apply_command,
	attach_command, auth_command, autoscale_command, certificate_command, cluster_info_command, complete_command,
	completion_command, config_command, cordon_command, cp_command, create_command, delete_command,
	describe_command, diff_command, drain_command, edit_command, events_command, exec_command, explain_command,
	expose_command, get_command, label_command, logs_command, options_command, patch_command, port_forward_command,
	proxy_command, replace_command, rollout_command, run_command, scale_command, set_command, taint_command,
	top_command, uncordon_command, version_command, wait_command;

#endif
