/* Which replica set is the new one, and the annotations that tell versions apart. */
#include "base/log.h"
#include "base/fail.h"
#include "base/str.h"
#include "controller-manager/deployment/deployment.h"
#include "controller-manager/support/pods.h"

/* Limit of the list of revisions that one set has had. */
enum { MAX_HISTORY_CHARS = 2000, MAX_NAME_CHARS = 253 };

const AppsV1ReplicaSet *find_new_set(struct arena *arena, const AppsV1Deployment *d, struct sets all)
{
	sets_sort_by_age(all);
	for (size_t i = 0; i < all.n; i++)
		if (template_equal_ignore_hash(arena, all.items[i]->spec->template, d->spec->template))
			return all.items[i];
	return NULL;
}

int64_t object_revision(const void *msg)
{
	const char *text = ANNOTATION_GET(object_metadata(msg), REVISION_ANNOTATION);
	int64_t revision;
	return text && str_to_int64(text, INT64_MIN, INT64_MAX, &revision) ? revision : 0;
}

int64_t sets_max_revision(struct sets s)
{
	int64_t max = 0;
	for (size_t i = 0; i < s.n; i++)
		if (object_revision(s.items[i]) > max)
			max = object_revision(s.items[i]);
	return max;
}

int64_t sets_last_revision(struct sets s)
{
	int64_t max = 0, second = 0;
	for (size_t i = 0; i < s.n; i++) {
		int64_t revision = object_revision(s.items[i]);
		if (revision >= max) {
			second = max;
			max = revision;
		} else if (revision > second) {
			second = revision;
		}
	}
	return second;
}

/* --- annotations --- */

static bool is_own_annotation(const char *key)
{
	static const char *const own[] = {"kubectl.kubernetes.io/last-applied-configuration", REVISION_ANNOTATION,
		REVISION_HISTORY_ANNOTATION, DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION, ROLLBACK_ANNOTATION,
		NULL};
	return str_in(key, own);
}

static bool copy_annotations(struct arena *arena, const AppsV1Deployment *d, AppsV1ReplicaSet *set)
{
	bool changed = false;
	for (size_t i = 0; i < d->metadata->n_annotations; i++) {
		const MapStringEntry *a = d->metadata->annotations[i];
		const char *present = ANNOTATION_GET(set->metadata, a->key);
		if (is_own_annotation(a->key) || (present && str_eq(present, a->value)))
			continue;
		ANNOTATION_SET(arena, set->metadata, a->key, a->value);
		changed = true;
	}
	return changed;
}

/* Remembers a revision that the set had before; the oldest go when the list grows too long. */
static void push_history(struct arena *arena, AppsV1ReplicaSet *set, const char *revision)
{
	const char *history = str_or_empty(ANNOTATION_GET(set->metadata, REVISION_HISTORY_ANNOTATION));
	if (!*history) {
		ANNOTATION_SET(arena, set->metadata, REVISION_HISTORY_ANNOTATION, revision);
		return;
	}
	while (*history && strlen(history) + strlen(revision) + 1 > MAX_HISTORY_CHARS) {
		const char *comma = strchr(history, ',');
		history = comma ? comma + 1 : "";
	}
	ANNOTATION_SET(arena, set->metadata, REVISION_HISTORY_ANNOTATION,
		*history ? arena_printf(arena, "%s,%s", history, revision) : revision);
}

bool set_replicas_annotations(struct arena *arena, AppsV1ReplicaSet *set, int32_t desired, int32_t max)
{
	char *wanted[2] = {arena_printf(arena, "%d", desired), arena_printf(arena, "%d", max)};
	static const char *const keys[2] = {DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION};
	bool changed = false;
	for (int i = 0; i < 2; i++) {
		const char *present = ANNOTATION_GET(set->metadata, keys[i]);
		if (present && str_eq(present, wanted[i]))
			continue;
		ANNOTATION_SET(arena, set->metadata, keys[i], wanted[i]);
		changed = true;
	}
	return changed;
}

bool set_new_annotations(
	struct arena *arena, const AppsV1Deployment *d, AppsV1ReplicaSet *set, int64_t revision, bool exists)
{
	bool changed = copy_annotations(arena, d, set);
	const char *old_text = ANNOTATION_GET(set->metadata, REVISION_ANNOTATION);
	int64_t old = 0;
	if (!str_empty(old_text) && !str_to_int64(old_text, INT64_MIN, INT64_MAX, &old)) {
		log_warn("replica set %s/%s: revision \"%s\" is no number", set->metadata->namespace,
			set->metadata->name, old_text);
		return false;
	}
	/* The new set's revision only grows: old sets that are deleted do not lower it. */
	if (old < revision) {
		if (old_text)
			push_history(arena, set, arena_strdup(arena, old_text));
		ANNOTATION_SET(
			arena, set->metadata, REVISION_ANNOTATION, arena_printf(arena, "%lld", (long long)revision));
		changed = true;
	}
	if (!exists && set_replicas_annotations(
			       arena, set, deployment_replicas(d), deployment_replicas(d) + deployment_max_surge(d)))
		changed = true;
	return changed;
}

/* --- the new set --- */

static bool set_deployment_revision(struct rollout *r, const char *revision)
{
	const char *present = ANNOTATION_GET(r->d->metadata, REVISION_ANNOTATION);
	if (present && str_eq(present, revision))
		return false;
	ANNOTATION_SET(r->arena, r->d->metadata, REVISION_ANNOTATION, str_or_empty(revision));
	return true;
}

static struct status *adjust_existing(struct rollout *r, const AppsV1ReplicaSet *existing, int64_t revision)
{
	AppsV1Deployment *d = r->d;
	AppsV1ReplicaSet *copy = object_copy(r->arena, existing);
	r->new_set = copy;
	bool annotated = set_new_annotations(r->arena, d, copy, revision, true);
	if (annotated || copy->spec->min_ready_seconds != d->spec->min_ready_seconds) {
		copy->spec->min_ready_seconds = d->spec->min_ready_seconds;
		AppsV1ReplicaSet *updated;
		TRY(client_update(r->ctx->client, r->arena, copy, &updated));
		object_complete(r->arena, updated);
		r->new_set = updated;
		return NULL;
	}
	bool changed = set_deployment_revision(r, ANNOTATION_GET(copy->metadata, REVISION_ANNOTATION));
	if (deployment_has_deadline(d) && !deployment_condition(d->status, "Progressing")) {
		set_deployment_condition(r, d->status, "Progressing", "True", "FoundNewReplicaSet",
			arena_printf(r->arena, "Found new replica set \"%s\"", copy->metadata->name));
		changed = true;
	}
	return changed ? write_deployment_status(r) : NULL;
}

static AppsV1ReplicaSet *draft_set(struct rollout *r)
{
	struct arena *arena = r->arena;
	const AppsV1Deployment *d = r->d;
	char *hash = template_hash(
		arena, d->spec->template, d->status->has_collision_count ? &d->status->collision_count : NULL);
	AppsV1ReplicaSet *set = API_NEW(arena, AppsV1ReplicaSet);
	object_complete(arena, set);
	set->spec->template = object_copy(arena, d->spec->template);
	LABEL_SET(arena, object_metadata_mut(arena, set->spec->template), TEMPLATE_HASH_LABEL, hash);
	int room = MAX_NAME_CHARS - 1 - (int)strlen(hash);
	set->metadata->name = arena_printf(arena, "%.*s-%s", room, d->metadata->name, hash);
	set->metadata->namespace = arena_strdup(arena, d->metadata->namespace);
	const MetaV1ObjectMeta *template = set->spec->template->metadata;
	map_copy(arena, template->labels, template->n_labels, &set->metadata->labels, &set->metadata->n_labels);
	ARENA_PUSH(arena, set->metadata->owner_references, set->metadata->n_owner_references) =
		controller_ref_to(arena, d);
	set->spec->has_replicas = true;
	set->spec->min_ready_seconds = d->spec->min_ready_seconds;
	set->spec->selector =
		d->spec->selector ? api_copy_msg(arena, d->spec->selector) : API_NEW(arena, MetaV1LabelSelector);
	map_set(arena, &set->spec->selector->match_labels, &set->spec->selector->n_match_labels, TEMPLATE_HASH_LABEL,
		hash);
	return set;
}

/* A set of that name is there: ours (our cache is behind), or another template with the same hash. */
static struct status *resolve_collision(struct rollout *r, const AppsV1ReplicaSet *draft, struct status *exists)
{
	AppsV1ReplicaSet *present;
	struct status *s = client_get(r->ctx->client, r->arena, &AppsV1ReplicaSet_schema, draft->metadata->namespace,
		draft->metadata->name, &present);
	if (s) {
		status_drop(exists, "reading it failed");
		return s;
	}
	object_complete(r->arena, present);
	if (controlled_by(present, r->d) &&
		template_equal_ignore_hash(r->arena, r->d->spec->template, present->spec->template)) {
		status_drop(exists, "it is the one wanted");
		r->new_set = present;
		return NULL;
	}
	r->d->status->collision_count = r->d->status->has_collision_count ? r->d->status->collision_count + 1 : 1;
	r->d->status->has_collision_count = true;
	log_v(2, "deployment %s: hash collision on %s, count is now %d", r->key, draft->metadata->name,
		r->d->status->collision_count);
	return status_first(exists, write_deployment_status(r));
}

static struct status *report_failed_create(struct rollout *r, const AppsV1ReplicaSet *draft, struct status *error)
{
	if (status_has_cause(error, CAUSE_NAMESPACE_TERMINATING))
		return error;
	char *message = arena_printf(
		r->arena, "Failed to create new replica set \"%s\": %s", draft->metadata->name, error->message);
	if (deployment_has_deadline(r->d)) {
		set_deployment_condition(r, r->d->status, "Progressing", "False", "ReplicaSetCreateError", message);
		status_drop(write_deployment_status(r), "the failed create matters more");
	}
	event_record(r->ctx->recorder, r->d, EVENT_WARNING, "ReplicaSetCreateError", "%s", message);
	return error;
}

static struct status *create_set(struct rollout *r, int64_t revision)
{
	AppsV1Deployment *d = r->d;
	AppsV1ReplicaSet *draft = draft_set(r), *created;
	int32_t size = draft->spec->replicas = new_set_replicas(d, sets_with(r->arena, r->old, draft), draft);
	set_new_annotations(r->arena, d, draft, revision, false);
	struct status *s = client_create(r->ctx->client, r->arena, draft, &created);
	fail_at("deployment.after-replicaset");
	bool exists = status_is(s, STATUS_ALREADY_EXISTS);
	if (exists) {
		TRY(resolve_collision(r, draft, s));
	} else if (s) {
		return report_failed_create(r, draft, s);
	} else {
		object_complete(r->arena, created);
		r->new_set = created;
		if (size > 0)
			event_record(r->ctx->recorder, d, EVENT_NORMAL, "ScalingReplicaSet",
				"Scaled up replica set %s from 0 to %d", created->metadata->name, size);
	}
	bool changed = set_deployment_revision(r, arena_printf(r->arena, "%lld", (long long)revision));
	if (!exists && deployment_has_deadline(d)) {
		set_deployment_condition(r, d->status, "Progressing", "True", "NewReplicaSetCreated",
			arena_printf(r->arena, "Created new replica set \"%s\"", r->new_set->metadata->name));
		changed = true;
	}
	return changed ? write_deployment_status(r) : NULL;
}

struct status *sync_revisions(struct rollout *r, bool create)
{
	const AppsV1ReplicaSet *existing = find_new_set(r->arena, r->d, r->all);
	r->old = (struct sets){ARENA_ARRAY(r->arena, const AppsV1ReplicaSet *, r->all.n + 1), 0};
	r->new_set = NULL;
	for (size_t i = 0; i < r->all.n; i++)
		if (r->all.items[i] != existing)
			r->old.items[r->old.n++] = r->all.items[i];
	int64_t revision = sets_max_revision(r->old) + 1;
	if (existing)
		return adjust_existing(r, existing, revision);
	return create ? create_set(r, revision) : NULL;
}

struct status *delete_old_revisions(struct rollout *r)
{
	if (!r->d->spec->has_revision_history_limit || r->d->spec->revision_history_limit == INT32_MAX)
		return NULL;
	struct sets alive = {ARENA_ARRAY(r->arena, const AppsV1ReplicaSet *, r->old.n + 1), 0};
	for (size_t i = 0; i < r->old.n; i++)
		if (!r->old.items[i]->metadata->deletion_timestamp)
			alive.items[alive.n++] = r->old.items[i];
	int64_t surplus = (int64_t)alive.n - r->d->spec->revision_history_limit;
	sets_sort_by_revision(alive);
	for (int64_t i = 0; i < surplus; i++) {
		const AppsV1ReplicaSet *set = alive.items[i];
		if (set->status->replicas != 0 || set_replicas(set) != 0 ||
			set->metadata->generation > set->status->observed_generation)
			continue;
		struct status *s = client_delete(r->ctx->client, r->arena, &AppsV1ReplicaSet_schema,
			set->metadata->namespace, set->metadata->name, NULL);
		if (s && !status_is(s, STATUS_NOT_FOUND))
			return s;
		status_drop(s, "deleted already");
	}
	return NULL;
}

/* --- rollback --- */

bool rollback_wanted(const AppsV1Deployment *d, int64_t *ret_revision)
{
	const char *text = ANNOTATION_GET(d->metadata, ROLLBACK_ANNOTATION);
	return !str_empty(text) && str_to_int64(text, INT64_MIN, INT64_MAX, ret_revision);
}

static struct status *clear_rollback(struct rollout *r)
{
	map_remove(r->d->metadata->annotations, &r->d->metadata->n_annotations, ROLLBACK_ANNOTATION);
	return client_update(r->ctx->client, r->arena, r->d, NULL);
}

/* The annotations of that version come back with its template; our own stay. */
static void take_version(struct rollout *r, const AppsV1ReplicaSet *set)
{
	MetaV1ObjectMeta *meta = r->d->metadata;
	for (size_t i = meta->n_annotations; i-- > 0;)
		if (!is_own_annotation(meta->annotations[i]->key))
			map_remove(meta->annotations, &meta->n_annotations, meta->annotations[i]->key);
	for (size_t i = 0; i < set->metadata->n_annotations; i++)
		if (!is_own_annotation(set->metadata->annotations[i]->key))
			ANNOTATION_SET(r->arena, meta, set->metadata->annotations[i]->key,
				set->metadata->annotations[i]->value);
	r->d->spec->template = object_copy(r->arena, set->spec->template);
	MetaV1ObjectMeta *template = r->d->spec->template->metadata;
	map_remove(template->labels, &template->n_labels, TEMPLATE_HASH_LABEL);
}

static struct status *roll_back_to(struct rollout *r, const AppsV1ReplicaSet *set, int64_t revision)
{
	const char *name = r->d->metadata->name;
	if (template_equal_ignore_hash(r->arena, r->d->spec->template, set->spec->template)) {
		event_record(r->ctx->recorder, r->d, EVENT_WARNING, "DeploymentRollbackTemplateUnchanged",
			"The rollback revision contains the same template as current deployment \"%s\"", name);
		return clear_rollback(r);
	}
	take_version(r, set);
	TRY(clear_rollback(r));
	event_record(r->ctx->recorder, r->d, EVENT_NORMAL, "DeploymentRollback",
		"Rolled back deployment \"%s\" to revision %lld", name, (long long)revision);
	return NULL;
}

struct status *roll_back(struct rollout *r, int64_t revision)
{
	TRY(sync_revisions(r, true));
	struct sets all = sets_with(r->arena, r->old, r->new_set);
	if (revision == 0)
		revision = sets_last_revision(all);
	if (revision == 0) {
		event_record(r->ctx->recorder, r->d, EVENT_WARNING, "DeploymentRollbackRevisionNotFound",
			"Unable to find last revision.");
		return clear_rollback(r);
	}
	for (size_t i = 0; i < all.n; i++)
		if (object_revision(all.items[i]) == revision)
			return roll_back_to(r, all.items[i], revision);
	event_record(r->ctx->recorder, r->d, EVENT_WARNING, "DeploymentRollbackRevisionNotFound",
		"Unable to find the revision to rollback to.");
	return clear_rollback(r);
}
