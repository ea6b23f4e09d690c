#include <pthread.h>
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/authz/internal.h"
#include "apiserver/authz/podrefs.h"
#include "base/encode.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * The graph has one kind of edge that matters to a question: node, kind of object, namespace, name. It is counted, for
 * several pods of a node may use the same secret.
 */
struct edge {
	size_t count;
};

/* The edges that one pod made, to be taken back when it changes. */
struct pod_edges {
	char *node;
	uint64_t uid_hash, claims_hash;
	size_t n_ephemeral;
	char **keys;
	size_t n_keys, cap;
};

/* A PersistentVolume that is claimed: namespace/name of its claim, and of the secrets that nodes need of it. */
struct volume {
	char *claim;
	char **secrets;
	size_t n_secrets, cap;
};

struct node_graph {
	pthread_rwlock_t lock;	    /* guards the maps */
	struct strmap *edges;	    /* "node kind namespace/name" -> edge */
	struct strmap *pods;	    /* namespace/name -> pod_edges */
	struct strmap *volumes;	    /* name of a PersistentVolume -> volume */
	struct strmap *secrets;	    /* namespace/name of a secret -> a map with the names of the volumes that need it */
	struct strmap *attachments; /* name of a VolumeAttachment -> node */
	struct strmap *slices;	    /* name of a ResourceSlice -> node */
	struct arena *arena;
	struct rule_list rules; /* of system:node, for what is not told apart by node */
};

static const char *const kind_names[] = {
	[POD_REF_SECRET] = "secret",
	[POD_REF_CONFIG_MAP] = "configmap",
	[POD_REF_CLAIM] = "claim",
	[POD_REF_SERVICE_ACCOUNT] = "serviceaccount",
	[POD_REF_RESOURCE_CLAIM] = "resourceclaim",
};

static void pod_edges_free(void *p)
{
	struct pod_edges *e = p;
	for (size_t i = 0; i < e->n_keys; i++)
		free(e->keys[i]);
	free(e->keys);
	free(e->node);
	free(e);
}

static void forget_pod(struct node_graph *graph, const char *key)
{
	struct pod_edges *e = strmap_steal(graph->pods, key);
	if (!e)
		return;
	for (size_t i = 0; i < e->n_keys; i++) {
		struct edge *edge = strmap_get(graph->edges, e->keys[i]);
		if (edge && !--edge->count)
			strmap_remove(graph->edges, e->keys[i]);
	}
	pod_edges_free(e);
}

struct adding {
	struct node_graph *graph;
	struct pod_edges *edges;
	const char *namespace;
};

/* Takes ownership of the key. */
static void add_edge(struct node_graph *graph, struct pod_edges *edges, char *key)
{
	struct edge *edge = strmap_get(graph->edges, key);
	if (!edge) {
		edge = mem_zalloc(sizeof(*edge));
		strmap_put(graph->edges, key, edge);
	}
	edge->count++;
	mem_grow(&edges->keys, &edges->cap, edges->n_keys + 1, sizeof(*edges->keys));
	edges->keys[edges->n_keys++] = key;
}

static void add_ref(void *data, enum pod_ref kind, const char *name)
{
	struct adding *a = data;
	add_edge(a->graph, a->edges, mem_printf("%s %s %s/%s", a->edges->node, kind_names[kind], a->namespace, name));
}

static uint64_t uid_hash(const CoreV1Pod *pod)
{
	const char *uid = object_uid(pod);
	return hash_keyed(uid, strlen(uid));
}

/* Which claims of devices were made for the pod. */
static uint64_t claims_hash(const CoreV1Pod *pod)
{
	const CoreV1PodStatus *status = pod->status;
	if (!status || (!status->n_resource_claim_statuses && !status->extended_resource_claim_status))
		return 0;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < status->n_resource_claim_statuses; i++)
		strbuf_printf(&text, "%s=%s ", str_or_empty(status->resource_claim_statuses[i]->name),
			str_or_empty(status->resource_claim_statuses[i]->resource_claim_name));
	if (status->extended_resource_claim_status)
		strbuf_adds(&text, str_or_empty(status->extended_resource_claim_status->resource_claim_name));
	return hash_keyed(text.buf, text.len);
}

/* A pod's references change little once it is bound: the many status updates need no work. Only the cache's thread
 * writes the graph, so it may look without the lock. */
static bool is_known(const struct node_graph *graph, const char *key, const CoreV1Pod *pod)
{
	const struct pod_edges *e = strmap_get(graph->pods, key);
	return e && pod->spec && str_eq(e->node, pod->spec->node_name) && e->uid_hash == uid_hash(pod) &&
	       e->n_ephemeral == pod->spec->n_ephemeral_containers && e->claims_hash == claims_hash(pod);
}

/* A pod that is on no node, and never was, has no edges. */
static bool pod_matters(void *data, const struct object_brief *brief)
{
	const struct node_graph *graph = data;
	return !str_empty(brief->field(brief->data, "spec.nodeName")) || strmap_has(graph->pods, brief->key);
}

static void on_pod(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct node_graph *graph = data;
	const CoreV1Pod *pod = (const CoreV1Pod *)object;
	CLEANUP_FREE char *key = mem_printf("%s/%s", object_namespace(pod), object_name(pod));
	if (event == OBJECT_MODIFIED && is_known(graph, key, pod))
		return;
	pthread_rwlock_wrlock(&graph->lock);
	forget_pod(graph, key);
	if (event != OBJECT_DELETED && pod->spec && !str_empty(pod->spec->node_name)) {
		struct pod_edges *edges = mem_zalloc(sizeof(*edges));
		edges->node = mem_strdup(pod->spec->node_name);
		edges->uid_hash = uid_hash(pod);
		edges->claims_hash = claims_hash(pod);
		edges->n_ephemeral = pod->spec->n_ephemeral_containers;
		strmap_put(graph->pods, key, edges);
		struct adding adding = {graph, edges, object_namespace(pod)};
		add_edge(graph, edges, mem_printf("%s pod %s", edges->node, key));
		if (!meta_annotation(pod->metadata, "kubernetes.io/config.mirror"))
			pod_refs_visit(pod, add_ref, &adding);
	}
	pthread_rwlock_unlock(&graph->lock);
}

static void volume_free(void *p)
{
	struct volume *v = p;
	for (size_t i = 0; i < v->n_secrets; i++)
		free(v->secrets[i]);
	free(v->secrets);
	free(v->claim);
	free(v);
}

static void set_free(void *p)
{
	strmap_free(p);
}

static void forget_volume(struct node_graph *graph, const char *name)
{
	struct volume *v = strmap_steal(graph->volumes, name);
	if (!v)
		return;
	for (size_t i = 0; i < v->n_secrets; i++) {
		struct strmap *users = strmap_get(graph->secrets, v->secrets[i]);
		if (users && strmap_remove(users, name) && !strmap_count(users))
			strmap_remove(graph->secrets, v->secrets[i]);
	}
	volume_free(v);
}

struct learning {
	struct node_graph *graph;
	const char *name;
	struct volume *volume;
};

static void learn_secret(void *data, const char *namespace, const char *name)
{
	const struct learning *l = data;
	char *key = mem_printf("%s/%s", namespace, name);
	struct strmap *users = strmap_get(l->graph->secrets, key);
	if (!users) {
		users = strmap_new(NULL);
		strmap_put(l->graph->secrets, key, users);
	}
	strmap_put(users, l->name, l->volume);
	mem_grow(&l->volume->secrets, &l->volume->cap, l->volume->n_secrets + 1, sizeof(*l->volume->secrets));
	l->volume->secrets[l->volume->n_secrets++] = key;
}

static void on_volume(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct node_graph *graph = data;
	const CoreV1PersistentVolume *volume = (const CoreV1PersistentVolume *)object;
	const CoreV1ObjectReference *claim = volume->spec ? volume->spec->claim_ref : NULL;
	pthread_rwlock_wrlock(&graph->lock);
	forget_volume(graph, object_name(volume));
	if (event != OBJECT_DELETED && claim) {
		struct learning l = {graph, object_name(volume), mem_zalloc(sizeof(*l.volume))};
		l.volume->claim = mem_printf("%s/%s", str_or_empty(claim->namespace), str_or_empty(claim->name));
		volume_secrets_visit(volume, learn_secret, &l);
		strmap_put(graph->volumes, object_name(volume), l.volume);
	}
	pthread_rwlock_unlock(&graph->lock);
}

static void on_attachment(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct node_graph *graph = data;
	const StorageV1VolumeAttachment *attachment = (const StorageV1VolumeAttachment *)object;
	pthread_rwlock_wrlock(&graph->lock);
	if (event == OBJECT_DELETED || !attachment->spec)
		strmap_remove(graph->attachments, object_name(attachment));
	else
		strmap_put(graph->attachments, object_name(attachment),
			mem_strdup(str_or_empty(attachment->spec->node_name)));
	pthread_rwlock_unlock(&graph->lock);
}

static void on_slice(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct node_graph *graph = data;
	const ResourceV1ResourceSlice *slice = (const ResourceV1ResourceSlice *)object;
	pthread_rwlock_wrlock(&graph->lock);
	if (event == OBJECT_DELETED || !slice->spec || str_empty(slice->spec->node_name))
		strmap_remove(graph->slices, object_name(slice));
	else
		strmap_put(graph->slices, object_name(slice), mem_strdup(slice->spec->node_name));
	pthread_rwlock_unlock(&graph->lock);
}

struct node_graph *node_graph_new(struct objects *objects)
{
	struct node_graph *graph = mem_zalloc(sizeof(*graph));
	pthread_rwlock_init(&graph->lock, NULL);
	graph->edges = strmap_new(free);
	graph->pods = strmap_new(pod_edges_free);
	graph->volumes = strmap_new(volume_free);
	graph->secrets = strmap_new(set_free);
	graph->attachments = strmap_new(free);
	graph->slices = strmap_new(free);
	graph->arena = arena_new();
	for (const struct policy_role *role = policy_roles; role->namespace; role++)
		if (!strcmp(role->name, "system:node"))
			rules_of_policy(graph->arena, role, &graph->rules);
	objects_subscribe_some(objects, &CoreV1Pod_schema, pod_matters, on_pod, graph);
	objects_subscribe(objects, &CoreV1PersistentVolume_schema, on_volume, graph);
	objects_subscribe(objects, &StorageV1VolumeAttachment_schema, on_attachment, graph);
	objects_subscribe(objects, &ResourceV1ResourceSlice_schema, on_slice, graph);
	return graph;
}

void node_graph_free(struct node_graph *graph)
{
	if (!graph)
		return;
	strmap_free(graph->edges);
	strmap_free(graph->pods);
	strmap_free(graph->volumes);
	strmap_free(graph->secrets);
	strmap_free(graph->attachments);
	strmap_free(graph->slices);
	arena_free(graph->arena);
	pthread_rwlock_destroy(&graph->lock);
	free(graph);
}

/* One question: the node that asks, and where the reason of a refusal goes. */
struct question {
	struct node_graph *graph;
	struct arena *arena;
	const struct authz_attributes *a;
	const char *node;
	const char **ret_reason;
};

static enum authz_decision refuse(const struct question *q, const char *reason)
{
	*q->ret_reason = reason;
	return AUTHZ_NO_OPINION;
}

static bool is_claimed(const struct question *q, const struct volume *volume)
{
	return volume && strmap_has(q->graph->edges, arena_printf(q->arena, "%s claim %s", q->node, volume->claim));
}

/* A secret of a volume that a pod of the node claims. */
static bool is_of_volume(const struct question *q, const char *secret)
{
	const struct strmap *users = strmap_get(q->graph->secrets, secret);
	if (!users)
		return false;
	STRMAP_FOREACH (users, it)
		if (is_claimed(q, it.value))
			return true;
	return false;
}

/* What does not come with the pods of the node alone. */
static bool is_related_otherwise(const struct question *q, const char *kind, const char *key)
{
	if (!strcmp(kind, "volume"))
		return is_claimed(q, strmap_get(q->graph->volumes, q->a->name));
	if (!strcmp(kind, "secret"))
		return is_of_volume(q, key);
	if (!strcmp(kind, "attachment"))
		return str_eq(strmap_get(q->graph->attachments, q->a->name), q->node);
	return !strcmp(kind, "slice") && str_eq(strmap_get(q->graph->slices, q->a->name), q->node);
}

static enum authz_decision related(const struct question *q, const char *kind)
{
	if (str_empty(q->a->name))
		return refuse(q, "No Object name found");
	const char *key = arena_printf(q->arena, "%s/%s", str_or_empty(q->a->namespace), q->a->name);
	pthread_rwlock_rdlock(&q->graph->lock);
	bool found = strmap_has(q->graph->edges, arena_printf(q->arena, "%s %s %s", q->node, kind, key)) ||
		     is_related_otherwise(q, kind, key);
	pthread_rwlock_unlock(&q->graph->lock);
	if (found)
		return AUTHZ_ALLOW;
	return refuse(q, arena_printf(q->arena, "no relationship found between node '%s' and this object", q->node));
}

static bool verb_in(const struct question *q, const char *const *verbs)
{
	return str_in(q->a->verb, verbs);
}

static const char *const read_verbs[] = {"get", "list", "watch", NULL};
static const char *const own_verbs[] = {"get", "create", "update", "patch", "delete", NULL};
static const char *const change_verbs[] = {"update", "patch", NULL};

static enum authz_decision read_namespaced(const struct question *q, const char *kind)
{
	if (!verb_in(q, read_verbs))
		return refuse(q, "can only read resources of this type");
	if (!str_empty(q->a->subresource))
		return refuse(q, "cannot read subresource");
	if (str_empty(q->a->namespace))
		return refuse(q, "can only read namespaced object of this type");
	return related(q, kind);
}

static enum authz_decision get_only(const struct question *q, const char *kind)
{
	if (!str_eq(q->a->verb, "get"))
		return refuse(q, "can only get individual resources of this type");
	if (!str_empty(q->a->subresource))
		return refuse(q, "cannot get subresource");
	return related(q, kind);
}

static enum authz_decision on_claims(const struct question *q)
{
	if (!str_eq(q->a->subresource, "status"))
		return get_only(q, "claim");
	return verb_in(q, change_verbs) ? related(q, "claim") : refuse(q, "can only get/update/patch this type");
}

static enum authz_decision on_accounts(const struct question *q)
{
	if (str_eq(q->a->verb, "get") && str_empty(q->a->subresource))
		return read_namespaced(q, "serviceaccount");
	if (!str_eq(q->a->verb, "create") || str_empty(q->a->name))
		return refuse(q, "can only create tokens for individual service accounts");
	if (!str_eq(q->a->subresource, "token"))
		return refuse(q, "can only create token subresource of serviceaccount");
	return related(q, "serviceaccount");
}

static enum authz_decision on_leases(const struct question *q)
{
	if (!verb_in(q, own_verbs))
		return refuse(q, "can only get, create, update, patch, or delete a node lease");
	if (!str_eq(q->a->namespace, "kube-node-lease"))
		return refuse(q, "can only access leases in the \"kube-node-lease\" system namespace");
	if (!str_eq(q->a->verb, "create") && !str_eq(q->a->name, q->node))
		return refuse(q, "can only access node lease with the same name as the requesting node");
	return AUTHZ_ALLOW;
}

static enum authz_decision on_csi_nodes(const struct question *q)
{
	if (!verb_in(q, own_verbs))
		return refuse(q, "can only get, create, update, patch, or delete a CSINode");
	if (!str_empty(q->a->subresource))
		return refuse(q, "cannot authorize CSINode subresources");
	if (!str_eq(q->a->verb, "create") && !str_eq(q->a->name, q->node))
		return refuse(q, "can only access CSINode with the same name as the requesting node");
	return AUTHZ_ALLOW;
}

/* Whether the field selector pins a field to this node. One that cannot be read pins nothing. */
static bool selects_node(const struct question *q, const char *field)
{
	struct field_selector *selector;
	if (str_empty(q->a->field_selector))
		return false;
	struct status *bad = field_selector_parse(q->arena, q->a->field_selector, &selector);
	for (size_t i = 0; !bad && i < selector->n_requirements; i++) {
		const struct field_requirement *r = &selector->requirements[i];
		if (!r->not_equal && str_eq(r->path, field) && str_eq(r->value, q->node))
			return true;
	}
	status_drop(bad, "whoever may ask it is told");
	return false;
}

static enum authz_decision on_nodes(const struct question *q)
{
	static const char *const write[] = {"create", "update", "patch", NULL};
	if (str_eq(q->a->subresource, "status") && verb_in(q, change_verbs))
		return AUTHZ_ALLOW;
	if (!str_empty(q->a->subresource))
		return refuse(q, "");
	if (verb_in(q, write))
		return AUTHZ_ALLOW;
	if (!verb_in(q, read_verbs))
		return refuse(q, "");
	const char *name = str_or_empty(q->a->name);
	if (!strcmp(name, q->node))
		return AUTHZ_ALLOW;
	if (!*name)
		return refuse(q,
			arena_printf(q->arena, "node '%s' cannot read all nodes, only its own Node object", q->node));
	return refuse(q, arena_printf(q->arena, "node '%s' cannot read '%s', only its own Node object", q->node, name));
}

static enum authz_decision on_pods(const struct question *q)
{
	const char *verb = q->a->verb, *sub = str_or_empty(q->a->subresource);
	if (!strcmp(sub, "status"))
		return verb_in(q, change_verbs) ? AUTHZ_ALLOW : refuse(q, "");
	if (!strcmp(sub, "eviction"))
		return str_eq(verb, "create") ? AUTHZ_ALLOW : refuse(q, "");
	if (*sub)
		return refuse(q, "");
	if (str_eq(verb, "create") || str_eq(verb, "delete"))
		return AUTHZ_ALLOW;
	if (str_eq(verb, "get"))
		return get_only(q, "pod");
	if (!str_eq(verb, "list") && !str_eq(verb, "watch"))
		return refuse(q, "");
	if (selects_node(q, "spec.nodeName"))
		return AUTHZ_ALLOW;
	return str_empty(q->a->name) ? refuse(q, "can only list/watch pods with spec.nodeName field selector")
				     : related(q, "pod");
}

static enum authz_decision on_slices(const struct question *q)
{
	static const char *const one[] = {"get", "update", "patch", "delete", NULL}, *const many[] = {"watch", "list",
											     "deletecollection", NULL};
	if (!str_empty(q->a->subresource))
		return refuse(q, "cannot authorize ResourceSlice subresources");
	if (str_eq(q->a->verb, "create"))
		return AUTHZ_ALLOW;
	if (verb_in(q, one))
		return related(q, "slice");
	if (!verb_in(q, many))
		return refuse(q, "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
				 "update, patch, delete, deletecollection");
	return selects_node(q, "spec.nodeName")
		       ? AUTHZ_ALLOW
		       : refuse(q, "can only list/watch/deletecollection resourceslices with nodeName field selector");
}

static enum authz_decision on_others(const struct question *q)
{
	for (size_t i = 0; i < q->graph->rules.n_items; i++)
		if (rule_allows(q->graph->rules.items[i], q->a))
			return AUTHZ_ALLOW;
	return refuse(q, "");
}

static enum authz_decision on_core(const struct question *q)
{
	const char *resource = q->a->resource;
	if (str_eq(resource, "secrets"))
		return read_namespaced(q, "secret");
	if (str_eq(resource, "configmaps"))
		return read_namespaced(q, "configmap");
	if (str_eq(resource, "persistentvolumeclaims"))
		return on_claims(q);
	if (str_eq(resource, "persistentvolumes"))
		return get_only(q, "volume");
	if (str_eq(resource, "serviceaccounts"))
		return on_accounts(q);
	if (str_eq(resource, "nodes"))
		return on_nodes(q);
	return str_eq(resource, "pods") ? on_pods(q) : on_others(q);
}

enum authz_decision node_authorize(
	struct node_graph *graph, struct arena *arena, const struct authz_attributes *a, const char **ret_reason)
{
	const struct question q = {graph, arena, a, user_node_name(a->user), ret_reason};
	if (!q.node && user_is_nameless_node(a->user))
		return refuse(&q, arena_printf(arena, "unknown node for user \"%s\"", a->user->name));
	if (!q.node)
		return AUTHZ_NO_OPINION;
	if (!a->resource_request)
		return on_others(&q);
	if (str_empty(a->group))
		return on_core(&q);
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "volumeattachments"))
		return get_only(&q, "attachment");
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "csinodes"))
		return on_csi_nodes(&q);
	if (str_eq(a->group, "coordination.k8s.io") && str_eq(a->resource, "leases"))
		return on_leases(&q);
	if (str_eq(a->group, "resource.k8s.io") && str_eq(a->resource, "resourceclaims"))
		return get_only(&q, "resourceclaim");
	if (str_eq(a->group, "resource.k8s.io") && str_eq(a->resource, "resourceslices"))
		return on_slices(&q);
	return on_others(&q);
}
