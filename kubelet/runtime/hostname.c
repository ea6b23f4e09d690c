#include "base/str.h"
#include "kubelet/runtime/runtime.h"

#define MAX_HOSTNAME 63

struct status *pod_hostname(
	struct kubelet *k, struct arena *arena, const struct pod *pod, char **ret_name, char **ret_domain)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	char *name = arena_strdup(arena, str_empty(spec->hostname) ? pod->name : spec->hostname);
	if (strlen(name) > MAX_HOSTNAME) {
		name[MAX_HOSTNAME] = '\0';
		/* A name may end neither with a dot nor with a dash. */
		for (size_t n = MAX_HOSTNAME; n && (name[n - 1] == '.' || name[n - 1] == '-'); n--)
			name[n - 1] = '\0';
		if (!name[0])
			return status_bad_request("hostname for pod \"%s\" was invalid: \"%s\"", pod->name, pod->name);
	}
	*ret_name = name;
	*ret_domain = arena_strdup(arena, "");
	if (!str_empty(spec->subdomain))
		*ret_domain = arena_printf(
			arena, "%s.%s.svc.%s", spec->subdomain, pod->namespace, k->settings->cluster_domain);
	return NULL;
}
