#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/figures.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/messages.h"
#include "apiserver/http/verbs.h"
#include "apiserver/registry/private.h"
#include "base/encode.h"
#include "base/mem.h"

#define BOOKMARK_MS 60000
#define TIMEOUT_PARTS (1 << 16)
#define FINAL_BOOKMARK_MS 2000
#define IDLE_BYTES 1024
#define INITIAL_EVENTS_END "k8s.io/initial-events-end"

/* A watch as a streamed reply: what was there at the start, then events, bookmarks, the end. */
struct watch {
	struct exchange *exchange;
	struct request *request; /* in the exchange's arena */
	struct accept accept;
	struct list_options options;
	struct watcher_options wanted;
	struct watcher *watcher;
	struct messages *messages; /* instead of an answer's body: each event is one of a WebSocket */
	struct recall *recall;	   /* instead of a watcher: what was missed is being read */
	struct snapshot initial;
	size_t at; /* in initial */
	bool initial_done;
	bool columns_told; /* a Table's first event carries the columns */
	bool ended;
	int64_t told;
	int64_t began_ms, deadline_ms, bookmark_ms;
	bool final_bookmark;
	struct status *refused; /* why it cannot begin */
	/* What is being sent: out, then bytes of an entry, and what closes them. */
	struct strbuf out;
	struct entry *shown; /* the latest */
	const void *body;    /* of shown; no bytes: what is in out is all */
	size_t body_size;
	const char *tail;
	size_t tail_size;
};

static const char *const type_names[] = {
	[EVENT_ADDED] = "ADDED", [EVENT_MODIFIED] = "MODIFIED", [EVENT_DELETED] = "DELETED"};

/* What is before the object in a frame of a protobuf watch: its length in four bytes, where it is no message of its
 * own, then WatchEvent{type, object{raw}}. */
static void head_protobuf(struct watch *w, const char *type, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf raw = STRBUF_INIT, event = STRBUF_INIT;
	strbuf_addc(&raw, 0x0a);
	strbuf_varint(&raw, size);
	strbuf_addc(&event, 0x0a);
	strbuf_varint(&event, strlen(type));
	strbuf_adds(&event, type);
	strbuf_addc(&event, 0x12);
	strbuf_varint(&event, raw.len + size);
	uint32_t length = htonl((uint32_t)(event.len + raw.len + size));
	if (!w->messages)
		strbuf_add(&w->out, &length, sizeof(length));
	strbuf_add(&w->out, event.buf, event.len);
	strbuf_add(&w->out, raw.buf, raw.len);
}

static void frame(struct watch *w, const char *type, const ProtobufCMessage *object)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	if (w->accept.media == MEDIA_PROTOBUF) {
		encode_media(&body, &w->accept, object, NULL);
		head_protobuf(w, type, body.len);
		strbuf_add(&w->out, body.buf, body.len);
		return;
	}
	struct accept plain = w->accept;
	plain.pretty = false;
	plain.media = MEDIA_JSON;
	encode_media(&body, &plain, object, NULL);
	while (body.len && body.buf[body.len - 1] == '\n')
		strbuf_truncate(&body, body.len - 1);
	strbuf_printf(&w->out, "{\"type\":\"%s\",\"object\":", type);
	strbuf_add(&w->out, body.buf, body.len);
	strbuf_adds(&w->out, "}\n");
}

static void lend(struct watch *w, const void *body, size_t body_size, const char *tail, size_t tail_size)
{
	w->body = body;
	w->body_size = body_size;
	w->tail = tail;
	w->tail_size = tail_size;
}

/* The common case: the object as it is, out of the pieces that the entry keeps for everybody. */
static void frame_entry(struct watch *w, const char *type, struct entry *entry)
{
	const struct schema_type *t = entry->resource->type;
	if (w->accept.media == MEDIA_PROTOBUF) {
		CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
		protobuf_head(&body, t, entry->size);
		head_protobuf(w, type, body.len + entry->size + PROTOBUF_TAIL_SIZE);
		strbuf_add(&w->out, body.buf, body.len);
		lend(w, entry->bytes, entry->size, PROTOBUF_TAIL, PROTOBUF_TAIL_SIZE);
		return;
	}
	const struct piece *json = entry_json(entry);
	lend(w, json->data + 1, json->size - 1, "}\n", 2);
	strbuf_adds(&w->out, "{\"type\":\"");
	strbuf_adds(&w->out, type);
	strbuf_adds(&w->out, "\",\"object\":{\"kind\":\"");
	strbuf_adds(&w->out, t->kind);
	strbuf_adds(&w->out, "\",\"apiVersion\":\"");
	strbuf_adds(&w->out, t->api_version);
	strbuf_adds(&w->out, json->size > 2 ? "\"," : "\"");
}

static void frame_status(struct watch *w, struct status *status)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1Status *object = status_to_api(arena, status);
	frame(w, "ERROR", &object->base);
	status_free(status);
}

/* No object is a list of metadata: a watch that asks for such ends, without a word, where there is something to tell.
 */
static bool may_be_shown(struct watch *w)
{
	const bool may = w->accept.shape != SHAPE_METADATA_LIST;
	w->ended |= !may;
	return may;
}

static void emit_shaped(struct watch *w, enum event_type type, struct entry *entry)
{
	const struct schema_resource *wanted = w->request->schema;
	if (!may_be_shown(w))
		return;
	if (w->accept.shape == SHAPE_OBJECT && entry->resource == wanted) {
		frame_entry(w, type_names[type], entry);
		return;
	}
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	/* Shapes are made in the exchange's arena otherwise; a watch may last for hours. */
	struct exchange scratch = *w->exchange;
	scratch.arena = arena;
	ProtobufCMessage *object = entry_decode(entry, arena), *shaped;
	struct status *status = convert_object(arena, wanted->type, object, &object);
	if (!status)
		status = shape_object(&scratch, &w->accept, object, !w->columns_told, &shaped);
	if (status) {
		frame_status(w, status);
		w->ended = true;
		return;
	}
	w->columns_told = true;
	frame(w, type_names[type], shaped);
}

/* Takes the reference. */
static void emit(struct watch *w, enum event_type type, struct entry *entry)
{
	size_t before = w->out.len;
	entry_unref(w->shown);
	w->shown = entry;
	emit_shaped(w, type, entry);
	figure_sent(w->request->figure, w->out.len - before + w->body_size);
}

/* An object of the kind with nothing in it but what the original's internal form has no way to leave out. */
static ProtobufCMessage *empty_object(struct arena *arena, const struct schema_type *type)
{
	ProtobufCMessage *object = api_new(arena, type);
	if (type == &AppsV1Deployment_schema)
		ENSURE(arena, ((AppsV1Deployment *)object)->spec, AppsV1DeploymentSpec)->has_replicas = true;
	else if (type == &AppsV1ReplicaSet_schema)
		ENSURE(arena, ((AppsV1ReplicaSet *)object)->spec, AppsV1ReplicaSetSpec)->has_replicas = true;
	else if (type == &AppsV1StatefulSet_schema)
		ENSURE(arena, ((AppsV1StatefulSet *)object)->spec, AppsV1StatefulSetSpec)->has_replicas = true;
	return object;
}

/* Such an object with a resource version. */
static void emit_bookmark(struct watch *w, bool initial_end)
{
	if (!may_be_shown(w))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct exchange scratch = *w->exchange;
	scratch.arena = arena;
	ProtobufCMessage *object = empty_object(arena, w->request->schema->type), *shaped;
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, object);
	meta->resource_version = arena_printf(arena, "%" PRId64, w->told);
	if (initial_end)
		meta_set_annotation(arena, meta, INITIAL_EVENTS_END, "true");
	struct status *status = shape_object(&scratch, &w->accept, object, !w->columns_told, &shaped);
	if (!status)
		frame(w, "BOOKMARK", shaped);
	status_drop(status, "a bookmark is a courtesy");
}

/* Whether another event goes with those that are ready to be sent. */
static bool takes_more(const struct watch *w)
{
	return !w->body_size && w->out.len < (w->messages ? 1 : 65536);
}

static void step_initial(struct watch *w)
{
	while (w->at < w->initial.n_items && takes_more(w)) {
		struct entry *entry = w->initial.items[w->at++];
		if (entry_matches(entry, w->options.labels, w->options.fields))
			emit(w, EVENT_ADDED, entry_ref(entry));
	}
	if (w->at < w->initial.n_items || !takes_more(w))
		return;
	table_told_initial(request_table(w->request), w->initial.n_items);
	snapshot_done(&w->initial);
	w->at = 0;
	w->initial_done = true;
	if (!w->options.has_initial || !w->options.initial || !w->options.bookmarks)
		return;
	emit_bookmark(w, true);
	figure_began(w->request->figure, (double)(clock_mono_ms(w->request->clock) - w->began_ms) / 1000.0);
}

static void wake(void *data)
{
	struct watch *w = data;
	if (w->messages)
		messages_wake(w->messages);
	else
		reply_wake(w->exchange);
}

/* What becomes unreadable from then on, the watcher hears of. */
static struct status *start_watcher(struct watch *w, int64_t revision, struct snapshot *ret_snapshot)
{
	struct table *table = request_table(w->request);
	TRY(watcher_new(table, revision, &w->wanted, ret_snapshot, &w->watcher));
	return table_check_ready(table, w->wanted.prefix);
}

/* What the cache no longer remembers, etcd may; a watch of what cannot be read ends. */
static void fall_behind(struct watch *w)
{
	struct table *table = request_table(w->request);
	watcher_free(STEAL(w->watcher));
	CLEANUP_STATUS struct status *unreadable = table_check_ready(table, w->wanted.prefix);
	w->ended = unreadable;
	if (!unreadable)
		w->refused = recall_new(table, w->told, w->deadline_ms, wake, w, &w->recall);
}

/* False: it has to wait. */
static bool catch_up(struct watch *w)
{
	struct status *status;
	if (!recall_done(w->recall, &status)) {
		w->ended = clock_mono_ms(w->request->clock) >= w->deadline_ms;
		return false;
	}
	recall_free(STEAL(w->recall));
	if (!status)
		status = start_watcher(w, w->told, NULL);
	if (!status)
		return true;
	/* A client that hears of no mistake comes back to where it was. */
	w->ended = !status_is(status, STATUS_EXPIRED);
	w->refused = status;
	return true;
}

static void step_events(struct watch *w)
{
	enum event_type type;
	struct entry *entry;
	bool lost = false;
	while (!w->ended && takes_more(w) && !watcher_waits(w->watcher) &&
		watcher_next(w->watcher, &type, &entry, &w->told, &lost))
		emit(w, type, entry);
	if (lost)
		fall_behind(w);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The next time that something may be due without an event. */
static void set_due(struct watch *w, int64_t now)
{
	int64_t due = w->deadline_ms;
	if (w->options.bookmarks)
		due = least(due, w->bookmark_ms);
	if (w->options.bookmarks && !w->final_bookmark)
		due = least(due, w->deadline_ms - FINAL_BOOKMARK_MS);
	watcher_set_due(w->watcher, due);
}

static void step_time(struct watch *w)
{
	int64_t now = clock_mono_ms(w->request->clock);
	if (now >= w->deadline_ms)
		w->ended = true;
	set_due(w, now);
	if (!w->options.bookmarks || w->out.len)
		return;
	bool last = now >= w->deadline_ms - FINAL_BOOKMARK_MS && !w->final_bookmark;
	if (now < w->bookmark_ms && !last)
		return;
	w->final_bookmark |= last;
	w->bookmark_ms = now + BOOKMARK_MS;
	emit_bookmark(w, false);
}

/* Told inside the stream, as clients expect it. */
static bool refuse(struct watch *w)
{
	frame_status(w, STEAL(w->refused));
	w->ended = true;
	return true;
}

/* The next thing to send, if there is one. */
static bool produce(struct watch *w)
{
	strbuf_reset(&w->out);
	entry_unref(STEAL(w->shown));
	w->body_size = 0;
	if (w->recall && !catch_up(w))
		return false;
	if (w->ended)
		return false;
	if (w->refused)
		return refuse(w);
	if (!w->initial_done)
		step_initial(w);
	if (w->initial_done && takes_more(w)) {
		step_events(w);
		if (w->watcher)
			step_time(w);
	}
	return w->out.len > 0 || (w->refused && refuse(w));
}

static int next_pieces(void *data, struct outlet_pieces *pieces)
{
	struct watch *w = data;
	if (produce(w)) {
		outlet_piece(pieces, w->out.buf, w->out.len);
		if (w->body_size) {
			outlet_piece(pieces, w->body, w->body_size);
			outlet_piece(pieces, w->tail, w->tail_size);
		}
		return 1;
	}
	/* Thousands of watchers wait most of the time: what one needed for a moment is not kept. */
	if (w->out.cap > IDLE_BYTES) {
		strbuf_done(&w->out);
		strbuf_init(&w->out);
	}
	return w->ended ? -1 : 0;
}

static void done_watch(void *data)
{
	struct watch *w = data;
	recall_free(w->recall);
	watcher_free(w->watcher);
	snapshot_done(&w->initial);
	entry_unref(w->shown);
	status_free(w->refused);
	strbuf_done(&w->out);
	messages_free(w->messages);
}

/* Where the watch begins, and whether it begins with what is there. */
static struct status *begin(struct watch *w)
{
	struct table *table = request_table(w->request);
	struct cache *cache = w->request->registry->cache;
	const struct list_options *o = &w->options;
	bool from_now = o->version <= 0 || (o->has_initial && o->initial);
	bool with_state = o->has_initial ? o->initial : o->version <= 0;
	TRY(request_catch_up(w->request, o->version));
	w->initial_done = !with_state;
	w->told = o->version > 0 ? o->version : cache_revision(cache);
	struct status *status = start_watcher(w, from_now ? -1 : o->version, with_state ? &w->initial : NULL);
	if (status_is(status, STATUS_EXPIRED)) {
		status_drop(status, "the watch tells of it");
		TRY(table_check_ready(table, w->wanted.prefix));
		fall_behind(w);
		return NULL;
	}
	TRY(status);
	if (with_state)
		w->told = w->initial.revision;
	return NULL;
}

/* The name of a single object's watch (from the path or the selector) is a field selector like any other. */
static void add_name_selector(struct request *request, struct list_options *o)
{
	if (str_empty(request->name) || o->fields)
		return;
	struct field_selector *fields = ARENA_NEW(request->arena, struct field_selector);
	fields->requirements = ARENA_NEW(request->arena, struct field_requirement);
	fields->n_requirements = 1;
	fields->requirements[0] = (struct field_requirement){.path = arena_strdup(request->arena, "metadata.name"),
		.value = arena_strdup(request->arena, request->name)};
	o->fields = fields;
}

static struct status *reply(struct watch *w)
{
	const bool binary = w->accept.media == MEDIA_PROTOBUF;
	const struct reply_stream stream = {.next = next_pieces, .done = done_watch, .data = w};
	answer_warnings(w->exchange, w->request);
	if (w->messages)
		return messages_reply(w->exchange, w->messages, binary ? MESSAGES_BINARY : MESSAGES_TEXT, &stream);
	reply_stream(w->exchange, 200, binary ? WATCH_PROTOBUF : WATCH_JSON, &stream);
	return NULL;
}

struct status *verb_watch(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	if (!request_table(request))
		return status_details(
			status_new(STATUS_METHOD_NOT_ALLOWED, "watch is not supported on resources of kind \"%s\"",
				request_qualified(request)),
			request->group, request->resource, "");
	struct watch *w = ARENA_NEW(request->arena, struct watch);
	w->exchange = exchange;
	w->request = request;
	w->accept = *accept;
	strbuf_init(&w->out);
	TRY(list_options_parse(exchange, request, &w->options));
	TRY(list_fields_settle(request, &w->options));
	TRY(list_version_settle(request, &w->options));
	add_name_selector(request, &w->options);
	int64_t now = clock_mono_ms(request->clock);
	const int64_t least = request->registry->watch_seconds * 1000;
	int64_t timeout = w->options.timeout_seconds > 0 ? w->options.timeout_seconds * 1000
							 : least + least * random_below(TIMEOUT_PARTS) / TIMEOUT_PARTS;
	w->began_ms = now;
	w->deadline_ms = now + timeout;
	w->bookmark_ms = now + BOOKMARK_MS;
	w->final_bookmark = timeout <= FINAL_BOOKMARK_MS; /* there is no time for one */
	const char *prefix = request_prefix(request);
	w->wanted = (struct watcher_options){
		.prefix = prefix, .labels = w->options.labels, .fields = w->options.fields, .notify = wake, .data = w};
	TRY(accept_stream(accept));
	const char *include;
	if (accept->shape == SHAPE_TABLE)
		TRY(table_include(exchange, &include));
	w->messages = messages_wanted(exchange) ? messages_new() : NULL;
	struct status *status = begin(w);
	if (!status)
		status = reply(w);
	if (status)
		done_watch(w);
	return status;
}
