/* What the server tells of itself: requests (apiserver/figures.h), who asks, what is stored. */
#include <stdlib.h>
#include "apiserver/app.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/cache.h"
#include "base/log.h"
#include "base/mem.h"

static enum figure_scope scope_of(const struct request *r)
{
	if (*r->name || str_eq(r->verb, "create"))
		return FIGURE_RESOURCE;
	return *r->namespace ? FIGURE_NAMESPACE : FIGURE_CLUSTER;
}

/* By method, as the original counts them; what is done through a connection is a CONNECT. */
static enum figure_verb verb_of(const struct request *r)
{
	static const char *const connections[] = {"log", "exec", "attach", "portforward", "proxy", NULL};
	static const struct {
		const char *verb;
		enum figure_verb is;
	} verbs[] = {{"get", FIGURE_GET}, {"list", FIGURE_LIST}, {"watch", FIGURE_WATCH}, {"create", FIGURE_POST},
		{"update", FIGURE_PUT}, {"patch", FIGURE_PATCH}, {"delete", FIGURE_DELETE},
		{"deletecollection", FIGURE_DELETE}};
	if (*r->subresource && str_in(r->subresource, connections))
		return FIGURE_CONNECT;
	if (r->applies)
		return FIGURE_APPLY;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(r->verb, verbs[i].verb))
			return verbs[i].is;
	return FIGURE_CONNECT;
}

static const char *health_path(const char *path)
{
	static const char *const paths[] = {"/healthz", "/livez", "/readyz"};
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (str_eq(path, paths[i]))
			return paths[i];
	return NULL;
}

static struct figure *figure_of(struct app *app, const struct request *r)
{
	if (!r->schema) {
		const char *path = r->is_resource ? NULL : health_path(r->path);
		return path ? figures_find(app->figures,
				      &(struct figure_key){NULL, path, FIGURE_GET, FIGURE_NO_SCOPE, false})
			    : NULL;
	}
	const struct schema_subresource *sub = schema_find_subresource(r->schema, r->subresource);
	const struct figure_key key = {r->schema, sub ? sub->name : "", verb_of(r), scope_of(r), r->dry_run};
	return figures_find(app->figures, &key);
}

void app_request_admitted(struct app *app, struct request *r)
{
	r->counted = true;
	if (!r->schema)
		return;
	enum figure_verb verb = verb_of(r);
	if (verb != FIGURE_WATCH && (verb != FIGURE_CONNECT || str_eq(r->subresource, "log")))
		return;
	r->figure = figure_of(app, r);
	figure_runs(r->figure, 1);
}

static bool reads(const struct request *r)
{
	return str_in(r->verb, (const char *const[]){"get", "list", "watch", NULL});
}

void app_request_begins(struct app *app, const struct request *r)
{
	atomic_fetch_add_explicit(reads(r) ? &app->n_reads : &app->n_writes, 1, memory_order_relaxed);
}

void app_request_ends(struct app *app, const struct request *r)
{
	atomic_fetch_sub_explicit(reads(r) ? &app->n_reads : &app->n_writes, 1, memory_order_relaxed);
}

void app_done(struct exchange *exchange, void *data)
{
	struct app *app = data;
	struct request *r = exchange->user;
	if (!r)
		return;
	status_free(STEAL(r->fresh));
	int64_t ms = clock_mono_ms(app->clock) - exchange->started_ms;
	figure_runs(r->figure, -1);
	if (r->counted)
		figure_count(r->figure ? r->figure : figure_of(app, r), exchange_code(exchange), (double)ms / 1000.0,
			exchange_reply_size(exchange));
	if (r->is_resource)
		log_v(3, "%s %s %d %lldms %s", exchange->method, exchange->path, exchange_code(exchange), (long long)ms,
			r->user ? r->user->name : "-");
}

/* --- at a scrape --- */

static void sample(struct strbuf *out, const char *name, const char *label, const char *value, double number)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_add_label(&labels, label, value);
	metrics_write_sample(out, name, labels.buf, number);
}

static void write_access(struct app *app, struct strbuf *out)
{
	metrics_write_head(out, "apiserver_current_inflight_requests", "gauge", "Requests being worked on, by kind.");
	sample(out, "apiserver_current_inflight_requests", "request_kind", "mutating", atomic_load(&app->n_writes));
	sample(out, "apiserver_current_inflight_requests", "request_kind", "readOnly", atomic_load(&app->n_reads));
	metrics_write_head(out, "authentication_attempts", "counter", "Requests by whether it is known who asks.");
	sample(out, "authentication_attempts", "result", "failure", (double)atomic_load(&app->access.unknown));
	sample(out, "authentication_attempts", "result", "success", (double)atomic_load(&app->access.known));
	metrics_write_head(out, "authorization_attempts_total", "counter", "Requests by whether they are allowed.");
	sample(out, "authorization_attempts_total", "result", "allowed", (double)atomic_load(&app->access.allowed));
	sample(out, "authorization_attempts_total", "result", "denied", (double)atomic_load(&app->access.denied));
}

/* One line for every resource that is stored. */
static void write_stored(struct app *app, struct strbuf *out, const char *name, const char *help, bool by_group,
	double (*value)(struct cache *cache, struct table *table))
{
	struct cache *cache = registry_cache(app->registry);
	metrics_write_head(out, name, "gauge", help);
	SCHEMA_FOREACH_RESOURCE(r)
	{
		struct table *table = cache_table(cache, r->type->group, r->plural);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT, full = STRBUF_INIT;
		if (!table || table_resource(table) != r)
			continue;
		if (by_group)
			metrics_add_label(&labels, "group", r->type->group);
		strbuf_adds(&full, r->plural);
		if (!by_group && *r->type->group)
			strbuf_printf(&full, ".%s", r->type->group);
		metrics_add_label(&labels, "resource", full.buf);
		metrics_write_sample(out, name, labels.buf, value(cache, table));
	}
}

static double count_of(struct cache *cache, struct table *table)
{
	return (double)table_count(table);
}

static double revision_of(struct cache *cache, struct table *table)
{
	return (double)cache_revision(cache);
}

static void write_size(struct app *app, struct strbuf *out)
{
	int64_t bytes;
	struct status *failed = etcd_size(app->etcd, &bytes);
	if (failed) {
		status_drop(failed, "readyz tells it");
		return;
	}
	metrics_write_head(out, "apiserver_storage_size_bytes", "gauge", "Bytes of etcd's database.");
	sample(out, "apiserver_storage_size_bytes", "storage_cluster_id", "etcd-0", (double)bytes);
}

static void write_all(void *data, struct strbuf *out)
{
	struct app *app = data;
	figures_write(app->figures, out);
	write_access(app, out);
	write_stored(app, out, "apiserver_resource_objects", "Objects stored, by resource.", true, count_of);
	write_stored(app, out, "apiserver_storage_objects", "Objects stored, by resource.", false, count_of);
	write_stored(app, out, "apiserver_watch_cache_resource_version", "The revision that memory has reached.", true,
		revision_of);
	write_size(app, out);
}

void app_metrics_init(struct app *app)
{
	app->metrics = metrics_new();
	app->figures = figures_new();
	metrics_writer(app->metrics, write_all, app);
}
