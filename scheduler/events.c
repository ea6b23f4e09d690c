/* From informers to columns and queue. Handlers run on the informers' thread and only post; the rest runs on the loop.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/internal.h"

struct change {
	struct scheduler *s;
	struct object *old_object, *new_object; /* owned; NULL: none */
	void (*apply)(struct scheduler *s, struct change *c);
};

static void apply(void *data)
{
	struct change *c = data;
	c->apply(c->s, c);
	if (c->old_object)
		object_unref(c->old_object);
	if (c->new_object)
		object_unref(c->new_object);
	scheduler_wake(c->s);
	free(c);
}

static void post(struct scheduler *s, const struct object *old_object, const struct object *new_object,
	void (*fn)(struct scheduler *s, struct change *c))
{
	struct change *c = mem_zalloc(sizeof *c);
	*c = (struct change){
		s, old_object ? object_ref(old_object) : NULL, new_object ? object_ref(new_object) : NULL, fn};
	loop_post(s->loop, apply, c);
}

/* --- pods --- */

static struct pod_info *info_of(struct scheduler *s, struct object *object)
{
	return pod_info_new(s->resource_names, object->msg, (void (*)(void *))object_unref, object_ref(object));
}

static bool is_over(const struct pod_info *pod)
{
	const char *phase = pod->pod->status ? pod->pod->status->phase : NULL;
	return str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
}

static void tell_queue(
	struct scheduler *s, unsigned changes, const struct pod_info *old_pod, const struct pod_info *new_pod)
{
	for (unsigned bit = 1; bit <= EVENT_ALL; bit <<= 1) {
		struct cluster_event event = {EVENT_ASSIGNED_POD, bit, old_pod, new_pod, NULL, NULL};
		if (changes & bit)
			queue_event(s->queue, &event, NULL, NULL, NULL);
	}
}

/* A pod that is on a node, new to us or confirmed. */
static void settle(struct scheduler *s, struct pod_info *pod)
{
	const struct placed_pod *before = scheduler_placed(s, pod->uid);
	bool was_placed = before && !before->assumed;
	struct pod_info *old_pod = before ? pod_info_ref(before->pod) : NULL;
	queue_delete(s->queue, pod->uid);
	scheduler_unplace(s, pod->uid);
	scheduler_assume(s, pod, pod_node_name(pod));
	scheduler_placed(s, pod->uid)->assumed = false;
	tell_queue(s, was_placed ? pod_changes(old_pod, pod) : EVENT_ADD, was_placed ? old_pod : NULL, pod);
	pod_info_unref(old_pod);
}

/* A pod that waits for a node. */
static void enqueue(struct scheduler *s, const struct pod_info *old_pod, struct pod_info *pod)
{
	const char *name = pod->pod->spec ? pod->pod->spec->scheduler_name : "";
	const struct profile *profile = profiles_find(&s->profiles, name);
	if (!profile || scheduler_placed(s, pod->uid))
		return;
	const char *nominated = pod_nominated_node(pod);
	if (!str_empty(nominated) || (old_pod && !str_empty(pod_nominated_node(old_pod))))
		nominator_set(s->nominator, pod, nominated);
	if (old_pod)
		queue_update(s->queue, profile, old_pod, pod);
	else
		queue_add(s->queue, profile, pod);
}

static void drop(struct scheduler *s, struct pod_info *pod)
{
	bool placed = scheduler_placed(s, pod->uid) != NULL;
	bool nominated = !str_empty(nominator_node(s->nominator, pod->uid));
	scheduler_unplace(s, pod->uid);
	nominator_set(s->nominator, pod, NULL);
	queue_delete(s->queue, pod->uid);
	if (placed || nominated)
		tell_queue(s, EVENT_DELETE, pod, NULL);
}

static void pod_changed(struct scheduler *s, struct change *c)
{
	struct pod_info *old_pod = c->old_object ? info_of(s, c->old_object) : NULL;
	struct pod_info *pod = c->new_object ? info_of(s, c->new_object) : NULL;
	bool replaced = old_pod && pod && !str_eq(old_pod->uid, pod->uid);
	if (old_pod && (!pod || replaced || is_over(pod)))
		drop(s, old_pod);
	if (pod && !is_over(pod)) {
		if (!str_empty(pod_node_name(pod)))
			settle(s, pod);
		else
			enqueue(s, replaced ? NULL : old_pod, pod);
	}
	pod_info_unref(old_pod);
	pod_info_unref(pod);
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	post(data, NULL, object, pod_changed);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	post(data, old_object, new_object, pod_changed);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	post(data, object, NULL, pod_changed);
}

/* --- nodes --- */

struct kept_objects {
	struct object *a, *b;
};

static void release_objects(void *data)
{
	struct kept_objects *kept = data;
	if (kept->a)
		object_unref(kept->a);
	if (kept->b)
		object_unref(kept->b);
	free(kept);
}

static void node_event(struct scheduler *s, struct change *c, unsigned changes)
{
	struct kept_objects *kept = mem_zalloc(sizeof *kept);
	struct event_keep *keep = mem_zalloc(sizeof *keep);
	kept->a = c->old_object ? object_ref(c->old_object) : NULL;
	kept->b = c->new_object ? object_ref(c->new_object) : NULL;
	*keep = (struct event_keep){.refs = 1, .release = release_objects, .data = kept};
	for (unsigned bit = 1; bit <= EVENT_ALL; bit <<= 1) {
		struct cluster_event event = {.resource = EVENT_NODE, .action = bit};
		event.old_node = c->old_object ? c->old_object->msg : NULL;
		event.new_node = c->new_object ? c->new_object->msg : NULL;
		if (changes & bit)
			queue_event(s->queue, &event, keep, NULL, NULL);
	}
	if (!--keep->refs) {
		release_objects(kept);
		free(keep);
	}
}

static void node_changed(struct scheduler *s, struct change *c)
{
	if (!c->new_object) {
		const CoreV1Node *node = c->old_object->msg;
		node_event(s, c, EVENT_DELETE);
		nodes_remove(s->nodes, node->metadata ? node->metadata->name : "");
		return;
	}
	const CoreV1Node *node = c->new_object->msg;
	nodes_put(s->nodes, node);
	node_event(s, c, c->old_object ? node_changes(c->old_object->msg, node) : EVENT_ADD);
}

static void node_added(void *data, const struct object *object, bool initial)
{
	post(data, NULL, object, node_changed);
}

static void node_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	post(data, old_object, new_object, node_changed);
}

static void node_deleted(void *data, const struct object *object, bool final_unknown)
{
	post(data, object, NULL, node_changed);
}

/* --- storage --- */

static void storage_changed(struct scheduler *s, struct change *c)
{
	unsigned action = !c->old_object ? EVENT_ADD : !c->new_object ? EVENT_DELETE : EVENT_UPDATE_OTHER;
	struct cluster_event event = {.resource = EVENT_VOLUME, .action = action};
	queue_event(s->queue, &event, NULL, NULL, NULL);
}

static void storage_added(void *data, const struct object *object, bool initial)
{
	post(data, NULL, object, storage_changed);
}

static void storage_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	post(data, old_object, new_object, storage_changed);
}

/* --- start --- */

static void count_synced(void *data)
{
	struct scheduler *s = data;
	if (!--s->n_unsynced)
		log_info("Caches are synced: nodes=%zu placed=%zu", s->nodes->n_rows, strmap_count(s->placed));
	scheduler_wake(s);
}

static void synced(void *data)
{
	struct scheduler *s = data;
	loop_post(s->loop, count_synced, s);
}

/* Fields that no plugin reads are most of a pod's and a node's size. */
static void trim_managed_fields(MetaV1ObjectMeta *meta)
{
	if (meta)
		meta->n_managed_fields = 0;
}

static void trim_pod(void *msg)
{
	CoreV1Pod *pod = msg;
	trim_managed_fields(pod->metadata);
}

static void trim_node(void *msg)
{
	CoreV1Node *node = msg;
	trim_managed_fields(node->metadata);
}

void scheduler_watch(struct scheduler *s)
{
	static const struct informer_handler pods = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted, .synced = synced};
	static const struct informer_handler nodes = {
		.added = node_added, .updated = node_updated, .deleted = node_deleted, .synced = synced};
	struct informers *all = s->informers;
	s->n_unsynced = 2;
	s->pod_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1Pod_schema,
						     .field_selector = "status.phase!=Succeeded,status.phase!=Failed",
						     .trim = trim_pod});
	s->node_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1Node_schema, .trim = trim_node});
	s->namespace_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1Namespace_schema});
	s->budget_informer = informers_get(all, &(struct informer_spec){.type = &PolicyV1PodDisruptionBudget_schema});
	s->service_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1Service_schema});
	s->controller_informer =
		informers_get(all, &(struct informer_spec){.type = &CoreV1ReplicationController_schema});
	s->replica_set_informer = informers_get(all, &(struct informer_spec){.type = &AppsV1ReplicaSet_schema});
	s->stateful_set_informer = informers_get(all, &(struct informer_spec){.type = &AppsV1StatefulSet_schema});
	static const struct informer_handler storage = {.added = storage_added, .updated = storage_updated};
	s->claim_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1PersistentVolumeClaim_schema});
	s->volume_informer = informers_get(all, &(struct informer_spec){.type = &CoreV1PersistentVolume_schema});
	s->class_informer = informers_get(all, &(struct informer_spec){.type = &StorageV1StorageClass_schema});
	informer_add_handler(s->claim_informer, &storage, s);
	informer_add_handler(s->volume_informer, &storage, s);
	informer_add_handler(s->class_informer, &storage, s);
	informer_add_handler(s->pod_informer, &pods, s);
	informer_add_handler(s->node_informer, &nodes, s);
}
