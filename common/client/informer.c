#include "client/informer.h"

#include <assert.h>
#include "base/cond.h"
#include "base/mem.h"
#include "base/workers.h"
#include "client/informer_internal.h"

enum {
	BACKOFF_BASE_MS = 800,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_RESET_MS = 120000,
	SCRATCH_BYTES = 16384,
	LOOK_MS = 50,
};

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
	cond_init(&f->changed);
	return f;
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
			informer_begin(inf);
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

void informers_wait_change(struct informers *f, int ms)
{
	pthread_mutex_lock(&f->lock);
	cond_wait_for(&f->changed, &f->lock, ms);
	pthread_mutex_unlock(&f->lock);
}

bool informers_wait_synced(struct informers *f, const atomic_bool *stop, int timeout_ms)
{
	int64_t deadline = clock_mono_ms(clock_system()) + timeout_ms;
	pthread_mutex_lock(&f->lock);
	bool ok;
	while (!(ok = all_synced(f)) && !(stop && atomic_load(stop)) &&
		(timeout_ms < 0 || clock_mono_ms(clock_system()) < deadline))
		cond_wait_for(&f->changed, &f->lock, LOOK_MS);
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
