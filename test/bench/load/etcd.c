/* etcd itself: bare puts, to compare an apiserver's writes with, and copies of objects, to fill a store quickly. */
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/cleanup.h"
#include "etcd/etcd.h"
#include "rpc/rpc.h"
#include "test/bench/load/load.h"

struct store {
	struct rpc_channel *channel;
	const uint8_t *value;
	size_t size;
	uint32_t salt; /* so that the copies of two runs have different UIDs */
};

static struct status *dial(const char *endpoint, struct store *store)
{
	const char *target = str_starts_with(endpoint, "http://") ? endpoint + 7 : endpoint;
	return rpc_channel_new(&(struct rpc_options){.targets = &target, .n_targets = 1}, &store->channel);
}

static struct status *put(struct store *s, struct arena *arena, const char *key, const void *value, size_t size)
{
	EtcdPutRequest *request = RPC_NEW(arena, EtcdPutRequest);
	EtcdPutResponse *response;
	request->key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
	request->value = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)value};
	return rpc_call(s->channel, &etcd_kv_service, "Put", request, 10000, arena, &response);
}

static struct status *read_value(struct store *s, struct arena *arena, const char *key)
{
	EtcdRangeRequest *request = RPC_NEW(arena, EtcdRangeRequest);
	EtcdRangeResponse *response;
	request->key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
	TRY(rpc_call(s->channel, &etcd_kv_service, "Range", request, 10000, arena, &response));
	if (!response->n_kvs)
		return status_new(STATUS_NOT_FOUND, "etcd has no key %s", key);
	s->value = response->kvs[0]->value.data;
	s->size = response->kvs[0]->value.len;
	return NULL;
}

/* --- bare puts --- */

/* The transaction of an API server's create: if the key is not there. */
static struct status *put_new(struct store *s, struct arena *arena, const char *key)
{
	EtcdTxnRequest *request = RPC_NEW(arena, EtcdTxnRequest);
	EtcdCompare *absent = RPC_NEW(arena, EtcdCompare);
	EtcdRequestOp *op = RPC_NEW(arena, EtcdRequestOp);
	EtcdTxnResponse *response;
	const ProtobufCBinaryData bytes = {strlen(key), (uint8_t *)(uintptr_t)key};
	absent->key = bytes;
	absent->target = ETCD_COMPARE_COMPARE_TARGET_MOD;
	absent->target_union_case = ETCD_COMPARE_TARGET_UNION_MOD_REVISION;
	op->request_case = ETCD_REQUEST_OP_REQUEST_REQUEST_PUT;
	op->request_put = RPC_NEW(arena, EtcdPutRequest);
	op->request_put->key = bytes;
	op->request_put->value = (ProtobufCBinaryData){s->size, (uint8_t *)(uintptr_t)s->value};
	ARENA_PUSH(arena, request->compare, request->n_compare) = absent;
	ARENA_PUSH(arena, request->success, request->n_success) = op;
	return rpc_call(s->channel, &etcd_kv_service, "Txn", request, 10000, arena, &response);
}

static struct status *put_one(struct crowd_client *c, int64_t i)
{
	struct store *s = c->data;
	const char *key = arena_printf(c->arena, "/bench/load-%08lld", (long long)(c->load->from + i));
	struct status *failed =
		str_eq(c->load->what, "create") ? put_new(s, c->arena, key) : put(s, c->arena, key, s->value, s->size);
	arena_reset(c->arena);
	return failed;
}

struct status *load_etcd_put(struct load *l)
{
	struct store store = {.value = arena_zalloc(l->arena, (size_t)l->n), .size = (size_t)l->n};
	TRY(dial(l->etcd, &store));
	struct status *failed = str_empty(l->key) ? NULL : read_value(&store, l->arena, l->key);
	struct crowd crowd = {.load = l, .op = put_one, .data = &store, .no_wire = true};
	struct gauge gauge = gauge_start(l->server_pid);
	if (!failed)
		failed = crowd_run(&crowd);
	if (!failed)
		crowd_figure(&crowd, "etcd-put", &gauge);
	samples_done(&crowd.ms);
	rpc_channel_free(store.channel);
	return failed;
}

/* --- copies --- */

/* The n-th copy differs in what must be unique, and in the labels that selectors of the figures ask for. */
static void make_different(struct arena *arena, void *object, const struct store *s, struct load *l, int64_t n)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	meta->name = arena_printf(arena, "load-%08lld", (long long)n);
	meta->uid = arena_printf(arena, "%08x-0000-4000-8000-%012lld", s->salt, (long long)n);
	if (!str_empty(meta->namespace))
		meta->namespace = arena_strdup(arena, l->namespace);
	meta_set_label(arena, meta, "bench/percent", arena_printf(arena, "%lld", (long long)(n % 100)));
	if (API_IS(object, CoreV1Node)) {
		meta_set_label(arena, meta, "kubernetes.io/hostname", meta->name);
		meta_set_label(arena, meta, "topology.kubernetes.io/zone",
			arena_printf(arena, "zone-%lld", (long long)(n % 10)));
	}
	if (API_IS(object, CoreV1Service)) {
		CoreV1ServiceSpec *spec = ((CoreV1Service *)object)->spec;
		int64_t host = n + 20;
		spec->cluster_ip = arena_printf(
			arena, "10.96.%lld.%lld", (long long)(host / 250 + 1), (long long)(host % 250 + 1));
		spec->cluster_ips[0] = spec->cluster_ip;
	}
	if (API_IS(object, DiscoveryV1EndpointSlice)) {
		DiscoveryV1EndpointSlice *slice = object;
		meta_set_label(arena, meta, "kubernetes.io/service-name", meta->name);
		for (size_t i = 0; i < slice->n_endpoints; i++)
			slice->endpoints[i]->addresses[0] = arena_printf(arena, "10.%lld.%lld.%lld",
				(long long)(100 + i), (long long)(n / 250), (long long)(n % 250 + 1));
	}
}

static struct status *copy_one(struct crowd_client *c, int64_t i)
{
	struct store *s = c->data;
	struct load *l = c->load;
	void *object;
	struct status *failed = protobuf_decode(c->arena, NULL, s->value, s->size, &object);
	if (failed)
		return failed;
	make_different(c->arena, object, s, l, l->from + i);
	strbuf_reset(&c->scratch);
	protobuf_encode(&c->scratch, object);
	const char *key = arena_printf(c->arena, "%s/%s", l->prefix, object_name(object));
	failed = put(s, c->arena, key, c->scratch.buf, c->scratch.len);
	arena_reset(c->arena);
	return failed;
}

static struct status *read_source(struct load *l, struct store *store)
{
	struct store source;
	TRY(dial(str_or(l->source, l->etcd), &source));
	struct status *failed = read_value(&source, l->arena, l->key);
	rpc_channel_free(source.channel);
	store->value = source.value;
	store->size = source.size;
	return failed;
}

/* l->n copies of the object under --key (of --source, if that is another etcd), to PREFIX/load-N, of the namespace. */
struct status *load_etcd_fill(struct load *l)
{
	struct store store = {.salt = (uint32_t)now_us()};
	TRY(read_source(l, &store));
	TRY(dial(l->etcd, &store));
	l->seconds = 600;
	struct crowd crowd = {.load = l, .op = copy_one, .data = &store, .no_wire = true, .max = l->n};
	struct status *failed = crowd_run(&crowd);
	samples_done(&crowd.ms);
	rpc_channel_free(store.channel);
	return failed;
}
