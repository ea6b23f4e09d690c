#include "apiserver/store/etcd_private.h"
#include "base/mem.h"

#define POLL_MS 500
/* What a batch of events has taken is kept for the next, unless it was a large one, and none comes. */
#define IDLE_BYTES (16u << 10)

static void pass_on(const struct etcd_watch_options *o, struct arena *arena, const EtcdWatchResponse *response)
{
	struct etcd_event *events = NULL;
	size_t n = 0;
	for (size_t i = 0; i < response->n_events; i++) {
		const MvccEvent *from = response->events[i];
		if (!from->kv)
			continue;
		struct etcd_event event = {.deleted = from->type == MVCC_EVENT_EVENT_TYPE_DELETE};
		etcd_kv_from(arena, from->kv, &event.kv);
		if (from->prev_kv)
			etcd_kv_from(arena, from->prev_kv, &event.before);
		ARENA_PUSH(arena, events, n) = event;
	}
	if (n)
		o->batch(o->data, events, n, response->fragment ? 0 : events[n - 1].kv.mod_revision);
}

static struct status *canceled(const EtcdWatchResponse *response, int64_t *ret_compacted)
{
	if (!response->compact_revision)
		return status_new(STATUS_UNAVAILABLE, "etcd ended the watch: %s", response->cancel_reason);
	if (ret_compacted)
		*ret_compacted = response->compact_revision;
	return status_new(STATUS_EXPIRED, "the watched revision has been compacted (%lld)",
		(long long)response->compact_revision);
}

static struct arena *forget(struct arena *arena)
{
	arena_free(arena);
	return arena_new();
}

static struct status *follow(const struct etcd_watch_options *o, struct rpc_stream *stream, int64_t *ret_compacted)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (; o->goes_on(o->data); arena_reset(arena)) {
		EtcdWatchResponse *response;
		struct status *status = rpc_stream_recv(stream, POLL_MS, arena, &response);
		if (status_is(status, STATUS_TIMEOUT)) {
			status_drop(status, "nothing has happened");
			if (arena_size_bytes(arena) > IDLE_BYTES)
				arena = forget(arena);
			continue;
		}
		TRY(status);
		if (!response)
			return status_new(STATUS_UNAVAILABLE, "etcd ended the watch");
		if (response->canceled)
			return canceled(response, ret_compacted);
		pass_on(o, arena, response);
	}
	return NULL;
}

/* All keys are those from \0 to \0. */
static void set_range(struct arena *arena, EtcdWatchCreateRequest *request, const char *prefix)
{
	char *end = etcd_prefix_end(arena, prefix);
	request->key.data = (uint8_t *)arena_strdup(arena, prefix);
	request->key.len = *prefix ? strlen(prefix) : 1;
	request->range_end.data = (uint8_t *)end;
	request->range_end.len = *prefix ? strlen(end) : 1;
}

struct status *etcd_watch(struct etcd *etcd, const struct etcd_watch_options *options, int64_t *ret_compacted)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	EtcdWatchRequest *request = RPC_NEW(arena, EtcdWatchRequest);
	request->request_union_case = ETCD_WATCH_REQUEST_REQUEST_UNION_CREATE_REQUEST;
	request->create_request = RPC_NEW(arena, EtcdWatchCreateRequest);
	set_range(arena, request->create_request, options->prefix);
	request->create_request->start_revision = options->from;
	request->create_request->prev_kv = options->before;
	request->create_request->fragment = true;
	CLEANUP(rpc_stream_freep) struct rpc_stream *stream = NULL;
	TRY(rpc_stream_open(etcd->channel, &etcd_watch_service, "Watch", &stream));
	TRY(rpc_stream_send(stream, request));
	return follow(options, stream, ret_compacted);
}
