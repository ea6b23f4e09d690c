#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "net/url.h"
#include "rpc/private.h"

#define DEFAULT_MAX_MESSAGE_BYTES (16u << 20)
#define DEFAULT_KEEPALIVE_TIMEOUT_MS 10000
/* A peer that is away is tried for a while; one that does not answer, for longer. */
#define PATIENCE_MS 500
#define PAUSE_MS 100
#define DIAL_MS 2000

struct target {
	char *path; /* of a unix socket, or NULL */
	char *host;
	uint16_t port;
	char *authority;
};

/* The first target that answers stays current until it does not. */
struct rpc_channel {
	struct target *targets;
	size_t n_targets;
	struct tls_context *tls;
	size_t max_message_bytes;
	int64_t keepalive_ms, keepalive_timeout_ms;
	rpc_observe_fn *observe;
	void *observe_data;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t dialled;
	size_t current;
	struct rpc_conn *conn; /* for calls, to the current target; NULL: none */
	bool dialling;
	uint64_t n_failures;
	char *failure; /* the last one's */
};

size_t rpc_channel_max_message(const struct rpc_channel *channel)
{
	return channel->max_message_bytes;
}

/* --- making one --- */

static void target_done(struct target *t)
{
	free(t->path);
	free(t->host);
	free(t->authority);
}

/* "unix:///path", "unix:path", "host:port" */
static struct status *target_init(struct target *t, const char *text, bool tls)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct url url;
	if (str_empty(text))
		return status_bad_request("an endpoint is empty");
	if (str_starts_with(text, "unix:")) {
		const char *path = text + strlen("unix:");
		t->path = mem_strdup(str_starts_with(path, "//") ? path + 2 : path);
		t->authority = mem_strdup("localhost");
		return NULL;
	}
	TRY(url_parse(arena, text, &url));
	t->host = mem_strdup(url.host);
	t->port = url.port ? url.port : tls ? 443 : 80;
	t->authority = mem_strdup(url_host_port(arena, t->host, t->port));
	return NULL;
}

static struct status *set_tls(struct rpc_channel *channel, const struct rpc_options *options)
{
	const struct rpc_tls *tls = options->tls;
	if (!tls)
		return NULL;
	const bool pair = tls->cert_pem && tls->key_pem;
	const struct tls_config config = {.ca_data = tls->ca_pem,
		.ca_size = strlen(str_or_empty(tls->ca_pem)),
		.cert_data = tls->cert_pem,
		.cert_size = pair ? strlen(tls->cert_pem) : 0,
		.key_data = tls->key_pem,
		.key_size = pair ? strlen(tls->key_pem) : 0,
		.server_name = tls->server_name,
		.alpn = "h2"};
	struct status *unusable = tls_context_new(&config, TLS_CLIENT, &channel->tls);
	return status_wrap(unusable, "the certificates for %s are unusable", options->targets[0]);
}

static void init_lock(struct rpc_channel *channel)
{
	pthread_mutex_init(&channel->lock, NULL);
	cond_init(&channel->dialled);
}

struct status *rpc_channel_new(const struct rpc_options *options, struct rpc_channel **ret_channel)
{
	if (!options->n_targets)
		return status_bad_request("no endpoint given");
	CLEANUP(rpc_channel_freep) struct rpc_channel *channel = mem_zalloc(sizeof(*channel));
	init_lock(channel);
	channel->targets = mem_calloc(options->n_targets, sizeof(*channel->targets));
	channel->max_message_bytes =
		options->max_message_bytes ? options->max_message_bytes : DEFAULT_MAX_MESSAGE_BYTES;
	channel->keepalive_ms = options->keepalive_ms;
	channel->observe = options->observe;
	channel->observe_data = options->observe_data;
	channel->keepalive_timeout_ms =
		options->keepalive_timeout_ms > 0 ? options->keepalive_timeout_ms : DEFAULT_KEEPALIVE_TIMEOUT_MS;
	for (size_t i = 0; i < options->n_targets; i++)
		TRY(target_init(&channel->targets[channel->n_targets++], options->targets[i], options->tls));
	TRY(set_tls(channel, options));
	*ret_channel = STEAL(channel);
	return NULL;
}

void rpc_channel_tell(const struct rpc_channel *channel, enum rpc_event event, const char *path, int code)
{
	if (channel->observe)
		channel->observe(channel->observe_data, event, path, code);
}

void rpc_channel_free(struct rpc_channel *channel)
{
	if (!channel)
		return;
	rpc_conn_unref(channel->conn);
	for (size_t i = 0; i < channel->n_targets; i++)
		target_done(&channel->targets[i]);
	free(channel->targets);
	tls_context_unref(channel->tls);
	free(channel->failure);
	pthread_cond_destroy(&channel->dialled);
	pthread_mutex_destroy(&channel->lock);
	free(channel);
}

/* --- dialling --- */

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return b_ms >= 0 && b_ms < a_ms ? b_ms : a_ms;
}

static struct status *dial(
	struct rpc_channel *channel, const struct target *t, int64_t deadline_ms, struct rpc_conn **ret_conn)
{
	int64_t now = now_ms(), until = earlier(now + DIAL_MS, deadline_ms);
	const int timeout = until > now ? (int)(until - now) : 0;
	struct stream *stream;
	if (t->path)
		TRY(stream_dial_unix(t->path, timeout, &stream));
	else
		TRY(stream_dial(t->host, t->port, channel->tls, timeout, &stream));
	const struct rpc_conn_options options = {.authority = t->authority,
		.tls = channel->tls,
		.max_message_bytes = channel->max_message_bytes,
		.keepalive_ms = channel->keepalive_ms,
		.keepalive_timeout_ms = channel->keepalive_timeout_ms};
	return rpc_conn_new(stream, &options, until, ret_conn);
}

/* Tries one target after the other, beginning with this one, for a while. */
static struct status *dial_any(
	struct rpc_channel *channel, size_t first, int64_t deadline_ms, struct rpc_conn **ret_conn, size_t *ret_index)
{
	const int64_t until = earlier(now_ms() + PATIENCE_MS, deadline_ms);
	struct status *failed = NULL;
	for (size_t i = first;; i = (i + 1) % channel->n_targets) {
		status_free(failed);
		failed = dial(channel, &channel->targets[i], deadline_ms, ret_conn);
		*ret_index = i;
		const bool round = (i + 1) % channel->n_targets == first;
		if (!failed || (round && now_ms() + PAUSE_MS > until))
			return failed;
		if (round)
			nanosleep(&(const struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
	}
}

static struct status *unreachable(const char *why)
{
	CLEANUP_FREE char *text = mem_printf("failed to connect to all addresses; last error: %s", why);
	return rpc_status(RPC_UNAVAILABLE, text);
}

static struct status *connect_own(struct rpc_channel *channel, int64_t deadline_ms, struct rpc_conn **ret_conn)
{
	size_t index;
	pthread_mutex_lock(&channel->lock);
	const size_t first = channel->current;
	pthread_mutex_unlock(&channel->lock);
	CLEANUP_STATUS struct status *failed = dial_any(channel, first, deadline_ms, ret_conn, &index);
	return failed ? unreachable(failed->message) : NULL;
}

/* Waits for who dials; false when that has failed, or the time has passed. The channel is locked. */
static bool await_dialled(struct rpc_channel *channel, int64_t deadline_ms)
{
	const uint64_t before = channel->n_failures;
	bool in_time = true;
	while (channel->dialling && in_time)
		in_time = cond_wait_until(&channel->dialled, &channel->lock, deadline_ms);
	return in_time && channel->n_failures == before;
}

/* Dials for all who wait. The channel is locked, and is not meanwhile. */
static struct status *dial_for_all(struct rpc_channel *channel, int64_t deadline_ms)
{
	struct rpc_conn *conn;
	size_t index, first = channel->current;
	channel->dialling = true;
	pthread_mutex_unlock(&channel->lock);
	CLEANUP_STATUS struct status *failed = dial_any(channel, first, deadline_ms, &conn, &index);
	pthread_mutex_lock(&channel->lock);
	channel->dialling = false;
	if (failed) {
		channel->n_failures++;
		free(channel->failure);
		channel->failure = mem_strdup(failed->message);
	} else {
		channel->conn = conn;
		channel->current = index;
	}
	pthread_cond_broadcast(&channel->dialled);
	return failed ? unreachable(failed->message) : NULL;
}

static struct status *connect_shared(struct rpc_channel *channel, int64_t deadline_ms, struct rpc_conn **ret_conn)
{
	struct status *status = NULL;
	pthread_mutex_lock(&channel->lock);
	while (!status) {
		if (channel->conn && rpc_conn_is_open(channel->conn))
			break;
		rpc_conn_unref(STEAL(channel->conn));
		if (!channel->dialling)
			status = dial_for_all(channel, deadline_ms);
		else if (!await_dialled(channel, deadline_ms))
			status = unreachable(str_or(channel->failure, "timed out"));
	}
	if (!status)
		*ret_conn = rpc_conn_ref(channel->conn);
	pthread_mutex_unlock(&channel->lock);
	return status;
}

struct status *rpc_channel_connect(
	struct rpc_channel *channel, int64_t deadline_ms, bool own, struct rpc_conn **ret_conn)
{
	return own ? connect_own(channel, deadline_ms, ret_conn) : connect_shared(channel, deadline_ms, ret_conn);
}

struct status *rpc_channel_outcome(struct rpc_channel *channel, const struct rpc_exchange *x)
{
	if (x->code == RPC_OK)
		return NULL;
	pthread_mutex_lock(&channel->lock);
	if (x->code == RPC_UNAVAILABLE && channel->n_targets > 1 && channel->conn == x->conn) {
		rpc_conn_unref(STEAL(channel->conn));
		channel->current = (channel->current + 1) % channel->n_targets;
	}
	pthread_mutex_unlock(&channel->lock);
	return rpc_status(x->code, x->text);
}
