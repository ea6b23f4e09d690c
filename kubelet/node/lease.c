#include "kubelet/node/lease.h"

#include "api/copy.h"
#include "api/meta.h"
#include "base/log.h"
#include "base/str.h"

#define NAMESPACE "kube-node-lease"
#define TRIES 5

void lease_state_done(struct lease_state *state)
{
	if (state->arena)
		arena_free(state->arena);
	*state = (struct lease_state){0};
}

static void remember(struct lease_state *state, const CoordinationV1Lease *lease)
{
	struct arena *arena = arena_new_sized(1024);
	CoordinationV1Lease *copy = api_copy_msg(arena, lease);
	lease_state_done(state);
	state->arena = arena;
	state->last = copy;
}

/* The lease goes with the node: it is owned by it, once the node is known. */
static void add_owner(struct kubelet *k, struct arena *arena, CoordinationV1Lease *lease)
{
	const CoreV1Node *node = k->nodes ? informer_get(k->nodes, arena, NULL, k->settings->node_name) : NULL;
	if (!node || lease->metadata->n_owner_references)
		return;
	MetaV1OwnerReference *owner = API_NEW(arena, MetaV1OwnerReference);
	owner->api_version = arena_strdup(arena, "v1");
	owner->kind = arena_strdup(arena, "Node");
	owner->name = node->metadata->name;
	owner->uid = node->metadata->uid;
	ARENA_PUSH(arena, lease->metadata->owner_references, lease->metadata->n_owner_references) = owner;
}

static void fill(struct kubelet *k, struct arena *arena, CoordinationV1Lease *lease)
{
	if (!lease->spec)
		lease->spec = API_NEW(arena, CoordinationV1LeaseSpec);
	lease->spec->holder_identity = arena_strdup(arena, k->settings->node_name);
	lease->spec->has_lease_duration_seconds = true;
	lease->spec->lease_duration_seconds = (int32_t)k->settings->lease_duration_s;
	lease->spec->renew_time = micro_time_now(arena);
	add_owner(k, arena, lease);
}

static struct status *create(struct kubelet *k, struct arena *arena, struct lease_state *state)
{
	CoordinationV1Lease *lease = API_NEW(arena, CoordinationV1Lease), *made;
	lease->metadata = API_NEW(arena, MetaV1ObjectMeta);
	lease->metadata->name = arena_strdup(arena, k->settings->node_name);
	lease->metadata->namespace = arena_strdup(arena, NAMESPACE);
	fill(k, arena, lease);
	TRY(client_create(k->client, arena, lease, &made));
	remember(state, made);
	return NULL;
}

static struct status *once(struct kubelet *k, struct lease_state *state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoordinationV1Lease *lease, *updated;
	if (state->last) {
		lease = api_copy(arena, state->last);
	} else {
		struct status *s = client_get(
			k->client, arena, &CoordinationV1Lease_schema, NAMESPACE, k->settings->node_name, &lease);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "made now");
			return create(k, arena, state);
		}
		if (s)
			return s;
	}
	fill(k, arena, lease);
	struct status *s = client_update(k->client, arena, lease, &updated);
	if (s) {
		/* Somebody else has changed it, or it is gone: read it again next time. */
		lease_state_done(state);
		return s;
	}
	remember(state, updated);
	return NULL;
}

struct status *lease_renew(struct kubelet *k, struct lease_state *state)
{
	struct status *s = NULL;
	for (int i = 0; i < TRIES; i++) {
		status_free(s);
		s = once(k, state);
		if (!s || status_is(s, STATUS_UNAVAILABLE) || status_is(s, STATUS_UNAUTHORIZED))
			return s;
	}
	return s;
}
