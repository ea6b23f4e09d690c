/* Paths: what is no resource (discovery, version, keys), and what documents hold which paths. */
#include <ctype.h>
#include <stdlib.h>
#include "api/types.h"
#include "apiserver/openapi/document.h"

static const char *const discovery_media[] = {
	"application/json", "application/yaml", "application/vnd.kubernetes.protobuf", NULL};
static const char *const json_media[] = {"application/json", NULL};
static const char *const keys_media[] = {"application/jwk-set+json", NULL};
static const char *const nothing[] = {NULL};

struct oa_path *oa_path_add(struct oa_paths *paths, const char *path)
{
	ARENA_PUSH(paths->arena, paths->items, paths->n) = (struct oa_path){.path = path};
	return &paths->items[paths->n - 1];
}

struct oa_operation *oa_operation_add(struct oa_paths *paths, struct oa_path *path, const char *method)
{
	struct oa_operation *o = ARENA_NEW(paths->arena, struct oa_operation);
	o->method = method;
	path->operations[path->n_operations++] = o;
	return o;
}

/* Letters and digits; what follows another character, and the first on demand, is a capital. */
static void add_camel(struct strbuf *out, const char *s, bool capital)
{
	for (size_t i = 0; s[i]; i++) {
		if (!isalpha((unsigned char)s[i]) && s[i] != '_' && !(i && isdigit((unsigned char)s[i]))) {
			capital = true;
			continue;
		}
		strbuf_addc(out, (char)(capital ? toupper((unsigned char)s[i]) : s[i]));
		capital = false;
	}
}

static void add_group(struct strbuf *out, const char *group, bool capital)
{
	static const char suffix[] = ".k8s.io";
	size_t len = strlen(group);
	if (str_ends_with(group, suffix))
		len -= sizeof(suffix) - 1;
	CLEANUP_FREE char *trimmed = strndup(group, len);
	add_camel(out, str_or(trimmed, "core"), capital);
}

static const char *taken(struct arena *arena, const struct strbuf *text)
{
	return arena_strndup(arena, text->buf, text->len);
}

const char *oa_id_part(struct arena *arena, const char *group, const char *version)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_group(&out, group, true);
	add_camel(&out, version, true);
	return taken(arena, &out);
}

const char *oa_tag(struct arena *arena, const char *group, const char *version)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_group(&out, group, false);
	if (*version) {
		strbuf_addc(&out, '_');
		add_camel(&out, version, false);
	}
	return taken(arena, &out);
}

/* --- paths that answer one thing --- */

static void add_root(struct oa_paths *paths, const char *path, const struct oa_operation *what)
{
	struct oa_path *p = oa_path_add(paths, path);
	struct oa_operation *o = oa_operation_add(paths, p, "get");
	*o = *what;
	o->method = "get";
	if (!o->consumes)
		o->consumes = discovery_media;
	if (!o->produces)
		o->produces = discovery_media;
}

static void add_group_root(struct oa_paths *paths, const char *group)
{
	struct arena *arena = paths->arena;
	add_root(paths, arena_printf(arena, "/apis/%s/", group),
		&(struct oa_operation){.id = arena_printf(arena, "get%sAPIGroup", oa_id_part(arena, group, "")),
			.tag = oa_tag(arena, group, ""),
			.doc = "Tells the versions of the group, and which one to choose.",
			.answer = &MetaV1APIGroup_schema});
}

static void add_version_root(struct oa_paths *paths, const char *group, const char *version)
{
	struct arena *arena = paths->arena;
	const char *path =
		*group ? arena_printf(arena, "/apis/%s/%s/", group, version) : arena_printf(arena, "/api/%s/", version);
	add_root(paths, path,
		&(struct oa_operation){
			.id = arena_printf(arena, "get%sAPIResources", oa_id_part(arena, group, version)),
			.tag = oa_tag(arena, group, version),
			.doc = "Lists the resources of this group and version.",
			.answer = &MetaV1APIResourceList_schema});
}

static const struct {
	const char *name;
	struct oa_operation operation;
} roots[] = {
	{".well-known/openid-configuration",
		{.id = "getServiceAccountIssuerOpenIDConfiguration",
			.tag = "WellKnown",
			.doc = "Tells who issues the tokens of service accounts, as OpenID discovery has it.",
			.consumes = nothing,
			.produces = json_media}},
	{"api", {.id = "getCoreAPIVersions",
			.tag = "core",
			.doc = "Lists the versions of the group without a name.",
			.answer = &MetaV1APIVersions_schema}},
	{"apis", {.id = "getAPIVersions",
			 .tag = "apis",
			 .doc = "Lists the API groups and their versions.",
			 .answer = &MetaV1APIGroupList_schema}},
	{"openid/v1/jwks", {.id = "getServiceAccountIssuerOpenIDKeyset",
				   .tag = "openid",
				   .doc = "Gives the public keys that tokens of service accounts are verified with.",
				   .consumes = nothing,
				   .produces = keys_media}},
	{"version", {.id = "getCodeVersion",
			    .tag = "version",
			    .doc = "Tells which release the server is.",
			    .consumes = json_media,
			    .produces = json_media,
			    .answer = &VersionInfo_schema}},
};

/* --- documents --- */

static const char *document_of(struct arena *arena, const struct schema_type *type)
{
	return *type->group ? arena_printf(arena, "apis/%s/%s", type->group, type->version)
			    : arena_printf(arena, "api/%s", type->version);
}

static void add_name(struct arena *arena, char ***names, size_t *n, const char *name)
{
	if (!str_in_n(name, *names, *n))
		ARENA_PUSH(arena, *names, *n) = arena_strdup(arena, name);
}

char **document_names(struct arena *arena, const struct served *served, size_t *ret_n)
{
	char **names = NULL;
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		add_name(arena, &names, &n, roots[i].name);
	SERVED_FOREACH(served, r)
	{
		add_name(arena, &names, &n, document_of(arena, r->type));
		if (*r->type->group)
			add_name(arena, &names, &n, arena_printf(arena, "apis/%s", r->type->group));
	}
	qsort(names, n, sizeof(*names), str_cmp_qsort);
	*ret_n = n;
	return names;
}

/* Whether what belongs to one document is wanted. */
static bool wants(const char *name, const char *document)
{
	return !name || str_eq(name, document);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct oa_path *)a)->path, ((const struct oa_path *)b)->path);
}

struct oa_paths document_paths(struct arena *arena, const struct served *served, const char *name)
{
	struct oa_paths paths = {.arena = arena};
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (wants(name, roots[i].name))
			add_root(&paths, arena_printf(arena, "/%s/", roots[i].name), &roots[i].operation);
	SERVED_FOREACH(served, r)
	{
		const char *group = r->type->group, *document = document_of(arena, r->type);
		const char *parent = arena_printf(arena, "apis/%s", group);
		if (*group && wants(name, parent) && strmap_put(seen, parent, seen))
			add_group_root(&paths, group);
		if (!wants(name, document))
			continue;
		if (strmap_put(seen, document, seen))
			add_version_root(&paths, group, r->type->version);
		resource_operations(&paths, r);
	}
	for (size_t i = 0; i < paths.n; i++)
		oa_path_settle(&paths, &paths.items[i]);
	qsort(paths.items, paths.n, sizeof(*paths.items), by_path);
	return paths;
}
