#include "apiserver/http/paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include "apiserver/http/answer.h"
#include "apiserver/openapi/openapi.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/cache.h"

static struct status *answer_version(struct exchange *exchange)
{
	TRY(accept_only(exchange->arena, exchange_header(exchange, "Accept"), "application/json"));
	struct utsname machine;
	uname(&machine);
	const char *arch = str_eq(machine.machine, "x86_64")	? "amd64"
			   : str_eq(machine.machine, "aarch64") ? "arm64"
								: machine.machine;
	const char *body = arena_printf(exchange->arena,
		"{\n  \"major\": \"1\",\n  \"minor\": \"34\",\n  \"emulationMajor\": \"1\",\n  \"emulationMinor\": "
		"\"34\",\n"
		"  \"minCompatibilityMajor\": \"1\",\n  \"minCompatibilityMinor\": \"33\",\n  \"gitVersion\": \"%s\",\n"
		"  \"gitCommit\": \"\",\n  \"gitTreeState\": \"clean\",\n  \"buildDate\": \"1970-01-01T00:00:00Z\",\n"
		"  \"goVersion\": \"\",\n  \"compiler\": \"gcc\",\n  \"platform\": \"linux/%s\"\n}",
		KUBEC_VERSION, arch);
	reply_bytes(exchange, 200, "application/json", body, strlen(body));
	return NULL;
}

static void answer_metrics(struct app *app, struct exchange *exchange)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (str_eq(exchange->path, "/metrics")) {
		CLEANUP(strbuf_done) struct strbuf all = STRBUF_INIT;
		metrics_write(app->metrics, &all);
		metric_filter_pass(app->metric_filter, &all, &out);
	} else {
		health_write_metrics(app, &out);
	}
	reply_strbuf(exchange, 200, METRICS_CONTENT_TYPE, &out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_path(struct arena *arena, char ***paths, size_t *n, char *path)
{
	if (!str_in_n(path, *paths, *n))
		ARENA_PUSH(arena, *paths, *n) = path;
}

/* Every path that is served and is no resource, in order. */
static void answer_index(const struct app *app, struct exchange *exchange)
{
	static const char *const fixed[] = {"/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/",
		"/healthz", "/livez", "/metrics", "/metrics/slis", "/openapi/v2", "/openapi/v3", "/openapi/v3/",
		"/openid/v1/jwks", "/readyz", "/version"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct arena *arena = exchange->arena;
	char **paths = NULL;
	size_t n = 0, n_checks = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add_path(arena, &paths, &n, arena_strdup(arena, fixed[i]));
	SERVED_FOREACH(app->served, r)
	if (*r->type->group) {
		add_path(arena, &paths, &n, arena_printf(arena, "/apis/%s", r->type->group));
		add_path(arena, &paths, &n, arena_printf(arena, "/apis/%s/%s", r->type->group, r->type->version));
	}
	for (const char *check; (check = health_path_nth(app, arena, n_checks)); n_checks++)
		add_path(arena, &paths, &n, arena_strdup(arena, check));
	qsort(paths, n, sizeof(*paths), by_text);
	strbuf_adds(&out, "{\n  \"paths\": [");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s\n    \"%s\"", i ? "," : "", paths[i]);
	strbuf_adds(&out, "\n  ]\n}");
	reply_strbuf(exchange, 200, "application/json", &out);
}

/* A route, as the version's is: what is below it is not found, and it is only looked at. */
static struct status *check_route(struct exchange *exchange, const char *path, bool *ret_is)
{
	size_t size = strlen(path);
	bool below = !strncmp(exchange->path, path, size) && exchange->path[size] == '/';
	*ret_is = below || str_eq(exchange->path, path);
	if (below && exchange->path[size + 1])
		return status_unknown_path();
	return *ret_is && !str_eq(exchange->method, "GET") ? status_not_allowed() : NULL;
}

static struct status *answer_identity(struct app *app, struct exchange *exchange, bool *ret_answered)
{
	bool keys, configuration;
	*ret_answered = false;
	TRY(check_route(exchange, "/openid/v1/jwks", &keys));
	TRY(check_route(exchange, "/.well-known/openid-configuration", &configuration));
	const char *body = keys ? authn_jwks(app->authn) : authn_openid_configuration(app->authn);
	*ret_answered = (keys || configuration) && !str_empty(body);
	if (!*ret_answered)
		return NULL;
	const char *type = keys ? "application/jwk-set+json" : "application/json";
	TRY(accept_only(exchange->arena, exchange_header(exchange, "Accept"), type));
	reply_header(exchange, "Cache-Control", "public, max-age=3600");
	reply_bytes(exchange, 200, type, body, strlen(body));
	return NULL;
}

struct status *paths_respond(struct app *app, struct exchange *exchange, struct request *request)
{
	struct status *status;
	const char *path = exchange->path;
	if (health_answer(app, exchange))
		return NULL;
	if (discovery_respond(exchange, app->served, app->advertised, &status))
		return status;
	bool answered, version;
	if (openapi_respond(app->openapi, exchange))
		return NULL;
	TRY(answer_identity(app, exchange, &answered));
	if (answered)
		return NULL;
	TRY(check_route(exchange, "/version", &version));
	if (version)
		return answer_version(exchange);
	if (str_eq(path, "/metrics") || str_eq(path, "/metrics/slis"))
		answer_metrics(app, exchange);
	else if (str_eq(path, "/"))
		answer_index(app, exchange);
	else
		answer_text(exchange, 404, "404 page not found\n");
	return NULL;
}
