/*
 * An etcd that answers with any bytes: each call has an outcome, and what it gives out are whole keys and values that
 * lie within the answer. The calls of common/rpc are here the fuzzer's: each answer is a piece of the input.
 */
#include "apiserver/store/etcd_private.h"
#include "rpc/private.h"
#include "test/fuzz/target.h"

static struct fuzz_bytes input;

/* What is answered next; some answers are errors, and so are all when the input has ended. */
static struct status *answer(const uint8_t **ret_data, size_t *ret_size)
{
	static const int codes[] = {RPC_UNAVAILABLE, RPC_RESOURCE_EXHAUSTED, RPC_OUT_OF_RANGE, RPC_INVALID_ARGUMENT};
	const uint8_t which = fuzz_byte(&input);
	const size_t left = (size_t)(input.end - input.at);
	if (!left || which >= 0xf0)
		return rpc_status(codes[which % ARRAY_SIZE(codes)], "etcdserver: request is too large");
	size_t size = which < 0xe0 ? which : which * 16u;
	size = size < left ? size : left;
	*ret_data = input.at;
	*ret_size = size;
	input.at += size;
	return NULL;
}

/* A message in memory of its own, which ends where it ends. */
static struct status *answer_message(struct rpc_message **ret_message)
{
	const uint8_t *data = NULL;
	size_t size = 0;
	TRY(answer(&data, &size));
	struct rpc_message *m = malloc(sizeof(*m) + size);
	assert(m);
	*m = (struct rpc_message){.size = size};
	memcpy(m->data, data, size);
	*ret_message = m;
	return NULL;
}

static struct status *answer_typed(
	struct arena *arena, const ProtobufCServiceDescriptor *service, const char *method, void *ret)
{
	const ProtobufCMethodDescriptor *m = rpc_method_find(service, method);
	CLEANUP_FREE struct rpc_message *message = NULL;
	assert(m);
	TRY(answer_message(&message));
	return rpc_unpack(arena, m->output, message, ret);
}

struct status *rpc_channel_new(const struct rpc_options *options, struct rpc_channel **ret_channel)
{
	*ret_channel = NULL;
	return NULL;
}

void rpc_channel_free(struct rpc_channel *channel)
{
}

struct status *rpc_call(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
	const void *request, int64_t timeout_ms, struct arena *arena, void *ret_response)
{
	return answer_typed(arena, service, method, ret_response);
}

struct status *rpc_call_raw(struct rpc_channel *channel, const char *path, const void *request, size_t size,
	int64_t timeout_ms, struct arena *arena, uint8_t **ret_response, size_t *ret_size)
{
	struct rpc_message *m;
	TRY(answer_message(&m));
	arena_defer(arena, free, m);
	*ret_response = m->data;
	*ret_size = m->size;
	return NULL;
}

struct status *rpc_stream_open(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, struct rpc_stream **ret_stream)
{
	*ret_stream = NULL;
	return NULL;
}

struct status *rpc_stream_send(struct rpc_stream *stream, const void *message)
{
	return NULL;
}

struct status *rpc_stream_recv(struct rpc_stream *stream, int64_t timeout_ms, struct arena *arena, void *ret_message)
{
	return answer_typed(arena, &etcd_watch_service, "Watch", ret_message);
}

void rpc_stream_free(struct rpc_stream *stream)
{
}

/* --- what is given out --- */

static unsigned sum; /* of all bytes, so that each is read */

static void read_kv(const struct etcd_kv *kv)
{
	assert(kv->found && kv->key);
	for (size_t i = 0; i < kv->size; i++)
		sum += kv->value[i];
	sum += (unsigned)strlen(kv->key);
}

static void take_kv(void *data, const struct etcd_kv *kv)
{
	read_kv(kv);
	++*(size_t *)data;
}

static void take_batch(void *data, const struct etcd_event *events, size_t n, int64_t revision)
{
	assert(n);
	for (size_t i = 0; i < n; i++) {
		read_kv(&events[i].kv);
		if (events[i].before.found)
			read_kv(&events[i].before);
	}
	assert(!revision || revision == events[n - 1].kv.mod_revision);
}

static bool always(void *data)
{
	return true;
}

static struct status *read_range(struct etcd *etcd)
{
	int64_t revision = 0;
	size_t n = 0;
	return etcd_each(etcd, "/registry/", &revision, take_kv, &n);
}

static struct status *compact(struct etcd *etcd)
{
	int64_t turn = 1, revision = 5, compacted;
	return etcd_compaction_turn(etcd, &turn, &revision, &compacted);
}

/* Of a single key: reading, and writes that are made or find another value. */
static struct status *use_key(struct etcd *etcd, uint8_t how)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct etcd_kv kv = {0};
	int64_t revision;
	bool done = false;
	switch (how % 4) {
	case 0:
		TRY(etcd_get(etcd, arena, "/k", &kv));
		break;
	case 1:
		return etcd_create(etcd, arena, "/k", "v", 1, 0, &revision);
	case 2:
		TRY(etcd_swap(etcd, arena, "/k", 3, "v", 1, 0, &done, &revision, &kv));
		break;
	default:
		TRY(etcd_remove(etcd, arena, "/k", 3, &done, &revision, &kv));
	}
	if (kv.found)
		read_kv(&kv);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct etcd_watch_options watch = {
		.prefix = "", .from = 1, .before = true, .goes_on = always, .batch = take_batch};
	struct etcd etcd = {.timeout_ms = 1};
	int64_t number;
	struct status *s = NULL;
	if (size > FUZZ_MAX_SIZE)
		return 0;
	input = (struct fuzz_bytes){data, data + size};
	while (input.at < input.end) {
		const uint8_t what = fuzz_byte(&input);
		switch (what % 7) {
		case 0:
			s = read_range(&etcd);
			break;
		case 1:
			s = etcd_watch(&etcd, &watch, &number);
			assert(s); /* a watch ends with a reason */
			break;
		case 2:
			s = compact(&etcd);
			break;
		case 3:
			s = etcd_revision(&etcd, &number);
			break;
		case 4:
			s = etcd_lease(&etcd, 10, &number);
			break;
		case 5:
			s = etcd_size(&etcd, &number);
			break;
		default:
			s = use_key(&etcd, what / 7);
		}
		assert(!s || *s->message);
		status_free(s);
	}
	return 0;
}
