#include "api/copy.h"
#include "api/intstr.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
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

static void check_ports(
	struct field_errors *errors, const struct field_path *path, CoreV1ContainerPort *const *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		const char *name = str_or_empty(ports[i]->name);
		const char *problem = *name ? check_port_name(errors->arena, name) : NULL;
		validate_text(errors, FIELD(at, "name"), name, problem);
		for (size_t k = 0; *name && !problem && k < i; k++)
			if (str_eq(ports[k]->name, name)) {
				field_duplicate(errors, FIELD(at, "name"), name);
				break;
			}
		if (!ports[i]->container_port)
			field_required(errors, FIELD(at, "containerPort"), "");
		else
			check_port_value(errors, FIELD(at, "containerPort"), ports[i]->container_port);
		if (ports[i]->host_port)
			check_port_value(errors, FIELD(at, "hostPort"), ports[i]->host_port);
		validate_one_of(errors, FIELD(at, "protocol"), ports[i]->protocol, protocols);
	}
}

static void check_key(struct field_errors *errors, const struct field_path *path, const char *key)
{
	if (str_empty(key))
		field_required(errors, FIELD(path, "key"), "");
	else
		validate_text(errors, FIELD(path, "key"), key, check_config_key(errors->arena, key));
}

/* The name of a key's object is checked as a name, an empty one too. */
static void check_key_ref_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1LocalObjectReference *ref)
{
	const char *name = ref ? str_or_empty(ref->name) : "";
	validate_text(errors, FIELD(path, "name"), name, check_dns_subdomain(errors->arena, name));
}

static void check_ref_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1LocalObjectReference *ref)
{
	if (!ref || str_empty(ref->name))
		field_required(errors, FIELD(path, "name"), "");
}

static void check_field_ref(
	struct field_errors *errors, const struct field_path *path, const CoreV1ObjectFieldSelector *ref)
{
	static const char *const paths[] = {"metadata.name", "metadata.namespace", "metadata.uid", "spec.hostIP",
		"spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
		"status.podIPs", NULL};
	if (str_empty(ref->api_version))
		field_required(errors, FIELD(path, "apiVersion"), "");
	if (str_empty(ref->field_path)) {
		field_required(errors, FIELD(path, "fieldPath"), "");
		return;
	}
	const char *p = ref->field_path;
	if (str_starts_with(p, "metadata.annotations['") || str_starts_with(p, "metadata.labels['"))
		return;
	static const char *const others[] = {"spec.restartPolicy", "spec.schedulerName", "status.phase",
		"metadata.annotations", "metadata.labels", NULL};
	if (!str_in(p, paths) && !str_in(p, others))
		field_invalid(errors, FIELD(path, "fieldPath"), p,
			arena_printf(errors->arena, "error converting fieldPath: field label not supported: %s", p));
	else if (!str_in(p, paths))
		field_unsupported(errors, FIELD(path, "fieldPath"), p, paths);
}

static void check_resource_ref(
	struct field_errors *errors, const struct field_path *path, const CoreV1ResourceFieldSelector *ref)
{
	static const char *const resources[] = {"limits.cpu", "limits.ephemeral-storage", "limits.memory",
		"requests.cpu", "requests.ephemeral-storage", "requests.memory", NULL};
	if (str_empty(ref->resource))
		field_required(errors, FIELD(path, "resource"), "");
	else if (!str_in(ref->resource, resources) && !str_starts_with(ref->resource, "limits.hugepages-") &&
		 !str_starts_with(ref->resource, "requests.hugepages-"))
		field_unsupported(errors, FIELD(path, "resource"), ref->resource, resources);
}

static void check_value_from(struct field_errors *errors, const struct field_path *path, const CoreV1EnvVar *env)
{
	const CoreV1EnvVarSource *s = env->value_from;
	int n = !!s->field_ref + !!s->resource_field_ref + !!s->config_map_key_ref + !!s->secret_key_ref +
		!!s->file_key_ref;
	if (s->field_ref)
		check_field_ref(errors, FIELD(path, "fieldRef"), s->field_ref);
	if (s->resource_field_ref)
		check_resource_ref(errors, FIELD(path, "resourceFieldRef"), s->resource_field_ref);
	if (s->config_map_key_ref) {
		check_key_ref_name(
			errors, FIELD(path, "configMapKeyRef"), s->config_map_key_ref->local_object_reference);
		check_key(errors, FIELD(path, "configMapKeyRef"), s->config_map_key_ref->key);
	}
	if (s->secret_key_ref) {
		check_key_ref_name(errors, FIELD(path, "secretKeyRef"), s->secret_key_ref->local_object_reference);
		check_key(errors, FIELD(path, "secretKeyRef"), s->secret_key_ref->key);
	}
	if (!n)
		field_invalid(errors, path, "",
			"must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
	else if (!str_empty(env->value))
		field_invalid(errors, path, "", "may not be specified when `value` is not empty");
	else if (n > 1)
		field_invalid(errors, path, "", "may not have more than one field specified at a time");
}

static void check_env(struct field_errors *errors, const struct field_path *path, CoreV1EnvVar *const *env, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		if (str_empty(env[i]->name))
			field_required(errors, FIELD(at, "name"), "");
		else
			validate_text(
				errors, FIELD(at, "name"), env[i]->name, check_env_name(errors->arena, env[i]->name));
		if (env[i]->value_from)
			check_value_from(errors, FIELD(at, "valueFrom"), env[i]);
	}
}

static void check_env_from(
	struct field_errors *errors, const struct field_path *path, CoreV1EnvFromSource *const *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!str_empty(from[i]->prefix))
			validate_text(errors, FIELD(at, "prefix"), from[i]->prefix,
				check_env_name(errors->arena, from[i]->prefix));
		if (from[i]->config_map_ref)
			check_ref_name(
				errors, FIELD(at, "configMapRef"), from[i]->config_map_ref->local_object_reference);
		if (from[i]->secret_ref)
			check_ref_name(errors, FIELD(at, "secretRef"), from[i]->secret_ref->local_object_reference);
		if (!from[i]->config_map_ref && !from[i]->secret_ref)
			field_invalid(errors, path, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (from[i]->config_map_ref && from[i]->secret_ref)
			field_invalid(errors, path, "", "may not have more than one field specified at a time");
	}
}

/* Below the volume: relative, and without a step up. */
static void check_descending_path(struct field_errors *errors, const struct field_path *path, const char *value)
{
	if (*value == '/')
		field_invalid(errors, path, value, "must be a relative path");
	char **parts;
	size_t n = str_split(errors->arena, value, '/', &parts);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(parts[i], "..")) {
			field_invalid(errors, path, value, "must not contain '..'");
			return;
		}
}

static bool has_volume(const CoreV1PodSpec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (str_eq(spec->volumes[i]->name, name))
			return true;
	return false;
}

static void check_mounts(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, const CoreV1PodSpec *spec)
{
	static const char *const propagations[] = {"Bidirectional", "HostToContainer", "None", NULL};
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		const CoreV1VolumeMount *m = c->volume_mounts[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (str_empty(m->name))
			field_required(errors, FIELD(at, "name"), "");
		if (!has_volume(spec, m->name))
			field_not_found(errors, FIELD(at, "name"), m->name);
		if (str_empty(m->mount_path))
			field_required(errors, FIELD(at, "mountPath"), "");
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->volume_mounts[k]->mount_path, m->mount_path)) {
				field_invalid(errors, FIELD(at, "mountPath"), m->mount_path, "must be unique");
				break;
			}
		if (!str_empty(m->sub_path))
			check_descending_path(errors, FIELD(path, "subPath"), m->sub_path);
		if (!str_empty(m->sub_path_expr)) {
			if (!str_empty(m->sub_path))
				field_invalid(errors, FIELD(at, "subPathExpr"), m->sub_path_expr,
					"subPathExpr and subPath are mutually exclusive");
			check_descending_path(errors, FIELD(path, "subPathExpr"), m->sub_path_expr);
		}
		bool privileged =
			c->security_context && c->security_context->has_privileged && c->security_context->privileged;
		if (m->mount_propagation && !str_in(m->mount_propagation, propagations))
			field_unsupported(errors, FIELD(path, "mountPropagation"), m->mount_propagation, propagations);
		else if (str_eq(m->mount_propagation, "Bidirectional") && !privileged)
			field_forbidden(errors, FIELD(path, "mountPropagation"),
				"Bidirectional mount propagation is available only to privileged containers");
	}
}

static void check_number_or_name(
	struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *port)
{
	if (intstr_is_string(port))
		validate_text(errors, path, port->str_val, check_port_name(errors->arena, str_or_empty(port->str_val)));
	else
		check_port_value(errors, path, port ? port->int_val : 0);
}

static void check_http_get(struct field_errors *errors, const struct field_path *path, const CoreV1HTTPGetAction *get)
{
	static const char *const schemes[] = {"HTTP", "HTTPS", NULL};
	if (str_empty(get->path))
		field_required(errors, FIELD(path, "path"), "");
	check_number_or_name(errors, FIELD(path, "port"), get->port);
	if (!str_in(str_or_empty(get->scheme), schemes))
		field_unsupported(errors, FIELD(path, "scheme"), get->scheme, schemes);
	for (size_t i = 0; i < get->n_http_headers; i++) {
		const char *name = str_or_empty(get->http_headers[i]->name);
		size_t good = strspn(name, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		if (!good || name[good])
			field_invalid(errors, FIELD(path, "httpHeaders"), name,
				"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
				"'X-Header-Name', regex used for "
				"validation is '[-A-Za-z0-9]+')");
	}
}

static void check_exec(struct field_errors *errors, const struct field_path *path, const CoreV1ExecAction *exec)
{
	if (!exec->n_command)
		field_required(errors, FIELD(path, "command"), "");
}

/* Whether this is the first handler; a second one is forbidden. */
static bool only_handler(struct field_errors *errors, const struct field_path *path, const char *name, int *n)
{
	if ((*n)++)
		field_forbidden(errors, FIELD(path, name), "may not specify more than 1 handler type");
	return *n == 1;
}

static void check_probe_handler(struct field_errors *errors, const struct field_path *path, const CoreV1ProbeHandler *h)
{
	int n = 0;
	if (h && h->exec && only_handler(errors, path, "exec", &n))
		check_exec(errors, FIELD(path, "exec"), h->exec);
	if (h && h->http_get && only_handler(errors, path, "httpGet", &n))
		check_http_get(errors, FIELD(path, "httpGet"), h->http_get);
	if (h && h->tcp_socket && only_handler(errors, path, "tcpSocket", &n))
		check_number_or_name(errors, FIELD(FIELD(path, "tcpSocket"), "port"), h->tcp_socket->port);
	if (h && h->grpc && only_handler(errors, path, "grpc", &n))
		check_port_value(errors, FIELD(FIELD(path, "grpc"), "port"), h->grpc->port);
	if (!n)
		field_required(errors, path, "must specify a handler type");
}

void validate_probe(struct field_errors *errors, const struct field_path *path, const CoreV1Probe *probe, bool liveness)
{
	if (!probe)
		return;
	check_probe_handler(errors, path, probe->handler);
	validate_not_negative(errors, FIELD(path, "initialDelaySeconds"), probe->initial_delay_seconds);
	validate_not_negative(errors, FIELD(path, "timeoutSeconds"), probe->timeout_seconds);
	validate_not_negative(errors, FIELD(path, "periodSeconds"), probe->period_seconds);
	validate_not_negative(errors, FIELD(path, "successThreshold"), probe->success_threshold);
	validate_not_negative(errors, FIELD(path, "failureThreshold"), probe->failure_threshold);
	if (probe->has_termination_grace_period_seconds && probe->termination_grace_period_seconds <= 0)
		field_invalid_int(errors, FIELD(path, "terminationGracePeriodSeconds"),
			probe->termination_grace_period_seconds, "must be greater than 0");
	if (liveness && probe->success_threshold != 1)
		field_invalid_int(errors, FIELD(path, "successThreshold"), probe->success_threshold, "must be 1");
}

static void check_lifecycle_handler(
	struct field_errors *errors, const struct field_path *path, const CoreV1LifecycleHandler *h)
{
	int n = 0;
	if (!h)
		return;
	if (h->exec && only_handler(errors, path, "exec", &n))
		check_exec(errors, FIELD(path, "exec"), h->exec);
	if (h->http_get && only_handler(errors, path, "httpGet", &n))
		check_http_get(errors, FIELD(path, "httpGet"), h->http_get);
	if (h->tcp_socket && only_handler(errors, path, "tcpSocket", &n))
		check_number_or_name(errors, FIELD(FIELD(path, "tcpSocket"), "port"), h->tcp_socket->port);
	if (h->sleep && only_handler(errors, path, "sleep", &n) && h->sleep->seconds < 0)
		field_invalid_int(errors, FIELD(path, "sleep"), h->sleep->seconds,
			"must be greater than or equal to 0 and less than terminationGracePeriodSeconds");
	if (!n)
		field_required(errors, path, "must specify a handler type");
}

void validate_lifecycle(struct field_errors *errors, const struct field_path *path, const CoreV1Lifecycle *lifecycle)
{
	if (!lifecycle)
		return;
	check_lifecycle_handler(errors, FIELD(path, "postStart"), lifecycle->post_start);
	check_lifecycle_handler(errors, FIELD(path, "preStop"), lifecycle->pre_stop);
}

static bool may_overcommit(const char *name)
{
	bool native = !strchr(name, '/') || strstr(name, "kubernetes.io/");
	return native && !str_starts_with(name, "hugepages-");
}

static void check_resource_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const standard[] = {"cpu", "memory", "ephemeral-storage", NULL};
	const char *problem = check_qualified_name(errors->arena, name);
	if (problem)
		field_invalid(errors, path, name, problem);
	else if (!strchr(name, '/') && !str_in(name, standard) && !str_starts_with(name, "hugepages-")) {
		field_invalid(errors, path, name, "must be a standard resource type or fully qualified");
		field_invalid(errors, path, name, "must be a standard resource for containers");
	}
}

static void check_quantity(
	struct field_errors *errors, const struct field_path *path, const char *name, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	char *text = quantity_format(errors->arena, &q);
	if (quantity_sign(&q) < 0)
		field_invalid(errors, path, text, "must be greater than or equal to 0");
	else if (strchr(name, '/') && q.nanos % 1000000000)
		field_invalid(errors, path, text, "must be an integer");
}

static const MapQuantityEntry *find_entry(MapQuantityEntry *const *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->key, key))
			return list[i];
	return NULL;
}

static void check_request(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceRequirements *r, const MapQuantityEntry *request)
{
	const struct field_path *requests = FIELD(path, "requests");
	const MapQuantityEntry *limit = find_entry(r->limits, r->n_limits, request->key);
	check_resource_name(errors, FIELD_KEY(requests, request->key), request->key);
	check_quantity(errors, FIELD_KEY(requests, request->key), request->key, request->value);
	if (!limit) {
		if (!may_overcommit(request->key))
			field_required(
				errors, FIELD(path, "limits"), "Limit must be set for non overcommitable resources");
		return;
	}
	struct quantity q = quantity_of(request->value), l = quantity_of(limit->value);
	int order = quantity_compare(&q, &l);
	const char *rule = order && !may_overcommit(request->key) ? "must be equal to"
			   : order > 0				  ? "must be less than or equal to"
								  : NULL;
	if (rule)
		field_invalid(errors, requests, quantity_format(errors->arena, &q),
			arena_printf(errors->arena, "%s %s limit of %s", rule, request->key,
				quantity_format(errors->arena, &l)));
}

void validate_resources(struct field_errors *errors, const struct field_path *path, const CoreV1ResourceRequirements *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_limits; i++) {
		const struct field_path *at = FIELD_KEY(FIELD(path, "limits"), r->limits[i]->key);
		check_resource_name(errors, at, r->limits[i]->key);
		check_quantity(errors, at, r->limits[i]->key, r->limits[i]->value);
	}
	for (size_t i = 0; i < r->n_requests; i++)
		check_request(errors, path, r, r->requests[i]);
}

static void check_common(
	struct field_errors *errors, const struct field_path *path, const CoreV1Container *c, const CoreV1PodSpec *spec)
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
	check_env(errors, FIELD(path, "env"), c->env, c->n_env);
	check_env_from(errors, FIELD(path, "envFrom"), c->env_from, c->n_env_from);
	check_mounts(errors, FIELD(path, "volumeMounts"), c, spec);
	validate_one_of(errors, FIELD(path, "imagePullPolicy"), c->image_pull_policy, pull_policies);
	validate_resources(errors, FIELD(path, "resources"), c->resources);
	validate_security(
		errors, FIELD(path, "securityContext"), c->security_context, !spec->has_host_users || spec->host_users);
}

static void check_probes(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c)
{
	validate_lifecycle(errors, FIELD(path, "lifecycle"), c->lifecycle);
	validate_probe(errors, FIELD(path, "livenessProbe"), c->liveness_probe, true);
	validate_probe(errors, FIELD(path, "readinessProbe"), c->readiness_probe, false);
	validate_probe(errors, FIELD(path, "startupProbe"), c->startup_probe, true);
}

static bool name_used(CoreV1Container *const *containers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(containers[i]->name, name))
			return true;
	return false;
}

static void check_init(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char *const policies[] = {"Always", "OnFailure", "Never", NULL};
	static const char forbidden[] = "may not be set for init containers without restartPolicy=Always";
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		check_common(errors, at, c, spec);
		if (c->restart_policy && !str_in(c->restart_policy, policies))
			field_unsupported(errors, FIELD(at, "restartPolicy"), c->restart_policy, policies);
		if (name_used(spec->containers, spec->n_containers, c->name) ||
			name_used(spec->init_containers, i, c->name))
			field_duplicate(errors, FIELD(at, "name"), c->name);
		if (str_eq(c->restart_policy, "Always")) {
			check_probes(errors, at, c);
			continue;
		}
		if (c->lifecycle)
			field_forbidden(errors, FIELD(at, "lifecycle"), forbidden);
		if (c->liveness_probe)
			field_forbidden(errors, FIELD(at, "livenessProbe"), forbidden);
		if (c->readiness_probe)
			field_forbidden(errors, FIELD(at, "readinessProbe"), forbidden);
		if (c->startup_probe)
			field_forbidden(errors, FIELD(at, "startupProbe"), forbidden);
	}
}

/* Two containers cannot have one port of the host, nor one container twice. */
static void check_host_ports(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	char **seen = NULL;
	size_t n_seen = 0;
	for (size_t i = 0; i < spec->n_containers; i++)
		for (size_t k = 0; k < spec->containers[i]->n_ports; k++) {
			const CoreV1ContainerPort *p = spec->containers[i]->ports[k];
			if (!p->host_port)
				continue;
			char *key = arena_printf(errors->arena, "%s/%s/%d", str_or_empty(p->protocol),
				str_or_empty(p->host_ip), p->host_port);
			if (str_in_n(key, seen, n_seen))
				field_duplicate(errors,
					FIELD(FIELD_INDEX(FIELD(FIELD_INDEX(path, i), "ports"), k), "hostPort"), key);
			else
				ARENA_PUSH(errors->arena, seen, n_seen) = key;
		}
}

void validate_containers(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const struct field_path *containers = FIELD(path, "containers");
	if (!spec->n_containers)
		field_required(errors, containers, "");
	for (size_t i = 0; i < spec->n_containers; i++) {
		const CoreV1Container *c = spec->containers[i];
		const struct field_path *at = FIELD_INDEX(containers, i);
		check_common(errors, at, c, spec);
		if (name_used(spec->containers, i, c->name))
			field_duplicate(errors, FIELD(at, "name"), c->name);
		check_probes(errors, at, c);
		if (c->restart_policy)
			field_forbidden(errors, FIELD(at, "restartPolicy"), "may not be set for non-init containers");
	}
	check_host_ports(errors, containers, spec);
	check_init(errors, FIELD(path, "initContainers"), spec);
}
