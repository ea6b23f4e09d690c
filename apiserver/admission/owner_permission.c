#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/map.h"
#include "base/str.h"

/*
 * An owner reference may have an object deleted with its owner, and may keep the owner from being deleted: who changes
 * one must be allowed to delete the object, and who holds an owner, to set the finalizers of that.
 */

static bool owners_changed(const MetaV1ObjectMeta *now, const MetaV1ObjectMeta *old)
{
	const size_t n_old = old ? old->n_owner_references : 0;
	if (now->n_owner_references != n_old)
		return true;
	for (size_t i = 0; i < n_old; i++)
		if (!api_equal(now->owner_references[i], old->owner_references[i]))
			return true;
	return false;
}

static bool holds_owner(const MetaV1OwnerReference *ref)
{
	return ref->has_block_owner_deletion && ref->block_owner_deletion;
}

static bool may(const struct admission_context *context, const struct admission_attributes *a,
	const struct authz_attributes *what, const char **ret_reason)
{
	*ret_reason = "";
	return authz_authorize(context->authz, a->arena, what, ret_reason) == AUTHZ_ALLOW;
}

static struct status *check_delete(const struct admission_context *context, const struct admission_attributes *a)
{
	const char *reason;
	const struct authz_attributes deletion = {.user = a->user,
		.verb = "delete",
		.resource_request = true,
		.group = a->group,
		.version = a->version,
		.resource = a->resource,
		.subresource = a->subresource,
		.namespace = a->namespace,
		.name = a->name,
		.path = "",
		.field_selector = ""};
	if (may(context, a, &deletion, &reason))
		return NULL;
	return admission_forbidden(a, "cannot set an ownerRef on a resource you can't delete: %s, <nil>", reason);
}

static struct authz_attributes finalizers_of(const struct admission_attributes *a, const char *group,
	const char *version, const char *resource, const char *namespace, const char *name)
{
	return (struct authz_attributes){.user = a->user,
		.verb = "update",
		.resource_request = true,
		.group = group,
		.version = version,
		.resource = resource,
		.subresource = "finalizers",
		.namespace = namespace,
		.name = name,
		.path = "",
		.field_selector = ""};
}

static struct status *check_owner(
	const struct admission_context *context, const struct admission_attributes *a, const MetaV1OwnerReference *ref)
{
	const char *reason;
	const struct schema_type *type = schema_find_api_version(ref->api_version, ref->kind);
	if (!type || !type->resource)
		return admission_forbidden(a,
			"cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion %s "
			"Kind %s: no matches for kind \"%s\" in version \"%s\"",
			ref->api_version, ref->kind, ref->kind, ref->api_version);
	const struct authz_attributes finalizers = finalizers_of(a, type->group, type->version, type->resource->plural,
		type->resource->namespaced ? a->namespace : "", ref->name);
	if (may(context, a, &finalizers, &reason))
		return NULL;
	return admission_forbidden(a,
		"cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: "
		"%s, <nil>",
		reason);
}

/* Those that hold their owner and did not before: by uid, of several the last. */
static void find_new_holds(struct arena *arena, const MetaV1ObjectMeta *now, const MetaV1ObjectMeta *old,
	const MetaV1OwnerReference ***ret_refs, size_t *ret_n)
{
	CLEANUP(strmap_freep) struct strmap *before = strmap_new(NULL);
	for (size_t i = 0; old && i < old->n_owner_references; i++)
		strmap_put(before, old->owner_references[i]->uid, old->owner_references[i]);
	*ret_refs = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < now->n_owner_references; i++) {
		const MetaV1OwnerReference *ref = now->owner_references[i], *was = strmap_get(before, ref->uid);
		if (holds_owner(ref) && !(was && holds_owner(was)))
			ARENA_PUSH(arena, *ret_refs, *ret_n) = ref;
	}
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const MetaV1ObjectMeta *now = a->object ? object_meta(a->object) : NULL;
	const MetaV1ObjectMeta *old = a->old ? object_meta(a->old) : NULL;
	const MetaV1OwnerReference **holds;
	const char *reason;
	size_t n;
	/* Old kubelets mangle the references of pods whose status they tell, and nothing comes of it. */
	if (admission_is(a, "", "pods", "status") || !now || !owners_changed(now, old))
		return NULL;
	/* Who makes something could have left it. */
	if (a->operation != ADMISSION_CREATE)
		TRY(check_delete(context, a));
	find_new_holds(a->arena, now, old, &holds, &n);
	const struct authz_attributes any = finalizers_of(a, "*", "*", "*", "", "*");
	if (!n || may(context, a, &any, &reason))
		return NULL;
	for (size_t i = 0; i < n; i++)
		TRY(check_owner(context, a, holds[i]));
	return NULL;
}

const struct admission_plugin owner_permission_plugin = {
	.name = "OwnerReferencesPermissionEnforcement",
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
};
