#include "client/informer.h"

#include <assert.h>
#include <pthread.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "client/multi.h"
#include "client/store.h"

enum {
	WATCH_MIN_S = 300, /* a watch is asked to end after this long and up to twice as long, as in the original */
	BACKOFF_BASE_MS = 800,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_RESET_MS = 120000,
	SHORT_WATCH_MS = 1000,
	SCRATCH_BYTES = 16384,
};

struct handler {
	struct informer_handler fns;
	void *data;
	bool told_synced;
};

struct informers {
	struct client *client;
	struct loop *loop;
	struct multi *multi;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows and every informer's resource_version */
	pthread_cond_t changed;
	struct informer **all;
	size_t n_all, cap_all;
	bool running;
};

/* Everything but what is marked belongs to the factory's thread once that runs. */
struct informer {
	struct informers *factory;
	struct arena *arena; /* of the spec */
	struct informer_spec spec;
	struct client_resource resource;
	struct store store; /* has its own lock */
	struct handler *handlers;
	size_t n_handlers, cap_handlers;
	bool started;
	atomic_bool synced;	/* any thread reads it */
	char *resource_version; /* heap; under the factory's lock; "" before the first listing */
	bool relist;		/* the version is of no use any more */
	bool listed;		/* the first listing is in the store */
	bool from_server;	/* the next listing must be a consistent one: the cache's was too old */
	/* the request in progress */
	bool watching;
	struct transfer transfer;
	struct arena *transfer_arena;
	struct multi_entry *entry;
	struct loop_timer *retry;
	struct backoff backoff;
	struct watch_reader reader;
	int protobuf; /* of the stream: -1 not known yet */
	struct status *stream_error;
	int64_t watch_started_ms;
	size_t n_events;
	struct arena *scratch;
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
	query_add(&query, "watch", "true");
	query_add(&query, "allowWatchBookmarks", "true");
	query_add_int(&query, "timeoutSeconds", WATCH_MIN_S + random_below(WATCH_MIN_S));
	inf->protobuf = -1;
	inf->n_events = 0;
	inf->watch_started_ms = clock_mono_ms(inf->factory->client->clock);
	begin(inf, query.buf, true, watch_done, on_bytes);
}

/* --- calls from other threads --- */

struct sync_call {
	void (*fn)(void *);
	void *data;
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool done;
};

static void run_sync_call(void *data)
{
	struct sync_call *c = data;
	c->fn(c->data);
	pthread_mutex_lock(&c->lock);
	c->done = true;
	pthread_cond_signal(&c->done_cond);
	pthread_mutex_unlock(&c->lock);
}

/* Runs fn where the informers live, and waits for it. */
static void call(struct informers *f, void (*fn)(void *), void *data)
{
	pthread_mutex_lock(&f->lock);
	bool direct = !f->running || pthread_equal(f->thread, pthread_self());
	pthread_mutex_unlock(&f->lock);
	if (direct) {
		fn(data);
		return;
	}
	struct sync_call c = {.fn = fn, .data = data};
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.done_cond, NULL);
	loop_post(f->loop, run_sync_call, &c);
	pthread_mutex_lock(&c.lock);
	while (!c.done)
		pthread_cond_wait(&c.done_cond, &c.lock);
	pthread_mutex_unlock(&c.lock);
	pthread_mutex_destroy(&c.lock);
	pthread_cond_destroy(&c.done_cond);
}

struct handler_call {
	struct informer *informer;
	const struct informer_handler *fns;
	void *data;
};

static void add_handler(void *data)
{
	const struct handler_call *c = data;
	struct informer *inf = c->informer;
	mem_grow(&inf->handlers, &inf->cap_handlers, inf->n_handlers + 1, sizeof(*inf->handlers));
	struct handler *h = &inf->handlers[inf->n_handlers++];
	*h = (struct handler){*c->fns, c->data, false};
	STRMAP_FOREACH (inf->store.objects, it)
		if (h->fns.added)
			h->fns.added(h->data, it.value, true);
	if (!inf->listed)
		return;
	h->told_synced = true;
	if (h->fns.synced)
		h->fns.synced(h->data);
}

void informer_add_handler(struct informer *informer, const struct informer_handler *handler, void *data)
{
	struct handler_call c = {informer, handler, data};
	call(informer->factory, add_handler, &c);
}

static void remove_handler(void *data)
{
	const struct handler_call *c = data;
	struct informer *inf = c->informer;
	for (size_t i = 0; i < inf->n_handlers; i++) {
		if (inf->handlers[i].data != c->data || inf->handlers[i].fns.added != c->fns->added ||
			inf->handlers[i].fns.updated != c->fns->updated ||
			inf->handlers[i].fns.deleted != c->fns->deleted)
			continue;
		memmove(inf->handlers + i, inf->handlers + i + 1, (--inf->n_handlers - i) * sizeof(*inf->handlers));
		return;
	}
}

void informer_remove_handler(struct informer *informer, const struct informer_handler *handler, void *data)
{
	struct handler_call c = {informer, handler, data};
	call(informer->factory, remove_handler, &c);
}

void informer_add_index(struct informer *informer, const char *name, informer_index_fn *fn)
{
	store_add_index(&informer->store, name, fn);
}

/* --- life --- */

static void *run_loop(void *data)
{
	struct informers *f = data;
	loop_run(f->loop);
	return NULL;
}

struct informers *informers_new(struct client *client)
{
	struct informers *f = mem_zalloc(sizeof(*f));
	f->client = client;
	f->loop = loop_new(clock_system());
	f->multi = multi_new(f->loop);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	return f;
}

static void informer_abort(struct informer *inf)
{
	if (inf->entry) {
		multi_remove(inf->entry);
		end_transfer(inf);
	}
	loop_timer_cancel(inf->retry);
	inf->retry = NULL;
	inf->started = false;
}

static void informer_free(struct informer *inf)
{
	informer_abort(inf);
	status_drop(STEAL(inf->stream_error), "the informer has ended");
	watch_reader_done(&inf->reader);
	store_done(&inf->store);
	free(inf->handlers);
	free(inf->resource_version);
	arena_free(inf->scratch);
	arena_free(inf->arena);
	free(inf);
}

void informers_free(struct informers *f)
{
	if (!f)
		return;
	if (f->running) {
		loop_stop(f->loop);
		pthread_join(f->thread, NULL);
	}
	for (size_t i = 0; i < f->n_all; i++)
		informer_free(f->all[i]);
	free(f->all);
	multi_free(f->multi);
	loop_free(f->loop);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->changed);
	free(f);
}

static bool same_spec(const struct informer *inf, const struct informer_spec *spec, const struct client_resource *r)
{
	return inf->spec.type == spec->type && inf->spec.trim == spec->trim && str_eq(inf->resource.group, r->group) &&
	       str_eq(inf->resource.version, r->version) && str_eq(inf->resource.plural, r->plural) &&
	       str_eq(inf->spec.namespace, spec->namespace) && str_eq(inf->spec.label_selector, spec->label_selector) &&
	       str_eq(inf->spec.field_selector, spec->field_selector);
}

static struct informer *informer_new(
	struct informers *f, const struct informer_spec *spec, const struct client_resource *r)
{
	struct informer *inf = mem_zalloc(sizeof(*inf));
	struct arena *arena = inf->arena = arena_new_sized(256);
	inf->factory = f;
	inf->spec = *spec;
	inf->spec.resource = NULL;
	inf->spec.namespace = arena_strdup(arena, spec->namespace);
	inf->spec.label_selector = arena_strdup(arena, spec->label_selector);
	inf->spec.field_selector = arena_strdup(arena, spec->field_selector);
	inf->resource = (struct client_resource){arena_strdup(arena, str_or_empty(r->group)),
		arena_strdup(arena, r->version), arena_strdup(arena, r->plural), r->namespaced};
	inf->backoff = (struct backoff){.base_ms = BACKOFF_BASE_MS,
		.max_ms = BACKOFF_MAX_MS,
		.factor = 2,
		.jitter = 1,
		.reset_ms = BACKOFF_RESET_MS};
	inf->resource_version = mem_strdup("");
	inf->scratch = arena_new_sized(SCRATCH_BYTES);
	store_init(&inf->store);
	watch_reader_init(&inf->reader);
	return inf;
}

struct informer *informers_get(struct informers *f, const struct informer_spec *spec)
{
	const struct client_resource *r = spec->resource ? spec->resource : client_resource_of(f->client, spec->type);
	assert(r); /* a kind that is not served is a mistake of ours */
	struct informer *found = NULL;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n_all && !found; i++)
		if (same_spec(f->all[i], spec, r))
			found = f->all[i];
	if (!found) {
		found = informer_new(f, spec, r);
		mem_grow(&f->all, &f->cap_all, f->n_all + 1, sizeof(*f->all));
		f->all[f->n_all++] = found;
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

/* On the thread: starts what is not running yet. */
static void start_new(void *data)
{
	struct informers *f = data;
	for (size_t i = 0;; i++) {
		pthread_mutex_lock(&f->lock);
		struct informer *inf = i < f->n_all ? f->all[i] : NULL;
		pthread_mutex_unlock(&f->lock);
		if (!inf)
			return;
		if (!inf->started) {
			inf->started = true;
			begin_list(inf);
		}
	}
}

struct status *informers_start(struct informers *f)
{
	pthread_mutex_lock(&f->lock);
	bool first = !f->running;
	if (first) {
		f->running = true;
		f->thread = thread_start("informers", run_loop, f);
	}
	pthread_mutex_unlock(&f->lock);
	loop_post(f->loop, start_new, f);
	return NULL;
}

static void stop_one(void *data)
{
	struct informer *inf = data;
	struct informers *f = inf->factory;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n_all; i++) {
		if (f->all[i] != inf)
			continue;
		f->all[i] = f->all[--f->n_all];
		break;
	}
	pthread_mutex_unlock(&f->lock);
	informer_free(inf);
}

void informer_stop(struct informer *informer)
{
	call(informer->factory, stop_one, informer);
}

bool informer_has_synced(struct informer *informer)
{
	return atomic_load(&informer->synced);
}

static bool all_synced(const struct informers *f)
{
	for (size_t i = 0; i < f->n_all; i++)
		if (!atomic_load(&f->all[i]->synced))
			return false;
	return true;
}

bool informers_wait_synced(struct informers *f, const atomic_bool *stop, int timeout_ms)
{
	int64_t deadline = clock_mono_ms(clock_system()) + timeout_ms;
	pthread_mutex_lock(&f->lock);
	bool ok;
	while (!(ok = all_synced(f)) && !(stop && atomic_load(stop)) &&
		(timeout_ms < 0 || clock_mono_ms(clock_system()) < deadline)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 50 * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&f->changed, &f->lock, &until);
	}
	pthread_mutex_unlock(&f->lock);
	return ok;
}

char *informer_resource_version(struct informer *informer, struct arena *arena)
{
	pthread_mutex_lock(&informer->factory->lock);
	char *version = arena_strdup(arena, informer->resource_version);
	pthread_mutex_unlock(&informer->factory->lock);
	return version;
}

/* --- reading --- */

static void release(void *data)
{
	object_unref(data);
}

struct object *informer_ref(struct informer *informer, const char *key)
{
	struct store *s = &informer->store;
	pthread_rwlock_rdlock(&s->lock);
	struct object *object = strmap_get(s->objects, key);
	if (object)
		object_ref(object);
	pthread_rwlock_unlock(&s->lock);
	return object;
}

const void *informer_get_key(struct informer *informer, struct arena *arena, const char *key)
{
	struct object *object = informer_ref(informer, key);
	if (!object)
		return NULL;
	arena_defer(arena, release, object);
	return object->msg;
}

const void *informer_get(struct informer *informer, struct arena *arena, const char *namespace, const char *name)
{
	if (str_empty(namespace))
		return informer_get_key(informer, arena, str_or_empty(name));
	return informer_get_key(informer, arena, arena_printf(arena, "%s/%s", namespace, str_or_empty(name)));
}

/* References that an arena holds. */
struct held {
	size_t n;
	struct object **objects;
	const void **msgs;
};

static void release_held(void *data)
{
	struct held *held = data;
	for (size_t i = 0; i < held->n; i++)
		object_unref(held->objects[i]);
}

static struct held *held_new(struct arena *arena, size_t n)
{
	struct held *held = ARENA_NEW(arena, struct held);
	held->objects = arena_alloc(arena, (n + 1) * sizeof(*held->objects));
	held->msgs = arena_alloc(arena, (n + 1) * sizeof(*held->msgs));
	arena_defer(arena, release_held, held);
	return held;
}

static void hold(struct held *held, struct object *object)
{
	held->objects[held->n] = object_ref(object);
	held->msgs[held->n++] = object->msg;
}

const void *const *informer_list_index(
	struct informer *informer, struct arena *arena, const char *index, const char *value, size_t *ret_n)
{
	struct store *s = &informer->store;
	struct bucket *b = NULL;
	pthread_rwlock_rdlock(&s->lock);
	for (size_t i = 0; i < s->n_indexes; i++)
		if (str_eq(s->indexes[i].name, index))
			b = strmap_get(s->indexes[i].buckets, str_or_empty(value));
	struct held *held = held_new(arena, b ? b->n_items : 0);
	for (size_t i = 0; b && i < b->n_items; i++)
		hold(held, b->items[i]);
	pthread_rwlock_unlock(&s->lock);
	*ret_n = held->n;
	return held->msgs;
}

const void *const *informer_list(struct informer *informer, struct arena *arena, const char *namespace, size_t *ret_n)
{
	struct store *s = &informer->store;
	if (!str_empty(namespace))
		return informer_list_index(informer, arena, "namespace", namespace, ret_n);
	pthread_rwlock_rdlock(&s->lock);
	struct held *held = held_new(arena, strmap_count(s->objects));
	STRMAP_FOREACH (s->objects, it)
		hold(held, it.value);
	pthread_rwlock_unlock(&s->lock);
	*ret_n = held->n;
	return held->msgs;
}

size_t informer_count(struct informer *informer)
{
	pthread_rwlock_rdlock(&informer->store.lock);
	size_t n = strmap_count(informer->store.objects);
	pthread_rwlock_unlock(&informer->store.lock);
	return n;
}

void informer_foreach(struct informer *informer, bool (*fn)(void *data, const struct object *object), void *data)
{
	pthread_rwlock_rdlock(&informer->store.lock);
	STRMAP_FOREACH (informer->store.objects, it)
		if (!fn(data, it.value))
			break;
	pthread_rwlock_unlock(&informer->store.lock);
}
