#include "kubectl/change.h"

#include "api/patch.h"

static struct status *change_one(struct kubectl *k, const struct change *change, struct info *info)
{
	const char *operation = NULL;
	cJSON *after = tree_copy(k->arena, info->object);
	TRY(change->mutate(k, change->data, info, after, &operation));
	if (!operation)
		return NULL;
	if (change->local || change->send.dry_run == DRY_RUN_CLIENT) {
		info->object = after;
	} else if (change->merge) {
		cJSON *patch = patch_create_merge(k->arena, info->object, after);
		TRY(send_patch(k, info, CLIENT_PATCH_MERGE, tree_to_string(k->arena, patch, TREE_SORTED), &change->send,
			&info->object));
	} else {
		TRY(send_difference(k, info, info->object, after, &change->send, NULL));
	}
	return print_result(k, change->print, operation,
		change->local || change->no_dry_run_mark ? DRY_RUN_NONE : change->send.dry_run, info->object);
}

struct status *change_objects(struct kubectl *k, const struct selection *selection, const struct change *change)
{
	struct infos infos;
	struct status *errors = select_objects(k, selection, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, change_one(k, change, &infos.items[i]));
	return errors;
}
