#include "kubectl/override.h"
#include "kubectl/pods.h"
#include "kubectl/send.h"
#include "kubectl/verbs/create/generator.h"
#include "kubectl/verbs/verbs.h"

struct expose_options {
	struct print_options print;
	struct filename_options files;
	struct override_options overrides;
	char *dry_run, *field_manager, *cluster_ip, *external_ip, *labels, *load_balancer_ip, *name;
	char *port, *protocol, *selector, *session_affinity, *target_port, *type;
	bool save_config;
};

#define E(...) OPT(struct expose_options, __VA_ARGS__)
static const struct option expose_flags[] = {
	OPT_GROUP(struct expose_options, print, print_flags),
	OPT_GROUP(struct expose_options, files, filename_flags),
	OPT_DRY_RUN(struct expose_options, dry_run),
	OPT_FIELD_MANAGER(struct expose_options, field_manager, "kubectl-expose"),
	E(cluster_ip, 0, "cluster-ip", FLAG_STRING, "", "Address to use, or None for a headless service"),
	E(external_ip, 0, "external-ip", FLAG_STRING, "", "Address outside the cluster that the service takes"),
	E(labels, 'l', "labels", FLAG_STRING, "", "Labels of the service"),
	E(load_balancer_ip, 0, "load-balancer-ip", FLAG_STRING, "", "Address of the load balancer"),
	E(name, 0, "name", FLAG_STRING, "", "Name of the service"),
	OPT_GROUP(struct expose_options, overrides, override_flags),
	E(port, 0, "port", FLAG_STRING, "", "Port of the service"),
	E(protocol, 0, "protocol", FLAG_STRING, "", "TCP, UDP or SCTP"),
	E(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	E(selector, 0, "selector", FLAG_STRING, "", "Labels of the pods: key=value, joined by commas"),
	E(session_affinity, 0, "session-affinity", FLAG_STRING, "", "None or ClientIP"),
	E(target_port, 0, "target-port", FLAG_STRING, "", "Port of the container, by number or name"),
	E(type, 0, "type", FLAG_STRING, "", "ClusterIP, NodePort, LoadBalancer or ExternalName"),
	OPT_END,
};

struct exposed_port {
	int64_t number;
	const char *protocol;
};

static bool can_be_exposed(const char *kind)
{
	static const char *const kinds[] = {
		"ReplicationController", "Service", "Pod", "Deployment", "ReplicaSet", NULL};
	return str_in(kind, kinds);
}

static struct status *selector_of(struct kubectl *k, const struct info *info, cJSON **ret)
{
	const cJSON *object = info->object, *selector;
	const char *kind = obj_kind(object);
	if (str_eq(kind, "Pod")) {
		selector = obj_at(object, "metadata.labels");
		if (!tree_size(selector))
			return user_error(
				"couldn't retrieve selectors via --selector flag or introspection: the pod has no "
				"labels and cannot "
				"be exposed");
	} else if (str_eq(kind, "Service") || str_eq(kind, "ReplicationController")) {
		selector = obj_at(object, "spec.selector");
		if (!tree_size(selector))
			return user_error(
				"couldn't retrieve selectors via --selector flag or introspection: the service has "
				"no pod selector "
				"set");
	} else {
		if (tree_size(obj_at(object, "spec.selector.matchExpressions")))
			return user_error("couldn't retrieve selectors via --selector flag or introspection: couldn't "
					  "convert expressions - "
					  "\"%s\" to map-based selector format",
				obj_format_selector(k->arena, obj_at(object, "spec.selector"), ""));
		selector = obj_at(object, "spec.selector.matchLabels");
	}
	*ret = tree_copy(k->arena, selector);
	return NULL;
}

static void ports_of(struct kubectl *k, const cJSON *object, struct exposed_port **ret, size_t *n)
{
	if (str_eq(obj_kind(object), "Service")) {
		TREE_FOREACH (port, obj_at(object, "spec.ports"))
			ARENA_PUSH(k->arena, *ret, *n) =
				(struct exposed_port){obj_int(port, "port", 0), obj_string(port, "protocol")};
		return;
	}
	TREE_FOREACH (container, tree_get(obj_pod_spec(object), "containers"))
		TREE_FOREACH (port, tree_get(container, "ports"))
			ARENA_PUSH(k->arena, *ret, *n) =
				(struct exposed_port){obj_int(port, "containerPort", 0), obj_string(port, "protocol")};
}

static const char *protocol_of(
	const struct expose_options *o, const struct exposed_port *ports, size_t n, int64_t number)
{
	if (!str_empty(o->protocol))
		return o->protocol;
	for (size_t i = 0; i < n; i++)
		if (ports[i].number == number && !str_empty(ports[i].protocol))
			return ports[i].protocol;
	return "TCP";
}

static struct status *add_ports(
	struct kubectl *k, const struct expose_options *o, const struct info *info, cJSON *service)
{
	struct arena *arena = k->arena;
	struct exposed_port *found = NULL;
	char **texts = NULL;
	size_t n_found = 0, n = 0;
	int64_t number, target;
	ports_of(k, info->object, &found, &n_found);
	if (!str_empty(o->port))
		n = str_split(arena, o->port, ',', &texts);
	for (size_t i = 0; str_empty(o->port) && i < n_found; i++)
		ARENA_PUSH(arena, texts, n) = arena_printf(arena, "%lld", (long long)found[i].number);
	if (!n && !str_eq(o->cluster_ip, "None"))
		return user_error("couldn't find port via --port flag or introspection");
	for (size_t i = 0; i < n; i++) {
		cJSON *port = tree_new_object(arena);
		if (!str_to_int64(texts[i], 1, 65535, &number))
			return user_error("strconv.Atoi: parsing \"%s\": invalid syntax", texts[i]);
		if (n > 1)
			tree_set_string(arena, port, "name", arena_printf(arena, "port-%zu", i + 1));
		tree_set_string(arena, port, "protocol", protocol_of(o, found, n_found, number));
		obj_set_int(arena, port, "port", number);
		if (str_empty(o->target_port))
			obj_set_int(arena, port, "targetPort", number);
		else if (str_to_int64(o->target_port, 1, 65535, &target))
			obj_set_int(arena, port, "targetPort", target);
		else
			tree_set_string(arena, port, "targetPort", o->target_port);
		tree_append(obj_array(arena, service, "spec.ports"), port);
	}
	return NULL;
}

static struct status *parse_labels(struct kubectl *k, const char *text, cJSON **ret)
{
	char **parts, *key, *value;
	size_t n = str_split(k->arena, text, ',', &parts);
	*ret = tree_new_object(k->arena);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(k->arena, parts[i], &key, &value))
			return user_error("unexpected label spec: %s", parts[i]);
		if (!*key)
			return user_error("unexpected empty label key");
		tree_set_string(k->arena, *ret, key, value);
	}
	return NULL;
}

static struct status *build(struct kubectl *k, const struct expose_options *o, const struct info *info, cJSON **ret)
{
	struct arena *arena = k->arena;
	cJSON *selector, *labels;
	const char *name =
		str_or(o->name, arena_strndup(arena, info->name, strlen(info->name) > 63 ? 63 : strlen(info->name)));
	if (str_empty(o->selector))
		TRY(selector_of(k, info, &selector));
	else
		TRY(parse_labels(k, o->selector, &selector));
	if (str_empty(o->labels))
		labels = tree_copy(arena, obj_at(info->object, "metadata.labels"));
	else
		TRY(parse_labels(k, o->labels, &labels));
	cJSON *service = obj_new(arena, "v1", "Service", name);
	if (tree_size(labels))
		obj_set(arena, service, "metadata.labels", labels);
	obj_object(arena, service, "spec");
	TRY(add_ports(k, o, info, service));
	obj_set(arena, service, "spec.selector", selector);
	if (!str_empty(o->cluster_ip))
		obj_set_string(arena, service, "spec.clusterIP", o->cluster_ip);
	if (!str_empty(o->type))
		obj_set_string(arena, service, "spec.type", o->type);
	if (!str_empty(o->external_ip))
		tree_append(obj_array(arena, service, "spec.externalIPs"), tree_new_string(arena, o->external_ip));
	if (!str_empty(o->session_affinity)) {
		if (!str_eq(o->session_affinity, "None") && !str_eq(o->session_affinity, "ClientIP"))
			return user_error("unknown session affinity: %s", o->session_affinity);
		obj_set_string(arena, service, "spec.sessionAffinity", o->session_affinity);
	}
	if (str_eq(o->type, "LoadBalancer") && !str_empty(o->load_balancer_ip))
		obj_set_string(arena, service, "spec.loadBalancerIP", o->load_balancer_ip);
	obj_object(arena, service, "status.loadBalancer");
	*ret = service;
	return NULL;
}

static struct status *expose_one(
	struct kubectl *k, const struct expose_options *o, const struct send_options *send, const struct info *info)
{
	const struct api_resource *mapping;
	cJSON *service = NULL;
	if (!can_be_exposed(obj_kind(info->object)))
		return user_error("cannot expose a %s", info->mapping->kind);
	TRY(build(k, o, info, &service));
	TRY(override_apply(k->arena, &o->overrides, &CoreV1Service_schema, &service));
	if (send->dry_run == DRY_RUN_CLIENT) {
		if (!str_empty(k->global.namespace))
			obj_set_string(k->arena, service, "metadata.namespace", k->global.namespace);
	} else {
		if (o->save_config)
			set_last_applied(k->arena, service);
		TRY(mapping_of_object(k, service, &mapping));
		TRY(send_create(k, mapping, info->namespace, service, send, &service));
	}
	return print_result(k, &o->print, "exposed", send->dry_run, service);
}

static struct status *expose_run(struct kubectl *k, struct call *call)
{
	struct expose_options *o = call->options;
	struct send_options send = {.field_manager = o->field_manager};
	struct infos infos;
	o->print.in_order = true;
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	struct selection sel = {
		.files = &o->files, .args = call->args, .n_args = call->n_args, .flatten = true, .latest = true};
	struct status *errors = select_objects(k, &sel, &infos);
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, expose_one(k, o, &send, &infos.items[i]));
	return errors;
}

const struct command expose_command = {
	.name = "expose",
	.section = "Basic Commands (Beginner):",
	.summary = "Take a replication controller, service, deployment or pod and expose it as a new service",
	.usage = "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] "
		 "[--name=name] "
		 "[--external-ip=external-ip-of-service] [--type=type]",
	.flags = expose_flags,
	.options_size = sizeof(struct expose_options),
	.run = expose_run,
};
