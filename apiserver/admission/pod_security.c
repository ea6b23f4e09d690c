#include "api/copy.h"
#include <stdatomic.h>
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/mem.h"
#include "base/str.h"
#include "serve/metrics.h"

/*
 * The Pod Security Standards: a namespace's label says which of the levels privileged, baseline and restricted its pods
 * must keep. Each check looks at the whole pod and tells what it found as "reason (detail)".
 */

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
	const CoreV1PodSpec *spec;
	const CoreV1PodSecurityContext *security; /* of the pod; may be NULL */
	struct container *containers;
	size_t n_containers;
	char **found; /* "reason (detail)" */
	size_t n_found;
};

/* A set of texts, told sorted. */
struct names {
	char **items;
	size_t n_items;
};

static void add(struct arena *arena, struct names *names, const char *name)
{
	if (!str_in_n(name, names->items, names->n_items))
		ARENA_PUSH(arena, names->items, names->n_items) = arena_strdup(arena, name);
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
	ARENA_PUSH(c->arena, c->found, c->n_found) = arena_printf(c->arena, "%s (%s)", reason, detail);
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
				add(c->arena, &bad, k->name);
				add(c->arena, &values, caps->add[i]);
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
			add(c->arena, &bad, k->name);
			add(c->arena, &ports, arena_printf(c->arena, "%d", k->ports[i]->host_port));
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
			add(c->arena, bad, name);
			add(c->arena, hosts, each[i]);
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
		add(c->arena, &types, k->security->proc_mount);
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
	static const char *const allowed[] = {
		"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", NULL};
	bool ok = str_in(str_or_empty(o->type), allowed) && str_empty(o->user) && str_empty(o->role);
	if (!str_in(str_or_empty(o->type), allowed))
		add(c->arena, &bad->types, o->type);
	bad->user |= !str_empty(o->user);
	bad->role |= !str_empty(o->role);
	return !ok;
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

static void check_app_armor(struct check *c)
{
	struct names bad = {0}, values = {0};
	const CoreV1AppArmorProfile *own = c->security ? c->security->app_armor_profile : NULL;
	bool pod = own && !is_confined(own->type);
	if (pod)
		add(c->arena, &values, own->type);
	EACH(c, k)
	if (k->security && k->security->app_armor_profile && !is_confined(k->security->app_armor_profile->type)) {
		add(c->arena, &bad, k->name);
		add(c->arena, &values, k->security->app_armor_profile->type);
	}
	if (pod || bad.n_items)
		found(c, plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.n_items),
			arena_printf(c->arena, "%s must not set AppArmor profile type to %s", setters(c, pod, &bad),
				sorted_quoted(c->arena, &values)));
}

static void check_sysctls(struct check *c)
{
	static const char *const allowed[] = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range",
		"net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
		"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
		"net.ipv4.tcp_wmem", NULL};
	struct names bad = {0};
	for (size_t i = 0; c->security && i < c->security->n_sysctls; i++)
		if (!str_in(c->security->sysctls[i]->name, allowed))
			add(c->arena, &bad, c->security->sysctls[i]->name);
	if (bad.n_items)
		found(c, "forbidden sysctls", str_join(c->arena, bad.items, bad.n_items, ", "));
}

/* Explicitly unconfined; returns whether the check found something. */
static bool check_seccomp_baseline(struct check *c)
{
	struct names bad = {0}, values = {0};
	const CoreV1SeccompProfile *own = c->security ? c->security->seccomp_profile : NULL;
	bool pod = own && !is_confined(own->type);
	if (pod)
		add(c->arena, &values, own->type);
	EACH(c, k)
	if (k->security && k->security->seccomp_profile && !is_confined(k->security->seccomp_profile->type)) {
		add(c->arena, &bad, k->name);
		add(c->arena, &values, k->security->seccomp_profile->type);
	}
	if (!pod && !bad.n_items)
		return false;
	found(c, "seccompProfile",
		arena_printf(c->arena, "%s must not set securityContext.seccompProfile.type to %s",
			setters(c, pod, &bad), sorted_quoted(c->arena, &values)));
	return true;
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
				add(c->arena, &adding, k->name);
				add(c->arena, &values, caps->add[i]);
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
				add(c->arena, &bad, c->spec->volumes[i]->name);
				add(c->arena, &types, name);
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
	if (check_seccomp_baseline(c) || (c->security && c->security->seccomp_profile))
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

static void run(struct check *c, bool restricted)
{
	check_app_armor(c);
	if (!restricted)
		check_capabilities_baseline(c);
	check_host_namespaces(c);
	if (!restricted)
		check_host_paths(c);
	check_host_ports(c);
	check_probe_hosts(c);
	check_privileged(c);
	check_proc_mount(c);
	check_se_linux(c);
	if (!restricted)
		check_seccomp_baseline(c);
	check_sysctls(c);
	if (!restricted)
		return;
	check_escalation(c);
	check_capabilities_restricted(c);
	check_volumes(c);
	check_non_root(c);
	check_user(c);
	check_seccomp_restricted(c);
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

static bool is_looked_at(const struct admission_attributes *a)
{
	if (!str_empty(a->group) || !str_eq(a->resource, "pods") || !API_IS(a->object, CoreV1Pod) ||
		!((const CoreV1Pod *)a->object)->spec)
		return false;
	if (!str_empty(a->subresource) && !str_eq(a->subresource, "ephemeralcontainers"))
		return false;
	return a->operation == ADMISSION_CREATE || (a->operation == ADMISSION_UPDATE && API_IS(a->old, CoreV1Pod));
}

/* Whether the write can make a pod do more than it could. */
static bool is_significant(const struct admission_attributes *a)
{
	return a->operation == ADMISSION_CREATE ||
	       !api_equal(((const CoreV1Pod *)a->object)->spec, ((const CoreV1Pod *)a->old)->spec);
}

/* Verdicts by whether they refused, level, minor version of the standards, operation and subresource. */
enum { PRIVILEGED, BASELINE, RESTRICTED, N_LEVELS };
enum { LATEST = 64, N_VERSIONS };
struct pod_security_figures {
	atomic_uint_least64_t counts[2][N_LEVELS][N_VERSIONS][2][2];
};

struct pod_security_figures *pod_security_figures_new(void)
{
	return mem_zalloc(sizeof(struct pod_security_figures));
}

static void write_verdicts(const struct pod_security_figures *f, struct strbuf *out, const char *name, size_t version)
{
	static const char *const levels[] = {"privileged", "baseline", "restricted"};
	for (size_t i = 0; i < 2 * N_LEVELS * 4; i++) {
		size_t denied = i / (N_LEVELS * 4), level = i / 4 % N_LEVELS, update = i / 2 % 2, ephemeral = i % 2;
		uint64_t n = atomic_load(&f->counts[denied][level][version][update][ephemeral]);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!n)
			continue;
		metrics_add_label(&labels, "decision", denied ? "deny" : "allow");
		metrics_add_label(&labels, "mode", "enforce");
		metrics_add_label(&labels, "policy_level", levels[level]);
		if (version == LATEST)
			metrics_add_label(&labels, "policy_version", "latest");
		else
			strbuf_printf(&labels, ",policy_version=\"v1.%zu\"", version);
		metrics_add_label(&labels, "request_operation", update ? "update" : "create");
		metrics_add_label(&labels, "resource", "pod");
		metrics_add_label(&labels, "subresource", ephemeral ? "ephemeralcontainers" : "");
		metrics_write_sample(out, name, labels.buf, (double)n);
	}
}

void pod_security_figures_write(const struct pod_security_figures *f, struct strbuf *out)
{
	static const char name[] = "pod_security_evaluations_total";
	metrics_write_head(out, name, "counter", "Pods held against the level of their namespace.");
	for (size_t version = 0; version < N_VERSIONS; version++)
		write_verdicts(f, out, name, version);
	/* Nobody can be exempted. */
	metrics_write_head(out, "pod_security_exemptions_total", "counter", "Pods that are exempt from it.");
	metrics_write_sample(out, "pod_security_exemptions_total",
		"request_operation=\"create\",resource=\"pod\",subresource=\"\"", 0);
	metrics_write_sample(out, "pod_security_exemptions_total",
		"request_operation=\"update\",resource=\"pod\",subresource=\"\"", 0);
}

static size_t version_index(const char *version)
{
	int64_t minor;
	return str_starts_with(version, "v1.") && str_to_int64(version + 3, 0, LATEST - 1, &minor) ? (size_t)minor
												   : LATEST;
}

static void count(const struct admission_context *context, const struct admission_attributes *a, int level,
	const char *version, bool denied)
{
	struct pod_security_figures *f = context->pod_security;
	if (f)
		atomic_fetch_add_explicit(&f->counts[denied][level][version_index(version)]
						    [a->operation == ADMISSION_UPDATE][!str_empty(a->subresource)],
			1, memory_order_relaxed);
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1Namespace *ns;
	if (!is_looked_at(a))
		return NULL;
	TRY(admission_namespace(context, a, &ns));
	const char *level = meta_label(ns->metadata, "pod-security.kubernetes.io/enforce");
	const char *version = str_or(meta_label(ns->metadata, "pod-security.kubernetes.io/enforce-version"), "latest");
	bool baseline = str_eq(level, "baseline"),
	     restricted = !str_empty(level) && !baseline && !str_eq(level, "privileged");
	if (!baseline && !restricted) {
		count(context, a, PRIVILEGED, version, false);
		return NULL;
	}
	if (!is_significant(a))
		return NULL;
	const CoreV1PodSpec *spec = ((const CoreV1Pod *)a->object)->spec;
	struct check c = {.arena = a->arena, .spec = spec, .security = spec->security_context};
	gather(&c);
	run(&c, restricted);
	count(context, a, restricted ? RESTRICTED : BASELINE, version, c.n_found > 0);
	if (!c.n_found)
		return NULL;
	/* A level that nobody knows is held to be the strictest, as the original does. */
	return admission_forbidden(a, "violates PodSecurity \"%s:%s\": %s", restricted ? "restricted" : "baseline",
		version, str_join(a->arena, c.found, c.n_found, ", "));
}

const struct admission_plugin pod_security_plugin = {
	.name = "PodSecurity",
	.on_by_default = true,
	.validate = validate,
};
