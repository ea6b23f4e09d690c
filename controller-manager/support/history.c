#include "controller-manager/support/history.h"

#include "api/json.h"
#include "api/tree.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/support/claim.h"
#include "controller-manager/support/pods.h"

const char *revision_hash(const AppsV1ControllerRevision *revision)
{
	return str_or_empty(LABEL_GET(revision->metadata, REVISION_HASH_LABEL));
}

char *history_patch(struct arena *arena, const CoreV1PodTemplateSpec *template)
{
	cJSON *root = tree_new_object(arena), *spec = tree_new_object(arena);
	cJSON *tree = tree_from_typed(arena, template);
	tree_set_string(arena, tree, "$patch", "replace");
	tree_set(arena, spec, "template", tree);
	tree_set(arena, root, "spec", spec);
	/* Others compare the bytes: the original's controllers, and clients that look for the revision of a template.
	 */
	tree_sort(arena, root);
	return tree_to_string(arena, root, 0);
}

static CoreV1PodTemplateSpec *read_patch(struct arena *arena, const void *data, size_t size)
{
	cJSON *root, *tree;
	CoreV1PodTemplateSpec *template;
	struct status *s = tree_parse(arena, data, size, NULL, &root);
	if (s) {
		status_drop(s, "somebody else's revision");
		return NULL;
	}
	tree = tree_get_path(root, "spec", "template", NULL);
	if (!tree)
		return NULL;
	tree_remove(tree, "$patch");
	char *text = tree_to_string(arena, tree, 0);
	s = json_decode(arena, &CoreV1PodTemplateSpec_schema, text, strlen(text), &(struct json_options)JSON_LENIENT,
		&template);
	if (s) {
		status_drop(s, "somebody else's revision");
		return NULL;
	}
	object_complete(arena, template);
	return template;
}

CoreV1PodTemplateSpec *history_template(struct arena *arena, const AppsV1ControllerRevision *revision)
{
	return read_patch(arena, revision->data->raw.data, revision->data->raw.len);
}

/* Both sides went through JSON: what it does not tell apart counts as equal. */
static bool holds_template(struct history *h, const AppsV1ControllerRevision *revision)
{
	const CoreV1PodTemplateSpec *held = history_template(h->arena, revision);
	if (!h->normal) {
		char *patch = history_patch(h->arena, h->template);
		h->normal = read_patch(h->arena, patch, strlen(patch));
	}
	return held && h->normal && api_equal(held, h->normal);
}

static int by_revision(const void *x, const void *y)
{
	const AppsV1ControllerRevision *a = *(const AppsV1ControllerRevision *const *)x;
	const AppsV1ControllerRevision *b = *(const AppsV1ControllerRevision *const *)y;
	if (a->revision != b->revision)
		return a->revision < b->revision ? -1 : 1;
	int order = time_compare(a->metadata->creation_timestamp, b->metadata->creation_timestamp);
	return order ? order : str_cmp(a->metadata->name, b->metadata->name);
}

static struct status *create_revision(struct history *h, int64_t number)
{
	struct arena *arena = h->arena;
	const MetaV1ObjectMeta *owner = object_metadata(h->owner), *template = h->template->metadata;
	char *hash = template_hash(arena, h->template, h->has_collision_count ? &h->collision_count : NULL);
	AppsV1ControllerRevision *r = API_NEW(arena, AppsV1ControllerRevision), *answer;
	object_complete(arena, r);
	r->metadata->name = arena_printf(arena, "%.*s-%s", 252 - (int)strlen(hash), owner->name, hash);
	r->metadata->namespace = arena_strdup(arena, owner->namespace);
	map_copy(arena, template->labels, template->n_labels, &r->metadata->labels, &r->metadata->n_labels);
	LABEL_SET(arena, r->metadata, REVISION_HASH_LABEL, hash);
	map_copy(arena, owner->annotations, owner->n_annotations, &r->metadata->annotations,
		&r->metadata->n_annotations);
	ARENA_PUSH(arena, r->metadata->owner_references, r->metadata->n_owner_references) =
		controller_ref_to(arena, h->owner);
	char *patch = history_patch(arena, h->template);
	r->data->raw = (ProtobufCBinaryData){strlen(patch), (uint8_t *)patch};
	r->revision = number;
	struct status *s = client_create(h->client, arena, r, &answer);
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_drop(STEAL(s), "perhaps it is ours");
		TRY(client_get(h->client, arena, &AppsV1ControllerRevision_schema, owner->namespace, r->metadata->name,
			&answer));
		object_complete(arena, answer);
		if (!holds_template(h, answer)) {
			h->collision_count = h->has_collision_count ? h->collision_count + 1 : 1;
			h->has_collision_count = h->collided = true;
			return status_new(STATUS_CONFLICT, "%s %s/%s: hash collision on revision %s",
				object_kind(h->owner), owner->namespace, owner->name, r->metadata->name);
		}
	} else if (s) {
		return s;
	}
	object_complete(arena, answer);
	h->current = answer;
	return NULL;
}

struct status *history_sync(struct history *h, struct informer *revisions)
{
	size_t n;
	const MetaV1ObjectMeta *owner = object_metadata(h->owner);
	const void **all = controller_dependents(revisions, h->arena, owner->namespace, owner->uid, true, &n);
	CLEANUP_CLAIM struct claim claim = {.client = h->client, .owner = h->owner, .selector = h->selector};
	TRY(claim_all(&claim, h->arena, all, n, &n));
	if (n)
		qsort(all, n, sizeof(*all), by_revision);
	int64_t max = 0;
	h->old = ARENA_ARRAY(h->arena, const AppsV1ControllerRevision *, n + 1);
	h->n_old = 0;
	/* Of several that hold the template the newest counts; the others are as old as any. */
	for (size_t i = n; i-- > 0;)
		if (!h->current && holds_template(h, all[i]))
			h->current = all[i];
	for (size_t i = 0; i < n; i++) {
		const AppsV1ControllerRevision *r = all[i];
		if (r == h->current)
			continue;
		h->old[h->n_old++] = r;
		max = r->revision > max ? r->revision : max;
	}
	if (!h->current)
		return create_revision(h, max + 1);
	if (h->current->revision > max)
		return NULL;
	/* Back to an earlier version: it becomes the newest. */
	AppsV1ControllerRevision *copy = object_copy(h->arena, h->current), *answer;
	copy->revision = max + 1;
	TRY(client_update(h->client, h->arena, copy, &answer));
	object_complete(h->arena, answer);
	h->current = answer;
	return NULL;
}

struct status *history_truncate(struct history *h, int32_t limit, const char *const *live_hashes, size_t n_live)
{
	int64_t surplus = (int64_t)h->n_old - limit;
	for (size_t i = 0; i < h->n_old && surplus > 0; i++) {
		const MetaV1ObjectMeta *meta = h->old[i]->metadata;
		if (str_in_n(revision_hash(h->old[i]), (char *const *)(uintptr_t)live_hashes, n_live))
			continue;
		struct status *s = client_delete(
			h->client, h->arena, &AppsV1ControllerRevision_schema, meta->namespace, meta->name, NULL);
		if (s && !status_is(s, STATUS_NOT_FOUND))
			return s;
		status_drop(s, "gone already");
		surplus--;
	}
	return NULL;
}
