#include "client/events.h"

#include <pthread.h>
#include <stdarg.h>
#include "api/json.h"
#include "api/meta.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "client/correlate.h"

enum { MAX_QUEUED = 1000, MAX_TRIES = 12, RETRY_MS = 10000, DRAIN_MS = 2000 };

struct item {
	struct arena *arena;
	CoreV1Event *core; /* one of the two */
	EventsV1Event *v1;
	struct item *next;
};

struct event_recorder {
	struct client *client;
	char *component, *host, *instance;
	struct correlator *correlator; /* the writer's */
	struct workers *writer;	       /* a thread that is there while there is something to write */
	pthread_mutex_t lock;	       /* guards what follows */
	pthread_cond_t changed;
	struct item *first, *last;
	size_t n_queued, n_dropped;
	bool writing, stopping;
	int64_t stop_at_ms;
};

/* --- writing, on the thread --- */

static bool is_refusal(const struct status *error)
{
	/* The server has spoken: sending the same again will not help. */
	return error->reason != STATUS_UNAVAILABLE && error->reason != STATUS_TIMEOUT &&
	       error->reason != STATUS_TOO_MANY_REQUESTS && error->reason != STATUS_SERVER_TIMEOUT;
}

/* Refusals that come about in the normal course: it was recorded before, or its namespace is on its way out. */
static bool is_ordinary(const struct status *error)
{
	return error->reason == STATUS_ALREADY_EXISTS || status_has_cause(error, CAUSE_NAMESPACE_TERMINATING);
}

/* Waits before the next try; false when the recorder ends. */
static bool wait_retry(struct event_recorder *r)
{
	const int64_t deadline_ms = cond_deadline_ms(RETRY_MS);
	pthread_mutex_lock(&r->lock);
	while (!r->stopping && cond_wait_until(&r->changed, &r->lock, deadline_ms))
		;
	bool go_on = !r->stopping;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

static struct status *send_core(
	struct event_recorder *r, struct item *item, const struct correlated *c, char **ret_name)
{
	CoreV1Event *event = item->core;
	struct arena *arena = item->arena;
	CoreV1Event *stored = NULL;
	struct status *error = NULL;
	if (c->count > 1) {
		const char *patch = correlated_patch(arena, event, c);
		error = client_patch(r->client, arena, &CoreV1Event_schema, event->metadata->namespace, c->name, NULL,
			CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, &stored);
		if (!status_is(error, STATUS_NOT_FOUND)) {
			*ret_name = (char *)c->name;
			return error;
		}
		status_drop(error, "the event has expired: a new one begins");
	}
	event->count = c->count;
	event->message = (char *)c->message;
	error = client_create(r->client, arena, event, &stored);
	*ret_name = event->metadata->name;
	return error;
}

static void write_core(struct event_recorder *r, struct item *item)
{
	struct correlated c;
	if (!correlator_observe(r->correlator, item->arena, item->core, &c))
		return;
	for (int n = 0; n < MAX_TRIES; n++) {
		char *name;
		struct status *error = send_core(r, item, &c, &name);
		if (!error) {
			correlator_sent(r->correlator, &c, name);
			return;
		}
		bool last = is_refusal(error) || n + 1 == MAX_TRIES;
		if (last && !is_ordinary(error))
			log_warn("server rejected event '%s' of %s/%s: %s (will not retry!)", item->core->reason,
				item->core->metadata->namespace, item->core->involved_object->name, error->message);
		status_drop(error, "logged, or tried again");
		if (last || !wait_retry(r))
			return;
	}
}

static struct status *send_v1(struct event_recorder *r, struct item *item, const struct series *s)
{
	if (s->count < 2)
		return client_create(r->client, item->arena, item->v1, NULL);
	const char *patch = series_patch(item->arena, item->v1, s);
	struct status *error = client_patch(r->client, item->arena, &EventsV1Event_schema,
		item->v1->metadata->namespace, s->name, NULL, CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (!status_is(error, STATUS_NOT_FOUND))
		return error;
	status_drop(error, "the event has expired: a new one begins");
	return client_create(r->client, item->arena, item->v1, NULL);
}

static void write_v1(struct event_recorder *r, struct item *item)
{
	struct series s;
	if (!correlator_observe_v1(r->correlator, item->arena, item->v1, &s))
		return;
	for (int n = 0; n < MAX_TRIES; n++) {
		struct status *error = send_v1(r, item, &s);
		if (!error)
			return;
		bool last = is_refusal(error) || n + 1 == MAX_TRIES;
		if (last && !is_ordinary(error))
			log_warn("server rejected event '%s' of %s: %s (will not retry!)", item->v1->reason,
				item->v1->regarding->name, error->message);
		status_drop(error, "logged, or tried again");
		if (last || !wait_retry(r))
			return;
	}
}

static struct item *next_item(struct event_recorder *r)
{
	pthread_mutex_lock(&r->lock);
	struct item *item = r->first;
	if (item && r->stopping && clock_mono_ms(clock_system()) > r->stop_at_ms)
		item = NULL;
	if (item) {
		r->first = item->next;
		if (!r->first)
			r->last = NULL;
		r->n_queued--;
	}
	r->writing = item;
	pthread_mutex_unlock(&r->lock);
	return item;
}

static void write_queued(void *data)
{
	struct event_recorder *r = data;
	for (struct item *item; (item = next_item(r));) {
		if (item->core)
			write_core(r, item);
		else
			write_v1(r, item);
		arena_free(item->arena);
	}
}

/* --- recording, on any thread --- */

struct event_recorder *event_recorder_new(struct client *client, const char *component, const char *host)
{
	struct event_recorder *r = mem_zalloc(sizeof(*r));
	char name[256] = "";
	gethostname(name, sizeof(name) - 1);
	r->client = client;
	r->component = mem_strdup(component);
	r->host = mem_strdup(str_or_empty(host));
	r->instance = mem_printf("%s-%s", component, str_or(host, name));
	r->correlator = correlator_new(client_clock(client));
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->changed);
	r->writer = workers_new("events", 1, 1);
	return r;
}

void event_recorder_set_host(struct event_recorder *r, const char *host)
{
	pthread_mutex_lock(&r->lock);
	free(r->host);
	free(r->instance);
	r->host = mem_strdup(host);
	r->instance = mem_printf("%s-%s", r->component, host);
	pthread_mutex_unlock(&r->lock);
}

void event_recorder_free(struct event_recorder *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	r->stop_at_ms = clock_mono_ms(clock_system()) + DRAIN_MS;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	workers_free(r->writer);
	while (r->first) {
		struct item *item = r->first;
		r->first = item->next;
		arena_free(item->arena);
	}
	correlator_free(r->correlator);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r->component);
	free(r->host);
	free(r->instance);
	free(r);
}

static void queue(struct event_recorder *r, struct item *item)
{
	pthread_mutex_lock(&r->lock);
	bool full = r->n_queued >= MAX_QUEUED || r->stopping;
	if (!full) {
		if (r->last)
			r->last->next = item;
		else
			r->first = item;
		r->last = item;
		r->n_queued++;
		if (!r->writing)
			r->writing = workers_submit(r->writer, write_queued, r);
	}
	size_t dropped = full ? ++r->n_dropped : 0;
	pthread_mutex_unlock(&r->lock);
	if (!full)
		return;
	if (dropped % 100 == 1)
		log_warn("event queue is full: %zu events dropped so far", dropped);
	arena_free(item->arena);
}

static struct item *item_new(void)
{
	struct arena *arena = arena_new();
	struct item *item = ARENA_NEW(arena, struct item);
	item->arena = arena;
	return item;
}

static CoreV1ObjectReference *copy_ref(struct arena *arena, const CoreV1ObjectReference *from)
{
	CoreV1ObjectReference *ref = API_NEW(arena, CoreV1ObjectReference);
	ref->kind = arena_strdup(arena, str_or_empty(from->kind));
	ref->namespace = arena_strdup(arena, str_or_empty(from->namespace));
	ref->name = arena_strdup(arena, str_or_empty(from->name));
	ref->uid = arena_strdup(arena, str_or_empty(from->uid));
	ref->api_version = arena_strdup(arena, str_or_empty(from->api_version));
	ref->resource_version = arena_strdup(arena, str_or_empty(from->resource_version));
	ref->field_path = arena_strdup(arena, str_or_empty(from->field_path));
	return ref;
}

static void name_event(struct arena *arena, MetaV1ObjectMeta *meta, const CoreV1ObjectReference *about, int64_t now_ns)
{
	meta->name = arena_printf(arena, "%s.%llx", about->name, (unsigned long long)now_ns);
	meta->namespace = arena_strdup(arena, str_or(about->namespace, "default"));
}

static void record_core(struct event_recorder *r, const CoreV1ObjectReference *ref, const char *type,
	const char *reason, const char *format, va_list args) PRINTF(5, 0);
static void record_core(struct event_recorder *r, const CoreV1ObjectReference *ref, const char *type,
	const char *reason, const char *format, va_list args)
{
	struct item *item = item_new();
	struct arena *arena = item->arena;
	int64_t now_ns = clock_wall_ns(client_clock(r->client));
	CoreV1Event *e = item->core = API_NEW(arena, CoreV1Event);
	name_event(arena, object_meta_ensure(arena, e), ref, now_ns);
	e->involved_object = copy_ref(arena, ref);
	e->reason = arena_strdup(arena, reason);
	e->message = arena_vprintf(arena, format, args);
	e->type = arena_strdup(arena, type);
	e->first_timestamp = time_new(arena, now_ns / 1000000000);
	e->last_timestamp = time_new(arena, now_ns / 1000000000);
	e->source = API_NEW(arena, CoreV1EventSource);
	e->source->component = arena_strdup(arena, r->component);
	e->source->host = arena_strdup(arena, r->host);
	e->reporting_component = arena_strdup(arena, r->component);
	e->reporting_instance = arena_strdup(arena, r->host);
	e->count = 1;
	queue(r, item);
}

CoreV1ObjectReference *event_reference(struct arena *arena, const void *msg)
{
	return object_reference(arena, msg);
}

void event_record(
	struct event_recorder *recorder, const void *msg, const char *type, const char *reason, const char *format, ...)
{
	if (!recorder)
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	va_list args;
	va_start(args, format);
	record_core(recorder, event_reference(arena, msg), type, reason, format, args);
	va_end(args);
}

void event_record_ref(struct event_recorder *recorder, const CoreV1ObjectReference *ref, const char *type,
	const char *reason, const char *format, ...)
{
	if (!recorder)
		return;
	va_list args;
	va_start(args, format);
	record_core(recorder, ref, type, reason, format, args);
	va_end(args);
}

void event_record_v1(struct event_recorder *recorder, const CoreV1ObjectReference *regarding,
	const CoreV1ObjectReference *related, const char *type, const char *reason, const char *action,
	const char *format, ...)
{
	if (!recorder)
		return;
	struct item *item = item_new();
	struct arena *arena = item->arena;
	int64_t now_ns = clock_wall_ns(client_clock(recorder->client));
	EventsV1Event *e = item->v1 = API_NEW(arena, EventsV1Event);
	name_event(arena, object_meta_ensure(arena, e), regarding, now_ns);
	e->event_time = API_NEW(arena, MetaV1MicroTime);
	e->event_time->seconds = now_ns / 1000000000;
	e->event_time->nanos = (int32_t)(now_ns % 1000000000 / 1000 * 1000);
	e->regarding = copy_ref(arena, regarding);
	if (related)
		e->related = copy_ref(arena, related);
	e->type = arena_strdup(arena, type);
	e->reason = arena_strdup(arena, reason);
	e->action = arena_strdup(arena, action);
	e->reporting_controller = arena_strdup(arena, recorder->component);
	e->reporting_instance = arena_strdup(arena, recorder->instance);
	va_list args;
	va_start(args, format);
	e->note = arena_vprintf(arena, format, args);
	va_end(args);
	if (strlen(e->note) > 1024)
		e->note[1024] = '\0';
	queue(recorder, item);
}
