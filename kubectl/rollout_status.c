#include "kubectl/rollout.h"

#define N(path) obj_int(object, path, 0)

static char *say(struct arena *arena, const char *format, ...) PRINTF(2, 3);
static char *say(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

static const char *progress_reason(const cJSON *object)
{
	TREE_FOREACH (c, obj_at(object, "status.conditions"))
		if (str_eq(obj_string(c, "type"), "Progressing"))
			return obj_string(c, "reason");
	return "";
}

static struct status *deployment_status(
	struct arena *arena, const cJSON *object, int64_t revision, char **ret, bool *done)
{
	const char *name = obj_name(object);
	long long wanted = obj_int(object, "spec.replicas", 1), updated = N("status.updatedReplicas");
	long long total = N("status.replicas"), available = N("status.availableReplicas");
	int64_t present;
	if (revision > 0 &&
		str_to_int64(obj_annotation(object, "deployment.kubernetes.io/revision"), 0, INT64_MAX, &present) &&
		present != revision)
		return user_error("desired revision (%lld) is different from the running revision (%lld)",
			(long long)revision, (long long)present);
	if (N("metadata.generation") > N("status.observedGeneration"))
		*ret = say(arena, "Waiting for deployment spec update to be observed...\n");
	else if (str_eq(progress_reason(object), "ProgressDeadlineExceeded"))
		return user_error("deployment \"%s\" exceeded its progress deadline", name);
	else if (updated < wanted)
		*ret = say(arena,
			"Waiting for deployment \"%s\" rollout to finish: %lld out of %lld new replicas have been "
			"updated...\n",
			name, updated, wanted);
	else if (total > updated)
		*ret = say(arena,
			"Waiting for deployment \"%s\" rollout to finish: %lld old replicas are pending "
			"termination...\n",
			name, total - updated);
	else if (available < updated)
		*ret = say(arena,
			"Waiting for deployment \"%s\" rollout to finish: %lld of %lld updated replicas are "
			"available...\n",
			name, available, updated);
	else {
		*ret = say(arena, "deployment \"%s\" successfully rolled out\n", name);
		*done = true;
	}
	return NULL;
}

static struct status *daemon_set_status(struct arena *arena, const cJSON *object, char **ret, bool *done)
{
	const char *name = obj_name(object);
	long long wanted = N("status.desiredNumberScheduled"), updated = N("status.updatedNumberScheduled");
	long long available = N("status.numberAvailable");
	if (!str_eq(obj_string(object, "spec.updateStrategy.type"), "RollingUpdate"))
		return user_error("rollout status is only available for RollingUpdate strategy type");
	if (N("metadata.generation") > N("status.observedGeneration"))
		*ret = say(arena, "Waiting for daemon set spec update to be observed...\n");
	else if (updated < wanted)
		*ret = say(arena,
			"Waiting for daemon set \"%s\" rollout to finish: %lld out of %lld new pods have been "
			"updated...\n",
			name, updated, wanted);
	else if (available < wanted)
		*ret = say(arena,
			"Waiting for daemon set \"%s\" rollout to finish: %lld of %lld updated pods are available...\n",
			name, available, wanted);
	else {
		*ret = say(arena, "daemon set \"%s\" successfully rolled out\n", name);
		*done = true;
	}
	return NULL;
}

static char *partition_status(struct arena *arena, const cJSON *object, bool *done)
{
	long long updated = N("status.updatedReplicas"), partition = N("spec.updateStrategy.rollingUpdate.partition");
	long long wanted = obj_int(object, "spec.replicas", 1) - partition;
	if (updated < wanted)
		return say(arena,
			"Waiting for partitioned roll out to finish: %lld out of %lld new pods have been updated...\n",
			updated, wanted);
	*done = true;
	return say(arena, "partitioned roll out complete: %lld new pods have been updated...\n", updated);
}

static struct status *stateful_set_status(struct arena *arena, const cJSON *object, char **ret, bool *done)
{
	long long wanted = obj_int(object, "spec.replicas", 1), ready = N("status.readyReplicas");
	int64_t observed = N("status.observedGeneration");
	if (!str_eq(obj_string(object, "spec.updateStrategy.type"), "RollingUpdate"))
		return user_error("rollout status is only available for RollingUpdate strategy type");
	if (!observed || N("metadata.generation") > observed)
		*ret = say(arena, "Waiting for statefulset spec update to be observed...\n");
	else if (ready < wanted)
		*ret = say(arena, "Waiting for %lld pods to be ready...\n", wanted - ready);
	else if (obj_has(object, "spec.updateStrategy.rollingUpdate"))
		*ret = partition_status(arena, object, done);
	else if (!str_eq(obj_string(object, "status.updateRevision"), obj_string(object, "status.currentRevision")))
		*ret = say(arena, "waiting for statefulset rolling update to complete %lld pods at revision %s...\n",
			(long long)N("status.updatedReplicas"), obj_string(object, "status.updateRevision"));
	else {
		*ret = say(arena, "statefulset rolling update complete %lld pods at revision %s...\n",
			(long long)N("status.currentReplicas"), obj_string(object, "status.currentRevision"));
		*done = true;
	}
	return NULL;
}

struct status *rollout_status(
	struct arena *arena, const cJSON *object, int64_t revision, char **ret_text, bool *ret_done)
{
	const char *kind = obj_kind(object);
	*ret_done = false;
	if (str_eq(kind, "Deployment"))
		return deployment_status(arena, object, revision, ret_text, ret_done);
	if (str_eq(kind, "DaemonSet"))
		return daemon_set_status(arena, object, ret_text, ret_done);
	if (str_eq(kind, "StatefulSet"))
		return stateful_set_status(arena, object, ret_text, ret_done);
	return user_error("no status viewer has been implemented for %s", kind);
}
