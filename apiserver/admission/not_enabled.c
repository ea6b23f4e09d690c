#include "apiserver/admission/plugins.h"

/* Plugins of features that are off in this release, as in the original: on, they find nothing to do. */

const struct admission_plugin trust_bundle_attest_plugin = {
	.name = "ClusterTrustBundleAttest",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
};

const struct admission_plugin pod_topology_labels_plugin = {
	.name = "PodTopologyLabels",
	.on_by_default = true,
	.operations = ON_CREATE,
};
