#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/authz/podrefs.h"
#include "api/copy.h"
#include "base/str.h"

#define MIRROR "kubernetes.io/config.mirror"

/* A node may write its own Node, Lease and CSINode, and the pods that are bound to it; nothing of other nodes. */

static bool on_node(const ProtobufCMessage *pod, const char *node)
{
	return API_IS(pod, CoreV1Pod) && ((const CoreV1Pod *)pod)->spec &&
	       str_eq(((const CoreV1Pod *)pod)->spec->node_name, node);
}

static void note_ref(void *data, enum pod_ref kind, const char *name)
{
	static const char *const words[] = {[POD_REF_SECRET] = "secrets",
		[POD_REF_CONFIG_MAP] = "configmaps",
		[POD_REF_CLAIM] = "persistentvolumeclaims",
		[POD_REF_SERVICE_ACCOUNT] = "serviceaccounts"};
	const char **found = data;
	if (!*found)
		*found = words[kind];
}

static struct status *check_owner(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	const MetaV1ObjectMeta *meta = object_meta(a->object);
	if (meta->n_owner_references > 1)
		return admission_forbidden(
			a, "node \"%s\" can only create pods with a single owner reference set to itself", node);
	const MetaV1OwnerReference *owner = meta->n_owner_references ? meta->owner_references[0] : NULL;
	if (!owner || !str_eq(owner->api_version, "v1") || !str_eq(owner->kind, "Node") || !str_eq(owner->name, node))
		return admission_forbidden(
			a, "node \"%s\" can only create pods with an owner reference set to itself", node);
	if (!owner->has_controller || !owner->controller)
		return admission_forbidden(
			a, "node \"%s\" can only create pods with a controller owner reference set to itself", node);
	if (owner->has_block_owner_deletion && owner->block_owner_deletion)
		return admission_forbidden(
			a, "node \"%s\" must not set blockOwnerDeletion on an owner reference", node);
	const ProtobufCMessage *object;
	struct status *s = objects_get(context->objects, a->arena, &CoreV1Node_schema, "", node, &object);
	if (s) {
		status_drop(s, "asked again at the source");
		TRY(objects_get_live(context->objects, a->arena, &CoreV1Node_schema, "", node, &object));
	}
	if (!str_eq(owner->uid, object_uid(object)))
		return admission_forbidden(
			a, "node %s UID mismatch: expected %s got %s", node, owner->uid, object_uid(object));
	return NULL;
}

static struct status *on_pod_create(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	if (!meta_annotation(object_meta(a->object), MIRROR))
		return admission_forbidden(a,
			"pod does not have \"" MIRROR "\" annotation, node \"%s\" can only create mirror pods", node);
	if (!on_node(a->object, node))
		return admission_forbidden(
			a, "node \"%s\" can only create pods with spec.nodeName set to itself", node);
	TRY(check_owner(context, a, node));
	const char *found = NULL;
	pod_refs_visit((const CoreV1Pod *)a->object, note_ref, &found);
	return found ? admission_forbidden(a, "node \"%s\" can not create pods that reference %s", node, found) : NULL;
}

/* The pod as stored, when the write does not carry it. */
static struct status *own_pod(const struct admission_context *context, const struct admission_attributes *a,
	const char *namespace, const char *name, const CoreV1Pod **ret)
{
	const ProtobufCMessage *object = a->old;
	*ret = NULL;
	if (!API_IS(object, CoreV1Pod)) {
		struct status *s = objects_get(context->objects, a->arena, &CoreV1Pod_schema, namespace, name, &object);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "what is not there can be deleted by nobody");
			return NULL;
		}
		if (s)
			return admission_forbidden(a, "%s", (status_drop(s, "wrapped"), "the pod could not be read"));
	}
	*ret = (const CoreV1Pod *)object;
	return NULL;
}

static struct status *on_pods(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	const CoreV1Pod *pod;
	if (a->operation == ADMISSION_CREATE)
		return on_pod_create(context, a, node);
	if (a->operation != ADMISSION_DELETE)
		return admission_forbidden(
			a, "unexpected operation \"UPDATE\", node \"%s\" can only create and delete mirror pods", node);
	TRY(own_pod(context, a, a->namespace, a->name, &pod));
	if (pod && !on_node(&pod->base, node))
		return admission_forbidden(
			a, "node \"%s\" can only delete pods with spec.nodeName set to itself", node);
	return NULL;
}

static struct status *on_pod_status(const struct admission_attributes *a, const char *node)
{
	if (!on_node(a->old, node))
		return admission_forbidden(
			a, "node \"%s\" can only update pod status for pods with spec.nodeName set to itself", node);
	const MetaV1ObjectMeta *now = object_meta(a->object), *before = object_meta(a->old);
	if (now && before && !map_equal(now->labels, now->n_labels, before->labels, before->n_labels))
		return admission_forbidden(a, "node \"%s\" cannot update labels through pod status", node);
	return NULL;
}

static struct status *on_eviction(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	const CoreV1Pod *pod;
	TRY(own_pod(context, a, a->namespace, str_or(a->name, object_name(a->object)), &pod));
	if (pod && !on_node(&pod->base, node))
		return admission_forbidden(a, "node %s can only evict pods with spec.nodeName set to itself", node);
	return NULL;
}

/* Labels in the domains of Kubernetes that a kubelet may set on its node. */
static bool kubelet_may_set(const char *key)
{
	static const char *const allowed[] = {"kubernetes.io/hostname", "topology.kubernetes.io/zone",
		"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
		"failure-domain.beta.kubernetes.io/region", "node.kubernetes.io/instance-type",
		"beta.kubernetes.io/instance-type", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
		"beta.kubernetes.io/arch", "node.kubernetes.io/exclude-from-external-load-balancers", NULL};
	static const char *const open[] = {"kubelet.kubernetes.io", "node.kubernetes.io", NULL};
	const char *slash = strchr(key, '/');
	if (!slash)
		return true;
	CLEANUP(arena_freep) struct arena *scratch = arena_new_sized(256);
	char *domain = arena_strndup(scratch, key, (size_t)(slash - key));
	bool restricted = str_eq(domain, "node-restriction.kubernetes.io") ||
			  str_ends_with(domain, ".node-restriction.kubernetes.io");
	bool ours = str_eq(domain, "kubernetes.io") || str_ends_with(domain, ".kubernetes.io") ||
		    str_eq(domain, "k8s.io") || str_ends_with(domain, ".k8s.io");
	if (restricted)
		return false;
	if (!ours || str_in(key, allowed))
		return true;
	for (size_t i = 0; open[i]; i++)
		if (str_eq(domain, open[i]) ||
			(str_ends_with(domain, open[i]) && domain[strlen(domain) - strlen(open[i]) - 1] == '.'))
			return true;
	return false;
}

/* Every label that is new, other or gone, and not the kubelet's to change; NULL when there is none. */
static char *forbidden_labels(struct arena *arena, const MetaV1ObjectMeta *now, const MetaV1ObjectMeta *before)
{
	static const struct map_index none;
	const struct map_index is = now ? map_index_of(arena, now->labels, now->n_labels) : none;
	const struct map_index was = before ? map_index_of(arena, before->labels, before->n_labels) : none;
	char **found = NULL;
	size_t n = 0;
	for (size_t i = 0; now && i < now->n_labels; i++) {
		const char *key = now->labels[i]->key, *old = map_index_get(&was, key);
		if ((!old || !str_eq(old, now->labels[i]->value)) && !kubelet_may_set(key))
			ARENA_PUSH(arena, found, n) = arena_strdup(arena, key);
	}
	for (size_t i = 0; before && i < before->n_labels; i++)
		if (!map_index_get(&is, before->labels[i]->key) && !kubelet_may_set(before->labels[i]->key))
			ARENA_PUSH(arena, found, n) = arena_strdup(arena, before->labels[i]->key);
	if (n)
		qsort(found, n, sizeof(*found), str_cmp_qsort);
	return n ? str_join(arena, found, n, ", ") : NULL;
}

static bool same_taints(const CoreV1NodeSpec *a, const CoreV1NodeSpec *b)
{
	size_t n_a = a ? a->n_taints : 0, n_b = b ? b->n_taints : 0;
	bool same = n_a == n_b;
	for (size_t i = 0; same && i < n_a; i++)
		same = api_equal(a->taints[i], b->taints[i]);
	return same;
}

static struct status *on_nodes(const struct admission_attributes *a, const char *node)
{
	const char *name = a->operation == ADMISSION_CREATE && a->object ? object_name(a->object) : a->name;
	if (!str_eq(name, node))
		return admission_forbidden(
			a, "node \"%s\" is not allowed to modify node \"%s\"", node, str_or_empty(name));
	if (!API_IS(a->object, CoreV1Node))
		return NULL;
	const CoreV1Node *now = (const CoreV1Node *)a->object;
	const CoreV1Node *before = API_IS(a->old, CoreV1Node) ? (const CoreV1Node *)a->old : NULL;
	if (a->operation == ADMISSION_CREATE) {
		char *labels = forbidden_labels(a->arena, now->metadata, NULL);
		return labels ? admission_forbidden(
					a, "node \"%s\" is not allowed to set the following labels: %s", node, labels)
			      : NULL;
	}
	if (!before)
		return NULL;
	if (!str_eq(a->subresource, "status") && !same_taints(now->spec, before->spec))
		return admission_forbidden(a, "node \"%s\" is not allowed to modify taints", node);
	char *labels = forbidden_labels(a->arena, now->metadata, before->metadata);
	return labels ? admission_forbidden(a, "is not allowed to modify labels: %s", labels) : NULL;
}

static struct status *on_token(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	if (!API_IS(a->object, AuthenticationV1TokenRequest))
		return NULL;
	const AuthenticationV1TokenRequestSpec *spec = ((const AuthenticationV1TokenRequest *)a->object)->spec;
	const AuthenticationV1BoundObjectReference *ref = spec ? spec->bound_object_ref : NULL;
	if (!ref || !str_eq(ref->api_version, "v1") || !str_eq(ref->kind, "Pod") || str_empty(ref->name))
		return admission_forbidden(a, "node requested token not bound to a pod");
	if (str_empty(ref->uid))
		return admission_forbidden(a, "node requested token with a pod binding without a uid");
	const ProtobufCMessage *pod;
	struct status *s = objects_get(context->objects, a->arena, &CoreV1Pod_schema, a->namespace, ref->name, &pod);
	if (s)
		return s;
	if (!str_eq(ref->uid, object_uid(pod)))
		return admission_forbidden(a,
			"the UID in the bound object reference (%s) does not match the UID in record. The object might "
			"have been deleted "
			"and then recreated",
			ref->uid);
	if (!on_node(pod, node))
		return admission_forbidden(a, "node requested token bound to a pod scheduled on a different node");
	return NULL;
}

static struct status *on_lease(const struct admission_attributes *a, const char *node)
{
	if (!str_eq(a->namespace, "kube-node-lease"))
		return admission_forbidden(a, "can only access leases in the \"kube-node-lease\" system namespace");
	const char *name = a->operation == ADMISSION_CREATE && a->object ? object_name(a->object) : a->name;
	return str_eq(name, node)
		       ? NULL
		       : admission_forbidden(a, "can only access node lease with the same name as the requesting node");
}

static struct status *on_csi_node(const struct admission_attributes *a, const char *node)
{
	const char *name = a->operation == ADMISSION_CREATE && a->object ? object_name(a->object) : a->name;
	return str_eq(name, node)
		       ? NULL
		       : admission_forbidden(a, "can only access CSINode with the same name as the requesting node");
}

static struct status *admit(const struct admission_context *context, const struct admission_attributes *a)
{
	const char *node = user_node_name(a->user);
	if (!node) {
		bool nameless = user_in_group(a->user, GROUP_NODES) && str_eq(a->user->name, NODE_USER_PREFIX);
		return nameless ? admission_forbidden(a, "could not determine node from user \"%s\"", a->user->name)
				: NULL;
	}
	if (admission_is(a, "", "pods", ""))
		return on_pods(context, a, node);
	if (admission_is(a, "", "pods", "status"))
		return on_pod_status(a, node);
	if (admission_is(a, "", "pods", "eviction"))
		return on_eviction(context, a, node);
	if (str_empty(a->group) && str_eq(a->resource, "nodes"))
		return on_nodes(a, node);
	if (admission_is(a, "", "serviceaccounts", "token"))
		return on_token(context, a, node);
	if (str_eq(a->group, "coordination.k8s.io") && str_eq(a->resource, "leases"))
		return on_lease(a, node);
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "csinodes"))
		return on_csi_node(a, node);
	return NULL;
}

const struct admission_plugin node_restriction_plugin = {
	.name = "NodeRestriction",
	.mutate = admit,
	.handles_delete = true,
};
