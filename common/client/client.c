#include "client/client.h"

#include <assert.h>
#include "base/mem.h"
#include "client/figures.h"
#include "client/internal.h"
#include "client/kubeconfig.h"

static void global_init(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
	assert(code == CURLE_OK);
}

static const void *dup_data(struct arena *arena, const void *data, size_t size)
{
	return size ? arena_dup(arena, data, size) : NULL;
}

static const char *const *dup_strings(struct arena *arena, const char *const *list, size_t n)
{
	char **copy = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, list[i]);
	return (const char *const *)copy;
}

static const struct client_exec *dup_exec(struct arena *arena, const struct client_exec *exec)
{
	if (!exec)
		return NULL;
	struct client_exec *copy = arena_dup(arena, exec, sizeof(*exec));
	copy->command = arena_strdup(arena, exec->command);
	copy->args = (char *const *)dup_strings(arena, (const char *const *)exec->args, exec->n_args);
	copy->env_names = (char *const *)dup_strings(arena, (const char *const *)exec->env_names, exec->n_env);
	copy->env_values = (char *const *)dup_strings(arena, (const char *const *)exec->env_values, exec->n_env);
	copy->api_version = arena_strdup(arena, exec->api_version);
	copy->install_hint = arena_strdup(arena, exec->install_hint);
	copy->interactive_mode = arena_strdup(arena, exec->interactive_mode);
	copy->cluster_info_json = arena_strdup(arena, exec->cluster_info_json);
	copy->base_dir = arena_strdup(arena, exec->base_dir);
	return copy;
}

static void dup_config(struct client *client, const struct client_config *from)
{
	struct arena *arena = client->arena;
	struct client_config *c = &client->config;
	*c = *from;
	c->host = arena_strdup(arena, from->host);
	c->proxy_url = arena_strdup(arena, from->proxy_url);
	c->ca_file = arena_strdup(arena, from->ca_file);
	c->ca_data = dup_data(arena, from->ca_data, from->ca_size);
	c->tls_server_name = arena_strdup(arena, from->tls_server_name);
	c->cert_file = arena_strdup(arena, from->cert_file);
	c->cert_data = dup_data(arena, from->cert_data, from->cert_size);
	c->key_file = arena_strdup(arena, from->key_file);
	c->key_data = dup_data(arena, from->key_data, from->key_size);
	c->token = arena_strdup(arena, from->token);
	c->token_file = arena_strdup(arena, from->token_file);
	c->username = arena_strdup(arena, from->username);
	c->password = arena_strdup(arena, from->password);
	c->exec = dup_exec(arena, from->exec);
	c->as_user = arena_strdup(arena, from->as_user);
	c->as_uid = arena_strdup(arena, from->as_uid);
	c->as_groups = dup_strings(arena, from->as_groups, from->n_as_groups);
	c->as_extra_keys = dup_strings(arena, from->as_extra_keys, from->n_as_extra);
	c->as_extra_values = dup_strings(arena, from->as_extra_values, from->n_as_extra);
}

/* "host:port" alone means http for localhost-style masters in the original only; a scheme is assumed from the
 * credentials. */
static struct status *parse_host(struct client *client)
{
	struct arena *arena = client->arena;
	const char *host = str_or(client->config.host, "localhost:8080");
	if (!strstr(host, "://")) {
		const struct client_config *c = &client->config;
		bool tls = c->ca_size || c->ca_file || c->cert_size || c->cert_file || c->insecure;
		host = arena_printf(arena, "%s://%s", tls ? "https" : "http", host);
	}
	TRY(url_parse(arena, host, &client->url));
	if (!str_eq(client->url.scheme, "https") && !str_eq(client->url.scheme, "http"))
		return status_bad_request("server %s: unsupported scheme", host);
	if (str_empty(client->url.host))
		return status_bad_request("host must be a URL or a host:port pair: \"%s\"", host);
	if (client->url.query[0] || client->url.fragment[0])
		return status_bad_request("server %s: a query or fragment is not allowed", host);
	size_t len = strlen(client->url.path);
	while (len && client->url.path[len - 1] == '/')
		len--;
	client->url.path = arena_strndup(arena, client->url.path, len);
	const char *host_text =
		strchr(client->url.host, ':') ? arena_printf(arena, "[%s]", client->url.host) : client->url.host;
	client->base = client->url.port
			       ? arena_printf(arena, "%s://%s:%u%s", client->url.scheme, host_text, client->url.port,
					 client->url.path)
			       : arena_printf(arena, "%s://%s%s", client->url.scheme, host_text, client->url.path);
	return NULL;
}

static void name_figures(struct client *client)
{
	struct client_figures *figures = client->config.figures;
	char *none = NULL, *host = figures ? mem_strdup(strstr(client->base, "://") + 3) : NULL;
	if (!figures)
		return;
	host[strcspn(host, "/")] = 0;
	if (!atomic_compare_exchange_strong(&figures->host, &none, host))
		free(host);
}

struct status *client_new(const struct client_config *config, const struct clock *clock, struct client **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, global_init);
	CLEANUP(client_freep) struct client *client = mem_zalloc(sizeof(*client));
	client->arena = arena_new();
	client->clock = clock;
	pthread_mutex_init(&client->lock, NULL);
	pthread_mutex_init(&client->token_lock, NULL);
	client->resources = strmap_new(NULL);
	dup_config(client, config);
	follow_init(&client->tls_files, clock, CLIENT_CREDENTIALS_CHECK_MS,
		(const char *[FOLLOW_MAX]){client->config.ca_file, client->config.cert_file, client->config.key_file});
	client->user_agent = arena_strdup(client->arena, str_or(config->user_agent, "kubec/" KUBEC_VERSION));
	if (config->qps >= 0)
		client->limiter =
			rate_limiter_new(clock, config->qps > 0 ? config->qps : 5, config->burst ? config->burst : 10);
	TRY(parse_host(client));
	name_figures(client);
	struct tls_context *tls;
	unsigned generation;
	/* A broken certificate is told at once; one that an exec plugin is to give is not there yet. */
	if (!config->exec) {
		TRY(client_tls(client, &tls, &generation));
		tls_context_unref(tls);
	}
	*ret = STEAL(client);
	return NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	handles_free(client->idle);
	strmap_free(client->resources);
	tls_context_unref(client->tls);
	rate_limiter_free(client->limiter);
	mem_cleanse_free(client->token, client->token ? strlen(client->token) : 0);
	mem_cleanse_free(client->exec_key, client->exec_key ? strlen(client->exec_key) : 0);
	free(client->exec_cert);
	pthread_mutex_destroy(&client->lock);
	pthread_mutex_destroy(&client->token_lock);
	arena_free(client->arena);
	free(client);
}

void client_cancel(struct client *client)
{
	atomic_store(&client->cancelled, true);
}

const struct clock *client_clock(const struct client *client)
{
	return client->clock;
}

const char *client_host(const struct client *client)
{
	return client->base;
}
