#include "apiserver/http/paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include "apiserver/http/answer.h"
#include "apiserver/openapi/openapi.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/cache.h"

/* --- health --- */

struct check {
	const char *name;
	bool live, ready, health; /* where it counts */
	const char *(*failure)(struct app *app, enum boot_step step);
	enum boot_step step;
};

static const char *check_ping(struct app *app, enum boot_step step)
{
	return NULL;
}

static const char *check_etcd(struct app *app, enum boot_step step)
{
	int64_t bytes;
	struct status *status = etcd_size(app->etcd, &bytes);
	bool ok = !status;
	status_drop(status, "the check says no more than the original's");
	return ok ? NULL : "etcd failed";
}

static const char *check_synced(struct app *app, enum boot_step step)
{
	return cache_synced(registry_cache(app->registry)) ? NULL : "the caches are not filled yet";
}

static const char *check_boot(struct app *app, enum boot_step step)
{
	return boot_done(app->boot, step) ? NULL : "not finished";
}

static const char *check_shutdown(struct app *app, enum boot_step step)
{
	return atomic_load(&app->stopping) ? "process is shutting down" : NULL;
}

/* The names are the original's, for whoever asks for one of them; what has no part of its own here shares another's. */
static const struct check checks[] = {
	{"ping", true, true, true, check_ping},
	{"log", true, true, true, check_ping},
	{"etcd", true, true, true, check_etcd},
	{"etcd-readiness", false, true, false, check_etcd},
	{"informer-sync", false, true, false, check_synced},
	{"poststarthook/start-apiserver-admission-initializer", true, true, true, check_synced},
	{"poststarthook/generic-apiserver-start-informers", true, true, true, check_synced},
	{"poststarthook/priority-and-fairness-config-consumer", true, true, true, check_boot, BOOT_FLOW_CONTROL},
	{"poststarthook/priority-and-fairness-filter", true, true, true, check_synced},
	{"poststarthook/storage-object-count-tracker-hook", true, true, true, check_synced},
	{"poststarthook/start-apiextensions-informers", true, true, true, check_synced},
	{"poststarthook/start-apiextensions-controllers", true, true, true, check_synced},
	{"poststarthook/crd-informer-synced", true, true, true, check_synced},
	{"poststarthook/start-system-namespaces-controller", true, true, true, check_boot, BOOT_NAMESPACES},
	{"poststarthook/start-cluster-authentication-info-controller", true, true, true, check_boot, BOOT_TRUST},
	{"poststarthook/start-kube-apiserver-identity-lease-controller", true, true, true, check_boot, BOOT_SERVICE},
	{"poststarthook/start-kube-apiserver-identity-lease-garbage-collector", true, true, true, check_boot,
		BOOT_SERVICE},
	{"poststarthook/start-legacy-token-tracking-controller", true, true, true, check_boot, BOOT_TRACKING},
	{"poststarthook/start-service-ip-repair-controllers", true, true, true, check_boot, BOOT_REPAIR},
	{"poststarthook/rbac/bootstrap-roles", true, true, true, check_boot, BOOT_ROLES},
	{"poststarthook/scheduling/bootstrap-system-priority-classes", true, true, true, check_boot, BOOT_PRIORITIES},
	{"poststarthook/priority-and-fairness-config-producer", true, true, true, check_boot, BOOT_FLOW_CONTROL},
	{"poststarthook/bootstrap-controller", true, true, true, check_boot, BOOT_SERVICE},
	{"poststarthook/start-kubernetes-service-cidr-controller", true, true, true, check_boot, BOOT_RANGES},
	{"poststarthook/start-kube-aggregator-informers", true, true, true, check_synced},
	{"poststarthook/apiservice-status-local-available-controller", true, true, true, check_boot, BOOT_API_SERVICES},
	{"poststarthook/apiservice-status-remote-available-controller", true, true, true, check_boot,
		BOOT_API_SERVICES},
	{"poststarthook/apiservice-registration-controller", true, true, true, check_boot, BOOT_API_SERVICES},
	{"poststarthook/apiservice-discovery-controller", true, true, true, check_boot, BOOT_API_SERVICES},
	{"poststarthook/kube-apiserver-autoregistration", true, true, true, check_boot, BOOT_API_SERVICES},
	{"autoregister-completion", true, true, true, check_boot, BOOT_API_SERVICES},
	{"poststarthook/apiservice-openapi-controller", true, true, true, check_boot, BOOT_API_SERVICES},
	{"poststarthook/apiservice-openapiv3-controller", true, true, true, check_boot, BOOT_API_SERVICES},
	{"shutdown", false, true, false, check_shutdown},
};

static bool counts(const struct check *c, const char *endpoint)
{
	if (str_eq(endpoint, "livez"))
		return c->live;
	return str_eq(endpoint, "readyz") ? c->ready : c->health;
}

static const struct check *find_check(const char *name, const char *endpoint)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (str_eq(checks[i].name, name) && counts(&checks[i], endpoint))
			return &checks[i];
	return NULL;
}

static bool excluded(struct exchange *exchange, const char *name)
{
	for (size_t i = 0; i < exchange->n_query; i++)
		if (str_eq(exchange->query[i].key, "exclude") && str_eq(exchange->query[i].value, name))
			return true;
	return false;
}

static void answer_one(struct app *app, struct exchange *exchange, const struct check *c)
{
	const char *failure = c->failure(app, c->step);
	if (!failure)
		answer_text(exchange, 200, "ok");
	else
		answer_text(exchange, 500, arena_printf(exchange->arena, "internal server error: %s\n", failure));
}

/* Names that were to be left out and are none. */
static void warn_of_unknown(struct exchange *exchange, const char *endpoint, struct strbuf *out)
{
	struct arena *arena = exchange->arena;
	char **unknown = NULL;
	size_t n = 0;
	for (size_t i = 0; i < exchange->n_query; i++) {
		const struct query_param *q = &exchange->query[i];
		if (str_eq(q->key, "exclude") && !find_check(q->value, endpoint) && !str_in_n(q->value, unknown, n))
			ARENA_PUSH(arena, unknown, n) = arena_strdup(arena, q->value);
	}
	if (!n)
		return;
	qsort(unknown, n, sizeof(*unknown), str_cmp_qsort);
	strbuf_printf(out, "warn: some health checks cannot be excluded: no matches for \"%s\"\n",
		str_join(arena, unknown, n, "\",\""));
}

static void answer_checks(struct app *app, struct exchange *exchange, const char *endpoint)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	bool failed = false;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (!counts(&checks[i], endpoint))
			continue;
		if (excluded(exchange, checks[i].name)) {
			strbuf_printf(&out, "[+]%s excluded: ok\n", checks[i].name);
			continue;
		}
		bool bad = checks[i].failure(app, checks[i].step) != NULL;
		failed |= bad;
		strbuf_printf(&out, bad ? "[-]%s failed: reason withheld\n" : "[+]%s ok\n", checks[i].name);
	}
	warn_of_unknown(exchange, endpoint, &out);
	reply_header(exchange, "X-Content-Type-Options", "nosniff");
	if (failed || exchange_query(exchange, "verbose"))
		strbuf_printf(&out, "%s check %s\n", endpoint, failed ? "failed" : "passed");
	if (failed)
		answer_text(exchange, 500, out.buf);
	else
		answer_text(exchange, 200, exchange_query(exchange, "verbose") ? out.buf : "ok");
}

bool health_answer(struct app *app, struct exchange *exchange)
{
	static const char *const endpoints[] = {"healthz", "livez", "readyz"};
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		size_t len = strlen(endpoints[i]);
		const char *path = exchange->path;
		if (path[0] != '/' || strncmp(path + 1, endpoints[i], len) != 0)
			continue;
		const char *rest = path + 1 + len;
		if (!*rest) {
			answer_checks(app, exchange, endpoints[i]);
			return true;
		}
		const struct check *one = *rest == '/' ? find_check(rest + 1, endpoints[i]) : NULL;
		if (one) {
			answer_one(app, exchange, one);
			return true;
		}
	}
	return false;
}

/* --- the rest --- */

static void answer_version(struct exchange *exchange)
{
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
}

static void answer_metrics(struct app *app, struct exchange *exchange)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	metrics_write(app->metrics, &out);
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
static void answer_index(struct exchange *exchange)
{
	static const char *const fixed[] = {"/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/",
		"/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks",
		"/readyz", "/version"};
	static const char *const endpoints[] = {"healthz", "livez", "readyz"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct arena *arena = exchange->arena;
	char **paths = NULL;
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add_path(arena, &paths, &n, arena_strdup(arena, fixed[i]));
	SCHEMA_FOREACH_RESOURCE(r)
	if (*r->type->group) {
		add_path(arena, &paths, &n, arena_printf(arena, "/apis/%s", r->type->group));
		add_path(arena, &paths, &n, arena_printf(arena, "/apis/%s/%s", r->type->group, r->type->version));
	}
	for (size_t e = 0; e < ARRAY_SIZE(endpoints); e++)
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (counts(&checks[i], endpoints[e]))
				add_path(
					arena, &paths, &n, arena_printf(arena, "/%s/%s", endpoints[e], checks[i].name));
	qsort(paths, n, sizeof(*paths), by_text);
	strbuf_adds(&out, "{\n  \"paths\": [");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s\n    \"%s\"", i ? "," : "", paths[i]);
	strbuf_adds(&out, "\n  ]\n}");
	reply_strbuf(exchange, 200, "application/json", &out);
}

static bool answer_identity(struct app *app, struct exchange *exchange)
{
	const char *body = NULL;
	if (str_eq(exchange->path, "/.well-known/openid-configuration"))
		body = authn_openid_configuration(app->authn);
	else if (str_eq(exchange->path, "/openid/v1/jwks"))
		body = authn_jwks(app->authn);
	if (str_empty(body))
		return false;
	bool keys = str_eq(exchange->path, "/openid/v1/jwks");
	reply_header(exchange, "Cache-Control", "public, max-age=3600");
	reply_bytes(exchange, 200, keys ? "application/jwk-set+json" : "application/json", body, strlen(body));
	return true;
}

struct status *paths_respond(struct app *app, struct exchange *exchange, struct request *request)
{
	struct status *status;
	const char *path = exchange->path;
	if (health_answer(app, exchange))
		return NULL;
	if (discovery_respond(exchange, app->advertised, &status))
		return status;
	if (openapi_respond(app->openapi, exchange) || answer_identity(app, exchange))
		return NULL;
	bool version = str_eq(path, "/version") || str_eq(path, "/version/");
	if (version && !str_eq(exchange->method, "GET"))
		return status_not_allowed();
	if (version)
		answer_version(exchange);
	else if (str_eq(path, "/metrics"))
		answer_metrics(app, exchange);
	else if (str_eq(path, "/"))
		answer_index(exchange);
	else
		answer_text(exchange, 404, "404 page not found\n");
	return NULL;
}
