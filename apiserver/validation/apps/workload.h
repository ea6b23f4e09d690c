/*
 * Checks of the kinds that run pods from a template.
 */
#ifndef APISERVER_VALIDATION_WORKLOAD_H
#define APISERVER_VALIDATION_WORKLOAD_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_deployment(struct field_errors *errors, const AppsV1Deployment *d);
void validate_deployment_update(struct field_errors *errors, const AppsV1Deployment *d, const AppsV1Deployment *old);
void validate_replica_set(struct field_errors *errors, const AppsV1ReplicaSet *r);
void validate_replica_set_update(struct field_errors *errors, const AppsV1ReplicaSet *r, const AppsV1ReplicaSet *old);
void validate_daemon_set(struct field_errors *errors, const AppsV1DaemonSet *d);
void validate_daemon_set_update(struct field_errors *errors, const AppsV1DaemonSet *d, const AppsV1DaemonSet *old);
void validate_stateful_set(struct field_errors *errors, const AppsV1StatefulSet *s);
void validate_stateful_set_update(
	struct field_errors *errors, const AppsV1StatefulSet *s, const AppsV1StatefulSet *old);
void validate_replication_controller(struct field_errors *errors, const CoreV1ReplicationController *rc);
void validate_replication_controller_update(
	struct field_errors *errors, const CoreV1ReplicationController *rc, const CoreV1ReplicationController *old);

/* Writes of the status. */
void validate_deployment_status(struct field_errors *errors, const AppsV1Deployment *d, const AppsV1Deployment *old);
void validate_replication_controller_status(
	struct field_errors *errors, const CoreV1ReplicationController *rc, const CoreV1ReplicationController *old);
void validate_replica_set_status(struct field_errors *errors, const AppsV1ReplicaSet *r, const AppsV1ReplicaSet *old);
void validate_daemon_set_status(struct field_errors *errors, const AppsV1DaemonSet *d, const AppsV1DaemonSet *old);
void validate_stateful_set_status(
	struct field_errors *errors, const AppsV1StatefulSet *s, const AppsV1StatefulSet *old);

void validate_revision(struct field_errors *errors, const AppsV1ControllerRevision *revision);
void validate_revision_update(
	struct field_errors *errors, const AppsV1ControllerRevision *revision, const AppsV1ControllerRevision *old);

#endif
