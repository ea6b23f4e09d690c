#include "apiserver/admission/plugins.h"
#include "api/meta.h"
#include "base/str.h"

#define HOSTNAME "kubernetes.io/hostname"

/* Keeping others away from more than one node, a zone for instance, is nobody's right. */
static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1PodSpec *spec = admission_pod_spec(a);
	const CoreV1PodAntiAffinity *anti = spec && spec->affinity ? spec->affinity->pod_anti_affinity : NULL;
	for (size_t i = 0; anti && i < anti->n_required_during_scheduling_ignored_during_execution; i++) {
		const char *key = anti->required_during_scheduling_ignored_during_execution[i]->topology_key;
		if (!str_eq(key, HOSTNAME))
			return admission_forbidden(a,
				"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey %s but only "
				"key " HOSTNAME " is allowed",
				str_or_empty(key));
	}
	return NULL;
}

const struct admission_plugin hard_anti_affinity_plugin = {
	.name = "LimitPodHardAntiAffinityTopology",
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
};
