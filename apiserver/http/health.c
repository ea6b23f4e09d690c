/* /healthz, /livez and /readyz, and what is below them. */
#include <assert.h>
#include <stdlib.h>
#include "apiserver/http/answer.h"
#include "apiserver/http/paths.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/cache.h"

struct check {
	const char *name;
	bool live, ready, health; /* where it counts */
	const char *(*failure)(struct app *app, enum boot_step step);
	enum boot_step step;
	bool (*exists)(const struct app *app); /* NULL: always */
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

static bool reloads_encryption(const struct app *app)
{
	return encryption_reloads(app->encryption);
}

/* The names are the original's, for whoever asks for one of them; what has no part of its own here shares another's. */
static const struct check checks[] = {
	{"ping", true, true, true, check_ping},
	{"log", true, true, true, check_ping},
	{"etcd", true, true, true, check_etcd},
	{"etcd-readiness", false, true, false, check_etcd},
	{"kms-providers", false, true, true, check_ping, .exists = reloads_encryption},
	{"informer-sync", false, true, false, check_synced},
	{"poststarthook/start-encryption-provider-config-automatic-reload", true, true, true, check_ping,
		.exists = reloads_encryption},
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
	{"poststarthook/start-kube-apiserver-identity-lease-controller", true, true, true, check_boot, BOOT_IDENTITY},
	{"poststarthook/start-kube-apiserver-identity-lease-garbage-collector", true, true, true, check_boot,
		BOOT_IDENTITIES},
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

static const char *const endpoints[HEALTH_ENDPOINTS] = {"healthz", "livez", "readyz"};

static bool counts(const struct app *app, const struct check *c, const char *endpoint)
{
	if (c->exists && !c->exists(app))
		return false;
	if (str_eq(endpoint, "livez"))
		return c->live;
	return str_eq(endpoint, "readyz") ? c->ready : c->health;
}

/* Whether it fails, which is counted. */
static const char *failure_of(struct app *app, const struct check *c, const char *endpoint)
{
	const char *failure = c->failure(app, c->step);
	size_t e = 0;
	while (e + 1 < HEALTH_ENDPOINTS && !str_eq(endpoints[e], endpoint))
		e++;
	struct health_count *count = &app->health[c - checks][e];
	atomic_fetch_add_explicit(failure ? &count->failed : &count->passed, 1, memory_order_relaxed);
	atomic_store_explicit(&count->well, !failure, memory_order_relaxed);
	return failure;
}

static const struct check *find_check(const struct app *app, const char *name, const char *endpoint)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (str_eq(checks[i].name, name) && counts(app, &checks[i], endpoint))
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

static void answer_one(struct app *app, struct exchange *exchange, const struct check *c, const char *endpoint)
{
	const char *failure = failure_of(app, c, endpoint);
	if (!failure)
		answer_text(exchange, 200, "ok");
	else
		answer_text(exchange, 500, arena_printf(exchange->arena, "internal server error: %s\n", failure));
}

/* Names that were to be left out and are none. */
static void warn_of_unknown(const struct app *app, struct exchange *exchange, const char *endpoint, struct strbuf *out)
{
	struct arena *arena = exchange->arena;
	char **unknown = NULL;
	size_t n = 0;
	for (size_t i = 0; i < exchange->n_query; i++) {
		const struct query_param *q = &exchange->query[i];
		if (str_eq(q->key, "exclude") && !find_check(app, q->value, endpoint) &&
			!str_in_n(q->value, unknown, n))
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
		if (!counts(app, &checks[i], endpoint))
			continue;
		if (excluded(exchange, checks[i].name)) {
			strbuf_printf(&out, "[+]%s excluded: ok\n", checks[i].name);
			continue;
		}
		bool bad = failure_of(app, &checks[i], endpoint) != NULL;
		failed |= bad;
		strbuf_printf(&out, bad ? "[-]%s failed: reason withheld\n" : "[+]%s ok\n", checks[i].name);
	}
	warn_of_unknown(app, exchange, endpoint, &out);
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
		const struct check *one = *rest == '/' ? find_check(app, rest + 1, endpoints[i]) : NULL;
		if (one) {
			answer_one(app, exchange, one, endpoints[i]);
			return true;
		}
	}
	return false;
}

const char *health_path_nth(const struct app *app, struct arena *arena, size_t nth)
{
	for (size_t e = 0; e < ARRAY_SIZE(endpoints); e++)
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (counts(app, &checks[i], endpoints[e]) && !nth--)
				return arena_printf(arena, "/%s/%s", endpoints[e], checks[i].name);
	return NULL;
}

/* --- as metrics --- */

static void add_count(struct strbuf *out, size_t check, size_t endpoint, const char *status, uint64_t n)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_add_label(&labels, "name", checks[check].name);
	metrics_add_label(&labels, "status", status);
	metrics_add_label(&labels, "type", endpoints[endpoint]);
	if (n)
		metrics_write_sample(out, "kubernetes_healthchecks_total", labels.buf, (double)n);
}

void health_write_metrics(struct app *app, struct strbuf *out)
{
	static_assert(ARRAY_SIZE(checks) <= HEALTH_CHECKS, "room for every check's counts");
	CLEANUP(strbuf_done) struct strbuf totals = STRBUF_INIT;
	metrics_write_head(
		out, "kubernetes_healthcheck", "gauge", "Whether a health check passed when it was last made.");
	metrics_write_head(&totals, "kubernetes_healthchecks_total", "counter", "Health checks by their outcome.");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		for (size_t e = 0; e < ARRAY_SIZE(endpoints); e++) {
			CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
			const struct health_count *count = &app->health[i][e];
			uint64_t passed = atomic_load(&count->passed), failed = atomic_load(&count->failed);
			if (!passed && !failed)
				continue;
			metrics_add_label(&labels, "name", checks[i].name);
			metrics_add_label(&labels, "type", endpoints[e]);
			metrics_write_sample(out, "kubernetes_healthcheck", labels.buf, atomic_load(&count->well));
			add_count(&totals, i, e, "error", failed);
			add_count(&totals, i, e, "success", passed);
		}
	strbuf_add(out, totals.buf, totals.len);
}
