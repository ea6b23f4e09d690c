#include "client/discovery.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>
#include "api/json.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { CACHE_S = 6 * 3600, MAX_CACHE_BYTES = 32 << 20 };

static const char accept_aggregated[] =
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

struct discovery {
	struct client *client;
	char *cache_dir;
	/* what is known; the arena holds all of it */
	struct arena *arena;
	struct arena *past; /* what was known before: callers may hold it still */
	bool loaded, from_cache;
	struct api_group *groups;
	size_t n_groups;
	const struct api_resource **resources;
	size_t n_resources;
	struct strbuf stale; /* group versions whose server does not answer */
};

struct status *discovery_new(struct client *client, const char *cache_dir, struct discovery **ret)
{
	struct discovery *d = mem_zalloc(sizeof(*d));
	d->client = client;
	d->past = arena_new();
	d->cache_dir = mem_strdup(cache_dir);
	strbuf_init(&d->stale);
	*ret = d;
	return NULL;
}

static void free_arena(void *arena)
{
	arena_free(arena);
}

static void forget(struct discovery *d)
{
	if (d->arena)
		arena_defer(d->past, free_arena, STEAL(d->arena));
	d->loaded = d->from_cache = false;
	d->groups = NULL;
	d->resources = NULL;
	d->n_groups = d->n_resources = 0;
	strbuf_reset(&d->stale);
}

void discovery_free(struct discovery *d)
{
	if (!d)
		return;
	forget(d);
	arena_free(d->past);
	strbuf_done(&d->stale);
	free(d->cache_dir);
	free(d);
}

/* --- the cache on disk: the two aggregated answers as they came --- */

static char *cache_path(struct discovery *d, struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/aggregated-%s.json", d->cache_dir, name);
}

static char *read_cache(struct discovery *d, struct arena *arena, const char *name, size_t *ret_size)
{
	struct stat st;
	char *text;
	if (!d->cache_dir)
		return NULL;
	char *path = cache_path(d, arena, name);
	if (stat(path, &st) < 0 || clock_wall_s(clock_system()) - st.st_mtim.tv_sec > CACHE_S)
		return NULL;
	struct status *error = io_read_file(path, MAX_CACHE_BYTES, &text, ret_size);
	if (error) {
		status_drop(error, "the server is asked instead");
		return NULL;
	}
	arena_defer(arena, free, text);
	return text;
}

static void write_cache(struct discovery *d, struct arena *arena, const char *name, const char *text, size_t size)
{
	if (!d->cache_dir)
		return;
	struct status *error = io_mkdirs(d->cache_dir, 0750);
	if (!error)
		error = io_write_file(cache_path(d, arena, name), text, size, 0660);
	status_drop(error, "it is asked for again next time");
}

void discovery_invalidate(struct discovery *d)
{
	static const char *const names[] = {"api", "apis"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(names) && d->cache_dir; i++)
		unlink(cache_path(d, arena, names[i]));
	forget(d);
}

/* --- what the server says --- */

static void add_stale(struct discovery *d, const char *group_version)
{
	strbuf_printf(&d->stale, "%s%s: stale GroupVersion discovery: %s", d->stale.len ? ", " : "", group_version,
		group_version);
}

static char *group_version_of(struct arena *arena, const char *group, const char *version)
{
	return str_empty(group) ? arena_strdup(arena, version) : arena_printf(arena, "%s/%s", group, version);
}

static void add_resource(struct discovery *d, const struct api_resource *resource)
{
	ARENA_PUSH(d->arena, d->resources, d->n_resources) = resource;
}

/* Lists borrowed from decoded messages: those live in the same arena. */
#define BORROW(list) ((const char *const *)(list))

static void take_subresources(struct discovery *d, const struct client_resource *rest,
	const ApidiscoveryV2APIResourceDiscovery *from, struct api_resource *to)
{
	struct api_subresource *subs = ARENA_ARRAY(d->arena, struct api_subresource, from->n_subresources + 1);
	for (size_t i = 0; i < from->n_subresources; i++) {
		const ApidiscoveryV2APISubresourceDiscovery *s = from->subresources[i];
		const MetaV1GroupVersionKind *k = s->response_kind;
		subs[i] = (struct api_subresource){.name = s->subresource,
			.group = k && *k->version ? k->group : rest->group,
			.version = k && *k->version ? k->version : rest->version,
			.kind = k ? k->kind : "",
			.verbs = BORROW(s->verbs),
			.n_verbs = s->n_verbs};
	}
	to->subresources = subs;
	to->n_subresources = from->n_subresources;
}

static void take_version(struct discovery *d, const char *group, const ApidiscoveryV2APIVersionDiscovery *version)
{
	if (str_eq(version->freshness, "Stale"))
		add_stale(d, group_version_of(d->arena, group, version->version));
	for (size_t i = 0; i < version->n_resources; i++) {
		const ApidiscoveryV2APIResourceDiscovery *r = version->resources[i];
		if (!r->response_kind || str_empty(r->response_kind->kind))
			continue; /* only its subresources are served */
		struct api_resource *to = ARENA_NEW(d->arena, struct api_resource);
		*to = (struct api_resource){
			.rest = {group, version->version, r->resource, str_eq(r->scope, "Namespaced")},
			.singular = r->singular_resource,
			.kind = r->response_kind->kind,
			.verbs = BORROW(r->verbs),
			.n_verbs = r->n_verbs,
			.short_names = BORROW(r->short_names),
			.n_short_names = r->n_short_names,
			.categories = BORROW(r->categories),
			.n_categories = r->n_categories};
		take_subresources(d, &to->rest, r, to);
		add_resource(d, to);
	}
}

static void take_aggregated(struct discovery *d, const ApidiscoveryV2APIGroupDiscoveryList *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		const ApidiscoveryV2APIGroupDiscovery *g = list->items[i];
		const char *name = g->metadata ? str_or_empty(g->metadata->name) : "";
		char **versions = ARENA_ARRAY(d->arena, char *, g->n_versions + 1);
		for (size_t j = 0; j < g->n_versions; j++)
			versions[j] = g->versions[j]->version;
		ARENA_PUSH(d->arena, d->groups, d->n_groups) =
			(struct api_group){name, BORROW(versions), g->n_versions};
		for (size_t j = 0; j < g->n_versions; j++)
			take_version(d, name, g->versions[j]);
	}
}

/* --- servers that have no aggregated form: one request for each group version --- */

static struct api_resource *find_plural(
	struct discovery *d, const char *group, const char *version, const char *plural, size_t len)
{
	for (size_t i = d->n_resources; i-- > 0;) {
		const struct api_resource *r = d->resources[i];
		if (str_eq(r->rest.group, group) && str_eq(r->rest.version, version) && strlen(r->rest.plural) == len &&
			!memcmp(r->rest.plural, plural, len))
			return (struct api_resource *)r;
	}
	return NULL;
}

static void take_legacy_resource(
	struct discovery *d, const char *group, const char *version, const MetaV1APIResource *from)
{
	const char *slash = strchr(from->name, '/');
	const char *const *verbs = from->verbs ? BORROW(from->verbs->items) : NULL;
	size_t n_verbs = from->verbs ? from->verbs->n_items : 0;
	if (!slash) {
		struct api_resource *to = ARENA_NEW(d->arena, struct api_resource);
		*to = (struct api_resource){.rest = {group, version, from->name, from->namespaced},
			.singular = str_or(from->singular_name, str_lower(d->arena, from->kind)),
			.kind = from->kind,
			.verbs = verbs,
			.n_verbs = n_verbs,
			.short_names = BORROW(from->short_names),
			.n_short_names = from->n_short_names,
			.categories = BORROW(from->categories),
			.n_categories = from->n_categories};
		add_resource(d, to);
		return;
	}
	struct api_resource *parent = find_plural(d, group, version, from->name, (size_t)(slash - from->name));
	if (!parent)
		return;
	struct api_subresource *subs = (struct api_subresource *)parent->subresources;
	ARENA_PUSH(d->arena, subs, parent->n_subresources) = (struct api_subresource){.name = slash + 1,
		.group = str_empty(from->version) ? group : from->group,
		.version = str_empty(from->version) ? version : from->version,
		.kind = from->kind,
		.verbs = verbs,
		.n_verbs = n_verbs};
	parent->subresources = subs;
}

static void take_legacy_version(struct discovery *d, const char *group, const char *version)
{
	const char *path = str_empty(group) ? arena_printf(d->arena, "/api/%s", version)
					    : arena_printf(d->arena, "/apis/%s/%s", group, version);
	struct client_request request = {.path = path, .retry = true};
	struct client_response response;
	MetaV1APIResourceList *list = NULL;
	struct status *error = client_do(d->client, d->arena, &request, &response);
	if (!error)
		error = json_decode(
			d->arena, &MetaV1APIResourceList_schema, response.body, response.body_size, NULL, &list);
	if (error) {
		add_stale(d, group_version_of(d->arena, group, version));
		status_drop(error, "named among the stale ones");
		return;
	}
	for (size_t i = 0; i < list->n_resources; i++)
		take_legacy_resource(d, group, version, list->resources[i]);
}

static struct status *take_legacy(struct discovery *d, const char *path, const char *body, size_t size)
{
	if (str_eq(path, "/api")) {
		MetaV1APIVersions *core;
		TRY(json_decode(d->arena, &MetaV1APIVersions_schema, body, size, NULL, &core));
		ARENA_PUSH(d->arena, d->groups, d->n_groups) =
			(struct api_group){"", BORROW(core->versions), core->n_versions};
		for (size_t i = 0; i < core->n_versions; i++)
			take_legacy_version(d, "", core->versions[i]);
		return NULL;
	}
	MetaV1APIGroupList *list;
	TRY(json_decode(d->arena, &MetaV1APIGroupList_schema, body, size, NULL, &list));
	for (size_t i = 0; i < list->n_groups; i++) {
		const MetaV1APIGroup *g = list->groups[i];
		const char *preferred = g->preferred_version ? g->preferred_version->version : "";
		char **versions = NULL;
		size_t n = 0;
		if (!str_empty(preferred))
			ARENA_PUSH(d->arena, versions, n) = (char *)preferred;
		for (size_t j = 0; j < g->n_versions; j++)
			if (!str_eq(g->versions[j]->version, preferred))
				ARENA_PUSH(d->arena, versions, n) = g->versions[j]->version;
		ARENA_PUSH(d->arena, d->groups, d->n_groups) = (struct api_group){g->name, BORROW(versions), n};
		for (size_t j = 0; j < n; j++)
			take_legacy_version(d, g->name, versions[j]);
	}
	return NULL;
}

/* --- loading --- */

static struct status *take(struct discovery *d, const char *path, const char *body, size_t size, bool *ret_aggregated)
{
	char *kind = NULL;
	ApidiscoveryV2APIGroupDiscoveryList *list;
	struct json_options options = {.ret_kind = &kind};
	TRY(json_decode(d->arena, &ApidiscoveryV2APIGroupDiscoveryList_schema, body, size, &options, &list));
	*ret_aggregated = str_eq(kind, "APIGroupDiscoveryList");
	if (!*ret_aggregated)
		return take_legacy(d, path, body, size);
	take_aggregated(d, list);
	return NULL;
}

static struct status *load_part(struct discovery *d, const char *name)
{
	size_t size;
	bool aggregated = false;
	const char *path = arena_printf(d->arena, "/%s", name);
	char *cached = read_cache(d, d->arena, name, &size);
	if (cached) {
		d->from_cache = true;
		return take(d, path, cached, size, &aggregated);
	}
	struct http_header accept = {"Accept", (char *)accept_aggregated};
	struct client_request request = {.path = path, .headers = &accept, .n_headers = 1, .retry = true};
	struct client_response response;
	TRY(client_do(d->client, d->arena, &request, &response));
	TRY(status_wrap(take(d, path, response.body, response.body_size, &aggregated), "GET %s", path));
	if (aggregated)
		write_cache(d, d->arena, name, response.body, response.body_size);
	return NULL;
}

static struct status *load(struct discovery *d)
{
	if (d->loaded)
		return NULL;
	forget(d);
	d->arena = arena_new();
	TRY(load_part(d, "api"));
	TRY(load_part(d, "apis"));
	d->loaded = true;
	return NULL;
}

struct status *discovery_groups(
	struct discovery *d, const struct api_group **ret, size_t *ret_n, struct status **ret_partial)
{
	TRY(load(d));
	*ret = d->groups;
	*ret_n = d->n_groups;
	if (ret_partial)
		*ret_partial = !d->stale.len ? NULL
					     : status_new(STATUS_UNAVAILABLE,
						       "unable to retrieve the complete list of server APIs: %s",
						       d->stale.buf);
	return NULL;
}

struct status *discovery_resources(struct discovery *d, const struct api_resource *const **ret, size_t *ret_n)
{
	TRY(load(d));
	*ret = d->resources;
	*ret_n = d->n_resources;
	return NULL;
}

static const struct api_group *group_of(const struct discovery *d, const char *name)
{
	for (size_t i = 0; i < d->n_groups; i++)
		if (str_eq(d->groups[i].name, name))
			return &d->groups[i];
	return NULL;
}

/* The place of a version in its group: 0 is the preferred one. */
static size_t version_rank(const struct discovery *d, const struct api_resource *r)
{
	const struct api_group *g = group_of(d, r->rest.group);
	for (size_t i = 0; g && i < g->n_versions; i++)
		if (str_eq(g->versions[i], r->rest.version))
			return i;
	return SIZE_MAX;
}

/* Whether the same resource is served in a version that comes before this one. */
static bool has_better_version(const struct discovery *d, const struct api_resource *r)
{
	size_t rank = version_rank(d, r);
	for (size_t i = 0; rank && i < d->n_resources; i++) {
		const struct api_resource *other = d->resources[i];
		if (other != r && str_eq(other->rest.group, r->rest.group) &&
			str_eq(other->rest.plural, r->rest.plural) && version_rank(d, other) < rank)
			return true;
	}
	return false;
}

struct status *discovery_preferred_resources(struct discovery *d, const struct api_resource *const **ret, size_t *ret_n)
{
	const struct api_resource **list = NULL;
	size_t n = 0;
	TRY(load(d));
	for (size_t i = 0; i < d->n_resources; i++)
		if (!has_better_version(d, d->resources[i]))
			ARENA_PUSH(d->arena, list, n) = d->resources[i];
	*ret = list;
	*ret_n = n;
	return NULL;
}

/* --- names --- */

enum name_kind { BY_PLURAL, BY_SHORT_NAME, BY_SINGULAR, BY_KIND, N_NAME_KINDS };

static bool answers_to(const struct api_resource *r, enum name_kind kind, const char *name)
{
	switch (kind) {
	case BY_PLURAL:
		return !strcasecmp(r->rest.plural, name);
	case BY_SINGULAR:
		return !strcasecmp(r->singular, name);
	case BY_KIND:
		return !strcasecmp(r->kind, name);
	default:
		for (size_t i = 0; i < r->n_short_names; i++)
			if (!strcasecmp(r->short_names[i], name))
				return true;
		return false;
	}
}

enum group_match { GROUP_ANY, GROUP_EXACT, GROUP_PREFIX };

static bool group_fits(const struct api_resource *r, enum group_match match, const char *group)
{
	switch (match) {
	case GROUP_EXACT:
		return str_eq(r->rest.group, group);
	case GROUP_PREFIX:
		return str_starts_with(r->rest.group, group);
	default:
		return true;
	}
}

/* The best resource: full names before short ones, then the order of groups, then that of versions. version NULL: any.
 */
static const struct api_resource *look_up(
	const struct discovery *d, const char *name, const char *version, const char *group, enum group_match match)
{
	for (enum name_kind kind = 0; kind < N_NAME_KINDS; kind++) {
		const struct api_resource *best = NULL;
		for (size_t i = 0; i < d->n_resources; i++) {
			const struct api_resource *r = d->resources[i];
			if (!answers_to(r, kind, name) || !group_fits(r, match, group) ||
				(version && !str_eq(version, r->rest.version)))
				continue;
			if (!best ||
				(str_eq(best->rest.group, r->rest.group) && version_rank(d, r) < version_rank(d, best)))
				best = r;
		}
		if (best)
			return best;
	}
	return NULL;
}

static const struct api_resource *look_up_text(struct discovery *d, const char *text)
{
	const char *dot = strchr(text, '.');
	if (!dot)
		return look_up(d, text, NULL, NULL, GROUP_ANY);
	const char *name = arena_strndup(d->arena, text, (size_t)(dot - text));
	const char *second = strchr(dot + 1, '.');
	const struct api_resource *found = NULL;
	/* resource.version.group; the core group's is empty: "pods.v1." */
	if (second)
		found = look_up(
			d, name, arena_strndup(d->arena, dot + 1, (size_t)(second - dot - 1)), second + 1, GROUP_EXACT);
	if (!found)
		found = look_up(d, name, NULL, dot + 1, GROUP_EXACT);
	if (!found && dot[1])
		found = look_up(d, name, NULL, dot + 1, GROUP_PREFIX);
	if (!found && !second && dot[1])
		found = look_up(d, name, dot + 1, "", GROUP_EXACT); /* pods.v1 */
	return found;
}

/* A miss in what the disk remembered is asked of the server once. */
static struct status *load_again(struct discovery *d)
{
	discovery_invalidate(d);
	return load(d);
}

struct status *discovery_find(struct discovery *d, const char *text, const struct api_resource **ret)
{
	TRY(load(d));
	const struct api_resource *found = look_up_text(d, text);
	if (!found && d->from_cache) {
		TRY(load_again(d));
		found = look_up_text(d, text);
	}
	if (!found)
		return status_new(STATUS_NOT_FOUND, "the server doesn't have a resource type \"%s\"", text);
	*ret = found;
	return NULL;
}

static const struct api_resource *look_up_kind(
	const struct discovery *d, const char *group, const char *version, const char *kind)
{
	for (size_t i = 0; i < d->n_resources; i++) {
		const struct api_resource *r = d->resources[i];
		if (str_eq(r->rest.group, group) && str_eq(r->rest.version, version) && str_eq(r->kind, kind))
			return r;
	}
	return NULL;
}

struct status *discovery_find_kind(
	struct discovery *d, const char *api_version, const char *kind, const struct api_resource **ret)
{
	char *group, *version;
	TRY(load(d));
	schema_split_api_version(d->arena, api_version, &group, &version);
	const struct api_resource *found = look_up_kind(d, group, version, kind);
	if (!found && d->from_cache) {
		TRY(load_again(d));
		schema_split_api_version(d->arena, api_version, &group, &version);
		found = look_up_kind(d, group, version, kind);
	}
	if (!found)
		return status_new(STATUS_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"", kind, api_version);
	*ret = found;
	return NULL;
}

struct status *discovery_category(
	struct discovery *d, const char *category, const struct api_resource *const **ret, size_t *ret_n)
{
	const struct api_resource **list = NULL;
	size_t n = 0;
	TRY(load(d));
	for (size_t i = 0; i < d->n_resources; i++) {
		const struct api_resource *r = d->resources[i];
		if (str_in_n(category, (char *const *)r->categories, r->n_categories) && !has_better_version(d, r))
			ARENA_PUSH(d->arena, list, n) = r;
	}
	*ret = list;
	*ret_n = n;
	return NULL;
}

bool api_resource_has_verb(const struct api_resource *r, const char *verb)
{
	return str_in_n(verb, (char *const *)r->verbs, r->n_verbs);
}

char *api_resource_group_version(struct arena *arena, const struct api_resource *r)
{
	return group_version_of(arena, r->rest.group, r->rest.version);
}
