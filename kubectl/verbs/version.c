/* kubectl version, cluster-info and options. */
#include "kubectl/builder.h"
#include "kubectl/printer.h"
#include "kubectl/verbs/verbs.h"

struct version_options {
	bool client;
	char *output;
};

static const struct option version_flags[] = {
	OPT(struct version_options, client, 0, "client", FLAG_BOOL, "false", "The client's version only"),
	OPT(struct version_options, output, 'o', "output", FLAG_STRING, "", "yaml or json"),
	OPT_END,
};

static cJSON *client_version(struct arena *arena)
{
	int major = 0, minor = 0;
	cJSON *v = tree_new_object(arena);
	(void)sscanf(KUBEC_VERSION, "v%d.%d", &major, &minor);
	tree_set_string(arena, v, "major", arena_printf(arena, "%d", major));
	tree_set_string(arena, v, "minor", arena_printf(arena, "%d", minor));
	tree_set_string(arena, v, "gitVersion", KUBEC_VERSION);
	tree_set_string(arena, v, "gitCommit", "unknown");
	tree_set_string(arena, v, "gitTreeState", "clean");
	tree_set_string(arena, v, "buildDate", "1970-01-01T00:00:00Z");
	tree_set_string(arena, v, "goVersion", "none");
	tree_set_string(arena, v, "compiler", "gcc");
	tree_set_string(arena, v, "platform", "linux/amd64");
	return v;
}

/* More than one minor version apart is not supported. */
static void warn_of_skew(const cJSON *client, const cJSON *server)
{
	int c = 0, s = 0;
	(void)sscanf(obj_string(client, "minor"), "%d", &c);
	(void)sscanf(obj_string(server, "minor"), "%d", &s);
	if (c - s > 1 || s - c > 1)
		fprintf(stderr,
			"WARNING: version difference between client (%s.%s) and server (%s.%s) exceeds the supported "
			"minor version "
			"skew of +/-1\n",
			obj_string(client, "major"), obj_string(client, "minor"), obj_string(server, "major"),
			obj_string(server, "minor"));
}

static struct status *version_run(struct kubectl *k, struct call *call)
{
	struct version_options *o = call->options;
	cJSON *all = tree_new_object(k->arena), *client = client_version(k->arena), *server = NULL;
	struct status *s = NULL;
	if (call->n_args)
		return user_error("extra arguments: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	if (!str_empty(o->output) && !str_eq(o->output, "yaml") && !str_eq(o->output, "json"))
		return user_error("--output must be 'yaml' or 'json'");
	if (!o->client)
		s = rest_get(k, k->arena, "/version", NULL, &server);
	tree_set(k->arena, all, "clientVersion", client);
	if (server && !s)
		tree_set(k->arena, all, "serverVersion", server);
	if (str_eq(o->output, "yaml")) {
		print_yaml(all, stdout);
	} else if (str_eq(o->output, "json")) {
		char *text = tree_to_string(k->arena, all, JSON_PRETTY | JSON_INDENT2);
		puts(text);
	} else {
		printf("Client Version: %s\n", KUBEC_VERSION);
		if (server && !s)
			printf("Server Version: %s\n", obj_string(server, "gitVersion"));
	}
	if (server && !s)
		warn_of_skew(client, server);
	return s;
}

static struct status *print_services(struct kubectl *k)
{
	struct infos infos;
	char *args[] = {arena_strdup(k->arena, "services")};
	k->global.namespace = arena_strdup(k->arena, "kube-system");
	struct selection sel = {
		.args = args, .n_args = 1, .selector = "kubernetes.io/cluster-service=true", .flatten = true};
	TRY(select_objects(k, &sel, &infos));
	for (size_t i = 0; i < infos.n_items; i++) {
		const cJSON *service = infos.items[i].object;
		const char *title = obj_label(service, "kubernetes.io/name");
		const cJSON *port = obj_at(service, "spec.ports.0");
		const char *scheme =
			obj_int(port, "port", 0) == 443 || str_eq(obj_string(port, "name"), "https") ? "https:" : "";
		const char *name = obj_string(port, "name");
		printf("%s is running at %s/api/v1/namespaces/%s/services/%s%s%s%s/proxy\n",
			str_or(title, obj_name(service)), k->config.host, obj_namespace(service), scheme,
			obj_name(service), *name ? ":" : "", name);
	}
	return NULL;
}

static struct status *info_run(struct kubectl *k, struct call *call)
{
	struct client *client;
	if (call->n_args)
		return user_error("unknown command [%s]\nSee 'kubectl cluster-info -h' for help and examples",
			str_join(k->arena, call->args, call->n_args, " "));
	TRY(kubectl_client(k, &client));
	const char *on = isatty(1) ? "\033[0;32m" : "", *value = isatty(1) ? "\033[0;33m" : "",
		   *off = isatty(1) ? "\033[0m" : "";
	struct status *s = rest_get(k, k->arena, "/version", NULL, &(cJSON *){NULL});
	if (s)
		return s;
	printf("%sKubernetes control plane%s is running at %s%s%s\n", on, off, value, k->config.host, off);
	TRY(print_services(k));
	puts("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
	return NULL;
}

static struct status *dump_run(struct kubectl *k, struct call *call)
{
	static const char *const kinds[] = {"nodes", "events", "replicationcontrollers", "services", "daemonsets.apps",
		"deployments.apps", "replicasets.apps", "pods"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct infos infos;
		char *args[] = {arena_strdup(k->arena, kinds[i])};
		struct selection sel = {
			.args = args, .n_args = 1, .list_without_selector = true, .all_namespaces = true};
		TRY(select_objects(k, &sel, &infos));
		for (size_t j = 0; j < infos.n_items; j++)
			print_json(infos.items[j].object, false, stdout);
	}
	return NULL;
}

static struct status *options_run(struct kubectl *k, struct call *call)
{
	puts("The following options can be passed to any command:\n");
	flags_help(k->arena, global_flags, stdout);
	return NULL;
}

static const struct command dump_command = {
	.name = "dump",
	.summary = "Dump relevant information for debugging and diagnosis as JSON",
	.run = dump_run,
};
static const struct command *const info_children[] = {&dump_command, NULL};

const struct command version_command = {
	.name = "version",
	.section = "Other Commands:",
	.summary = "Print the client and server version information",
	.flags = version_flags,
	.options_size = sizeof(struct version_options),
	.run = version_run,
};
const struct command cluster_info_command = {
	.name = "cluster-info",
	.section = "Cluster Management Commands:",
	.summary = "Display cluster information",
	.children = info_children,
	.run = info_run,
};
const struct command options_command = {
	.name = "options",
	.section = "Other Commands:",
	.summary = "Print the list of flags inherited by all commands",
	.run = options_run,
};
