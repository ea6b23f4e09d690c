#include "kubectl/verbs/create/kinds.h"

struct service_options {
	struct generator_options common;
	struct flag_list tcp;
	char *cluster_ip, *external_name;
	int64_t node_port;
};

#define S(...) OPT(struct service_options, __VA_ARGS__)
static const struct option clusterip_flags[] = {
	OPT_GROUP(struct service_options, common, generator_flags),
	S(cluster_ip, 0, "clusterip", FLAG_STRING, "", "Address to use, or None for a headless service"),
	S(tcp, 0, "tcp", FLAG_STRINGS, "", "Ports as port or port:targetPort"),
	OPT_END,
};
static const struct option nodeport_flags[] = {
	OPT_GROUP(struct service_options, common, generator_flags),
	S(node_port, 0, "node-port", FLAG_INT, "0", "Port on every node"),
	S(tcp, 0, "tcp", FLAG_STRINGS, "", "Ports as port or port:targetPort"),
	OPT_END,
};
static const struct option loadbalancer_flags[] = {
	OPT_GROUP(struct service_options, common, generator_flags),
	S(tcp, 0, "tcp", FLAG_STRINGS, "", "Ports as port or port:targetPort"),
	OPT_END,
};
static const struct option externalname_flags[] = {
	OPT_GROUP(struct service_options, common, generator_flags),
	S(external_name, 0, "external-name", FLAG_STRING, "", "DNS name that the service stands for"),
	S(tcp, 0, "tcp", FLAG_STRINGS, "", "Ports as port or port:targetPort"),
	OPT_END,
};

static struct status *add_port(struct kubectl *k, cJSON *service, const char *spec, int64_t node_port)
{
	struct arena *arena = k->arena;
	char **parts;
	int64_t number, target;
	size_t n = str_split(arena, spec, ':', &parts);
	if (n < 1 || !str_to_int64(parts[0], 0, 65535, &number))
		return user_error("strconv.Atoi: parsing \"%s\": invalid syntax", n ? parts[0] : spec);
	cJSON *port = tree_new_object(arena);
	char *name = arena_strdup(arena, spec);
	for (char *c = name; *c; c++)
		*c = *c == ':' ? '-' : *c;
	tree_set_string(arena, port, "name", name);
	tree_set_string(arena, port, "protocol", "TCP");
	obj_set_int(arena, port, "port", number);
	if (n < 2)
		obj_set_int(arena, port, "targetPort", number);
	else if (str_to_int64(parts[1], 1, 65535, &target))
		obj_set_int(arena, port, "targetPort", target);
	else
		tree_set_string(arena, port, "targetPort", parts[1]);
	if (node_port)
		obj_set_int(arena, port, "nodePort", node_port);
	tree_append(obj_array(arena, service, "spec.ports"), port);
	return NULL;
}

static struct status *build(
	struct kubectl *k, struct call *call, const char *name, const char *type, cJSON **ret_object)
{
	struct service_options *o = call->options;
	struct arena *arena = k->arena;
	bool needs_port = !str_eq(type, "ExternalName") && !str_eq(o->cluster_ip, "None");
	if (needs_port && !o->tcp.n_items)
		return user_error("at least one tcp port specifier must be provided");
	cJSON *service = obj_new(arena, "v1", "Service", name);
	obj_set_string(arena, service, "metadata.labels.app", name);
	for (size_t i = 0; i < o->tcp.n_items; i++)
		TRY(add_port(k, service, o->tcp.items[i], o->node_port));
	obj_set_string(arena, service, "spec.selector.app", name);
	obj_set_string(arena, service, "spec.type", type);
	if (!str_empty(o->cluster_ip))
		obj_set_string(arena, service, "spec.clusterIP", o->cluster_ip);
	if (!str_empty(o->external_name))
		obj_set_string(arena, service, "spec.externalName", o->external_name);
	obj_object(arena, service, "status.loadBalancer");
	*ret_object = service;
	return NULL;
}

#define SERVICE(verb, type)                                                                                            \
	static struct status *verb##_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object) \
	{                                                                                                              \
		return build(k, call, name, type, ret_object);                                                         \
	}                                                                                                              \
	GENERATOR_RUN(verb)
SERVICE(clusterip, "ClusterIP")
SERVICE(nodeport, "NodePort")
SERVICE(loadbalancer, "LoadBalancer")

static struct status *externalname_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	TRY(require_flag(call, "external-name"));
	return build(k, call, name, "ExternalName", ret_object);
}
GENERATOR_RUN(externalname)

#define COMMAND(verb, usage_, summary_)                              \
	static const struct command verb##_command = {.name = #verb, \
		.usage = (usage_),                                   \
		.summary = (summary_),                               \
		.flags = verb##_flags,                               \
		.options_size = sizeof(struct service_options),      \
		.run = verb##_run}
COMMAND(clusterip, "NAME [--tcp=<port>:<targetPort>]", "Create a service with an address inside the cluster");
COMMAND(nodeport, "NAME [--tcp=port:targetPort]", "Create a service with a port on every node");
COMMAND(loadbalancer, "NAME [--tcp=port:targetPort]", "Create a service with a load balancer outside the cluster");
COMMAND(externalname, "NAME --external-name external.name", "Create a service that stands for a DNS name");

static const struct command *const children[] = {
	&clusterip_command, &externalname_command, &loadbalancer_command, &nodeport_command, NULL};
static const char *const aliases[] = {"svc", NULL};
const struct command create_service_command = {
	.name = "service",
	.aliases = aliases,
	.usage = "(clusterip | externalname | loadbalancer | nodeport)",
	.summary = "Create a service of one of several kinds",
	.children = children,
};
