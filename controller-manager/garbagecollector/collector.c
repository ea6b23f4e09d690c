#include "controller-manager/garbagecollector/collector.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/str.h"
#include "base/encode.h"

enum { REFRESH_MS = 2000 };

/* --- the server's truth --- */

struct client_resource *collector_resource(
	struct collector *c, struct arena *arena, const char *api_version, const char *kind)
{
	const struct schema_type *type = schema_find_api_version(api_version, kind);
	const struct client_resource *typed = type && type->resource ? client_resource_of(c->ctx->client, type) : NULL;
	struct client_resource *found = NULL;
	if (typed) {
		found = ARENA_NEW(arena, struct client_resource);
		*found = *typed;
		return found;
	}
	const struct api_resource *r;
	pthread_mutex_lock(&c->lock);
	struct status *s = discovery_find_kind(c->discovery, api_version, kind, &r);
	int64_t now = clock_mono_ms(c->ctx->clock);
	if (s && now - c->refreshed_ms > REFRESH_MS) {
		/* A kind younger than what we know of the server. */
		status_drop(s, "asked anew");
		c->refreshed_ms = now;
		discovery_invalidate(c->discovery);
		s = discovery_find_kind(c->discovery, api_version, kind, &r);
	}
	if (!s) {
		found = ARENA_NEW(arena, struct client_resource);
		*found = (struct client_resource){arena_strdup(arena, r->rest.group),
			arena_strdup(arena, r->rest.version), arena_strdup(arena, r->rest.plural), r->rest.namespaced};
	}
	pthread_mutex_unlock(&c->lock);
	status_drop(s, "an unknown kind is answered with NULL");
	return found;
}

/* NULL in *ret_meta: the object is not there, or another has its name. */
static struct status *read_live(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct identity *id, MetaV1ObjectMeta **ret_meta)
{
	MetaV1PartialObjectMetadata *live;
	*ret_meta = NULL;
	struct status *s = client_get_as(c->ctx->client, arena, resource, &MetaV1PartialObjectMetadata_schema,
		resource->namespaced ? id->namespace : NULL, id->name, &live);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	if (!s && live->metadata && str_eq(live->metadata->uid, id->uid))
		*ret_meta = live->metadata;
	return s;
}

/* Notes that the server does not have an owner. */
static void note_absent(struct collector *c, const struct client_resource *resource, const struct identity *id)
{
	struct identity owner = *id;
	if (!resource->namespaced)
		owner.namespace = NULL;
	absent_owners_add(c->absent, &owner);
}

enum owner_state { OWNER_ABSENT, OWNER_SOLID, OWNER_WAITING };

static struct status *judge_owner(struct collector *c, struct arena *arena, const char *namespace,
	const MetaV1OwnerReference *ref, enum owner_state *ret_state)
{
	struct identity id = {ref->uid, ref->api_version, ref->kind, namespace, ref->name};
	struct client_resource *resource = collector_resource(c, arena, ref->api_version, ref->kind);
	MetaV1ObjectMeta *meta;
	*ret_state = OWNER_SOLID;
	if (!resource) {
		log_v(3, "unable to get REST mapping for %s/%s: its dependents stay", ref->api_version, ref->kind);
		return status_internal("unable to get REST mapping for %s/%s.", ref->api_version, ref->kind);
	}
	if (resource->namespaced && str_empty(namespace))
		return NULL; /* cannot be: a cluster-scoped object owned by a namespaced one is left alone */
	if (!resource->namespaced)
		id.namespace = NULL;
	if (absent_owners_has(c->absent, &id)) {
		*ret_state = OWNER_ABSENT;
		return NULL;
	}
	if (graph_has_alive(c->graph, &id))
		return NULL;
	TRY(read_live(c, arena, resource, &id, &meta));
	if (!meta) {
		note_absent(c, resource, &id);
		*ret_state = OWNER_ABSENT;
	} else if (meta->deletion_timestamp && meta_has_finalizer(meta, FINALIZER_FOREGROUND)) {
		*ret_state = OWNER_WAITING;
	}
	return NULL;
}

/* --- writing --- */

/* Removes references from a live object; kinds without strategic patches get the whole list. */
static struct status *remove_owners(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct identity *id, const char *const *uids, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf patch = STRBUF_INIT;
	strbuf_printf(&patch, "{\"metadata\":{\"uid\":\"%s\",\"ownerReferences\":[", id->uid);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&patch, "%s{\"$patch\":\"delete\",\"uid\":\"%s\"}", i ? "," : "", uids[i]);
	strbuf_adds(&patch, "]}}");
	const char *namespace = resource->namespaced ? id->namespace : NULL;
	struct status *s = client_patch_as(c->ctx->client, arena, resource, namespace, id->name, NULL,
		CLIENT_PATCH_STRATEGIC, patch.buf, patch.len, NULL);
	if (!status_is(s, STATUS_UNSUPPORTED_MEDIA))
		return s;
	status_drop(s, "a merge patch follows");
	MetaV1ObjectMeta *meta;
	TRY(read_live(c, arena, resource, id, &meta));
	if (!meta)
		return NULL;
	strbuf_reset(&patch);
	strbuf_printf(
		&patch, "{\"metadata\":{\"resourceVersion\":\"%s\",\"ownerReferences\":[", meta->resource_version);
	bool first = true;
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		const MetaV1OwnerReference *r = meta->owner_references[i];
		if (str_in_n(r->uid, (char *const *)(uintptr_t)uids, n))
			continue;
		strbuf_printf(&patch, "%s{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\"",
			first ? "" : ",", r->api_version, r->kind, r->name, r->uid);
		if (r->has_controller)
			strbuf_printf(&patch, ",\"controller\":%s", r->controller ? "true" : "false");
		if (r->has_block_owner_deletion)
			strbuf_printf(&patch, ",\"blockOwnerDeletion\":%s", r->block_owner_deletion ? "true" : "false");
		strbuf_addc(&patch, '}');
		first = false;
	}
	strbuf_adds(&patch, "]}}");
	return client_patch_as(c->ctx->client, arena, resource, namespace, id->name, NULL, CLIENT_PATCH_MERGE,
		patch.buf, patch.len, NULL);
}

static struct status *remove_finalizer(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct identity *id, const char *finalizer)
{
	for (int i = 0; i < 5; i++) {
		MetaV1ObjectMeta *meta;
		TRY(read_live(c, arena, resource, id, &meta));
		if (!meta || !meta_has_finalizer(meta, finalizer))
			return NULL;
		CLEANUP(strbuf_done) struct strbuf patch = STRBUF_INIT;
		strbuf_printf(
			&patch, "{\"metadata\":{\"resourceVersion\":\"%s\",\"finalizers\":[", meta->resource_version);
		bool first = true;
		for (size_t j = 0; j < meta->n_finalizers; j++) {
			if (str_eq(meta->finalizers[j], finalizer))
				continue;
			strbuf_printf(&patch, "%s\"%s\"", first ? "" : ",", meta->finalizers[j]);
			first = false;
		}
		strbuf_adds(&patch, "]}}");
		TRY(fail_try("gc.before-finalizer"));
		struct status *s =
			client_patch_as(c->ctx->client, arena, resource, resource->namespaced ? id->namespace : NULL,
				id->name, NULL, CLIENT_PATCH_MERGE, patch.buf, patch.len, NULL);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "gone");
			return NULL;
		}
		if (!status_is(s, STATUS_CONFLICT))
			return s;
		status_drop(s, "tried again with the newest version");
	}
	return status_new(STATUS_CONFLICT, "%s %s/%s: the finalizer %s could not be removed", id->kind, id->namespace,
		id->name, finalizer);
}

static struct status *delete_object(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct identity *id, const char *resource_version, const char *policy)
{
	log_v(2, "deleting %s %s/%s (%s), propagation %s", id->kind, id->namespace, id->name, id->uid, policy);
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, id->uid);
	options->preconditions->resource_version = arena_strdup(arena, resource_version);
	options->propagation_policy = arena_strdup(arena, policy);
	TRY(fail_try("gc.before-delete"));
	struct status *s = client_delete_as(
		c->ctx->client, arena, resource, resource->namespaced ? id->namespace : NULL, id->name, options);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone already");
		return NULL;
	}
	return s;
}

/* --- one object --- */

/* An object in foreground deletion goes when nobody blocks it any more. */
static struct status *process_foreground(
	struct collector *c, struct arena *arena, const struct client_resource *resource, const struct graph_node *node)
{
	bool blocked = false;
	for (size_t i = 0; i < node->n_dependents; i++)
		blocked |= node->dependents[i].blocks;
	if (!blocked)
		return remove_finalizer(c, arena, resource, &node->id, FINALIZER_FOREGROUND);
	for (size_t i = 0; i < node->n_dependents; i++)
		if (node->dependents[i].blocks && !node->dependents[i].deleting_dependents)
			workqueue_add(c->deletes, node->dependents[i].id.uid);
	return NULL;
}

/* A circle of owners that all wait for each other would wait for ever: this one's references stop blocking. */
static struct status *unblock_owners(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct identity *id, const MetaV1ObjectMeta *meta)
{
	CLEANUP(strbuf_done) struct strbuf patch = STRBUF_INIT;
	strbuf_printf(
		&patch, "{\"metadata\":{\"resourceVersion\":\"%s\",\"ownerReferences\":[", meta->resource_version);
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		const MetaV1OwnerReference *r = meta->owner_references[i];
		strbuf_printf(&patch,
			"%s{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\","
			"\"blockOwnerDeletion\":false%s}",
			i ? "," : "", r->api_version, r->kind, r->name, r->uid,
			r->has_controller && r->controller ? ",\"controller\":true" : "");
	}
	strbuf_adds(&patch, "]}}");
	return client_patch_as(c->ctx->client, arena, resource, resource->namespaced ? id->namespace : NULL, id->name,
		NULL, CLIENT_PATCH_MERGE, patch.buf, patch.len, NULL);
}

static const char *deletion_policy(const MetaV1ObjectMeta *meta)
{
	if (meta_has_finalizer(meta, FINALIZER_ORPHAN))
		return "Orphan";
	return meta_has_finalizer(meta, FINALIZER_FOREGROUND) ? "Foreground" : "Background";
}

static struct status *decide(struct collector *c, struct arena *arena, const struct client_resource *resource,
	const struct graph_node *node, const MetaV1ObjectMeta *meta)
{
	size_t n_solid = 0, n_waiting = 0, n_lost = 0;
	const char **lost = ARENA_ARRAY(arena, const char *, meta->n_owner_references + 1);
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		enum owner_state state;
		TRY(judge_owner(c, arena, meta->namespace, meta->owner_references[i], &state));
		n_solid += state == OWNER_SOLID;
		n_waiting += state == OWNER_WAITING;
		if (state != OWNER_SOLID)
			lost[n_lost++] = meta->owner_references[i]->uid;
	}
	if (n_solid) {
		/* Somebody keeps it; the owners that are gone or going are forgotten. */
		return n_lost ? remove_owners(c, arena, resource, &node->id, lost, n_lost) : NULL;
	}
	if (n_waiting && node->n_dependents) {
		for (size_t i = 0; i < node->n_dependents; i++)
			if (node->dependents[i].deleting_dependents) {
				TRY(unblock_owners(c, arena, resource, &node->id, meta));
				break;
			}
		MetaV1ObjectMeta *fresh;
		TRY(read_live(c, arena, resource, &node->id, &fresh));
		return fresh ? delete_object(c, arena, resource, &node->id, fresh->resource_version, "Foreground")
			     : NULL;
	}
	return delete_object(c, arena, resource, &node->id, meta->resource_version, deletion_policy(meta));
}

static struct status *collect_one(struct collector *c, struct arena *arena, const struct graph_node *node)
{
	MetaV1ObjectMeta *meta;
	if (node->being_deleted && !node->deleting_dependents)
		return NULL;
	if (!node->is_virtual && !node->deleting_dependents && !node->n_owners)
		return NULL; /* asked for before it was seen */
	struct client_resource *resource = collector_resource(c, arena, node->id.api_version, node->id.kind);
	if (!resource)
		return status_internal("unable to get REST mapping for %s/%s.", node->id.api_version, node->id.kind);
	TRY(read_live(c, arena, resource, &node->id, &meta));
	if (!meta) {
		if (node->is_virtual)
			note_absent(c, resource, &node->id);
		graph_remove_virtual(c->graph, node->id.uid);
		return NULL;
	}
	/* It exists; but between two listings of its kind it may go without an event, and its dependents wait for one.
	 */
	if (node->is_virtual)
		return status_new(STATUS_CONFLICT, "it has not been seen yet");
	if (node->deleting_dependents)
		return process_foreground(c, arena, resource, node);
	return meta->n_owner_references ? decide(c, arena, resource, node, meta) : NULL;
}

struct status *collect(void *data, struct arena *arena, const char *uid)
{
	struct collector *c = data;
	const struct graph_node *node = graph_get(c->graph, arena, uid);
	if (!node)
		return NULL;
	struct status *s = collect_one(c, arena, node);
	return s ? status_wrap(s, "%s %s/%s", node->id.kind, node->id.namespace, node->id.name) : NULL;
}

struct status *orphan_dependents(void *data, struct arena *arena, const char *uid)
{
	struct collector *c = data;
	const struct graph_node *node = graph_get(c->graph, arena, uid);
	if (!node)
		return NULL;
	struct status *first = NULL;
	for (size_t i = 0; i < node->n_dependents; i++) {
		const struct identity *id = &node->dependents[i].id;
		struct client_resource *resource = collector_resource(c, arena, id->api_version, id->kind);
		if (!resource)
			continue;
		struct status *s = remove_owners(c, arena, resource, id, &node->id.uid, 1);
		/* Gone, or it does not name this owner any more. */
		if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_INVALID)) {
			status_drop(s, "nothing to let go");
			s = NULL;
		}
		first = status_first(first, s);
	}
	if (first)
		return status_wrap(first, "failed to orphan dependents of owner %s %s/%s", node->id.kind,
			node->id.namespace, node->id.name);
	struct client_resource *resource = collector_resource(c, arena, node->id.api_version, node->id.kind);
	return resource ? remove_finalizer(c, arena, resource, &node->id, FINALIZER_ORPHAN) : NULL;
}
