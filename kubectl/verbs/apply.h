/*
 * Options of kubectl apply and its own subcommands.
 */
#ifndef KUBECTL_VERBS_APPLY_H
#define KUBECTL_VERBS_APPLY_H

#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"

struct apply_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *cascade, *selector, *subresource, *validate;
	struct flag_list prune_allowlist;
	bool all, force, force_conflicts, openapi_patch, overwrite, prune, server_side, wait;
	int64_t grace, timeout_ms;
};

extern const struct option apply_flags[];
extern const struct command *const apply_children[];

#endif
