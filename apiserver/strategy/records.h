/*
 * The strategies of the table, and the subresources that have a file of their own.
 */
#ifndef APISERVER_STRATEGY_RECORDS_H
#define APISERVER_STRATEGY_RECORDS_H

#include "apiserver/strategy/strategy.h"

extern const struct strategy component_status_strategy;
extern const struct strategy pod_strategy;
extern const struct strategy binding_strategy;
extern const struct strategy service_strategy;
extern const struct strategy node_strategy;
extern const struct strategy namespace_strategy;
extern const struct strategy service_account_strategy;
extern const struct strategy secret_strategy;
extern const struct strategy config_map_strategy;
extern const struct strategy event_strategy;
extern const struct strategy event_v1_strategy;
extern const struct strategy endpoints_strategy;
extern const struct strategy endpoint_slice_strategy;
extern const struct strategy lease_strategy;
extern const struct strategy deployment_strategy;
extern const struct strategy replica_set_strategy;
extern const struct strategy daemon_set_strategy;
extern const struct strategy stateful_set_strategy;
extern const struct strategy replication_controller_strategy;
extern const struct strategy csr_strategy;
extern const struct strategy role_strategy;
extern const struct strategy cluster_role_strategy;
extern const struct strategy role_binding_strategy;
extern const struct strategy cluster_role_binding_strategy;
extern const struct strategy token_review_strategy;
extern const struct strategy self_subject_review_strategy;
extern const struct strategy subject_access_review_strategy;
extern const struct strategy local_subject_access_review_strategy;
extern const struct strategy self_subject_access_review_strategy;
extern const struct strategy self_subject_rules_review_strategy;
extern const struct strategy job_strategy;
extern const struct strategy cron_job_strategy;
extern const struct strategy claim_strategy;
extern const struct strategy volume_strategy;
extern const struct strategy pod_template_strategy;
extern const struct strategy revision_strategy;
extern const struct strategy flow_schema_strategy;
extern const struct strategy priority_level_strategy;
extern const struct strategy crd_strategy;
/* JSON anywhere within a definition, as it comes back of the original's conversion. */
struct status *crd_settle_json(struct arena *arena, ProtobufCMessage *msg) MUST_USE;
extern const struct strategy admission_policy_strategy;
extern const struct strategy api_service_strategy;
extern const struct strategy validating_webhook_strategy;
extern const struct strategy mutating_webhook_strategy;
extern const struct strategy policy_binding_strategy;
extern const struct strategy budget_strategy;
extern const struct strategy autoscaler_strategy;
extern const struct strategy runtime_class_strategy;
extern const struct strategy priority_class_strategy;
extern const struct strategy ingress_strategy;
extern const struct strategy ingress_class_strategy;
extern const struct strategy network_policy_strategy;
extern const struct strategy ip_address_strategy;
extern const struct strategy service_cidr_strategy;
extern const struct strategy storage_class_strategy;
extern const struct strategy csi_driver_strategy;
extern const struct strategy csi_node_strategy;
extern const struct strategy csi_capacity_strategy;
extern const struct strategy attachment_strategy;
extern const struct strategy attributes_class_strategy;
extern const struct strategy resource_claim_strategy;
extern const struct strategy resource_claim_template_strategy;
extern const struct strategy device_class_strategy;
extern const struct strategy resource_slice_strategy;

struct status *pod_bind(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object);
struct status *pod_evict(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object);

/* autoscaling/v1 Scale of the kinds that have spec.replicas, status.replicas and a selector. */
struct status *scale_get(struct request *request, const ProtobufCMessage *object, ProtobufCMessage **ret_view);
struct status *scale_put(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *view);

#endif
