#include "base/io.h"
#include "base/str.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/pod/resources.h"
#include "kubelet/runtime/runtime.h"

static void add_labels(struct arena *arena, const struct pod *pod, CriPodSandboxConfig *config)
{
	struct name_values labels = sandbox_labels(arena, pod);
	for (size_t i = 0; i < labels.n_items; i++) {
		CriPodSandboxConfigLabelsEntry *e = RPC_NEW(arena, CriPodSandboxConfigLabelsEntry);
		e->key = labels.items[i].name;
		e->value = labels.items[i].value;
		ARENA_PUSH(arena, config->labels, config->n_labels) = e;
	}
	const MetaV1ObjectMeta *meta = pod->api->metadata;
	for (size_t i = 0; i < meta->n_annotations; i++) {
		CriPodSandboxConfigAnnotationsEntry *e = RPC_NEW(arena, CriPodSandboxConfigAnnotationsEntry);
		e->key = meta->annotations[i]->key;
		e->value = meta->annotations[i]->value;
		ARENA_PUSH(arena, config->annotations, config->n_annotations) = e;
	}
}

static void add_port(struct arena *arena, const CoreV1ContainerPort *port, CriPodSandboxConfig *config)
{
	CriPortMapping *m = RPC_NEW(arena, CriPortMapping);
	m->container_port = port->container_port;
	m->host_port = port->host_port;
	m->host_ip = arena_strdup(arena, port->host_ip);
	if (str_eq(port->protocol, "UDP"))
		m->protocol = CRI_PROTOCOL_UDP;
	else if (str_eq(port->protocol, "SCTP"))
		m->protocol = CRI_PROTOCOL_SCTP;
	ARENA_PUSH(arena, config->port_mappings, config->n_port_mappings) = m;
}

static void security(struct arena *arena, const struct pod *pod, CriLinuxPodSandboxConfig *lc)
{
	CriLinuxSandboxSecurityContext *sc = RPC_NEW(arena, CriLinuxSandboxSecurityContext);
	lc->security_context = sc;
	sc->privileged = pod_has_privileged(pod);
	sc->seccomp = RPC_NEW(arena, CriSecurityProfile);
	sc->seccomp->profile_type = CRI_SECURITY_PROFILE_PROFILE_TYPE_RuntimeDefault;
	sc->namespace_options = pod_namespaces(arena, pod);
	const CoreV1PodSecurityContext *p = pod_spec(pod)->security_context;
	if (!p)
		return;
	for (size_t i = 0; i < p->n_sysctls; i++) {
		CriLinuxPodSandboxConfigSysctlsEntry *e = RPC_NEW(arena, CriLinuxPodSandboxConfigSysctlsEntry);
		e->key = arena_strdup(arena, p->sysctls[i]->name);
		/* net/ipv4/ip_forward and net.ipv4.ip_forward are the same; the runtime knows the second. */
		size_t first = strcspn(e->key, "./");
		if (e->key[first] == '/')
			for (char *c = e->key; *c; c++)
				*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
		e->value = p->sysctls[i]->value;
		ARENA_PUSH(arena, lc->sysctls, lc->n_sysctls) = e;
	}
	if (p->has_run_as_user) {
		sc->run_as_user = RPC_NEW(arena, CriInt64Value);
		sc->run_as_user->value = p->run_as_user;
	}
	if (p->has_run_as_group) {
		sc->run_as_group = RPC_NEW(arena, CriInt64Value);
		sc->run_as_group->value = p->run_as_group;
	}
	if (p->has_fs_group)
		ARENA_PUSH(arena, sc->supplemental_groups, sc->n_supplemental_groups) = p->fs_group;
	for (size_t i = 0; i < p->n_supplemental_groups; i++)
		ARENA_PUSH(arena, sc->supplemental_groups, sc->n_supplemental_groups) = p->supplemental_groups[i];
}

struct status *sandbox_config(
	struct kubelet *k, struct arena *arena, const struct pod *pod, uint32_t attempt, CriPodSandboxConfig **ret)
{
	CriPodSandboxConfig *config = RPC_NEW(arena, CriPodSandboxConfig);
	config->metadata = RPC_NEW(arena, CriPodSandboxMetadata);
	config->metadata->name = (char *)pod->name;
	config->metadata->namespace_ = (char *)pod->namespace;
	config->metadata->uid = (char *)pod->uid;
	config->metadata->attempt = attempt;
	add_labels(arena, pod, config);
	config->dns_config = pod_dns(k, arena, pod);
	if (!pod->host_network) {
		char *name, *domain;
		TRY(pod_hostname(k, arena, pod, &name, &domain));
		const CoreV1PodSpec *spec = pod_spec(pod);
		bool fqdn = spec->has_set_hostname_as_fqdn && spec->set_hostname_as_fqdn && domain[0];
		config->hostname = fqdn ? arena_printf(arena, "%s.%s", name, domain) : name;
		if (strlen(config->hostname) > 64)
			return status_bad_request("failed to construct FQDN from pod hostname and cluster domain, FQDN "
						  "%s is too long (64 characters is the max, %zu characters requested)",
				config->hostname, strlen(config->hostname));
	}
	config->log_directory = pod_logs_dir(arena, k->settings->pod_logs_dir, pod->namespace, pod->name, pod->uid);
	for (size_t i = 0; i < pod_spec(pod)->n_containers; i++)
		for (size_t j = 0; j < pod_spec(pod)->containers[i]->n_ports; j++)
			add_port(arena, pod_spec(pod)->containers[i]->ports[j], config);
	config->linux = RPC_NEW(arena, CriLinuxPodSandboxConfig);
	config->linux->cgroup_parent = cgroups_pod_parent(arena, k->cgroups, pod);
	security(arena, pod, config->linux);
	*ret = config;
	return NULL;
}
