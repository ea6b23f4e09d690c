/*
 * kubectl config: kubeconfig files as trees, so that what this program does not know survives an edit.
 */
#include "api/yaml.h"
#include "base/encode.h"
#include "base/io.h"
#include "kubectl/builder.h"
#include "kubectl/printer.h"
#include "kubectl/verbs/config.h"
#include "kubectl/verbs/verbs.h"

#define CONFIG_MAX_BYTES (16u << 20)

struct status *config_read(struct kubectl *k, const char *path, cJSON **ret)
{
	char *data;
	size_t size;
	struct status *s = io_read_file(path, CONFIG_MAX_BYTES, &data, &size);
	*ret = NULL;
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "a file that is not there yet is an empty one");
	} else if (s) {
		return status_with_code(s, 1);
	} else {
		s = yaml_parse(k->arena, data, size, NULL, ret);
		free(data);
		if (s)
			return status_with_code(status_wrap(s, "error loading config file \"%s\"", path), 1);
	}
	if (!cJSON_IsObject(*ret)) {
		*ret = tree_new_object(k->arena);
		tree_set_string(k->arena, *ret, "apiVersion", "v1");
		tree_set_string(k->arena, *ret, "kind", "Config");
	}
	return NULL;
}

/* The keys that the original always writes. */
static void complete(struct arena *arena, cJSON *config)
{
	static const char *const keys[] = {"clusters", "contexts", "users"};
	tree_set_string(arena, config, "apiVersion", "v1");
	tree_set_string(arena, config, "kind", "Config");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!tree_size(tree_get(config, keys[i])))
			tree_set(arena, config, keys[i], tree_new_null(arena));
	if (!tree_get(config, "current-context"))
		tree_set_string(arena, config, "current-context", "");
	if (tree_get(config, "preferences") && !tree_size(tree_get(config, "preferences")))
		tree_set(arena, config, "preferences", tree_new_object(arena));
}

struct status *config_write(struct kubectl *k, const char *path, cJSON *config)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	complete(k->arena, config);
	yaml_print_tree(&text, config);
	char *dir = arena_strdup(k->arena, path), *slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = 0;
		TRY(io_mkdirs(dir, 0755));
	}
	return io_write_file(path, text.buf, text.len, 0600);
}

static const char *inner_key(const char *list)
{
	return str_eq(list, "clusters") ? "cluster" : str_eq(list, "users") ? "user" : "context";
}

cJSON *config_entry(const cJSON *config, const char *list, const char *name)
{
	TREE_FOREACH (item, tree_get(config, list))
		if (str_eq(obj_string(item, "name"), name))
			return item;
	return NULL;
}

cJSON *config_add(struct arena *arena, cJSON *config, const char *list, const char *name)
{
	cJSON *entry = config_entry(config, list, name), *items = tree_get(config, list);
	if (!cJSON_IsArray(items)) {
		items = tree_new_array(arena);
		tree_set(arena, config, list, items);
	}
	if (!entry) {
		size_t at = 0;
		entry = tree_new_object(arena);
		tree_set_string(arena, entry, "name", name);
		TREE_FOREACH (item, items)
			at += strcmp(obj_string(item, "name"), name) < 0;
		tree_insert(items, at, entry);
	}
	return obj_object(arena, entry, inner_key(list));
}

static bool remove_entry(cJSON *config, const char *list, const char *name)
{
	size_t i = 0;
	TREE_FOREACH (item, tree_get(config, list)) {
		if (str_eq(obj_string(item, "name"), name)) {
			(void)tree_remove_at(tree_get(config, list), i);
			return true;
		}
		i++;
	}
	return false;
}

/* The file that holds an entry, else the one that new entries go to. list NULL: the current context. */
struct status *config_file_of(
	struct kubectl *k, const char *list, const char *name, const char **ret_path, cJSON **ret_config)
{
	char **paths;
	size_t n;
	const char *fallback = NULL;
	kubeconfig_paths(k->arena, k->global.kubeconfig, &paths, &n);
	for (size_t i = 0; i < n; i++) {
		TRY(config_read(k, paths[i], ret_config));
		*ret_path = paths[i];
		if (list ? config_entry(*ret_config, list, name) != NULL
			 : *obj_string(*ret_config, "current-context") != 0)
			return NULL;
		if (!fallback && io_exists(paths[i]))
			fallback = paths[i];
	}
	*ret_path = fallback ? fallback : paths[n - 1];
	return config_read(k, *ret_path, ret_config);
}

struct status *config_merged(struct kubectl *k, cJSON **ret)
{
	ClientcmdV1Config *config;
	struct status *s = kubeconfig_merged(k->arena, k->global.kubeconfig, &config);
	if (s)
		return status_with_code(s, 1);
	*ret = tree_from_typed(k->arena, config);
	return NULL;
}

/* --- view and get --- */

struct config_options {
	struct print_options print;
	bool flatten, minify, raw, merge, no_headers, raw_bytes;
};

static const struct option view_flags[] = {
	OPT_GROUP(struct config_options, print, print_flags),
	OPT(struct config_options, flatten, 0, "flatten", FLAG_BOOL, "false", "Read referenced files into the output"),
	OPT_IMPLIED(struct config_options, merge, 0, "merge", FLAG_BOOL, "true", "true", "Merge the files"),
	OPT(struct config_options, minify, 0, "minify", FLAG_BOOL, "false", "Only what the current context uses"),
	OPT(struct config_options, raw, 0, "raw", FLAG_BOOL, "false", "Show secrets and certificate data"),
	OPT_END,
};

static void keep_only(struct arena *arena, cJSON *config, const char *list, const char *name)
{
	cJSON *entry = config_entry(config, list, name), *copy = entry ? tree_copy(arena, entry) : NULL;
	cJSON *items = tree_new_array(arena);
	if (copy)
		tree_append(items, copy);
	tree_set(arena, config, list, items);
}

static struct status *minify(struct kubectl *k, cJSON *config)
{
	const char *context = str_or(k->global.context, obj_string(config, "current-context"));
	const cJSON *entry = config_entry(config, "contexts", context);
	if (!*context)
		return user_error("current-context must exist in order to minify");
	if (!entry)
		return user_error("cannot locate context %s", context);
	char *cluster = arena_strdup(k->arena, obj_string(entry, "context.cluster"));
	char *user = arena_strdup(k->arena, obj_string(entry, "context.user"));
	context = arena_strdup(k->arena, context);
	tree_set_string(k->arena, config, "current-context", context);
	keep_only(k->arena, config, "contexts", context);
	keep_only(k->arena, config, "clusters", cluster);
	keep_only(k->arena, config, "users", user);
	return NULL;
}

static void redact(struct arena *arena, cJSON *object, const char *field, const char *with)
{
	if (*obj_string(object, field))
		tree_set_string(arena, object, field, with);
}

static void redact_all(struct arena *arena, cJSON *config)
{
	TREE_FOREACH (item, tree_get(config, "users")) {
		cJSON *user = tree_get(item, "user");
		redact(arena, user, "client-certificate-data", "DATA+OMITTED");
		redact(arena, user, "client-key-data", "DATA+OMITTED");
		redact(arena, user, "token", "REDACTED");
		redact(arena, user, "password", "REDACTED");
	}
	TREE_FOREACH (item, tree_get(config, "clusters"))
		redact(arena, tree_get(item, "cluster"), "certificate-authority-data", "DATA+OMITTED");
}

static struct status *view_run(struct kubectl *k, struct call *call)
{
	struct config_options *o = call->options;
	ClientcmdV1Config *typed;
	struct printer *printer;
	if (call->n_args)
		return usage_error(
			call, "unexpected arguments: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	struct status *s = kubeconfig_merged(k->arena, k->global.kubeconfig, &typed);
	if (s)
		return status_with_code(s, 1);
	if (o->flatten)
		TRY(kubeconfig_flatten(k->arena, typed, "."));
	cJSON *config = tree_from_typed(k->arena, typed);
	if (o->minify)
		TRY(minify(k, config));
	if (!o->raw && !o->flatten)
		redact_all(k->arena, config);
	complete(k->arena, config);
	cJSON *ordered = obj_new(k->arena, "v1", "Config", NULL), *member;
	while ((member = config->child)) {
		char *name = arena_strdup(k->arena, member->string);
		tree_set(k->arena, ordered, name, tree_remove(config, name));
	}
	config = ordered;
	if (str_empty(o->print.output) && str_empty(o->print.template))
		o->print.output = arena_strdup(k->arena, "yaml");
	o->print.in_order = true;
	TRY(printer_new(k, &o->print, NULL, &printer));
	return printer_print(printer, config, stdout);
}

static const struct option contexts_flags[] = {
	OPT(struct config_options, no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	OPT(struct config_options, print.output, 'o', "output", FLAG_STRING, "", "name: names only"),
	OPT_END,
};

static int by_entry_name(const void *a, const void *b)
{
	return strcmp(obj_string(*(cJSON *const *)a, "name"), obj_string(*(cJSON *const *)b, "name"));
}

static cJSON **sorted_entries(struct arena *arena, const cJSON *config, const char *list, size_t *n)
{
	cJSON **items = NULL;
	*n = 0;
	TREE_FOREACH (item, tree_get(config, list))
		ARENA_PUSH(arena, items, *n) = item;
	if (*n)
		qsort(items, *n, sizeof(*items), by_entry_name);
	return items;
}

static struct status *get_contexts_run(struct kubectl *k, struct call *call)
{
	struct config_options *o = call->options;
	cJSON *config = NULL;
	size_t n;
	struct tabwriter w;
	struct status *errors = NULL;
	bool names = str_eq(o->print.output, "name");
	if (!names && !str_empty(o->print.output))
		return user_error(
			"--output %s is not available in kubectl config get-contexts; resetting to default output "
			"format",
			o->print.output);
	TRY(config_merged(k, &config));
	cJSON **items = sorted_entries(k->arena, config, "contexts", &n);
	tabwriter_init(&w, k->arena, 6, 3, false, stdout);
	if (!names && !o->no_headers)
		tabwriter_adds(&w, "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
	for (size_t i = 0; i < n; i++) {
		const char *name = obj_string(items[i], "name");
		if (call->n_args && !str_in_n(name, call->args, call->n_args))
			continue;
		if (names)
			tabwriter_printf(&w, "%s\n", name);
		else
			tabwriter_printf(&w, "%s\t%s\t%s\t%s\t%s\n",
				str_eq(name, obj_string(config, "current-context")) ? "*" : "", name,
				obj_string(items[i], "context.cluster"), obj_string(items[i], "context.user"),
				obj_string(items[i], "context.namespace"));
	}
	tabwriter_flush(&w);
	for (size_t i = 0; i < call->n_args; i++)
		if (!config_entry(config, "contexts", call->args[i]))
			errors_add(&errors, user_error("context %s not found", call->args[i]));
	return errors;
}

static struct status *print_names(struct kubectl *k, const char *list)
{
	cJSON *config = NULL;
	size_t n;
	TRY(config_merged(k, &config));
	cJSON **items = sorted_entries(k->arena, config, list, &n);
	puts("NAME");
	for (size_t i = 0; i < n; i++)
		puts(obj_string(items[i], "name"));
	return NULL;
}

static struct status *get_clusters_run(struct kubectl *k, struct call *call)
{
	return print_names(k, "clusters");
}

static struct status *get_users_run(struct kubectl *k, struct call *call)
{
	return print_names(k, "users");
}

static struct status *current_context_run(struct kubectl *k, struct call *call)
{
	cJSON *config = NULL;
	TRY(config_merged(k, &config));
	if (!*obj_string(config, "current-context"))
		return user_error("current-context is not set");
	puts(obj_string(config, "current-context"));
	return NULL;
}

/* --- changes --- */

static struct status *one_arg(const struct call *call)
{
	if (call->n_args == 1)
		return NULL;
	return usage_error(call, "Unexpected args: [%s]", call->n_args ? call->args[0] : "");
}

static struct status *use_context_run(struct kubectl *k, struct call *call)
{
	cJSON *config = NULL;
	const char *path;
	TRY(one_arg(call));
	TRY(config_merged(k, &config));
	if (!config_entry(config, "contexts", call->args[0]))
		return user_error("no context exists with the name: \"%s\"", call->args[0]);
	TRY(config_file_of(k, NULL, NULL, &path, &config));
	tree_set_string(k->arena, config, "current-context", call->args[0]);
	TRY(config_write(k, path, config));
	printf("Switched to context \"%s\".\n", call->args[0]);
	return NULL;
}

static struct status *delete_entry(struct kubectl *k, struct call *call, const char *list)
{
	cJSON *config = NULL;
	const char *path, *what = inner_key(list);
	if (!call->n_args && str_eq(what, "user"))
		return usage_error(call, "user to delete is required");
	TRY(one_arg(call));
	TRY(config_file_of(k, list, call->args[0], &path, &config));
	if (!remove_entry(config, list, call->args[0]))
		return user_error("cannot delete %s %s, not in %s", what, call->args[0], path);
	if (str_eq(what, "context") && str_eq(obj_string(config, "current-context"), call->args[0]))
		fprintf(stderr, "warning: this removed your active context, use \"kubectl config use-context\" to "
				"select a different "
				"one\n");
	TRY(config_write(k, path, config));
	printf("deleted %s %s from %s\n", what, call->args[0], path);
	return NULL;
}

static struct status *delete_cluster_run(struct kubectl *k, struct call *call)
{
	return delete_entry(k, call, "clusters");
}

static struct status *delete_context_run(struct kubectl *k, struct call *call)
{
	return delete_entry(k, call, "contexts");
}

static struct status *delete_user_run(struct kubectl *k, struct call *call)
{
	return delete_entry(k, call, "users");
}

static struct status *rename_context_run(struct kubectl *k, struct call *call)
{
	cJSON *config = NULL;
	const char *path;
	if (call->n_args != 2)
		return usage_error(call, "Unexpected args: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	const char *from = call->args[0], *to = call->args[1];
	TRY(config_file_of(k, "contexts", from, &path, &config));
	cJSON *entry = config_entry(config, "contexts", from);
	if (!entry)
		return user_error("cannot rename the context \"%s\", it's not in %s", from, path);
	if (config_entry(config, "contexts", to))
		return user_error(
			"cannot rename the context \"%s\", the context \"%s\" already exists in %s", from, to, path);
	tree_set_string(k->arena, entry, "name", to);
	if (str_eq(obj_string(config, "current-context"), from))
		tree_set_string(k->arena, config, "current-context", to);
	TRY(config_write(k, path, config));
	printf("Context \"%s\" renamed to \"%s\".\n", from, to);
	return NULL;
}

#define VERB(name_, verb, usage_, summary_, table)                   \
	static const struct command verb##_command = {.name = name_, \
		.usage = (usage_),                                   \
		.summary = (summary_),                               \
		.flags = table,                                      \
		.options_size = sizeof(struct config_options),       \
		.run = verb##_run}
VERB("current-context", current_context, NULL, "Display the current context", NULL);
VERB("delete-cluster", delete_cluster, "NAME", "Delete the specified cluster from the kubeconfig", NULL);
VERB("delete-context", delete_context, "NAME", "Delete the specified context from the kubeconfig", NULL);
VERB("delete-user", delete_user, "NAME", "Delete the specified user from the kubeconfig", NULL);
VERB("get-clusters", get_clusters, NULL, "Display clusters defined in the kubeconfig", NULL);
VERB("get-contexts", get_contexts, "[(-o|--output=)name)]", "Describe one or many contexts", contexts_flags);
VERB("get-users", get_users, NULL, "Display users defined in the kubeconfig", NULL);
VERB("rename-context", rename_context, "CONTEXT_NAME NEW_NAME", "Rename a context from the kubeconfig file", NULL);
VERB("use-context", use_context, "CONTEXT_NAME", "Set the current context in a kubeconfig file", NULL);
VERB("view", view, NULL, "Display merged kubeconfig settings or a specified kubeconfig file", view_flags);

static const struct command *const children[] = {&current_context_command, &delete_cluster_command,
	&delete_context_command, &delete_user_command, &get_clusters_command, &get_contexts_command, &get_users_command,
	&rename_context_command, &config_set_command, &config_set_cluster_command, &config_set_context_command,
	&config_set_credentials_command, &config_unset_command, &use_context_command, &view_command, NULL};
const struct command config_command = {
	.name = "config",
	.section = "Other Commands:",
	.summary = "Modify kubeconfig files",
	.usage = "SUBCOMMAND",
	.children = children,
};
