/*
 * What is probed answers with any bytes, over HTTP, over gRPC or as a command's end: the probe has an outcome and says
 * something short, or could not be run. Streams and calls are here the fuzzer's: what they give is pieces of the input.
 */
#include "kubelet/probe/probe.h"
#include "net/stream.h"
#include "rpc/rpc.h"
#include "test/fuzz/target.h"

enum { MOST_OUTPUT = 11000 };

static const uint8_t *at, *end; /* what is left to be read */

static size_t piece(void)
{
	size_t size = at < end ? *at++ : 0;
	return size < (size_t)(end - at) ? size : (size_t)(end - at);
}

/* One byte of several is an error instead of an answer. */
static struct status *broken(void)
{
	static const struct {
		enum status_reason reason;
		const char *message;
	} errors[] = {{STATUS_TIMEOUT, "Deadline Exceeded"}, {STATUS_UNAVAILABLE, "failed to connect to all addresses"},
		{STATUS_METHOD_NOT_ALLOWED, "unknown service"}, {STATUS_INTERNAL, ""}};
	uint8_t which = at < end ? *at++ : 0;
	return which < ARRAY_SIZE(errors) ? status_new(errors[which].reason, "%s", errors[which].message) : NULL;
}

struct status *stream_dial(
	const char *host, uint16_t port, struct tls_context *tls, int timeout_ms, struct stream **ret)
{
	assert(*host && port && timeout_ms > 0);
	*ret = NULL;
	return broken();
}

struct status *stream_read_some(struct stream *s, void *buf, size_t size, int timeout_ms, size_t *ret_n)
{
	size_t n = piece();
	assert(n <= size && timeout_ms > 0);
	memcpy(buf, at, n);
	at += n;
	*ret_n = n;
	return NULL;
}

struct status *stream_write_all(struct stream *s, const void *data, size_t size, int timeout_ms)
{
	return NULL;
}

void stream_unread(struct stream *s, const void *data, size_t size)
{
}

void stream_free(struct stream *s)
{
}

struct tls_context;
struct status *tls_context_new(const struct tls_config *config, enum tls_side side, struct tls_context **ret)
{
	*ret = NULL;
	return NULL;
}

void tls_context_unref(struct tls_context *context)
{
}

struct status *rpc_channel_new(const struct rpc_options *options, struct rpc_channel **ret_channel)
{
	*ret_channel = NULL;
	return NULL;
}

void rpc_channel_free(struct rpc_channel *channel)
{
}

void *rpc_message_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_zalloc(arena, type->sizeof_message);
	protobuf_c_message_init(type, message);
	return message;
}

static void *alloc_in_arena(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void free_nothing(void *arena, void *p)
{
}

struct status *rpc_call(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
	const void *request, int64_t timeout_ms, struct arena *arena, void *ret_response)
{
	ProtobufCAllocator allocator = {.alloc = alloc_in_arena, .free = free_nothing, .allocator_data = arena};
	TRY(broken());
	size_t size = piece();
	ProtobufCMessage *answer = protobuf_c_message_unpack(service->methods[0].output, &allocator, size, at);
	at += size;
	*(ProtobufCMessage **)ret_response = answer;
	return answer ? NULL : status_internal("the answer is no %s", service->methods[0].output->name);
}

struct status *cri_exec_sync(struct cri *cri, const char *container_id, char *const *command, size_t n_command,
	int64_t timeout_s, struct cancel *cancel, struct arena *arena, char **ret_output, int32_t *ret_exit_code)
{
	TRY(broken());
	*ret_exit_code = at < end ? *at++ : 0;
	*ret_output = arena_strndup(arena, (const char *)at, (size_t)(end - at));
	return NULL;
}

char *cri_error_text(struct arena *arena, const struct status *status)
{
	return arena_strdup(arena, status->message);
}

static CoreV1Probe *probe_of(struct arena *arena, uint8_t kind)
{
	CoreV1Probe *probe = API_NEW(arena, CoreV1Probe);
	CoreV1ProbeHandler *handler = probe->handler = API_NEW(arena, CoreV1ProbeHandler);
	probe->timeout_seconds = 1;
	if (kind % 3 == 0) {
		handler->exec = API_NEW(arena, CoreV1ExecAction);
	} else if (kind % 3 == 1) {
		handler->grpc = API_NEW(arena, CoreV1GRPCAction);
		handler->grpc->port = 80;
	} else {
		handler->http_get = API_NEW(arena, CoreV1HTTPGetAction);
		handler->http_get->port = API_NEW(arena, IntstrIntOrString);
		handler->http_get->port->int_val = 80;
		handler->http_get->scheme = arena_strdup(arena, kind & 0x80 ? "HTTPS" : "HTTP");
	}
	return probe;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	enum probe_outcome outcome = PROBE_OUTCOME_UNKNOWN;
	char *output = NULL;

	if (!size || size > FUZZ_MAX_SIZE)
		return 0;
	at = data + 1;
	end = data + size;
	struct status *s = probe_run(
		&(struct kubelet){0}, arena, NULL, NULL, probe_of(arena, *data), "id", "10.0.0.1", &outcome, &output);
	if (!s) {
		assert(outcome != PROBE_OUTCOME_UNKNOWN);
		assert(strlen(output) < MOST_OUTPUT);
	}
	status_free(s);
	return 0;
}
