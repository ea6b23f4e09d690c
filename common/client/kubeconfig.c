/* From files and flags to a client configuration, by the rules of clientcmd. */
#include "client/kubeconfig.h"

#include <errno.h>
#include <sys/stat.h>
#include "api/copy.h"
#include "api/json.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/url.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static const char empty_config[] =
	"invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable";

/* What applies after files and flags are joined. */
struct resolved {
	const char *context_name, *cluster_name, *user_name;
	ClientcmdV1Context *context;
	ClientcmdV1Cluster *cluster;
	ClientcmdV1AuthInfo *user;
};

static void override(struct arena *arena, char **field, const char *value)
{
	if (!str_empty(value))
		*field = arena_strdup(arena, value);
}

static struct status *resolve_context(
	struct arena *arena, const ClientcmdV1Config *config, const struct kubeconfig_overrides *o, struct resolved *r)
{
	r->context_name = str_or(o->context, config->current_context);
	ClientcmdV1Context *found = kubeconfig_context(config, r->context_name);
	if (!found && !str_empty(o->context))
		return status_bad_request("context \"%s\" does not exist", o->context);
	r->context = found ? api_copy(arena, found) : API_NEW(arena, ClientcmdV1Context);
	override(arena, &r->context->cluster, o->cluster);
	override(arena, &r->context->user, o->user);
	override(arena, &r->context->namespace, o->namespace);
	r->cluster_name = r->context->cluster;
	r->user_name = r->context->user;
	return NULL;
}

static struct status *resolve_user(
	struct arena *arena, const ClientcmdV1Config *config, const struct kubeconfig_overrides *o, struct resolved *r)
{
	ClientcmdV1AuthInfo *found = kubeconfig_user(config, r->user_name);
	if (!found && !str_empty(o->user))
		return status_bad_request("auth info \"%s\" does not exist", o->user);
	ClientcmdV1AuthInfo *u = r->user = found ? api_copy(arena, found) : API_NEW(arena, ClientcmdV1AuthInfo);
	override(arena, &u->client_certificate, o->client_certificate);
	override(arena, &u->client_key, o->client_key);
	override(arena, &u->token, o->token);
	override(arena, &u->username, o->username);
	override(arena, &u->password, o->password);
	override(arena, &u->as, o->as);
	override(arena, &u->as_uid, o->as_uid);
	for (size_t i = 0; i < o->n_as_groups; i++) {
		if (!i)
			u->n_as_groups = 0, u->as_groups = NULL;
		ARENA_PUSH(arena, u->as_groups, u->n_as_groups) = arena_strdup(arena, o->as_groups[i]);
	}
	return NULL;
}

static struct status *resolve_cluster(
	struct arena *arena, const ClientcmdV1Config *config, const struct kubeconfig_overrides *o, struct resolved *r)
{
	ClientcmdV1Cluster *found = kubeconfig_cluster(config, r->cluster_name);
	if (!found && !str_empty(o->cluster))
		return status_bad_request("cluster \"%s\" does not exist", o->cluster);
	ClientcmdV1Cluster *c = r->cluster = found ? api_copy(arena, found) : API_NEW(arena, ClientcmdV1Cluster);
	if (str_empty(c->server))
		c->server = arena_strdup(arena, str_or_empty(o->default_server));
	override(arena, &c->server, o->server);
	/* A flag about trust replaces all that the file says about it. */
	if (o->insecure_skip_tls_verify || !str_empty(o->certificate_authority)) {
		c->insecure_skip_tls_verify = o->insecure_skip_tls_verify;
		c->certificate_authority = arena_strdup(arena, str_or_empty(o->certificate_authority));
		c->certificate_authority_data = (ProtobufCBinaryData){0, NULL};
	}
	if (!str_empty(o->tls_server_name) || !str_empty(o->server))
		c->tls_server_name = arena_strdup(arena, str_or_empty(o->tls_server_name));
	c->disable_compression = c->disable_compression || o->disable_compression;
	return NULL;
}

/* --- validation: all that is wrong, in one message --- */

struct problems {
	struct strbuf text;
	size_t n;
	bool only_empty_cluster;
};

static void problem(struct problems *p, const char *format, ...) PRINTF(2, 3);
static void problem(struct problems *p, const char *format, ...)
{
	va_list args;
	if (p->n++)
		strbuf_adds(&p->text, ", ");
	va_start(args, format);
	strbuf_vprintf(&p->text, format, args);
	va_end(args);
}

static void check_readable(struct problems *p, const char *what, const char *path, const char *name)
{
	if (str_empty(path) || access(path, R_OK) == 0)
		return;
	problem(p, "unable to read %s %s for %s due to open %s: %s", what, path, name, path,
		errno == ENOENT ? "no such file or directory" : "permission denied");
}

static void check_cluster(struct problems *p, const struct resolved *r)
{
	const ClientcmdV1Cluster *c = r->cluster;
	if (api_is_empty(c)) {
		p->only_empty_cluster = p->n == 0;
		problem(p, "cluster has no server defined");
		return;
	}
	if (str_empty(c->server) && str_empty(r->cluster_name))
		problem(p, "default cluster has no server defined");
	else if (str_empty(c->server))
		problem(p, "no server found for cluster \"%s\"", r->cluster_name);
	if (!str_empty(c->certificate_authority) && c->certificate_authority_data.len)
		problem(p,
			"certificate-authority-data and certificate-authority are both specified for %s. "
			"certificate-authority-data will override.",
			str_or_empty(r->cluster_name));
	check_readable(p, "certificate-authority", c->certificate_authority, str_or_empty(r->cluster_name));
}

static void check_certificate(struct problems *p, const ClientcmdV1AuthInfo *u, const char *name)
{
	bool has_cert = !str_empty(u->client_certificate), has_cert_data = u->client_certificate_data.len;
	bool has_key = !str_empty(u->client_key), has_key_data = u->client_key_data.len;
	if (!has_cert && !has_cert_data)
		return;
	if (has_cert && has_cert_data)
		problem(p,
			"client-cert-data and client-cert are both specified for %s. client-cert-data will override.",
			name);
	if (has_key && has_key_data)
		problem(p, "client-key-data and client-key are both specified for %s; client-key-data will override",
			name);
	if (!has_key && !has_key_data)
		problem(p,
			"client-key-data or client-key must be specified for %s to use the clientCert authentication "
			"method.",
			name);
	if (has_cert) {
		check_readable(p, "client-cert", u->client_certificate, name);
		check_readable(p, "client-key", u->client_key, name);
	}
}

static void check_exec(struct problems *p, const ClientcmdV1AuthInfo *u, const char *name)
{
	const ClientcmdV1ExecConfig *e = u->exec;
	if (!e)
		return;
	if (u->auth_provider)
		problem(p, "authProvider cannot be provided in combination with an exec plugin for %s", name);
	if (str_empty(e->command))
		problem(p, "command must be specified for %s to use exec authentication plugin", name);
	if (str_empty(e->api_version))
		problem(p, "apiVersion must be specified for %s to use exec authentication plugin", name);
	for (size_t i = 0; i < e->n_env; i++)
		if (str_empty(e->env[i]->name))
			problem(p, "env variable name must be specified for %s to use exec authentication plugin",
				name);
	static const char *const modes[] = {"Never", "IfAvailable", "Always", NULL};
	if (str_empty(e->interactive_mode)) {
		if (str_eq(e->api_version, "client.authentication.k8s.io/v1"))
			problem(p, "interactiveMode must be specified for %s to use exec authentication plugin", name);
	} else if (!str_in(e->interactive_mode, modes)) {
		problem(p, "invalid interactiveMode for %s: \"%s\"", name, e->interactive_mode);
	}
}

static void check_user(struct problems *p, const struct resolved *r)
{
	const ClientcmdV1AuthInfo *u = r->user;
	const char *name = str_or_empty(r->user_name);
	check_certificate(p, u, name);
	check_exec(p, u, name);
	if (!str_empty(u->token) && (!str_empty(u->username) || !str_empty(u->password)))
		problem(p,
			"more than one authentication method found for %s; found [token basicAuth], only one is "
			"allowed",
			name);
	if ((!str_empty(u->as_uid) || u->n_as_groups) && str_empty(u->as))
		problem(p, "requesting uid, groups or user-extra for %s without impersonating a user", name);
}

static struct status *check(const ClientcmdV1Config *config, const struct resolved *r)
{
	struct problems p = {STRBUF_INIT, 0, false};
	if (!str_empty(config->current_context) && str_empty(r->context_name))
		problem(&p, "context was not found for specified context: %s", config->current_context);
	else if (!str_empty(r->context_name) && !kubeconfig_context(config, r->context_name))
		problem(&p, "context was not found for specified context: %s", r->context_name);
	check_user(&p, r);
	check_cluster(&p, r);
	struct status *error = NULL;
	if (p.n == 1 && p.only_empty_cluster)
		error = status_bad_request("%s", empty_config);
	else if (p.n == 1)
		error = status_bad_request("invalid configuration: %s", p.text.buf);
	else if (p.n)
		error = status_bad_request("invalid configuration: [%s]", p.text.buf);
	strbuf_done(&p.text);
	return error;
}

/* --- to a client configuration --- */

static char *exec_cluster_info(struct arena *arena, const ClientcmdV1Cluster *c)
{
	ClientauthenticationV1Cluster *info = API_NEW(arena, ClientauthenticationV1Cluster);
	info->server = c->server;
	info->tls_server_name = c->tls_server_name;
	info->insecure_skip_tls_verify = c->insecure_skip_tls_verify;
	info->certificate_authority_data = c->certificate_authority_data;
	info->proxy_url = c->proxy_url;
	for (size_t i = 0; i < c->n_extensions; i++) {
		if (!str_eq(c->extensions[i]->name, "client.authentication.k8s.io/exec"))
			continue;
		info->config = c->extensions[i]->extension;
	}
	return json_to_string(arena, info, JSON_NO_TYPE);
}

static const struct client_exec *exec_of(struct arena *arena, const struct resolved *r)
{
	const ClientcmdV1ExecConfig *e = r->user->exec;
	if (!e)
		return NULL;
	struct client_exec *exec = ARENA_NEW(arena, struct client_exec);
	char **names = ARENA_ARRAY(arena, char *, e->n_env + 1);
	char **values = ARENA_ARRAY(arena, char *, e->n_env + 1);
	for (size_t i = 0; i < e->n_env; i++) {
		names[i] = e->env[i]->name;
		values[i] = e->env[i]->value;
	}
	*exec = (struct client_exec){.command = e->command,
		.args = e->args,
		.n_args = e->n_args,
		.env_names = names,
		.env_values = values,
		.n_env = e->n_env,
		.api_version = e->api_version,
		.install_hint = e->install_hint,
		.provide_cluster_info = e->provide_cluster_info,
		.interactive_mode = e->interactive_mode};
	if (e->provide_cluster_info)
		exec->cluster_info_json = exec_cluster_info(arena, r->cluster);
	return exec;
}

static const char *or_null(const char *s)
{
	return str_empty(s) ? NULL : s;
}

static void fill_user(struct arena *arena, const struct resolved *r, struct client_config *c)
{
	const ClientcmdV1AuthInfo *u = r->user;
	c->cert_file = or_null(u->client_certificate);
	c->cert_data = u->client_certificate_data.data;
	c->cert_size = u->client_certificate_data.len;
	c->key_file = or_null(u->client_key);
	c->key_data = u->client_key_data.data;
	c->key_size = u->client_key_data.len;
	c->token = or_null(u->token);
	c->token_file = or_null(u->token_file);
	c->username = or_null(u->username);
	c->password = or_null(u->password);
	c->exec = exec_of(arena, r);
}

static void fill(struct arena *arena, const struct resolved *r, struct client_config *c)
{
	const ClientcmdV1Cluster *cluster = r->cluster;
	c->host = cluster->server;
	c->proxy_url = or_null(cluster->proxy_url);
	c->disable_compression = cluster->disable_compression;
	c->as_user = or_null(r->user->as);
	c->as_uid = or_null(r->user->as_uid);
	c->as_groups = (const char *const *)r->user->as_groups;
	c->n_as_groups = r->user->n_as_groups;
	/* Credentials are never sent in the clear. */
	if (!str_starts_with(str_or_empty(cluster->server), "https://") && !cluster->certificate_authority_data.len &&
		str_empty(cluster->certificate_authority) && !cluster->insecure_skip_tls_verify)
		return;
	c->ca_file = or_null(cluster->certificate_authority);
	c->ca_data = cluster->certificate_authority_data.data;
	c->ca_size = cluster->certificate_authority_data.len;
	c->insecure = cluster->insecure_skip_tls_verify;
	c->tls_server_name = or_null(cluster->tls_server_name);
	fill_user(arena, r, c);
}

static struct status *resolve(struct arena *arena, const ClientcmdV1Config *config,
	const struct kubeconfig_overrides *o, struct client_config *ret, char **ret_namespace)
{
	struct resolved r = {0};
	TRY(resolve_context(arena, config, o, &r));
	TRY(resolve_user(arena, config, o, &r));
	TRY(resolve_cluster(arena, config, o, &r));
	TRY(check(config, &r));
	if (r.cluster->insecure_skip_tls_verify &&
		(!str_empty(r.cluster->certificate_authority) || r.cluster->certificate_authority_data.len))
		return status_bad_request("specifying a root certificates file with the insecure flag is not allowed");
	*ret = (struct client_config){.timeout_ms = o->timeout_ms};
	fill(arena, &r, ret);
	if (ret_namespace)
		*ret_namespace = arena_strdup(arena, str_or(r.context->namespace, "default"));
	return NULL;
}

/* --- in the cluster --- */

static char *pod_namespace(struct arena *arena)
{
	const char *named = getenv("POD_NAMESPACE");
	char *text, *namespace;
	size_t size;
	if (!str_empty(named))
		return arena_strdup(arena, named);
	struct status *error = io_read_file(SERVICE_ACCOUNT_DIR "/namespace", 1024, &text, &size);
	if (error) {
		status_drop(error, "the default namespace serves");
		return arena_strdup(arena, "default");
	}
	namespace = str_trim(arena, text);
	free(text);
	return *namespace ? namespace : arena_strdup(arena, "default");
}

struct status *kubeconfig_in_cluster(struct arena *arena, struct client_config *ret, char **ret_namespace)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	uint64_t number;
	if (str_empty(host) || str_empty(port))
		return status_new(STATUS_NOT_FOUND, "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST "
						    "and KUBERNETES_SERVICE_PORT must be defined");
	if (!str_to_uint64(port, UINT16_MAX, &number))
		return status_bad_request("KUBERNETES_SERVICE_PORT \"%s\" is no port", port);
	if (!io_exists(SERVICE_ACCOUNT_DIR "/token"))
		return status_new(STATUS_NOT_FOUND, "open " SERVICE_ACCOUNT_DIR "/token: no such file or directory");
	*ret = (struct client_config){
		.host = arena_printf(arena, "https://%s", url_host_port(arena, host, (uint16_t)number)),
		.token_file = SERVICE_ACCOUNT_DIR "/token",
		.ca_file = io_exists(SERVICE_ACCOUNT_DIR "/ca.crt") ? SERVICE_ACCOUNT_DIR "/ca.crt" : NULL,
	};
	if (ret_namespace)
		*ret_namespace = pod_namespace(arena);
	return NULL;
}

/* Flags that say something of their own where the rest comes from the pod's service account. */
static void override_in_cluster(
	const struct kubeconfig_overrides *o, struct client_config *c, char **ret_namespace, struct arena *arena)
{
	if (!str_empty(o->server))
		c->host = o->server;
	if (!str_empty(o->token)) {
		c->token = o->token;
		c->token_file = NULL;
	}
	if (!str_empty(o->certificate_authority))
		c->ca_file = o->certificate_authority;
	if (ret_namespace && !str_empty(o->namespace))
		*ret_namespace = arena_strdup(arena, o->namespace);
}

static bool says_nothing(const ClientcmdV1Config *config)
{
	return !config->n_clusters && !config->n_users && !config->n_contexts && str_empty(config->current_context);
}

struct status *kubeconfig_load(struct arena *arena, const struct kubeconfig_overrides *overrides,
	struct client_config *ret_config, char **ret_namespace)
{
	static const struct kubeconfig_overrides none;
	const struct kubeconfig_overrides *o = overrides ? overrides : &none;
	ClientcmdV1Config *config;
	TRY(kubeconfig_merged(arena, o->path, &config));
	if (says_nothing(config) && !o->no_in_cluster && str_empty(o->path)) {
		struct status *error = kubeconfig_in_cluster(arena, ret_config, ret_namespace);
		if (!error) {
			override_in_cluster(o, ret_config, ret_namespace, arena);
			return NULL;
		}
		status_drop(error, "not in a cluster: the flags may say enough");
	}
	return resolve(arena, config, o, ret_config, ret_namespace);
}

struct status *kubeconfig_load_file(
	struct arena *arena, const char *path, const char *master, struct client_config *ret)
{
	if (str_empty(path) && str_empty(master))
		return kubeconfig_in_cluster(arena, ret, NULL);
	struct kubeconfig_overrides o = {.path = path, .server = master, .no_in_cluster = true};
	ClientcmdV1Config *config = API_NEW(arena, ClientcmdV1Config);
	if (!str_empty(path))
		TRY(kubeconfig_merged(arena, path, &config));
	return resolve(arena, config, &o, ret, NULL);
}
