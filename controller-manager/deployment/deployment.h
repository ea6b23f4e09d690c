/*
 * Deployments: rolling a pod template out over replica sets, one for each version of the template.
 *
 * math.c: how many replicas go where; revisions.c: which replica set is the new one, and its annotations; scale.c:
 * changing sizes; status.c: conditions and counts; rollout.c: the two strategies; deployment.c: events and sync.
 *
 * Threads: everything here belongs to one sync, but for the pure functions.
 */
#ifndef CONTROLLER_MANAGER_DEPLOYMENT_H
#define CONTROLLER_MANAGER_DEPLOYMENT_H

#include "controller-manager/controller.h"

#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"
#define REVISION_HISTORY_ANNOTATION "deployment.kubernetes.io/revision-history"
#define DESIRED_REPLICAS_ANNOTATION "deployment.kubernetes.io/desired-replicas"
#define MAX_REPLICAS_ANNOTATION "deployment.kubernetes.io/max-replicas"
#define ROLLBACK_ANNOTATION "deprecated.deployment.rollback.to"
#define TEMPLATE_HASH_LABEL "pod-template-hash"

/* Replica sets; those of an informer are shared: an updated one takes its place in the list. */
struct sets {
	const AppsV1ReplicaSet **items;
	size_t n;
};

/* One sync of one deployment. */
struct rollout {
	struct controller_context *ctx;
	struct workqueue *queue;
	struct arena *arena;
	const char *key;
	AppsV1Deployment *d;		 /* a copy of our own */
	struct sets all;		 /* every set that is ours */
	struct sets old;		 /* all but the new one */
	const AppsV1ReplicaSet *new_set; /* NULL: not made yet */
	const CoreV1Pod *const *pods;	 /* of the namespace, matching the selector */
	size_t n_pods;
};

/* --- math.c --- */
int32_t deployment_replicas(const AppsV1Deployment *d);
int32_t set_replicas(const AppsV1ReplicaSet *set);
bool deployment_is_rolling(const AppsV1Deployment *d);
int32_t deployment_max_surge(const AppsV1Deployment *d);
int32_t deployment_max_unavailable(const AppsV1Deployment *d);
bool deployment_has_deadline(const AppsV1Deployment *d);
int32_t sets_spec_replicas(struct sets s);
int32_t sets_actual_replicas(struct sets s);
int32_t sets_available_replicas(struct sets s);
int32_t sets_ready_replicas(struct sets s);
struct sets sets_with(struct arena *arena, struct sets s, const AppsV1ReplicaSet *one);
/* Those that want replicas. */
struct sets sets_active(struct arena *arena, struct sets s);
void sets_sort_by_age(struct sets s);	   /* oldest first */
void sets_sort_by_revision(struct sets s); /* lowest first */
void sets_sort_by_size(struct sets s, bool newer_first);
/* How many replicas the new set should have; all includes the new one. */
int32_t new_set_replicas(const AppsV1Deployment *d, struct sets all, const AppsV1ReplicaSet *new_set);
/* The share of to_add (negative: to remove) that falls to a set, when `added` of it has been given already. */
int32_t set_proportion(const AppsV1ReplicaSet *set, const AppsV1Deployment *d, int32_t to_add, int32_t added);
/* A non-negative number in an annotation. */
bool set_annotation_int(const AppsV1ReplicaSet *set, const char *annotation, int32_t *ret_value);
bool set_is_saturated(const AppsV1Deployment *d, const AppsV1ReplicaSet *set);

/* --- revisions.c --- */
/* The oldest set whose template is the deployment's. */
const AppsV1ReplicaSet *find_new_set(struct arena *arena, const AppsV1Deployment *d, struct sets all);
/* 0 when it says none. */
int64_t object_revision(const void *msg);
int64_t sets_max_revision(struct sets s);
/* The second highest. */
int64_t sets_last_revision(struct sets s);
/* Copies the deployment's annotations and sets revision and history; true if something changed. */
bool set_new_annotations(
	struct arena *arena, const AppsV1Deployment *d, AppsV1ReplicaSet *set, int64_t revision, bool exists);
bool set_replicas_annotations(struct arena *arena, AppsV1ReplicaSet *set, int32_t desired, int32_t max);
/* Splits r->all into old and new; makes the new one if asked to; keeps revisions in step. */
struct status *sync_revisions(struct rollout *r, bool create) MUST_USE;
struct status *delete_old_revisions(struct rollout *r) MUST_USE;
/* Whether a rollback is asked for, and to which revision (0: the last). */
bool rollback_wanted(const AppsV1Deployment *d, int64_t *ret_revision);
struct status *roll_back(struct rollout *r, int64_t revision) MUST_USE;

/* --- scale.c --- */
/* Changes a set's size and its annotations; *ret_scaled: the size changed. The set in every list of r is replaced. */
struct status *scale_set(struct rollout *r, const AppsV1ReplicaSet *set, int32_t size, bool *ret_scaled) MUST_USE;
/* scale_set() where only a different size counts. */
struct status *resize_set(struct rollout *r, const AppsV1ReplicaSet *set, int32_t size, bool *ret_scaled) MUST_USE;
/* Spreads a change of spec.replicas over the active sets. */
struct status *scale_proportionally(struct rollout *r) MUST_USE;

/* --- status.c --- */
const AppsV1DeploymentCondition *deployment_condition(const AppsV1DeploymentStatus *status, const char *type);
void set_deployment_condition(struct rollout *r, AppsV1DeploymentStatus *status, const char *type, const char *value,
	const char *reason, const char *message);
bool deployment_complete(const AppsV1Deployment *d, const AppsV1DeploymentStatus *status);
AppsV1DeploymentStatus *deployment_status(struct rollout *r);
/* Writes r->d with its status; its resource version becomes the new one. */
struct status *write_deployment_status(struct rollout *r) MUST_USE;
/* Counts and availability only. */
struct status *sync_status(struct rollout *r) MUST_USE;
/* The same with progress, deadline and failures. */
struct status *sync_rollout_status(struct rollout *r) MUST_USE;
struct status *check_paused(struct rollout *r) MUST_USE;

/* --- rollout.c --- */
struct status *roll_out(struct rollout *r) MUST_USE;
struct status *recreate(struct rollout *r) MUST_USE;

#endif
