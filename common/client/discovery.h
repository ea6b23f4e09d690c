/*
 * Discovery: what the server serves, and from what users type to what it is called there.
 *
 *	struct discovery *d;
 *	TRY(discovery_new(client, cache_dir, &d));
 *	const struct api_resource *r;
 *	TRY(discovery_find(d, "deploy.apps", &r));
 *
 * One aggregated request to /api and /apis (apidiscovery.k8s.io/v2) where the server knows it, else one request for
 *each group version. With a cache directory the answer is kept on disk for six hours, as kubectl's.
 *
 * Ownership: everything lives as long as the discovery. Threads: one at a time.
 */
#ifndef CLIENT_DISCOVERY_H
#define CLIENT_DISCOVERY_H

#include "client/client.h"

struct discovery;

struct api_resource {
	struct client_resource rest; /* group, version, plural, namespaced */
	const char *singular;
	const char *kind;
	const char *const *verbs;
	size_t n_verbs;
	const char *const *short_names;
	size_t n_short_names;
	const char *const *categories;
	size_t n_categories;
	const struct api_subresource *subresources;
	size_t n_subresources;
};

struct api_subresource {
	const char *name; /* "status" */
	const char *group, *version, *kind;
	const char *const *verbs;
	size_t n_verbs;
};

struct api_group {
	const char *name;	     /* "" is core */
	const char *const *versions; /* preferred first */
	size_t n_versions;
};

/* cache_dir NULL: no cache on disk. Nothing is asked before the first question. */
struct status *discovery_new(struct client *client, const char *cache_dir, struct discovery **ret) MUST_USE;
void discovery_free(struct discovery *d);
DEFINE_CLEANUP(struct discovery *, discovery_free)
/* Forgets what is known, on disk too: the next question goes to the server. */
void discovery_invalidate(struct discovery *d);

/* Groups in the server's order, core first. Groups whose server is down have no resources; *ret_partial (may be NULL)
 * says why. */
struct status *discovery_groups(
	struct discovery *d, const struct api_group **ret, size_t *ret_n, struct status **ret_partial) MUST_USE;
/* All resources of all versions, in the server's order. */
struct status *discovery_resources(struct discovery *d, const struct api_resource *const **ret, size_t *ret_n) MUST_USE;
/* Those of a group's preferred version only (kubectl api-resources). */
struct status *discovery_preferred_resources(
	struct discovery *d, const struct api_resource *const **ret, size_t *ret_n) MUST_USE;

/*
 * From what a user types: plural, singular, short name or kind, any case, alone or as resource.group or
 * resource.version.group. Error, as kubectl words it: `the server doesn't have a resource type "x"`. A miss asks the
 * server again once if the cache was old.
 */
struct status *discovery_find(struct discovery *d, const char *text, const struct api_resource **ret) MUST_USE;
/* By apiVersion and kind of a manifest: `no matches for kind "X" in version "g/v"`. */
struct status *discovery_find_kind(
	struct discovery *d, const char *api_version, const char *kind, const struct api_resource **ret) MUST_USE;
/* The resources of a category ("all"); *ret_n is 0 if there is no such category. */
struct status *discovery_category(
	struct discovery *d, const char *category, const struct api_resource *const **ret, size_t *ret_n) MUST_USE;
bool api_resource_has_verb(const struct api_resource *r, const char *verb);
/* "v1" or "apps/v1". */
char *api_resource_group_version(struct arena *arena, const struct api_resource *r);

#endif
