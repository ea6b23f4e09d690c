/* kubectl config set, unset, set-cluster, set-context and set-credentials. */
#include "base/encode.h"
#include "base/io.h"
#include "kubectl/verbs/config.h"

struct entry_options {
	char *server, *tls_server_name, *authority, *proxy_url;
	char *cluster, *user, *namespace;
	char *certificate, *key, *token, *username, *password;
	char *exec_command, *exec_api_version, *exec_interactive, *auth_provider;
	struct flag_list exec_args, exec_env, auth_args;
	bool insecure, embed, current, disable_compression, exec_cluster_info, raw_bytes;
};

#define E(...) OPT(struct entry_options, __VA_ARGS__)
static const struct option cluster_flags[] = {
	E(authority, 0, "certificate-authority", FLAG_STRING, "", "File with the authority's certificate"),
	E(embed, 0, "embed-certs", FLAG_BOOL, "false", "Put the file's content into the configuration"),
	E(insecure, 0, "insecure-skip-tls-verify", FLAG_BOOL, "false", "Do not verify the server's certificate"),
	E(proxy_url, 0, "proxy-url", FLAG_STRING, "", "Proxy to go through"),
	E(server, 0, "server", FLAG_STRING, "", "Address of the API server"),
	E(tls_server_name, 0, "tls-server-name", FLAG_STRING, "", "Name to expect in the server's certificate"),
	E(disable_compression, 0, "disable-compression", FLAG_BOOL, "false", "Do not ask for compressed answers"),
	OPT_END,
};
static const struct option context_flags[] = {
	E(cluster, 0, "cluster", FLAG_STRING, "", "Cluster of the context"),
	E(current, 0, "current", FLAG_BOOL, "false", "Change the current context"),
	E(namespace, 0, "namespace", FLAG_STRING, "", "Namespace of the context"),
	E(user, 0, "user", FLAG_STRING, "", "User of the context"),
	OPT_END,
};
static const struct option credentials_flags[] = {
	E(auth_provider, 0, "auth-provider", FLAG_STRING, "", "Not supported"),
	E(auth_args, 0, "auth-provider-arg", FLAG_STRING_ARRAY, "", "Not supported"),
	E(certificate, 0, "client-certificate", FLAG_STRING, "", "File with a client certificate"),
	E(key, 0, "client-key", FLAG_STRING, "", "File with the certificate's key"),
	E(embed, 0, "embed-certs", FLAG_BOOL, "false", "Put the files' content into the configuration"),
	E(exec_api_version, 0, "exec-api-version", FLAG_STRING, "", "API version of the credential plugin"),
	E(exec_args, 0, "exec-arg", FLAG_STRING_ARRAY, "", "Argument of the credential plugin"),
	E(exec_command, 0, "exec-command", FLAG_STRING, "", "Command of the credential plugin"),
	E(exec_env, 0, "exec-env", FLAG_STRING_ARRAY, "", "Environment of the credential plugin as name=value"),
	E(exec_interactive, 0, "exec-interactive-mode", FLAG_STRING, "", "Never, IfAvailable or Always"),
	E(exec_cluster_info, 0, "exec-provide-cluster-info", FLAG_BOOL, "false", "Tell the plugin about the cluster"),
	E(password, 0, "password", FLAG_STRING, "", "Password for basic authentication"),
	E(token, 0, "token", FLAG_STRING, "", "Bearer token"),
	E(username, 0, "username", FLAG_STRING, "", "User name for basic authentication"),
	OPT_END,
};

static char *absolute(struct arena *arena, const char *path)
{
	if (*path == '/' || !*path)
		return arena_strdup(arena, path);
	char *cwd = getcwd(NULL, 0), *full = arena_printf(arena, "%s/%s", cwd ? cwd : ".", path);
	free(cwd);
	return full;
}

/* A file by its path or, with --embed-certs, by its content; each replaces the other. */
static struct status *set_file(
	struct kubectl *k, struct call *call, cJSON *object, const char *flag, const char *field, const char *path)
{
	struct entry_options *o = call->options;
	char *data_field = arena_printf(k->arena, "%s-data", field), *data;
	size_t size;
	if (!call_changed(call, flag))
		return NULL;
	if (o->embed) {
		struct status *s = io_read_file(path, 1u << 20, &data, &size);
		if (s) {
			status_free(s);
			return user_error(
				"could not stat %s file %s: stat %s: no such file or directory", flag, path, path);
		}
		tree_set_string(k->arena, object, data_field, base64_encode(k->arena, data, size));
		free(data);
		(void)tree_remove(object, field);
		return NULL;
	}
	tree_set_string(k->arena, object, field, absolute(k->arena, path));
	(void)tree_remove(object, data_field);
	return NULL;
}

static void set_text(
	struct kubectl *k, struct call *call, cJSON *object, const char *flag, const char *field, const char *value)
{
	if (!call_changed(call, flag))
		return;
	if (str_empty(value))
		(void)tree_remove(object, field);
	else
		tree_set_string(k->arena, object, field, value);
}

static void set_bool(struct kubectl *k, struct call *call, cJSON *object, const char *flag, bool value)
{
	if (!call_changed(call, flag))
		return;
	if (value)
		obj_set_bool(k->arena, object, flag, true);
	else
		(void)tree_remove(object, flag);
}

static struct status *one_name(struct call *call)
{
	return call->n_args == 1 ? NULL : usage_error(call, "Unexpected args: [%s]", call->n_args ? call->args[0] : "");
}

static struct status *set_cluster_run(struct kubectl *k, struct call *call)
{
	struct entry_options *o = call->options;
	const char *path;
	cJSON *config = NULL;
	TRY(one_name(call));
	if (o->embed && str_empty(o->authority))
		return user_error("you must specify a --certificate-authority to embed");
	TRY(config_file_of(k, "clusters", call->args[0], &path, &config));
	cJSON *cluster = config_add(k->arena, config, "clusters", call->args[0]);
	set_text(k, call, cluster, "server", "server", o->server);
	set_text(k, call, cluster, "tls-server-name", "tls-server-name", o->tls_server_name);
	set_text(k, call, cluster, "proxy-url", "proxy-url", o->proxy_url);
	set_bool(k, call, cluster, "insecure-skip-tls-verify", o->insecure);
	set_bool(k, call, cluster, "disable-compression", o->disable_compression);
	if (o->insecure) {
		(void)tree_remove(cluster, "certificate-authority");
		(void)tree_remove(cluster, "certificate-authority-data");
	}
	TRY(set_file(k, call, cluster, "certificate-authority", "certificate-authority", o->authority));
	if (call_changed(call, "certificate-authority"))
		(void)tree_remove(cluster, "insecure-skip-tls-verify");
	TRY(config_write(k, path, config));
	printf("Cluster \"%s\" set.\n", call->args[0]);
	return NULL;
}

static struct status *set_context_run(struct kubectl *k, struct call *call)
{
	struct entry_options *o = call->options;
	const char *path, *name;
	cJSON *config = NULL;
	if (o->current) {
		if (call->n_args)
			return user_error("you cannot specify both a context name and --current");
		TRY(config_merged(k, &config));
		name = arena_strdup(k->arena, obj_string(config, "current-context"));
		if (!*name)
			return user_error("no current context is set");
	} else {
		TRY(one_name(call));
		name = call->args[0];
	}
	TRY(config_file_of(k, "contexts", name, &path, &config));
	bool exists = config_entry(config, "contexts", name) != NULL;
	cJSON *context = config_add(k->arena, config, "contexts", name);
	set_text(k, call, context, "cluster", "cluster", o->cluster);
	set_text(k, call, context, "user", "user", o->user);
	set_text(k, call, context, "namespace", "namespace", o->namespace);
	if (!tree_get(context, "cluster"))
		tree_set_string(k->arena, context, "cluster", "");
	if (!tree_get(context, "user"))
		tree_set_string(k->arena, context, "user", "");
	TRY(config_write(k, path, config));
	printf("Context \"%s\" %s.\n", name, exists ? "modified" : "created");
	return NULL;
}

static void set_exec(struct kubectl *k, struct call *call, cJSON *user)
{
	struct entry_options *o = call->options;
	if (!call_changed(call, "exec-command"))
		return;
	cJSON *exec = obj_object(k->arena, user, "exec");
	tree_set_string(k->arena, exec, "command", o->exec_command);
	tree_set_string(k->arena, exec, "apiVersion", str_or(o->exec_api_version, "client.authentication.k8s.io/v1"));
	tree_set_string(k->arena, exec, "interactiveMode", str_or(o->exec_interactive, "IfAvailable"));
	obj_set_bool(k->arena, exec, "provideClusterInfo", o->exec_cluster_info);
	tree_set(k->arena, exec, "args", o->exec_args.n_items ? tree_new_array(k->arena) : tree_new_null(k->arena));
	tree_set(k->arena, exec, "env", o->exec_env.n_items ? tree_new_array(k->arena) : tree_new_null(k->arena));
	for (size_t i = 0; i < o->exec_args.n_items; i++)
		tree_append(tree_get(exec, "args"), tree_new_string(k->arena, o->exec_args.items[i]));
	for (size_t i = 0; i < o->exec_env.n_items; i++) {
		const char *text = o->exec_env.items[i], *equals = strchrnul(text, '=');
		cJSON *entry = tree_new_object(k->arena);
		tree_set_string(k->arena, entry, "name", arena_strndup(k->arena, text, (size_t)(equals - text)));
		tree_set_string(k->arena, entry, "value", *equals ? equals + 1 : "");
		tree_append(tree_get(exec, "env"), entry);
	}
}

static struct status *set_credentials_run(struct kubectl *k, struct call *call)
{
	struct entry_options *o = call->options;
	const char *path;
	cJSON *config = NULL;
	TRY(one_name(call));
	if (!str_empty(o->token) && (!str_empty(o->username) || !str_empty(o->password)))
		return user_error("you cannot specify more than one authentication method at the same time: --token, "
				  "--username/--password");
	if (!str_empty(o->auth_provider))
		return user_error("--auth-provider is not supported");
	if (o->embed && str_empty(o->certificate) && str_empty(o->key))
		return user_error("you must specify a --client-certificate or --client-key to embed");
	TRY(config_file_of(k, "users", call->args[0], &path, &config));
	cJSON *user = config_add(k->arena, config, "users", call->args[0]);
	TRY(set_file(k, call, user, "client-certificate", "client-certificate", o->certificate));
	TRY(set_file(k, call, user, "client-key", "client-key", o->key));
	set_text(k, call, user, "token", "token", o->token);
	set_text(k, call, user, "username", "username", o->username);
	set_text(k, call, user, "password", "password", o->password);
	set_exec(k, call, user);
	if (!str_empty(o->token)) {
		(void)tree_remove(user, "username");
		(void)tree_remove(user, "password");
	} else if (!str_empty(o->username) || !str_empty(o->password)) {
		(void)tree_remove(user, "token");
	}
	TRY(config_write(k, path, config));
	printf("User \"%s\" set.\n", call->args[0]);
	return NULL;
}

/*
 * A property's path: "current-context", "clusters.NAME.server". A name may hold dots, so the parts in the middle are
 * tried as a name from the longest on; what is set for the first time takes one part as the name.
 */
static struct status *locate(
	struct kubectl *k, cJSON *config, const char *property, cJSON **ret_object, const char **ret_field, bool make)
{
	const char *dot = strchr(property, '.');
	*ret_object = config;
	*ret_field = property;
	if (!dot)
		return NULL;
	char *list = arena_strndup(k->arena, property, (size_t)(dot - property));
	if (!str_eq(list, "clusters") && !str_eq(list, "users") && !str_eq(list, "contexts")) {
		*ret_object = obj_object(k->arena, config, list);
		*ret_field = dot + 1;
		return NULL;
	}
	char *rest = arena_strdup(k->arena, dot + 1);
	for (char *end = rest + strlen(rest); end; end = strrchr(rest, '.')) {
		*end = 0;
		if (config_entry(config, list, rest) || (make && !strchr(rest, '.'))) {
			size_t size = strlen(rest);
			const char *field = dot + 1 + size;
			*ret_object = config_add(k->arena, config, list, rest);
			*ret_field = *field ? field + 1 : "";
			return NULL;
		}
	}
	return user_error("current map key `%s` is invalid", dot + 1);
}

static const char *owner_list(struct arena *arena, const char *property, const char **ret_name)
{
	const char *dot = strchr(property, '.');
	if (!dot)
		return NULL;
	*ret_name = arena_strndup(arena, dot + 1, strcspn(dot + 1, "."));
	return arena_strndup(arena, property, (size_t)(dot - property));
}

static struct status *set_run(struct kubectl *k, struct call *call)
{
	struct entry_options *o = call->options;
	const char *path, *field, *name = "";
	cJSON *config, *object;
	if (call->n_args != 2)
		return usage_error(call, "Unexpected args: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	const char *property = call->args[0], *value = call->args[1], *list = owner_list(k->arena, property, &name);
	TRY(config_file_of(k, list, name, &path, &config));
	TRY(locate(k, config, property, &object, &field, true));
	if (!*field)
		return user_error("unable to parse one or more field values of %s", property);
	bool is_bool = str_eq(value, "true") || str_eq(value, "false");
	if (str_ends_with(field, "-data") && o->raw_bytes)
		value = base64_encode(k->arena, value, strlen(value));
	if (is_bool && (str_starts_with(field, "insecure") || str_starts_with(field, "disable")))
		obj_set_bool(k->arena, object, field, str_eq(value, "true"));
	else
		obj_set_string(k->arena, object, field, value);
	TRY(config_write(k, path, config));
	printf("Property \"%s\" set.\n", property);
	return NULL;
}

static struct status *unset_run(struct kubectl *k, struct call *call)
{
	const char *path, *field, *name = "";
	cJSON *config, *object;
	TRY(one_name(call));
	const char *property = call->args[0], *list = owner_list(k->arena, property, &name);
	TRY(config_file_of(k, list, name, &path, &config));
	TRY(locate(k, config, property, &object, &field, false));
	if (!*field) {
		size_t i = 0;
		TREE_FOREACH (item, tree_get(config, list)) {
			if (obj_at(item, str_eq(list, "clusters") ? "cluster"
					 : str_eq(list, "users")  ? "user"
								  : "context") == object)
				break;
			i++;
		}
		(void)tree_remove_at(tree_get(config, list), i);
	} else {
		obj_remove(object, field);
	}
	TRY(config_write(k, path, config));
	printf("Property \"%s\" unset.\n", property);
	return NULL;
}

static const struct option set_flags[] = {
	E(raw_bytes, 0, "set-raw-bytes", FLAG_BOOL, "false",
		"Values of -data fields are given as they are, not in base64"),
	OPT_END,
};

#define VERB(name_, verb, usage_, summary_, table)                     \
	const struct command config_##verb##_command = {.name = name_, \
		.usage = (usage_),                                     \
		.summary = (summary_),                                 \
		.flags = table,                                        \
		.options_size = sizeof(struct entry_options),          \
		.run = verb##_run}
VERB("set", set, "PROPERTY_NAME PROPERTY_VALUE", "Set an individual value in a kubeconfig file", set_flags);
VERB("unset", unset, "PROPERTY_NAME", "Unset an individual value in a kubeconfig file", NULL);
VERB("set-cluster", set_cluster, "NAME [--server=server] [--certificate-authority=path/to/certificate/authority]",
	"Set a cluster entry in kubeconfig", cluster_flags);
VERB("set-context", set_context,
	"[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] "
	"[--namespace=namespace]",
	"Set a context entry in kubeconfig", context_flags);
VERB("set-credentials", set_credentials, "NAME [--client-certificate=path/to/certfile] [--token=bearer_token]",
	"Set a user entry in kubeconfig", credentials_flags);
