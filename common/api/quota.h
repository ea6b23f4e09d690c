/*
 * What objects count for a ResourceQuota: one measure for the admission that guards a quota and the controller that
 *sums it up.
 *
 *	struct quota_list usage;
 *	quota_usage(arena, &pod->base, now_s, &usage);           // count/pods=1, pods=1, requests.cpu=100m, …
 *	if (quota_matches(quota, &pod->base)) …
 *
 * Ownership: lists live in the arena that was passed.
 */
#ifndef API_QUOTA_H
#define API_QUOTA_H

#include "api/quantity.h"
#include "api/types.h"
#include "base/nameset.h"

struct quota_amount {
	const char *name;
	struct quantity amount;
};

struct quota_list {
	struct quota_amount *items;
	size_t n_items;
	struct nameset names; /* of the items, in their order */
};

/* Everything that an object of any kind uses. A pod that is finished, or overdue in its deletion, counts only as an
 * object. */
void quota_usage(struct arena *arena, const ProtobufCMessage *object, int64_t now_s, struct quota_list *ret_usage);
/* Whether a resource of a quota is one that objects of a type can use. */
bool quota_concerns(const struct schema_type *type, const char *resource);
/* Whether the object is in a scope; all but pods and claims of volumes are in none. */
bool quota_scope_matches(const CoreV1ScopedResourceSelectorRequirement *scope, const ProtobufCMessage *object);
/* Whether the quota's scopes let it count this object. */
bool quota_matches(const CoreV1ResourceQuota *quota, const ProtobufCMessage *object);

/* NULL if the list has it not. */
const struct quota_amount *quota_find(const struct quota_list *list, const char *name);
/* Adds to what is there. */
void quota_add(struct arena *arena, struct quota_list *list, const char *name, const struct quantity *amount);
struct quota_list quota_from_map(struct arena *arena, MapQuantityEntry *const *entries, size_t n);
void quota_to_map(struct arena *arena, const struct quota_list *list, MapQuantityEntry ***ret_entries, size_t *ret_n);
/* "cpu=1,pods=2", sorted. */
char *quota_text(struct arena *arena, const struct quota_list *list);

/* What a pod needs at once: the sum of its containers or its largest init step, and its overhead. */
void pod_requests(struct arena *arena, const CoreV1PodSpec *spec, struct quota_list *ret_requests);
void pod_limits(struct arena *arena, const CoreV1PodSpec *spec, struct quota_list *ret_limits);

#endif
