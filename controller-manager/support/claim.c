#include "controller-manager/support/claim.h"

#include "base/log.h"
#include "base/str.h"

static bool claim_matches(const struct claim *c, const void *msg)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg);
	bool matches = c->selector ? selector_takes(c->selector, meta->labels, meta->n_labels)
				   : map_contains(meta->labels, meta->n_labels, c->match_labels, c->n_match_labels);
	return matches && (!c->filter || c->filter(c->owner, msg));
}

static struct status *recheck_owner(struct claim *c, struct arena *arena)
{
	const MetaV1ObjectMeta *meta = object_metadata(c->owner);
	void *fresh;
	TRY(client_get(c->client, arena, schema_of(c->owner), meta->namespace, meta->name, &fresh));
	const MetaV1ObjectMeta *now = object_metadata(fresh);
	if (!str_eq(now->uid, meta->uid))
		return status_internal("original %s %s/%s is gone: got uid %s, wanted %s", object_kind(c->owner),
			meta->namespace, meta->name, now->uid, meta->uid);
	if (now->deletion_timestamp)
		return status_internal("%s/%s has just been deleted at %s", meta->namespace, meta->name,
			time_format(arena, now->deletion_timestamp->seconds));
	return NULL;
}

static struct status *can_adopt(struct claim *c, struct arena *arena)
{
	if (!c->checked) {
		c->checked = true;
		c->refused = recheck_owner(c, arena);
	}
	return c->refused ? status_copy(c->refused) : NULL;
}

void claim_done(struct claim *claim)
{
	status_free(claim->refused);
	claim->refused = NULL;
}

static struct status *patch_owner(struct claim *c, struct arena *arena, const void *msg, const char *patch)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg);
	return client_patch(c->client, arena, schema_of(msg), meta->namespace, meta->name, NULL, CLIENT_PATCH_STRATEGIC,
		patch, strlen(patch), NULL, NULL);
}

static struct status *adopt(struct claim *c, struct arena *arena, const void *msg)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg);
	struct status *s = can_adopt(c, arena);
	if (s)
		return status_wrap(
			s, "can't adopt %s %s/%s (%s)", object_kind(msg), meta->namespace, meta->name, meta->uid);
	/* Names and uids of objects need no escaping in JSON. */
	return patch_owner(c, arena, msg,
		arena_printf(arena,
			"{\"metadata\":{\"uid\":\"%s\",\"ownerReferences\":[{\"apiVersion\":\"%s\",\"kind\":\"%s\","
			"\"name\":\"%s\",\"uid\":\"%s\",\"controller\":true,\"blockOwnerDeletion\":true}]}}",
			meta->uid, object_api_version(c->owner), object_kind(c->owner), object_metadata(c->owner)->name,
			object_metadata(c->owner)->uid));
}

static struct status *release(struct claim *c, struct arena *arena, const void *msg)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg);
	log_v(2, "releasing %s %s/%s from %s %s", object_kind(msg), meta->namespace, meta->name, object_kind(c->owner),
		object_metadata(c->owner)->name);
	struct status *s = patch_owner(c, arena, msg,
		arena_printf(arena,
			"{\"metadata\":{\"uid\":\"%s\",\"ownerReferences\":[{\"$patch\":\"delete\",\"uid\":\"%s\"}]}}",
			meta->uid, object_metadata(c->owner)->uid));
	/* Invalid: another object under its name, or it has no owners any more. */
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_INVALID)) {
		status_drop(s, "nothing to release any more");
		return NULL;
	}
	return s;
}

struct status *claim_object(struct claim *c, struct arena *arena, const void *msg, bool *ret_ours)
{
	const MetaV1ObjectMeta *meta = object_metadata(msg), *owner = object_metadata(c->owner);
	const MetaV1OwnerReference *ref = controller_of(meta);
	*ret_ours = false;
	if (ref && !str_eq(ref->uid, owner->uid))
		return NULL;
	bool matches = claim_matches(c, msg);
	if (ref) {
		*ret_ours = matches;
		return matches || owner->deletion_timestamp ? NULL : release(c, arena, msg);
	}
	if (owner->deletion_timestamp || !matches || meta->deletion_timestamp)
		return NULL;
	if (!str_empty(owner->namespace) && !str_eq(owner->namespace, meta->namespace))
		return NULL;
	struct status *s = adopt(c, arena, msg);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone before it could be adopted");
		return NULL;
	}
	*ret_ours = !s;
	return s;
}

struct status *claim_all(struct claim *c, struct arena *arena, const void **msgs, size_t n, size_t *ret_n)
{
	struct status *first = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool ours = false;
		first = status_first(first, claim_object(c, arena, msgs[i], &ours));
		if (ours)
			msgs[kept++] = msgs[i];
	}
	*ret_n = kept;
	return first;
}
