/*
 * Discovery out of the schema: /api, /apis, /apis/GROUP, the resource lists of each version, and the aggregated form
 * that a client asks for with as=APIGroupDiscoveryList.
 */
#include <stdlib.h>
#include "api/json.h"
#include "api/protobuf.h"
#include "api/yaml.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/paths.h"
#include "apiserver/http/route.h"
#include "base/encode.h"
#include "pki/pki.h"

/* The original's order of groups; the versions of a group stand in their order of preference. */
static const struct {
	const char *group;
	const char *versions[4];
} order[] = {
	{"", {"v1"}},
	{"apiregistration.k8s.io", {"v1"}},
	{"apps", {"v1"}},
	{"events.k8s.io", {"v1"}},
	{"authentication.k8s.io", {"v1"}},
	{"authorization.k8s.io", {"v1"}},
	{"autoscaling", {"v2", "v1"}},
	{"batch", {"v1"}},
	{"certificates.k8s.io", {"v1"}},
	{"networking.k8s.io", {"v1"}},
	{"policy", {"v1"}},
	{"rbac.authorization.k8s.io", {"v1"}},
	{"storage.k8s.io", {"v1"}},
	{"admissionregistration.k8s.io", {"v1"}},
	{"apiextensions.k8s.io", {"v1"}},
	{"scheduling.k8s.io", {"v1"}},
	{"coordination.k8s.io", {"v1"}},
	{"node.k8s.io", {"v1"}},
	{"discovery.k8s.io", {"v1"}},
	{"resource.k8s.io", {"v1"}},
	{"flowcontrol.apiserver.k8s.io", {"v1"}},
};

static char *text(struct arena *arena, const char *s)
{
	return arena_strdup(arena, s);
}

static void push_strings(struct arena *arena, const char *const *from, char ***to, size_t *n)
{
	for (size_t i = 0; from && from[i]; i++)
		ARENA_PUSH(arena, *to, *n) = text(arena, from[i]);
}

static void set_verbs(struct arena *arena, const char *const *verbs, MetaV1Verbs **ret_verbs)
{
	*ret_verbs = API_NEW(arena, MetaV1Verbs);
	push_strings(arena, verbs, &(*ret_verbs)->items, &(*ret_verbs)->n_items);
}

/* The type of a subresource that is no kind of the resource's own group; else NULL. */
static const struct schema_type *foreign_type(const struct schema_resource *r, const struct schema_subresource *s)
{
	const struct schema_type *type = subresource_type(r, s);
	return type && (strcmp(type->group, r->type->group) != 0 || str_eq(s->kind, "Scale")) ? type : NULL;
}

static void add_subresource(struct arena *arena, const struct schema_resource *r, const struct schema_subresource *s,
	MetaV1APIResourceList *list)
{
	MetaV1APIResource *out = API_NEW(arena, MetaV1APIResource);
	out->name = arena_printf(arena, "%s/%s", r->plural, s->name);
	out->namespaced = r->namespaced;
	out->kind = text(arena, s->kind);
	set_verbs(arena, s->verbs, &out->verbs);
	const struct schema_type *type = foreign_type(r, s);
	if (type) {
		out->group = text(arena, type->group);
		out->version = text(arena, type->version);
	}
	ARENA_PUSH(arena, list->resources, list->n_resources) = out;
}

/* The versions that the original stores objects of a group, or of one kind, in, where they are not those that it
 * serves: what it tells of them is the same from both. */
static const char *storage_version(const struct schema_type *type, const char *group)
{
	static const struct {
		const char *group, *kind, *version;
	} others[] = {{"autoscaling", NULL, "v2"}, {"resource.k8s.io", NULL, "v1beta2"},
		{"apiextensions.k8s.io", NULL, "v1beta1"}, {"storage.k8s.io", "VolumeAttributesClass", "v1beta1"}};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_eq(others[i].group, group) && (!others[i].kind || str_eq(others[i].kind, type->kind)))
			return others[i].version;
	return type->version;
}

/* Tells storage versions apart: eight bytes of the digest of what is stored. */
static char *storage_hash(struct arena *arena, const struct schema_resource *r)
{
	uint8_t digest[32];
	if (!str_in("list", r->verbs) || !str_in("create", r->verbs))
		return text(arena, "");
	bool events = str_eq(r->plural, "events");
	const char *group = events ? "" : r->type->group;
	const char *kind = arena_printf(arena, "%s/%s/%s", group, storage_version(r->type, group), r->type->kind);
	pki_sha256(kind, strlen(kind), digest);
	return base64_encode(arena, digest, 8);
}

static void add_resource(struct arena *arena, const struct schema_resource *r, MetaV1APIResourceList *list)
{
	MetaV1APIResource *out = API_NEW(arena, MetaV1APIResource);
	out->name = text(arena, r->plural);
	out->singular_name = text(arena, r->singular);
	out->namespaced = r->namespaced;
	out->kind = text(arena, r->type->kind);
	set_verbs(arena, r->verbs, &out->verbs);
	push_strings(arena, r->short_names, &out->short_names, &out->n_short_names);
	push_strings(arena, r->categories, &out->categories, &out->n_categories);
	out->storage_version_hash = storage_hash(arena, r);
	ARENA_PUSH(arena, list->resources, list->n_resources) = out;
	for (size_t i = 0; i < r->n_subresources; i++)
		add_subresource(arena, r, &r->subresources[i], list);
}

static ProtobufCMessage *resource_list(
	struct arena *arena, const struct served *served, const char *group, const char *version)
{
	MetaV1APIResourceList *list = API_NEW(arena, MetaV1APIResourceList);
	list->group_version = schema_group_version(arena, group, version);
	SERVED_FOREACH(served, r)
	if (str_eq(r->type->group, group) && str_eq(r->type->version, version))
		add_resource(arena, r, list);
	return &list->base;
}

static MetaV1APIGroup *group_of(struct arena *arena, const struct served *served, size_t i)
{
	MetaV1APIGroup *group = API_NEW(arena, MetaV1APIGroup);
	group->name = text(arena, order[i].group);
	for (size_t v = 0; order[i].versions[v]; v++) {
		if (!served_version(served, order[i].group, order[i].versions[v]))
			continue;
		MetaV1GroupVersionForDiscovery *version = API_NEW(arena, MetaV1GroupVersionForDiscovery);
		version->group_version = schema_group_version(arena, order[i].group, order[i].versions[v]);
		version->version = text(arena, order[i].versions[v]);
		ARENA_PUSH(arena, group->versions, group->n_versions) = version;
	}
	group->preferred_version = group->versions[0];
	return group;
}

/* --- aggregated --- */

static MetaV1GroupVersionKind *kind_of(struct arena *arena, const char *group, const char *version, const char *kind)
{
	MetaV1GroupVersionKind *out = API_NEW(arena, MetaV1GroupVersionKind);
	out->group = text(arena, group);
	out->version = text(arena, version);
	out->kind = text(arena, kind);
	return out;
}

static ApidiscoveryV2APISubresourceDiscovery *aggregated_subresource(
	struct arena *arena, const struct schema_resource *r, const struct schema_subresource *s)
{
	ApidiscoveryV2APISubresourceDiscovery *out = API_NEW(arena, ApidiscoveryV2APISubresourceDiscovery);
	out->subresource = text(arena, s->name);
	const struct schema_type *type = foreign_type(r, s);
	out->response_kind = kind_of(arena, type ? type->group : "", type ? type->version : "", s->kind);
	push_strings(arena, s->verbs, &out->verbs, &out->n_verbs);
	return out;
}

static ApidiscoveryV2APIResourceDiscovery *aggregated_resource(struct arena *arena, const struct schema_resource *r)
{
	ApidiscoveryV2APIResourceDiscovery *out = API_NEW(arena, ApidiscoveryV2APIResourceDiscovery);
	out->resource = text(arena, r->plural);
	out->response_kind = kind_of(arena, "", "", r->type->kind);
	out->scope = text(arena, r->namespaced ? "Namespaced" : "Cluster");
	out->singular_resource = text(arena, r->singular);
	push_strings(arena, r->verbs, &out->verbs, &out->n_verbs);
	push_strings(arena, r->short_names, &out->short_names, &out->n_short_names);
	push_strings(arena, r->categories, &out->categories, &out->n_categories);
	for (size_t i = 0; i < r->n_subresources; i++)
		ARENA_PUSH(arena, out->subresources, out->n_subresources) =
			aggregated_subresource(arena, r, &r->subresources[i]);
	return out;
}

static ApidiscoveryV2APIGroupDiscovery *aggregated_group(struct arena *arena, const struct served *served, size_t i)
{
	ApidiscoveryV2APIGroupDiscovery *group = API_NEW(arena, ApidiscoveryV2APIGroupDiscovery);
	group->metadata = API_NEW(arena, MetaV1ObjectMeta);
	group->metadata->name = text(arena, order[i].group);
	for (size_t v = 0; order[i].versions[v]; v++) {
		ApidiscoveryV2APIVersionDiscovery *version = API_NEW(arena, ApidiscoveryV2APIVersionDiscovery);
		version->version = text(arena, order[i].versions[v]);
		version->freshness = text(arena, "Current");
		SERVED_FOREACH(served, r)
		if (str_eq(r->type->group, order[i].group) && str_eq(r->type->version, order[i].versions[v]))
			ARENA_PUSH(arena, version->resources, version->n_resources) = aggregated_resource(arena, r);
		if (version->n_resources)
			ARENA_PUSH(arena, group->versions, group->n_versions) = version;
	}
	return group;
}

#define DISCOVERY_LIST "APIGroupDiscoveryList"
#define DISCOVERY_GROUP "apidiscovery.k8s.io"

/* Its first form, v2beta1, is no longer served. */
static bool wants_aggregated(struct exchange *exchange, enum media *ret_media)
{
	return accept_as(
		exchange->arena, exchange_header(exchange, "Accept"), DISCOVERY_LIST, DISCOVERY_GROUP, "v2", ret_media);
}

/* Its tag is the digest of what it says in JSON: nothing else makes it change. */
static void answer_tagged(struct exchange *exchange, enum media media, const struct strbuf *json, struct strbuf *body)
{
	const char *type =
		arena_printf(exchange->arena, "%s;g=" DISCOVERY_GROUP ";v=v2;as=" DISCOVERY_LIST, media_name(media));
	uint8_t digest[32];
	CLEANUP(strbuf_done) struct strbuf tag = STRBUF_INIT;
	pki_sha256(json->buf, json->len, digest);
	strbuf_addc(&tag, '"');
	for (size_t i = 0; i < sizeof(digest); i++)
		strbuf_printf(&tag, "%02X", digest[i]);
	strbuf_addc(&tag, '"');
	reply_header(exchange, "ETag", tag.buf);
	reply_header(exchange, "Vary", "Accept");
	reply_header(exchange, "Cache-Control", "public");
	if (str_eq(exchange_header(exchange, "If-None-Match"), tag.buf))
		reply_bytes(exchange, 304, type, "", 0);
	else
		reply_strbuf(exchange, 200, type, body);
}

static void answer_aggregated(struct exchange *exchange, const struct served *served, bool core, enum media media)
{
	static const char version[] = DISCOVERY_GROUP "/v2";
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	struct arena *arena = exchange->arena;
	ApidiscoveryV2APIGroupDiscoveryList *list = API_NEW(arena, ApidiscoveryV2APIGroupDiscoveryList);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (!*order[i].group == core && served_group(served, order[i].group))
			ARENA_PUSH(arena, list->items, list->n_items) = aggregated_group(arena, served, i);
	struct accept accept;
	status_drop(accept_parse(exchange, SHAPES_NONE, &accept), "what it asks for is known");
	json_encode_as(&json, list, version, DISCOVERY_LIST, JSON_NEWLINE);
	if (media == MEDIA_PROTOBUF)
		protobuf_encode_as(&body, list, version, DISCOVERY_LIST);
	else if (media == MEDIA_YAML)
		yaml_encode(&body, list);
	else
		json_encode_as(&body, list, version, DISCOVERY_LIST, json_form(accept.pretty));
	answer_tagged(exchange, media, &json, &body);
}

/* What is told of the core group has a kind and no apiVersion. */
static bool is_core(const ProtobufCMessage *object)
{
	return API_IS(object, MetaV1APIVersions) ||
	       (API_IS(object, MetaV1APIResourceList) &&
		       str_eq(((const MetaV1APIResourceList *)object)->group_version, "v1"));
}

static struct status *answer(struct exchange *exchange, const ProtobufCMessage *object)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	const struct schema_type *type = schema_of(object);
	const char *version = is_core(object) ? NULL : type->api_version;
	struct accept accept;
	/* Groups are no route's of the original. */
	if (!API_IS(object, MetaV1APIGroup) && !API_IS(object, MetaV1APIGroupList))
		TRY(accept_route(exchange->arena, exchange_header(exchange, "Accept"), false));
	TRY(accept_parse(exchange, SHAPES_NONE, &accept));
	if (accept.media == MEDIA_PROTOBUF)
		protobuf_encode_as(&body, object, str_or_empty(version), type->kind);
	else if (accept.media == MEDIA_YAML)
		yaml_encode_as(&body, object, version, type->kind);
	else
		json_encode_as(&body, object, version, type->kind, json_form(accept.pretty));
	reply_strbuf(exchange, 200, media_name(accept.media), &body);
	return NULL;
}

static ProtobufCMessage *core_versions(struct exchange *exchange, const char *server_address)
{
	MetaV1APIVersions *versions = API_NEW(exchange->arena, MetaV1APIVersions);
	ARENA_PUSH(exchange->arena, versions->versions, versions->n_versions) = text(exchange->arena, "v1");
	MetaV1ServerAddressByClientCIDR *address = API_NEW(exchange->arena, MetaV1ServerAddressByClientCIDR);
	address->client_cidr = text(exchange->arena, "0.0.0.0/0");
	address->server_address = text(exchange->arena, server_address);
	ARENA_PUSH(exchange->arena, versions->server_address_by_client_cidrs,
		versions->n_server_address_by_client_cidrs) = address;
	return &versions->base;
}

static struct status *answer_groups(struct exchange *exchange, const struct served *served)
{
	MetaV1APIGroupList *list = API_NEW(exchange->arena, MetaV1APIGroupList);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (*order[i].group && served_group(served, order[i].group))
			ARENA_PUSH(exchange->arena, list->groups, list->n_groups) =
				group_of(exchange->arena, served, i);
	return answer(exchange, &list->base);
}

static bool find_group(const struct served *served, const char *group, size_t *ret_index)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (str_eq(order[i].group, group) && served_group(served, group)) {
			*ret_index = i;
			return true;
		}
	return false;
}

bool discovery_respond(
	struct exchange *exchange, const struct served *served, const char *server_address, struct status **ret_status)
{
	char **p;
	size_t n = 0, parts = str_split(exchange->arena, exchange->path, '/', &p), group;
	enum media media;
	for (size_t i = 0; i < parts; i++)
		if (*p[i])
			p[n++] = p[i];
	*ret_status = NULL;
	if (n == 0)
		return false;
	bool core = str_eq(p[0], "api");
	if (!core && !str_eq(p[0], "apis"))
		return false;
	bool known = core || (n >= 2 && find_group(served, p[1], &group));
	bool told = core ? n == 1 || (n == 2 && str_eq(p[1], "v1"))
			 : n == 2 || (n == 3 && known && served_version(served, p[1], p[2]));
	if (str_starts_with(exchange->path, "//"))
		return false;
	/* What a group has is told to whoever asks, in whatever way. */
	const bool only_got = told && (core || (known && n == 3));
	if (only_got && !str_eq(exchange->method, "GET"))
		*ret_status = status_not_allowed();
	else if (n == 1 && wants_aggregated(exchange, &media))
		answer_aggregated(exchange, served, core, media);
	else if (n == 1)
		*ret_status = core ? answer(exchange, core_versions(exchange, server_address))
				   : answer_groups(exchange, served);
	else if (core && n == 2 && str_eq(p[1], "v1"))
		*ret_status = answer(exchange, resource_list(exchange->arena, served, "", "v1"));
	else if (!core && n == 2 && find_group(served, p[1], &group))
		*ret_status = answer(exchange, &group_of(exchange->arena, served, group)->base);
	else if (!core && n == 3 && find_group(served, p[1], &group) && served_version(served, p[1], p[2]))
		*ret_status = answer(exchange, resource_list(exchange->arena, served, p[1], p[2]));
	else if (known)
		*ret_status = status_unknown_path();
	else
		return false;
	return true;
}
