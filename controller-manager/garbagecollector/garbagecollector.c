/* The garbage collector: watches the metadata of every kind that can be deleted, and feeds the graph. */
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/garbagecollector/collector.h"

enum { DISCOVERY_PERIOD_MS = 30000 };

/* One kind that is watched. */
struct monitor {
	struct monitor *next;
	struct collector *collector;
	struct informer *informer;
	bool shared; /* the informer is other controllers', too */
	bool seen;   /* in this round of discovery */
	char *group, *version, *plural, *kind, *api_version;
	bool namespaced;
};

static void ask_delete(void *data, const char *uid)
{
	workqueue_add(((struct collector *)data)->deletes, uid);
}

static void ask_orphan(void *data, const char *uid)
{
	workqueue_add(((struct collector *)data)->orphans, uid);
}

static void tell_misplaced(void *data, const struct identity *dependent, const struct identity *owner)
{
	struct collector *c = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1ObjectReference *ref = API_NEW(arena, CoreV1ObjectReference);
	ref->api_version = arena_strdup(arena, dependent->api_version);
	ref->kind = arena_strdup(arena, dependent->kind);
	ref->namespace = arena_strdup(arena, dependent->namespace);
	ref->name = arena_strdup(arena, dependent->name);
	ref->uid = arena_strdup(arena, dependent->uid);
	event_record_ref(c->ctx->recorder, ref, EVENT_WARNING, "OwnerRefInvalidNamespace",
		"ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace \"%s\"",
		owner->api_version, owner->kind, owner->namespace, owner->name, owner->uid, dependent->namespace);
}

static void observe(struct monitor *m, const struct object *object)
{
	const MetaV1ObjectMeta *meta = object_metadata(object->msg);
	const struct identity id = {meta->uid, m->api_version, m->kind, meta->namespace, meta->name};
	graph_observe(m->collector->graph, &id, meta);
}

static void forget(struct monitor *m, const MetaV1ObjectMeta *meta)
{
	const struct identity id = {meta->uid, m->api_version, m->kind, meta->namespace, meta->name};
	if (graph_remove(m->collector->graph, meta->uid))
		absent_owners_add(m->collector->absent, &id);
}

static void object_added(void *data, const struct object *object, bool initial)
{
	observe(data, object);
}

static void object_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct monitor *m = data;
	const MetaV1ObjectMeta *before = object_metadata(old_object->msg);
	if (!str_eq(before->uid, object_metadata(new_object->msg)->uid))
		forget(m, before);
	observe(m, new_object);
}

static void object_deleted(void *data, const struct object *object, bool final_unknown)
{
	forget(data, object_metadata(object->msg));
}

static const struct informer_handler monitor_handler = {
	.added = object_added, .updated = object_updated, .deleted = object_deleted};

static bool is_ignored(const struct api_resource *r)
{
	/* Events own nothing, are owned by nothing, and are many. */
	return str_eq(r->rest.plural, "events") && (str_empty(r->rest.group) || str_eq(r->rest.group, "events.k8s.io"));
}

static bool is_collectable(const struct api_resource *r)
{
	return api_resource_has_verb(r, "delete") && api_resource_has_verb(r, "list") &&
	       api_resource_has_verb(r, "watch") && !is_ignored(r);
}

static struct monitor *find_monitor(struct collector *c, const struct api_resource *r)
{
	for (struct monitor *m = c->monitors; m; m = m->next)
		if (str_eq(m->group, r->rest.group) && str_eq(m->version, r->rest.version) &&
			str_eq(m->plural, r->rest.plural))
			return m;
	return NULL;
}

static struct monitor *add_monitor(struct collector *c, struct arena *arena, const struct api_resource *r)
{
	struct monitor *m = mem_zalloc(sizeof(*m));
	m->collector = c;
	m->group = mem_strdup(str_or_empty(r->rest.group));
	m->version = mem_strdup(r->rest.version);
	m->plural = mem_strdup(r->rest.plural);
	m->kind = mem_strdup(r->kind);
	m->api_version = mem_strdup(api_resource_group_version(arena, r));
	m->namespaced = r->rest.namespaced;
	const struct schema_type *type = schema_find_api_version(m->api_version, m->kind);
	m->shared = type && controller_informer_exists(c->ctx, type);
	if (m->shared) {
		m->informer = controller_informer(c->ctx, type);
	} else {
		const struct client_resource resource = {m->group, m->version, m->plural, m->namespaced};
		m->informer = controller_metadata_informer(c->ctx, &resource);
	}
	m->next = c->monitors;
	c->monitors = m;
	informer_add_handler(m->informer, &monitor_handler, m);
	return m;
}

static void monitor_free(struct monitor *m)
{
	free(m->group);
	free(m->version);
	free(m->plural);
	free(m->kind);
	free(m->api_version);
	free(m);
}

static void free_monitors(void *data)
{
	struct collector *c = data;
	for (struct monitor *next, *m = c->monitors; m; m = next) {
		next = m->next;
		monitor_free(m);
	}
}

static void drop_unseen(struct collector *c)
{
	for (struct monitor **p = &c->monitors; *p;) {
		struct monitor *m = *p;
		if (m->seen || m->shared) {
			p = &m->next;
			continue;
		}
		log_v(1, "%s in %s is served no more", m->plural, m->api_version);
		*p = m->next;
		informer_remove_handler(m->informer, &monitor_handler, m);
		informer_stop(m->informer);
		monitor_free(m);
	}
}

/* Brings the monitors in step with what the server serves; *ret_added: informers wait to be started. */
static struct status *discover(struct collector *c, struct arena *arena, bool *ret_added)
{
	const struct api_resource *const *all;
	size_t n;
	*ret_added = false;
	pthread_mutex_lock(&c->lock);
	discovery_invalidate(c->discovery);
	struct status *s = discovery_preferred_resources(c->discovery, &all, &n);
	for (struct monitor *m = c->monitors; m; m = m->next)
		m->seen = false;
	for (size_t i = 0; !s && i < n; i++) {
		if (!is_collectable(all[i]))
			continue;
		struct monitor *m = find_monitor(c, all[i]);
		if (!m) {
			m = add_monitor(c, arena, all[i]);
			*ret_added = true;
		}
		m->seen = true;
	}
	pthread_mutex_unlock(&c->lock);
	/* A group whose server is down for a moment is no group that went away: only a full answer drops anything. */
	if (!s && n)
		drop_unseen(c);
	return s;
}

static void rediscover(void *data, struct arena *arena)
{
	struct collector *c = data;
	bool added;
	struct status *s = discover(c, arena, &added);
	if (!s && added)
		s = informers_start(c->ctx->informers);
	log_status(s, "garbage collector: discovery");
}

static bool wanted(const struct options *options)
{
	return options->enable_garbage_collector;
}

static struct status *start(struct controller_context *ctx)
{
	struct collector *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	c->graph = graph_new(&(struct graph_sink){ask_delete, ask_orphan, tell_misplaced, c});
	CONTROLLER_OWNS(ctx, graph_free, c->graph);
	c->absent = absent_owners_new();
	CONTROLLER_OWNS(ctx, absent_owners_free, c->absent);
	controller_defer(ctx, free_monitors, c);
	TRY(discovery_new(ctx->client, NULL, &c->discovery));
	CONTROLLER_OWNS(ctx, discovery_free, c->discovery);
	int64_t n_workers = ctx->options->concurrent_gc_syncs;
	c->deletes = controller_queue(ctx, "garbage_collector_attempt_to_delete", n_workers, collect, c);
	c->orphans = controller_queue(ctx, "garbage_collector_attempt_to_orphan", n_workers, orphan_dependents, c);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	bool added;
	struct status *s = discover(c, arena, &added);
	log_status(s, "garbage collector: first discovery");
	controller_every(ctx, "gc-discovery", DISCOVERY_PERIOD_MS, rediscover, c);
	return NULL;
}

/* Last in the table: it shares the informers that the others have asked for. */
const struct controller garbage_collector_controller = {.name = "garbage-collector-controller",
	.alias = "garbagecollector",
	.service_account = "generic-garbage-collector",
	.qps_times = 2, /* to delete is to read, then to delete */
	.patience_ms = 30000,
	.wanted = wanted,
	.start = start};
