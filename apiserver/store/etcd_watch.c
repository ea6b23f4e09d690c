#include "apiserver/store/etcd_private.h"
#include "base/mem.h"

#define POLL_MS 500

struct watch {
	const atomic_bool *stop;
	void (*batch)(void *data, const struct etcd_event *events, size_t n, int64_t revision);
	void *data;
	struct arena *arena; /* of the events not yet delivered */
	struct etcd_event *events;
	size_t n_events;
};

static void take_events(struct watch *w, const EtcdWatchResponse *response)
{
	for (size_t i = 0; i < response->n_events; i++) {
		const MvccEvent *from = response->events[i];
		if (!from->kv)
			continue;
		struct etcd_event event = {.deleted = from->type == MVCC_EVENT_EVENT_TYPE_DELETE};
		etcd_kv_from(w->arena, from->kv, &event.kv);
		ARENA_PUSH(w->arena, w->events, w->n_events) = event;
	}
}

/* A response without fragment ends a batch; one revision is never spread over unfragmented responses. */
static struct status *take(struct watch *w, const EtcdWatchResponse *response)
{
	if (response->canceled) {
		if (response->compact_revision)
			return status_new(STATUS_EXPIRED, "the watched revision has been compacted (%lld)",
				(long long)response->compact_revision);
		return status_new(STATUS_UNAVAILABLE, "etcd ended the watch: %s", response->cancel_reason);
	}
	take_events(w, response);
	if (response->fragment)
		return NULL;
	if (w->n_events)
		w->batch(w->data, w->events, w->n_events, w->events[w->n_events - 1].kv.mod_revision);
	w->events = NULL;
	w->n_events = 0;
	arena_reset(w->arena);
	return NULL;
}

static struct status *follow(struct watch *w, struct rpc_stream *stream)
{
	while (!atomic_load(w->stop)) {
		EtcdWatchResponse *response;
		struct status *status = rpc_stream_recv(stream, POLL_MS, w->arena, &response);
		if (status_is(status, STATUS_TIMEOUT)) {
			status_drop(status, "nothing has happened");
			continue;
		}
		TRY(status);
		if (!response)
			return status_new(STATUS_UNAVAILABLE, "etcd ended the watch");
		TRY(take(w, response));
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

struct status *etcd_watch(struct etcd *etcd, const char *prefix, int64_t from, const atomic_bool *stop,
	void (*batch)(void *data, const struct etcd_event *events, size_t n, int64_t revision), void *data)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(arena_freep) struct arena *events = arena_new();
	EtcdWatchRequest *request = RPC_NEW(arena, EtcdWatchRequest);
	request->request_union_case = ETCD_WATCH_REQUEST_REQUEST_UNION_CREATE_REQUEST;
	request->create_request = RPC_NEW(arena, EtcdWatchCreateRequest);
	set_range(arena, request->create_request, prefix);
	request->create_request->start_revision = from;
	request->create_request->fragment = true;
	CLEANUP(rpc_stream_freep) struct rpc_stream *stream = NULL;
	TRY(rpc_stream_open(etcd->channel, &etcd_watch_service, "Watch", &stream));
	TRY(rpc_stream_send(stream, request));
	struct watch w = {.stop = stop, .batch = batch, .data = data, .arena = events};
	return follow(&w, stream);
}
