#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* Who makes an object go with another must be allowed to delete it; who makes an owner wait for it, to write the
 * owner's finalizers. */

static bool may(const struct admission_context *context, const struct admission_attributes *a,
	struct authz_attributes asked, const char **ret_reason)
{
	asked.user = a->user;
	asked.resource_request = true;
	return authz_authorize(context->authz, a->arena, &asked, ret_reason) == AUTHZ_ALLOW;
}

static bool owners_change(const MetaV1ObjectMeta *now, const MetaV1ObjectMeta *before)
{
	const size_t n = before ? before->n_owner_references : 0;
	bool change = now->n_owner_references != n;
	for (size_t i = 0; !change && i < n; i++)
		change = !api_equal(now->owner_references[i], before->owner_references[i]);
	return change;
}

static bool blocks(const MetaV1OwnerReference *owner)
{
	return owner->has_block_owner_deletion && owner->block_owner_deletion;
}

/* Whether it did not wait for the object before. The last of several references to one owner counts. */
static bool is_new_block(const MetaV1OwnerReference *owner, const MetaV1ObjectMeta *before)
{
	bool blocked = false;
	for (size_t i = 0; before && i < before->n_owner_references; i++)
		if (str_eq(before->owner_references[i]->uid, owner->uid))
			blocked = blocks(before->owner_references[i]);
	return blocks(owner) && !blocked;
}

static struct status *check_block(const struct admission_context *context, const struct admission_attributes *a,
	const MetaV1OwnerReference *owner)
{
	const char *slash = strchr(owner->api_version, '/'), *reason;
	const char *group =
		slash ? arena_strndup(a->arena, owner->api_version, (size_t)(slash - owner->api_version)) : "";
	const struct schema_resource *found = NULL;
	SCHEMA_FOREACH_RESOURCE(r)
	if (str_eq(r->type->group, group) && str_eq(r->type->version, slash ? slash + 1 : owner->api_version) &&
		str_eq(r->type->kind, owner->kind))
		found = r;
	if (!found)
		return admission_forbidden(a,
			"cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion %s "
			"Kind %s: "
			"no matches for kind \"%s\" in version \"%s\"",
			owner->api_version, owner->kind, owner->kind, owner->api_version);
	const struct authz_attributes asked = {.verb = "update",
		.group = group,
		.version = found->type->version,
		.resource = found->plural,
		.subresource = "finalizers",
		.namespace = found->namespaced ? a->namespace : "",
		.name = owner->name};
	if (may(context, a, asked, &reason))
		return NULL;
	return admission_forbidden(a,
		"cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: "
		"%s, "
		"<nil>",
		reason);
}

static struct status *check_blocks(const struct admission_context *context, const struct admission_attributes *a,
	const MetaV1ObjectMeta *now, const MetaV1ObjectMeta *before)
{
	const struct authz_attributes anything = {.verb = "update",
		.group = "*",
		.version = "*",
		.resource = "*",
		.subresource = "finalizers",
		.name = "*"};
	const char *reason;
	bool asked = false;
	for (size_t i = 0; i < now->n_owner_references; i++) {
		if (!is_new_block(now->owner_references[i], before))
			continue;
		if (!asked && may(context, a, anything, &reason))
			return NULL;
		asked = true;
		TRY(check_block(context, a, now->owner_references[i]));
	}
	return NULL;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const MetaV1ObjectMeta *now = a->object ? object_meta(a->object) : NULL,
			       *before = a->old ? object_meta(a->old) : NULL;
	const char *reason;
	/* A kubelet's word on a pod keeps the owners as they are. */
	if (!now || admission_is(a, "", "pods", "status") || !owners_change(now, before))
		return NULL;
	const struct authz_attributes deletion = {.verb = "delete",
		.group = a->group,
		.version = a->version,
		.resource = a->resource,
		.subresource = a->subresource,
		.namespace = a->namespace,
		.name = a->name};
	/* Who makes it could have left it. */
	if (a->operation != ADMISSION_CREATE && !may(context, a, deletion, &reason))
		return admission_forbidden(
			a, "cannot set an ownerRef on a resource you can't delete: %s, <nil>", reason);
	return check_blocks(context, a, now, before);
}

const struct admission_plugin owner_references_plugin = {
	.name = "OwnerReferencesPermissionEnforcement",
	.validate = validate,
};
