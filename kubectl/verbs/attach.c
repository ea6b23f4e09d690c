#include "kubectl/attach.h"
#include "kubectl/verbs/verbs.h"

struct attach_options {
	char *container;
	bool stdin_, tty, quiet;
	int64_t timeout_ms;
};

#define A(...) OPT(struct attach_options, __VA_ARGS__)
static const struct option attach_flags[] = {
	A(container, 'c', "container", FLAG_STRING, "", "Container; without it the default one of the pod"),
	A(timeout_ms, 0, "pod-running-timeout", FLAG_DURATION, "1m0s", "How long to wait for a pod of a workload"),
	A(quiet, 'q', "quiet", FLAG_BOOL, "false", "Only what the container prints"),
	A(stdin_, 'i', "stdin", FLAG_BOOL, "false", "Pass standard input on"),
	A(tty, 't', "tty", FLAG_BOOL, "false", "Standard input is a terminal"),
	OPT_END,
};

static void print_hint(const cJSON *pod, const cJSON *container, const char *command)
{
	TREE_FOREACH (owner, obj_at(pod, "metadata.ownerReferences"))
		if (obj_bool(owner, "controller"))
			return;
	if (!str_eq(obj_string(pod, "spec.restartPolicy"), "Always") || !obj_bool(container, "stdin") ||
		!obj_bool(container, "tty"))
		return;
	printf("Session ended, resume using '%s %s -c %s -i -t' command when the pod is running\n", command,
		obj_name(pod), obj_string(container, "name"));
}

struct status *attach_to(struct kubectl *k, const cJSON *pod, const struct attach_request *r)
{
	const cJSON *container;
	const char *phase = obj_string(pod, "status.phase");
	int code;
	if (str_eq(phase, "Succeeded") || str_eq(phase, "Failed"))
		return user_error("cannot attach a container in a completed pod; current phase is %s", phase);
	TRY(choose_container(k, pod, r->container, r->quiet, &container));
	bool tty = r->tty && r->stdin_;
	if (tty && !obj_bool(container, "tty")) {
		tty = false;
		if (!r->quiet)
			fprintf(stderr, "error: Unable to use a TTY - container %s did not allocate one\n",
				obj_string(container, "name"));
	}
	bool remote_tty = tty || (obj_bool(container, "tty") && !r->stdin_);
	if (tty && !isatty(0)) {
		tty = false;
		fputs("Unable to use a TTY - input is not a terminal or the right kind of file\n", stderr);
	}
	if (tty && !r->quiet)
		fputs("All commands and output from this session will be recorded in container logs, including "
		      "credentials and "
		      "sensitive information passed through the command prompt.\nIf you don't see a command prompt, "
		      "try pressing "
		      "enter.\n",
			stderr);
	struct remote_options remote = {.container = obj_string(container, "name"),
		.stdin_fd = r->stdin_ ? 0 : -1,
		.stdout_fd = 1,
		.stderr_fd = 2,
		.tty = tty || remote_tty,
		.attach = true};
	TRY(remote_run(k, pod, &remote, &code));
	if (r->stdin_ && tty && !r->quiet)
		print_hint(pod, container, r->command_name);
	if (code) {
		k->exit_code = code;
		fprintf(stderr, "command terminated with exit code %d\n", code);
	}
	return NULL;
}

static struct status *attach_run(struct kubectl *k, struct call *call)
{
	struct attach_options *o = call->options;
	const char *arg;
	cJSON *pod;
	if (!call->n_args)
		return user_error("at least 1 argument is required for attach");
	if (call->n_args > 2)
		return user_error("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw %zu: [%s]",
			call->n_args, str_join(k->arena, call->args, call->n_args, " "));
	if (o->timeout_ms <= 0)
		return user_error("--pod-running-timeout must be higher than zero");
	arg = call->n_args == 1 ? call->args[0] : arena_printf(k->arena, "%s/%s", call->args[0], call->args[1]);
	TRY(find_pod(k, NULL, arg, o->timeout_ms, &pod));
	struct attach_request request = {.container = o->container,
		.stdin_ = o->stdin_,
		.tty = o->tty,
		.quiet = o->quiet,
		.command_name = "kubectl attach"};
	return attach_to(k, pod, &request);
}

const struct command attach_command = {
	.name = "attach",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Attach to a running container",
	.usage = "(POD | TYPE/NAME) -c CONTAINER",
	.flags = attach_flags,
	.options_size = sizeof(struct attach_options),
	.run = attach_run,
};
