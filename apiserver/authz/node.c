#include <pthread.h>
#include "api/meta.h"
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
	uint64_t uid_hash;
	size_t n_ephemeral;
	char **keys;
	size_t n_keys, cap;
};

struct node_graph {
	pthread_rwlock_t lock;	    /* guards the maps */
	struct strmap *edges;	    /* "node kind namespace/name" -> edge */
	struct strmap *pods;	    /* namespace/name -> pod_edges */
	struct strmap *volumes;	    /* name of a PersistentVolume -> namespace/name of its claim */
	struct strmap *attachments; /* name of a VolumeAttachment -> node */
	struct arena *arena;
	struct rule_list rules; /* of system:node, for what is not told apart by node */
};

static const char *const kind_names[] = {
	[POD_REF_SECRET] = "secret",
	[POD_REF_CONFIG_MAP] = "configmap",
	[POD_REF_CLAIM] = "claim",
	[POD_REF_SERVICE_ACCOUNT] = "serviceaccount",
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

/* A pod's references do not change once it is bound: the many status updates need no work. Only the cache's thread
 * writes the graph, so it may look without the lock. */
static bool is_known(const struct node_graph *graph, const char *key, const CoreV1Pod *pod)
{
	const struct pod_edges *e = strmap_get(graph->pods, key);
	return e && pod->spec && str_eq(e->node, pod->spec->node_name) && e->uid_hash == uid_hash(pod) &&
	       e->n_ephemeral == pod->spec->n_ephemeral_containers;
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
		edges->n_ephemeral = pod->spec->n_ephemeral_containers;
		strmap_put(graph->pods, key, edges);
		struct adding adding = {graph, edges, object_namespace(pod)};
		add_edge(graph, edges, mem_printf("%s pod %s", edges->node, key));
		if (!meta_annotation(pod->metadata, "kubernetes.io/config.mirror"))
			pod_refs_visit(pod, add_ref, &adding);
	}
	pthread_rwlock_unlock(&graph->lock);
}

static void on_volume(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct node_graph *graph = data;
	const CoreV1PersistentVolume *volume = (const CoreV1PersistentVolume *)object;
	const CoreV1ObjectReference *claim = volume->spec ? volume->spec->claim_ref : NULL;
	pthread_rwlock_wrlock(&graph->lock);
	if (event == OBJECT_DELETED || !claim)
		strmap_remove(graph->volumes, object_name(volume));
	else
		strmap_put(graph->volumes, object_name(volume),
			mem_printf("%s/%s", str_or_empty(claim->namespace), str_or_empty(claim->name)));
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

struct node_graph *node_graph_new(struct objects *objects)
{
	struct node_graph *graph = mem_zalloc(sizeof(*graph));
	pthread_rwlock_init(&graph->lock, NULL);
	graph->edges = strmap_new(free);
	graph->pods = strmap_new(pod_edges_free);
	graph->volumes = strmap_new(free);
	graph->attachments = strmap_new(free);
	graph->arena = arena_new();
	for (const struct policy_role *role = policy_roles; role->namespace; role++)
		if (!strcmp(role->name, "system:node"))
			rules_of_policy(graph->arena, role, &graph->rules);
	objects_subscribe_some(objects, &CoreV1Pod_schema, pod_matters, on_pod, graph);
	objects_subscribe(objects, &CoreV1PersistentVolume_schema, on_volume, graph);
	objects_subscribe(objects, &StorageV1VolumeAttachment_schema, on_attachment, graph);
	return graph;
}

void node_graph_free(struct node_graph *graph)
{
	if (!graph)
		return;
	strmap_free(graph->edges);
	strmap_free(graph->pods);
	strmap_free(graph->volumes);
	strmap_free(graph->attachments);
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

static enum authz_decision related(const struct question *q, const char *kind)
{
	if (str_empty(q->a->name))
		return refuse(q, "No Object name found");
	char *key = arena_printf(q->arena, "%s %s %s/%s", q->node, kind, str_or_empty(q->a->namespace), q->a->name);
	pthread_rwlock_rdlock(&q->graph->lock);
	bool found = strmap_has(q->graph->edges, key);
	if (!found && !strcmp(kind, "volume")) {
		const char *claim = strmap_get(q->graph->volumes, q->a->name);
		found = claim && strmap_has(q->graph->edges, arena_printf(q->arena, "%s claim %s", q->node, claim));
	}
	if (!found && !strcmp(kind, "attachment"))
		found = str_eq(strmap_get(q->graph->attachments, q->a->name), q->node);
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

/* Whether the field selector pins a field to this node. */
static bool selects_node(const struct question *q, const char *field)
{
	char **parts;
	size_t n = str_split(q->arena, str_or_empty(q->a->field_selector), ',', &parts);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(field);
		const char *value = parts[i] + len;
		if (!strncmp(parts[i], field, len) && *value == '=' &&
			!strcmp(value + (value[1] == '=' ? 2 : 1), q->node))
			return true;
	}
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
	if (!*name && selects_node(q, "metadata.name"))
		return AUTHZ_ALLOW;
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

static enum authz_decision on_others(const struct question *q)
{
	for (size_t i = 0; i < q->graph->rules.n_items; i++)
		if (rule_allows(q->graph->rules.items[i], q->a))
			return AUTHZ_ALLOW;
	return refuse(q, "");
}

enum authz_decision node_authorize(
	struct node_graph *graph, struct arena *arena, const struct authz_attributes *a, const char **ret_reason)
{
	const struct question q = {graph, arena, a, user_node_name(a->user), ret_reason};
	if (!q.node)
		return AUTHZ_NO_OPINION;
	if (!a->resource_request)
		return on_others(&q);
	if (str_empty(a->group)) {
		if (str_eq(a->resource, "secrets"))
			return read_namespaced(&q, "secret");
		if (str_eq(a->resource, "configmaps"))
			return read_namespaced(&q, "configmap");
		if (str_eq(a->resource, "persistentvolumeclaims"))
			return on_claims(&q);
		if (str_eq(a->resource, "persistentvolumes"))
			return get_only(&q, "volume");
		if (str_eq(a->resource, "serviceaccounts"))
			return on_accounts(&q);
		if (str_eq(a->resource, "nodes"))
			return on_nodes(&q);
		if (str_eq(a->resource, "pods"))
			return on_pods(&q);
	}
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "volumeattachments"))
		return get_only(&q, "attachment");
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "csinodes"))
		return on_csi_nodes(&q);
	if (str_eq(a->group, "coordination.k8s.io") && str_eq(a->resource, "leases"))
		return on_leases(&q);
	return on_others(&q);
}
