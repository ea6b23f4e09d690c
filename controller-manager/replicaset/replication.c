/* ReplicationController: a replica set by an older name, with a plain map as its selector. */
#include "api/copy.h"
#include "controller-manager/replicaset/replicaset.h"

static AppsV1ReplicaSetStatus *view_status(struct arena *arena, const CoreV1ReplicationControllerStatus *from)
{
	AppsV1ReplicaSetStatus *to = API_NEW(arena, AppsV1ReplicaSetStatus);
	to->replicas = from->replicas;
	to->fully_labeled_replicas = from->fully_labeled_replicas;
	to->ready_replicas = from->ready_replicas;
	to->available_replicas = from->available_replicas;
	to->observed_generation = from->observed_generation;
	for (size_t i = 0; i < from->n_conditions; i++) {
		const CoreV1ReplicationControllerCondition *c = from->conditions[i];
		AppsV1ReplicaSetCondition *condition = API_NEW(arena, AppsV1ReplicaSetCondition);
		condition->type = c->type;
		condition->status = c->status;
		condition->last_transition_time = c->last_transition_time;
		condition->reason = c->reason;
		condition->message = c->message;
		ARENA_PUSH(arena, to->conditions, to->n_conditions) = condition;
	}
	return to;
}

static const AppsV1ReplicaSet *view(struct arena *arena, const void *object)
{
	const CoreV1ReplicationController *rc = object;
	AppsV1ReplicaSet *set = API_NEW(arena, AppsV1ReplicaSet);
	set->metadata = rc->metadata;
	set->spec = API_NEW(arena, AppsV1ReplicaSetSpec);
	set->spec->has_replicas = rc->spec->has_replicas;
	set->spec->replicas = rc->spec->replicas;
	set->spec->min_ready_seconds = rc->spec->min_ready_seconds;
	set->spec->selector = API_NEW(arena, MetaV1LabelSelector);
	set->spec->selector->match_labels = rc->spec->selector;
	set->spec->selector->n_match_labels = rc->spec->n_selector;
	set->spec->template = rc->spec->template;
	set->status = view_status(arena, rc->status);
	return set;
}

static void *with_status(struct arena *arena, const void *object, const AppsV1ReplicaSetStatus *status)
{
	CoreV1ReplicationController *copy = object_copy(arena, object);
	CoreV1ReplicationControllerStatus *to = copy->status = API_NEW(arena, CoreV1ReplicationControllerStatus);
	to->replicas = status->replicas;
	to->fully_labeled_replicas = status->fully_labeled_replicas;
	to->ready_replicas = status->ready_replicas;
	to->available_replicas = status->available_replicas;
	to->observed_generation = status->observed_generation;
	for (size_t i = 0; i < status->n_conditions; i++) {
		const AppsV1ReplicaSetCondition *c = status->conditions[i];
		CoreV1ReplicationControllerCondition *condition = API_NEW(arena, CoreV1ReplicationControllerCondition);
		condition->type = c->type;
		condition->status = c->status;
		condition->last_transition_time = c->last_transition_time;
		condition->reason = c->reason;
		condition->message = c->message;
		ARENA_PUSH(arena, to->conditions, to->n_conditions) = condition;
	}
	return copy;
}

static int64_t n_workers(const struct options *options)
{
	return options->concurrent_rc_syncs;
}

static struct status *start(struct controller_context *ctx)
{
	static const struct replica_kind kind = {.type = &CoreV1ReplicationController_schema,
		.n_workers = n_workers,
		.view = view,
		.with_status = with_status};
	return replica_kind_start(ctx, &kind);
}

const struct controller replication_controller = {.name = "replicationcontroller-controller",
	.alias = "replicationcontroller",
	.service_account = "replication-controller",
	.event_source = "replication-controller",
	.start = start};
