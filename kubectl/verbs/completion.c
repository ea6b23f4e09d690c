/*
 * Completion for bash: the shell function asks the program itself ("kubectl __complete words...") what may follow.
 */
#include "kubectl/builder.h"
#include "kubectl/verbs/verbs.h"

static const char bash_script[] =
	"# bash completion for kubectl\n"
	"__kubectl_complete()\n"
	"{\n"
	"    local cur=\"${COMP_WORDS[COMP_CWORD]}\" line\n"
	"    COMPREPLY=()\n"
	"    while IFS= read -r line; do\n"
	"        [[ $line == \"$cur\"* ]] && COMPREPLY+=(\"$line\")\n"
	"    done < <(\"${COMP_WORDS[0]}\" __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then\n"
	"        compopt -o default 2>/dev/null\n"
	"    fi\n"
	"}\n"
	"complete -F __kubectl_complete kubectl\n";

static struct status *bash_run(struct kubectl *k, struct call *call)
{
	fputs(bash_script, stdout);
	return NULL;
}

static struct status *completion_run(struct kubectl *k, struct call *call)
{
	if (!call->n_args)
		return usage_error(call, "Shell not specified.");
	if (call->n_args > 1)
		return usage_error(call, "Too many arguments. Expected only the shell type.");
	return usage_error(call, "Unsupported shell type \"%s\".", call->args[0]);
}

static void complete_flags(struct kubectl *k, const struct command *command)
{
	const struct option *tables[] = {command->flags, global_flags};
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		size_t n;
		struct option *items = command_flatten(k->arena, tables[t], 0, &n);
		for (size_t i = 0; i < n; i++)
			if (!items[i].hidden)
				printf("--%s\n", items[i].name);
	}
}

static struct status *complete_types(struct kubectl *k)
{
	struct discovery *discovery;
	const struct api_resource *const *items;
	size_t n;
	TRY(kubectl_discovery(k, &discovery));
	TRY(discovery_preferred_resources(discovery, &items, &n));
	for (size_t i = 0; i < n; i++)
		puts(items[i]->rest.plural);
	return NULL;
}

static struct status *complete_names(struct kubectl *k, char *type, const char *prefix)
{
	struct infos infos;
	struct selection sel = {.args = &type, .n_args = 1, .list_without_selector = true, .flatten = true};
	TRY(select_objects(k, &sel, &infos));
	for (size_t i = 0; i < infos.n_items; i++)
		printf("%s%s\n", prefix, infos.items[i].name);
	return NULL;
}

/* Verbs whose arguments are names of one type. */
static const struct {
	const char *verb, *type;
} typed[] = {{"logs", "pods"}, {"exec", "pods"}, {"attach", "pods"}, {"port-forward", "pods"}, {"cordon", "nodes"},
	{"uncordon", "nodes"}, {"drain", "nodes"}};

static struct status *complete_args(struct kubectl *k, const struct command *command, char **words, size_t n)
{
	char *last = n ? words[n - 1] : (char *)(uintptr_t) "";
	size_t n_names = 0;
	char *type = NULL;
	for (size_t i = 0; i + 1 < n; i++) {
		if (words[i][0] == '-')
			continue;
		if (!n_names++)
			type = words[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		if (str_eq(command->name, typed[i].verb))
			return n_names ? NULL : complete_names(k, arena_strdup(k->arena, typed[i].type), "");
	if (strchr(last, '/')) {
		char *of = arena_strndup(k->arena, last, strcspn(last, "/"));
		return complete_names(k, of, arena_printf(k->arena, "%s/", of));
	}
	return type ? complete_names(k, type, "") : complete_types(k);
}

static struct status *complete_run(struct kubectl *k, struct call *call)
{
	const struct command *command = &root_command;
	size_t i = 0;
	for (; i + 1 < call->n_args; i++) {
		const char *word = call->args[i];
		if ((str_eq(word, "-n") || str_eq(word, "--namespace")) && i + 2 < call->n_args)
			k->global.namespace = call->args[i + 1];
		const struct command *child = command_child(command, word);
		if (!child)
			break;
		command = child;
	}
	const char *last = call->n_args ? call->args[call->n_args - 1] : "";
	if (*last == '-') {
		complete_flags(k, command);
		return NULL;
	}
	for (const struct command *const *c = command->children; c && *c && i + 1 >= call->n_args; c++)
		if ((*c)->summary)
			puts((*c)->name);
	if (command == &root_command || !command->flags)
		return NULL;
	struct status *s = complete_args(k, command, call->args + i, call->n_args - i);
	status_drop(s, "a completion that fails offers nothing");
	return NULL;
}

static const struct command bash_command = {
	.name = "bash",
	.summary = "Print the completion script for bash",
	.run = bash_run,
};
static const struct command *const children[] = {&bash_command, NULL};
const struct command completion_command = {
	.name = "completion",
	.section = "Settings Commands:",
	.summary = "Output shell completion code for the specified shell (bash)",
	.usage = "SHELL",
	.examples = "# in this shell\nsource <(kubectl completion bash)",
	.children = children,
	.run = completion_run,
};
const struct command complete_command = {
	.name = "__complete",
	.run = complete_run,
	.raw_args = true,
};
