#include "apiserver/store/etcd.h"
#include <stdlib.h>
#include "apiserver/store/etcd_private.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_TIMEOUT_MS 10000
#define MAX_PEM_BYTES (1u << 20)
#define MAX_MESSAGE_BYTES (1u << 30)
#define MAX_SENT_BYTES (2u << 20) /* the limit of the original's client; etcd's is 1.5 MiB by default */
#define COMPACTION_KEY "compact_rev_key"
#define INVALID_ARGUMENT 3 /* gRPC's code */

struct pem {
	char *ca;
	char *cert;
	char *key;
};

static void pem_done(struct pem *pem)
{
	free(pem->ca);
	free(pem->cert);
	mem_cleanse_free(pem->key, pem->key ? strlen(pem->key) : 0);
}

static struct status *read_pem(const char *path, char **ret_text)
{
	size_t size;
	return str_empty(path) ? NULL : io_read_file(path, MAX_PEM_BYTES, ret_text, &size);
}

/* "https://h:1" -> "h:1", "unixs:///p" -> "unix:/p"; *ret_tls. */
static const char *target_of(struct arena *arena, const char *endpoint, bool *ret_tls)
{
	const char *rest = strstr(endpoint, "://");
	*ret_tls = str_starts_with(endpoint, "https://") || str_starts_with(endpoint, "unixs://");
	if (str_starts_with(endpoint, "unix://") || str_starts_with(endpoint, "unixs://"))
		return arena_printf(arena, "unix:%s", rest + strlen("://"));
	return rest ? rest + strlen("://") : endpoint;
}

struct status *etcd_new(const struct etcd_options *options, struct etcd **ret_etcd)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pem_done) struct pem pem = {0};
	TRY(status_wrap(read_pem(options->ca_file, &pem.ca), "--etcd-cafile"));
	TRY(status_wrap(read_pem(options->cert_file, &pem.cert), "--etcd-certfile"));
	TRY(status_wrap(read_pem(options->key_file, &pem.key), "--etcd-keyfile"));
	const char **targets = ARENA_ARRAY(arena, const char *, options->n_endpoints + 1);
	bool tls = false;
	for (size_t i = 0; i < options->n_endpoints; i++)
		targets[i] = target_of(arena, options->endpoints[i], &tls);
	const struct rpc_tls settings = {.ca_pem = pem.ca, .cert_pem = pem.cert, .key_pem = pem.key};
	struct etcd *etcd = mem_zalloc(sizeof(*etcd));
	const struct rpc_options channel = {.targets = targets,
		.n_targets = options->n_endpoints,
		.tls = tls ? &settings : NULL,
		.max_message_bytes = MAX_MESSAGE_BYTES,
		.keepalive_ms = 30000,
		.keepalive_timeout_ms = 10000,
		.observe = etcd_calls_observe,
		.observe_data = &etcd->calls};
	etcd->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
	struct status *status = rpc_channel_new(&channel, &etcd->channel);
	if (status)
		free(etcd);
	else
		*ret_etcd = etcd;
	return status_wrap(status, "etcd");
}

void etcd_free(struct etcd *etcd)
{
	if (!etcd)
		return;
	rpc_channel_free(etcd->channel);
	free(etcd);
}

void etcd_write_metrics(const struct etcd *etcd, struct strbuf *out)
{
	etcd_calls_write(&etcd->calls, out);
}

struct status *etcd_plain(struct status *s)
{
	if (!s)
		return NULL;
	enum status_reason reason = STATUS_INTERNAL;
	if (s->reason == STATUS_EXPIRED || s->reason == STATUS_TIMEOUT || s->reason == STATUS_UNAVAILABLE)
		reason = s->reason;
	/* What we ask is well formed: etcd finds it invalid only when it is too large. */
	if (rpc_status_code(s) == INVALID_ARGUMENT)
		reason = STATUS_TOO_LARGE;
	struct status *clean = status_new(reason, "%s", s->message);
	status_free(s);
	return clean;
}

static struct status *call(
	struct etcd *etcd, const char *method, const void *request, struct arena *arena, void *ret_response)
{
	return etcd_plain(
		rpc_call(etcd->channel, &etcd_kv_service, method, request, etcd->timeout_ms, arena, ret_response));
}

static ProtobufCBinaryData bytes(const void *data, size_t size)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)data, .len = size};
}

static ProtobufCBinaryData text(const char *s)
{
	return bytes(s, strlen(s));
}

void etcd_kv_from(struct arena *arena, const MvccKeyValue *from, struct etcd_kv *ret_kv)
{
	*ret_kv = (struct etcd_kv){.found = true,
		.key = arena_strndup(arena, (const char *)from->key.data, from->key.len),
		.value = from->value.data,
		.size = from->value.len,
		.mod_revision = from->mod_revision,
		.create_revision = from->create_revision,
		.lease = from->lease};
}

/* What a transaction's read gave; NULL: it made none. */
static const EtcdRangeResponse *first_range(const EtcdTxnResponse *response)
{
	const bool read = response->n_responses &&
			  response->responses[0]->response_case == ETCD_RESPONSE_OP_RESPONSE_RESPONSE_RANGE;
	return read ? response->responses[0]->response_range : NULL;
}

static void first_kv(struct arena *arena, const EtcdRangeResponse *response, struct etcd_kv *ret_kv)
{
	*ret_kv = (struct etcd_kv){0};
	if (response && response->n_kvs)
		etcd_kv_from(arena, response->kvs[0], ret_kv);
}

struct status *etcd_get(struct etcd *etcd, struct arena *arena, const char *key, struct etcd_kv *ret_kv)
{
	EtcdRangeRequest *request = RPC_NEW(arena, EtcdRangeRequest);
	request->key = text(key);
	EtcdRangeResponse *response;
	TRY(call(etcd, "Range", request, arena, &response));
	first_kv(arena, response, ret_kv);
	return NULL;
}

static EtcdRequestOp *op_put(struct arena *arena, const char *key, const void *value, size_t size, int64_t lease)
{
	EtcdRequestOp *op = RPC_NEW(arena, EtcdRequestOp);
	op->request_case = ETCD_REQUEST_OP_REQUEST_REQUEST_PUT;
	op->request_put = RPC_NEW(arena, EtcdPutRequest);
	op->request_put->key = text(key);
	op->request_put->value = bytes(value, size);
	op->request_put->lease = lease;
	return op;
}

static EtcdRequestOp *op_delete(struct arena *arena, const char *key)
{
	EtcdRequestOp *op = RPC_NEW(arena, EtcdRequestOp);
	op->request_case = ETCD_REQUEST_OP_REQUEST_REQUEST_DELETE_RANGE;
	op->request_delete_range = RPC_NEW(arena, EtcdDeleteRangeRequest);
	op->request_delete_range->key = text(key);
	return op;
}

static EtcdRequestOp *op_get(struct arena *arena, const char *key)
{
	EtcdRequestOp *op = RPC_NEW(arena, EtcdRequestOp);
	op->request_case = ETCD_REQUEST_OP_REQUEST_REQUEST_RANGE;
	op->request_range = RPC_NEW(arena, EtcdRangeRequest);
	op->request_range->key = text(key);
	return op;
}

static EtcdCompare *compare_to(struct arena *arena, const char *key)
{
	EtcdCompare *compare = RPC_NEW(arena, EtcdCompare);
	compare->key = text(key);
	compare->result = ETCD_COMPARE_COMPARE_RESULT_EQUAL;
	return compare;
}

static struct status *transact_if(struct etcd *etcd, struct arena *arena, EtcdCompare *compare, EtcdRequestOp *op,
	EtcdRequestOp *other, EtcdTxnResponse **ret_response)
{
	EtcdTxnRequest *request = RPC_NEW(arena, EtcdTxnRequest);
	ARENA_PUSH(arena, request->compare, request->n_compare) = compare;
	ARENA_PUSH(arena, request->success, request->n_success) = op;
	if (other)
		ARENA_PUSH(arena, request->failure, request->n_failure) = other;
	const size_t size = protobuf_c_message_get_packed_size(&request->base);
	if (size > MAX_SENT_BYTES)
		return status_new(STATUS_TOO_LARGE,
			"rpc error: code = ResourceExhausted desc = trying to send message larger than max (%zu vs. "
			"%u)",
			size, MAX_SENT_BYTES);
	return call(etcd, "Txn", request, arena, ret_response);
}

/* If the key's mod_revision is the expected one (0: the key is not there) then op, else (may be NULL) other. */
static struct status *transact(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected,
	EtcdRequestOp *op, EtcdRequestOp *other, EtcdTxnResponse **ret_response)
{
	EtcdCompare *compare = compare_to(arena, key);
	compare->target = ETCD_COMPARE_COMPARE_TARGET_MOD;
	compare->target_union_case = ETCD_COMPARE_TARGET_UNION_MOD_REVISION;
	compare->mod_revision = expected;
	return transact_if(etcd, arena, compare, op, other, ret_response);
}

struct status *etcd_create(struct etcd *etcd, struct arena *arena, const char *key, const void *value, size_t size,
	int64_t lease, int64_t *ret_revision)
{
	EtcdTxnResponse *response;
	TRY(transact(etcd, arena, key, 0, op_put(arena, key, value, size, lease), NULL, &response));
	if (!response->succeeded)
		return status_new(STATUS_ALREADY_EXISTS, "key exists: %s", key);
	*ret_revision = response->header ? response->header->revision : 0;
	return NULL;
}

static struct status *conditional(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected,
	EtcdRequestOp *op, bool *ret_done, int64_t *ret_revision, struct etcd_kv *ret_now)
{
	EtcdTxnResponse *response;
	TRY(transact(etcd, arena, key, expected, op, op_get(arena, key), &response));
	*ret_done = response->succeeded;
	*ret_revision = response->header ? response->header->revision : 0;
	first_kv(arena, response->succeeded ? NULL : first_range(response), ret_now);
	return NULL;
}

struct status *etcd_swap(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected, const void *value,
	size_t size, int64_t lease, bool *ret_swapped, int64_t *ret_revision, struct etcd_kv *ret_now)
{
	return conditional(
		etcd, arena, key, expected, op_put(arena, key, value, size, lease), ret_swapped, ret_revision, ret_now);
}

struct status *etcd_remove(struct etcd *etcd, struct arena *arena, const char *key, int64_t expected, bool *ret_removed,
	int64_t *ret_revision, struct etcd_kv *ret_now)
{
	return conditional(etcd, arena, key, expected, op_delete(arena, key), ret_removed, ret_revision, ret_now);
}

struct status *etcd_revision(struct etcd *etcd, int64_t *ret_revision)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	EtcdRangeRequest *request = RPC_NEW(arena, EtcdRangeRequest);
	request->key = text("\x01");
	request->count_only = true;
	EtcdRangeResponse *response;
	TRY(call(etcd, "Range", request, arena, &response));
	*ret_revision = response->header ? response->header->revision : 0;
	return NULL;
}

struct status *etcd_lease(struct etcd *etcd, int64_t ttl_seconds, int64_t *ret_lease)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	EtcdLeaseGrantRequest *request = RPC_NEW(arena, EtcdLeaseGrantRequest);
	request->ttl = ttl_seconds;
	EtcdLeaseGrantResponse *response;
	TRY(etcd_plain(rpc_call(
		etcd->channel, &etcd_lease_service, "LeaseGrant", request, etcd->timeout_ms, arena, &response)));
	*ret_lease = response->id;
	return NULL;
}

struct status *etcd_size(struct etcd *etcd, int64_t *ret_bytes)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	EtcdStatusResponse *response;
	TRY(etcd_plain(rpc_call(etcd->channel, &etcd_maintenance_service, "Status", RPC_NEW(arena, EtcdStatusRequest),
		etcd->timeout_ms, arena, &response)));
	*ret_bytes = response->dbsize;
	return NULL;
}

/* The key's value: what its writer compacted up to. */
static int64_t compacted_of(const MvccKeyValue *kv)
{
	char number[24] = "";
	int64_t revision = 0;
	if (kv->value.len && kv->value.len < sizeof(number))
		memcpy(number, kv->value.data, kv->value.len);
	return str_to_int64(number, 0, INT64_MAX, &revision) ? revision : 0;
}

struct status *etcd_compaction_turn(struct etcd *etcd, int64_t *turn, int64_t *revision, int64_t *ret_compacted)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *value = arena_printf(arena, "%lld", (long long)*revision);
	EtcdCompare *compare = compare_to(arena, COMPACTION_KEY);
	compare->target = ETCD_COMPARE_COMPARE_TARGET_VERSION;
	compare->target_union_case = ETCD_COMPARE_TARGET_UNION_VERSION;
	compare->version = *turn;
	EtcdTxnResponse *response;
	TRY(transact_if(etcd, arena, compare, op_put(arena, COMPACTION_KEY, value, strlen(value), 0),
		op_get(arena, COMPACTION_KEY), &response));
	const int64_t last = *revision;
	*revision = response->header ? response->header->revision : 0;
	if (!response->succeeded) {
		const EtcdRangeResponse *now = first_range(response);
		*turn = now && now->n_kvs ? now->kvs[0]->version : 0;
		*ret_compacted = now && now->n_kvs ? compacted_of(now->kvs[0]) : 0;
		return NULL;
	}
	++*turn;
	*ret_compacted = last;
	if (!last)
		return NULL;
	EtcdCompactionRequest *request = RPC_NEW(arena, EtcdCompactionRequest);
	request->revision = last;
	EtcdCompactionResponse *done;
	return call(etcd, "Compact", request, arena, &done);
}
