#include "kubectl/attach.h"
#include "kubectl/await.h"
#include "kubectl/logs.h"
#include "kubectl/override.h"
#include "kubectl/verbs/create/generator.h"
#include "kubectl/verbs/verbs.h"
#include "net/url.h"

struct run_options {
	struct print_options print;
	struct filename_options files;
	struct override_options overrides;
	char *dry_run, *field_manager, *image, *pull_policy, *labels, *port, *restart, *cascade;
	struct flag_list env, annotations;
	bool attach, command, expose, force, leave_stdin_open, privileged, quiet, rm, save_config, stdin_, tty, wait;
	int64_t grace, timeout_ms, running_ms;
};

#define R(...) OPT(struct run_options, __VA_ARGS__)
static const struct option run_flags[] = {
	OPT_GROUP(struct run_options, print, print_flags),
	OPT_GROUP(struct run_options, files, filename_flags),
	OPT_DRY_RUN(struct run_options, dry_run),
	OPT_FIELD_MANAGER(struct run_options, field_manager, "kubectl-run"),
	R(annotations, 0, "annotations", FLAG_STRING_ARRAY, "", "Annotation as key=value"),
	R(attach, 0, "attach", FLAG_BOOL, "false", "Wait for the pod to run and attach to it"),
	OPT_IMPLIED(struct run_options, cascade, 0, "cascade", FLAG_STRING, "background", "background",
		"As for delete, with --rm"),
	R(command, 0, "command", FLAG_BOOL, "false", "The arguments are the command, not its arguments"),
	R(env, 0, "env", FLAG_STRING_ARRAY, "", "Environment variable as name=value"),
	R(expose, 0, "expose", FLAG_BOOL, "false", "Create a service for the pod as well"),
	R(force, 0, "force", FLAG_BOOL, "false", "As for delete, with --rm"),
	R(grace, 0, "grace-period", FLAG_INT, "-1", "As for delete, with --rm"),
	R(image, 0, "image", FLAG_STRING, "", "Image to run"),
	R(pull_policy, 0, "image-pull-policy", FLAG_STRING, "", "Always, IfNotPresent or Never"),
	R(labels, 'l', "labels", FLAG_STRING, "", "Labels as key=value, joined by commas"),
	R(leave_stdin_open, 0, "leave-stdin-open", FLAG_BOOL, "false",
		"Keep standard input open after the first attach"),
	OPT_GROUP(struct run_options, overrides, override_flags),
	R(running_ms, 0, "pod-running-timeout", FLAG_DURATION, "1m0s", "How long to wait for the pod to run"),
	R(port, 0, "port", FLAG_STRING, "", "Port that the container listens on"),
	R(privileged, 0, "privileged", FLAG_BOOL, "false", "Run the container with all privileges"),
	R(quiet, 'q', "quiet", FLAG_BOOL, "false", "Only what the container prints"),
	R(restart, 0, "restart", FLAG_STRING, "Always", "Restart policy: Always, OnFailure, Never"),
	R(rm, 0, "rm", FLAG_BOOL, "false", "Delete the pod when the session ends"),
	R(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	R(stdin_, 'i', "stdin", FLAG_BOOL, "false", "Keep standard input open and attach"),
	R(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "As for delete, with --rm"),
	R(tty, 't', "tty", FLAG_BOOL, "false", "Give the container a terminal"),
	R(wait, 0, "wait", FLAG_BOOL, "false", "As for delete, with --rm"),
	OPT_END,
};

static struct status *check(struct run_options *o, struct call *call)
{
	static const char *const policies[] = {"", "Always", "OnFailure", "Never", NULL};
	static const char *const pulls[] = {"", "Always", "IfNotPresent", "Never", NULL};
	if (!call->n_args || call->dash_dash == 0)
		return usage_error(call, "NAME is required for run");
	if (str_empty(o->image))
		return user_error("--image is required");
	if (strpbrk(o->image, " \t\"'{}\\|^`<>") || o->image[0] == ':' || str_ends_with(o->image, ":"))
		return user_error("Invalid image name \"%s\": invalid reference format", o->image);
	if (o->tty && !o->stdin_)
		return usage_error(call, "-i/--stdin is required for containers with -t/--tty=true");
	if (o->expose && str_empty(o->port))
		return usage_error(call, "--port must be set when exposing a service");
	if (!str_in(o->restart, policies))
		return usage_error(call, "invalid restart policy: %s", o->restart);
	if (!call_changed(call, "attach") && o->stdin_)
		o->attach = true;
	if (!o->attach && o->rm)
		return usage_error(call, "--rm should only be used for attached containers");
	if (o->attach && !str_eq(o->dry_run, "none"))
		return usage_error(call,
			"--dry-run=[server|client] can't be used with attached containers options (--attach, "
			"--stdin, or --tty)");
	if (!str_in(o->pull_policy, pulls))
		return usage_error(call, "invalid image pull policy: %s", o->pull_policy);
	return NULL;
}

static struct status *set_pairs(struct kubectl *k, cJSON *map, const char *text, const char *what)
{
	char **parts, *key, *value;
	size_t n = str_split(k->arena, text, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(k->arena, parts[i], &key, &value))
			return user_error("unexpected %s spec: %s", what, parts[i]);
		tree_set_string(k->arena, map, key, value);
	}
	return NULL;
}

static struct status *build_container(struct kubectl *k, struct call *call, cJSON *spec)
{
	struct run_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *container = tree_new_object(arena);
	int64_t port;
	tree_set_string(arena, container, "name", call->args[0]);
	tree_set_string(arena, container, "image", o->image);
	if (call->n_args > 1)
		append_strings(arena, obj_array(arena, container, o->command ? "command" : "args"), call->args + 1,
			call->n_args - 1);
	if (!str_empty(o->port)) {
		if (!str_to_int64(o->port, 1, 65535, &port))
			return user_error("strconv.Atoi: parsing \"%s\": invalid syntax", o->port);
		cJSON *entry = tree_new_object(arena);
		obj_set_int(arena, entry, "containerPort", port);
		tree_append(obj_array(arena, container, "ports"), entry);
	}
	for (size_t i = 0; i < o->env.n_items; i++) {
		char *key, *value;
		if (!split_pair(arena, o->env.items[i], &key, &value) || !*key)
			return user_error("invalid env: %s", o->env.items[i]);
		cJSON *entry = tree_new_object(arena);
		tree_set_string(arena, entry, "name", key);
		tree_set_string(arena, entry, "value", value);
		tree_append(obj_array(arena, container, "env"), entry);
	}
	obj_object(arena, container, "resources");
	if (!str_empty(o->pull_policy))
		tree_set_string(arena, container, "imagePullPolicy", o->pull_policy);
	if (o->stdin_)
		obj_set_bool(arena, container, "stdin", true);
	if (o->stdin_ && !o->leave_stdin_open)
		obj_set_bool(arena, container, "stdinOnce", true);
	if (o->tty)
		obj_set_bool(arena, container, "tty", true);
	if (o->privileged)
		obj_set_bool(arena, container, "securityContext.privileged", true);
	tree_append(obj_array(arena, spec, "containers"), container);
	return NULL;
}

static struct status *build_pod(struct kubectl *k, struct call *call, cJSON **ret)
{
	struct run_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *pod = obj_new(arena, "v1", "Pod", call->args[0]);
	for (size_t i = 0; i < o->annotations.n_items; i++)
		TRY(set_pairs(
			k, obj_object(arena, pod, "metadata.annotations"), o->annotations.items[i], "annotation"));
	cJSON *labels = obj_object(arena, pod, "metadata.labels");
	if (str_empty(o->labels))
		tree_set_string(arena, labels, "run", call->args[0]);
	else
		TRY(set_pairs(k, labels, o->labels, "label"));
	cJSON *spec = obj_object(arena, pod, "spec");
	TRY(build_container(k, call, spec));
	tree_set_string(arena, spec, "restartPolicy", str_or(o->restart, "Always"));
	tree_set_string(arena, spec, "dnsPolicy", "ClusterFirst");
	obj_object(arena, pod, "status");
	*ret = pod;
	return override_apply(arena, &o->overrides, &CoreV1Pod_schema, ret);
}

static cJSON *build_service(struct kubectl *k, struct call *call, const cJSON *pod)
{
	struct run_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *service = obj_new(arena, "v1", "Service", call->args[0]), *port = tree_new_object(arena);
	int64_t number = 0;
	(void)str_to_int64(o->port, 1, 65535, &number);
	tree_set_string(arena, port, "protocol", "TCP");
	obj_set_int(arena, port, "port", number);
	obj_set_int(arena, port, "targetPort", number);
	tree_append(obj_array(arena, service, "spec.ports"), port);
	obj_set(arena, service, "spec.selector", tree_copy(arena, obj_at(pod, "metadata.labels")));
	obj_object(arena, service, "status.loadBalancer");
	return service;
}

static struct status *send_object(
	struct kubectl *k, const struct run_options *o, enum dry_run dry_run, struct info *info)
{
	struct send_options send = {.dry_run = dry_run, .field_manager = o->field_manager};
	const char *namespace;
	TRY(kubectl_namespace(k, &namespace));
	info->namespace = namespace;
	info->name = obj_name(info->object);
	if (dry_run == DRY_RUN_CLIENT) {
		if (!str_empty(k->global.namespace))
			obj_set_string(k->arena, info->object, "metadata.namespace", namespace);
		return NULL;
	}
	TRY(mapping_of_object(k, info->object, &info->mapping));
	if (*obj_namespace(info->object))
		info->namespace = obj_namespace(info->object);
	if (o->save_config)
		set_last_applied(k->arena, info->object);
	return send_create(k, info->mapping, info->namespace, info->object, &send, &info->object);
}

static struct status *check_started(void *data, const cJSON *pod, enum await_answer *ret)
{
	cJSON **last = data;
	const char *phase = obj_string(pod, "status.phase");
	if (!pod)
		return user_error("pod was deleted");
	*last = (cJSON *)(uintptr_t)pod;
	bool ready = false;
	TREE_FOREACH (c, obj_at(pod, "status.conditions"))
		ready |= str_eq(obj_string(c, "type"), "Ready") && str_eq(obj_string(c, "status"), "True");
	if (str_eq(phase, "Succeeded") || str_eq(phase, "Failed") || (str_eq(phase, "Running") && ready))
		*ret = AWAIT_DONE;
	return NULL;
}

static struct status *check_ended(void *data, const cJSON *pod, enum await_answer *ret)
{
	const bool *only_success = data;
	const char *phase = obj_string(pod, "status.phase");
	if (!pod)
		return user_error("pod was deleted");
	if (str_eq(phase, "Succeeded") || (!*only_success && str_eq(phase, "Failed")))
		*ret = AWAIT_DONE;
	return NULL;
}

static struct status *print_log(struct kubectl *k, const cJSON *pod)
{
	struct client *client;
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	TRY(kubectl_client(k, &client));
	query_add(&query, "container", obj_string(pod, "spec.containers.0.name"));
	struct log_request request = {.path = pod_path(k, pod, "log"), .query = query.buf, .prefix = "", .k = k};
	return log_stream(client, &request);
}

/* Attaches to the pod once it runs; one that ended already shows its log instead. */
static struct status *session(struct kubectl *k, const struct run_options *o, struct info *info)
{
	cJSON *last = NULL;
	struct await await = {.check = check_started, .data = &last, .timeout_ms = o->running_ms};
	if (!o->quiet && o->stdin_ && o->tty)
		fputs("", stderr);
	TRY(await_object(k, info, &await));
	TRY(info_fetch(k, info));
	const char *phase = obj_string(info->object, "status.phase");
	if (str_eq(phase, "Succeeded") || str_eq(phase, "Failed"))
		return print_log(k, info->object);
	struct attach_request request = {
		.stdin_ = o->stdin_, .tty = o->tty, .quiet = o->quiet, .command_name = "kubectl attach"};
	struct status *s = attach_to(k, info->object, &request);
	if (!s)
		return NULL;
	fprintf(stderr, "warning: couldn't attach to pod/%s, falling back to streaming logs: %s\n", info->name,
		s->message);
	status_free(s);
	return print_log(k, info->object);
}

static struct status *exit_state(struct kubectl *k, const struct run_options *o, struct info *info)
{
	bool only_success = str_eq(o->restart, "OnFailure");
	struct await await = {.check = check_ended, .data = &only_success, .timeout_ms = o->running_ms};
	if (o->leave_stdin_open || str_eq(str_or(o->restart, "Always"), "Always"))
		return NULL;
	TRY(await_object(k, info, &await));
	TRY(info_fetch(k, info));
	if (str_eq(obj_string(info->object, "status.phase"), "Succeeded"))
		return NULL;
	const cJSON *ended = obj_at(info->object, "status.containerStatuses.0.state.terminated");
	int64_t code = obj_int(ended, "exitCode", 0);
	if (!code)
		return user_error("pod %s/%s failed with unknown exit code", info->namespace, info->name);
	k->exit_code = (int)code;
	fprintf(stderr, "pod %s/%s terminated (%s)\n%s\n", info->namespace, info->name, obj_string(ended, "reason"),
		obj_string(ended, "message"));
	return NULL;
}

static struct status *remove_object(struct kubectl *k, const struct run_options *o, struct info *info)
{
	struct delete_options how = {.grace_seconds = o->force && o->grace < 0 ? 0 : o->grace};
	TRY(parse_cascade(o->cascade, &how.propagation));
	struct status *s = send_delete(k, info, &how, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "it is gone already");
		return NULL;
	}
	TRY(s);
	if (!o->quiet)
		printf("%s \"%s\" deleted from %s namespace\n", mapping_kind_group(k->arena, info->mapping), info->name,
			info->namespace);
	return o->wait ? await_deletion(k, info, NULL, o->timeout_ms ? o->timeout_ms : -1) : NULL;
}

static struct status *run_run(struct kubectl *k, struct call *call)
{
	struct run_options *o = call->options;
	enum dry_run dry_run;
	struct info pod = {0}, service = {0};
	o->print.in_order = true;
	TRY(check(o, call));
	TRY(dry_run_parse(o->dry_run, &dry_run));
	TRY(build_pod(k, call, &pod.object));
	if (o->expose)
		service.object = build_service(k, call, pod.object);
	TRY(send_object(k, o, dry_run, &pod));
	if (o->expose) {
		TRY(send_object(k, o, dry_run, &service));
		TRY(print_result(k, &o->print, "created", dry_run, service.object));
		if (print_wants_object(&o->print))
			fputs("---\n", stdout);
	}
	if (!o->attach)
		return print_result(k, &o->print, "created", dry_run, pod.object);
	struct status *errors = session(k, o, &pod);
	if (!errors)
		errors = exit_state(k, o, &pod);
	if (o->rm)
		errors_add(&errors, remove_object(k, o, &pod));
	if (o->rm && o->expose)
		errors_add(&errors, remove_object(k, o, &service));
	return errors;
}

const struct command run_command = {
	.name = "run",
	.section = "Basic Commands (Beginner):",
	.summary = "Run a particular image on the cluster",
	.usage = "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] "
		 "[--overrides=inline-json] "
		 "[--command] -- [COMMAND] [args...]",
	.flags = run_flags,
	.options_size = sizeof(struct run_options),
	.run = run_run,
};
