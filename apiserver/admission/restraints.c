/* Plugins of one rule each: what nobody may ask for where they are on. */
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* External addresses that the Service did not have before. */
static struct status *deny_external_ips(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "", "services", "") || !API_IS(a->object, CoreV1Service))
		return NULL;
	const CoreV1ServiceSpec *now = ((const CoreV1Service *)a->object)->spec;
	const CoreV1ServiceSpec *before = API_IS(a->old, CoreV1Service) ? ((const CoreV1Service *)a->old)->spec : NULL;
	for (size_t i = 0; now && i < now->n_external_ips; i++)
		if (!before || !str_in_n(now->external_ips[i], before->external_ips, before->n_external_ips))
			return admission_forbidden(a, "Use of external IPs is denied by admission control");
	return NULL;
}

const struct admission_plugin external_ips_plugin = {
	.name = "DenyServiceExternalIPs",
	.validate = deny_external_ips,
};

/* Pods that keep others away from more than their own node. */
static struct status *limit_anti_affinity(const struct admission_context *context, const struct admission_attributes *a)
{
	static const char hostname[] = "kubernetes.io/hostname";
	if (!admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod))
		return NULL;
	const CoreV1PodSpec *spec = ((const CoreV1Pod *)a->object)->spec;
	const CoreV1PodAntiAffinity *anti = spec && spec->affinity ? spec->affinity->pod_anti_affinity : NULL;
	for (size_t i = 0; anti && i < anti->n_required_during_scheduling_ignored_during_execution; i++) {
		const char *key = anti->required_during_scheduling_ignored_during_execution[i]->topology_key;
		if (!str_eq(key, hostname))
			return admission_forbidden(a,
				"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey %s but only key %s "
				"is "
				"allowed",
				key, hostname);
	}
	return NULL;
}

const struct admission_plugin anti_affinity_plugin = {
	.name = "LimitPodHardAntiAffinityTopology",
	.validate = limit_anti_affinity,
};

/* Writes into namespaces that are not there. */
static struct status *need_namespace(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1Namespace *found;
	if (str_empty(a->namespace) || str_eq(a->kind, "Namespace"))
		return NULL;
	return admission_namespace(context, a, &found);
}

const struct admission_plugin namespace_exists_plugin = {
	.name = "NamespaceExists",
	.validate = need_namespace,
	.handles_delete = true,
};
