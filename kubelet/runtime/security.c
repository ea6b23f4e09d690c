#include "base/str.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/resources.h"
#include "kubelet/runtime/runtime.h"

static const char *const masked_paths[] = {"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore",
	"/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	"/sys/firmware", "/sys/devices/virtual/powercap"};
static const char *const readonly_paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

static CriInt64Value *int64_value(struct arena *arena, int64_t value)
{
	CriInt64Value *v = RPC_NEW(arena, CriInt64Value);
	v->value = value;
	return v;
}

CriNamespaceOption *pod_namespaces(struct arena *arena, const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	CriNamespaceOption *o = RPC_NEW(arena, CriNamespaceOption);
	o->network = spec->host_network ? CRI_NAMESPACE_MODE_NODE : CRI_NAMESPACE_MODE_POD;
	o->ipc = spec->host_ipc ? CRI_NAMESPACE_MODE_NODE : CRI_NAMESPACE_MODE_POD;
	o->pid = CRI_NAMESPACE_MODE_CONTAINER;
	if (spec->host_pid)
		o->pid = CRI_NAMESPACE_MODE_NODE;
	else if (spec->has_share_process_namespace && spec->share_process_namespace)
		o->pid = CRI_NAMESPACE_MODE_POD;
	return o;
}

static struct status *seccomp(
	struct kubelet *k, struct arena *arena, const CoreV1SeccompProfile *profile, CriSecurityProfile **ret)
{
	CriSecurityProfile *p = RPC_NEW(arena, CriSecurityProfile);
	*ret = p;
	bool by_default = k->settings->config->has_seccomp_default && k->settings->config->seccomp_default;
	p->profile_type = by_default && !profile ? CRI_SECURITY_PROFILE_PROFILE_TYPE_RuntimeDefault
						 : CRI_SECURITY_PROFILE_PROFILE_TYPE_Unconfined;
	if (!profile)
		return NULL;
	if (str_eq(profile->type, "RuntimeDefault"))
		p->profile_type = CRI_SECURITY_PROFILE_PROFILE_TYPE_RuntimeDefault;
	if (!str_eq(profile->type, "Localhost"))
		return NULL;
	if (str_empty(profile->localhost_profile))
		return status_bad_request("localhostProfile must be set if seccompProfile type is Localhost.");
	p->profile_type = CRI_SECURITY_PROFILE_PROFILE_TYPE_Localhost;
	p->localhost_ref = arena_printf(arena, "%s/seccomp/%s", k->settings->root_dir, profile->localhost_profile);
	return NULL;
}

/* The container's own settings win over the pod's, field by field. */
static void effective_user(struct arena *arena, const CoreV1PodSecurityContext *p, const CoreV1SecurityContext *c,
	CriLinuxContainerSecurityContext *sc)
{
	if (c && c->has_run_as_user)
		sc->run_as_user = int64_value(arena, c->run_as_user);
	else if (p && p->has_run_as_user)
		sc->run_as_user = int64_value(arena, p->run_as_user);
	if (c && c->has_run_as_group)
		sc->run_as_group = int64_value(arena, c->run_as_group);
	else if (p && p->has_run_as_group)
		sc->run_as_group = int64_value(arena, p->run_as_group);
}

static struct status *check_non_root(struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const CriLinuxContainerSecurityContext *sc, bool has_image_uid, int64_t image_uid, const char *image_user)
{
	const CoreV1PodSecurityContext *p = pod_spec(pod)->security_context;
	bool non_root = p && p->has_run_as_non_root && p->run_as_non_root;
	if (c->security_context && c->security_context->has_run_as_non_root)
		non_root = c->security_context->run_as_non_root;
	if (!non_root)
		return NULL;
	const char *where = arena_printf(arena, "(pod: \"%s\", container: %s)", pod_format(arena, pod), c->name);
	if (sc->run_as_user) {
		if (sc->run_as_user->value == 0)
			return status_bad_request("container's runAsUser breaks non-root policy %s", where);
		return NULL;
	}
	if (has_image_uid && image_uid == 0)
		return status_bad_request("container has runAsNonRoot and image will run as root %s", where);
	if (!has_image_uid && !str_empty(image_user))
		return status_bad_request("container has runAsNonRoot and image has non-numeric user (%s), cannot "
					  "verify user is non-root %s",
			image_user, where);
	return NULL;
}

static void add_groups(struct arena *arena, const CoreV1PodSecurityContext *p, CriLinuxContainerSecurityContext *sc)
{
	if (!p)
		return;
	if (p->has_fs_group)
		ARENA_PUSH(arena, sc->supplemental_groups, sc->n_supplemental_groups) = p->fs_group;
	for (size_t i = 0; i < p->n_supplemental_groups; i++)
		ARENA_PUSH(arena, sc->supplemental_groups, sc->n_supplemental_groups) = p->supplemental_groups[i];
	if (str_eq(p->supplemental_groups_policy, "Strict"))
		sc->supplemental_groups_policy = CRI_SUPPLEMENTAL_GROUPS_POLICY_Strict;
}

static CriSELinuxOption *selinux(struct arena *arena, const CoreV1SELinuxOptions *o)
{
	CriSELinuxOption *out = RPC_NEW(arena, CriSELinuxOption);
	out->user = o->user;
	out->role = o->role;
	out->type = o->type;
	out->level = o->level;
	return out;
}

static void container_own(struct arena *arena, const CoreV1SecurityContext *c, CriLinuxContainerSecurityContext *sc)
{
	if (c->capabilities) {
		sc->capabilities = RPC_NEW(arena, CriCapability);
		sc->capabilities->add_capabilities = c->capabilities->add;
		sc->capabilities->n_add_capabilities = c->capabilities->n_add;
		sc->capabilities->drop_capabilities = c->capabilities->drop;
		sc->capabilities->n_drop_capabilities = c->capabilities->n_drop;
	}
	sc->privileged = c->has_privileged && c->privileged;
	sc->readonly_rootfs = c->has_read_only_root_filesystem && c->read_only_root_filesystem;
	sc->no_new_privs = c->has_allow_privilege_escalation && !c->allow_privilege_escalation;
}

static void proc_paths(struct arena *arena, CriLinuxContainerSecurityContext *sc)
{
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++)
		ARENA_PUSH(arena, sc->masked_paths, sc->n_masked_paths) = arena_strdup(arena, masked_paths[i]);
	for (size_t i = 0; i < ARRAY_SIZE(readonly_paths); i++)
		ARENA_PUSH(arena, sc->readonly_paths, sc->n_readonly_paths) = arena_strdup(arena, readonly_paths[i]);
}

struct status *container_security(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, bool has_image_uid, int64_t image_uid, const char *image_user,
	CriLinuxContainerSecurityContext **ret)
{
	const CoreV1PodSecurityContext *p = pod_spec(pod)->security_context;
	const CoreV1SecurityContext *own = c->security_context;
	CriLinuxContainerSecurityContext *sc = RPC_NEW(arena, CriLinuxContainerSecurityContext);
	effective_user(arena, p, own, sc);
	TRY(check_non_root(arena, pod, c, sc, has_image_uid, image_uid, image_user));
	if (own)
		container_own(arena, own, sc);
	const CoreV1SELinuxOptions *labels = p ? p->se_linux_options : NULL;
	if (own && own->se_linux_options)
		labels = own->se_linux_options;
	if (labels)
		sc->selinux_options = selinux(arena, labels);
	const CoreV1SeccompProfile *profile = p ? p->seccomp_profile : NULL;
	if (own && own->seccomp_profile)
		profile = own->seccomp_profile;
	TRY(seccomp(k, arena, profile, &sc->seccomp));
	if (!sc->run_as_user) {
		if (has_image_uid)
			sc->run_as_user = int64_value(arena, image_uid);
		sc->run_as_username = arena_strdup(arena, str_or_empty(image_user));
	}
	sc->namespace_options = pod_namespaces(arena, pod);
	add_groups(arena, p, sc);
	if (!own || !str_eq(own->proc_mount, "Unmasked"))
		proc_paths(arena, sc);
	*ret = sc;
	return NULL;
}

CriLinuxContainerResources *container_resources(
	struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c)
{
	CriLinuxContainerResources *r = RPC_NEW(arena, CriLinuxContainerResources);
	int64_t request = 0, limit = container_limit_cpu_milli(pod, c);
	bool has_request =
		c->resources && resource_milli(c->resources->requests, c->resources->n_requests, "cpu", &request);
	r->cpu_shares = cpu_shares_of_milli(has_request ? request : limit);
	r->memory_limit_in_bytes = container_limit_memory(pod, c);
	if (!k->settings->config->has_cpu_cfs_quota || k->settings->config->cpu_cfs_quota) {
		r->cpu_period = k->settings->cpu_period_us;
		r->cpu_quota = cpu_quota_of_milli(limit, k->settings->cpu_period_us);
	}
	r->oom_score_adj = container_oom_score(pod, c, node_memory_capacity(k->node));
	if (cgroups_v2(k->cgroups) && k->settings->config->has_single_process_oom_kill &&
		!k->settings->config->single_process_oom_kill) {
		CriLinuxContainerResourcesUnifiedEntry *e = RPC_NEW(arena, CriLinuxContainerResourcesUnifiedEntry);
		e->key = arena_strdup(arena, "memory.oom.group");
		e->value = arena_strdup(arena, "1");
		ARENA_PUSH(arena, r->unified, r->n_unified) = e;
	}
	return r;
}
