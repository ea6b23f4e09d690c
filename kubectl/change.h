/*
 * Verbs that change objects in place: each object is read, changed as a tree, and the difference is sent as a patch.
 */
#ifndef KUBECTL_CHANGE_H
#define KUBECTL_CHANGE_H

#include "kubectl/send.h"

struct change {
	struct print_options *print;
	struct send_options send;
	bool local;	      /* print only, ask no server */
	bool no_dry_run_mark; /* a dry run is not marked in what is printed */
	bool merge;	      /* send a merge patch even for kinds that know strategic ones */
	void *data;
	/* Changes object and says what was done ("labeled"); a NULL operation passes over the object in silence. */
	struct status *(*mutate)(
		struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation);
};

/* All objects of the selection; goes on after errors and returns them together. */
struct status *change_objects(
	struct kubectl *k, const struct selection *selection, const struct change *change) MUST_USE;

#endif
