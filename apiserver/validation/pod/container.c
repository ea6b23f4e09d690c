#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "api/copy.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

void validate_text(struct field_errors *errors, const struct field_path *path, const char *value, const char *problem)
{
	field_invalid_each(errors, path, value, problem);
}

void validate_one_of(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported)
{
	if (str_empty(value))
		field_required(errors, path, "");
	else if (!str_in(value, supported))
		field_unsupported(errors, path, value, supported);
}

void validate_not_negative(struct field_errors *errors, const struct field_path *path, int64_t value)
{
	if (value < 0)
		field_invalid_int(errors, path, value, "must be greater than or equal to 0");
}

static void check_port_value(struct field_errors *errors, const struct field_path *path, int64_t port)
{
	const char *problem = check_port_number(port);
	if (problem)
		field_invalid_int(errors, path, port, problem);
}

static bool name_taken(CoreV1ContainerPort *const *ports, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++)
		if (str_eq(ports[k]->name, name))
			return true;
	return false;
}

static void check_ports(
	struct field_errors *errors, const struct field_path *path, CoreV1ContainerPort *const *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		const char *name = str_or_empty(ports[i]->name);
		const char *problem = *name ? check_port_name(errors->arena, name) : NULL;
		validate_text(errors, FIELD(at, "name"), name, problem);
		if (*name && !problem && name_taken(ports, i, name))
			field_duplicate(errors, FIELD(at, "name"), name);
		if (!ports[i]->container_port)
			field_required(errors, FIELD(at, "containerPort"), "");
		else
			check_port_value(errors, FIELD(at, "containerPort"), ports[i]->container_port);
		if (ports[i]->host_port)
			check_port_value(errors, FIELD(at, "hostPort"), ports[i]->host_port);
		validate_one_of(errors, FIELD(at, "protocol"), ports[i]->protocol, protocols);
	}
}

static void check_resize_policy(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, const CoreV1PodSpec *spec)
{
	static const char *const resources[] = {"cpu", "memory", NULL};
	static const char *const policies[] = {"NotRequired", "RestartContainer", NULL};
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < c->n_resize_policy; i++) {
		const CoreV1ContainerResizePolicy *p = c->resize_policy[i];
		if (!nameset_add(&seen, p->resource_name))
			field_duplicate(errors, FIELD_INDEX(path, i), p->resource_name);
		validate_one_of(errors, path, p->resource_name, resources);
		validate_one_of(errors, path, p->restart_policy, policies);
		if (str_eq(spec->restart_policy, "Never") && !str_eq(p->restart_policy, "NotRequired"))
			field_invalid_json(errors, path, field_json(errors->arena, p->restart_policy),
				"must be 'NotRequired' when `restartPolicy` is 'Never'");
	}
}

static void check_common(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c,
	const CoreV1PodSpec *spec, const struct pod_volumes *volumes, const struct pod_claims *claims)
{
	static const char *const message_policies[] = {"File", "FallbackToLogsOnError", NULL};
	static const char *const pull_policies[] = {"Always", "IfNotPresent", "Never", NULL};
	if (str_empty(c->name))
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(errors, FIELD(path, "name"), c->name, check_dns_label(errors->arena, c->name));
	if (str_empty(c->image))
		field_required(errors, FIELD(path, "image"), "");
	validate_one_of(
		errors, FIELD(path, "terminationMessagePolicy"), c->termination_message_policy, message_policies);
	check_ports(errors, FIELD(path, "ports"), c->ports, c->n_ports);
	validate_env(errors, path, c);
	validate_mounts(errors, path, c, volumes);
	validate_one_of(errors, FIELD(path, "imagePullPolicy"), c->image_pull_policy, pull_policies);
	if (c->resources)
		validate_resources(errors, FIELD(path, "resources"), c->resources, claims, false);
	check_resize_policy(errors, FIELD(path, "resizePolicy"), c, spec);
	validate_security(
		errors, FIELD(path, "securityContext"), c->security_context, !spec->has_host_users || spec->host_users);
}

static void check_probes(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, const CoreV1PodSpec *spec)
{
	validate_lifecycle(errors, FIELD(path, "lifecycle"), c->lifecycle, spec);
	validate_probe(errors, FIELD(path, "livenessProbe"), c->liveness_probe, PROBE_LIVENESS);
	validate_probe(errors, FIELD(path, "readinessProbe"), c->readiness_probe, PROBE_READINESS);
	validate_probe(errors, FIELD(path, "startupProbe"), c->startup_probe, PROBE_STARTUP);
}

/* Two containers that run at one time cannot have one port of the host. */
static void check_host_ports(
	struct field_errors *errors, const struct field_path *path, CoreV1Container *const *containers, size_t n)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < containers[i]->n_ports; k++) {
			const CoreV1ContainerPort *p = containers[i]->ports[k];
			if (!p->host_port)
				continue;
			char *key = arena_printf(errors->arena, "%s/%s/%d", str_or_empty(p->protocol),
				str_or_empty(p->host_ip), p->host_port);
			if (!nameset_add(&seen, key))
				field_duplicate(errors,
					FIELD(FIELD_INDEX(FIELD(FIELD_INDEX(path, i), "ports"), k), "hostPort"), key);
		}
}

static void forbid_probes(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c)
{
	static const char why[] = "may not be set for init containers without restartPolicy=Always";
	if (c->lifecycle)
		field_forbidden(errors, FIELD(path, "lifecycle"), why);
	if (c->liveness_probe)
		field_forbidden(errors, FIELD(path, "livenessProbe"), why);
	if (c->readiness_probe)
		field_forbidden(errors, FIELD(path, "readinessProbe"), why);
	if (c->startup_probe)
		field_forbidden(errors, FIELD(path, "startupProbe"), why);
}

/* names: of the containers; those of the init containers are added. */
static void check_init_containers(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const struct pod_volumes *volumes, const struct pod_claims *claims, struct nameset *names)
{
	static const char *const policies[] = {"Always", NULL};
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		check_common(errors, at, c, spec, volumes, claims);
		if (c->restart_policy && !str_in(c->restart_policy, policies))
			field_unsupported(errors, FIELD(at, "restartPolicy"), c->restart_policy, policies);
		if (str_empty(c->name) ? nameset_has(names, "") : !nameset_add(names, c->name))
			field_duplicate(errors, FIELD(at, "name"), c->name);
		check_host_ports(errors, path, &spec->init_containers[i], 1);
		if (str_eq(c->restart_policy, "Always"))
			check_probes(errors, at, c, spec);
		else
			forbid_probes(errors, at, c);
	}
}

_Static_assert(sizeof(CoreV1Container) == sizeof(CoreV1EphemeralContainerCommon), "one is read as the other");

size_t pod_containers(struct arena *arena, const CoreV1PodSpec *spec, struct pod_container **ret_all)
{
	struct pod_container *all = NULL;
	size_t n = 0, most = spec->n_init_containers + spec->n_containers + spec->n_ephemeral_containers;
	all = ARENA_ARRAY(arena, struct pod_container, most + 1);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		all[n++] = (struct pod_container){spec->init_containers[i], "initContainers", i};
	for (size_t i = 0; i < spec->n_containers; i++)
		all[n++] = (struct pod_container){spec->containers[i], "containers", i};
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const void *common = spec->ephemeral_containers[i]->ephemeral_container_common;
		if (common)
			all[n++] = (struct pod_container){common, "ephemeralContainers", i};
	}
	*ret_all = all;
	return n;
}

/* What would make an ephemeral container a part of the service that the pod gives. */
static void check_ephemeral_fields(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c)
{
	const CoreV1ResourceRequirements *r = c->resources;
	const struct {
		const char *name;
		bool set;
	} fields[] = {
		{"ports", c->ports},
		{"resources", r && (!api_is_empty(r) || api_tells_empty(r))},
		{"resizePolicy", c->resize_policy},
		{"restartPolicy", c->restart_policy},
		{"restartPolicyRules", c->n_restart_policy_rules},
		{"livenessProbe", c->liveness_probe},
		{"readinessProbe", c->readiness_probe},
		{"startupProbe", c->startup_probe},
		{"lifecycle", c->lifecycle},
	};
	static const char why[] = "cannot be set for an Ephemeral Container";
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].set)
			field_forbidden(errors, FIELD(path, fields[i].name), why);
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "volumeMounts"), i);
		if (!str_empty(c->volume_mounts[i]->sub_path))
			field_forbidden(errors, FIELD(at, "subPath"), why);
		if (!str_empty(c->volume_mounts[i]->sub_path_expr))
			field_forbidden(errors, FIELD(at, "subPathExpr"), why);
	}
}

/* names: of all other containers. */
static void check_ephemeral_containers(struct field_errors *errors, const struct field_path *path,
	const CoreV1PodSpec *spec, const struct pod_volumes *volumes, const struct pod_claims *claims,
	const struct nameset *names)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_empty(spec->init_containers[i]->name))
			nameset_add(&seen, "");
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainer *e = spec->ephemeral_containers[i];
		const CoreV1Container *c = (const void *)e->ephemeral_container_common;
		const struct field_path *at = FIELD_INDEX(path, i);
		c = c ? c : API_NEW(errors->arena, CoreV1Container);
		check_common(errors, at, c, spec, volumes, claims);
		if (!str_eq(str_trim(errors->arena, str_or_empty(c->image)), c->image))
			field_invalid(
				errors, FIELD(at, "image"), c->image, "must not have leading or trailing whitespace");
		bool is_new = nameset_add(&seen, c->name);
		if (!is_new || nameset_has(names, c->name))
			field_duplicate(errors, FIELD(at, "name"), c->name);
		const char *target = e->target_container_name;
		if (!str_empty(target) && !nameset_has(names, target))
			field_not_found(errors, FIELD(at, "targetContainerName"), target);
		check_ephemeral_fields(errors, at, c);
	}
}

void validate_containers(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const struct pod_volumes *volumes, const struct pod_claims *claims)
{
	const struct field_path *containers = FIELD(path, "containers");
	struct nameset names = {.arena = errors->arena};
	if (!spec->n_containers)
		field_required(errors, containers, "");
	for (size_t i = 0; i < spec->n_containers; i++) {
		const CoreV1Container *c = spec->containers[i];
		const struct field_path *at = FIELD_INDEX(containers, i);
		check_common(errors, at, c, spec, volumes, claims);
		if (!nameset_add(&names, c->name))
			field_duplicate(errors, FIELD(at, "name"), c->name);
		check_probes(errors, at, c, spec);
		if (c->restart_policy)
			field_forbidden(errors, FIELD(at, "restartPolicy"), "may not be set for non-init containers");
	}
	check_host_ports(errors, containers, spec->containers, spec->n_containers);
	check_init_containers(errors, FIELD(path, "initContainers"), spec, volumes, claims, &names);
	check_ephemeral_containers(errors, FIELD(path, "ephemeralContainers"), spec, volumes, claims, &names);
}
