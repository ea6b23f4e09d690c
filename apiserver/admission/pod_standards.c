#include "apiserver/admission/pod_standards.h"
#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/validation/field.h"
#include "base/nameset.h"
#include "base/str.h"

/* Each check looks at the whole pod and tells what it found as a reason and a detail. */

/* Of the three kinds of container, what the checks look at. */
struct container {
	const char *name;
	const CoreV1SecurityContext *security;
	CoreV1ContainerPort *const *ports;
	size_t n_ports;
	const CoreV1Probe *probes[3];
	const CoreV1Lifecycle *lifecycle;
};

struct check {
	struct arena *arena;
	int version;
	const MetaV1ObjectMeta *meta; /* may be NULL */
	const CoreV1PodSpec *spec;
	const CoreV1PodSecurityContext *security; /* of the pod; may be NULL */
	struct container *containers;
	size_t n_containers;
	struct pod_findings found;
};

/* Texts, as they come or each once. */
struct names {
	char **items;
	size_t n_items;
	struct nameset seen;
};

static void add(struct arena *arena, struct names *names, const char *name)
{
	ARENA_PUSH(arena, names->items, names->n_items) = arena_strdup(arena, name);
}

static void add_once(struct arena *arena, struct names *names, const char *name)
{
	names->seen.arena = arena;
	if (nameset_add(&names->seen, name))
		add(arena, names, name);
}

static char *quoted(struct arena *arena, struct names *names)
{
	return arena_printf(arena, "\"%s\"", str_join(arena, names->items, names->n_items, "\", \""));
}

static char *sorted_quoted(struct arena *arena, struct names *names)
{
	qsort(names->items, names->n_items, sizeof(*names->items), str_cmp_qsort);
	return quoted(arena, names);
}

static const char *plural(const char *one, const char *many, size_t n)
{
	return n == 1 ? one : many;
}

static void found(struct check *c, const char *reason, const char *detail)
{
	size_t n = c->found.n;
	ARENA_PUSH(c->arena, c->found.reasons, n) = arena_strdup(c->arena, reason);
	ARENA_PUSH(c->arena, c->found.details, c->found.n) = arena_strdup(c->arena, detail);
}

static char *of_containers(struct check *c, struct names *bad)
{
	return arena_printf(c->arena, "%s %s", plural("container", "containers", bad->n_items), quoted(c->arena, bad));
}

/* "pod and containers "a", "b"": who set something; empty when nobody did. */
static char *setters(struct check *c, bool pod, struct names *bad)
{
	if (!bad->n_items)
		return arena_strdup(c->arena, pod ? "pod" : "");
	return arena_printf(c->arena, "%s%s", pod ? "pod and " : "", of_containers(c, bad));
}

#define EACH(c, k) for (const struct container *k = (c)->containers; k < (c)->containers + (c)->n_containers; k++)

/* Baseline */

static void check_capabilities_baseline(struct check *c)
{
	static const char *const allowed[] = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL",
		"MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", NULL};
	struct names bad = {0}, values = {0};
	EACH(c, k)
	{
		const CoreV1Capabilities *caps = k->security ? k->security->capabilities : NULL;
		for (size_t i = 0; caps && i < caps->n_add; i++)
			if (!str_in(caps->add[i], allowed)) {
				add_once(c->arena, &bad, k->name);
				add_once(c->arena, &values, caps->add[i]);
			}
	}
	if (bad.n_items)
		found(c, "non-default capabilities",
			arena_printf(c->arena, "%s must not include %s in securityContext.capabilities.add",
				of_containers(c, &bad), sorted_quoted(c->arena, &values)));
}

static void check_host_namespaces(struct check *c)
{
	char *set[3];
	size_t n = 0;
	if (c->spec->host_network)
		set[n++] = (char *)"hostNetwork=true";
	if (c->spec->host_pid)
		set[n++] = (char *)"hostPID=true";
	if (c->spec->host_ipc)
		set[n++] = (char *)"hostIPC=true";
	if (n)
		found(c, "host namespaces", str_join(c->arena, set, n, ", "));
}

static void check_host_paths(struct check *c)
{
	struct names bad = {0};
	for (size_t i = 0; i < c->spec->n_volumes; i++)
		if (c->spec->volumes[i]->volume_source && c->spec->volumes[i]->volume_source->host_path)
			add(c->arena, &bad, c->spec->volumes[i]->name);
	if (bad.n_items)
		found(c, "hostPath volumes",
			arena_printf(
				c->arena, "%s %s", plural("volume", "volumes", bad.n_items), quoted(c->arena, &bad)));
}

static void check_host_ports(struct check *c)
{
	struct names bad = {0}, ports = {0};
	EACH(c, k)
	for (size_t i = 0; i < k->n_ports; i++)
		if (k->ports[i]->host_port) {
			add_once(c->arena, &bad, k->name);
			add_once(c->arena, &ports, arena_printf(c->arena, "%d", k->ports[i]->host_port));
		}
	if (!bad.n_items)
		return;
	qsort(ports.items, ports.n_items, sizeof(*ports.items), str_cmp_qsort);
	found(c, "hostPort",
		arena_printf(c->arena, "%s %s %s %s", of_containers(c, &bad), plural("uses", "use", bad.n_items),
			plural("hostPort", "hostPorts", ports.n_items),
			str_join(c->arena, ports.items, ports.n_items, ", ")));
}

static void note_host(struct check *c, const CoreV1HTTPGetAction *get, const CoreV1TCPSocketAction *socket,
	const char *name, struct names *bad, struct names *hosts)
{
	const char *each[] = {get ? get->host : NULL, socket ? socket->host : NULL};
	for (size_t i = 0; i < ARRAY_SIZE(each); i++)
		if (!str_empty(each[i])) {
			add_once(c->arena, bad, name);
			add_once(c->arena, hosts, each[i]);
		}
}

static void check_probe_hosts(struct check *c)
{
	struct names bad = {0}, hosts = {0};
	EACH(c, k)
	{
		for (size_t i = 0; i < ARRAY_SIZE(k->probes); i++) {
			const CoreV1ProbeHandler *h = k->probes[i] ? k->probes[i]->handler : NULL;
			if (h)
				note_host(c, h->http_get, h->tcp_socket, k->name, &bad, &hosts);
		}
		const CoreV1LifecycleHandler *hooks[] = {
			k->lifecycle ? k->lifecycle->post_start : NULL, k->lifecycle ? k->lifecycle->pre_stop : NULL};
		for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
			if (hooks[i])
				note_host(c, hooks[i]->http_get, hooks[i]->tcp_socket, k->name, &bad, &hosts);
	}
	if (bad.n_items)
		found(c, "probe or lifecycle host",
			arena_printf(c->arena, "%s %s %s %s", of_containers(c, &bad),
				plural("uses", "use", bad.n_items),
				plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.n_items),
				sorted_quoted(c->arena, &hosts)));
}

static void check_privileged(struct check *c)
{
	struct names bad = {0};
	EACH(c, k)
	if (k->security && k->security->has_privileged && k->security->privileged)
		add(c->arena, &bad, k->name);
	if (bad.n_items)
		found(c, "privileged",
			arena_printf(
				c->arena, "%s must not set securityContext.privileged=true", of_containers(c, &bad)));
}

static void check_proc_mount(struct check *c)
{
	struct names bad = {0}, types = {0};
	EACH(c, k)
	if (k->security && k->security->proc_mount && !str_eq(k->security->proc_mount, "Default")) {
		add(c->arena, &bad, k->name);
		add_once(c->arena, &types, k->security->proc_mount);
	}
	if (bad.n_items)
		found(c, "procMount",
			arena_printf(c->arena, "%s must not set securityContext.procMount to %s",
				of_containers(c, &bad), sorted_quoted(c->arena, &types)));
}

struct se_linux {
	struct names types;
	bool user, role;
};

static bool note_se_linux(struct check *c, const CoreV1SELinuxOptions *o, struct se_linux *bad)
{
	static const char *const allowed[] = {"", "container_t", "container_init_t", "container_kvm_t", NULL};
	const char *type = str_or_empty(o->type);
	const bool fits = str_in(type, allowed) || (c->version >= 31 && str_eq(type, "container_engine_t"));
	if (!fits)
		add_once(c->arena, &bad->types, type);
	bad->user |= !str_empty(o->user);
	bad->role |= !str_empty(o->role);
	return !fits || !str_empty(o->user) || !str_empty(o->role);
}

static void check_se_linux(struct check *c)
{
	struct se_linux bad = {0};
	struct names names = {0};
	bool pod =
		c->security && c->security->se_linux_options && note_se_linux(c, c->security->se_linux_options, &bad);
	EACH(c, k)
	if (k->security && k->security->se_linux_options && note_se_linux(c, k->security->se_linux_options, &bad))
		add(c->arena, &names, k->name);
	if (!pod && !names.n_items)
		return;
	char *data[3];
	size_t n = 0;
	if (bad.types.n_items)
		data[n++] = arena_printf(c->arena, "%s %s", plural("type", "types", bad.types.n_items),
			sorted_quoted(c->arena, &bad.types));
	if (bad.user)
		data[n++] = (char *)"user may not be set";
	if (bad.role)
		data[n++] = (char *)"role may not be set";
	found(c, "seLinuxOptions",
		arena_printf(c->arena, "%s set forbidden securityContext.seLinuxOptions: %s", setters(c, pod, &names),
			str_join(c->arena, data, n, "; ")));
}

static bool is_confined(const char *type)
{
	return str_eq(type, "RuntimeDefault") || str_eq(type, "Localhost");
}

/* Profiles were annotations once: key="value" of those that are not allowed, sorted. */
static void note_profiles(struct check *c, struct names *values)
{
	static const char prefix[] = "container.apparmor.security.beta.kubernetes.io/";
	for (size_t i = 0; c->meta && i < c->meta->n_annotations; i++) {
		const MapStringEntry *entry = c->meta->annotations[i];
		const char *value = str_or_empty(entry->value);
		if (str_starts_with(entry->key, prefix) && *value && !str_eq(value, "runtime/default") &&
			!str_starts_with(value, "localhost/"))
			add(c->arena, values,
				arena_printf(c->arena, "%s=%s", entry->key, field_quote(c->arena, value)));
	}
	if (values->n_items)
		qsort(values->items, values->n_items, sizeof(*values->items), str_cmp_qsort);
}

static void check_app_armor(struct check *c)
{
	struct names bad = {0}, values = {0}, annotated = {0};
	const CoreV1AppArmorProfile *own = c->security ? c->security->app_armor_profile : NULL;
	const bool pod = own && !is_confined(own->type);
	if (pod)
		add_once(c->arena, &values, own->type);
	EACH(c, k)
	if (k->security && k->security->app_armor_profile && !is_confined(k->security->app_armor_profile->type)) {
		add(c->arena, &bad, k->name);
		add_once(c->arena, &values, k->security->app_armor_profile->type);
	}
	note_profiles(c, &annotated);
	if (!pod && !bad.n_items && !annotated.n_items)
		return;
	const bool set = pod || bad.n_items;
	const char *who =
		arena_printf(c->arena, "%s%s%s", setters(c, pod, &bad), set && annotated.n_items ? " and " : "",
			annotated.n_items ? plural("annotation", "annotations", annotated.n_items) : "");
	if (values.n_items)
		qsort(values.items, values.n_items, sizeof(*values.items), str_cmp_qsort);
	for (size_t i = 0; i < annotated.n_items; i++)
		add(c->arena, &values, annotated.items[i]);
	found(c, plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.n_items),
		arena_printf(c->arena, "%s must not set AppArmor profile type to %s", who, quoted(c->arena, &values)));
}

static void check_sysctls(struct check *c)
{
	static const struct {
		const char *name;
		int since;
	} allowed[] = {
		{"kernel.shm_rmid_forced", 0},
		{"net.ipv4.ip_local_port_range", 0},
		{"net.ipv4.tcp_syncookies", 0},
		{"net.ipv4.ping_group_range", 0},
		{"net.ipv4.ip_unprivileged_port_start", 0},
		{"net.ipv4.ip_local_reserved_ports", 27},
		{"net.ipv4.tcp_keepalive_time", 29},
		{"net.ipv4.tcp_fin_timeout", 29},
		{"net.ipv4.tcp_keepalive_intvl", 29},
		{"net.ipv4.tcp_keepalive_probes", 29},
		{"net.ipv4.tcp_rmem", 32},
		{"net.ipv4.tcp_wmem", 32},
	};
	struct names bad = {0};
	for (size_t i = 0; c->security && i < c->security->n_sysctls; i++) {
		const char *name = c->security->sysctls[i]->name;
		bool ok = false;
		for (size_t k = 0; k < ARRAY_SIZE(allowed); k++)
			ok |= c->version >= allowed[k].since && str_eq(name, allowed[k].name);
		if (!ok)
			add(c->arena, &bad, name);
	}
	if (bad.n_items)
		found(c, "forbidden sysctls", str_join(c->arena, bad.items, bad.n_items, ", "));
}

static void check_windows_host(struct check *c)
{
	struct names bad = {0};
	const CoreV1WindowsSecurityContextOptions *own = c->security ? c->security->windows_options : NULL;
	const bool pod = own && own->has_host_process && own->host_process;
	EACH(c, k)
	{
		const CoreV1WindowsSecurityContextOptions *w = k->security ? k->security->windows_options : NULL;
		if (w && w->has_host_process && w->host_process)
			add(c->arena, &bad, k->name);
	}
	if (pod || bad.n_items)
		found(c, "hostProcess",
			arena_printf(c->arena, "%s must not set securityContext.windowsOptions.hostProcess=true",
				setters(c, pod, &bad)));
}

static bool is_confined_annotation(const char *value)
{
	return str_eq(value, "runtime/default") || str_eq(value, "docker/default") ||
	       str_starts_with(value, "localhost/");
}

static void note_annotation(struct check *c, const char *key, struct names *bad)
{
	const char *value = meta_annotation(c->meta, key);
	if (value && !is_confined_annotation(value))
		add_once(c->arena, bad, arena_printf(c->arena, "%s=%s", key, field_quote(c->arena, value)));
}

/* Before there were fields, annotations said it. */
static void check_seccomp_annotations(struct check *c)
{
	struct names bad = {0};
	note_annotation(c, "seccomp.security.alpha.kubernetes.io/pod", &bad);
	EACH(c, k)
	note_annotation(c, arena_printf(c->arena, "container.seccomp.security.alpha.kubernetes.io/%s", k->name), &bad);
	if (!bad.n_items)
		return;
	qsort(bad.items, bad.n_items, sizeof(*bad.items), str_cmp_qsort);
	found(c, "seccompProfile",
		arena_printf(c->arena, "forbidden %s %s", plural("annotation", "annotations", bad.n_items),
			str_join(c->arena, bad.items, bad.n_items, ", ")));
}

/* Explicitly unconfined; returns whether that was found. */
static bool is_unconfined(struct check *c)
{
	struct names bad = {0}, values = {0};
	const CoreV1SeccompProfile *own = c->security ? c->security->seccomp_profile : NULL;
	bool pod = own && !is_confined(own->type);
	if (pod)
		add_once(c->arena, &values, own->type);
	EACH(c, k)
	if (k->security && k->security->seccomp_profile && !is_confined(k->security->seccomp_profile->type)) {
		add(c->arena, &bad, k->name);
		add_once(c->arena, &values, k->security->seccomp_profile->type);
	}
	if (!pod && !bad.n_items)
		return false;
	found(c, "seccompProfile",
		arena_printf(c->arena, "%s must not set securityContext.seccompProfile.type to %s",
			setters(c, pod, &bad), sorted_quoted(c->arena, &values)));
	return true;
}

static void check_seccomp_baseline(struct check *c)
{
	is_unconfined(c);
}

/* Restricted */

static void check_escalation(struct check *c)
{
	struct names bad = {0};
	EACH(c, k)
	if (!k->security || !k->security->has_allow_privilege_escalation || k->security->allow_privilege_escalation)
		add(c->arena, &bad, k->name);
	if (bad.n_items)
		found(c, "allowPrivilegeEscalation != false",
			arena_printf(c->arena, "%s must set securityContext.allowPrivilegeEscalation=false",
				of_containers(c, &bad)));
}

static void check_capabilities_restricted(struct check *c)
{
	struct names keeping = {0}, adding = {0}, values = {0};
	char *details[2];
	size_t n = 0;
	EACH(c, k)
	{
		const CoreV1Capabilities *caps = k->security ? k->security->capabilities : NULL;
		if (!caps || !str_in_n("ALL", caps->drop, caps->n_drop))
			add(c->arena, &keeping, k->name);
		for (size_t i = 0; caps && i < caps->n_add; i++)
			if (!str_eq(caps->add[i], "NET_BIND_SERVICE")) {
				add_once(c->arena, &adding, k->name);
				add_once(c->arena, &values, caps->add[i]);
			}
	}
	if (keeping.n_items)
		details[n++] = arena_printf(c->arena, "%s must set securityContext.capabilities.drop=[\"ALL\"]",
			of_containers(c, &keeping));
	if (adding.n_items)
		details[n++] = arena_printf(c->arena, "%s must not include %s in securityContext.capabilities.add",
			of_containers(c, &adding), sorted_quoted(c->arena, &values));
	if (n)
		found(c, "unrestricted capabilities", str_join(c->arena, details, n, "; "));
}

static void check_volumes(struct check *c)
{
	static const char *const allowed[] = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
		"persistentVolumeClaim", "projected", "secret", "image", NULL};
	struct names bad = {0}, types = {0};
	const struct schema_type *type = &CoreV1VolumeSource_schema;
	for (size_t i = 0; i < c->spec->n_volumes; i++) {
		const CoreV1VolumeSource *s = c->spec->volumes[i]->volume_source;
		for (size_t k = 0; s && k < type->n_fields; k++) {
			const char *name = type->fields[k].json_name;
			if (*(void *const *)((const char *)s + type->fields[k].offset) && !str_in(name, allowed)) {
				add_once(c->arena, &bad, c->spec->volumes[i]->name);
				add_once(c->arena, &types, name);
			}
		}
	}
	if (bad.n_items)
		found(c, "restricted volume types",
			arena_printf(c->arena, "%s %s %s %s %s", plural("volume", "volumes", bad.n_items),
				quoted(c->arena, &bad), plural("uses", "use", bad.n_items),
				plural("restricted volume type", "restricted volume types", types.n_items),
				sorted_quoted(c->arena, &types)));
}

static void check_non_root(struct check *c)
{
	struct names explicit = {0}, implicit = {0};
	bool says = c->security && c->security->has_run_as_non_root, pod = says && c->security->run_as_non_root;
	EACH(c, k)
	{
		if (k->security && k->security->has_run_as_non_root) {
			if (!k->security->run_as_non_root)
				add(c->arena, &explicit, k->name);
		} else if (!pod) {
			add(c->arena, &implicit, k->name);
		}
	}
	if ((says && !pod) || explicit.n_items)
		found(c, "runAsNonRoot != true",
			arena_printf(c->arena, "%s must not set securityContext.runAsNonRoot=false",
				setters(c, says && !pod, &explicit)));
	else if (implicit.n_items)
		found(c, "runAsNonRoot != true",
			arena_printf(c->arena, "pod or %s must set securityContext.runAsNonRoot=true",
				of_containers(c, &implicit)));
}

static void check_user(struct check *c)
{
	struct names bad = {0};
	bool pod = c->security && c->security->has_run_as_user && !c->security->run_as_user;
	EACH(c, k)
	if (k->security && k->security->has_run_as_user && !k->security->run_as_user)
		add(c->arena, &bad, k->name);
	if (pod || bad.n_items)
		found(c, "runAsUser=0", arena_printf(c->arena, "%s must not set runAsUser=0", setters(c, pod, &bad)));
}

static void check_seccomp_restricted(struct check *c)
{
	struct names bad = {0};
	if (is_unconfined(c) || (c->security && c->security->seccomp_profile))
		return;
	EACH(c, k)
	if (!k->security || !k->security->seccomp_profile)
		add(c->arena, &bad, k->name);
	if (bad.n_items)
		found(c, "seccompProfile",
			arena_printf(c->arena,
				"pod or %s must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
				"\"Localhost\"",
				of_containers(c, &bad)));
}

static void gather(struct check *c)
{
	const CoreV1PodSpec *spec = c->spec;
	size_t n = spec->n_init_containers + spec->n_containers + spec->n_ephemeral_containers;
	c->containers = ARENA_ARRAY(c->arena, struct container, n + 1);
	for (size_t i = 0; i < spec->n_init_containers + spec->n_containers; i++) {
		const CoreV1Container *from = i < spec->n_init_containers
						      ? spec->init_containers[i]
						      : spec->containers[i - spec->n_init_containers];
		c->containers[c->n_containers++] =
			(struct container){from->name, from->security_context, from->ports, from->n_ports,
				{from->liveness_probe, from->readiness_probe, from->startup_probe}, from->lifecycle};
	}
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainerCommon *from = spec->ephemeral_containers[i]->ephemeral_container_common;
		if (from)
			c->containers[c->n_containers++] = (struct container){from->name, from->security_context,
				from->ports, from->n_ports,
				{from->liveness_probe, from->readiness_probe, from->startup_probe}, from->lifecycle};
	}
}

/* --- levels and versions --- */

/* In the order in which findings are told. Versions are those of 1.x: from which one on the check is made, up to which
 * one, and from which one on the level restricted has a stricter one of its own. */
static const struct {
	void (*check)(struct check *);
	enum pod_level level;
	int since, until, replaced;
	int spares_windows; /* from that version on pods for Windows have nothing to say there */
} checks[] = {
	{check_app_armor, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_capabilities_baseline, POD_BASELINE, 0, INT_MAX, 22, INT_MAX},
	{check_host_namespaces, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_host_paths, POD_BASELINE, 0, INT_MAX, 0, INT_MAX},
	{check_host_ports, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_probe_hosts, POD_BASELINE, 34, INT_MAX, INT_MAX, INT_MAX},
	{check_privileged, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_proc_mount, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_se_linux, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_seccomp_annotations, POD_BASELINE, 0, 19, INT_MAX, INT_MAX},
	{check_seccomp_baseline, POD_BASELINE, 19, INT_MAX, 19, INT_MAX},
	{check_sysctls, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_windows_host, POD_BASELINE, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_escalation, POD_RESTRICTED, 8, INT_MAX, INT_MAX, 25},
	{check_capabilities_restricted, POD_RESTRICTED, 22, INT_MAX, INT_MAX, 25},
	{check_volumes, POD_RESTRICTED, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_non_root, POD_RESTRICTED, 0, INT_MAX, INT_MAX, INT_MAX},
	{check_user, POD_RESTRICTED, 23, INT_MAX, INT_MAX, INT_MAX},
	{check_seccomp_restricted, POD_RESTRICTED, 19, INT_MAX, INT_MAX, 25},
};

enum { NEWEST = 34 };

void pod_standard_check(struct arena *arena, const struct pod_standard *standard, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec, struct pod_findings *ret_found)
{
	*ret_found = (struct pod_findings){0};
	if (standard->level == POD_PRIVILEGED)
		return;
	const int version = standard->version < NEWEST ? standard->version : NEWEST;
	const bool windows = spec->os && str_eq(spec->os->name, "windows");
	struct check c = {
		.arena = arena, .version = version, .meta = meta, .spec = spec, .security = spec->security_context};
	gather(&c);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const bool replaced = standard->level == POD_RESTRICTED && version >= checks[i].replaced;
		if (checks[i].level <= standard->level && version >= checks[i].since && version < checks[i].until &&
			!replaced && !(windows && version >= checks[i].spares_windows))
			checks[i].check(&c);
	}
	*ret_found = c.found;
}

char *pod_findings_text(struct arena *arena, const struct pod_findings *found, bool details)
{
	char **all = ARENA_ARRAY(arena, char *, found->n + 1);
	if (!details)
		return str_join(arena, found->reasons, found->n, ", ");
	for (size_t i = 0; i < found->n; i++)
		all[i] = arena_printf(arena, "%s (%s)", found->reasons[i], found->details[i]);
	return str_join(arena, all, found->n, ", ");
}

const char *pod_level_name(enum pod_level level)
{
	static const char *const names[] = {"privileged", "baseline", "restricted"};
	return names[level];
}

char *pod_version_text(struct arena *arena, int version)
{
	return version == POD_LATEST ? arena_strdup(arena, "latest") : arena_printf(arena, "v1.%d", version);
}

char *pod_standard_text(struct arena *arena, const struct pod_standard *standard)
{
	return arena_printf(
		arena, "%s:%s", pod_level_name(standard->level), pod_version_text(arena, standard->version));
}
