#include "kubectl/pods.h"
#include "kubectl/verbs/verbs.h"

struct exec_options {
	struct filename_options files;
	char *container;
	bool stdin_, tty, quiet;
	int64_t timeout_ms;
};

#define E(...) OPT(struct exec_options, __VA_ARGS__)
static const struct option exec_flags[] = {
	E(files.filenames, 'f', "filename", FLAG_STRINGS, "", "File that names the pod or workload"),
	E(container, 'c', "container", FLAG_STRING, "", "Container; without it the default one of the pod"),
	E(timeout_ms, 0, "pod-running-timeout", FLAG_DURATION, "1m0s", "How long to wait for a pod of a workload"),
	E(quiet, 'q', "quiet", FLAG_BOOL, "false", "Only what the command prints"),
	E(stdin_, 'i', "stdin", FLAG_BOOL, "false", "Pass standard input on"),
	E(tty, 't', "tty", FLAG_BOOL, "false", "Standard input is a terminal"),
	OPT_END,
};

static struct status *split_args(
	struct call *call, const struct exec_options *o, const char **ret_pod, size_t *ret_first)
{
	bool files = o->files.filenames.n_items > 0;
	if (call->n_args && call->dash_dash < 0 && !files)
		return usage_error(
			call, "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead");
	if (!files && (!call->n_args || call->dash_dash == 0))
		return user_error("pod, type/name or --filename must be specified");
	*ret_pod = files ? NULL : call->args[0];
	*ret_first = call->dash_dash < 0 ? 0 : (size_t)call->dash_dash;
	if (*ret_first >= call->n_args)
		return user_error("you must specify at least one command for the container");
	return NULL;
}

static struct status *exec_run(struct kubectl *k, struct call *call)
{
	struct exec_options *o = call->options;
	const char *arg = NULL;
	size_t first = 0;
	cJSON *pod;
	int code;
	TRY(split_args(call, o, &arg, &first));
	TRY(find_pod(k, &o->files, arg, o->timeout_ms, &pod));
	const char *phase = obj_string(pod, "status.phase");
	if (str_eq(phase, "Succeeded") || str_eq(phase, "Failed"))
		return user_error("cannot exec into a container in a completed pod; current phase is %s", phase);
	if (str_empty(o->container)) { /* whether a container that is named exists is for the server to say */
		const cJSON *chosen;
		TRY(choose_container(k, pod, NULL, o->quiet, &chosen));
		o->container = arena_strdup(k->arena, obj_string(chosen, "name"));
	}
	bool tty = o->tty && o->stdin_;
	if (tty && !isatty(0)) {
		tty = false;
		if (!o->quiet)
			fputs("Unable to use a TTY - input is not a terminal or the right kind of file\n", stderr);
	}
	struct remote_options remote = {.container = o->container,
		.command = call->args + first,
		.n_command = call->n_args - first,
		.stdin_fd = o->stdin_ ? 0 : -1,
		.stdout_fd = 1,
		.stderr_fd = 2,
		.tty = tty};
	TRY(remote_run(k, pod, &remote, &code));
	if (!code)
		return NULL;
	k->exit_code = code;
	if (!o->quiet)
		fprintf(stderr, "command terminated with exit code %d\n", code);
	return NULL;
}

const struct command exec_command = {
	.name = "exec",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Execute a command in a container",
	.usage = "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
	.examples = "# a shell\nkubectl exec -it web-0 -- sh\n\n# standard input into a file of the container\n"
		    "echo hello | kubectl exec -i web-0 -- sh -c 'cat > /tmp/x'",
	.flags = exec_flags,
	.options_size = sizeof(struct exec_options),
	.run = exec_run,
};
