#include "kubectl/request.h"

#include <strings.h>
#include <unistd.h>

/* The text of a Warning header: 299 agent "text". */
static void print_warning(struct kubectl *k, struct arena *arena, const char *value)
{
	const char *start = strchr(value, '"'), *end = strrchr(value, '"');
	if (!start || start == end)
		return;
	char *text = arena_strndup(arena, start + 1, (size_t)(end - start - 1)), *out = text;
	for (const char *in = text; *in; in++) {
		if (*in == '\\' && in[1])
			in++;
		*out++ = *in;
	}
	*out = 0;
	k->n_warnings++;
	fprintf(stderr, isatty(2) ? "\033[33;1mWarning:\033[0m %s\n" : "Warning: %s\n", text);
}

static struct status *perform(
	struct kubectl *k, struct arena *arena, const struct rest *request, struct client_response *response)
{
	struct client *client;
	TRY(kubectl_client(k, &client));
	struct http_header accept = {.name = (char *)"Accept", .value = (char *)(uintptr_t)request->accept};
	struct client_request r = {.method = request->method,
		.path = request->path,
		.query = str_empty(request->query) ? NULL : request->query,
		.headers = &accept,
		.n_headers = request->accept ? 1 : 0,
		.body = request->body,
		.body_size = request->body_size,
		.content_type = request->content_type,
		.retry = !request->method || str_eq(request->method, "GET")};
	if (!r.body && request->tree) {
		char *text = tree_to_string(arena, request->tree, 0);
		r.body = text;
		r.body_size = strlen(text);
	}
	struct status *s = client_do(client, arena, &r, response);
	for (size_t i = 0; i < response->n_headers; i++)
		if (!strcasecmp(response->headers[i].name, "Warning"))
			print_warning(k, arena, response->headers[i].value);
	return s && response->code ? status_from_server(s) : s;
}

struct status *rest_do(struct kubectl *k, struct arena *arena, const struct rest *request, cJSON **ret_tree)
{
	struct client_response response = {0};
	TRY(perform(k, arena, request, &response));
	if (!ret_tree)
		return NULL;
	return tree_parse(arena, response.body, response.body_size, NULL, ret_tree);
}

struct status *rest_text(
	struct kubectl *k, struct arena *arena, const struct rest *request, char **ret_text, size_t *ret_size)
{
	struct client_response response = {0};
	TRY(perform(k, arena, request, &response));
	*ret_text = response.body;
	*ret_size = response.body_size;
	return NULL;
}

struct status *rest_get(struct kubectl *k, struct arena *arena, const char *path, const char *query, cJSON **ret_tree)
{
	struct rest request = {.path = path, .query = query};
	return rest_do(k, arena, &request, ret_tree);
}

char *rest_path(struct arena *arena, const struct api_resource *mapping, const char *namespace, const char *name,
	const char *subresource)
{
	return client_path(arena, &mapping->rest, mapping->rest.namespaced ? namespace : NULL, name,
		str_empty(subresource) ? NULL : subresource);
}

struct status *mapping_of_object(struct kubectl *k, const cJSON *object, const struct api_resource **ret)
{
	struct discovery *discovery;
	TRY(kubectl_discovery(k, &discovery));
	const char *version = str_or_empty(tree_string(tree_get(object, "apiVersion")));
	const char *kind = str_or_empty(tree_string(tree_get(object, "kind")));
	return discovery_find_kind(discovery, version, kind, ret);
}

struct status *mapping_find(struct kubectl *k, const char *text, const struct api_resource **ret)
{
	struct discovery *discovery;
	TRY(kubectl_discovery(k, &discovery));
	return discovery_find(discovery, text, ret);
}

char *mapping_kind_group(struct arena *arena, const struct api_resource *mapping)
{
	char *kind = str_lower(arena, mapping->kind);
	return *mapping->rest.group ? arena_printf(arena, "%s.%s", kind, mapping->rest.group) : kind;
}

char *mapping_plural_group(struct arena *arena, const struct api_resource *mapping)
{
	return *mapping->rest.group ? arena_printf(arena, "%s.%s", mapping->rest.plural, mapping->rest.group)
				    : arena_strdup(arena, mapping->rest.plural);
}
