#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/authz/podrefs.h"
#include "apiserver/validation/field.h"
#include "apiserver/validation/struct_diff.h"
#include "base/str.h"
#include "pki/pki.h"

#define MIRROR "kubernetes.io/config.mirror"

/* The driver that serves a volume of a kind of before there were drivers. */
#define DRIVER_OF_TREE(s)                                               \
	((s)->aws_elastic_block_store	   ? "ebs.csi.aws.com"          \
		: (s)->gce_persistent_disk ? "pd.csi.storage.gke.io"    \
		: (s)->cinder		   ? "cinder.csi.openstack.org" \
		: (s)->azure_disk	   ? "disk.csi.azure.com"       \
		: (s)->azure_file	   ? "file.csi.azure.com"       \
		: (s)->vsphere_volume	   ? "csi.vsphere.vmware.com"   \
		: (s)->portworx_volume	   ? "pxd.portworx.com"         \
					   : "")

/* A node may write its own Node, Lease and CSINode, and the pods that are bound to it; nothing of other nodes. */

static bool on_node(const ProtobufCMessage *pod, const char *node)
{
	return API_IS(pod, CoreV1Pod) && ((const CoreV1Pod *)pod)->spec &&
	       str_eq(((const CoreV1Pod *)pod)->spec->node_name, node);
}

/* What the original's caches say of what they do not have. */
static struct status *not_cached(const char *group, const char *kind, const char *name)
{
	return status_details(
		status_new(STATUS_NOT_FOUND, "%s%s%s \"%s\" not found", kind, *group ? "." : "", group, name), group,
		kind, name);
}

/* An object out of the cache; one that is not there is told of as above, other trouble refuses. */
static struct status *find_cached(const struct admission_context *context, const struct admission_attributes *a,
	const struct schema_type *type, const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	struct status *s = str_empty(name) ? status_new(STATUS_NOT_FOUND, "nameless")
					   : objects_get(context->objects, a->arena, type, namespace, name, ret_object);
	if (!s)
		return NULL;
	const bool gone = status_is(s, STATUS_NOT_FOUND);
	const char *why = arena_strdup(a->arena, s->message);
	status_drop(s, "told in other words");
	return gone ? not_cached(type->group, str_lower(a->arena, type->kind), name)
		    : admission_forbidden(a, "%s", why);
}

static bool same_all(const void *a, size_t n_a, const void *b, size_t n_b)
{
	bool same = n_a == n_b;
	for (size_t i = 0; same && i < n_a; i++)
		same = api_equal(((void *const *)a)[i], ((void *const *)b)[i]);
	return same;
}

/* --- pods --- */

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
	struct status *s = find_cached(context, a, &CoreV1Node_schema, "", node, &object);
	if (s) {
		struct status *gone =
			objects_get_live(context->objects, a->arena, &CoreV1Node_schema, "", node, &object);
		status_drop(gone ? gone : s, "the source and the cache say the same, or the source knows better");
		if (gone)
			return s;
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
	const char *unknown, *found = pod_refs_first(a->arena, (const CoreV1Pod *)a->object, &unknown);
	if (unknown)
		return admission_forbidden(a, "error checking mirror pod for API references: %s", unknown);
	return found ? admission_forbidden(a, "node \"%s\" can not create pods that reference %s", node, found) : NULL;
}

static const char *operation_name(const struct admission_attributes *a)
{
	return a->operation == ADMISSION_CREATE ? "CREATE" : a->operation == ADMISSION_UPDATE ? "UPDATE" : "DELETE";
}

static struct status *on_pod(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	const ProtobufCMessage *pod = a->old;
	if (a->operation == ADMISSION_CREATE)
		return on_pod_create(context, a, node);
	if (a->operation != ADMISSION_DELETE)
		return admission_forbidden(a,
			"unexpected operation \"%s\", node \"%s\" can only create and delete mirror pods",
			operation_name(a), node);
	/* Pods that are deleted as a collection are not found: they stay. */
	if (str_empty(a->name) || !pod)
		TRY(find_cached(context, a, &CoreV1Pod_schema, a->namespace, a->name, &pod));
	return on_node(pod, node) ? NULL
				  : admission_forbidden(a,
					    "node \"%s\" can only delete pods with spec.nodeName set to itself", node);
}

/* Which claims were made for a pod is not the node's to say. */
static bool same_claims(const CoreV1PodStatus *a, const CoreV1PodStatus *b)
{
	static const CoreV1PodStatus none;
	a = a ? a : &none;
	b = b ? b : &none;
	bool same = a->n_resource_claim_statuses == b->n_resource_claim_statuses;
	for (size_t i = 0; same && i < a->n_resource_claim_statuses; i++) {
		const CoreV1PodResourceClaimStatus *x = a->resource_claim_statuses[i],
						   *y = b->resource_claim_statuses[i];
		same = str_eq(x->name, y->name) && !x->resource_claim_name == !y->resource_claim_name &&
		       (!x->resource_claim_name || str_eq(x->resource_claim_name, y->resource_claim_name));
	}
	return same;
}

static bool same_extended_claim(const CoreV1PodStatus *a, const CoreV1PodStatus *b)
{
	const CoreV1PodExtendedResourceClaimStatus *x = a ? a->extended_resource_claim_status : NULL,
						   *y = b ? b->extended_resource_claim_status : NULL;
	return !x == !y && (!x || api_equal(x, y));
}

static struct status *on_pod_status(const struct admission_attributes *a, const char *node)
{
	if (a->operation != ADMISSION_UPDATE)
		return admission_forbidden(a, "unexpected operation \"%s\"", operation_name(a));
	if (!on_node(a->old, node))
		return admission_forbidden(
			a, "node \"%s\" can only update pod status for pods with spec.nodeName set to itself", node);
	const CoreV1Pod *now = (const CoreV1Pod *)a->object, *before = (const CoreV1Pod *)a->old;
	if (!map_equal(now->metadata->labels, now->metadata->n_labels, before->metadata->labels,
		    before->metadata->n_labels))
		return admission_forbidden(a, "node \"%s\" cannot update labels through pod status", node);
	if (!same_claims(before->status, now->status))
		return admission_forbidden(a, "node \"%s\" cannot update resource claim statues", node);
	if (!same_extended_claim(before->status, now->status))
		return admission_forbidden(a, "node \"%s\" cannot update extended resource claim status", node);
	return NULL;
}

static struct status *on_eviction(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	const ProtobufCMessage *pod;
	if (a->operation != ADMISSION_CREATE)
		return admission_forbidden(a, "unexpected operation %s", operation_name(a));
	TRY(find_cached(context, a, &CoreV1Pod_schema, a->namespace, a->name, &pod));
	return on_node(pod, node)
		       ? NULL
		       : admission_forbidden(a, "node %s can only evict pods with spec.nodeName set to itself", node);
}

static struct status *on_pods(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	if (str_empty(a->subresource))
		return on_pod(context, a, node);
	if (str_eq(a->subresource, "status"))
		return on_pod_status(a, node);
	if (str_eq(a->subresource, "eviction"))
		return on_eviction(context, a, node);
	return admission_forbidden(
		a, "unexpected pod subresource \"%s\", only 'status' and 'eviction' are allowed", a->subresource);
}

/* --- nodes --- */

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

static struct status *on_node_create(const struct admission_attributes *a, const CoreV1Node *now, const char *node)
{
	/* It may see what its spec names. */
	if (now->spec && now->spec->config_source)
		return admission_forbidden(
			a, "node \"%s\" is not allowed to create pods with a non-nil configSource", node);
	char *labels = forbidden_labels(a->arena, now->metadata, NULL);
	return labels ? admission_forbidden(
				a, "node \"%s\" is not allowed to set the following labels: %s", node, labels)
		      : NULL;
}

static struct status *on_node_update(
	const struct admission_attributes *a, const CoreV1Node *now, const CoreV1Node *before, const char *node)
{
	static const CoreV1NodeSpec none;
	const CoreV1NodeSpec *spec = now->spec ? now->spec : &none, *old = before->spec ? before->spec : &none;
	const MetaV1ObjectMeta *meta = now->metadata, *old_meta = before->metadata;
	if (spec->config_source && !(old->config_source && api_equal(spec->config_source, old->config_source)))
		return admission_forbidden(
			a, "node \"%s\" is not allowed to update configSource to a new non-nil configSource", node);
	if (!same_all(spec->taints, spec->n_taints, old->taints, old->n_taints))
		return admission_forbidden(a, "node \"%s\" is not allowed to modify taints", node);
	if (!same_all(meta->owner_references, meta->n_owner_references, old_meta->owner_references,
		    old_meta->n_owner_references))
		return admission_forbidden(a, "node \"%s\" is not allowed to modify ownerReferences", node);
	char *labels = forbidden_labels(a->arena, meta, old_meta);
	return labels ? admission_forbidden(a, "is not allowed to modify labels: %s", labels) : NULL;
}

static struct status *on_nodes(const struct admission_attributes *a, const char *node)
{
	if (!str_eq(a->name, node))
		return admission_forbidden(a, "node \"%s\" is not allowed to modify node \"%s\"", node, a->name);
	const CoreV1Node *now = API_IS(a->object, CoreV1Node) ? (const CoreV1Node *)a->object : NULL;
	if (now && a->operation == ADMISSION_CREATE)
		return on_node_create(a, now, node);
	return now && a->operation == ADMISSION_UPDATE ? on_node_update(a, now, (const CoreV1Node *)a->old, node)
						       : NULL;
}

/* --- claims, tokens, slices, certificates --- */

/* A claim without what a node may tell of it. */
static CoreV1PersistentVolumeClaim *without_nodes_part(struct arena *arena, const ProtobufCMessage *object)
{
	CoreV1PersistentVolumeClaim *claim = api_copy_msg(arena, object);
	CoreV1PersistentVolumeClaimStatus *status = claim->status;
	claim->metadata->resource_version = (char *)(uintptr_t)schema_empty_string;
	claim->metadata->n_managed_fields = 0;
	if (status)
		status->n_capacity = status->n_conditions = status->n_allocated_resources =
			status->n_allocated_resource_statuses = 0;
	return claim;
}

static struct status *on_claims(const struct admission_attributes *a, const char *node)
{
	if (!str_eq(a->subresource, "status"))
		return admission_forbidden(a, "may only update PVC status");
	if (a->operation != ADMISSION_UPDATE)
		return admission_forbidden(a, "unexpected operation \"%s\"", operation_name(a));
	const CoreV1PersistentVolumeClaim *before = without_nodes_part(a->arena, a->old),
					  *now = without_nodes_part(a->arena, a->object);
	if (api_equal(before, now))
		return NULL;
	return admission_forbidden(a,
		"node \"%s\" is not allowed to update fields other than status.quantity and status.conditions: %s",
		node, struct_diff(a->arena, before, now));
}

/* The driver of a claim's volume; *ret_driver "" when there is none. */
static struct status *driver_of_claim(const struct admission_context *context, const struct admission_attributes *a,
	const char *name, const char **ret_driver)
{
	const ProtobufCMessage *claim, *volume;
	TRY(find_cached(context, a, &CoreV1PersistentVolumeClaim_schema, a->namespace, name, &claim));
	const CoreV1PersistentVolumeClaimSpec *spec = ((const CoreV1PersistentVolumeClaim *)claim)->spec;
	TRY(find_cached(
		context, a, &CoreV1PersistentVolume_schema, "", spec ? str_or_empty(spec->volume_name) : "", &volume));
	const CoreV1PersistentVolumeSpec *found = ((const CoreV1PersistentVolume *)volume)->spec;
	const CoreV1PersistentVolumeSource *s = found ? found->persistent_volume_source : NULL;
	*ret_driver = !s ? "" : s->csi ? str_or_empty(s->csi->driver) : DRIVER_OF_TREE(s);
	return NULL;
}

static struct status *driver_of_volume(const struct admission_context *context, const struct admission_attributes *a,
	const char *pod, const CoreV1Volume *volume, const char **ret_driver)
{
	const CoreV1VolumeSource *s = volume->volume_source;
	*ret_driver = "";
	if (!s)
		return NULL;
	if (s->ephemeral && s->ephemeral->volume_claim_template)
		return driver_of_claim(context, a, arena_printf(a->arena, "%s-%s", pod, volume->name), ret_driver);
	if (s->persistent_volume_claim)
		return driver_of_claim(context, a, s->persistent_volume_claim->claim_name, ret_driver);
	*ret_driver = s->csi ? str_or_empty(s->csi->driver) : DRIVER_OF_TREE(s);
	return NULL;
}

static struct status *driver_serves(const struct admission_context *context, const struct admission_attributes *a,
	const char *name, const char *audience, bool *ret_serves)
{
	const ProtobufCMessage *object;
	TRY(find_cached(context, a, &StorageV1CSIDriver_schema, "", name, &object));
	const StorageV1CSIDriverSpec *spec = ((const StorageV1CSIDriver *)object)->spec;
	for (size_t i = 0; spec && i < spec->n_token_requests; i++)
		*ret_serves |= str_eq(spec->token_requests[i]->audience, audience);
	return NULL;
}

static bool projects_token_for(const CoreV1Volume *volume, const char *audience)
{
	const CoreV1ProjectedVolumeSource *projected = volume->volume_source ? volume->volume_source->projected : NULL;
	for (size_t i = 0; projected && i < projected->n_sources; i++) {
		const CoreV1ServiceAccountTokenProjection *token = projected->sources[i]->service_account_token;
		if (token && str_eq(str_or_empty(token->audience), audience))
			return true;
	}
	return false;
}

/* Whether a volume of the pod needs a token for the audience: one that holds it, or one whose driver asks for it. What
 * could not be found out is an error only if no other volume does. */
static struct status *pod_names_audience(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1Pod *pod, const char *audience, bool *ret_names)
{
	char **problems = NULL;
	size_t n = 0;
	for (size_t i = 0; pod->spec && i < pod->spec->n_volumes && !*ret_names; i++) {
		const CoreV1Volume *volume = pod->spec->volumes[i];
		const char *driver;
		*ret_names = projects_token_for(volume, audience);
		struct status *s = *ret_names ? NULL : driver_of_volume(context, a, object_name(pod), volume, &driver);
		if (!s && !*ret_names && *driver)
			s = driver_serves(context, a, driver, audience, ret_names);
		if (s && !str_in_n(s->message, problems, n))
			ARENA_PUSH(a->arena, problems, n) = arena_strdup(a->arena, s->message);
		status_drop(s, "told with the others");
	}
	if (*ret_names || !n)
		return NULL;
	const char *all = str_join(a->arena, problems, n, ", ");
	return admission_forbidden(a, "error validating audience %s: %s", field_quote(a->arena, audience),
		n > 1 ? arena_printf(a->arena, "[%s]", all) : all);
}

static struct status *check_audience(const struct admission_context *context, const struct admission_attributes *a,
	const AuthenticationV1TokenRequestSpec *spec, const CoreV1Pod *pod)
{
	if (spec->n_audiences > 1)
		return admission_forbidden(a, "node may only request 0 or 1 audiences");
	const char *audience = spec->n_audiences ? spec->audiences[0] : "", *reason;
	bool named = false;
	TRY(pod_names_audience(context, a, pod, audience, &named));
	const struct authz_attributes leave = {.user = a->user,
		.verb = "request-serviceaccounts-token-audience",
		.resource_request = true,
		.group = "",
		.version = "v1",
		.resource = audience,
		.namespace = a->namespace,
		.name = a->name};
	if (named || authz_authorize(context->authz, a->arena, &leave, &reason) == AUTHZ_ALLOW)
		return NULL;
	return admission_forbidden(a,
		"audience %s not found in pod spec volume, %s is not authorized to request tokens for this audience",
		field_quote(a->arena, audience), a->user->name);
}

static struct status *on_token(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	if (a->operation != ADMISSION_CREATE || !API_IS(a->object, AuthenticationV1TokenRequest))
		return NULL;
	const AuthenticationV1TokenRequestSpec *spec = ((const AuthenticationV1TokenRequest *)a->object)->spec;
	const AuthenticationV1BoundObjectReference *ref = spec ? spec->bound_object_ref : NULL;
	if (!ref || !str_eq(ref->api_version, "v1") || !str_eq(ref->kind, "Pod") || str_empty(ref->name))
		return admission_forbidden(a, "node requested token not bound to a pod");
	if (str_empty(ref->uid))
		return admission_forbidden(a, "node requested token with a pod binding without a uid");
	const ProtobufCMessage *pod;
	TRY(find_cached(context, a, &CoreV1Pod_schema, a->namespace, ref->name, &pod));
	if (!str_eq(ref->uid, object_uid(pod)))
		return admission_forbidden(a,
			"the UID in the bound object reference (%s) does not match the UID in record. The object might "
			"have been deleted "
			"and then recreated",
			ref->uid);
	if (!on_node(pod, node))
		return admission_forbidden(a, "node requested token bound to a pod scheduled on a different node");
	return check_audience(context, a, spec, (const CoreV1Pod *)pod);
}

static struct status *on_slice(const struct admission_attributes *a, const char *node)
{
	const ProtobufCMessage *object = a->operation == ADMISSION_DELETE ? a->old : a->object;
	if (a->operation == ADMISSION_UPDATE)
		return NULL;
	const ResourceV1ResourceSliceSpec *spec =
		API_IS(object, ResourceV1ResourceSlice) ? ((const ResourceV1ResourceSlice *)object)->spec : NULL;
	if (spec && str_eq(spec->node_name, node))
		return NULL;
	return admission_forbidden(a, "can only %s ResourceSlice with the same NodeName as the requesting node",
		a->operation == ADMISSION_CREATE ? "create" : "delete");
}

/* The name in a certificate that a kubelet would be known by. */
static struct status *on_certificate(const struct admission_attributes *a, const char *node)
{
	static const char *const signers[] = {
		"kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet", NULL};
	const CertificatesV1CertificateSigningRequestSpec *spec =
		API_IS(a->object, CertificatesV1CertificateSigningRequest)
			? ((const CertificatesV1CertificateSigningRequest *)a->object)->spec
			: NULL;
	if (a->operation != ADMISSION_CREATE || !spec || !str_in(str_or_empty(spec->signer_name), signers))
		return NULL;
	CLEANUP(pki_csr_freep) struct pki_csr *csr = NULL;
	CLEANUP_STATUS struct status *bad = pki_csr_parse((const char *)spec->request.data, spec->request.len, &csr);
	if (bad)
		return admission_forbidden(a, "unable to parse csr: %s", bad->message);
	struct pki_subject subject = {0};
	pki_csr_subject(a->arena, csr, &subject);
	if (str_eq(subject.common_name, arena_printf(a->arena, NODE_USER_PREFIX "%s", node)))
		return NULL;
	return admission_forbidden(a, "can only create a node CSR with CN=" NODE_USER_PREFIX "%s", node);
}

/* --- what bears the node's name --- */

static struct status *on_lease(const struct admission_attributes *a, const char *node)
{
	if (!str_eq(a->namespace, "kube-node-lease"))
		return admission_forbidden(a, "can only access leases in the \"kube-node-lease\" system namespace");
	return str_eq(a->name, node)
		       ? NULL
		       : admission_forbidden(a, "can only access node lease with the same name as the requesting node");
}

static struct status *on_csi_node(const struct admission_attributes *a, const char *node)
{
	return str_eq(a->name, node)
		       ? NULL
		       : admission_forbidden(a, "can only access CSINode with the same name as the requesting node");
}

static struct status *admit_core(
	const struct admission_context *context, const struct admission_attributes *a, const char *node)
{
	if (str_eq(a->resource, "pods"))
		return on_pods(context, a, node);
	if (str_eq(a->resource, "nodes"))
		return on_nodes(a, node);
	if (str_eq(a->resource, "persistentvolumeclaims"))
		return on_claims(a, node);
	return admission_is(a, "", "serviceaccounts", "token") ? on_token(context, a, node) : NULL;
}

static struct status *admit(const struct admission_context *context, const struct admission_attributes *a)
{
	const char *node = user_node_name(a->user);
	if (!node)
		return user_is_nameless_node(a->user)
			       ? admission_forbidden(a, "could not determine node from user \"%s\"", a->user->name)
			       : NULL;
	if (str_empty(a->group))
		return admit_core(context, a, node);
	if (str_eq(a->group, "coordination.k8s.io") && str_eq(a->resource, "leases"))
		return on_lease(a, node);
	if (str_eq(a->group, "storage.k8s.io") && str_eq(a->resource, "csinodes"))
		return on_csi_node(a, node);
	if (str_eq(a->group, "resource.k8s.io") && str_eq(a->resource, "resourceslices"))
		return on_slice(a, node);
	return str_eq(a->group, "certificates.k8s.io") && str_eq(a->resource, "certificatesigningrequests")
		       ? on_certificate(a, node)
		       : NULL;
}

const struct admission_plugin node_restriction_plugin = {
	.name = "NodeRestriction",
	.operations = ON_CREATE | ON_UPDATE | ON_DELETE,
	.mutate = admit,
};
