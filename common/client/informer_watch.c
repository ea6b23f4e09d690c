/* How an informer follows the server: one listing, then watches, for ever. */
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/encode.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/informer_internal.h"

enum {
	WATCH_MIN_S = 300, /* a watch is asked to end after this long and up to twice as long, as in the original */
	SHORT_WATCH_MS = 1000,
};

static void begin_list(struct informer *inf);
static void begin_watch(struct informer *inf);

/* --- handlers --- */

static void tell_added(struct informer *inf, const struct object *object, bool initial)
{
	for (size_t i = 0; i < inf->n_handlers; i++)
		if (inf->handlers[i].fns.added)
			inf->handlers[i].fns.added(inf->handlers[i].data, object, initial);
}

static void tell_updated(struct informer *inf, const struct object *old, const struct object *object)
{
	for (size_t i = 0; i < inf->n_handlers; i++)
		if (inf->handlers[i].fns.updated)
			inf->handlers[i].fns.updated(inf->handlers[i].data, old, object);
}

static void tell_deleted(struct informer *inf, const struct object *object, bool final_unknown)
{
	for (size_t i = 0; i < inf->n_handlers; i++)
		if (inf->handlers[i].fns.deleted)
			inf->handlers[i].fns.deleted(inf->handlers[i].data, object, final_unknown);
}

static void tell_synced(struct informer *inf)
{
	for (size_t i = 0; i < inf->n_handlers; i++) {
		struct handler *h = &inf->handlers[i];
		if (!h->told_synced && h->fns.synced)
			h->fns.synced(h->data);
		h->told_synced = true;
	}
	if (atomic_exchange(&inf->synced, true))
		return;
	pthread_mutex_lock(&inf->factory->lock);
	pthread_cond_broadcast(&inf->factory->changed);
	pthread_mutex_unlock(&inf->factory->lock);
}

/* --- the store --- */

static void set_version(struct informer *inf, const char *version)
{
	if (str_eq(version, inf->resource_version))
		return;
	pthread_mutex_lock(&inf->factory->lock);
	free(inf->resource_version);
	inf->resource_version = mem_strdup(str_or_empty(version));
	pthread_mutex_unlock(&inf->factory->lock);
}

/* The shared form of a message decoded into the scratch arena. */
static struct object *share(struct informer *inf, void *msg)
{
	MetaV1ObjectMeta *meta = object_meta(msg);
	if (meta)
		meta->n_managed_fields = 0;
	if (inf->spec.trim)
		inf->spec.trim(msg);
	return object_new(msg);
}

static void put(struct informer *inf, struct object *object, bool initial)
{
	CLEANUP(object_unrefp) struct object *held = object_ref(object);
	CLEANUP(object_unrefp) struct object *old = store_put(&inf->store, object);
	if (old)
		tell_updated(inf, old, held);
	else
		tell_added(inf, held, initial);
}

/* --- listing --- */

static void schedule_retry(struct informer *inf);

/* What is in the store under a key; borrowed: only this thread removes. */
static struct object *stored(struct informer *inf, const char *key)
{
	return strmap_get(inf->store.objects, key);
}

static void take_item(struct informer *inf, struct strmap *seen, void *msg)
{
	struct object *object = share(inf, msg);
	const struct object *old = stored(inf, object->key);
	strmap_put(seen, object->key, inf);
	if (old && str_eq(old->resource_version, object->resource_version) &&
		str_eq(object_uid(old->msg), object_uid(object->msg)))
		object_unref(object);
	else
		put(inf, object, !inf->listed);
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	*ret = 0;
	for (int shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;
		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Every list is {metadata = 1, items = 2}: items are decoded one by one, so that a long list is never whole in memory
 * twice. */
static struct status *take_protobuf(
	struct informer *inf, struct strmap *seen, const void *body, size_t size, char **ret_version)
{
	const void *raw;
	size_t raw_size;
	TRY(protobuf_envelope(inf->scratch, body, size, NULL, NULL, &raw, &raw_size));
	const uint8_t *p = raw, *end = p + raw_size;
	while (p < end) {
		uint64_t tag, n;
		if (!varint(&p, end, &tag) || (tag & 7) != 2 || !varint(&p, end, &n) || n > (uint64_t)(end - p))
			return status_bad_request("malformed list");
		if (tag >> 3 == 1) {
			MetaV1ListMeta *meta;
			TRY(protobuf_unpack(inf->scratch, &MetaV1ListMeta_schema, p, n, &meta));
			*ret_version = mem_strdup(str_or_empty(meta->resource_version));
		} else if (tag >> 3 == 2) {
			void *msg;
			TRY(protobuf_unpack(inf->scratch, inf->spec.type, p, n, &msg));
			take_item(inf, seen, msg);
		}
		arena_reset(inf->scratch);
		p += n;
	}
	return NULL;
}

static struct status *take_json(
	struct informer *inf, struct strmap *seen, const char *body, size_t size, char **ret_version)
{
	const struct schema_type *list_type = schema_list_of(inf->spec.type);
	void *list, **items;
	if (!list_type)
		return status_internal("%s has no list", inf->spec.type->name);
	struct json_options options = {.max_size = CLIENT_MAX_BODY_BYTES};
	TRY(json_decode(inf->scratch, list_type, body, size, &options, &list));
	const MetaV1ListMeta *meta = object_list_meta(list);
	*ret_version = mem_strdup(meta ? str_or_empty(meta->resource_version) : "");
	size_t n = list_items(list, &items);
	for (size_t i = 0; i < n; i++)
		take_item(inf, seen, items[i]);
	return NULL;
}

static void drop_unseen(struct informer *inf, const struct strmap *seen)
{
	size_t n;
	const char **keys = strmap_sorted_keys(inf->store.objects, &n);
	char **gone = mem_calloc(n + 1, sizeof(*gone));
	size_t n_gone = 0;
	for (size_t i = 0; i < n; i++)
		if (!strmap_has(seen, keys[i]))
			gone[n_gone++] = mem_strdup(keys[i]);
	free(keys);
	for (size_t i = 0; i < n_gone; i++) {
		CLEANUP(object_unrefp) struct object *old = store_remove(&inf->store, gone[i]);
		tell_deleted(inf, old, true);
		free(gone[i]);
	}
	free(gone);
}

static struct status *take_list(struct informer *inf)
{
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	CLEANUP_FREE char *version = NULL;
	const struct strbuf *body = &inf->transfer.body;
	struct status *error = protobuf_has_magic(body->buf, body->len)
				       ? take_protobuf(inf, seen, body->buf, body->len, &version)
				       : take_json(inf, seen, body->buf, body->len, &version);
	arena_reset(inf->scratch);
	if (error)
		return error;
	drop_unseen(inf, seen);
	set_version(inf, version);
	inf->listed = true;
	inf->relist = inf->from_server = false;
	tell_synced(inf);
	return NULL;
}

/* --- one request --- */

static void end_transfer(struct informer *inf)
{
	transfer_done(&inf->transfer, false);
	arena_free(inf->transfer_arena);
	inf->transfer_arena = NULL;
	inf->entry = NULL;
}

static const char *describe(const struct informer *inf)
{
	return inf->resource.plural;
}

static bool is_expired(const struct status *s)
{
	return s && (s->reason == STATUS_EXPIRED || s->reason == STATUS_GONE || s->code == 410);
}

/* The answer's error: of the connection, or the server's Status. */
static struct status *answer_error(struct informer *inf, CURLcode code)
{
	struct transfer *t = &inf->transfer;
	struct status *error = transfer_result(t, code);
	if (error || (t->code >= 200 && t->code < 300))
		return error;
	if (t->code == 401)
		client_auth_rejected(t->client);
	return client_status_from_body(t->method, t->path, t->code, t->body.buf, t->body.len);
}

static void on_retry(void *data)
{
	struct informer *inf = data;
	inf->retry = NULL;
	if (inf->relist || !inf->listed)
		begin_list(inf);
	else
		begin_watch(inf);
}

static void schedule_retry(struct informer *inf)
{
	int64_t delay = backoff_next(&inf->backoff, inf->factory->client->clock);
	inf->retry = loop_timer(inf->factory->loop, delay, on_retry, inf);
}

static void begin(struct informer *inf, const char *query, bool watch, void (*done)(void *, CURLcode),
	bool (*on_data)(void *, const void *, size_t))
{
	struct client *client = inf->factory->client;
	struct arena *arena = inf->transfer_arena = arena_new();
	struct http_header accept = {"Accept", client_accept(client, arena, &inf->resource, inf->spec.type, !watch)};
	struct client_request request = {.path = client_path(arena, &inf->resource, inf->spec.namespace, NULL, NULL),
		.query = query,
		.headers = &accept,
		.n_headers = 1,
		.timeout_ms = -1,
		.on_data = on_data,
		.data = inf};
	struct status *error = transfer_init(&inf->transfer, client, arena, &request, false);
	if (error) {
		log_status(error, "%s", describe(inf));
		arena_free(arena);
		inf->transfer_arena = NULL;
		schedule_retry(inf);
		return;
	}
	inf->watching = watch;
	inf->entry = multi_add(inf->factory->multi, inf->transfer.handle->easy, done, inf);
}

static void list_done(void *data, CURLcode code)
{
	struct informer *inf = data;
	struct status *error = answer_error(inf, code);
	inf->entry = NULL;
	/* No cache has that version, or none has it yet and perhaps never will: a consistent listing starts anew. */
	if (is_expired(error) || (error && strstr(error->message, "Too large resource version")))
		inf->from_server = true;
	if (!error)
		error = take_list(inf);
	end_transfer(inf);
	if (error) {
		log_warn("failed to list %s: %s", describe(inf), error->message);
		status_drop(error, "it is tried again");
		schedule_retry(inf);
		return;
	}
	begin_watch(inf);
}

static void begin_list(struct informer *inf)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	const char *version = inf->from_server ? NULL : *inf->resource_version ? inf->resource_version : "0";
	struct client_list_options options = {.label_selector = inf->spec.label_selector,
		.field_selector = inf->spec.field_selector,
		.resource_version = version};
	client_list_query(&query, &options);
	fail_at("informer.before-list");
	begin(inf, query.buf, false, list_done, NULL);
}

/* --- watching --- */

static struct status *take_event(struct informer *inf, const struct watch_frame *frame)
{
	enum watch_event_type type;
	void *msg;
	if (!watch_frame_type(frame, &type))
		return status_internal("unknown watch event type");
	if (type == WATCH_ERROR)
		return watch_frame_error(inf->scratch, frame);
	TRY(watch_frame_decode(inf->scratch, inf->spec.type, frame, &msg));
	inf->n_events++;
	if (type == WATCH_BOOKMARK) {
		set_version(inf, object_resource_version(msg));
		return NULL;
	}
	CLEANUP(object_unrefp) struct object *object = share(inf, msg);
	if (type == WATCH_DELETED) {
		CLEANUP(object_unrefp) struct object *old = store_remove(&inf->store, object->key);
		if (old)
			tell_deleted(inf, object, false);
	} else {
		put(inf, object_ref(object), false);
	}
	set_version(inf, object->resource_version);
	return NULL;
}

static bool on_frame(void *data, const struct watch_frame *frame)
{
	struct informer *inf = data;
	inf->stream_error = take_event(inf, frame);
	arena_reset(inf->scratch);
	return !inf->stream_error;
}

static bool on_bytes(void *data, const void *bytes, size_t size)
{
	struct informer *inf = data;
	bool stopped;
	if (inf->protobuf < 0)
		inf->protobuf = watch_is_protobuf(bytes);
	struct status *error = watch_reader_feed(&inf->reader, inf->protobuf, bytes, size, on_frame, inf, &stopped);
	if (error)
		inf->stream_error = error;
	return !inf->stream_error;
}

static void watch_done(void *data, CURLcode code)
{
	struct informer *inf = data;
	struct status *error = answer_error(inf, code);
	const struct clock *clock = inf->factory->client->clock;
	inf->entry = NULL;
	if (inf->stream_error) {
		status_free(error);
		error = STEAL(inf->stream_error);
	}
	int64_t lasted = clock_mono_ms(clock) - inf->watch_started_ms;
	bool empty_and_short = !error && !inf->n_events && lasted < SHORT_WATCH_MS;
	end_transfer(inf);
	watch_reader_reset(&inf->reader);
	if (is_expired(error)) {
		log_v(4, "watch of %s ended: %s: listing again", describe(inf), error->message);
		inf->relist = true;
	} else if (error) {
		log_v(2, "watch of %s ended: %s", describe(inf), error->message);
	}
	bool again_at_once = !error && !empty_and_short;
	status_drop(error, "the watch begins again");
	if (again_at_once)
		begin_watch(inf);
	else
		schedule_retry(inf);
}

static void begin_watch(struct informer *inf)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	struct client_list_options options = {.label_selector = inf->spec.label_selector,
		.field_selector = inf->spec.field_selector,
		.resource_version = inf->resource_version};
	client_list_query(&query, &options);
	fail_at("informer.before-watch");
	query_add(&query, "watch", "true");
	query_add(&query, "allowWatchBookmarks", "true");
	query_add_int(&query, "timeoutSeconds", WATCH_MIN_S + random_below(WATCH_MIN_S));
	inf->protobuf = -1;
	inf->n_events = 0;
	inf->watch_started_ms = clock_mono_ms(inf->factory->client->clock);
	begin(inf, query.buf, true, watch_done, on_bytes);
}

void informer_begin(struct informer *inf)
{
	begin_list(inf);
}

void informer_abort(struct informer *inf)
{
	if (inf->entry) {
		multi_remove(inf->entry);
		end_transfer(inf);
	}
	loop_timer_cancel(inf->retry);
	inf->retry = NULL;
	inf->started = false;
}
