#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/apps/workload.h"
#include "base/str.h"

/* Counts of a status by their JSON names, whatever the kind: they are found through the schema. */
static bool count_of(const void *status, const char *name, int64_t *ret_value)
{
	const struct schema_type *type = schema_of(status);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (!str_eq(f->json_name, name))
			continue;
		const void *p = (const char *)status + f->offset;
		*ret_value = f->kind == SCHEMA_INT64 ? *(const int64_t *)p : *(const int32_t *)p;
		return !(f->flags & SCHEMA_PRESENCE) ||
		       *(const protobuf_c_boolean *)((const char *)status + f->quantifier_offset);
	}
	return false;
}

static void check_counts(struct field_errors *errors, const void *status, const char *const *names)
{
	int64_t value;
	for (; *names; names++)
		if (count_of(status, *names, &value))
			validate_not_negative(errors, FIELD(FIELD(NULL, "status"), *names), value);
}

/* None of the names counts more than the last word does. */
static void check_at_most(
	struct field_errors *errors, const void *status, const char *const *names, const char *most, const char *detail)
{
	int64_t value, limit = 0;
	count_of(status, most, &limit);
	for (; *names; names++)
		if (count_of(status, *names, &value) && value > limit)
			field_invalid_int(errors, FIELD(FIELD(NULL, "status"), *names), value, detail);
}

#define OF_REPLICAS "cannot be greater than status.replicas"
#define OF_READY "cannot be greater than readyReplicas"

/* How often names collided is never forgotten. */
static void check_collisions(struct field_errors *errors, const void *status, const void *old)
{
	int64_t now = 0, was = 0;
	bool had = old && count_of(old, "collisionCount", &was);
	bool has = count_of(status, "collisionCount", &now);
	if (had && (!has || now < was))
		field_invalid_int(
			errors, FIELD(FIELD(NULL, "status"), "collisionCount"), has ? now : 0, "cannot be decremented");
}

static const char *const available[] = {"availableReplicas", NULL};

void validate_deployment_status(struct field_errors *errors, const AppsV1Deployment *d, const AppsV1Deployment *old)
{
	static const char *const counts[] = {"observedGeneration", "replicas", "updatedReplicas", "readyReplicas",
		"availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount", NULL};
	static const char *const parts[] = {"updatedReplicas", "readyReplicas", "availableReplicas", NULL};
	const void *status = d->status ? (const void *)d->status : AppsV1DeploymentStatus_schema.zero;
	check_counts(errors, status, counts);
	check_at_most(errors, status, parts, "replicas", OF_REPLICAS);
	check_at_most(errors, status, available, "readyReplicas", OF_READY);
	check_collisions(errors, status, old->status);
}

static void check_replicas(struct field_errors *errors, const void *status)
{
	static const char *const counts[] = {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
		"observedGeneration", "terminatingReplicas", NULL};
	static const char *const parts[] = {"fullyLabeledReplicas", "readyReplicas", "availableReplicas", NULL};
	check_counts(errors, status, counts);
	check_at_most(errors, status, parts, "replicas", OF_REPLICAS);
	check_at_most(errors, status, available, "readyReplicas", OF_READY);
}

void validate_replica_set_status(struct field_errors *errors, const AppsV1ReplicaSet *r, const AppsV1ReplicaSet *old)
{
	check_replicas(errors, r->status ? (const void *)r->status : AppsV1ReplicaSetStatus_schema.zero);
}

void validate_replication_controller_status(
	struct field_errors *errors, const CoreV1ReplicationController *rc, const CoreV1ReplicationController *old)
{
	check_replicas(errors, rc->status ? (const void *)rc->status : CoreV1ReplicationControllerStatus_schema.zero);
}

void validate_daemon_set_status(struct field_errors *errors, const AppsV1DaemonSet *d, const AppsV1DaemonSet *old)
{
	static const char *const counts[] = {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
		"numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
		"collisionCount", NULL};
	const void *status = d->status ? (const void *)d->status : AppsV1DaemonSetStatus_schema.zero;
	check_counts(errors, status, counts);
	check_collisions(errors, status, old->status);
}

void validate_stateful_set_status(struct field_errors *errors, const AppsV1StatefulSet *s, const AppsV1StatefulSet *old)
{
	static const char *const counts[] = {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas",
		"availableReplicas", "observedGeneration", "collisionCount", NULL};
	static const char *const parts[] = {
		"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", NULL};
	const void *status = s->status ? (const void *)s->status : AppsV1StatefulSetStatus_schema.zero;
	check_counts(errors, status, counts);
	check_at_most(errors, status, parts, "replicas", OF_REPLICAS);
	check_at_most(errors, status, available, "readyReplicas", "cannot be greater than status.readyReplicas");
	check_collisions(errors, status, old->status);
}

static void check_revision(struct field_errors *errors, const AppsV1ControllerRevision *revision)
{
	validate_not_negative(errors, FIELD(NULL, "revision"), revision->revision);
}

void validate_revision(struct field_errors *errors, const AppsV1ControllerRevision *revision)
{
	const struct field_path *path = FIELD(NULL, "data");
	const ProtobufCBinaryData *raw = revision->data ? &revision->data->raw : NULL;
	check_revision(errors, revision);
	if (!raw || !raw->len || (raw->len == 4 && !memcmp(raw->data, "null", 4)))
		field_required(errors, path, "data is mandatory");
	else if (raw->data[0] != '{')
		field_required(errors, path, "data must be a valid JSON object");
}

void validate_revision_update(
	struct field_errors *errors, const AppsV1ControllerRevision *revision, const AppsV1ControllerRevision *old)
{
	check_revision(errors, revision);
	if (!api_equal(revision->data, old->data))
		field_invalid_json(errors, FIELD(NULL, "data"),
			revision->data ? internal_json(errors->arena, revision->data) : "null", "field is immutable");
}
