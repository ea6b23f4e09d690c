#include "api/quantity.h"
#include "kubectl/describe/describe.h"

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

static const char *title_bool(bool value)
{
	return value ? "True" : "False";
}

static char *ports_text(struct desc *d, const cJSON *ports, const char *field)
{
	char *text = NULL;
	TREE_FOREACH (port, ports) {
		const char *name = obj_string(port, "name"), *protocol = str_or(obj_string(port, "protocol"), "TCP");
		text = arena_printf(d->arena, "%s%s%lld/%s%s%s%s", str_or_empty(text), text ? ", " : "",
			(long long)obj_int(port, field, 0), protocol, *name ? " (" : "", name, *name ? ")" : "");
	}
	return text;
}

static void describe_ports(struct desc *d, const cJSON *container)
{
	char *ports = ports_text(d, tree_get(container, "ports"), "containerPort");
	char *host_ports = ports_text(d, tree_get(container, "ports"), "hostPort");
	line(d, 2, "%s:\t%s\n", ports && strchr(ports, ',') ? "Ports" : "Port", str_or(ports, "<none>"));
	line(d, 2, "%s:\t%s\n", host_ports && strchr(host_ports, ',') ? "Host Ports" : "Host Port",
		str_or(host_ports, "<none>"));
}

static void describe_seccomp(struct desc *d, int level, const cJSON *context)
{
	if (!obj_has(context, "seccompProfile"))
		return;
	line(d, level, "SeccompProfile:\t%s\n", obj_string(context, "seccompProfile.type"));
	if (str_eq(obj_string(context, "seccompProfile.type"), "Localhost"))
		line(d, level ? level + 1 : 0, "LocalhostProfile:\t%s\n",
			obj_string(context, "seccompProfile.localhostProfile"));
}

static void describe_lines(struct desc *d, const char *title, const cJSON *items)
{
	if (!tree_size(items))
		return;
	line(d, 2, "%s:\n", title);
	TREE_FOREACH (item, items) {
		char **lines;
		size_t n = str_split(d->arena, str_or_empty(tree_string(item)), '\n', &lines);
		for (size_t i = 0; i < n; i++)
			line(d, 3, "%s\n", lines[i]);
		if (!n)
			line(d, 3, "\n");
	}
}

static void describe_state(struct desc *d, const char *title, const cJSON *state)
{
	const cJSON *ended = tree_get(state, "terminated");
	if (tree_get(state, "running")) {
		line(d, 2, "%s:\tRunning\n", title);
		line(d, 3, "Started:\t%s\n", rfc1123(d->arena, obj_string(state, "running.startedAt")));
	} else if (ended) {
		line(d, 2, "%s:\tTerminated\n", title);
		if (*obj_string(ended, "reason"))
			line(d, 3, "Reason:\t%s\n", obj_string(ended, "reason"));
		if (*obj_string(ended, "message"))
			line(d, 3, "Message:\t%s\n", obj_string(ended, "message"));
		line(d, 3, "Exit Code:\t%lld\n", (long long)obj_int(ended, "exitCode", 0));
		if (obj_int(ended, "signal", 0) > 0)
			line(d, 3, "Signal:\t%lld\n", (long long)obj_int(ended, "signal", 0));
		line(d, 3, "Started:\t%s\n", rfc1123(d->arena, obj_string(ended, "startedAt")));
		line(d, 3, "Finished:\t%s\n", rfc1123(d->arena, obj_string(ended, "finishedAt")));
	} else {
		line(d, 2, "%s:\tWaiting\n", title);
		if (*obj_string(state, "waiting.reason"))
			line(d, 3, "Reason:\t%s\n", obj_string(state, "waiting.reason"));
	}
}

static void describe_resources(struct desc *d, int level, const cJSON *resources)
{
	static const struct {
		const char *title, *field;
	} lists[] = {{"Limits", "limits"}, {"Requests", "requests"}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		size_t n;
		cJSON **items = obj_sorted(d->arena, tree_get(resources, lists[i].field), &n);
		if (n)
			line(d, level, "%s:\n", lists[i].title);
		for (size_t j = 0; j < n; j++)
			line(d, level + 1, "%s:\t%s\n", items[j]->string, obj_text(d->arena, items[j]));
	}
}

static void describe_probe(struct desc *d, const char *title, const cJSON *probe)
{
	char *what = arena_strdup(d->arena, "unknown");
	const cJSON *http = tree_get(probe, "httpGet"), *tcp = tree_get(probe, "tcpSocket");
	if (!probe)
		return;
	if (tree_get(probe, "exec")) {
		what = arena_printf(d->arena, "exec [%s]", join_strings(d->arena, obj_at(probe, "exec.command"), " "));
	} else if (http) {
		const char *path = obj_string(http, "path");
		what = arena_printf(d->arena, "http-get %s://%s:%s%s%s",
			str_lower(d->arena, str_or(obj_string(http, "scheme"), "http")), obj_string(http, "host"),
			text_of(d, http, "port", ""), *path && *path != '/' ? "/" : "", path);
	} else if (tcp) {
		what = arena_printf(d->arena, "tcp-socket %s:%s", obj_string(tcp, "host"), text_of(d, tcp, "port", ""));
	} else if (tree_get(probe, "grpc")) {
		what = arena_printf(d->arena, "grpc <pod>:%lld %s", (long long)obj_int(probe, "grpc.port", 0),
			obj_string(probe, "grpc.service"));
	}
	line(d, 2, "%s:\t%s delay=%llds timeout=%llds period=%llds #success=%lld #failure=%lld\n", title, what,
		(long long)obj_int(probe, "initialDelaySeconds", 0), (long long)obj_int(probe, "timeoutSeconds", 0),
		(long long)obj_int(probe, "periodSeconds", 0), (long long)obj_int(probe, "successThreshold", 0),
		(long long)obj_int(probe, "failureThreshold", 0));
}

static void describe_env_from(struct desc *d, const cJSON *sources)
{
	if (!tree_size(sources))
		return;
	line(d, 2, "Environment Variables from:\n");
	TREE_FOREACH (source, sources) {
		bool map = tree_get(source, "configMapRef") != NULL;
		const cJSON *ref = tree_get(source, map ? "configMapRef" : "secretRef");
		const char *prefix = obj_string(source, "prefix");
		line(d, 3, "%s\t%s%s%s%s\tOptional: %s\n", obj_string(ref, "name"), map ? "ConfigMap" : "Secret",
			*prefix ? " with prefix '" : "", prefix, *prefix ? "'" : "",
			bool_text(obj_bool(ref, "optional")));
	}
}

/* What a field reference of the environment stands for in this pod; "" where there is no pod. */
static const char *field_value_of(struct desc *d, const cJSON *pod, const char *path)
{
	if (!pod)
		return "";
	if (str_starts_with(path, "metadata.annotations['") || str_starts_with(path, "metadata.labels['")) {
		const char *start = strchr(path, '\'') + 1;
		char *key = arena_strndup(d->arena, start, strcspn(start, "'"));
		return path[9] == 'a' ? obj_annotation(pod, key) : obj_label(pod, key);
	}
	return text_of(d, pod, path, "");
}

/* What a resource reference stands for: whole units, rounded up. */
static const char *resource_value(struct desc *d, const cJSON *container, const char *resource)
{
	char *path = arena_printf(d->arena, "resources.%s", resource);
	struct quantity q;
	bool limit = str_eq(resource, "limits.cpu") || str_eq(resource, "limits.memory");
	if (!quantity_parse(text_of(d, container, path, "0"), &q))
		return "";
	if (quantity_is_zero(&q) && limit)
		return "node allocatable";
	return arena_printf(d->arena, "%lld", (long long)quantity_value(&q));
}

static void describe_env_source(struct desc *d, const cJSON *variable, const cJSON *container, const cJSON *pod)
{
	const char *name = obj_string(variable, "name");
	const cJSON *from = tree_get(variable, "valueFrom"), *ref;
	if ((ref = tree_get(from, "fieldRef")))
		line(d, 3, "%s:\t%s (%s:%s)\n", name, field_value_of(d, pod, obj_string(ref, "fieldPath")),
			str_or(obj_string(ref, "apiVersion"), "v1"), obj_string(ref, "fieldPath"));
	else if ((ref = tree_get(from, "resourceFieldRef")))
		line(d, 3, "%s:\t%s (%s)\n", name, resource_value(d, container, obj_string(ref, "resource")),
			obj_string(ref, "resource"));
	else if ((ref = tree_get(from, "secretKeyRef")))
		line(d, 3, "%s:\t<set to the key '%s' in secret '%s'>\tOptional: %s\n", name, obj_string(ref, "key"),
			obj_string(ref, "name"), bool_text(obj_bool(ref, "optional")));
	else if ((ref = tree_get(from, "configMapKeyRef")))
		line(d, 3, "%s:\t<set to the key '%s' of config map '%s'>\tOptional: %s\n", name,
			obj_string(ref, "key"), obj_string(ref, "name"), bool_text(obj_bool(ref, "optional")));
}

static void describe_env(struct desc *d, const cJSON *container, const cJSON *pod)
{
	const cJSON *env = tree_get(container, "env");
	line(d, 2, "Environment:%s\n", tree_size(env) ? "" : "\t<none>");
	TREE_FOREACH (variable, env) {
		char **lines;
		if (obj_has(variable, "valueFrom")) {
			describe_env_source(d, variable, container, pod);
			continue;
		}
		size_t n = str_split(d->arena, obj_string(variable, "value"), '\n', &lines);
		line(d, 3, "%s:\t%s\n", obj_string(variable, "name"), n ? lines[0] : "");
		for (size_t i = 1; i < n; i++)
			line(d, 3, "\t%s\n", lines[i]);
	}
}

static int by_mount_path(const void *a, const void *b)
{
	return strcmp(obj_string(*(cJSON *const *)a, "mountPath"), obj_string(*(cJSON *const *)b, "mountPath"));
}

static void describe_mounts(struct desc *d, const cJSON *container)
{
	cJSON **mounts = NULL;
	size_t n = 0;
	TREE_FOREACH (mount, tree_get(container, "volumeMounts"))
		ARENA_PUSH(d->arena, mounts, n) = mount;
	if (n)
		qsort(mounts, n, sizeof(*mounts), by_mount_path);
	line(d, 2, "Mounts:%s\n", n ? "" : "\t<none>");
	for (size_t i = 0; i < n; i++) {
		const char *sub = obj_string(mounts[i], "subPath");
		line(d, 3, "%s from %s (%s%s%s%s)\n", obj_string(mounts[i], "mountPath"), obj_string(mounts[i], "name"),
			obj_bool(mounts[i], "readOnly") ? "ro" : "rw", *sub ? ",path=\"" : "", sub, *sub ? "\"" : "");
	}
	if (!tree_size(tree_get(container, "volumeDevices")))
		return;
	line(d, 2, "Devices:%s\n", n ? "" : "\t<none>");
	TREE_FOREACH (device, tree_get(container, "volumeDevices"))
		line(d, 3, "%s from %s\n", obj_string(device, "devicePath"), obj_string(device, "name"));
}

static const cJSON *status_of(const cJSON *statuses, const char *name)
{
	TREE_FOREACH (status, statuses)
		if (str_eq(obj_string(status, "name"), name))
			return status;
	return NULL;
}

static void describe_container(
	struct desc *d, const cJSON *container, const cJSON *status, const cJSON *pod, const char *space)
{
	line(d, 1, "%s%s:\n", *space ? " " : "", obj_string(container, "name"));
	if (status)
		line(d, 2, "Container ID:\t%s\n", obj_string(status, "containerID"));
	line(d, 2, "Image:\t%s\n", obj_string(container, "image"));
	if (status)
		line(d, 2, "Image ID:\t%s\n", obj_string(status, "imageID"));
	describe_ports(d, container);
	describe_seccomp(d, 2, tree_get(container, "securityContext"));
	describe_lines(d, "Command", tree_get(container, "command"));
	describe_lines(d, "Args", tree_get(container, "args"));
	if (status) {
		describe_state(d, "State", tree_get(status, "state"));
		if (obj_has(status, "lastState.terminated"))
			describe_state(d, "Last State", tree_get(status, "lastState"));
		line(d, 2, "Ready:\t%s\n", title_bool(obj_bool(status, "ready")));
		line(d, 2, "Restart Count:\t%lld\n", (long long)obj_int(status, "restartCount", 0));
	}
	describe_resources(d, 2, tree_get(container, "resources"));
	describe_probe(d, "Liveness", tree_get(container, "livenessProbe"));
	describe_probe(d, "Readiness", tree_get(container, "readinessProbe"));
	describe_probe(d, "Startup", tree_get(container, "startupProbe"));
	describe_env_from(d, tree_get(container, "envFrom"));
	describe_env(d, container, pod);
	describe_mounts(d, container);
}

void describe_containers(struct desc *d, const char *label, const cJSON *containers, const cJSON *statuses,
	const cJSON *pod, const char *space)
{
	line(d, 0, "%s%s:%s\n", space, label, tree_size(containers) ? "" : " <none>");
	TREE_FOREACH (container, containers)
		describe_container(d, container, status_of(statuses, obj_string(container, "name")), pod, space);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(obj_string(*(cJSON *const *)a, "key"), obj_string(*(cJSON *const *)b, "key"));
}

void describe_tolerations(struct desc *d, const char *title, const cJSON *tolerations)
{
	cJSON **items = NULL;
	size_t n = 0;
	TREE_FOREACH (item, tolerations)
		ARENA_PUSH(d->arena, items, n) = item;
	if (n)
		qsort(items, n, sizeof(*items), by_key);
	line(d, 0, "%s:\t", title);
	if (!n)
		line(d, 0, "<none>\n");
	for (size_t i = 0; i < n; i++) {
		const cJSON *t = items[i];
		const char *key = obj_string(t, "key"), *value = obj_string(t, "value"),
			   *effect = obj_string(t, "effect");
		bool exists = str_eq(obj_string(t, "operator"), "Exists");
		line(d, 0, "%s%s%s%s%s%s", i ? "\t" : "", key, *value ? "=" : "", value, *effect ? ":" : "", effect);
		if (exists && !*value)
			line(d, 0, *key || *effect ? " op=Exists" : "op=Exists");
		if (obj_has(t, "tolerationSeconds"))
			line(d, 0, " for %llds", (long long)obj_int(t, "tolerationSeconds", 0));
		line(d, 0, "\n");
	}
}

static void describe_spread(struct desc *d, const cJSON *constraints, const char *space)
{
	if (!tree_size(constraints))
		return;
	line(d, 0, "%sTopology Spread Constraints:\t", space);
	TREE_FOREACH (c, constraints)
		line(d, 0, "%s%s:%s when max skew %lld is exceeded for selector %s\n",
			c == constraints->child ? "" : "\t", obj_string(c, "topologyKey"),
			obj_string(c, "whenUnsatisfiable"), (long long)obj_int(c, "maxSkew", 0),
			obj_format_selector(d->arena, tree_get(c, "labelSelector"), "<none>"));
}

void describe_pod_template(struct desc *d, const cJSON *template)
{
	const cJSON *spec = tree_get(template, "spec");
	line(d, 0, "Pod Template:\n");
	describe_labels(d, "  Labels", obj_at(template, "metadata.labels"));
	if (tree_size(obj_at(template, "metadata.annotations")))
		describe_annotations(d, "  Annotations", obj_at(template, "metadata.annotations"));
	if (*obj_string(spec, "serviceAccountName"))
		line(d, 1, "Service Account:\t%s\n", obj_string(spec, "serviceAccountName"));
	if (tree_size(tree_get(spec, "initContainers")))
		describe_containers(d, "Init Containers", tree_get(spec, "initContainers"), NULL, NULL, "  ");
	describe_containers(d, "Containers", tree_get(spec, "containers"), NULL, NULL, "  ");
	describe_volumes(d, tree_get(spec, "volumes"), "  ");
	describe_spread(d, tree_get(spec, "topologySpreadConstraints"), "  ");
	if (*obj_string(spec, "priorityClassName"))
		line(d, 1, "Priority Class Name:\t%s\n", obj_string(spec, "priorityClassName"));
	describe_labels(d, "  Node-Selectors", tree_get(spec, "nodeSelector"));
	describe_tolerations(d, "  Tolerations", tree_get(spec, "tolerations"));
}

static const char *qos_class(const cJSON *pod)
{
	return str_or(obj_string(pod, "status.qosClass"), "BestEffort");
}

static void describe_pod_status(struct desc *d, const cJSON *pod)
{
	const char *phase = obj_string(pod, "status.phase");
	bool ended = str_eq(phase, "Failed") || str_eq(phase, "Succeeded");
	if (obj_has(pod, "metadata.deletionTimestamp") && !ended) {
		line(d, 0, "Status:\tTerminating (lasts %s)\n", age_of(d, pod, "metadata.deletionTimestamp"));
		line(d, 0, "Termination Grace Period:\t%llds\n",
			(long long)obj_int(pod, "metadata.deletionGracePeriodSeconds", 0));
	} else {
		line(d, 0, "Status:\t%s\n", phase);
	}
	if (*obj_string(pod, "status.reason"))
		line(d, 0, "Reason:\t%s\n", obj_string(pod, "status.reason"));
	if (*obj_string(pod, "status.message"))
		line(d, 0, "Message:\t%s\n", obj_string(pod, "status.message"));
	describe_seccomp(d, 0, obj_at(pod, "spec.securityContext"));
	line(d, 0, "IP:\t%s\n", obj_string(pod, "status.podIP"));
	line(d, 0, "IPs:%s\n", tree_size(obj_at(pod, "status.podIPs")) ? "" : "\t<none>");
	TREE_FOREACH (ip, obj_at(pod, "status.podIPs"))
		line(d, 1, "IP:\t%s\n", obj_string(ip, "ip"));
	if (*controller_of(d->arena, pod))
		line(d, 0, "Controlled By:\t%s\n", controller_of(d->arena, pod));
	if (*obj_string(pod, "status.nominatedNodeName"))
		line(d, 0, "NominatedNodeName:\t%s\n", obj_string(pod, "status.nominatedNodeName"));
}

static void describe_pod_head(struct desc *d, const cJSON *pod)
{
	line(d, 0, "Name:\t%s\n", obj_name(pod));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(pod));
	if (obj_has(pod, "spec.priority"))
		line(d, 0, "Priority:\t%lld\n", (long long)obj_int(pod, "spec.priority", 0));
	if (*obj_string(pod, "spec.priorityClassName"))
		line(d, 0, "Priority Class Name:\t%s\n", obj_string(pod, "spec.priorityClassName"));
	if (*obj_string(pod, "spec.runtimeClassName"))
		line(d, 0, "Runtime Class Name:\t%s\n", obj_string(pod, "spec.runtimeClassName"));
	if (*obj_string(pod, "spec.serviceAccountName"))
		line(d, 0, "Service Account:\t%s\n", obj_string(pod, "spec.serviceAccountName"));
	if (*obj_string(pod, "spec.nodeName"))
		line(d, 0, "Node:\t%s/%s\n", obj_string(pod, "spec.nodeName"), obj_string(pod, "status.hostIP"));
	else
		line(d, 0, "Node:\t<none>\n");
	if (obj_has(pod, "status.startTime"))
		line(d, 0, "Start Time:\t%s\n", rfc1123(d->arena, obj_string(pod, "status.startTime")));
	describe_labels(d, "Labels", obj_at(pod, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(pod, "metadata.annotations"));
}

static void describe_pod_conditions(struct desc *d, const cJSON *pod)
{
	const cJSON *conditions = obj_at(pod, "status.conditions");
	if (tree_size(obj_at(pod, "spec.readinessGates"))) {
		line(d, 0, "Readiness Gates:\n  Type\tStatus\n");
		TREE_FOREACH (gate, obj_at(pod, "spec.readinessGates")) {
			const char *status = "<none>";
			TREE_FOREACH (c, conditions)
				if (str_eq(obj_string(c, "type"), obj_string(gate, "conditionType")))
					status = obj_string(c, "status");
			line(d, 1, "%s \t%s \n", obj_string(gate, "conditionType"), status);
		}
	}
	if (tree_size(conditions))
		line(d, 0, "Conditions:\n  Type\tStatus\n");
	TREE_FOREACH (c, conditions)
		line(d, 1, "%s \t%s \n", obj_string(c, "type"), obj_string(c, "status"));
}

struct status *describe_pod(struct desc *d, const cJSON *pod)
{
	const cJSON *spec = tree_get(pod, "spec"), *status = tree_get(pod, "status");
	describe_pod_head(d, pod);
	describe_pod_status(d, pod);
	if (obj_has(spec, "resources")) {
		line(d, 0, "Resources:\n");
		describe_resources(d, 1, tree_get(spec, "resources"));
	}
	if (tree_size(tree_get(spec, "initContainers")))
		describe_containers(d, "Init Containers", tree_get(spec, "initContainers"),
			tree_get(status, "initContainerStatuses"), pod, "");
	describe_containers(
		d, "Containers", tree_get(spec, "containers"), tree_get(status, "containerStatuses"), pod, "");
	if (tree_size(tree_get(spec, "ephemeralContainers")))
		describe_containers(d, "Ephemeral Containers", tree_get(spec, "ephemeralContainers"),
			tree_get(status, "ephemeralContainerStatuses"), pod, "");
	describe_pod_conditions(d, pod);
	describe_volumes(d, tree_get(spec, "volumes"), "");
	line(d, 0, "QoS Class:\t%s\n", qos_class(pod));
	describe_labels(d, "Node-Selectors", tree_get(spec, "nodeSelector"));
	describe_tolerations(d, "Tolerations", tree_get(spec, "tolerations"));
	describe_spread(d, tree_get(spec, "topologySpreadConstraints"), "");
	describe_events(d, pod);
	return NULL;
}
