#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <grpc/grpc_security.h>
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "rpc/private.h"

#define DEFAULT_MAX_MESSAGE_BYTES (16u << 20)
#define RECONNECT_FIRST_MS 100
#define RECONNECT_MAX_MS 1000
#define CONNECT_PATIENCE_MS 500
#define MAX_ARGS 12

static grpc_channel_credentials *new_credentials(const struct rpc_tls *tls)
{
	if (!tls)
		return grpc_insecure_credentials_create();
	grpc_ssl_pem_key_cert_pair pair = {.private_key = tls->key_pem, .cert_chain = tls->cert_pem};
	return grpc_ssl_credentials_create(tls->ca_pem, tls->cert_pem && tls->key_pem ? &pair : NULL, NULL, NULL);
}

static void add_int(grpc_arg *args, size_t *n, const char *key, int value)
{
	args[(*n)++] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static size_t channel_args(const struct rpc_options *options, grpc_arg args[static MAX_ARGS])
{
	size_t n = 0;
	size_t max = options->max_message_bytes ? options->max_message_bytes : DEFAULT_MAX_MESSAGE_BYTES;
	add_int(args, &n, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)max);
	add_int(args, &n, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int)max);
	add_int(args, &n, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS);
	add_int(args, &n, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS);
	add_int(args, &n, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS);
	/* A proxy from the environment is for the world outside, never for these peers. */
	add_int(args, &n, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	add_int(args, &n, GRPC_ARG_ENABLE_RETRIES, 0);
	if (options->keepalive_ms > 0) {
		add_int(args, &n, GRPC_ARG_KEEPALIVE_TIME_MS, (int)options->keepalive_ms);
		add_int(args, &n, GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
			options->keepalive_timeout_ms > 0 ? (int)options->keepalive_timeout_ms : 10000);
		add_int(args, &n, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
	}
	if (options->tls && options->tls->server_name)
		args[n++] = (grpc_arg){.type = GRPC_ARG_STRING,
			.key = (char *)(uintptr_t)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
			.value.string = (char *)(uintptr_t)options->tls->server_name};
	return n;
}

struct status *rpc_channel_new(const struct rpc_options *options, struct rpc_channel **ret_channel)
{
	if (!options->n_targets)
		return status_bad_request("no endpoint given");
	for (size_t i = 0; i < options->n_targets; i++)
		if (str_empty(options->targets[i]))
			return status_bad_request("an endpoint is empty");
	grpc_init();
	grpc_channel_credentials *credentials = new_credentials(options->tls);
	if (!credentials) {
		grpc_shutdown();
		return status_bad_request("the certificates for %s are unusable", options->targets[0]);
	}
	grpc_arg args[MAX_ARGS];
	grpc_channel_args all = {.num_args = channel_args(options, args), .args = args};
	struct rpc_channel *channel = mem_zalloc(sizeof(*channel));
	pthread_mutex_init(&channel->lock, NULL);
	channel->n_channels = options->n_targets;
	channel->channels = mem_calloc(channel->n_channels, sizeof(*channel->channels));
	for (size_t i = 0; i < channel->n_channels; i++)
		channel->channels[i] = grpc_channel_create(options->targets[i], credentials, &all);
	grpc_channel_credentials_release(credentials);
	channel->queue = grpc_completion_queue_create_for_next(NULL);
	*ret_channel = channel;
	return NULL;
}

/* --- waiting --- */

void rpc_waiter_init(struct rpc_waiter *waiter)
{
	sem_init(&waiter->done, 0, 0);
	atomic_store(&waiter->magic, RPC_WAITER_MAGIC);
}

void rpc_waiter_done(struct rpc_waiter *waiter)
{
	atomic_store(&waiter->magic, 0);
	sem_destroy(&waiter->done);
}

bool rpc_wait(struct rpc_waiter *waiter)
{
	while (sem_wait(&waiter->done) != 0)
		assert(errno == EINTR);
	return atomic_load(&waiter->success);
}

bool rpc_wait_for(struct rpc_waiter *waiter, int64_t timeout_ms, bool *ret_success)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (sem_clockwait(&waiter->done, CLOCK_MONOTONIC, &until) != 0) {
		if (errno == ETIMEDOUT)
			return false;
		assert(errno == EINTR);
	}
	*ret_success = atomic_load(&waiter->success);
	return true;
}

static void *poll_queue(void *data)
{
	struct rpc_channel *channel = data;
	for (;;) {
		grpc_event e = grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		struct rpc_waiter *waiter = e.tag;
		assert(atomic_load(&waiter->magic) == RPC_WAITER_MAGIC && e.type == GRPC_OP_COMPLETE);
		atomic_store(&waiter->success, e.success != 0);
		sem_post(&waiter->done);
	}
}

/* A channel that nobody calls through has no thread. */
static void ensure_polled(struct rpc_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	if (!channel->polled)
		channel->poller = thread_start("rpc", poll_queue, channel);
	channel->polled = true;
	pthread_mutex_unlock(&channel->lock);
}

static void queue_done(struct rpc_channel *channel)
{
	grpc_completion_queue_shutdown(channel->queue);
	if (channel->polled)
		pthread_join(channel->poller, NULL);
	else
		poll_queue(channel);
	grpc_completion_queue_destroy(channel->queue);
}

void rpc_channel_free(struct rpc_channel *channel)
{
	if (!channel)
		return;
	queue_done(channel);
	for (size_t i = 0; i < channel->n_channels; i++)
		grpc_channel_destroy(channel->channels[i]);
	free(channel->channels);
	pthread_mutex_destroy(&channel->lock);
	free(channel);
	grpc_shutdown();
}

/* A call to a peer that is away fails at once: a connection that is being made is waited for, for a while. */
static void await_connection(grpc_channel *channel, grpc_completion_queue *queue)
{
	struct rpc_waiter waiter;
	if (grpc_channel_check_connectivity_state(channel, 1) == GRPC_CHANNEL_READY)
		return;
	rpc_waiter_init(&waiter);
	gpr_timespec until =
		gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(CONNECT_PATIENCE_MS, GPR_TIMESPAN));
	for (bool changed = true; changed;) {
		grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 1);
		if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_SHUTDOWN)
			break;
		grpc_channel_watch_connectivity_state(channel, state, until, queue, &waiter);
		changed = rpc_wait(&waiter);
	}
	rpc_waiter_done(&waiter);
}

grpc_call *rpc_call_begin(struct rpc_channel *channel, const char *path, gpr_timespec deadline, size_t *ret_index)
{
	*ret_index = atomic_load(&channel->current) % channel->n_channels;
	ensure_polled(channel);
	await_connection(channel->channels[*ret_index], channel->queue);
	grpc_slice method = grpc_slice_from_copied_string(path);
	grpc_call *call = grpc_channel_create_call(channel->channels[*ret_index], NULL, GRPC_PROPAGATE_DEFAULTS,
		channel->queue, method, NULL, deadline, NULL);
	grpc_slice_unref(method);
	return call;
}

static const struct {
	grpc_status_code code;
	enum status_reason reason;
} reasons[] = {
	{GRPC_STATUS_CANCELLED, STATUS_TIMEOUT},
	{GRPC_STATUS_INVALID_ARGUMENT, STATUS_BAD_REQUEST},
	{GRPC_STATUS_DEADLINE_EXCEEDED, STATUS_TIMEOUT},
	{GRPC_STATUS_NOT_FOUND, STATUS_NOT_FOUND},
	{GRPC_STATUS_ALREADY_EXISTS, STATUS_ALREADY_EXISTS},
	{GRPC_STATUS_PERMISSION_DENIED, STATUS_FORBIDDEN},
	{GRPC_STATUS_UNAUTHENTICATED, STATUS_UNAUTHORIZED},
	{GRPC_STATUS_RESOURCE_EXHAUSTED, STATUS_TOO_MANY_REQUESTS},
	{GRPC_STATUS_FAILED_PRECONDITION, STATUS_CONFLICT},
	{GRPC_STATUS_ABORTED, STATUS_CONFLICT},
	{GRPC_STATUS_OUT_OF_RANGE, STATUS_EXPIRED},
	{GRPC_STATUS_UNIMPLEMENTED, STATUS_METHOD_NOT_ALLOWED},
	{GRPC_STATUS_UNAVAILABLE, STATUS_UNAVAILABLE},
};

#define DETAILS_GROUP "grpc.io"

struct status *rpc_status_from(struct rpc_channel *channel, size_t index, grpc_status_code code, grpc_slice details)
{
	if (code == GRPC_STATUS_OK)
		return NULL;
	if (code == GRPC_STATUS_UNAVAILABLE)
		atomic_compare_exchange_strong(&channel->current, &index, (index + 1) % channel->n_channels);
	enum status_reason reason = STATUS_INTERNAL;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			reason = reasons[i].reason;
	char number[16];
	CLEANUP_FREE char *text = mem_zalloc(GRPC_SLICE_LENGTH(details) + 1);
	snprintf(number, sizeof(number), "%d", (int)code);
	rpc_copy_received(text, details);
	struct status *s = status_new(reason, "%s", text);
	return status_details(s, DETAILS_GROUP, NULL, number);
}

int rpc_status_code(const struct status *status)
{
	int64_t code = GRPC_STATUS_UNKNOWN;
	if (!status)
		return GRPC_STATUS_OK;
	if (str_eq(status->group, DETAILS_GROUP) && str_to_int64(status->name, 0, 16, &code))
		return (int)code;
	return GRPC_STATUS_UNKNOWN;
}
