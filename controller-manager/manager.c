#include "controller-manager/manager.h"

#include <pthread.h>
#include "base/cond.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "controller-manager/controller.h"
#include "controller-manager/credentials.h"
#include "serve/queue_metrics.h"

enum { MAX_FILE_BYTES = 1 << 20, LOOK_MS = 50 };

/* A queue whose workers wait for the informers. */
struct queue_run {
	struct queue_run *next;
	const struct controller_context *ctx;
	struct workqueue *queue;
	size_t n;
	workqueue_sync *sync;
	void *data;
	struct workqueue_run *run;
};

/* A call that is made again and again. */
struct periodic {
	struct periodic *next;
	const struct controller_context *ctx;
	const char *name;
	int64_t period_ms;
	void (*fn)(void *data, struct arena *arena);
	void *data;
	pthread_t thread;
	bool started;
};

struct manager {
	struct manager_config config;
	struct arena *arena;  /* contexts, queues */
	struct arena *states; /* of controllers; goes before their clients */
	struct informers *informers;
	struct workers *workers;
	struct queue_run *queues;
	struct periodic *periodics;
	const struct schema_type **types; /* of shared informers */
	size_t n_types;
	struct controller_context **contexts;
	size_t n_contexts;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t stop;
};

/* --- for controllers --- */

void *controller_state(struct controller_context *ctx, size_t size)
{
	return arena_zalloc(ctx->manager->states, size);
}

struct status *controller_read_file(struct controller_context *ctx, const char *path, char **ret_text, size_t *ret_size)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	TRY(io_read_file(path, MAX_FILE_BYTES, &text, &size));
	*ret_text = arena_strndup(ctx->manager->states, text, size);
	if (ret_size)
		*ret_size = size;
	return NULL;
}

void controller_defer(struct controller_context *ctx, void (*fn)(void *data), void *data)
{
	arena_defer(ctx->manager->states, fn, data);
}

const atomic_bool *controller_stopping(const struct controller_context *ctx)
{
	return &ctx->manager->stopping;
}

static void index_by_node(const void *msg, void (*emit)(void *ctx, const char *value), void *ctx)
{
	const CoreV1Pod *pod = msg;
	if (!str_empty(pod->spec->node_name))
		emit(ctx, pod->spec->node_name);
}

static void index_by_controller(const void *msg, void (*emit)(void *ctx, const char *value), void *ctx)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg);
	const MetaV1OwnerReference *ref = controller_of(meta);
	if (ref) {
		emit(ctx, ref->uid);
		return;
	}
	char key[300];
	snprintf(key, sizeof(key), "orphan/%s", meta->namespace);
	emit(ctx, key);
}

static void trim_metadata(void *msg)
{
	MetaV1PartialObjectMetadata *object = msg;
	if (!object->metadata)
		return;
	object->metadata->n_managed_fields = 0;
	object->metadata->managed_fields = NULL;
	object->metadata->n_labels = 0;
	object->metadata->labels = NULL;
	object->metadata->n_annotations = 0;
	object->metadata->annotations = NULL;
}

/* What a running controller asks for besides comes when it comes. */
static struct informer *awaited(struct controller_context *ctx, struct informer *informer)
{
	if (!ctx->runs)
		ARENA_PUSH(ctx->manager->arena, ctx->awaited, ctx->n_awaited) = informer;
	return informer;
}

struct informer *controller_metadata_informer(struct controller_context *ctx, const struct client_resource *resource)
{
	const struct informer_spec spec = {
		.type = &MetaV1PartialObjectMetadata_schema, .resource = resource, .trim = trim_metadata};
	return awaited(ctx, informers_get(ctx->informers, &spec));
}

bool controller_informer_exists(const struct controller_context *ctx, const struct schema_type *type)
{
	for (size_t i = 0; i < ctx->manager->n_types; i++)
		if (ctx->manager->types[i] == type)
			return true;
	return false;
}

struct informer *controller_informer(struct controller_context *ctx, const struct schema_type *type)
{
	struct informer_spec spec = {.type = type, .trim = object_trim};
	struct informer *informer = awaited(ctx, informers_get(ctx->informers, &spec));
	if (controller_informer_exists(ctx, type))
		return informer;
	ARENA_PUSH(ctx->manager->arena, ctx->manager->types, ctx->manager->n_types) = type;
	if (type == &CoreV1Pod_schema)
		informer_add_index(informer, PODS_BY_NODE, index_by_node);
	if (type == &CoreV1Pod_schema || type == &AppsV1ReplicaSet_schema || type == &AppsV1ControllerRevision_schema ||
		type == &BatchV1Job_schema)
		informer_add_index(informer, BY_CONTROLLER, index_by_controller);
	return informer;
}

const void **controller_dependents(struct informer *informer, struct arena *arena, const char *namespace,
	const char *uid, bool orphans, size_t *ret_n)
{
	size_t n, n_orphans = 0;
	const void *const *owned = informer_list_index(informer, arena, BY_CONTROLLER, uid, &n);
	const void *const *free_ones = NULL;
	if (orphans)
		free_ones = informer_list_index(
			informer, arena, BY_CONTROLLER, arena_printf(arena, "orphan/%s", namespace), &n_orphans);
	const void **all = ARENA_ARRAY(arena, const void *, n + n_orphans + 1);
	for (size_t i = 0; i < n; i++)
		all[i] = owned[i];
	for (size_t i = 0; i < n_orphans; i++)
		all[n + i] = free_ones[i];
	*ret_n = n + n_orphans;
	return all;
}

struct workqueue *controller_queue(
	struct controller_context *ctx, const char *name, int64_t n, workqueue_sync *sync, void *data)
{
	struct manager *m = ctx->manager;
	struct queue_run *q = ARENA_NEW(m->arena, struct queue_run);
	*q = (struct queue_run){.next = m->queues,
		.ctx = ctx,
		.queue = workqueue_new(name, ctx->clock),
		.n = n < 1 ? 1 : (size_t)n,
		.sync = sync,
		.data = data};
	m->queues = q;
	return q->queue;
}

void controller_every(struct controller_context *ctx, const char *name, int64_t period_ms,
	void (*fn)(void *data, struct arena *arena), void *data)
{
	struct manager *m = ctx->manager;
	struct periodic *p = ARENA_NEW(m->arena, struct periodic);
	*p = (struct periodic){
		.next = m->periodics, .ctx = ctx, .name = name, .period_ms = period_ms, .fn = fn, .data = data};
	m->periodics = p;
}

static void enqueue_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(data, object->key);
}

static void enqueue_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	workqueue_add(data, new_object->key);
}

static void enqueue_deleted(void *data, const struct object *object, bool final_unknown)
{
	workqueue_add(data, object->key);
}

const struct informer_handler enqueue_self = {
	.added = enqueue_added, .updated = enqueue_updated, .deleted = enqueue_deleted};

/* --- starting --- */

/* Each has a client of its own, and with it limits of its own. */
static struct status *make_client(struct manager *m, const struct controller *c, struct client **ret_client)
{
	const char *account = c->service_account ? c->service_account : c->name;
	struct client_config config = *m->config.client_config;
	if (c->qps_times)
		config.qps *= c->qps_times;
	if (c->burst_times)
		config.burst *= c->burst_times;
	config.user_agent =
		arena_printf(m->arena, "%s/%s %s", fail_agent("kube-controller-manager"), KUBEC_VERSION, account);
	if (!m->config.options->use_service_account_credentials || !*account)
		return client_new(&config, m->config.clock, ret_client);
	return credentials_client(m->arena, m->config.client, &config, m->config.clock, account, ret_client);
}

static struct status *make_context(struct manager *m, const struct controller *c, struct controller_context **ret_ctx)
{
	struct controller_context *ctx = ARENA_NEW(m->arena, struct controller_context);
	*ctx = (struct controller_context){.controller = c,
		.options = m->config.options,
		.informers = m->informers,
		.clock = m->config.clock,
		.workers = m->workers,
		.metrics = m->config.metrics,
		.manager = m};
	TRY(make_client(m, c, &ctx->client));
	ctx->recorder = event_recorder_new(ctx->client, c->event_source ? c->event_source : c->name, "");
	ARENA_PUSH(m->arena, m->contexts, m->n_contexts) = ctx;
	*ret_ctx = ctx;
	return NULL;
}

static struct status *start_controllers(struct manager *m)
{
	const struct options *o = m->config.options;
	for (size_t i = 0; controllers[i]; i++) {
		const struct controller *c = controllers[i];
		if (!options_controller_enabled(o, c->name, c->alias, c->off_by_default)) {
			log_v(1, "controller %s is disabled", c->name);
			continue;
		}
		if (c->wanted && !c->wanted(o)) {
			log_info("controller %s is not needed with these flags", c->name);
			continue;
		}
		struct controller_context *ctx;
		struct status *s = make_context(m, c, &ctx);
		if (!s)
			s = c->start(ctx);
		if (s)
			return status_wrap(s, "controller %s", c->name);
		log_v(2, "controller %s starts", c->name);
	}
	return NULL;
}

static bool wait_period(struct periodic *p)
{
	struct manager *m = p->ctx->manager;
	const int64_t deadline_ms = cond_deadline_ms(p->period_ms);
	pthread_mutex_lock(&m->lock);
	while (!atomic_load(&m->stopping) && cond_wait_until(&m->stop, &m->lock, deadline_ms))
		;
	pthread_mutex_unlock(&m->lock);
	return !atomic_load(&m->stopping);
}

static void *run_periodic(void *data)
{
	struct periodic *p = data;
	do {
		struct arena *arena = arena_new();
		p->fn(p->data, arena);
		arena_free(arena);
	} while (wait_period(p));
	return NULL;
}

static void start_workers(struct manager *m, struct controller_context *ctx)
{
	ctx->runs = true;
	for (struct queue_run *q = m->queues; q; q = q->next)
		if (q->ctx == ctx)
			q->run = workqueue_run(q->queue, q->n, q->sync, q->data);
	for (struct periodic *p = m->periodics; p; p = p->next)
		if (p->ctx == ctx) {
			p->thread = thread_start(p->name, run_periodic, p);
			p->started = true;
		}
}

static bool is_ready(const struct controller_context *ctx, int64_t waited_ms)
{
	size_t n = 0;
	while (n < ctx->n_awaited && informer_has_synced(ctx->awaited[n]))
		n++;
	if (n == ctx->n_awaited)
		return true;
	if (!ctx->controller->patience_ms || waited_ms < ctx->controller->patience_ms)
		return false;
	log_warn("%s: not everything it looks at is synced, it begins anyway", ctx->controller->name);
	return true;
}

static void write_queues(void *data, struct strbuf *out)
{
	const struct manager *m = data;
	struct workqueue **queues = NULL;
	size_t n = 0;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (const struct queue_run *q = m->queues; q; q = q->next)
		ARENA_PUSH(arena, queues, n) = q->queue;
	metrics_write_queues(out, queues, n);
}

/* A kind that cannot be listed holds up those controllers only that look at it. */
static struct status *run(struct manager *m)
{
	size_t n_running = 0;
	TRY(start_controllers(m));
	if (m->config.metrics)
		metrics_writer(m->config.metrics, write_queues, m);
	TRY(informers_start(m->informers));
	int64_t since = clock_mono_ms(m->config.clock);
	while (n_running < m->n_contexts && !atomic_load(m->config.stopping)) {
		int64_t waited_ms = clock_mono_ms(m->config.clock) - since;
		for (size_t i = 0; i < m->n_contexts; i++) {
			struct controller_context *ctx = m->contexts[i];
			if (ctx->runs || !is_ready(ctx, waited_ms))
				continue;
			start_workers(m, ctx);
			n_running++;
		}
		if (n_running < m->n_contexts)
			informers_wait_change(m->informers, LOOK_MS);
	}
	log_info("%zu controllers run", n_running);
	return NULL;
}

struct status *manager_start(const struct manager_config *config, struct manager **ret_manager)
{
	struct manager *m = mem_zalloc(sizeof(*m));
	m->config = *config;
	m->arena = arena_new();
	m->states = arena_new();
	m->informers = informers_new(config->client);
	m->workers = workers_new("batch", 16, 10000);
	pthread_mutex_init(&m->lock, NULL);
	cond_init(&m->stop);
	struct status *s = run(m);
	if (s) {
		manager_free(m);
		return s;
	}
	*ret_manager = m;
	return NULL;
}

void manager_free(struct manager *m)
{
	if (m->config.metrics)
		metrics_forget_writer(m->config.metrics, m);
	pthread_mutex_lock(&m->lock);
	atomic_store(&m->stopping, true);
	pthread_cond_broadcast(&m->stop);
	pthread_mutex_unlock(&m->lock);
	for (struct queue_run *q = m->queues; q; q = q->next)
		workqueue_shutdown(q->queue);
	for (size_t i = 0; i < m->n_contexts; i++)
		client_cancel(m->contexts[i]->client);
	for (struct queue_run *q = m->queues; q; q = q->next)
		if (q->run)
			workqueue_join(q->run);
	for (struct periodic *p = m->periodics; p; p = p->next)
		if (p->started)
			pthread_join(p->thread, NULL);
	informers_free(m->informers);
	workers_free(m->workers);
	arena_free(m->states);
	for (size_t i = 0; i < m->n_contexts; i++) {
		event_recorder_free(m->contexts[i]->recorder);
		client_free(m->contexts[i]->client);
	}
	for (struct queue_run *q = m->queues; q; q = q->next)
		workqueue_free(q->queue);
	arena_free(m->arena);
	pthread_cond_destroy(&m->stop);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
