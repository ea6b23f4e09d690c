#include "kubectl/describe/describe.h"
#include "kubectl/verbs/verbs.h"

struct describe_options {
	struct filename_options files;
	char *selector;
	bool all_namespaces, show_events;
	int64_t chunk_size;
};

#define D(...) OPT(struct describe_options, __VA_ARGS__)
static const struct option describe_flags[] = {
	OPT_GROUP(struct describe_options, files, filename_flags),
	D(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	D(chunk_size, 0, "chunk-size", FLAG_INT, "500", "Fetch long lists in pieces of this size"),
	D(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	D(show_events, 0, "show-events", FLAG_BOOL, "true", "Show the events of the object"),
	OPT_END,
};

/* Objects whose names begin with what was given, where none has it as its name. */
static struct status *describe_prefixed(
	struct kubectl *k, const struct describe_options *o, struct call *call, struct status *original)
{
	struct infos infos;
	bool found = false;
	struct selection sel = {.args = call->args,
		.n_args = 1,
		.list_without_selector = true,
		.single_type = true,
		.flatten = true,
		.chunk_size = o->chunk_size};
	struct status *s = select_objects(k, &sel, &infos);
	for (size_t i = 0; !s && i < infos.n_items; i++) {
		CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
		if (!str_starts_with(infos.items[i].name, call->args[1]))
			continue;
		s = describe_object(k, &infos.items[i], o->show_events, &text);
		printf("%s\n", text.buf);
		found = true;
	}
	if (!found && !s)
		return original;
	status_free(original);
	return s;
}

static struct status *describe_run(struct kubectl *k, struct call *call)
{
	struct describe_options *o = call->options;
	struct infos infos;
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.all_namespaces = o->all_namespaces,
		.list_without_selector = true,
		.flatten = true,
		.latest = true,
		.chunk_size = o->chunk_size};
	if (!call->n_args && !has_files(&o->files)) {
		fputs("error: You must specify the type of resource to describe. Use \"kubectl api-resources\" for a "
		      "complete list "
		      "of supported resources.\n",
			stderr);
		k->exit_code = 1;
		return NULL;
	}
	struct status *errors = select_objects(k, &sel, &infos);
	if (status_is(errors, STATUS_NOT_FOUND) && call->n_args == 2 && !infos.n_items)
		return describe_prefixed(k, o, call, errors);
	for (size_t i = 0; i < infos.n_items; i++) {
		CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
		struct status *s = describe_object(k, &infos.items[i], o->show_events, &text);
		if (s)
			errors_add(&errors, s);
		else
			printf("%s%s", i ? "\n\n" : "", text.buf);
	}
	if (!infos.n_items && !errors) {
		const char *namespace;
		TRY(kubectl_namespace(k, &namespace));
		if (o->all_namespaces)
			fputs("No resources found\n", stderr);
		else
			fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	}
	return errors;
}

const struct command describe_command = {
	.name = "describe",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Show details of a specific resource or group of resources",
	.usage = "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
	.flags = describe_flags,
	.options_size = sizeof(struct describe_options),
	.run = describe_run,
};
