/* A method, a path and a query as a request: what it asks for is always something, and options are read or refused. */
#include "apiserver/http/route.h"
#include "apiserver/http/verbs.h"
#include "test/fuzz/target.h"

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"};

static void check_strings(const struct request *r)
{
	const char *const all[] = {r->method, r->path, r->verb, r->group, r->version, r->resource, r->subresource,
		r->namespace, r->name, r->field_manager, r->field_validation};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert(all[i]);
	assert(r->is_resource || (!*r->resource && !*r->name && !r->schema));
	if (r->schema)
		assert(str_eq(r->schema->plural, r->resource) && str_eq(r->schema->type->group, r->group));
}

static void as_list(struct exchange *exchange, struct request *r)
{
	static const char *const selectors[] = {"labelSelector", "fieldSelector"};
	struct list_options options;
	struct status *s = list_options_parse(exchange, r, &options);

	if (!s) {
		assert(options.match && options.token);
		assert(options.labels || str_empty(exchange_query(exchange, selectors[0])));
		assert(options.fields || str_empty(exchange_query(exchange, selectors[1])));
	}
	status_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct exchange exchange = {.arena = arena};
	struct request r = {.arena = arena};
	char *path;

	if (size < 2 || size > 4096)
		return 0;
	char *text = arena_strndup(arena, (const char *)data + 1, size - 1), *question = strchr(text, '?');
	exchange.method = methods[data[0] % ARRAY_SIZE(methods)];
	exchange.raw_path = question ? arena_strndup(arena, text, (size_t)(question - text)) : text;
	exchange.raw_query = question ? question + 1 : "";
	exchange.path = url_unescape(arena, exchange.raw_path, strlen(exchange.raw_path), false, &path)
				? path
				: exchange.raw_path;
	query_parse(arena, exchange.raw_query, &exchange.query, &exchange.n_query);
	route_request(&r, &exchange, NULL);
	check_strings(&r);
	if (r.schema)
		as_list(&exchange, &r);
	return 0;
}
