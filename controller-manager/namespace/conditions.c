#include "controller-manager/namespace/conditions.h"

#include "base/str.h"

static const struct {
	const char *type, *ok_reason, *ok_message;
} known[] = {
	{"NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"},
	{"NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
		"All legacy kube types successfully parsed"},
	{"NamespaceDeletionContentFailure", "ContentDeleted",
		"All content successfully deleted, may be waiting on finalization"},
	{"NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"},
	{"NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"},
};

void namespace_count_add(struct arena *arena, struct namespace_count **counts, size_t *n, const char *name, int64_t by)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq((*counts)[i].name, name)) {
			(*counts)[i].n += by;
			return;
		}
	struct namespace_count *grown = ARENA_ARRAY(arena, struct namespace_count, *n + 1);
	if (*n)
		memcpy(grown, *counts, *n * sizeof(*grown));
	grown[*n] = (struct namespace_count){arena_strdup(arena, name), by};
	(*n)++;
	*counts = grown;
}

static char *list_counts(
	struct arena *arena, const struct namespace_count *counts, size_t n, const char *format, const char *prefix)
{
	char **parts = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		parts[i] = arena_printf(
			arena, "%s %s %lld %s", counts[i].name, format, (long long)counts[i].n, "resource instances");
	qsort(parts, n, sizeof(*parts), str_cmp_qsort);
	return arena_printf(arena, "%s: %s", prefix, str_join(arena, parts, n, ", "));
}

/* The reason and message of a condition that holds; false if it does not. */
static bool holds(struct namespace_remains *r, size_t which, const char **ret_reason, char **ret_message)
{
	switch (which) {
	case 0:
		if (!r->discovery_error)
			return false;
		*ret_reason = "DiscoveryFailed";
		*ret_message = arena_strdup(r->arena, r->discovery_error);
		return true;
	case 2:
		if (!r->n_delete_errors)
			return false;
		qsort(r->delete_errors, r->n_delete_errors, sizeof(*r->delete_errors), str_cmp_qsort);
		*ret_reason = "ContentDeletionFailed";
		*ret_message = arena_printf(r->arena, "Failed to delete all resource types, %zu remaining: %s",
			r->n_delete_errors, str_join(r->arena, r->delete_errors, r->n_delete_errors, ", "));
		return true;
	case 3:
		*ret_reason = "SomeResourcesRemain";
		*ret_message =
			list_counts(r->arena, r->resources, r->n_resources, "has", "Some resources are remaining");
		return r->n_resources > 0;
	case 4:
		*ret_reason = "SomeFinalizersRemain";
		*ret_message = list_counts(r->arena, r->finalizers, r->n_finalizers, "in",
			"Some content in the namespace has finalizers remaining");
		return r->n_finalizers > 0;
	default:
		return false;
	}
}

static CoreV1NamespaceCondition *find(CoreV1NamespaceStatus *status, const char *type)
{
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	return NULL;
}

bool namespace_conditions_update(struct namespace_remains *r, CoreV1NamespaceStatus *status, const struct clock *clock)
{
	bool changed = false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *reason;
		char *message;
		bool holding = holds(r, i, &reason, &message);
		if (!holding) {
			reason = known[i].ok_reason;
			message = arena_strdup(r->arena, known[i].ok_message);
		}
		const char *value = holding ? "True" : "False";
		CoreV1NamespaceCondition *c = find(status, known[i].type);
		if (c && str_eq(c->status, value) && str_eq(c->reason, reason) && str_eq(c->message, message))
			continue;
		if (!c) {
			c = API_NEW(r->arena, CoreV1NamespaceCondition);
			c->type = arena_strdup(r->arena, known[i].type);
			ARENA_PUSH(r->arena, status->conditions, status->n_conditions) = c;
		}
		if (!str_eq(c->status, value))
			c->last_transition_time = now_time(r->arena, clock);
		c->status = arena_strdup(r->arena, value);
		c->reason = arena_strdup(r->arena, reason);
		c->message = message;
		changed = true;
	}
	return changed;
}
