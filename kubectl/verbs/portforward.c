#include <signal.h>
#include <stdatomic.h>
#include "base/workers.h"
#include "client/portforward.h"
#include "kubectl/pods.h"
#include "kubectl/verbs/verbs.h"

struct forward_options {
	struct flag_list addresses;
	int64_t timeout_ms;
};

#define F(...) OPT(struct forward_options, __VA_ARGS__)
static const struct option forward_flags[] = {
	F(addresses, 0, "address", FLAG_STRINGS, "localhost", "Addresses to listen on"),
	F(timeout_ms, 0, "pod-running-timeout", FLAG_DURATION, "1m0s", "How long to wait for a pod of a workload"),
	OPT_END,
};

struct port {
	uint16_t local, remote;
};

static int64_t named_port(const cJSON *pod, const char *name)
{
	TREE_FOREACH (container, obj_at(pod, "spec.containers"))
		TREE_FOREACH (port, tree_get(container, "ports"))
			if (str_eq(obj_string(port, "name"), name))
				return obj_int(port, "containerPort", 0);
	return 0;
}

/* A service's port to the container's, through targetPort. */
static struct status *service_port(const cJSON *service, const cJSON *pod, const char *text, int64_t *ret)
{
	TREE_FOREACH (port, obj_at(service, "spec.ports")) {
		int64_t number;
		bool matches = str_to_int64(text, 1, 65535, &number) ? obj_int(port, "port", 0) == number
								     : str_eq(obj_string(port, "name"), text);
		if (!matches)
			continue;
		const cJSON *target = tree_get(port, "targetPort");
		if (str_eq(obj_string(service, "spec.clusterIP"), "None"))
			*ret = obj_int(port, "port", 0);
		else if (cJSON_IsString(target))
			*ret = named_port(pod, target->valuestring);
		else
			*ret = obj_int(port, "targetPort", obj_int(port, "port", 0));
		if (!*ret)
			return user_error("Pod '%s' does not have a named port '%s'", obj_name(pod),
				obj_string(port, "targetPort"));
		return NULL;
	}
	return user_error("Service %s does not have a service port %s", obj_name(service), text);
}

static struct status *parse_port(
	struct kubectl *k, const cJSON *object, const cJSON *pod, const char *text, struct port *ret)
{
	char **parts;
	size_t n = str_split(k->arena, text, ':', &parts);
	const char *remote = n == 2 ? parts[1] : n == 1 ? parts[0] : "";
	int64_t number, local = 0;
	if (n < 1 || n > 2)
		return user_error("invalid port format '%s'", text);
	if (!*remote)
		return user_error("remote port cannot be empty");
	if (str_eq(obj_kind(object), "Service"))
		TRY(service_port(object, pod, remote, &number));
	else if (!str_to_int64(remote, 1, 65535, &number)) {
		number = named_port(pod, remote);
		if (!number)
			return user_error("Pod '%s' does not have a named port '%s'", obj_name(pod), remote);
	}
	if (n == 1 && !str_to_int64(remote, 1, 65535, &local))
		local = number;
	if (n == 2 && *parts[0] && !str_to_int64(parts[0], 0, 65535, &local))
		return user_error("error parsing local port '%s': strconv.ParseUint: parsing \"%s\": invalid syntax",
			parts[0], parts[0]);
	*ret = (struct port){(uint16_t)local, (uint16_t)number};
	return NULL;
}

static void on_connection(void *data, uint16_t local)
{
	printf("Handling connection for %u\n", local);
	fflush(stdout);
}

static void on_error(void *data, const char *message)
{
	fprintf(stderr, "E%s\n", message);
}

/* Listens on one address; "localhost" is both loopback addresses, of which the second may fail. */
static struct status *listen_on(struct port_forward *pf, const char *address, struct port *port)
{
	bool both = str_eq(address, "localhost");
	uint16_t actual;
	struct status *s = port_forward_listen(pf, both ? "127.0.0.1" : address, port->local, port->remote, &actual);
	if (s) {
		struct status *named = user_error(
			"unable to listen on port %u: Listeners failed to create with the following errors: [%s]",
			port->local, s->message);
		status_free(s);
		return named;
	}
	printf(strchr(address, ':') ? "Forwarding from [%s]:%u -> %u\n" : "Forwarding from %s:%u -> %u\n",
		both ? "127.0.0.1" : address, actual, port->remote);
	if (both) {
		s = port_forward_listen(pf, "::1", actual, port->remote, &actual);
		if (s)
			status_drop(s, "a host without IPv6 is no error");
		else
			printf("Forwarding from [::1]:%u -> %u\n", actual, port->remote);
	}
	fflush(stdout);
	return NULL;
}

struct stopper {
	sigset_t signals;
	atomic_bool stop;
};

static void *await_signal(void *data)
{
	struct stopper *s = data;
	int number;
	sigwait(&s->signals, &number);
	atomic_store(&s->stop, true);
	return NULL;
}

static struct status *serve(
	struct kubectl *k, const cJSON *pod, const struct flag_list *addresses, struct port *ports, size_t n_ports)
{
	struct client *client;
	CLEANUP(port_forward_freep) struct port_forward *pf = NULL;
	struct stopper *stopper = ARENA_NEW(k->arena, struct stopper);
	TRY(kubectl_client(k, &client));
	sigemptyset(&stopper->signals);
	sigaddset(&stopper->signals, SIGINT);
	sigaddset(&stopper->signals, SIGTERM);
	sigaddset(&stopper->signals, SIGUSR1); /* our own, when there is nothing left to serve */
	pthread_sigmask(SIG_BLOCK, &stopper->signals, NULL);
	TRY(port_forward_new(client, pod_path(k, pod, "portforward"), &pf));
	port_forward_on_connection(pf, on_connection, NULL);
	port_forward_on_error(pf, on_error, NULL);
	for (size_t i = 0; i < n_ports; i++)
		for (size_t j = 0; j < addresses->n_items; j++)
			TRY(listen_on(pf, addresses->items[j], &ports[i]));
	pthread_t thread = thread_start("signals", await_signal, stopper);
	struct status *s = port_forward_run(pf, &stopper->stop);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	return s;
}

static struct status *forward_run(struct kubectl *k, struct call *call)
{
	struct forward_options *o = call->options;
	struct infos infos;
	struct port *ports = NULL;
	size_t n_ports = 0, n_pods;
	cJSON *pod;
	if (call->n_args < 2)
		return usage_error(call, "TYPE/NAME and list of ports are required for port-forward");
	struct selection sel = {
		.args = call->args, .n_args = 1, .default_type = "pods", .flatten = true, .stop_at_error = true};
	TRY(select_objects(k, &sel, &infos));
	TRY(pod_of(k, &infos.items[0], o->timeout_ms, &pod, &n_pods));
	for (size_t i = 1; i < call->n_args; i++) {
		struct port port;
		TRY(parse_port(k, infos.items[0].object, pod, call->args[i], &port));
		ARENA_PUSH(k->arena, ports, n_ports) = port;
	}
	if (!str_eq(obj_string(pod, "status.phase"), "Running"))
		return user_error("unable to forward port because pod is not running. Current status=%s",
			obj_string(pod, "status.phase"));
	return serve(k, pod, &o->addresses, ports, n_ports);
}

const struct command port_forward_command = {
	.name = "port-forward",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Forward one or more local ports to a pod",
	.usage = "TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
	.examples =
		"# port 8080 here to port 80 of a pod of the deployment\nkubectl port-forward deployment/web 8080:80",
	.flags = forward_flags,
	.options_size = sizeof(struct forward_options),
	.run = forward_run,
};
