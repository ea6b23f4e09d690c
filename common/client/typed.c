#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/patch.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "client/internal.h"

const struct client_resource *client_resource_of(struct client *client, const struct schema_type *type)
{
	const struct schema_resource *r = type->resource;
	if (!r)
		return NULL;
	pthread_mutex_lock(&client->lock);
	struct client_resource *resource = strmap_get(client->resources, type->name);
	if (!resource) {
		resource = ARENA_NEW(client->arena, struct client_resource);
		*resource = (struct client_resource){type->group, type->version, r->plural, r->namespaced};
		strmap_put(client->resources, type->name, resource);
	}
	pthread_mutex_unlock(&client->lock);
	return resource;
}

/* The same by value, for the calls of this file. */
static struct client_resource resource_of(const struct schema_type *type)
{
	const struct schema_resource *r = type->resource;
	return (struct client_resource){
		str_or_empty(type->group), type->version, r ? r->plural : NULL, r ? r->namespaced : false};
}

static void add_segment(struct strbuf *path, const char *segment)
{
	strbuf_addc(path, '/');
	url_escape_path(path, segment);
}

char *client_path(struct arena *arena, const struct client_resource *resource, const char *namespace, const char *name,
	const char *subresource)
{
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;
	if (str_empty(resource->group))
		strbuf_printf(&path, "/api/%s", resource->version);
	else
		strbuf_printf(&path, "/apis/%s/%s", resource->group, resource->version);
	if (resource->namespaced && !str_empty(namespace)) {
		strbuf_adds(&path, "/namespaces");
		add_segment(&path, namespace);
	}
	add_segment(&path, resource->plural);
	if (!str_empty(name)) {
		add_segment(&path, name);
		if (!str_empty(subresource)) {
			strbuf_addc(&path, '/');
			url_escape_path(&path, subresource);
		}
	}
	return arena_strndup(arena, path.buf, path.len);
}

char *client_accept(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, bool list)
{
	(void)resource;
	if (type == &MetaV1PartialObjectMetadata_schema) {
		const char *as =
			arena_printf(arena, ";as=PartialObjectMetadata%s;g=meta.k8s.io;v=v1", list ? "List" : "");
		return client->config.json ? arena_printf(arena, "application/json%s", as)
					   : arena_printf(arena, PROTOBUF_CONTENT_TYPE "%s,application/json%s", as, as);
	}
	return arena_strdup(
		arena, client->config.json ? "application/json" : PROTOBUF_CONTENT_TYPE ",application/json");
}

struct status *client_decode(struct arena *arena, const struct schema_type *type, const char *content_type,
	const void *body, size_t size, void *ret_msg)
{
	(void)content_type;
	if (protobuf_has_magic(body, size))
		return protobuf_decode(arena, type, body, size, ret_msg);
	return json_decode(arena, type, body, size, NULL, ret_msg);
}

/* One request about one object or collection. */
struct call {
	const char *method;
	struct client_resource resource;
	const char *namespace, *name, *subresource, *query;
	const struct schema_type *ret_type;
	bool list;
	const void *body_msg; /* typed; or the bytes: */
	const void *body;
	size_t body_size;
	const char *content_type;
	bool retry;
};

static struct status *check_call(const struct call *c)
{
	if (!c->resource.plural)
		return status_bad_request("this kind is not served by any resource");
	if (c->resource.namespaced && !c->list && str_empty(c->namespace))
		return status_bad_request("an empty namespace may not be set when a resource name is provided");
	return NULL;
}

static bool is_safe_segment(const char *s)
{
	return !s || (!str_eq(s, ".") && !str_eq(s, "..") && !strchr(s, '/') && !strchr(s, '%'));
}

static struct status *perform(struct client *client, struct arena *arena, const struct call *c, void *ret_msg)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	TRY(check_call(c));
	if (!is_safe_segment(c->name) || !is_safe_segment(c->namespace))
		return status_bad_request(
			"invalid resource name \"%s\"", is_safe_segment(c->name) ? c->namespace : c->name);
	struct http_header accept = {"Accept", client_accept(client, arena, &c->resource, c->ret_type, c->list)};
	struct client_request request = {.method = c->method,
		.path = client_path(arena, &c->resource, c->namespace, c->name, c->subresource),
		.query = c->query,
		.headers = &accept,
		.n_headers = 1,
		.body = c->body,
		.body_size = c->body_size,
		.content_type = c->content_type,
		.retry = c->retry};
	if (c->body_msg) {
		if (client->config.json)
			json_encode(&body, c->body_msg, 0);
		else
			protobuf_encode(&body, c->body_msg);
		request.body = body.buf;
		request.body_size = body.len;
		request.content_type = client->config.json ? "application/json" : PROTOBUF_CONTENT_TYPE;
	}
	struct client_response response;
	TRY(client_do(client, arena, &request, &response));
	if (!ret_msg)
		return NULL;
	return status_wrap(client_decode(arena, c->ret_type, NULL, response.body, response.body_size, ret_msg), "%s %s",
		c->method, request.path);
}

struct status *client_get_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const char *name, void *ret_msg)
{
	struct call c = {.method = "GET",
		.resource = *resource,
		.namespace = namespace,
		.name = name,
		.ret_type = type,
		.retry = true};
	if (str_empty(name))
		return status_bad_request("resource name may not be empty");
	return perform(client, arena, &c, ret_msg);
}

struct status *client_get(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, void *ret_msg)
{
	struct client_resource resource = resource_of(type);
	return client_get_as(client, arena, &resource, type, namespace, name, ret_msg);
}

void client_list_query(struct strbuf *query, const struct client_list_options *o)
{
	query_add(query, "labelSelector", str_empty(o->label_selector) ? NULL : o->label_selector);
	query_add(query, "fieldSelector", str_empty(o->field_selector) ? NULL : o->field_selector);
	query_add(query, "resourceVersion", str_empty(o->resource_version) ? NULL : o->resource_version);
	query_add(
		query, "resourceVersionMatch", str_empty(o->resource_version_match) ? NULL : o->resource_version_match);
	if (o->limit > 0)
		query_add_int(query, "limit", o->limit);
	query_add(query, "continue", str_empty(o->continue_) ? NULL : o->continue_);
}

static struct status *list_page(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *list_type, const struct schema_type *type, const char *namespace,
	const struct client_list_options *options, struct client_list *ret)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	client_list_query(&query, options);
	struct call c = {.method = "GET",
		.resource = *resource,
		.namespace = namespace,
		.query = query.buf,
		.ret_type = list_type,
		.list = true,
		.retry = true};
	void *list;
	TRY(check_call(&c));
	if (type == &MetaV1PartialObjectMetadata_schema)
		c.ret_type = type; /* for the Accept header; the answer is decoded below */
	struct http_header accept = {"Accept", client_accept(client, arena, resource, c.ret_type, true)};
	struct client_request request = {.path = client_path(arena, resource, namespace, NULL, NULL),
		.query = query.buf,
		.headers = &accept,
		.n_headers = 1,
		.retry = true};
	struct client_response response;
	TRY(client_do(client, arena, &request, &response));
	TRY(status_wrap(client_decode(arena, list_type, NULL, response.body, response.body_size, &list), "GET %s",
		request.path));
	const MetaV1ListMeta *meta = object_list_meta(list);
	ret->resource_version = arena_strdup(arena, meta ? str_or_empty(meta->resource_version) : "");
	ret->continue_ = arena_strdup(arena, meta ? str_or_empty(meta->continue_) : "");
	ret->remaining = meta && meta->has_remaining_item_count ? meta->remaining_item_count : 0;
	void **items;
	size_t n = list_items(list, &items);
	if (!ret->n_items) {
		ret->items = items;
		ret->n_items = n;
		return NULL;
	}
	void **joined = ARENA_ARRAY(arena, void *, ret->n_items + n);
	memcpy(joined, ret->items, ret->n_items * sizeof(*joined));
	if (n)
		memcpy(joined + ret->n_items, items, n * sizeof(*joined));
	ret->items = joined;
	ret->n_items += n;
	return NULL;
}

struct status *client_list_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const struct client_list_options *options,
	struct client_list *ret)
{
	struct client_list_options page = options ? *options : (struct client_list_options){0};
	const struct schema_type *list_type = schema_list_of(type);
	if (!list_type)
		return status_bad_request("%s has no list", type->kind);
	*ret = (struct client_list){.resource_version = "", .continue_ = ""};
	bool paged = !page.one_page && !page.limit && !str_eq(page.resource_version, "0");
	if (paged)
		page.limit = CLIENT_PAGE_ITEMS;
	for (;;) {
		struct status *error = list_page(client, arena, resource, list_type, type, namespace, &page, ret);
		if (status_is(error, STATUS_EXPIRED) && !str_empty(page.continue_) && !page.one_page) {
			/* The pages have become too old: all at once, from the start. */
			status_drop(error, "listed again without pages");
			page.continue_ = NULL;
			page.limit = 0;
			*ret = (struct client_list){.resource_version = "", .continue_ = ""};
			continue;
		}
		if (error)
			return error;
		if (page.one_page || str_empty(ret->continue_))
			return NULL;
		/* The token says from which version on. */
		page.continue_ = ret->continue_;
		page.resource_version = page.resource_version_match = NULL;
	}
}

struct status *client_list(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const struct client_list_options *options, struct client_list *ret)
{
	struct client_resource resource = resource_of(type);
	return client_list_as(client, arena, &resource, type, namespace, options, ret);
}

struct status *client_create(struct client *client, struct arena *arena, const void *msg, void *ret_msg)
{
	const struct schema_type *type = schema_of(msg);
	struct call c = {.method = "POST",
		.resource = resource_of(type),
		.namespace = object_namespace(msg),
		.ret_type = type,
		.body_msg = msg};
	return perform(client, arena, &c, ret_msg);
}

struct status *client_update_subresource(
	struct client *client, struct arena *arena, const char *subresource, const void *msg, void *ret_msg)
{
	const struct schema_type *type = schema_of(msg);
	struct call c = {.method = "PUT",
		.resource = resource_of(type),
		.namespace = object_namespace(msg),
		.name = object_name(msg),
		.subresource = subresource,
		.ret_type = type,
		.body_msg = msg};
	if (str_empty(c.name))
		return status_bad_request("resource name may not be empty");
	return perform(client, arena, &c, ret_msg);
}

struct status *client_update(struct client *client, struct arena *arena, const void *msg, void *ret_msg)
{
	return client_update_subresource(client, arena, NULL, msg, ret_msg);
}

struct status *client_update_status(struct client *client, struct arena *arena, const void *msg, void *ret_msg)
{
	return client_update_subresource(client, arena, "status", msg, ret_msg);
}

struct status *client_create_subresource(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const char *subresource, const void *body, void *ret_msg)
{
	struct call c = {.method = "POST",
		.resource = resource_of(type),
		.namespace = namespace,
		.name = name,
		.subresource = subresource,
		.ret_type = schema_of(body),
		.body_msg = body};
	if (str_empty(name))
		return status_bad_request("resource name may not be empty");
	return perform(client, arena, &c, ret_msg);
}

const char *client_patch_content_type(enum client_patch_type type)
{
	static const char *const names[] = {
		[CLIENT_PATCH_JSON] = "application/json-patch+json",
		[CLIENT_PATCH_MERGE] = "application/merge-patch+json",
		[CLIENT_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
		[CLIENT_PATCH_APPLY] = "application/apply-patch+yaml",
	};
	return names[type];
}

static struct status *patch(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const char *name, const char *subresource,
	enum client_patch_type patch_type, const void *data, size_t size, const struct client_patch_options *options,
	void *ret_msg)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	if (options) {
		query_add(&query, "dryRun", str_empty(options->dry_run) ? NULL : options->dry_run);
		query_add(&query, "fieldManager", str_empty(options->field_manager) ? NULL : options->field_manager);
		query_add(&query, "fieldValidation",
			str_empty(options->field_validation) ? NULL : options->field_validation);
		if (options->force)
			query_add_bool(&query, "force", true);
	}
	struct call c = {.method = "PATCH",
		.resource = *resource,
		.namespace = namespace,
		.name = name,
		.subresource = subresource,
		.query = query.buf,
		.ret_type = type,
		.body = data,
		.body_size = size,
		.content_type = client_patch_content_type(patch_type)};
	if (str_empty(name))
		return status_bad_request("resource name may not be empty");
	return perform(client, arena, &c, ret_msg);
}

struct status *client_patch(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const char *subresource, enum client_patch_type patch_type,
	const void *data, size_t size, const struct client_patch_options *options, void *ret_msg)
{
	struct client_resource resource = resource_of(type);
	return patch(
		client, arena, &resource, type, namespace, name, subresource, patch_type, data, size, options, ret_msg);
}

struct status *client_patch_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const char *namespace, const char *name, const char *subresource, enum client_patch_type patch_type,
	const void *data, size_t size, const struct client_patch_options *options)
{
	return patch(client, arena, resource, &MetaV1PartialObjectMetadata_schema, namespace, name, subresource,
		patch_type, data, size, options, NULL);
}

struct status *client_patch_diff(struct client *client, struct arena *arena, const void *old_msg, const void *new_msg,
	const char *subresource, bool resource_version, void *ret_msg)
{
	const struct schema_type *type = schema_of(old_msg);
	cJSON *before = tree_from_typed(arena, old_msg), *after = tree_from_typed(arena, new_msg), *diff;
	TRY(patch_create_strategic(arena, type, before, after, &diff));
	if (!tree_size(diff)) {
		if (ret_msg)
			*(void **)ret_msg = api_copy_msg(arena, new_msg);
		return NULL;
	}
	/* The uid makes a patch of a replaced object a Conflict. */
	cJSON *meta = tree_get(diff, "metadata");
	if (!meta) {
		meta = tree_new_object(arena);
		tree_set(arena, diff, "metadata", meta);
	}
	if (!str_empty(object_uid(old_msg)))
		tree_set_string(arena, meta, "uid", object_uid(old_msg));
	if (resource_version)
		tree_set_string(arena, meta, "resourceVersion", object_resource_version(old_msg));
	char *text = tree_to_string(arena, diff, 0);
	return client_patch(client, arena, type, object_namespace(old_msg), object_name(old_msg), subresource,
		CLIENT_PATCH_STRATEGIC, text, strlen(text), NULL, ret_msg);
}

struct status *client_delete_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const char *namespace, const char *name, const MetaV1DeleteOptions *options)
{
	struct call c = {.method = "DELETE",
		.resource = *resource,
		.namespace = namespace,
		.name = name,
		.ret_type = &MetaV1Status_schema,
		.body_msg = options};
	if (str_empty(name))
		return status_bad_request("resource name may not be empty");
	return perform(client, arena, &c, NULL);
}

struct status *client_delete(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const MetaV1DeleteOptions *options)
{
	struct client_resource resource = resource_of(type);
	return client_delete_as(client, arena, &resource, namespace, name, options);
}

struct status *client_delete_collection(struct client *client, struct arena *arena,
	const struct client_resource *resource, const char *namespace, const MetaV1DeleteOptions *options,
	const struct client_list_options *list)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	if (list)
		client_list_query(&query, list);
	struct call c = {.method = "DELETE",
		.resource = *resource,
		.namespace = namespace,
		.query = query.buf,
		.ret_type = &MetaV1Status_schema,
		.list = true,
		.body_msg = options};
	return perform(client, arena, &c, NULL);
}
