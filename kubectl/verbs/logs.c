#include "kubectl/logs.h"

#include <pthread.h>
#include "base/workers.h"
#include "kubectl/pods.h"
#include "kubectl/verbs/verbs.h"
#include "net/url.h"

struct logs_options {
	char *container, *selector, *since_time;
	bool all_containers, all_pods, follow, ignore_errors, insecure_backend, prefix, previous, timestamps;
	int64_t limit_bytes, max_requests, timeout_ms, since_ms, tail;
};

#define L(...) OPT(struct logs_options, __VA_ARGS__)
static const struct option logs_flags[] = {
	L(all_containers, 0, "all-containers", FLAG_BOOL, "false", "The logs of all containers of the pod"),
	L(all_pods, 0, "all-pods", FLAG_BOOL, "false", "The logs of all pods of the workload, with a prefix"),
	L(container, 'c', "container", FLAG_STRING, "", "Container"),
	L(follow, 'f', "follow", FLAG_BOOL, "false", "Go on as the log grows"),
	L(ignore_errors, 0, "ignore-errors", FLAG_BOOL, "false",
		"With -f: an error of one log does not end the others"),
	L(insecure_backend, 0, "insecure-skip-tls-verify-backend", FLAG_BOOL, "false",
		"The server need not verify the kubelet it asks"),
	L(limit_bytes, 0, "limit-bytes", FLAG_INT, "0", "At most so many bytes; 0: all"),
	L(max_requests, 0, "max-log-requests", FLAG_INT, "5", "How many logs may be followed at once"),
	L(timeout_ms, 0, "pod-running-timeout", FLAG_DURATION, "20s", "How long to wait for a pod of a workload"),
	L(prefix, 0, "prefix", FLAG_BOOL, "false", "Put pod and container before each line"),
	L(previous, 'p', "previous", FLAG_BOOL, "false", "The log of the container's previous instance"),
	L(selector, 'l', "selector", FLAG_STRING, "", "Select pods by labels"),
	L(since_ms, 0, "since", FLAG_DURATION, "0s", "Only lines newer than this"),
	L(since_time, 0, "since-time", FLAG_STRING, "", "Only lines after this time (RFC 3339)"),
	L(tail, 0, "tail", FLAG_INT, "-1", "Only the last lines; -1: all (10 with a selector)"),
	L(timestamps, 0, "timestamps", FLAG_BOOL, "false", "Put the time before each line"),
	OPT_END,
};

struct sink {
	const char *prefix;
	struct strbuf partial;
};

static void write_whole(const struct sink *sink, const char *line, size_t size)
{
	flockfile(stdout);
	fputs(sink->prefix, stdout);
	fwrite(line, 1, size, stdout);
	funlockfile(stdout);
}

static bool on_data(void *data, const void *bytes, size_t size)
{
	struct sink *sink = data;
	if (!*sink->prefix) {
		bool ok = fwrite(bytes, 1, size, stdout) == size;
		return !fflush(stdout) && ok;
	}
	strbuf_add(&sink->partial, bytes, size);
	const char *newline;
	while ((newline = memchr(sink->partial.buf, '\n', sink->partial.len))) {
		size_t n = (size_t)(newline - sink->partial.buf) + 1;
		write_whole(sink, sink->partial.buf, n);
		strbuf_consume(&sink->partial, n);
	}
	return !fflush(stdout);
}

struct status *log_stream(struct client *client, const struct log_request *request)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct sink sink = {.prefix = request->prefix, .partial = STRBUF_INIT};
	struct client_response response = {0};
	struct http_header accept = {.name = (char *)(uintptr_t) "Accept", .value = (char *)(uintptr_t) "*/*"};
	struct client_request r = {.path = request->path,
		.query = str_empty(request->query) ? NULL : request->query,
		.headers = &accept,
		.n_headers = 1,
		.timeout_ms = -1,
		.on_data = on_data,
		.data = &sink};
	struct status *s = client_do(client, arena, &r, &response);
	if (sink.partial.len) {
		strbuf_addc(&sink.partial, '\n');
		write_whole(&sink, sink.partial.buf, sink.partial.len);
	}
	strbuf_done(&sink.partial);
	return s && response.code ? status_from_server(s) : s;
}

struct plan {
	struct kubectl *k;
	struct logs_options *o;
	struct log_request *requests;
	size_t n_requests;
};

static struct status *since_query(struct kubectl *k, const struct logs_options *o, struct strbuf *query)
{
	if (!str_empty(o->since_time) && o->since_ms)
		return user_error("at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (!str_empty(o->since_time)) {
		int64_t seconds;
		if (!rfc3339_parse(o->since_time, &seconds, NULL))
			return user_error(
				"parsing time \"%s\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"%s\" as \"2006\"",
				o->since_time, o->since_time);
		query_add(query, "sinceTime", rfc3339_format(k->arena, seconds));
	}
	if (o->since_ms)
		query_add_int(query, "sinceSeconds", (o->since_ms + 999) / 1000);
	return NULL;
}

static struct status *add_request(struct plan *p, const cJSON *pod, const char *container)
{
	const struct logs_options *o = p->o;
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	query_add(&query, "container", container);
	if (o->follow)
		query_add(&query, "follow", "true");
	if (o->insecure_backend)
		query_add(&query, "insecureSkipTLSVerifyBackend", "true");
	if (o->limit_bytes)
		query_add_int(&query, "limitBytes", o->limit_bytes);
	if (o->previous)
		query_add(&query, "previous", "true");
	TRY(since_query(p->k, o, &query));
	if (o->tail >= 0)
		query_add_int(&query, "tailLines", o->tail);
	if (o->timestamps)
		query_add(&query, "timestamps", "true");
	struct log_request request = {.path = pod_path(p->k, pod, "log"),
		.query = arena_strdup(p->k->arena, query.buf),
		.prefix = o->prefix ? arena_printf(p->k->arena, "[pod/%s/%s] ", obj_name(pod), container) : "",
		.k = p->k};
	ARENA_PUSH(p->k->arena, p->requests, p->n_requests) = request;
	return NULL;
}

static struct status *add_pod(struct plan *p, const cJSON *pod)
{
	static const char *const lists[] = {"spec.initContainers", "spec.containers", "spec.ephemeralContainers"};
	const cJSON *container;
	if (p->o->all_containers) {
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
			TREE_FOREACH (item, obj_at(pod, lists[i]))
				TRY(add_request(p, pod, obj_string(item, "name")));
		return NULL;
	}
	if (!str_empty(p->o->container) && !pod_container(pod, p->o->container))
		return user_error("container %s is not valid for pod %s", p->o->container, obj_name(pod));
	TRY(choose_container(p->k, pod, p->o->container, p->o->all_pods, &container));
	return add_request(p, pod, obj_string(container, "name"));
}

static struct status *add_selected(struct plan *p)
{
	const char *namespace;
	cJSON **pods;
	size_t n;
	TRY(kubectl_namespace(p->k, &namespace));
	TRY(list_pods(p->k, namespace, p->o->selector, &pods, &n));
	if (!n)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	for (size_t i = 0; i < n; i++)
		TRY(add_pod(p, pods[i]));
	return NULL;
}

static struct status *add_named(struct plan *p, char *arg)
{
	struct kubectl *k = p->k;
	struct infos infos;
	const char *namespace;
	cJSON *pod;
	size_t n;
	struct selection sel = {
		.args = &arg, .n_args = 1, .default_type = "pods", .flatten = true, .stop_at_error = true};
	TRY(kubectl_namespace(k, &namespace));
	struct status *s = select_objects(k, &sel, &infos);
	if (status_is(s, STATUS_NOT_FOUND)) {
		struct status *named =
			user_error("error from server (NotFound): %s in namespace \"%s\"", s->message, namespace);
		status_free(s);
		return named;
	}
	TRY(s);
	if (infos.n_items != 1)
		return user_error("expected a resource");
	TRY(pod_of(k, &infos.items[0], p->o->timeout_ms, &pod, &n));
	if (p->o->all_pods && n > 1) {
		char *selector;
		cJSON **pods;
		TRY(pod_selector(k, infos.items[0].object, &selector));
		TRY(list_pods(k, namespace, selector, &pods, &n));
		for (size_t i = 0; i < n; i++)
			TRY(add_pod(p, pods[i]));
		return NULL;
	}
	if (n > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n", n, obj_name(pod));
	return add_pod(p, pod);
}

static void *follow_thread(void *data)
{
	struct log_request *request = data;
	request->error = log_stream(request->k->client, request);
	return NULL;
}

static struct status *follow_all(struct plan *p)
{
	struct status *errors = NULL;
	if ((int64_t)p->n_requests > p->o->max_requests)
		return user_error(
			"you are attempting to follow %zu log streams, but maximum allowed concurrency is %lld, use "
			"--max-log-requests to increase the limit",
			p->n_requests, (long long)p->o->max_requests);
	pthread_t *threads = ARENA_ARRAY(p->k->arena, pthread_t, p->n_requests);
	for (size_t i = 0; i < p->n_requests; i++)
		threads[i] = thread_start("log", follow_thread, &p->requests[i]);
	for (size_t i = 0; i < p->n_requests; i++) {
		pthread_join(threads[i], NULL);
		if (p->requests[i].error && p->o->ignore_errors) {
			printf("error: %s\n", p->requests[i].error->message);
			status_free(p->requests[i].error);
		} else {
			errors_add(&errors, p->requests[i].error);
		}
	}
	return errors;
}

static struct status *stream_all(struct plan *p)
{
	struct client *client;
	TRY(kubectl_client(p->k, &client));
	if (p->o->follow && p->n_requests > 1)
		return follow_all(p);
	for (size_t i = 0; i < p->n_requests; i++) {
		struct status *s = log_stream(client, &p->requests[i]);
		if (s && p->o->ignore_errors) {
			printf("error: %s\n", s->message);
			status_free(s);
		} else {
			TRY(s);
		}
	}
	return NULL;
}

static struct status *check(struct logs_options *o, struct call *call)
{
	static const char usage[] =
		"expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required "
		"argument for the logs command";
	if (!call->n_args && str_empty(o->selector))
		return usage_error(call, "%s", usage);
	if (call->n_args && !str_empty(o->selector))
		return usage_error(call, "only a selector (-l) or a POD name is allowed");
	if (call->n_args > 2)
		return usage_error(call, "%s", usage);
	if (call->n_args == 2 && !str_empty(o->container))
		return user_error("only one of -c or an inline [CONTAINER] arg is allowed");
	if (call->n_args == 2)
		o->container = call->args[1];
	if (o->all_containers && !str_empty(o->container))
		return user_error("--all-containers=true should not be specified with container name %s", o->container);
	if (call_changed(call, "limit-bytes") && o->limit_bytes <= 0)
		return user_error("--limit-bytes must be greater than 0");
	if (call_changed(call, "since") && o->since_ms <= 0)
		return user_error("--since must be greater than 0");
	if (o->tail < -1)
		return user_error("--tail must be greater than or equal to -1");
	if (!str_empty(o->selector) && !call_changed(call, "tail"))
		o->tail = 10;
	o->prefix |= o->all_pods;
	return NULL;
}

static struct status *logs_run(struct kubectl *k, struct call *call)
{
	struct logs_options *o = call->options;
	struct plan plan = {.k = k, .o = o};
	TRY(check(o, call));
	if (!str_empty(o->selector))
		TRY(add_selected(&plan));
	else
		TRY(add_named(&plan, call->args[0]));
	return stream_all(&plan);
}

const struct command logs_command = {
	.name = "logs",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Print the logs for a container in a pod",
	.usage = "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
	.examples = "# follow a pod's log\nkubectl logs -f web-0\n\n# the last 20 lines of each pod of a deployment\n"
		    "kubectl logs deployment/web --all-pods --tail=20",
	.flags = logs_flags,
	.options_size = sizeof(struct logs_options),
	.run = logs_run,
};
