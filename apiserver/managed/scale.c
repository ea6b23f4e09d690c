/* Entries of scale: who owns the replicas, told in the words of autoscaling/v1, and back in those of the object. */
#include "api/types.h"
#include "apiserver/managed/private.h"
#include "apiserver/strategy/strategy.h"
#include "base/str.h"

static const char *const replicas[] = {"spec", "replicas", NULL};

static const struct subresource_handler *handler_of(const struct request *request)
{
	return *request->subresource ? strategy_subresource(request->strategy, request->subresource) : NULL;
}

bool managed_has_view(const struct request *request)
{
	const struct subresource_handler *handler = handler_of(request);
	return handler && handler->get && handler->put;
}

struct status *managed_view_of(struct request *request, const ProtobufCMessage *object, ProtobufCMessage **ret_view)
{
	return handler_of(request)->get(request, object, ret_view);
}

static bool is_own_version(const struct request *request, const struct manager *m)
{
	return str_eq(m->api_version, request->schema->type->api_version);
}

struct managers managed_to_view(struct request *request, const struct managers *parent)
{
	const char *version = AutoscalingV1Scale_schema.api_version;
	struct managers view = {0};
	for (size_t i = 0; i < parent->n_items; i++) {
		manager_fields(request->arena, &parent->items[i]);
		struct manager m = parent->items[i];
		if (!is_own_version(request, &m) || !fieldset_has_path(m.set, replicas))
			continue;
		m.id = manager_id_of(m.id.name, m.id.applied, version, m.id.subresource);
		m.api_version = version;
		m.set = fieldset_of_path(request->arena, replicas);
		m.entry = NULL;
		managers_add(request->arena, &view, m);
	}
	return view;
}

/* Whoever lost the replicas of the view loses those of the object; whoever got them has an entry for them. */
struct managers managed_to_parent(struct request *request, const struct managers *parent, const struct managers *view)
{
	struct arena *arena = request->arena;
	const struct fieldset *path = fieldset_of_path(arena, replicas);
	struct managers out = {0}, left = {0};
	for (size_t i = 0; i < view->n_items; i++)
		managers_add(arena, &left, view->items[i]);
	for (size_t i = 0; i < parent->n_items; i++) {
		struct manager m = parent->items[i];
		if (!is_own_version(request, &m))
			continue;
		struct manager *kept = fieldset_has_path(m.set, replicas) ? managers_find(&left, &m.id) : NULL;
		if (kept) {
			managers_remove(&left, kept);
		} else if (fieldset_has_path(m.set, replicas)) {
			m.set = fieldset_difference(arena, m.set, path);
			m.entry = NULL;
		}
		if (!fieldset_empty(m.set))
			managers_add(arena, &out, m);
	}
	for (size_t i = 0; i < left.n_items; i++) {
		struct manager m = left.items[i];
		if (!fieldset_has_path(m.set, replicas))
			continue;
		const struct manager *before = managers_find(parent, &m.id);
		m.api_version = request->schema->type->api_version;
		m.set = path;
		m.time = before ? before->time : NULL;
		m.entry = NULL;
		managers_add(arena, &out, m);
	}
	return out;
}
