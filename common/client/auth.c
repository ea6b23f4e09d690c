/* Credentials: TLS material that follows its files, tokens that follow theirs, impersonation. */
#include <errno.h>
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/internal.h"
#include "client/kubeconfig.h"

enum { MAX_TOKEN_BYTES = 1 << 20 };

static struct status *load_tls(struct client *client, struct tls_context **ret)
{
	const struct client_config *c = &client->config;
	struct tls_config config = {.ca_file = c->ca_file,
		.ca_data = c->ca_data,
		.ca_size = c->ca_size,
		.cert_file = c->cert_file,
		.cert_data = c->cert_data,
		.cert_size = c->cert_size,
		.key_file = c->key_file,
		.key_data = c->key_data,
		.key_size = c->key_size,
		.server_name = c->tls_server_name,
		.insecure = c->insecure};
	if (client->exec_cert && client->exec_key) {
		config.cert_data = client->exec_cert;
		config.cert_size = strlen(client->exec_cert);
		config.key_data = client->exec_key;
		config.key_size = strlen(client->exec_key);
	}
	return tls_context_new(&config, TLS_CLIENT, ret);
}

/* Reads the files again if any has changed. The lock is held. Files half-written keep what was held before. */
static struct status *refresh_tls(struct client *client)
{
	const bool changed = follow_changed(&client->tls_files);
	if (client->tls && !changed)
		return NULL;
	struct tls_context *tls;
	struct status *error = load_tls(client, &tls);
	if (error && client->tls) {
		log_status(error, "credentials changed but cannot be loaded yet");
		return NULL;
	}
	if (error)
		return error;
	tls_context_unref(client->tls);
	client->tls = tls;
	follow_accept(&client->tls_files);
	client->generation++;
	return NULL;
}

struct status *client_tls(struct client *client, struct tls_context **ret, unsigned *ret_generation)
{
	*ret = NULL;
	*ret_generation = 0;
	if (!str_eq(client->url.scheme, "https"))
		return NULL;
	pthread_mutex_lock(&client->lock);
	struct status *error = refresh_tls(client);
	if (!error) {
		*ret = tls_context_ref(client->tls);
		*ret_generation = client->generation;
	}
	pthread_mutex_unlock(&client->lock);
	return error;
}

/* Makes the next request load the TLS material anew. */
static void drop_tls(struct client *client)
{
	pthread_mutex_lock(&client->lock);
	tls_context_unref(client->tls);
	client->tls = NULL;
	pthread_mutex_unlock(&client->lock);
}

/* --- tokens; the token lock is held --- */

static void set_token(struct client *client, char *token, int64_t expires_s)
{
	mem_cleanse_free(client->token, client->token ? strlen(client->token) : 0);
	client->token = token;
	client->token_expires_s = expires_s;
	client->token_got_s = clock_wall_s(client->clock);
	client->token_checked_ms = clock_mono_ms(client->clock);
	client->token_valid = true;
}

static struct status *token_from_file(struct client *client)
{
	char *text;
	size_t size;
	struct status *error = io_read_file(client->config.token_file, MAX_TOKEN_BYTES, &text, &size);
	if (error && client->token) {
		log_status(error, "cannot read the token again");
		client->token_checked_ms = clock_mono_ms(client->clock);
		client->token_valid = true;
		return NULL;
	}
	if (error)
		return status_wrap(error, "read token file");
	size_t start = strspn(text, " \t\r\n");
	size_t end = size;
	while (end > start && strchr(" \t\r\n", text[end - 1]))
		end--;
	char *token = mem_strndup(text + start, end - start);
	mem_cleanse_free(text, size);
	if (!*token) {
		free(token);
		return status_bad_request("read empty token from file \"%s\"", client->config.token_file);
	}
	set_token(client, token, 0);
	return NULL;
}

static struct status *token_from_exec(struct client *client)
{
	struct exec_credential credential = {0};
	TRY(client_exec_run(client->config.exec, &credential));
	bool new_cert = credential.cert && !str_eq(credential.cert, client->exec_cert);
	pthread_mutex_lock(&client->lock);
	if (credential.cert) {
		free(client->exec_cert);
		mem_cleanse_free(client->exec_key, client->exec_key ? strlen(client->exec_key) : 0);
		client->exec_cert = credential.cert;
		client->exec_key = credential.key;
	}
	pthread_mutex_unlock(&client->lock);
	set_token(client, credential.token, credential.expires_s);
	if (new_cert)
		drop_tls(client);
	return NULL;
}

static struct status *token_from_source(struct client *client)
{
	char *token = NULL;
	int64_t expires_s = 0;
	TRY(client->config.token_source(client->config.token_data, &token, &expires_s));
	set_token(client, token, expires_s);
	return NULL;
}

/* A minute or a tenth of its life before the end. */
static bool expires_soon(const struct client *client)
{
	int64_t now = clock_wall_s(client->clock);
	if (!client->token_expires_s)
		return false;
	int64_t margin = (client->token_expires_s - client->token_got_s) / 10;
	if (margin < 60 && client->token_expires_s - client->token_got_s > 120)
		margin = 60;
	return now >= client->token_expires_s - margin;
}

static struct status *refresh_token(struct client *client)
{
	const struct client_config *c = &client->config;
	bool old = !client->token_valid || expires_soon(client);
	if (c->token_source)
		return old ? token_from_source(client) : NULL;
	if (c->exec)
		return old ? token_from_exec(client) : NULL;
	if (!str_empty(c->token_file)) {
		bool due = clock_mono_ms(client->clock) - client->token_checked_ms >= CLIENT_CREDENTIALS_CHECK_MS;
		return old || due ? token_from_file(client) : NULL;
	}
	return NULL;
}

static void push(struct arena *arena, struct http_header **headers, size_t *n, const char *name, const char *value)
{
	ARENA_PUSH(arena, *headers, *n) =
		(struct http_header){.name = arena_strdup(arena, name), .value = arena_strdup(arena, value)};
}

static struct status *authorization(struct client *client, struct arena *arena, struct http_header **headers, size_t *n)
{
	const struct client_config *c = &client->config;
	if (c->token_source || c->exec || !str_empty(c->token_file)) {
		pthread_mutex_lock(&client->token_lock);
		struct status *error = refresh_token(client);
		if (!error && client->token)
			push(arena, headers, n, "Authorization", arena_printf(arena, "Bearer %s", client->token));
		pthread_mutex_unlock(&client->token_lock);
		return error;
	}
	if (!str_empty(c->token)) {
		push(arena, headers, n, "Authorization", arena_printf(arena, "Bearer %s", c->token));
	} else if (!str_empty(c->username)) {
		char *pair = arena_printf(arena, "%s:%s", c->username, str_or_empty(c->password));
		push(arena, headers, n, "Authorization",
			arena_printf(arena, "Basic %s", base64_encode(arena, pair, strlen(pair))));
	}
	return NULL;
}

struct status *client_auth_headers(struct client *client, struct arena *arena, struct http_header **headers, size_t *n)
{
	const struct client_config *c = &client->config;
	TRY(authorization(client, arena, headers, n));
	if (!str_empty(c->as_user))
		push(arena, headers, n, "Impersonate-User", c->as_user);
	if (!str_empty(c->as_uid))
		push(arena, headers, n, "Impersonate-Uid", c->as_uid);
	for (size_t i = 0; i < c->n_as_groups; i++)
		push(arena, headers, n, "Impersonate-Group", c->as_groups[i]);
	for (size_t i = 0; i < c->n_as_extra; i++) {
		CLEANUP(strbuf_done) struct strbuf name = STRBUF_INIT;
		strbuf_adds(&name, "Impersonate-Extra-");
		url_escape(&name, c->as_extra_keys[i]);
		push(arena, headers, n, name.buf, c->as_extra_values[i]);
	}
	return NULL;
}

bool client_auth_rejected(struct client *client)
{
	const struct client_config *c = &client->config;
	if (!c->token_source && !c->exec && str_empty(c->token_file))
		return false;
	pthread_mutex_lock(&client->token_lock);
	client->token_valid = false;
	pthread_mutex_unlock(&client->token_lock);
	return true;
}
