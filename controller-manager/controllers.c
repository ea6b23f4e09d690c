/* The table of controllers: what the cluster does by itself. */
#include "controller-manager/controller.h"

#define CONTROLLERS(X)                        \
	X(replicaset_controller)              \
	X(replication_controller)             \
	X(deployment_controller)              \
	X(daemonset_controller)               \
	X(statefulset_controller)             \
	X(job_controller)                     \
	X(ttl_after_finished_controller)      \
	X(disruption_controller)              \
	X(cronjob_controller)                 \
	X(resourcequota_controller)           \
	X(endpointslice_controller)           \
	X(endpoints_controller)               \
	X(endpointslice_mirroring_controller) \
	X(serviceaccount_controller)          \
	X(root_ca_controller)                 \
	X(namespace_controller)               \
	X(csr_approving_controller)           \
	X(csr_signing_controller)             \
	X(csr_cleaner_controller)             \
	X(node_lifecycle_controller)          \
	X(taint_eviction_controller)          \
	X(pod_gc_controller)                  \
	X(serviceaccount_token_controller)    \
	X(bootstrap_signer_controller)        \
	X(token_cleaner_controller)           \
	X(clusterrole_aggregation_controller) \
	X(node_ipam_controller)               \
	X(service_cidr_controller)            \
	X(node_ttl_controller)                \
	X(claim_protection_controller)        \
	X(volume_protection_controller)       \
	X(attributes_protection_controller)   \
	X(garbage_collector_controller)

#define DECLARE(c) extern const struct controller c;
#define ENTRY(c) &c,
CONTROLLERS(DECLARE)

const struct controller *const controllers[] = {CONTROLLERS(ENTRY) NULL};
