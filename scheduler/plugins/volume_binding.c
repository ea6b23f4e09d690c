/*
 * VolumeBinding: a pod goes only where its persistent volumes can follow. Claims must exist and be bound, and a node
 * must satisfy the node affinity of every volume. Claims that wait for their first consumer are not bound here yet.
 */
#include "base/str.h"
#include "scheduler/plugins/table.h"

struct volumes {
	struct node_selector *required; /* of the bound volumes that have an affinity */
	size_t n_required;
	bool has_waiting; /* a claim that waits for its first consumer */
};

struct claim_name {
	const char *name;
	bool is_ephemeral;
};

/* The claim a volume names, or the one made for an ephemeral volume; a NULL name: it needs none. */
static struct claim_name claim_of(struct cycle *cycle, const CoreV1Volume *volume)
{
	const CoreV1VolumeSource *source = volume->volume_source;
	if (source && source->persistent_volume_claim)
		return (struct claim_name){str_or_empty(source->persistent_volume_claim->claim_name), false};
	if (source && source->ephemeral)
		return (struct claim_name){
			arena_printf(cycle->arena, "%s-%s", cycle->pod->name, str_or_empty(volume->name)), true};
	return (struct claim_name){NULL, false};
}

static bool waits_for_consumer(struct cycle *cycle, const CoreV1PersistentVolumeClaim *claim)
{
	const char *name = claim->spec ? claim->spec->storage_class_name : NULL;
	if (str_empty(name))
		return false;
	const StorageV1StorageClass *class = cycle->handle->storage_class(cycle->handle->data, name);
	return class && str_eq(class->volume_binding_mode, "WaitForFirstConsumer");
}

static struct verdict check_bound(struct cycle *cycle, const CoreV1PersistentVolumeClaim *claim, struct volumes *state)
{
	const char *name = claim->spec->volume_name;
	const CoreV1PersistentVolume *volume = cycle->handle->volume(cycle->handle->data, name);
	if (!volume)
		return unresolvable("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
	const CoreV1VolumeNodeAffinity *affinity = volume->spec ? volume->spec->node_affinity : NULL;
	if (affinity && affinity->required)
		ARENA_PUSH(cycle->arena, state->required, state->n_required) =
			node_selector_compile(cycle->arena, cycle->nodes->strings, affinity->required);
	return success();
}

static struct verdict check_claim(struct cycle *cycle, struct claim_name wanted, struct volumes *state)
{
	const CoreV1PersistentVolumeClaim *claim =
		cycle->handle->claim(cycle->handle->data, cycle->pod->namespace_, wanted.name);
	if (!claim)
		return unresolvable(
			wanted.is_ephemeral
				? arena_printf(cycle->arena,
					  "waiting for ephemeral volume controller to create the persistentvolumeclaim "
					  "\"%s\"",
					  wanted.name)
				: arena_printf(cycle->arena, "persistentvolumeclaim \"%s\" not found", wanted.name));
	if (claim->metadata && claim->metadata->deletion_timestamp)
		return unresolvable(
			arena_printf(cycle->arena, "persistentvolumeclaim \"%s\" is being deleted", wanted.name));
	if (claim->status && str_eq(claim->status->phase, "Lost"))
		return unresolvable(arena_printf(cycle->arena,
			"persistentvolumeclaim \"%s\" bound to non-existent persistentvolume \"%s\"", wanted.name,
			claim->spec ? str_or_empty(claim->spec->volume_name) : ""));
	if (claim->spec && !str_empty(claim->spec->volume_name))
		return check_bound(cycle, claim, state);
	if (!waits_for_consumer(cycle, claim))
		return unresolvable("pod has unbound immediate PersistentVolumeClaims");
	state->has_waiting = true;
	return success();
}

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	struct volumes *state = NULL;
	for (size_t i = 0; spec && i < spec->n_volumes && cycle->handle->claim; i++) {
		struct claim_name wanted = claim_of(cycle, spec->volumes[i]);
		if (!wanted.name)
			continue;
		if (!state)
			state = ARENA_NEW(cycle->arena, struct volumes);
		struct verdict verdict = check_claim(cycle, wanted, state);
		if (verdict.code != VERDICT_SUCCESS)
			return verdict;
	}
	cycle_state(cycle) = state;
	return state ? success() : skipped();
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct volumes *state = cycle_state(cycle);
	struct node_view node = nodes_view(cycle->nodes, row);
	for (size_t i = 0; i < state->n_required; i++) {
		if (!node_selector_matches(&state->required[i], &node))
			return unresolvable("node(s) didn't match PersistentVolume's node affinity");
	}
	return state->has_waiting ? unresolvable("node(s) didn't find available persistent volumes to bind")
				  : success();
}

static const struct event_interest events[] = {
	{EVENT_VOLUME, EVENT_ALL, NULL},
	{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_LABEL, NULL},
	{0},
};

const struct plugin plugin_volume_binding = {
	.name = "VolumeBinding", .pre_filter = pre_filter, .filter = filter, .events = events};
