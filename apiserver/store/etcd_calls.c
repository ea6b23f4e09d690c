#include "apiserver/store/etcd_calls.h"
#include "base/mem.h"
#include "serve/metrics.h"

static const struct {
	const char *service, *method;
	bool streams;
} methods[ETCD_METHODS] = {
	{"etcdserverpb.KV", "Range"},
	{"etcdserverpb.KV", "Txn"},
	{"etcdserverpb.KV", "Compact"},
	{"etcdserverpb.Lease", "LeaseGrant"},
	{"etcdserverpb.Maintenance", "Status"},
	{"etcdserverpb.Watch", "Watch", true},
};

/* By their numbers. */
static const char *const codes[ETCD_CODES] = {"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded",
	"NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted",
	"OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"};

/* "/service/method" */
static bool is_path(size_t i, const char *path)
{
	const size_t len = strlen(methods[i].service);
	return !strncmp(path + 1, methods[i].service, len) && path[len + 1] == '/' &&
	       !strcmp(path + len + 2, methods[i].method);
}

void etcd_calls_observe(void *data, enum rpc_event event, const char *path, int code)
{
	struct etcd_calls *calls = data;
	size_t i = 0;
	while (i < ETCD_METHODS && !is_path(i, path))
		i++;
	if (i == ETCD_METHODS)
		return;
	atomic_uint_least64_t *count = &calls->of[i].started;
	if (event == RPC_EVENT_SENT)
		count = &calls->of[i].sent;
	if (event == RPC_EVENT_RECEIVED)
		count = &calls->of[i].received;
	if (event == RPC_EVENT_ENDED)
		count = &calls->of[i].ended[code >= 0 && code < ETCD_CODES ? code : 2];
	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static void write_one(struct strbuf *out, const char *name, size_t i, const char *code, uint64_t n)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	if (!n)
		return;
	if (code)
		metrics_add_label(&labels, "grpc_code", code);
	metrics_add_label(&labels, "grpc_method", methods[i].method);
	metrics_add_label(&labels, "grpc_service", methods[i].service);
	metrics_add_label(&labels, "grpc_type", methods[i].streams ? "bidi_stream" : "unary");
	metrics_write_sample(out, name, labels.buf, (double)n);
}

void etcd_calls_write(const struct etcd_calls *calls, struct strbuf *out)
{
	static const char handled[] = "grpc_client_handled_total", received[] = "grpc_client_msg_received_total",
			  sent[] = "grpc_client_msg_sent_total", started[] = "grpc_client_started_total";
	metrics_write_head(out, handled, "counter", "Calls to etcd that have ended, by how they did.");
	for (size_t i = 0; i < ETCD_METHODS; i++)
		for (size_t code = 0; code < ETCD_CODES; code++)
			write_one(out, handled, i, codes[code], atomic_load(&calls->of[i].ended[code]));
	metrics_write_head(out, received, "counter", "Messages of streams that etcd has sent.");
	for (size_t i = 0; i < ETCD_METHODS; i++)
		write_one(out, received, i, NULL, atomic_load(&calls->of[i].received));
	metrics_write_head(out, sent, "counter", "Messages that etcd was sent.");
	for (size_t i = 0; i < ETCD_METHODS; i++)
		write_one(out, sent, i, NULL, atomic_load(&calls->of[i].sent));
	metrics_write_head(out, started, "counter", "Calls to etcd that were begun.");
	for (size_t i = 0; i < ETCD_METHODS; i++)
		write_one(out, started, i, NULL, atomic_load(&calls->of[i].started));
}
